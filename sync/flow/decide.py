"""What a person decides: golden values, conflicts, dead letters."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import select

from mapping.canonical import field_of
from sync.core.policy import speaks_for_owner
from sync.flow.hub import Hub
from sync.flow.match import keys_of
from sync.flow.records import hint_row
from sync.gateway.systems import Participant
from sync.store import audit, dirty, goldens, inbox
from sync.store.session import Tx
from sync.store.tables import (
    INTERACTIVE,
    Change,
    Conflict,
    DeadLetter,
    Golden,
    Link,
    new_id,
)

Choice = Literal["ours", "theirs", "other"]


def edit(hub: Hub, golden_id: str, values: Mapping[str, Any], actor: str) -> Golden:
    """A person sets golden values in the hub; they go to every system like any other edit."""
    systems = hub.participants()
    with hub.database.write() as tx:
        golden = goldens.load(tx, [golden_id], lock=True)[golden_id]
        unknown = [path for path in values if field_of(golden.entity, path) is None]
        if unknown:
            raise ValueError(f"A {golden.entity} has no field {unknown[0]}.")
        set_values(hub, tx, golden, values, actor=actor, rule="edited in the hub")
        mark_paths(hub, tx, golden, set(values), systems)
        audit.note(
            tx,
            actor=actor,
            action="golden.edit",
            subject=golden_id,
            now=hub.now(),
            facts={"paths": sorted(values)},
        )
    return golden


def decide_conflict(
    hub: Hub, conflict_id: int, choice: Choice, actor: str, other: Mapping[str, Any] | None = None
) -> None:
    """Ends a conflict, or reverses one that a policy has ended. Safe to repeat."""
    systems = hub.participants()
    with hub.database.write() as tx:
        conflict = tx.get_one(Conflict, conflict_id)
        golden = goldens.survivor(
            tx, goldens.load(tx, [conflict.golden_id], lock=True)[conflict.golden_id]
        )
        chosen = {"ours": conflict.ours, "theirs": conflict.theirs, "other": other or {}}[choice]
        set_values(hub, tx, golden, chosen, actor=actor, rule="decided", cause=conflict.id)
        conflict.state, conflict.decision = "decided", choice
        conflict.decided_by, conflict.decided_at = actor, hub.now()
        _forget_pushed(tx, conflict)
        mark_paths(hub, tx, golden, set(conflict.theirs), systems)
        audit.note(
            tx,
            actor=actor,
            action="conflict.decide",
            subject=str(conflict_id),
            now=hub.now(),
            facts={"choice": choice},
        )


def retry_letters(hub: Hub, ids: Sequence[int], actor: str) -> int:
    """Tries dead letters again; each comes back as a new one if nothing was mended."""
    now = hub.now()
    with hub.database.write() as tx:
        letters = list(
            tx.scalars(select(DeadLetter).where(DeadLetter.id.in_(ids), DeadLetter.state == "open"))
        )
        for letter in letters:
            letter.state, letter.closed_at, letter.closed_by = "retried", now, actor
            if letter.direction == "in":
                _again_in(hub, tx, letter)
            else:
                _again_out(hub, tx, letter)
        _release_waiting(hub, tx, letters)
        audit.note(
            tx,
            actor=actor,
            action="dead.retry",
            subject=str(len(letters)),
            now=now,
            facts={"ids": [letter.id for letter in letters]},
        )
    return len(letters)


def discard_letters(hub: Hub, ids: Sequence[int], actor: str) -> int:
    """Closes dead letters without another try; what they were about stays as it is."""
    now = hub.now()
    with hub.database.write() as tx:
        letters = list(
            tx.scalars(select(DeadLetter).where(DeadLetter.id.in_(ids), DeadLetter.state == "open"))
        )
        for letter in letters:
            letter.state, letter.closed_at, letter.closed_by = "discarded", now, actor
        _release_waiting(hub, tx, letters)
        audit.note(
            tx,
            actor=actor,
            action="dead.discard",
            subject=str(len(letters)),
            now=now,
            facts={"ids": [letter.id for letter in letters]},
        )
    return len(letters)


def set_values(
    hub: Hub,
    tx: Tx,
    golden: Golden,
    given: Mapping[str, Any],
    *,
    actor: str,
    rule: str,
    cause: int | None = None,
    run_id: int | None = None,
) -> None:
    """Sets golden values that a person asked for, inside the caller's transaction."""
    now = hub.now()
    values, provenance = dict(golden.values), dict(golden.provenance)
    for path, new in given.items():
        old = values.get(path)
        if old == new:
            continue
        values[path] = new
        _, policy = hub.policies.unit(golden.entity, path)
        owned = speaks_for_owner(policy, provenance.get(path, {}))
        provenance[path] = {
            "system": "hub",
            "kind": "hub",
            "by": actor,
            "rule": rule,
            "at": now.isoformat(timespec="milliseconds"),
            **({"of_record": True} if owned else {}),
        }
        tx.add(
            Change(
                golden_id=golden.id,
                entity=golden.entity,
                op="set",
                path=path,
                old=old,
                new=new,
                rule=rule,
                actor=actor,
                cause_id=cause,
                run_id=run_id,
                at=now,
            )
        )
    golden.values, golden.provenance = values, provenance
    golden.version += 1
    goldens.describe(golden, now)
    goldens.set_keys(tx, {golden.id: keys_of(golden.entity, values)}, ())


def mark_paths(
    hub: Hub, tx: Tx, golden: Golden, paths: set[str] | None, systems: Sequence[Participant]
) -> None:
    """The systems that these paths (None: any) concern have to look at the record."""
    concerned = [(golden.id, golden.entity, paths)]
    if paths is None or paths & {"stage", "kind"}:  # children follow their parent's route
        children = goldens.children(tx, golden.id)
        concerned += [(child_id, entity, None) for child_id, entity in children]
    pairs = [
        (golden_id, entity, system.id)
        for golden_id, entity, some in concerned
        for system in systems
        if system.is_concerned(entity, some)
    ]
    for system_id in dirty.mark(tx, pairs, reason="decided", lane=INTERACTIVE, now=hub.now()):
        tx.after_commit(hub.waker.dispatch, system_id)


def _forget_pushed(tx: Tx, conflict: Conflict) -> None:
    """The decided values are written to the disputed record whatever was pushed before."""
    link = tx.get(Link, conflict.link_id) if conflict.link_id else None
    if link is not None:
        link.pushed = {p: v for p, v in link.pushed.items() if p not in conflict.theirs}


def _release_waiting(hub: Hub, tx: Tx, letters: Sequence[DeadLetter]) -> None:
    """What waited for these records is looked at again: it need not wait any longer."""
    tx.flush()
    for system_id in {letter.system_id for letter in letters if letter.direction == "out"}:
        dirty.wake_children(tx, system_id, hub.now())
        tx.after_commit(hub.waker.dispatch, system_id)
    for system_id in {letter.system_id for letter in letters if letter.direction == "in"}:
        inbox.wake_children(tx, system_id, hub.now())
        tx.after_commit(hub.waker.take_in, system_id)


def _again_in(hub: Hub, tx: Tx, letter: DeadLetter) -> None:
    row = hint_row(
        letter.system_id, letter.object, str(letter.remote_id), f"retry:{new_id()}", hub.now()
    )
    inbox.deliver(tx, [row])
    tx.after_commit(hub.waker.take_in, letter.system_id)


def _again_out(hub: Hub, tx: Tx, letter: DeadLetter) -> None:
    golden = tx.get(Golden, str(letter.golden_id))
    if golden is None:
        return
    pair = (golden.id, golden.entity, letter.system_id)
    dirty.mark(tx, [pair], reason="retry", lane=INTERACTIVE, now=hub.now())
    tx.after_commit(hub.waker.dispatch, letter.system_id)
