"""A plan: everything that going live, or a reconcile, would do, without one remote write.

The records are read and staged; then the ordinary steps run on a scratch copy of the hub's
tables. What they would send is counted and shown. The scratch copy is thrown away.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, delete, func, insert, select, update
from sqlalchemy.orm import Session

from connectors.sdk.contract import DescribesSchema, WritesRecords
from mapping.lint import Finding, lint
from mapping.loader import load as load_spec
from sync.flow import recover, take_in, worked_out
from sync.flow.hub import Hub
from sync.flow.intent import Intent, Wanted
from sync.flow.load import stage, staged_rows
from sync.flow.reconcile import compare
from sync.gateway.systems import OpenSystem, Systems
from sync.store import inbox
from sync.store.scratch import scratch_folder
from sync.store.session import Database, Tx
from sync.store.systems import StoredSystems
from sync.store.tables import (
    Base,
    Candidate,
    Change,
    Conflict,
    DeadLetter,
    Golden,
    HubState,
    Link,
    MatchKey,
    Plan,
    Staged,
    System,
)
from sync.store.tables import (
    Mapping as MappingRow,
)
from sync.wake import Waker

COPIED = (HubState, System, MappingRow, Golden, Link, MatchKey, Conflict, Candidate)
SAMPLES = 20
CHUNK = 1000
MAPPING = "mapping"  # a plan that shows what a mapping draft would change
_UNGUARDED = dict.fromkeys(("delete_guard_count", "change_guard_count", "flip_guard_count"), 10**9)


@dataclass(slots=True)
class _Clock:
    """The scratch hub's clock: it can be moved past every back-off."""

    hub: Hub
    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return self.hub.now() + self.ahead


def make_plan(hub: Hub, plan_id: int) -> None:
    """Reads the plan's systems, simulates, stores the summary. A failure is stored, too."""
    unmade = update(Plan).where(Plan.id == plan_id, Plan.state == "reading")
    try:
        _read(hub, plan_id)
        summary = _simulate(hub, plan_id) | {"misfits": _misfits(hub, plan_id)}
    except Exception as error:
        with hub.database.write() as tx:
            told = f"{error} {getattr(error, 'hint', '')}".strip()
            tx.execute(unmade.values(state="failed", error=told))
        if not recover.is_expected(error):
            raise
        return
    with hub.database.write() as tx:
        summary["relearned"] = relearned(tx, plan_id)
        tx.execute(unmade.values(state="ready", summary=summary))


def make_plan_anew(hub: Hub, plan_id: int) -> None:
    """The same for a worker: nothing where it was made; what a lost worker had read goes first."""
    with hub.database.write() as tx:
        state = tx.scalar(select(Plan.state).where(Plan.id == plan_id))
        if state != "reading":
            return
        tx.execute(delete(Staged).where(Staged.plan_id == plan_id))
    make_plan(hub, plan_id)


def relearned(session: Session, plan_id: int) -> dict[str, dict[str, int]]:
    """By system: how many of the records that a plan read changed, are missing, or are new."""
    known = (
        (Link.system_id == Staged.system_id)
        & (Link.object == Staged.object)
        & (Link.remote_id == Staged.remote_id)
    )
    gone = Staged.payload.is_(None)
    what = case((gone, "missing"), (Link.id.is_not(None), "changed"), else_="new")
    found: dict[str, dict[str, int]] = {}
    rows = session.execute(
        select(System.name, what, func.count())
        .select_from(Staged)
        .join(System, System.id == Staged.system_id)
        .outerjoin(Link, known)
        .where(Staged.plan_id == plan_id)
        .group_by(System.name, what)
    )
    for name, kind, count in rows:
        found.setdefault(name, {})[kind] = count
    return found


def basis_of(hub: Hub) -> dict[str, Any]:
    """What a plan rests on: the live mappings and the policy."""
    with hub.database.read() as session:
        live = session.scalars(
            select(MappingRow.id).where(MappingRow.state == "live").order_by(MappingRow.id)
        )
        return {"mappings": list(live), "policy": hub.policies.model_dump(mode="json")}


def _read(hub: Hub, plan_id: int) -> None:
    basis = basis_of(hub)
    positions: dict[str, Any] = {}
    read: dict[str, dict[str, int]] = {}

    def progress(system: str, name: str, count: int) -> None:
        read.setdefault(system, {})[name] = count
        with hub.database.write() as tx:
            tx.execute(update(Plan).where(Plan.id == plan_id).values(progress=dict(read)))

    with hub.database.read() as session:
        asked = session.get_one(Plan, plan_id)
        draft = session.get(MappingRow, asked.basis.get("draft", 0))
    for system_id in asked.systems:
        system = hub.systems.open(system_id)
        if draft is not None:  # read as the draft reads, whole: nothing has been seen with it yet
            system = replace(system, specs={draft.object: load_spec(draft.text)})
        try:
            positions[str(system_id)] = stage(
                hub, plan_id, system, progress, whole=draft is not None
            )
        finally:
            hub.systems.flush_counts(system)
    with hub.database.write() as tx:
        tx.execute(
            update(Plan)
            .where(Plan.id == plan_id)
            .values(basis={**asked.basis, **basis, "cursors": positions}, progress=dict(read))
        )


def _misfits(hub: Hub, plan_id: int) -> list[dict[str, Any]]:
    """Where the live mappings of the plan's systems do not fit the fields that those have now."""
    with hub.database.read() as session:
        plan = session.get_one(Plan, plan_id)
    if plan.kind == MAPPING:
        return []  # the draft says so itself
    found = []
    for system_id in plan.systems:
        system = hub.systems.open(system_id)
        found += [
            {
                "system": system.name,
                "object": name,
                "rule": finding.rule,
                "message": {language: finding.text(language) for language in ("en", "zh")},
            }
            for name, finding in misfits(system)
        ]
        hub.systems.flush_counts(system)
    return found


def misfits(system: OpenSystem) -> Iterator[tuple[str, Finding]]:
    """The errors of each live mapping, by its object; none where fields are not described."""
    connector = system.connector
    if not isinstance(connector, DescribesSchema):
        return
    objects = tuple(connector.objects())
    for name, spec in system.specs.items():
        if name in objects:
            for finding in lint(spec, connector.schema(name), objects):
                if finding.level == "error":
                    yield name, finding


def _simulate(hub: Hub, plan_id: int) -> dict[str, Any]:
    with hub.database.read() as session:
        plan = session.get_one(Plan, plan_id)
    with _scratch(hub, plan) as (scratch, clock):
        fresh = plan.kind == "load" and worked_out.is_empty(scratch.database)
        before = _marks(scratch)
        with hub.database.read() as session:
            for rows in staged_rows(session, plan_id):
                with scratch.database.write() as tx:
                    inbox.deliver(tx, rows)
        _take_all_in(scratch, clock, plan.systems)
        summary = _summary(scratch, plan, before)
        if fresh and not clock.ahead:
            worked_out.keep(hub, scratch, plan)
        return summary


@contextmanager
def _scratch(hub: Hub, plan: Plan) -> Iterator[tuple[Hub, _Clock]]:
    """A hub on a copy of the tables, in which the plan's systems are live."""
    with scratch_folder(hub.settings.home, "plan-") as folder:
        database = Database(f"sqlite:///{folder / 'scratch.db'}")
        try:
            Base.metadata.create_all(database.engine)
            _copy(hub.database, database)
            with database.write() as tx:
                tx.execute(
                    update(System)
                    .where(System.id.in_(plan.systems))
                    .values(state="live", hold_in=False)
                )
                _activate_draft(tx, plan)
            clock = _Clock(hub)
            scratch = replace(
                hub,
                database=database,
                systems=Systems(StoredSystems(database), hub.systems.vault, hub.systems.buckets),
                waker=Waker(None),
                now=clock,
                settings=hub.settings.model_copy(update={"attempts": 4, **_UNGUARDED}),
            )
            yield scratch, clock
        finally:
            database.close()


def _activate_draft(tx: Tx, plan: Plan) -> None:
    """In the scratch copy the draft is live, and no record has been read with it yet."""
    draft = tx.get(MappingRow, plan.basis.get("draft", 0))
    if draft is None:
        return
    here = (MappingRow.system_id == draft.system_id, MappingRow.object == draft.object)
    tx.execute(update(MappingRow).where(*here, MappingRow.state == "live").values(state="retired"))
    tx.execute(update(MappingRow).where(MappingRow.id == draft.id).values(state="live"))
    tx.execute(
        update(Link)
        .where(Link.system_id == draft.system_id, Link.object == draft.object)
        .values(digest="")
    )


def _copy(source: Database, target: Database) -> None:
    for table in COPIED:
        own: Any = table.__table__
        with source.read() as session:
            result = session.execute(select(own).execution_options(yield_per=CHUNK))
            for part in result.mappings().partitions():
                with target.write() as tx:
                    tx.execute(insert(own), [dict(row) for row in part])


def _take_all_in(scratch: Hub, clock: _Clock, systems: Sequence[int]) -> None:
    """Works the inbox off, past the back-off of records that wait for their parents."""
    for _ in range(8):
        for system_id in systems:
            while take_in.drain(scratch, system_id):
                pass
        with scratch.database.read() as session:
            if not inbox.waiting(session):
                return
        clock.ahead += timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class _Marks:
    """Where the append-only tables ended before the simulation."""

    change: int
    candidate: int
    conflict: int


def _marks(scratch: Hub) -> _Marks:
    with scratch.database.read() as session:
        top = [session.scalar(select(func.max(t.id))) or 0 for t in (Change, Candidate, Conflict)]
    return _Marks(*top)


def _summary(scratch: Hub, plan: Plan, before: _Marks) -> dict[str, Any]:
    only_written: set[str] = set()
    writes = {s.name: _writes(scratch, s, before, only_written) for s in scratch.live_systems()}
    with scratch.database.read() as session:
        changed = session.scalar(
            select(func.count(Change.golden_id.distinct())).where(*_changed_since(before))
        )
        linked = session.scalar(
            select(func.count(Link.golden_id.distinct())).where(
                Link.system_id.in_(plan.systems), Link.state == "live"
            )
        )
        ops = session.execute(
            select(Change.system_id, Change.object, Change.op, func.count())
            .where(Change.id > before.change)
            .group_by(Change.system_id, Change.object, Change.op)
        ).all()
        names = dict(session.execute(select(System.id, System.name)).all())
        letters = list(session.scalars(select(DeadLetter).order_by(DeadLetter.id)))
        candidates = session.scalar(
            select(func.count()).select_from(Candidate).where(Candidate.id > before.candidate)
        )
        conflicts = session.scalar(
            select(func.count()).select_from(Conflict).where(Conflict.id > before.conflict)
        )
        goldens = dict(
            session.execute(
                select(Golden.entity, func.count())
                .where(Golden.state == "live")
                .group_by(Golden.entity)
            ).all()
        )
    read: dict[str, dict[str, Any]] = {}
    for system_id, object_name, op, count in ops:
        if op in _SHOWN and system_id is not None:
            here = read.setdefault(names[system_id], {}).setdefault(str(object_name), {})
            here[_SHOWN[op]] = here.get(_SHOWN[op], 0) + count
    for system, objects in plan.progress.items():
        for object_name, count in objects.items():
            read.setdefault(system, {}).setdefault(object_name, {})["read"] = count
    return {
        "taken_in": read,
        "writes": writes,
        "touched": (changed or 0) + len(only_written),
        "linked": linked or 0,
        "goldens": goldens,
        "candidates": candidates or 0,
        "conflicts": conflicts or 0,
        "problems": [
            {
                "system": names[letter.system_id],
                "object": letter.object,
                "remote_id": letter.remote_id,
                "field": letter.field,
                "message": letter.message,
            }
            for letter in letters[:SAMPLES]
        ],
        "problem_count": len(letters),
    }


_SHOWN = {
    "created": "new",
    "linked": "linked",
    "set": "fields_changed",
    "overruled": "fields_kept",
    "gone": "gone",
}


def _changed_since(before: _Marks) -> tuple[ColumnElement[bool], ...]:
    return (Change.id > before.change, Change.op.in_(("set", "created")))


def _without_change(scratch: Hub, before: _Marks, ids: set[str]) -> set[str]:
    """Those of a chunk of golden ids that the simulation did not change."""
    with scratch.database.read() as session:
        changed = select(Change.golden_id).where(Change.golden_id.in_(ids), *_changed_since(before))
        return ids.difference(session.scalars(changed.distinct()))


def _writes(
    scratch: Hub, system: OpenSystem, before: _Marks, only_written: set[str]
) -> dict[str, Any]:
    """Counts, estimated calls and samples of what would be sent to one system.

    Adds to ``only_written`` the ids of golden records that stay as they are and are sent.
    """
    objects: dict[str, dict[str, int]] = {}
    samples: list[dict[str, Any]] = []
    problems: list[str] = []
    for wanted in compare(scratch, system):
        _count(system, wanted, objects)
        sent = {intent.golden.id for intent in wanted.intents}
        only_written |= _without_change(scratch, before, sent)
        problems.extend(str(error) for _, error in wanted.refused)
        if len(samples) < SAMPLES:
            samples.extend(_samples(wanted.intents, SAMPLES - len(samples)))
    return {
        "objects": objects,
        "calls": sum(_calls(system, ops) for ops in objects.values()),
        "samples": samples,
        "problems": problems[:SAMPLES],
    }


def _count(system: OpenSystem, wanted: Wanted, objects: dict[str, dict[str, int]]) -> None:
    for intent in wanted.intents:
        ops = objects.setdefault(intent.spec.object, {})
        ops[intent.op] = ops.get(intent.op, 0) + 1
    for row, why in wanted.waiting:
        if why == "parent":  # its parent will be there by then
            name = next(iter(system.objects_of(row.entity)))
            ops = objects.setdefault(name, {})
            ops["create"] = ops.get("create", 0) + 1


def _calls(system: OpenSystem, ops: Mapping[str, int]) -> int:
    connector = system.connector
    size = connector.max_batch if isinstance(connector, WritesRecords) else 1
    return sum(math.ceil(count / size) for count in ops.values())


def _samples(intents: Iterable[Intent], most: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for intent in intents:
        if len(found) >= most:
            break
        shadow = intent.link.shadow if intent.link else {}
        found.append(
            {
                "object": intent.spec.object,
                "op": intent.op,
                "name": intent.golden.name,
                "fields": [
                    {"path": path, "old": shadow.get(path), "new": intent.golden.values.get(path)}
                    for path in intent.paths
                ],
            }
        )
    return found
