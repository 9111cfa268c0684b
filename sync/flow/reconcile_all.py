"""A reconcile of whole systems: read again, what differs taken in, what disagrees marked."""

from typing import Any

from sqlalchemy import delete, update

from sync.flow import load, reconcile
from sync.flow.hub import Hub
from sync.store import runs
from sync.store.tables import Plan, Staged


def carry_out(hub: Hub, plan_id: int, run_id: int) -> dict[str, Any]:
    """Counts by system. Repeatable; what a lost process had read and not handed over goes first."""
    with hub.database.write() as tx:
        tx.execute(delete(Staged).where(Staged.plan_id == plan_id))
    try:
        found = _compare(hub, plan_id)
    except Exception as error:
        with hub.database.write() as tx:
            runs.end(tx, run_id, {}, hub.now(), error=str(error))
            tx.execute(
                update(Plan).where(Plan.id == plan_id).values(state="failed", error=str(error))
            )
        raise
    total = sum(sum(objects.values()) for objects in found["read"].values())
    changed, marked = sum(found["changed"].values()), sum(found["differing"].values())
    with hub.database.write() as tx:
        counts = {"read": total, "changed": changed, "marked": marked}
        runs.end(tx, run_id, counts, hub.now())
    return {"run": run_id, **found}


def _compare(hub: Hub, plan_id: int) -> dict[str, dict[str, Any]]:
    with hub.database.read() as session:
        ids = list(session.get_one(Plan, plan_id).systems)
    systems = [hub.systems.open(system_id) for system_id in ids]
    read: dict[str, dict[str, int]] = {}

    def progress(system: str, name: str, count: int) -> None:
        read.setdefault(system, {})[name] = count

    for system in systems:
        load.stage(hub, plan_id, system, progress)
        hub.systems.flush_counts(system)
    taken = load.count_staged(hub, plan_id)
    load.hand_over(hub, plan_id)
    marked = {system.name: reconcile.mark_differing(hub, system) for system in systems}
    return {"read": read, "changed": taken, "differing": marked}
