"""create, get, update and the life of a row, over HTTP."""

import pytest

DAY = 86_400_000


def test_a_created_row_has_its_system_fields_and_expansions(fx, account):
    row = fx.get(account)
    assert len(row["_id"]) == 24
    assert row["name"] == "上海测试有限公司 🏭"
    assert row["owner"] == ["1001"]
    assert row["owner__r"]["id"] == "1001"
    assert row["owner_department"] == "销售一部"
    assert row["created_by"] == row["last_modified_by"] == ["1003"]
    assert row["life_status"] == "normal"
    assert row["life_status__r"] == "正常"
    assert row["lock_status"] == "0"
    assert row["version"] == "1"
    assert row["record_type"] == "default__c"
    assert row["province__r"] == "上海"
    assert row["account_no"].startswith("C")
    assert row["create_time"] == row["last_modified_time"]
    assert "email" not in row


def test_include_null_shows_the_empty_fields(fx, account):
    row = fx.get(account, includeNull=True)
    assert row["email"] is None


def test_ids_grow(fx):
    made = [fx.create() for _ in range(5)]
    assert made == sorted(made)


def test_an_update_moves_only_the_given_fields(fx, account):
    before = fx.get(account)
    assert fx.update(account, tel="021-6666")["errorCode"] == 0
    after = fx.get(account)
    assert after["tel"] == "021-6666"
    assert after["name"] == before["name"]
    assert after["version"] == "2"
    assert after["last_modified_time"] >= before["last_modified_time"]


@pytest.mark.parametrize(
    ("rule", "given", "cleared"),
    [
        ("null", None, True), ("null", "", False), ("empty", None, False), ("empty", "", True),
        ("both", None, True), ("both", "", True),
    ],
)  # fmt: skip
def test_what_clears_a_field_is_a_switch(fx, account, rule, given, cleared):
    fx.admin("/switches", {"clear_with": rule})
    assert fx.update(account, tel=given)["errorCode"] == 0
    assert ("tel" not in fx.get(account)) is cleared


def test_a_required_field_cannot_be_cleared(fx, account):
    assert "必填" in fx.update(account, name=None)["errorMessage"]


def test_read_only_fields_are_ignored(fx, account):
    before = fx.get(account)
    reply = fx.update(account, account_no="X1", life_status="invalid", version="99")
    assert reply["errorCode"] == 0
    after = fx.get(account)
    assert (after["account_no"], after["life_status"], after["version"]) == (
        before["account_no"], "normal", "2",
    )  # fmt: skip


def test_update_does_not_move_the_owner(fx, account):
    assert fx.update(account, owner=["1002"])["errorCode"] == 0
    assert fx.get(account)["owner"] == ["1001"]
    fx.admin("/switches", {"owner_on_update": "error"})
    assert fx.update(account, owner=["1002"])["errorCode"] != 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "必填"),
        ({"owner": []}, "必填"),
        ({"owner": "1001"}, "系统错误"),
        ({"owner": ["9999"]}, "不存在"),
        ({"account_level": "A"}, "选项值"),
        ({"kehub_key__c": "k" * 65}, "长度"),
        ({"email": "not a mail"}, "格式"),
        ({"credit_limit__c": "12x"}, "数字"),
        ({"blocked__c": "yes"}, "系统错误"),
        ({"name": ["list"]}, "系统错误"),
        ({"parent_account_id": "f" * 24}, "-201112011"),
        ({"country": "248", "province": "10001"}, "不属于"),
        ({"country": "CN"}, "地区编码"),
        ({"industry_level1": "1", "industry_level2": "21"}, "不属于"),
        ({"record_type": "other__c"}, "业务类型"),
    ],
)
def test_create_refuses_what_describe_forbids(fx, fields, said):
    record = {"dataObjectApiName": "AccountObj", "name": "x", "owner": ["1001"], **fields}
    reply = fx.call("/cgi/crm/v2/data/create", {"data": {"object_data": record}})
    assert reply["errorCode"] == 201110001
    assert said in reply["errorMessage"]
    assert "dataId" not in reply


def test_a_unique_field_refuses_a_second_row(fx):
    first = fx.create(kehub_key__c="key-unique-1")
    record = {"dataObjectApiName": "AccountObj", "name": "x", "owner": ["1001"],
              "kehub_key__c": "key-unique-1"}  # fmt: skip
    reply = fx.call("/cgi/crm/v2/data/create", {"data": {"object_data": record}})
    assert "已存在" in reply["errorMessage"]
    assert fx.update(first, kehub_key__c="key-unique-1")["errorCode"] == 0


def test_values_are_kept_in_the_vendors_form(fx):
    made = fx.create(
        "SalesOrderObj",
        account_id=fx.create(),
        order_time=1_760_000_000_000,
        order_amount=1234.5,
    )
    row = fx.get(made, "SalesOrderObj")
    assert row["order_amount"] == "1234.50"
    assert (row["order_time"] + 8 * 3_600_000) % DAY == 0
    fx.admin("/switches", {"numbers_as": "number", "version_type": "number"})
    row = fx.get(made, "SalesOrderObj")
    assert row["order_amount"] == 1234.5
    assert row["version"] == 1


def test_an_unknown_field_is_dropped_or_refused(fx):
    made = fx.create(no_such_field="x")
    assert "no_such_field" not in fx.get(made)
    fx.admin("/switches", {"unknown_field_on_write": "error"})
    assert "no_such_field" in fx.update(made, no_such_field="x")["errorMessage"]


def test_invalid_recover_delete_follow_the_state_machine(fx, account):
    ids = {"dataObjectApiName": "AccountObj", "idList": [account]}
    early = fx.call("/cgi/crm/v2/data/delete", {"data": ids})
    assert early["errorCode"] != 0
    assert fx.invalid(account)["errorCode"] == 0
    row = fx.get(account)
    assert (row["life_status"], row["life_status_before_invalid"]) == ("invalid", "normal")
    assert fx.invalid(account)["errorCode"] != 0
    assert fx.update(account, tel="1")["errorCode"] != 0
    fx.good("/cgi/crm/v2/data/recover", ids)
    assert fx.get(account)["life_status"] == "normal"
    fx.invalid(account)
    fx.good("/cgi/crm/v2/data/delete", ids)
    assert fx.ids(("_id", "EQ", [account])) == []


def test_get_of_a_missing_row_is_an_error_or_null(fx):
    data = {"dataObjectApiName": "AccountObj", "objectDataId": "0" * 24}
    assert fx.call("/cgi/crm/v2/data/get", {"data": data})["errorCode"] != 0
    fx.admin("/switches", {"get_missing": "null"})
    assert fx.good("/cgi/crm/v2/data/get", data)["data"] is None


def test_a_locked_row_refuses_edits_until_it_is_unlocked(fx, account):
    data = {"dataObjectApiName": "AccountObj", "dataIds": [account], "detailObjStrategy": 0}
    fx.good("/cgi/crm/v2/object/lock", data)
    assert "锁定" in fx.update(account, tel="1")["errorMessage"]
    assert "锁定" in fx.invalid(account)["errorMessage"]
    fx.good("/cgi/crm/v2/object/unlock", data)
    assert fx.update(account, tel="1")["errorCode"] == 0


def test_the_path_family_must_fit_the_object(fx):
    data = {"dataObjectApiName": "AccountObj", "objectDataId": "0" * 24}
    assert fx.call("/cgi/crm/custom/v2/data/get", {"data": data})["errorCode"] == 32000
    data["dataObjectApiName"] = "NoSuchObj"
    assert fx.call("/cgi/crm/v2/data/get", {"data": data})["errorCode"] == 32000


def test_creation_time_and_creator_can_be_specified(fx):
    record = {"dataObjectApiName": "AccountObj", "name": "old", "owner": ["1001"],
              "create_time": 1_600_000_000_000, "created_by": ["1002"]}  # fmt: skip
    plain = fx.good("/cgi/crm/v2/data/create", {"object_data": record})["dataId"]
    assert fx.get(plain)["create_time"] != 1_600_000_000_000
    chosen = fx.good(
        "/cgi/crm/v2/data/create",
        {"object_data": record},
        hasSpecifyTime=True,
        hasSpecifyCreatedBy=True,
    )["dataId"]
    row = fx.get(chosen)
    assert (row["create_time"], row["created_by"]) == (1_600_000_000_000, ["1002"])


def test_the_wrong_wrapper_gives_a_null_pointer(fx, account):
    wrong = {"data": {"data": {"_id": account, "dataObjectApiName": "AccountObj"}}}
    reply = fx.call("/cgi/crm/v2/data/update", wrong)
    assert (reply["errorCode"], reply["errorMessage"]) == (-2, "java.lang.NullPointerException")
    fx.admin("/switches", {"null_pointer_code": 500})
    assert fx.call("/cgi/crm/v2/data/update", {"x": 1})["errorCode"] == 500
