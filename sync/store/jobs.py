"""Jobs: asked for, taken under a lease, kept, ended."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from sync.store.session import Tx
from sync.store.tables import Job
from sync.store.tables.job import OPEN
from sync.store.upsert import insert_into

OPEN_STATES = ("waiting", "running")


def ask(
    tx: Tx,
    kind: str,
    subject: str,
    facts: Mapping[str, Any],
    *,
    actor: str,
    now: datetime,
    due_at: datetime,
) -> int:
    """The open job of this kind and subject: a new one, or the one that there is."""
    row = {
        "kind": kind,
        "subject": subject,
        "facts": dict(facts),
        "state": "waiting",
        "actor": actor,
        "attempts": 0,
        "progress": {},
        "result": {},
        "error": "",
        "asked_at": now,
        "due_at": due_at,
    }
    new = insert_into(tx, Job).values(row)
    only_one = new.on_conflict_do_nothing(
        index_elements=["kind", "subject"], index_where=text(OPEN)
    )
    tx.execute(only_one)
    open_one = select(Job.id).where(
        Job.kind == kind, Job.subject == subject, Job.state.in_(OPEN_STATES)
    )
    return int(tx.scalars(open_one).one())


def take(tx: Tx, job_id: int, token: str, *, now: datetime, until: datetime) -> Job | None:
    """The job under a lease; None where another worker has it, or it has ended."""
    lost = and_(Job.state == "running", Job.due_at < now)
    taken = tx.scalar(
        update(Job)
        .where(Job.id == job_id, or_(Job.state == "waiting", lost))
        .values(
            state="running",
            attempts=Job.attempts + 1,
            started_at=func.coalesce(Job.started_at, now),
            due_at=until,
            lease_token=token,
            error="",
        )
        .returning(Job.id)
    )
    return tx.get_one(Job, job_id) if taken else None


def keep(tx: Tx, job_id: int, token: str, until: datetime) -> bool:
    """Holds the lease longer; False where it was lost."""
    return _own(tx, job_id, token, {"due_at": until})


def note(tx: Tx, job_id: int, token: str, progress: Mapping[str, Any]) -> bool:
    """How far it has come."""
    return _own(tx, job_id, token, {"progress": dict(progress)})


def end(
    tx: Tx, job_id: int, token: str, result: Mapping[str, Any], now: datetime, error: str = ""
) -> bool:
    """The end: well, or with a sentence. False where the lease was lost: another one ends it."""
    values = {
        "state": "failed" if error else "done",
        "result": dict(result),
        "error": error,
        "ended_at": now,
        "lease_token": None,
    }
    return _own(tx, job_id, token, values)


def postpone(
    tx: Tx, job_id: int, token: str, due_at: datetime, error: str, *, refund: bool
) -> bool:
    """Back in the queue, since what it needs does not answer now; `refund`: it does not count."""
    values = {
        "state": "waiting",
        "attempts": Job.attempts - int(refund),
        "due_at": due_at,
        "error": error,
        "lease_token": None,
    }
    return _own(tx, job_id, token, values)


def wake_due(tx: Tx, now: datetime, again: timedelta) -> list[int]:
    """What waits, or lost its worker; asked once more only after `again`, unless it is taken."""
    due = list(tx.scalars(select(Job.id).where(Job.state.in_(OPEN_STATES), Job.due_at < now)))
    waiting = update(Job).where(Job.id.in_(due), Job.state == "waiting")
    if due:
        tx.execute(waiting.values(due_at=now + again))
    return due


def due(session: Session, now: datetime) -> list[int]:
    """What `wake_due` would find, oldest first."""
    open_ones = select(Job.id).where(Job.state.in_(OPEN_STATES), Job.due_at < now)
    return list(session.scalars(open_ones.order_by(Job.id)))


def has_due(session: Session, now: datetime) -> bool:
    """Whether `wake_due` would find any."""
    found = select(Job.id).where(Job.state.in_(OPEN_STATES), Job.due_at < now).limit(1)
    return session.scalar(found) is not None


def is_open(session: Session, kind: str, subject: str) -> bool:
    """Whether such a job is still to be done."""
    found = select(Job.id).where(
        Job.kind == kind, Job.subject == subject, Job.state.in_(OPEN_STATES)
    )
    return session.scalar(found) is not None


def newest(session: Session, kind: str, subject: str | None = None) -> Job | None:
    """The last one of a kind (and subject) that was asked for."""
    query = select(Job).where(Job.kind == kind).order_by(Job.id.desc()).limit(1)
    if subject is not None:
        query = query.where(Job.subject == subject)
    return session.scalar(query)


def newest_by_subject(session: Session, kind: str) -> dict[str, Job]:
    """The last one of a kind for each subject."""
    last = select(func.max(Job.id)).where(Job.kind == kind).group_by(Job.subject)
    return {job.subject: job for job in session.scalars(select(Job).where(Job.id.in_(last)))}


def drop(tx: Tx, kind: str, subject: str, reason: str, now: datetime) -> bool:
    """Ends the open job of a kind and subject without doing it; False where there is none."""
    dropped = tx.scalar(
        update(Job)
        .where(Job.kind == kind, Job.subject == subject, Job.state.in_(OPEN_STATES))
        .values(state="failed", error=reason, ended_at=now, lease_token=None)
        .returning(Job.id)
    )
    return dropped is not None


def drop_open(tx: Tx, reason: str, now: datetime) -> None:
    """Ends all that is open without doing it."""
    tx.execute(
        update(Job)
        .where(Job.state.in_(OPEN_STATES))
        .values(state="failed", error=reason, ended_at=now, lease_token=None)
    )


def forget(tx: Tx, before: datetime) -> None:
    """Drops what ended long ago."""
    tx.execute(delete(Job).where(Job.ended_at < before))


def _own(tx: Tx, job_id: int, token: str, values: Mapping[str, Any]) -> bool:
    done = tx.scalar(
        update(Job)
        .where(Job.id == job_id, Job.lease_token == token)
        .values(**values)
        .returning(Job.id)
    )
    return done is not None
