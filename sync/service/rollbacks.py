"""Rolling a run back: what it would do, and doing it."""

from dataclasses import dataclass

from sqlalchemy import select

from sync.flow import rollback as flow
from sync.flow.hub import Hub
from sync.flow.rollback import Step
from sync.service.errors import NotFoundError, ServiceError
from sync.store.tables import Change, Run

SAMPLES = 200
GLANCE = 2000  # records that a screen looks through before it says "at least"


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """Counts over the whole run; `set_back`, `left` and `created` hold the first of each.

    With `is_partial` the counts are of the first records only.
    """

    run_id: int
    kind: str
    records: int
    fields: int
    fields_left: int
    set_back: tuple[Step, ...]
    left: tuple[Step, ...]
    created: tuple[tuple[str, str], ...]
    is_partial: bool = False


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
    back: list[Step] = []
    left: list[Step] = []
    records = fields = fields_left = looked = 0
    is_partial = False
    with hub.database.read() as session:
        run = session.get(Run, run_id)
        if run is None:
            raise _unknown(run_id)
        for chunk in flow.steps(session, run_id):
            if most is not None and looked >= most:
                is_partial = True
                break
            looked += len({step.golden_id for step in chunk})
            here = [step for step in chunk if step.is_set_back]
            records += len({step.golden_id for step in here})
            fields += len(here)
            fields_left += len(chunk) - len(here)
            back.extend(here[: SAMPLES - len(back)])
            left.extend([s for s in chunk if not s.is_set_back][: SAMPLES - len(left)])
        created = flow.created_by(session, run_id)[:SAMPLES]
    return RollbackPlan(
        run_id=run_id,
        kind=run.kind,
        records=records,
        fields=fields,
        fields_left=fields_left,
        set_back=tuple(back),
        left=tuple(left),
        created=tuple(created),
        is_partial=is_partial,
    )


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
