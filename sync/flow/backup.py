"""Backups: taken online, sealed, proven; put back, the hub compares before it writes again."""

import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import inspect, select, update
from sqlalchemy.orm import Session

from sync.flow import erase, load
from sync.flow.hub import Hub
from sync.flow.take_in import drain
from sync.flow.turn_away import listed
from sync.gateway.vault import master_key
from sync.store import archive, audit, jobs, snapshot, state
from sync.store.scratch import scratch_folder
from sync.store.session import Tx
from sync.store.state import EPOCH
from sync.store.tables import Cursor, Dirty, Guard, Inbox, Plan, System, new_id

RESTORED = "restore"  # key of a fact
RESTORE = "restore"  # kind of the plan that shows what was re-learned
FOLDER, SUFFIX = "backups", ".backup"
SUPPRESSION = "suppression.jsonl"  # whom the hub must never hold again: outlives what is put back
MANIFEST = "manifest.json"
DROPPED = "The hub was restored from a backup meanwhile. Ask for it again."
PAUSED = "Restored from a backup: compare first, then approve."


Step = Callable[[str], None]  # told what is being done


def _silent(_step: str) -> None:
    """Nobody wants to know what is being done."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    made_at: datetime
    backend: str
    epoch: int
    tables: Mapping[str, snapshot.Contents]

    def to_json(self) -> str:
        """As it stands in the archive."""
        return json.dumps({"format": 1, **asdict(self)}, default=str, indent=1)


def passphrase(hub: Hub) -> bytes:
    """The hub's own key: what opens its credentials opens its backups."""
    own = hub.settings
    if own.secret_key is not None:
        return own.secret_key.get_secret_value().encode()
    return master_key(own.secret_key_file or own.home / "secret.key")


def folder(hub: Hub) -> Path:
    """Where backups are kept that were given no place."""
    return hub.settings.home / FOLDER


def next_name(hub: Hub) -> str:
    """A name of its own for a backup that was given none."""
    return f"kehub-{hub.now():%Y%m%d-%H%M%S}{SUFFIX}"


def note_made(hub: Hub, target: Path, actor: str) -> None:
    """Who made a backup."""
    with hub.database.write() as tx:
        audit.note(tx, actor=actor, action="backup", subject=target.name, now=hub.now(), facts={})


def make(hub: Hub, target: Path, key: bytes, step: Step = _silent) -> Manifest:
    """Writes a backup while the hub works."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = snapshot.file_name(hub.database)
    with _scratch(hub) as place:
        made_at = hub.now()
        step("copying")
        tables = snapshot.take(hub.database, place / name, hub.settings.pg_bin)
        with hub.database.read() as session:
            epoch = epoch_of(session)
        manifest = Manifest(made_at, hub.database.url.get_backend_name(), epoch, tables)
        (place / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
        (place / SUPPRESSION).write_bytes(listed(hub).content())
        step("sealing")
        with (
            archive.sealed(target, key) as sealing,
            tarfile.open(fileobj=sealing, mode="w|gz") as packed,
        ):
            for part in (MANIFEST, SUPPRESSION, name):
                packed.add(place / part, arcname=part)
    return manifest


def verify(hub: Hub, source: Path, key: bytes, step: Step = _silent) -> tuple[Manifest, list[str]]:
    """Restores into a scratch database; the names of tables that are not as they were."""
    step("opening")
    with _unpacked(hub, source, key) as (manifest, copy):
        if manifest.backend != hub.database.url.get_backend_name():
            raise archive.ArchiveError(_other(manifest))
        step("comparing")
        with snapshot.scratch(hub.database, copy, hub.settings.pg_bin) as found:
            names = sorted({*manifest.tables, *found})
            return manifest, [n for n in names if manifest.tables.get(n) != found.get(n)]


def restore(hub: Hub, source: Path, key: bytes, actor: str) -> Manifest:
    """Puts a backup back. Every system is paused until the comparison was approved.

    The hub's processes must be stopped. Whom the hub must never hold again is known from a list
    beside the database: who is on it goes again, before anything else is done.
    """
    with hub.database.read() as session:
        epoch = epoch_of(session) if _has(session, "hub_state") else 0
    with _unpacked(hub, source, key) as (manifest, copy):
        if manifest.backend != hub.database.url.get_backend_name():
            raise archive.ArchiveError(_other(manifest))
        listed(hub).merge(_part(copy.with_name(SUPPRESSION)))
        snapshot.put_back(hub.database, copy, hub.settings.pg_bin)
    with hub.database.write() as tx:
        _compare_only(hub, tx, manifest, max(epoch, manifest.epoch) + 1, actor)
    erase.after_restore(hub)
    return manifest


def epoch_of(session: Session) -> int:
    """How often this hub has been restored, counted over all its lives."""
    return int(state.get(session, EPOCH).get("number", 0))


def pending(session: Session) -> dict[str, Any] | None:
    """The restore that waits for its approval."""
    fact = state.get(session, RESTORED)
    return fact if fact and not fact.get("approved_at") else None


def start_compare(hub: Hub, tx: Tx, actor: str) -> int:
    """A plan that shows what was re-learned and what would be written; make it, then approve."""
    fact = pending(tx)
    if fact is None:
        raise LookupError("No restore waits for approval.")
    row = Plan(kind=RESTORE, systems=fact["systems"], actor=actor, created_at=hub.now())
    tx.add(row)
    tx.flush()
    return row.id


def begin_approval(hub: Hub, tx: Tx, plan_id: int, actor: str) -> bool:
    """Notes that a comparison was approved; `go_on` does the rest. False where nothing waits."""
    fact = pending(tx)
    if fact is None:
        return False
    noted = {"approving": plan_id, "approver": actor}
    state.put(tx, RESTORED, {**fact, **noted}, hub.now())
    tx.execute(update(Plan).where(Plan.id == plan_id).values(state="applying"))
    return True


def go_on(hub: Hub) -> None:
    """Carries an approval out that was noted; nothing where none was."""
    with hub.database.read() as session:
        fact = pending(session)
    if fact is None or "approving" not in fact:
        return
    approve(hub, fact["approving"], fact["approver"])


def relearned(session: Session, plan_id: int) -> dict[str, dict[str, int]]:
    """By system: how many records changed, went missing or are new since the backup."""
    return dict(session.get_one(Plan, plan_id).summary.get("relearned", {}))


def approve(hub: Hub, plan_id: int, actor: str) -> None:
    """The hub goes on: first it takes in all that the systems hold, then it writes. Repeatable."""
    with hub.database.write() as tx:
        fact = pending(tx)
        if fact is None:
            return
        plan = tx.get_one(Plan, plan_id)
        ids = list(fact["systems"])
        tx.execute(update(System).where(System.id.in_(ids)).values(hold_out=True))
        tx.execute(
            update(System)
            .where(System.id.in_(ids))
            .values(state="live", state_reason="", state_hint="")
        )
        plan.state = "applying"
        _allow_deletes(hub, tx, ids, actor)
        for system_id, positions in plan.basis.get("cursors", {}).items():
            for name, position in positions.items():
                _move_cursor(hub, tx, int(system_id), name, position)
        audit.note(
            tx,
            actor=actor,
            action="restore.approve",
            subject=str(plan_id),
            now=hub.now(),
            facts={"epoch": fact["epoch"]},
        )
    load.hand_over(hub, plan_id)
    for _ in range(8):
        if not sum(drain(hub, system_id) for system_id in ids):
            break
    with hub.database.write() as tx:
        tx.execute(update(System).where(System.id.in_(ids)).values(hold_out=False))
        done = {**fact, "approved_at": hub.now().isoformat(), "approved_by": actor}
        state.put(tx, RESTORED, done, hub.now())
        for system_id in ids:
            tx.after_commit(hub.waker.dispatch, system_id)


def _compare_only(hub: Hub, tx: Tx, manifest: Manifest, epoch: int, actor: str) -> None:
    now = hub.now()
    ids = list(tx.scalars(select(System.id).where(System.state.in_(("live", "broken")))))
    tx.execute(
        update(System)
        .where(System.id.in_(ids))
        .values(state="paused", state_reason=PAUSED, state_hint="kehub restore --approve")
    )
    tx.execute(update(System).values(token=None, token_lease=None))
    for table in (Inbox, Dirty, Cursor):
        tx.execute(update(table).values(lease_until=None, lease_token=None))
    jobs.drop_open(tx, DROPPED, now)
    # What was read before the backup is old by now; it is read again.
    tx.execute(
        update(Inbox)
        .where(Inbox.state == "waiting", Inbox.delivery_id.startswith("poll:"))
        .values(payload=None, gone=False, read_at=None)
    )
    state.put(tx, EPOCH, {"number": epoch, "mark": new_id()}, now)
    fact = {
        "epoch": epoch,
        "backup_of": manifest.made_at.isoformat(),
        "restored_at": now.isoformat(),
        "systems": ids,
    }
    state.put(tx, RESTORED, fact, now)
    audit.note(tx, actor=actor, action="restore", subject=str(epoch), now=now, facts=fact)


def _allow_deletes(hub: Hub, tx: Tx, ids: list[int], actor: str) -> None:
    """The comparison has shown what is gone; approving it is the answer to the guard."""
    for system_id in ids:
        tx.add(
            Guard(
                system_id=system_id,
                kind="deletes",
                direction="in",
                reason="Deletes shown by the comparison after a restore.",
                facts={},
                state="allowed",
                decided_by=actor,
                decided_at=hub.now(),
                created_at=hub.now(),
            )
        )


def _move_cursor(hub: Hub, tx: Tx, system_id: int, name: str, position: Any) -> None:
    tx.execute(
        update(Cursor)
        .where(Cursor.system_id == system_id, Cursor.object == name)
        .values(position=position, due_at=hub.now())
    )


def _scratch(hub: Hub) -> AbstractContextManager[Path]:
    return scratch_folder(hub.settings.home, "backup-")


def _part(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _has(session: Session, table: str) -> bool:
    return inspect(session.connection()).has_table(table)


def _other(manifest: Manifest) -> str:
    return f"The backup is of a {manifest.backend} database; this hub has another kind."


@contextmanager
def _unpacked(hub: Hub, source: Path, key: bytes) -> Iterator[tuple[Manifest, Path]]:
    with _scratch(hub) as place:
        with (
            archive.opened(source, key) as opening,
            tarfile.open(fileobj=opening, mode="r|gz") as packed,
        ):
            packed.extractall(place, filter="data")
        facts = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        tables = {name: snapshot.Contents(**found) for name, found in facts["tables"].items()}
        made_at = datetime.fromisoformat(facts["made_at"])
        manifest = Manifest(made_at, facts["backend"], facts["epoch"], tables)
        name = snapshot.SQLITE if manifest.backend == "sqlite" else snapshot.POSTGRESQL
        yield manifest, place / name
