"""Claimed dirty rows of one system: project, diff, write in batches, ack the links."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connectors.sdk.contract import Change, Outcome, Write, WritesRecords
from connectors.sdk.errors import (
    AnswerLostError,
    ConnectorError,
    GoneError,
    RecordError,
    TransientError,
)
from sync.core import backoff
from sync.flow import drift, duplicates, hear, recover, settle, take_in, tenants
from sync.flow.absorb import Absorber
from sync.flow.crew import CALLS, away
from sync.flow.hub import Hub
from sync.flow.intent import REFUSED, REVIEW, Intent, Wanted, decide
from sync.flow.records import Seen, digest
from sync.gateway.systems import OpenSystem
from sync.store import dirty, goldens, inbox, links, runs
from sync.store.session import Tx
from sync.store.tables import BULK, INTERACTIVE, Dirty, Golden, System

_CLOCK_SLACK = 3.0  # seconds: a call takes some, and many systems know no fractions
_CLOCK_MOST = 1800.0  # more is no clock but a record that nothing was written to
_SOON = 3  # so often a record that moved under a write is tried again at once
_LOOK_AGAIN = {REVIEW: timedelta(minutes=5), REFUSED: timedelta(minutes=30)}  # else with backoff
_EXTEND_EVERY = 20.0  # seconds of writing after which the lease is drawn out


@dataclass(slots=True)
class Batch:
    """Claimed rows of one system and what has become of them."""

    rows: list[Dirty]
    token: str
    run_id: int
    written: int = 0
    created: int = 0
    refused: int = 0
    handled: set[int] = field(default_factory=set)  # row ids that were settled or postponed
    stop: bool = False  # what follows would wait for the same
    open: Counter[int] = field(default_factory=Counter)  # writes still to be done, by row id
    extended: float = field(default_factory=time.monotonic)  # when the lease was last drawn out


def drain(
    hub: Hub, system_id: int, *, rounds: int = 500, go_on: Callable[[], bool] = lambda: True
) -> int:
    """Brings a system in line as far as rows are due; returns how many records were written.

    `go_on` is asked before another batch is begun.
    """
    written = 0
    for number in range(rounds):
        batch = _one_batch(hub, system_id, call=number < CALLS)
        if batch is None:
            break
        written += batch.written
        if batch.stop or not go_on():
            break
    return written


def _one_batch(hub: Hub, system_id: int, *, call: bool) -> Batch | None:
    if not _has_work(hub, system_id):
        return None
    try:
        system = hub.systems.open(system_id)
    except Exception as error:
        if not recover.is_setup(error):
            raise
        recover.pause(hub, system_id, error)
        return None
    if system.state != "live" or system.hold_out:
        return None
    token = recover.lease_token()
    with hub.database.write() as tx:
        now = hub.now()
        rows = dirty.claim(
            tx,
            system_id,
            limit=hub.settings.batch,
            now=now,
            lease=hub.settings.lease,
            token=token,
            lanes=_lanes(tx, now),
        )
        if not rows:
            return None
        run_id = runs.start(tx, "dispatch", system_id, hub.now())
        if call and len(rows) == hub.settings.batch:  # more than one worker can do
            tx.after_commit(hub.waker.dispatch, system_id)
    batch = Batch(rows, token, run_id)
    try:
        _bring_in_line(hub, system, batch)
    except Exception as error:  # noqa: BLE001  recover decides what any failure means
        _failed(hub, system, batch, error)
    finally:
        hub.systems.flush_counts(system, written=batch.written)
    return batch


def _has_work(hub: Hub, system_id: int) -> bool:
    """A look that costs little: many messages find that others have done the work."""
    with hub.database.read() as session:
        now = hub.now()
        return dirty.is_due(session, system_id, now, _lanes(session, now))


def _lanes(session: Session, now: datetime) -> tuple[int, ...]:
    """While a load is being read nobody is written to: who is who is not known yet."""
    return (INTERACTIVE,) if inbox.loading(session, now) else (INTERACTIVE, BULK)


def _failed(hub: Hub, system: OpenSystem, batch: Batch, error: Exception) -> None:
    if recover.is_setup(error):
        recover.pause(hub, system.id, error)
    left = [row for row in batch.rows if row.id not in batch.handled]
    if len(left) > 1 and not recover.is_expected(error):
        for row in left:
            single = Batch([row], batch.token, batch.run_id)
            try:
                _bring_in_line(hub, system, single)
            except Exception as own:  # noqa: BLE001  recover decides what any failure means
                recover.give_back_dirty(hub, [row], batch.token, own)
            batch.written += single.written
        return
    recover.give_back_dirty(hub, left, batch.token, error)
    with hub.database.write() as tx:
        runs.end(tx, batch.run_id, _counts(batch), hub.now(), error=str(error))


def _bring_in_line(hub: Hub, system: OpenSystem, batch: Batch) -> None:
    tenants.confirm(hub, system)
    drift.watch(hub, system)
    duplicates.merge_away(hub, system, batch.rows, batch.run_id)
    with hub.database.read() as session:
        wanted = decide(hub, session, system, batch.rows)
    batch.open = Counter(intent.row.id for intent in wanted.intents)
    _note_idle(hub, batch, wanted)
    intents = _hear_first(hub, system, wanted.intents, batch)
    intents = settle.settle_doubts(hub, system, intents, batch)
    intents = _unlink(hub, system, intents, batch)
    intents = _read_before_write(hub, system, intents, batch)
    for name in system.specs:
        here = [intent for intent in intents if intent.spec.object == name]
        if here:
            _write_object(hub, system, name, here, batch)
    with hub.database.write() as tx:
        left = [row for row in batch.rows if row.id not in batch.handled]
        dirty.postpone(tx, [row.id for row in left], batch.token, due_at=hub.now(), refund=True)
        runs.end(tx, batch.run_id, _counts(batch), hub.now())


def _counts(batch: Batch) -> dict[str, int]:
    return {
        "looked": len(batch.rows),
        "written": batch.written,
        "created": batch.created,
        "dead": batch.refused,
    }


def _note_idle(hub: Hub, batch: Batch, wanted: Wanted) -> None:
    """Rows that need no call: agreed ones go, waiting ones come back."""
    if not (wanted.settled or wanted.waiting or wanted.refused):
        return
    now = hub.now()
    with hub.database.write() as tx:
        for row, error in wanted.refused:
            recover.bury_out(hub, tx, row, error.rule.split(":", 1)[0], error)
            batch.handled.add(row.id)
        dirty.settle(tx, [(row.id, row.generation) for row in wanted.settled], batch.token)
        for row, why in wanted.waiting:
            held = timedelta(seconds=backoff.delay(row.attempts, None, hub.chance()))
            due = now + _LOOK_AGAIN.get(why, held)
            reason = wanted.reasons.get(row.id, "")
            dirty.postpone(tx, [row.id], batch.token, due_at=due, waiting_for=why, error=reason)
        _mark_parents(hub, tx, batch, wanted.parents)
    batch.handled |= {row.id for row in wanted.settled} | {row.id for row, _ in wanted.waiting}


def _mark_parents(hub: Hub, tx: Tx, batch: Batch, parents: Sequence[Golden]) -> None:
    """Somebody waits for records that are not on their way: now they are."""
    system_id = batch.rows[0].system_id
    pairs = [(parent.id, parent.entity, system_id) for parent in parents]
    if dirty.mark(tx, pairs, reason="a record waits for it", lane=INTERACTIVE, now=hub.now()):
        tx.after_commit(hub.waker.dispatch, system_id)


def _hear_first(
    hub: Hub, system: OpenSystem, intents: Sequence[Intent], batch: Batch
) -> list[Intent]:
    """Nothing is created where somebody may have entered the same record already."""
    deaf = hear.deaf_objects(hub, system, intents)
    late = [i for i in intents if i.op == "create" and i.spec.object in deaf]
    if not late:
        return list(intents)
    rows = {intent.row.id: deaf[intent.spec.object] for intent in late}
    batch.stop = True
    _later(hub, batch, rows, seconds=2.0, refund=True)
    return [intent for intent in intents if intent.row.id not in rows]


def _later(
    hub: Hub, batch: Batch, rows: Mapping[int, str], *, seconds: float, refund: bool = False
) -> None:
    """Rows (id, what they wait for) come back after a while."""
    due = hub.now() + timedelta(seconds=seconds)
    with hub.database.write() as tx:
        for why in set(rows.values()):
            ids = [row_id for row_id, own in rows.items() if own == why]
            dirty.postpone(tx, ids, batch.token, due_at=due, waiting_for=why, refund=refund)
    batch.handled |= rows.keys()


def _unlink(hub: Hub, system: OpenSystem, intents: Sequence[Intent], batch: Batch) -> list[Intent]:
    """Records that left their route and stay behind, unlinked."""
    leaving = [intent for intent in intents if intent.op == "unlink"]
    if leaving:
        with hub.database.write() as tx:
            for intent in leaving:
                settle.end_link(hub, tx, system, intent, "unlinked", batch.run_id)
            _finish_rows(tx, leaving, batch)
    return [intent for intent in intents if intent.op != "unlink"]


def _read_before_write(
    hub: Hub, system: OpenSystem, intents: Sequence[Intent], batch: Batch
) -> list[Intent]:
    """A write never covers a change that the hub has not seen: read back, take in what moved."""
    connector = system.connector
    if not isinstance(connector, WritesRecords):
        return list(intents)
    by_object: dict[str, list[Intent]] = {}
    for intent in intents:
        link = intent.link
        if intent.op == "create" or link is None:
            continue
        if link.pushing is not None or not connector.conditional:
            by_object.setdefault(intent.spec.object, []).append(intent)
    moved: set[int] = set()
    for name, group in by_object.items():
        moved |= _take_in_moved(hub, system, name, group, batch)
    return [i for i in intents if i.row.id not in moved and i.op != "check"]


def _take_in_moved(
    hub: Hub, system: OpenSystem, name: str, group: Sequence[Intent], batch: Batch
) -> set[int]:
    """Reads the records of a group; row ids of those that had moved, or cannot be read.

    What was sent to them before without an answer is settled by this: it shows, or never will.
    """
    asked = {str(intent.link.remote_id): intent for intent in group if intent.link}
    read_at = hub.now()
    changed: list[Change] = []
    for change in take_in.fetch(system, name, list(asked)):
        link = asked[change.remote_id].link
        same = change.data is not None and digest(system.specs[name], change.data)
        if link is not None and same != link.digest:
            changed.append(change)
    left: set[str] = set()
    if changed:
        seen = [Seen(change, read_at) for change in changed]
        left = take_in.absorb_now(hub, system, seen, batch.run_id)
    settle.end_doubt(hub, [i for remote_id, i in asked.items() if remote_id not in left])
    for remote_id in left:
        row = asked[remote_id].row
        wait = backoff.delay(row.attempts, None, hub.chance())
        _later(hub, batch, {row.id: "record"}, seconds=wait)
    return {asked[change.remote_id].row.id for change in changed}


def _write_object(
    hub: Hub, system: OpenSystem, name: str, intents: Sequence[Intent], batch: Batch
) -> None:
    connector = system.connector
    if not isinstance(connector, WritesRecords):
        with hub.database.write() as tx:
            _finish_rows(tx, intents, batch)
        return
    for start in range(0, len(intents), connector.max_batch):
        _keep_lease(hub, batch)
        part = _announce(hub, system, intents[start : start + connector.max_batch])
        if part:
            _send(hub, system, connector, name, part, batch)


def _announce(hub: Hub, system: OpenSystem, intents: Sequence[Intent]) -> list[Intent]:
    """Notes what is about to be sent; drops what has changed since it was decided.

    All of it where the system was stopped meanwhile: whoever stopped it knows why.
    """
    with hub.database.write() as tx:
        if not _may_send(tx, system.id):
            return []
        versions = goldens.versions(tx, [intent.golden.id for intent in intents])
        current = [i for i in intents if versions.get(i.golden.id) == i.version]
        return settle.open_links(tx, system, current, hub.now())


def _may_send(tx: Tx, system_id: int) -> bool:
    state, hold = tx.execute(
        select(System.state, System.hold_out).where(System.id == system_id)
    ).one()
    return state == "live" and not hold


def _send(
    hub: Hub,
    system: OpenSystem,
    connector: WritesRecords,
    name: str,
    intents: Sequence[Intent],
    batch: Batch,
) -> None:
    by_key = {intent.key: intent for intent in intents}
    outcomes: list[Outcome] = []
    trouble: Exception | None = None
    try:
        with away():
            for outcome in connector.write(name, [_to_write(i, connector) for i in intents]):
                outcomes.append(outcome)
                _keep_lease(hub, batch)
    except Exception as error:  # noqa: BLE001  what was answered is kept, the rest is in doubt
        trouble = error
    _ack(hub, system, name, by_key, outcomes, batch)
    if trouble is None:
        return
    if isinstance(trouble, ConnectorError) and not isinstance(trouble, AnswerLostError):
        answered = {outcome.key for outcome in outcomes}
        with hub.database.write() as tx:  # surely not done
            for key in by_key.keys() - answered:
                settle.forget_sent(tx, by_key[key])
    raise trouble


def _to_write(intent: Intent, connector: WritesRecords) -> Write:
    link = intent.link
    if intent.op == "create" or link is None:
        return Write(intent.key, "create", None, intent.native)
    version = link.version if connector.conditional else None
    if intent.op == "archive":
        return Write(intent.key, "delete", link.remote_id, {}, version)
    return Write(intent.key, "update", link.remote_id, intent.native, version)


def _keep_lease(hub: Hub, batch: Batch) -> None:
    if time.monotonic() - batch.extended <= _EXTEND_EVERY:
        return
    batch.extended = time.monotonic()
    until = hub.now() + timedelta(seconds=hub.settings.lease)
    with hub.database.write() as tx:
        dirty.extend(tx, [row.id for row in batch.rows], batch.token, until)


def _ack(
    hub: Hub,
    system: OpenSystem,
    name: str,
    by_key: dict[str, Intent],
    outcomes: Sequence[Outcome],
    batch: Batch,
) -> None:
    done = [o for o in outcomes if o.error is None and o.key in by_key]
    answered_at = hub.now()
    after = _read_after(hub, system, name, by_key, done)
    items = {key: settle.readable(system, seen) for key, seen in after.items()}
    targets = hub.participants()
    # What a load's write brings back is part of the load: it must not pass for a person's edit.
    lanes = {intent.golden.id: intent.row.lane for intent in by_key.values()}
    with hub.database.write() as tx:
        absorber = Absorber(hub, tx, system, targets=targets, run_id=batch.run_id, lanes=lanes)
        locked = goldens.lock(tx, [by_key[o.key].golden for o in done])
        held = links.of_golden(tx, list(locked), system.id)  # into the session, in one query
        finished = []
        for outcome in done:
            intent = by_key[outcome.key]
            seen, item = after.get(outcome.key), items.get(outcome.key)
            golden = locked[intent.golden.id]
            settle.ack(hub, tx, system, intent, golden, seen, absorber, item=item)
            finished.append(intent)
            assert intent.golden.id in held
            batch.written += 1
            batch.created += intent.op == "create"
        absorber.finish()
        _finish_rows(tx, finished, batch)
        made = [intent.golden.id for intent in finished if intent.op == "create"]
        if made and dirty.wake_children(tx, system.id, hub.now(), given_up_of=made):
            tx.after_commit(hub.waker.dispatch, system.id)
        _close_letters(tx, system, name, finished, hub)
        _set_clock(tx, system, after.values(), answered_at)
    errors = {o.key: o.error for o in outcomes if o.error is not None and o.key in by_key}
    refusals = [
        drift.Refusal(key, error.field, by_key[key].native, by_key[key].op == "create")
        for key, error in errors.items()
        if isinstance(error, RecordError) and error.field
    ]
    drifted = drift.explain(hub, system, name, refusals)
    for key, error in errors.items():
        if key in drifted:
            _hold_back(hub, by_key[key], batch, error)
        else:
            _not_done(hub, system, by_key[key], error, batch)


def _set_clock(tx: Tx, system: OpenSystem, after: Iterable[Seen], answered_at: datetime) -> None:
    """How far the system's clock is off: what was written just now says when that was there.

    The newest record of a batch counts; one that the system found unchanged keeps an old time.
    """
    times = [seen.change.modified_at for seen in after if seen.change.modified_at is not None]
    if not times:
        return
    offset = (max(times) - answered_at).total_seconds()
    if abs(offset - system.clock_offset) > _CLOCK_SLACK and abs(offset) < _CLOCK_MOST:
        tx.execute(update(System).where(System.id == system.id).values(clock_offset=offset))


def _read_after(
    hub: Hub,
    system: OpenSystem,
    name: str,
    by_key: dict[str, Intent],
    done: Iterable[Outcome],
) -> dict[str, Seen]:
    """Each written record as it stands now: from the answer, else read in one call.

    Not the changed ones of a system that tells of them with its next changes anyway.
    """
    found: dict[str, Seen] = {}
    unread: dict[str, str] = {}
    now = hub.now()
    for outcome in done:
        intent = by_key[outcome.key]
        if intent.op == "archive":
            continue
        if outcome.after is not None and outcome.after.data is not None:
            found[outcome.key] = Seen(outcome.after, now)
            continue
        if settle.is_heard_later(system, intent):
            continue
        known = intent.link.remote_id if intent.link else None
        remote_id = outcome.remote_id or (outcome.after and outcome.after.remote_id) or known
        if remote_id:
            unread[str(remote_id)] = outcome.key
    if unread:
        for change in take_in.fetch(system, name, list(unread)):
            found[unread[change.remote_id]] = Seen(change, now)
    return found


def _hold_back(hub: Hub, intent: Intent, batch: Batch, error: Exception) -> None:
    """A card shows what the system has changed: the rest of the record goes, this field waits."""
    batch.handled.add(intent.row.id)
    with hub.database.write() as tx:
        settle.forget_sent(tx, intent)
        dirty.postpone(
            tx,
            [intent.row.id],
            batch.token,
            due_at=hub.now(),
            waiting_for=drift.WAITS,
            error=str(error),
            refund=True,
        )


def _not_done(hub: Hub, system: OpenSystem, intent: Intent, error: Exception, batch: Batch) -> None:
    row = intent.row
    batch.handled.add(row.id)
    with hub.database.write() as tx:
        settle.forget_sent(tx, intent)
        if isinstance(error, RecordError) and not _is_news(intent, error):
            recover.bury_out(hub, tx, row, intent.spec.object, error)
            batch.refused += 1
            if error.field:
                drift.suspect(tx, system.id, intent.spec.object, hub.now())
            return
        if not isinstance(error, TransientError):
            settle.look_again(hub, tx, system, intent)
        hint = recover.hint_of(error)
        if hint is None and row.attempts <= _SOON:
            hint = 1.0
        wait = backoff.delay(row.attempts, hint, hub.chance())
        dirty.postpone(
            tx,
            [row.id],
            batch.token,
            due_at=hub.now() + timedelta(seconds=wait),
            waiting_for="system",
            error=str(error),
            refund=isinstance(error, TransientError),
        )


def _is_news(intent: Intent, error: Exception) -> bool:
    """The record is gone there: nothing to be ashamed of, it has to be looked at."""
    return isinstance(error, GoneError) and intent.link is not None


def _finish_rows(tx: Tx, intents: Sequence[Intent], batch: Batch) -> None:
    """Rows whose writes are all done; one with a second write still open stays in hand."""
    batch.open.subtract(intent.row.id for intent in intents)
    rows = {i.row.id: i.row for i in intents if batch.open[i.row.id] <= 0}
    ready = [row for row in rows.values() if row.id not in batch.handled]
    dirty.settle(tx, [(row.id, row.generation) for row in ready], batch.token)
    batch.handled |= rows.keys()


def _close_letters(
    tx: Tx, system: OpenSystem, name: str, intents: Sequence[Intent], hub: Hub
) -> None:
    if intents and runs.open_dead(tx, system.id):
        ids = [intent.golden.id for intent in intents]
        for object_name in (name, ""):
            runs.resolve_dead(
                tx, system.id, "out", object_name=object_name, golden_ids=ids, now=hub.now()
            )
