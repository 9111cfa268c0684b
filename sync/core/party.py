"""The record that matching sees, however it came: from a file's row or a golden record."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

Kind = Literal["company", "person", "other"]
KINDS: dict[str, Kind] = {
    "company": "company",
    "organisation": "company",
    "organization": "company",
    "org": "company",
    "account": "company",
    "person": "person",
    "contact": "person",
    "individual": "person",
    "other": "other",
}
KEYED = re.compile(r"^([a-z_]+)\[([^\]]*)\](?:\.([a-z_]+))?$")
KNOWN_COLUMNS = frozenset(
    [
        "id",
        "source",
        "kind",
        "name",
        "legal_name",
        "given_name",
        "family_name",
        "org_name",
        "email",
        "phone",
        "mobile",
        "street",
        "city",
        "region",
        "postcode",
        "country",
        "tax_id",
        "birth_date",
        "website",
        "updated_at",
        "cluster",
    ]
)


@dataclass(frozen=True, slots=True)
class PartyName:
    """One name; the parts are given where the source keeps them apart."""

    whole: str
    given: str = ""
    family: str = ""


@dataclass(frozen=True, slots=True)
class PartyAddress:
    """One address as it was written."""

    street: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class TaxId:
    """A tax or registration number; `scheme` as in `cn:uscc`, empty where unknown."""

    value: str
    scheme: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """A customer as one source describes it. Repeated facts keep all their values."""

    kind: Kind
    names: tuple[PartyName, ...] = ()
    organisation: str = ""  # a person's employer
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    mobiles: tuple[str, ...] = ()  # those of the phones that the source calls so
    addresses: tuple[PartyAddress, ...] = ()
    tax_ids: tuple[TaxId, ...] = ()
    birth_date: str = ""
    website: str = ""
    source: str = ""
    extra: tuple[tuple[str, str], ...] = ()  # columns that matching has no rule for


def party_from_row(row: Mapping[str, str]) -> Party:
    """A party from one row of a file; see the README of `kehub match` for the columns."""
    given = {column: value.strip() for column, value in row.items() if value}
    get = given.get
    told = get("kind", "")
    kind = KINDS.get(told.lower(), "other" if told else _guess_kind(given))
    whole, own, family = get("name", ""), get("given_name", ""), get("family_name", "")
    names: tuple[PartyName, ...] = (
        (PartyName(whole, own, family),) if whole or own or family else ()
    )
    legal = get("legal_name")
    if legal and legal != whole:
        names += (PartyName(legal),)
    address = [get(column, "") for column in ADDRESS]
    email, phone, mobile, tax = get("email"), get("phone", ""), get("mobile"), get("tax_id")
    return Party(
        kind=kind,
        names=names,
        organisation=get("org_name", ""),
        emails=(email,) if email else (),
        phones=_some(phone, mobile) if mobile else _some(phone),
        mobiles=(mobile,) if mobile else (),
        addresses=(PartyAddress(*address),) if any(address) else (),
        tax_ids=(TaxId(tax),) if tax else (),
        birth_date=get("birth_date", ""),
        website=get("website", ""),
        source=get("source", ""),
        extra=()
        if given.keys() <= KNOWN_COLUMNS
        else tuple((c, v) for c, v in given.items() if c not in KNOWN_COLUMNS),
    )


ADDRESS = ("street", "city", "region", "postcode", "country")


def _guess_kind(row: Mapping[str, str]) -> Kind:
    if row.get("given_name") or row.get("family_name") or row.get("birth_date"):
        return "person"
    return "company" if row.get("name") else "other"


def _some(*values: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


# Where the values of a path stand that matching reads, of customers and of contacts.
MATCHED = frozenset(
    [
        "kind",
        "name",
        "legal_name",
        "names",
        "given_name",
        "family_name",
        "organisation",
        "org_name",
        "emails",
        "phones",
        "addresses",
        "identifiers",
        "birth_date",
        "website",
        "source",
        "customer",
    ]
)


def is_matched(path: str) -> bool:
    """Whether matching reads this canonical path."""
    return path.partition("[")[0] in MATCHED


def party_from_canonical(values: Mapping[str, Any], *, entity: str = "customer") -> Party:
    """A party from the flat values of a golden record (`phones[work]`, `addresses[billing].city`).

    `entity` settles what `kind` leaves open: a contact is a person.
    """
    kind = KINDS.get(str(values.get("kind") or ""), "person" if entity == "contact" else "company")
    keyed = _keyed(values)
    names = [_text(values, "name"), _text(values, "legal_name"), *_each(keyed, "names")]
    given, family = _text(values, "given_name"), _text(values, "family_name")
    parts = [PartyName(whole, given, family) for whole in _some(*names)]
    if not parts and (given or family):
        parts = [PartyName(f"{given} {family}".strip(), given, family)]
    return Party(
        kind=kind,
        names=tuple(parts),
        organisation=_text(values, "organisation") or _text(values, "org_name"),
        emails=_some(*_each(keyed, "emails")),
        phones=_some(*_each(keyed, "phones")),
        mobiles=_some(*(value for key, value in _pairs(keyed, "phones") if key == "mobile")),
        addresses=tuple(_addresses(keyed)),
        tax_ids=tuple(TaxId(v, scheme) for scheme, v in _pairs(keyed, "identifiers")),
        birth_date=_text(values, "birth_date"),
        website=_text(values, "website"),
        source=_text(values, "source"),
    )


def _text(values: Mapping[str, Any], path: str) -> str:
    value = values.get(path)
    return str(value).strip() if value is not None else ""


Keyed = dict[str, dict[str, dict[str, str]]]


def _keyed(values: Mapping[str, Any]) -> Keyed:
    """By name, key and part, in the order of the keys, so that every record is read alike."""
    found: Keyed = {}
    for path in sorted([path for path in values if path[-1:] == "]" or "]." in path]):
        value, place = values[path], _place(path)
        if place is not None and value is not None:
            name, key, part = place
            found.setdefault(name, {}).setdefault(key, {})[part] = str(value).strip()
    return found


@lru_cache(maxsize=1024)
def _place(path: str) -> tuple[str, str, str] | None:
    """Name, key and part of a path that has a key."""
    match = KEYED.match(path)
    return (match[1], match[2], match[3] or "") if match else None


def _pairs(keyed: Keyed, name: str) -> list[tuple[str, str]]:
    held = keyed.get(name)
    return [(key, parts[""]) for key, parts in held.items() if parts.get("")] if held else []


def _each(keyed: Keyed, name: str) -> list[str]:
    return [value for _, value in _pairs(keyed, name)]


def _addresses(keyed: Keyed) -> Iterable[PartyAddress]:
    for parts in keyed.get("addresses", {}).values():
        address = [parts.get(column, "") for column in ADDRESS]
        if any(address):
            yield PartyAddress(*address)
