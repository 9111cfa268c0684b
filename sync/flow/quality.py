"""Assessing golden records in the background: what was written since the last look, in batches."""

from datetime import datetime, timedelta
from typing import Any

from sync.core.quality import assess
from sync.flow.hub import Hub
from sync.store import dirty, quality, state
from sync.store.tables import Golden

ENTITIES = ("customer", "contact")
BATCH = 1000
BUSY = 1000  # rows of a bulk load that wait to be written
OVERLAP = timedelta(minutes=2)  # a transaction may commit so long after it took its moment
STALE_AFTER = timedelta(days=365)
FIRST = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MARK = "quality:"


def refresh(hub: Hub, *, most: int = 50_000) -> int:
    """Assesses what was written since; returns how many. Repeatable, and it may stop anywhere.

    A bulk load goes first: nothing is assessed while many records are on their way.
    """
    with hub.database.read() as session:
        if dirty.is_bulk_due(session, hub.now(), at_least=BUSY):
            return 0
    count = sum(_refresh(hub, entity, most) for entity in ENTITIES)
    with hub.database.write() as tx:
        quality.drop_gone(tx, ENTITIES)
    with hub.database.read() as session:
        figures = quality.totals(session, "customer", hub.now() - STALE_AFTER)
    with hub.database.write() as tx:
        quality.keep_day(tx, f"{hub.now():%Y-%m-%d}", figures)
    return count


def _refresh(hub: Hub, entity: str, most: int) -> int:
    done = 0
    while done < most:
        with hub.database.write() as tx:
            started = hub.now()
            since = _mark(state.get(tx, f"{_MARK}{entity}"))
            found = quality.due(tx, entity, since, BATCH)
            if found:
                quality.keep(tx, [_row(golden) for golden in found])
            caught_up = len(found) < BATCH
            reached = started - OVERLAP if caught_up else found[-1].updated_at
            mark = max(since, min(reached, started - OVERLAP))
            state.put(tx, f"{_MARK}{entity}", {"since": mark.isoformat()}, started)
        done += len(found)
        if caught_up:
            break
    return done


def _mark(fact: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(fact["since"]) if fact else FIRST


def _row(golden: Golden) -> dict[str, Any]:
    found = assess(golden.entity, golden.values)
    return {
        "golden_id": golden.id,
        "entity": golden.entity,
        "version": golden.version,
        "completeness": found.completeness,
        "issues": found.bits,
        "fresh_at": fresh_at(golden),
    }


def fresh_at(golden: Golden) -> datetime:
    """When one of its values was last given by a system or a person."""
    given = [str(source["at"]) for source in golden.provenance.values() if source.get("at")]
    return datetime.fromisoformat(max(given)) if given else golden.created_at
