"""A database full of customers, filled in whole sets: what lists and look-ups are measured on."""

import itertools
import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import Index, select

from sync.core.blocking import FAMILIES
from sync.store.session import Database
from sync.store.tables import Base, Golden, MatchKey

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SET = 5_000
STAGES = ("lead", "prospect", "active", "former")
COLUMNS = ("id", "entity", "state", "values", "provenance", "version", "name", "stage", "search",
           "created_at", "updated_at")  # fmt: skip
PATHS = {
    "name": "name",
    "legal_name": "legal_name",
    "given_name": "given_name",
    "family_name": "family_name",
    "org_name": "organisation",
    "email": "emails[work]",
    "phone": "phones[work]",
    "mobile": "phones[mobile]",
    "street": "addresses[billing].street",
    "city": "addresses[billing].city",
    "region": "addresses[billing].region",
    "postcode": "addresses[billing].postcode",
    "country": "addresses[billing].country",
    "tax_id": "identifiers[]",
    "birth_date": "birth_date",
    "website": "website",
    "source": "source",
}


def values_of(row):
    """A row of a file of customers as a golden record holds it; nothing is cleaned."""
    values = {"kind": row.get("kind") or "company"}
    values |= {path: row[column] for column, path in PATHS.items() if row.get(column)}
    if "name" not in values:
        values["name"] = f"{row.get('given_name', '')} {row.get('family_name', '')}".strip()
    return values


def golden_id(number):
    return f"{number:026d}"


def golden_rows(numbered):
    """Rows of the table for (number, values)."""
    from sync.store.goldens import describe  # noqa: PLC0415 - after the settings of the run

    for number, values in numbered:
        stage = STAGES[number % 7 % 4]
        golden = Golden(entity="customer", values={**values, "stage": stage})
        describe(golden, NOW)
        told = {"system": "erp", "object": "accounts", "remote_id": str(number), "rule": "latest"}
        provenance = {path: {**told, "at": NOW.isoformat(), "by": ""} for path in golden.values}
        yield (
            golden_id(number), "customer", "live", _json(golden.values), _json(provenance), 1,
            golden.name, golden.stage, golden.search, NOW, NOW - timedelta(seconds=number),
        )  # fmt: skip


def _json(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def key_rows(parts):
    """Rows of the key table in the order of the keys, from arrays (keys, numbers, families)."""
    keys, numbers, families = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(keys, kind="stable")
    for start in range(0, len(order), SET):
        some = order[start : start + SET]
        columns = (keys[some].tolist(), numbers[some].tolist(), families[some].tolist())
        for key, number, family in zip(*columns, strict=True):
            yield key, golden_id(number), FAMILIES[family]


def make(url):
    """An empty database of the hub at the address."""
    database = Database(url)
    Base.metadata.create_all(database.engine)
    return database


def is_empty(database):
    with database.engine.connect() as connection:
        return connection.execute(select(Golden.id).limit(1)).first() is None


def fill(database, goldens, keys=()):
    """Puts everything in, its indexes afterwards, and has the database look at what it holds."""
    indexes = [
        index
        for table in (Golden.__table__, MatchKey.__table__)
        for index in table.indexes
        if isinstance(index, Index)
    ]
    for index in indexes:
        index.drop(database.engine)
    put = _put_sqlite if database.is_sqlite else _put_postgresql
    put(database, "golden", COLUMNS, goldens)
    put(database, "match_key", ("key", "golden_id", "family"), keys)
    for index in indexes:
        index.create(database.engine)
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("ANALYZE" if database.is_sqlite else "VACUUM ANALYZE")


def _put_sqlite(database, table, columns, rows):
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join("?" for _ in columns)
    statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"
    with _raw(database) as raw:
        raw.execute("BEGIN")
        raw.execute("PRAGMA defer_foreign_keys=ON")
        while some := [_plain(row) for row in itertools.islice(rows, SET)]:
            raw.executemany(statement, some)
        raw.execute("COMMIT")


def _plain(row):
    return tuple(str(v.replace(tzinfo=None)) if isinstance(v, datetime) else v for v in row)


def _put_postgresql(database, table, columns, rows):
    names = ", ".join(f'"{column}"' for column in columns)
    with _raw(database) as raw:
        raw.execute("SET statement_timeout = 0")
        with raw.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        raw.commit()


@contextmanager
def _raw(database):
    connection = database.engine.raw_connection()
    try:
        yield connection.driver_connection
    finally:
        connection.close()


@contextmanager
def databases(folder, names, url=None):
    """(name, address) of empty databases: SQLite in the folder, PostgreSQL given or thrown away."""
    found = []
    cluster = None
    if "sqlite" in names:
        found.append(("sqlite", f"sqlite:///{folder / 'hub.sqlite'}"))
    if "postgresql" in names:
        if url is None:
            from tests.infra.postgres import Cluster  # noqa: PLC0415 - only where it is asked for

            cluster = Cluster()
            url = cluster.start()
        found.append(("postgresql", url))
    try:
        yield found
    finally:
        if cluster:
            cluster.remove()


def milliseconds(times):
    """p50, p95 and p99 in milliseconds."""
    return [float(x) for x in np.percentile(np.array(times) * 1000, [50, 95, 99])]
