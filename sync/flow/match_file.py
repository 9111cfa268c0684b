"""Match a file without touching the hub's database, by the model and keys of the hub itself."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from sync.core import blocking
from sync.core.batch import (
    Aim,
    Compared,
    Labels,
    Matched,
    Rounds,
    Scored,
    adapted,
    candidates,
    compare_all,
    match_in_rounds,
    score_all,
    taught,
    threshold_rows,
    with_extras,
)
from sync.core.columns import KIND_CODES, Ints, Table, Texts, expect_many_values
from sync.core.holders import counted
from sync.core.levels import Pairs
from sync.core.match import Matcher, Thresholds
from sync.core.normal.record import expect_many, normalise
from sync.core.party import KNOWN_COLUMNS, party_from_row
from sync.core.score import KIND_NAMES, Model, Score, waterfall
from sync.flow.spread import Cores, stream

CHUNK = 5_000  # rows normalised at a time
REPORTED = 100_000  # records between two words about progress
SMALL = 3_000_000  # files of fewer bytes are not worth a second process
AT_ONCE = 50_000  # lines written at a time
MANY = 100_000  # pairs from which a second process is worth its start
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
    thresholds = Thresholds.from_settings(settings, stored.get("errors"))
    return Matcher(Model.from_dict(stored), thresholds)


@dataclass(slots=True)
class Piece:
    """One chunk of the file in its normal form; rows count from the chunk's start."""

    number: int
    ids: Texts
    table: Table
    keys: blocking.KeyArrays


@dataclass(slots=True)
class Loaded:
    """A file in its normal form, with the keys that several records share until they are used."""

    ids: Texts
    table: Table
    keys: blocking.KeyArrays | None
    found: Pairs | None = None

    def pairs(self) -> Pairs:
        """Records worth comparing; the keys, which take much memory, are used up."""
        if self.keys is not None:
            self.found, self.keys = candidates(self.table, self.keys), None
        assert self.found is not None
        return self.found

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
    rounds: Rounds


def load(
    path: Path,
    processes: int = 2,
    *,
    chunk: int = CHUNK,
    share_from: int = SMALL,
    say: Callable[[str], None] = lambda _: None,
) -> Loaded:
    """Read and normalise a file; each process reads it all and works on its share of the chunks."""
    if path.stat().st_size < share_from:
        processes = 1
    expect_many()
    expect_many_values()

    def share(number: int, count: int) -> Iterator[Piece]:
        return pieces_of(path, chunk, number, count)

    pieces: list[Piece] = []
    read, told = 0, REPORTED
    for piece in stream(share, processes):
        pieces.append(piece)
        read += len(piece.table)
        if read >= told:
            say(f"{read} records read")
            told += REPORTED
    return assembled(sorted(pieces, key=lambda piece: piece.number))


def pieces_of(path: Path, chunk: int, remainder: int, divisor: int) -> Iterator[Piece]:
    """The chunks of a file whose number leaves this remainder."""
    with path.open(newline="", encoding="utf-8-sig") as handle:
        reader = csv.reader(handle)
        header = next(reader, [])
        for number, rows in enumerate(_chunks(reader, chunk)):
            if number % divisor == remainder:
                yield _piece(number, header, rows)


def _chunks(reader: Iterator[list[str]], size: int) -> Iterator[list[list[str]]]:
    while rows := list(islice(reader, size)):
        yield rows


def _piece(number: int, header: Sequence[str], rows: Sequence[list[str]]) -> Piece:
    records: list[Mapping[str, str]] = [dict(zip(header, row, strict=False)) for row in rows]
    extras = [column for column in header if column not in KNOWN_COLUMNS]
    table = Table.of([normalise(party_from_row(record)) for record in records], extras)
    ids = Texts.of([record.get("id", "") for record in records])
    return Piece(number, ids, table, blocking.key_arrays(table))


def assembled(pieces: Sequence[Piece]) -> Loaded:
    """The pieces in their order as one; they are used up."""
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
        keys=blocking.shared_keys(keys),
    )


def match_loaded(
    loaded: Loaded,
    matcher: Matcher,
    *,
    train: bool = False,
    labels: Labels | None = None,
    aim: Aim = "precision",
    processes: int = 1,
) -> FileMatch:
    """Match all records of a file among themselves.

    `train` adapts the weights to the file without labels, `labels` sharpens them with decisions.
    `aim` says whether links must be safe ("precision") or right as often as not ("balance").
    """
    spread = Cores(processes)
    pairs = loaded.pairs()
    if len(pairs) < MANY:
        spread = Cores()
    holders = counted(loaded.table)
    matcher = replace(matcher, model=with_extras(matcher.model, loaded.table, holders))
    compared = compare_all(loaded.table, pairs, matcher.model, holders, spread)
    fitted = labels is not None
    if train:
        model = adapted(compared, matcher.model)
        fitted |= any(model.kinds[k] is not known for k, known in matcher.model.kinds.items())
        matcher = replace(matcher, model=model)
    if labels is not None:
        model = taught(loaded.table, labels, matcher.model, holders)
        matcher = replace(matcher, model=model)
    if aim == "balance":
        matcher = replace(matcher, thresholds=matcher.thresholds.balanced())
    scored = score_all(compared, matcher.model)
    rounds = match_in_rounds(
        compared, scored, matcher, rank=loaded.rank(), one_round=fitted, spread=spread
    )
    return FileMatch(loaded, compared, rounds.scored, rounds.matched, matcher, rounds)


def write_clusters(result: FileMatch, path: Path) -> int:
    """`id,cluster`; a cluster is named after its first record. Returns the number of customers."""
    ids, customer = result.loaded.ids, result.matched.customer
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["id", "cluster"])
        for start in range(0, len(customer), AT_ONCE):
            roots = customer[start : start + AT_ONCE]
            rows = np.arange(start, start + len(roots))
            writer.writerows(zip(ids.take(rows), ids.take(roots), strict=True))
    return len(np.unique(customer))


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


def explain(result: FileMatch, first: str, second: str) -> Score:
    """The waterfall of two records of the file, with the file's own frequencies.

    Two records of different customers are explained as those: with all that their records say.
    """
    loaded, model = result.loaded, result.matcher.model
    left, right = loaded.row_of(first), loaded.row_of(second)
    kinds: Ints = loaded.table.records["kind"]
    if kinds[left] != kinds[right]:
        raise ValueError("an organisation and a person are never one customer")
    kind = KIND_NAMES[int(kinds[left])]
    table, row = loaded.table, result.rounds.second.row
    if row[left] != row[right]:
        table, left, right = result.rounds.second.compared.table, int(row[left]), int(row[right])
    pair = Pairs(np.array([min(left, right)]), np.array([max(left, right)]))
    matrix = compare_all(table, pair, model, counted(table)).matrix[KIND_CODES[kind]]
    return waterfall(matrix[0], model.kinds[kind], len(loaded.table))


# ---- the command -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Summary:
    """What `kehub match` says when it is done."""

    records: int
    customers: int
    pairs_compared: int
    links: int
    candidates: int
    link_at: float
    candidate_at: float
    model: str


def run(
    path: Path,
    out: Path | None,
    *,
    pairs: Path | None = None,
    train: bool = False,
    labels: Path | None = None,
    aim: Aim = "precision",
    processes: int = 2,
    matcher: Matcher | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Summary:
    """Match a file and write its clusters, and its links and candidates where `pairs` is given.

    `matcher` is the hub's own where there is one; without it the shipped weights are used.
    """
    say(f"reading {path.name}")
    loaded = load(path, processes, say=say)
    say(f"{len(loaded.table)} records read, comparing")
    known = read_labels(labels, loaded) if labels else None
    chosen = matcher or load_matcher()
    result = match_loaded(loaded, chosen, train=train, labels=known, aim=aim, processes=processes)
    say(f"{len(result.compared.pairs)} pairs compared, writing")
    customers = write_clusters(result, out) if out else len(np.unique(result.matched.customer))
    if pairs:
        write_pairs(result, pairs)
    return _summary(result, customers)


def _summary(result: FileMatch, customers: int) -> Summary:
    records = len(result.loaded.table)
    return Summary(
        records=records,
        customers=customers,
        pairs_compared=len(result.compared.pairs),
        links=int(result.matched.linked.sum()),
        candidates=int(result.matched.candidate.sum()),
        link_at=round(result.matcher.thresholds.link_in_file_at(records), 2),
        candidate_at=round(result.matcher.thresholds.candidate_in_file_at(records), 2),
        model=result.matcher.model.version,
    )


def read_labels(path: Path, loaded: Loaded) -> Labels:
    """A steward's decisions: `id_a,id_b,same` with 1 or 0 in the last column."""
    rows = {identifier: row for row, identifier in enumerate(loaded.id_list())}
    left, right, same = [], [], []
    with path.open(newline="", encoding="utf-8-sig") as handle:
        for number, line in enumerate(csv.DictReader(handle), start=2):
            try:
                pair = rows[line["id_a"]], rows[line["id_b"]]
            except KeyError as missing:
                raise ValueError(f"{path.name} line {number}: no record {missing}") from None
            left.append(min(pair))
            right.append(max(pair))
            same.append(line.get("same", "1").strip().lower() in {"1", "true", "yes", "same"})
    return Labels(Pairs(np.array(left, np.int64), np.array(right, np.int64)), np.array(same, bool))


def waterfall_lines(score: Score) -> list[str]:
    """The score as text: one named weight on each line, then the sum."""
    lines = [f"{w.bits:+8.2f}  {w.field}: {w.level}" for w in score.weights]
    lines.append(f"{score.bits:+8.2f}  bits in all ({chance_of(score.bits):.2%} by these weights)")
    if score.decisive:
        lines.append(f"          the same {score.decisive} decides alone")
    if score.veto:
        lines.append(f"          never linked by itself: {score.veto}")
    return lines


def chance_of(bits: float) -> float:
    return float(1.0 / (1.0 + 2.0 ** -max(-60.0, min(60.0, bits))))


def explain_file(
    path: Path,
    first: str,
    second: str,
    *,
    train: bool = False,
    processes: int = 2,
    matcher: Matcher | None = None,
) -> list[str]:
    """The waterfall of two records of a file."""
    chosen = matcher or load_matcher()
    result = match_loaded(load(path, processes), chosen, train=train, processes=processes)
    score = explain(result, first, second)
    return waterfall_lines(score)


@dataclass(frozen=True, slots=True)
class ThresholdLine:
    """A threshold's consequences, with the ids of pairs at its edge."""

    at: float
    customers: int
    links: int
    expected_precision: float
    expected_missed: float
    edge: tuple[tuple[str, str, float], ...]


def threshold_report(
    path: Path,
    *,
    steps: Sequence[float] = (0, 1, 2, 3, 4, 5, 6, 8),
    train: bool = False,
    processes: int = 2,
) -> list[ThresholdLine]:
    """What each link threshold would do to a file: counts, expected precision, edge."""
    result = match_loaded(load(path, processes), load_matcher(), train=train, processes=processes)
    rows = threshold_rows(result.compared.pairs, result.rounds, steps)
    ids = result.loaded.id_list()
    return [
        ThresholdLine(
            row.at,
            row.customers,
            row.links,
            row.expected_precision,
            row.expected_missed,
            tuple((ids[a], ids[b], bits) for a, b, bits in row.edge),
        )
        for row in rows
    ]
