"""The JSON API, second part: setting back, versions, budgets, quality."""

from typing import Any

from sync.service import quality, quota, rollbacks, runs
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


@bp.get("/quality")
@bp.output(s.QualityOut)
@bp.doc(tags=["Quality"], summary="Figures and trend", security="key", responses=READS)
@needs("viewer")
def get_quality() -> Any:
    """How complete, valid, fresh and unambiguous the customers are, now and from day to day."""
    return {"overall": quality.overall(hub()), "days": quality.trend(hub())}


@bp.get("/quality/records")
@bp.input(s.QualityQuery, location="query")
@bp.output(s.QualityPage)
@bp.doc(tags=["Quality"], summary="Records to mend", security="key", responses=READS)
@needs("viewer")
def list_quality(query_data: s.QualityQuery) -> Any:
    """The least complete first."""
    return quality.worklist(
        hub(),
        entity=query_data.entity,
        issue=query_data.issue,
        system=query_data.system,
        page=query_data.page,
        limit=query_data.size,
    )
