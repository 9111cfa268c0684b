"""After a mapping was switched: what its plan has shown is carried out, the rest is compared."""

from sqlalchemy import select

from sync.flow import drift, reconcile
from sync.flow import load as loading
from sync.flow.hub import Hub
from sync.store.tables import System


def carry_out(hub: Hub, system_id: int, plan_id: int | None) -> None:
    """Hands the plan's records over and marks what differs by the new mapping. Repeatable."""
    if plan_id is not None:
        loading.hand_over(hub, plan_id)
    with hub.database.read() as session:
        live = session.scalar(select(System.state).where(System.id == system_id)) == "live"
    if not live:
        return
    opened = hub.systems.open(system_id)
    if not drift.watch(hub, opened, force=True):
        reconcile.mark_differing(hub, opened)
    hub.systems.flush_counts(opened)
