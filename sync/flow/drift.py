"""Schema drift: what a system no longer takes is held back, shown, and written when mended."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connectors.sdk.contract import DescribesSchema
from connectors.sdk.errors import ConnectorError
from mapping.schema import ObjectSchema
from mapping.spec import MappingSpec
from sync.core import drift as rules
from sync.flow import recover
from sync.flow.guards import DRIFT
from sync.flow.hub import Hub
from sync.gateway.systems import OpenSystem
from sync.store import state
from sync.store.session import Tx
from sync.store.tables import Dirty, Guard, System

WAITS = "schema"  # what a dirty row waits for
_SENTENCES = {
    "missing": "the field “{label}” ({field}) is gone",
    "read_only": "the field “{label}” ({field}) cannot be written any more",
    "option": "the field “{label}” ({field}) does not accept every value",
    "length": "the field “{label}” ({field}) holds only {limit} {unit}",
    "required": "the field “{label}” ({field}) has to be filled",
    "hub_key": "the field {field} for the hub's key is gone",
}


FRESH = timedelta(seconds=5)  # so long one description serves for further refusals
_recent: "WeakKeyDictionary[DescribesSchema, dict[str, tuple[datetime, ObjectSchema]]]" = (
    WeakKeyDictionary()
)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A write that was refused because of a field."""

    key: str
    field: str
    native: Mapping[str, Any]
    is_new: bool  # the record was to be created


def watch(hub: Hub, system: OpenSystem, *, force: bool = False) -> bool:
    """Describes what is due of a system; returns whether something was mended.

    Call it before writing: what the system no longer takes is reported before the first write
    that would fail.
    """
    connector = system.connector
    if not isinstance(connector, DescribesSchema):
        return False
    mended = False
    for name, spec in system.specs.items():
        if spec.out_paths and (force or _is_due(hub, system.id, name)):
            mended |= _look(hub, system, spec, connector.schema(name))
    return mended


def recheck(hub: Hub) -> None:
    """Looks again at the systems with open cards, as nothing else may wake them."""
    with hub.database.read() as session:
        ids = session.scalars(
            select(System.id)
            .join(Guard, Guard.system_id == System.id)
            .where(Guard.kind == DRIFT, Guard.state == "open", System.state == "live")
            .distinct()
        ).all()
    for system_id in ids:
        try:
            system = hub.systems.open(system_id)
            watch(hub, system)
            hub.systems.flush_counts(system)
        except Exception as error:
            if not recover.is_expected(error):
                raise


def explain(hub: Hub, system: OpenSystem, name: str, refusals: Sequence[Refusal]) -> set[str]:
    """Keys of refused writes whose field the system has changed: a card shows it, they wait.

    The object is described at once, though not for every one of many refusals.
    """
    connector = system.connector
    if not refusals or not isinstance(connector, DescribesSchema):
        return set()
    try:
        schema = _described(hub, connector, name)
    except ConnectorError as error:
        if not recover.is_expected(error):
            raise
        log.warning("refusal_not_explained", system=system.name, reason=str(error))
        return set()
    off = {each.field: rules.off_list(schema, each.field, each.native) for each in refusals}
    _look(hub, system, system.specs[name], schema, {key: bad for key, bad in off.items() if bad})
    with hub.database.read() as session:
        found = held(session, system.id).get(name, [])
    return {
        each.key
        for each in refusals
        if rules.explains(found, each.field, each.native, new=each.is_new)
    }


def _described(hub: Hub, connector: DescribesSchema, name: str) -> ObjectSchema:
    """The object as it was described within the last seconds."""
    now = hub.now()
    known = _recent.setdefault(connector, {}).get(name)
    if known is None or not timedelta() <= now - known[0] < FRESH:
        known = _recent[connector][name] = (now, connector.schema(name))
    return known[1]


def suspect(tx: Tx, system_id: int, object_name: str, now: datetime) -> None:
    """The system refused a field: its schema is described again before the next batch."""
    key = _key(system_id, object_name)
    known = state.get(tx, key)
    state.put(tx, key, {**known, "checked_at": None}, now)


def held(session: Session, system_id: int) -> dict[str, list[rules.Problem]]:
    """What a system does not take now, by object."""
    cards = session.scalars(
        select(Guard.facts).where(
            Guard.system_id == system_id, Guard.kind == DRIFT, Guard.state == "open"
        )
    )
    return {facts["object"]: list(facts["problems"]) for facts in cards}


def decided(hub: Hub, tx: Tx, guard: Guard, *, allow: bool) -> None:
    """Allowed: the schema counts as it is and writing is tried. Refused: it is looked at again.

    Whoever allows has `replay` called: what was held back is in no queue.
    """
    key = _key(guard.system_id, str(guard.facts["object"]))
    value: dict[str, Any] = {**state.get(tx, key), "checked_at": None}
    if allow:
        value["accepted"] = sorted(
            {*value.get("accepted", ()), *map(rules.key_of, guard.facts["problems"])}
        )
        value["baseline"] = None
    state.put(tx, key, value, hub.now())
    _wake(hub, tx, guard.system_id)


def _is_due(hub: Hub, system_id: int, name: str) -> bool:
    with hub.database.read() as session:
        checked = state.get(session, _key(system_id, name)).get("checked_at")
    if checked is None:
        return True
    age = hub.now() - datetime.fromisoformat(checked)
    return age >= timedelta(seconds=hub.settings.drift_seconds)


def _look(
    hub: Hub,
    system: OpenSystem,
    spec: MappingSpec,
    schema: ObjectSchema,
    fresh_refusals: Mapping[str, Sequence[str]] | None = None,
) -> bool:
    key = _key(system.id, spec.object)
    now = hub.now()
    mapped = hashlib.sha256(spec.model_dump_json().encode()).hexdigest()
    with hub.database.write() as tx:
        known = state.get(tx, key)
        refused = known.get("refused", {}) if known.get("refused_of") == mapped else {}
        for field, values in (fresh_refusals or {}).items():
            refused = {**refused, field: sorted({*refused.get(field, ()), *values})}
        found = rules.problems(spec, schema, known.get("baseline"), refused)
        keys = {rules.key_of(problem) for problem in found}
        accepted = keys.intersection(known.get("accepted", ()))
        left = [problem for problem in found if rules.key_of(problem) not in accepted]
        fresh = rules.baseline_of(spec, schema)
        baseline = known.get("baseline") if left and known.get("baseline") else fresh
        value = {
            "checked_at": now.isoformat(),
            "baseline": baseline,
            "accepted": sorted(accepted),
            "refused": refused if left else {},
            "refused_of": mapped,
        }
        state.put(tx, key, value, now)
        card = _card(tx, system.id, spec.object)
        if left:
            _show(hub, tx, system, spec.object, left, card)
            return False
        if card is None:
            return False
        card.state, card.decided_at, card.decided_by = "mended", now, "hub"
    replay(hub, system)
    return True


def replay(hub: Hub, system: OpenSystem) -> None:
    """Whatever was held back differs from its system still; that is how it is found again."""
    from sync.flow import reconcile  # noqa: PLC0415  its decisions ask this module what is held

    reconcile.mark_differing(hub, system)
    with hub.database.write() as tx:
        _wake(hub, tx, system.id)


def _wake(hub: Hub, tx: Tx, system_id: int) -> None:
    tx.execute(
        update(Dirty)
        .where(Dirty.system_id == system_id, Dirty.waiting_for == WAITS)
        .values(due_at=hub.now(), waiting_for="")
    )
    tx.after_commit(hub.waker.dispatch, system_id)


def _card(tx: Tx, system_id: int, name: str) -> Guard | None:
    cards = tx.scalars(
        select(Guard).where(
            Guard.system_id == system_id, Guard.kind == DRIFT, Guard.state == "open"
        )
    )
    return next((card for card in cards if card.facts["object"] == name), None)


def _show(
    hub: Hub,
    tx: Tx,
    system: OpenSystem,
    name: str,
    found: Sequence[rules.Problem],
    card: Guard | None,
) -> None:
    what = "; ".join(_SENTENCES[str(p["kind"])].format_map(_words(p)) for p in found)
    reason = (
        f"{system.name} does not take all that is sent as {name}: {what}. What this concerns "
        "waits, everything else goes on. Mend the mapping or the field there; what waits is then "
        "written by itself."
    )
    facts = {"object": name, "problems": [dict(problem) for problem in found]}
    if card is None:
        tx.add(
            Guard(
                system_id=system.id,
                kind=DRIFT,
                direction="out",
                reason=reason,
                facts=facts,
                created_at=hub.now(),
            )
        )
    elif card.facts != facts:
        card.reason, card.facts = reason, facts


def _words(problem: rules.Problem) -> Mapping[str, Any]:
    return {"limit": "", "unit": "", **problem}


def _key(system_id: int, name: str) -> str:
    return f"schema:{system_id}:{name}"
