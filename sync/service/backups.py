"""Backups and restores. `sync/BACKUPS.md` says how to open one with standard tools."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from sync.flow import backup as flow
from sync.flow import jobs as flow_jobs
from sync.flow.hub import Hub
from sync.service import jobs, plans
from sync.service.errors import NotFoundError, ServiceError
from sync.service.jobs import JobView
from sync.service.plans import PlanView
from sync.store import audit
from sync.store.archive import ArchiveBusyError, ArchiveError
from sync.store.session import Tx
from sync.store.snapshot import SnapshotError
from sync.store.tables import Plan, System


@dataclass(frozen=True, slots=True)
class BackupView:
    """A backup: what it holds; `differing` names tables that a verify found to differ."""

    path: Path
    made_at: datetime
    backend: str
    epoch: int
    size: int
    rows: Mapping[str, int]
    differing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredBackup:
    """A backup in the hub's own folder."""

    name: str
    made_at: datetime
    size: int


@dataclass(frozen=True, slots=True)
class Restored:
    """A restore that waits for its approval."""

    epoch: int
    backup_of: datetime
    restored_at: datetime
    systems: tuple[str, ...]
    is_going_on: bool  # approved; what the systems hold is being taken in
    plan: PlanView | None  # the newest comparison


def backup(
    hub: Hub, path: Path | None = None, *, passphrase: str | None = None, actor: str = ""
) -> BackupView:
    """Writes a backup while the hub works; the master key seals it unless one is given.

    Without a path it gets a name of its own in the folder `backups` of the data folder.
    """
    target = path or folder(hub) / flow.next_name(hub)
    try:
        manifest = flow.make(hub, target, _key(hub, passphrase))
    except (ArchiveBusyError, SnapshotError) as error:
        raise ServiceError(str(error), code="no_backup") from error
    flow.note_made(hub, target, actor)
    return _view(target, manifest)


def start_backup(hub: Hub, *, actor: str) -> JobView:
    """The same in a worker, in the hub's own folder and under the master key."""
    with hub.database.write() as tx:
        job_id = flow_jobs.ask(hub, tx, flow_jobs.BACKUP, actor=actor, name=flow.next_name(hub))
    return jobs.get_job(hub, job_id)


def start_proof(hub: Hub, name: str, *, actor: str) -> JobView:
    """Has a worker prove a listed backup."""
    stored(hub, name)
    with hub.database.write() as tx:
        job_id = flow_jobs.ask(hub, tx, flow_jobs.PROVE, name, actor=actor)
    return jobs.get_job(hub, job_id)


def last_backup(hub: Hub) -> JobView | None:
    """The newest backup that a worker was asked for."""
    return jobs.newest(hub, flow_jobs.BACKUP)


def proofs(hub: Hub) -> dict[str, JobView]:
    """By file the newest proof that a worker was asked for."""
    return jobs.newest_by_subject(hub, flow_jobs.PROVE)


def folder(hub: Hub) -> Path:
    """Where backups are kept that were given no place."""
    return flow.folder(hub)


def list_backups(hub: Hub) -> list[StoredBackup]:
    """The backups in the hub's own folder, newest first."""
    found = []
    for path in folder(hub).glob(f"*{flow.SUFFIX}"):
        facts = path.stat()
        made_at = datetime.fromtimestamp(facts.st_mtime, UTC)
        found.append(StoredBackup(path.name, made_at, facts.st_size))
    return sorted(found, key=lambda each: (each.made_at, each.name), reverse=True)


def stored(hub: Hub, name: str) -> Path:
    """The file of a listed backup."""
    if name not in {each.name for each in list_backups(hub)}:
        raise NotFoundError(f"There is no backup {name}.", code="no_such_backup", name=name)
    return folder(hub) / name


def note_download(hub: Hub, name: str, *, actor: str) -> None:
    """Who fetched a backup."""
    with hub.database.write() as tx:
        audit.note(tx, actor=actor, action="backup.download", subject=name, now=hub.now(), facts={})


def verify(hub: Hub, path: Path, *, passphrase: str | None = None) -> BackupView:
    """Restores into a scratch database and compares every table's count and hash."""
    try:
        manifest, differing = flow.verify(hub, path, _key(hub, passphrase))
    except (ArchiveError, SnapshotError) as error:
        raise ServiceError(str(error), code="bad_backup") from error
    return _view(path, manifest, tuple(differing))


def restore(hub: Hub, path: Path, *, passphrase: str | None = None, actor: str = "") -> BackupView:
    """Puts a backup back; all systems are paused until `approve_restore`. Stop the hub first."""
    try:
        manifest = flow.restore(hub, path, _key(hub, passphrase), actor)
    except (ArchiveError, SnapshotError) as error:
        raise ServiceError(str(error), code="bad_backup") from error
    return _view(path, manifest)


def pending_restore(hub: Hub) -> Mapping[str, Any] | None:
    """The restore that waits for approval: epoch, backup_of, restored_at, systems."""
    with hub.database.read() as session:
        return flow.pending(session)


def restored_state(hub: Hub) -> Restored | None:
    """The restore that waits, with its newest comparison; None while nothing waits."""
    with hub.database.read() as session:
        fact = flow.pending(session)
        if fact is None:
            return None
        names = dict(session.execute(select(System.id, System.name)).all())
        since = datetime.fromisoformat(fact["restored_at"])
        plan_id = session.scalar(
            select(func.max(Plan.id)).where(Plan.kind == flow.RESTORE, Plan.created_at >= since)
        )
    return Restored(
        epoch=fact["epoch"],
        backup_of=datetime.fromisoformat(fact["backup_of"]),
        restored_at=since,
        systems=tuple(names.get(i, str(i)) for i in fact["systems"]),
        is_going_on="approving" in fact,
        plan=plans.get_plan(hub, plan_id) if plan_id else None,
    )


def start_compare(hub: Hub, *, actor: str = "") -> PlanView:
    """Starts the comparison in a worker."""
    with hub.database.write() as tx:
        plan_id = _begin_compare(hub, tx, actor)
        flow_jobs.ask(hub, tx, flow_jobs.PLAN, str(plan_id), actor=actor)
    return plans.get_plan(hub, plan_id)


def compare_restore(hub: Hub, *, actor: str = "") -> PlanView:
    """Reads all systems and shows what was re-learned and what would be written.

    `summary["relearned"]` counts by system: changed, missing, new, and new ones that the hub
    itself had made after the backup (by_key).
    """
    with hub.database.write() as tx:
        plan_id = _begin_compare(hub, tx, actor)
    return plans.make_plan(hub, plan_id)


def approve_restore(hub: Hub, plan_id: int, *, actor: str = "") -> None:
    """Lets the hub go on as the comparison has shown."""
    _check_comparison(hub, plan_id)
    with hub.database.write() as tx:
        if not flow.begin_approval(hub, tx, plan_id, actor):
            return
        job_id = flow_jobs.ask_here(hub, tx, flow_jobs.RESTORE, str(plan_id), actor=actor)
    jobs.ended_well(jobs.finish(hub, job_id))


def start_approval(hub: Hub, plan_id: int, *, actor: str = "") -> None:
    """The same in a worker."""
    _check_comparison(hub, plan_id)
    with hub.database.write() as tx:
        if flow.begin_approval(hub, tx, plan_id, actor):
            flow_jobs.ask(hub, tx, flow_jobs.RESTORE, str(plan_id), actor=actor)


def approval(hub: Hub, plan_id: int) -> JobView | None:
    """How far an approval has come that a worker was asked for."""
    return jobs.newest(hub, flow_jobs.RESTORE, str(plan_id))


def _begin_compare(hub: Hub, tx: Tx, actor: str) -> int:
    try:
        return flow.start_compare(hub, tx, actor)
    except LookupError as error:
        raise ServiceError(str(error), code="no_restore") from error


def _check_comparison(hub: Hub, plan_id: int) -> None:
    view = plans.get_plan(hub, plan_id)
    if view.kind != flow.RESTORE or view.state not in {"ready", "applying", "applied"}:
        raise ServiceError(
            f"Plan {plan_id} is no finished comparison after a restore.",
            code="not_compared",
            hint="Compare again, then approve.",
            id=plan_id,
        )


def _key(hub: Hub, passphrase: str | None) -> bytes:
    return passphrase.encode() if passphrase else flow.passphrase(hub)


def _view(path: Path, manifest: flow.Manifest, differing: tuple[str, ...] = ()) -> BackupView:
    return BackupView(
        path=path,
        made_at=manifest.made_at,
        backend=manifest.backend,
        epoch=manifest.epoch,
        size=path.stat().st_size,
        rows={name: found.rows for name, found in manifest.tables.items()},
        differing=differing,
    )
