"""Learning the weights: from labels by penalised logistic regression, without labels by EM."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sync.core.columns import Ints
from sync.core.levels import Levels
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


def patterns(samples: Sequence[Sample]) -> Patterns:
    """Samples folded into distinct rows: fitting takes as long as there are patterns, not pairs."""
    matrix = np.concatenate([s.matrix for s in samples])
    size = np.concatenate(
        [np.full(len(s.matrix), np.log10(s.records / REFERENCE_SIZE)) for s in samples]
    )
    truth = np.concatenate([s.truth for s in samples])
    weight = np.concatenate([s.weight for s in samples])
    group, first = distinct_rows(np.column_stack([matrix, np.round(size * 20)]).astype(np.int16))
    positive = np.bincount(group, weights=truth * weight, minlength=len(first))
    negative = np.bincount(group, weights=(1 - truth) * weight, minlength=len(first))
    return Patterns(matrix[first], positive, negative, size[first])


def distinct_rows(matrix: npt.NDArray[np.int16]) -> tuple[Ints, Ints]:
    """(group of each row, first row of each group)."""
    packed = np.ascontiguousarray(matrix).view(np.dtype((np.void, matrix.itemsize * matrix.shape[1])))
    _, first, group = np.unique(packed.ravel(), return_index=True, return_inverse=True)
    return group.astype(np.int64), first.astype(np.int64)


def fit(
    start: KindModel,
    samples: Sequence[Sample],
    *,
    strength: float = 1.0,
    free_size: bool = True,
    rounds: int = 30,
) -> KindModel:
    """Weights that fit the labels, drawn towards `start` with the given strength.

    Newton's method on the penalised likelihood; the weight of "missing" stays nought.
    """
    seen = patterns(samples)
    design, columns = _design(start, seen)
    prior = np.concatenate([start.flat[columns] * LN2, [start.bias * LN2, start.size_slope * LN2]])
    penalty = np.full(len(prior), strength)
    penalty[-2] = 1e-6
    penalty[-1] = strength if free_size else 1e9
    found = _newton(design, seen, prior, penalty, rounds)
    return _with_weights(start, columns, found)


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
    design: npt.NDArray[np.float32], seen: Patterns, prior: Floats, penalty: Floats, rounds: int
) -> Floats:
    weights, total = prior.copy(), seen.positive + seen.negative
    for _ in range(rounds):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -40, 40)))
        gradient = design.T @ (seen.positive - total * chance) - penalty * (weights - prior)
        curve = total * chance * (1 - chance)
        hessian = (design.T * curve.astype(np.float32)) @ design + np.diag(penalty)
        step = np.linalg.solve(hessian.astype(np.float64), gradient)
        weights += np.clip(step, -3, 3)
        if float(np.abs(step).max()) < 1e-4:
            break
    return weights


def _with_weights(start: KindModel, columns: Ints, found: Floats) -> KindModel:
    flat = start.flat.copy()
    flat[columns] = np.clip(found[:-2] / LN2, -HEAVIEST, HEAVIEST)
    weights = tuple(np.split(flat, start.offsets[1:]))
    return replace(
        start, weights=weights, bias=float(found[-2] / LN2), size_slope=float(found[-1] / LN2)
    )
