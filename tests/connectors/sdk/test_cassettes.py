"""Recording hides secrets; playing back is strict."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests

from connectors.testing.cassettes import BASE, Cassette, recording, replaying, secrets_in


def hide(text):
    return text.replace("s3cret", "hidden")


@pytest.fixture
def server():
    class Echo(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"got": ' + body + b"}")

        def log_message(self, *_args):
            return

    httpd = HTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def cassette(tmp_path, server):
    path = tmp_path / "one.yaml"
    with recording(path, server, hide), requests.Session() as session:
        headers = {"Authorization": "Bearer s3cret"}
        session.post(f"{server}/a", json={"password": "s3cret", "名": "客"}, headers=headers)
        session.post(f"{server}/b", json={})
    return path


def test_a_recorded_call_is_played_back(cassette):
    with replaying(cassette, hide):
        answer = requests.post(f"{BASE}/a", json={"名": "客", "password": "s3cret"}, timeout=1)
        assert answer.status_code == 201
        assert answer.json()["got"]["名"] == "客"
        requests.post(f"{BASE}/b", json={}, timeout=1)


def test_no_secret_is_written(cassette):
    text = cassette.read_text(encoding="utf-8")
    assert "s3cret" not in text
    assert not secrets_in(text, ["s3cret"])
    assert [call.path for call in Cassette.load(cassette).calls] == ["/a", "/b"]


def test_another_request_than_the_recorded_one_fails(cassette):
    with (
        pytest.raises(AssertionError, match="record the cassette again"),
        replaying(cassette, hide),
    ):
        requests.post(f"{BASE}/a", json={"名": "别"}, timeout=1)


def test_a_recorded_call_that_is_not_made_fails(cassette):
    with pytest.raises(AssertionError, match="not asked for"), replaying(cassette, hide):
        requests.post(f"{BASE}/a", json={"名": "客", "password": "s3cret"}, timeout=1)


def test_nothing_is_kept_of_no_call(tmp_path, server):
    with recording(tmp_path / "none.yaml", server, hide):
        pass
    assert not (tmp_path / "none.yaml").exists()


@pytest.mark.parametrize(
    "leak",
    [
        '"password": "correct horse"',
        '"access_token":"1000.abcdef"',
        '{"client_secret": "0123456789"}',
        "Authorization: Bearer abcdefghijklmnopqrstuvwxyz",
    ],
)
def test_what_looks_like_a_credential_is_found(leak):
    assert secrets_in(f"answer: '{leak}'", [])
    assert not secrets_in('answer: \'{"password": "hidden"}\'', [])
