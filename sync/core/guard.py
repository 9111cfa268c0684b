"""Limits that stop a mass change and ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Move:
    """One value that a side brought for a field; `refused` where a rule did not let it in."""

    side: int | None  # a system; None for the hub itself
    old: Any
    new: Any
    refused: bool = False


def too_many_deletes(deletes: int, linked: int, *, count: int, share: float) -> bool:
    """Whether so many deletes at once need a person: more than both limits allow."""
    return deletes > count and deletes > share * linked


def flips(moves: Sequence[Move]) -> int:
    """How often a field went back to a value that it had before, between two sides.

    A refused value counts each time it returns: the hub wrote its own over it in between. One
    side that changes its mind by itself is no flip-flop.
    """
    if len({move.side for move in moves}) < 2 and not any(move.refused for move in moves):
        return 0
    seen: list[Any] = []
    count = 0
    for move in moves:
        count += move.new in seen
        seen.extend((move.old, move.new))
    return count


def mass_change(
    moved: Mapping[str, int],
    earlier: Mapping[str, int],
    linked: int,
    *,
    batch: int,
    waiting: int,
    count: int,
    share: float,
) -> tuple[str, int] | None:
    """The field that changed in too many records at once, and in how many; None where none did.

    `moved` counts the records of this batch, `earlier` those of the window before it. Where the
    field moved in most of a batch, as much is expected of the records that still wait: a broken
    import is then stopped at its first batch, not when the limit has already been applied.
    """
    worst: tuple[str, int] | None = None
    for path, here in moved.items():
        ahead = waiting * here // batch if batch and here * 2 >= batch else 0
        total = min(here + earlier.get(path, 0) + ahead, linked)
        over = total > count and total > share * linked
        if over and (worst is None or total > worst[1]):
            worst = (path, total)
    return worst
