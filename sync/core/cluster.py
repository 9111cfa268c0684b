"""From scored pairs to customers: the strongest links first, and none across a hard conflict."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from sync.core.columns import Ints, Table
from sync.core.score import Floats


@dataclass(slots=True)
class Clusters:
    """A customer for each record, and the links that a conflict kept apart."""

    customer: Ints
    refused: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class Constraints:
    """What may not come together: per record its proven identifiers and its branch.

    Two records clash when they hold different values under one heading.
    """

    facts: dict[int, tuple[tuple[int, int], ...]]  # record -> (heading, value)
    never: set[tuple[int, int]] = field(default_factory=set)  # pairs that a person set apart


def constraints_of(table: Table, never: Iterable[tuple[int, int]] = ()) -> Constraints:
    """Proven identifiers: two of one scheme that differ never meet in a cluster."""
    tax, hard, scheme = (table.records[c] for c in ("tax", "tax_hard", "tax_scheme"))
    facts: dict[int, tuple[tuple[int, int], ...]] = {}
    for row in np.flatnonzero((hard == 1).any(axis=1)).tolist():
        proven = zip(hard[row].tolist(), scheme[row].tolist(), tax[row].tolist(), strict=True)
        facts[row] = tuple((heading, value) for flag, heading, value in proven if flag)
    return Constraints(facts, {(min(a, b), max(a, b)) for a, b in never})


def cluster(size: int, left: Ints, right: Ints, bits: Floats, constraints: Constraints) -> Clusters:
    """Join pairs from the highest score down, skipping joins that break a constraint.

    The order is by score and then by row, so that the same pairs give the same clusters however
    they come.
    """
    state = _Forest(size, constraints)
    order = np.lexsort((right, left, -bits))
    pairs = zip(left[order].tolist(), right[order].tolist(), strict=True)
    refused = [(a, b) for a, b in pairs if not state.join(a, b)]
    roots = np.array([state.find(row) for row in range(size)], np.int64)
    return Clusters(roots, refused)


class _Forest:
    """Disjoint sets whose members' hard facts agree."""

    def __init__(self, size: int, constraints: Constraints) -> None:
        self.parent = list(range(size))
        self.facts: dict[int, dict[int, set[int]]] = {
            row: _as_sets(facts) for row, facts in constraints.facts.items()
        }
        self.apart: dict[int, set[int]] = {}
        for a, b in constraints.never:
            self.apart.setdefault(a, set()).add(b)
            self.apart.setdefault(b, set()).add(a)
        self.members: dict[int, list[int]] = {row: [row] for row in self.apart}

    def find(self, row: int) -> int:
        parent = self.parent
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    def join(self, a: int, b: int) -> bool:
        """Whether both are one cluster afterwards."""
        low, high = self.find(a), self.find(b)
        if low == high:
            return True
        if low > high:
            low, high = high, low
        if self._clash(low, high):
            return False
        self.parent[high] = low
        self._merge(low, high)
        return True

    def _clash(self, low: int, high: int) -> bool:
        ours, theirs = self.facts.get(low), self.facts.get(high)
        if ours and theirs:
            for heading, values in ours.items():
                other = theirs.get(heading)
                if other and other != values and not other & values:
                    return True
        forbidden = self.apart.get(low, set())
        return any(row in forbidden for row in self.members.get(high, [high]))

    def _merge(self, low: int, high: int) -> None:
        theirs = self.facts.pop(high, None)
        if theirs:
            ours = self.facts.setdefault(low, {})
            for heading, values in theirs.items():
                ours[heading] = ours.get(heading, set()) | values
        if self.apart:
            self._merge_apart(low, high)

    def _merge_apart(self, low: int, high: int) -> None:
        joined = self.members.pop(high, [high])
        self.members.setdefault(low, [low]).extend(joined)
        moved = self.apart.pop(high, set())
        if moved:
            self.apart[low] = self.apart.get(low, set()) | moved
            for row in moved:
                self.apart.setdefault(self.find(row), set()).update(joined)


def _as_sets(facts: Sequence[tuple[int, int]]) -> dict[int, set[int]]:
    out: dict[int, set[int]] = {}
    for heading, value in facts:
        out.setdefault(heading, set()).add(value)
    return out
