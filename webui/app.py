"""The web application: `create_app(hub)`, and `wsgi` for a server such as gunicorn."""

from datetime import timedelta
from typing import Any

import structlog
from apiflask import APIFlask
from flask import Flask
from flask_babel import Babel
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from sync.service.access import session_key
from sync.service.hub import Hub, hub
from webui import auth, errors, headers, language, limits, present
from webui.views import (
    account,
    api,
    api_setup,
    backups,
    candidates,
    docs,
    health,
    home,
    hooks,
    jobs,
    letters,
    mappings,
    plans,
    privacy,
    quality,
    records,
    review,
    runs,
    systems,
    thresholds,
)

API_VERSION = "1.0"
LARGEST_FORM = 1024 * 1024
SESSION_LIFE = timedelta(days=14)
_STATIC_LIFE = timedelta(days=365)  # addresses of static files carry their version

SCREENS = (
    home.screens,
    records.screens,
    systems.screens,
    plans.screens,
    runs.screens,
    jobs.screens,
    quality.screens,
    thresholds.screens,
    backups.screens,
    mappings.screens,
    review.screens,
    candidates.screens,
    privacy.screens,
    letters.screens,
    account.screens,
    docs.screens,
    health.screens,
    hooks.screens,
)


def create_app(opened: Hub) -> Flask:
    """A web application for one hub; it keeps no state of its own."""
    app = APIFlask("webui", title="kehub", version=API_VERSION, docs_path=None)
    app.config.update(_settings(opened))
    app.extensions["kehub"] = opened
    app.error_processor(api.problem)
    csrf = CSRFProtect(app)
    Babel(app, locale_selector=language.locale, timezone_selector=lambda: "UTC")
    auth.init(app)
    limits.init(app, opened.settings.redis_url)
    headers.init(app, https=opened.settings.base_url.startswith("https:"))
    errors.init(app)
    present.init(app)
    for screens in SCREENS:
        app.register_blueprint(screens)
    app.register_blueprint(api_setup.routes)
    for exempt in (api.bp, hooks.screens):  # a bearer key and a signature prove the caller
        csrf.exempt(exempt)
    if opened.settings.public_url:  # others reach us through a proxy: believe its one hop
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    return app


def _settings(opened: Hub) -> dict[str, Any]:
    https = opened.settings.base_url.startswith("https:")
    return {
        "SECRET_KEY": session_key(opened),
        "SESSION_COOKIE_NAME": "kehub",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": https,
        "PERMANENT_SESSION_LIFETIME": SESSION_LIFE,
        "MAX_CONTENT_LENGTH": LARGEST_FORM,
        "SEND_FILE_MAX_AGE_DEFAULT": _STATIC_LIFE,
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session
        "WTF_CSRF_SSL_STRICT": False,  # the token decides; referrers are cut by our own policy
        "BABEL_DEFAULT_LOCALE": "en",
        "BABEL_TRANSLATION_DIRECTORIES": "translations",
        "TEMPLATES_AUTO_RELOAD": False,
        **api.SETTINGS,
    }


def __getattr__(name: str) -> Flask:
    """`wsgi` is made when a server asks for it, so that importing this opens no database."""
    if name != "wsgi":
        raise AttributeError(name)
    # Tracebacks without the values of variables: those may be a customer's data.
    plain = structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
    stamp = structlog.processors.TimeStamper(fmt="iso")
    structlog.configure(processors=[structlog.processors.add_log_level, stamp, plain])
    app = create_app(hub())
    globals()["wsgi"] = app
    return app
