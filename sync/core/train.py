"""Learning the weights: from labels by penalised logistic regression, without labels by EM."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sync.core.columns import Ints
from sync.core.levels import Field, Levels
from sync.core.score import REFERENCE_SIZE, Floats, KindModel

LN2 = float(np.log(2.0))
HEAVIEST = 12.0  # bits that one field may weigh, either way
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sample:
    """Labelled pairs of one store: levels, truth, weight of each, and the store's size."""

    matrix: Levels
    truth: Floats
    weight: Floats
    records: int


@dataclass(frozen=True, slots=True)
class Patterns:
    """Distinct rows of levels, with what was seen of each."""

    matrix: Levels
    positive: Floats
    negative: Floats
    size: Floats  # tenfolds above the reference size


@dataclass(frozen=True, slots=True)
class Adapted:
    """What EM made of a file: a model, and how much better it explains the file (bits per pair)."""

    model: KindModel
    gain: float


# ---- without labels ------------------------------------------------------------------

STRONGEST_PRIOR = 2000.0  # pairs that the shipped shares of levels stand for, at most
PRIOR_SHARE = 0.5  # and at most this share of the pairs at hand
DAMAGE = {"person": 0.25, "company": 0.0, "other": 0.0}  # how far persons' files may be worse kept
APART = (
    "different",
    "told apart",
    "one character replaced",
    "same family name only",
    "same given name only",
)
OWN_WAY = 1.0  # bits per pair from which a file is taken to differ from what the weights know
WIDEST = 8.0


def adapt(model: KindModel, matrix: Levels, records: int) -> KindModel:
    """The model after the file itself had its say.

    EM on the levels of all candidate pairs, starting from the shipped weights and held by the
    shares of levels that they were learnt from. A file that those shares already explain keeps the
    shipped weights: they know more (which fields go together) than EM can see.
    """
    if not len(matrix):
        return model
    adapted = expectation_maximisation(model, matrix, records)
    return adapted.model if adapted.gain >= OWN_WAY else model


def expectation_maximisation(
    model: KindModel, matrix: Levels, records: int, rounds: int = 40
) -> Adapted:
    plain = [
        *range(len(model.seen)),
        *range(len(model.fields) - len(model.extras), len(model.fields)),
    ]
    seen = [*model.seen, *(_even(model, column) for column in plain[len(model.seen) :])]
    priors = [
        _damaged(model.fields[c], both, DAMAGE[model.kind])
        for c, both in zip(plain, seen, strict=True)
    ]
    group, first = distinct_rows(np.ascontiguousarray(matrix).astype(np.int16))
    count = np.bincount(group, minlength=len(first)).astype(np.float64)
    rows = matrix[first]
    strength = min(STRONGEST_PRIOR, PRIOR_SHARE * len(matrix))
    chance = 1.0 / (1.0 + np.exp2(-np.clip(model.bits(rows, records), -60, 60)))
    shares, match = priors, 0.5
    for _ in range(rounds):
        match = float(np.clip((chance * count).sum() / count.sum(), 1e-4, 1 - 1e-4))
        shares = [
            _shares(rows[:, c], chance, count, prior, strength)
            for c, prior in zip(plain, priors, strict=True)
        ]
        weights = [_evidence(both) for both in shares]
        bits = np.log2(match / (1 - match)) + sum(
            w[rows[:, c]] for w, c in zip(weights, plain, strict=True)
        )
        updated = 1.0 / (1.0 + np.exp2(-np.clip(bits, -60, 60)))
        moved, chance = float(np.abs(updated - chance).max()), updated
        if moved < 1e-3:
            break
    gain = _fit_of(rows, count, plain, shares, match) - _fit_of(rows, count, plain, seen, match)
    flat = [np.zeros(len(f.levels)) for f in model.fields]
    for column, both in zip(plain, shares, strict=True):
        flat[column] = _evidence(both)
    bias = float(np.log2(match / (1 - match)))
    return Adapted(replace(model, weights=tuple(flat), bias=bias, size_slope=0.0), gain)


Shares = tuple[Floats, Floats]


def _even(model: KindModel, column: int) -> Shares:
    """Shares that give back the weights of a column that nothing was learnt about."""
    bits = model.weights[column]
    size = len(bits)
    others = np.full(size, 1.0 / size)
    matches = others * np.exp2(bits)
    matches[0] = others[0] = 0.0
    return matches / matches.sum(), others / others.sum()


def _damaged(known: Field, both: Shares, share: float) -> Shares:
    """Shares of a file whose true pairs differ in a share of their fields."""
    matches, others = both
    apart = np.array([name.startswith(APART) for name in known.levels])
    if not share or not apart.any():
        return both
    near = ~apart
    near[0] = False
    spread = np.zeros(len(matches))
    spread[apart] = 0.5 / apart.sum()
    spread[near] = 0.5 * matches[near] / matches[near].sum()
    mixed = (1 - share) * matches + share * spread
    return mixed / mixed.sum(), others


def _shares(
    column: Levels, chance: Floats, count: Floats, prior: Shares, strength: float
) -> Shares:
    there = column != 0
    size = len(prior[0])
    matches = np.bincount(column[there], weights=(chance * count)[there], minlength=size)
    others = np.bincount(column[there], weights=((1 - chance) * count)[there], minlength=size)
    return (
        (matches + strength * prior[0]) / (matches.sum() + strength),
        (others + strength * prior[1]) / (others.sum() + strength),
    )


def _evidence(both: Shares) -> Floats:
    matches, others = both
    bits: Floats = np.log2(np.maximum(matches, 1e-9) / np.maximum(others, 1e-9))
    bits[0] = 0.0
    return np.clip(bits, -WIDEST, WIDEST)


def _fit_of(
    rows: Levels, count: Floats, plain: Sequence[int], shares: Sequence[Shares], match: float
) -> float:
    """Mean log-likelihood of a pair, in bits."""
    ours, theirs = np.full(len(rows), np.log2(match)), np.full(len(rows), np.log2(1 - match))
    for column, both in zip(plain, shares, strict=True):
        logs = [np.log2(np.maximum(share, 1e-9)) for share in both]
        for log in logs:
            log[0] = 0.0
        ours += logs[0][rows[:, column]]
        theirs += logs[1][rows[:, column]]
    return float((np.logaddexp2(ours, theirs) * count).sum() / count.sum())


# ---- with labels -----------------------------------------------------------------------

LABEL_WORTH = 2.0  # a steward looked: each decision counts as so many pairs


def learn(model: KindModel, matrix: Levels, same: Flags, records: int) -> KindModel:
    """The model after decisions of a steward, drawn towards what it was by a ridge."""
    worth = np.full(len(same), LABEL_WORTH)
    sample = Sample(matrix, same.astype(np.float64), worth, records)
    return fit(model, [sample], bias_strength=0.05, free_size=False)


def shares_of(fields: Sequence[Field], samples: Sequence[Sample]) -> tuple[Shares, ...]:
    """How often each level was seen in matches and in others."""
    found = []
    for column, known in enumerate(fields):
        both = []
        for wanted in (1.0, 0.0):
            counts = np.full(len(known.levels), 0.5)
            for sample in samples:
                levels = sample.matrix[sample.truth == wanted, column]
                counts += np.bincount(levels, minlength=len(known.levels))
            counts[0] = 0.0
            both.append(counts / counts.sum())
        found.append((both[0], both[1]))
    return tuple(found)


def patterns(samples: Sequence[Sample]) -> Patterns:
    """Samples folded into distinct rows: fitting takes as long as there are patterns, not pairs."""
    matrix = np.concatenate([s.matrix for s in samples])
    size = np.concatenate(
        [np.full(len(s.matrix), np.log10(s.records / REFERENCE_SIZE)) for s in samples]
    )
    truth = np.concatenate([s.truth for s in samples])
    weight = np.concatenate([s.weight for s in samples])
    group, first = distinct_rows(np.column_stack([matrix, np.round(size * 20)]).astype(np.int16))
    positive: Floats = np.bincount(group, weights=truth * weight, minlength=len(first)).astype(
        float
    )
    negative: Floats = np.bincount(
        group, weights=(1 - truth) * weight, minlength=len(first)
    ).astype(float)
    return Patterns(matrix[first], positive, negative, size[first])


def distinct_rows(matrix: npt.NDArray[np.int16]) -> tuple[Ints, Ints]:
    """(group of each row, first row of each group)."""
    packed = np.ascontiguousarray(matrix).view(
        np.dtype((np.void, matrix.itemsize * matrix.shape[1]))
    )
    _, first, group = np.unique(packed.ravel(), return_index=True, return_inverse=True)
    return group.astype(np.int64), first.astype(np.int64)


Limits = Mapping[tuple[str, str], tuple[float, float]]  # field, level -> bits from, to
CLOSE_ENOUGH = 1e-3  # nats: far below what a weight is rounded to
HALVINGS = 12
FIXED = 1e9  # a penalty that holds a weight where it is


def fit(
    start: KindModel,
    samples: Sequence[Sample],
    *,
    strength: float = 1.0,
    bias_strength: float = 1e-6,
    free_size: bool = True,
    rounds: int = 30,
    limits: Limits | None = None,
) -> KindModel:
    """Weights that fit the labels, drawn towards `start` with the given strength.

    Newton's method on the penalised likelihood; the weight of "missing" stays nought. A weight that
    leaves its limits is held at the nearer one, and the others are fitted again around it.
    """
    seen = patterns(samples)
    design, columns = _design(start, seen)
    prior = np.concatenate([start.flat[columns] * LN2, [start.bias * LN2, start.size_slope * LN2]])
    penalty = np.full(len(prior), strength)
    penalty[-2] = bias_strength
    penalty[-1] = strength if free_size else FIXED
    found = _newton(design, seen, prior, penalty, prior, rounds)
    low, high = _bounds(start, columns, limits or {})
    outside = (found < low) | (found > high)
    if outside.any():
        prior = np.where(outside, np.clip(found, low, high), prior)
        penalty = np.where(outside, FIXED, penalty)
        at = np.where(outside, prior, found)
        found = _newton(design, seen, prior, penalty, at, rounds)
    return _with_weights(start, columns, found)


def _bounds(model: KindModel, columns: Ints, limits: Limits) -> tuple[Floats, Floats]:
    """The lowest and highest value of each fitted parameter, the constant and the size included."""
    low, high = np.full(len(model.flat), -np.inf), np.full(len(model.flat), np.inf)
    for (name, text), (least, most) in limits.items():
        position = model.position(name)
        place = int(model.offsets[position]) + model.fields[position].levels.index(text)
        low[place], high[place] = least * LN2, most * LN2
    free = np.array([np.inf, np.inf])
    return np.concatenate([low[columns], -free]), np.concatenate([high[columns], free])


def _design(model: KindModel, seen: Patterns) -> tuple[npt.NDArray[np.float32], Ints]:
    """One-hot rows for the levels that occur, then the constant and the store's size."""
    flat = seen.matrix.astype(np.int64) + model.offsets
    used = np.unique(flat[seen.matrix != 0])
    place = np.full(len(model.flat), -1, np.int64)
    place[used] = np.arange(len(used))
    design = np.zeros((len(flat), len(used) + 2), np.float32)
    for column in range(flat.shape[1]):
        present = seen.matrix[:, column] != 0
        design[np.flatnonzero(present), place[flat[present, column]]] = 1.0
    design[:, -2] = 1.0
    design[:, -1] = seen.size
    return design, used


def _newton(
    design: npt.NDArray[np.float32],
    seen: Patterns,
    prior: Floats,
    penalty: Floats,
    start: Floats,
    rounds: int,
) -> Floats:
    weights, total = start.copy(), seen.positive + seen.negative

    def worth(some: Floats) -> float:
        odds = np.clip(design @ some, -40, 40)
        told = float(seen.positive @ odds - total @ np.logaddexp(0.0, odds))
        return told - float((penalty * (some - prior) ** 2).sum()) / 2

    now = worth(weights)
    for _ in range(rounds):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -40, 40)))
        gradient = design.T @ (seen.positive - total * chance) - penalty * (weights - prior)
        curve = total * chance * (1 - chance)
        hessian = (design.T * curve.astype(np.float32)) @ design + np.diag(penalty)
        step = np.clip(np.linalg.solve(hessian.astype(np.float64), gradient), -3, 3)
        for _ in range(HALVINGS):  # a full step may overshoot where few decisions move many weights
            reached = worth(weights + step)
            if reached >= now:
                break
            step /= 2
        weights, now = weights + step, reached
        if float(np.abs(step).max()) < CLOSE_ENOUGH:
            break
    return weights


def _with_weights(start: KindModel, columns: Ints, found: Floats) -> KindModel:
    flat = start.flat.copy()
    flat[columns] = np.clip(found[:-2] / LN2, -HEAVIEST, HEAVIEST)
    weights = tuple(np.split(flat, start.offsets[1:]))
    return replace(
        start, weights=weights, bias=float(found[-2] / LN2), size_slope=float(found[-1] / LN2)
    )
