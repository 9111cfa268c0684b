"""The imported rows: one SQLite file that only imports write and only the connector reads."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_TABLE = """
CREATE TABLE IF NOT EXISTS row (
  object TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, changed_at TEXT NOT NULL,
  data TEXT NOT NULL, PRIMARY KEY (object, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS row_seq ON row (object, seq);
"""
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Row:
    """One imported record; `seq` grows with every change of any row."""

    id: str
    seq: int
    changed_at: datetime
    data: Mapping[str, Any]


class Rows:
    """Opens the file for each use: imports and polls happen in different processes."""

    def __init__(self, path: Path, chunk: int = CHUNK) -> None:
        self.path, self._chunk = path, chunk

    def put(self, object_name: str, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> int:
        """Keeps rows (id, data); returns how many are new or differ from what was kept."""
        changed = 0
        with self._open(write=True) as connection:
            last = connection.execute("SELECT coalesce(max(seq), 0) FROM row").fetchone()[0]
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            for row_id, data in rows:
                text = json.dumps(data, ensure_ascii=False, sort_keys=True)
                cursor = connection.execute(
                    "INSERT INTO row VALUES (?, ?, ?, ?, ?) ON CONFLICT (object, id) DO UPDATE "
                    "SET seq = excluded.seq, changed_at = excluded.changed_at, "
                    "data = excluded.data WHERE data <> excluded.data",
                    (object_name, row_id, last + changed + 1, now, text),
                )
                changed += cursor.rowcount
        return changed

    def after(self, object_name: str, seq: int) -> Iterator[list[Row]]:
        """Rows changed behind `seq`, oldest first, in chunks."""
        while True:
            with self._open() as connection:
                found = connection.execute(
                    "SELECT id, seq, changed_at, data FROM row WHERE object = ? AND seq > ? "
                    "ORDER BY seq LIMIT ?",
                    (object_name, seq, self._chunk),
                ).fetchall()
            if not found:
                return
            rows = [_row(*each) for each in found]
            yield rows
            seq = rows[-1].seq

    def get(self, object_name: str, ids: Sequence[str]) -> dict[str, Row]:
        """Rows by id; ids that were never imported are missing."""
        found: dict[str, Row] = {}
        with self._open() as connection:
            for start in range(0, len(ids), CHUNK):
                part = ids[start : start + CHUNK]
                marks = ", ".join("?" * len(part))
                query = (
                    "SELECT id, seq, changed_at, data FROM row WHERE object = ? "  # noqa: S608
                    f"AND id IN ({marks})"
                )
                for each in connection.execute(query, (object_name, *part)):
                    found[each[0]] = _row(*each)
        return found

    def erase(self, object_name: str, ids: Sequence[str]) -> None:
        """Forgets rows; what they held is overwritten in the file."""
        with self._open() as connection:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute(  # numbers are never used twice, whatever goes
                "INSERT OR REPLACE INTO row SELECT '', 'last', coalesce(max(seq), 0), '', '{}' "
                "FROM row"
            )
            connection.executemany(
                "DELETE FROM row WHERE object = ? AND id = ?", [(object_name, i) for i in ids]
            )
            connection.commit()

    def copy_to(self, path: Path) -> "Rows":
        """A copy to try things on."""
        target = Rows(path)
        with self._open() as source, target._open(write=True) as other:
            source.backup(other)
        return target

    @contextmanager
    def _open(self, *, write: bool = False) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(sqlite3.connect(self.path, timeout=30)) as connection:
            connection.executescript(_TABLE)
            yield connection
            if write:
                connection.commit()


def _row(row_id: str, seq: int, changed_at: str, data: str) -> Row:
    return Row(row_id, seq, datetime.fromisoformat(changed_at), json.loads(data))
