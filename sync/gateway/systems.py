"""Opening a system: its connector with settings, secrets, tokens, quota and live mappings."""

import hashlib
import json
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from connectors.sdk import registry
from connectors.sdk.config import ConnectorConfig, secret_names
from connectors.sdk.contract import Connector
from connectors.sdk.errors import SetupError
from connectors.sdk.http import Http
from mapping.canonical import FACTS
from mapping.errors import MappingError
from mapping.loader import load
from mapping.spec import MappingSpec
from sync.core.facts import MappingText, SystemFacts, SystemStore
from sync.gateway.quota import Buckets, Quota
from sync.gateway.tokens import StoredTokens
from sync.gateway.vault import Vault


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


@dataclass(frozen=True, slots=True)
class Participant:
    """What a system wants to hear of; `specs` None where its mappings cannot be read now."""

    id: int
    specs: Mapping[str, MappingSpec] | None

    def is_concerned(self, entity: str, paths: Collection[str] | None = None) -> bool:
        """Whether a change of these paths (None: any) of an entity may matter to it."""
        if self.specs is None:
            return True  # better looked at in vain than missed
        for spec in self.specs.values():
            if spec.entity != entity or not spec.out_paths:
                continue
            if paths is None or not spec.watched_paths.isdisjoint(paths):
                return True
        return False


class Systems:
    """Opens systems; keeps what it opened per thread until settings or mappings change."""

    def __init__(self, store: SystemStore, vault: Vault, buckets: Buckets) -> None:
        self.store, self.vault, self.buckets = store, vault, buckets
        self._opened = threading.local()
        self._specs: dict[int, MappingSpec] = {}

    def open(self, system_id: int) -> OpenSystem:
        """Raises SetupError where settings or a mapping are not usable."""
        facts, mappings = self.store.facts(system_id)
        specs = {mapping.object: self._spec(mapping) for mapping in mappings}
        connector, quota = self._connector(facts)
        ordered = {name: specs[name] for name in connector.objects() if name in specs}
        return OpenSystem(
            id=facts.id,
            name=facts.name,
            kind=facts.kind,
            state=facts.state,
            connector=connector,
            specs=ordered,
            delete_policy=facts.delete_policy,
            clock_offset=facts.clock_offset,
            hold_in=facts.hold_in,
            hold_out=facts.hold_out,
            poll_seconds=facts.poll_seconds,
            quota=quota,
        )

    def participants(self) -> list[Participant]:
        """Systems that hold golden records: live ones, and those that are stopped for now."""
        found: list[Participant] = []
        for system_id, mappings in self.store.taking_part():
            try:
                specs = {mapping.object: self._spec(mapping) for mapping in mappings}
            except MappingError:
                found.append(Participant(system_id, None))
            else:
                found.append(Participant(system_id, specs))
        return found

    def flush_counts(self, system: OpenSystem, *, written: int = 0) -> None:
        """Adds the calls made since the last flush to the system's counters."""
        reads, writes = system.quota.take_counts()
        if reads or writes or written:
            self.store.add_calls(system.id, reads=reads, writes=writes, written=written)

    def credentials(self, system_id: int, sealed: bytes | None) -> dict[str, Any]:
        """The secrets of a system, opened."""
        return {} if sealed is None else self.vault.open(sealed, _place(system_id))

    def seal_credentials(self, system_id: int, secrets: Mapping[str, Any]) -> bytes:
        """The secrets of a system as they are stored."""
        return self.vault.seal(secrets, _place(system_id))

    def _connector(self, facts: SystemFacts) -> tuple[Connector[Any], Quota]:
        cache: dict[int, tuple[str, Connector[Any], Quota]] = self._opened.__dict__.setdefault(
            "connectors", {}
        )
        fingerprint = _fingerprint(facts)
        found = cache.get(facts.id)
        if found and found[0] == fingerprint:
            return found[1], found[2]
        connector_class = registry.get(facts.kind)
        secrets = self.credentials(facts.id, facts.credentials)
        config = read_config(connector_class, {**facts.settings, **secrets})
        quota = Quota(facts.name, self.buckets, connector_class.rates(config))
        http = Http(quota, StoredTokens(self.store, self.vault, facts.id))
        connector = connector_class(config, http)
        cache[facts.id] = (fingerprint, connector, quota)
        return connector, quota

    def _spec(self, mapping: MappingText) -> MappingSpec:
        if mapping.id not in self._specs:
            self._specs[mapping.id] = load(mapping.text)
        return self._specs[mapping.id]


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
            _unusable(title, first["msg"]),
            hint="Correct it in the system's settings.",
            remote_code=name,
        ) from exc


def _unusable(title: str, said: str) -> str:
    """A validator of ours brings a sentence of its own; the library's words end another one."""
    own = said.removeprefix("Value error, ")
    if own != said:
        return f"The setting “{title}” is not usable. {own[:1].upper()}{own[1:].rstrip('.')}."
    return f"The setting “{title}” is not usable: {said.lower()}."


def split_secrets(
    connector_class: type[Connector[Any]], values: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings in the clear, and secrets."""
    names = secret_names(connector_class.config_model)
    plain = {name: value for name, value in values.items() if name not in names}
    return plain, {name: value for name, value in values.items() if name in names}


def _fingerprint(facts: SystemFacts) -> str:
    text = json.dumps([facts.kind, dict(facts.settings)], sort_keys=True)
    return hashlib.sha256(text.encode() + (facts.credentials or b"")).hexdigest()


def _place(system_id: int) -> str:
    return f"system/{system_id}/credentials"
