"""What a round need not work out anew: pairs of customers that look as they did a round before."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sync.core.columns import Ints, Table
from sync.core.levels import Holders, Levels, Pairs

Flags = npt.NDArray[np.bool_]
REPEATED = ("tax", "phone", "mail", "domain")
DETAILS = ("latin", "house")  # counted by name and by address, the others by record


@dataclass(slots=True)
class Looks:
    """What of a table's rows tells whether they have changed, without their texts."""

    values: dict[str, Ints]  # how many of each repeated fact
    starts: dict[str, Ints]
    held: Holders

    @classmethod
    def of(cls, table: Table, held: Holders) -> "Looks":
        values = {name: np.count_nonzero(table.records[name], axis=1) for name in REPEATED}
        return cls(values, {"latin": table.name_start, "house": table.address_start}, held)


@dataclass(slots=True)
class Before:
    """The customers of the round before, with the levels of their pairs."""

    leader: Ints  # the record that stands for each
    looks: Looks
    codes: Ints  # of the pairs, in order
    place: Ints  # of each pair among those of its kind
    matrix: dict[int, Levels]  # by kind

    @classmethod
    def of(
        cls,
        leader: Ints,
        looks: Looks,
        pairs: Pairs,
        kind: npt.NDArray[np.int8],
        matrix: dict[int, Levels],
    ) -> "Before":
        place = np.zeros(len(pairs), np.int64)
        for code in matrix:
            rows = kind == code
            place[rows] = np.arange(int(rows.sum()))
        codes = pairs.left * np.int64(len(leader)) + pairs.right
        return cls(leader, looks, codes, place, matrix)

    def known(self, customer: Ints, looks: Looks, pairs: Pairs) -> Ints:
        """Where the levels of each pair stand in the matrix of its kind; -1 for those to work out.

        `customer` is each record's row now. A customer that nobody joined has the values that it
        had. Levels also read how many others hold a value of the left one.
        """
        now = customer[self.leader]
        alone = np.flatnonzero(np.bincount(now, minlength=len(looks.values["tax"]))[now] == 1)
        same = alone[_same_values(self.looks, looks, alone, now[alone])]
        rare = same[_same_counts(self.looks, looks, same, now[same])]
        was = np.full(len(looks.values["tax"]), -1, np.int64)
        was[now[same]] = same
        steady = np.zeros(len(was), bool)
        steady[now[rare]] = True
        out = np.full(len(pairs), -1, np.int64)
        rows = np.flatnonzero(steady[pairs.left] & (was[pairs.right] >= 0))
        wanted = was[pairs.left[rows]] * np.int64(len(self.leader)) + was[pairs.right[rows]]
        at = np.minimum(np.searchsorted(self.codes, wanted), max(len(self.codes) - 1, 0))
        met = np.flatnonzero(self.codes[at] == wanted) if len(self.codes) else at[:0]
        out[rows[met]] = self.place[at[met]]
        return out


def _same_values(before: Looks, looks: Looks, old: Ints, new: Ints) -> Flags:
    """Whether nothing was left out as a repeat when the row became a customer."""
    out = np.ones(len(old), bool)
    for name in REPEATED:
        out &= before.values[name][old] == looks.values[name][new]
    for name in DETAILS:
        first, second = before.starts[name], looks.starts[name]
        out &= first[old + 1] - first[old] == second[new + 1] - second[new]
    return out


def _same_counts(before: Looks, looks: Looks, old: Ints, new: Ints) -> Flags:
    """Whether as many hold each value as did."""
    out = np.ones(len(old), bool)
    for name, counts in looks.held.counts.items():
        if name in DETAILS:
            continue
        was, now = before.held.counts[name][old], counts[new]
        if was.ndim == 1:
            out &= was == now
        else:  # what one block has beyond the other's width is missing in both
            width = min(was.shape[1], now.shape[1])
            out &= (was[:, :width] == now[:, :width]).all(axis=1)
    for name in DETAILS:
        start = before.starts[name]
        sizes = start[old + 1] - start[old]
        owner = np.repeat(np.arange(len(old)), sizes)
        inside = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        was = before.held.counts[name][start[old][owner] + inside]
        now = looks.held.counts[name][looks.starts[name][new][owner] + inside]
        out[owner[was != now]] = False
    return out
