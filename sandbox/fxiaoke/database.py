"""The SQLite file: one writer at a time, readers that never wait, safe against kill -9 (WAL)."""

import contextlib
import json
import queue
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS describe (
    api_name TEXT PRIMARY KEY, position INTEGER NOT NULL, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS token (token TEXT PRIMARY KEY, issued INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS pending (
    object TEXT NOT NULL, id TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (object, id));
CREATE TABLE IF NOT EXISTS record (
    object TEXT NOT NULL, id TEXT NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL,
    status TEXT NOT NULL, owner TEXT, name TEXT, hub_key TEXT, tel TEXT, mobile TEXT, email TEXT,
    account_id TEXT, order_id TEXT, payment_id TEXT, number TEXT, data TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS record_by_id ON record (object, id);
CREATE INDEX IF NOT EXISTS record_by_time ON record (object, modified, id);
CREATE INDEX IF NOT EXISTS record_by_name ON record (object, name);
CREATE INDEX IF NOT EXISTS record_by_hub_key ON record (object, hub_key) WHERE hub_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS record_by_tel ON record (object, tel) WHERE tel IS NOT NULL;
CREATE INDEX IF NOT EXISTS record_by_mobile ON record (object, mobile) WHERE mobile IS NOT NULL;
CREATE INDEX IF NOT EXISTS record_by_email ON record (object, email) WHERE email IS NOT NULL;
CREATE INDEX IF NOT EXISTS record_by_account ON record (object, account_id)
    WHERE account_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS record_by_order ON record (object, order_id) WHERE order_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS record_by_payment ON record (object, payment_id)
    WHERE payment_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS record_by_number ON record (object, number) WHERE number IS NOT NULL;
"""


class Database:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._write_lock = threading.RLock()
        self._idle: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._writer = self._open()
        self._writer.executescript(SCHEMA)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=30, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode=WAL")
        # In WAL mode NORMAL survives a killed process; only a power cut may lose the last commits.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA cache_size=-16000")
        return connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = self._open()
        try:
            yield connection
        finally:
            self._idle.put(connection)

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing."""
        with self._write_lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    def close(self) -> None:
        with self._write_lock:
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._writer.close()
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def meta(self, key: str, default: Any = None) -> Any:
        with self.reading() as connection:
            row = connection.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        return default if row is None else json.loads(row[0])

    def set_meta(self, key: str, value: Any) -> None:
        with self.writing() as connection:
            write_meta(connection, key, value)


def write_meta(connection: sqlite3.Connection, key: str, value: Any) -> None:
    connection.execute(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value=excluded.value",
        (key, json.dumps(value, ensure_ascii=False)),
    )
