"""Mapping versions: adding one, seeing what it would change, making it the live one."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from connectors.sdk.contract import DescribesSchema
from mapping.errors import MappingError
from mapping.lint import lint
from mapping.loader import load
from mapping.spec import MappingSpec
from sync.flow import jobs as flow_jobs
from sync.flow import plan
from sync.flow.hub import Hub
from sync.service import jobs, plans
from sync.service.errors import NotFoundError, ServiceError
from sync.service.jobs import JobView
from sync.service.named import system_named
from sync.service.plans import PlanView
from sync.store import audit, links, state
from sync.store.session import Tx
from sync.store.tables import Mapping as MappingRow
from sync.store.tables import Plan, System

_LINT = "lint:"  # what the linter said when a version was added
_RECENT = 50


@dataclass(frozen=True, slots=True)
class MappingView:
    """One version of a mapping; `findings` as they were when it was added."""

    id: int
    system: str
    object: str
    entity: str
    version: int
    state: str
    text: str
    author: str
    created_at: datetime
    findings: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Readiness:
    """What stands between a draft and its activation."""

    linked: int  # records of the object that are linked; none: no plan is needed
    plan: PlanView | None  # the newest one of this draft
    is_current: bool  # whether that plan is ready and nothing has changed since
    touched: int  # records that the plan would change
    needs_approval: bool  # more than the guard's share

    @property
    def needs_plan(self) -> bool:
        """Whether the draft has to be previewed first."""
        return self.linked > 0 and not self.is_current


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a comparison: `same`, `gone` or `new`, or `gap` for lines left out."""

    kind: str
    text: str


def list_versions(hub: Hub, system: str, object_name: str | None = None) -> list[MappingView]:
    """The mappings of a system, newest versions first."""
    with hub.database.read() as session:
        query = (
            select(MappingRow, System.name)
            .join(System, System.id == MappingRow.system_id)
            .where(System.name == system)
            .order_by(MappingRow.object, MappingRow.version.desc())
        )
        if object_name is not None:
            query = query.where(MappingRow.object == object_name)
        return [_view(row, name) for row, name in session.execute(query)]


def get_version(hub: Hub, mapping_id: int) -> MappingView:
    """One version."""
    with hub.database.read() as session:
        found = session.execute(
            select(MappingRow, System.name)
            .join(System, System.id == MappingRow.system_id)
            .where(MappingRow.id == mapping_id)
        ).one_or_none()
        findings = state.get(session, f"{_LINT}{mapping_id}").get("findings", ())
    if found is None:
        raise NotFoundError(f"There is no mapping {mapping_id}.", code="no_mapping", id=mapping_id)
    return _view(*found, tuple(findings))


def list_all(hub: Hub) -> list[MappingView]:
    """Of every system and object the live version and the drafts, in the order of the systems."""
    with hub.database.read() as session:
        query = (
            select(MappingRow, System.name)
            .join(System, System.id == MappingRow.system_id)
            .where(MappingRow.state.in_(("live", "draft")))
            .order_by(System.id, MappingRow.object, MappingRow.version.desc())
        )
        return [_view(row, name) for row, name in session.execute(query)]


def add_version(
    hub: Hub, system: str, text: str, *, actor: str = "", language: str = "en"
) -> MappingView:
    """A new draft. Refused where it does not load, or would fail in the system as it is now.

    Warnings come with the view; nothing changes until the draft is activated.
    """
    spec = _loaded(text)
    with hub.database.read() as session:
        system_id = system_named(session, system).id
    findings = _lint(hub, system_id, spec)
    wrong = [finding for finding in findings if finding["level"] == "error"]
    if wrong:
        raise ServiceError(
            f"The mapping does not fit {system}: {wrong[0][language]}",
            code="mapping_misfit",
            hint="Mend the rule, or the field in the system, and add the mapping again.",
            reason=wrong[0][language],
            findings=findings,
        )
    with hub.database.write() as tx:
        own = (MappingRow.system_id == system_id, MappingRow.object == spec.object)
        newest = tx.scalar(select(func.max(MappingRow.version)).where(*own)) or 0
        row = MappingRow(
            system_id=system_id,
            object=spec.object,
            entity=spec.entity,
            version=newest + 1,
            state="draft",
            text=text,
            author=actor,
            created_at=hub.now(),
        )
        tx.add(row)
        tx.flush()
        state.put(tx, f"{_LINT}{row.id}", {"findings": findings}, hub.now())
        _audit(hub, tx, actor, "mapping.add", row)
    return _view(row, system, tuple(findings))


def restore_version(hub: Hub, mapping_id: int, *, actor: str = "") -> MappingView:
    """An old version as a new draft; it is looked at and activated like any other."""
    old = get_version(hub, mapping_id)
    return add_version(hub, old.system, old.text, actor=actor)


def compare_versions(hub: Hub, mapping_id: int, other_id: int | None = None) -> list[DiffLine]:
    """What a version changes against another one, or against the one before it or the live one."""
    mine = get_version(hub, mapping_id)
    other = get_version(hub, other_id) if other_id else _base_of(hub, mine)
    if other is None:
        return [DiffLine("new", line) for line in mine.text.splitlines()]
    return _diff(other.text.splitlines(), mine.text.splitlines())


def readiness(hub: Hub, mapping_id: int) -> Readiness:
    """Whether a draft can be activated, and what its plan has shown."""
    with hub.database.read() as session:
        row = session.get_one(MappingRow, mapping_id)
        linked = links.live_count(session, row.system_id, row.object)
        recent = session.scalars(
            select(Plan).where(Plan.kind == plan.MAPPING).order_by(Plan.id.desc()).limit(_RECENT)
        )
        made = next((each for each in recent if each.basis.get("draft") == mapping_id), None)
    if made is None:
        return Readiness(linked, None, is_current=False, touched=0, needs_approval=False)
    basis = plan.basis_of(hub)
    is_current = made.state == "ready" and {k: made.basis.get(k) for k in basis} == basis
    touched = int(made.summary.get("touched", 0))
    share = hub.settings.mapping_guard_share * int(made.summary.get("linked", 0))
    view = plans.get_plan(hub, made.id)
    return Readiness(linked, view, is_current, touched, needs_approval=touched > share)


def preview(hub: Hub, mapping_id: int, *, actor: str = "", wake: bool = True) -> PlanView:
    """Starts a plan that shows what activating the draft would change, here and everywhere."""
    with hub.database.write() as tx:
        row = _draft(tx, mapping_id)
        made = Plan(
            kind=plan.MAPPING,
            systems=[row.system_id],
            basis={"draft": mapping_id},
            actor=actor,
            created_at=hub.now(),
        )
        tx.add(made)
        tx.flush()
        plan_id = made.id
        ask = flow_jobs.ask if wake else flow_jobs.ask_here
        ask(hub, tx, flow_jobs.PLAN, str(plan_id), actor=actor)
    return plans.get_plan(hub, plan_id)


def activate(
    hub: Hub,
    mapping_id: int,
    plan_id: int | None = None,
    *,
    approved: bool = False,
    actor: str = "",
    inline: bool = True,
) -> MappingView:
    """Makes a draft the live mapping and carries out what its plan has shown, here or in a worker.

    A plan is needed as soon as records are linked. One that touches more than
    `mapping_guard_share` of them is refused unless `approved` says that a person has seen it.
    """
    with hub.database.write() as tx:
        row = _draft(tx, mapping_id)
        linked = links.live_count(tx, row.system_id, row.object)
        if linked or plan_id is not None:
            _check_plan(hub, tx, row, plan_id, approved=approved)
        _switch(tx, row)
        _audit(hub, tx, actor, "mapping.activate", row, plan=plan_id, approved=approved)
        if plan_id is not None:
            tx.execute(update(Plan).where(Plan.id == plan_id).values(state="applying"))
        facts = {"system": row.system_id, "plan": plan_id}
        ask = flow_jobs.ask_here if inline else flow_jobs.ask
        job_id = ask(hub, tx, flow_jobs.MAPPING, str(row.id), actor=actor, **facts)
    if inline:
        jobs.ended_well(jobs.finish(hub, job_id))
    return get_version(hub, mapping_id)


def activation(hub: Hub, mapping_id: int) -> JobView | None:
    """How far carrying an activation out has come; None where a worker was never asked."""
    return jobs.newest(hub, flow_jobs.MAPPING, str(mapping_id))


def carry_on(hub: Hub, mapping_id: int, *, actor: str = "") -> None:
    """Has an activation that failed carried out again. Safe to repeat."""
    last = activation(hub, mapping_id)
    if last is None or last.state != "failed":
        return
    with hub.database.write() as tx:
        row = tx.get_one(MappingRow, mapping_id)
        if row.state == "live":
            facts = {"system": row.system_id, "plan": last.facts["plan"]}
            flow_jobs.ask(hub, tx, flow_jobs.MAPPING, str(row.id), actor=actor, **facts)


def discard(hub: Hub, mapping_id: int, *, actor: str = "") -> None:
    """Drops a draft."""
    with hub.database.write() as tx:
        row = _draft(tx, mapping_id)
        row.state = "retired"
        _audit(hub, tx, actor, "mapping.discard", row)


def _loaded(text: str) -> MappingSpec:
    try:
        return load(text)
    except MappingError as error:
        raise ServiceError(str(error), code="mapping_unreadable") from error


def _lint(hub: Hub, system_id: int, spec: MappingSpec) -> list[dict[str, Any]]:
    opened = hub.systems.open(system_id)
    connector = opened.connector
    if spec.object not in connector.objects():
        raise ServiceError(
            f"{opened.name} has no object {spec.object}.",
            code="no_object",
            hint=f"It has {', '.join(connector.objects())}.",
        )
    if not isinstance(connector, DescribesSchema):
        return []
    try:
        found = lint(spec, connector.schema(spec.object), tuple(connector.objects()))
    finally:
        hub.systems.flush_counts(opened)
    return [
        {"level": each.level, "rule": each.rule, "en": each.text("en"), "zh": each.text("zh")}
        for each in found
    ]


def _base_of(hub: Hub, mine: MappingView) -> MappingView | None:
    """What a version is compared with: the live one for a draft, else the one before it."""
    others = list_versions(hub, mine.system, mine.object)
    if mine.state == "draft":
        return next((each for each in others if each.state == "live"), None)
    return next((each for each in others if each.version < mine.version), None)


def _diff(old: list[str], new: list[str]) -> list[DiffLine]:
    kinds = {" ": "same", "-": "gone", "+": "new", "@": "gap"}
    lines = list(difflib.unified_diff(old, new, lineterm="", n=3))[2:]
    return [
        DiffLine(kinds[line[:1]], "" if line[:1] == "@" else line[1:])
        for line in lines
        if line[:1] in kinds
    ]


def _draft(tx: Tx, mapping_id: int) -> MappingRow:
    row = tx.get(MappingRow, mapping_id)
    if row is None:
        raise NotFoundError(f"There is no mapping {mapping_id}.", code="no_mapping", id=mapping_id)
    if row.state != "draft":
        raise ServiceError(
            f"Version {row.version} of {row.object} is {row.state}, not a draft.",
            code="not_a_draft",
            hint="Add its text as a new version.",
        )
    return row


def _check_plan(hub: Hub, tx: Tx, row: MappingRow, plan_id: int | None, *, approved: bool) -> None:
    made = tx.get(Plan, plan_id) if plan_id is not None else None
    if made is None or made.kind != plan.MAPPING or made.basis.get("draft") != row.id:
        raise ServiceError(
            f"Version {row.version} of {row.object} needs a plan: records are linked.",
            code="mapping_needs_plan",
            hint="Preview the mapping, look at the plan, then activate with it.",
        )
    basis = plan.basis_of(hub)
    stale = {key: made.basis.get(key) for key in basis} != basis
    if made.state != "ready" or stale:
        raise ServiceError(
            f"Plan {made.id} is {'out of date' if stale else made.state}.",
            code="plan_stale" if stale else "plan_not_ready",
            hint="Preview the mapping again.",
        )
    touched, linked = int(made.summary["touched"]), int(made.summary["linked"])
    if touched > hub.settings.mapping_guard_share * linked and not approved:
        raise ServiceError(
            f"This mapping would touch {touched} of {linked} linked records.",
            code="mapping_needs_approval",
            hint=f"Look at plan {made.id}, then activate it as approved.",
            touched=touched,
            linked=linked,
        )


def _switch(tx: Tx, row: MappingRow) -> None:
    """The draft becomes the live version."""
    own = (MappingRow.system_id == row.system_id, MappingRow.object == row.object)
    tx.execute(update(MappingRow).where(*own, MappingRow.state == "live").values(state="retired"))
    row.state = "live"
    tx.flush()


def _view(
    row: MappingRow, system: str, findings: tuple[Mapping[str, Any], ...] = ()
) -> MappingView:
    return MappingView(
        id=row.id,
        system=system,
        object=row.object,
        entity=row.entity,
        version=row.version,
        state=row.state,
        text=row.text,
        author=row.author,
        created_at=row.created_at,
        findings=findings,
    )


def _audit(hub: Hub, tx: Tx, actor: str, action: str, row: MappingRow, **facts: Any) -> None:
    audit.note(
        tx,
        actor=actor,
        action=action,
        subject=f"{row.object} v{row.version}",
        now=hub.now(),
        facts={"mapping": row.id, **facts},
    )
