"""The inbox: what waits to be taken in."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session

from sync.store.session import Tx
from sync.store.tables import BULK, Inbox, System
from sync.store.tables.base import Moment
from sync.store.upsert import insert_into

CHUNK = 500
_NOW = bindparam("now", type_=Moment)
REFUSED = "refused"  # waits for a parent that became a dead letter


def deliver(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Stores deliveries. One that came before is not stored again, unless its row is a poll's.

    Poll rows (`delivery_id` starts with `poll:`) are one per record: a later page replaces what
    an earlier one brought and wakes the row again.
    """
    for start in range(0, len(rows), CHUNK):
        part = list(rows[start : start + CHUNK])
        hints = [row for row in part if not row["delivery_id"].startswith("poll:")]
        polled = [row for row in part if row["delivery_id"].startswith("poll:")]
        if hints:
            tx.execute(insert_into(tx, Inbox).on_conflict_do_nothing(), hints)
        if polled:
            tx.execute(_replace(tx), polled)


_DUE = (  # built once: asked for each batch
    select(Inbox.id, Inbox.lane)
    .where(
        Inbox.system_id == bindparam("system"),
        Inbox.state == "waiting",
        Inbox.due_at <= _NOW,
        or_(Inbox.lease_until.is_(None), Inbox.lease_until < _NOW),
    )
    .order_by(Inbox.lane, Inbox.due_at, Inbox.id)
    .limit(bindparam("count", type_=Integer))
    .with_for_update(skip_locked=True)
)


def claim(
    tx: Tx, system_id: int, *, limit: int, now: datetime, lease: float, token: str
) -> list[Inbox]:
    """Takes waiting rows under a lease; a claim counts as an attempt.

    All of one lane: what a person's edit shares a batch with would go out as an edit, too.
    """
    due = tx.execute(_DUE, {"system": system_id, "now": now, "count": limit}).all()
    if not due:
        return []
    ids = [row_id for row_id, lane in due if lane == due[0].lane]
    tx.execute(
        update(Inbox)
        .where(Inbox.id.in_(ids))
        .values(
            lease_until=now + timedelta(seconds=lease),
            lease_token=token,
            attempts=Inbox.attempts + 1,
        )
    )
    found = tx.scalars(select(Inbox).where(Inbox.id.in_(ids)).order_by(Inbox.id))
    return list(found)


def finish(tx: Tx, rows: Collection[tuple[int, int]], token: str, now: datetime) -> None:
    """Rows (id, generation) that were taken in; one that was delivered again meanwhile stays."""
    generations: dict[int, list[int]] = {}
    for row_id, generation in rows:
        generations.setdefault(generation, []).append(row_id)
    for generation, ids in generations.items():
        for start in range(0, len(ids), CHUNK):
            part = ids[start : start + CHUNK]
            tx.execute(
                update(Inbox)
                .where(
                    Inbox.id.in_(part), Inbox.lease_token == token, Inbox.generation == generation
                )
                .values(state="done", payload=None, done_at=now, lease_until=None, lease_token=None)
            )
            tx.execute(
                update(Inbox)
                .where(Inbox.id.in_(part), Inbox.lease_token == token)
                .values(lease_until=None, lease_token=None, attempts=0)
            )


def postpone(
    tx: Tx,
    ids: Collection[int],
    token: str,
    *,
    due_at: datetime,
    waiting_for: str = "",
    error: str = "",
    refund: bool = False,
) -> None:
    """Gives rows back for later. `refund`: it was no fault of the record, forget the attempt."""
    if not ids:
        return
    values: dict[str, Any] = {
        "lease_until": None,
        "lease_token": None,
        "due_at": due_at,
        "waiting_for": waiting_for,
        "error": error,
    }
    if refund:
        values["attempts"] = Inbox.attempts - 1
    tx.execute(update(Inbox).where(Inbox.id.in_(ids), Inbox.lease_token == token).values(**values))


def wake_children(tx: Tx, system_id: int, now: datetime) -> None:
    """What waits for a parent that was refused is looked at again now."""
    tx.execute(
        update(Inbox)
        .where(
            Inbox.system_id == system_id,
            Inbox.state == "waiting",
            Inbox.waiting_for == REFUSED,
        )
        .values(due_at=now, waiting_for="")
    )


def reread(tx: Tx, ids: Collection[int]) -> None:
    """What these rows carry is out of date: the record has to be read again."""
    if ids:
        tx.execute(
            update(Inbox)
            .where(Inbox.id.in_(ids))
            .values(payload=None, gone=False, read_at=None, version=None, modified_at=None)
        )


def park(tx: Tx, ids: Collection[int], error: str, now: datetime) -> None:
    """Rows that became a dead letter."""
    tx.execute(
        update(Inbox)
        .where(Inbox.id.in_(ids))
        .values(
            state="parked",
            error=error,
            done_at=now,
            lease_until=None,
            lease_token=None,
            payload=None,
        )
    )


def forget_done(tx: Tx, before: datetime) -> int:
    """Drops finished rows; the newer ones still recognise repeats of a delivery."""
    gone = tx.execute(delete(Inbox).where(Inbox.state != "waiting", Inbox.done_at < before))
    return int(getattr(gone, "rowcount", 0))


def carried(
    session: Session, system_id: int, object_name: str, remote_ids: Sequence[str]
) -> set[str]:
    """Which of these records have a poll row that waits."""
    found: set[str] = set()
    for start in range(0, len(remote_ids), CHUNK):
        labels = [f"poll:{object_name}:{i}" for i in remote_ids[start : start + CHUNK]]
        rows = session.scalars(
            select(Inbox.remote_id).where(
                Inbox.system_id == system_id,
                Inbox.delivery_id.in_(labels),
                Inbox.state == "waiting",
            )
        )
        found.update(str(remote_id) for remote_id in rows)
    return found


def objects_unread(session: Session, system_id: int, objects: Collection[str]) -> list[str]:
    """Which of these objects have rows that nobody has tried to take in yet."""
    rows = session.scalars(
        select(Inbox.object)
        .where(
            Inbox.system_id == system_id,
            Inbox.object.in_(objects),
            Inbox.state == "waiting",
            Inbox.error == "",
        )
        .distinct()
    )
    return list(rows)


def waiting(session: Session, system_id: int | None = None) -> int:
    """How many rows wait."""
    query = select(func.count()).select_from(Inbox).where(Inbox.state == "waiting")
    if system_id is not None:
        query = query.where(Inbox.system_id == system_id)
    return session.scalar(query) or 0


_LOADING = (  # built once: asked before each batch
    select(Inbox.id)
    .join(System, System.id == Inbox.system_id)
    .where(
        Inbox.state == "waiting",
        Inbox.lane == BULK,
        or_(Inbox.due_at <= _NOW, Inbox.lease_until > _NOW),
        System.state == "live",
        System.hold_in.is_(False),
    )
    .limit(1)
)


def loading(session: Session, now: datetime) -> bool:
    """Whether rows of a bulk load are due or in hand in any live system."""
    return session.scalar(_LOADING, {"now": now}) is not None


def unread(session: Session, system_id: int, now: datetime) -> bool:
    """Whether records of a system are due to be taken in, or just are."""
    at_work = or_(Inbox.due_at <= now, Inbox.lease_until > now)
    found = session.scalar(
        select(Inbox.id)
        .where(Inbox.system_id == system_id, Inbox.state == "waiting", at_work)
        .limit(1)
    )
    return found is not None


_WITH_WORK = (
    select(Inbox.system_id)
    .where(
        Inbox.state == "waiting",
        Inbox.due_at <= _NOW,
        or_(Inbox.lease_until.is_(None), Inbox.lease_until < _NOW),
    )
    .distinct()
)


def systems_with_work(session: Session, now: datetime) -> list[int]:
    """Systems with rows that are due and in nobody's hands."""
    return list(session.scalars(_WITH_WORK, {"now": now}))


def _replace(tx: Tx) -> Any:
    new = insert_into(tx, Inbox)
    return new.on_conflict_do_update(
        index_elements=["system_id", "delivery_id"],
        set_={
            "payload": new.excluded.payload,
            "gone": new.excluded.gone,
            "version": new.excluded.version,
            "modified_at": new.excluded.modified_at,
            "read_at": new.excluded.read_at,
            "lane": new.excluded.lane,
            "due_at": new.excluded.due_at,
            "received_at": new.excluded.received_at,
            "state": "waiting",
            "attempts": 0,
            "waiting_for": "",
            "error": "",
            "done_at": None,
            "generation": Inbox.generation + 1,
        },
    )
