"""Claimed inbox rows: read each record as it is now, make it canonical, absorb it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.sdk.contract import Change, ReadsChanges
from connectors.sdk.errors import RecordError, SetupError
from mapping.errors import UnmappableValue
from sync.core import backoff
from sync.flow import guards, recover, tenants, turn_away, vanish
from sync.flow.absorb import Absorber, Report
from sync.flow.crew import CALLS, away
from sync.flow.hub import Hub
from sync.flow.match import Foreseen, foresee, look_ahead
from sync.flow.records import Incoming, Seen, canonicalise, hint_row
from sync.gateway.systems import OpenSystem, Participant
from sync.store import dirty, inbox, links, runs
from sync.store.session import Tx
from sync.store.tables import BULK, Inbox, new_id

_LOOK_AGAIN = timedelta(minutes=30)  # at a record whose parent was refused; a decision is sooner


@dataclass(slots=True)
class _Batch:
    """Claimed rows of one system, one record each however many rows ask for it."""

    rows: list[Inbox]
    token: str
    run_id: int
    seen: list[Seen] = field(default_factory=list)
    refused: list[tuple[Seen, Exception]] = field(default_factory=list)
    left_out: list[Seen] = field(default_factory=list)  # outside the mapping's scope
    gone: list[Seen] = field(default_factory=list)
    away: list[turn_away.TurnedAway] = field(default_factory=list)  # erased persons


def drain(
    hub: Hub, system_id: int, *, rounds: int = 200, go_on: Callable[[], bool] = lambda: True
) -> int:
    """Takes in what is due for a system; returns how many records. `go_on`: before a batch."""
    taken = 0
    for number in range(rounds):
        count = _one_batch(hub, system_id, call=number < CALLS)
        if count == 0:
            break
        taken += count
        if not go_on():
            break
    return taken


def _one_batch(hub: Hub, system_id: int, *, call: bool) -> int:
    try:
        system = hub.systems.open(system_id)
    except Exception as error:
        if not recover.is_setup(error):
            raise
        recover.pause(hub, system_id, error)
        return 0
    if system.hold_in or system.state != "live":
        return 0
    token = recover.lease_token()
    with hub.database.write() as tx:
        rows = inbox.claim(
            tx,
            system_id,
            limit=hub.settings.batch,
            now=hub.now(),
            lease=hub.settings.lease,
            token=token,
        )
        if not rows:
            return 0
        run_id = runs.start(tx, "take_in", system_id, hub.now())
        if call and len(rows) == hub.settings.batch:  # more than one worker can do
            tx.after_commit(hub.waker.take_in, system_id)
    batch = _Batch(rows, token, run_id)
    try:
        _read(hub, system, batch)
        absorb_batch(hub, system, batch)
    except Exception as error:  # noqa: BLE001  recover decides what any failure means
        _failed(hub, system, batch, error)
    finally:
        hub.systems.flush_counts(system)
    return len(rows)


def _failed(hub: Hub, system: OpenSystem, batch: _Batch, error: Exception) -> None:
    if recover.is_setup(error):
        recover.pause(hub, system.id, error)
    if len(batch.rows) > 1 and not recover.is_expected(error):
        _one_by_one(hub, system, batch)  # one poisonous record must not hold up its neighbours
        return
    recover.give_back_inbox(hub, batch.rows, batch.token, error)
    with hub.database.write() as tx:
        runs.end(tx, batch.run_id, {}, hub.now(), error=str(error))


def _one_by_one(hub: Hub, system: OpenSystem, batch: _Batch) -> None:
    for row in batch.rows:
        single = _Batch([row], batch.token, batch.run_id)
        try:
            _read(hub, system, single)
            absorb_batch(hub, system, single)
        except Exception as error:  # noqa: BLE001  recover decides what any failure means
            recover.give_back_inbox(hub, [row], batch.token, error)


def _read(hub: Hub, system: OpenSystem, batch: _Batch) -> None:
    """Payloads that are still fresh are used; everything else is read again, in one go."""
    groups: dict[tuple[str, str], list[Inbox]] = {}
    for row in batch.rows:
        if row.object in system.specs and row.remote_id is not None:
            groups.setdefault((row.object, row.remote_id), []).append(row)
        else:
            batch.left_out.append(_seen(row, [row], None, hub.now()))
    fresh = _fresh_keys(hub, system, groups)
    again: dict[str, list[str]] = {}
    for key in groups:
        if key in fresh:
            batch.seen.append(fresh[key])
        else:
            again.setdefault(key[0], []).append(key[1])
    if again:  # in another organisation every record would seem to be deleted
        tenants.confirm(hub, system)
    for object_name, ids in again.items():
        read_at = hub.now()
        for change in fetch(system, object_name, ids):
            rows = groups[object_name, change.remote_id]
            batch.seen.append(_seen(rows[0], rows, change, read_at))


def fetch(system: OpenSystem, object_name: str, ids: Sequence[str]) -> list[Change]:
    """The records as they are now; a tombstone for each that the system did not return."""
    connector = system.connector
    if not isinstance(connector, ReadsChanges):
        raise SetupError(f"{system.name} cannot be read.")
    with away():
        found = {change.remote_id: change for change in connector.fetch(object_name, list(ids))}
    return [found.get(i) or Change(object_name, i, None) for i in dict.fromkeys(ids)]


def _fresh_keys(
    hub: Hub, system: OpenSystem, groups: dict[tuple[str, str], list[Inbox]]
) -> dict[tuple[str, str], Seen]:
    carried = {key: rows[-1] for key, rows in groups.items() if _only_payloads(rows)}
    seen_at: dict[tuple[str, str], datetime | None] = {}
    with hub.database.read() as session:
        for object_name in {key[0] for key in carried}:
            ids = [key[1] for key in carried if key[0] == object_name]
            known = links.sights(session, system.id, object_name, ids)
            seen_at.update({(object_name, i): link.seen_at for i, link in known.items()})
    fresh = {}
    for key, row in carried.items():
        last = seen_at.get(key)
        if row.read_at is not None and (last is None or row.read_at >= last):
            change = Change(key[0], key[1], row.payload, row.version, row.modified_at)
            fresh[key] = _seen(row, groups[key], change, row.read_at)
    return fresh


def _only_payloads(rows: Sequence[Inbox]) -> bool:
    """A tombstone is asked about again: nothing is let go on the word of a listing."""
    return all(row.payload is not None and not row.gone for row in rows)


def _seen(row: Inbox, rows: Sequence[Inbox], change: Change | None, read_at: datetime) -> Seen:
    return Seen(
        change=change or Change(row.object, row.remote_id or "", None),
        read_at=read_at,
        lane=min(r.lane for r in rows),
        rows=tuple((r.id, r.generation) for r in rows),
        attempts=max(r.attempts for r in rows),
    )


def absorb_batch(hub: Hub, system: OpenSystem, batch: _Batch) -> None:
    """Canonical form outside, everything else inside one transaction."""
    incoming = _canonicalise(hub, system, batch)
    targets = hub.participants()
    lane = min((seen.lane for seen in batch.seen), default=0)
    foreseen = _foreseen(hub, system, incoming)
    try:
        _absorb(hub, system, batch, incoming, targets, lane, foreseen)
    except guards.MassChangeError as error:
        _hold(hub, system, batch, error)
    turn_away.erase_own_copies(system, batch.away)


def _foreseen(hub: Hub, system: OpenSystem, incoming: Sequence[Incoming]) -> Foreseen:
    """What matching needs of the records that are new, made before anybody has to wait for it."""
    customers = [item for item in incoming if item.spec.entity == "customer"]
    by_object: dict[str, list[str]] = {}
    for item in customers:
        by_object.setdefault(item.object_name, []).append(item.remote_id)
    with hub.database.read() as session:
        known = {
            (name, remote_id)
            for name, ids in by_object.items()
            for remote_id in links.sights(session, system.id, name, ids)
        }
        new = [item for item in customers if item.seen.key not in known]
        return look_ahead(session, new, foresee(new))


def _absorb(
    hub: Hub,
    system: OpenSystem,
    batch: _Batch,
    incoming: Sequence[Incoming],
    targets: Sequence[Participant],
    lane: int,
    foreseen: Foreseen,
) -> None:
    with hub.database.write() as tx:
        absorber = Absorber(
            hub, tx, system, targets=targets, run_id=batch.run_id, lane=lane, foreseen=foreseen
        )
        report = absorber.absorb(incoming)
        guards.check_mass_change(
            hub,
            tx,
            system,
            absorber.moved,
            batch=len(incoming),
            read_at=max((item.seen.read_at for item in incoming), default=hub.now()),
            run_id=batch.run_id,
        )
        vanished = vanish.take_tombstones(hub, tx, system, batch.gone, absorber)
        absorber.finish()
        turn_away.note(tx, system, batch.away, hub.now())
        _settle(hub, tx, system, batch, report, vanished)
        counts = {**report.counts(), "gone": len(vanished.done), "dead": len(batch.refused)}
        runs.end(tx, batch.run_id, counts, hub.now())
        if lane == BULK:
            tx.after_commit(_wake_if_read, hub)


def _wake_if_read(hub: Hub) -> None:
    """After the last rows of a load everybody may be written to."""
    with hub.database.read() as session:
        now = hub.now()
        waiting = [] if inbox.loading(session, now) else dirty.systems_with_work(session, now)
    for system_id in waiting:
        hub.waker.dispatch(system_id)


def _hold(hub: Hub, system: OpenSystem, batch: _Batch, error: guards.MassChangeError) -> None:
    """Nothing of the batch was applied; its rows wait for the decision as they are."""
    ids = [row.id for row in batch.rows]
    with hub.database.write() as tx:
        guards.hold_mass_change(hub, tx, system, error)
        inbox.postpone(tx, ids, batch.token, due_at=hub.now(), error=guards.HELD, refund=True)
        runs.end(tx, batch.run_id, {"held": len(ids)}, hub.now())


def absorb_now(hub: Hub, system: OpenSystem, seen: Sequence[Seen], run_id: int | None) -> set[str]:
    """Takes in records that were read on the way, outside the inbox.

    Returns the ids of those that could not be taken in now; they are in the inbox.
    """
    batch = _Batch([], "", run_id or 0, seen=list(seen))
    incoming = _canonicalise(hub, system, batch)
    targets = hub.participants()
    with hub.database.write() as tx:
        absorber = Absorber(hub, tx, system, targets=targets, run_id=run_id)
        report = absorber.absorb(incoming)
        vanished = vanish.take_tombstones(hub, tx, system, batch.gone, absorber)
        absorber.finish()
        turn_away.note(tx, system, batch.away, hub.now())
        left = [item.seen for item in (*report.waiting, *report.stale)]
        left += [seen for seen, _ in batch.refused] + vanished.held
        rows = [
            hint_row(system.id, s.change.object_name, s.change.remote_id, new_id(), hub.now())
            for s in left
        ]
        inbox.deliver(tx, rows)
    return {seen.change.remote_id for seen in left}


def _canonicalise(hub: Hub, system: OpenSystem, batch: _Batch) -> list[Incoming]:
    incoming = []
    for seen in batch.seen:
        if seen.change.data is None:
            batch.gone.append(seen)
            continue
        try:
            item = canonicalise(system, seen)
        except UnmappableValue as error:
            batch.refused.append((seen, error))
            continue
        if item is None:
            batch.left_out.append(seen)
        else:
            incoming.append(item)
    welcome, batch.away = turn_away.sort_out(hub, system, incoming)
    batch.left_out.extend(one.item.seen for one in batch.away)
    return welcome


def _settle(
    hub: Hub,
    tx: Tx,
    system: OpenSystem,
    batch: _Batch,
    report: Report,
    vanished: vanish.Vanished,
) -> None:
    now, token = hub.now(), batch.token
    by_id = {row.id: row for row in batch.rows}
    done = [*(item.seen for item in report.done), *batch.left_out, *vanished.done]
    inbox.finish(tx, [row for seen in done for row in seen.rows], token, now)
    _close_letters(tx, system, report, now)
    for item in report.stale:
        ids = [row_id for row_id, _ in item.seen.rows]
        inbox.reread(tx, ids)
        inbox.postpone(tx, ids, token, due_at=now, refund=True)
    for seen in vanished.held:
        ids = [row_id for row_id, _ in seen.rows]
        inbox.postpone(tx, ids, token, due_at=now, error=guards.HELD, refund=True)
    for item in report.waiting:
        _wait(hub, tx, item, by_id, token)
    for seen, error in batch.refused:
        for row_id, _ in seen.rows:
            by_id[row_id].payload = dict(seen.change.data or {})
            recover.bury_in(hub, tx, by_id[row_id], error)


def _wait(hub: Hub, tx: Tx, item: Incoming, rows: dict[int, Inbox], token: str) -> None:
    """A record whose parent is not here yet comes back; in the end it becomes a dead letter."""
    missing = ", ".join(item.missing)
    ids = [row_id for row_id, _ in item.seen.rows]
    state, refusal = item.refused
    if state == "open":
        inbox.reread(tx, ids)
        inbox.postpone(
            tx,
            ids,
            token,
            due_at=hub.now() + _LOOK_AGAIN,
            waiting_for=inbox.REFUSED,
            error=f"waits for its {missing}, which could not be taken in: {refusal}",
            refund=True,
        )
        return
    if state == "discarded" or item.seen.attempts >= hub.settings.attempts:
        error = RecordError(
            f"{item.object_name} {item.remote_id} belongs to a {missing} that the hub does not "
            "have. Check that the parent is in scope of its mapping, then retry.",
            field=missing,
        )
        for row_id, _ in item.seen.rows:
            recover.bury_in(hub, tx, rows[row_id], error)
        return
    wait = backoff.delay(max(0, item.seen.attempts - 2), None, hub.chance())
    due = hub.now() + timedelta(seconds=wait / 2)
    inbox.reread(tx, ids)
    inbox.postpone(tx, ids, token, due_at=due, error=f"waits for its {missing}")


def _close_letters(tx: Tx, system: OpenSystem, report: Report, now: datetime) -> None:
    if not runs.open_dead(tx, system.id):
        return
    by_object: dict[str, list[str]] = {}
    for item in report.done:
        by_object.setdefault(item.object_name, []).append(item.remote_id)
    closed = 0
    for object_name, ids in by_object.items():
        closed += runs.resolve_dead(
            tx, system.id, "in", object_name=object_name, remote_ids=ids, now=now
        )
    if closed:
        inbox.wake_children(tx, system.id, now)
