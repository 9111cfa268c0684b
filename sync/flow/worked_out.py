"""What the plan of an empty hub has worked out, kept until the plan is applied.

Such a plan has run every step of the load on a scratch copy, down to the last row. Nothing that
is put in place of it can come out differently as long as the hub is still empty and follows the
same rules; so applying the plan stores these rows, in one transaction, instead of working them
out again. Where anything is not as it was, the records go the ordinary way.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    case,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    type_coerce,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from sync.flow import turn_away, weights
from sync.flow.hub import Hub
from sync.store import runs, state
from sync.store.session import Database, Tx
from sync.store.tables import (
    Candidate,
    Change,
    Conflict,
    DeadLetter,
    Dirty,
    Erasure,
    Golden,
    Guard,
    Inbox,
    Link,
    Mapping,
    MatchKey,
    Merge,
    Plan,
    Run,
    Staged,
    System,
)

FOLDER = "worked-out"
log = structlog.get_logger()
CHUNK = 1000
_EMPTY_BEFORE = (Golden, Link, Conflict, Candidate, Merge, Erasure)
_WHOLE_AFTER = (DeadLetter, Guard, Erasure, Merge)  # what nobody has to look at first
# In the order of their references; those that nothing refers to are numbered anew.
_TABLES = (Golden, Link, MatchKey, Candidate, Conflict, Change, Dirty)
Instead = dict[str, ColumnElement[Any]]  # of a column, "golden.created_at": what it becomes
_NUMBERED_ANEW = (Candidate, Conflict, Change, Dirty)


def is_empty(database: Database) -> bool:
    """Whether a hub holds nobody yet, and has never held anybody."""
    with database.read() as session:
        return not any(_has_rows(session, table) for table in _EMPTY_BEFORE)


def keep(hub: Hub, scratch: Hub, plan: Plan) -> None:
    """Keeps a scratch copy that began empty, where all of the load went through at once."""
    with scratch.database.read() as session:
        waiting = session.scalar(select(Inbox.id).where(Inbox.state != "done").limit(1))
        if waiting is not None or any(_has_rows(session, table) for table in _WHOLE_AFTER):
            return
    forget(hub)
    scratch.database.scrub()
    path = _path(hub, plan.id)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        os.link(str(scratch.database.url.database), path)
    except OSError as error:  # a disk that knows no second names: the load is worked out again
        log.info("plan_not_kept", plan=plan.id, reason=str(error))
        return
    path.chmod(0o600)


def forget(hub: Hub) -> None:
    """No plan's rows are wanted any more: the hub is not empty, or about to be planned anew."""
    for path in (hub.settings.home / FOLDER).glob("*.db"):
        _drop(path)


def tidy(hub: Hub) -> None:
    """Drops what is kept for plans that will not be applied any more."""
    for path in (hub.settings.home / FOLDER).glob("*.db"):
        with hub.database.read() as session:
            plan = session.get(Plan, int(path.stem))
        if plan is None or plan.state not in {"reading", "ready", "applying"}:
            _drop(path)


def put_in_place(hub: Hub, plan_id: int) -> bool:
    """Stores what the plan worked out; False where that is not here, or does not hold any more.

    Either all of it is there afterwards and the plan's records are no longer staged, or nothing
    has changed.
    """
    if not _path(hub, plan_id).exists():
        return False
    with _opened(_path(hub, plan_id)) as kept, hub.database.write() as tx:
        _alone(tx)
        plan = tx.get_one(Plan, plan_id)
        if not _still_holds(hub, tx, kept, plan):
            return False
        hold = timedelta(hours=hub.settings.hold_hours)
        instead = _of_today(_runs(hub, tx, kept), hub.now(), hold)
        for table in _TABLES:
            own: Any = table.__table__
            _pour(kept, tx, own, instead, numbered_anew=table in _NUMBERED_ANEW)
        _go_on_counting(tx)
        tx.execute(delete(Staged).where(Staged.plan_id == plan_id))
    return True


def _drop(path: Path) -> None:
    """With the logs that a killed process left beside it; the file last, as it names them."""
    for end in ("-wal", "-shm", ""):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _path(hub: Hub, plan_id: int) -> Path:
    return hub.settings.home / FOLDER / f"{plan_id}.db"


@contextmanager
def _opened(path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{path}")
    try:
        yield database
    finally:
        database.close()


def _has_rows(session: Session, table: type[Any]) -> bool:
    return session.scalar(select(1).select_from(table).limit(1)) is not None


def _alone(tx: Tx) -> None:
    """Nobody else makes a golden record meanwhile; SQLite has one writer anyway."""
    if tx.get_bind().dialect.name == "postgresql":
        tx.execute(text("LOCK TABLE golden IN SHARE ROW EXCLUSIVE MODE"))


def _still_holds(hub: Hub, tx: Tx, kept: Database, plan: Plan) -> bool:
    """Whether the load would come out the same today, row by row."""
    if any(_has_rows(tx, table) for table in _EMPTY_BEFORE):
        return False
    if not turn_away.listed(hub).is_empty():
        return False
    if plan.basis["policy"] != hub.policies.model_dump(mode="json"):
        return False
    with kept.read() as session:
        # As many as were taken in: a copy that lacks its last transactions lacks these, too.
        done = session.scalar(select(func.count()).where(Inbox.state == "done"))
        same = _rules(session, plan) == _rules(tx, plan)
    return same and done == tx.scalar(
        select(func.count()).select_from(Staged).where(Staged.plan_id == plan.id)
    )


def _rules(session: Session, plan: Plan) -> tuple[Any, ...]:
    """What the outcome of a load depends on, beside the records and the policies."""
    systems = session.execute(
        select(System.id, System.name, System.kind, System.state, System.clock_offset)
    )
    named = sorted(
        (i, name, kind, "" if i in plan.systems else stands, offset)
        for i, name, kind, stands, offset in systems
    )
    live = select(Mapping.id).where(Mapping.state == "live").order_by(Mapping.id)
    mappings = list(session.scalars(live))
    return named, mappings, state.get(session, weights.IN_USE), state.get(session, state.EPOCH)


def _runs(hub: Hub, tx: Tx, kept: Database) -> dict[int, int]:
    """One run for each system, with the counts of all that were made of it; their ids."""
    totals: dict[int, dict[str, int]] = {}
    with kept.read() as session:
        for system_id, counts in session.execute(
            select(Run.system_id, Run.counts).where(Run.kind == "take_in")
        ):
            own = totals.setdefault(system_id, {})
            for name, count in counts.items():
                own[name] = own.get(name, 0) + count
    now = hub.now()
    made: dict[int, int] = {}
    for system_id, counts in totals.items():
        made[system_id] = runs.start(tx, "take_in", system_id, now)
        runs.end(tx, made[system_id], counts, now)
    return made


def _of_today(runs_made: dict[int, int], now: datetime, hold: timedelta) -> Instead:
    """What happened on paper happens now, in runs of the hub itself."""
    moments: dict[Any, datetime] = {
        Golden.created_at: now,
        Golden.updated_at: now,
        Golden.held_until: now + hold,
        Link.created_at: now,
        Candidate.created_at: now,
        Conflict.created_at: now,
        Dirty.due_at: now,
        Dirty.marked_at: now,
        Change.at: now,
    }
    instead: Instead = {
        _name(column): case((column.is_not(None), literal(at, column.type)))
        for column, at in moments.items()
    }
    if runs_made:
        instead[_name(Change.run_id)] = case(runs_made, value=Change.system_id)
    return instead


def _name(column: Any) -> str:
    return f"{column.table.name}.{column.name}"


def _pour(kept: Database, tx: Tx, table: Table, instead: Instead, *, numbered_anew: bool) -> None:
    columns = [c for c in table.columns if not (numbered_anew and c.name == "id")]
    values = {c.name: instead.get(_name(c), c) for c in columns}
    with kept.engine.connect() as paper:
        if tx.get_bind().dialect.name == "sqlite":
            with _indexed_afterwards(tx.connection(), table):
                _pour_raw(paper, tx.connection(), table.name, values)
            return
        found = paper.execute(select(*(v.label(n) for n, v in values.items()))).mappings()
        for part in found.partitions(CHUNK):
            tx.execute(insert(table), [dict(row) for row in part])


@contextmanager
def _indexed_afterwards(target: Connection, table: Table) -> Iterator[None]:
    """SQLite sorts an index faster than it fills one in the order in which rows happen to come.

    Part of the transaction like all else: whoever reads meanwhile has the indexes as they were.
    """
    for index in table.indexes:
        index.drop(target)
    yield
    for index in table.indexes:
        index.create(target)


def _pour_raw(
    paper: Connection, target: Connection, table: str, values: dict[str, ColumnElement[Any]]
) -> None:
    """The same database on both sides: rows as they are stored."""
    listed = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" for _ in values)
    found = paper.execute(select(*(type_coerce(v, NullType()) for v in values.values())))
    order = f"INSERT INTO {table} ({listed}) VALUES ({marks})"  # noqa: S608  names are ours
    for part in found.partitions(CHUNK):
        target.exec_driver_sql(order, [tuple(row) for row in part])


def _go_on_counting(tx: Tx) -> None:
    """Links came with their numbers: the next one gets the number behind them."""
    if tx.get_bind().dialect.name == "postgresql":
        tx.execute(
            text(
                "SELECT setval(pg_get_serial_sequence('link', 'id'),"
                " (SELECT max(id) FROM link)) WHERE EXISTS (SELECT 1 FROM link)"
            )
        )
