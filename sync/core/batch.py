"""Matching of a whole table at once: the same keys, levels and weights as for one record."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from sync.core import blocking
from sync.core.cluster import Links, cluster, constraints_of
from sync.core.columns import EXTRA, KIND_CODES, Ints, Table
from sync.core.holders import counted
from sync.core.levels import HELD_EDGES, Holders, Levels, Pairs, extra_field, extra_levels
from sync.core.match import DECIDED_ALONE, Matcher
from sync.core.score import (
    KIND_NAMES,
    Floats,
    KindModel,
    Model,
    decided_alone,
    level_matrix,
    restrained,
    vetoed,
)
from sync.core.spread import ALONE, Spread
from sync.core.train import adapt, learn

PIECE = 50_000  # pairs compared at a time: bounds the memory, not the result
Flags = npt.NDArray[np.bool_]
Aim = Literal["precision", "balance"]


@dataclass(slots=True)
class Compared:
    """Candidate pairs of a table with their levels, kind by kind."""

    table: Table
    pairs: Pairs
    kind: npt.NDArray[np.int8]  # of each pair
    matrix: Mapping[int, Levels]  # kind -> levels of its pairs, in the pairs' order


@dataclass(slots=True)
class Scored:
    """The bits of each pair, and which pairs are decided beforehand."""

    bits: Floats
    veto: Flags
    alone: Flags


@dataclass(slots=True)
class Matched:
    """The result: a customer for each record, and a word for each pair above the floor."""

    customer: Ints
    linked: Flags
    candidate: Flags


def candidates(table: Table, found: blocking.KeyArrays) -> Pairs:
    """Pairs worth comparing; never of two kinds, for a key names its kind."""
    return Pairs(*blocking.candidate_pairs(found, len(table)))


def compare_all(
    table: Table,
    pairs: Pairs,
    model: Model,
    holders: Holders | None = None,
    spread: Spread = ALONE,
) -> Compared:
    held = holders or counted(table)
    kind: npt.NDArray[np.int8] = table.records.arrays["kind"][pairs.left].astype(np.int8)
    rows = {code: np.flatnonzero(kind == code) for code in KIND_NAMES}
    matrix = {
        code: _in_pieces(table, pairs.only(rows[code]), held, model.kinds[name], spread)
        for code, name in KIND_NAMES.items()
        if len(rows[code])
    }
    return Compared(table, pairs, kind, matrix)


def _in_pieces(
    table: Table, pairs: Pairs, held: Holders, model: KindModel, spread: Spread
) -> Levels:
    """A byte holds a level: a million records have ten million pairs."""
    most = max(len(field.levels) for field in model.fields)
    kept = np.uint8 if most <= 256 else np.int16
    matrix: Levels = spread.array((len(pairs), len(model.fields)), kept)

    def compare(number: int) -> None:
        piece = slice(number * PIECE, (number + 1) * PIECE)
        some = Pairs(*(side[piece].astype(np.int64) for side in (pairs.left, pairs.right)))
        matrix[piece] = level_matrix(table, some, held, model)

    spread.each(compare, -(-len(pairs) // PIECE))
    return matrix


def adapted(compared: Compared, model: Model) -> Model:
    """The model after the table's own pairs had their say; see `train.adapt`."""
    size = len(compared.table)
    kinds = dict(model.kinds)
    for code, matrix in compared.matrix.items():
        name = KIND_NAMES[code]
        kinds[name] = adapt(model.kinds[name], matrix, size)
    return replace(model, version=f"{model.version}+file", kinds=kinds)


@dataclass(frozen=True, slots=True)
class Labels:
    """Pairs that a person decided."""

    pairs: Pairs
    same: Flags


def taught(table: Table, labels: Labels, model: Model, holders: Holders) -> Model:
    """The model sharpened by a steward's decisions; few decisions move it little."""
    kind = table.records["kind"][labels.pairs.left]
    comparable = kind == table.records["kind"][labels.pairs.right]
    kinds = dict(model.kinds)
    for code, name in KIND_NAMES.items():
        rows = np.flatnonzero(comparable & (kind == code))
        if not len(rows):
            continue
        matrix = level_matrix(table, labels.pairs.only(rows), holders, model.kinds[name])
        kinds[name] = learn(model.kinds[name], matrix, labels.same[rows], len(table))
    return replace(model, version=f"{model.version}+labels", kinds=kinds)


def score_all(compared: Compared, model: Model) -> Scored:
    size = len(compared.pairs)
    out = Scored(np.zeros(size), np.zeros(size, bool), np.zeros(size, bool))
    for code, matrix in compared.matrix.items():
        rows = np.flatnonzero(compared.kind == code)
        kind = model.kinds[KIND_NAMES[code]]
        for start in range(0, len(rows), PIECE):
            some, piece = rows[start : start + PIECE], matrix[start : start + PIECE]
            veto, alone = vetoed(piece, kind), decided_alone(piece, kind)
            bits = restrained(kind.bits(piece, len(compared.table)), piece, kind)
            out.bits[some] = np.where(alone & ~veto, np.maximum(bits, DECIDED_ALONE), bits)
            out.veto[some], out.alone[some] = veto, alone
    return out


def match_all(
    compared: Compared,
    scored: Scored,
    matcher: Matcher,
    *,
    rank: Ints | None = None,
    never: Iterable[tuple[int, int]] = (),
    spread: Spread = ALONE,
) -> Matched:
    """Clusters at the link threshold; pairs above the floor that stay apart are for review."""
    size = len(compared.table)
    constraints = constraints_of(compared.table, never)
    link_at = matcher.thresholds.link_in_file_at(size)
    links = links_of(compared, scored)
    ahead = matcher.thresholds.ahead_in_file
    customer = cluster(size, links, constraints, link_at, rank, ahead=ahead, spread=spread)
    together = customer[compared.pairs.left] == customer[compared.pairs.right]
    floor = scored.bits >= matcher.thresholds.candidate_in_file_at(size)
    candidate = floor & ~together
    asked = np.flatnonzero(candidate)
    candidate[asked[_proven_apart(compared.table, compared.pairs.only(asked))]] = False
    return Matched(customer, together & floor, candidate)


def links_of(compared: Compared, scored: Scored) -> Links:
    pairs = compared.pairs
    return Links(pairs.left, pairs.right, scored.bits, scored.alone, scored.veto)


def _proven_apart(table: Table, pairs: Pairs) -> Flags:
    """Pairs with two proven identifiers: nobody needs to be asked."""
    out = np.zeros(len(pairs), bool)
    tax, hard, scheme = (table.records[c] for c in ("tax", "tax_hard", "tax_scheme"))
    for i in range(tax.shape[1]):
        for j in range(tax.shape[1]):
            proven = (hard[pairs.left, i] == 1) & (hard[pairs.right, j] == 1)
            one_scheme = scheme[pairs.left, i] == scheme[pairs.right, j]
            out |= proven & one_scheme & (tax[pairs.left, i] != tax[pairs.right, j])
    return out


def kinds_present(table: Table) -> list[str]:
    return [name for name, code in KIND_CODES.items() if (table.records["kind"] == code).any()]


# ---- columns without a rule of their own -----------------------------------------------

# levels in true pairs: missing, five of "same", three of "similar", "different"
MATCHES_HOLD = np.array([0.0, 0.3, 0.22, 0.13, 0.09, 0.05, 0.11, 0.05, 0.03, 0.02])
SAMPLED = 20_000


def with_extras(model: Model, table: Table, holders: Holders) -> Model:
    """The model with a field for each unknown column, weighed by what its agreement is worth here.

    How often two strangers agree is measured on the file; how often two records of one customer
    do is assumed.
    """
    names = tuple(c.removeprefix(EXTRA) for c in table.records.texts if c.startswith(EXTRA))
    if not names:
        return model
    weights = [_extra_weights(table, holders, name) for name in names]
    fields = tuple(extra_field(name) for name in names)
    kinds = {
        kind: replace(
            known, fields=known.fields + fields, weights=(*known.weights, *weights), extras=names
        )
        for kind, known in model.kinds.items()
    }
    return replace(model, kinds=kinds)


def _extra_weights(table: Table, holders: Holders, name: str) -> Floats:
    size = len(table)
    steps = range(1, max(2, min(size, 1 + SAMPLED // size + 1)))
    rows = np.arange(size)
    strangers = Pairs(
        np.tile(rows, len(steps)), np.concatenate([(rows + 7919 * s) % size for s in steps])
    )
    strangers = strangers.only(strangers.left != strangers.right)
    counts = np.bincount(extra_levels(table, strangers, holders, name), minlength=len(MATCHES_HOLD))
    seen = (counts + 0.5).astype(np.float64)
    seen[0] = 0.0
    seen /= seen.sum()
    seen[1:6] = np.maximum(_agreeing(holders.counts[EXTRA + name], size), 1e-7)
    bits = np.zeros(len(MATCHES_HOLD))
    bits[1:] = np.log2(MATCHES_HOLD[1:] / seen[1:])
    return np.clip(bits, -4.0, 8.0)


def _agreeing(held: Ints, size: int) -> Floats:
    """The chance that two strangers hold one value, by how many others hold it."""
    chance = np.maximum(held - 1, 0) / max(1, size - 1) / size
    bucket = np.searchsorted(HELD_EDGES, np.maximum(0, held - 2), side="right")
    return np.bincount(bucket[held > 0], weights=chance[held > 0], minlength=5).astype(np.float64)


# ---- what a threshold would do ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    """The consequences of one link threshold on these records."""

    at: float
    customers: int
    links: int  # compared pairs that end in one customer
    expected_precision: float  # share of those that the weights expect to be right
    expected_missed: float  # true pairs among the compared ones that the weights expect below
    edge: tuple[tuple[int, int, float], ...]  # pairs on both sides of the threshold: rows, bits


def threshold_rows(
    compared: Compared,
    scored: Scored,
    steps: Sequence[float],
    *,
    rank: Ints | None = None,
    samples: int = 5,
) -> list[ThresholdRow]:
    """One row for each threshold, from the scores alone: no truth is needed.

    The expectation is as good as the weights fit the data; look at the samples at the edge.
    """
    constraints, links = constraints_of(compared.table), links_of(compared, scored)
    chance = np.where(scored.veto, 0.0, 1.0 / (1.0 + np.exp2(-np.clip(scored.bits, -60, 60))))
    rows = []
    for at in steps:
        customer = cluster(len(compared.table), links, constraints, at, rank)
        together = customer[compared.pairs.left] == customer[compared.pairs.right]
        rows.append(
            ThresholdRow(
                at=float(at),
                customers=len(np.unique(customer)),
                links=int(together.sum()),
                expected_precision=float(chance[together].mean()) if together.any() else 1.0,
                expected_missed=float(chance[~together].sum()),
                edge=_edge(compared, scored, at, samples),
            )
        )
    return rows


def _edge(
    compared: Compared, scored: Scored, at: float, samples: int
) -> tuple[tuple[int, int, float], ...]:
    distance = np.where(scored.veto, np.inf, np.abs(scored.bits - at))
    near = np.argsort(distance, kind="stable")[: 2 * samples]
    near = near[np.argsort(-scored.bits[near], kind="stable")]
    pairs = compared.pairs
    return tuple(
        (int(pairs.left[i]), int(pairs.right[i]), round(float(scored.bits[i]), 2))
        for i in near.tolist()
    )
