"""A merge is undone: each side gets its own values, links and children back."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from mapping.canonical import REFERENCES
from sync.core.unify import Apart, Record, come_apart, with_blanks
from sync.flow import unify
from sync.flow.hub import Hub
from sync.flow.match import OWN_KEY, alike, nearness
from sync.flow.records import hint_row
from sync.store import audit, candidates, goldens, inbox, links
from sync.store.session import Tx
from sync.store.tables import Change, Conflict, DeadLetter, Golden, Link, Merge, System, new_id

REPLACED = "replaced"  # the remote record is no more; the hub makes a new one
SEATED = frozenset({"live", "in_doubt"})
_VANISHED = frozenset({"merged", "gone", REPLACED})


def unmerge(hub: Hub, merge_id: int, actor: str) -> None:
    """Undoes a merge and pushes the split. The pair is remembered as different.

    An edit made since stays with the winner, unless it came from a remote record of the loser.
    """
    systems, now = hub.participants(), hub.now()
    with hub.database.write() as tx:
        row, winner, loser = _undoable(tx, merge_id)
        undo = row.undo
        came = _came_since(tx, row, winner)
        apart = _values(hub, tx, winner, undo, came)
        lent = _lent(tx, undo["links"], came, winner.id)
        doubted = _return_links(hub, tx, undo["links"], winner.id)
        _give(tx, came, loser.id)
        loser.state, loser.merged_into = "live", None
        shown = {**undo["merged"], **winner.values}
        _restore(tx, winner, apart.winner, apart.winner_provenance, shown)
        _restore(tx, loser, apart.loser, apart.loser_provenance, shown)
        for golden, other in ((winner, loser), (loser, winner)):
            golden.version += 1
            goldens.describe(golden, now)
            unify.log(tx, golden, "unmerged", now, new=other.id, actor=actor, old=undo["merged"])
        children = _return_children(hub, tx, undo["children"], winner, loser, actor)
        _expect_moved(tx, children, doubted, winner, loser)
        children += _under_the_other(tx, lent, winner, loser, children)
        _return_rows(tx, undo, winner.id, loser.id)
        candidates.decide(tx, winner.id, loser.id, candidates.DIFFERENT, actor=actor, now=now)
        unify.set_keys(tx, [winner, loser])
        # Records that came in meanwhile could not be found to be one of these.
        candidates.ask(tx, [q for side in (winner, loser) for q in alike(tx, side)], now)
        row.undone_at, row.undone_by = now, actor
        tx.flush()
        unify.mark(hub, tx, [winner, loser, *children], systems)
        audit.note(
            tx,
            actor=actor,
            action="golden.unmerge",
            subject=winner.id,
            now=now,
            facts={"loser": loser.id, "merge": row.id},
        )


def _undoable(tx: Tx, merge_id: int) -> tuple[Merge, Golden, Golden]:
    row = tx.get(Merge, merge_id)
    if row is None:
        raise unify.CannotUnifyError(f"There is no merge {merge_id}.", code="no_merge", id=merge_id)
    pair = goldens.load(tx, [row.winner_id, row.loser_id], lock=True)
    tx.refresh(row)  # somebody may have undone it while we waited for the lock
    if row.undone_at is not None:
        raise unify.CannotUnifyError("This merge is undone already.", code="undone")
    later = candidates.later_merge(tx, row)
    if later is not None:
        raise unify.CannotUnifyError(
            f"One of these records was merged again later: undo merge {later.id} first.",
            code="later_merge",
            id=later.id,
        )
    winner = pair[row.winner_id]
    if winner.state != "live":
        raise unify.CannotUnifyError(
            f"“{winner.name}” is {winner.state}: there is nothing left to take apart.",
            code="not_standing",
            name=winner.name,
            state=winner.state,
        )
    return row, winner, pair[row.loser_id]


def _came_since(tx: Tx, row: Merge, winner: Golden) -> list[Link]:
    """Remote records that were found to be the winner's since, and are the loser's.

    A record is the nearer one's, by what it shows: would be linked to it, or at least be asked
    about, and not to the other. A user may have changed its name since.
    """
    linked = select(Change.system_id, Change.object, Change.remote_id).where(
        Change.golden_id == winner.id,
        Change.op == "linked",
        Change.at >= row.merged_at,
        Change.rule != OWN_KEY,  # made for the winner, whatever it shows
    )
    places = {tuple(place) for place in tx.execute(linked)}
    if not places:
        return []
    stored = {one["id"] for one in row.undo["links"]}
    found = [
        link
        for link in links.of_golden(tx, [winner.id])[winner.id]
        if (link.system_id, link.object, link.remote_id) in places and link.id not in stored
    ]
    records = goldens.customers(tx)
    ours, theirs = row.undo["winner"]["values"], row.undo["loser"]["values"]
    return [
        link
        for link in found
        if nearness(tx, winner.entity, link.shadow, theirs, records)
        > nearness(tx, winner.entity, link.shadow, ours, records)
    ]


def _give(tx: Tx, came: Sequence[Link], loser_id: str) -> None:
    """Links go over to the loser, as long as its seat in that system is free."""
    own = links.of_golden(tx, [loser_id])[loser_id]
    for link in came:
        here = [x for x in own if (x.system_id, x.object) == (link.system_id, link.object)]
        taken = any(x.is_primary and x.state in SEATED for x in here)
        link.is_primary = link.is_primary and not taken
        link.golden_id = loser_id
        link.hub_key = f"{loser_id}-{len(here)}" if here else loser_id
        own.append(link)
    tx.flush()


def _values(
    hub: Hub, tx: Tx, winner: Golden, undo: Mapping[str, Any], came: Sequence[Link]
) -> Apart:
    names = {row.id: row.name for row in tx.execute(select(System.id, System.name))}
    lost = [stored["id"] for stored in undo["links"] if stored["golden_id"] != winner.id]
    lost += [link.id for link in came]
    own = {
        (names[link.system_id], link.object, str(link.remote_id))
        for link in tx.scalars(select(Link).where(Link.id.in_(lost)))
    }
    return come_apart(
        winner.entity,
        Record(winner.values, winner.provenance),
        merged=undo["merged"],
        winner=Record(undo["winner"]["values"], undo["winner"]["provenance"]),
        loser=Record(undo["loser"]["values"], undo["loser"]["provenance"]),
        own=own,
        policies=hub.policies,
    )


def _return_links(
    hub: Hub, tx: Tx, stored: Sequence[Mapping[str, Any]], winner_id: str
) -> set[int]:
    """The loser's links first: a seat has to be free before the winner takes it back.

    Returns the systems that were asked to merge two records, and may have done so.
    """
    doubted: set[int] = set()
    rows = {link.id: link for link in _links(tx, [one["id"] for one in stored])}
    for one in sorted(stored, key=lambda one: one["golden_id"] == winner_id):
        link = rows.get(one["id"])
        if link is None:
            continue
        link.golden_id = one["golden_id"]
        if one["is_primary"] and not link.is_primary:
            link.is_primary = True
            asked = link.state == unify.MERGING
            link.state = _state_again(link.state)
            if asked:
                _look_at(hub, tx, link)  # nobody has listened to what became of it meanwhile
            if asked and link.doubt_since is not None:
                doubted.add(link.system_id)  # it may have been merged, and we were not told
        tx.flush()
    return doubted


def _links(tx: Tx, ids: Sequence[int]) -> list[Link]:
    return list(tx.scalars(select(Link).where(Link.id.in_(ids)).order_by(Link.id)))


def _state_again(state: str) -> str:
    if state in _VANISHED:
        return REPLACED
    return "live" if state == unify.MERGING else state


def _restore(
    tx: Tx,
    golden: Golden,
    values: Mapping[str, Any],
    provenance: Mapping[str, Any],
    merged: Mapping[str, Any],
) -> None:
    own = links.of_golden(tx, [golden.id])[golden.id]
    held = [link.shadow for link in own if link.state in unify.STANDING]
    held += [link.pushing or {} for link in own]
    golden.values = _standing(tx, with_blanks(values, merged, held))
    golden.provenance = {path: dict(source) for path, source in provenance.items()}


def _standing(tx: Tx, values: Mapping[str, Any]) -> dict[str, Any]:
    """References to records that were merged since name the survivor."""
    paths = [path for path in REFERENCES if values.get(path)]
    named = goldens.load(tx, [values[path] for path in paths])
    out = dict(values)
    for path in paths:
        if values[path] in named:
            out[path] = goldens.survivor(tx, named[values[path]]).id
    return out


def _return_children(
    hub: Hub, tx: Tx, ids: Sequence[str], winner: Golden, loser: Golden, actor: str
) -> list[Golden]:
    """Those that came with the loser; one that has been moved on since stays where it is."""
    now = hub.now()
    moved = []
    for child in goldens.load(tx, ids, lock=True).values():
        if child.values.get(unify.reference_of(child)) == winner.id:
            unify.give_parent(tx, child, winner.id, loser.id, "unmerged", actor, now)
            moved.append(child)
    unify.set_keys(tx, [child for child in moved if child.entity == "contact"])
    _look_at_new_children(hub, tx, winner, loser)
    return [child for child in moved if child.state == "live"]


def _expect_moved(
    tx: Tx, children: Sequence[Golden], doubted: Collection[int], winner: Golden, loser: Golden
) -> None:
    """Children that a remote merge may have moved: that is our own doing, and nobody's edit."""
    references = {child.id: unify.reference_of(child) for child in children}
    for golden_id, found in links.of_golden(tx, list(references)).items():
        path = references[golden_id]
        for link in found:
            if link.system_id in doubted and link.shadow.get(path) == loser.id:
                link.pushing = {**(link.pushing or {}), path: winner.id}


def _lent(
    tx: Tx, stored: Sequence[Mapping[str, Any]], came: Sequence[Link], winner_id: str
) -> set[int]:
    """Systems in which a record that goes to the loser stands for both."""
    ids = [one["id"] for one in stored if one["golden_id"] != winner_id]
    going = [*_links(tx, ids), *came]
    return {
        link.system_id
        for link in going
        if link.is_primary and link.state in SEATED and link.golden_id == winner_id
    }


def _under_the_other(
    tx: Tx, lent: Collection[int], winner: Golden, loser: Golden, returned: Sequence[Golden]
) -> list[Golden]:
    """Children of both that were written under such a record: there they are the loser's.

    Not those that were added since: they are read again. Returns the winner's.
    """
    if not lent:
        return []
    own = select(Golden).where(
        Golden.parent_id == winner.id,
        Golden.created_at < _merged_at(tx, winner, loser),
        Golden.state == "live",
    )
    tx.flush()
    beside = {child.id: child for child in tx.scalars(own)}
    children = {**beside, **{child.id: child for child in returned}}
    shown = []
    for golden_id, found in links.of_golden(tx, list(children)).items():
        path = unify.reference_of(children[golden_id])
        here = [link for link in found if link.system_id in lent]
        wrote = [x for x in here if winner.id in {x.shadow.get(path), (x.pushing or {}).get(path)}]
        for link in wrote:
            link.shadow = {**link.shadow, path: loser.id}
            link.pushed = {k: v for k, v in link.pushed.items() if k != path}
            if path in (link.pushing or {}):
                link.pushing = {**(link.pushing or {}), path: loser.id}
        shown += [beside[golden_id]] if wrote and golden_id in beside else []
    return shown


def _look_at_new_children(hub: Hub, tx: Tx, winner: Golden, loser: Golden) -> None:
    """Children that were added since are read again: their remote parent says whose they are."""
    ids = list(
        tx.scalars(
            select(Golden.id).where(
                Golden.parent_id == winner.id,
                Golden.created_at >= _merged_at(tx, winner, loser),
                Golden.state == "live",
            )
        )
    )
    for found in links.of_golden(tx, ids).values():
        for link in found:
            if link.state == "live":
                _look_at(hub, tx, link)


def _look_at(hub: Hub, tx: Tx, link: Link) -> None:
    if link.remote_id is None:
        return
    link.digest = ""
    row = hint_row(link.system_id, link.object, link.remote_id, new_id(), hub.now())
    inbox.deliver(tx, [row])
    tx.after_commit(hub.waker.take_in, link.system_id)


def _merged_at(tx: Tx, winner: Golden, loser: Golden) -> Any:
    return tx.scalar(
        select(Merge.merged_at)
        .where(Merge.winner_id == winner.id, Merge.loser_id == loser.id)
        .order_by(Merge.id.desc())
        .limit(1)
    )


def _return_rows(tx: Tx, undo: Mapping[str, Any], winner_id: str, loser_id: str) -> None:
    conflicts = select(Conflict).where(Conflict.id.in_(undo["conflicts"]))
    letters = select(DeadLetter).where(DeadLetter.id.in_(undo["letters"]))
    for conflict in tx.scalars(conflicts):
        conflict.golden_id = loser_id
    for letter in tx.scalars(letters):
        letter.golden_id = loser_id
    _return_pairs(tx, undo["candidates"], winner_id, loser_id)


def _return_pairs(tx: Tx, kept: Sequence[Mapping[str, Any]], winner_id: str, loser_id: str) -> None:
    """Pairs as they were; one that only the merge has given to the winner goes again."""
    known = {(stored["first_id"], stored["second_id"]) for stored in kept}
    for stored in kept:
        sides = {stored["first_id"], stored["second_id"]}
        if loser_id in sides and winner_id not in sides:
            (other,) = sides - {loser_id}
            given = candidates.between(tx, winner_id, other)
            unknown = candidates.pair_of(winner_id, other) not in known
            if given is not None and unknown and given.state == stored["state"]:
                tx.delete(given)
                tx.flush()
        candidates.put_back(tx, dict(stored))
