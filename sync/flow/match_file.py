"""Match a file without touching the hub's database: the same model, keys and thresholds as online."""

import csv
import json
import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from sync.core import blocking
from sync.core.batch import Compared, Matched, Scored, adapted, candidates, compare_all, match_all, score_all, with_extras
from sync.core.columns import KIND_CODES, Ints, Table, Texts
from sync.core.holders import counted
from sync.core.levels import Pairs
from sync.core.match import Matcher, Thresholds
from sync.core.normal.record import normalise
from sync.core.party import KNOWN_COLUMNS, party_from_row
from sync.core.score import KIND_NAMES, Model, Score, waterfall

CHUNK = 20_000  # rows normalised at a time
ALONE = 30_000  # files up to this many bytes times a hundred are not worth a second process
csv.field_size_limit(10_000_000)


def load_settings() -> dict[str, Any]:
    """`config/matching.yaml` as it is installed."""
    text = (files("config") / "matching.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def load_matcher() -> Matcher:
    """The shipped weights with the configured thresholds."""
    settings = load_settings()
    path = files("config") / "matching" / settings["weights"]
    stored = json.loads(path.read_text(encoding="utf-8"))
    return Matcher(Model.from_dict(stored), Thresholds.from_settings(settings))


@dataclass(slots=True)
class Piece:
    """One chunk of the file in its normal form; rows count from the chunk's start."""

    number: int
    ids: Texts
    table: Table
    keys: blocking.KeyArrays


@dataclass(slots=True)
class Loaded:
    """A file in its normal form."""

    ids: Texts
    table: Table
    keys: blocking.KeyArrays

    def id_list(self) -> list[str]:
        return self.ids.take(np.arange(len(self.table)))

    def rank(self) -> Ints:
        """An order of the records that does not depend on how the file is sorted."""
        order = np.argsort(np.array(self.id_list()), kind="stable")
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        return rank

    def row_of(self, identifier: str) -> int:
        try:
            return self.id_list().index(identifier)
        except ValueError:
            raise KeyError(f"no record has the id {identifier}") from None


@dataclass(slots=True)
class FileMatch:
    """Everything that came of a file: kept together for output, explanation and reports."""

    loaded: Loaded
    compared: Compared
    scored: Scored
    matched: Matched
    matcher: Matcher


def load(path: Path, processes: int = 2) -> Loaded:
    """Read and normalise a file; each process reads it all and works on every second chunk."""
    shares = [(path, share, processes) for share in range(processes)]
    if processes == 1 or path.stat().st_size < ALONE * 100:
        pieces = _pieces((path, 0, 1))
    else:
        context = multiprocessing.get_context("fork")
        with context.Pool(processes) as pool:
            pieces = [piece for part in pool.map(_pieces, shares) for piece in part]
    return _assembled(sorted(pieces, key=lambda piece: piece.number))


def _pieces(share: tuple[Path, int, int]) -> list[Piece]:
    path, remainder, divisor = share
    with path.open(newline="", encoding="utf-8-sig") as handle:
        reader = csv.reader(handle)
        header = next(reader, [])
        return [
            _piece(number, header, rows)
            for number, rows in enumerate(_chunks(reader))
            if number % divisor == remainder
        ]


def _chunks(reader: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    while rows := list(islice(reader, CHUNK)):
        yield rows


def _piece(number: int, header: Sequence[str], rows: Sequence[list[str]]) -> Piece:
    records: list[Mapping[str, str]] = [dict(zip(header, row, strict=False)) for row in rows]
    extras = [column for column in header if column not in KNOWN_COLUMNS]
    table = Table.of([normalise(party_from_row(record)) for record in records], extras)
    ids = Texts.of([record.get("id", "") for record in records])
    return Piece(number, ids, table, blocking.key_arrays(table))


def _assembled(pieces: Sequence[Piece]) -> Loaded:
    if not pieces:
        raise ValueError("the file holds no records")
    shifts = np.cumsum([0] + [len(piece.table) for piece in pieces])
    keys = [
        replace(piece.keys, row=(piece.keys.row + shift).astype(np.int32))
        for piece, shift in zip(pieces, shifts[:-1], strict=True)
    ]
    return Loaded(
        ids=Texts.joined([piece.ids for piece in pieces]),
        table=Table.joined([piece.table for piece in pieces]),
        keys=blocking.joined(keys),
    )


def match_file(path: Path, matcher: Matcher, *, processes: int = 2, train: bool = False) -> FileMatch:
    """Match all records of a file among themselves."""
    return match_loaded(load(path, processes), matcher, train=train)


def match_loaded(loaded: Loaded, matcher: Matcher, *, train: bool = False) -> FileMatch:
    pairs = candidates(loaded.table, loaded.keys)
    holders = counted(loaded.table)
    matcher = replace(matcher, model=with_extras(matcher.model, loaded.table, holders))
    compared = compare_all(loaded.table, pairs, matcher.model, holders)
    if train:
        matcher = replace(matcher, model=adapted(compared, matcher.model))
    scored = score_all(compared, matcher.model)
    matched = match_all(compared, scored, matcher, rank=loaded.rank())
    return FileMatch(loaded, compared, scored, matched, matcher)


def write_clusters(result: FileMatch, path: Path) -> int:
    """`id,cluster`; a cluster is named after its first record. Returns the number of customers."""
    ids = result.loaded.id_list()
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["id", "cluster"])
        customer = result.matched.customer.tolist()
        writer.writerows((identifier, ids[root]) for identifier, root in zip(ids, customer, strict=True))
    return len(np.unique(result.matched.customer))


def write_pairs(result: FileMatch, path: Path) -> int:
    """`id_a,id_b,score,decision` of links and candidates, the best first."""
    matched, scored = result.matched, result.scored
    rows = np.flatnonzero(matched.linked | matched.candidate)
    pairs = result.compared.pairs
    order = rows[np.lexsort((pairs.right[rows], pairs.left[rows], -scored.bits[rows]))]
    left, right = (result.loaded.ids.take(side[order]) for side in (pairs.left, pairs.right))
    words = np.where(matched.linked[order], "link", "candidate").tolist()
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["id_a", "id_b", "score", "decision"])
        bits = (f"{value:.2f}" for value in scored.bits[order].tolist())
        writer.writerows(zip(left, right, bits, words, strict=True))
    return len(order)


def explain(loaded: Loaded, first: str, second: str, matcher: Matcher) -> Score:
    """The waterfall of two records of the file, with the file's own frequencies."""
    left, right = loaded.row_of(first), loaded.row_of(second)
    table = loaded.table
    kinds: Ints = table.records["kind"]
    if kinds[left] != kinds[right]:
        raise ValueError("an organisation and a person are never one customer")
    kind = KIND_NAMES[int(kinds[left])]
    pair = Pairs(np.array([left]), np.array([right]))
    compared = compare_all(table, pair, matcher.model, counted(table))
    return waterfall(compared.matrix[KIND_CODES[kind]][0], matcher.model.kinds[kind], len(table))
