"""Tokens, the two request conventions, quota, throttling and the order of the checks."""

import threading
import uuid

import pytest


@pytest.fixture
def strict(alone):
    """A process of its own with the limits that a tenant really has."""
    return alone()


def actor(stand_in, user_id):
    users = stand_in.call("/cgi/user/list", {"departmentId": 999999})["userList"]
    return next(one["openUserId"] for one in users if one["employeeNumber"] == f"E{user_id}")


def body_credentials(stand_in, user_id="1003"):
    granted = stand_in.grant("/cgi/corpAccessToken/get/V2")
    return {
        "corpAccessToken": granted["corpAccessToken"],
        "corpId": granted["corpId"],
        "currentOpenUserId": actor(stand_in, user_id),
    }


def test_a_token_is_reused_then_replaced_then_dies(alone):
    fx = alone()
    first = fx.grant()
    assert first["errorMessage"] == "success"
    assert first["openUserId"].startswith("FSCID_")
    assert 7190 <= first["expiresIn"] <= 7200
    assert fx.call("/cgi/crm/v2/object/list")["errorCode"] == 0
    fx.admin("/clock", {"shift_ms": 6_500_000})
    again = fx.grant()
    assert again["accessToken"] == first["accessToken"]
    assert again["expiresIn"] <= 700
    fx.admin("/clock", {"shift_ms": 200_000})
    second = fx.grant()
    assert second["accessToken"] != first["accessToken"]
    assert fx.call("/cgi/crm/v2/object/list")["errorCode"] == 0  # the old one lives on
    fx.admin("/clock", {"shift_ms": 600_000})
    assert fx.call("/cgi/crm/v2/object/list")["errorCode"] == 20016
    fx.forget_token()
    assert fx.call("/cgi/crm/v2/object/list")["errorCode"] == 0


def test_the_token_endpoint_takes_ten_calls_a_minute(strict):
    codes = [strict.grant()["errorCode"] for _ in range(11)]
    assert codes == [0] * 10 + [14001]
    strict.admin("/clock", {"shift_ms": 61_000})
    assert strict.grant()["errorCode"] == 0


def test_two_grants_at_once_are_refused(strict):
    strict.admin("/limits", {"token_work_ms": 400})
    codes = []
    threads = [
        threading.Thread(target=lambda: codes.append(strict.grant()["errorCode"])) for _ in range(3)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(codes) == [0, 14001, 14001]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"appSecret": None}, 10006),
        ({"appSecret": "wrong"}, 10006),
        ({"appId": None}, 10001),
        ({"appId": "FSAID_x"}, 20006),
        ({"permanentCode": None}, 10012),
        ({"permanentCode": "wrong"}, 20015),
        ({"grantType": "password"}, 10006),
    ],
)
def test_wrong_credentials_have_their_codes(fx, changes, code):
    reply = fx.grant(**changes)
    assert reply["errorCode"] == code
    assert reply["traceId"].startswith("open-api-gateway-web/")
    assert "accessToken" not in reply


def test_a_wrong_secret_adds_the_oauth_error_keys(fx):
    reply = fx.grant(appSecret="wrong")
    assert {"error", "error_description"} <= set(reply)


def test_both_conventions_reach_the_same_rows(fx, account):
    known = body_credentials(fx)
    data = {"dataObjectApiName": "AccountObj", "objectDataId": account}
    row = fx.raw("/cgi/crm/v2/data/get", {**known, "data": data}).json()["data"]
    assert row["owner"] == [actor(fx, "1001")]
    assert row["owner"][0].startswith("FSUID_")
    assert row["owner__r"]["id"] == row["owner"][0]
    plain = fx.raw("/cgi/crm/v2/data/get", {**known, "data": data, "convertUserId": False}).json()[
        "data"
    ]
    assert plain["owner"] == ["1001"]
    assert fx.get(account, convertUserId=True)["owner"] == row["owner"]


def test_the_body_convention_writes_and_filters_with_its_own_ids(fx):
    known = body_credentials(fx)
    owner = actor(fx, "1002")
    record = {"dataObjectApiName": "AccountObj", "name": f"b {uuid.uuid4()}", "owner": [owner]}
    made = fx.raw("/cgi/crm/v2/data/create", {**known, "data": {"object_data": record}}).json()
    assert fx.get(made["dataId"])["owner"] == ["1002"]
    wrong = {**record, "owner": ["1002"]}
    reply = fx.raw("/cgi/crm/v2/data/create", {**known, "data": {"object_data": wrong}}).json()
    assert "不存在" in reply["errorMessage"]
    info = {"limit": 10, "offset": 0, "filters": [
        {"field_name": "owner", "operator": "IN", "field_values": [owner]},
        {"field_name": "_id", "operator": "EQ", "field_values": [made["dataId"]]}]}  # fmt: skip
    found = fx.raw(
        "/cgi/crm/v2/data/query",
        {**known, "data": {"dataObjectApiName": "AccountObj", "search_query_info": info}},
    ).json()
    assert [row["_id"] for row in found["data"]["dataList"]] == [made["dataId"]]


def test_an_employee_is_found_by_mobile(fx):
    granted = fx.grant("/cgi/corpAccessToken/get/V2")
    known = {name: granted[name] for name in ("corpAccessToken", "corpId")}
    path = "/cgi/user/getByMobile"
    found = fx.raw(path, {**known, "mobile": fx.info["mobile"]}).json()["empList"]
    assert [one["openUserId"] for one in found] == [actor(fx, "1003")]
    assert fx.raw(path, {**known, "mobile": "13900000000"}).json()["empList"] == []
    fx.admin("/switches", {"mobile_unknown": "error"})
    assert fx.raw(path, {**known, "mobile": "13900000000"}).json()["errorCode"] == 30027


def test_missing_and_wrong_credentials(fx):
    path, data = "/cgi/crm/v2/object/list", {"data": {}}
    none = fx.raw(path, data).json()
    assert none["errorCode"] == 20017
    assert none["traceId"].startswith("E-O.null.-1000-")
    headers = fx.headers()
    for name, value, code in (
        ("authorization", "Bearer nonsense", 20016),
        ("authorization", "nonsense", 20016),
        ("x-fs-ea", "someone", 20016),
        ("x-fs-userid", "4711", 20012),
        ("x-fs-userid", "", 10010),
    ):
        assert fx.raw(path, data, {**headers, name: value}).json()["errorCode"] == code
    known = body_credentials(fx)
    for name, value, code in (
        ("corpAccessToken", "nonsense", 20016),
        ("corpId", "FSCID_x", 20016),
        ("currentOpenUserId", "FSUID_x", 20012),
        ("currentOpenUserId", "", 10010),
    ):
        assert fx.raw(path, {**data, **known, name: value}).json()["errorCode"] == code


def test_half_of_each_convention_is_refused(fx):
    headers = {"authorization": f"Bearer {fx.token()}"}
    reply = fx.raw("/cgi/crm/v2/object/list", {"corpId": fx.info["corp_id"]}, headers).json()
    assert reply["errorCode"] == 20017


def test_the_transport_checks_come_first(fx):
    reply = fx.raw("/cgi/crm/v9/data/get", {}).json()
    assert reply["errorCode"] == 10006
    assert "uri=[/cgi/crm/v9/data/get]" in reply["errorMessage"]
    got = fx.http.get(f"{fx.url}/cgi/crm/v2/data/get", timeout=60)
    assert (got.status_code, got.json()["errorCode"]) == (200, 10006)
    path = "/cgi/crm/v2/data/get"
    assert fx.raw(path).json()["errorCode"] == 12004
    assert fx.raw(path, data=b"{broken").json()["errorCode"] == 32000
    assert fx.raw(path, data=b"[1]").json()["errorCode"] == 32000


def test_a_trace_id_can_be_made_mandatory(fx):
    fx.admin("/switches", {"require_thirdTraceId": True})
    url = f"{fx.url}/cgi/crm/v2/object/list"
    reply = fx.http.post(url, json={"data": {}}, headers=fx.headers(), timeout=60).json()
    assert reply["errorCode"] == 32000
    assert fx.call("/cgi/crm/v2/object/list")["errorCode"] == 0


def test_the_state_of_the_app_stops_calls(fx):
    path, before = "/cgi/crm/v2/object/list", fx.look("/limits")
    used = before.pop("used_today")
    assert fx.call(path)["errorCode"] == 0  # with a token: an app that is off gets none
    for limit, code in (
        ({"app_enabled": False}, 20021),
        ({"app_authorised": False}, 20022),
        ({"pack_bought": False}, 30003),
        ({"day_quota": 3, "used_today": 3}, 30002),
    ):
        try:
            fx.admin("/limits", limit)
            assert fx.call(path)["errorCode"] == code
        finally:
            fx.admin("/limits", {**before, "used_today": used})
        assert fx.call(path)["errorCode"] == 0


def test_the_day_quota_comes_back_at_midnight(strict):
    strict.admin("/limits", {"day_quota": 2})
    codes = [strict.call("/cgi/crm/v2/object/list")["errorCode"] for _ in range(3)]
    assert codes == [0, 0, 30002]
    strict.admin("/clock", {"shift_ms": 86_400_000})
    strict.forget_token()
    assert strict.call("/cgi/crm/v2/object/list")["errorCode"] == 0


def test_a_hundred_calls_in_twenty_seconds_per_path(strict):
    path = "/cgi/crm/v2/object/list"
    codes = [strict.call(path)["errorCode"] for _ in range(101)]
    assert codes == [0] * 100 + [30004]
    describe = {"data": {"apiName": "AccountObj"}}
    assert strict.call("/cgi/crm/v2/object/describe", describe)["errorCode"] == 0
    strict.admin("/switches", {"throttle_code": 14001})
    assert strict.call(path)["errorCode"] == 14001
    strict.admin("/clock", {"shift_ms": 20_001})
    assert strict.call(path)["errorCode"] == 0


def test_tokens_can_be_expired_and_revoked(alone):
    fx = alone()
    for trouble in ("/tokens/expire", "/tokens/revoke"):
        fx.forget_token()
        assert fx.call("/cgi/crm/v2/object/list")["errorCode"] == 0
        assert fx.admin(trouble)["tokens"] >= 1
        assert fx.call("/cgi/crm/v2/object/list")["errorCode"] == 20016
