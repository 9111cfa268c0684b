"""Rolling a run back: what it would do, and doing it."""

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import select

from sync.flow import jobs as flow_jobs
from sync.flow import rollback as flow
from sync.flow.hub import Hub
from sync.flow.rollback import Counted
from sync.service import jobs
from sync.service.errors import NotFoundError, ServiceError
from sync.service.jobs import JobView
from sync.store.tables import Change, Run

GLANCE = 2000  # records that a screen looks through before it says "at least"


@dataclass(frozen=True, slots=True)
class RollbackPlan(Counted):
    """What would be set back, of which run, and when that was counted."""

    run_id: int = 0
    kind: str = ""
    counted_at: datetime | None = None  # None: just now


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What was done, as a run of its own; the writes to the systems follow."""

    run_id: int
    records: int
    fields: int
    left: int


@dataclass(frozen=True, slots=True)
class Relation:
    """How a run stands to rollbacks: which run it sets back, which run set it back."""

    sets_back: int | None
    set_back_by: int | None
    is_possible: bool
    records: int = 0
    fields: int = 0


def rollback_plan(hub: Hub, run_id: int, *, most: int | None = None) -> RollbackPlan:
    """What would be set back, and what was changed since and stays. `most` records, or all."""
    kind = _kind(hub, run_id)
    return _plan(flow.counted(hub, run_id, most=most), run_id, kind)


def ask_for_count(hub: Hub, run_id: int, *, actor: str) -> None:
    """Has a worker go through all changes of a run that is too large for a screen."""
    _kind(hub, run_id)
    with hub.database.write() as tx:
        flow_jobs.ask(hub, tx, flow_jobs.COUNT, str(run_id), actor=actor)


def count_job(hub: Hub, run_id: int) -> JobView | None:
    """How far that has come; None where nobody asked for it."""
    return jobs.newest(hub, flow_jobs.COUNT, str(run_id))


def counted_plan(hub: Hub, run_id: int) -> RollbackPlan | None:
    """What a worker has counted last."""
    job = count_job(hub, run_id)
    if job is None or job.state != "done":
        return None
    return _plan(Counted.from_json(job.result), run_id, _kind(hub, run_id), job.ended_at)


def rollback(hub: Hub, run_id: int, actor: str) -> RolledBack:
    """Sets back what nobody changed since. Safe to repeat; can be rolled back itself."""
    _check(hub, run_id)
    own, counts = flow.apply(hub, run_id, actor)
    return RolledBack(own, counts["changed"], counts["fields"], counts["left"])


def start_rollback(hub: Hub, run_id: int, actor: str) -> int:
    """The same in a worker; returns the run that does it."""
    _check(hub, run_id)
    own = flow.begin(hub, run_id, actor)
    hub.waker.rollback(own)
    return own


def relation(hub: Hub, run_id: int) -> Relation:
    """Whether a run changed anything that can be set back, and what was done already."""
    with hub.database.read() as session:
        run = session.get(Run, run_id)
        if run is None:
            raise _unknown(run_id)
        sets_back, by = flow.relation(session, run_id)
        counts = flow.progress(session, run_id)
        changed = select(Change.id).where(Change.run_id == run_id, Change.op == "set").limit(1)
        is_possible = run.state != "running" and session.scalar(changed) is not None
    return Relation(sets_back, by, is_possible, counts["changed"], counts["fields"])


def _plan(
    found: Counted, run_id: int, kind: str, counted_at: datetime | None = None
) -> RollbackPlan:
    values = {field.name: getattr(found, field.name) for field in fields(found)}
    return RollbackPlan(**values, run_id=run_id, kind=kind, counted_at=counted_at)


def _kind(hub: Hub, run_id: int) -> str:
    with hub.database.read() as session:
        run = session.get(Run, run_id)
    if run is None:
        raise _unknown(run_id)
    return run.kind


def _check(hub: Hub, run_id: int) -> None:
    with hub.database.read() as session:
        run = session.get(Run, run_id)
    if run is None:
        raise _unknown(run_id)
    if run.state == "running":
        raise ServiceError(
            f"Run {run_id} is not finished yet.",
            code="run_not_ended",
            hint="Wait until it has ended, then roll it back.",
            id=run_id,
        )


def _unknown(run_id: int) -> NotFoundError:
    return NotFoundError(
        f"There is no run {run_id}.",
        code="no_run",
        hint="Runs are kept for 30 days.",
        id=run_id,
    )
