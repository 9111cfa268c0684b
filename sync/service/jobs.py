"""Long work in the workers: how far it has come, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync.flow.hub import Hub
from sync.service.errors import NotFoundError
from sync.store import jobs as rows
from sync.store.tables import Job


@dataclass(frozen=True, slots=True)
class JobView:
    """One job; `error` says why it failed, or why it waits."""

    id: int
    kind: str
    subject: str
    facts: Mapping[str, Any]
    state: str
    actor: str
    progress: Mapping[str, Any]
    result: Mapping[str, Any]
    error: str
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done."""
        return self.state in rows.OPEN_STATES


def get_job(hub: Hub, job_id: int) -> JobView:
    """One job."""
    with hub.database.read() as session:
        job = session.get(Job, job_id)
    if job is None:
        raise NotFoundError(f"There is no job {job_id}.", code="no_job", id=job_id)
    return _view(job)


def newest(hub: Hub, kind: str, subject: str | None = None) -> JobView | None:
    """The last one of a kind (and subject) that was asked for."""
    with hub.database.read() as session:
        job = rows.newest(session, kind, subject)
    return _view(job) if job else None


def newest_by_subject(hub: Hub, kind: str) -> dict[str, JobView]:
    """The last one of a kind for each subject."""
    with hub.database.read() as session:
        found = rows.newest_by_subject(session, kind)
    return {subject: _view(job) for subject, job in found.items()}


def _view(job: Job) -> JobView:
    return JobView(
        id=job.id,
        kind=job.kind,
        subject=job.subject,
        facts=job.facts,
        state=job.state,
        actor=job.actor,
        progress=job.progress,
        result=job.result,
        error=job.error,
        asked_at=job.asked_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
    )
