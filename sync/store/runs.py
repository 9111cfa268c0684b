"""Runs, dead letters and guards."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from sync.store.session import Tx
from sync.store.tables import Change, DeadLetter, Guard, Run


def start(tx: Tx, kind: str, system_id: int | None, now: datetime, actor: str = "") -> int:
    """A new run; returns its id."""
    run = Run(kind=kind, system_id=system_id, started_at=now, actor=actor)
    tx.add(run)
    tx.flush()
    return run.id


def end(tx: Tx, run_id: int, counts: Mapping[str, Any], now: datetime, *, error: str = "") -> None:
    """The end of a run; counts that are zero are left out."""
    kept = {name: value for name, value in counts.items() if value}
    tx.execute(
        update(Run)
        .where(Run.id == run_id)
        .values(state="failed" if error else "done", ended_at=now, counts=kept, error=error)
    )


def dead(tx: Tx, letter: DeadLetter) -> None:
    """Keeps a dead letter; an open one about the same thing is replaced."""
    same = (
        DeadLetter.system_id == letter.system_id,
        DeadLetter.direction == letter.direction,
        DeadLetter.object == letter.object,
        DeadLetter.state == "open",
        DeadLetter.golden_id == letter.golden_id
        if letter.direction == "out"
        else DeadLetter.remote_id == letter.remote_id,
    )
    tx.execute(update(DeadLetter).where(*same).values(state="retried", closed_at=letter.created_at))
    tx.add(letter)


def resolve_dead(
    tx: Tx,
    system_id: int,
    direction: str,
    *,
    object_name: str,
    remote_ids: list[str] | None = None,
    golden_ids: list[str] | None = None,
    now: datetime,
) -> int:
    """Closes open dead letters of what has gone through after all; returns how many."""
    ids = (
        DeadLetter.remote_id.in_(remote_ids or [])
        if remote_ids is not None
        else (DeadLetter.golden_id.in_(golden_ids or []))
    )
    closed = tx.execute(
        update(DeadLetter)
        .where(
            DeadLetter.system_id == system_id,
            DeadLetter.direction == direction,
            DeadLetter.object == object_name,
            DeadLetter.state == "open",
            ids,
        )
        .values(state="retried", closed_at=now)
    )
    return int(getattr(closed, "rowcount", 0))


def refused_writes(
    session: Session, system_id: int, golden_ids: Collection[str]
) -> dict[str, tuple[str, str]]:
    """State and message of the newest letter about a refused write, open or discarded."""
    if not golden_ids:
        return {}
    rows = session.execute(
        select(DeadLetter.golden_id, DeadLetter.state, DeadLetter.message)
        .where(
            DeadLetter.golden_id.in_(golden_ids),
            DeadLetter.system_id == system_id,
            DeadLetter.direction == "out",
            DeadLetter.state.in_(("open", "discarded")),
        )
        .order_by(DeadLetter.id)
    )
    return {str(golden_id): (state, message) for golden_id, state, message in rows}


def refused_record(
    session: Session, system_id: int, objects: Collection[str], remote_id: str
) -> tuple[str, str]:
    """State and message of the newest letter, open or discarded, about a record not taken in."""
    row = session.execute(
        select(DeadLetter.state, DeadLetter.message)
        .where(
            DeadLetter.state.in_(("open", "discarded")),
            DeadLetter.system_id == system_id,
            DeadLetter.direction == "in",
            DeadLetter.object.in_(objects),
            DeadLetter.remote_id == remote_id,
        )
        .order_by(DeadLetter.id.desc())
        .limit(1)
    ).one_or_none()
    return (row[0], row[1]) if row else ("", "")


def open_dead(session: Session, system_id: int | None = None) -> int:
    """How many dead letters are open."""
    query = select(func.count()).select_from(DeadLetter).where(DeadLetter.state == "open")
    if system_id is not None:
        query = query.where(DeadLetter.system_id == system_id)
    return session.scalar(query) or 0


def recent_deletes(session: Session, system_id: int, since: datetime) -> int:
    """How many links of a system were lost to remote deletes lately."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Change)
            .where(Change.system_id == system_id, Change.op == "gone", Change.at >= since)
        )
        or 0
    )


def open_guard(session: Session, system_id: int, kind: str) -> Guard | None:
    """The guard of this kind that waits for a decision."""
    return session.scalar(
        select(Guard).where(Guard.system_id == system_id, Guard.kind == kind, Guard.state == "open")
    )


def allowance(session: Session, system_id: int, kind: str, since: datetime) -> Guard | None:
    """The newest guard that somebody allowed after `since`."""
    return session.scalar(
        select(Guard)
        .where(
            Guard.system_id == system_id,
            Guard.kind == kind,
            Guard.state == "allowed",
            Guard.decided_at >= since,
        )
        .order_by(Guard.id.desc())
        .limit(1)
    )
