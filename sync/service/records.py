"""Golden records: finding them, one of them with all that is known of it, editing it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, exists, func, select
from sqlalchemy.orm import Session

from mapping.canonical import FACTS, REFERENCES
from mapping.transforms.contact import phone_text
from sync.flow import decide
from sync.flow.hub import Hub
from sync.flow.match import keys_of
from sync.service.changes import ChangeView, change_views
from sync.service.errors import NotFoundError, ServiceError
from sync.service.fields import HOME_REGION, FieldFacts, facts_of, plain_fields, read_text
from sync.service.paging import Page, page_of
from sync.store import goldens
from sync.store.tables import Change, Conflict, Dirty, Golden, Link, System

SORTS = ("name", "-name", "-updated", "updated")
_HERE = ("live", "in_doubt")
_LONGEST_SEARCH = 100
_WHOLE = frozenset({"identifier", "mail", "phone", "tax"})  # keys of a value as a whole


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One line of a list of golden records."""

    id: str
    entity: str
    name: str
    values: Mapping[str, Any]
    systems: tuple[str, ...]
    parent_id: str | None
    parent_name: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a golden value came from."""

    system: str
    object: str
    remote_id: str
    rule: str
    by: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class SystemValue:
    """What one system holds in a field.

    `state`: same, differs, or short (the system keeps its own form of what it was told).
    """

    value: Any
    state: str


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of a golden record, next to what every system holds."""

    path: str
    value: Any
    shown: str  # a reference by the name of the record that it names
    facts: FieldFacts | None
    provenance: Provenance | None
    systems: Mapping[str, SystemValue]

    @property
    def differs(self) -> bool:
        """Whether any system holds something else."""
        return any(cell.state == "differs" for cell in self.systems.values())


@dataclass(frozen=True, slots=True)
class LinkView:
    """Cross-reference to a remote record."""

    id: int
    system: str
    object: str
    remote_id: str | None
    state: str
    is_primary: bool
    seen_at: datetime | None
    modified_at: datetime | None
    waiting: str  # why the system is not in line yet; empty: it is


@dataclass(frozen=True, slots=True)
class PendingView:
    """A system in which the record is still to be made; `reason` where its parent was refused."""

    system: str
    waiting: str
    reason: str


@dataclass(frozen=True, slots=True)
class RecordView:
    """One golden record with all that is known of it."""

    id: str
    entity: str
    state: str
    name: str
    version: int
    values: Mapping[str, Any]
    fields: tuple[FieldRow, ...]
    more_fields: tuple[str, ...]  # editable fields that are empty
    links: tuple[LinkView, ...]
    pending: tuple[PendingView, ...]
    systems: tuple[str, ...]
    parent_id: str | None
    parent_name: str
    children: Mapping[str, int]
    open_conflicts: int
    held_until: datetime | None
    created_at: datetime
    updated_at: datetime


def search(
    hub: Hub,
    entity: str,
    *,
    text: str = "",
    stage: str | None = None,
    system: str | None = None,
    parent: str | None = None,
    sort: str = "name",
    page: int = 1,
    limit: int = 50,
) -> Page[RecordRow]:
    """Live golden records of an entity. `text` is part of a name, or a number, mail or phone."""
    query = select(Golden).where(Golden.entity == entity, Golden.state == "live")
    if parent is not None:
        query = query.where(Golden.parent_id == parent)
    if stage:
        query = query.where(Golden.stage == stage)
    with hub.database.read() as session:
        if system:
            query = query.where(_held_by(session, system))
        wanted = text.strip()[:_LONGEST_SEARCH]
        if wanted:
            query = query.where(_matching(session, entity, wanted))
        total = None if (wanted or stage or system or parent) else _count(session, entity)
        found = page_of(session, _sorted(session, query, sort), page, limit, total=total)
        return found.with_rows(_rows(session, [row[0] for row in found.rows]))


def get_record(hub: Hub, golden_id: str) -> RecordView:
    """One golden record; a merged one answers as the record that it became."""
    with hub.database.read() as session:
        golden = _load(session, golden_id)
        links = list(
            session.scalars(
                select(Link).where(Link.golden_id == golden.id).order_by(Link.system_id, Link.id)
            )
        )
        names = dict(session.execute(select(System.id, System.name).order_by(System.id)).all())
        rows = list(session.scalars(select(Dirty).where(Dirty.golden_id == golden.id)))
        waiting = {row.system_id: row.waiting_for for row in rows}
        called = _names_of(session, golden.values, links)
        children = dict(
            session.execute(
                select(Golden.entity, func.count())
                .where(Golden.parent_id == golden.id, Golden.state == "live")
                .group_by(Golden.entity)
            ).all()
        )
        conflicts = session.scalar(
            select(func.count())
            .select_from(Conflict)
            .where(Conflict.golden_id == golden.id, Conflict.state == "open")
        )
    held = {names[link.system_id]: link for link in reversed(links) if link.state in _HERE}
    systems = tuple(name for name in names.values() if name in held)
    fields = tuple(_fields(golden, held, systems, called))
    present = {row.path for row in fields}
    return RecordView(
        id=golden.id,
        entity=golden.entity,
        state=golden.state,
        name=golden.name,
        version=golden.version,
        values=golden.values,
        fields=fields,
        more_fields=tuple(p for p in plain_fields(golden.entity) if p not in present),
        links=tuple(_link(link, names, waiting) for link in links),
        pending=tuple(
            PendingView(names[row.system_id], row.waiting_for or "queue", row.error)
            for row in rows
            if names[row.system_id] not in held
        ),
        systems=systems,
        parent_id=golden.parent_id,
        parent_name=called.get(golden.parent_id or "", ""),
        children=children,
        open_conflicts=conflicts or 0,
        held_until=golden.held_until,
        created_at=golden.created_at,
        updated_at=golden.updated_at,
    )


def history(
    hub: Hub, golden_id: str, *, before: int | None = None, limit: int = 50
) -> tuple[list[ChangeView], bool]:
    """The change log of a record, the newest first, and whether there is more."""
    query = select(Change).where(Change.golden_id == golden_id).order_by(Change.id.desc())
    if before is not None:
        query = query.where(Change.id < before)
    with hub.database.read() as session:
        rows = list(session.scalars(query.limit(limit + 1)))
        return change_views(session, rows[:limit]), len(rows) > limit


def edit(hub: Hub, golden_id: str, texts: Mapping[str, str], *, actor: str) -> RecordView:
    """Sets fields to what a person typed; they go to every system like any other edit."""
    with hub.database.read() as session:
        golden = _load(session, golden_id)
    if golden.entity in FACTS:
        raise ServiceError(
            "Orders, invoices and payments are edited in the system that owns them.",
            code="facts_read_only",
        )
    if golden.state == "erased":
        raise ServiceError("This record was erased already.", code="erased_already")
    values = {path: read_text(golden.entity, path, text) for path, text in texts.items()}
    if "name" in values and not values["name"]:
        raise ServiceError("A record needs a name.", code="name_needed")
    decide.edit(hub, golden.id, values, actor)
    return get_record(hub, golden.id)


def empty_field(record: RecordView, path: str) -> FieldRow | None:
    """A field that the record may have but does not; None where it may not."""
    facts = facts_of(record.entity, path)
    return FieldRow(path, None, "", facts, None, {}) if facts else None


def _load(session: Session, golden_id: str) -> Golden:
    golden = session.get(Golden, golden_id)
    if golden is None:
        raise NotFoundError("There is no such record.", code="no_record", id=golden_id)
    return goldens.survivor(session, golden)


def _count(session: Session, entity: str) -> int:
    query = select(func.count()).select_from(Golden)
    return session.scalar(query.where(Golden.entity == entity, Golden.state == "live")) or 0


def _held_by(session: Session, system: str) -> Any:
    system_id = session.scalar(select(System.id).where(System.name == system))
    return exists().where(
        Link.golden_id == Golden.id,
        Link.system_id == system_id,
        Link.is_primary,
        Link.state.in_(_HERE),
    )


def _matching(session: Session, entity: str, text: str) -> Any:
    """By key a whole phone, mail or identifier; else part of a name, or of a number or mail.

    Search texts stand in the index of the list, so looking through them reads no record.
    """
    found = _by_key(session, entity, text)
    if found:
        return Golden.id.in_(found)
    is_name = not any(char.isdigit() or char == "@" for char in text)
    return goldens.containing(session, text, names_only=is_name)


def _by_key(session: Session, entity: str, text: str) -> list[str]:
    probe = {"emails[work]": text, "phones[work]": phone_text(text, HOME_REGION)}
    probe["identifiers[cn:uscc]"] = text
    wanted = {key for family, key in keys_of(entity, probe) if family in _WHOLE}
    return sorted({golden_id for _, golden_id in goldens.by_keys(session, wanted)})[:200]


def _sorted(session: Session, query: Select[Any], sort: str) -> Select[Any]:
    column = Golden.updated_at if sort.endswith("updated") else Golden.name
    falls = sort.startswith("-")
    ordered = query.order_by(column.desc() if falls else column)
    if session.get_bind().dialect.name == "sqlite":
        return ordered  # equal ones come in the index's own order; naming the id reads each row
    return ordered.order_by(Golden.id.desc() if falls else Golden.id)


def _rows(session: Session, found: Sequence[Golden]) -> list[RecordRow]:
    ids = [golden.id for golden in found]
    held: dict[str, list[str]] = {}
    if ids:
        for golden_id, name in session.execute(
            select(Link.golden_id, System.name)
            .join(System, and_(System.id == Link.system_id))
            .where(Link.golden_id.in_(ids), Link.state.in_(_HERE))
            .order_by(System.id)
        ):
            held.setdefault(golden_id, []).append(name)
    called = _names(session, (golden.parent_id for golden in found))
    return [
        RecordRow(
            id=golden.id,
            entity=golden.entity,
            name=golden.name,
            values=golden.values,
            systems=tuple(dict.fromkeys(held.get(golden.id, ()))),
            parent_id=golden.parent_id,
            parent_name=called.get(golden.parent_id or "", ""),
            updated_at=golden.updated_at,
        )
        for golden in found
    ]


def _names(session: Session, ids: Iterable[str | None]) -> dict[str, str]:
    wanted = {golden_id for golden_id in ids if golden_id}
    if not wanted:
        return {}
    rows = session.execute(select(Golden.id, Golden.name).where(Golden.id.in_(wanted)))
    return dict(rows.all())


def _names_of(session: Session, values: Mapping[str, Any], links: Sequence[Link]) -> dict[str, str]:
    """The names of the records that references of a record name, in any system's view."""
    held = [values, *(link.shadow for link in links)]
    return _names(session, (each.get(path) for each in held for path in REFERENCES))


def _fields(
    golden: Golden, held: Mapping[str, Link], systems: Sequence[str], called: Mapping[str, str]
) -> Iterable[FieldRow]:
    paths = dict.fromkeys(path for path, value in golden.values.items() if value is not None)
    for link in held.values():
        paths.update(dict.fromkeys(p for p, value in link.shadow.items() if value is not None))
    for path in sorted(paths, key=_order_of(golden.entity)):
        value = golden.values.get(path)
        yield FieldRow(
            path=path,
            value=value,
            shown=called.get(str(value), "") if path in REFERENCES else "",
            facts=facts_of(golden.entity, path),
            provenance=_provenance(golden.provenance.get(path)),
            systems={
                name: _system_value(held[name], path, golden, called)
                for name in systems
                if path in held[name].shadow
            },
        )


def _system_value(link: Link, path: str, golden: Golden, called: Mapping[str, str]) -> SystemValue:
    value, ours = link.shadow.get(path), golden.values.get(path)
    shown = called.get(str(value), value) if path in REFERENCES else value
    if value == ours:
        return SystemValue(shown, "same")
    accepted = path in link.pushed and link.pushed[path] == ours
    accepted |= ours is None and value is False  # a tick box has no other form of "not known"
    # Nobody has ever said it, so the system filled it in by itself when the hub created the record.
    accepted |= path not in golden.values and path not in golden.provenance
    return SystemValue(shown, "short" if accepted else "differs")


def _order_of(entity: str) -> Any:
    places = {path: place for place, path in enumerate(["name", *plain_fields(entity)])}
    places["name"] = 0

    def order(path: str) -> tuple[int, str]:
        stem = path.split("[", 1)[0]
        near = next((place for p, place in places.items() if p.startswith(stem)), 999)
        return places.get(path, near), path

    return order


def _provenance(source: Mapping[str, Any] | None) -> Provenance | None:
    if not source:
        return None
    at = source.get("at")
    return Provenance(
        system=str(source.get("system") or ""),
        object=str(source.get("object") or ""),
        remote_id=str(source.get("remote_id") or ""),
        rule=str(source.get("rule") or ""),
        by=str(source.get("by") or ""),
        at=datetime.fromisoformat(at) if at else None,
    )


def _link(link: Link, names: Mapping[int, str], waiting: Mapping[int, str]) -> LinkView:
    here = link.state in _HERE and link.is_primary
    why = (waiting[link.system_id] or "queue") if here and link.system_id in waiting else ""
    return LinkView(
        id=link.id,
        system=names.get(link.system_id, str(link.system_id)),
        object=link.object,
        remote_id=link.remote_id,
        state=link.state,
        is_primary=link.is_primary,
        seen_at=link.seen_at,
        modified_at=link.modified_at,
        waiting=why,
    )
