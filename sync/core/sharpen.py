"""Weights sharpened by a steward's decisions, and the guard that refuses what is worse."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sync.core.levels import Levels
from sync.core.score import JOINTS, Floats, KindModel, Model
from sync.core.train import Sample, fit

LEAST = 20  # decisions about one kind of party before anything is learnt from them
LEAST_EACH = 4  # of either answer: one-sided decisions say nothing about the border
FOLDS = 5
WORTH = 5.0  # a steward looked: each decision counts as so many pairs
STRENGTH = 8.0  # how hard weights hold on to what they were, in nats of penalty
START_STRENGTH = 40.0  # the starting point holds harder: reviewed pairs are no fair sample
RECORDS = re.compile(r"^(\d+) records$")
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision: the evidence as it was shown, field and level, and what the person said."""

    pair: int  # tells decisions apart, the same in every run
    evidence: tuple[tuple[str, str], ...]
    same: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the decisions about one kind of party."""

    kind: str
    decisions: int
    taken: bool
    reason: str  # few, one_sided, worse, more_wrong_links, better
    before: float = 0.0  # bits of surprise per decision, weights as they were
    after: float = 0.0  # the same, for decisions that the new weights had not seen


@dataclass(frozen=True, slots=True)
class Sharpened:
    """The model with the kinds whose new weights stood the test."""

    model: Model
    verdicts: tuple[Verdict, ...]

    @property
    def changed(self) -> bool:
        return any(verdict.taken for verdict in self.verdicts)


def sharpen(model: Model, decided: Sequence[Decided], link_at: float, version: str) -> Sharpened:
    """The shipped weights drawn towards the decisions, kind by kind, where that is better.

    Each decision is judged by weights that were fitted without it. They have to be less surprised
    by the decisions than the weights before, and must not link more of the pairs that a person
    called different.
    """
    kinds, verdicts = dict(model.kinds), []
    for kind in ("company", "person"):
        mine = sorted((d for d in decided if kind_of(d) == kind), key=lambda d: d.pair)
        if not mine:
            continue
        verdict, better = _judged(model.kinds[kind], mine, link_at)
        verdicts.append(verdict)
        if better is not None:
            kinds[kind] = better
    return Sharpened(Model(version, kinds), tuple(verdicts))


def kind_of(decided: Decided) -> str:
    """What the evidence is about; empty for records that are matched by other rules."""
    fields = {name for name, _ in decided.evidence}
    if "starting point" not in fields:
        return ""
    return "person" if "name" in fields else "company"


def _judged(
    model: KindModel, decided: Sequence[Decided], link_at: float
) -> tuple[Verdict, KindModel | None]:
    same = np.array([d.same for d in decided], bool)

    def verdict(reason: str, before: float = 0.0, after: float = 0.0) -> Verdict:
        taken = reason == "better"
        return Verdict(model.kind, len(decided), taken, reason, round(before, 4), round(after, 4))

    if len(decided) < LEAST:
        return verdict("few"), None
    if min(same.sum(), (~same).sum()) < LEAST_EACH:
        return verdict("one_sided"), None
    matrix = np.stack([levels_of(d, model) for d in decided])
    records = np.array([records_of(d) for d in decided])
    before, unseen = _bits(model, matrix, records), np.zeros(len(decided))
    for fold in range(FOLDS):
        out = np.arange(len(decided)) % FOLDS == fold
        trained = _fitted(model, matrix[~out], same[~out], records[~out])
        unseen[out] = _bits(trained, matrix[out], records[out])
    losses = _surprise(before, same), _surprise(unseen, same)
    if losses[1] >= losses[0]:
        return verdict("worse", *losses), None
    if int((unseen[~same] >= link_at).sum()) > int((before[~same] >= link_at).sum()):
        return verdict("more_wrong_links", *losses), None
    return verdict("better", *losses), _fitted(model, matrix, same, records)


def _fitted(
    model: KindModel, matrix: Levels, same: Flags, records: npt.NDArray[np.int64]
) -> KindModel:
    worth = np.full(len(same), WORTH)
    sample = Sample(matrix, same.astype(np.float64), worth, int(np.median(records)))
    found = fit(model, [sample], strength=STRENGTH, bias_strength=START_STRENGTH, free_size=False)
    return replace(found, size_slope=model.size_slope)


def _bits(model: KindModel, matrix: Levels, records: npt.NDArray[np.int64]) -> Floats:
    rows = [model.bits(matrix[i : i + 1], int(records[i]))[0] for i in range(len(matrix))]
    return np.array(rows, np.float64)


def _surprise(bits: Floats, same: Flags) -> float:
    """Mean bits that the answers were worth to somebody who believed the scores."""
    return float(np.logaddexp2(0.0, np.where(same, -bits, bits)).mean())


def levels_of(decided: Decided, model: KindModel) -> Levels:
    """The levels that were shown; what this model does not know any more counts as missing.

    Levels of fields read together follow from the others: evidence of an older model had fewer.
    """
    row = np.zeros(len(model.fields), np.int16)
    place: Mapping[str, int] = {known.name: i for i, known in enumerate(model.fields)}
    for name, text in decided.evidence:
        column = place.get(name)
        if column is not None and text in model.fields[column].levels:
            row[column] = model.fields[column].levels.index(text)
    columns = {known.name: row[i : i + 1] for i, known in enumerate(model.fields)}
    for known in JOINTS[model.kind]:
        row[place[known.field.name]] = known.levels(columns)[0]
    return row


def records_of(decided: Decided) -> int:
    """How many records the hub held when the pair was scored."""
    shown = next((text for name, text in decided.evidence if name == "starting point"), "")
    found = RECORDS.match(shown)
    return int(found[1]) if found else 0
