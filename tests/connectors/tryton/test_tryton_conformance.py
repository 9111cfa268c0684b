"""Tryton keeps every rule: recorded calls of a real server, played back.

To record again, run this file alone with KEHUB_RECORD=1 and an environment with Tryton (see
conftest.py): the listings are those of an empty company.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from connectors.sdk.contract import Native
from connectors.sdk.errors import ConnectorError, SetupError
from connectors.testing import cassettes, network
from connectors.testing.conformance import ConnectorConformance, Target
from connectors.testing.plain import plain_http
from connectors.tryton import Tryton
from connectors.tryton.parties import HUB_KEY
from connectors.tryton.rpc import Rpc

CASSETTES = Path(__file__).parent / "cassettes"
RECORDING = bool(os.environ.get("KEHUB_RECORD"))
RECORDED = {"base_url": cassettes.BASE, "database": "tryton", "login": "hub", "password": "hidden"}
PARTY = "model.party.party"


def hide(text: str) -> str:
    """Takes password and session out of a recorded body."""
    text = re.sub(r'("password": ?)"[^"]*"', r'\1"hidden"', text)
    return re.sub(r'("result": ?\[\d+, ?)"[0-9a-f]{32,}"', r'\1"hidden"', text)


def connect(facts: dict, **changes: object) -> Tryton:
    config = {
        "url": facts["base_url"],
        "database": facts["database"],
        "login": facts["login"],
        "password": facts["password"],
        **changes,
    }
    connector = Tryton(Tryton.config_model.model_validate(config), plain_http())
    connector.page_size = 2
    return connector


class TrytonTarget(Target):
    """The server as its users reach it: the same protocol in a session of their own."""

    object_name = "party.party"

    def __init__(self, facts: dict, connector: Tryton) -> None:
        self.connector = connector
        self.rpc = Rpc(connect(facts).config, plain_http())
        self.made: list[int] = []

    def sample(self, number: int) -> Native:
        return {
            "name": f"深圳示例工贸有限公司 {number}",
            "phone": f"+86 755 2000 {number:04d}",
            "email": f"info{number}@example.com",
            "address": {"street": f"科技园路{number}号\n2栋", "city": "深圳市", "country": "CN"},
            "credit_limit": "50000.50",
        }

    def wrong(self) -> Native:
        return {"name": "Wrong number", "phone": "12"}

    def seed(self, count: int) -> Sequence[str]:
        made = []
        for number in range(count):
            lines = [{"type": "phone", "value": f"+86 755 2000 {number:04d}"}]
            places = [{"city": "深圳市", "invoice": True, "delivery": True}]
            party = {
                "name": f"老客户 {number}",
                "contact_mechanisms": [["create", lines]],
                "addresses": [["create", places]],
                "identifiers": [["create", [{"type": "us_ein", "code": f"91-114455{number}"}]]],
            }
            made += self.rpc.write(f"{PARTY}.create", [party])
        self.made += made
        return [str(each) for each in made]

    def populate(self) -> None:
        (company,) = self.seed(1)
        person = {
            "name": "李经理",
            "contact_mechanisms": [
                [
                    "create",
                    [
                        {"type": "mobile", "value": "+86 138 0000 0001"},
                        {"type": "other", "name": "job title", "value": "采购经理"},
                    ],
                ]
            ],
        }
        (made,) = self.rpc.write(f"{PARTY}.create", [person])
        relation = {"from_": made, "to": int(company), "type": self.connector.lookups.relation}
        self.rpc.write("model.party.relation.all.create", [relation])
        self.made.append(made)

    def edit(self, remote_id: str, text: str) -> None:
        self.rpc.write(f"{PARTY}.write", [int(remote_id)], {"name": text})

    def remove(self, remote_id: str) -> None:
        self.rpc.write(f"{PARTY}.write", [int(remote_id)], {"active": False})

    def text(self, remote_id: str) -> str | None:
        domain = [["id", "=", int(remote_id)], ["active", "in", [True, False]]]
        rows = self.rpc.read(f"{PARTY}.search_read", domain, 0, None, None, ["name"])
        return rows[0]["name"] if rows else None

    def count(self, hub_key: str) -> int:
        domain = [["code", "=", HUB_KEY + hub_key]]
        return self.rpc.read("model.party.identifier.search_count", domain)

    @contextmanager
    def broken(self, failure: network.Failure) -> Iterator[None]:
        with network.failing(self.connector.http, failure):
            yield

    def inside_error(self) -> tuple[network.Answer, type[ConnectorError]]:
        return network.Answer(200, b'{"id": 1, "error": ["\'nope\'", ""]}'), SetupError

    def clean(self) -> None:
        """Every party of this test goes, so that each test begins with the same database."""
        domain = [["identifiers.code", "like", f"{HUB_KEY}%"], ["active", "in", [True, False]]]
        made = self.rpc.read(f"{PARTY}.search", domain, 0, None, [["id", "ASC"]])
        self.rpc.write(f"{PARTY}.delete", sorted({*self.made, *made}))


class TestTryton(ConnectorConformance):
    secrets: ClassVar[list[str]] = []

    @pytest.fixture
    def facts(self, request):
        """The live server while recording, else its place holder with the recorded calls."""
        path = CASSETTES / f"{request.node.originalname.removeprefix('test_')}.yaml"
        if RECORDING:
            server = request.getfixturevalue("tryton_server")
            self.secrets.append(server["password"])
            with cassettes.recording(path, server["base_url"], hide):
                yield server
        elif path.exists():
            with cassettes.replaying(path, hide):
                yield RECORDED
        else:
            yield RECORDED  # a rule that makes no call

    @pytest.fixture
    def connector(self, facts):
        return connect(facts)

    @pytest.fixture
    def impostor(self, facts):
        return connect(facts, password="guessed")

    @pytest.fixture
    def target(self, facts, connector):
        found = TrytonTarget(facts, connector)
        yield found
        found.clean()

    @pytest.fixture
    def cassettes(self):
        return CASSETTES
