"""What waits for a person: conflicts and guards."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from sync.service import mapping_versions, systems
from sync.service import review as service
from webui import auth
from webui.auth import hub, needs

screens = Blueprint("review", __name__)
_VALUE = "value-"


@screens.get("/conflicts")
@needs("viewer")
def conflicts() -> ResponseReturnValue:
    """Open conflicts; those that a policy or a person decided, on request."""
    state = _state(service.CONFLICT_STATES)
    page = service.list_conflicts(
        hub(),
        state=state,
        system=request.args.get("system") or None,
        page=request.args.get("page", 1, type=int),
    )
    return render_template(
        "review/conflicts.html",
        page=page,
        state=state,
        states=service.CONFLICT_STATES,
        systems=systems.list_names(hub()),
    )


@screens.post("/conflicts/<int:conflict_id>/decide")
@needs("steward")
def decide_conflict(conflict_id: int) -> ResponseReturnValue:
    """Ends a conflict, or reverses a decision."""
    typed = {
        key.removeprefix(_VALUE): text
        for key, text in request.form.items()
        if key.startswith(_VALUE)
    }
    decided = service.decide_conflict(
        hub(),
        conflict_id,
        request.form.get("choice", ""),
        actor=auth.actor(),
        other=typed,
    )
    flash(gettext("Decided for %(name)s.", name=decided.golden_name), "success")
    return redirect(auth.local_path(request.form.get("back") or url_for("review.conflicts")), 303)


@screens.get("/guards")
@needs("viewer")
def guards() -> ResponseReturnValue:
    """What was stopped."""
    state = _state(service.GUARD_STATES)
    page = service.list_guards(hub(), state=state, page=request.args.get("page", 1, type=int))
    live = [m for m in mapping_versions.list_all(hub()) if m.state == "live"]
    return render_template(
        "review/guards.html",
        page=page,
        state=state,
        states=service.GUARD_STATES,
        mapping_ids={(each.system, each.object): each.id for each in live},
    )


@screens.post("/guards/<int:guard_id>/decide")
@needs("steward")
def decide_guard(guard_id: int) -> ResponseReturnValue:
    """Allows or refuses."""
    allow = request.form.get("choice") == "allow"
    state = service.decide_guard(hub(), guard_id, allow=allow, actor=auth.actor()).state
    if state == "allowed":
        flash(gettext("Allowed."), "success")
    elif state == "refused":
        flash(gettext("Refused. Nothing was changed."), "success")
    else:
        flash(gettext("This question was outdated. Nothing was changed."), "info")
    return redirect(url_for("review.guards"), 303)


def _state(known: tuple[str, ...]) -> str:
    asked = request.args.get("state", known[0])
    return asked if asked in known else known[0]
