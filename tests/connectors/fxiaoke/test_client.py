import threading

import pytest
import requests

from connectors.fxiaoke import Fxiaoke
from connectors.fxiaoke.errors import Kind
from connectors.sdk.errors import (
    AnswerLostError,
    RecordError,
    SetupError,
    ThrottledError,
    TransientError,
)
from connectors.testing import network

QUERY = "/cgi/crm/v2/data/query"
GRANT = "/oauth2.0/token"


def read(connector):
    return connector.client.call(QUERY, {"data": {}}, Kind.READ)


def test_the_header_convention_sends_credentials_beside_the_body(connector, tenant):
    tenant.answer("query", {})
    read(connector)
    headers = tenant.headers["query"][0]
    assert headers["authorization"] == "Bearer T1"
    assert headers["x-fs-ea"] == "acme90001"
    assert headers["x-fs-userid"] == "1000"
    assert tenant.asked("query") == [{"data": {}}]
    assert tenant.asked(GRANT)[0]["grantType"] == "app_secret"


def test_the_body_convention_sends_them_inside(make, tenant):
    tenant.answer("get/V2", {"corpAccessToken": "B1", "corpId": "FSCID_1", "expiresIn": 7200})
    tenant.answer("getByMobile", {"empList": [{"openUserId": "FSUID_7"}]})
    tenant.answer("query", {})
    read(make(convention="body", user_id="", mobile="13800000000"))
    assert tenant.asked("query") == [
        {
            "data": {},
            "corpAccessToken": "B1",
            "corpId": "FSCID_1",
            "currentOpenUserId": "FSUID_7",
        }
    ]
    assert "authorization" not in tenant.headers["query"][0]


@pytest.mark.parametrize("by_mobile", [{"empList": []}, {"errorCode": 30027}, {"errorCode": 10006}])
def test_the_directory_replaces_the_retired_search_by_mobile(make, tenant, by_mobile):
    tenant.answer("get/V2", {"corpAccessToken": "B1", "corpId": "FSCID_1", "expiresIn": 7200})
    tenant.answer("getByMobile", by_mobile)
    people = [{"openUserId": "FSUID_1", "mobile": "1"}, {"openUserId": "FSUID_2", "mobile": "2"}]
    tenant.answer("user/list", {"userList": people})
    assert make(convention="body", user_id="", mobile="2").client.actor() == "FSUID_2"


def test_an_employee_that_nobody_knows_is_a_matter_of_the_settings(make, tenant):
    tenant.answer("get/V2", {"corpAccessToken": "B1", "corpId": "FSCID_1", "expiresIn": 7200})
    tenant.answer("getByMobile", {"empList": []})
    tenant.answer("user/list", {"userList": [{"openUserId": "FSUID_1", "mobile": "1"}]})
    with pytest.raises(SetupError, match="mobile"):
        make(convention="body", user_id="", mobile="3").client.actor()


def test_a_token_is_kept_until_the_vendor_would_give_a_new_one(connector, tenant, clock):
    tenant.answer("query", {})
    read(connector)
    clock.forward(6600)
    read(connector)
    assert len(tenant.asked(GRANT)) == 1
    clock.forward(301)
    read(connector)
    assert len(tenant.asked(GRANT)) == 2


@pytest.mark.parametrize("code", [20005, 20016, 20017, 11014])
def test_a_dead_token_is_renewed_once_and_the_call_repeated(connector, tenant, refused, code):
    tenant.answer(GRANT, tenant.token("T1"), tenant.token("T2"))
    tenant.answer("query", refused(code), {"data": 1})
    assert read(connector)["data"] == 1
    assert tenant.headers["query"][1]["authorization"] == "Bearer T2"
    tenant.answer("query", refused(code))
    with pytest.raises(SetupError):
        read(connector)
    assert len(tenant.asked(GRANT)) == 4  # of the second pair both were granted just now


def test_threads_that_meet_a_dead_token_ask_for_one_new_one(connector, tenant, refused):
    dead = threading.Barrier(3)

    def answer(_body):
        if tenant.headers["query"][-1]["authorization"] == "Bearer T1":
            dead.wait(5)
            return refused(20016)
        return {}

    tenant.answer(GRANT, tenant.token("T1"), tenant.token("T2"))
    connector.client._token()  # all three start with T1
    tenant.answer("query", answer)
    threads = [threading.Thread(target=read, args=(connector,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(tenant.asked(GRANT)) == 2


@pytest.mark.parametrize("code", [20006, 20015, 10006, 10001, 12345, 20021, 30003])
def test_a_refused_grant_is_a_matter_of_the_settings(connector, tenant, refused, code):
    tenant.answer(GRANT, refused(code))
    with pytest.raises(SetupError) as caught:
        read(connector)
    assert caught.value.hint
    assert caught.value.remote_code == str(code)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "hint"),
    [("参数 appSecret 缺失或不合法", "app secret"), ("接口不存在", "API address")],
)
def test_one_code_for_two_mistakes_is_told_apart_by_its_words(
    connector, tenant, refused, words, hint
):
    tenant.answer(GRANT, refused(10006, words))
    with pytest.raises(SetupError) as caught:
        read(connector)
    assert caught.value.hint.startswith("Check " + ("app ID" if hint == "app secret" else "the"))
    assert hint in caught.value.hint


@pytest.mark.parametrize("code", [15003, 20012, 20014, 20020, 20021, 20022, 30003])
def test_codes_of_the_set_up_stop_the_system(connector, tenant, refused, code):
    tenant.answer("query", refused(code))
    with pytest.raises(SetupError) as caught:
        read(connector)
    assert caught.value.hint


@pytest.mark.parametrize("code", [30004, 14001])
def test_too_many_calls_close_the_path_for_everybody(connector, tenant, limiter, refused, code):
    tenant.answer("query", refused(code))
    with pytest.raises(ThrottledError) as caught:
        read(connector)
    assert caught.value.retry_after == 10
    assert limiter.acquire(QUERY) > 0
    assert limiter.acquire("/cgi/crm/v2/data/create") == 0
    assert len(tenant.asked("query")) == 1


def test_a_used_up_day_ends_at_midnight_in_beijing(connector, tenant, limiter, refused):
    tenant.answer("query", refused(30002))
    with pytest.raises(ThrottledError) as caught:
        read(connector)
    assert caught.value.retry_after == 13 * 3600 + 1  # it is 03:00 in UTC, 11:00 there
    assert limiter.acquire(GRANT) > 0


@pytest.mark.parametrize("code", [-1, 50009, -2])
def test_a_busy_system_is_asked_again_within_seconds(connector, tenant, refused, code):
    tenant.answer("query", refused(code), {"data": 2})
    assert read(connector)["data"] == 2
    tenant.answer("query", refused(code))
    with pytest.raises(TransientError):
        read(connector)
    assert len(tenant.asked("query")) == 5


def test_a_busy_answer_to_a_create_leaves_it_in_doubt(connector, tenant, refused):
    tenant.answer("create", refused(50009))
    with pytest.raises(AnswerLostError):
        connector.client.call("/cgi/crm/v2/data/create", {}, Kind.CREATE)
    assert len(tenant.asked("create")) == 1


def test_a_system_error_on_an_update_gets_a_second_try_only(connector, tenant, refused):
    tenant.answer("update", refused(-2))
    with pytest.raises(RecordError):
        connector.client.call("/cgi/crm/v2/data/update", {}, Kind.CHANGE)
    assert len(tenant.asked("update")) == 2


def test_any_other_code_is_the_records_with_what_support_asks_for(connector, tenant, refused):
    tenant.answer("update", refused(201110001, "必填字段未填写"))
    with pytest.raises(RecordError, match=r"必填字段未填写.*201110001.*E-O.acme.1000-2a") as caught:
        connector.client.call("/cgi/crm/v2/data/update", {}, Kind.CHANGE)
    assert caught.value.remote_code == "201110001"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((200, "<html>maintenance</html>"), AnswerLostError),
        ((200, "[]"), AnswerLostError),
        ((200, "{}"), AnswerLostError),
        ((200, '{"errorCode": "0"}'), AnswerLostError),
        ((500, "oops"), AnswerLostError),
        ((502, "bad gateway"), AnswerLostError),
        ((302, ""), SetupError),
        ((401, "no"), SetupError),
        ((403, "no"), SetupError),
        ((404, "no"), SetupError),
        ((429, "slow"), ThrottledError),
        (requests.Timeout("read"), AnswerLostError),
        (requests.ConnectionError("reset"), AnswerLostError),
        (requests.exceptions.ConnectTimeout("no"), TransientError),
    ],
)
@pytest.mark.parametrize("kind", [Kind.READ, Kind.CREATE])
def test_troubles_of_the_transport(connector, tenant, answer, error, kind):
    tenant.answer("create", answer)
    error = TransientError if error is AnswerLostError and kind is Kind.READ else error
    with pytest.raises(error) as caught:
        connector.client.call("/cgi/crm/v2/data/create", {}, kind)
    if error is TransientError:
        assert not isinstance(caught.value, AnswerLostError)
    tries = 3 if error is TransientError else 1
    assert len(tenant.asked("create")) == (1 if error in {SetupError, ThrottledError} else tries)


def test_no_twenty_seconds_hold_more_calls_than_the_setting(make):
    for limit in (1, 2, 10, 90, 500):
        config = make(calls_per_20_seconds=limit).config
        rate = Fxiaoke.rates(config)["*"]
        assert rate.seconds == 20
        assert rate.calls + rate.burst <= max(limit, 2)
        assert rate.calls + rate.burst >= min(limit, 90)


def test_no_minute_holds_more_than_ten_grants(make):
    rates = Fxiaoke.rates(make().config)
    for path in ("/oauth2.0/token", "/cgi/corpAccessToken/get/V2"):
        assert (rates[path].calls + rates[path].burst, rates[path].seconds) == (10, 60)


def test_a_call_waits_a_little_for_our_own_pace(make, tenant, limiter):
    tenant.answer("update", {})
    waits = [0.0, 1.0, 1.5, 0.0]  # of the token and of three tries
    limiter.acquire = lambda _interface, _cost=1: waits.pop(0)
    slept = []
    connector = make()
    connector.client.sleep = slept.append
    connector.client.call("/cgi/crm/v2/data/update", {}, Kind.CREATE)
    assert slept == [1.0, 1.5]


def test_a_call_that_would_wait_long_is_not_made(make, tenant, limiter):
    tenant.answer("update", {})
    waits = [0.0, 2.0, 2.0]
    limiter.acquire = lambda _interface, _cost=1: waits.pop(0)
    with pytest.raises(ThrottledError):
        make().client.call("/cgi/crm/v2/data/update", {}, Kind.CREATE)
    assert tenant.asked("update") == []


def test_a_grant_without_a_token_is_no_grant(connector, tenant, tokens):
    tenant.answer(GRANT, {"expiresIn": 7200})
    with pytest.raises(TransientError):
        read(connector)
    assert tokens.current() is None


def test_a_refusal_is_logged_for_support_without_secrets(connector, tenant, refused, caplog):
    tenant.answer("update", refused(201110001, "客户的私事"))
    with caplog.at_level("INFO"), pytest.raises(RecordError):
        connector.client.call("/cgi/crm/v2/data/update", {}, Kind.CHANGE)
    record = caplog.records[-1]
    assert (record.code, record.trace) == (201110001, "E-O.acme.1000-2a")
    assert "s3cret" not in caplog.text
    assert "客户的私事" not in caplog.text


def test_a_refusal_without_words_still_reads_as_a_sentence(connector, tenant):
    words = {"errorCode": 7, "errorMessage": "success", "errorDescription": "success"}
    tenant.answer("update", words)
    with pytest.raises(RecordError, match="no reason given"):
        connector.client.call("/cgi/crm/v2/data/update", {}, Kind.CHANGE)


def test_an_address_that_nobody_answers_at_is_not_told_as_a_limit(connector, limiter):
    """Grants are few: the third try finds none left."""
    limiter.budget = 2
    with (
        network.failing(connector.http, network.UNREACHABLE),
        pytest.raises(TransientError, match="cannot be reached") as caught,
    ):
        read(connector)
    assert not isinstance(caught.value, ThrottledError)
