"""Rows of all objects: a JSON document each, with columns for what queries look up."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from typing import Any

Row = dict[str, Any]

# Field names that have a column of their own, and so an index.
COLUMNS = {
    "_id": "id",
    "create_time": "created",
    "last_modified_time": "modified",
    "life_status": "status",
    "owner": "owner",
    "name": "name",
    "kehub_key__c": "hub_key",
    "tel": "tel",
    "mobile": "mobile",
    "email": "email",
    "account_id": "account_id",
    "order_id": "order_id",
    "payment_id": "payment_id",
    "customer_no__c": "number",
}
_ORDER = ("object", *COLUMNS.values(), "data")
_INSERT = f"INSERT INTO record ({', '.join(_ORDER)}) VALUES ({', '.join('?' * len(_ORDER))})"
_UPDATE = f"UPDATE record SET {', '.join(f'{c}=?' for c in _ORDER[2:])} WHERE object=? AND id=?"


def is_empty(value: Any) -> bool:
    return value is None or value in ("", []) or value == {}


class Ids:
    """24 hex digits that only grow: seconds in front, a running number behind."""

    def __init__(self, last: str | None) -> None:
        self._lock = threading.Lock()
        self._last = int(last, 16) if last else 0

    def take(self, now_ms: int) -> str:
        with self._lock:
            self._last = max(self._last + 1, (now_ms // 1000) << 64)
            return f"{self._last:024x}"


def _values(object_name: str, row: Row) -> tuple[Any, ...]:
    columns = []
    for field in COLUMNS:
        value = row.get(field)
        if isinstance(value, list):
            value = value[0] if value else None
        columns.append(value)
    return (object_name, *columns, json.dumps(row, ensure_ascii=False))


def insert(connection: sqlite3.Connection, object_name: str, row: Row) -> None:
    connection.execute(_INSERT, _values(object_name, row))


def insert_many(connection: sqlite3.Connection, object_name: str, rows: Iterable[Row]) -> None:
    connection.executemany(_INSERT, (_values(object_name, row) for row in rows))


def store(connection: sqlite3.Connection, object_name: str, row: Row) -> None:
    values = _values(object_name, row)
    connection.execute(_UPDATE, (*values[2:], object_name, row["_id"]))


def remove(connection: sqlite3.Connection, object_name: str, record_id: str) -> None:
    connection.execute("DELETE FROM record WHERE object=? AND id=?", (object_name, record_id))


def get(connection: sqlite3.Connection, object_name: str, record_id: Any) -> Row | None:
    if not isinstance(record_id, str):
        return None
    found = connection.execute(
        "SELECT data FROM record WHERE object=? AND id=?", (object_name, record_id)
    ).fetchone()
    return None if found is None else json.loads(found[0])


def exists(connection: sqlite3.Connection, object_name: str, record_id: str) -> bool:
    return (
        connection.execute(
            "SELECT 1 FROM record WHERE object=? AND id=?", (object_name, record_id)
        ).fetchone()
        is not None
    )


def field_expression(field: str) -> str:
    """SQL for a field's value: its column, or a look into the JSON document."""
    if field in COLUMNS:
        return COLUMNS[field]
    quoted = field.replace("'", "''").replace('"', "")
    return f"json_extract(data, '$.\"{quoted}\"')"


def where_field(
    connection: sqlite3.Connection, object_name: str, field: str, value: str
) -> list[Row]:
    """Rows that hold the value in that (single-valued) field, by id."""
    rows = connection.execute(
        f"SELECT data FROM record WHERE object=? AND {field_expression(field)}=? ORDER BY id",
        (object_name, value),
    )
    return [json.loads(data) for (data,) in rows]


def names_of(
    connection: sqlite3.Connection, object_name: str, ids: Iterable[str]
) -> dict[str, str]:
    wanted = list(ids)
    marks = ",".join("?" * len(wanted))
    rows = connection.execute(
        f"SELECT id, name FROM record WHERE object=? AND id IN ({marks})",
        (object_name, *wanted),
    )
    return dict(rows.fetchall())


def each(connection: sqlite3.Connection, object_name: str) -> Iterator[Row]:
    rows = connection.execute("SELECT data FROM record WHERE object=? ORDER BY id", (object_name,))
    for (data,) in rows:
        yield json.loads(data)


def count(connection: sqlite3.Connection, object_name: str) -> int:
    return connection.execute(
        "SELECT count(*) FROM record WHERE object=?", (object_name,)
    ).fetchone()[0]


def last_id(connection: sqlite3.Connection) -> str | None:
    # Seeds may bring ids of their own; only those of the usual form take part in the order.
    found = connection.execute(
        "SELECT max(id) FROM record WHERE length(id)=24 AND id NOT GLOB '*[^0-9a-f]*'"
    ).fetchone()
    return found[0]
