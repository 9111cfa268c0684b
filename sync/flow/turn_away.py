"""The door: an erased person who comes in again, on whichever way, is turned away and told of."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.sdk.contract import ErasesRecords
from mapping.canonical import FACTS
from sync.core import person
from sync.flow.hub import Hub
from sync.flow.records import Incoming
from sync.gateway.systems import OpenSystem
from sync.store import erasures, links
from sync.store.session import Tx
from sync.store.suppression import SuppressionList
from sync.store.tables import Golden

_lists: dict[tuple[str, str], SuppressionList] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A record that stays outside, and the request because of which."""

    item: Incoming
    request: str
    is_news: bool  # not just what the hub itself left there


def listed(hub: Hub) -> SuppressionList:
    """The hub's list of whom it must never hold again."""
    path = hub.settings.suppression_file or hub.settings.home / "suppression.jsonl"
    sign = hub.systems.vault.sign
    key = (str(path), sign("suppression"))
    with _lock:
        if key not in _lists:
            _lists[key] = SuppressionList(path, sign)
        return _lists[key]


def sort_out(
    hub: Hub, system: OpenSystem, incoming: Sequence[Incoming]
) -> tuple[list[Incoming], list[TurnedAway]]:
    """Who may come in, and who is turned away.

    A record that is linked to a living customer is that customer, whatever its mail address is
    by now: only what nobody knows yet can be an erased person.
    """
    known = listed(hub)
    if known.is_empty():
        return list(incoming), []
    parents = _parents(hub, system, incoming)
    hits = {
        item.seen.key: request
        for item in incoming
        if item.spec.entity not in FACTS
        and (request := known.find(_texts(system, item, parents))) is not None
    }
    if not hits:
        return list(incoming), []
    linked = _linked(hub, system, [item for item in incoming if item.seen.key in hits])
    welcome, away = [], []
    for item in incoming:
        request = hits.get(item.seen.key)
        at = person.remote(system.name, item.object_name, item.remote_id)
        if request is None or item.seen.key in linked or known.is_allowed(at):
            welcome.append(item)
            continue
        label = person.label_of(request)
        away.append(TurnedAway(item, request, item.values.get("name") != label))
    return welcome, away


def note(tx: Tx, system: OpenSystem, away: Sequence[TurnedAway], now: datetime) -> None:
    """Tells the requests who was turned away."""
    for one in away:
        if one.is_news:
            erasures.note_return(
                tx, one.request, system.id, one.item.object_name, one.item.remote_id, now
            )


def erase_own_copies(system: OpenSystem, away: Sequence[TurnedAway]) -> None:
    """Where the hub itself keeps what came in (imported files), it goes at once."""
    connector = system.connector
    if not isinstance(connector, ErasesRecords):
        return
    by_object: dict[str, list[str]] = {}
    for one in away:
        by_object.setdefault(one.item.object_name, []).append(one.item.remote_id)
    for object_name, ids in by_object.items():
        connector.erase(object_name, ids)


def _texts(system: OpenSystem, item: Incoming, parents: dict[str, str]) -> list[str]:
    values = dict(item.values)
    if values.get("customer"):
        values["customer"] = parents.get(str(values["customer"]))
    found = [person.remote(system.name, item.object_name, item.remote_id)]
    if item.hub_key:
        found.append(person.hub_key(item.hub_key))
    return found + sorted(person.asked_by(item.spec.entity, values))


def _parents(hub: Hub, system: OpenSystem, incoming: Sequence[Incoming]) -> dict[str, str]:
    """Golden ids of the customers that nameless-but-for-a-name contacts refer to."""
    bare = {
        str(item.values["customer"])
        for item in incoming
        if item.spec.entity == "contact"
        and item.values.get("customer")
        and not any(person.traits("contact", item.values))
    }
    if not bare:
        return {}
    with hub.database.read() as session:
        return links.resolve(session, system.id, system.objects_of("customer"), bare)


def _linked(hub: Hub, system: OpenSystem, items: Sequence[Incoming]) -> set[tuple[str, str]]:
    """Which of these are linked to a record that was not erased."""
    found: set[tuple[str, str]] = set()
    with hub.database.read() as session:
        for object_name in {item.object_name for item in items}:
            ids = [item.remote_id for item in items if item.object_name == object_name]
            for remote_id, link in links.by_remote(session, system.id, object_name, ids).items():
                golden = session.get(Golden, link.golden_id)
                stands = golden is not None and golden.state != erasures.ERASED
                if stands and link.state in {"live", "in_doubt", "merging"}:
                    found.add((object_name, remote_id))
    return found
