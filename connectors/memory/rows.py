"""Where the records of a world are kept: SQLite, in memory or in a file that survives a kill."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

_TABLES = """
create table if not exists record (
    seq integer primary key autoincrement, object text not null, id text not null,
    body text not null, version integer not null, created real not null, modified real not null,
    seen real not null, hub_key text, deleted integer not null default 0, merged_into text,
    unique (object, id));
create index if not exists record_modified on record (object, modified, seq);
create index if not exists record_key on record (object, hub_key);
create table if not exists setting (name text primary key, value text not null);
create table if not exists outbox (seq integer primary key autoincrement, value text not null);
create table if not exists tally (name text primary key, count integer not null);
"""
_COLUMNS = "seq, object, id, body, version, created, modified, seen, deleted, merged_into"


@dataclass(frozen=True, slots=True)
class Row:
    """One stored record. `seen` is the true time from which searches may find it."""

    seq: int
    object_name: str
    id: str
    body: Mapping[str, Any]
    version: int
    created: float
    modified: float
    seen: float
    deleted: bool = False
    merged_into: str | None = None


class Rows:
    """One transaction per operation, safe for threads and, with a file, for processes."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False, timeout=30
        )
        if path:
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = off")  # a killed process loses nothing
        self._db.executescript(_TABLES)
        self._db.execute("insert or ignore into tally values ('number', 1000)")

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; may be nested."""
        with self._lock:
            if self._depth:
                yield
                return
            self._db.execute("begin immediate")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._db.execute("rollback")
                raise
            else:
                self._db.execute("commit")
            finally:
                self._depth -= 1

    def get(self, object_name: str, record_id: str) -> Row | None:
        found = self._rows("where object = ? and id = ?", object_name, record_id)
        return found[0] if found else None

    def many(self, object_name: str, ids: Sequence[str]) -> list[Row]:
        return [row for row in (self.get(object_name, i) for i in ids) if row]

    def by_key(self, object_name: str, key: str, *, seen_by: float) -> list[Row]:
        where = "where object = ? and hub_key = ? and not deleted and seen <= ? order by seq"
        return self._rows(where, object_name, key, seen_by)

    def after(
        self, object_name: str, since: tuple[float, int], limit: int, *, deleted: bool
    ) -> list[Row]:
        """The next records behind (modified, seq), oldest first."""
        where = "where object = ? and (modified, seq) > (?, ?) and deleted <= ?"
        tail = "order by modified, seq limit ?"
        return self._rows(f"{where} {tail}", object_name, *since, int(deleted), limit)

    def all(self, object_name: str, *, deleted: bool = False) -> list[Row]:
        return self._rows(
            "where object = ? and deleted <= ? order by seq", object_name, int(deleted)
        )

    def referring(self, object_name: str, field: str, record_id: str) -> list[Row]:
        where = "where object = ? and not deleted and json_extract(body, ?) = ? order by seq"
        return self._rows(where, object_name, f"$.{field}", record_id)

    def next_number(self) -> int:
        """A number that was never given before, also not to a record deleted since."""
        return self.tally("number")

    def take_number(self, number: int) -> None:
        """Numbers up to this one are not given any more."""
        self.tally("number", max(0, number - self.tally("number", 0)))

    def put(self, row: Row) -> Row:
        """Stores a row; one with seq 0 is new and gets its place in the order."""
        body = json.dumps(row.body, ensure_ascii=False)
        values: list[Any] = [row.object_name, row.id, body, row.version]
        values += [row.created, row.modified]
        values += [row.seen, int(row.deleted), row.merged_into, row.body.get("hub_key")]
        with self._lock:
            place = self._db.execute(
                "insert into record (object, id, body, version, created, modified, seen, deleted,"
                " merged_into, hub_key) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " on conflict (object, id) do update set body = excluded.body,"
                " version = excluded.version, modified = excluded.modified,"
                " deleted = excluded.deleted, merged_into = excluded.merged_into,"
                " hub_key = excluded.hub_key returning seq",
                values,
            ).fetchone()
        return replace(row, seq=place[0])

    def setting(self, name: str) -> Any:
        with self._lock:
            row = self._db.execute("select value from setting where name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def set(self, name: str, value: Any) -> None:
        with self._lock:
            self._db.execute("replace into setting values (?, ?)", (name, json.dumps(value)))

    def post(self, letter: Mapping[str, Any]) -> None:
        with self._lock:
            self._db.execute("insert into outbox (value) values (?)", (json.dumps(letter),))

    def take_post(self) -> list[dict[str, Any]]:
        """Every letter not yet taken, oldest first."""
        with self.transaction():
            found = self._db.execute("select value from outbox order by seq").fetchall()
            self._db.execute("delete from outbox")
        return [json.loads(value) for (value,) in found]

    def tally(self, name: str, step: int = 1) -> int:
        """Adds to a counter and gives its new value."""
        with self._lock:
            row = self._db.execute(
                "insert into tally values (?, ?)"
                " on conflict (name) do update set count = count + excluded.count returning count",
                (name, step),
            ).fetchone()
        return int(row[0])

    def _rows(self, where: str, *values: Any) -> list[Row]:
        with self._lock:
            found = self._db.execute(f"select {_COLUMNS} from record {where}", values)  # noqa: S608  no input in it
            return [
                Row(seq, obj, rid, json.loads(body), ver, made, mod, seen, bool(gone), winner)
                for seq, obj, rid, body, ver, made, mod, seen, gone, winner in found
            ]
