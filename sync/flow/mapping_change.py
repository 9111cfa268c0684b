"""After a mapping was switched: what its plan has shown is carried out, the rest is compared."""

from sqlalchemy import select, update

from sync.flow import drift, reconcile
from sync.flow import load as loading
from sync.flow.hub import Hub
from sync.store.tables import Link, Mapping, Plan, System

CHUNK = 5000  # links in one transaction


def carry_out(hub: Hub, system_id: int, plan_id: int | None) -> None:
    """Hands the plan's records over and marks what differs by the new mapping. Repeatable."""
    if plan_id is not None:
        _forget_sights(hub, plan_id)
        loading.hand_over(hub, plan_id)
    with hub.database.read() as session:
        live = session.scalar(select(System.state).where(System.id == system_id)) == "live"
    if not live:
        return
    opened = hub.systems.open(system_id)
    if not drift.watch(hub, opened, force=True):
        reconcile.mark_differing(hub, opened)
    hub.systems.flush_counts(opened)


def _forget_sights(hub: Hub, plan_id: int) -> None:
    """Every record of the object counts as not yet read with the new mapping."""
    with hub.database.read() as session:
        draft = session.get(Mapping, session.get_one(Plan, plan_id).basis.get("draft", 0))
    if draft is None:
        return
    of_object = (Link.system_id == draft.system_id, Link.object == draft.object)
    last = 0
    while True:
        with hub.database.write() as tx:
            chunk = select(Link.id).where(*of_object, Link.id > last).order_by(Link.id)
            ids = list(tx.scalars(chunk.limit(CHUNK)))
            if not ids:
                return
            last = ids[-1]
            between = (Link.id >= ids[0], Link.id <= last, Link.digest != "")
            tx.execute(update(Link).where(*of_object, *between).values(digest=""))
