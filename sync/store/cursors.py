"""Cursors: how far each object of a system has been read."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Boolean, bindparam, case, func, or_, select, update
from sqlalchemy.orm import Session

from sync.store.session import Tx
from sync.store.tables import Cursor, System
from sync.store.tables.base import Moment

# Built once: asked for each object and page of each poll. No cursor is loaded when they run.
_ONE = (Cursor.system_id == bindparam("system"), Cursor.object == bindparam("name"))
_HELD = update(Cursor).where(*_ONE, Cursor.lease_token == bindparam("token"))
_ALONE = {"synchronize_session": False}
_TAKE = (
    update(Cursor)
    .where(
        *_ONE,
        or_(Cursor.lease_until.is_(None), Cursor.lease_until < bindparam("now", type_=Moment)),
    )
    .values(lease_until=bindparam("until"), lease_token=bindparam("token"))
    .returning(Cursor.object)
    .execution_options(**_ALONE)
)
_ADVANCE = (
    _HELD.values(position=bindparam("place"), lease_until=bindparam("until"))
    .returning(Cursor.object)
    .execution_options(**_ALONE)
)
_EXTEND = (
    _HELD.values(lease_until=bindparam("until"))
    .returning(Cursor.object)
    .execution_options(**_ALONE)
)
_UNKEYED = _HELD.values(
    lease_until=None,
    lease_token=None,
    unkeyed=bindparam("place"),
    unkeyed_at=bindparam("ended", type_=Moment),
).execution_options(**_ALONE)
_RELEASE = _HELD.values(
    lease_until=None,
    lease_token=None,
    due_at=bindparam("due"),
    error=bindparam("said"),
    failures=case((bindparam("failed", type_=Boolean), Cursor.failures + 1), else_=0),
    polled_at=func.coalesce(bindparam("ended", type_=Moment), Cursor.polled_at),
).execution_options(**_ALONE)


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
    until = now + timedelta(seconds=lease)
    taken = tx.scalar(_TAKE, _own(system_id, object_name, token) | {"now": now, "until": until})
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
    news = {"place": dict(position), "until": until}
    kept = tx.scalar(_ADVANCE, _own(system_id, object_name, token) | news)
    return kept is not None


def extend(tx: Tx, system_id: int, object_name: str, token: str, until: datetime) -> bool:
    """Keeps the lease; False where it was lost."""
    return tx.scalar(_EXTEND, _own(system_id, object_name, token) | {"until": until}) is not None


def unkeyed_from(cursor: Cursor) -> Mapping[str, Any] | None:
    """Where a listing of what carries no hub key goes on: behind the last one of either kind."""
    last, polled = cursor.unkeyed_at, cursor.polled_at
    if last is not None and (polled is None or polled < last):
        return cursor.unkeyed
    return cursor.position


def release_unkeyed(
    tx: Tx,
    system_id: int,
    object_name: str,
    token: str,
    *,
    position: Mapping[str, Any],
    listed_at: datetime,
) -> None:
    """The listing of what carries no hub key ended well."""
    news = {"place": dict(position), "ended": listed_at}
    tx.execute(_UNKEYED, _own(system_id, object_name, token) | news)


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
    news: dict[str, Any] = {"due": due_at, "said": error, "ended": polled_at}
    tx.execute(_RELEASE, _own(system_id, object_name, token) | news | {"failed": bool(error)})


def _own(system_id: int, object_name: str, token: str) -> dict[str, Any]:
    return {"system": system_id, "name": object_name, "token": token}


class Listed(NamedTuple):
    """How far an object's listings have come."""

    begun: bool = False  # listed before, so that only changes are left to list
    heard_at: datetime | None = None  # when the last that ended well and hides no new one began
    held_until: datetime | None = None  # somebody lists it now

    def is_held(self, now: datetime) -> bool:
        """Whether somebody is listing it."""
        return self.held_until is not None and self.held_until >= now


def listed(session: Session, system_id: int, object_name: str) -> Listed:
    """How far the listings of an object have come."""
    row = session.execute(
        select(
            Cursor.position.is_not(None), Cursor.polled_at, Cursor.unkeyed_at, Cursor.lease_until
        ).where(Cursor.system_id == system_id, Cursor.object == object_name)
    ).one_or_none()
    if row is None:
        return Listed()
    begun, polled, unkeyed, held = row
    return Listed(begun, max((at for at in (polled, unkeyed) if at), default=None), held)


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
