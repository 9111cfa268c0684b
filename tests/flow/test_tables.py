"""The migrations make just the tables that the code uses; ids keep the order of their making."""

import itertools
import os
import time

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from sync.store import schema
from sync.store.session import Database
from sync.store.tables import Base, base, new_id


def test_the_migrations_make_the_tables_of_the_code(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'kehub.db'}")
    schema.upgrade(database)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    database.engine.dispose()


def test_ids_sort_in_the_order_in_which_they_were_made():
    made = [new_id() for _ in range(5000)]  # many in each millisecond
    assert made == sorted(set(made))
    assert {len(each) for each in made} == {26}


def test_ids_keep_their_order_where_a_millisecond_runs_over(monkeypatch):
    monkeypatch.setattr(base, "_last", 0)  # put back: other ids keep their time
    monkeypatch.setattr(os, "urandom", lambda size: b"\xff" * size)  # the highest
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now)
    made = [new_id() for _ in range(10)]
    assert made == sorted(set(made))


def test_ids_keep_their_order_while_the_clock_is_set_back(monkeypatch):
    monkeypatch.setattr(base, "_last", 0)
    now = time.time_ns()
    steps = itertools.chain([now, now - 3600 * 10**9], itertools.repeat(now + 10**6))
    monkeypatch.setattr(time, "time_ns", lambda: next(steps))
    made = [new_id() for _ in range(5)]
    assert made == sorted(set(made))
