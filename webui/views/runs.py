"""Runs: what ran, and what it changed."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from sync.service import runs as service
from sync.service import systems
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
    return render_template("runs/run.html", run=found, page=page)
