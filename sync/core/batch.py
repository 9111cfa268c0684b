"""Matching of a whole table at once: the same keys, levels and weights as for one record."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from sync.core import blocking
from sync.core.again import Before, Looks
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
from sync.core.union import united

PIECE = 50_000  # pairs compared at a time: bounds the memory, not the result
Flags = npt.NDArray[np.bool_]
Aim = Literal["precision", "balance"]


@dataclass(slots=True)
class Compared:
    """Candidate pairs of a table with their levels, kind by kind."""

    table: Table
    pairs: Pairs
    kind: npt.NDArray[np.int8]  # of each pair
    matrix: dict[int, Levels]  # kind -> levels of its pairs, in the pairs' order
    held: Holders


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
    known: tuple[Ints, Mapping[int, Levels]] | None = None,
) -> Compared:
    """`known` says of each pair where its levels stand among those of its kind, or -1."""
    held = holders or counted(table)
    kind: npt.NDArray[np.int8] = table.records.arrays["kind"][pairs.left].astype(np.int8)
    matrix = {}
    for code, name in KIND_NAMES.items():
        rows = np.flatnonzero(kind == code)
        if not len(rows):
            continue
        before = None
        if known is not None and code in known[1]:
            before = known[0][rows], known[1][code]
        some = pairs.only(rows)
        matrix[code] = _in_pieces(table, some, held, model.kinds[name], spread, before)
    return Compared(table, pairs, kind, matrix, held)


def _in_pieces(
    table: Table,
    pairs: Pairs,
    held: Holders,
    model: KindModel,
    spread: Spread,
    known: tuple[Ints, Levels] | None,
) -> Levels:
    """A byte holds a level: a million records have ten million pairs."""
    most = max(len(field.levels) for field in model.fields)
    kept = np.uint8 if most <= 256 else np.int16
    matrix: Levels = spread.array((len(pairs), len(model.fields)), kept)
    rows = np.arange(len(pairs), dtype=np.int32)
    if known is not None:
        place, levels = known
        told = place >= 0
        matrix[told] = levels[place[told]]
        rows = rows[~told]

    def compare(number: int) -> None:
        piece = rows[number * PIECE : (number + 1) * PIECE]
        some = Pairs(*(side[piece].astype(np.int64) for side in (pairs.left, pairs.right)))
        matrix[piece] = level_matrix(table, some, held, model)

    spread.each(compare, -(-len(rows) // PIECE))
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


def score_all(compared: Compared, model: Model, records: int | None = None) -> Scored:
    """`records` is the size of the store, where that is not the table's."""
    size, records = len(compared.pairs), records or len(compared.table)
    out = Scored(np.zeros(size), np.zeros(size, bool), np.zeros(size, bool))
    for code, matrix in compared.matrix.items():
        rows = np.flatnonzero(compared.kind == code)
        kind = model.kinds[KIND_NAMES[code]]
        for start in range(0, len(rows), PIECE):
            some, piece = rows[start : start + PIECE], matrix[start : start + PIECE]
            veto, alone = vetoed(piece, kind), decided_alone(piece, kind)
            bits = restrained(kind.bits(piece, records), piece, kind)
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


# ---- rounds ------------------------------------------------------------------------

ROUNDS = 4  # what is sure is joined in all but the last one
HOPELESS = -6.0  # bits of two records below which their customers are not compared again


@dataclass(slots=True)
class Second:
    """What the first round made, as records of their own: they tell more than each of theirs."""

    row: Ints  # of each record's customer
    leader: Ints  # record that stands for each customer
    rank: Ints
    compared: Compared
    scored: Scored


@dataclass(slots=True)
class Rounds:
    """The result of all rounds; `scored` says of each pair what decided it."""

    matched: Matched
    scored: Scored
    second: Second


def match_in_rounds(
    compared: Compared,
    scored: Scored,
    matcher: Matcher,
    *,
    rank: Ints | None = None,
    one_round: bool = False,
    spread: Spread = ALONE,
) -> Rounds:
    """First what is sure between two records; then customers, with all that their records say.

    A value that many records share tells little, until it turns out that they are all one
    customer's. And what one record lacks another one has: this is how the hub itself sees
    customers when a record arrives. Weights that were fitted to the records of a file know
    nothing of its customers: for them each record stays its own until the one round.
    """
    size = len(compared.table)
    order = np.arange(size) if rank is None else rank
    thresholds, constraints = matcher.thresholds, constraints_of(compared.table)
    sure_at = thresholds.sure_in_file_at(size)
    links, ahead = links_of(compared, scored), thresholds.ahead_in_file
    if one_round:
        second = Second(np.arange(size), np.arange(size), order, compared, scored)
    else:
        sure = cluster(size, links, constraints, sure_at, order, ahead=ahead, spread=spread)
        before = _before(np.arange(size), compared)
        second = _second(compared, scored, matcher.model, sure, order, before, spread)
        for _ in range(ROUNDS - 2):
            sure = _joined(second, sure_at, ahead, spread)
            before = _before(second.leader, second.compared)
            del second  # two rounds side by side would be the most memory of all
            second = _second(compared, scored, matcher.model, sure, order, before, spread)
    customer = _joined(second, thresholds.link_in_file_at(size), ahead, spread)
    decided = _decided(compared, scored, second)
    together = customer[compared.pairs.left] == customer[compared.pairs.right]
    candidate = (decided.bits >= thresholds.candidate_in_file_at(size)) & ~together
    asked = np.flatnonzero(candidate)
    candidate[asked[_proven_apart(compared.table, compared.pairs.only(asked))]] = False
    linked = together & (decided.bits >= thresholds.candidate_in_file_at(size))
    return Rounds(Matched(customer, linked, candidate), decided, second)


def _joined(second: Second, at: float, ahead: float, spread: Spread) -> Ints:
    """A customer for each record, after those of the round before that agree were joined."""
    table = second.compared.table
    found = cluster(
        len(table),
        links_of(second.compared, second.scored),
        constraints_of(table),
        at,
        second.rank,
        ahead=ahead,
        spread=spread,
    )
    customer: Ints = second.leader[found[second.row]]
    return customer


def _before(leader: Ints, compared: Compared) -> Before:
    looks = Looks.of(compared.table, compared.held)
    return Before.of(leader, looks, compared.pairs, compared.kind, compared.matrix)


def _second(
    compared: Compared,
    scored: Scored,
    model: Model,
    customer: Ints,
    order: Ints,
    before: Before,
    spread: Spread,
) -> Second:
    table, row = united(compared.table, customer, order)
    size = len(table)
    by_rank = np.argsort(order)
    leader = np.zeros(size, np.int64)
    leader[row[by_rank[::-1]]] = by_rank[::-1]
    left, right = row[compared.pairs.left], row[compared.pairs.right]
    open_pairs = (left != right) & ((scored.bits > HOPELESS) | scored.alone)
    low = np.minimum(left[open_pairs], right[open_pairs])
    high = np.maximum(left[open_pairs], right[open_pairs])
    codes = np.unique(low * size + high)
    held = counted(table)
    for name in (n for n in table.records.texts if n.startswith(EXTRA)):
        # what such a column is worth was measured on the records
        held.counts[name] = _held_as_before(compared.table.records[name], table.records[name])
    pairs = Pairs(codes // size, codes % size)
    known = before.known(row, Looks.of(table, held), pairs), before.matrix
    again = compare_all(table, pairs, model, held, spread, known)
    records = len(compared.table)
    return Second(row, leader, order[leader], again, score_all(again, model, records))


def _held_as_before(records: Ints, customers: Ints) -> Ints:
    """How many records hold each customer's value."""
    values, counts = np.unique(records, return_counts=True)
    held: Ints = counts[np.searchsorted(values, customers)]
    return np.where(customers == 0, 0, held)


def _decided(compared: Compared, scored: Scored, second: Second) -> Scored:
    """The first round's bits inside a customer, the last round's between two."""
    size = np.int64(len(second.compared.table))
    low, high = second.compared.pairs.left, second.compared.pairs.right
    known = low * size + high
    left, right = second.row[compared.pairs.left], second.row[compared.pairs.right]
    wanted = np.minimum(left, right) * size + np.maximum(left, right)
    place = np.minimum(np.searchsorted(known, wanted), max(len(known) - 1, 0))
    found = np.flatnonzero(known[place] == wanted) if len(known) else np.zeros(0, np.int64)
    out = Scored(scored.bits.copy(), scored.veto.copy(), scored.alone.copy())
    out.bits[found] = second.scored.bits[place[found]]
    out.veto[found] = second.scored.veto[place[found]]
    out.alone[found] = second.scored.alone[place[found]]
    return out


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
    records: Pairs, rounds: Rounds, steps: Sequence[float], *, samples: int = 5
) -> list[ThresholdRow]:
    """One row for each threshold of the last round, from the scores: no truth is needed.

    The expectation is as good as the weights fit the data; look at the samples at the edge.
    """
    second = rounds.second
    compared, scored = second.compared, second.scored
    constraints, links = constraints_of(compared.table), links_of(compared, scored)
    chance = np.where(scored.veto, 0.0, _likely(scored.bits))
    inside = np.bincount(second.row, minlength=len(compared.table))
    sure = int((inside * (inside - 1) // 2).sum())
    told = _one_of_each(records, second.row)
    rows = []
    for at in steps:
        customer = cluster(len(compared.table), links, constraints, at, second.rank)
        together = customer[compared.pairs.left] == customer[compared.pairs.right]
        joined = int(together.sum())
        expected = sure + float(chance[together].sum())
        rows.append(
            ThresholdRow(
                at=float(at),
                customers=len(np.unique(customer)),
                links=sure + joined,
                expected_precision=expected / (sure + joined) if sure + joined else 1.0,
                expected_missed=float(chance[~together].sum()),
                edge=_edge(told, rounds.scored, at, samples),
            )
        )
    return rows


def _likely(bits: Floats) -> Floats:
    likely: Floats = 1.0 / (1.0 + np.exp2(-np.clip(bits, -60, 60)))
    return likely


def _one_of_each(records: Pairs, row: Ints) -> tuple[Pairs, Ints]:
    """Of the pairs of records between two customers one, and where it stands; inside one all."""
    left, right = row[records.left], row[records.right]
    own = left == right
    codes = np.minimum(left, right) * np.int64(len(row)) + np.maximum(left, right)
    codes[own] = -1 - np.flatnonzero(own)
    first: Ints = np.unique(codes, return_index=True)[1]
    return records.only(first), first


def _edge(
    told: tuple[Pairs, Ints], scored: Scored, at: float, samples: int
) -> tuple[tuple[int, int, float], ...]:
    pairs, place = told
    bits, veto = scored.bits[place], scored.veto[place]
    near = np.argsort(np.where(veto, np.inf, np.abs(bits - at)), kind="stable")[: 2 * samples]
    near = near[np.argsort(-bits[near], kind="stable")]
    return tuple(
        (int(pairs.left[i]), int(pairs.right[i]), round(float(bits[i]), 2)) for i in near.tolist()
    )
