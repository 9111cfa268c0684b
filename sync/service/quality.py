"""Data quality: how complete, valid, fresh and unambiguous the customers are; a list to work on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from sync.core.quality import BIT, INVALID, INVALID_BITS, ISSUES, assess, issues_of
from sync.flow import quality as flow
from sync.flow.hub import Hub
from sync.service.errors import ServiceError
from sync.service.paging import Page, page_of
from sync.store import quality
from sync.store.tables import Golden, Link, Quality, System

STALE, DUPLICATE, WRONG = "stale", "duplicate", "invalid"
FILTERS = (*ISSUES, WRONG, STALE, DUPLICATE)
ENTITIES = flow.ENTITIES


@dataclass(frozen=True, slots=True)
class Overall:
    """The figures of all records of an entity. Shares are percentages."""

    records: int
    completeness: float
    valid: float
    fresh: float
    duplicates: int
    issues: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Day:
    """The figures of all customers at the end of a day."""

    day: str
    overall: Overall


@dataclass(frozen=True, slots=True)
class Row:
    """A record of the list to work on."""

    golden_id: str
    name: str
    entity: str
    completeness: int
    issues: tuple[str, ...]
    fresh_at: datetime
    is_stale: bool
    is_suspect: bool


@dataclass(frozen=True, slots=True)
class RecordQuality:
    """One record as it is now; `wrong` names the values that cannot be right."""

    completeness: int
    missing: tuple[str, ...]
    wrong: tuple[tuple[str, str], ...]
    fresh_at: datetime
    is_stale: bool


def refresh(hub: Hub) -> int:
    """Assesses what was written since the last look; the hub does so every minute by itself."""
    return flow.refresh(hub)


def overall(hub: Hub, entity: str = "customer") -> Overall:
    """The figures as of the last look."""
    with hub.database.read() as session:
        return _overall(quality.totals(session, entity, hub.now() - flow.STALE_AFTER))


def trend(hub: Hub, days: int = 90) -> list[Day]:
    """The figures of the customers from day to day, oldest first."""
    with hub.database.read() as session:
        return [Day(day, _overall(facts)) for day, facts in quality.days(session, days)]


def worklist(
    hub: Hub,
    *,
    entity: str = "customer",
    issue: str | None = None,
    system: str | None = None,
    page: int = 1,
    limit: int = 50,
) -> Page[Row]:
    """Records with something to mend, the least complete first."""
    if issue is not None and issue not in FILTERS:
        raise ServiceError(f"There is no issue “{issue}”.", code="no_issue", name=issue)
    stale_before = hub.now() - flow.STALE_AFTER
    query = (
        select(Quality, Golden.name)
        .join(Golden, Golden.id == Quality.golden_id)
        .where(Quality.entity == entity, _wanted(issue, stale_before))
        .order_by(Quality.completeness, Quality.golden_id)
    )
    if system:
        linked = select(Link.golden_id).join(System, System.id == Link.system_id)
        linked = linked.where(System.name == system, Link.state == "live")
        query = query.where(Quality.golden_id.in_(linked))
    with hub.database.read() as session:
        found = page_of(session, query, page, limit)
        ids = [row.golden_id for row, _ in found.rows]
        suspects = quality.suspects().subquery()
        here = set(session.scalars(select(suspects.c[0]).where(suspects.c[0].in_(ids))))
        return found.map(
            lambda line: Row(
                golden_id=line[0].golden_id,
                name=line[1],
                entity=line[0].entity,
                completeness=line[0].completeness,
                issues=issues_of(line[0].issues),
                fresh_at=line[0].fresh_at,
                is_stale=line[0].fresh_at < stale_before,
                is_suspect=line[0].golden_id in here,
            )
        )


def of_record(hub: Hub, golden_id: str) -> RecordQuality | None:
    """A customer or contact as it is now; None for others."""
    with hub.database.read() as session:
        golden = session.get(Golden, golden_id)
    if golden is None or golden.entity not in ENTITIES or golden.state != "live":
        return None
    found = assess(golden.entity, golden.values)
    fresh_at = flow.fresh_at(golden)
    return RecordQuality(
        completeness=found.completeness,
        missing=tuple(code for code in ISSUES if code in found.issues - INVALID),
        wrong=found.wrong,
        fresh_at=fresh_at,
        is_stale=fresh_at < hub.now() - flow.STALE_AFTER,
    )


def _wanted(issue: str | None, stale_before: datetime) -> Any:
    if issue == STALE:
        return Quality.fresh_at < stale_before
    if issue == DUPLICATE:
        return Quality.golden_id.in_(quality.suspects())
    if issue is None:
        return (Quality.issues != 0) | (Quality.fresh_at < stale_before)
    return quality.has(INVALID_BITS if issue == WRONG else BIT[issue])


def _overall(facts: Mapping[str, Any]) -> Overall:
    count = int(facts["records"])

    def share(name: str) -> float:
        return round(100 - 100 * facts[name] / count, 1) if count else 0.0

    return Overall(
        records=count,
        completeness=facts["completeness"],
        valid=share("invalid"),
        fresh=share("stale"),
        duplicates=facts["duplicates"],
        issues=dict(facts["issues"]),
    )
