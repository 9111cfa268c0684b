"""Everything in the hub matched anew: in sets, with progress, and again after an interruption.

After a change of the weights, the thresholds or the normal forms, stored match keys and questions
to the steward are those of the old rules. This reads all customers, mends their keys, compares
them by the very steps that match a file, and asks about what belongs together now. It merges
nothing: customers that stand in the hub stand in other systems too, so a person looks first.

What is right already is not written again. So a run that was interrupted is simply started
again: it reads everything once more, a minute or two for a million, and writes what is missing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import func, select

from sync.core import blocking
from sync.core.batch import Compared, compare_all, match_all, score_all
from sync.core.columns import Ints, Table, Texts
from sync.core.normal.record import normalise
from sync.core.party import party_from_canonical
from sync.core.score import KIND_NAMES, Model, Score, waterfalls
from sync.flow import weights
from sync.flow.hub import Hub
from sync.flow.match import shown
from sync.flow.match_file import MANY, Piece, assembled
from sync.flow.spread import Cores, stream
from sync.store import candidates as questions
from sync.store import goldens, state
from sync.store.session import Database, Tx
from sync.store.tables import Golden, MatchKey

SET = 5_000  # customers read, or questions written, in one go
FEW_SETS = 4  # are not worth a second process
LAST = "z" * 30  # behind every id, in whatever order a database puts letters
FACT = "rematch"  # where the hub keeps how far a run has come
Say = Callable[[str, Mapping[str, int]], None]
Keys = list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Rematched:
    """What came of it."""

    customers: int
    rekeyed: int  # customers whose stored match keys were not those of today's rules
    pairs: int  # compared
    asked: int  # new questions to the steward
    changed: int  # open questions whose score is another now


@dataclass(slots=True)
class _Part:
    """Customers in their normal form, and those whose stored keys are wrong."""

    piece: Piece
    stale: dict[str, tuple[int, Keys]]  # id -> version that was read, right keys


@dataclass(slots=True)
class _Progress:
    """How far a run has come: told to whoever waits, and kept for whoever asks."""

    hub: Hub
    say: Say

    def tell(self, tx: Tx, step: str, done: int, of: int) -> None:
        facts = {"done": done, "of": of}
        state.put(tx, FACT, {"step": step, **facts, "model": self._version(tx)}, self.hub.now())
        tx.after_commit(self.say, step, facts)

    def _version(self, tx: Tx) -> str:
        return weights.in_use(tx).model.version


def progress(hub: Hub) -> Mapping[str, Any]:
    """Where the last run is or was: step (read, compare, ask, done), done, of, model."""
    with hub.database.read() as session:
        return state.get(session, FACT)


def run(
    hub: Hub, *, processes: int = 2, at_once: int = SET, say: Say = lambda *_: None
) -> Rematched:
    """Match all living customers of the hub among themselves."""
    telling = _Progress(hub, say)
    pieces, rekeyed = _read(hub, telling, processes, at_once)
    if not pieces:
        return Rematched(0, 0, 0, 0, 0)
    loaded = assembled(pieces)
    size = len(loaded.table)
    with hub.database.write() as tx:
        telling.tell(tx, "compare", 0, size)
        never, matcher = questions.all_apart(tx), weights.in_use(tx)
    ids = loaded.id_list()
    pairs = loaded.pairs()
    spread = Cores(processes if len(pairs) >= MANY else 1)
    compared = compare_all(loaded.table, pairs, matcher.model, spread=spread)
    scored = score_all(compared, matcher.model)
    rows = {golden_id: row for row, golden_id in enumerate(ids)}
    apart = [(rows[a], rows[b]) for a, b in never if a in rows and b in rows]
    matched = match_all(compared, scored, matcher, rank=loaded.rank(), never=apart, spread=spread)
    found = np.flatnonzero(matched.linked | matched.candidate)
    found = found[np.argsort(-scored.bits[found], kind="stable")]
    asked = changed = 0
    for start in range(0, len(found), at_once):
        some = found[start : start + at_once]
        proposed = _proposed(compared, some, ids, matcher.model)
        with hub.database.write() as tx:
            new, other = questions.ask(tx, proposed, hub.now())
            telling.tell(tx, "ask", min(start + at_once, len(found)), len(found))
        asked, changed = asked + new, changed + other
    with hub.database.write() as tx:
        telling.tell(tx, "done", size, size)
    return Rematched(size, rekeyed, len(pairs), asked, changed)


def _read(hub: Hub, telling: _Progress, processes: int, at_once: int) -> tuple[list[Piece], int]:
    """All customers in pieces; wrong keys are put right on the way."""
    cuts, size = _cuts(hub, at_once)
    if not size:
        return [], 0
    if size <= FEW_SETS * at_once:
        processes = 1

    def work(number: int, count: int) -> Iterator[_Part]:
        # a forked process must not use its parent's connections
        url = hub.database.url.render_as_string(hide_password=False)
        database = hub.database if count == 1 else Database(url)
        for position, (first, end) in enumerate(pairwise(cuts)):
            if position % count == number:
                yield _part(database, position, first, end)

    pieces: list[Piece] = []
    rekeyed = done = 0
    for part in stream(work, processes):
        done += len(part.piece.table)
        pieces.append(part.piece)
        with hub.database.write() as tx:
            rekeyed += _mend(tx, part.stale)
            telling.tell(tx, "read", done, size)
    return sorted((p for p in pieces if len(p.table)), key=lambda piece: piece.number), rekeyed


def _cuts(hub: Hub, at_once: int) -> tuple[list[str], int]:
    """Ids that part the customers into sets, and how many customers there are."""
    living = _living(select(Golden.id)).order_by(Golden.id)
    with hub.database.read() as session:
        size = session.scalar(_living(select(func.count()).select_from(Golden))) or 0
        cuts, last = [""], session.scalar(living.limit(1).offset(at_once))
        while last is not None:
            cuts.append(last)
            last = session.scalar(living.where(Golden.id >= last).limit(1).offset(at_once))
    return [*cuts, LAST], size


def _living(query: Any) -> Any:
    return query.where(Golden.entity == "customer", Golden.state == "live")


def _part(database: Database, number: int, first: str, end: str) -> _Part:
    inside = (Golden.id >= first) & (Golden.id < end)
    query = _living(select(Golden.id, Golden.version, Golden.values)).where(inside)
    stored: dict[str, set[int]] = {}
    with database.read() as session:
        rows = list(session.execute(query.order_by(Golden.id)))
        held = select(MatchKey.golden_id, MatchKey.key)
        held = held.where(MatchKey.golden_id >= first, MatchKey.golden_id < end)
        for golden_id, key in session.execute(held):
            stored.setdefault(golden_id, set()).add(key)
    normals = [normalise(party_from_canonical(values)) for _, _, values in rows]
    table = Table.of(normals)
    keys = blocking.key_arrays(table)
    right: list[Keys] = [[] for _ in rows]
    for row, key, family in zip(
        *(c.tolist() for c in (keys.row, keys.key, keys.family)), strict=True
    ):
        right[row].append((blocking.FAMILIES[family], key))
    stale = {
        golden_id: (version, own)
        for (golden_id, version, _), own in zip(rows, right, strict=True)
        if stored.get(golden_id, set()) != {key for _, key in own}
    }
    ids = Texts.of([golden_id for golden_id, *_ in rows])
    return _Part(Piece(number, ids, table, keys), stale)


def _mend(tx: Tx, stale: Mapping[str, tuple[int, Keys]]) -> int:
    """Replaces wrong keys; a customer that was edited meanwhile has right ones by that."""
    versions = goldens.versions(tx, list(stale))
    mended = {i: keys for i, (version, keys) in stale.items() if versions.get(i) == version}
    goldens.set_keys(tx, mended, ())
    return len(mended)


def _proposed(
    compared: Compared, some: Ints, ids: Sequence[str], weights: Model
) -> list[questions.Question]:
    """The pairs as questions, with their waterfalls."""
    left, right = compared.pairs.left[some].tolist(), compared.pairs.right[some].tolist()
    scores: dict[int, Score] = {}
    for code, matrix in compared.matrix.items():
        of_kind = np.flatnonzero(compared.kind == code)
        mine = some[compared.kind[some] == code]
        levels = matrix[np.searchsorted(of_kind, mine)]
        found = waterfalls(levels, weights.kinds[KIND_NAMES[code]], len(compared.table))
        scores.update(zip(mine.tolist(), found, strict=True))
    return [
        questions.Question(*questions.pair_of(ids[a], ids[b]), scores[n].bits, shown(scores[n]))
        for n, a, b in zip(some.tolist(), left, right, strict=True)
    ]
