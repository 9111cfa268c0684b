"""Who may do what: every route names the least role that it needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import flask_login
from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from sync.service import access
from sync.service.access import UserView
from sync.service.hub import Hub

View = TypeVar("View", bound=Callable[..., Any])
PUBLIC = "public"
_ROLE = "kehub_role"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user as flask-login wants to see one."""

    user: UserView
    is_active: bool = True
    is_authenticated: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        return str(self.user.id)


def hub() -> Hub:
    """The hub that this application shows."""
    return cast("Hub", current_app.extensions["kehub"])


def needs(role: str) -> Callable[[View], View]:
    """Says the least role that a view needs; `PUBLIC` for nobody in particular."""

    def mark(view: View) -> View:
        setattr(view, _ROLE, role)
        return view

    return mark


def user() -> UserView | None:
    """Who asks: by key in the API, by session elsewhere."""
    by_key = cast("UserView | None", g.get("key_user"))
    if by_key is not None:
        return by_key
    found = flask_login.current_user
    return found.user if found and found.is_authenticated else None


def actor() -> str:
    """The name that changes are noted under."""
    found = user()
    return found.login if found else ""


def may(role: str) -> bool:
    """Whether who asks has at least this role."""
    found = user()
    return found is not None and found.may(role)


def sign_in(found: UserView) -> None:
    """Starts a session of its own: nothing of an earlier one stays."""
    session.clear()
    session.permanent = True
    flask_login.login_user(SignedIn(found))


def sign_out() -> None:
    flask_login.logout_user()
    session.clear()


def local_path(target: str | None) -> str:
    """Where to go after signing in: a path of this application, whatever was asked for."""
    parts = urlsplit(target or "")
    is_ours = not parts.scheme and not parts.netloc and parts.path.startswith("/")
    if not is_ours or parts.path.startswith(("//", "/\\")):
        return url_for("home.overview")
    return parts.path + (f"?{parts.query}" if parts.query else "")


def init(app: Flask) -> None:
    """Loads the user of a session and guards every route."""
    manager = flask_login.LoginManager(app)
    manager.session_protection = "basic"
    manager.user_loader(_load)
    app.before_request(_guard)


def role_of(app: Flask, endpoint: str) -> str | None:
    """The role a route needs; None where its view names none."""
    return getattr(app.view_functions[endpoint], _ROLE, None)


def _load(user_id: str) -> SignedIn | None:
    found = access.get_user(hub(), int(user_id)) if user_id.isdigit() else None
    return SignedIn(found) if found else None


def _guard() -> ResponseReturnValue | None:
    if request.endpoint is None or request.endpoint in {"static", "openapi.spec"}:
        return None
    role = role_of(current_app, request.endpoint)
    if role == PUBLIC:
        return None
    if request.blueprint == "api":
        g.key_user = _by_key()
    if user() is None:
        return _ask_to_sign_in()
    if role is None or not may(role):  # a view that names no role is closed to everybody
        abort(403)
    return None


def _by_key() -> UserView | None:
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    found = access.check_token(hub(), key.strip()) if kind.lower() == "bearer" else None
    if found is None:
        abort(401)
    return found


def _ask_to_sign_in() -> ResponseReturnValue:
    if request.method != "GET":
        abort(401)
    target = url_for("home.login", next=request.full_path.rstrip("?"))
    if request.headers.get("HX-Request"):
        return "", 204, {"HX-Redirect": url_for("home.login")}
    return redirect(target)
