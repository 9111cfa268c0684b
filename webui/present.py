"""How values look: dates, numbers and lists in the reader's language, for every template."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from babel import Locale
from flask import Flask, request, url_for
from flask_babel import format_date, format_datetime, format_decimal, gettext
from markupsafe import Markup, escape

from sync.service import disk
from sync.service.backups import pending_restore
from sync.service.fields import group_of
from sync.service.overview import open_counts
from sync.service.review import GuardView
from webui import auth, language, words
from webui.assets import VERSION
from webui.sentences import said

EMPTY = "—"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def init(app: Flask) -> None:
    """Gives every template the same filters and facts."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        ago=ago,
        duration=duration,
        field_label=words.label,
        moment=moment,
        number=number,
        file_size=file_size,
        pretty=pretty,
        rule=words.rule,
        said=said,
        value=value,
        group=group_of,
    )
    app.jinja_env.globals.update(
        word=words.word,
        guard_text=words.guard_text,
        guard_facts=guard_facts,
        may=auth.may,
        open_counts=lambda: open_counts(auth.hub()),
        disk_low=lambda: disk.is_low(auth.hub().settings.home),
        restore_waits=lambda: pending_restore(auth.hub()) is not None,
        asset=asset,
        query_with=query_with,
        LANGUAGES=language.LANGUAGES,
    )

    @app.context_processor
    def facts() -> dict[str, Any]:
        return {
            "user": auth.user(),
            "language": language.language(),
            "lang_tag": language.tag(),
        }


def asset(name: str) -> str:
    """The address of a static file; it changes with the product's version."""
    return url_for("static", filename=name, v=VERSION)


def query_with(**changes: Any) -> str:
    """The page's own address with some of its query changed; None takes a part away."""
    kept = {**request.args.to_dict(), **changes}
    given = {key: item for key, item in kept.items() if item not in {None, ""}}
    return url_for(str(request.endpoint), **{**(request.view_args or {}), **given})


def moment(at: datetime | None) -> Markup:
    """A point in time: how long ago, exact on hover; the browser shows it in its own zone."""
    if at is None:
        return Markup(f'<span class="text-secondary">{EMPTY}</span>')  # noqa: S704  a constant
    exact = f"{format_datetime(at, 'medium')} UTC"
    return Markup('<time datetime="{}" title="{}" data-local>{}</time>').format(
        at.astimezone(UTC).isoformat(timespec="seconds"), exact, ago(at)
    )


def ago(at: datetime) -> str:
    """How long ago, in words."""
    seconds = (auth.hub().now() - at).total_seconds()
    if seconds < 0 or seconds >= 7 * _DAY:
        return str(format_datetime(at, "medium"))
    if seconds < 5:
        return str(gettext("just now"))
    return str(gettext("%(time)s ago", time=duration(seconds)))


def duration(seconds: float | None) -> str:
    """A length of time, in its largest unit."""
    if seconds is None:
        return EMPTY
    if seconds < 1:
        return str(gettext("under 1 s"))
    if seconds < _MINUTE:
        return str(gettext("%(n)s s", n=int(seconds)))
    if seconds < _HOUR:
        return str(gettext("%(n)s min", n=int(seconds // _MINUTE)))
    if seconds < 2 * _DAY:
        return str(gettext("%(n)s h", n=int(seconds // _HOUR)))
    return str(gettext("%(n)s days", n=int(seconds // _DAY)))


def pretty(given: Any) -> str:
    """A structure as indented JSON."""
    return json.dumps(given, ensure_ascii=False, indent=2, default=str)


def guard_facts(guard: GuardView) -> dict[str, object]:
    """What the sentence about a guard is made of."""
    names = ", ".join(name for _, name in guard.records)
    return {**guard.facts, "system": guard.system, "name": names}


def number(given: Any) -> str:
    """A number with the digit groups of the language; other values as they are."""
    try:
        exact = Decimal(str(given))
    except InvalidOperation:
        return str(given)
    return str(format_decimal(exact)) if exact.is_finite() else str(given)


def file_size(count: int) -> str:
    """A number of bytes in its largest unit."""
    size, unit = float(count), "B"
    for larger in ("KB", "MB", "GB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{number(round(size, 1 if size < 100 and unit != 'B' else 0))} {unit}"


def value(given: Any, path: str = "") -> Markup:
    """A canonical value for people. Whatever it holds, it is text: nothing of it is markup."""
    if given is None or given in ("", []):
        return Markup(f'<span class="text-secondary">{EMPTY}</span>')  # noqa: S704  a constant
    if isinstance(given, bool):
        return escape(gettext("yes") if given else gettext("no"))
    if isinstance(given, Sequence) and not isinstance(given, str):
        return _listed(given, path)
    if isinstance(given, Mapping):
        return escape(", ".join(f"{key}: {item}" for key, item in given.items()))
    return _text(str(given), path)


def _listed(given: Sequence[Any], path: str) -> Markup:
    if path == "lines":
        return escape(gettext("%(n)s lines", n=len(given)))
    tags = (Markup('<span class="badge tag">{}</span>').format(str(item)) for item in given)
    return Markup(" ").join(tags)


def _text(text: str, path: str) -> Markup:
    known = words.VALUES.get(path, {}).get(text)
    if known:
        return escape(words.pick(known))
    if path.endswith(".country"):
        return escape(_territory(text))
    if path in _MONEY:
        return escape(number(text))
    if path.endswith("_on") or path == "birth_date":
        return escape(_day(text))
    return Markup("<br>").join(text.split("\n"))


def _territory(code: str) -> str:
    name = Locale.parse(language.locale()).territories.get(code)
    return f"{name} ({code})" if name else code


def _day(text: str) -> str:
    try:
        return str(format_date(date.fromisoformat(text), "medium"))
    except ValueError:
        return text


_MONEY = frozenset({"net", "tax", "total", "open", "amount", "credit_limit", "employees"})
