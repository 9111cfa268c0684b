"""Cursors: how far each object of a system has been read."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from sync.store.session import Tx
from sync.store.tables import Cursor, System


def ensure(tx: Tx, system_id: int, objects: list[str], now: datetime) -> None:
    """A cursor for each object that has none."""
    known = set(tx.scalars(select(Cursor.object).where(Cursor.system_id == system_id)))
    for name in objects:
        if name not in known:
            tx.add(Cursor(system_id=system_id, object=name, position=None, due_at=now))
    tx.flush()


def take(
    tx: Tx, system_id: int, object_name: str, *, now: datetime, lease: float, token: str
) -> Cursor | None:
    """The cursor under a lease; None where another worker has it."""
    free = or_(Cursor.lease_until.is_(None), Cursor.lease_until < now)
    taken = tx.scalar(
        update(Cursor)
        .where(Cursor.system_id == system_id, Cursor.object == object_name, free)
        .values(lease_until=now + timedelta(seconds=lease), lease_token=token)
        .returning(Cursor.object)
    )
    return tx.get_one(Cursor, (system_id, object_name)) if taken else None


def advance(
    tx: Tx,
    system_id: int,
    object_name: str,
    token: str,
    position: Mapping[str, Any],
    until: datetime,
) -> bool:
    """Stores how far a listing came and keeps the lease; False where the lease was lost."""
    kept = tx.scalar(
        update(Cursor)
        .where(
            Cursor.system_id == system_id,
            Cursor.object == object_name,
            Cursor.lease_token == token,
        )
        .values(position=dict(position), lease_until=until)
        .returning(Cursor.object)
    )
    return kept is not None


def release(
    tx: Tx,
    system_id: int,
    object_name: str,
    token: str,
    *,
    due_at: datetime,
    polled_at: datetime | None = None,
    error: str = "",
) -> None:
    """The listing ended: well (`polled_at`), or with an error."""
    values: dict[str, Any] = {"lease_until": None, "lease_token": None, "due_at": due_at}
    values["error"] = error
    values["failures"] = Cursor.failures + 1 if error else 0
    if polled_at is not None:
        values["polled_at"] = polled_at
    tx.execute(
        update(Cursor)
        .where(
            Cursor.system_id == system_id,
            Cursor.object == object_name,
            Cursor.lease_token == token,
        )
        .values(**values)
    )


class Listed(NamedTuple):
    """How far an object's listings have come."""

    begun: bool = False  # listed before, so that only changes are left to list
    polled_at: datetime | None = None  # when the last listing that ended well began
    held_until: datetime | None = None  # somebody lists it now

    def is_held(self, now: datetime) -> bool:
        """Whether somebody is listing it."""
        return self.held_until is not None and self.held_until >= now


def listed(session: Session, system_id: int, object_name: str) -> Listed:
    """How far the listings of an object have come."""
    row = session.execute(
        select(Cursor.position.is_not(None), Cursor.polled_at, Cursor.lease_until).where(
            Cursor.system_id == system_id, Cursor.object == object_name
        )
    ).one_or_none()
    return Listed(*row) if row is not None else Listed()


def due_systems(session: Session, now: datetime) -> list[int]:
    """Live systems with an object that wants polling."""
    free = or_(Cursor.lease_until.is_(None), Cursor.lease_until < now)
    return list(
        session.scalars(
            select(Cursor.system_id)
            .join(System, System.id == Cursor.system_id)
            .where(Cursor.due_at <= now, free, System.state == "live")
            .distinct()
        )
    )


def hurry(tx: Tx, system_id: int | None, now: datetime) -> None:
    """Polls as soon as a worker is free."""
    query = update(Cursor).values(due_at=now)
    if system_id is not None:
        query = query.where(Cursor.system_id == system_id)
    tx.execute(query)
