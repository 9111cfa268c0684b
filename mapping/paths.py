"""Canonical and native paths, and the difference between nothing said and cleared.

A canonical record is a flat mapping from path to value: `{"name": ..., "phones[work]": ...}`.
A path that is not there says nothing (ABSENT), None says "cleared", anything else is a value.
A native path walks nested objects by dots and lists by position: `Owner.email`, `owner[0]`.
"""

import re
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any, Final, final


@final
class Absent:
    """Nothing is said about a field; not the same as None, which says it is empty."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT: Final = Absent()
Values = Mapping[str, Any]
CANONICAL = re.compile(r"^([a-z][a-z0-9_]*)(?:\[([A-Za-z0-9_:.\-]+)\])?(?:\.([a-z][a-z0-9_]*))?$")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def shape(path: str) -> str:
    """`addresses[billing].city` -> `addresses[].city`: the path without its key."""
    return re.sub(r"\[[^\]]*\]", "[]", path)


def key_of(path: str) -> str | None:
    """`phones[work]` -> `work`; None where the path has no key."""
    match = CANONICAL.match(path)
    return match.group(2) if match else None


def read(native: Any, path: str) -> Any:
    """The native value at a path; ABSENT where any step of it is missing."""
    here = native
    for name, position in steps(path):
        if here is None:
            return None  # an empty object has only empty members
        if position is not None:
            if not isinstance(here, (list, tuple)):
                return ABSENT
            if position >= len(here):
                return None
            here = here[position]
        else:
            if not isinstance(here, Mapping) or name not in here:
                return ABSENT
            here = here[name]
    return here


def put(native: MutableMapping[str, Any], path: str, value: Any) -> None:
    """Sets a native value, making the objects and one-item lists on its way."""
    way = steps(path)
    here: Any = native
    for index, (name, position) in enumerate(way):
        last = index == len(way) - 1
        fresh: Any = value if last else ([] if way[index + 1][1] is not None else {})
        if position is None:
            here = _put_member(here, name, fresh, replace=last)
        else:
            here = _put_item(here, position, fresh, replace=last)


def _put_member(here: MutableMapping[str, Any], name: str, value: Any, *, replace: bool) -> Any:
    if replace or here.get(name) is None:
        here[name] = value
    return here[name]


def _put_item(here: list[Any], position: int, value: Any, *, replace: bool) -> Any:
    if replace and value is None:
        del here[position:]  # an emptied single-item list is an empty list
        return None
    here.extend([None] * (position + 1 - len(here)))
    if replace or here[position] is None:
        here[position] = value
    return here[position]


@lru_cache(maxsize=4096)
def steps(path: str) -> tuple[tuple[str, int | None], ...]:
    """A native path taken apart: names, and positions in lists."""
    return tuple((name, int(pos) if pos else None) for name, pos in _STEP.findall(path))
