"""Rolling a run back: what it would do, and doing it."""

from dataclasses import dataclass

from sync.flow import rollback as flow
from sync.flow.hub import Hub
from sync.flow.rollback import Step
from sync.service.errors import NotFoundError
from sync.store.tables import Run

SAMPLES = 200


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """Counts over the whole run; `set_back`, `left` and `created` hold the first of each."""

    run_id: int
    kind: str
    records: int
    fields: int
    fields_left: int
    set_back: tuple[Step, ...]
    left: tuple[Step, ...]
    created: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What was done, as a run of its own; the writes to the systems follow."""

    run_id: int
    records: int
    fields: int
    left: int


def rollback_plan(hub: Hub, run_id: int) -> RollbackPlan:
    """What would be set back, and what was changed since and stays."""
    back: list[Step] = []
    left: list[Step] = []
    records = fields = fields_left = 0
    with hub.database.read() as session:
        run = session.get(Run, run_id)
        if run is None:
            raise _unknown(run_id)
        for chunk in flow.steps(session, run_id):
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
    )


def rollback(hub: Hub, run_id: int, actor: str) -> RolledBack:
    """Sets back what nobody changed since. Safe to repeat; can be rolled back itself."""
    with hub.database.read() as session:
        if session.get(Run, run_id) is None:
            raise _unknown(run_id)
    own, counts = flow.apply(hub, run_id, actor)
    return RolledBack(own, counts["changed"], counts["fields"], counts["left"])


def _unknown(run_id: int) -> NotFoundError:
    return NotFoundError(
        f"There is no run {run_id}.",
        code="no_run",
        hint="Runs are kept for 30 days.",
        id=run_id,
    )
