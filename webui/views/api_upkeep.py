"""The JSON API, second part: setting back, versions, budgets, quality."""

from typing import Any

from sync.service import rollbacks, runs
from webui import auth
from webui import schemas as s
from webui.auth import hub, needs
from webui.views.api import CHANGES, FINDS, bp

routes = bp  # with those of the first part


@bp.get("/runs/<int:run_id>/rollback")
@bp.output(s.RollbackPlanOut)
@bp.doc(tags=["Runs"], summary="Plan a rollback", security="key", responses=FINDS)
@needs("viewer")
def plan_rollback(run_id: int) -> Any:
    """What would be set back, and what was changed since and stays."""
    return rollbacks.rollback_plan(hub(), run_id, most=rollbacks.GLANCE)


@bp.post("/runs/<int:run_id>/rollback")
@bp.output(s.RunOut, status_code=202)
@bp.doc(tags=["Runs"], summary="Roll a run back", security="key", responses=CHANGES)
@needs("admin")
def roll_back(run_id: int) -> Any:
    """Starts it; answers the run that does it."""
    return runs.get_run(hub(), rollbacks.start_rollback(hub(), run_id, auth.actor()))
