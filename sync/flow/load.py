"""Reading systems as a whole for a plan, and putting a plan's records into the inbox."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from connectors.sdk.contract import Change, ReadsChanges
from sync.flow import worked_out
from sync.flow.hub import Hub
from sync.flow.poll import has_moved, timed_pages
from sync.flow.reconcile import mark_differing
from sync.gateway.systems import OpenSystem
from sync.store import cursors, dirty, inbox, links
from sync.store.tables import BULK, Cursor, Link, Plan, Staged, System
from sync.store.upsert import insert_into

CHUNK = 500
Progress = Callable[[str, str, int], None]  # system, object, records read so far


def stage(
    hub: Hub, plan_id: int, system: OpenSystem, progress: Progress, *, whole: bool = False
) -> dict[str, Any]:
    """Reads every object of a system; keeps what differs from what was last seen (or all of it).

    Returns the cursors to go on from, by object. A listing that breaks raises: nothing is
    concluded from half of it.
    """
    positions: dict[str, Any] = {}
    if not isinstance(system.connector, ReadsChanges):
        return positions
    for name in system.specs:
        if system.reads(name):
            positions[name] = _stage_object(hub, plan_id, system, name, progress, whole=whole)
    return positions


def _stage_object(
    hub: Hub,
    plan_id: int,
    system: OpenSystem,
    name: str,
    progress: Progress,
    *,
    whole: bool = False,
) -> Any:
    count, position = 0, None
    with hub.database.read() as session:
        linked = links.live_count(session, system.id, name) > 0
    listed: set[str] = set()
    for read_at, page in timed_pages(hub, system, name, None):
        position = dict(page.cursor)
        count += len(page.changes)
        if linked:  # of a system that is new nothing can be missing
            listed.update(change.remote_id for change in page.changes if change.data is not None)
        _keep(hub, plan_id, system, name, page.changes, read_at, whole=whole)
        progress(system.name, name, count)
    if linked:
        _stage_missing(hub, plan_id, system, name, listed)
    return position


def _keep(
    hub: Hub,
    plan_id: int,
    system: OpenSystem,
    name: str,
    changes: Sequence[Change],
    read_at: datetime,
    *,
    whole: bool = False,
) -> None:
    with hub.database.read() as session:
        known = links.sights(session, system.id, name, [c.remote_id for c in changes])
    rows = [
        _staged(plan_id, system.id, change, read_at)
        for change in changes
        if has_moved(system, name, change, known.get(change.remote_id))
        or (whole and change.data is not None and change.remote_id in known)
    ]
    if not rows:
        return
    with hub.database.write() as tx:
        new = insert_into(tx, Staged)
        newer = {c: new.excluded[c] for c in ("payload", "version", "modified_at", "read_at")}
        tx.execute(
            new.on_conflict_do_update(
                index_elements=["plan_id", "system_id", "object", "remote_id"], set_=newer
            ),
            rows,
        )


def _stage_missing(hub: Hub, plan_id: int, system: OpenSystem, name: str, listed: set[str]) -> None:
    """Linked records that a whole listing did not show may be gone; each is asked for again."""
    connector = system.connector
    assert isinstance(connector, ReadsChanges)
    with hub.database.read() as session:
        linked = session.scalars(
            select(Link.remote_id)
            .where(Link.system_id == system.id, Link.object == name, Link.state == "live")
            .execution_options(yield_per=1000)
        )
        missing = [str(i) for i in linked if i not in listed]
    for start in range(0, len(missing), CHUNK):
        read_at = hub.now()
        asked = list(connector.fetch(name, missing[start : start + CHUNK]))
        _keep(hub, plan_id, system, name, asked, read_at)


def _staged(plan_id: int, system_id: int, change: Change, read_at: datetime) -> dict[str, Any]:
    return {
        "plan_id": plan_id,
        "system_id": system_id,
        "object": change.object_name,
        "remote_id": change.remote_id,
        "payload": dict(change.data) if change.data is not None else None,
        "version": change.version,
        "modified_at": change.modified_at,
        "read_at": read_at,
    }


def staged_rows(session: Session, plan_id: int) -> Iterator[list[dict[str, Any]]]:
    """A plan's records as inbox rows, in chunks, in the order they were read."""
    last = 0
    while True:
        rows = list(
            session.scalars(
                select(Staged)
                .where(Staged.plan_id == plan_id, Staged.id > last)
                .order_by(Staged.id)
                .limit(CHUNK)
            )
        )
        if not rows:
            return
        last = rows[-1].id
        yield [_inbox_row(row) for row in rows]
        session.expunge_all()


def _inbox_row(row: Staged) -> dict[str, Any]:
    return {
        "system_id": row.system_id,
        "object": row.object,
        "remote_id": row.remote_id,
        "delivery_id": f"poll:{row.object}:{row.remote_id}",
        "payload": row.payload,
        "gone": row.payload is None,
        "version": row.version,
        "modified_at": row.modified_at,
        "read_at": row.read_at,
        "lane": BULK,
        "due_at": row.read_at,
        "received_at": row.read_at,
    }


def count_staged(hub: Hub, plan_id: int) -> dict[str, int]:
    """How many records a plan keeps, by system."""
    with hub.database.read() as session:
        found = session.execute(
            select(System.name, func.count())
            .join(Staged, Staged.system_id == System.id)
            .where(Staged.plan_id == plan_id)
            .group_by(System.name)
        )
        return dict(found.all())


def hand_over(hub: Hub, plan_id: int) -> None:
    """Applies a plan: its systems go live and its records come in. Safe to repeat.

    They go the ordinary way, unless all that becomes of them is worked out already.
    """
    placed = worked_out.put_in_place(hub, plan_id)
    with hub.database.read() as session:
        plan = session.get_one(Plan, plan_id)
        chunks = staged_rows(session, plan_id)
        for rows in chunks:
            with hub.database.write() as tx:
                inbox.deliver(tx, rows)
                done = [(r["system_id"], r["object"], r["remote_id"]) for r in rows]
                _forget(tx, plan_id, done)
    worked_out.forget(hub)
    now = hub.now()
    with hub.database.write() as tx:
        for system_id in plan.systems:
            _go_live(tx, system_id, plan.basis.get("cursors", {}).get(str(system_id), {}), now)
            tx.after_commit(hub.waker.take_in, system_id)
            tx.after_commit(hub.waker.poll, system_id)
        tx.execute(delete(Staged).where(Staged.plan_id == plan_id))
    for system_id in plan.systems if plan.kind == "load" and not placed else ():
        # What the others had before it came; taking it in marks what it brings.
        mark_differing(hub, hub.systems.open(system_id), since=now)
    with hub.database.write() as tx:
        tx.execute(update(Plan).where(Plan.id == plan_id).values(state="applied", applied_at=now))
        for system_id in dirty.systems_with_work(tx, hub.now()) if placed else ():
            tx.after_commit(hub.waker.dispatch, system_id)


def _forget(tx: Any, plan_id: int, done: Sequence[tuple[int, str, str]]) -> None:
    for system_id, name in {(s, o) for s, o, _ in done}:
        ids = [remote for s, o, remote in done if (s, o) == (system_id, name)]
        tx.execute(
            delete(Staged).where(
                Staged.plan_id == plan_id,
                Staged.system_id == system_id,
                Staged.object == name,
                Staged.remote_id.in_(ids),
            )
        )


def _go_live(tx: Any, system_id: int, positions: dict[str, Any], now: datetime) -> None:
    tx.execute(
        update(System)
        .where(System.id == system_id, System.state.in_(("draft", "testing")))
        .values(state="live", state_reason="", state_hint="")
    )
    known = set(tx.scalars(select(Cursor.object).where(Cursor.system_id == system_id)))
    for name, position in positions.items():
        if name not in known:
            tx.execute(
                insert(Cursor).values(
                    system_id=system_id, object=name, position=position, due_at=now, polled_at=now
                )
            )
    cursors.hurry(tx, system_id, now)
