"""Backups and restores. `sync/BACKUPS.md` says how to open one with standard tools."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sync.flow import backup as flow
from sync.flow import plan
from sync.flow.hub import Hub
from sync.service import plans
from sync.service.errors import ServiceError
from sync.service.plans import PlanView
from sync.store.archive import ArchiveError
from sync.store.snapshot import SnapshotError


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


def backup(hub: Hub, path: Path, *, passphrase: str | None = None) -> BackupView:
    """Writes a backup while the hub works; the master key seals it unless one is given."""
    try:
        manifest = flow.make(hub, path, _key(hub, passphrase))
    except SnapshotError as error:
        raise ServiceError(str(error), code="no_backup") from error
    return _view(path, manifest)


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


def compare_restore(hub: Hub, *, actor: str = "") -> PlanView:
    """Reads all systems and shows what was re-learned and what would be written.

    `summary["relearned"]` counts by system: changed, missing, new, and new ones that the hub
    itself had made after the backup (by_key).
    """
    try:
        plan_id = flow.start_compare(hub, actor)
    except LookupError as error:
        raise ServiceError(str(error), code="no_restore") from error
    plan.make_plan(hub, plan_id)
    return plans.get_plan(hub, plan_id)


def approve_restore(hub: Hub, plan_id: int, *, actor: str = "") -> None:
    """Lets the hub go on as the comparison has shown."""
    view = plans.get_plan(hub, plan_id)
    if view.kind != flow.RESTORE or view.state not in {"ready", "applying", "applied"}:
        raise ServiceError(
            f"Plan {plan_id} is no finished comparison after a restore.",
            code="plan_not_ready",
            hint="Compare again, then approve.",
        )
    flow.approve(hub, plan_id, actor)


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
