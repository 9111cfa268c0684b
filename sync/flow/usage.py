"""Samples of each system's call counters, from which a day's use is told."""

from datetime import datetime, timedelta

from sqlalchemy import select

from sync.core.usage import Sample
from sync.flow.hub import Hub
from sync.store import state
from sync.store.tables import System

KEEP = timedelta(hours=26)  # a whole day, and the sample before it


def note(hub: Hub) -> None:
    """Keeps how many calls each system has had until now."""
    now = hub.now()
    with hub.database.write() as tx:
        rows = tx.execute(select(System.id, System.calls_read + System.calls_write)).all()
        for system_id, total in rows:
            key = key_of(system_id)
            kept = [s for s in samples_of(state.get(tx, key)) if s[0] >= now - KEEP]
            kept.append((now, total))
            value = {"samples": [[at.isoformat(), count] for at, count in kept]}
            state.put(tx, key, value, now)


def samples_of(fact: dict[str, list[list[str | int]]]) -> list[Sample]:
    """The samples of one system, oldest first."""
    found = fact.get("samples", [])
    return [(datetime.fromisoformat(str(at)), int(count)) for at, count in found]


def key_of(system_id: int) -> str:
    """The fact that holds a system's samples."""
    return f"calls:{system_id}"
