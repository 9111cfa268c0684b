"""Before anything is created in a system: has everything that was entered there been heard?

A customer who was entered in two systems at once must be linked, not doubled. So nothing is
created in an object before its changes were listed after the golden record came up, and before
all that the listing brought has been taken in.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from connectors.sdk.contract import ListsUnkeyed, ReadsChanges
from mapping.canonical import FACTS
from sync.flow import poll, take_in
from sync.flow.hub import Hub
from sync.flow.intent import Intent
from sync.gateway.systems import OpenSystem
from sync.store import cursors, dirty, inbox

STILL_FRESH = timedelta(seconds=3)  # one listing serves the creates of so long
AHEAD = timedelta(seconds=1)  # then one worker lists anew, and the others go on meanwhile
ROUNDS = 3  # batches taken in on the way; a longer queue has workers of its own
LISTING, INBOX = "listing", "inbox"  # what a create waits for


def deaf_objects(hub: Hub, system: OpenSystem, intents: Sequence[Intent]) -> dict[str, str]:
    """Objects in which nothing may be created yet, with what is waited for."""
    connector = system.connector
    if not isinstance(connector, ReadsChanges):
        return {}
    wanted: dict[str, datetime] = {}
    for intent in intents:
        name = intent.spec.object
        if intent.op == "create" and intent.spec.entity not in FACTS and system.reads(name):
            since = intent.golden.created_at
            wanted[name] = max(since, wanted.get(name, since))
    deaf: dict[str, str] = {}
    for name, since in wanted.items():
        if not _is_heard(hub, system, name, since):
            deaf[name] = LISTING
    for name in _unread(hub, system, wanted.keys() - deaf.keys()):
        deaf[name] = INBOX
    if wanted and not deaf:
        _wake_waiting(hub, system)
    return deaf


def _is_heard(hub: Hub, system: OpenSystem, name: str, since: datetime) -> bool:
    """Whether the last listing is late enough. An ageing one is made anew before it is too old."""
    with hub.database.read() as session:
        last = cursors.listed(session, system.id, name)
    now = hub.now()
    fresh = last.heard_at is not None and last.heard_at >= max(since, now - STILL_FRESH)
    if fresh and (now - (last.heard_at or now) < AHEAD or last.is_held(now)):
        return True
    return _list_now(hub, system, name, since) or fresh


def _list_now(hub: Hub, system: OpenSystem, name: str, since: datetime) -> bool:
    """Lists what changed. A first listing may take hours; the poll makes it, not we."""
    with hub.database.read() as session:
        last = cursors.listed(session, system.id, name)
    if not last.begun:
        hub.waker.poll(system.id)
        return False
    if not last.is_held(hub.now()):
        if isinstance(system.connector, ListsUnkeyed):
            poll.list_unkeyed(hub, system, name)
        else:
            poll.poll_object(hub, system, name)
        with hub.database.read() as session:
            last = cursors.listed(session, system.id, name)
    earliest = max(since, hub.now() - STILL_FRESH)
    return last.heard_at is not None and last.heard_at >= earliest


def _wake_waiting(hub: Hub, system: OpenSystem) -> None:
    """What waited for a listing, or for what it brought, goes on at once."""
    waits = (LISTING, INBOX)
    with hub.database.read() as session:
        if not dirty.waits_for(session, system.id, waits):
            return
    with hub.database.write() as tx:
        dirty.wake_waiting(tx, system.id, waits, hub.now())
        tx.after_commit(hub.waker.dispatch, system.id)


def _unread(hub: Hub, system: OpenSystem, names: Iterable[str]) -> list[str]:
    wanted = list(names)
    if not wanted:
        return []
    with hub.database.read() as session:
        waiting = inbox.objects_unread(session, system.id, wanted)
    if not waiting:
        return []
    take_in.drain(hub, system.id, rounds=ROUNDS)
    with hub.database.read() as session:
        return inbox.objects_unread(session, system.id, wanted)
