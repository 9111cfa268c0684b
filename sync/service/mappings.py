"""Trying mappings: against the remote schema, and on records as they are now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connectors.sdk.contract import DescribesSchema, ReadsChanges
from mapping import engine
from mapping.errors import MappingError, UnmappableValue
from mapping.lint import lint
from mapping.loader import load
from mapping.spec import MappingSpec
from sync.flow import plan
from sync.flow.hub import Hub
from sync.gateway.systems import OpenSystem
from sync.service.errors import NotFoundError, ServiceError
from sync.service.named import unknown_system
from sync.store.tables import System


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One disagreement between a mapping and its remote object."""

    system: str
    object: str
    level: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Preview:
    """A remote record in canonical form; `error` names the rule that cannot read it."""

    object: str
    remote_id: str
    values: dict[str, Any]
    left_out: bool
    error: str


def lint_system(hub: Hub, name: str, language: str = "en") -> list[LintFinding]:
    """The live mappings of a system against its schema as it is now."""
    system = _open(hub, name)
    found = []
    for spec in system.specs.values():
        found += _lint(system, spec, language)
    return found


def misfits(hub: Hub, name: str, language: str = "en") -> list[LintFinding]:
    """The errors alone, none where the system cannot describe its fields."""
    system = _open(hub, name)
    try:
        return [
            LintFinding(system.name, object_name, f.level, f.rule, f.text(language))
            for object_name, f in plan.misfits(system)
        ]
    finally:
        hub.systems.flush_counts(system)


def lint_file(hub: Hub | None, path: Path, name: str, language: str = "en") -> list[LintFinding]:
    """A mapping file: that it can be read, and with a system that it fits there.

    Raises MappingError with file, line and rule where it cannot be read.
    """
    spec = load_file(path)
    if hub is None or not name:
        return []
    return _lint(_open(hub, name), spec, language)


def load_file(path: Path) -> MappingSpec:
    """A mapping from a file; MappingError says what is wrong where."""
    return load(path, name=path.name)


def preview(
    hub: Hub,
    name: str,
    *,
    object_name: str = "",
    count: int = 5,
    ids: Sequence[str] = (),
    path: Path | None = None,
    language: str = "en",
) -> list[Preview]:
    """How records would look in the hub: by the live mappings, or by the one in a file."""
    system = _open(hub, name)
    specs = dict(system.specs)
    if path is not None:
        spec = load_file(path)
        specs, object_name = {spec.object: spec}, spec.object
    if object_name and object_name not in specs:
        raise NotFoundError(
            f"{name} has no mapping for {object_name!r}.",
            code="no_mapping",
            hint=f"It has: {', '.join(specs)}.",
            name=name,
            object=object_name,
            names=", ".join(specs),
        )
    chosen = {object_name: specs[object_name]} if object_name else specs
    found: list[Preview] = []
    try:
        for each, spec in chosen.items():
            found += _some(system, each, spec, count, ids, language)
    finally:
        hub.systems.flush_counts(system)
    return found


def _some(
    system: OpenSystem,
    name: str,
    spec: MappingSpec,
    count: int,
    ids: Sequence[str],
    language: str,
) -> Iterator[Preview]:
    connector = system.connector
    if not isinstance(connector, ReadsChanges) or not spec.in_paths:
        return
    shown = 0
    changes = (
        connector.fetch(name, ids)
        if ids
        else (change for page in connector.changes(name, None) for change in page.changes)
    )
    for change in changes:
        if shown >= count and not ids:
            return
        if change.data is None:
            continue
        shown += 1
        try:
            values = engine.canonicalise(spec, change.data)
            kept = {path: value for path, value in values.items() if value is not None}
            left_out = not engine.reads(spec, change.data)
            yield Preview(name, change.remote_id, kept, left_out, "")
        except UnmappableValue as error:
            yield Preview(name, change.remote_id, {}, left_out=False, error=error.text(language))


def _lint(system: OpenSystem, spec: MappingSpec, language: str) -> list[LintFinding]:
    connector = system.connector
    if not isinstance(connector, DescribesSchema):
        raise ServiceError(
            f"{system.name} cannot describe its fields; only reading can be tried.",
            code="no_schema",
            hint=f"Use `kehub mapping preview {system.name}`.",
            name=system.name,
        )
    if spec.object not in connector.objects():
        raise MappingError(
            f"{system.name} has no object {spec.object!r}; it has "
            f"{', '.join(connector.objects())}.",
            where=spec.object,
        )
    findings = lint(spec, connector.schema(spec.object), connector.objects())
    return [
        LintFinding(system.name, spec.object, f.level, f.rule, f.text(language)) for f in findings
    ]


def _open(hub: Hub, name: str) -> OpenSystem:
    with hub.database.read() as session:
        system_id = session.scalar(select(System.id).where(System.name == name))
    if system_id is None:
        raise unknown_system(name)
    return hub.systems.open(system_id)
