"""What a person decides about something that a guard stopped."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.flow import drift, guards, jobs
from sync.flow.decide import mark_paths
from sync.flow.hub import Hub
from sync.store import audit, goldens, links
from sync.store.tables import Golden, Guard


def decide_guard(hub: Hub, guard_id: int, *, allow: bool, actor: str) -> None:
    """Allows or refuses what a guard stopped; the system goes on either way.

    To allow the deletion of someone who is back does nothing: the guard is outdated then.
    """
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
            gone = _still_gone(tx, guard, lock=True)
            if not gone:
                guard.state = "outdated"
            for golden in gone:
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


def close_outdated(hub: Hub) -> None:
    """Closes the questions whether to delete customers who are back, or deleted by now."""
    waiting = select(Guard).where(Guard.state == "open", Guard.kind == guards.DELETE)
    with hub.database.read() as session:
        asked = [guard.id for guard in session.scalars(waiting) if not _still_gone(session, guard)]
    if not asked:
        return
    with hub.database.write() as tx:
        for guard in tx.scalars(waiting.where(Guard.id.in_(asked))):
            if not _still_gone(tx, guard, lock=True):
                guard.state, guard.decided_by, guard.decided_at = "outdated", "hub", hub.now()


def _still_gone(session: Session, guard: Guard, *, lock: bool = False) -> list[Golden]:
    """Those that were deleted in a system and are not there again.

    A record may have been restored since, or its double have become the customer's record: nobody
    who answers an older question means to delete that one.
    """
    found = goldens.load(session, guard.facts.get("golden", ()), lock=lock)
    there = links.of_golden(session, list(found), guard.system_id)
    back = {golden_id for golden_id, own in there.items() if any(x.state == "live" for x in own)}
    return [g for g in found.values() if g.state == "live" and g.id not in back]
