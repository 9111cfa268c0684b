"""The reference connector keeps every rule, polite or odd."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import ClassVar
from uuid import uuid4

import pytest
import requests

from connectors.memory import Memory, MemoryWorld, Trouble, world
from connectors.memory.shapes import SHAPES
from connectors.memory.world import SECRET, forget, signed
from connectors.sdk.contract import Delivery, Native
from connectors.testing import network
from connectors.testing.conformance import ConnectorConformance, Target
from connectors.testing.plain import plain_http

FAILURES = {
    network.UNAUTHORISED: "unauthorised",
    network.FORBIDDEN: "forbidden",
    network.THROTTLED: "throttled",
    network.TIMEOUT: "lost",
}


LINE = {
    "product_code": "W-1",
    "description": "齿轮",
    "quantity": "3",
    "unit": "pcs",
    "unit_price": "12.5",
    "amount": "37.5",
}
VALUES = {
    "text": "文本",
    "choice": "lead",
    "decimal": "12.5",
    "boolean": True,
    "date": "2026-02-28",
    "list": ["a", "b"],
    "reference": None,
    "phone": "+8675520000001",
    "mobile": "+8613800000001",
    "fax": "+8675520000002",
    "email": "info@example.com",
    "tax_id": "91440300000004MA10",
    "language": "zh-CN",
    "kind": "organisation",
    "lines": [LINE],
}


class MemoryTarget(Target):
    object_name = "customers"

    def __init__(self, here: MemoryWorld) -> None:
        self.world = here

    def sample(self, number: int) -> Native:
        return {"name": f"客户 {number}", "phone": f"+8675520{number:06d}", "tags": ["a", "b"]}

    def wrong(self) -> Native:
        return {"name": "A fine name", "employees": "many"}

    def seed(self, count: int) -> Sequence[str]:
        return [self.world.create("customers", **self.sample(n)) for n in range(count)]

    def populate(self) -> None:
        """One record of each object, with a value in every field."""
        made: dict[str, str] = {}
        for name, shape in SHAPES.items():
            fields = [field for field in shape.fields.values() if field.writable]
            values = {field.name: VALUES.get(field.name, VALUES[field.type]) for field in fields}
            values |= {f.name: made.get(f.target) for f in fields if f.target}
            made[name] = self.world.create(name, **values)

    def edit(self, remote_id: str, text: str) -> None:
        self.world.edit("customers", remote_id, name=text)

    def remove(self, remote_id: str) -> None:
        self.world.delete("customers", remote_id)

    def text(self, remote_id: str) -> str | None:
        row = self.world.get("customers", remote_id)
        return row.body["name"] if row else None

    def count(self, hub_key: str) -> int:
        return sum(record["hub_key"] == hub_key for record in self.world.all("customers"))

    @contextmanager
    def broken(self, failure: network.Failure) -> Iterator[None]:
        kind = FAILURES.get(failure, "unavailable")
        if isinstance(failure, requests.ConnectionError) and failure is network.UNREACHABLE:
            kind = "unreachable"
        self.world.trouble(Trouble(kind=kind, calls=100, retry_after=7))
        yield
        self.world.trouble()

    def delivery(self, remote_id: str) -> Delivery:
        events = [{"object": "customers", "id": remote_id, "event": "update"}]
        content = {"delivery": f"d-{remote_id}", "events": events}
        return signed(SECRET, content, datetime.now(UTC))


class TestMemory(ConnectorConformance):
    oddities: ClassVar[dict[str, object]] = {}

    @pytest.fixture
    def here(self) -> Iterator[MemoryWorld]:
        name = uuid4().hex
        found = world(name)
        found.switch(**self.oddities)
        found.label = name
        yield found
        forget(name)

    @pytest.fixture
    def connector(self, here):
        config = Memory.config_model(world=here.label, password="memory", page_size=2)
        return Memory(config, plain_http())

    @pytest.fixture
    def impostor(self, here):
        config = Memory.config_model(world=here.label, password="guessed")
        return Memory(config, plain_http())

    @pytest.fixture
    def target(self, here):
        return MemoryTarget(here)


class TestMemoryWithCoarseShiftedClock(TestMemory):
    oddities: ClassVar = {"whole_seconds": True, "clock_offset": 90.0}


class TestMemoryWithUniqueKeyAndSilentDeletes(TestMemory):
    oddities: ClassVar = {"unique_key": True, "lists_deletes": False, "merge_redirects": False}


class TestMemoryWithChoices(TestMemory):
    oddities: ClassVar = {"choices": {"customers.stage": ["lead"]}, "phones": "digits"}
