"""How good a golden record is: what it lacks, and what in it cannot be right."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import phonenumbers

from sync.core.normal.identifier import credit_code_valid, parse_identifier
from sync.core.normal.mail import parse_mail

# Each is one bit of a stored number: add at the end, never reorder.
ISSUES = (
    "no_name",
    "no_phone",
    "no_mail",
    "no_address",
    "no_identifier",
    "no_stage",
    "no_industry",
    "no_owner",
    "no_customer",
    "bad_phone",
    "bad_mail",
    "bad_identifier",
    "bad_website",
)
BIT: Mapping[str, int] = {code: 1 << place for place, code in enumerate(ISSUES)}
INVALID = frozenset(code for code in ISSUES if code.startswith("bad_"))
INVALID_BITS = sum(BIT[code] for code in INVALID)

_WANTED: Mapping[str, tuple[tuple[str, int], ...]] = {  # what a complete record has, and its weight
    "organisation": (
        ("no_name", 3),
        ("no_phone", 2),
        ("no_mail", 2),
        ("no_address", 2),
        ("no_identifier", 2),
        ("no_stage", 1),
        ("no_industry", 1),
        ("no_owner", 1),
    ),
    "person": (
        ("no_name", 3),
        ("no_phone", 2),
        ("no_mail", 2),
        ("no_address", 1),
        ("no_stage", 1),
        ("no_owner", 1),
    ),
    "contact": (("no_name", 3), ("no_phone", 2), ("no_mail", 2), ("no_customer", 2)),
}
_HOST = re.compile(r"^(?:https?://)?[^\s/@]+\.[^\s/@]{2,}(?:/\S*)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Quality:
    """Completeness in percent, the issues, and the values that cannot be right (code, path)."""

    completeness: int
    issues: frozenset[str]
    wrong: tuple[tuple[str, str], ...]

    @property
    def bits(self) -> int:
        """The issues as one number."""
        return sum(BIT[code] for code in self.issues)


def assess(entity: str, values: Mapping[str, Any]) -> Quality:
    """What a customer or contact lacks, and which of its values cannot be right."""
    kind = entity if entity == "contact" else str(values.get("kind") or "organisation")
    wanted = _WANTED.get(kind, _WANTED["organisation"])
    here = {_head(path) for path, value in values.items() if value not in (None, "", [])}
    missing = {code for code, _ in wanted if not _FILLED[code](values, here)}
    wrong = tuple(_wrong(values))
    whole = sum(weight for _, weight in wanted)
    filled = sum(weight for code, weight in wanted if code not in missing)
    return Quality(
        completeness=round(100 * filled / whole),
        issues=frozenset(missing).union(code for code, _ in wrong),
        wrong=wrong,
    )


def issues_of(bits: int) -> tuple[str, ...]:
    """The issues that a stored number stands for."""
    return tuple(code for code in ISSUES if bits & BIT[code])


def _head(path: str) -> str:
    return path.split("[", 1)[0].split(".", 1)[0]


def _has(name: str) -> Callable[[Mapping[str, Any], set[str]], bool]:
    return lambda _values, here: name in here


def _has_address(values: Mapping[str, Any], _here: set[str]) -> bool:
    parts = {path.rpartition(".")[2] for path, value in values.items() if value and "." in path}
    return bool(parts & {"street", "postcode"}) and bool(parts & {"city", "region", "district"})


_FILLED: Mapping[str, Callable[[Mapping[str, Any], set[str]], bool]] = {
    "no_name": lambda _values, here: bool(here & {"name", "contact_name"}),
    "no_phone": _has("phones"),
    "no_mail": _has("emails"),
    "no_address": _has_address,
    "no_identifier": _has("identifiers"),
    "no_stage": _has("stage"),
    "no_industry": _has("industry"),
    "no_owner": _has("owner"),
    "no_customer": _has("customer"),
}


def _wrong(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    country = next(
        (str(value) for path, value in values.items() if path.endswith(".country") and value), ""
    )
    found = []
    for path, value in values.items():
        check = _CHECKS.get(_head(path))
        if check is not None and value and not check[1](path, str(value), country):
            found.append((check[0], path))
    return found


def _is_phone(_path: str, text: str, country: str) -> bool:
    """An extension may follow; whether a number is assigned is not asked."""
    try:
        number = phonenumbers.parse(text, country or "CN")
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(number)


def _is_mail(_path: str, text: str, _country: str) -> bool:
    found = parse_mail(text)
    return found is not None and "." in found.domain


def _is_identifier(path: str, text: str, country: str) -> bool:
    scheme = path.partition("[")[2].rstrip("]")
    if scheme == "cn:uscc":
        return credit_code_valid(text.strip().upper())
    found = parse_identifier(text, country, scheme)
    return found is not None and (found.hard or not found.scheme)


def _is_website(_path: str, text: str, _country: str) -> bool:
    return _HOST.match(text.strip()) is not None


_Check = Callable[[str, str, str], bool]
_CHECKS: Mapping[str, tuple[str, _Check]] = {
    "phones": ("bad_phone", _is_phone),
    "emails": ("bad_mail", _is_mail),
    "identifiers": ("bad_identifier", _is_identifier),
    "website": ("bad_website", _is_website),
}
