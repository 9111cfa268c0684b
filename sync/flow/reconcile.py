"""Comparing golden records with what every system should hold, page by page."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import select

from sync.flow.hub import Hub
from sync.flow.intent import Wanted, decide
from sync.gateway.systems import OpenSystem
from sync.store import dirty
from sync.store.tables import BULK, Dirty, Golden

PAGE = 500


def compare(hub: Hub, system: OpenSystem) -> Iterator[Wanted]:
    """What each page of golden records wants of a system; nothing is written anywhere."""
    last = ""
    while True:
        with hub.database.read() as session:
            found = session.execute(
                select(Golden.id, Golden.entity)
                .where(Golden.id > last, Golden.state != "merged")
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


def mark_differing(hub: Hub, system: OpenSystem) -> int:
    """Marks what does not agree with a system; returns how many pairs."""
    count = 0
    for wanted in compare(hub, system):
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
