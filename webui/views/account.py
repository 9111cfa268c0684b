"""One's own account, the users of the hub, and who did what."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from sync.service import access
from sync.service.access import UserView
from sync.service.errors import ServiceError
from webui import auth
from webui.auth import hub, needs
from webui.limits import LOGIN, limiter

screens = Blueprint("account", __name__)


@screens.get("/account")
@needs("viewer")
def account() -> ResponseReturnValue:
    """Language, password, API keys."""
    return render_template("account/account.html", tokens=access.list_tokens(hub(), _me().id))


@screens.post("/account/password")
@needs("viewer")
@limiter.limit(LOGIN)
def set_password() -> ResponseReturnValue:
    """A new password for somebody who knows the old one."""
    me, given = _me(), request.form
    if access.check_password(hub(), me.login, given.get("old", "")) is None:
        raise ServiceError("The current password is not right.", code="wrong_password")
    if given.get("new", "") != given.get("again", ""):
        raise ServiceError("The two new passwords differ.", code="passwords_differ")
    access.set_password(hub(), me.login, given.get("new", ""), actor=me.login)
    flash(gettext("The password is changed."), "success")
    return redirect(url_for("account.account"), 303)


@screens.post("/account/keys")
@needs("viewer")
def create_key() -> ResponseReturnValue:
    """A new API key; this answer is the only place that shows it."""
    me = _me()
    secret, token = access.create_token(hub(), me.id, request.form.get("name", ""))
    return render_template(
        "account/account.html",
        tokens=access.list_tokens(hub(), me.id),
        secret=secret,
        token=token,
    )


@screens.post("/account/keys/<int:token_id>/revoke")
@needs("viewer")
def revoke_key(token_id: int) -> ResponseReturnValue:
    """Ends one of one's own keys."""
    me = _me()
    access.revoke_token(hub(), token_id, user_id=me.id, actor=me.login)
    flash(gettext("The key no longer works."), "success")
    return redirect(url_for("account.account"), 303)


@screens.get("/users")
@needs("admin")
def users() -> ResponseReturnValue:
    """All users."""
    return render_template("account/users.html", users=access.list_users(hub()))


@screens.post("/users")
@needs("admin")
def add_user() -> ResponseReturnValue:
    """A new user."""
    made = access.create_user(
        hub(),
        login=request.form.get("login", ""),
        password=request.form.get("password", ""),
        role=request.form.get("role", ""),
        actor=auth.actor(),
    )
    flash(gettext("%(name)s can sign in now.", name=made.login), "success")
    return redirect(url_for("account.users"), 303)


@screens.post("/users/<login>")
@needs("admin")
def change_user(login: str) -> ResponseReturnValue:
    """Role and access of a user."""
    active = {"yes": True, "no": False}.get(request.form.get("active", ""))
    role = request.form.get("role") or None
    access.change_user(hub(), login, role=role, active=active, actor=auth.actor())
    flash(gettext("Saved."), "success")
    return redirect(url_for("account.users"), 303)


@screens.get("/audit")
@needs("admin")
def audit() -> ResponseReturnValue:
    """Who did what."""
    before = request.args.get("before", type=int)
    lines = access.list_audit(hub(), before=before, limit=100)
    return render_template("account/audit.html", lines=lines)


def _me() -> UserView:
    me = auth.user()
    assert me is not None  # the guard lets nobody in who is not signed in
    return me
