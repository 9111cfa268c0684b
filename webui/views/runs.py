"""Runs: what ran, what it changed, and setting that back."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from sync.service import rollbacks, systems
from sync.service import runs as service
from webui import auth
from webui.auth import hub, needs

screens = Blueprint("runs", __name__, url_prefix="/runs")


@screens.get("")
@needs("viewer")
def list_runs() -> ResponseReturnValue:
    """The newest first."""
    asked = request.args
    page = service.list_runs(
        hub(),
        system=asked.get("system") or None,
        kind=asked.get("kind") or None,
        state=asked.get("state") or None,
        page=asked.get("page", 1, type=int),
    )
    return render_template(
        "runs/list.html",
        page=page,
        kinds=service.KINDS,
        states=service.STATES,
        systems=systems.list_names(hub()),
        filtered=any(asked.get(name) for name in ("system", "kind", "state")),
    )


@screens.get("/<int:run_id>")
@needs("viewer")
def run(run_id: int) -> ResponseReturnValue:
    """One run with its changes."""
    found = service.get_run(hub(), run_id)
    page = service.changes_of_run(hub(), run_id, page=request.args.get("page", 1, type=int))
    relation = rollbacks.relation(hub(), run_id)
    return render_template("runs/run.html", run=found, page=page, relation=relation)


@screens.get("/<int:run_id>/progress")
@needs("viewer")
def progress(run_id: int) -> ResponseReturnValue:
    """How far a rollback has come; the whole page once it has ended."""
    if service.get_run(hub(), run_id).state != "running":
        return "", 204, {"HX-Refresh": "true"}
    relation = rollbacks.relation(hub(), run_id)
    return render_template("runs/progress.html", run_id=run_id, relation=relation)


@screens.get("/<int:run_id>/rollback")
@needs("viewer")
def rollback_plan(run_id: int) -> ResponseReturnValue:
    """What rolling a run back would do; nothing is done yet."""
    counted = rollbacks.counted_plan(hub(), run_id)
    return render_template(
        "runs/rollback.html",
        run=service.get_run(hub(), run_id),
        plan=counted or rollbacks.rollback_plan(hub(), run_id, most=rollbacks.GLANCE),
        counting=rollbacks.count_job(hub(), run_id),
        relation=rollbacks.relation(hub(), run_id),
    )


@screens.post("/<int:run_id>/rollback/count")
@needs("viewer")
def count_rollback(run_id: int) -> ResponseReturnValue:
    """Has a worker go through all of a large run; nothing is changed."""
    rollbacks.ask_for_count(hub(), run_id, actor=auth.actor())
    return redirect(url_for("runs.rollback_plan", run_id=run_id), 303)


@screens.post("/<int:run_id>/rollback")
@needs("admin")
def roll_back(run_id: int) -> ResponseReturnValue:
    """Sets the run back, in a worker."""
    own = rollbacks.start_rollback(hub(), run_id, auth.actor())
    flash(gettext("The run is being rolled back. The systems follow by themselves."), "success")
    return redirect(url_for("runs.run", run_id=own), 303)
