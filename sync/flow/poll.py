"""Polling: a page of changes and the cursor behind it become durable together."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update

from connectors.sdk.contract import Change, ListsUnkeyed, Page, ReadsChanges
from mapping import engine
from sync.core import backoff
from sync.flow import recover, tenants
from sync.flow.absorb import ENDED
from sync.flow.hub import Hub
from sync.flow.records import digest, hint_row
from sync.gateway.systems import OpenSystem
from sync.store import cursors, inbox, links
from sync.store.tables import BULK, INTERACTIVE, System, new_id

CREATING = timedelta(seconds=10)  # so long an answer to a create is likely to be on its way
KEEP_EVERY = timedelta(seconds=5)  # a listing that finds nothing new notes so often how far it is
FRESH = 20  # so many changes of one page pass for edits; more are a load and go to the bulk lane


def poll(hub: Hub, system_id: int, *, force: bool = False) -> int:
    """Reads what changed in all due objects of a system; returns how many rows to take in."""
    try:
        system = hub.systems.open(system_id)
    except Exception as error:
        if not recover.is_setup(error):
            raise
        recover.pause(hub, system_id, error)
        return 0
    if system.state != "live" or not isinstance(system.connector, ReadsChanges):
        return 0
    objects = [name for name in system.specs if system.reads(name)]
    with hub.database.write() as tx:
        cursors.ensure(tx, system_id, objects, hub.now())
    found = 0
    try:
        for name in objects:
            found += poll_object(hub, system, name, force=force)
    finally:
        hub.systems.flush_counts(system)
    if found:
        hub.waker.take_in(system_id)
    return found


def poll_object(hub: Hub, system: OpenSystem, name: str, *, force: bool = True) -> int:
    """Reads what changed in one object; 0, too, where another worker is at it or it fails."""
    token, started = recover.lease_token(), hub.now()
    with hub.database.write() as tx:
        cursor = cursors.take(
            tx, system.id, name, now=started, lease=hub.settings.lease, token=token
        )
        if cursor is None:
            return 0
        position, due = cursor.position, cursor.due_at
        if due > started and not force:
            cursors.release(tx, system.id, name, token, due_at=due)
            return 0
    try:
        tenants.confirm(hub, system)
        found = _read_pages(hub, system, name, position, token)
    except Exception as error:  # noqa: BLE001  recover decides what any failure means
        _failed(hub, system, name, token, error)
        return 0
    interval = system.poll_seconds or hub.settings.poll_seconds
    with hub.database.write() as tx:
        cursors.release(
            tx,
            system.id,
            name,
            token,
            due_at=started + timedelta(seconds=interval),
            polled_at=started,
        )
        values: dict[str, Any] = {"polled_at": started}
        if found:
            values["changed_at"] = started
        tx.execute(update(System).where(System.id == system.id).values(**values))
    return found


def list_unkeyed(hub: Hub, system: OpenSystem, name: str) -> None:
    """Reads what others have entered in an object that was listed before.

    What carries a hub key is left to the polls: a load does not read again what it writes.
    """
    connector = system.connector
    assert isinstance(connector, ListsUnkeyed)
    token, started = recover.lease_token(), hub.now()
    with hub.database.write() as tx:
        cursor = cursors.take(
            tx, system.id, name, now=started, lease=hub.settings.lease, token=token
        )
        if cursor is None:
            return
        position = cursors.unkeyed_from(cursor)
    try:
        tenants.confirm(hub, system)
        for read_at, page in _timed(hub, connector.unkeyed(name, position or {})):
            position = page.cursor
            rows = changed_rows(hub, system, name, page.changes, read_at)
            if rows and not _deliver(hub, system, name, token, rows):
                return
    except Exception as error:  # noqa: BLE001  recover decides what any failure means
        _failed(hub, system, name, token, error)
        return
    with hub.database.write() as tx:
        cursors.release_unkeyed(
            tx, system.id, name, token, position=position or {}, listed_at=started
        )


def _deliver(
    hub: Hub, system: OpenSystem, name: str, token: str, rows: Sequence[dict[str, Any]]
) -> bool:
    with hub.database.write() as tx:
        until = hub.now() + timedelta(seconds=hub.settings.lease)
        if not cursors.extend(tx, system.id, name, token, until):
            return False
        inbox.deliver(tx, rows)
        tx.after_commit(hub.waker.take_in, system.id)
    return True


def _failed(hub: Hub, system: OpenSystem, name: str, token: str, error: Exception) -> None:
    if recover.is_setup(error):
        recover.pause(hub, system.id, error)
    wait = backoff.delay(3, recover.hint_of(error), hub.chance())
    with hub.database.write() as tx:
        cursors.release(
            tx,
            system.id,
            name,
            token,
            due_at=hub.now() + timedelta(seconds=wait),
            error=str(error),
        )
    if not recover.is_expected(error):
        raise error


def _read_pages(
    hub: Hub, system: OpenSystem, name: str, position: dict[str, Any] | None, token: str
) -> int:
    found, kept_at = 0, hub.now()
    unkept: Page | None = None
    unlisted = _linked_before(hub, system, name) if position is None else set()
    for read_at, page in timed_pages(hub, system, name, position):
        unlisted.difference_update(change.remote_id for change in page.changes)
        rows = changed_rows(hub, system, name, page.changes, read_at)
        if not rows and read_at - kept_at < KEEP_EVERY:
            unkept = page
            continue
        if not _keep(hub, system, name, token, page, rows):
            return found  # another worker took over; what it reads is complete
        unkept, kept_at = None, read_at
        found += len(rows)
    if unkept is not None and not _keep(hub, system, name, token, unkept, []):
        return found
    if unlisted:
        _look_at(hub, system, name, unlisted)
    return found + len(unlisted)


def _keep(
    hub: Hub,
    system: OpenSystem,
    name: str,
    token: str,
    page: Page,
    rows: Sequence[dict[str, Any]],
) -> bool:
    """What a page brought, and how far the listing came; False where the lease was lost."""
    with hub.database.write() as tx:
        until = hub.now() + timedelta(seconds=hub.settings.lease)
        if not cursors.advance(tx, system.id, name, token, page.cursor, until):
            return False
        inbox.deliver(tx, rows)
        if rows:
            tx.after_commit(hub.waker.take_in, system.id)
    return True


def _linked_before(hub: Hub, system: OpenSystem, name: str) -> set[str]:
    """Records that webhooks brought before anything was listed.

    A first listing says nothing about those that were deleted since.
    """
    with hub.database.read() as session:
        return links.live_ids(session, system.id, name)


def _look_at(hub: Hub, system: OpenSystem, name: str, ids: Iterable[str]) -> None:
    now = hub.now()
    with hub.database.write() as tx:
        inbox.deliver(tx, [hint_row(system.id, name, i, new_id(), now) for i in sorted(ids)])


def timed_pages(
    hub: Hub, system: OpenSystem, name: str, position: dict[str, Any] | None
) -> Iterator[tuple[datetime, Page]]:
    """Pages of what changed, with the moment before each was asked for."""
    connector = system.connector
    assert isinstance(connector, ReadsChanges)
    return _timed(hub, connector.changes(name, position))


def _timed(hub: Hub, pages: Iterator[Page]) -> Iterator[tuple[datetime, Page]]:
    while True:
        read_at = hub.now()
        try:
            page = next(pages)
        except StopIteration:
            return
        yield read_at, page


def changed_rows(
    hub: Hub,
    system: OpenSystem,
    name: str,
    changes: Sequence[Change],
    read_at: datetime,
    *,
    lane: int | None = None,
) -> list[dict[str, Any]]:
    """Inbox rows for the records of a page that differ from what was last seen of them.

    A row that still waits is replaced in any case: what it carries is older than the page.
    What a worker is creating at this moment is left to that worker, which reads it back; should
    it die, the create is in doubt and is looked up.
    """
    if not changes:
        return []
    ids = [change.remote_id for change in changes]
    spec = system.specs[name]
    with hub.database.read() as session:
        waiting = inbox.carried(session, system.id, name, ids)
        known = links.sights(session, system.id, name, ids)
        keys = {
            change.remote_id: engine.hub_key(spec, change.data)
            for change in changes
            if change.data is not None and change.remote_id not in known
        }
        own = links.being_created(
            session, system.id, name, {k for k in keys.values() if k}, hub.now() - CREATING
        )
    moved = [
        c
        for c in changes
        if c.remote_id in waiting
        or (keys.get(c.remote_id) not in own and has_moved(system, name, c, known.get(c.remote_id)))
    ]
    if lane is None:
        lane = BULK if len(moved) > FRESH else INTERACTIVE
    return [polled_row(system.id, change, read_at, lane, hub.now()) for change in moved]


def has_moved(system: OpenSystem, name: str, change: Change, link: links.Sight | None) -> bool:
    """Whether a listed record differs from what its link last saw."""
    if change.data is None:
        return link is not None and link.state == "live"
    spec = system.specs[name]
    if link is None or link.state in ENDED:
        return engine.reads(spec, change.data)
    if link.state in {"unlinked", "moved"}:
        return False
    return link.digest != digest(spec, change.data)


def polled_row(
    system_id: int, change: Change, read_at: datetime, lane: int, now: datetime
) -> dict[str, Any]:
    """An inbox row that carries the record as it was read."""
    return {
        "system_id": system_id,
        "object": change.object_name,
        "remote_id": change.remote_id,
        "delivery_id": f"poll:{change.object_name}:{change.remote_id}",
        "payload": dict(change.data) if change.data is not None else None,
        "gone": change.data is None and change.merged_into is None,  # a merge is read again
        "version": change.version,
        "modified_at": change.modified_at,
        "read_at": read_at,
        "lane": lane,
        "due_at": now,
        "received_at": now,
    }
