"""Opening a system: its connector with settings, secrets, tokens, quota and live mappings."""

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mapping.loader import load
from mapping.spec import MappingSpec
from pydantic import ValidationError
from sqlalchemy import select, update

from connectors.sdk import registry
from connectors.sdk.config import ConnectorConfig, secret_names
from connectors.sdk.contract import Connector
from connectors.sdk.errors import SetupError
from connectors.sdk.http import Http
from mapping.canonical import FACTS
from sync.gateway.quota import Buckets, Quota
from sync.gateway.tokens import StoredTokens
from sync.gateway.vault import Vault
from sync.store.session import Database
from sync.store.tables import Mapping as MappingRow
from sync.store.tables import System


@dataclass(frozen=True, slots=True)
class OpenSystem:
    """A system ready to be called. `specs` holds the live mapping of each object."""

    id: int
    name: str
    kind: str
    state: str
    connector: Connector[Any]
    specs: Mapping[str, MappingSpec]
    delete_policy: str
    clock_offset: float
    hold_in: bool
    hold_out: bool
    poll_seconds: float | None
    quota: Quota

    def objects_of(self, entity: str) -> list[str]:
        """Names of the objects that hold an entity."""
        return [name for name, spec in self.specs.items() if spec.entity == entity]

    def reads(self, object_name: str) -> bool:
        """Whether anything can come in from an object (commercial facts: only from the owner)."""
        spec = self.specs[object_name]
        return bool(spec.in_paths)

    @property
    def entities(self) -> frozenset[str]:
        """What the system holds."""
        return frozenset(spec.entity for spec in self.specs.values())

    @property
    def owned_facts(self) -> frozenset[str]:
        """Commercial facts that come from this system."""
        return frozenset(
            spec.entity for spec in self.specs.values() if spec.entity in FACTS and spec.in_paths
        )


class Systems:
    """Opens systems; keeps what it opened per thread until settings or mappings change."""

    def __init__(self, database: Database, vault: Vault, buckets: Buckets) -> None:
        self.database, self.vault, self.buckets = database, vault, buckets
        self._opened = threading.local()
        self._specs: dict[int, MappingSpec] = {}

    def open(self, system_id: int) -> OpenSystem:
        """Raises SetupError where settings or a mapping are not usable."""
        with self.database.read() as session:
            row = session.get_one(System, system_id)
            mappings = list(
                session.scalars(
                    select(MappingRow)
                    .where(MappingRow.system_id == system_id, MappingRow.state == "live")
                    .order_by(MappingRow.id)
                )
            )
        specs = {m.object: self._spec(m) for m in mappings}
        connector, quota = self._connector(row, specs)
        ordered = {name: specs[name] for name in connector.objects() if name in specs}
        return OpenSystem(
            id=row.id,
            name=row.name,
            kind=row.kind,
            state=row.state,
            connector=connector,
            specs=ordered,
            delete_policy=row.delete_policy,
            clock_offset=row.clock_offset,
            hold_in=row.hold_in,
            hold_out=row.hold_out,
            poll_seconds=row.poll_seconds,
            quota=quota,
        )

    def flush_counts(self, system: OpenSystem, *, written: int = 0) -> None:
        """Adds the calls made since the last flush to the system's row."""
        reads, writes = system.quota.take_counts()
        if not (reads or writes or written):
            return
        with self.database.write() as tx:
            tx.execute(
                update(System)
                .where(System.id == system.id)
                .values(
                    calls_read=System.calls_read + reads,
                    calls_write=System.calls_write + writes,
                    records_written=System.records_written + written,
                )
            )

    def credentials(self, row: System) -> dict[str, Any]:
        """The secrets of a system, opened."""
        if row.credentials is None:
            return {}
        return self.vault.open(row.credentials, f"system/{row.id}/credentials")

    def seal_credentials(self, system_id: int, secrets: Mapping[str, Any]) -> bytes:
        """The secrets of a system as they are stored."""
        return self.vault.seal(secrets, f"system/{system_id}/credentials")

    def _connector(
        self, row: System, specs: Mapping[str, MappingSpec]
    ) -> tuple[Connector[Any], Quota]:
        cache: dict[int, tuple[str, Connector[Any], Quota]] = self._opened.__dict__.setdefault(
            "connectors", {}
        )
        wanted = {name: spec.native_names for name, spec in specs.items()}
        print_ = _fingerprint(row, wanted)
        found = cache.get(row.id)
        if found and found[0] == print_:
            return found[1], found[2]
        connector_class = registry.get(row.kind)
        config = read_config(connector_class, {**row.settings, **self.credentials(row)})
        quota = Quota(row.name, self.buckets, connector_class.rates(config))
        http = Http(quota, StoredTokens(self.database, self.vault, row.id))
        connector = connector_class(config, http)
        connector.wanted = {name: tuple(names) for name, names in wanted.items()}
        cache[row.id] = (print_, connector, quota)
        return connector, quota

    def _spec(self, row: MappingRow) -> MappingSpec:
        if row.id not in self._specs:
            self._specs[row.id] = load(row.text)
        return self._specs[row.id]


def read_config(
    connector_class: type[Connector[Any]], values: Mapping[str, Any]
) -> ConnectorConfig:
    """The connector's settings; SetupError names the first wrong field and what is wrong."""
    try:
        return connector_class.config_model.model_validate(dict(values))
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        info = connector_class.config_model.model_fields.get(name)
        title = info.title if info and info.title else name
        raise SetupError(
            f"The setting “{title}” is not usable: {first['msg'].lower()}.",
            hint="Correct it in the system's settings.",
            remote_code=name,
        ) from exc


def split_secrets(
    connector_class: type[Connector[Any]], values: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings in the clear, and secrets."""
    names = secret_names(connector_class.config_model)
    plain = {name: value for name, value in values.items() if name not in names}
    return plain, {name: value for name, value in values.items() if name in names}


def _fingerprint(row: System, wanted: Mapping[str, Sequence[str]]) -> str:
    facts = json.dumps([row.kind, row.settings, wanted], sort_keys=True, default=sorted)
    return hashlib.sha256(facts.encode() + (row.credentials or b"")).hexdigest()
