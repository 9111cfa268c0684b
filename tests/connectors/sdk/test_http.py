"""The one HTTP client: errors by class, retries of what is safe, quota."""

import pytest
import requests
import responses

from connectors.sdk.errors import AnswerLostError, ThrottledError, TransientError
from connectors.testing import network
from connectors.testing.plain import PlainLimiter, plain_http

URL = "https://crm.example.com/api"


@pytest.fixture
def http():
    return plain_http(PlainLimiter())


@responses.activate
def test_a_safe_call_is_made_again_and_an_unsafe_one_is_not(http):
    for _ in range(2):
        responses.add("GET", URL, status=503)
        responses.add("POST", URL, status=503)
    responses.add("GET", URL, json={})
    responses.add("POST", URL, json={})
    assert http.call("GET", URL, interface="api").status_code == 200
    with pytest.raises(AnswerLostError):
        http.call("POST", URL, interface="api", write=True)
    assert (http.limiter.reads, http.limiter.writes) == (3, 1)


@responses.activate
def test_a_long_wait_is_not_waited_out(http):
    responses.add("GET", URL, status=429, headers={"Retry-After": "20"})
    with pytest.raises(ThrottledError) as caught:
        http.call("GET", URL, interface="api")
    assert caught.value.retry_after == 20
    with pytest.raises(ThrottledError):
        http.call("GET", URL, interface="api")
    assert http.limiter.reads == 1  # the second one was not made: the interface is closed


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (network.UNREACHABLE, TransientError),
        (network.TIMEOUT, AnswerLostError),
        (requests.ConnectionError("Connection reset by peer"), AnswerLostError),
        (requests.exceptions.ChunkedEncodingError("cut"), AnswerLostError),
        (requests.exceptions.ConnectTimeout("no answer"), TransientError),
        (network.UNAVAILABLE, AnswerLostError),
        (network.THROTTLED, ThrottledError),
    ],
)
def test_what_may_have_been_done_is_told_apart(http, failure, kind):
    with network.failing(http, failure), pytest.raises(TransientError) as caught:
        http.call("POST", URL, interface="api")
    assert type(caught.value) is kind


@responses.activate
def test_the_network_is_whole_again_afterwards(http):
    responses.add("GET", URL, json={"ok": 1})
    with network.failing(http, network.TIMEOUT), pytest.raises(TransientError):
        http.call("GET", URL, interface="api")
    assert http.call("GET", URL, interface="api").json() == {"ok": 1}


def test_a_used_up_budget_makes_no_call():
    http = plain_http(PlainLimiter(budget=0))
    with pytest.raises(ThrottledError, match="used up"):
        http.call("GET", URL, interface="api")
    assert http.limiter.reads == 0


def test_the_proxies_of_the_environment_are_used_for_every_host_but_those_left_out(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "inside.example.com")
    http, used = plain_http(PlainLimiter()), []

    def request(method, url, **options):
        used.append(options["proxies"].get("https"))
        answer = requests.Response()
        answer.status_code = 200
        return answer

    monkeypatch.setattr(http.session, "request", request)
    for host in ("inside", "crm", "inside", "crm"):
        http.call("GET", f"https://{host}.example.com/api", interface="api")
    assert used == [None, "http://proxy.example.com:3128"] * 2


def test_a_budget_that_ends_between_two_tries_does_not_hide_what_went_wrong():
    """The grants of a token are few: an address that nobody answers at was told as a limit."""
    http = plain_http(PlainLimiter(budget=1))
    with (
        network.failing(http, network.UNREACHABLE),
        pytest.raises(TransientError, match=r"crm\.example\.com cannot be reached") as caught,
    ):
        http.call("POST", URL, interface="token", repeatable=True)
    assert type(caught.value) is TransientError
    assert http.limiter.reads == 1
