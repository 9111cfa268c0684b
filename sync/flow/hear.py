"""Before anything is created in a system: has everything that was entered there been heard?

A customer who was entered in two systems at once must be linked, not doubled. So nothing is
created in an object before its changes were listed after the golden record came up, and before
all that the listing brought has been taken in.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from connectors.sdk.contract import ReadsChanges
from mapping.canonical import FACTS
from sync.flow import poll, take_in
from sync.flow.hub import Hub
from sync.flow.intent import Intent
from sync.gateway.systems import OpenSystem
from sync.store import cursors, inbox

STILL_FRESH = timedelta(seconds=3)  # one listing serves the creates of so long
ROUNDS = 3  # batches taken in on the way; a longer queue has workers of its own


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
        if not (_is_listed(hub, system, name, since) or _list_now(hub, system, name, since)):
            deaf[name] = "listing"
    for name in _unread(hub, system, wanted.keys() - deaf.keys()):
        deaf[name] = "inbox"
    return deaf


def _list_now(hub: Hub, system: OpenSystem, name: str, since: datetime) -> bool:
    """Lists what changed. A first listing may take hours; the poll makes it, not we."""
    with hub.database.read() as session:
        begun = cursors.has_begun(session, system.id, name)
    if not begun:
        hub.waker.poll(system.id)
        return False
    poll.poll_object(hub, system, name)
    return _is_listed(hub, system, name, since)


def _is_listed(hub: Hub, system: OpenSystem, name: str, since: datetime) -> bool:
    with hub.database.read() as session:
        polled_at = cursors.polled_at(session, system.id, name)
    return polled_at is not None and polled_at >= max(since, hub.now() - STILL_FRESH)


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
