"""Systems: which there are, adding one, its settings, testing, pausing, going on."""

import re
from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from sync.service import plans, quota, runs
from sync.service import systems as service
from sync.service.errors import REFUSALS, SetupError, explain
from sync.service.systems import ConnectorView, SystemView
from webui import auth, forms
from webui.auth import hub, needs
from webui.language import language
from webui.sentences import sentence

screens = Blueprint("systems", __name__, url_prefix="/systems")
_TAKEN_UP = 3


@screens.get("")
@needs("viewer")
def list_systems() -> ResponseReturnValue:
    """All systems."""
    return render_template("systems/list.html", systems=service.list_systems(hub()))


@screens.get("/new")
@needs("admin")
def choose() -> ResponseReturnValue:
    """Which kind of system to add."""
    return render_template("systems/choose.html", kinds=service.connector_kinds(language()))


@screens.get("/new/<kind>")
@needs("admin")
def new(kind: str) -> ResponseReturnValue:
    """The form for a new system of a kind."""
    return _new_form(_kind(kind), None)


@screens.post("/new/<kind>")
@needs("admin")
def add(kind: str) -> ResponseReturnValue:
    """Adds a system after one cheap call has shown that its settings work."""
    connector = _kind(kind)
    values = forms.read(connector.fields, request.form)
    name = request.form.get("name", "").strip()
    try:
        made = service.add_system(
            hub(),
            name=name,
            kind=kind,
            values=values,
            label=request.form.get("label", "").strip(),
            actor=auth.actor(),
        )
    except REFUSALS as error:
        return _new_form(connector, values, error)
    flash(gettext("%(name)s answers. Next: make a plan.", name=made.label), "success")
    return redirect(url_for("systems.system", name=made.name), 303)


@screens.get("/<name>")
@needs("viewer")
def system(name: str) -> ResponseReturnValue:
    """One system: how it is, what it lacks, what it did."""
    found = service.get_system(hub(), name)
    return render_template(
        "systems/system.html",
        system=found,
        mappings=service.live_mappings(hub(), name),
        runs=runs.list_runs(hub(), system=name, limit=8).rows,
        plan=_plan_of(name),
        quota=quota.get_quota(hub(), name),
        interfaces=_interfaces(name),
        lanes=quota.lanes(hub(), name),
    )


@screens.get("/<name>/live")
@needs("viewer")
def live(name: str) -> ResponseReturnValue:
    """The moving part of a system's page."""
    return render_template("systems/facts.html", system=service.get_system(hub(), name))


@screens.get("/<name>/settings")
@needs("admin")
def settings(name: str) -> ResponseReturnValue:
    """The settings, without the secrets."""
    found = service.get_system(hub(), name)
    return _settings_form(found, found.settings)


@screens.post("/<name>/settings")
@needs("admin")
def change(name: str) -> ResponseReturnValue:
    """Changes settings after one cheap call has shown that they work."""
    found = service.get_system(hub(), name)
    values = forms.read(_kind(found.kind).fields, request.form)
    try:
        service.change_system(
            hub(),
            name,
            values=values,
            delete_policy=request.form.get("delete_policy") or None,
            poll_seconds=request.form.get("poll_seconds", type=float) or None,
            actor=auth.actor(),
        )
    except REFUSALS as error:
        return _settings_form(found, values, error)
    flash(gettext("The settings work and are saved."), "success")
    return redirect(url_for("systems.system", name=name), 303)


@screens.post("/<name>/budget")
@needs("admin")
def budget(name: str) -> ResponseReturnValue:
    """How many calls a day the system's contract allows; empty for no limit."""
    typed = request.form.get("calls", "").strip()
    calls = int(typed) if typed.isdecimal() else 0 if typed else None
    return _do(
        name,
        lambda: quota.set_daily_budget(hub(), name, calls, actor=auth.actor()),
        gettext("The daily budget is saved."),
    )


@screens.post("/<name>/test")
@needs("admin")
def test(name: str) -> ResponseReturnValue:
    """One cheap call."""
    return _do(name, lambda: service.test_system(hub(), name), gettext("The system answers."))


@screens.post("/<name>/pause")
@needs("admin")
def pause(name: str) -> ResponseReturnValue:
    """Stops the system; what waits stays."""
    return _do(
        name,
        lambda: service.pause_system(hub(), name, actor=auth.actor()),
        gettext("Paused. What waits is kept."),
    )


@screens.post("/<name>/resume")
@needs("admin")
def resume(name: str) -> ResponseReturnValue:
    """Lets the system go on."""
    return _do(
        name,
        lambda: service.resume_system(hub(), name, actor=auth.actor()),
        gettext("The system goes on."),
    )


@screens.post("/<name>/poll")
@needs("steward")
def poll(name: str) -> ResponseReturnValue:
    """Reads what changed now."""
    return _do(name, lambda: service.poll_now(hub(), name), gettext("Reading what changed."))


@screens.post("/<name>/remove")
@needs("admin")
def remove(name: str) -> ResponseReturnValue:
    """Removes a system that was never live."""
    service.remove_system(hub(), name, actor=auth.actor())
    flash(gettext("%(name)s is removed. Nothing was changed there.", name=name), "success")
    return redirect(url_for("systems.list_systems"), 303)


@screens.post("/<name>/plan")
@needs("admin")
def plan(name: str) -> ResponseReturnValue:
    """Makes a plan for this system."""
    made = plans.start_plan(hub(), [name], actor=auth.actor())
    return redirect(url_for("plans.plan", plan_id=made.id), 303)


def _interfaces(name: str) -> list[quota.InterfaceView]:
    """The vendor's limits; none where the settings cannot be opened, which is said elsewhere."""
    try:
        return quota.interfaces(hub(), name)
    except REFUSALS:
        return []


def _do(name: str, work: Callable[[], Any], done: str) -> ResponseReturnValue:
    try:
        work()
    except REFUSALS as error:
        text, hint = sentence(explain(error))
        flash(f"{text} {hint}".strip(), "danger")
    else:
        flash(done, "success")
    return redirect(url_for("systems.system", name=name), 303)


def _plan_of(name: str) -> plans.PlanView | None:
    """The newest plan of a system that was not carried out yet."""
    for made in plans.list_plans(hub(), limit=_TAKEN_UP):
        if name in made.systems and made.state in {"reading", "ready", "applying"}:
            return made
    return None


def _kind(name: str) -> ConnectorView:
    try:
        return service.connector_kind(name, language())
    except SetupError:
        abort(404)


def _new_form(
    connector: ConnectorView, values: dict[str, Any] | None, error: Exception | None = None
) -> ResponseReturnValue:
    page = render_template(
        "systems/new.html",
        connector=connector,
        fields=forms.fill(connector.fields, values),
        name=request.form.get("name", _free_name(connector.name)),
        label=request.form.get("label", connector.label),
        **_problem(connector, error),
    )
    return page, 422 if error else 200


def _problem(kind: ConnectorView, error: Exception | None) -> dict[str, Any]:
    """What is wrong, and with which input; that is named as the form names it."""
    if error is None:
        return {"problem": None, "wrong": None}
    why = explain(error)
    said, hint = sentence(why)
    wrong = why.facts.get("remote_code")
    title = next((field.title for field in kind.fields if field.name == wrong), "")
    if title:
        said = re.sub("“[^”]*”", f"“{title}”", said, count=1)
    return {"problem": (said, hint), "wrong": wrong}


def _settings_form(
    found: SystemView, values: Any, error: Exception | None = None
) -> ResponseReturnValue:
    kind = _kind(found.kind)
    page = render_template(
        "systems/settings.html",
        system=found,
        fields=forms.fill(kind.fields, values),
        **_problem(kind, error),
        default_poll=hub().settings.poll_seconds,
    )
    return page, 422 if error else 200


def _free_name(kind: str) -> str:
    taken = set(service.list_names(hub()))
    base = kind.split("_", 1)[0]
    if base not in taken:
        return base
    return next(f"{base}{number}" for number in range(2, 100) if f"{base}{number}" not in taken)
