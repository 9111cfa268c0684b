"""Remote deletes: a tombstone follows the system's policy, unless a guard holds it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from mapping.canonical import FACTS
from sync.core import guard
from sync.flow.guards import DELETE
from sync.flow.hub import Hub
from sync.flow.match import keys_of, same
from sync.flow.records import Seen, hint_row
from sync.flow.unify import promote
from sync.gateway.systems import OpenSystem
from sync.store import candidates, goldens, inbox, links, runs
from sync.store.session import Tx
from sync.store.tables import Candidate, Change, Golden, Guard, Link, System, new_id

if TYPE_CHECKING:
    from sync.flow.absorb import Absorber

WINDOW = timedelta(minutes=10)  # deletes that arrive one by one count together
DELETES = "deletes"
ABSORBED = 10.0  # bits: the record vanished where its twin lives on


@dataclass(slots=True)
class Vanished:
    """Tombstones that were carried out, and those that wait for a decision."""

    done: list[Seen] = field(default_factory=list)
    held: list[Seen] = field(default_factory=list)


def take_tombstones(
    hub: Hub, tx: Tx, system: OpenSystem, gone: Sequence[Seen], absorber: "Absorber"
) -> Vanished:
    """Carries the tombstones of one batch out, or holds all of them."""
    out = Vanished()
    found = _linked(tx, system, gone)
    out.done.extend(seen for seen in gone if seen.key not in found)
    lost = [(seen, found[seen.key]) for seen in gone if seen.key in found]
    if not lost:
        return out
    if _is_guarded(hub, tx, system, [link for _, link in lost]):
        out.held.extend(seen for seen, _ in lost)
        return out
    golden = goldens.load(tx, {link.golden_id for _, link in lost}, lock=True)
    links.refresh(tx, [link for _, link in lost])
    for seen, link in lost:
        if link.seen_at is not None and seen.read_at < link.seen_at:
            continue  # seen alive after this was read; the row is finished, the next read decides
        _let_go(hub, tx, system, link, golden[link.golden_id], absorber, seen.change.merged_into)
    out.done.extend(seen for seen, _ in lost)
    return out


def _linked(tx: Tx, system: OpenSystem, gone: Sequence[Seen]) -> dict[tuple[str, str], Link]:
    found: dict[tuple[str, str], Link] = {}
    by_object: dict[str, list[str]] = {}
    for seen in gone:
        by_object.setdefault(seen.change.object_name, []).append(seen.change.remote_id)
    for object_name, ids in by_object.items():
        known = links.by_remote(tx, system.id, object_name, ids)
        found.update({(object_name, i): link for i, link in known.items() if link.state == "live"})
    return found


def _is_guarded(hub: Hub, tx: Tx, system: OpenSystem, lost: Sequence[Link]) -> bool:
    since = hub.now() - WINDOW
    if runs.allowance(tx, system.id, DELETES, since - WINDOW) is not None:
        return False
    deletes = len(lost) + runs.recent_deletes(tx, system.id, since)
    linked = links.live_count(tx, system.id)
    limits = hub.settings
    if not guard.too_many_deletes(
        deletes, linked, count=limits.delete_guard_count, share=limits.delete_guard_share
    ):
        return False
    if runs.open_guard(tx, system.id, DELETES) is None:
        tx.add(
            Guard(
                system_id=system.id,
                kind=DELETES,
                direction="in",
                reason=(
                    f"{deletes} of {linked} linked records were deleted in {system.name} at once. "
                    "Nothing was applied. Allow it if this was meant, otherwise restore the "
                    "records there and refuse it."
                ),
                facts={
                    "deletes": deletes,
                    "linked": linked,
                    "golden": [link.golden_id for link in lost[:50]],
                },
                created_at=hub.now(),
            )
        )
    tx.execute(update(System).where(System.id == system.id).values(hold_in=True))
    return True


def _let_go(
    hub: Hub,
    tx: Tx,
    system: OpenSystem,
    link: Link,
    golden: Golden,
    absorber: "Absorber",
    winner_id: str | None,
) -> None:
    now = hub.now()
    if link.is_primary and link.doubt_since is not None:
        _make_again(tx, system, link, golden, absorber, now)
        return
    winner = _winner(tx, system, link, winner_id)
    if winner_id is not None and winner is None:
        _point_to(hub, tx, system, link, golden, winner_id, absorber.run_id)
        return
    link.state, link.seen_at = "gone", now  # what was on its way may have arrived before it went
    rule = f"delete policy {system.delete_policy}"
    _log_gone(tx, system, link, golden, absorber.run_id, now, rule)
    if not link.is_primary or promote(hub, tx, link):
        return  # only a duplicate went, or one is left: the customer is still there
    twin = winner
    if twin is None and golden.entity not in FACTS:
        twin = _absorbing_twin(tx, system, link, golden)
    if twin is not None and twin.id != golden.id:
        _propose_twin(hub, tx, system, golden, twin)
    elif system.delete_policy == "propagate":
        golden.state, golden.version, golden.updated_at = "deleted", golden.version + 1, now
        absorber.mark_all(golden)
    elif system.delete_policy == "recreate":
        link.state = "replaced"
        absorber.mark_all(golden)
    elif system.delete_policy == "review":
        _ask(hub, tx, system, golden)


def _log_gone(
    tx: Tx,
    system: OpenSystem,
    link: Link,
    golden: Golden,
    run_id: int | None,
    now: datetime,
    rule: str,
) -> None:
    tx.add(
        Change(
            golden_id=golden.id,
            entity=golden.entity,
            op="gone",
            system_id=system.id,
            object=link.object,
            remote_id=link.remote_id,
            rule=rule,
            run_id=run_id,
            at=now,
        )
    )


def _make_again(
    tx: Tx, system: OpenSystem, link: Link, golden: Golden, absorber: "Absorber", now: datetime
) -> None:
    """The hub asked for a merge, undid it, and hears only now that it was done: nobody's delete."""
    link.state, link.pushing, link.seen_at, link.doubt_since = "replaced", None, now, None
    _log_gone(tx, system, link, golden, absorber.run_id, now, "merged there before it was undone")
    absorber.mark_all(golden)


def _winner(tx: Tx, system: OpenSystem, link: Link, winner_id: str | None) -> Golden | None:
    """The golden record of the record that this one was merged into over there."""
    if winner_id is None:
        return None
    known = links.by_remote(tx, system.id, link.object, [winner_id]).get(winner_id)
    return None if known is None else tx.get(Golden, known.golden_id)


def _point_to(
    hub: Hub,
    tx: Tx,
    system: OpenSystem,
    link: Link,
    golden: Golden,
    winner_id: str,
    run_id: int | None,
) -> None:
    """The link follows its record into the winner, which the hub has not seen yet."""
    now = hub.now()
    tx.add(
        Change(
            golden_id=golden.id,
            entity=golden.entity,
            op="linked",
            old=link.remote_id,
            new=winner_id,
            system_id=system.id,
            object=link.object,
            remote_id=winner_id,
            rule="merged there",
            run_id=run_id,
            at=now,
        )
    )
    link.remote_id, link.digest, link.pushing, link.seen_at = winner_id, "", None, None
    inbox.deliver(tx, [hint_row(system.id, link.object, winner_id, new_id(), now)])
    tx.after_commit(hub.waker.take_in, system.id)


def _absorbing_twin(tx: Tx, system: OpenSystem, link: Link, golden: Golden) -> Golden | None:
    """Another record of the same object that this one was probably merged into there."""
    keys = [key for _, key in keys_of(golden.entity, golden.values)]
    near = {i for _, i in goldens.by_keys(tx, keys)} - {golden.id}
    if not near:
        return None
    linked = set(
        tx.scalars(
            select(Link.golden_id).where(
                Link.golden_id.in_(near),
                Link.system_id == system.id,
                Link.object == link.object,
                Link.state == "live",
            )
        )
    )
    decided = candidates.apart(tx, {golden.id, *linked})
    for other in goldens.load(tx, linked).values():
        if candidates.pair_of(golden.id, other.id) in decided:
            continue
        if other.state == "live" and same(tx, golden.entity, golden.values, other.values, 0):
            return other
    return None


def _propose_twin(hub: Hub, tx: Tx, system: OpenSystem, golden: Golden, twin: Golden) -> None:
    first, second = sorted((golden.id, twin.id))
    known = tx.scalar(
        select(Candidate).where(Candidate.first_id == first, Candidate.second_id == second)
    )
    if known is None:
        tx.add(
            Candidate(
                first_id=first,
                second_id=second,
                score=ABSORBED,
                weights=[["remote merge", system.name, ABSORBED]],
                created_at=hub.now(),
            )
        )


def _ask(hub: Hub, tx: Tx, system: OpenSystem, golden: Golden) -> None:
    tx.add(
        Guard(
            system_id=system.id,
            kind=DELETE,
            direction="in",
            reason=(
                f"“{golden.name}” was deleted in {system.name}. Allow: delete it in the other "
                "systems, too. Refuse: keep it there."
            ),
            facts={"golden": [golden.id]},
            created_at=hub.now(),
        )
    )
