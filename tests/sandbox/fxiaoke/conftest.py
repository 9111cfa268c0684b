"""A stand-in in a process of its own, and a small client that speaks both conventions."""

import contextlib
import http.server
import itertools
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid

import pytest
import requests

from sandbox.fxiaoke.callback_crypto import decrypt, encrypt, sign_answer, sign_delivery

NAMES = itertools.count(1)


class StandIn:
    """A running process and what its first line said."""

    root = pathlib.Path(__file__).parents[3]

    def __init__(self, folder, *extra):
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.fxiaoke", "--port", "0", "--data", str(folder), *extra],
            stdout=subprocess.PIPE,
            text=True,
            cwd=self.root,
        )
        self.info = json.loads(self.process.stdout.readline())
        self.url = self.info["base_url"]
        self.http = requests.Session()
        self.http.trust_env = False
        self._token = None

    def stop(self, how=signal.SIGTERM):
        self.http.close()
        self.process.send_signal(how)
        code = self.process.wait(10)
        self.process.stdout.close()
        return code

    def token(self):
        if self._token is None:
            self._token = self.grant()["accessToken"]
        return self._token

    def forget_token(self):
        self._token = None

    def grant(self, path="/oauth2.0/token", **changes):
        body = {
            "appId": self.info["app_id"],
            "appSecret": self.info["app_secret"],
            "permanentCode": self.info["permanent_code"],
            "grantType": "app_secret",
            **changes,
        }
        return self.raw(path, body).json()

    def raw(self, path, body=None, headers=None, **options):
        options.setdefault("timeout", 10)
        return self.http.post(
            f"{self.url}{path}?thirdTraceId={uuid.uuid4()}", json=body, headers=headers, **options
        )

    def headers(self, user=None):
        return {
            "authorization": f"Bearer {self.token()}",
            "x-fs-ea": self.info["ea"],
            "x-fs-userid": user or self.info["user_id"],
        }

    def call(self, path, body=None, user=None):
        """A call in the header convention; the reply as a dict."""
        reply = self.raw(path, body or {"data": {}}, self.headers(user))
        assert reply.status_code == 200
        return reply.json()

    def good(self, path, data=None, user=None, **top):
        reply = self.call(path, {**top, "data": data or {}}, user)
        assert reply["errorCode"] == 0, reply
        return reply

    def admin(self, path, body=None, method="POST", status=200):
        reply = self.http.request(method, f"{self.url}/__admin{path}", json=body, timeout=30)
        assert reply.status_code == status, reply.text
        return reply.json()

    def look(self, path):
        return self.admin(path, method="GET")

    # -- usual steps ------------------------------------------------------------------------

    @staticmethod
    def base(object_name):
        return "/cgi/crm/custom/v2/data" if object_name.endswith("__c") else "/cgi/crm/v2/data"

    def create(self, object_name="AccountObj", **fields):
        if object_name == "AccountObj":
            fields.setdefault("name", f"客户 {next(NAMES)}")
        fields.setdefault("owner", ["1001"])
        record = {"dataObjectApiName": object_name, **fields}
        return self.good(f"{self.base(object_name)}/create", {"object_data": record})["dataId"]

    def get(self, record_id, object_name="AccountObj", **top):
        data = {"dataObjectApiName": object_name, "objectDataId": record_id}
        return self.good(f"{self.base(object_name)}/get", data, **top)["data"]

    def update(self, record_id, object_name="AccountObj", **fields):
        record = {"dataObjectApiName": object_name, "_id": record_id, **fields}
        return self.call(f"{self.base(object_name)}/update", {"data": {"object_data": record}})

    def search(self, object_name="AccountObj", filters=(), user=None, **info):
        info = {"limit": 100, "offset": 0, **info}
        info["filters"] = [
            {"field_name": name, "operator": operator, "field_values": values}
            for name, operator, values in filters
        ]
        data = {"dataObjectApiName": object_name, "search_query_info": info}
        return self.call(f"{self.base(object_name)}/query", {"data": data}, user)

    def ids(self, *filters, object_name="AccountObj", **more):
        reply = self.search(object_name, filters, **more)
        assert reply["errorCode"] == 0, reply
        return [row["_id"] for row in reply["data"]["dataList"]]

    def invalid(self, record_id, object_name="AccountObj"):
        data = {"dataObjectApiName": object_name, "object_data_id": record_id}
        return self.call(f"{self.base(object_name)}/invalid", {"data": data})


class Receiver:
    """A place that callbacks go to: checks, decrypts, answers, and keeps what it got."""

    def __init__(self, secret):
        self.secret = secret
        self.got = []  # (delivery, plain message) in order of arrival
        self.mood = "good"
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                length = int(self.headers["Content-Length"])
                outer._take(self, json.loads(self.rfile.read(length)))

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _take(self, handler, delivery):
        expected = sign_delivery(
            self.secret,
            timestamp=delivery["timestamp"],
            nonce=delivery["nonce"],
            message_id=delivery["messageId"],
            ea=delivery["enterpriseAccount"],
            encrypted=delivery["encryptedContent"],
            retry_times=delivery.get("retryTimes"),
        )
        assert delivery["signature"] == expected
        self.got.append((delivery, json.loads(decrypt(self.secret, delivery["encryptedContent"]))))
        mood, self.mood = self.mood, self.mood if self.mood == "bad" else "good"
        if mood == "slow":
            time.sleep(3.4)
        word = "failure" if mood == "bad" else "success"
        encrypted = encrypt(self.secret, word)
        now = int(time.time() * 1000)
        answer = {
            "timestamp": now,
            "nonce": "n",
            "encryptedResult": encrypted,
            "signature": sign_answer(self.secret, timestamp=now, nonce="n", encrypted=encrypted),
        }
        body = json.dumps(answer).encode()
        with contextlib.suppress(OSError):
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

    def messages(self, count, seconds=60):
        """Waits for that many deliveries and returns their plain messages."""
        end = time.monotonic() + seconds
        while len(self.got) < count and time.monotonic() < end:
            time.sleep(0.01)
        return [plain for _, plain in self.got]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """One process for the tests that leave its settings as they were."""
    stand_in = StandIn(tmp_path_factory.mktemp("fxiaoke"))
    stand_in.admin("/limits", {"calls": 1_000_000, "token_calls": 1_000_000})
    yield stand_in
    stand_in.stop()


@pytest.fixture
def fx(shared):
    """The shared process, put back to its defaults after the test."""
    before = shared.look("/switches")["switches"]
    yield shared
    shared.admin("/faults", method="DELETE")
    shared.admin("/switches", before)
    shared.admin("/callback", {"url": "", "objects": [], "retry_delay_ms": 1000})
    shared.admin("/callback/faults", {"drop": 0, "duplicate": 0, "reorder": 0, "delay_ms": 0})
    shared.admin("/approvals", {"AccountObj": False})
    shared.admin("/clock", {"set_shift_ms": 0})


@pytest.fixture(scope="session")
def fresh_folder(tmp_path_factory):
    """A data folder as the first start leaves it; copies of it save the tests the seeding."""
    folder = tmp_path_factory.mktemp("fresh") / "data"
    StandIn(folder).stop()
    return folder


@pytest.fixture
def alone(tmp_path, fresh_folder):
    """Starts processes of a test's own, on the same folder each time, and stops what is left."""
    running = []
    shutil.copytree(fresh_folder, tmp_path / "data")

    def start(*extra):
        running.append(StandIn(tmp_path / "data", *extra))
        return running[-1]

    yield start
    for one in running:
        if one.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                one.stop()


@pytest.fixture
def hook(fx):
    """The callbacks of accounts, received."""
    receiver = Receiver(fx.info["callback_secret"])
    fx.admin("/callback", {"url": receiver.url, "objects": ["AccountObj"], "retry_delay_ms": 20})
    yield receiver
    fx.admin("/callback", {"url": ""})
    receiver.close()


@pytest.fixture
def account(fx):
    return fx.create(name="上海测试有限公司 🏭", tel="021-5555", country="248", province="257")
