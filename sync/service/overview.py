"""What the first page shows. What scripts ask for is in `status`."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from sync.flow.hub import Hub
from sync.service.runs import RunView, list_runs
from sync.service.systems import SystemView, list_systems
from sync.store import inbox
from sync.store.tables import (
    Candidate,
    Change,
    Conflict,
    DeadLetter,
    Dirty,
    Golden,
    Guard,
    Run,
    System,
)

HOURS = 24
_WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class Open:
    """What waits, and for whom: the first four for a person, the last two for a worker."""

    conflicts: int
    candidates: int
    dead_letters: int
    guards: int
    inbox: int
    dirty: int

    @property
    def decisions(self) -> int:
        """What waits for a person."""
        return self.conflicts + self.candidates + self.dead_letters + self.guards


@dataclass(frozen=True, slots=True)
class Hour:
    """What happened in one hour, by the moment it began."""

    start: datetime
    taken_in: int
    written: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The first page."""

    systems: tuple[SystemView, ...]
    open: Open
    totals: Mapping[str, int]
    runs: tuple[RunView, ...]

    @property
    def writes(self) -> int:
        """Remote writes so far."""
        return sum(system.records_written for system in self.systems)


def overview(hub: Hub) -> Overview:
    """Systems, totals, what waits, the last runs."""
    systems = list_systems(hub)
    with hub.database.read() as session:
        waiting = _open(session)
        totals = _totals(session, ("customer", "contact", "order", "invoice", "payment"))
    return Overview(tuple(systems), waiting, totals, tuple(list_runs(hub, limit=8).rows))


def open_counts(hub: Hub) -> Open:
    """What waits."""
    with hub.database.read() as session:
        return _open(session)


def fingerprint(hub: Hub) -> str:
    """Changes when anything that the first page shows may have changed; cheap to ask for."""
    columns = (
        System.id,
        System.state,
        System.state_reason,
        System.label,
        System.calls_read,
        System.calls_write,
        System.records_written,
        System.polled_at,
        System.delivered_at,
        System.hold_in,
        System.hold_out,
    )
    with hub.database.read() as session:
        facts: list[Any] = [list(row) for row in session.execute(select(*columns)).all()]
        facts.append(asdict(_open(session)))
        facts.append(session.scalar(select(func.max(Change.id))))
        facts.append(session.execute(select(func.max(Run.id), func.max(Run.ended_at))).one()[0])
        facts.append(session.scalar(_running(select(func.count()).select_from(Run))))
    text = json.dumps(facts, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def changes_by_hour(hub: Hub) -> list[Hour]:
    """What was taken in and what was written in each of the last 24 hours, the oldest first."""
    now = hub.now()
    first = (now - timedelta(hours=HOURS - 1)).replace(minute=0, second=0, microsecond=0)
    with hub.database.read() as session:
        since = _first_change(session, first)
        counts = _count_hours(session, since, sqlite=hub.database.is_sqlite)
    hours = [first + timedelta(hours=number) for number in range(HOURS)]
    return [Hour(hour, *counts.get(hour.strftime("%Y-%m-%dT%H"), (0, 0))) for hour in hours]


def _running(query: Select[Any]) -> Select[Any]:
    return query.where(Run.state == "running")


def _open(session: Session) -> Open:
    def count(table: Any, *where: Any) -> int:
        return session.scalar(select(func.count()).select_from(table).where(*where)) or 0

    return Open(
        conflicts=count(Conflict, Conflict.state == "open"),
        candidates=count(Candidate, Candidate.state == "open"),
        dead_letters=count(DeadLetter, DeadLetter.state == "open"),
        guards=count(Guard, Guard.state == "open"),
        inbox=inbox.waiting(session),
        dirty=count(Dirty),
    )


def _totals(session: Session, entities: tuple[str, ...]) -> dict[str, int]:
    found = dict(
        session.execute(
            select(Golden.entity, func.count())
            .where(Golden.entity.in_(entities), Golden.state == "live")
            .group_by(Golden.entity)
        ).all()
    )
    return {entity: found.get(entity, 0) for entity in entities}


def _first_change(session: Session, moment: datetime) -> int:
    """The id of the first change since a moment: ids grow with time, so halving finds it."""
    low = session.scalar(select(func.min(Change.id))) or 0
    high = (session.scalar(select(func.max(Change.id))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        at = session.scalar(
            select(Change.at).where(Change.id >= middle).order_by(Change.id).limit(1)
        )
        if at is None or at >= moment:
            high = middle
        else:
            low = middle + 1
    return low


def _count_hours(session: Session, since: int, *, sqlite: bool) -> dict[str, tuple[int, int]]:
    hour = (
        func.strftime("%Y-%m-%dT%H", Change.at)
        if sqlite
        else func.to_char(func.timezone("UTC", Change.at), 'YYYY-MM-DD"T"HH24')
    )
    rows = session.execute(
        select(hour, Change.op == _WRITTEN, func.count())
        .where(Change.id >= since)
        .group_by(hour, Change.op == _WRITTEN)
    )
    found: dict[str, tuple[int, int]] = {}
    for name, is_written, count in rows:
        taken, written = found.get(name, (0, 0))
        found[name] = (taken, written + count) if is_written else (taken + count, written)
    return found
