"""A quick look at the numbers, through the database's own driver.

Scripts ask for the status in loops; loading the object mapper for that takes longer than asking.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sync.settings import Settings

_NEVER_MADE = ("no such table", "unable to open database file", "does not exist")
_COUNTS = {
    "conflicts": "SELECT count(*) FROM conflict WHERE state = 'open'",
    "candidates": "SELECT count(*) FROM candidate WHERE state = 'open'",
    "dead_letters": "SELECT count(*) FROM dead_letter WHERE state = 'open'",
    "guards": "SELECT count(*) FROM guard WHERE state = 'open'",
    "inbox": "SELECT count(*) FROM inbox WHERE state = 'waiting'",
    "dirty": "SELECT count(*) FROM dirty",
}
_GOLDEN = "SELECT entity, count(*) FROM golden WHERE state = 'live' GROUP BY entity"
_SYSTEMS = (
    "SELECT id, name, kind, state, settings, calls_read, calls_write, records_written, "
    "state_reason FROM system ORDER BY id"
)
_USAGE = "SELECT key, value FROM hub_state WHERE key LIKE 'budget:%' OR key LIKE 'calls:%'"
_INBOX = (
    "SELECT system_id, count(*), min(received_at) FROM inbox WHERE state = 'waiting' "
    "GROUP BY system_id"
)
_DIRTY = "SELECT system_id, count(*), min(marked_at) FROM dirty GROUP BY system_id"


def glance(settings: Settings) -> Mapping[str, Any] | None:
    """Counts and systems as they are stored; None where the hub has no tables yet."""
    try:
        with _connection(settings) as connection:
            return {
                "open": {name: _one(connection, sql) for name, sql in _COUNTS.items()},
                "golden": dict(_rows(connection, _GOLDEN)),
                "systems": _rows(connection, _SYSTEMS),
                "usage": dict(_rows(connection, _USAGE)),
                "restore": _fact(connection, "restore"),
                "waiting": [*_rows(connection, _INBOX), *_rows(connection, _DIRTY)],
            }
    except Exception as error:
        if any(sign in str(error) for sign in _NEVER_MADE):
            return None
        raise


def fact(value: Any) -> dict[str, Any]:
    """A stored JSON object, in whatever form the driver gives it."""
    return dict(json.loads(value)) if isinstance(value, str) else dict(value)


def moment(value: Any) -> datetime:
    """An aware moment, in whatever form the driver gives it."""
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@contextmanager
def _connection(settings: Settings) -> Iterator[Any]:
    scheme, _, rest = settings.database.partition("://")
    if scheme.startswith("sqlite"):
        address = f"{Path(rest.removeprefix('/')).as_uri()}?mode=rw"
        with closing(sqlite3.connect(address, uri=True, timeout=30)) as connection:
            yield connection
        return
    import psycopg  # noqa: PLC0415  only where PostgreSQL is used

    with psycopg.connect(f"postgresql://{rest}", connect_timeout=5) as connection:
        yield connection


def _rows(connection: Any, sql: str) -> list[tuple[Any, ...]]:
    with closing(connection.cursor()) as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def _fact(connection: Any, key: str) -> dict[str, Any]:
    rows = _rows(connection, f"SELECT value FROM hub_state WHERE key = '{key}'")  # noqa: S608  ours
    return fact(rows[0][0]) if rows else {}


def _one(connection: Any, sql: str) -> int:
    return int(_rows(connection, sql)[0][0])
