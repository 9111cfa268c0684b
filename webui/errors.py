"""Errors as pages, as JSON and as fragments; a refusal of the service is a sentence."""

import structlog
from flask import Flask, Response, flash, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from sync.service import disk
from sync.service.errors import REFUSALS, NotFoundError, explain
from webui import auth
from webui.sentences import page_words, sentence

log = structlog.get_logger()


def init(app: Flask) -> None:
    """Registers the handlers."""
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _bug)
    for refusal in REFUSALS:
        app.register_error_handler(refusal, _refused)


def answer(status: int, title: str, detail: str, hint: str = "") -> Response:
    """An error in the form that the caller reads."""
    if _wants_json():
        body: dict[str, object] = {"error": title, "message": detail, "hint": hint}
        made = jsonify({key: value for key, value in body.items() if value})
    elif request.headers.get("HX-Request"):
        made = Response(detail, mimetype="text/plain")
    else:
        made = Response(
            render_template("error.html", status=status, title=title, detail=detail, hint=hint)
        )
    made.status_code = status
    if status == 401 and _is_api():
        made.headers["WWW-Authenticate"] = "Bearer"
    return made


def _refused(error: Exception) -> ResponseReturnValue:
    """A state change that is refused goes back to its page with the sentence."""
    why = explain(error)
    text, hint = sentence(why)
    missing = isinstance(error, NotFoundError)
    is_form = request.method == "POST" and not _wants_json() and not missing
    if is_form and auth.user() is not None and not request.headers.get("HX-Request"):
        flash(f"{text} {hint}".strip(), "danger")
        return redirect(auth.local_path(_referrer_path()), 303)
    return answer(404 if missing else 409, why.code or "refused", text, hint)


def _referrer_path() -> str:
    """The page that a form stood on; only its path is used."""
    referrer = request.referrer or ""
    prefix = request.host_url.rstrip("/")
    return referrer.removeprefix(prefix) if referrer.startswith(prefix + "/") else "/"


def _csrf(error: CSRFError) -> ResponseReturnValue:
    return answer(400, "csrf", *page_words("csrf", str(error.description or "")))


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error
    code = error.code or 500
    made = answer(code, error.name, *page_words(str(code), str(error.description or "")))
    if code == 429:
        made.headers["Retry-After"] = "60"
    for name, value in error.get_headers():
        if name == "Allow":
            made.headers[name] = value
    return made


def _bug(error: Exception) -> ResponseReturnValue:
    home = auth.hub().settings.home
    if disk.is_full(error, home):
        log.error("disk_full", path=request.path, home=str(home))
        text, hint = page_words("507", "")
        return answer(507, "disk_full", text, hint.format(home=home.absolute()))
    log.error("request_failed", path=request.path, exc_info=error)
    return answer(500, InternalServerError().name, *page_words("500", ""))


def _is_api() -> bool:
    return request.path.startswith("/api/")


def _wants_json() -> bool:
    return _is_api() or request.path.startswith(("/hooks/", "/healthz", "/openapi.json"))
