"""The safety net that beat runs: wakes what is due, renews subscriptions, tidies up."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, or_, select, update

from connectors.sdk.contract import SubscribesWebhooks
from sync.flow import (
    backup,
    decide_guard,
    drift,
    erase,
    jobs,
    recover,
    rollback,
    usage,
    weights,
    worked_out,
)
from sync.flow.hub import Hub
from sync.store import cursors, dirty, erasures, inbox
from sync.store import jobs as stored_jobs
from sync.store.scratch import clear_left
from sync.store.tables import Golden, Plan, Run, System

log = structlog.get_logger()
RENEW_EARLY = timedelta(hours=24)  # before a subscription ends
TRY_AGAIN = timedelta(minutes=10)
KEEP_DELIVERIES = timedelta(days=2)  # so long repeats of a delivery are recognised
KEEP_RUNS = timedelta(days=30)


def wake_due(hub: Hub) -> None:
    """One message per system and direction that has work; ends what has waited long enough."""
    now = hub.now()
    erase.check_restored(hub)
    _end_holds(hub, now)
    decide_guard.close_outdated(hub)
    with hub.database.read() as session:
        live = set(session.scalars(select(System.id).where(System.state == "live")))
        for system_id in cursors.due_systems(session, now):
            hub.waker.poll(system_id)
        for system_id in live.intersection(inbox.systems_with_work(session, now)):
            hub.waker.take_in(system_id)
        for system_id in live.intersection(dirty.systems_with_work(session, now)):
            hub.waker.dispatch(system_id)
        for run_id in rollback.unfinished(session, now):
            hub.waker.rollback(run_id)
        for erasure_id in erasures.due(session, now):
            hub.waker.erase(erasure_id)
        due = or_(System.hook_due.is_(None), System.hook_due <= now)
        subscribing = list(session.scalars(select(System.id).where(System.state == "live", due)))
    jobs.wake_due(hub)
    for system_id in subscribing:
        renew_subscription(hub, system_id)


def renew_subscription(hub: Hub, system_id: int) -> None:
    """Keeps the system's notifications coming; a refusal is noted, polling goes on."""
    now = hub.now()
    with hub.database.write() as tx:  # whoever moves the time first does it
        due = or_(System.hook_due.is_(None), System.hook_due <= now)
        mine = tx.scalar(
            update(System)
            .where(System.id == system_id, due)
            .values(hook_due=now + TRY_AGAIN)
            .returning(System.id)
        )
        row = tx.get_one(System, system_id)
        state, name, key = dict(row.hook_state), row.name, row.hook_key
    if mine is None:
        return
    try:
        system = hub.systems.open(system_id)
        if not isinstance(system.connector, SubscribesWebhooks):
            _note(hub, system_id, {}, now + timedelta(days=36500))
            return
        url = f"{hub.settings.base_url}/hooks/{name}/{key}"
        fresh = dict(system.connector.subscribe(url, state))
    except Exception as error:
        if not recover.is_expected(error):
            raise
        log.warning("subscription_failed", system=name, reason=str(error))
        _note(hub, system_id, {**state, "problem": str(error)}, now + TRY_AGAIN)
        return
    hub.systems.flush_counts(system)
    ends = datetime.fromisoformat(str(fresh["expires_at"]))
    early = min(RENEW_EARLY, (ends - now) / 2)
    _note(hub, system_id, fresh, ends - early)


def _note(hub: Hub, system_id: int, state: dict[str, object], due: datetime) -> None:
    with hub.database.write() as tx:
        tx.execute(
            update(System).where(System.id == system_id).values(hook_state=state, hook_due=due)
        )


def _end_holds(hub: Hub, now: datetime) -> None:
    """Nobody decided about a candidate in time: the new record goes out as it is."""
    with hub.database.read() as session:
        ended = list(session.scalars(select(Golden).where(Golden.held_until <= now)))
    if not ended:
        return
    systems = hub.participants()
    with hub.database.write() as tx:
        ids = [golden.id for golden in ended]
        tx.execute(update(Golden).where(Golden.id.in_(ids)).values(held_until=None))
        pairs = [(g.id, g.entity, s.id) for g in ended for s in systems if s.is_concerned(g.entity)]
        for system_id in dirty.mark(tx, pairs, reason="hold ended", lane=0, now=now):
            tx.after_commit(hub.waker.dispatch, system_id)


def tidy(hub: Hub) -> None:
    """Drops finished deliveries, old runs and old plans."""
    now = hub.now()
    with hub.database.write() as tx:
        inbox.forget_done(tx, now - KEEP_DELIVERIES)
        tx.execute(delete(Run).where(Run.started_at < now - KEEP_RUNS))
        tx.execute(delete(Plan).where(Plan.created_at < now - KEEP_RUNS))
        stored_jobs.forget(tx, now - KEEP_RUNS)
    clear_left(hub.settings.home, backup.folder(hub))
    worked_out.tidy(hub)
    usage.note(hub)
    drift.recheck(hub)
    weights.refit_when_due(hub)
