"""Dead letters: what could not be processed, grouped by reason, with a retry."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors.sdk import registry
from connectors.sdk.config import secret_names
from sync.flow import decide
from sync.flow.hub import Hub
from sync.service.errors import NotFoundError
from sync.service.paging import Page, page_of
from sync.store.tables import DeadLetter, Golden, System

STATES = ("open", "retried", "discarded")
MASK = "••••••"
_CHUNK = 500
_SECRET = re.compile(
    r"pass(word|wd)?|secret|token|api.?key|authori[sz]ation|credential|cookie|private.?key",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reason:
    """What a group of dead letters has in common."""

    system: str
    direction: str
    object: str
    kind: str
    field: str | None
    remote_code: str


@dataclass(frozen=True, slots=True)
class LetterGroup:
    """Dead letters of one reason; `message` is that of the newest."""

    reason: Reason
    count: int
    newest_id: int
    newest_at: datetime
    message: str


@dataclass(frozen=True, slots=True)
class LetterView:
    """One dead letter; secrets in its payload are masked."""

    id: int
    reason: Reason
    remote_id: str | None
    golden_id: str | None
    golden_name: str
    message: str
    value: str | None
    payload: Mapping[str, Any] | None
    traceback: str
    attempts: int
    state: str
    created_at: datetime
    closed_at: datetime | None
    closed_by: str


def list_groups(
    hub: Hub, *, system: str | None = None, page: int = 1, limit: int = 50
) -> Page[LetterGroup]:
    """Open dead letters by reason, the largest group first."""
    count = func.count().label("count")
    query = (
        select(*_REASON, count, func.max(DeadLetter.id), func.max(DeadLetter.created_at))
        .join(System, System.id == DeadLetter.system_id)
        .where(DeadLetter.state == "open")
        .group_by(*_REASON)
        .order_by(count.desc(), func.max(DeadLetter.id).desc())
    )
    if system:
        query = query.where(System.name == system)
    with hub.database.read() as session:
        rows = session.execute(query.offset((max(1, page) - 1) * limit).limit(limit + 1)).all()
        ids = [row[7] for row in rows]
        messages = dict(
            session.execute(
                select(DeadLetter.id, DeadLetter.message).where(DeadLetter.id.in_(ids))
            ).all()
        )
    groups = [
        LetterGroup(Reason(*row[:6]), row[6], row[7], row[8], messages.get(row[7], ""))
        for row in rows[:limit]
    ]
    return Page(groups, max(1, page), limit, len(rows) > limit, None)


def list_letters(
    hub: Hub,
    *,
    state: str | None = "open",
    system: str | None = None,
    reason: Reason | None = None,
    golden_id: str | None = None,
    page: int = 1,
    limit: int = 50,
) -> Page[LetterView]:
    """The newest first."""
    query = (
        select(DeadLetter, System.name, System.kind)
        .join(System, System.id == DeadLetter.system_id)
        .order_by(DeadLetter.id.desc())
    )
    if state:
        query = query.where(DeadLetter.state == state)
    if system:
        query = query.where(System.name == system)
    if golden_id:
        query = query.where(DeadLetter.golden_id == golden_id)
    if reason:
        query = query.where(*_same(reason))
    with hub.database.read() as session:
        found = page_of(session, query, page, limit)
        called = _names(session, [row[0] for row in found.rows])
        return found.map(lambda row: _view(*row, called=called))


def get_letter(hub: Hub, letter_id: int) -> LetterView:
    """One dead letter."""
    with hub.database.read() as session:
        row = session.execute(
            select(DeadLetter, System.name, System.kind)
            .join(System, System.id == DeadLetter.system_id)
            .where(DeadLetter.id == letter_id)
        ).one_or_none()
        if row is None:
            raise NotFoundError(
                f"There is no dead letter {letter_id}.", code="no_letter", id=letter_id
            )
        return _view(*row, called=_names(session, [row[0]]))


def retry(hub: Hub, ids: Sequence[int], *, actor: str) -> int:
    """Tries these again; returns how many were open."""
    return sum(decide.retry_letters(hub, part, actor) for part in _parts(ids))


def discard(hub: Hub, ids: Sequence[int], *, actor: str) -> int:
    """Closes these without another try; returns how many were open."""
    return sum(decide.discard_letters(hub, part, actor) for part in _parts(ids))


def ids_of(hub: Hub, reason: Reason | None = None, *, system: str | None = None) -> list[int]:
    """The open dead letters of a reason, of a system, or all."""
    query = (
        select(DeadLetter.id)
        .join(System, System.id == DeadLetter.system_id)
        .where(DeadLetter.state == "open")
        .order_by(DeadLetter.id)
    )
    if reason:
        query = query.where(*_same(reason))
    if system:
        query = query.where(System.name == system)
    with hub.database.read() as session:
        return list(session.scalars(query))


def masked(value: Any, names: frozenset[str] = frozenset()) -> Any:
    """The same value with everything that looks like a secret made unreadable."""
    if isinstance(value, Mapping):
        return {
            key: MASK if _is_secret(str(key), names) and item else masked(item, names)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [masked(item, names) for item in value]
    return value


_REASON = (
    System.name,
    DeadLetter.direction,
    DeadLetter.object,
    DeadLetter.kind,
    DeadLetter.field,
    DeadLetter.remote_code,
)


def _same(reason: Reason) -> list[Any]:
    return [
        System.name == reason.system,
        DeadLetter.direction == reason.direction,
        DeadLetter.object == reason.object,
        DeadLetter.kind == reason.kind,
        DeadLetter.field.is_(None) if reason.field is None else DeadLetter.field == reason.field,
        DeadLetter.remote_code == reason.remote_code,
    ]


def _is_secret(key: str, names: frozenset[str]) -> bool:
    return key in names or _SECRET.search(key) is not None


def _parts(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK)]


def _names(session: Session, rows: Sequence[DeadLetter]) -> dict[str, str]:
    ids = {row.golden_id for row in rows if row.golden_id}
    if not ids:
        return {}
    found = session.execute(select(Golden.id, Golden.name).where(Golden.id.in_(ids)))
    return dict(found.all())


def _view(row: DeadLetter, system: str, kind: str, *, called: Mapping[str, str]) -> LetterView:
    connector = registry.all().get(kind)
    names = secret_names(connector.config_model) if connector else frozenset()
    return LetterView(
        id=row.id,
        reason=Reason(system, row.direction, row.object, row.kind, row.field, row.remote_code),
        remote_id=row.remote_id,
        golden_id=row.golden_id,
        golden_name=called.get(row.golden_id or "", ""),
        message=row.message,
        value=MASK if row.field and _is_secret(row.field, names) and row.value else row.value,
        payload=masked(row.payload, names) if row.payload else None,
        traceback=row.traceback,
        attempts=row.attempts,
        state=row.state,
        created_at=row.created_at,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
    )
