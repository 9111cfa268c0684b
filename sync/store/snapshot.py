"""A consistent copy of the whole database, taken while others write, and how to put it back."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, create_engine, inspect, select, text
from sqlalchemy.engine import URL

from sync.store.session import Database
from sync.store.tables import Base

SQLITE, POSTGRESQL = "kehub.db", "kehub.pgdump"
_ROWS = 1000
_MODULUS = 1 << 256
_SCRATCH = "kehub_verify_"
_LOCK = text("SELECT pg_try_advisory_lock(hashtext(:name))")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtext(:name))")


class SnapshotError(Exception):
    """A copy that cannot be taken or put back; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a table holds: so many rows, and a sum of their hashes that knows no order."""

    rows: int
    digest: str


def file_name(database: Database) -> str:
    """What the copy is called inside a backup."""
    return SQLITE if database.is_sqlite else POSTGRESQL


def take(database: Database, target: Path, tools: Path | None) -> dict[str, Contents]:
    """Copies the database into a file; returns what was in it at that moment."""
    if database.is_sqlite:
        _copy_sqlite(Path(str(database.url.database)), target)
        return contents_of_file(target)
    with database.engine.connect() as connection:
        held = connection.execution_options(isolation_level="REPEATABLE READ")
        with held.begin():
            held.execute(text("SET LOCAL statement_timeout = 0"))
            held.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            snapshot = held.scalar(text("SELECT pg_export_snapshot()"))
            _run(
                database.url,
                [_tool("pg_dump", tools), "--format=custom", "--no-owner", "--no-privileges"],
                [f"--snapshot={snapshot}", f"--file={target}"],
            )
            return _contents(held)


def contents_of_file(path: Path) -> dict[str, Contents]:
    """What a copied SQLite file holds."""
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
            if found != "ok":
                raise SnapshotError(f"The copy is damaged: {found}.")
            return _contents(connection)
    finally:
        engine.dispose()


@contextmanager
def scratch(database: Database, copy: Path, tools: Path | None) -> Iterator[dict[str, Contents]]:
    """What a copy holds after it was restored into a scratch database of the same kind."""
    if database.is_sqlite:
        yield contents_of_file(copy)
        return
    name = f"{_SCRATCH}{uuid4().hex[:12]}"
    admin = create_engine(database.url, isolation_level="AUTOCOMMIT")
    url = database.url.set(database=name)
    engine = create_engine(url)
    try:
        with admin.connect() as held:  # its lock tells that somebody works with the database
            _drop_left(held)
            held.execute(_LOCK, {"name": name})
            held.exec_driver_sql(f"CREATE DATABASE {name}")
            try:
                _pg_restore(url, copy, tools)
                with engine.connect() as connection:
                    yield _contents(connection)
            finally:
                engine.dispose()
                held.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        admin.dispose()


def _drop_left(held: Connection) -> None:
    """Drops scratch databases of processes that were killed: nobody holds their lock."""
    names = held.execute(
        text("SELECT datname FROM pg_database WHERE starts_with(datname, :start)"),
        {"start": _SCRATCH},
    )
    for name in names.scalars().all():
        if held.scalar(_LOCK, {"name": name}):
            held.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            held.execute(_UNLOCK, {"name": name})


def put_back(database: Database, copy: Path, tools: Path | None) -> None:
    """Replaces everything in the database with the copy, in one transaction."""
    if not database.is_sqlite:
        _pg_restore(database.url, copy, tools)
        return
    database.engine.dispose()
    with database.exclusively():
        _copy_sqlite(copy, Path(str(database.url.database)))


def _copy_sqlite(source: Path, target: Path) -> None:
    target.touch(mode=0o600)
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)


def _contents(connection: Connection) -> dict[str, Contents]:
    there = set(inspect(connection).get_table_names())
    found: dict[str, Contents] = {}
    for table in Base.metadata.sorted_tables:
        if table.name not in there:
            continue
        rows, total = 0, 0
        result = connection.execute(
            select(table).execution_options(yield_per=_ROWS, stream_results=True)
        )
        for row in result.mappings():
            line = json.dumps(dict(row), sort_keys=True, ensure_ascii=False, default=_plain)
            digest = hashlib.sha256(line.encode()).digest()
            total = (total + int.from_bytes(digest)) % _MODULUS
            rows += 1
        found[table.name] = Contents(rows, f"{total:064x}")
    return found


def _plain(value: Any) -> str:
    return value.hex() if isinstance(value, bytes | memoryview) else str(value)


def _pg_restore(url: URL, copy: Path, tools: Path | None) -> None:
    options = ["--clean", "--if-exists", "--no-owner", "--no-privileges", "--exit-on-error"]
    _run(url, [_tool("pg_restore", tools), *options, "--single-transaction"], [str(copy)])


def _tool(name: str, folder: Path | None) -> str:
    found = shutil.which(name, path=str(folder) if folder else None)
    if found is None:
        raise SnapshotError(
            f"{name} is not installed here: install the PostgreSQL client programs of the server's "
            "version (Debian: postgresql-client), or name their folder in KEHUB_PG_BIN."
        )
    return found


def _run(url: URL, command: list[str], last: list[str]) -> None:
    """Runs a client program; the password travels in its environment, not in its arguments."""
    options: Mapping[str, Any] = {**url.query}
    environment = {**os.environ}
    if url.password:
        environment["PGPASSWORD"] = str(url.password)
    address = url.set(drivername="postgresql", password=None, query=options)
    done = subprocess.run(  # noqa: S603  a fixed program with our own arguments
        [*command, f"--dbname={address.render_as_string(hide_password=False)}", *last],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SnapshotError(f"{Path(command[0]).name} failed: {done.stderr.strip()[-500:]}")
