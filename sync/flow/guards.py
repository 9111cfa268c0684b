"""Guards: what stops until a person has decided, and what follows from the decision."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased

from sync.core import guard as rules
from sync.flow.hub import Hub
from sync.gateway.systems import OpenSystem
from sync.store import dirty, links, runs
from sync.store.session import Tx
from sync.store.tables import (
    INTERACTIVE,
    Change,
    Golden,
    Guard,
    Inbox,
    Link,
    Plan,
    Run,
    System,
)

DELETES, CHANGES, FLIPS, DRIFT = "deletes", "changes", "flipflop", "drift"
DELETE = "delete"  # of one customer, which the delete policy leaves to a person
HOLD_IN = frozenset({DELETES, CHANGES})  # these stop taking in of their system
HELD = "held by a guard"
WINDOW = timedelta(minutes=10)  # changes that arrive one by one count together
ALLOWED_FOR = timedelta(hours=1)  # how long an allowed mass change may take
LOOK_AGAIN = timedelta(minutes=10)  # when refused records are read again
_SHOWN = 50  # ids kept as examples


@dataclass(frozen=True, slots=True)
class Moved:
    """A field that a linked record brought another value for."""

    link: Link
    golden: Golden
    path: str
    value: Any


class MassChangeError(Exception):
    """A batch would change one field in too many records; its transaction must not stand."""

    def __init__(self, path: str, records: int, linked: int, goldens: Sequence[str]) -> None:
        super().__init__(f"{path} changed in {records} of {linked} linked records")
        self.path, self.records, self.linked, self.goldens = path, records, linked, goldens


# -- mass change ----------------------------------------------------------------------------


def check_mass_change(
    hub: Hub,
    tx: Tx,
    system: OpenSystem,
    moved: Sequence[Moved],
    *,
    batch: int,
    read_at: datetime,
    run_id: int,
) -> None:
    """Raises MassChangeError where a batch goes beyond the limit. Call before the commit."""
    limits = hub.settings
    here = Counter({path: len(ids) for path, ids in _by_path(moved).items()})
    if not here or max(here.values()) * 20 < limits.change_guard_count:
        return
    since = hub.now() - WINDOW
    waiting = _waiting(tx, system.id, batch, hub.now())
    if sum(here.values()) + waiting * len(here) + _changed(tx, system.id, since) <= (
        limits.change_guard_count
    ):
        return
    linked = links.live_count(tx, system.id)
    found = rules.mass_change(
        here,
        _earlier(tx, system.id, since, run_id),
        linked,
        batch=batch,
        waiting=waiting,
        count=limits.change_guard_count,
        share=limits.change_guard_share,
    )
    if found is None or _is_exempt(hub, tx, system, found[0], read_at):
        return
    ids = list(_by_path(moved)[found[0]])
    raise MassChangeError(found[0], found[1], linked, ids[:_SHOWN])


def hold_mass_change(hub: Hub, tx: Tx, system: OpenSystem, error: MassChangeError) -> None:
    """Stops taking in of the system and asks."""
    if runs.open_guard(tx, system.id, CHANGES) is None:
        tx.add(
            Guard(
                system_id=system.id,
                kind=CHANGES,
                direction="in",
                reason=(
                    f"“{error.path}” changed in about {error.records} of {error.linked} linked "
                    f"records of {system.name} at once. The rest was not applied. Allow it if "
                    "this was meant, otherwise restore the records there and refuse it."
                ),
                facts={
                    "path": error.path,
                    "records": error.records,
                    "linked": error.linked,
                    "golden": list(error.goldens),
                },
                created_at=hub.now(),
            )
        )
    tx.execute(update(System).where(System.id == system.id).values(hold_in=True))


def _by_path(moved: Iterable[Moved]) -> dict[str, dict[str, None]]:
    found: dict[str, dict[str, None]] = {}
    for one in moved:
        found.setdefault(one.path, {})[one.golden.id] = None
    return found


def _waiting(tx: Tx, system_id: int, batch: int, now: datetime) -> int:
    """Records that wait besides those in hand."""
    count = tx.scalar(
        select(func.count())
        .select_from(Inbox)
        .where(Inbox.system_id == system_id, Inbox.state == "waiting", Inbox.due_at <= now)
    )
    return max(0, (count or 0) - batch)


def _changed(tx: Tx, system_id: int, since: datetime) -> int:
    """Records changed or overruled lately: an upper bound that costs no look at the history."""
    recent = tx.scalars(
        select(Run.counts).where(
            Run.started_at >= since, Run.system_id == system_id, Run.kind == "take_in"
        )
    )
    return sum(counts.get("changed", 0) + counts.get("overruled", 0) for counts in recent)


def _earlier(tx: Tx, system_id: int, since: datetime, run_id: int) -> dict[str, int]:
    """Records that brought another value of a path lately; what a first meeting brings is new."""
    recent = select(Run.id).where(
        Run.started_at >= since,
        Run.system_id == system_id,
        Run.kind == "take_in",
        Run.id != run_id,
    )
    met = aliased(Change)
    first_meeting = (
        select(met.id)
        .where(
            met.golden_id == Change.golden_id,
            met.run_id == Change.run_id,
            met.system_id == system_id,
            met.op.in_(("created", "linked")),
        )
        .exists()
    )
    found = tx.execute(
        select(Change.path, func.count(Change.golden_id.distinct()))
        .where(
            Change.run_id.in_(recent),
            Change.system_id == system_id,
            Change.op.in_(("set", "overruled")),
            ~first_meeting,
        )
        .group_by(Change.path)
    )
    return {str(path): count for path, count in found}


def _is_exempt(hub: Hub, tx: Tx, system: OpenSystem, path: str, read_at: datetime) -> bool:
    """Whether a person has allowed this change, or has seen it in a plan and applied that."""
    decided = tx.scalars(
        select(Guard)
        .where(
            Guard.system_id == system.id,
            Guard.kind == CHANGES,
            Guard.state == "allowed",
            Guard.decided_at >= hub.now() - timedelta(days=1),
        )
        .order_by(Guard.id.desc())
    )
    for guard in decided:
        assert guard.decided_at is not None
        recent = read_at <= guard.decided_at or hub.now() - guard.decided_at <= ALLOWED_FOR
        if guard.facts.get("path") == path and recent:
            return True
    plans = tx.scalars(
        select(Plan)
        .where(Plan.state.in_(("applying", "applied")))
        .order_by(Plan.id.desc())
        .limit(20)
    )
    return any(
        plan.summary
        and system.id in plan.systems
        and (plan.applied_at is None or read_at <= plan.applied_at)
        for plan in plans
    )


def release(hub: Hub, tx: Tx, guard: Guard, *, allow: bool) -> None:
    """A decided guard of the kinds in HOLD_IN lets its system go on, unless another holds it."""
    if guard.kind == CHANGES and not allow:
        drop_held(hub, tx, guard.system_id, everything=True)
    elif not allow:
        drop_held(hub, tx, guard.system_id, everything=False)
    others = tx.scalar(
        select(Guard.id)
        .where(
            Guard.system_id == guard.system_id,
            Guard.id != guard.id,
            Guard.state == "open",
            Guard.kind.in_(HOLD_IN),
        )
        .limit(1)
    )
    if others is None:
        tx.execute(update(System).where(System.id == guard.system_id).values(hold_in=False))
        tx.after_commit(hub.waker.take_in, guard.system_id)


def drop_held(hub: Hub, tx: Tx, system_id: int, *, everything: bool) -> None:
    """Refused records are looked at again later: by then they should be as they were.

    `everything`: also what was read before the decision and had not been looked at yet.
    """
    query = update(Inbox).where(Inbox.system_id == system_id, Inbox.state == "waiting")
    if not everything:
        query = query.where(Inbox.error == HELD)
    tx.execute(
        query.values(
            payload=None,
            gone=False,
            read_at=None,
            due_at=hub.now() + LOOK_AGAIN,
            generation=Inbox.generation + 1,
        )
    )


# -- flip-flop ------------------------------------------------------------------------------


def quarantine_flips(hub: Hub, tx: Tx, system: OpenSystem, moved: Sequence[Moved]) -> None:
    """A field that goes back and forth is no longer written to the record that moved it last."""
    known = [one for one in moved if one.link.id is not None]
    if not known:
        return
    since = hub.now() - timedelta(seconds=hub.settings.flip_guard_seconds)
    history = _history(tx, {one.golden.id for one in known}, since)
    for one in known:
        moves = history.get((one.golden.id, one.path), [])
        if len(moves) <= hub.settings.flip_guard_count:
            continue
        asked = _guards_about(tx, one)
        if any(g.state == "open" and g.facts["link"] == one.link.id for g in asked):
            continue
        ended = max((g.decided_at or g.created_at for g in asked), default=since)
        count = rules.flips([move for at, move in moves if at > ended])
        if count >= hub.settings.flip_guard_count:
            tx.add(_flip_guard(hub, tx, system, one, count))


def _history(
    tx: Tx, golden_ids: Collection[str], since: datetime
) -> dict[tuple[str, str], list[tuple[datetime, rules.Move]]]:
    found: dict[tuple[str, str], list[tuple[datetime, rules.Move]]] = {}
    rows = tx.scalars(
        select(Change)
        .where(
            Change.golden_id.in_(golden_ids),
            Change.op.in_(("set", "overruled")),
            Change.at >= since,
        )
        .order_by(Change.id)
    )
    for row in rows:
        move = rules.Move(row.system_id, row.old, row.new, row.op == "overruled")
        found.setdefault((row.golden_id, str(row.path)), []).append((row.at, move))
    return found


def _guards_about(tx: Tx, one: Moved) -> list[Guard]:
    """What was asked about this field of this golden record before, whichever side was held."""
    tx.flush()
    guards = tx.scalars(select(Guard).where(Guard.kind == FLIPS))
    wanted = ([one.golden.id], one.path)
    return [guard for guard in guards if (guard.facts["golden"], guard.facts["path"]) == wanted]


def _flip_guard(hub: Hub, tx: Tx, system: OpenSystem, one: Moved, count: int) -> Guard:
    names = dict(tx.execute(select(System.id, System.name)).all())
    all_links = links.of_golden(tx, [one.golden.id])[one.golden.id]
    forms = {
        names[link.system_id]: link.shadow[one.path]
        for link in all_links
        if link.state == "live" and one.path in link.shadow
    }
    forms[system.name] = one.value
    hours = hub.settings.flip_guard_seconds / 3600
    return Guard(
        system_id=system.id,
        kind=FLIPS,
        direction="out",
        reason=(
            f"“{one.path}” of “{one.golden.name}” went back and forth {count} times within "
            f"{hours:g} hours, last by {system.name}. It is not written to {system.name} any "
            "more. Mend what changes it there, then allow writing; refuse to leave each side "
            "with its own form."
        ),
        facts={
            "golden": [one.golden.id],
            "link": one.link.id,
            "object": one.link.object,
            "remote_id": one.link.remote_id,
            "path": one.path,
            "flips": count,
            "forms": {**forms, "hub": one.golden.values.get(one.path)},
        },
        created_at=hub.now(),
    )


def quarantined(session: Session, system_id: int) -> dict[int, set[str]]:
    """The paths that are not written now, by link."""
    found: dict[int, set[str]] = {}
    for facts in session.scalars(
        select(Guard.facts).where(
            Guard.system_id == system_id, Guard.kind == FLIPS, Guard.state == "open"
        )
    ):
        found.setdefault(facts["link"], set()).add(facts["path"])
    return found


def end_quarantine(hub: Hub, tx: Tx, guard: Guard, *, allow: bool) -> None:
    """Writes the field again, or accepts that the record holds its own form of this value."""
    link = tx.get(Link, guard.facts["link"])
    if link is None:
        return
    golden = tx.get_one(Golden, link.golden_id)
    path = str(guard.facts["path"])
    if allow:
        link.pushed = {p: value for p, value in link.pushed.items() if p != path}
        pair = (golden.id, golden.entity, link.system_id)
        dirty.mark(tx, [pair], reason="guard", lane=INTERACTIVE, now=hub.now())
        tx.after_commit(hub.waker.dispatch, link.system_id)
    else:
        link.pushed = {**link.pushed, path: golden.values.get(path)}


def merge_paths(*found: Mapping[int, set[str]]) -> dict[int, set[str]]:
    """The union of what several reasons hold back, by link."""
    out: dict[int, set[str]] = {}
    for one in found:
        for link_id, paths in one.items():
            out.setdefault(link_id, set()).update(paths)
    return out
