"""Erasing a person: what it would do, how far it is, the certificate."""

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from sync.service import privacy as service
from sync.service.errors import NotFoundError, ServiceError
from sync.service.privacy import ErasureView
from webui import auth
from webui.auth import hub, needs

screens = Blueprint("privacy", __name__)


@screens.get("/records/<golden_id>/erase")
@needs("admin")
def preview(golden_id: str) -> ResponseReturnValue:
    """What each system would do; nothing is done yet."""
    return render_template("privacy/preview.html", preview=service.preview(hub(), golden_id))


@screens.post("/records/<golden_id>/erase")
@needs("admin")
def erase(golden_id: str) -> ResponseReturnValue:
    """Begins; the person named in the form has to be the one on the page."""
    found = service.preview(hub(), golden_id)
    if request.form.get("name", "").strip() != found.name.strip():
        flash(gettext("Type the name as it stands above: nothing was erased."), "danger")
        page = render_template("privacy/preview.html", preview=found)
        return page, 422
    view = service.erase(
        hub(), golden_id, actor=auth.actor(), reference=request.form.get("reference", "")
    )
    return redirect(url_for("privacy.erasure", erasure_id=view.row.id), 303)


@screens.get("/erasures")
@needs("admin")
def list_erasures() -> ResponseReturnValue:
    """All requests."""
    state = request.args.get("state", "")
    page = service.list_erasures(
        hub(), state=state or None, page=request.args.get("page", 1, type=int)
    )
    return render_template("privacy/list.html", page=page, state=state)


@screens.get("/erasures/<erasure_id>")
@needs("admin")
def erasure(erasure_id: str) -> ResponseReturnValue:
    """One request, system by system."""
    return render_template("privacy/erasure.html", view=service.get_erasure(hub(), erasure_id))


@screens.get("/erasures/<erasure_id>/certificate.json")
@needs("admin")
def certificate(erasure_id: str) -> ResponseReturnValue:
    """The certificate as a file, once every system has answered."""
    view = service.get_erasure(hub(), erasure_id)
    if not view.certificate:
        raise ServiceError("Not every system has answered yet.", code="no_certificate")
    answer = jsonify(view.certificate)
    answer.headers["Content-Disposition"] = f'attachment; filename="erasure-{erasure_id}.json"'
    return answer


@screens.post("/erasures/<erasure_id>/retry")
@needs("admin")
def retry(erasure_id: str) -> ResponseReturnValue:
    """Asks every system again that has not answered."""
    return _shown(service.retry(hub(), erasure_id))


@screens.post("/erasures/<erasure_id>/lift")
@needs("admin")
def lift(erasure_id: str) -> ResponseReturnValue:
    """The person may come back."""
    return _shown(service.lift(hub(), erasure_id, actor=auth.actor()))


@screens.post("/erasures/steps/<int:step_id>")
@needs("admin")
def confirm(step_id: int) -> ResponseReturnValue:
    """A person has erased a record where the hub cannot."""
    note = request.form.get("note", "")
    return _shown(service.confirm(hub(), step_id, actor=auth.actor(), note=note))


@screens.post("/erasures/returns/<int:return_id>")
@needs("admin")
def decide_return(return_id: int) -> ResponseReturnValue:
    """A record that was turned away: somebody else, or erased where it stands."""
    choice = request.form.get("choice", "")
    if choice not in {"allow", "erase"}:
        raise NotFoundError("There is no such choice.", code="no_erasure", id=return_id)
    view = service.decide_return(hub(), return_id, allow=choice == "allow", actor=auth.actor())
    return _shown(view)


def _shown(view: ErasureView) -> ResponseReturnValue:
    return redirect(url_for("privacy.erasure", erasure_id=view.row.id), 303)
