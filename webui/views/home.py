"""The first page, signing in and out, the language."""

from dataclasses import asdict

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_datetime, gettext

from sync.service import access
from sync.service import overview as service
from webui import auth
from webui.auth import PUBLIC, hub, needs
from webui.language import LANGUAGES
from webui.limits import LOGIN, by_login, limiter, was_refused

screens = Blueprint("home", __name__)


@screens.get("/")
@needs("viewer")
def overview() -> ResponseReturnValue:
    """All systems at a glance."""
    return render_template("home/overview.html", **_facts())


@screens.get("/live")
@needs("viewer")
def live() -> ResponseReturnValue:
    """The moving parts of the first page; 204 while nothing has moved."""
    if request.args.get("seen") == service.fingerprint(hub()):
        return "", 204
    return render_template("home/live.html", **_facts())


@screens.get("/activity")
@needs("viewer")
def activity() -> ResponseReturnValue:
    """The chart of the last day."""
    hours = [{**asdict(h), "start": h.start.isoformat()} for h in service.changes_by_hour(hub())]
    return render_template("home/activity.html", hours=hours, shown=format_datetime)


@screens.get("/login")
@needs(PUBLIC)
def login() -> ResponseReturnValue:
    """The form."""
    if auth.user():
        return redirect(auth.local_path(request.args.get("next")))
    return _login_form(200)


@screens.post("/login")
@needs(PUBLIC)
@limiter.limit(LOGIN, key_func=by_login, deduct_when=was_refused)
def sign_in() -> ResponseReturnValue:
    """Checks the password."""
    found = access.check_password(
        hub(), request.form.get("login", ""), request.form.get("password", "")
    )
    if found is None:
        flash(gettext("Login or password is not right."), "danger")
        return _login_form(401)
    chosen = session.get("language", "")
    auth.sign_in(found)
    if chosen:  # a click before signing in says more than last year's choice
        access.set_language(hub(), found.id, chosen)
    return redirect(auth.local_path(request.form.get("next")), 303)


@screens.post("/logout")
@needs(PUBLIC)
def sign_out() -> ResponseReturnValue:
    """Ends the session."""
    auth.sign_out()
    return redirect(url_for("home.login"), 303)


@screens.post("/language")
@needs(PUBLIC)
def choose_language() -> ResponseReturnValue:
    """Remembers the language: for the user, or for this browser before signing in."""
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        session["language"] = chosen
        user = auth.user()
        if user:
            access.set_language(hub(), user.id, chosen)
    return redirect(auth.local_path(request.form.get("back")), 303)


@screens.get("/favicon.ico")
@needs(PUBLIC)
def favicon() -> ResponseReturnValue:
    """Where browsers look without being told."""
    return redirect(url_for("static", filename="favicon.svg"), 301)


def _login_form(status: int) -> ResponseReturnValue:
    target = request.values.get("next", "")
    page = render_template("home/login.html", next=target, empty=not access.has_users(hub()))
    return page, status


def _facts() -> dict[str, object]:
    seen = service.fingerprint(hub())  # before the facts: a change in between shows next time
    return {"overview": service.overview(hub()), "seen": seen}
