"""Plans: what going live or a reconcile would do, and doing it."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from sync.service import plans as service
from sync.service import systems
from webui import auth
from webui.auth import hub, needs

screens = Blueprint("plans", __name__, url_prefix="/plans")
_MOVING = {"reading", "applying"}


@screens.get("")
@needs("viewer")
def list_plans() -> ResponseReturnValue:
    """The newest plans, and a form for another."""
    return render_template(
        "plans/list.html",
        plans=service.list_plans(hub(), limit=50),
        systems=systems.list_systems(hub()),
    )


@screens.post("")
@needs("admin")
def start() -> ResponseReturnValue:
    """Makes a plan for the chosen systems; for none chosen, for all that are not live."""
    made = service.start_plan(hub(), request.form.getlist("system"), actor=auth.actor())
    return redirect(url_for("plans.plan", plan_id=made.id), 303)


@screens.get("/<int:plan_id>")
@needs("viewer")
def plan(plan_id: int) -> ResponseReturnValue:
    """One plan."""
    found = service.get_plan(hub(), plan_id)
    job = service.job_of(hub(), plan_id)
    stuck = job if job and job.state == "failed" and found.state == "applying" else None
    moving = found.state in _MOVING and not stuck
    return render_template("plans/plan.html", plan=found, moving=moving, stuck=stuck, job=job)


@screens.get("/<int:plan_id>/progress")
@needs("viewer")
def progress(plan_id: int) -> ResponseReturnValue:
    """How far the reading has come; the whole page once it has ended."""
    found = service.get_plan(hub(), plan_id)
    job = service.job_of(hub(), plan_id)
    if found.state not in _MOVING or (job and job.state == "failed"):
        return "", 204, {"HX-Refresh": "true"}
    return render_template("plans/progress.html", plan=found, job=job)


@screens.post("/<int:plan_id>/apply")
@needs("admin")
def apply(plan_id: int) -> ResponseReturnValue:
    """Carries the plan out."""
    service.apply_plan(hub(), plan_id, actor=auth.actor())
    flash(gettext("Going live. The records are on their way."), "success")
    return redirect(url_for("plans.plan", plan_id=plan_id), 303)
