"""The Zoho connector keeps every rule of the suite, against the stand-in over real HTTP."""

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.sdk.contract import Delivery
from connectors.sdk.errors import SetupError
from connectors.testing import network
from connectors.testing.conformance import ConnectorConformance, Target


class ZohoTarget(Target):
    object_name = "Accounts"
    text_field = "Account_Name"

    def __init__(self, stand_in, connector):
        self.stand_in, self.connector = stand_in, connector

    def sample(self, number):
        return {
            "Account_Name": f"客户 {number}",
            "Phone": f"+8675520{number:06d}",
            "Employees": 10 + number,
            "Credit_Limit": 1000.5,
            "Blocked": True,
            "Billing_City": "深圳",
        }

    def wrong(self):
        return {"Account_Name": "A fine name", "Employees": "many"}

    def seed(self, count):
        return self.stand_in.seed("Accounts", [self.sample(n) for n in range(count)])

    def edit(self, remote_id, text):
        self.stand_in.edit("Accounts", remote_id, Account_Name=text)

    def remove(self, remote_id):
        self.stand_in.delete("Accounts", remote_id)

    def text(self, remote_id):
        held = {record["id"]: record for record in self.stand_in.records("Accounts")}
        return held[remote_id].get("Account_Name") if remote_id in held else None

    def count(self, hub_key):
        return sum(r.get("Hub_Key") == hub_key for r in self.stand_in.records("Accounts"))

    def populate(self):
        account = self.seed(1)[0]
        at = {"Account_Name": {"id": account}}
        person = {"First_Name": "娜娜", "Last_Name": "欧阳", "Mobile": "138 0013 8000"}
        self.stand_in.seed("Contacts", [{**person, **at, "Email_Opt_Out": True}])
        self.stand_in.seed("Leads", [{**person, "Company": "Acme", "State": "Guangdong"}])

    def missing_id(self):
        return "5725767000009999999"

    @contextmanager
    def broken(self, failure):
        with network.failing(self.connector.http, failure):
            yield

    def inside_error(self):
        body = {"code": "NO_PERMISSION", "details": {}, "message": "no", "status": "error"}
        return network.Answer(200, json.dumps(body).encode()), SetupError

    def delivery(self, remote_id):
        now = datetime.now(UTC)
        channel = "1000000068001"
        content = {
            "server_time": int(now.timestamp() * 1000),
            "query_params": {},
            "module": "Accounts",
            "resource_uri": "https://www.zohoapis.com/crm/v2/Accounts",
            "ids": [remote_id],
            "affected_fields": [{remote_id: ["Phone"]}],
            "operation": "update",
            "channel_id": channel,
            "token": self.connector.channels._token(channel),
        }
        return Delivery({}, {}, json.dumps(content).encode(), now)

    def forged(self, delivery):
        content = json.loads(delivery.body)
        changed = [
            {**content, "token": "guessed"},
            {**content, "token": ""},
            {**content, "channel_id": "1000000068002"},
            {name: value for name, value in content.items() if name != "token"},
            {name: value for name, value in content.items() if name != "server_time"},
            {**content, "ids": None},
        ]
        return [
            *(replace(delivery, body=json.dumps(c).encode()) for c in changed),
            replace(delivery, body=delivery.body[: len(delivery.body) // 2]),
            replace(delivery, body="客".encode("gb18030") + delivery.body),
            replace(delivery, received_at=delivery.received_at + timedelta(days=2)),
        ]


class TestZohoCrm(ConnectorConformance):
    @pytest.fixture
    def here(self, request):
        """The shared stand-in, but where tombstones of other tests would be in the way."""
        ordered = request.node.name == "test_listing_is_complete_and_oldest_first"
        return request.getfixturevalue("fresh_stand_in" if ordered else "stand_in")

    @pytest.fixture
    def connector(self, here):
        return here.connect(page_size=2)

    @pytest.fixture
    def impostor(self, here):
        return here.connect(client_secret="guessed")

    @pytest.fixture
    def target(self, here, connector):
        return ZohoTarget(here, connector)
