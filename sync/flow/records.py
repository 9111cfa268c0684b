"""Native records and their canonical form, as they travel through one step."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.sdk import jsontext
from connectors.sdk.contract import Change
from mapping import engine
from mapping.paths import ABSENT, read
from mapping.spec import MappingSpec
from sync.core.policy import Side
from sync.gateway.systems import OpenSystem


@dataclass(frozen=True, slots=True)
class Seen:
    """A remote record as it was read; `read_at` is the moment before the read was sent."""

    change: Change
    read_at: datetime
    lane: int = 0
    rows: tuple[tuple[int, int], ...] = ()  # inbox rows (id, generation) that asked for it
    attempts: int = 1

    @property
    def key(self) -> tuple[str, str]:
        return self.change.object_name, self.change.remote_id


@dataclass(slots=True)
class Incoming:
    """A remote record in canonical form; references still hold remote ids."""

    seen: Seen
    spec: MappingSpec
    values: dict[str, Any]
    digest: str
    side: Side
    hub_key: str | None = None
    moved_to: tuple[str, str] | None = None
    missing: list[str] = field(default_factory=list)  # references to records not taken in yet
    refused: tuple[str, str] = ("", "")  # of its parent's dead letter: state, message

    @property
    def remote_id(self) -> str:
        return self.seen.change.remote_id

    @property
    def object_name(self) -> str:
        return self.seen.change.object_name


def canonicalise(system: OpenSystem, seen: Seen) -> Incoming | None:
    """The canonical form; None for a record that the mapping leaves out or that is gone.

    Raises UnmappableValue.
    """
    change = seen.change
    spec = system.specs[change.object_name]
    if change.data is None or not engine.reads(spec, change.data):
        return None
    return Incoming(
        seen=seen,
        spec=spec,
        values=engine.canonicalise(spec, change.data),
        digest=digest(spec, change.data),
        side=Side(
            system.name,
            system.kind,
            happened_at(system, seen),
            whole=change.modified_at is not None and change.modified_at.microsecond == 0,
        ),
        hub_key=_hub_key(spec, change.data),
        moved_to=engine.moved_to(spec, change.data),
    )


def happened_at(system: OpenSystem, seen: Seen) -> datetime:
    """When the record was last changed, by the hub's clock."""
    modified = seen.change.modified_at
    if modified is None:
        return seen.read_at
    return modified - timedelta(seconds=system.clock_offset)


def digest(spec: MappingSpec, native: Mapping[str, Any]) -> str:
    """A fingerprint of all that the mapping reads: equal means nothing moved."""
    facts = [
        native.get(path, ABSENT) if is_name else read(native, path)
        for path, is_name in spec.compared_paths
    ]
    text = jsontext.dumps(facts, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def hint_row(
    system_id: int, object_name: str, remote_id: str, delivery_id: str, now: datetime
) -> dict[str, Any]:
    """An inbox row that says: look at this record again."""
    return {
        "system_id": system_id,
        "object": object_name,
        "remote_id": remote_id,
        "delivery_id": delivery_id,
        "due_at": now,
        "received_at": now,
    }


def _hub_key(spec: MappingSpec, native: Mapping[str, Any]) -> str | None:
    value = read(native, spec.hub_key) if spec.hub_key else None
    return str(value) if value else None
