"""The JSON API, second part: setting back, versions, budgets, quality."""

from typing import Any

from sync.service import quota, rollbacks, runs
from webui import auth
from webui import schemas as s
from webui.auth import hub, needs
from webui.views.api import CHANGES, FINDS, READS, bp

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


@bp.get("/quotas")
@bp.output(s.QuotasOut)
@bp.doc(tags=["Systems"], summary="API calls and budgets", security="key", responses=READS)
@needs("viewer")
def list_quotas() -> Any:
    """What each system has had today, and until when its budget lasts."""
    return {"quotas": quota.list_quotas(hub())}


@bp.put("/systems/<name>/budget")
@bp.input(s.BudgetIn)
@bp.output(s.QuotaOut)
@bp.doc(tags=["Systems"], summary="Set a daily budget", security="key", responses=CHANGES)
@needs("admin")
def set_budget(name: str, json_data: s.BudgetIn) -> Any:
    """Calls per day; null for no limit."""
    quota.set_daily_budget(hub(), name, json_data.calls, actor=auth.actor())
    return quota.get_quota(hub(), name)
