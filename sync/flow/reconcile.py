"""Comparing golden records with what every system should hold, page by page."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, select

from sync.flow.hub import Hub
from sync.flow.intent import Wanted, decide
from sync.gateway.systems import OpenSystem
from sync.store import dirty
from sync.store.tables import BULK, Dirty, Golden, Link

PAGE = 500


def compare(hub: Hub, system: OpenSystem, *, since: datetime | None = None) -> Iterator[Wanted]:
    """What each page of golden records wants of a system; nothing is written anywhere.

    `since`: without the records that are marked for the system, or that it has brought since then.
    """
    last = ""
    left_out = [] if since is None else _handled(system.id, since)
    while True:
        with hub.database.read() as session:
            found = session.execute(
                select(Golden.id, Golden.entity)
                .where(Golden.id > last, Golden.state != "merged", *left_out)
                .order_by(Golden.id)
                .limit(PAGE)
            ).all()
            if not found:
                return
            rows = [
                Dirty(golden_id=golden_id, entity=entity, system_id=system.id)
                for golden_id, entity in found
                if entity in system.entities
            ]
            last = found[-1][0]
            yield decide(hub, session, system, rows)


def _handled(system_id: int, since: datetime) -> list[ColumnElement[bool]]:
    marked = exists().where(Dirty.golden_id == Golden.id, Dirty.system_id == system_id)
    brought = exists().where(
        Link.golden_id == Golden.id, Link.system_id == system_id, Link.created_at >= since
    )
    return [~marked, ~brought]


def mark_differing(hub: Hub, system: OpenSystem, *, since: datetime | None = None) -> int:
    """Marks what does not agree with a system; returns how many pairs. `since` as in `compare`."""
    count = 0
    for wanted in compare(hub, system, since=since):
        refused = [row for row, _ in wanted.refused]
        waiting = [row for row, why in wanted.waiting if why == "parent"]
        rows = {i.row.golden_id: i.row for i in wanted.intents}
        rows.update({row.golden_id: row for row in (*refused, *waiting)})
        if not rows:
            continue
        count += len(rows)
        with hub.database.write() as tx:
            dirty.mark(
                tx,
                [(row.golden_id, row.entity, system.id) for row in rows.values()],
                reason="reconcile",
                lane=BULK,
                now=hub.now() - timedelta(milliseconds=1),
            )
            tx.after_commit(hub.waker.dispatch, system.id)
    return count
