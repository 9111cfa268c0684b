"""The dirty rows: which golden record and which system may disagree."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from sqlalchemy import Integer, bindparam, case, delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from sync.store.session import Tx
from sync.store.tables import BULK, INTERACTIVE, DeadLetter, Dirty, Golden
from sync.store.tables.base import Moment
from sync.store.upsert import insert_into

CHUNK = 500
PARENTS_FIRST = ("customer", "contact", "order", "invoice", "payment")


# Built once: asked for each batch, or ten times for it.
_NOW = bindparam("now", type_=Moment)
_IS_DUE = (Dirty.due_at <= _NOW, or_(Dirty.lease_until.is_(None), Dirty.lease_until < _NOW))
_WITH_WORK = select(Dirty.system_id).where(*_IS_DUE).distinct()
_IN_LANE = (Dirty.system_id == bindparam("system"), Dirty.lane == bindparam("lane"), *_IS_DUE)
_ANY_DUE = select(Dirty.id).where(*_IN_LANE).limit(1)
_DUE = (
    select(Dirty.id)
    .where(*_IN_LANE, Dirty.entity == bindparam("entity"))
    .order_by(Dirty.due_at, Dirty.id)
    .limit(bindparam("count", type_=Integer))
    .with_for_update(skip_locked=True)
)


def mark(
    tx: Tx,
    pairs: Iterable[tuple[str, str, int]],
    *,
    reason: str,
    lane: int,
    now: datetime,
) -> set[int]:
    """Marks (golden id, entity, system id); returns the systems. A marked pair is marked again."""
    rows: list[dict[str, Any]] = [
        {
            "golden_id": golden_id,
            "entity": entity,
            "system_id": system_id,
            "reason": reason,
            "lane": lane,
            "due_at": now,
            "marked_at": now,
        }
        for golden_id, entity, system_id in sorted(set(pairs))
    ]
    for start in range(0, len(rows), CHUNK):
        new = insert_into(tx, Dirty)
        tx.execute(
            new.on_conflict_do_update(
                index_elements=["golden_id", "system_id"],
                set_={
                    "reason": new.excluded.reason,
                    "lane": case(
                        (Dirty.lane < new.excluded.lane, Dirty.lane), else_=new.excluded.lane
                    ),
                    "due_at": new.excluded.due_at,
                    "attempts": 0,
                    "generation": Dirty.generation + 1,
                    "waiting_for": "",
                    "error": "",
                },
            ),
            rows[start : start + CHUNK],
        )
    return {row["system_id"] for row in rows}


def is_due(session: Session, system_id: int, now: datetime, lanes: Collection[int]) -> bool:
    """Whether a claim would find anything."""
    look = {"system": system_id, "now": now}
    return any(session.scalar(_ANY_DUE, {**look, "lane": lane}) is not None for lane in lanes)


def is_bulk_due(session: Session, now: datetime, *, at_least: int) -> bool:
    """Whether a load of so many records or more is on its way; a held or waiting one is not."""
    due = select(Dirty.id).where(Dirty.lane == BULK, Dirty.due_at <= now, Dirty.waiting_for == "")
    found = select(func.count()).select_from(due.limit(at_least).subquery())
    return (session.scalar(found) or 0) >= at_least


def claim(
    tx: Tx,
    system_id: int,
    *,
    limit: int,
    now: datetime,
    lease: float,
    token: str,
    lanes: Collection[int] = (INTERACTIVE, BULK),
) -> list[Dirty]:
    """Takes due rows of one system under a lease, parents before children.

    One look per lane and kind: each is read off an index, however many rows wait.
    """
    ids: list[int] = []
    for lane, entity in product(sorted(lanes), PARENTS_FIRST):
        if len(ids) == limit:
            break
        look = {"system": system_id, "lane": lane, "entity": entity}
        ids += tx.scalars(_DUE, {**look, "now": now, "count": limit - len(ids)})
    if not ids:
        return []
    tx.execute(
        update(Dirty)
        .where(Dirty.id.in_(ids))
        .values(
            lease_until=now + timedelta(seconds=lease),
            lease_token=token,
            attempts=Dirty.attempts + 1,
        )
    )
    return list(tx.scalars(select(Dirty).where(Dirty.id.in_(ids)).order_by(Dirty.id)))


def extend(tx: Tx, ids: Collection[int], token: str, until: datetime) -> None:
    """Keeps rows in hand for longer."""
    tx.execute(
        update(Dirty).where(Dirty.id.in_(ids), Dirty.lease_token == token).values(lease_until=until)
    )


def settle(tx: Tx, rows: Collection[tuple[int, int]], token: str) -> None:
    """Removes rows (id, generation) that agree now; one marked again meanwhile stays."""
    generations: dict[int, list[int]] = {}
    for row_id, generation in rows:
        generations.setdefault(generation, []).append(row_id)
    for generation, ids in generations.items():
        mine = (Dirty.id.in_(ids), Dirty.lease_token == token)
        tx.execute(delete(Dirty).where(*mine, Dirty.generation == generation))
        tx.execute(update(Dirty).where(*mine).values(lease_until=None, lease_token=None))


def keep(tx: Tx, row_id: int, due_at: datetime) -> None:
    """A row in hand is looked at again later, however this round ends."""
    tx.execute(
        update(Dirty)
        .where(Dirty.id == row_id)
        .values(generation=Dirty.generation + 1, due_at=due_at)
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
    """Gives rows back for later. `refund`: nothing failed, forget the attempt."""
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
        values["attempts"] = Dirty.attempts - 1
    tx.execute(update(Dirty).where(Dirty.id.in_(ids), Dirty.lease_token == token).values(**values))


def wake_children_of(tx: Tx, golden_id: str, system_id: int, now: datetime) -> None:
    """What waits for this record in a system learns now that it was refused."""
    children = select(Golden.id).where(Golden.parent_id == golden_id)
    tx.execute(
        update(Dirty)
        .where(
            Dirty.golden_id.in_(children),
            Dirty.system_id == system_id,
            Dirty.waiting_for == "parent",
        )
        .values(due_at=now)
    )


def wake_children(
    tx: Tx, system_id: int, now: datetime, *, given_up_of: Collection[str] = ()
) -> bool:
    """What waits for a parent in a system is looked at again now; whether there is any.

    `given_up_of`: parents that are there now. Children that were given up with an earlier,
    discarded try of one of these are wanted again.
    """
    woken = wake_waiting(tx, system_id, ("parent", "refused", "review"), now)
    dropped = select(DeadLetter.golden_id).where(
        DeadLetter.golden_id.in_(given_up_of),
        DeadLetter.system_id == system_id,
        DeadLetter.direction == "out",
        DeadLetter.state == "discarded",
    )
    ids = set(tx.scalars(dropped)) if given_up_of else set()
    if ids:
        children = tx.execute(select(Golden.id, Golden.entity).where(Golden.parent_id.in_(ids)))
        pairs = [(child_id, entity, system_id) for child_id, entity in children]
        woken |= bool(mark(tx, pairs, reason="its parent came", lane=INTERACTIVE, now=now))
    return woken


_IS_WAITING = text("waiting_for <> ''")  # names the index on these few, in each database


def waits_for(session: Session, system_id: int, reasons: Collection[str]) -> bool:
    """Whether rows wait for one of these."""
    found = select(Dirty.id).where(
        Dirty.system_id == system_id, Dirty.waiting_for.in_(reasons), _IS_WAITING
    )
    return session.scalar(found.limit(1)) is not None


def wake_waiting(tx: Tx, system_id: int, reasons: Collection[str], now: datetime) -> bool:
    """What waits for one of these is looked at again now; whether there is any."""
    woken = tx.execute(
        update(Dirty)
        .where(Dirty.system_id == system_id, Dirty.waiting_for.in_(reasons), _IS_WAITING)
        .values(due_at=now, waiting_for="", error="")
    )
    return int(getattr(woken, "rowcount", 0)) > 0


def waiting(session: Session, system_id: int | None = None) -> int:
    """How many pairs wait."""
    query = select(func.count()).select_from(Dirty)
    if system_id is not None:
        query = query.where(Dirty.system_id == system_id)
    return session.scalar(query) or 0


def systems_with_work(session: Session, now: datetime) -> list[int]:
    """Systems with rows that are due and in nobody's hands."""
    return list(session.scalars(_WITH_WORK, {"now": now}))
