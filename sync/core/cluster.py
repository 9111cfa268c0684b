"""From scored pairs to customers: groups that agree on average, none across a hard conflict.

One wrong link between two groups makes all their members wrong together. So groups are joined
on the average of everything that is known between them, not on their best pair; pairs that share no
key at all speak a little against it.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sync.core.columns import Ints, Table
from sync.core.score import Floats
from sync.core.spread import ALONE, Spread

MOST = 12.0  # bits that one pair may bring into an average, either way
UNSEEN = 0.3  # how much a pair without a common key weighs, at nought bits
CONTRADICTED = -2.0  # an average below it stops even a proven identifier: a person looks first
BLOCK = 20_000  # edges settled at a time
Flags = npt.NDArray[np.bool_]
Facts = dict[int, set[int]]  # heading -> values


@dataclass(frozen=True, slots=True)
class Links:
    """Scored pairs, as clustering needs them."""

    left: Ints
    right: Ints
    bits: Floats
    alone: Flags  # one proven identifier: joins whatever the threshold
    veto: Flags  # never joined directly


@dataclass(slots=True)
class Constraints:
    """What may not come together: proven identifiers, and pairs that a person set apart."""

    facts: "Mapping[int, Known] | Proven" = field(default_factory=dict)
    never: set[tuple[int, int]] = field(default_factory=set)


Known = tuple[tuple[int, int], ...]  # (scheme, value) of each proven identifier


@dataclass(frozen=True, slots=True)
class Proven:
    """The proven identifiers of a table's rows, read when they are asked for."""

    tax: Ints
    hard: Ints
    scheme: Ints

    def get(self, row: int, default: Known = ()) -> Known:
        if not self.hard[row].any():
            return default
        columns = (self.hard[row].tolist(), self.scheme[row].tolist(), self.tax[row].tolist())
        return tuple((h, value) for flag, h, value in zip(*columns, strict=True) if flag)


def constraints_of(table: Table, never: Iterable[tuple[int, int]] = ()) -> Constraints:
    """Proven identifiers: two of one scheme that differ never meet in a cluster."""
    tax, hard, scheme = (table.records[c] for c in ("tax", "tax_hard", "tax_scheme"))
    return Constraints(Proven(tax, hard, scheme), {(min(a, b), max(a, b)) for a, b in never})


def cluster(
    size: int,
    links: Links,
    constraints: Constraints,
    at: float,
    rank: Ints | None = None,
    *,
    ahead: float = 0.0,
    spread: Spread = ALONE,
) -> Ints:
    """A customer for each record: the row of the member that ranks first.

    A group that fits two others, which are not one customer themselves, joins neither unless the
    better one is `ahead` by so many bits: a person decides. `rank` gives records an order that does
    not depend on how they came (by default their rows), so that equal scores are settled alike
    whatever the order of the input.
    """
    order = np.arange(size) if rank is None else rank
    bits = np.clip(np.where(links.veto, -MOST, links.bits), -MOST, MOST)
    bits = np.where(links.alone & ~links.veto, MOST, bits)
    group = _components(size, links, bits >= min(at, 0.0) if at <= 0 else bits > 0)
    customer: Ints = spread.array((size,), np.int64)
    customer[:] = group
    inside = np.flatnonzero(group[links.left] == group[links.right])
    inside = inside[np.argsort(group[links.left[inside]], kind="stable")]
    stops = _blocks(group[links.left[inside]])

    def settle(number: int) -> None:
        block = inside[stops[number] : stops[number + 1]]
        for members in _edges_by_group(links, bits, block, group):
            for row, leader in _settled(members, constraints, at, order, ahead).items():
                customer[row] = leader

    spread.each(settle, len(stops) - 1)
    return customer


def _blocks(labels: Ints) -> list[int]:
    """Where to cut edges in the order of their groups: no group is cut, and blocks are alike."""
    ends = [*(np.flatnonzero(labels[1:] != labels[:-1]) + 1).tolist(), len(labels)]
    stops = [0]
    for end in ends:
        if end - stops[-1] >= BLOCK:
            stops.append(end)
    return stops if stops[-1] == len(labels) else [*stops, len(labels)]


def _components(size: int, links: Links, strong: Flags) -> Ints:
    """The lowest row that each row is tied to by strong pairs."""
    label = np.arange(size)
    left, right = links.left[strong], links.right[strong]
    while True:
        low = np.minimum(label[left], label[right])
        before = label.copy()
        np.minimum.at(label, label[left], low)
        np.minimum.at(label, label[right], low)
        label = label[label]
        if np.array_equal(label, before):
            return label


Edge = tuple[int, int, float, bool]


def _edges_by_group(links: Links, bits: Floats, inside: Ints, group: Ints) -> Iterator[list[Edge]]:
    labels = group[links.left[inside]]
    edges = list(
        zip(
            links.left[inside].tolist(),
            links.right[inside].tolist(),
            bits[inside].tolist(),
            links.alone[inside].tolist(),
            strict=True,
        )
    )
    stops = [*(np.flatnonzero(labels[1:] != labels[:-1]) + 1).tolist(), len(edges)]
    start = 0
    for stop in stops:
        if stop > start:
            yield edges[start:stop]
        start = stop


@dataclass(slots=True)
class _Between:
    """What is known between two groups."""

    total: float
    pairs: int
    alone: bool

    def add(self, other: "_Between") -> "_Between":
        return _Between(
            self.total + other.total, self.pairs + other.pairs, self.alone or other.alone
        )


class _Groups:
    """The groups of one component while they grow."""

    def __init__(self, edges: list[Edge], constraints: Constraints, rank: Ints) -> None:
        self.between: dict[int, dict[int, _Between]] = {}
        for a, b, bits, alone in edges:
            known = _Between(bits, 1, alone)
            self.between.setdefault(a, {})[b] = known
            self.between.setdefault(b, {})[a] = known
        self.members = {row: [row] for row in self.between}
        self.rank = {row: int(rank[row]) for row in self.between}
        self.facts: dict[int, Facts] = {}
        for row in self.between:
            for heading, value in constraints.facts.get(row, ()):
                self.facts.setdefault(row, {}).setdefault(heading, set()).add(value)
        self.never = constraints.never

    def priority(self, a: int, b: int) -> float:
        """The average between two groups; a proven identifier puts it at the top."""
        known = self.between[a][b]
        if known.alone and known.total / known.pairs > CONTRADICTED:
            return MOST
        possible = len(self.members[a]) * len(self.members[b])
        return round(known.total / (known.pairs + UNSEEN * (possible - known.pairs)), 6)

    def clash(self, a: int, b: int) -> bool:
        """Whether joining would break a constraint."""
        ours, theirs = self.facts.get(a), self.facts.get(b)
        if ours and theirs and any(h in theirs and theirs[h] != v for h, v in ours.items()):
            return True
        if not self.never:
            return False
        pairs = ((min(x, y), max(x, y)) for x in self.members[a] for y in self.members[b])
        return any(pair in self.never for pair in pairs)

    def rivalled(self, group: int, chosen: int, ahead: float) -> bool:
        """Whether another group, which is not the chosen one's customer, fits nearly as well."""
        known = self.between[group]
        if len(known) == 1 or known[chosen].alone:
            return False
        enough = self.priority(group, chosen) - ahead
        return any(
            self.priority(group, other) > enough and self.apart(chosen, other)
            for other in known
            if other != chosen
        )

    def apart(self, a: int, b: int) -> bool:
        """Whether two groups speak against being one customer."""
        if b in self.between[a]:
            return self.priority(a, b) < 0
        return self.clash(a, b)

    def join(self, keep: int, drop: int) -> None:
        ours, theirs = self.between[keep], self.between.pop(drop)
        ours.pop(drop)
        theirs.pop(keep)
        for other, known in theirs.items():
            self.between[other].pop(drop)
            merged = ours[other].add(known) if other in ours else known
            ours[other] = self.between[other][keep] = merged
        self.members[keep] += self.members.pop(drop)
        self.rank[keep] = min(self.rank[keep], self.rank.pop(drop))
        for heading, values in self.facts.pop(drop, {}).items():
            self.facts.setdefault(keep, {}).setdefault(heading, set()).update(values)


def _settled(
    edges: list[Edge], constraints: Constraints, at: float, rank: Ints, ahead: float
) -> Mapping[int, int]:
    if len(edges) == 1:
        return _pair(edges, constraints, at, rank)
    return _agglomerate(edges, constraints, at, rank, ahead)


def _pair(edges: list[Edge], constraints: Constraints, at: float, rank: Ints) -> Mapping[int, int]:
    """What `_agglomerate` makes of two records that are tied to nobody else."""
    ((a, b, bits, alone),) = edges
    priority = MOST if alone and bits > CONTRADICTED else round(bits, 6)
    if priority < at or (min(a, b), max(a, b)) in constraints.never:
        return {a: a, b: b}
    ours, theirs = _facts_of(constraints, a), _facts_of(constraints, b)
    if any(h in theirs and theirs[h] != values for h, values in ours.items()):
        return {a: a, b: b}
    leader = a if rank[a] <= rank[b] else b
    return {a: leader, b: leader}


def _facts_of(constraints: Constraints, row: int) -> Facts:
    facts: Facts = {}
    for heading, value in constraints.facts.get(row, ()):
        facts.setdefault(heading, set()).add(value)
    return facts


def _agglomerate(
    edges: list[Edge], constraints: Constraints, at: float, rank: Ints, ahead: float
) -> Mapping[int, int]:
    """Row -> leading row, joining the two groups with the highest average until none is enough."""
    groups = _Groups(edges, constraints, rank)
    heap: list[tuple[float, int, int, int, int]] = []

    def offer(a: int, b: int) -> None:
        priority = groups.priority(a, b)
        if priority >= at:
            first, second = sorted((groups.rank[a], groups.rank[b]))
            heapq.heappush(heap, (-priority, first, second, a, b))

    for a, b, _, _ in edges:
        offer(a, b)
    while heap:
        negative, first, second, a, b = heapq.heappop(heap)
        current = b in groups.between.get(a, {})
        if not current or sorted((groups.rank[a], groups.rank[b])) != [first, second]:
            continue
        if groups.priority(a, b) != -negative or groups.clash(a, b):
            continue
        if ahead and (groups.rivalled(a, b, ahead) or groups.rivalled(b, a, ahead)):
            continue
        groups.join(a, b)
        for other in list(groups.between[a]):
            offer(a, other)
    leaders: dict[int, int] = {}
    for rows in groups.members.values():
        leader = min(rows, key=lambda row: int(rank[row]))
        leaders.update(dict.fromkeys(rows, leader))
    return leaders
