"""Erasing a person: in every linked system, in the hub itself, and for good.

A saga that can be resumed anywhere: the request and its steps are stored, then the person is
listed outside the database, then the hub's own copies go, then each remote record; a system that
cannot be reached keeps the request open. At the end a certificate says what was done where.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connectors.sdk.contract import (
    Change,
    ErasesRecords,
    Outcome,
    Write,
    WritesRecords,
)
from connectors.sdk.errors import RecordError, TransientError
from mapping import engine
from mapping.errors import UnmappableValue
from mapping.spec import MappingSpec
from sync.core import backoff, person
from sync.flow import recover, take_in, worked_out
from sync.flow.hub import Hub
from sync.flow.records import hint_row
from sync.flow.turn_away import listed
from sync.gateway.systems import OpenSystem
from sync.store import audit, erasures, goldens, inbox
from sync.store.session import Tx
from sync.store.tables import (
    Erasure,
    ErasureReturn,
    ErasureStep,
    Golden,
    Link,
    System,
    new_id,
)

log = structlog.get_logger()
DELETED, MASKED, GONE, REFUSED, BY_HAND = "deleted", "masked", "gone", "refused", "by hand"
_LOOK_BACK = timedelta(minutes=15)  # a worker may have taken the person in meanwhile
_LONGEST_WAIT = 3600.0  # an unreachable system is asked once an hour at least
_RANK = {"contact": 0, "customer": 1}  # who refers to others goes first
_checked: set[str] = set()  # databases of this process
BY_A_PERSON = "{name} cannot be written by the hub: erase the record there, then confirm it."
NOT_TAKEN = "{name} refused: {reason}"


@dataclass(frozen=True, slots=True)
class Shared:
    """A fact that others have as well: it is listed together with the name only."""

    kind: str
    value: str
    others: int


# ---- asking ---------------------------------------------------------------------


def begin(hub: Hub, golden_id: str, *, actor: str, reference: str = "") -> str:
    """Stores the request and begins. A record that is being erased keeps its request."""
    with hub.database.write() as tx:
        golden = goldens.survivor(tx, goldens.load(tx, [golden_id], lock=True)[golden_id])
        known = erasures.open_for(tx, golden.id)
        if known is not None and (known.state == "begun" or golden.state == erasures.ERASED):
            return known.id
        now = hub.now()
        row = Erasure(
            id=new_id(),
            golden_id=golden.id,
            entity=golden.entity,
            state="begun",
            reference=reference[:120],
            actor=actor,
            requested_at=now,
        )
        tx.add(row)
        facts = {"request": row.id, "reference": row.reference}
        audit.note(tx, actor=actor, action="erase", subject=golden.id, now=now, facts=facts)
        tx.after_commit(hub.waker.erase, row.id)
    carry_on(hub, row.id)
    return row.id


def shared_facts(tx: Session, records: Sequence[Golden]) -> list[Shared]:
    """Facts of these records that others have, too."""
    ids = {record.id for record in records}
    found: dict[str, Shared] = {}
    for record in records:
        for trait in person.traits(record.entity, record.values):
            others = [
                other
                for other in erasures.holders(tx, trait.value, ids)
                if trait.text in {t.text for t in person.traits(other.entity, other.values)}
            ]
            if others:
                found[trait.text] = Shared(trait.kind, trait.value, len(others))
    return list(found.values())


def _widen(hub: Hub, tx: Tx, row: Erasure, records: Sequence[Golden]) -> None:
    """Adds records to a request: what they are listed by, and a step for each remote record."""
    digest = listed(hub).digest
    ids = [record.id for record in records]
    own = list(tx.scalars(select(Link).where(Link.golden_id.in_(ids)).order_by(Link.id)))
    names = dict(tx.execute(select(System.id, System.name)).all())
    texts = {person.hub_key(record.id) for record in records}
    texts |= _texts(tx, records, own)
    entity = {record.id: record.entity for record in records}
    kept = erasures.documents(tx, ids)
    known = {(x.system_id, x.object, x.remote_id, x.hub_key) for x in erasures.steps(tx, row.id)}
    for link in sorted(own, key=lambda one: (_RANK.get(entity[one.golden_id], 2), one.id)):
        if link.state == erasures.ERASED or not (link.remote_id or link.state == "in_doubt"):
            continue
        if (link.system_id, link.object, link.remote_id, link.hub_key) in known:
            continue
        name = names[link.system_id]
        at = person.remote(name, link.object, str(link.remote_id or link.hub_key))
        texts.add(at)
        of_customer = entity[link.golden_id] == "customer"
        tx.add(
            ErasureStep(
                erasure_id=row.id,
                system_id=link.system_id,
                system=name,
                entity=entity[link.golden_id],
                object=link.object,
                remote_id=link.remote_id,
                hub_key=link.hub_key,
                fingerprint=digest(at),
                documents=kept.get(link.system_id, 0) if of_customer else 0,
                due_at=hub.now(),
            )
        )
    row.digests = sorted({*row.digests, *(digest(text) for text in texts)})
    if kept_here := erasures.kept(tx, ids):
        row.own = {**row.own, "kept": kept_here}


def _texts(tx: Tx, records: Sequence[Golden], own: Sequence[Link]) -> set[str]:
    """All that the person would be recognised by; what others share counts with the name only."""
    shared = {f"{one.kind}:{one.value}" for one in shared_facts(tx, records)}
    texts: set[str] = set()
    for record in records:
        held = [record.values, *(x.shadow for x in own if x.golden_id == record.id)]
        for values in held:
            texts |= set(person.with_name(record.entity, {**record.values, **_filled(values)}))
            texts |= {
                trait.text
                for trait in person.traits(record.entity, values)
                if trait.alone and trait.text not in shared
            }
    return texts


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {path: value for path, value in values.items() if value is not None}


# ---- doing it -------------------------------------------------------------------


def carry_on(hub: Hub, erasure_id: str) -> None:
    """Does all that can be done now; safe to repeat, and at any time."""
    with hub.database.read() as session:
        row = session.get_one(Erasure, erasure_id)
    if row.state == "begun":
        _list_and_purge(hub, row)
    with hub.database.read() as session:
        step_ids = erasures.due_steps(session, erasure_id, hub.now())
    for step_id in step_ids:
        _try(hub, step_id)
    _finish(hub, erasure_id)


def resume_due(hub: Hub) -> None:
    """Every request that has something to do."""
    with hub.database.read() as session:
        waiting = erasures.due(session, hub.now())
    for erasure_id in waiting:
        carry_on(hub, erasure_id)


def _list_and_purge(hub: Hub, row: Erasure) -> None:
    """Listed before the commit, outside the database: from here on nobody brings them back."""
    with hub.database.write() as tx:
        golden = goldens.load(tx, [row.golden_id], lock=True).get(row.golden_id)
        current = tx.get_one(Erasure, row.id, populate_existing=True)
        if current.state != "begun":
            return
        if golden is not None:
            _take_over(hub, tx, current, erasures.scope(tx, golden))
        current.state = "open"
    hub.database.scrub()


def _take_over(hub: Hub, tx: Tx, row: Erasure, records: Sequence[Golden]) -> None:
    """Records become part of a request: listed, with a step for each place, and gone here."""
    goldens.load(tx, [record.id for record in records], lock=True)
    _widen(hub, tx, row, records)
    listed(hub).add(row.id, row.digests, _facts(row))
    _purge(hub, tx, row, records)


def _purge(hub: Hub, tx: Tx, row: Erasure, records: Sequence[Golden]) -> None:
    worked_out.forget(hub)  # a plan's own copy of what it has read
    standing = [record.id for record in records if record.state != erasures.ERASED]
    locked = list(goldens.load(tx, standing, lock=True).values())
    removed = erasures.purge(tx, locked, row.id, hub.now()) if locked else {}
    own = dict(row.own)
    for name, count in removed.items():
        own[name] = own.get(name, 0) + count
    row.own = own


def _facts(row: Erasure) -> dict[str, Any]:
    return {
        "golden": row.golden_id,
        "entity": row.entity,
        "reference": row.reference,
        "actor": row.actor,
        "at": row.requested_at.isoformat(),
    }


def _try(hub: Hub, step_id: int) -> None:
    with hub.database.write() as tx:
        step = erasures.claim(tx, step_id, hub.now(), hub.settings.lease)
    if step is None:
        return
    try:
        outcome, note = _erase_there(hub, step)
    except Exception as error:
        if not recover.is_expected(error):
            log.exception("erasure_step_failed", erasure=step.erasure_id, system=step.system)
        _later(hub, step, str(error) or type(error).__name__, recover.hint_of(error))
        return
    state = "done" if outcome in {DELETED, MASKED, GONE} else "manual"
    _set(hub, step.id, state=state, outcome=outcome, note=note, done_at=hub.now())


def _later(hub: Hub, step: ErasureStep, why: str, hint: float | None) -> None:
    wait = min(_LONGEST_WAIT, backoff.delay(step.attempts, hint, hub.chance()))
    _set(hub, step.id, note=why, due_at=hub.now() + timedelta(seconds=wait))


def _set(hub: Hub, step_id: int, **values: Any) -> None:
    with hub.database.write() as tx:
        tx.execute(
            update(ErasureStep).where(ErasureStep.id == step_id).values(lease_until=None, **values)
        )


def _erase_there(hub: Hub, step: ErasureStep) -> tuple[str, str]:
    """What became of one remote record. Raises what any call raises: then it is tried again."""
    if step.system_id is None:
        return REFUSED, BY_A_PERSON.format(name=step.system)
    system = hub.systems.open(step.system_id)
    if system.state != "live":
        raise TransientError(
            f"{system.name} is {system.state}; it is asked again when it is live.",
            retry_after=300.0,
        )
    try:
        remote_id = _remote_id(hub, system, step)
        if remote_id is None:
            return GONE, ""
        return _erase_record(system, step, remote_id)
    finally:
        hub.systems.flush_counts(system)


def _remote_id(hub: Hub, system: OpenSystem, step: ErasureStep) -> str | None:
    """The record; one whose create was in doubt shows itself by the hub's key, or never was."""
    if step.remote_id is not None:
        return step.remote_id
    connector = system.connector
    if not isinstance(connector, WritesRecords):
        return None
    found = connector.find(step.object, [step.hub_key]).get(step.hub_key)
    if found is not None:
        _set(hub, step.id, remote_id=found.remote_id)
        return found.remote_id
    with hub.database.read() as session:
        asked = session.get_one(Erasure, step.erasure_id).requested_at
    settled = asked + timedelta(seconds=max(connector.settle_seconds, 60.0))
    if hub.now() < settled:
        raise TransientError(
            "Whether this record was created is not known yet.",
            retry_after=connector.settle_seconds,
        )
    return None


def _erase_record(system: OpenSystem, step: ErasureStep, remote_id: str) -> tuple[str, str]:
    connector = system.connector
    found = take_in.fetch(system, step.object, [remote_id])[0]
    if found.data is None:
        return GONE, ""
    if isinstance(connector, ErasesRecords):
        connector.erase(step.object, [remote_id])
        return DELETED, ""
    if not isinstance(connector, WritesRecords):
        return REFUSED, BY_A_PERSON.format(name=system.name)
    left, refusal = _mask(system, connector, step, found)
    # Masked before it is deleted: what stays in a recycle bin, or archived, is empty.
    if connector.can_delete and not step.documents:
        write = Write(step.hub_key, "delete", remote_id)
        if _refusal_of(connector, step.object, write) is None:
            there = take_in.fetch(system, step.object, [remote_id])[0].data
            if there is None:
                return DELETED, refusal
    return (REFUSED, refusal) if refusal else (MASKED, left)


def _mask(
    system: OpenSystem, connector: WritesRecords, step: ErasureStep, found: Change
) -> tuple[str, str]:
    """Empties every personal field that may be written; (what is left, why it was refused)."""
    spec = system.specs.get(step.object)
    if spec is None or found.data is None:
        return "", BY_A_PERSON.format(name=system.name)
    values = _readable(spec, found)
    label = person.label_of(step.erasure_id)
    wanted = person.masked(spec.update_paths, label)
    wanted = {p: v for p, v in wanted.items() if values.get(p) not in (None, [], v)}
    if not wanted:
        return "", ""
    refusal = _write_fields(connector, step, spec, {**values, **wanted}, sorted(wanted), found)
    after = take_in.fetch(system, step.object, [found.remote_id])[0]
    held = _readable(spec, after) if after.data is not None else {}
    left = sorted(
        path
        for path, value in held.items()
        if person.is_personal(path)
        and value not in (None, [], label)
        and path not in spec.observed_paths
    )
    if left and refusal:
        return ", ".join(left), NOT_TAKEN.format(name=system.name, reason=refusal)
    return ", ".join(left), ""


def _readable(spec: MappingSpec, change: Change) -> dict[str, Any]:
    """The canonical values; what cannot be read is treated as filled in every field."""
    assert change.data is not None
    try:
        return engine.canonicalise(spec, change.data)
    except UnmappableValue:
        return dict.fromkeys(spec.out_paths, "unreadable")


def _write_fields(
    connector: WritesRecords,
    step: ErasureStep,
    spec: MappingSpec,
    values: Mapping[str, Any],
    paths: Sequence[str],
    found: Change,
) -> str:
    """All fields in one write; where that is refused, one by one. The last refusal."""
    native = engine.project(spec, values, frozenset(paths))
    write = Write(step.hub_key, "update", found.remote_id, native)
    refusal = _refusal_of(connector, step.object, write)
    if refusal is None or len(paths) == 1:
        return refusal or ""
    last = ""
    for path in paths:
        native = engine.project(spec, values, frozenset([path]))
        write = Write(step.hub_key, "update", found.remote_id, native)
        last = _refusal_of(connector, step.object, write) or last
    return last


def _refusal_of(connector: WritesRecords, object_name: str, write: Write) -> str | None:
    """One write; None where it was done. Raises what has to be tried again."""
    outcomes: list[Outcome] = list(connector.write(object_name, [write]))
    if not outcomes:
        raise TransientError("The answer to this write is missing; it is tried again.")
    error = outcomes[0].error
    if error is None:
        return None
    if isinstance(error, RecordError):
        return str(error)
    raise TransientError(str(error))


# ---- the end --------------------------------------------------------------------


def _finish(hub: Hub, erasure_id: str) -> None:
    """When every system has answered: the certificate, here and outside the database."""
    with hub.database.write() as tx:
        row = tx.get_one(Erasure, erasure_id)
        if row.state != "open" or not erasures.is_answered(tx, erasure_id):
            return
        late = _hits(hub, tx, since=row.requested_at - _LOOK_BACK).get(erasure_id)
        if late:  # taken in by a worker that had begun before the request
            _take_over(hub, tx, row, _scopes(tx, late))
            tx.after_commit(hub.waker.erase, row.id)
            return
        now = hub.now()
        done = erasures.steps(tx, erasure_id)
        row.state, row.done_at = "done", now
        row.certificate = certificate_of(row, done, now)
        for step in done:
            _forget_place(tx, step)
        listed(hub).certify(row.certificate)
    hub.database.scrub()


def _forget_place(tx: Tx, step: ErasureStep) -> None:
    """The remote id goes; a masked record keeps its empty link, so that its documents find it."""
    here = (Link.system_id == step.system_id, Link.object == step.object)
    if step.outcome != MASKED and step.remote_id is not None and step.system_id is not None:
        link = tx.scalar(
            select(Link).where(
                *here, Link.remote_id == step.remote_id, Link.state == erasures.ERASED
            )
        )
        if link is not None:
            tx.delete(link)
    step.remote_id = None


def certificate_of(row: Erasure, steps: Sequence[ErasureStep], now: datetime) -> dict[str, Any]:
    """What was done where, without a word about whom."""
    return {
        "request": row.id,
        "reference": row.reference,
        "entity": row.entity,
        "requested_by": row.actor,
        "requested_at": row.requested_at.isoformat(),
        "done_at": now.isoformat(),
        "golden": row.golden_id,
        "systems": [
            {
                "system": step.system,
                "object": step.object,
                "entity": step.entity,
                "record": step.fingerprint,
                "outcome": step.outcome,
                "note": step.note,
                "documents_kept": step.documents,
                "done_at": step.done_at.isoformat() if step.done_at else None,
                "done_by": step.done_by,
            }
            for step in steps
        ],
        "hub": dict(row.own),
        "listed": len(row.digests),
        "backups_before": now.isoformat(),
    }


def confirm(hub: Hub, step_id: int, *, actor: str, note: str = "") -> None:
    """A person has erased the record where the hub cannot."""
    with hub.database.write() as tx:
        step = tx.get_one(ErasureStep, step_id)
        if step.state == "done":
            return
        step.state, step.outcome, step.done_at = "done", BY_HAND, hub.now()
        step.done_by, step.note = actor, note[:500]
        audit.note(
            tx,
            actor=actor,
            action="erase.confirm",
            subject=step.erasure_id,
            now=hub.now(),
            facts={"system": step.system, "object": step.object},
        )
    _finish(hub, step.erasure_id)


def retry(hub: Hub, erasure_id: str) -> None:
    """Everything that is open is tried at once."""
    with hub.database.write() as tx:
        tx.execute(
            update(ErasureStep)
            .where(ErasureStep.erasure_id == erasure_id, ErasureStep.state != "done")
            .values(state="waiting", due_at=hub.now(), attempts=0, lease_until=None)
        )
    carry_on(hub, erasure_id)


def lift(hub: Hub, erasure_id: str, *, actor: str) -> None:
    """The person may come back: by their own wish, or because it was a mistake."""
    listed(hub).lift(erasure_id)
    with hub.database.write() as tx:
        row = tx.get_one(Erasure, erasure_id)
        row.lifted_at = hub.now()
        audit.note(tx, actor=actor, action="erase.lift", subject=erasure_id, now=hub.now())


def decide_return(hub: Hub, return_id: int, *, allow: bool, actor: str) -> str:
    """A record that was turned away: let in as somebody else, or erased where it is."""
    with hub.database.write() as tx:
        row = tx.get_one(ErasureReturn, return_id)
        system = tx.get_one(System, row.system_id)
        row.state, row.decided_by = ("allowed" if allow else "erased"), actor
        at = person.remote(system.name, row.object, row.remote_id)
        if allow:
            listed(hub).allow(at)
            hint = hint_row(system.id, row.object, row.remote_id, new_id(), hub.now())
            inbox.deliver(tx, [hint])
            tx.after_commit(hub.waker.take_in, system.id)
        else:
            erasure = tx.get_one(Erasure, row.erasure_id)
            digest = listed(hub).digest(at)
            erasure.state, erasure.digests = "open", sorted({*erasure.digests, digest})
            listed(hub).add(erasure.id, erasure.digests, _facts(erasure))
            tx.add(
                ErasureStep(
                    erasure_id=row.erasure_id,
                    system_id=system.id,
                    system=system.name,
                    entity=erasure.entity,
                    object=row.object,
                    remote_id=row.remote_id,
                    hub_key=erasure.golden_id,
                    fingerprint=digest,
                    due_at=hub.now(),
                )
            )
            tx.after_commit(hub.waker.erase, erasure.id)
        audit.note(
            tx,
            actor=actor,
            action="erase.return",
            subject=row.erasure_id,
            now=hub.now(),
            facts={"system": system.name, "allow": allow},
        )
        erasure_id = row.erasure_id
    if not allow:
        carry_on(hub, erasure_id)
    return erasure_id


# ---- around it ------------------------------------------------------------------


def arrived_late(hub: Hub, tx: Tx, system: OpenSystem, link: Link, remote_id: str | None) -> None:
    """A write was on its way while its person was erased: what it left has to go, too."""
    row = erasures.of_record(tx, link.golden_id)
    if row is None:
        return
    known = remote_id or link.remote_id
    for step in erasures.steps(tx, row.id):
        here = (step.system_id, step.object) == (system.id, link.object)
        if here and (step.remote_id == known or step.hub_key == link.hub_key):
            step.state, step.due_at, step.lease_until = "waiting", hub.now(), None
            step.remote_id = known
            break
    else:
        golden = tx.get_one(Golden, link.golden_id)
        at = person.remote(system.name, link.object, str(known))
        tx.add(
            ErasureStep(
                erasure_id=row.id,
                system_id=system.id,
                system=system.name,
                entity=golden.entity,
                object=link.object,
                remote_id=known,
                hub_key=link.hub_key,
                fingerprint=listed(hub).digest(at),
                due_at=hub.now(),
            )
        )
    row.state = "open"
    tx.after_commit(hub.waker.erase, row.id)


def after_restore(hub: Hub) -> list[str]:
    """Erases again whom a restored database still holds; requests that were at work, too.

    The list outside the database says who that is. Systems are asked once they are live again.
    """
    known = listed(hub)
    if known.is_empty():
        return []
    certificates = known.certificates()
    with hub.database.write() as tx:
        rows: dict[str, Erasure] = {}
        for request, facts in known.requests().items():
            row = tx.get(Erasure, request)
            if row is None:
                row = _learned(request, facts, certificates.get(request))
                tx.add(row)
            rows[request] = row
        tx.flush()
        again = _hits(hub, tx)
        for request, found in again.items():
            rows[request].state = "open"
            _take_over(hub, tx, rows[request], _scopes(tx, found))
    hub.database.scrub()
    return sorted(again)


def check_restored(hub: Hub) -> None:
    """Once per process: a database that was put back by other means than ours is found out."""
    if str(hub.database.url) in _checked:
        return
    known = listed(hub)
    with hub.database.read() as session:
        state = dict(
            session.execute(
                select(Erasure.id, Golden.state)
                .outerjoin(Golden, Golden.id == Erasure.golden_id)
                .where(Erasure.id.in_(known.requests()))
            ).all()
        )
    if any(state.get(request, "live") == "live" for request in known.requests()):
        log.warning("erased_again", requests=after_restore(hub))
    _checked.add(str(hub.database.url))


def _learned(
    request: str, facts: Mapping[str, Any], certificate: Mapping[str, Any] | None
) -> Erasure:
    """A request that the restored database does not know."""
    done = certificate.get("done_at") if certificate else None
    return Erasure(
        id=request,
        golden_id=str(facts["golden"]),
        entity=str(facts["entity"]),
        state="done" if done else "open",
        reference=str(facts["reference"]),
        actor=str(facts["actor"]),
        digests=list(facts["digests"]),
        certificate=dict(certificate or {}),
        requested_at=datetime.fromisoformat(str(facts["at"])),
        done_at=datetime.fromisoformat(str(done)) if done else None,
    )


def _scopes(tx: Tx, records: Sequence[Golden]) -> list[Golden]:
    return list({one.id: one for record in records for one in erasures.scope(tx, record)}.values())


def _hits(hub: Hub, tx: Tx, since: datetime | None = None) -> dict[str, list[Golden]]:
    """By request: records of the hub that it lists, by the hub's own key or a remote record.

    Of what was made since a moment, also by mail, phone and name, as at the door.
    """
    known = listed(hub)
    names = dict(tx.execute(select(System.id, System.name)).all())
    found: dict[str, list[str]] = {}
    for part in erasures.living(tx, since):
        places = _places(tx, [row.id for row in part], names)
        for row in part:
            texts = [person.hub_key(row.id), *places[row.id]]
            if since is not None and row.created_at >= since:
                texts += person.asked_by(row.entity, row.values)
            request = known.find(texts)
            if request is not None and not any(map(known.is_allowed, places[row.id])):
                found.setdefault(request, []).append(row.id)
    return {
        request: list(goldens.load(tx, ids, lock=True).values()) for request, ids in found.items()
    }


def _places(tx: Tx, ids: Sequence[str], names: Mapping[int, str]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = {golden_id: [] for golden_id in ids}
    rows = tx.execute(
        select(Link.golden_id, Link.system_id, Link.object, Link.remote_id).where(
            Link.golden_id.in_(ids), Link.remote_id.is_not(None)
        )
    )
    for golden_id, system_id, name, remote_id in rows:
        places[golden_id].append(person.remote(names[system_id], name, str(remote_id)))
    return places
