"""Pairs that may be one customer, and merges that can be undone."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from sync.store.session import Tx
from sync.store.tables import Candidate, Merge

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
