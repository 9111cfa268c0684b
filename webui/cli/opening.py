"""The hub that a command works on, whether it runs or not."""

import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from sync.settings import Settings
from webui.cli.console import Console
from webui.cli.failing import CommandError
from webui.cli.words import Language

if TYPE_CHECKING:
    from sync.service.hub import Hub

ACTOR = "cli"
OLDEST_SQLITE = (3, 35)


@dataclass
class Here:
    """Settings of this call; the hub itself is opened when a command needs it."""

    console: Console
    _settings: Settings | None = field(default=None)
    _hub: "Hub | None" = field(default=None)

    @property
    def settings(self) -> Settings:
        if self._settings is None:
            self._settings = effective()
        return self._settings

    @property
    def hub(self) -> "Hub":
        """The hub, opened. CommandError where it was never set up."""
        if self._hub is None:
            self._hub = open_hub(self.settings)
        return self._hub

    @property
    def has_workers(self) -> bool:
        """Whether processes of the hub do the work; without any, this command does."""
        return bool(self.settings.redis_url)


def effective() -> Settings:
    """The settings, with the broker and the port of the hub that runs on this data folder."""
    from sync.service.status import running  # noqa: PLC0415

    own = Settings()
    facts = running(own.home)
    if facts is None:
        return own
    found: dict[str, Any] = {"port": int(facts.get("port") or own.port)}
    if own.redis_url is None:
        found["redis_url"] = facts.get("redis_url")
    return own.model_copy(update=found)


def open_hub(settings: Settings, *, prepared: bool = True) -> "Hub":
    """Opens the hub of these settings; with `prepared`, only one that was set up."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise CommandError("old_sqlite", version=sqlite3.sqlite_version)
    if prepared and not is_set_up(settings):
        raise CommandError("not_set_up")
    from sync.service import hub as service  # noqa: PLC0415  loads the engine

    return service.open_hub(settings)


def is_set_up(settings: Settings) -> bool:
    """Whether the hub has its tables."""
    from sync.service.status import has_tables  # noqa: PLC0415

    return has_tables(settings)


def language() -> Language:
    """KEHUB_LANG (also from `.env`) first, then the terminal's language."""
    names = ("KEHUB_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    given = {name: os.environ[name] for name in names if os.environ.get(name)}
    if "KEHUB_LANG" not in given:
        with suppress(ValueError):  # what is wrong is said when the settings are used
            own = Settings()
            if "lang" in own.model_fields_set:
                return own.lang
    chosen = next(iter(given.values()), "")
    return "zh" if chosen.lower().startswith("zh") else "en"


pass_here = click.make_pass_decorator(Here)
