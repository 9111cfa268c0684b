"""Assessments of golden records: which are due, keeping them, and what they come to."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, case, delete, func, or_, select, union
from sqlalchemy.orm import Session

from sync.core.quality import BIT, INVALID_BITS
from sync.store.session import Tx
from sync.store.tables import Candidate, Golden, Quality, QualityDay
from sync.store.upsert import insert_into


def due(session: Session, entity: str, since: datetime, most: int) -> list[Golden]:
    """Living records that were written since and are not assessed as they are now, oldest first."""
    return list(
        session.scalars(
            select(Golden)
            .outerjoin(Quality, Quality.golden_id == Golden.id)
            .where(
                Golden.entity == entity,
                Golden.state == "live",
                Golden.updated_at >= since,
                or_(Quality.version.is_(None), Quality.version != Golden.version),
            )
            .order_by(Golden.updated_at)
            .limit(most)
        )
    )


def keep(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Stores assessments in place of older ones."""
    new = insert_into(tx, Quality)
    names = ("entity", "version", "completeness", "issues", "fresh_at")
    tx.execute(
        new.on_conflict_do_update(
            index_elements=["golden_id"], set_={name: new.excluded[name] for name in names}
        ),
        list(rows),
    )


def drop_gone(tx: Tx, entities: Collection[str]) -> None:
    """Merged, deleted and erased records have no quality."""
    gone = select(Golden.id).where(
        Golden.entity.in_(entities), Golden.state.in_(("merged", "deleted", "erased"))
    )
    tx.execute(
        delete(Quality)
        .where(Quality.golden_id.in_(gone))
        .execution_options(synchronize_session=False)
    )


def totals(session: Session, entity: str, stale_before: datetime) -> dict[str, Any]:
    """Sums over all records of an entity, in one pass."""
    invalid = case((has(INVALID_BITS), 1), else_=0)
    stale = case((Quality.fresh_at < stale_before, 1), else_=0)
    columns = [
        func.count(),
        func.sum(Quality.completeness),
        func.sum(invalid),
        func.sum(stale),
        *(func.sum(case((has(bit), 1), else_=0)) for bit in BIT.values()),
    ]
    row = session.execute(select(*columns).where(Quality.entity == entity)).one()
    count, completeness, bad, old, *issues = (int(value or 0) for value in row)
    return {
        "records": count,
        "completeness": round(completeness / count, 1) if count else 0.0,
        "invalid": bad,
        "stale": old,
        "duplicates": session.scalar(select(func.count()).select_from(suspects().subquery())) or 0
        if entity == "customer"
        else 0,
        "issues": {code: n for code, n in zip(BIT, issues, strict=True) if n},
    }


def has(bits: int) -> Any:
    """Whether an assessment has any of these issues."""
    return Quality.issues.op("&", return_type=Integer())(bits) != 0


def suspects() -> Any:
    """The ids of records in an open pair."""
    mine = Candidate.state == "open"
    return union(select(Candidate.first_id).where(mine), select(Candidate.second_id).where(mine))


def keep_day(tx: Tx, day: str, facts: Mapping[str, Any]) -> None:
    """The figures of a day, in place of earlier ones of it."""
    new = insert_into(tx, QualityDay)
    tx.execute(
        new.on_conflict_do_update(index_elements=["day"], set_={"facts": new.excluded.facts}),
        [{"day": day, "facts": dict(facts)}],
    )


def days(session: Session, count: int) -> list[tuple[str, dict[str, Any]]]:
    """The last days that were kept, oldest first."""
    query = select(QualityDay.day, QualityDay.facts).order_by(QualityDay.day.desc()).limit(count)
    return [(day, facts) for day, facts in session.execute(query)][::-1]
