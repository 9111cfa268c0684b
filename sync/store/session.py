"""The database: engines as measured in stack.md, one transaction per step."""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from connectors.sdk import jsontext

_OLDEST_SQLITE = (3, 35)  # RETURNING


class Tx(Session):
    """One transaction. `after_commit` runs only if the commit stood."""

    def __init__(self, bind: Connection) -> None:
        super().__init__(bind, expire_on_commit=False, autoflush=False)
        self.callbacks: list[Callable[[], None]] = []

    def after_commit(self, call: Callable[..., None], *args: Any) -> None:
        self.callbacks.append(lambda: call(*args))


class Database:
    """Opens transactions. SQLite writers queue on a lock, first inside the process, then outside.

    Plain BEGIN would let a read turn into a write that cannot wait; BEGIN IMMEDIATE under a
    fair lock keeps the worst wait in milliseconds.
    """

    def __init__(self, url: str, *, full_sync: bool = False, pool_size: int = 12) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._full_sync = full_sync
        self._lock = threading.Lock()
        self._lock_file = self._open_lock_file()
        self.engine = self._engine(pool_size)

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that may change things; committed at the end, rolled back on an error."""
        with (
            self._writer(),
            self.engine.connect() as connection,
            connection.begin(),
            Tx(connection) as tx,
        ):
            yield tx
            tx.flush()
            callbacks = tx.callbacks
        for call in callbacks:
            call()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent view; never waits for a writer on SQLite."""
        with self.engine.connect() as connection:
            readonly = connection.execution_options(kehub_readonly=True)
            with readonly.begin() as begun, Session(readonly, autoflush=False) as session:
                yield session
                begun.rollback()

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """No other writer of the hub meanwhile (SQLite)."""
        with self._writer():
            yield

    def scrub(self) -> None:
        """What was erased goes from the write-ahead log, too (SQLite); readers may delay it."""
        if self.is_sqlite:
            with self._writer(), self.engine.connect() as connection:
                raw: Any = connection.connection.driver_connection
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """The end of a database that is used for a while only."""
        self.engine.dispose()
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def dispose(self) -> None:
        """Closes pooled connections; after a fork, before the child opens its own."""
        self.engine.dispose(close=False)

    @contextmanager
    def _writer(self) -> Iterator[None]:
        if not self.is_sqlite:
            yield
            return
        with self._lock:
            if self._lock_file is None:
                yield
                return
            fcntl.flock(self._lock_file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    def _open_lock_file(self) -> int | None:
        if not self.is_sqlite or self.url.database in {None, "", ":memory:"}:
            return None
        path = Path(str(self.url.database)).with_name("write.lock")
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _engine(self, pool_size: int) -> Engine:
        options: dict[str, Any] = {
            "json_serializer": jsontext.dumps,
            "json_deserializer": jsontext.loads,
        }
        if not self.is_sqlite:
            engine = create_engine(
                self.url,
                pool_size=pool_size,
                pool_pre_ping=True,
                pool_recycle=1800,
                **options,
                connect_args={
                    "options": "-c statement_timeout=30000"
                    " -c idle_in_transaction_session_timeout=60000"
                },
            )
        else:
            engine = create_engine(
                self.url,
                pool_size=pool_size,
                max_overflow=20,
                connect_args={"check_same_thread": False},
                **options,
            )
            event.listen(engine, "connect", self._set_up_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _set_up_sqlite(self, connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={'FULL' if self._full_sync else 'NORMAL'}",
            "busy_timeout=30000",
            "wal_autocheckpoint=8000",  # pages, 32 MB: fewer commits wait for the disk
            "journal_size_limit=67108864",  # bytes: what a load made of the log is given back
            "foreign_keys=ON",
            "secure_delete=FAST",  # erased values do not linger in pages that are written anyway
        ):
            connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    readonly = connection.get_execution_options().get("kehub_readonly")
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")


def sqlite_is_too_old() -> bool:
    """Whether the SQLite that Python was built with lacks what the hub needs."""
    import sqlite3  # noqa: PLC0415  only asked at start

    return sqlite3.sqlite_version_info[:2] < _OLDEST_SQLITE
