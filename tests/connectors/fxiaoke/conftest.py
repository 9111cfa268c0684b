"""A tenant whose answers each test writes down, and the settings to reach it."""

import json
import re
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
import responses

from connectors.fxiaoke import Fxiaoke
from connectors.fxiaoke.config import FxiaokeConfig
from connectors.testing.plain import PlainLimiter, PlainTokens, plain_http

ROOT = Path(__file__).parents[3]
BASE = "https://open.example.test"
SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def field(kind="text", **more):
    return {"type": kind, "is_active": True, "label": more.pop("label", ""), **more}


ACCOUNT = {
    "api_name": "AccountObj",
    "display_name": "客户",
    "fields": {
        "_id": field(),
        "name": field(label="客户名称", is_required=True, max_length=256),
        "tel": field("phone_number", label="电话"),
        "fax": field(label="传真"),
        "owner": field("employee", label="负责人", is_required=True),
        "country": field("country", label="国家"),
        "province": field("province", label="省"),
        "city": field("city", label="市"),
        "district": field("district", label="区"),
        "area_location": field("group"),
        "account_no": field("auto_number", label="编号"),
        "old__c": field(label="停用", is_active=False),
        "account_level": field(
            "select_one", label="级别", options=[{"label": "重要", "value": "1"}]
        ),
        "record_type": field("record_type", options=[{"label": "预设", "api_name": "default__c"}]),
        "kehub_key__c": field(label="外部主键", is_unique=True, max_length=64),
        "last_modified_time": field("date_time"),
        "life_status": field("select_one"),
    },
}


def options(*rows):
    return {
        "options": [
            {"label": label, "value": code, "child_options": [children] if children else []}
            for label, code, children in rows
        ]
    }


AREAS = {
    "country": options(
        ("中国", "248", {"province": ["251", "249"]}),
        ("德国", "2", None),
        ("法国", "3", {"province": ["260"]}),
    ),
    "province": options(
        ("浙江", "251", {"city": ["300"]}),
        ("北京", "249", {"city": ["310"]}),
        ("法兰西岛", "260", {"city": ["320"]}),
    ),
    "city": options(
        ("杭州市", "300", {"district": ["400", "401"]}),
        ("北京市", "310", {"district": ["410"]}),
        ("巴黎", "320", None),
    ),
    "district": options(("西湖区", "400", None), ("新城区", "401", None), ("新城区", "410", None)),
}


class Tenant:
    """Answers per path, first come first served; the last one stays."""

    def __init__(self, mock):
        self.calls = defaultdict(list)
        self.headers = defaultdict(list)
        self.order = []
        self._answers = defaultdict(list)
        self.answer("/oauth2.0/token", self.token("T1"))
        self.answer("describe", {"data": {"describe": ACCOUNT}})
        self.answer("countryAreaOptions/get", {"countryAreaOptions": AREAS})
        mock.add_callback(responses.POST, re.compile(re.escape(BASE)), self._reply)

    @staticmethod
    def token(value, **more):
        return {"accessToken": value, "expiresIn": 7200, "ea": "acme90001", **more}

    def answer(self, path, *answers):
        """An answer is a body, an exception, or (status, text)."""
        self._answers[path] = list(answers)

    def rows(self, *pages):
        self.answer("query", *({"data": {"dataList": list(page)}} for page in pages))

    def asked(self, path):
        return self.calls[path]

    def _reply(self, request):
        path = next(p for p in self._answers if request.url.split("?")[0].endswith(p))
        body = json.loads(request.body)
        self.calls[path].append(body)
        self.headers[path].append(request.headers)
        self.order.append(path)
        answers = self._answers[path]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        answer = answer(body) if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, tuple):
            return (answer[0], {}, answer[1])
        full = {"errorCode": 0, "errorMessage": "OK", "traceId": "E-O.acme.1000-1f", **answer}
        return (200, {}, json.dumps(full))


def refused(code, text="错误"):
    return {"errorCode": code, "errorMessage": text, "traceId": "E-O.acme.1000-2a"}


class Clock:
    def __init__(self):
        self.at = datetime(2026, 5, 4, 3, 0, tzinfo=UTC)

    def __call__(self):
        return self.at

    def forward(self, seconds):
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def tenant():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Tenant(mock)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tokens(clock):
    return PlainTokens(lambda: clock().timestamp())


@pytest.fixture
def limiter(clock):
    return PlainLimiter(clock=lambda: clock().timestamp())


@pytest.fixture
def make(clock, limiter, tokens):
    """Makes connectors with some settings changed; none of them ever sleeps."""

    def build(**changes):
        settings = {
            "base_url": BASE,
            "app_id": "FSAID_1",
            "app_secret": "s3cret",
            "permanent_code": "c0de",
            "user_id": "1000",
            "callback_secret": SECRET,
            **changes,
        }
        connector = Fxiaoke(FxiaokeConfig(**settings), plain_http(limiter, tokens, now=clock))
        connector.client.sleep = clock.forward
        return connector

    return build


@pytest.fixture
def connector(make):
    return make()


@pytest.fixture(name="refused")
def refused_fixture():
    return refused


class Standin:
    """A running stand-in with its admin calls."""

    def __init__(self, process, told):
        self.process, self.told = process, told
        self.session = requests.Session()

    @classmethod
    def start(cls, data):
        """A tenant of its own."""
        command = [sys.executable, "-m", "sandbox.fxiaoke", "--port", "0", "--data", str(data)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        return cls(process, json.loads(process.stdout.readline()))

    def stop(self):
        self.session.close()
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()

    def admin(self, method, path, /, **body):
        url = f"{self.told['base_url']}/__admin{path}"
        answer = self.session.request(method, url, json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def post(self, path, /, **body):
        return self.admin("POST", path, **body)

    def switch(self, **switches):
        return self.post("/switches", **switches)

    def rows(self, object_name, query=""):
        return self.admin("GET", f"/records/{object_name}{query}")["rows"]

    def make(self, object_name, *rows, **more):
        return self.post(f"/records/{object_name}", rows=list(rows), **more)["ids"]

    def calls(self):
        return self.admin("GET", "/calls?last=0")

    def connect(self, convention="header", tokens=None, **changes):
        """A connector with its own quota and token, as a worker would have."""
        told = self.told
        settings = {
            "base_url": told["base_url"],
            "app_id": told["app_id"],
            "app_secret": told["app_secret"],
            "permanent_code": told["permanent_code"],
            "callback_secret": told["callback_secret"],
            "convention": convention,
            "user_id": told["user_id"] if convention == "header" else "",
            "mobile": told["mobile"],
            "calls_per_20_seconds": 10_000,
            **changes,
        }
        http = plain_http(tokens=tokens)
        connector = Fxiaoke(FxiaokeConfig(**settings), http)
        connector.client.sleep = lambda _seconds: None
        return connector

    def calm(self):
        """Takes back all trouble that a test has made."""
        self.admin("DELETE", "/faults")
        self.switch(**self.usual)
        self.post("/approvals", AccountObj=False)
        self.post("/limits", **self.limits)
        self.post("/limits/reset")
        self.post("/clock", set_shift_ms=0, in_dates=False)
        self.post("/callback", url="")
        self.post("/calls/reset")

    def settle(self):
        self.usual = self.admin("GET", "/switches")["switches"]
        known = self.admin("GET", "/limits")
        self.limits = {name: value for name, value in known.items() if name != "used_today"}
        # The pace is tested on its own; here it would only make the other tests wait.
        self.limits |= {"calls": 100_000, "token_calls": 100_000}


@pytest.fixture(scope="session")
def running_standin(tmp_path_factory):
    standin = Standin.start(tmp_path_factory.mktemp("fxiaoke"))
    standin.settle()
    yield standin
    standin.stop()


@pytest.fixture
def standin(running_standin):
    running_standin.calm()
    return running_standin
