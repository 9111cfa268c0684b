"""The conformance suite against the stand-in, in both conventions and for three objects."""

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from connectors.fxiaoke import callback
from connectors.sdk.contract import Delivery
from connectors.sdk.errors import ThrottledError
from connectors.testing import network
from connectors.testing.conformance import ConnectorConformance, Target


class StandinTarget(Target):
    """The stand-in, as the users of the tenant reach it."""

    text_field = "remark"

    def __init__(self, standin, connector, object_name):
        self.standin, self.connector, self.object_name = standin, connector, object_name
        self.account = None
        if object_name == "ContactObj":
            self.account = standin.make("AccountObj", {"name": "母公司", "owner": ["1000"]})[0]

    def sample(self, number):
        more = {"account_id": self.account} if self.account else {}
        return {
            "name": f"客户 {number}",
            "email": f"n{number}@example.cn",
            "remark": "初始备注",
            **more,
        }

    def wrong(self):
        return {**self.sample(99), "email": "not a mail"}

    def seed(self, count):
        ids = []
        for number in range(count):
            row = {**self.sample(number), "owner": ["1000"]}
            ids += self.standin.make(self.object_name, row)
        return ids

    def edit(self, remote_id, text):
        self.standin.post(f"/records/{self.object_name}/{remote_id}", fields={"remark": text})

    def remove(self, remote_id):
        self.standin.post(f"/records/{self.object_name}/{remote_id}/invalid")

    def text(self, remote_id):
        return self.standin.rows(self.object_name, f"?id={remote_id}")[0].get("remark")

    def count(self, hub_key):
        return len(self.standin.rows(self.object_name, f"?field=kehub_key__c&value={hub_key}"))

    def populate(self):
        owner = {"owner": ["1000"]}
        account = {"name": "全字段客户", "tel": "0571-87654321", "country": "248", "remark": "备注"}
        key = self.standin.make("AccountObj", {**account, **owner})[0]
        self.standin.make("ContactObj", {"name": "韩梅梅", "account_id": key, **owner})
        self.standin.make("LeadsObj", {"name": "李雷", "company": "某公司", **owner})

    def missing_id(self):
        return "0" * 24

    @contextmanager
    def broken(self, failure):
        with network.failing(self.connector.http, failure):
            yield

    def inside_error(self):
        body = {"errorCode": 30004, "errorMessage": "接口调用频率超过限制", "traceId": "E-O.x-1"}
        return network.Answer(200, json.dumps(body).encode()), ThrottledError

    def delivery(self, remote_id):
        secret = self.standin.told["callback_secret"]
        now = datetime.now(UTC)
        event = {"eventType": "update", "apiName": self.object_name, "dataId": remote_id}
        whole = {
            "timestamp": callback.milliseconds(now),
            "nonce": "n0nce",
            "messageId": f"m-{remote_id}",
            "enterpriseAccount": self.standin.told["ea"],
            "encryptedContent": callback.encrypt(json.dumps(event).encode(), secret),
        }
        return self._enclosed({**whole, "signature": callback.signature(whole, secret)}, now)

    def forged(self, delivery):
        """The signature covers the members, not the bytes, so each member is changed."""
        whole = json.loads(delivery.body)
        changed = [
            {**whole, name: whole[name] + (1 if name == "timestamp" else "0")} for name in whole
        ]
        lacking = [{n: v for n, v in whole.items() if n != name} for name in whole]
        return [
            *(self._enclosed(one, delivery.received_at) for one in (*changed, *lacking)),
            replace(delivery, body=delivery.body[: len(delivery.body) // 2]),
            replace(delivery, body="客".encode("gb18030") + delivery.body),
            replace(delivery, received_at=delivery.received_at + timedelta(days=2)),
        ]

    @staticmethod
    def _enclosed(whole, received_at):
        return Delivery({}, {}, json.dumps(whole).encode(), received_at)


class TestAccounts(ConnectorConformance):
    object_name: ClassVar = "AccountObj"
    convention: ClassVar = "header"

    @pytest.fixture
    def connector(self, standin):
        for row in standin.rows(self.object_name):  # each rule begins with an empty object
            standin.post(f"/records/{self.object_name}/{row['_id']}/delete")
        connector = standin.connect(self.convention, page_size=2)
        connector.schema(self.object_name)  # remembered, so a broken network meets the write
        return connector

    @pytest.fixture
    def impostor(self, standin):
        return standin.connect(self.convention, app_secret="guessed")

    @pytest.fixture
    def target(self, standin, connector):
        return StandinTarget(standin, connector, self.object_name)


class TestAccountsByBody(TestAccounts):
    convention: ClassVar = "body"


class TestContacts(TestAccounts):
    object_name: ClassVar = "ContactObj"


class TestLeads(TestAccounts):
    object_name: ClassVar = "LeadsObj"
