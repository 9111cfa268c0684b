"""How long it takes to find the customer of one incoming record, with so many customers stored.

    python -m bench online --records records.csv [--incoming 1000] [--databases sqlite,postgresql]

The records of the file are stored as customers of their own, apart from those that come in: every
so many-th. What is timed is what take-in does for a record of a new customer inside its
transaction: counts, candidates, what of them has changed, decision. Normal forms, keys and scores
are made before the transaction, as take-in makes them for a few records, and stand in a line of
their own. The floor is the plainest program with the same keys at hand: two indexed look-ups
through the database's own driver, rows by key and customers by id. `of it this process` is the
processor time of the hub's side; on a busy machine it is the steadier figure.
"""

import argparse
import csv
import random
import resource
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from bench import stored
from sync.core import match
from sync.core.normal.record import normalise
from sync.core.party import party_from_canonical
from sync.flow.match import Matcher, foresee, look_ahead
from sync.flow.match_file import CHUNK, pieces_of
from sync.flow.spread import stream

WARM = 100  # records before the clock starts: caches, plans, pages


def numbered(path):
    with path.open(newline="", encoding="utf-8-sig") as handle:
        yield from enumerate(csv.DictReader(handle))


def kept_goldens(path, step):
    rows = ((n, stored.values_of(row)) for n, row in numbered(path) if n % step)
    return stored.golden_rows(rows)


def kept_keys(path, step, processes):
    """(keys, numbers of the records, families) of each piece of the file."""

    def work(number, count):
        for piece in pieces_of(path, CHUNK, number, count):
            rows = piece.keys.row.astype(np.int64) + piece.number * CHUNK
            kept = rows % step != 0
            yield piece.keys.key[kept], rows[kept].astype(np.int32), piece.keys.family[kept]

    return stream(work, processes)


def incoming(path, step, count):
    """Records as take-in sees them, in an order that does not follow the file's."""
    found = [
        SimpleNamespace(
            spec=SimpleNamespace(entity="customer"),
            seen=SimpleNamespace(key=("accounts", f"new-{number}")),
            object_name="accounts",
            values=stored.values_of(row),
        )
        for number, row in numbered(path)
        if number % step == 0
    ]
    random.Random(1).shuffle(found)
    return found[:count]


def take_in(database, items):
    """(seconds, processor seconds, seconds before the transaction, outcome) of each record."""
    system = SimpleNamespace(id=1)
    for item in items:
        started = time.perf_counter()
        with database.read() as session:
            foreseen = look_ahead(session, [item], foresee([item]))
        ahead = time.perf_counter() - started
        with database.write() as tx:
            started, before = time.perf_counter(), time.process_time()
            matcher = Matcher(tx, foreseen)
            matcher.prepare([item])
            found = matcher.match(item, system)
            yield time.perf_counter() - started, time.process_time() - before, ahead, found


def floor(database, items):
    """Seconds of two indexed look-ups with the keys at hand."""
    keys = match.keys_of_many([normalise(party_from_canonical(i.values)) for i in items])
    mark = "?" if database.is_sqlite else "%s"
    by_key = "SELECT key, golden_id FROM match_key WHERE key IN ({})"
    by_id = 'SELECT id, "values" FROM golden WHERE id IN ({})'
    connection = database.engine.raw_connection()
    cursor = connection.cursor()
    for own in keys:
        wanted = [key for _, key in own]
        started = time.perf_counter()
        rows = _asked(cursor, by_key, mark, wanted)
        holders = {}
        for key, golden_id in rows:
            holders.setdefault(key, []).append(golden_id)
        near = {g for family, k in own for g in holders.get(k, ()) if _rare(family, holders[k])}
        _asked(cursor, by_id, mark, sorted(near))
        yield time.perf_counter() - started
    connection.close()


def _rare(family, holders):
    return len(holders) <= match.blocking.cap_of(family)


def _asked(cursor, query, mark, values):
    if not values:
        return []
    cursor.execute(query.format(", ".join([mark] * len(values))), values)
    return cursor.fetchall()


def measure(name, database, items):
    for _ in floor(database, items[:WARM]):
        pass
    plain = list(floor(database, items[WARM:]))
    for _ in take_in(database, items[:WARM]):
        pass
    found = list(take_in(database, items[WARM:]))
    seconds, own, ahead, outcomes = (list(column) for column in zip(*found, strict=True))
    linked = sum(outcome.golden_id is not None for outcome in outcomes)
    asked = sum(outcome.golden_id is None and bool(outcome.candidates) for outcome in outcomes)
    lines = {
        "floor": plain,
        "take-in": seconds,
        "of it this process": own,
        "before the transaction": ahead,
    }
    for label, times in lines.items():
        yield name, label, *stored.milliseconds(times)
    print(f"{name}: of {len(found)} records {linked} linked, {asked} for review", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=Path, required=True, help="CSV as for `kehub match`")
    parser.add_argument("--incoming", type=int, default=1000)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--url", help="a PostgreSQL database; without it one is started")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="a folder for the SQLite file; it is used again")
    arguments = parser.parse_args()
    if not arguments.records.exists():
        parser.error(f"{arguments.records} does not exist: name a file with --records")
    count = sum(1 for _ in numbered(arguments.records))
    step = max(2, count // (arguments.incoming + WARM))
    items = incoming(arguments.records, step, arguments.incoming + WARM)
    print(f"{count - len(range(0, count, step))} customers stored, {len(items) - WARM} come in")
    header = ("database", "what", "p50 ms", "p95 ms", "p99 ms")
    table = [f"| {' | '.join(header)} |\n|{' --- |' * len(header)}"]
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch)
        wanted = arguments.databases.split(",")
        with stored.databases(folder, wanted, arguments.url) as found:
            for name, url in found:
                database = stored.make(url)
                if stored.is_empty(database):
                    started = time.perf_counter()
                    parts = kept_keys(arguments.records, step, arguments.processes)
                    goldens = kept_goldens(arguments.records, step)
                    stored.fill(database, goldens, stored.key_rows(list(parts)))
                    print(f"{name}: filled in {time.perf_counter() - started:.0f} s", flush=True)
                for what, label, *times in measure(name, database, items):
                    cells = [what, label, *(f"{t:.2f}" for t in times)]
                    table.append("| " + " | ".join(cells) + " |")
                database.engine.dispose()
    print("\n".join(table))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process: {memory:.0f} MB")


if __name__ == "__main__":
    main()
