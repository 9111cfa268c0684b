"""A stand-in as its own process on a free port, and a client that speaks to it over HTTP."""

import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[3]


class StandIn:
    """The process; `hello` is its first line."""

    def __init__(self, folder, *options, port=0):
        self.folder = folder
        command = [sys.executable, "-m", "sandbox.zoho_crm", "--port", str(port)]
        self.errors = (folder.parent / f"{folder.name}.err").open("ab")
        self.process = subprocess.Popen(
            [*command, "--data", str(folder), *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self.errors,
        )
        first = self.process.stdout.readline()
        if not first:
            self.kill()
            raise AssertionError(Path(self.errors.name).read_text())
        self.hello = json.loads(first)
        self.url = self.hello["base_url"]

    def kill(self):
        self.process.kill()
        self._gone()

    def stop(self):
        self.process.terminate()
        return self._gone()

    def _gone(self):
        code = self.process.wait(10)
        self.process.stdout.close()
        self.errors.close()
        return code


class Client:
    """One API user. `crm` speaks the vendor's API, `admin` makes trouble."""

    def __init__(self, hello):
        self.hello = hello
        self.url = hello["base_url"]
        self.session = requests.Session()
        self.session.trust_env = False
        self.log_in()

    def token(self, **changes):
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self.hello["refresh_token"],
            "client_id": self.hello["client_id"],
            "client_secret": self.hello["client_secret"],
            **changes,
        }
        return self.session.post(f"{self.url}/oauth/v2/token", data=form, timeout=60)

    def log_in(self):
        token = self.token().json()["access_token"]
        self.session.headers["Authorization"] = f"Zoho-oauthtoken {token}"

    def crm(self, method, path, body=None, **options):
        data = None if body is None else json.dumps(body)
        options.setdefault("timeout", 20)
        return self.session.request(method, f"{self.url}/crm/v8{path}", data=data, **options)

    def admin(self, method, path, body=None):
        answer = self.session.request(method, f"{self.url}/__admin{path}", json=body, timeout=60)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def create(self, module, **values):
        answer = self.crm("POST", f"/{module}", {"data": [values]})
        assert answer.status_code == 201, answer.text
        return answer.json()["data"][0]["details"]["id"]

    def get(self, module, record_id):
        return self.crm("GET", f"/{module}/{record_id}").json()["data"][0]

    def coql(self, query):
        return self.crm("POST", "/coql", {"select_query": query})

    def rows(self, query):
        answer = self.coql(query)
        assert answer.status_code in {200, 204}, answer.text
        return answer.json()["data"] if answer.status_code == 200 else []

    def switch(self, **values):
        self.admin("POST", "/switches", values)

    def reset(self):
        """Undo what a test planned; records stay."""
        self.admin("DELETE", "/faults")
        self.admin("POST", "/switches", {"reset": True, "search_lag": 0})
        self.admin("POST", "/limits", {"reset": True})
        self.admin("POST", "/clock", {"shift": 0, "zone": "+08:00"})
        self.admin("POST", "/notifications/expire")
        self.admin("POST", "/tokens/restore-refresh")
        self.admin("POST", "/tokens/scope", {})
        self.admin("POST", "/tokens/forget-throttle")
        self.log_in()
        self.admin("POST", "/calls/reset")


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory):
    running = StandIn(tmp_path_factory.mktemp("zoho") / "data")
    yield running
    assert running.stop() == 0
    errors = (running.folder.parent / f"{running.folder.name}.err").read_text()
    assert "Traceback" not in errors, errors


@pytest.fixture(scope="session")
def shared_client(stand_in):
    client = Client(stand_in.hello)
    yield client
    client.session.close()


@pytest.fixture
def zoho(shared_client):
    shared_client.reset()
    return shared_client


@pytest.fixture
def start(tmp_path):
    """Start own processes; all end with the test."""
    running = []

    def begin(*options, folder="data", port=0):
        process = StandIn(tmp_path / folder, *options, port=port)
        running.append(process)
        return process

    yield begin
    for process in running:
        if process.process.poll() is None:
            process.kill()


class Receiver:
    """Takes notifications; `statuses` are answered in turn, then 200."""

    def __init__(self):
        self.bodies = []
        self.statuses = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers["Content-Length"])
                receiver.bodies.append(json.loads(self.rfile.read(length)))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_values):
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks?src=crm"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def wait(self, count, seconds=60):
        end = time.monotonic() + seconds
        while len(self.bodies) < count and time.monotonic() < end:
            time.sleep(0.01)
        return self.bodies

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    found = Receiver()
    yield found
    found.close()


@pytest.fixture
def name(request):
    """A text that no other test uses."""
    return f"{request.node.name[-50:]}-{time.monotonic_ns()}"
