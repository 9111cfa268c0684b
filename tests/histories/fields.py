"""The fields that users edit in histories, and how a system shows a value."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import connectors.memory
from connectors.memory.oddities import Oddities, as_stored
from mapping import engine
from mapping.loader import load

CHOICES = ("trade", "retail", "service", "industry")
OBJECTS = ("customers", "contacts")


@dataclass(frozen=True, eq=False)
class Unit:
    """A field, or a group of fields, that is typed and decided as one."""

    name: str
    natives: Mapping[str, Callable[[int], Any]]
    clears: bool = True  # users may empty it
    owner: str = ""  # the system that is its source of record


def _text(head: str) -> Callable[[int], str]:
    return lambda n: f"{n} {head} of many characters {n}"


UNITS: Mapping[str, tuple[Unit, ...]] = {
    "customers": (
        Unit("notes", {"notes": _text("notes")}),
        Unit("phone", {"phone": lambda n: f"+86139{n:08d}"}),
        Unit("website", {"website": lambda n: f"w{n}.example"}),
        Unit("industry", {"industry": lambda n: CHOICES[n % 4]}),
        Unit("legal_name", {"legal_name": _text("株式 legal 名")}),
        Unit("name", {"name": _text("renamed 公司")}, clears=False),
        Unit("credit", {"credit_limit": str}, clears=False, owner="erp"),
        Unit("owner", {"owner": lambda n: f"u{n}@staff.example"}, clears=False),
        Unit(
            "billing",
            {"billing_street": lambda n: f"{n} Street", "billing_city": lambda n: f"City {n}"},
        ),
    ),
    "contacts": (
        Unit("job_title", {"job_title": _text("title")}),
        Unit("mobile", {"mobile": lambda n: f"+86137{n:08d}"}),
        Unit("notes", {"notes": _text("notes")}),
    ),
}


@cache
def spec(object_name: str):
    """The reference connector's mapping of an object."""
    folder = Path(connectors.memory.__file__).parent / "mapping"
    return load((folder / f"{object_name}.yaml").read_text(encoding="utf-8"))


@cache
def paths(object_name: str, unit: Unit) -> tuple[str, ...]:
    """The canonical paths of a unit."""
    rules = {name: rule.canonical for rule in spec(object_name).fields for name in rule.natives}
    return tuple(rules[name] for name in unit.natives)


def unit_of(object_name: str, name: str) -> Unit:
    return next(unit for unit in UNITS[object_name] if unit.name == name)


def unit_with(object_name: str, some: Collection[str]) -> Unit | None:
    """The unit that has these canonical paths, or some of them."""
    units = (u for u in UNITS[object_name] if not set(paths(object_name, u)).isdisjoint(some))
    return next(units, None)


def read(object_name: str, unit: Unit, native: Mapping[str, Any]) -> dict[str, Any] | None:
    """The canonical value of a unit in a native record; None where all of it is empty."""
    values = engine.canonicalise(spec(object_name), native)
    return of_golden(object_name, unit, values)


def of_golden(object_name: str, unit: Unit, values: Mapping[str, Any]) -> dict[str, Any] | None:
    found = {path: values.get(path) for path in paths(object_name, unit)}
    return None if all(value is None for value in found.values()) else found


def as_shown(object_name: str, unit: Unit, oddities: Oddities, value: Any) -> Any:
    """What a system with these oddities makes of a canonical value."""
    if value is None:
        return None
    native = engine.project(spec(object_name), value, paths(object_name, unit))
    blank = dict.fromkeys(unit.natives)
    return read(object_name, unit, {**blank, **as_stored(oddities, native)})
