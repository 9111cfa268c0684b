"""Who is the same customer: keys to find candidates, scores to weigh them, a decision to act on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from sync.core import blocking
from sync.core.columns import Table
from sync.core.holders import Frequencies, counted_families, looked_up
from sync.core.levels import Pairs
from sync.core.normal.record import Normal, normalise
from sync.core.party import Party
from sync.core.score import REFERENCE_SIZE, Model, Score, level_matrix, waterfalls

Outcome = Literal["link", "candidate", "new"]
DECIDED_ALONE = 20.0  # bits of a proven identifier: above everything that evidence adds up to


@dataclass(frozen=True, slots=True)
class Errors:
    """How the share of wrong links falls with the bits that a link needs.

    In a store of `REFERENCE_SIZE` records the share is 2 ** (level - fall * bits). A part of the
    wrong ones are chance meetings, of which each record has more the more records there are; the
    others (sister companies, a family on one phone) come with each customer, however many.
    """

    level: float
    fall: float
    chance: float  # share of chance meetings at the reference size

    def at(self, records: int, precision: float) -> float:
        """The bits from which so large a share of the links is right."""
        growth = 1 - self.chance + self.chance * max(records, 1) / REFERENCE_SIZE
        return (self.level + float(np.log2(growth)) - float(np.log2(1 - precision))) / self.fall

    def precision(self, records: int, bits: float) -> float:
        """The share of right links that is expected of a threshold."""
        growth = 1 - self.chance + self.chance * max(records, 1) / REFERENCE_SIZE
        return max(0.0, 1 - growth * 2 ** (self.level - self.fall * bits))


UNMEASURED = Errors(-5.0, 0.8, 0.1)  # of weights that nothing was measured for
SURER = 0.7  # bits that two records need more in the rounds before the last one


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a decision needs: a wanted precision, turned into bits for so many records.

    Two decisions have errors of their own: links inside a file (`file`, all rounds together), and
    the link of a record that arrives (`single`).
    """

    precision: float = 0.998  # of the links inside a file that nobody looks at
    arrivals: float = 0.996  # the same of records that arrive: who is asked less links more
    worth: float = 0.2  # chance to be the same from which a steward is asked about an arrival
    worth_in_file: float = 0.5  # the same about two customers of a file
    ahead: float = 1.0
    ahead_in_file: float = 1.0
    even: float = 2.0  # bits where right and wrong links weigh the same
    link: float | None = None  # bits that settings fix, whatever the precision
    link_in_file: float | None = None
    file: Errors = UNMEASURED
    single: Errors = UNMEASURED

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], errors: Mapping[str, Any] | None = None
    ) -> "Thresholds":
        """From `config/matching.yaml`, and the errors that were measured with the weights."""
        found: dict[str, Any] = {
            name: float(settings[group][key])
            for name, (group, key) in SETTINGS.items()
            if key in settings.get(group, {})
        }
        found |= {name: Errors(**each) for name, each in (errors or {}).items()}
        return replace(cls(), **found)

    def balanced(self) -> "Thresholds":
        """Links wherever they are likelier right than wrong; nothing is left for review."""
        return replace(
            self, ahead_in_file=0.0, link_in_file=self.even, worth_in_file=_chance(self.even)
        )

    def link_at(self, records: int) -> float:
        """Bits from which a record that arrives is linked by itself."""
        return self.single.at(records, self.arrivals) if self.link is None else self.link

    def candidate_at(self, records: int) -> float:
        return min(_bits(self.worth), self.link_at(records))

    def sure_in_file_at(self, records: int) -> float:
        """Bits from which two records of a file are joined in the rounds before the last."""
        return self.link_in_file_at(records) + SURER

    def link_in_file_at(self, records: int) -> float:
        """Bits from which two customers of a file are joined in the last round."""
        if self.link_in_file is not None:
            return self.link_in_file
        return self.file.at(records, self.precision)

    def candidate_in_file_at(self, records: int) -> float:
        return min(_bits(self.worth_in_file), self.link_in_file_at(records))


SETTINGS = {  # field -> place in the settings
    "precision": ("link", "precision"),
    "arrivals": ("link", "precision_of_arrivals"),
    "link": ("link", "at"),
    "link_in_file": ("link", "in_file"),
    "ahead": ("link", "ahead"),
    "ahead_in_file": ("link", "ahead_in_file"),
    "even": ("link", "even"),
    "worth": ("candidate", "worth"),
    "worth_in_file": ("candidate", "worth_in_file"),
}


def _bits(chance: float) -> float:
    return float(np.log2(chance / (1 - chance)))


def _chance(bits: float) -> float:
    return float(1 / (1 + 2.0**-bits))


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with an incoming record; `best` is the position of the winning candidate."""

    outcome: Outcome
    best: int | None = None
    reason: str = ""
    review: tuple[int, ...] = ()  # candidates worth a steward's look, the best first


@dataclass(frozen=True)
class Matcher:
    """The shipped or trained model with the user's thresholds; free of state and of I/O."""

    model: Model
    thresholds: Thresholds = field(default_factory=Thresholds)

    def compare(
        self, a: Party | Normal, b: Party | Normal, frequencies: Frequencies, records: int
    ) -> Score:
        """The score of one pair; `frequencies` are the store's counts of the keys of `a`."""
        return self.compare_many(a, [b], frequencies, records)[0]

    def compare_many(
        self,
        incoming: Party | Normal,
        candidates: Sequence[Party | Normal],
        frequencies: Frequencies,
        records: int,
    ) -> list[Score]:
        """One score for each candidate, by the very code that scores a whole file."""
        return self.compare_groups([(incoming, candidates)], frequencies, records)[0]

    def compare_groups(
        self,
        groups: Sequence[tuple[Party | Normal, Sequence[Party | Normal]]],
        frequencies: Frequencies,
        records: int,
    ) -> list[list[Score]]:
        """`compare_many` for several incoming records, each with candidates of its own.

        What is scored in one go costs a fraction of what one record after the other does.
        """
        normals = [
            (_normal(first), [_normal(other) for other in others]) for first, others in groups
        ]
        found: list[list[Score]] = [[] for _ in groups]
        for kind in dict.fromkeys(first.kind for first, _ in normals):
            places = [
                i for i, (first, others) in enumerate(normals) if first.kind == kind and others
            ]
            scores = iter(self._scores(kind, [normals[i] for i in places], frequencies, records))
            for i in places:
                found[i] = [
                    score if other.kind == kind else other_kind(score)
                    for other, score in zip(normals[i][1], scores, strict=False)
                ]
        return found

    def _scores(
        self,
        kind: str,
        groups: Sequence[tuple[Normal, Sequence[Normal]]],
        frequencies: Frequencies,
        records: int,
    ) -> list[Score]:
        """The scores of all pairs, group by group; every incoming record is of this kind."""
        if not groups:
            return []
        rows: list[Normal] = [first for first, _ in groups]  # first, for they tell the kind
        place: dict[int, int] = {}  # of a candidate, which may stand in several groups
        left, right = [], []
        for number, (_, others) in enumerate(groups):
            for other in others:
                if id(other) not in place:
                    place[id(other)] = len(rows)
                    rows.append(other)
                left.append(number)
                right.append(place[id(other)])
        model = self.model.kinds[kind]
        table = Table.of(rows)
        pairs = Pairs(np.array(left, np.int64), np.array(right, np.int64))
        matrix = level_matrix(table, pairs, looked_up(table, frequencies), model)
        return waterfalls(matrix, model, records)

    def decide(self, scores: Sequence[Score], records: int) -> Decision:
        """Link, ask a steward, or take the record for a new customer.

        A proven identifier decides alone. Otherwise the best candidate needs the threshold for
        this size of store, no veto, and a lead over the second best.
        """
        return decide(scores, records, self.thresholds)


def decide(  # noqa: PLR0911 - one return for each reason that a person will read
    scores: Sequence[Score], records: int, thresholds: Thresholds
) -> Decision:
    """See `Matcher.decide`."""
    order = sorted(range(len(scores)), key=lambda i: (-effective(scores[i]), i))
    floor = thresholds.candidate_at(records)
    review = tuple(i for i in order if worth_a_look(scores[i], floor))
    if not review:
        return Decision("new", reason="nothing comes near")
    open_order = [i for i in order if not scores[i].veto]
    if not open_order:
        return Decision("candidate", review[0], scores[review[0]].veto, review)
    best = open_order[0]
    alone = [i for i in open_order if scores[i].decisive]
    if len(alone) > 1:
        return Decision("candidate", best, "several customers hold the same identifier", review)
    if alone:
        return Decision("link", alone[0], f"same {scores[alone[0]].decisive}", review)
    if scores[best].bits < thresholds.link_at(records):
        return Decision("candidate", review[0], "not enough evidence to link by itself", review)
    if len(open_order) > 1 and scores[best].bits - scores[open_order[1]].bits < thresholds.ahead:
        return Decision("candidate", best, "two customers fit equally well", review)
    return Decision("link", best, "evidence", review)


def effective(score: Score) -> float:
    """The bits that decide: a proven identifier stands above all other evidence."""
    return max(score.bits, DECIDED_ALONE) if score.decisive and not score.veto else score.bits


def worth_a_look(score: Score, floor: float) -> bool:
    """Two proven identifiers that differ are two customers; so are two with nothing to compare."""
    compared = [weight for weight in score.weights if weight.level != "a placeholder"]
    if score.veto.startswith(("tax id", "kind")) or len(compared) == 1:
        return False
    return bool(score.decisive) or score.bits >= floor


def other_kind(score: Score) -> Score:
    """An organisation and a person are never one customer, whatever they share."""
    return Score(score.bits, score.weights, veto="kind: different")


def _normal(record: Party | Normal) -> Normal:
    return normalise(record) if isinstance(record, Party) else record


def keys(record: Party | Normal) -> list[tuple[str, int]]:
    """(family, 64-bit key) rows for the key table."""
    return blocking.keys(record)


def keys_of_many(records: Sequence[Normal]) -> list[list[tuple[str, int]]]:
    """The rows for the key table of many records at once, in their order."""
    found: list[list[tuple[str, int]]] = [[] for _ in records]
    if not records:
        return found
    arrays = blocking.key_arrays(Table.of(records))
    columns = (arrays.row.tolist(), arrays.family.tolist(), arrays.key.tolist())
    for row, family, key in zip(*columns, strict=True):
        found[row].append((blocking.FAMILIES[family], key))
    return found


MOST_HELD = max(*blocking.CAPS.values(), blocking.DEFAULT_CAP) + 1  # nobody asks for more holders


def rare_keys(keys: Sequence[tuple[str, int]], frequencies: Frequencies) -> list[int]:
    """Those of a record's keys that are rare enough to look for candidates with."""
    return [key for family, key in keys if frequencies.get(key, 0) <= blocking.cap_of(family)]


def keys_to_follow(record: Party | Normal, frequencies: Frequencies) -> list[int]:
    """The keys of a record that are rare enough to look for candidates with."""
    return [
        key
        for family, key in blocking.keys(record)
        if frequencies.get(key, 0) <= blocking.cap_of(family)
    ]


def keys_to_count(record: Party | Normal) -> list[int]:
    """The keys whose number of holders the score reads; a superset is harmless."""
    normal = _normal(record)
    wanted = counted_families(normal)
    return [key for family, key in blocking.keys(normal) if family in wanted]
