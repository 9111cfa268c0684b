"""Polling now, working in this process, and knowing when nothing waits any more."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from connectors.sdk.contract import ReadsChanges
from sync.flow import dispatch, drift, erase, jobs, poll, recover, take_in
from sync.flow.hub import Hub
from sync.service.named import unknown_system
from sync.store import cursors, links
from sync.store.jobs import OPEN_STATES
from sync.store.tables import Cursor, Dirty, Guard, Inbox, Job, System

REFUSED = "refused"  # why a row waits: its parent is a dead letter, and is told there
_BRINGS = (jobs.APPLY, jobs.MAPPING, jobs.RESTORE, jobs.REPLAY, jobs.RECONCILE)
REVIEW = "review"  # why a dirty row waits when a person has to decide about a candidate


@dataclass(frozen=True, slots=True)
class Rest:
    """What still waits, by system; `blocked` waits for a person, not for the hub."""

    inbox: Mapping[str, int] = field(default_factory=dict)
    dirty: Mapping[str, int] = field(default_factory=dict)
    polls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    blocked: Mapping[str, str] = field(default_factory=dict)
    reviews: int = 0
    orphans: Mapping[str, int] = field(default_factory=dict)  # wait for a refused parent
    jobs: Mapping[str, int] = field(
        default_factory=dict
    )  # long work that will bring records, by kind
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_quiet(self) -> bool:
        """Nothing is left that the hub could do by itself."""
        return not (self.inbox or self.dirty or self.polls or self.jobs)

    @property
    def left(self) -> int:
        return sum(self.inbox.values()) + sum(self.dirty.values())

    def as_json(self) -> dict[str, Any]:
        return {
            "inbox": dict(self.inbox),
            "dirty": dict(self.dirty),
            "polls": {name: list(objects) for name, objects in self.polls.items()},
            "blocked": dict(self.blocked),
            "reviews": self.reviews,
            "orphans": dict(self.orphans),
            "jobs": dict(self.jobs),
            "errors": dict(self.errors),
        }


def check_names(hub: Hub, names: Sequence[str]) -> None:
    """NotFoundError for the first name that is no system's."""
    with hub.database.read() as session:
        known = set(session.scalars(select(System.name)))
    for name in names:
        if name not in known:
            raise unknown_system(name)


def ask_for_polls(hub: Hub, names: Sequence[str] = ()) -> datetime:
    """Every live system (or those named) is polled as soon as a worker is free.

    Returns the moment to compare polls with.
    """
    now = hub.now()
    with hub.database.write() as tx:
        for system_id in _live(tx, names):
            cursors.hurry(tx, system_id, now)
            tx.after_commit(hub.waker.poll, system_id)
    return now


def work_here(hub: Hub, names: Sequence[str] = (), *, polling: bool = False) -> int:
    """One round of all that is due, in this process; returns how many records moved."""
    with hub.database.read() as session:
        every, chosen = _live(session, ()), _live(session, names)
    moved = 0
    if polling:
        for system_id in chosen:
            moved += poll.poll(hub, system_id, force=True)
    moved += sum(take_in.drain(hub, system_id) for system_id in every)
    moved += sum(dispatch.drain(hub, system_id) for system_id in every)
    erase.resume_due(hub)
    return moved + jobs.resume_due(hub)


def rest(hub: Hub, names: Sequence[str] = (), *, polled_since: datetime | None = None) -> Rest:
    """What still waits anywhere, and which systems have to be polled first.

    Those are the named ones that were not polled since, and any that a write went to which its
    next poll reads back.
    """
    now = hub.now()
    with hub.database.read() as session:
        rows = list(session.scalars(select(System)))
        live = {row.id: row for row in rows if row.state == "live"}
        can_take = [i for i, row in live.items() if not row.hold_in]
        can_send = [i for i, row in live.items() if not row.hold_out]
        waiting, orphan = Inbox.state == "waiting", Inbox.waiting_for == REFUSED
        inbox = _counts(session, Inbox.system_id, waiting, ~orphan)
        review, refused = Dirty.waiting_for == REVIEW, Dirty.waiting_for == REFUSED
        field = (Dirty.waiting_for == drift.WAITS) & (Dirty.due_at > now)
        dirty = _counts(session, Dirty.system_id, ~review, ~refused, ~field)
        held = _counts(session, Dirty.system_id, field)
        orphans = Counter(_counts(session, Dirty.system_id, refused))
        orphans.update(_counts(session, Inbox.system_id, waiting, orphan))
        reviews = session.scalar(select(func.count()).select_from(Dirty).where(review)) or 0
        guards = dict(
            session.execute(
                select(Guard.system_id, Guard.reason).where(Guard.state == "open")
            ).all()
        )
        listings = list(session.scalars(select(Cursor)))
        unheard = links.unheard(session)
        errors = _errors(session)
        going_on, reasons = _jobs(session)
    chosen = {i for i, row in live.items() if not names or row.name in names}
    writing = {system_id for system_id, _ in unheard} & live.keys()
    asked = {i: polled_since if i in chosen else None for i in chosen | writing}
    polls, failed = _polls(hub, asked, unheard, listings, now)
    blocked = {
        row.name: guards.get(row.id) or row.state_reason or row.state
        for row in rows
        if (row.id in inbox and row.id not in can_take)
        or (row.id in dirty and row.id not in can_send)
        or row.id in held
    }
    names_of = {row.id: row.name for row in rows}
    return Rest(
        inbox={names_of[i]: n for i, n in inbox.items() if i in can_take},
        dirty={names_of[i]: n for i, n in dirty.items() if i in can_send},
        polls={names_of[i]: objects for i, objects in polls.items()},
        blocked=blocked,
        reviews=reviews,
        orphans={names_of[i]: n for i, n in sorted(orphans.items())},
        jobs=going_on,
        errors={**{names_of[i]: text for i, text in errors.items()}, **failed, **reasons},
    )


def _jobs(session: Any) -> tuple[dict[str, int], dict[str, str]]:
    """Open work that brings records, by kind, and what it last failed with."""
    query = select(Job.kind, func.count(), func.max(Job.error)).where(
        Job.kind.in_(_BRINGS), Job.state.in_(OPEN_STATES)
    )
    found = session.execute(query.group_by(Job.kind)).all()
    counts = {kind: count for kind, count, _ in found}
    return counts, {kind: error for kind, _, error in found if error}


def broken(hub: Hub, names: Sequence[str] = ()) -> dict[str, tuple[str, str]]:
    """Systems that stand still until somebody mends them: reason and what to do."""
    with hub.database.read() as session:
        rows = session.scalars(select(System).where(System.state == "broken"))
        return {
            row.name: (row.state_reason, row.state_hint)
            for row in rows
            if not names or row.name in names
        }


def renew_hooks(hub: Hub) -> None:
    """The hub's address may have changed: every subscription is renewed with the next sweep."""
    with hub.database.write() as tx:
        tx.execute(update(System).values(hook_due=None))


def _polls(
    hub: Hub,
    asked: Mapping[int, datetime | None],
    unheard: Mapping[tuple[int, str], datetime],
    listings: Sequence[Cursor],
    now: datetime,
) -> tuple[dict[int, tuple[str, ...]], dict[str, str]]:
    """Objects whose listing is in work, or has not been read since; and listings that failed.

    `asked` says since when each system has to be polled, `unheard` since when an object of it.
    """
    known = {(row.system_id, row.object): row for row in listings}
    open_polls: dict[int, tuple[str, ...]] = {}
    failed: dict[str, str] = {}
    for system_id, polled_since in sorted(asked.items()):
        name, objects = _read_objects(hub, system_id)
        since = {each: _latest(polled_since, unheard.get((system_id, each))) for each in objects}
        rows = {each: known.get((system_id, each)) for each in objects}
        left = [each for each, row in rows.items() if _is_open(row, now, since[each])]
        if left:
            open_polls[system_id] = tuple(left)
        reason = next((row.error for row in rows.values() if row is not None and row.error), "")
        if reason:
            failed[name] = reason
    missed = {
        system_id
        for system_id, names in open_polls.items()
        for each in names
        if (row := known.get((system_id, each))) and not _is_leased(row, now) and row.due_at > now
    }
    _hurry_again(hub, missed - {i for i in missed if _has_failed(known, i)}, now)
    return open_polls, failed


def _read_objects(hub: Hub, system_id: int) -> tuple[str, list[str]]:
    """A system's name, and what of it is polled; nothing where it cannot be opened."""
    try:
        system = hub.systems.open(system_id)
    except Exception as error:
        if not recover.is_setup(error):
            raise
        return "", []  # the next step pauses it with this reason
    if not isinstance(system.connector, ReadsChanges):
        return system.name, []
    return system.name, [name for name in system.specs if system.reads(name)]


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _is_open(row: Cursor | None, now: datetime, since: datetime | None) -> bool:
    """Whether a listing is in work, was never read, or not since it was asked for."""
    if row is None or row.polled_at is None or _is_leased(row, now):
        return True
    return since is not None and row.polled_at < since


def _is_leased(row: Cursor, now: datetime) -> bool:
    return row.lease_until is not None and row.lease_until > now


def _has_failed(known: Mapping[tuple[int, str], Cursor], system_id: int) -> bool:
    return any(row.error for (owner, _), row in known.items() if owner == system_id)


def _hurry_again(hub: Hub, system_ids: set[int], now: datetime) -> None:
    """A poll that began before we asked ended and set its next time: ask once more."""
    if not system_ids:
        return
    with hub.database.write() as tx:
        for system_id in system_ids:
            cursors.hurry(tx, system_id, now)
            tx.after_commit(hub.waker.poll, system_id)


def _live(session: Any, names: Sequence[str]) -> list[int]:
    query = select(System.id).where(System.state == "live").order_by(System.id)
    if names:
        query = query.where(System.name.in_(names))
    return list(session.scalars(query))


def _counts(session: Any, column: Any, *where: Any) -> dict[int, int]:
    return dict(session.execute(select(column, func.count()).where(*where).group_by(column)).all())


def _errors(session: Any) -> dict[int, str]:
    """What waiting rows last failed with, one example for each system."""
    found: dict[int, str] = {}
    for table, where in ((Inbox, Inbox.state == "waiting"), (Dirty, Dirty.error != "")):
        query = (
            select(table.system_id, func.max(table.error))
            .where(where, table.error != "", table.waiting_for != REFUSED)
            .group_by(table.system_id)
        )
        found.update(dict(session.execute(query).all()))
    return found
