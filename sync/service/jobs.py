"""Long work in the workers: how far it has come, and how it ended."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync.flow import jobs as flow
from sync.flow.hub import Hub
from sync.service.errors import NotFoundError, ServiceError
from sync.store import jobs as rows
from sync.store.tables import Job

LOOK_EVERY = 0.2  # seconds between two looks at a job that another process does


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


def finish(hub: Hub, job_id: int) -> JobView:
    """Does a job in this process, or waits for who is at it and goes on when that one is lost.

    Raises what it failed with here; what failed elsewhere is told by the view.
    """
    while True:
        found = get_job(hub, job_id)
        if not found.is_open:
            return found
        if error := flow.work(hub, job_id):
            raise error
        if get_job(hub, job_id).is_open:
            time.sleep(LOOK_EVERY)


def ended_well(job: JobView) -> JobView:
    """The same job. ServiceError with its sentence where it failed."""
    if job.state == "failed":
        raise ServiceError(job.error, code="job_failed", reason=job.error)
    return job


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
