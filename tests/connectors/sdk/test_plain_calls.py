"""A JSON call without redirects goes past the session and means the same to the other side."""

import json
from datetime import timedelta

import pytest
import responses
from requests import Session

from connectors.sdk.http import Http

URL = "https://crm.example.com/api/数据/create"
CALL = {
    "json": {"name": "上海", "none": None},
    "headers": {"authorization": "Bearer x"},
    "params": {"trace": "a b", "left_out": None},
}


class Free:
    """A limiter that lets everything go."""

    def acquire(self, _interface, _cost=1):
        return 0.0

    def close(self, _interface, _seconds):
        raise AssertionError("nothing was refused")

    def count(self, *, write):
        assert write is False


@pytest.fixture
def server():
    with responses.RequestsMock() as mock:
        mock.post("https://crm.example.com/api/%E6%95%B0%E6%8D%AE/create", json={"ok": 1})
        yield mock


def sent(server, number):
    request = server.calls[number].request
    headers = {name.lower(): str(value) for name, value in request.headers.items()}
    body = request.body if isinstance(request.body, bytes) else request.body.encode()
    return request.method, request.url.replace("+", "%20"), headers, json.loads(body)


def test_what_is_sent_is_what_a_session_would_send(server):
    answer = Http(Free(), None).call("POST", URL, interface="x", allow_redirects=False, **CALL)
    session = Session()
    session.trust_env = False
    assert answer.json() == session.post(URL, allow_redirects=False, **CALL).json()
    assert answer.elapsed > timedelta(0)
    assert sent(server, 0) == sent(server, 1)


def test_a_cookie_comes_back_with_the_next_call(server):
    server.reset()
    server.post("https://crm.example.com/in", json={}, headers={"Set-Cookie": "lb=7; Path=/"})
    http = Http(Free(), None)
    for _ in range(2):
        http.call(
            "POST", "https://crm.example.com/in", interface="x", json={}, allow_redirects=False
        )
    assert "Cookie" not in server.calls[0].request.headers
    assert server.calls[1].request.headers["Cookie"] == "lb=7"
