"""Matching of a whole table at once: the same keys, levels and weights as for one record."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sync.core import blocking
from sync.core.cluster import Links, cluster, constraints_of
from sync.core.columns import KIND_CODES, Ints, Table
from sync.core.holders import counted
from sync.core.levels import Holders, Levels, Pairs
from sync.core.match import DECIDED_ALONE, Matcher
from sync.core.score import KIND_NAMES, Floats, Model, decided_alone, level_matrix, vetoed

PIECE = 200_000  # pairs compared at a time: bounds the memory, not the result
Flags = npt.NDArray[np.bool_]


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


def compare_all(table: Table, pairs: Pairs, model: Model, holders: Holders | None = None) -> Compared:
    held = holders or counted(table)
    kind = table.records["kind"][pairs.left].astype(np.int8)
    matrix = {
        code: _in_pieces(table, pairs.only(np.flatnonzero(kind == code)), held, model, name)
        for code, name in KIND_NAMES.items()
        if (kind == code).any()
    }
    return Compared(table, pairs, kind, matrix)


def _in_pieces(table: Table, pairs: Pairs, held: Holders, model: Model, kind: str) -> Levels:
    pieces = [
        level_matrix(table, pairs.only(np.arange(start, min(start + PIECE, len(pairs)))), held, model.kinds[kind])
        for start in range(0, len(pairs), PIECE)
    ]
    return np.concatenate(pieces)


def score_all(compared: Compared, model: Model) -> Scored:
    size = len(compared.pairs)
    out = Scored(np.zeros(size), np.zeros(size, bool), np.zeros(size, bool))
    for code, matrix in compared.matrix.items():
        rows = compared.kind == code
        kind = model.kinds[KIND_NAMES[code]]
        out.bits[rows] = kind.bits(matrix, len(compared.table))
        out.veto[rows] = vetoed(matrix, kind)
        out.alone[rows] = decided_alone(matrix, kind)
    out.bits = np.where(out.alone & ~out.veto, np.maximum(out.bits, DECIDED_ALONE), out.bits)
    return out


def match_all(
    compared: Compared,
    scored: Scored,
    matcher: Matcher,
    *,
    rank: Ints | None = None,
    never: Iterable[tuple[int, int]] = (),
) -> Matched:
    """Clusters at the link threshold; pairs above the floor that stay apart are for review."""
    size = len(compared.table)
    constraints = constraints_of(compared.table, never)
    link_at = matcher.thresholds.link_at(size)
    customer = cluster(size, links_of(compared, scored), constraints, link_at, rank)
    together = customer[compared.pairs.left] == customer[compared.pairs.right]
    floor = scored.bits >= matcher.thresholds.candidate_at(size)
    return Matched(customer, together & floor, floor & ~together & ~_proven_apart(compared))


def links_of(compared: Compared, scored: Scored) -> Links:
    pairs = compared.pairs
    return Links(pairs.left, pairs.right, scored.bits, scored.alone, scored.veto)


def _proven_apart(compared: Compared) -> Flags:
    """Pairs with two proven identifiers: nobody needs to be asked."""
    table, pairs = compared.table, compared.pairs
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
