"""After a merge in the hub, duplicates are merged in the systems that can, too.

A duplicate is a link that is not primary. State `merging` asks for the remote merge: it is stored
with the merge itself, carried out by the dispatch of its system, and safe to repeat.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from connectors.sdk.contract import Change, MergesRecords, WritesRecords
from connectors.sdk.errors import RecordError
from mapping.errors import UnmappableValue
from sync.core.unify import known_by_merge
from sync.flow import take_in, unify
from sync.flow.absorb import Absorber
from sync.flow.hub import Hub
from sync.flow.records import Incoming, Seen, canonicalise, digest
from sync.flow.split import REPLACED
from sync.gateway.systems import OpenSystem
from sync.store import dirty, goldens, links
from sync.store.session import Tx
from sync.store.tables import Dirty, Golden, Link

_WAIT = timedelta(seconds=10)  # until the record to merge into is there


def merge_away(hub: Hub, system: OpenSystem, rows: Sequence[Dirty], run_id: int) -> None:
    """Carries out the remote merges that these rows' records ask for.

    A row whose merge cannot be done yet is kept for later; any other error is the batch's.
    """
    with hub.database.read() as session:
        asked = links.asked(session, [row.golden_id for row in rows], system.id)
    for row in rows:
        for link in asked.get(row.golden_id, ()):
            if not _one(hub, system, link, run_id):
                with hub.database.write() as tx:
                    dirty.keep(tx, row.id, hub.now() + _WAIT)


def _one(hub: Hub, system: OpenSystem, link: Link, run_id: int) -> bool:
    """Whether nothing is left to do for this duplicate."""
    if link.state == "in_doubt":
        return _settle_doubt(hub, system, link)
    with hub.database.write() as tx:
        main = _main(tx, link)
        if main is None:
            _take_seat(hub, tx, link)
            return True
    if main.state != "live":
        return False
    if not isinstance(system.connector, MergesRecords):
        _keep(hub, link, "duplicate kept")
        return True
    return _merge(hub, system, system.connector, main, link, run_id)


def _settle_doubt(hub: Hub, system: OpenSystem, link: Link) -> bool:
    """A create whose answer was lost before the merge: it may have made a duplicate."""
    found: Change | None = None
    connector = system.connector
    if link.doubt_since is not None and isinstance(connector, WritesRecords):
        if hub.now() - link.doubt_since < timedelta(seconds=connector.settle_seconds):
            return False
        found = connector.find(link.object, [link.hub_key]).get(link.hub_key)
    with hub.database.write() as tx:
        current = tx.get_one(Link, link.id)
        if current.state != "in_doubt" or current.is_primary:
            return False
        current.doubt_since, current.pushing = None, None
        current.state = unify.MERGING if found else REPLACED
        current.remote_id = found.remote_id if found else None
    return found is None


def _main(tx: Tx, link: Link) -> Link | None:
    """The record that stays: the primary link beside this one."""
    beside = links.of_golden(tx, [link.golden_id], link.system_id)[link.golden_id]
    return next(
        (
            x
            for x in beside
            if x.object == link.object and x.is_primary and x.state in unify.STANDING
        ),
        None,
    )


def _take_seat(hub: Hub, tx: Tx, link: Link) -> None:
    """There is nothing left to merge into: the duplicate is the record now."""
    current = tx.get_one(Link, link.id)
    if current.state == unify.MERGING and not current.is_primary:
        current.state, current.is_primary, current.doubt_since = "live", True, None
        tx.flush()
        unify.mark(hub, tx, [tx.get_one(Golden, current.golden_id)], (), [current.system_id])


def _keep(hub: Hub, link: Link, rule: str) -> None:
    """The duplicate stays in its system, linked and listed for the user."""
    with hub.database.write() as tx:
        current = tx.get_one(Link, link.id)
        current.doubt_since = None  # not done, for sure
        if current.state == unify.MERGING:
            current.state = "live"
            golden = tx.get_one(Golden, current.golden_id)
            unify.log(tx, golden, "merged", hub.now(), rule=rule[:60], link=current)


def _merge(
    hub: Hub,
    system: OpenSystem,
    connector: MergesRecords,
    main: Link,
    link: Link,
    run_id: int,
) -> bool:
    name, winner_id, loser_id = link.object, str(main.remote_id), str(link.remote_id)
    read_at = hub.now()
    before = {c.remote_id: c for c in take_in.fetch(system, name, [winner_id, loser_id])}
    unseen = [before[str(x.remote_id)] for x in (main, link) if _moved(system, x, before)]
    if unseen:  # what a merge overwrites there, the hub has to have seen
        take_in.absorb_now(hub, system, [Seen(c, read_at) for c in unseen], run_id)
    if before[winner_id].data is None:
        return False  # its tombstone has just been taken in
    if before[loser_id].data is not None:
        if not _announce(hub, link):
            return True
        try:
            connector.merge(name, winner_id, [loser_id])
        except RecordError as error:
            _keep(hub, link, f"remote merge refused: {error}")
            return True
    read_at = hub.now()
    after = take_in.fetch(system, name, [winner_id])[0]
    with hub.database.write() as tx:
        _done(hub, tx, system, main, link, Seen(after, read_at))
    take_in.absorb_now(hub, system, [Seen(after, read_at)], run_id)
    return True


def _announce(hub: Hub, link: Link) -> bool:
    """Notes that the merge is on its way, unless it was undone: its answer may never come."""
    with hub.database.write() as tx:
        current = tx.get_one(Link, link.id)
        if current.state != unify.MERGING or current.is_primary:
            return False
        current.doubt_since = hub.now()
    return True


def _moved(system: OpenSystem, link: Link, read: dict[str, Change]) -> bool:
    change = read[str(link.remote_id)]
    if change.data is None:
        return link.is_primary
    return digest(system.specs[link.object], change.data) != link.digest


def _done(hub: Hub, tx: Tx, system: OpenSystem, main: Link, link: Link, after: Seen) -> None:
    """The duplicate is gone there; what the merge moved is no edit of anybody's."""
    now = hub.now()
    goldens.load(tx, [link.golden_id], lock=True)
    current, standing = tx.get_one(Link, link.id), tx.get_one(Link, main.id)
    golden = tx.get_one(Golden, current.golden_id)
    current.doubt_since = None
    if current.is_primary:  # undone while the call was on its way: made again
        current.state = REPLACED
        unify.mark(hub, tx, [golden], (), [system.id])
    elif current.state == unify.MERGING:
        current.state = "merged"
    unify.log(tx, golden, "merged", now, rule="merged there", new=standing.remote_id, link=current)
    item = _canonical(hub, tx, system, after)
    if item is not None:
        filled = known_by_merge(item.values, standing.shadow, current.shadow)
        standing.shadow = {**standing.shadow, **filled}
        standing.pushed = {p: v for p, v in standing.pushed.items() if p not in filled}
    _children_moved(tx, system, standing, current)


def _canonical(hub: Hub, tx: Tx, system: OpenSystem, seen: Seen) -> Incoming | None:
    try:
        item = canonicalise(system, seen)
    except UnmappableValue:
        return None  # taking it in parks it with its reason
    if item is None:
        return None
    Absorber(hub, tx, system, targets=()).translate([item])
    for path in item.missing:
        del item.values[path]
    return item


def _children_moved(tx: Tx, system: OpenSystem, main: Link, link: Link) -> None:
    """The system has moved the duplicate's children itself."""
    origin = link.hub_key.split("-", 1)[0]  # the record that the link was made for
    parents = {origin, link.golden_id, main.golden_id}
    rows = tx.execute(
        select(Link, Golden.entity)
        .join(Golden, Golden.id == Link.golden_id)
        .where(Golden.parent_id.in_(parents), Link.system_id == system.id)
    )
    for child, entity in rows:
        path = "parent" if entity == "customer" else "customer"
        if child.shadow.get(path) == origin != main.golden_id:
            child.shadow = {**child.shadow, path: main.golden_id}
            child.pushed = {p: v for p, v in child.pushed.items() if p != path}
