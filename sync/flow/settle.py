"""Links around a write: announced before, acked after, in doubt when the answer is lost."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import null, update

from connectors.sdk.contract import WritesRecords
from mapping import engine
from mapping.canonical import PARENTS, REFERENCES
from mapping.errors import UnmappableValue
from mapping.paths import ABSENT, Values
from sync.core.merge import is_rendering
from sync.flow import erase
from sync.flow.absorb import Absorber
from sync.flow.hub import Hub
from sync.flow.intent import Intent
from sync.flow.records import Incoming, Seen, canonicalise, hint_row
from sync.gateway.systems import OpenSystem
from sync.store import dirty, goldens, inbox, links
from sync.store.session import Tx
from sync.store.tables import Change, Golden, Link, new_id

if TYPE_CHECKING:
    from sync.flow.dispatch import Batch


def settle_doubts(
    hub: Hub, system: OpenSystem, intents: Sequence[Intent], batch: "Batch"
) -> list[Intent]:
    """Creates whose answer was lost: looked up by hub key before anything is created again."""
    doubted = [i for i in intents if i.op in {"create", "find"} and i.link]
    connector = system.connector
    if not doubted or not isinstance(connector, WritesRecords):
        return list(intents)
    early = [i for i in doubted if not _is_settled(hub, connector, i)]
    asked: dict[str, list[Intent]] = {}
    for intent in doubted:
        if intent not in early:
            asked.setdefault(intent.spec.object, []).append(intent)
    adopted: list[Intent] = []
    for name, group in asked.items():
        adopted.extend(_look_up(hub, system, connector, name, group, batch))
    never = [i for i in doubted if i.op == "find" and i not in early and i not in adopted]
    if never:
        with hub.database.write() as tx:
            for intent in never:
                forget_sent(tx, intent)
    _wait(hub, early, adopted, connector, batch)
    return [i for i in intents if i.op != "find" and i not in early and i not in adopted]


def _look_up(
    hub: Hub,
    system: OpenSystem,
    connector: WritesRecords,
    name: str,
    group: Sequence[Intent],
    batch: "Batch",
) -> list[Intent]:
    """The creates that had been done after all."""
    now = hub.now()
    found = connector.find(name, [intent.key for intent in group])
    done = [intent for intent in group if intent.key in found]
    items = {key: readable(system, Seen(change, now)) for key, change in found.items()}
    with hub.database.write() as tx:
        absorber = Absorber(hub, tx, system, targets=hub.participants(), run_id=batch.run_id)
        locked = goldens.load(tx, [intent.golden.id for intent in done], lock=True)
        for intent in done:
            link = tx.get_one(Link, intent.link.id) if intent.link else None
            if link is None or link.state != "in_doubt":
                continue
            _turn_back(intent, link.pushing or {})
            seen = Seen(found[intent.key], now)
            golden = locked[intent.golden.id]
            item = items[intent.key]
            ack(hub, tx, system, intent, golden, seen, absorber, item=item, answered=False)
        absorber.finish()
    return done


def _turn_back(intent: Intent, sent: Values) -> None:
    """The intent becomes the create that was sent: the customer may have changed since."""
    paths = [path for path, value in sent.items() if intent.sent.get(path, ABSENT) != value]
    values = {**intent.golden.values, **sent}
    anew = engine.expected(intent.spec, values, [path for path in paths if path not in REFERENCES])
    for path in paths:
        intent.expected[path] = anew.get(path, sent[path])
    intent.sent, intent.paths = dict(sent), list(sent)


def _is_settled(hub: Hub, connector: WritesRecords, intent: Intent) -> bool:
    assert intent.link is not None and intent.link.doubt_since is not None  # noqa: PT018
    age = hub.now() - intent.link.doubt_since
    return age >= timedelta(seconds=connector.settle_seconds)


def _wait(
    hub: Hub,
    early: Sequence[Intent],
    adopted: Sequence[Intent],
    connector: WritesRecords,
    batch: "Batch",
) -> None:
    """Too early to believe “not found”; and what was adopted is looked at again at once."""
    if not (early or adopted):
        return
    now = hub.now()
    later = now + timedelta(seconds=connector.settle_seconds)
    with hub.database.write() as tx:
        ids = [intent.row.id for intent in early]
        dirty.postpone(tx, ids, batch.token, due_at=later, waiting_for="doubt", refund=True)
        ids = [intent.row.id for intent in adopted]
        dirty.postpone(tx, ids, batch.token, due_at=now, refund=True)
    batch.handled |= {intent.row.id for intent in (*early, *adopted)}


def open_links(
    tx: Tx, system: OpenSystem, intents: Sequence[Intent], now: datetime
) -> list[Intent]:
    """The intents that still stand, each with the link to note its write on.

    An intent whose link is not as it was when the write was decided is left out.
    """
    here = links.of_golden(tx, {intent.golden.id for intent in intents}, system.id)
    ready: list[Intent] = []
    for intent in intents:
        own = [x for x in here[intent.golden.id] if x.object == intent.spec.object]
        link = _standing(intent, own) if intent.link else _fresh(system, intent, own, now)
        if link is None:
            continue
        if intent.op == "create":
            link.doubt_since = now
        link.pushing = dict(intent.sent)  # what was sent before is settled by now
        intent.link = link
        ready.append(intent)
    links.add(tx, [intent.link for intent in ready if intent.link is not None])
    return ready


def _standing(intent: Intent, own: Sequence[Link]) -> Link | None:
    decided = intent.link
    assert decided is not None
    for link in own:
        if link.id == decided.id:
            same = (link.state, link.digest) == (decided.state, decided.digest)
            return link if same else None
    return None


def _fresh(system: OpenSystem, intent: Intent, own: Sequence[Link], now: datetime) -> Link | None:
    if any(link.is_primary and link.state in {"live", "in_doubt"} for link in own):
        return None
    return Link(
        golden_id=intent.golden.id,
        system_id=system.id,
        object=intent.spec.object,
        remote_id=None,
        hub_key=f"{intent.golden.id}-{len(own)}" if own else intent.golden.id,
        state="in_doubt",
        is_primary=True,
        shadow={},
        pushed={},
        digest="",
        created_at=now,
    )


def ack(
    hub: Hub,
    tx: Tx,
    system: OpenSystem,
    intent: Intent,
    golden: Golden,
    seen: Seen | None,
    absorber: Absorber,
    *,
    item: Incoming | None,
    answered: bool = True,
) -> None:
    """A write that was done: the link's base moves; what is not ours in the record comes in.

    The link must be new to the transaction, or loaded by it. `item` is what was `seen`, where
    the mapping can read it. Not `answered`: the record was found later, people may have edited
    it since.
    """
    assert intent.link is not None
    link = tx.get(Link, intent.link.id)
    if link is None or link.state == "erased":  # while the write was on its way
        remote_id = seen.change.remote_id if seen is not None else None
        erase.arrived_late(hub, tx, system, intent.link, remote_id)
        return
    if intent.op == "archive":
        end_link(hub, tx, system, intent, "archived", absorber.run_id)
        return
    untouched = seen is None or not seen.change.edited
    defaults = link.state == "in_doubt" and answered and untouched
    if link.golden_id != golden.id:  # merged while the write was on its way
        golden = goldens.load(tx, [link.golden_id], lock=True)[link.golden_id]
    link.state, link.doubt_since = ("live" if link.is_primary else "merging"), None
    if seen is not None:
        link.remote_id = seen.change.remote_id
    if intent.op == "create" and link.hub_key != golden.id:
        _repoint_children(tx, system, golden, absorber)
    causes = {path: golden.provenance.get(path) for path in intent.paths}
    absorber.note_written(golden, link, op=intent.op, old=causes, new=intent.sent)
    link.pushed = {**link.pushed, **intent.sent}
    if seen is None and is_heard_later(system, intent):
        _expect_echo(link, intent, absorber)
        return
    if item is None or (link.seen_at is not None and item.seen.read_at < link.seen_at):
        expected = {p: intent.expected[p] for p in intent.paths if p in intent.expected}
        link.shadow, link.pushing = {**link.shadow, **expected}, None
        return
    absorber.translate([item])
    for path in item.missing:
        del item.values[path]
    link.shadow = {**link.shadow, **_ours(intent, item, golden, defaults=defaults)}
    link.pushing = None
    absorber.load_link(link, golden)
    absorber.merge_linked(item, link, written=intent.paths)


def is_heard_later(system: OpenSystem, intent: Intent) -> bool:
    """Whether the next poll reads back what was written, so that nobody else has to.

    What fills an empty field is read back at once: found empty later, it could be a value that
    the system drops, or a user who emptied it.
    """
    connector, link = system.connector, intent.link
    if not isinstance(connector, WritesRecords) or not connector.echoes:
        return False
    if intent.op != "update" or link is None or not system.reads(intent.spec.object):
        return False
    return all(
        link.shadow.get(path) is not None or intent.sent.get(path) is None for path in intent.paths
    )


def _expect_echo(link: Link, intent: Intent, absorber: Absorber) -> None:
    """The write is done; in what form the record holds it, its next sight shows.

    Until then `pushing` says which fields are not seen yet, and no digest fits.
    """
    expected = {p: intent.expected[p] for p in intent.paths if p in intent.expected}
    link.shadow, link.pushing = {**link.shadow, **expected}, dict(intent.sent)
    link.digest, link.seen_at = "", absorber.now


def _repoint_children(tx: Tx, system: OpenSystem, golden: Golden, absorber: Absorber) -> None:
    """A record was made anew: what refers to its forerunner has to refer to it."""
    for child_id, entity in goldens.children(tx, golden.id):
        path = PARENTS.get(entity, ("parent",))[0]
        for link in links.of_golden(tx, [child_id], system.id)[child_id]:
            if link.shadow.get(path) == golden.id:  # else it names somebody else, and differs so
                link.shadow = {**link.shadow, path: None}
            link.pushed = {p: v for p, v in link.pushed.items() if p != path}
        absorber.mark_own(child_id, entity)


def _ours(intent: Intent, item: Incoming, golden: Golden, *, defaults: bool) -> dict[str, object]:
    """What of the record read back is our own write, as this system stores it.

    A field that the system may not bring in is accepted in whatever form it is held. `defaults`:
    what we did not send was filled in by the system itself, and is no news unless only this
    system can give it (the ERP's customer number).
    """
    given = {
        path
        for path in item.values
        if path not in item.spec.out_paths and golden.values.get(path) is None
    }
    shown: dict[str, object] = {}
    if defaults:
        shown = {path: value for path, value in item.values.items() if path not in given}
    for path in intent.paths:
        if path not in item.values:
            continue
        sent, held = intent.expected.get(path), item.values[path]
        ours = held is None or path in item.spec.observed_paths or is_rendering(sent, held)
        shown[path] = held if ours else sent
    return shown


def readable(system: OpenSystem, seen: Seen) -> Incoming | None:
    """A record in canonical form; None where the mapping leaves it out, or cannot read it."""
    try:
        return canonicalise(system, seen)
    except UnmappableValue:
        return None  # the next poll parks it with its reason; the write itself stands


def forget_sent(tx: Tx, intent: Intent) -> None:
    """The system said that a write was not done: nothing is on its way any more."""
    if intent.link is None:
        return
    link = tx.get(Link, intent.link.id)
    if link is None:
        return
    if link.state == "in_doubt":
        tx.delete(link)
        tx.flush()
    link.pushing = None


def end_doubt(hub: Hub, intents: Sequence[Intent]) -> None:
    """Their records were read again: what was on its way has arrived or never will."""
    doubted = [i.link.id for i in intents if i.link is not None and i.link.pushing is not None]
    if not doubted:
        return
    with hub.database.write() as tx:
        tx.execute(
            update(Link)
            .where(Link.id.in_(doubted), Link.state != "in_doubt")
            .values(pushing=null())
        )
    for intent in intents:
        if intent.link is not None:
            intent.link.pushing = None


def look_again(hub: Hub, tx: Tx, system: OpenSystem, intent: Intent) -> None:
    """The record moved under the write: take it in first."""
    if intent.link is not None and intent.link.remote_id is not None:
        row = hint_row(system.id, intent.spec.object, intent.link.remote_id, new_id(), hub.now())
        inbox.deliver(tx, [row])
        tx.after_commit(hub.waker.take_in, system.id)


def end_link(
    hub: Hub, tx: Tx, system: OpenSystem, intent: Intent, state: str, run_id: int | None
) -> None:
    """The record left its route: it is archived there, or stays without us."""
    assert intent.link is not None
    link = tx.get_one(Link, intent.link.id)
    link.state, link.pushing, link.seen_at = state, None, hub.now()
    tx.add(
        Change(
            golden_id=intent.golden.id,
            entity=intent.golden.entity,
            op="unlinked",
            system_id=system.id,
            object=link.object,
            remote_id=link.remote_id,
            rule=state,
            run_id=run_id,
            at=hub.now(),
        )
    )
