"""Long work that somebody asked for: taken under a lease, resumed when its process dies.

What is asked for stands in a row, so neither a lost message nor `kill -9` loses it: the sweep
finds what nobody took, and what lost its worker. Of each kind and subject one is open at most.
A command does its job itself, under the same lease; a worker goes on with it when it is killed.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import update
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from connectors.sdk.errors import TransientError
from sync.core import backoff
from sync.flow import (
    backup,
    drift,
    load,
    mapping_change,
    memory,
    plan,
    reconcile_all,
    recover,
    rollback,
)
from sync.flow.hub import Hub
from sync.store import disk
from sync.store import jobs as rows
from sync.store.archive import ArchiveBusyError, ArchiveError
from sync.store.session import Tx
from sync.store.snapshot import SnapshotError
from sync.store.tables import Job, Plan, new_id

BACKUP, PROVE, THRESHOLDS, COUNT = "backup", "prove", "thresholds", "rollback_count"
PLAN, APPLY, MAPPING, RESTORE = "plan", "apply", "mapping", "restore"
REPLAY, RECONCILE = "replay", "reconcile"

LEASE = timedelta(seconds=60)
BEAT = 15.0  # seconds between two renewals of the lease
PATIENCE = timedelta(seconds=10)  # for the first message; then the sweep sends another
AGAIN = timedelta(seconds=60)  # between two messages of the sweep
MOST = 5  # times that a job is begun without an end
_PASSING = (ArchiveBusyError, TransientError)
_ASKED_ANEW = {RECONCILE}  # who asked is told that a system does not answer, and asks again
_TOLD = (ArchiveError, SnapshotError, LookupError, FileNotFoundError)
log = structlog.get_logger()

Note = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a job is about."""

    id: int
    subject: str
    facts: Mapping[str, Any]
    actor: str


def ask(hub: Hub, tx: Tx, kind: str, subject: str = "", *, actor: str = "", **facts: Any) -> int:
    """Has a worker do it. One that is open already serves for this wish, too."""
    job_id = ask_here(hub, tx, kind, subject, actor=actor, **facts)
    tx.after_commit(hub.waker.job, job_id)
    return job_id


def ask_here(
    hub: Hub, tx: Tx, kind: str, subject: str = "", *, actor: str = "", **facts: Any
) -> int:
    """The same without a message: the caller works on it next. Should it die, the sweep calls."""
    now = hub.now()
    due_at = now + PATIENCE
    return rows.ask(tx, kind, subject, facts, actor=actor, now=now, due_at=due_at)


def work(hub: Hub, job_id: int) -> Exception | None:
    """Does a job, unless another worker is at it or it has ended; returns what it failed with."""
    token, now = new_id(), hub.now()
    with hub.database.write() as tx:
        job = rows.take(tx, job_id, token, now=now, until=now + LEASE)
    if job is None:
        return None
    asked = Asked(job.id, job.subject, job.facts, job.actor)
    if job.attempts > MOST:
        _give_up(hub, job, token, f"Begun {MOST} times, and each time the worker was lost.")
        return None
    try:
        with held(hub, job_id, token):
            result = _WORK[job.kind](hub, asked, _noting(hub, job_id, token))
    except Exception as error:  # noqa: BLE001  however it fails, the row tells it
        _settle(hub, job, token, error)
        return error
    except BaseException:  # Ctrl-C: who goes on need not wait for the end of the lease
        with hub.database.write() as tx:
            rows.postpone(tx, job_id, token, hub.now(), "", refund=True)
        raise
    finally:
        memory.give_back()
    with hub.database.write() as tx:
        rows.end(tx, job_id, token, result, hub.now())
    return None


def resume_due(hub: Hub) -> int:
    """Does in this process what was asked for and is not being done; returns how many jobs."""
    with hub.database.read() as session:
        due = rows.due(session, hub.now())
    for job_id in due:
        work(hub, job_id)
    return len(due)


def abandon(hub: Hub, kind: str, subject: str, reason: str) -> None:
    """Ends an open job without doing it; whoever is at it can no longer say how it ended."""
    with hub.database.write() as tx:
        if rows.drop(tx, kind, subject, reason, hub.now()):
            _tell_plan(tx, kind, subject, reason)


def wake_due(hub: Hub) -> None:
    """Messages for what was asked for and is not being done."""
    now = hub.now()
    with hub.database.read() as session:
        if not rows.has_due(session, now):
            return
    with hub.database.write() as tx:
        for job_id in rows.wake_due(tx, now, AGAIN):
            tx.after_commit(hub.waker.job, job_id)


@contextmanager
def held(hub: Hub, job_id: int, token: str, beat: float = BEAT) -> Iterator[None]:
    """Renews the lease for as long as the work takes."""
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(beat):
            try:
                with hub.database.write() as tx:
                    if not rows.keep(tx, job_id, token, hub.now() + LEASE):
                        return
            except SQLAlchemyError as error:
                log.warning("lease_not_renewed", job=job_id, reason=str(error))

    thread = threading.Thread(target=renew, name=f"job-{job_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _noting(hub: Hub, job_id: int, token: str) -> Note:
    def note(progress: Mapping[str, Any]) -> None:
        with hub.database.write() as tx:
            rows.note(tx, job_id, token, progress)

    return note


def _settle(hub: Hub, job: Job, token: str, error: Exception) -> None:
    """Later, where something does not answer now; else the end, with a sentence."""
    if disk.is_full(error, hub.settings.home):
        reason = (
            f"The disk that holds {hub.settings.home} is full. Free some space, then try again."
        )
    elif job.kind not in _ASKED_ANEW and (
        isinstance(error, _PASSING) or (isinstance(error, OperationalError) and job.attempts < MOST)
    ):
        wait = backoff.delay(job.attempts, recover.hint_of(error), hub.chance())
        with hub.database.write() as tx:
            due_at = hub.now() + timedelta(seconds=wait)
            refund = isinstance(error, _PASSING)
            rows.postpone(tx, job.id, token, due_at, str(error), refund=refund)
        return
    elif isinstance(error, _TOLD) or recover.is_expected(error):
        reason = str(error)
    else:
        log.error("job_failed", job=job.id, kind=job.kind, exc_info=error)
        reason = f"Something went wrong on our side ({type(error).__name__}). It has been logged."
    _give_up(hub, job, token, reason)


def _give_up(hub: Hub, job: Job, token: str, reason: str) -> None:
    with hub.database.write() as tx:
        if rows.end(tx, job.id, token, {}, hub.now(), reason):
            _tell_plan(tx, job.kind, job.subject, reason)


def _tell_plan(tx: Tx, kind: str, subject: str, reason: str) -> None:
    if kind in {PLAN, RECONCILE}:
        tx.execute(
            update(Plan)
            .where(Plan.id == int(subject), Plan.state == "reading")
            .values(state="failed", error=reason)
        )


# -- what each kind does ------------------------------------------------------------------------
def _back_up(hub: Hub, asked: Asked, note: Note) -> dict[str, Any]:
    def step(name: str) -> None:
        note({"step": name})

    target = backup.folder(hub) / str(asked.facts["name"])
    manifest = backup.make(hub, target, backup.passphrase(hub), step)
    backup.note_made(hub, target, asked.actor)
    return {"name": target.name, "size": target.stat().st_size, **_counts(manifest)}


def _prove(hub: Hub, asked: Asked, note: Note) -> dict[str, Any]:
    def step(name: str) -> None:
        note({"step": name})

    path = backup.folder(hub) / asked.subject
    manifest, differing = backup.verify(hub, path, backup.passphrase(hub), step)
    return {"name": path.name, "differing": differing, **_counts(manifest)}


def _counts(manifest: backup.Manifest) -> dict[str, int]:
    found = manifest.tables.values()
    return {"rows": sum(each.rows for each in found), "tables": len(found)}


def _thresholds(hub: Hub, _asked: Asked, _note: Note) -> dict[str, Any]:
    from sync.flow import thresholds  # noqa: PLC0415  loads numpy, which no other job needs

    return {"records": thresholds.work_out(hub)["records"]}


def _count_rollback(hub: Hub, asked: Asked, note: Note) -> dict[str, Any]:
    return rollback.counted(hub, int(asked.subject), note).as_json()


def _plan(hub: Hub, asked: Asked, _note: Note) -> dict[str, Any]:
    plan.make_plan_anew(hub, int(asked.subject))
    return {}


def _apply(hub: Hub, asked: Asked, _note: Note) -> dict[str, Any]:
    load.hand_over(hub, int(asked.subject))
    return {}


def _change_mapping(hub: Hub, asked: Asked, _note: Note) -> dict[str, Any]:
    mapping_change.carry_out(hub, int(asked.facts["system"]), asked.facts["plan"])
    return {}


def _go_on_restored(hub: Hub, _asked: Asked, _note: Note) -> dict[str, Any]:
    backup.go_on(hub)
    return {}


def _reconcile(hub: Hub, asked: Asked, _note: Note) -> dict[str, Any]:
    return reconcile_all.carry_out(hub, int(asked.subject), int(asked.facts["run"]))


def _replay(hub: Hub, asked: Asked, _note: Note) -> dict[str, Any]:
    drift.replay(hub, hub.systems.open(int(asked.facts["system"])))
    return {}


_WORK: Mapping[str, Callable[[Hub, Asked, Note], Mapping[str, Any]]] = {
    BACKUP: _back_up,
    PROVE: _prove,
    THRESHOLDS: _thresholds,
    COUNT: _count_rollback,
    PLAN: _plan,
    APPLY: _apply,
    MAPPING: _change_mapping,
    RESTORE: _go_on_restored,
    REPLAY: _replay,
    RECONCILE: _reconcile,
}
