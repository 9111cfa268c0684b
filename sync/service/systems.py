"""Systems: which there are, how they are; adding, testing, pausing, resuming."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources.abc import Traversable
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import func, select, update

from connectors.sdk import registry
from connectors.sdk.config import FormField, form_fields
from connectors.sdk.contract import ReceivesWebhooks, SubscribesWebhooks
from mapping.errors import MappingError
from mapping.loader import load
from sync.flow import backup, tenants
from sync.flow.hub import Hub
from sync.gateway.systems import read_config, split_secrets
from sync.service.errors import ServiceError
from sync.service.named import system_named, unknown_system
from sync.store import audit, cursors, runs
from sync.store.session import Database, Tx
from sync.store.tables import Change, Cursor, Dirty, Inbox, Link, System
from sync.store.tables import Mapping as MappingRow

_NAME = re.compile(r"^[a-z][a-z0-9_-]{0,39}$")
_linked: "WeakKeyDictionary[Database, tuple[int | None, dict[int, int]]]" = WeakKeyDictionary()
STATES = ("draft", "testing", "live", "paused", "broken")


@dataclass(frozen=True, slots=True)
class SystemView:
    """A system as screens and scripts show it. Times are aware UTC, lag is in seconds."""

    id: int
    name: str
    kind: str
    label: str
    state: str
    reason: str
    hint: str
    url: str
    lag_seconds: float | None
    inbox: int
    dirty: int
    dead_letters: int
    links: int
    calls_read: int
    calls_write: int
    records_written: int
    polled_at: datetime | None
    changed_at: datetime | None
    delivered_at: datetime | None
    hold_in: bool
    hold_out: bool
    delete_policy: str
    poll_seconds: float | None
    settings: Mapping[str, Any]
    hook_url: str
    hook_expires: str | None
    hook_problem: str
    problem: str

    @property
    def waiting(self) -> int:
        """Rows that wait in either direction."""
        return self.inbox + self.dirty

    @property
    def heard_at(self) -> datetime | None:
        """When it last answered a poll, or sent something itself."""
        return max((at for at in (self.polled_at, self.delivered_at) if at), default=None)


@dataclass(frozen=True, slots=True)
class ConnectorView:
    """A kind of system that can be added."""

    name: str
    label: str
    fields: tuple[FormField, ...]


def connector_kinds(language: str = "en") -> list[ConnectorView]:
    """All connectors with their settings forms."""
    return [
        ConnectorView(name, cls.label, tuple(form_fields(cls.config_model, language)))
        for name, cls in registry.all().items()
    ]


def connector_kind(name: str, language: str = "en") -> ConnectorView:
    """One connector with its settings form; SetupError where there is none of that name."""
    cls = registry.get(name)
    return ConnectorView(name, cls.label, tuple(form_fields(cls.config_model, language)))


def list_systems(hub: Hub) -> list[SystemView]:
    """All systems, in the order they were added."""
    with hub.database.read() as session:
        rows = list(session.scalars(select(System).order_by(System.id)))
        counts = {
            "inbox": _count_by(session, Inbox.system_id, Inbox.state == "waiting"),
            "dirty": _count_by(session, Dirty.system_id),
            "links": _count_links(hub, session),
        }
        errors = dict(
            session.execute(
                select(Cursor.system_id, func.max(Cursor.error))
                .where(Cursor.error != "")
                .group_by(Cursor.system_id)
            ).all()
        )
        dead = {row.id: runs.open_dead(session, row.id) for row in rows}
        oldest = {row.id: _oldest(session, row.id) for row in rows}
    return [
        _view(
            hub,
            row,
            inbox=counts["inbox"].get(row.id, 0),
            dirty=counts["dirty"].get(row.id, 0),
            links=counts["links"].get(row.id, 0),
            dead=dead[row.id],
            oldest=oldest[row.id],
            problem=str(errors.get(row.id, "")),
        )
        for row in rows
    ]


def list_names(hub: Hub) -> list[str]:
    """The names of all systems, in the order they were added."""
    with hub.database.read() as session:
        return list(session.scalars(select(System.name).order_by(System.id)))


def poll_now(hub: Hub, name: str) -> SystemView:
    """Reads what changed as soon as a worker is free, and takes up what waits."""
    with hub.database.write() as tx:
        row = system_named(tx, name)
        if row.state != "live":
            raise ServiceError(
                f"{name} is {row.state}; only a live system is polled.",
                code="not_polled",
                name=name,
                state=row.state,
            )
        cursors.hurry(tx, row.id, hub.now())
        tx.after_commit(hub.waker.poll, row.id)
        tx.after_commit(hub.waker.take_in, row.id)
        tx.after_commit(hub.waker.dispatch, row.id)
    return get_system(hub, name)


def get_system(hub: Hub, name: str) -> SystemView:
    """One system by name."""
    for view in list_systems(hub):
        if view.name == name:
            return view
    raise unknown_system(name)


def add_system(
    hub: Hub,
    *,
    name: str,
    kind: str,
    values: Mapping[str, Any],
    label: str = "",
    actor: str = "",
    check: bool = True,
) -> SystemView:
    """Adds a system in state draft with its connector's default mappings.

    `values` are the connector's settings, secrets included. With `check` one cheap call is made
    first. Raises ServiceError or SetupError with the sentence to show.
    """
    if not _NAME.match(name):
        raise ServiceError(
            f"“{name}” cannot be a system's name.",
            code="bad_name",
            hint="Use a lower-case letter first, then letters, digits, - or _, 40 at most.",
            name=name,
        )
    connector_class = registry.get(kind)
    read_config(connector_class, values)
    plain, secret = split_secrets(connector_class, values)
    now = hub.now()
    with hub.database.write() as tx:
        if tx.scalar(select(System.id).where(System.name == name)):
            raise ServiceError(
                f"There is a system named “{name}” already.", code="name_taken", name=name
            )
        row = System(
            name=name,
            kind=kind,
            label=label or connector_class.label,
            state="draft",
            settings=plain,
            hook_key=secrets.token_urlsafe(24),
            created_at=now,
        )
        tx.add(row)
        tx.flush()
        row.credentials = hub.systems.seal_credentials(row.id, secret)
        _add_mappings(hub, tx, row, actor)
        _audit(tx, hub, actor, "system.add", name, {"kind": kind})
        system_id = row.id
    if check:
        try:
            opened = hub.systems.open(system_id)
            opened.connector.check()
            tenants.confirm(hub, opened)
        except Exception:
            remove_system(hub, name, actor=actor)
            raise
    return get_system(hub, name)


def change_system(
    hub: Hub,
    name: str,
    *,
    values: Mapping[str, Any] | None = None,
    delete_policy: str | None = None,
    poll_seconds: float | None = None,
    actor: str = "",
    check: bool = True,
) -> SystemView:
    """Changes settings; secrets that are not given stay as they are."""
    with hub.database.write() as tx:
        row = system_named(tx, name)
        before = (dict(row.settings), row.credentials)
        if values is not None:
            connector_class = registry.get(row.kind)
            plain, secret = split_secrets(connector_class, values)
            kept = {
                **hub.systems.credentials(row.id, row.credentials),
                **{k: v for k, v in secret.items() if v},
            }
            read_config(connector_class, {**plain, **kept})
            row.settings = plain
            row.credentials = hub.systems.seal_credentials(row.id, kept)
            row.token = None
        if delete_policy is not None:
            row.delete_policy = delete_policy
        if poll_seconds is not None:
            row.poll_seconds = poll_seconds
        _audit(tx, hub, actor, "system.change", name, {})
        system_id = row.id
    if check and values is not None:
        try:
            opened = hub.systems.open(system_id)
            opened.connector.check()
            tenants.confirm(hub, opened)
        except Exception:
            with hub.database.write() as tx:
                row = system_named(tx, name)
                row.settings, row.credentials = before
                row.token = None  # it may be one for the settings that were refused
            raise
        resume_system(hub, name, actor=actor, only_broken=True)
    return get_system(hub, name)


def test_system(hub: Hub, name: str) -> SystemView:
    """One cheap call; SetupError says what to mend. A broken system that answers goes on."""
    with hub.database.read() as session:
        system_id = session.scalar(select(System.id).where(System.name == name))
    if system_id is None:
        raise unknown_system(name)
    opened = hub.systems.open(system_id)
    try:
        opened.connector.check()
        tenants.confirm(hub, opened)
    finally:
        hub.systems.flush_counts(opened)
    with hub.database.write() as tx:
        row = system_named(tx, name)
        if row.state == "draft":
            row.state = "testing"
    resume_system(hub, name, actor="test", only_broken=True)
    return get_system(hub, name)


def pause_system(hub: Hub, name: str, *, actor: str = "") -> SystemView:
    """Stops polling, taking in and dispatch; what waits stays."""
    with hub.database.write() as tx:
        row = system_named(tx, name)
        if row.state not in {"live", "broken"}:
            raise ServiceError(
                f"{name} is {row.state}; only a live system can be paused.",
                code="not_live",
                name=name,
                state=row.state,
            )
        row.state, row.state_reason = "paused", f"Paused by {actor or 'a user'}."
        row.state_hint = ""
        _audit(tx, hub, actor, "system.pause", name, {})
    return get_system(hub, name)


def resume_system(hub: Hub, name: str, *, actor: str = "", only_broken: bool = False) -> SystemView:
    """Lets a paused or broken system go on."""
    with hub.database.write() as tx:
        row = system_named(tx, name)
        waits = backup.pending(tx)
        if waits is not None and row.id in waits["systems"]:
            raise ServiceError(
                f"{name} was restored from a backup: compare and approve first.",
                code="restore_pending",
                hint="Run `kehub restore --approve`.",
                name=name,
            )
        if row.state == "broken" or (row.state == "paused" and not only_broken):
            row.state, row.state_reason, row.state_hint = "live", "", ""
            now = hub.now()
            cursors.hurry(tx, row.id, now)
            for table in (Inbox, Dirty):
                tx.execute(update(table).where(table.system_id == row.id).values(due_at=now))
            _audit(tx, hub, actor, "system.resume", name, {})
            tx.after_commit(hub.waker.poll, row.id)
            tx.after_commit(hub.waker.dispatch, row.id)
    return get_system(hub, name)


def remove_system(hub: Hub, name: str, *, actor: str = "") -> None:
    """Removes a system that was never live, with its mappings; nothing remote is touched."""
    with hub.database.write() as tx:
        row = system_named(tx, name)
        if tx.scalar(select(Link.id).where(Link.system_id == row.id).limit(1)):
            raise ServiceError(
                f"{name} has linked records and cannot be removed.",
                code="has_links",
                hint="Pause it instead.",
                name=name,
            )
        tx.delete(row)
        _audit(tx, hub, actor, "system.remove", name, {})


def _add_mappings(hub: Hub, tx: Tx, row: System, actor: str) -> None:
    for file in default_mappings(hub, row.kind, row.name):
        written = file.read_text(encoding="utf-8")
        spec = load(written, name=str(file))
        tx.add(
            MappingRow(
                system_id=row.id,
                object=spec.object,
                entity=spec.entity,
                version=1,
                state="live",
                text=written,
                author=actor or "default",
                created_at=hub.now(),
            )
        )


def default_mappings(hub: Hub, kind: str, name: str) -> list[Traversable]:
    """The connector's own mapping files, each replaced by the site's file of the same object.

    Site files stand in `<home>/config/mappings/<system>/<object>.yaml`.
    """
    site = hub.settings.home / "config" / "mappings" / name
    files: list[Traversable] = [
        site / file.name if (site / file.name).is_file() else file
        for file in registry.mapping_files(registry.get(kind))
    ]
    if not files:
        raise MappingError(f"The connector {kind} brings no mapping.")
    return files


def _view(
    hub: Hub,
    row: System,
    *,
    inbox: int,
    dirty: int,
    links: int,
    dead: int,
    oldest: datetime | None,
    problem: str,
) -> SystemView:
    connector = registry.all().get(row.kind)
    takes_hooks = connector is not None and issubclass(connector, ReceivesWebhooks)
    subscribes = connector is not None and issubclass(connector, SubscribesWebhooks)
    return SystemView(
        id=row.id,
        name=row.name,
        kind=row.kind,
        label=row.label,
        state=row.state,
        reason=row.state_reason,
        hint=row.state_hint,
        url=str(row.settings.get("base_url") or row.settings.get("url") or ""),
        lag_seconds=(hub.now() - oldest).total_seconds() if oldest else 0.0,
        inbox=inbox,
        dirty=dirty,
        dead_letters=dead,
        links=links,
        calls_read=row.calls_read,
        calls_write=row.calls_write,
        records_written=row.records_written,
        polled_at=row.polled_at,
        changed_at=row.changed_at,
        delivered_at=row.delivered_at,
        hold_in=row.hold_in,
        hold_out=row.hold_out,
        delete_policy=row.delete_policy,
        poll_seconds=row.poll_seconds,
        settings=dict(row.settings),
        hook_url=hook_url(hub, row) if takes_hooks else "",
        hook_expires=str(row.hook_state.get("expires_at") or "") or None if subscribes else None,
        hook_problem=str(row.hook_state.get("problem") or ""),
        problem=problem,
    )


@dataclass(frozen=True, slots=True)
class MappingView:
    """The live mapping of one object."""

    id: int
    object: str
    entity: str
    version: int
    text: str
    author: str
    created_at: datetime


def live_mappings(hub: Hub, name: str) -> list[MappingView]:
    """The mappings that a system works with, as they were written."""
    with hub.database.read() as session:
        rows = session.scalars(
            select(MappingRow)
            .join(System, System.id == MappingRow.system_id)
            .where(System.name == name, MappingRow.state == "live")
            .order_by(MappingRow.id)
        )
        return [
            MappingView(r.id, r.object, r.entity, r.version, r.text, r.author, r.created_at)
            for r in rows
        ]


def hook_url(hub: Hub, row: System) -> str:
    """Where the system sends its webhooks; the key in it is only the first hurdle."""
    return f"{hub.settings.base_url}/hooks/{row.name}/{row.hook_key}"


def _count_by(session: Any, column: Any, *where: Any) -> dict[int, int]:
    return dict(session.execute(select(column, func.count()).where(*where).group_by(column)).all())


def _count_links(hub: Hub, session: Any) -> dict[int, int]:
    """Live links by system. Counting goes through all of them, so it waits for a change.

    Whatever becomes of a link is in the change log, so its last id tells whether to count again.
    """
    last = session.scalar(select(func.max(Change.id)))
    known = _linked.get(hub.database)
    if known is None or known[0] != last:
        known = (last, _count_by(session, Link.system_id, Link.state == "live"))
        _linked[hub.database] = known
    return known[1]


def _oldest(session: Any, system_id: int) -> datetime | None:
    """Since when the oldest row has been waiting in either direction."""
    inbox = session.scalar(
        select(func.min(Inbox.received_at)).where(
            Inbox.system_id == system_id, Inbox.state == "waiting"
        )
    )
    marked = session.scalar(select(func.min(Dirty.marked_at)).where(Dirty.system_id == system_id))
    return min((moment for moment in (inbox, marked) if moment), default=None)


def _audit(
    tx: Tx, hub: Hub, actor: str, action: str, subject: str, facts: Mapping[str, Any]
) -> None:
    audit.note(tx, actor=actor, action=action, subject=subject, facts=facts, now=hub.now())
