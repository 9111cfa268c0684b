"""Floors: the same job by the plainest program, against the same stand-ins and database."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sqlalchemy import insert, select

from bench.stand_ins import ZOHO_BATCH, street, timed
from sync.store.session import Database
from sync.store.tables import Base

# The connector sends over four connections, and several worker threads may dispatch; whichever
# number suits the stand-in better is the floor.
PARALLEL = (4, 8)
COMMIT_EVERY = 200  # records in one transaction, as the hub claims them
OF_THE_LOAD = ("golden", "match_key", "link", "change")  # what a load leaves behind


def reading(zoho):
    """Accounts listed per second, 200 a page."""
    seconds, found = timed(zoho.list_all)
    return len(found) / seconds


def listing(*clients):
    """Seconds that it takes to list everything in these systems, page by page, one by one."""
    return sum(timed(client.list_all)[0] for client in clients)


def rows_to_create(fxiaoke, names, most):
    """What a load wrote into these fields of the first customers, ready to be written again."""
    return [
        {name: row[name] for name in names if row.get(name) not in (None, "", [])}
        for row in fxiaoke.list_all(most)
    ]


def creating(fxiaoke, rows):
    """Customers created per second, one call each: in parallel at its best, and one by one.

    One by one is the plainest program: one connection, one call after the other.
    """
    rates = []
    ways = (*PARALLEL, 1)
    share = len(rows) // len(ways)
    for place, threads in enumerate(ways):
        part = rows[place * share : (place + 1) * share]
        with ThreadPoolExecutor(threads) as pool:
            seconds, _ = timed(lambda pool=pool, part=part: list(pool.map(fxiaoke.create, part)))
        rates.append(len(part) / seconds)
    return max(rates[:-1]), rates[-1]


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

    Two hundred customers' rows, one commit, into an empty database of the same kind.
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


class PlainWebhooks(ThreadingHTTPServer):
    """A program without a hub: a webhook, one read at its source, one write at the other side."""

    daemon_threads = True

    def __init__(self, *systems):
        super().__init__(("127.0.0.1", 0), _Taker)
        self._lock = threading.Lock()
        self._expected = {}
        self._systems = {f"/{type(system).__name__}": system for system in systems}
        for path, system in self._systems.items():
            system.call_back(f"http://127.0.0.1:{self.server_address[1]}{path}")

    def expect(self, source, target, pair, number):
        """The edit that comes next from `source`; whatever else comes is an echo."""
        with self._lock:
            self._expected[source] = (target, pair, number)

    def take(self, path, body):
        """What the sender wants to hear."""
        source = self._systems[path]
        with self._lock:
            expected = self._expected.pop(source, None)
        if expected is not None:
            target, (here, there), number = expected
            source.get(here)
            target.change_plainly(there, number)
        return source.thanks(body)


class _Taker(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.server.take(self.path, body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, template, *values):
        """Quiet: it is measured from outside."""


@contextmanager
def plain_webhooks(*systems):
    """The program without a hub, for the length of the block; the systems tell it of changes."""
    with PlainWebhooks(*systems) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)
