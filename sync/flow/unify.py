"""Two golden records become one, in one transaction, with all that is needed to undo it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from connectors.sdk import registry
from connectors.sdk.contract import MergesRecords
from connectors.sdk.errors import SetupError
from mapping.canonical import FACTS
from sync.core.merge import is_rendering
from sync.core.unify import Pick, Record, Survivor, survive, without_self
from sync.flow.hub import Hub
from sync.flow.match import keys_of_many
from sync.gateway.systems import Participant
from sync.store import audit, candidates, dirty, goldens, links
from sync.store.session import Tx
from sync.store.tables import (
    INTERACTIVE,
    Candidate,
    Change,
    Conflict,
    DeadLetter,
    Golden,
    Link,
    Merge,
    System,
)

STANDING = frozenset({"live", "in_doubt"})
MERGING = "merging"  # a duplicate that its system is asked to merge away
_CHUNK = 500


class CannotUnifyError(Exception):
    """A merge, or its undoing, that makes no sense; the sentence says why."""

    def __init__(self, message: str, *, code: str, **facts: object) -> None:
        super().__init__(message)
        self.code, self.facts = code, facts


@dataclass(slots=True)
class Done:
    row: Merge
    survivor: Survivor
    moved: list[Golden]


def merge(
    hub: Hub,
    winner_id: str,
    loser_id: str,
    actor: str,
    overrides: Mapping[str, Pick] | None = None,
) -> int:
    """Merges `loser_id` into `winner_id`; returns the id to undo it by.

    `overrides` name units (see `preview_merge`) that the steward decides against the policy.
    """
    systems = hub.participants()
    with hub.database.write() as tx:
        done = merge_in(hub, tx, (winner_id, loser_id), actor, overrides or {}, systems)
        audit.note(
            tx,
            actor=actor,
            action="golden.merge",
            subject=winner_id,
            now=hub.now(),
            facts={"loser": loser_id, "merge": done.row.id, "chosen": sorted(overrides or {})},
        )
        return done.row.id


def keep_apart(hub: Hub, a: str, b: str, actor: str) -> None:
    """Remembers that two records are different: they are never proposed again."""
    now, systems = hub.now(), hub.participants()
    with hub.database.write() as tx:
        pair = _both(tx, a, b)
        candidates.decide(tx, a, b, candidates.DIFFERENT, actor=actor, now=now)
        for golden, other in ((pair[a], pair[b]), (pair[b], pair[a])):
            log(tx, golden, "decided", now, new=other.id, rule="kept apart", actor=actor)
            release(hub, tx, golden, systems)
        audit.note(tx, actor=actor, action="golden.keep_apart", subject=f"{a} {b}", now=now)


def release(hub: Hub, tx: Tx, golden: Golden, systems: Sequence[Participant]) -> None:
    """Lets a record go out that was held for a decision, unless another one is still open."""
    if golden.held_until is None or candidates.is_held(tx, golden.id):
        return
    golden.held_until = None
    mark(hub, tx, [golden], systems)


def mark(
    hub: Hub,
    tx: Tx,
    records: Sequence[Golden],
    systems: Sequence[Participant],
    also: Sequence[int] = (),
) -> None:
    """Every system that holds such records looks at them; `also` names further systems."""
    pairs = [
        (golden.id, golden.entity, system_id)
        for golden in records
        for system_id in {*also, *(s.id for s in systems if s.is_concerned(golden.entity))}
    ]
    for system_id in dirty.mark(tx, pairs, reason="merged", lane=INTERACTIVE, now=hub.now()):
        tx.after_commit(hub.waker.dispatch, system_id)


def log(
    tx: Tx,
    golden: Golden,
    op: str,
    now: datetime,
    *,
    path: str | None = None,
    old: Any = None,
    new: Any = None,
    rule: str = "",
    actor: str = "",
    link: Link | None = None,
) -> None:
    """One line of a golden record's history."""
    tx.add(
        Change(
            golden_id=golden.id,
            entity=golden.entity,
            op=op,
            path=path,
            old=old,
            new=new,
            rule=rule,
            actor=actor,
            system_id=link.system_id if link else None,
            object=link.object if link else None,
            remote_id=link.remote_id if link else None,
            at=now,
        )
    )


def set_keys(tx: Tx, records: Sequence[Golden]) -> None:
    """The match keys of these records as their values are now."""
    found = keys_of_many([(golden.entity, golden.values) for golden in records])
    keys = {g.id: own if g.state == "live" else [] for g, own in zip(records, found, strict=True)}
    goldens.set_keys(tx, keys, ())


def reference_of(golden: Golden) -> str:
    """The path by which a record names the customer that it belongs to."""
    return "parent" if golden.entity == "customer" else "customer"


def promote(hub: Hub, tx: Tx, gone: Link) -> bool:
    """Where the record that stayed is deleted, its duplicate takes the seat."""
    if not gone.is_primary:
        return False
    beside = links.of_golden(tx, [gone.golden_id], gone.system_id)[gone.golden_id]
    for link in beside:
        spare = link.object == gone.object and not link.is_primary
        if spare and link.state in {"live", MERGING}:
            tx.flush()
            link.is_primary, link.state, link.doubt_since = True, "live", None
            mark(hub, tx, [tx.get_one(Golden, link.golden_id)], (), [link.system_id])
            return True
    return False


def _both(tx: Tx, a: str, b: str) -> dict[str, Golden]:
    if a == b:
        raise CannotUnifyError("A record cannot be compared with itself.", code="same_record")
    pair = goldens.load(tx, [a, b], lock=True)
    for golden_id in (a, b):
        if golden_id not in pair:
            raise CannotUnifyError(
                f"There is no record {golden_id}.", code="no_record", id=golden_id
            )
    return pair


def mergeable(tx: Tx, winner_id: str, loser_id: str) -> tuple[Golden, Golden]:
    pair = _both(tx, winner_id, loser_id)
    winner, loser = pair[winner_id], pair[loser_id]
    if winner.entity != loser.entity or winner.entity in FACTS:
        raise CannotUnifyError(
            "Only two customers or two contacts can be merged.", code="not_mergeable"
        )
    for golden in (winner, loser):
        if golden.state != "live":
            raise CannotUnifyError(
                f"“{golden.name}” is {golden.state} and cannot be merged.",
                code="not_standing",
                name=golden.name,
                state=golden.state,
            )
    return winner, loser


def merge_in(
    hub: Hub,
    tx: Tx,
    ids: tuple[str, str],
    actor: str,
    overrides: Mapping[str, Pick],
    systems: Sequence[Participant],
) -> Done:
    now = hub.now()
    winner, loser = mergeable(tx, *ids)
    undo: dict[str, Any] = {"winner": _kept(winner), "loser": _kept(loser)}
    survivor = survive(
        winner.entity,
        Record(winner.values, winner.provenance),
        Record(loser.values, loser.provenance),
        policies=hub.policies,
        overrides=overrides,
        originals=_originals(tx, winner, loser),
    )
    _write_survivor(tx, winner, loser, survivor, actor, now)
    undo["merged"] = winner.values
    undo["links"], asked, new = _move_links(tx, winner, loser, actor, now)
    beside = [child_id for child_id, _ in goldens.children(tx, winner.id)] if new else []
    moved = _move_children(tx, winner, loser, actor, now)
    undo["children"] = [child.id for child in moved]
    undo["conflicts"], undo["letters"] = _repoint(tx, winner, loser)
    undo["candidates"] = _settle_pairs(tx, winner, loser, actor, now)
    set_keys(tx, [winner, loser])
    row = Merge(winner_id=winner.id, loser_id=loser.id, undo=undo, actor=actor, merged_at=now)
    tx.add(row)
    if winner.held_until is not None and not candidates.is_held(tx, winner.id):
        winner.held_until = None
    tx.flush()
    mark(hub, tx, [winner], systems, asked)
    mark(hub, tx, [child for child in moved if child.state == "live"], systems)
    # Where the winner had no record its children could not be; now they can.
    mark(hub, tx, list(goldens.load(tx, beside).values()), (), new)
    return Done(row, survivor, moved)


def _originals(tx: Tx, winner: Golden, loser: Golden) -> dict[str, Pick]:
    """Paths where one record holds no more than what a system had of the other's value.

    A user who merges two records in a system lets the one that stays take over such values: a
    short or reformatted form, or the one from before an edit that had not been written there.
    """
    own = links.of_golden(tx, [winner.id, loser.id])
    found: dict[str, Pick] = {}
    sides: tuple[tuple[Golden, Golden, Pick], ...] = (
        (winner, loser, "winner"),
        (loser, winner, "loser"),
    )
    for golden, other, pick in sides:
        for link in own[golden.id]:
            for path, sent in link.pushed.items():
                form = link.shadow.get(path)
                if sent == golden.values.get(path) and None is not form == other.values.get(path):
                    found[path] = pick
            for path in _carried_over(link, own[other.id]):
                if (
                    None is not golden.values.get(path)
                    and other.values.get(path) == link.shadow[path]
                ):
                    found[path] = pick
            for path, sent, form in _arrived_unseen(link, own[other.id]):
                if sent == golden.values.get(path) and sent != form == other.values.get(path):
                    found[path] = pick
    return found


def _arrived_unseen(gone: Link, beside: Sequence[Link]) -> list[tuple[str, Any, Any]]:
    """What was on its way to a vanished record, and in what form another one there shows it."""
    if gone.state != "gone":
        return []
    return [
        (path, sent, link.shadow[path])
        for link in beside
        if (link.system_id, link.object, link.state) == (gone.system_id, gone.object, "live")
        for path, sent in (gone.pushing or {}).items()
        if link.shadow.get(path) is not None and is_rendering(sent, link.shadow[path])
    ]


def _carried_over(gone: Link, beside: Sequence[Link]) -> set[str]:
    """Paths of a vanished record whose last value another record there has, too."""
    if gone.state != "gone":
        return set()
    return {
        path
        for link in beside
        if (link.system_id, link.object, link.state) == (gone.system_id, gone.object, "live")
        for path, value in gone.shadow.items()
        if value is not None and link.shadow.get(path) == value
    }


def _kept(golden: Golden) -> dict[str, Any]:
    return {
        "values": golden.values,
        "provenance": golden.provenance,
        "name": golden.name,
    }


def _write_survivor(
    tx: Tx, winner: Golden, loser: Golden, survivor: Survivor, actor: str, now: datetime
) -> None:
    """The winner takes the survivor's values; what it does not keep goes to the change log."""
    log(tx, winner, "merged", now, new=loser.id, rule="merged in", actor=actor)
    log(tx, loser, "merged", now, new=winner.id, rule="merged away", actor=actor)
    for change in survivor.changes:
        log(
            tx,
            winner,
            "set",
            now,
            path=change.path,
            old=change.old,
            new=change.new,
            rule=f"merged: {change.rule}",
            actor=actor,
        )
    for lost in survivor.overruled:
        log(
            tx,
            winner,
            "overruled",
            now,
            path=lost.path,
            old=lost.kept,
            new=lost.refused,
            rule=f"merged: {lost.rule}",
            actor=actor,
        )
    provenance = {path: dict(source) for path, source in survivor.provenance.items()}
    for source in provenance.values():
        if source.get("rule") == "chosen":
            source["by"] = actor
    winner.values = without_self(survivor.values, {winner.id, loser.id})
    winner.provenance = provenance
    winner.version += 1
    goldens.describe(winner, now)
    loser.state, loser.merged_into, loser.held_until = "merged", winner.id, None
    loser.version, loser.updated_at = loser.version + 1, now


def _move_links(
    tx: Tx, winner: Golden, loser: Golden, actor: str, now: datetime
) -> tuple[list[dict[str, Any]], list[int], list[int]]:
    """The loser's links go to the winner; a system that has both is asked to merge them.

    Returns the links as they were, the systems that are asked, those where the winner is new.
    """
    able = _able_to_merge(tx)
    own = links.of_golden(tx, [winner.id, loser.id])
    seats = {(x.system_id, x.object): x for x in own[winner.id] if holds_seat(x)}
    kept: list[dict[str, Any]] = []
    asked: list[int] = []
    new: list[int] = []
    for link in own[loser.id]:
        kept.append(_kept_link(link))
        rival = seats.get((link.system_id, link.object)) if holds_seat(link) else None
        if rival is not None:
            weaker = link
            if rival.state == "in_doubt" and link.state == "live":
                weaker = rival
                kept.append(_kept_link(rival))
            _demote(tx, weaker, winner, actor, now, able=able.get(link.system_id, False))
            asked.append(link.system_id)
            tx.flush()  # the seat has to be free before another link takes it
        elif holds_seat(link):
            new.append(link.system_id)
        link.golden_id = winner.id
    tx.flush()
    return kept, asked, new


def holds_seat(link: Link) -> bool:
    return link.is_primary and link.state in STANDING


def _kept_link(link: Link) -> dict[str, Any]:
    return {
        "id": link.id,
        "golden_id": link.golden_id,
        "is_primary": link.is_primary,
        "state": link.state,
    }


def _demote(tx: Tx, link: Link, winner: Golden, actor: str, now: datetime, *, able: bool) -> None:
    """A second record of the survivor in one system."""
    link.is_primary = False
    if link.state == "live" and able:
        link.state = MERGING
    rule = "remote merge asked for" if able else "duplicate kept"
    log(tx, winner, "merged", now, rule=rule, actor=actor, link=link)


def _able_to_merge(tx: Tx) -> dict[int, bool]:
    """Which systems have a connector that merges."""
    found: dict[int, bool] = {}
    for system_id, kind in tx.execute(select(System.id, System.kind)):
        try:
            found[system_id] = issubclass(registry.get(kind), MergesRecords)
        except SetupError:
            found[system_id] = False
    return found


def _move_children(
    tx: Tx, winner: Golden, loser: Golden, actor: str, now: datetime
) -> list[Golden]:
    ids = tx.scalars(select(Golden.id).where(Golden.parent_id == loser.id).order_by(Golden.id))
    moved = [golden for golden in _chunks(tx, list(ids)) if golden.id != winner.id]
    for child in moved:
        give_parent(tx, child, loser.id, winner.id, "merged", actor, now)
    set_keys(tx, [child for child in moved if child.entity == "contact"])
    return moved


def _chunks(tx: Tx, ids: Sequence[str]) -> list[Golden]:
    """Records under lock, in a few queries."""
    found: list[Golden] = []
    for start in range(0, len(ids), _CHUNK):
        found.extend(goldens.load(tx, ids[start : start + _CHUNK], lock=True).values())
    return found


def give_parent(
    tx: Tx, child: Golden, old: str, new: str, rule: str, actor: str, now: datetime
) -> None:
    """A child belongs to another record from now on."""
    path = reference_of(child)
    child.values = {**child.values, path: new}
    child.version += 1
    goldens.describe(child, now)
    log(tx, child, "set", now, path=path, old=old, new=new, rule=rule, actor=actor)


def _repoint(tx: Tx, winner: Golden, loser: Golden) -> tuple[list[int], list[int]]:
    """Conflicts and dead letters that are open about the loser are about the winner now."""
    open_ones = (Conflict.golden_id == loser.id, Conflict.state == "open")
    conflicts = list(tx.scalars(select(Conflict).where(*open_ones)))
    lost = (DeadLetter.golden_id == loser.id, DeadLetter.state == "open")
    letters = list(tx.scalars(select(DeadLetter).where(*lost)))
    for conflict in conflicts:
        conflict.golden_id = winner.id
    for letter in letters:
        letter.golden_id = winner.id
    return [row.id for row in conflicts], [row.id for row in letters]


def _settle_pairs(
    tx: Tx, winner: Golden, loser: Golden, actor: str, now: datetime
) -> list[dict[str, Any]]:
    """The pair is decided; the loser's other pairs are the winner's. Returns them as they were."""
    kept = []
    for row in candidates.of_golden(tx, loser.id):
        other = row.first_id if row.second_id == loser.id else row.second_id
        kept.append(candidates.kept(row))
        if other == winner.id:
            continue
        mine = candidates.between(tx, winner.id, other)
        if mine is not None:
            kept.append(candidates.kept(mine))
            _join(mine, row)
            tx.delete(row)
        else:
            row.first_id, row.second_id = candidates.pair_of(winner.id, other)
        tx.flush()
    candidates.decide(tx, winner.id, loser.id, "merged", actor=actor, now=now)
    return kept


def _join(mine: Candidate, theirs: Candidate) -> None:
    """Two pairs become one: a decision stands above a proposal, the higher score above the rest."""
    if theirs.state == candidates.DIFFERENT and mine.state == "open":
        mine.state = theirs.state
        mine.decided_by, mine.decided_at = theirs.decided_by, theirs.decided_at
    if theirs.score > mine.score:
        mine.score, mine.weights = theirs.score, theirs.weights
