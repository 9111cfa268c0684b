"""Mapping versions: adding one, seeing what it would change, making it the live one."""

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
from sync.flow import drift, plan, reconcile
from sync.flow import load as loading
from sync.flow.hub import Hub
from sync.service import plans
from sync.service.errors import NotFoundError, ServiceError
from sync.service.plans import PlanView
from sync.store import audit, links
from sync.store.session import Tx
from sync.store.tables import Link, Plan, System
from sync.store.tables import Mapping as MappingRow


@dataclass(frozen=True, slots=True)
class MappingView:
    """One version of a mapping; `findings` only right after it was added."""

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
    if found is None:
        raise NotFoundError(f"There is no mapping {mapping_id}.", code="no_mapping", id=mapping_id)
    return _view(*found)


def add_version(
    hub: Hub, system: str, text: str, *, actor: str = "", language: str = "en"
) -> MappingView:
    """A new draft. Refused where it does not load, or would fail in the system as it is now.

    Warnings come with the view; nothing changes until the draft is activated.
    """
    spec = _loaded(text)
    with hub.database.read() as session:
        system_id = session.scalar(select(System.id).where(System.name == system))
    if system_id is None:
        raise NotFoundError(f"There is no system named “{system}”.", code="no_system", name=system)
    findings = _lint(hub, system_id, spec, language)
    wrong = [finding for finding in findings if finding["level"] == "error"]
    if wrong:
        raise ServiceError(
            f"The mapping does not fit {system}: {wrong[0]['text']}",
            code="mapping_misfit",
            hint="Mend the rule, or the field in the system, and add the mapping again.",
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
        _audit(hub, tx, actor, "mapping.add", row)
    return _view(row, system, tuple(findings))


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
        if wake:
            tx.after_commit(hub.waker.plan, plan_id)
    return plans.get_plan(hub, plan_id)


def activate(
    hub: Hub,
    mapping_id: int,
    plan_id: int | None = None,
    *,
    approved: bool = False,
    actor: str = "",
) -> MappingView:
    """Makes a draft the live mapping and carries out what its plan has shown.

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
        system_id = row.system_id
    if plan_id is not None:
        loading.hand_over(hub, plan_id)
    with hub.database.read() as session:
        live = session.scalar(select(System.state).where(System.id == system_id)) == "live"
    if live:
        opened = hub.systems.open(system_id)
        if not drift.watch(hub, opened, force=True):
            reconcile.mark_differing(hub, opened)
        hub.systems.flush_counts(opened)
    return get_version(hub, mapping_id)


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


def _lint(hub: Hub, system_id: int, spec: MappingSpec, language: str) -> list[dict[str, Any]]:
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
    return [{"level": item.level, "rule": item.rule, "text": item.text(language)} for item in found]


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
    """The draft becomes the live version; every record counts as not yet read with it."""
    own = (MappingRow.system_id == row.system_id, MappingRow.object == row.object)
    tx.execute(update(MappingRow).where(*own, MappingRow.state == "live").values(state="retired"))
    row.state = "live"
    tx.flush()
    tx.execute(
        update(Link)
        .where(Link.system_id == row.system_id, Link.object == row.object)
        .values(digest="")
    )


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
