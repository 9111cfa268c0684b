"""Tokens: one for all workers, renewed once, and every refusal a sentence that helps."""

import threading
import time
from pathlib import Path

import pytest
import responses
from pydantic import SecretStr

from connectors import zoho_crm
from connectors.sdk.contract import Write
from connectors.sdk.errors import AnswerLostError, SetupError, ThrottledError, TransientError
from connectors.testing.plain import PlainLimiter, PlainTokens, plain_http
from connectors.zoho_crm import CONNECTOR
from connectors.zoho_crm.config import HOSTS, ZohoConfig

ACCOUNTS = "https://accounts.zoho.eu/oauth/v2/token"
FIELDS = {"fields": [{"api_name": "Hub_Key", "data_type": "text", "unique": {"case": False}}]}


def european(http=None, **changes):
    config = ZohoConfig(
        data_centre="EU",
        client_id="1000.ID",
        client_secret="the-secret",
        refresh_token="the-refresh-token",
        **changes,
    )
    return CONNECTOR(config, http or plain_http(PlainLimiter()))


def grants(**more):
    body = {"access_token": "t-1", "expires_in": 3600, "token_type": "Bearer", **more}
    return responses.post(ACCOUNTS, json=body)


def fields(base="https://www.zohoapis.eu", **answer):
    return responses.get(f"{base}/crm/v8/settings/fields", **{"json": FIELDS, **answer})


@responses.activate
def test_the_address_comes_with_the_token():
    asked = grants(api_domain="https://www.zohoapis.in")
    called = fields("https://www.zohoapis.in")
    european().check()
    form = asked.calls[0].request.body
    assert "grant_type=refresh_token" in form
    assert "refresh_token=the-refresh-token" in form
    assert called.calls[0].request.headers["Authorization"] == "Zoho-oauthtoken t-1"


@responses.activate
def test_the_settings_may_fix_the_address():
    grants(api_domain="https://www.zohoapis.eu")
    called = fields("https://sandbox.zohoapis.eu")
    european(api_url="https://sandbox.zohoapis.eu/").check()
    assert called.call_count == 5


@pytest.mark.parametrize("centre", HOSTS)
@responses.activate
def test_every_data_centre_has_its_addresses(centre):
    hosts = HOSTS[centre]
    responses.post(f"{hosts.accounts}/oauth/v2/token", json={"access_token": "t"})
    called = fields(hosts.api)
    config = ZohoConfig(data_centre=centre, client_id="i", client_secret="s", refresh_token="r")
    CONNECTOR(config, plain_http(PlainLimiter())).check()
    assert called.call_count == 5


@pytest.mark.parametrize(
    ("error", "word"),
    [
        ("invalid_client", "client ID"),
        ("invalid_client_secret", "client secret"),
        ("invalid_code", "refresh token"),
        ("general_error", "general_error"),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
@responses.activate
def test_a_refused_token_says_what_to_mend(error, word, status):
    responses.post(ACCOUNTS, json={"error": error}, status=status)
    with pytest.raises(SetupError, match=word) as caught:
        european().check()
    assert caught.value.remote_code == error
    assert caught.value.hint
    for secret in ("the-secret", "the-refresh-token"):
        assert secret not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("status", [200, 400])
@responses.activate
def test_a_throttled_grant_waits_ten_minutes_for_all(status):
    denied = {"error": "Access Denied", "error_description": "later", "status": "failure"}
    asked = responses.post(ACCOUNTS, json=denied, status=status)
    connector = european()
    for _ in range(2):
        with pytest.raises(ThrottledError) as caught:
            connector.check()
        assert caught.value.retry_after > 590
    assert asked.call_count == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 404, "body": "<html>not here</html>"}, SetupError),
        ({"status": 302, "headers": {"Location": "https://elsewhere.example"}}, SetupError),
        ({"status": 500, "body": "<html>broken</html>"}, TransientError),
        ({"status": 200, "body": "<html>maintenance</html>"}, TransientError),
        ({"status": 503}, TransientError),
    ],
)
@responses.activate
def test_a_token_service_that_is_none_or_is_down(answer, kind):
    responses.post(ACCOUNTS, **answer)
    with pytest.raises(kind):
        european().check()


@responses.activate
def test_a_second_refusal_of_a_fresh_token_is_a_matter_of_set_up():
    asked = grants()
    dead = {"code": "INVALID_TOKEN", "details": {}, "message": "no", "status": "error"}
    called = fields(json=dead, status=401)
    with pytest.raises(SetupError, match="just granted"):
        european().check()
    assert (asked.call_count, called.call_count) == (2, 2)


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, {"code": "OAUTH_SCOPE_MISMATCH", "status": "error"}, SetupError, "right"),
        (403, {"code": "NO_PERMISSION", "status": "error"}, SetupError, "may not"),
        (400, {"code": "INVALID_MODULE", "status": "error"}, SetupError, "no such module"),
        (400, {"code": "INVALID_HOST", "status": "error"}, SetupError, "data centre"),
        (404, {"code": "INVALID_URL_PATTERN", "status": "error"}, SetupError, "v8"),
        (200, {"code": "NO_PERMISSION", "status": "error"}, SetupError, "may not"),
        (400, {"code": "TOO_MANY_REQUESTS", "status": "error"}, ThrottledError, "no more"),
        (400, {"code": "DEPENDENT_SERVICE_ERROR", "status": "error"}, TransientError, "order"),
        (500, {"code": "INTERNAL_ERROR", "status": "error"}, TransientError, "500"),
        (204, None, SetupError, "no field"),
    ],
)
@responses.activate
def test_a_refused_call_has_its_class_and_sentence(status, body, kind, words):
    grants()
    answer = {"json": body} if body else {"json": None, "body": ""}
    fields(status=status, **answer)
    with pytest.raises(kind, match=words):
        european().check()


def test_a_token_that_died_early_is_renewed_once_for_all_threads(stand_in):
    tokens = PlainTokens()
    stand_in.connect(http=plain_http(PlainLimiter(), tokens)).check()
    assert tokens.grants == 1
    stand_in.admin("POST", "/tokens/expire")
    errors = []

    def poll():
        connector = stand_in.connect(http=plain_http(PlainLimiter(), tokens))
        try:
            connector.reader.count("Accounts")
        except Exception as error:  # noqa: BLE001  told to the test below
            errors.append(error)

    threads = [threading.Thread(target=poll) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert tokens.grants == 2


def test_a_token_that_dies_before_a_write_repeats_the_write(stand_in):
    connector = stand_in.connect()
    connector.check()
    stand_in.admin("POST", "/tokens/expire")
    write = Write("k", "create", data={"Account_Name": "A"})
    (outcome,) = connector.write("Accounts", [write])
    assert outcome.error is None
    assert len(stand_in.records("Accounts")) == 1


def test_a_consent_taken_back_is_told(stand_in):
    connector = stand_in.connect()
    connector.check()
    stand_in.admin("POST", "/tokens/revoke-refresh")
    stand_in.admin("POST", "/tokens/expire")
    try:
        with pytest.raises(SetupError, match="refresh token"):
            connector.reader.count("Accounts")
    finally:
        stand_in.admin("POST", "/tokens/restore-refresh")
    connector.reader.count("Accounts")


def test_a_missing_scope_is_told(stand_in):
    stand_in.admin("POST", "/tokens/scope", {"scope": "ZohoCRM.modules.ALL"})
    with pytest.raises(SetupError, match="right"):
        stand_in.connect().check()


def test_running_out_of_credits_closes_the_door_and_is_told_first(stand_in, capsys):
    stand_in.admin("POST", "/limits", {"reset": True, "daily_credits": 10})
    connector = stand_in.connect()
    with pytest.raises(ThrottledError):
        [connector.reader.count("Accounts") for _ in range(20)]
    assert connector.http.limiter.acquire("light") > 0
    assert connector.http.limiter.acquire("heavy") > 0
    assert capsys.readouterr().out.count("credits are running down") >= 2


@responses.activate
def test_a_write_without_a_readable_answer_is_in_doubt(described):
    responses.post("https://www.zohoapis.eu/crm/v8/Accounts", body="<html>proxy</html>")
    with pytest.raises(AnswerLostError):
        list(described.write("Accounts", [Write("k", "create", data={"Account_Name": "A"})]))


def test_a_token_is_given_up_before_it_ends():
    connector = european()
    with responses.RequestsMock() as mock:
        mock.post(ACCOUNTS, json={"access_token": "t", "expires_in": 3600})
        token = connector.client.grant()
    assert 3400 < token.expires_at - time.time() <= 3540


def test_the_scopes_of_the_readme_are_enough(stand_in):
    text = (Path(zoho_crm.__file__).parent / "README.md").read_text(encoding="utf-8")
    scopes = next(line.strip() for line in text.splitlines() if "ZohoCRM.coql.READ" in line)
    stand_in.admin("POST", "/tokens/scope", {"scope": scopes.replace(",", " ")})
    stand_in.seed("Accounts", [{"Account_Name": f"A{n}"} for n in range(5)])
    connector = stand_in.connect(bulk_threshold=2)
    connector.check()
    assert sum(len(page.changes) for page in connector.changes("Accounts", None)) >= 5
    assert connector.http.limiter.spent["bulk"] > 50
    line = {"Product_Name": {"code": "P1", "name": "Pump"}, "Quantity": 1, "List_Price": 1}
    order = Write("o", "create", data={"Subject": "SO", "Ordered_Items": [line]})
    (made,) = connector.write("Sales_Orders", [order])
    assert made.after is not None
    assert list(connector.find("Sales_Orders", ["o"])) == ["o"]
    (gone,) = connector.write("Sales_Orders", [Write("d", "delete", made.remote_id)])
    assert gone.error is None
    connector.unsubscribe(connector.subscribe("http://127.0.0.1:9/hook", {}))


def test_two_organisations_of_one_client_share_nothing():
    first = european().client.identity
    second = CONNECTOR(
        european().config.model_copy(update={"refresh_token": SecretStr("another")}),
        plain_http(PlainLimiter()),
    ).client.identity
    assert first != second
    assert "the-refresh-token" not in str(first)
