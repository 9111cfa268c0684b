"""Runs: what ran, how it ended, and what it changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from sync.flow.hub import Hub
from sync.service.changes import ChangeView, change_views
from sync.service.errors import NotFoundError
from sync.service.paging import Page, page_of
from sync.store.tables import Change, Run, System

KINDS = ("take_in", "dispatch", "reconcile", "load", "plan", "poll", "rollback", "import")
STATES = ("running", "done", "failed", "stopped")


@dataclass(frozen=True, slots=True)
class RunView:
    """One run. Zero counts are left out."""

    id: int
    kind: str
    system: str | None
    state: str
    actor: str
    started_at: datetime
    ended_at: datetime | None
    counts: Mapping[str, Any]
    error: str

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None


def list_runs(
    hub: Hub,
    *,
    system: str | None = None,
    kind: str | None = None,
    state: str | None = None,
    page: int = 1,
    limit: int = 50,
) -> Page[RunView]:
    """The newest first."""
    query = (
        select(Run, System.name)
        .outerjoin(System, System.id == Run.system_id)
        .order_by(Run.id.desc())
    )
    if system:
        query = query.where(System.name == system)
    if kind:
        query = query.where(Run.kind == kind)
    if state:
        query = query.where(Run.state == state)
    with hub.database.read() as session:
        found = page_of(session, query, page, limit)
        return found.map(lambda row: _view(row[0], row[1]))


def get_run(hub: Hub, run_id: int) -> RunView:
    """One run."""
    with hub.database.read() as session:
        found = session.execute(
            select(Run, System.name)
            .outerjoin(System, System.id == Run.system_id)
            .where(Run.id == run_id)
        ).one_or_none()
    if found is None:
        raise NotFoundError(
            f"There is no run {run_id}; runs are kept for 30 days.", code="no_run", id=run_id
        )
    return _view(found[0], found[1])


def changes_of_run(hub: Hub, run_id: int, *, page: int = 1, limit: int = 50) -> Page[ChangeView]:
    """What a run changed, in order."""
    query = select(Change).where(Change.run_id == run_id).order_by(Change.id)
    with hub.database.read() as session:
        found = page_of(session, query, page, limit)
        rows: Sequence[Change] = [row[0] for row in found.rows]
        return found.with_rows(change_views(session, rows))


def _view(row: Run, system: str | None) -> RunView:
    return RunView(
        id=row.id,
        kind=row.kind,
        system=system,
        state=row.state,
        actor=row.actor,
        started_at=row.started_at,
        ended_at=row.ended_at,
        counts=row.counts,
        error=row.error,
    )
