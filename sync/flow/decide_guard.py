"""What a person decides about something that a guard stopped."""

from sync.flow import drift, guards, jobs
from sync.flow.decide import mark_paths
from sync.flow.hub import Hub
from sync.store import audit, goldens, links
from sync.store.session import Tx
from sync.store.tables import Golden, Guard


def decide_guard(hub: Hub, guard_id: int, *, allow: bool, actor: str) -> None:
    """Allows or refuses what a guard stopped; the system goes on either way."""
    now = hub.now()
    with hub.database.write() as tx:
        guard = tx.get_one(Guard, guard_id)
        if guard.state != "open":
            return
        guard.state = "allowed" if allow else "refused"
        guard.decided_by, guard.decided_at = actor, now
        if guard.kind in guards.HOLD_IN:
            guards.release(hub, tx, guard, allow=allow)
        elif guard.kind == guards.FLIPS:
            guards.end_quarantine(hub, tx, guard, allow=allow)
        elif guard.kind == guards.DRIFT:
            drift.decided(hub, tx, guard, allow=allow)
            if allow:
                system_id = guard.system_id
                jobs.ask(hub, tx, jobs.REPLAY, str(guard_id), actor=actor, system=system_id)
        elif allow:
            for golden in _still_gone(tx, guard):
                golden.state, golden.version = "deleted", golden.version + 1
                mark_paths(hub, tx, golden, None, hub.participants())
        audit.note(
            tx,
            actor=actor,
            action="guard.decide",
            subject=str(guard_id),
            now=now,
            facts={"allow": allow},
        )


def _still_gone(tx: Tx, guard: Guard) -> list[Golden]:
    """Those that were deleted in a system and are not there again.

    A record may have been restored since, or its double have become the customer's record: nobody
    who answers an older question means to delete that one.
    """
    found = goldens.load(tx, guard.facts.get("golden", ()), lock=True)
    there = links.of_golden(tx, list(found), guard.system_id)
    back = {golden_id for golden_id, own in there.items() if any(x.state == "live" for x in own)}
    return [g for g in found.values() if g.state == "live" and g.id not in back]
