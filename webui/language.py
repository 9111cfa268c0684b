"""Chinese or English: by the user's choice, else the session's, else the hub's setting."""

from flask import g, has_request_context, request, session

from webui import auth

LANGUAGES = {"zh": "简体中文", "en": "English"}
_LOCALES = {"zh": "zh_Hans_CN", "en": "en"}
_TAGS = {"zh": "zh-CN", "en": "en"}


def language() -> str:
    """The language of this request: `zh` or `en`."""
    if "language" not in g:
        g.language = _choose()
    return str(g.language)


def locale() -> str:
    """The same as Babel spells it."""
    return _LOCALES[language()] if has_request_context() else "en"


def tag() -> str:
    """The same as HTML spells it."""
    return _TAGS[language()]


def api_language() -> str:
    """The language that a caller of the JSON API asks for; English where none is asked for."""
    return request.accept_languages.best_match(("en", "zh")) or "en"


def _choose() -> str:
    user = None if request.path.startswith("/static/") else auth.user()
    asked = (user.language if user else "") or session.get("language", "")
    return asked if asked in LANGUAGES else auth.hub().settings.lang
