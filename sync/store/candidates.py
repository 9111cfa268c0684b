"""Pairs that may be one customer, and merges that can be undone."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from sync.store.session import Tx
from sync.store.tables import Candidate, Merge
from sync.store.upsert import insert_into

CHUNK = 500
DIFFERENT = "different"


def pair_of(a: str, b: str) -> tuple[str, str]:
    """A pair as it is stored: the older record first."""
    return (a, b) if a < b else (b, a)


def between(session: Session, a: str, b: str) -> Candidate | None:
    """The row of a pair, whatever its state."""
    first, second = pair_of(a, b)
    return session.scalar(
        select(Candidate).where(Candidate.first_id == first, Candidate.second_id == second)
    )


def of_golden(session: Session, golden_id: str) -> list[Candidate]:
    """All rows that name a golden record."""
    named = or_(Candidate.first_id == golden_id, Candidate.second_id == golden_id)
    return list(session.scalars(select(Candidate).where(named).order_by(Candidate.id)))


def is_held(session: Session, golden_id: str) -> bool:
    """Whether an open pair keeps a record back; the newer one of a pair is kept."""
    query = select(Candidate.id).where(Candidate.second_id == golden_id, Candidate.state == "open")
    return session.scalar(query.limit(1)) is not None


def apart(session: Session, ids: Collection[str]) -> set[tuple[str, str]]:
    """The pairs among these records that a person has decided to be different."""
    wanted, found = sorted(ids), set[tuple[str, str]]()
    for start in range(0, len(wanted), CHUNK):
        rows = session.execute(
            select(Candidate.first_id, Candidate.second_id).where(
                Candidate.state == DIFFERENT,
                Candidate.first_id.in_(wanted[start : start + CHUNK]),
            )
        )
        found.update((first, second) for first, second in rows)
    return found


def all_apart(session: Session) -> list[tuple[str, str]]:
    """Every pair that a person has decided to be different."""
    query = select(Candidate.first_id, Candidate.second_id).where(Candidate.state == DIFFERENT)
    return [(first, second) for first, second in session.execute(query)]


@dataclass(frozen=True, slots=True)
class Question:
    """A pair that may be one customer, as it is put to a steward."""

    first_id: str
    second_id: str
    score: float
    weights: list[Any]


def ask(tx: Tx, asked: Sequence[Question], now: datetime) -> tuple[int, int]:
    """(new questions, open ones whose score changed); what was decided is not asked again."""
    new = changed = 0
    for start in range(0, len(asked), CHUNK):
        some = asked[start : start + CHUNK]
        known = _known(tx, some)
        fresh = [q for q in some if (q.first_id, q.second_id) not in known]
        other = [
            (known[q.first_id, q.second_id], q)
            for q in some
            if (q.first_id, q.second_id) in known and _moved(known[q.first_id, q.second_id], q)
        ]
        if fresh:
            facts = {"state": "open", "decided_by": "", "created_at": now}
            rows = [{**asdict(question), **facts} for question in fresh]
            tx.execute(insert_into(tx, Candidate).on_conflict_do_nothing(), rows)
        if other:
            tx.execute(
                update(Candidate),
                [{"id": k.id, "score": q.score, "weights": q.weights} for k, q in other],
            )
        new, changed = new + len(fresh), changed + len(other)
    return new, changed


def _known(tx: Tx, asked: Sequence[Question]) -> dict[tuple[str, str], Any]:
    """What is known of these pairs: id, state, score."""
    rows = tx.execute(
        select(
            Candidate.first_id, Candidate.second_id, Candidate.id, Candidate.state, Candidate.score
        ).where(Candidate.first_id.in_({question.first_id for question in asked}))
    )
    return {(row.first_id, row.second_id): row for row in rows}


def _moved(known: Any, question: Question) -> bool:
    return bool(known.state == "open" and abs(known.score - question.score) >= 0.01)


def decide(tx: Tx, a: str, b: str, state: str, *, actor: str, now: datetime) -> Candidate:
    """Notes a decision about a pair; a pair that nobody proposed gets a row, too."""
    row = between(tx, a, b)
    if row is None:
        first, second = pair_of(a, b)
        row = Candidate(first_id=first, second_id=second, score=0.0, created_at=now)
        tx.add(row)
    row.state, row.decided_by, row.decided_at = state, actor, now
    tx.flush()
    return row


def kept(row: Candidate) -> dict[str, Any]:
    """A row as JSON, to be put back as it was."""
    return {
        "first_id": row.first_id,
        "second_id": row.second_id,
        "score": row.score,
        "weights": row.weights,
        "state": row.state,
        "decided_by": row.decided_by,
        "decided_at": row.decided_at.isoformat() if row.decided_at else None,
        "created_at": row.created_at.isoformat(),
    }


def put_back(tx: Tx, stored: dict[str, Any]) -> None:
    """Makes a pair's row what it was when it was kept."""
    row = between(tx, stored["first_id"], stored["second_id"])
    if row is None:
        row = Candidate(first_id=stored["first_id"], second_id=stored["second_id"])
        tx.add(row)
    row.score, row.weights, row.state = stored["score"], stored["weights"], stored["state"]
    row.decided_by = stored["decided_by"]
    decided = stored["decided_at"]
    row.decided_at = datetime.fromisoformat(decided) if decided else None
    row.created_at = datetime.fromisoformat(stored["created_at"])
    tx.flush()


def later_merge(session: Session, merge: Merge) -> Merge | None:
    """A merge of the same records that was made after this one and still stands."""
    sides = (merge.winner_id, merge.loser_id)
    return session.scalar(
        select(Merge)
        .where(
            Merge.id > merge.id,
            Merge.undone_at.is_(None),
            or_(Merge.winner_id.in_(sides), Merge.loser_id.in_(sides)),
        )
        .order_by(Merge.id.desc())
        .limit(1)
    )
