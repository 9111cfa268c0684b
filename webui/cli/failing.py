"""Every failure is a sentence: what, where, how to mend it. Only a bug shows a traceback."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from webui.cli.console import Console, Exit
from webui.cli.words import has, text


class CommandError(Exception):
    """A sentence of our own, by its key."""

    def __init__(self, key: str, *, status: Exit = Exit.FAILED, **facts: object) -> None:
        super().__init__(key)
        self.key, self.facts, self.status = key, facts, status


@contextmanager
def told(console: Console) -> Iterator[None]:
    """Turns what is expected to go wrong into a sentence and an exit status."""
    try:
        yield
    except (click.exceptions.Exit, click.Abort, click.UsageError):
        raise
    except KeyboardInterrupt:
        console.note("interrupted")
        raise click.exceptions.Exit(130) from None
    except Exception as error:
        found = sentence(error, console)
        if found is None:
            raise
        status, words = found
        fail(console, words, status)


def fail(console: Console, words: str, status: int = Exit.FAILED) -> None:
    """Says why on stderr (and as JSON on stdout for a script), then ends."""
    if console.as_json:
        console.answer({"error": words})
    click.echo(words, err=True)
    raise click.exceptions.Exit(int(status))


def sentence(error: Exception, console: Console) -> tuple[int, str] | None:
    """The exit status and the words; None for what nobody expected."""
    if isinstance(error, CommandError):
        return error.status, console.word(error.key, **error.facts)
    if isinstance(error, OSError):
        return Exit.FAILED, _of_system(error, console)
    return _refusal(error, console) or _of_database(error, console) or _of_text(error, console)


def _refusal(error: Exception, console: Console) -> tuple[int, str] | None:
    """What the service, a connector or a mapping refuses on purpose."""
    from sync.service import errors  # noqa: PLC0415  slow to load, and only needed here

    if not isinstance(error, errors.REFUSALS):
        return None
    found = errors.explain(error)
    said = {"reason": found.message, "name": "", "id": "", **found.facts}
    facts = {name: _said(value, console) for name, value in said.items()}
    chinese = _chinese(found.code, facts) if console.language == "zh" else ""
    hint = "" if found.hint in found.message else found.hint
    words = chinese or console.translated(f"{found.message} {hint}".strip())
    status = Exit.USAGE if isinstance(error, errors.NotFoundError) else Exit.FAILED
    return status, words


def _said(value: object, console: Console) -> object:
    return console.translated(value) if isinstance(value, str) else value


def _chinese(code: str, facts: Any) -> str:
    """The service's refusals in Chinese: the commands' own words, else those of the screens."""
    from webui.refusals import REFUSALS  # noqa: PLC0415  only needed here

    try:
        if code and has(f"refusal_{code}"):
            return text(f"refusal_{code}", "zh", **dict(facts))
        if code in REFUSALS:
            found = REFUSALS[code]
            return f"{found.zh}{found.zh_hint}".format(**dict(facts))
    except KeyError:
        return ""  # the facts of an unusual refusal; its English sentence is shown
    return ""


def _of_system(error: OSError, console: Console) -> str:
    where = error.filename or ""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return console.word("disk_full", where=where)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return console.word("no_access", where=where)
    if error.errno == errno.ENOENT:
        return console.word("no_file", where=where)
    return console.word("system_error", reason=error.strerror or str(error), where=where)


def _of_database(error: Exception, console: Console) -> tuple[int, str] | None:
    """SQLAlchemy and the drivers wrap what the database says; the words tell the cases apart."""
    module = type(error).__module__.partition(".")[0]
    if module not in {"sqlalchemy", "sqlite3", "psycopg", "redis", "kombu"}:
        return None
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    reason = said[0] if said else type(error).__name__
    if "no such table" in reason or "does not exist" in reason:
        return Exit.FAILED, console.word("not_set_up")
    if _is_full(error):
        return Exit.FAILED, console.word("disk_full", where=_home())
    if "locked" in reason or "busy" in reason:
        return Exit.FAILED, console.word("database_busy")
    if type(error).__name__ in {"OperationalError", "ConnectionError", "TimeoutError"}:
        return Exit.FAILED, console.word("database_away", reason=reason)
    return None


def _is_full(error: Exception) -> bool:
    from sync.service import disk  # noqa: PLC0415
    from webui.cli.opening import effective  # noqa: PLC0415

    return disk.is_full(error, effective().home.absolute())


def _home() -> str:
    """The data folder, and what is left on its disk."""
    from sync.service import disk  # noqa: PLC0415
    from webui.cli.opening import effective  # noqa: PLC0415

    home = effective().home.absolute()
    return f"{home}, {disk.free(home) // 1_000_000} MB"


def _of_text(error: Exception, console: Console) -> tuple[int, str] | None:
    """Settings of the environment, and YAML files, that cannot be read."""
    module = type(error).__module__.partition(".")[0]
    if module == "yaml":
        return Exit.FAILED, console.word("bad_yaml", reason=" ".join(str(error).split()))
    if type(error).__name__ == "ValidationError" and module.startswith("pydantic"):
        first = error.errors()[0]  # type: ignore[attr-defined]
        name = ".".join(str(part) for part in first["loc"])
        title = str(getattr(error, "title", ""))
        shown = f"KEHUB_{name.upper()}" if title == "Settings" else name
        return Exit.USAGE, console.word("bad_setting", name=shown, reason=first["msg"])
    return None
