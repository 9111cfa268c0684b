"""Mapping versions: what each changes, what it would touch, making one the live one."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from sync.service import mapping_versions as service
from sync.service import systems
from sync.service.errors import REFUSALS, explain
from webui import auth
from webui.auth import hub, needs
from webui.language import language
from webui.sentences import sentence

screens = Blueprint("mappings", __name__, url_prefix="/mappings")


@screens.get("")
@needs("viewer")
def mappings() -> ResponseReturnValue:
    """The live versions and the drafts of every system."""
    return render_template(
        "mappings/list.html",
        mappings=service.list_all(hub()),
        systems=systems.list_names(hub()),
    )


@screens.get("/<int:mapping_id>")
@needs("viewer")
def version(mapping_id: int) -> ResponseReturnValue:
    """One version: text, difference, findings, plan."""
    found = service.get_version(hub(), mapping_id)
    return render_template(
        "mappings/version.html",
        mapping=found,
        versions=service.list_versions(hub(), found.system, found.object),
        diff=service.compare_versions(hub(), mapping_id, request.args.get("with", type=int)),
        ready=service.readiness(hub(), mapping_id) if found.state == "draft" else None,
        activation=service.activation(hub(), mapping_id) if found.state == "live" else None,
    )


@screens.get("/new")
@needs("admin")
def new() -> ResponseReturnValue:
    """The form for another version; with `of`, that one's text to begin with."""
    base = request.args.get("of", type=int)
    found = service.get_version(hub(), base) if base else None
    chosen = found.system if found else request.args.get("system", "")
    return _form(chosen, found.text if found else "", found)


@screens.post("")
@needs("admin")
def add() -> ResponseReturnValue:
    """Adds a draft; what does not load or does not fit is said above the text."""
    system, text = request.form.get("system", ""), request.form.get("text", "")
    try:
        made = service.add_version(
            hub(),
            system,
            text.replace("\r\n", "\n"),
            actor=auth.actor(),
            language=language(),
        )
    except REFUSALS as error:
        return _form(system, text, None, error)
    flash(gettext("The draft is kept. Nothing works with it yet."), "success")
    return redirect(url_for("mappings.version", mapping_id=made.id), 303)


@screens.post("/<int:mapping_id>/preview")
@needs("admin")
def preview(mapping_id: int) -> ResponseReturnValue:
    """A plan that shows what activating the draft would change."""
    made = service.preview(hub(), mapping_id, actor=auth.actor())
    return redirect(url_for("plans.plan", plan_id=made.id), 303)


@screens.post("/<int:mapping_id>/activate")
@needs("admin")
def activate(mapping_id: int) -> ResponseReturnValue:
    """Makes the draft the live version, in a worker."""
    service.activate(
        hub(),
        mapping_id,
        request.form.get("plan", type=int),
        approved=request.form.get("approved") == "1",
        actor=auth.actor(),
        inline=False,
    )
    flash(gettext("This version is live."), "success")
    return redirect(url_for("mappings.version", mapping_id=mapping_id), 303)


@screens.post("/<int:mapping_id>/carry-on")
@needs("admin")
def carry_on(mapping_id: int) -> ResponseReturnValue:
    """Has an activation that failed carried out again."""
    service.carry_on(hub(), mapping_id, actor=auth.actor())
    return redirect(url_for("mappings.version", mapping_id=mapping_id), 303)


@screens.post("/<int:mapping_id>/discard")
@needs("admin")
def discard(mapping_id: int) -> ResponseReturnValue:
    """Drops a draft."""
    service.discard(hub(), mapping_id, actor=auth.actor())
    flash(gettext("The draft is dropped."), "success")
    return redirect(url_for("mappings.mappings"), 303)


@screens.post("/<int:mapping_id>/restore")
@needs("admin")
def restore(mapping_id: int) -> ResponseReturnValue:
    """An old version as a new draft."""
    made = service.restore_version(hub(), mapping_id, actor=auth.actor())
    flash(gettext("The old text is a draft now. Look at its plan, then activate it."), "success")
    return redirect(url_for("mappings.version", mapping_id=made.id), 303)


def _form(
    system: str,
    text: str,
    base: service.MappingView | None,
    error: Exception | None = None,
) -> ResponseReturnValue:
    why = explain(error) if error else None
    page = render_template(
        "mappings/new.html",
        system=system,
        text=text,
        base=base,
        systems=systems.list_names(hub()),
        problem=sentence(why) if why else None,
        findings=why.facts.get("findings", ()) if why else (),
    )
    return page, 422 if error else 200
