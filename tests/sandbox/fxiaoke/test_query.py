"""Filters, paging, order and counting, over HTTP."""

import pytest

CUSTOM = "object_8w9cb__c"


@pytest.fixture(scope="module")
def five(shared):
    """Five accounts that only this module's filters meet."""
    rows = [
        {"name": "甲公司", "tel": "1", "credit_limit__c": "9", "account_level": "1",
         "remark": "QQ alpha"},
        {"name": "乙公司", "tel": "2", "credit_limit__c": "10", "account_level": "2",
         "remark": "QQ beta", "owner": ["1002"]},
        {"name": "丙", "tel": "3", "credit_limit__c": "100", "remark": "QQ gamma",
         "blocked__c": True},
        {"name": "丁", "remark": "QQ delta"},
        {"name": "戊", "tel": "5", "remark": "QQ alphabet", "email": "a@b.cn"},
    ]  # fmt: skip
    return [shared.create(**{"owner": ["1001"], **row}) for row in rows]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (("name", "EQ", ["甲公司"]), [0]),
        (("tel", "N", ["1"]), [1, 2, 3, 4]),
        (("tel", "NEQ", ["1"]), [1, 2, 3, 4]),
        (("credit_limit__c", "GT", ["9"]), [1, 2]),
        (("credit_limit__c", "GTE", [9]), [0, 1, 2]),
        (("credit_limit__c", "LT", ["10.00"]), [0]),
        (("credit_limit__c", "LTE", ["10.00"]), [0, 1]),
        (("name", "LIKE", ["公司"]), [0, 1]),
        (("name", "NLIKE", ["公司"]), [2, 3, 4]),
        (("tel", "IS", []), [3]),
        (("tel", "ISN", [""]), [0, 1, 2, 4]),
        (("tel", "IN", ["1", "5"]), [0, 4]),
        (("tel", "NIN", ["1", "5"]), [1, 2, 3]),
        (("credit_limit__c", "BETWEEN", ["9", "10"]), [0, 1]),
        (("credit_limit__c", "NBETWEEN", ["9", "10"]), [2, 3, 4]),
        (("remark", "STARTWITH", ["QQ alpha"]), [0, 4]),
        (("remark", "ENDWITH", ["beta"]), [1]),
        (("account_level", "HASANYOF", ["1", "2"]), [0, 1]),
        (("account_level", "NHASANYOF", ["1"]), [1, 2, 3, 4]),
        (("blocked__c", "EQ", [True]), [2]),
        (("owner", "IN", ["1002"]), [1]),
        (("owner", "EQ", ["1001"]), [0, 2, 3, 4]),
        (("email", "ISN", []), [4]),
    ],
)
def test_operators(fx, five, condition, expected):
    only_these = ("remark", "STARTWITH", ["QQ "])
    found = fx.ids(only_these, condition, orders=[{"fieldName": "_id", "isAsc": True}])
    assert [five.index(one) for one in found] == expected


def test_between_can_exclude_its_ends(fx, five):
    fx.admin("/switches", {"between_inclusive": False})
    found = fx.ids(("remark", "STARTWITH", ["QQ "]), ("credit_limit__c", "BETWEEN", ["9", "100"]))
    assert found == [five[1]]


def test_a_projection_always_has_the_id(fx, five):
    reply = fx.search(filters=[("_id", "EQ", [five[0]])], fieldProjection=["name"])
    assert reply["data"]["dataList"] == [{"_id": five[0], "name": "甲公司"}]


def test_keyset_walk_passes_the_offset_wall(fx):
    seen, last = [], ""
    while True:
        reply = fx.search(
            CUSTOM,
            [("_id", "GT", [last])] if last else [],
            orders=[{"fieldName": "_id", "isAsc": True}],
            fieldProjection=["_id"],
        )
        page = [row["_id"] for row in reply["data"]["dataList"]]
        seen += page
        if len(page) < 100:
            break
        last = page[-1]
    assert len(seen) == len(set(seen)) >= 10_250
    assert seen == sorted(seen)


def test_offset_stops_at_ten_thousand(fx):
    assert len(fx.search(CUSTOM, offset=10_000)["data"]["dataList"]) == 100
    reply = fx.search(CUSTOM, offset=10_100)
    assert (reply["errorCode"], reply["errorMessage"], reply["errorDescription"]) == (
        10013, "offset out of range 10000", "offset cannot exceed 10000",
    )  # fmt: skip


def test_limit_over_a_hundred_is_refused_or_cut(fx):
    assert fx.search(CUSTOM, limit=101)["errorCode"] == 32000
    fx.admin("/switches", {"limit_over_100": "cap"})
    reply = fx.search(CUSTOM, limit=500)
    assert (reply["data"]["limit"], len(reply["data"]["dataList"])) == (100, 100)


def test_many_rows_share_one_moment(fx):
    first = fx.search(CUSTOM, orders=[{"fieldName": "last_modified_time", "isAsc": True}], limit=1)
    moment = first["data"]["dataList"][0]["last_modified_time"]
    reply = fx.search(CUSTOM, [("last_modified_time", "EQ", [moment])])
    assert reply["data"]["total"] == 250


def test_counting_can_be_switched_off(fx):
    path = "/cgi/crm/custom/v2/data/query"
    data = {"dataObjectApiName": CUSTOM, "search_query_info": {"limit": 1, "offset": 0}}
    assert fx.good(path, data)["data"]["total"] >= 10_250
    off = {**data, "find_explicit_total_num": False}
    assert fx.good(path, off)["data"]["total"] == 0
    assert fx.good(path, data, returnTotalNum=3)["data"]["total"] == 0
    fx.admin("/switches", {"total_when_off": "absent"})
    assert "total" not in fx.good(path, off)["data"]


def test_invalid_rows_are_listed_by_switch(fx):
    invalid = ("life_status", "EQ", ["invalid"])
    assert fx.ids(invalid, object_name=CUSTOM)
    fx.admin("/switches", {"query_returns_invalid": False})
    assert fx.ids(invalid, object_name=CUSTOM) == []


@pytest.mark.parametrize(
    "condition",
    [
        ("no_such_field", "EQ", ["x"]),
        ("name", "SOUNDSLIKE", ["x"]),
        ("name", "EQ", "not a list"),
        ("name", "EQ", ["a", "b"]),
        ("credit_limit__c", "GT", ["much"]),
        ("credit_limit__c", "BETWEEN", ["1"]),
        ("name' OR 1=1 --", "EQ", ["x"]),
    ],
)
def test_a_wrong_filter_is_a_parameter_error(fx, condition):
    assert fx.search(filters=[condition])["errorCode"] == 32000


def test_a_window_over_modification_time_finds_what_changed(fx, five):
    before = fx.get(five[0])["last_modified_time"]
    fx.admin("/clock", {"shift_ms": 60_000})
    fx.update(five[0], fax="1")
    found = fx.ids(
        ("last_modified_time", "GTE", [before + 50_000]),
        ("last_modified_time", "LT", [before + 600_000]),
        orders=[{"fieldName": "_id", "isAsc": True}],
    )
    assert five[0] in found
    assert five[1] not in found


def test_a_salesman_sees_own_rows_and_those_of_subordinates(fx, five):
    mine = ("remark", "STARTWITH", ["QQ "])
    assert len(fx.ids(mine, user="1001")) == 5  # 1002 reports to 1001
    assert fx.ids(mine, user="1002") == [five[1]]
    data = {"dataObjectApiName": "AccountObj", "objectDataId": five[0]}
    reply = fx.call("/cgi/crm/v2/data/get", {"data": data}, user="1002")
    assert "无数据权限" in reply["errorMessage"]


def test_find_simple_and_find_one_take_a_projection_in_snake_case(fx, five):
    data = {
        "dataObjectApiName": "AccountObj",
        "field_projection": ["name"],
        "search_query_info": {
            "limit": 10, "offset": 0,
            "filters": [{"field_name": "_id", "operator": "EQ", "field_values": [five[2]]}],
        },
    }  # fmt: skip
    expected = {"_id": five[2], "name": "丙"}
    assert fx.good("/cgi/crm/custom/v2/data/findOne", data)["data"] == expected
    many = fx.good("/cgi/crm/custom/v2/data/findSimple", data)["data"]["dataList"]
    assert many == [expected]
