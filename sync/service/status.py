"""The hub in numbers: the object that scripts read. Loads little, so that it answers fast."""

import http.client
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sync.core import usage
from sync.settings import Settings
from sync.store.glance import fact, glance, moment

PROBE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """One system: lag in seconds, rows that wait, calls made so far."""

    name: str
    kind: str
    state: str
    url: str
    lag_seconds: float
    waiting: int
    calls: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Budget:
    """A daily call budget, and when it is used up at the present pace (None: it lasts)."""

    system: str
    used: int
    calls: int
    used_up_at: datetime | None


@dataclass(frozen=True, slots=True)
class Status:
    """What `kehub status --json` prints; scripts rely on the names."""

    ready: bool
    url: str
    systems: tuple[SystemStatus, ...]
    customers: int
    contacts: int
    open: Mapping[str, int]
    writes: int
    restore: Mapping[str, Any] | None = None  # a restore that waits for its approval
    budgets: tuple[Budget, ...] = ()  # for people; scripts ask `kehub quota --json`

    def as_json(self) -> dict[str, Any]:
        """The names that scripts rely on; `restore` only while one waits."""
        found = {**asdict(self), "systems": [asdict(system) for system in self.systems]}
        del found["budgets"]
        if self.restore is None:
            del found["restore"]
        return found


def status(settings: Settings, *, is_answering: bool | None = None) -> Status:
    """How the hub is; `ready` once its web UI answers (a demo: once its systems agree).

    A hub that was never set up is not ready and has nothing. `is_answering` is what the web UI
    knows of itself; others try.
    """
    found = glance(settings)
    url = base_url(settings)
    if found is None:
        names = ("conflicts", "candidates", "dead_letters", "guards", "inbox", "dirty")
        return Status(False, url, (), 0, 0, dict.fromkeys(names, 0), 0)
    waiting: dict[int, int] = {}
    oldest: dict[int, datetime] = {}
    for system_id, count, since in found["waiting"]:
        waiting[system_id] = waiting.get(system_id, 0) + count
        oldest[system_id] = min(oldest.get(system_id, moment(since)), moment(since))
    now = datetime.now(UTC)
    rows = found["systems"]
    systems = tuple(_system(row, waiting.get(row[0], 0), oldest.get(row[0]), now) for row in rows)
    return Status(
        ready=_is_set_up(settings.home)
        and (answers(url) if is_answering is None else is_answering),
        url=url,
        systems=systems,
        customers=found["golden"].get("customer", 0),
        contacts=found["golden"].get("contact", 0),
        open=found["open"],
        writes=sum(row[7] for row in rows),
        restore=_restore(found["restore"]),
        budgets=_budgets(settings, found, now),
    )


def has_tables(settings: Settings) -> bool:
    """Whether this hub was set up."""
    return glance(settings) is not None


def running(home: Path) -> Mapping[str, Any] | None:
    """What the supervisor of this data folder wrote down, while it lives."""
    try:
        facts = json.loads((home / "run.json").read_text(encoding="utf-8"))
        os.kill(int(facts["supervisor"]), 0)
    except PermissionError:
        return facts if isinstance(facts, dict) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return dict(facts)


def base_url(settings: Settings) -> str:
    """Where the web UI of this hub answers, also when another port was given at its start."""
    facts = running(settings.home)
    if settings.public_url or facts is None:
        return settings.base_url
    return str(facts.get("url") or settings.base_url)


def answers(url: str) -> bool:
    """Whether the web UI answers."""
    parts = urlsplit(url)
    if not parts.hostname:
        return False
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", f"{parts.path}/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def address(settings: Mapping[str, Any]) -> str:
    """The address of a system, from its plain settings."""
    for name in ("base_url", "url", "api_url", "accounts_url"):
        if settings.get(name):
            return str(settings[name])
    return ""


def _system(
    row: tuple[Any, ...], waiting: int, oldest: datetime | None, now: datetime
) -> SystemStatus:
    _id, name, kind, state, stored, reads, writes, _records, _reason = row
    settings = json.loads(stored) if isinstance(stored, str) else dict(stored or {})
    lag = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
    calls = {"read": int(reads), "write": int(writes)}
    return SystemStatus(name, kind, state, address(settings), round(lag, 3), waiting, calls)


def _budgets(settings: Settings, found: Mapping[str, Any], now: datetime) -> tuple[Budget, ...]:
    start = usage.day_start(now, settings.quota_utc_offset)
    budgets = []
    for row in found["systems"]:
        calls = fact(found["usage"].get(f"budget:{row[0]}", {})).get("calls")
        if calls is None:
            continue
        kept = fact(found["usage"].get(f"calls:{row[0]}", {})).get("samples", ())
        samples = [(moment(at), int(count)) for at, count in kept]
        ahead = usage.forecast(samples, now, row[5] + row[6], budget=calls, start=start)
        budgets.append(Budget(row[1], ahead.used, calls, ahead.used_up_at))
    return tuple(budgets)


def _restore(noted: Mapping[str, Any]) -> dict[str, Any] | None:
    if not noted or noted.get("approved_at"):
        return None
    return {name: noted[name] for name in ("epoch", "backup_of", "restored_at")}


def _is_set_up(home: Path) -> bool:
    """A demo is ready when its systems agree, not when its web UI answers."""
    try:
        facts = json.loads((home / "demo.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True
    return bool(facts.get("ready", True))
