"""Floors: the same job by the plainest program, against the same stand-ins and database."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from sqlalchemy import insert, select

from bench.stand_ins import ZOHO_BATCH, street, timed
from sync.store.session import Database
from sync.store.tables import Base

# The connector sends over four connections, and several worker threads may dispatch; whichever
# number suits the stand-in better is the floor.
PARALLEL = (4, 8)
COMMIT_EVERY = 100  # records in one transaction, as the hub claims them
OF_THE_LOAD = ("golden", "match_key", "link", "change")  # what a load leaves behind


def reading(zoho):
    """Accounts listed per second, 200 a page."""
    seconds, found = timed(zoho.list_all)
    return len(found) / seconds


def creating(fxiaoke, accounts):
    """Customers created per second, one call each; the best of the ways to run in parallel."""
    rates = []
    share = len(accounts) // len(PARALLEL)
    for place, threads in enumerate(PARALLEL):
        part = accounts[place * share : (place + 1) * share]
        with ThreadPoolExecutor(threads) as pool:
            seconds, _ = timed(lambda pool=pool, part=part: list(pool.map(fxiaoke.create, part)))
        rates.append(len(part) / seconds)
    return max(rates)


def updating_fxiaoke(fxiaoke, ids):
    """Customers changed per second, one call each."""
    rates = []
    for threads in PARALLEL:
        with ThreadPoolExecutor(threads) as pool:
            work = [(record_id, threads * 10**7 + n) for n, record_id in enumerate(ids)]
            seconds, _ = timed(
                lambda pool=pool, work=work: list(
                    pool.map(lambda each: fxiaoke.change_plainly(*each), work)
                )
            )
        rates.append(len(ids) / seconds)
    return max(rates)


def updating_zoho(zoho, ids):
    """Accounts changed per second, 100 a call."""

    def put_all():
        for start in range(0, len(ids), ZOHO_BATCH):
            part = ids[start : start + ZOHO_BATCH]
            zoho.put(
                [{"id": i, "Billing_Street": street(9 * 10**7 + n)} for n, i in enumerate(part)]
            )

    seconds, _ = timed(put_all)
    return len(ids) / seconds


def storing(database, folder):
    """Customers stored per second: the rows that a load left behind, inserted again plainly.

    A hundred customers' rows, one commit, into an empty database of the same kind.
    """
    tables = [Base.metadata.tables[name] for name in OF_THE_LOAD]
    rows = _rows_by_golden(database, tables)
    fresh = Database(f"sqlite:///{folder / 'floor.db'}")
    Base.metadata.create_all(fresh.engine)
    _copy_systems(database, fresh)
    ids = sorted(rows)
    started = time.perf_counter()
    for start in range(0, len(ids), COMMIT_EVERY):
        part = ids[start : start + COMMIT_EVERY]
        with fresh.write() as tx:
            for number, table in enumerate(tables):
                found = [row for golden_id in part for row in rows[golden_id][number]]
                if found:
                    tx.execute(insert(table), found)
    seconds = time.perf_counter() - started
    fresh.engine.dispose()
    return len(ids) / seconds


def _rows_by_golden(database, tables):
    rows = {}
    with database.read() as session:
        for number, table in enumerate(tables):
            key = "id" if table.name == "golden" else "golden_id"
            for row in session.execute(select(table)).mappings():
                mine = rows.setdefault(row[key], [[] for _ in tables])
                mine[number].append(dict(row))
    return rows


def _copy_systems(database, fresh):
    table = Base.metadata.tables["system"]
    with database.read() as session:
        rows = [dict(row) for row in session.execute(select(table)).mappings()]
    with fresh.write() as tx:
        tx.execute(insert(table), rows)


@contextmanager
def plain_webhooks(receiver, source, target, links):
    """A program without a hub: a webhook, one read at its source, one write at the other side."""
    lock = threading.Lock()
    current = {}  # the one edit that is expected: record id -> number

    def answer(_path, _delivery):
        with lock:  # what comes without being expected is the echo of our own write
            if current:
                record_id, number = current.popitem()
                source.get(record_id)
                target.change_plainly(links[record_id], number)

    receiver.answer_with(answer)

    def expect(record_id, number):
        with lock:
            current[record_id] = number

    yield expect
