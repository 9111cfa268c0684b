"""What waits for a person: conflicts and guards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from mapping.canonical import REFERENCES
from sync.flow import decide
from sync.flow import decide_guard as guard_decision
from sync.flow.hub import Hub
from sync.service.errors import NotFoundError, ServiceError
from sync.service.fields import read_text
from sync.service.paging import Page, page_of
from sync.store.tables import Conflict, Golden, Guard, System

Choice = Literal["ours", "theirs", "other"]
CONFLICT_STATES = ("open", "auto", "decided")
GUARD_STATES = ("open", "allowed", "refused", "mended", "outdated")


@dataclass(frozen=True, slots=True)
class Disputed:
    """One path of a conflict: the last agreed value, both sides, what the policy proposes."""

    path: str
    base: Any
    ours: Any
    theirs: Any
    proposal: Any


@dataclass(frozen=True, slots=True)
class ConflictView:
    """A field, or a group of fields, that two sides changed."""

    id: int
    golden_id: str
    golden_name: str
    entity: str
    system: str
    unit: str
    fields: tuple[Disputed, ...]
    rule: str
    state: str
    decision: str
    decided_by: str
    decided_at: datetime | None
    created_at: datetime

    @property
    def proposes_theirs(self) -> bool:
        """Whether the policy's proposal is the incoming value."""
        return all(field.proposal == field.theirs for field in self.fields)


@dataclass(frozen=True, slots=True)
class GuardView:
    """What a guard stopped. `records` are some of the golden records it is about."""

    id: int
    system: str
    kind: str
    direction: str
    reason: str
    facts: Mapping[str, Any]
    records: tuple[tuple[str, str], ...]
    state: str
    decided_by: str
    decided_at: datetime | None
    created_at: datetime


def list_conflicts(
    hub: Hub,
    *,
    state: str | None = "open",
    system: str | None = None,
    golden_id: str | None = None,
    page: int = 1,
    limit: int = 20,
) -> Page[ConflictView]:
    """The newest first."""
    query = _conflicts().order_by(Conflict.id.desc())
    if state:
        query = query.where(Conflict.state == state)
    if system:
        query = query.where(System.name == system)
    if golden_id:
        query = query.where(Conflict.golden_id == golden_id)
    with hub.database.read() as session:
        found = page_of(session, query, page, limit)
        called = _referred(session, [row[0] for row in found.rows])
        return found.map(lambda row: _conflict(*row, called=called))


def get_conflict(hub: Hub, conflict_id: int) -> ConflictView:
    """One conflict."""
    with hub.database.read() as session:
        row = session.execute(_conflicts().where(Conflict.id == conflict_id)).one_or_none()
        if row is None:
            raise NotFoundError(
                f"There is no conflict {conflict_id}.", code="no_conflict", id=conflict_id
            )
        return _conflict(*row, called=_referred(session, [row[0]]))


def decide_conflict(
    hub: Hub,
    conflict_id: int,
    choice: str,
    *,
    actor: str,
    other: Mapping[str, str] | None = None,
) -> ConflictView:
    """Ends a conflict, or reverses one that was ended. `other` holds typed values by path."""
    conflict = get_conflict(hub, conflict_id)
    values: dict[str, Any] = {}
    if choice == "other":
        known = {field.path for field in conflict.fields}
        values = {
            path: read_text(conflict.entity, path, text)
            for path, text in (other or {}).items()
            if path in known
        }
        if not values:
            raise ServiceError("Say which value to take.", code="value_needed")
    elif choice not in {"ours", "theirs"}:
        raise ServiceError(
            f"“{choice}” is no decision.", code="bad_choice", hint="Say ours, theirs or other."
        )
    chosen: Choice = "other" if choice == "other" else "ours" if choice == "ours" else "theirs"
    decide.decide_conflict(hub, conflict_id, chosen, actor, values)
    return get_conflict(hub, conflict_id)


def list_guards(
    hub: Hub, *, state: str | None = "open", page: int = 1, limit: int = 20
) -> Page[GuardView]:
    """The newest first."""
    query = _guards().order_by(Guard.id.desc())
    if state:
        query = query.where(Guard.state == state)
    with hub.database.read() as session:
        found = page_of(session, query, page, limit)
        return found.with_rows([_guard(session, *row) for row in found.rows])


def get_guard(hub: Hub, guard_id: int) -> GuardView:
    """One guard."""
    with hub.database.read() as session:
        row = session.execute(_guards().where(Guard.id == guard_id)).one_or_none()
        if row is None:
            raise NotFoundError(f"There is no guard {guard_id}.", code="no_guard", id=guard_id)
        return _guard(session, *row)


def decide_guard(hub: Hub, guard_id: int, *, allow: bool, actor: str) -> GuardView:
    """Allows or refuses what a guard stopped; one that is decided stays as it is.

    Its state is "outdated" afterwards if there was nothing left to be decided.
    """
    get_guard(hub, guard_id)
    guard_decision.decide_guard(hub, guard_id, allow=allow, actor=actor)
    return get_guard(hub, guard_id)


def _conflicts() -> Any:
    return (
        select(Conflict, Golden.name, Golden.entity, System.name)
        .join(Golden, Golden.id == Conflict.golden_id)
        .join(System, System.id == Conflict.system_id)
    )


def _guards() -> Any:
    return select(Guard, System.name).join(System, System.id == Guard.system_id)


def _referred(session: Session, rows: Sequence[Conflict]) -> dict[str, str]:
    """The names of records that disputed references name."""
    sides = [side for row in rows for side in (row.base, row.ours, row.theirs, row.proposal)]
    ids = {str(side[path]) for side in sides for path in REFERENCES if side.get(path)}
    if not ids:
        return {}
    found = session.execute(select(Golden.id, Golden.name).where(Golden.id.in_(ids)))
    return dict(found.all())


def _conflict(
    row: Conflict, name: str, entity: str, system: str, *, called: Mapping[str, str]
) -> ConflictView:
    def shown(side: Mapping[str, Any], path: str) -> Any:
        value = side.get(path)
        return called.get(str(value), value) if path in REFERENCES else value

    paths = sorted({*row.base, *row.ours, *row.theirs, *row.proposal})
    return ConflictView(
        id=row.id,
        golden_id=row.golden_id,
        golden_name=name,
        entity=entity,
        system=system,
        unit=row.unit,
        fields=tuple(
            Disputed(
                path,
                shown(row.base, path),
                shown(row.ours, path),
                shown(row.theirs, path),
                shown(row.proposal, path),
            )
            for path in paths
        ),
        rule=row.rule,
        state=row.state,
        decision=row.decision,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        created_at=row.created_at,
    )


def _guard(session: Session, row: Guard, system: str) -> GuardView:
    ids = [str(golden_id) for golden_id in row.facts.get("golden", ())][:10]
    found = session.execute(select(Golden.id, Golden.name).where(Golden.id.in_(ids))).all()
    return GuardView(
        id=row.id,
        system=system,
        kind=row.kind,
        direction=row.direction,
        reason=row.reason,
        facts=row.facts,
        records=tuple((golden_id, name) for golden_id, name in found),
        state=row.state,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        created_at=row.created_at,
    )
