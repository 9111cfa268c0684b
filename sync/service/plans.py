"""Plans: making, showing, applying; and reconciling live systems."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from sync.flow import jobs, plan
from sync.flow.hub import Hub
from sync.service import jobs as service_jobs
from sync.service.errors import NotFoundError, ServiceError
from sync.service.jobs import JobView
from sync.service.named import unknown_system
from sync.store import audit, runs
from sync.store import jobs as stored_jobs
from sync.store.session import Tx
from sync.store.tables import Plan, System


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan as screens and scripts show it; `summary` is described in `sync/README.md`."""

    id: int
    kind: str
    state: str
    systems: tuple[str, ...]
    progress: Mapping[str, Any]
    summary: Mapping[str, Any]
    error: str
    created_at: datetime
    applied_at: datetime | None
    draft: int | None = None  # the mapping that it previews


def start_plan(
    hub: Hub, names: Sequence[str] = (), *, actor: str = "", wake: bool = True
) -> PlanView:
    """A plan for systems that are not live yet (none named: all of them).

    With `wake` a worker makes it; without, the caller does, and goes on with an interrupted one.
    """
    with hub.database.write() as tx:
        rows = list(tx.scalars(select(System).order_by(System.id)))
        chosen = (
            [row for row in rows if row.name in names]
            if names
            else [row for row in rows if row.state in {"draft", "testing"}]
        )
        unknown = set(names) - {row.name for row in rows}
        if unknown:
            raise unknown_system(min(unknown))
        if not chosen:
            raise ServiceError(
                "There is nothing to plan: every system is live.",
                code="nothing_to_plan",
                hint="Name the systems, or run `kehub reconcile`.",
            )
        kind = "load" if any(row.state in {"draft", "testing"} for row in chosen) else "reconcile"
        ids = [row.id for row in chosen]
        begun = None if wake else _being_made(tx, kind, ids)
        if begun is not None:
            plan_id = begun
        else:
            made = Plan(kind=kind, systems=ids, actor=actor, created_at=hub.now())
            tx.add(made)
            tx.flush()
            plan_id = made.id
            ask = jobs.ask if wake else jobs.ask_here
            ask(hub, tx, jobs.PLAN, str(plan_id), actor=actor)
    return get_plan(hub, plan_id)


def _being_made(tx: Tx, kind: str, ids: list[int]) -> int | None:
    """The newest plan of just these systems that somebody makes, or was killed at making."""
    of_kind = select(Plan).where(Plan.kind == kind, Plan.state == "reading")
    for row in tx.scalars(of_kind.order_by(Plan.id.desc())):
        if row.systems == ids and stored_jobs.is_open(tx, jobs.PLAN, str(row.id)):
            return row.id
    return None


def make_plan(hub: Hub, plan_id: int) -> PlanView:
    """Reads and simulates in this process; a worker goes on with it should this process die."""
    with hub.database.write() as tx:
        job_id = jobs.ask_here(hub, tx, jobs.PLAN, str(plan_id))
    service_jobs.finish(hub, job_id)
    return get_plan(hub, plan_id)


def give_up_plan(hub: Hub, plan_id: int) -> None:
    """Whoever asked for it does not want it any more: nobody goes on with it."""
    jobs.abandon(hub, jobs.PLAN, str(plan_id), "Stopped before it was made.")


def get_plan(hub: Hub, plan_id: int) -> PlanView:
    """One plan."""
    with hub.database.read() as session:
        row = session.get(Plan, plan_id)
        names = dict(session.execute(select(System.id, System.name)).all())
    if row is None:
        raise NotFoundError(f"There is no plan {plan_id}.", code="no_plan", id=plan_id)
    return _view(row, names)


def job_of(hub: Hub, plan_id: int) -> JobView | None:
    """The newest work that a worker was asked for with a plan: making it, or carrying it out."""
    found = get_plan(hub, plan_id)
    wanted = {
        plan.MAPPING: (jobs.MAPPING, str(found.draft)),
        "restore": (jobs.RESTORE, str(plan_id)),
    }.get(found.kind, (jobs.APPLY, str(plan_id)))
    doing = service_jobs.newest(hub, *wanted) if found.state == "applying" else None
    return doing or service_jobs.newest(hub, jobs.PLAN, str(plan_id))


def list_plans(hub: Hub, limit: int = 20) -> list[PlanView]:
    """The newest plans first."""
    with hub.database.read() as session:
        rows = list(session.scalars(select(Plan).order_by(Plan.id.desc()).limit(limit)))
        names = dict(session.execute(select(System.id, System.name)).all())
    return [_view(row, names) for row in rows]


def apply_plan(hub: Hub, plan_id: int, *, actor: str = "", inline: bool = False) -> PlanView:
    """Carries a plan out, in a worker or `inline`: in this process, with a worker to go on with it.

    Refused when mappings or policy have changed since it was made. One that is being carried out
    is gone on with.
    """
    with hub.database.write() as tx:
        row = tx.get(Plan, plan_id)
        if row is None:
            raise NotFoundError(f"There is no plan {plan_id}.", code="no_plan", id=plan_id)
        if row.state not in {"ready", "applying"}:
            raise ServiceError(
                f"Plan {plan_id} is {row.state} and cannot be applied.",
                code="plan_not_ready",
                hint="Make a new plan.",
                id=plan_id,
                state=row.state,
            )
        if row.kind == "restore":
            raise ServiceError(
                f"Plan {plan_id} is a comparison after a restore.",
                code="restore_plan",
                hint="Approve the restore with it.",
                id=plan_id,
            )
        if row.kind == plan.MAPPING:
            raise ServiceError(
                f"Plan {plan_id} shows what a mapping would change.",
                code="mapping_plan",
                hint="Activate the mapping with it.",
                id=plan_id,
            )
        now_basis = plan.basis_of(hub)
        job_id = None
        if row.state == "ready" and {k: row.basis.get(k) for k in now_basis} != now_basis:
            row.state = "stale"
        else:
            row.state = "applying"
            audit.note(
                tx,
                actor=actor,
                action="plan.apply",
                subject=str(plan_id),
                now=hub.now(),
                facts={"systems": row.systems},
            )
            ask = jobs.ask_here if inline else jobs.ask
            job_id = ask(hub, tx, jobs.APPLY, str(plan_id), actor=actor)
        state = row.state
    if state == "stale":
        raise ServiceError(
            f"Plan {plan_id} is out of date: a mapping or the policy has changed since.",
            code="plan_stale",
            hint="Make a new plan.",
            id=plan_id,
        )
    if inline and job_id is not None:
        service_jobs.ended_well(service_jobs.finish(hub, job_id))
    return get_plan(hub, plan_id)


def reconcile_all(hub: Hub, names: Sequence[str] = (), *, actor: str = "") -> dict[str, Any]:
    """Reads live systems as a whole, takes in what differs, marks what disagrees.

    Returns counts; the repair itself goes the ordinary way. Killed, it is gone on with by a worker.
    """
    ids = [system.id for system in hub.live_systems() if not names or system.name in names]
    with hub.database.write() as tx:
        run_id = runs.start(tx, "reconcile", None, hub.now(), actor)
        row = Plan(kind="reconcile", systems=ids, actor=actor, created_at=hub.now())
        tx.add(row)
        tx.flush()
        job_id = jobs.ask_here(hub, tx, jobs.RECONCILE, str(row.id), actor=actor, run=run_id)
    return dict(service_jobs.ended_well(service_jobs.finish(hub, job_id)).result)


def _view(row: Plan, names: Mapping[int, str]) -> PlanView:
    return PlanView(
        id=row.id,
        kind=row.kind,
        state=row.state,
        systems=tuple(names.get(i, str(i)) for i in row.systems),
        progress=row.progress,
        summary=row.summary,
        error=row.error,
        created_at=row.created_at,
        applied_at=row.applied_at,
        draft=row.basis.get("draft"),
    )
