"""Records that parties point at, by the code or name that people use. Read again on a miss."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.sdk.errors import RecordError, SetupError
from connectors.tryton.rpc import Rpc
from connectors.tryton.settings import TrytonConfig

_PROVINCE = re.compile(r"(?:特别行政区|(?:壮族|回族|维吾尔)?自治区|省|市)$|\s+(?:Province|State)$")
_CHINESE = re.compile("[\u4e00-\u9fff]")
OWN_PARTIES_LIFE = timedelta(hours=1)  # then employees are asked for again
Table = Mapping[str, int]


@dataclass
class Lookups:
    """What one database holds; lives as long as its connector."""

    rpc: Rpc
    config: TrytonConfig
    _own: tuple[datetime, list[int]] | None = None
    _tables: dict[str, Table] = field(default_factory=dict)
    _regions: dict[str, int] = field(default_factory=dict)
    _fields: dict[tuple[str, ...], Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)

    def fields(self, model: str, *names: str) -> Mapping[str, Mapping[str, Any]]:
        """The description of these fields; those of modules that are not there are missing."""
        asked = (model, *names)
        if asked not in self._fields:
            self._fields[asked] = self.rpc.read(f"model.{model}.fields_get", list(names))
        return self._fields[asked]

    @property
    def own_parties(self) -> list[int]:
        """The parties of our own companies and employees: nobody's customers."""
        if self._own is None or self.rpc.clock - self._own[0] > OWN_PARTIES_LIFE:
            companies = self._rows("company.company", ["party"])
            employees = self._rows("company.employee", ["party"])
            own = sorted({row["party"] for row in [*companies, *employees]})
            self._own = (self.rpc.clock, own)
        return self._own[1]

    def country(self, code: str, *, at: str) -> int:
        return self._one("country.country", "code", code.upper(), at, "country", (code,))

    def subdivision(self, told: str, country: int, *, at: str) -> int | None:
        """The province by name or code; None where the settings say to leave it out."""
        model = f"country.subdivision:{country}"

        def read() -> Table:
            rows = self._rows("country.subdivision", ["code", "name"], [["country", "=", country]])
            names = {_province(row["name"]): row["id"] for row in rows}
            return names | {row["code"].casefold(): row["id"] for row in rows}

        found = self._find(model, read, _province(told)) or self._find(model, read, told.casefold())
        if found or self.config.unknown_region == "leave_out":
            return found
        raise RecordError(
            f"Tryton lists no subdivision {told!r} of that country. Add it there, or let the "
            "settings leave unknown regions out.",
            field=at,
            remote_code="unknown_subdivision",
        )

    def country_of_region(self, told: str) -> int | None:
        """The country of a region that is told without one; None where that would be a guess.

        CRM users in China rarely fill the country. A name in Chinese that Tryton lists in one
        country means that one; one in Latin letters (Limburg, Córdoba) may mean several.
        """
        if not _CHINESE.search(told):
            return None
        name = _province(told)
        if name not in self._regions:
            rows = self._rows(
                "country.subdivision", ["name", "country"], [["name", "ilike", f"{name}%"]]
            )
            found = {row["country"] for row in rows if _province(row["name"]) == name}
            if len(found) != 1:
                return None
            self._regions[name] = int(found.pop())
        return self._regions[name]

    def language(self, code: str, *, at: str) -> int:
        general = code.partition("_")[0]
        return self._one("ir.lang", "code", code, at, "language", (code, general))

    def term(self, name: str, *, at: str) -> int:
        model = "account.invoice.payment_term"
        return self._one(model, "name", name, at, "payment term", (name,))

    def category(self, name: str, *, at: str) -> int:
        return self._one("party.category", "name", name, at, "party category", (name,))

    def known_category(self, name: str) -> int | None:
        """The category's id, None where there is no such category."""
        model = "party.category"
        return self._find(model, self._table(model, "name"), name) if name else None

    def known_relation(self) -> int | None:
        """The relation type that makes a party a contact person, None where there is none."""
        model, name = "party.relation.type", self.config.contact_relation
        return self._find(model, self._table(model, "name"), name)

    @property
    def relation(self) -> int:
        """The relation type that makes a party a contact person; SetupError where there is none."""
        name, found = self.config.contact_relation, self.known_relation()
        if found is None:
            raise SetupError(
                f"Tryton has no relation type {name!r}.",
                hint="Create it under Party / Configuration, or name yours in the settings.",
            )
        return found

    def names(self, model: str, key: str) -> list[str]:
        """All codes or names of a model, for a list of choices."""
        return sorted(self._table(model, key)())

    def _one(
        self, model: str, key: str, name: str, at: str, kind: str, tries: tuple[str, ...]
    ) -> int:
        for attempt in tries:
            found = self._find(model, self._table(model, key), attempt)
            if found is not None:
                return found
        raise RecordError(
            f"Tryton has no {kind} {name!r}. Add it there, or change the value.",
            field=at,
            remote_code=f"unknown_{kind.replace(' ', '_')}",
        )

    def _find(self, table: str, read: Callable[[], Table], name: str) -> int | None:
        known = self._tables.get(table)
        if known is None or name not in known:
            known = self._tables[table] = read()
        return known.get(name)

    def _table(self, model: str, key: str) -> Callable[[], Table]:
        return lambda: {row[key]: row["id"] for row in self._rows(model, [key])}

    def _rows(self, model: str, names: list[str], domain: list[Any] | None = None) -> Any:
        return self.rpc.read(f"model.{model}.search_read", domain or [], 0, None, None, names)


def _province(name: str) -> str:
    return _PROVINCE.sub("", name.strip()).casefold()
