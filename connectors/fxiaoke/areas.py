"""Countries, provinces, cities and districts: codes over there, names in our native view."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from connectors.fxiaoke.client import Client
from connectors.fxiaoke.errors import Kind
from connectors.sdk.errors import RecordError

LEVELS = ("country", "province", "city", "district")  # also the types of such fields
HOME = "中国"  # for other countries the list is short and in Chinese
PATH = "/cgi/crm/countryAreaOptions/get"
_ENDING = re.compile(
    r"(特别行政区|壮族自治区|回族自治区|维吾尔自治区|自治区|自治州|自治县|地区|省|市|区|县|盟|旗)$"
)
_SHORTER = {"阿拉伯联合酋长国": "阿联酋"}  # full names that the list has in short
_HAN = re.compile("[\u3400-\u9fff]")  # every place that the list divides China into has one
Place = tuple[str, str]  # level, code


class AreaBook:
    """The system's tree of areas, read once."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._names: dict[Place, str] = {}
        self._above: dict[Place, Place] = {}
        self._codes: dict[tuple[str, str], list[str]] = {}
        for level in LEVELS:
            for option in (options.get(level) or {}).get("options") or ():
                self._enter(level, option)

    def _enter(self, level: str, option: Mapping[str, Any]) -> None:
        place = (level, str(option["value"]))
        label = str(option["label"]).strip()
        self._names[place] = label
        for name in {label, _short(label)}:
            self._codes.setdefault((level, name), []).append(place[1])
        for children in option.get("child_options") or ():
            for below, codes in children.items():
                for code in codes:
                    self._above[below, str(code)] = place

    def name(self, level: str, code: Any) -> str:
        """The label; a code that the system does not list stays as it is."""
        return self._names.get((level, str(code)), str(code))

    def codes(self, level: str, name: str, within: Place | None) -> list[str]:
        """The codes with this name inside an area; an exact name beats one without its ending."""
        found = [c for c in self._candidates(level, name) if self._lies_in((level, c), within)]
        exact = [c for c in found if self._names[level, c] == name.strip()]
        return exact or found

    def divides(self, place: Place, level: str) -> bool:
        """Whether the system knows areas of a level inside that place."""
        return any(at[0] == level and self._lies_in(at, place) for at in self._names)

    def _candidates(self, level: str, name: str) -> list[str]:
        text = _SHORTER.get(name.strip(), name.strip())
        found = [*self._codes.get((level, text), ()), *self._codes.get((level, _short(text)), ())]
        return list(dict.fromkeys(found))

    def _lies_in(self, place: Place, within: Place | None) -> bool:
        if within is None:
            return True
        here: Place | None = place
        while here is not None and here != within:
            here = self._above.get(here)
        return here == within


class Areas:
    """Translates the area fields of a record, with the book loaded when first needed."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._book: AreaBook | None = None

    @property
    def book(self) -> AreaBook:
        if self._book is None:
            answer = self._client.call(PATH, {}, Kind.READ)
            inner = answer.get("data") or {}
            options = answer.get("countryAreaOptions") or inner.get("countryAreaOptions") or {}
            self._book = AreaBook(options)
        return self._book

    def named(self, row: Mapping[str, Any], levels: Mapping[str, str]) -> dict[str, Any]:
        """The area fields of a row with names for codes."""
        held = {name: row[name] for name in levels if row.get(name)}
        return {name: self.book.name(levels[name], code) for name, code in held.items()}

    def coded(
        self,
        data: Mapping[str, Any],
        levels: Mapping[str, str],
        stored: Callable[[], Mapping[str, Any]],
    ) -> dict[str, Any]:
        """The area fields of a write with codes for names; `stored` reads the row's codes."""
        codes: dict[str, Any] = {}
        for name, level in sorted(levels.items(), key=lambda item: LEVELS.index(item[1])):
            if name in data:
                codes[name] = self._code(name, level, data[name], _Context(codes, levels, stored))
        return codes

    def _code(self, field: str, level: str, name: Any, context: "_Context") -> str | None:
        if not name:
            return None
        within = context.above(level)
        found = self.book.codes(level, str(name), within)
        if len(found) != 1 and (stored := context.stored_above(level)) is not None:
            within = stored
            found = self.book.codes(level, str(name), within)
        if len(found) == 1:
            return found[0]
        if not found and within is not None and not self.book.divides(within, level):
            return None  # the system has no such level there, so it cannot hold the value
        if self._may_leave_out(level, str(name), context):
            return None
        reason = "is not in its list" if not found else "is ambiguous"
        raise RecordError(f"纷享销客: {level} {name!r} of field {field} {reason}.", field=field)

    def _may_leave_out(self, level: str, name: str, context: "_Context") -> bool:
        rule = self._client.config.unknown_area
        if rule == "leave_out_abroad" and level != "country":
            country = context.country()
            if country is None:  # `Chicago` without a country is a place abroad all the same
                return not _HAN.search(name)
            return self.book.name("country", country) != HOME
        return rule == "leave_out"


class _Context:
    """What is known of the higher levels while one field is looked up."""

    def __init__(
        self,
        written: Mapping[str, Any],
        levels: Mapping[str, str],
        stored: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._written, self._levels, self._stored = written, levels, stored

    def above(self, level: str) -> Place | None:
        """The nearest higher area in the same write."""
        return self._nearest(level, self._written)

    def stored_above(self, level: str) -> Place | None:
        """The same with what the row holds; None where that says no more."""
        if all(name in self._written for name, at in self._levels.items() if _higher(at, level)):
            return None
        return self._nearest(level, {**self._stored(), **self._written})

    def country(self) -> Any:
        """The code of the country, None where none is given."""
        names = [name for name, at in self._levels.items() if at == "country"]
        return next((self._known(name) for name in names), None)

    def _known(self, name: str) -> Any:
        return self._written[name] if name in self._written else self._stored().get(name)

    def _nearest(self, level: str, values: Mapping[str, Any]) -> Place | None:
        known = [
            (at, str(values[name]))
            for name, at in self._levels.items()
            if _higher(at, level) and values.get(name)
        ]
        return max(known, key=lambda place: LEVELS.index(place[0]), default=None)


def _higher(one: str, other: str) -> bool:
    return LEVELS.index(one) < LEVELS.index(other)


def _short(name: str) -> str:
    """`浙江省` and `浙江` are one; names of two characters keep their ending."""
    return _ENDING.sub("", name) if len(name) > 2 else name
