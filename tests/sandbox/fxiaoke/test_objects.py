"""Orders and payments with details, pools, owners, approval, duplicates, custom objects."""

import pytest

CUSTOM = "object_8w9cb__c"
DAY = 1_760_000_000_000


@pytest.fixture
def order(fx, account):
    product = fx.create("ProductObj", name="泵", price="10")
    lines = [{"product_id": product, "quantity": "2", "sales_price": "10", "subtotal": "20"},
             {"quantity": "1.5"}]  # fmt: skip
    record = {"dataObjectApiName": "SalesOrderObj", "name": "SO-9", "account_id": account,
              "order_time": DAY, "order_amount": "20", "owner": ["1001"]}  # fmt: skip
    reply = fx.good(
        "/cgi/crm/v2/data/create",
        {"object_data": record, "details": {"SalesOrderProductObj": lines}},
        includeDetailIds=True,
    )
    return reply["dataId"], reply["detailIds"]["SalesOrderProductObj"]


def test_an_order_is_created_with_its_lines(fx, order):
    order_id, line_ids = order
    row = fx.get(order_id, "SalesOrderObj")
    lines = row["details"]["SalesOrderProductObj"]
    assert [one["_id"] for one in lines] == line_ids
    assert lines[0]["order_id"] == order_id
    assert lines[0]["owner"] == ["1001"]
    assert lines[1]["quantity"] == "1.5000"
    found = fx.ids(("order_id", "EQ", [order_id]), object_name="SalesOrderProductObj")
    assert sorted(found) == sorted(line_ids)
    fx.admin("/switches", {"details_form": "container"})
    wrapped = fx.get(order_id, "SalesOrderObj")["details"]["SalesOrderProductObj"][0]
    assert wrapped["containerDocument"]["_id"] == line_ids[0]


def test_a_wrong_line_creates_nothing(fx, account):
    record = {"dataObjectApiName": "SalesOrderObj", "name": "SO-bad", "account_id": account,
              "order_time": DAY, "order_amount": "1", "owner": ["1001"]}  # fmt: skip
    details = {"SalesOrderProductObj": [{"quantity": "1"}, {"quantity": "many"}]}
    data = {"object_data": record, "details": details}
    assert fx.call("/cgi/crm/v2/data/create", {"data": data})["errorCode"] != 0
    assert fx.ids(("name", "EQ", ["SO-bad"]), object_name="SalesOrderObj") == []


def test_details_on_update_replace_all_lines_or_none(fx, order):
    order_id, line_ids = order
    record = {"dataObjectApiName": "SalesOrderObj", "_id": order_id, "remark": "x"}
    path = "/cgi/crm/v2/data/update"
    new = {"SalesOrderProductObj": [{"quantity": "7"}]}
    fx.admin("/switches", {"details_update": "ignore"})
    fx.good(path, {"object_data": record, "details": new})
    lines = fx.get(order_id, "SalesOrderObj")["details"]["SalesOrderProductObj"]
    assert [one["_id"] for one in lines] == line_ids
    fx.admin("/switches", {"details_update": "replace"})
    fx.good(path, {"object_data": record, "details": {}})
    assert len(fx.get(order_id, "SalesOrderObj")["details"]["SalesOrderProductObj"]) == 2
    fx.good(path, {"object_data": record, "details": new})
    lines = fx.get(order_id, "SalesOrderObj")["details"]["SalesOrderProductObj"]
    assert [one["quantity"] for one in lines] == ["7.0000"]


def test_lines_go_and_come_back_with_their_order(fx, order):
    order_id, line_ids = order
    fx.invalid(order_id, "SalesOrderObj")
    assert fx.get(line_ids[0], "SalesOrderProductObj")["life_status"] == "invalid"
    ids = {"dataObjectApiName": "SalesOrderObj", "idList": [order_id]}
    fx.good("/cgi/crm/v2/data/recover", ids)
    assert fx.get(line_ids[0], "SalesOrderProductObj")["life_status"] == "normal"
    fx.invalid(order_id, "SalesOrderObj")
    fx.good("/cgi/crm/v2/data/delete", ids)
    assert fx.ids(("_id", "IN", line_ids), object_name="SalesOrderProductObj") == []


def test_a_payment_with_its_line_points_to_the_order(fx, account, order):
    record = {"dataObjectApiName": "PaymentObj", "account_id": account, "owner": ["1001"],
              "payment_amount": "20", "payment_time": DAY, "payment_term": "transfer"}  # fmt: skip
    details = {"OrderPaymentObj": [{"order_id": order[0], "payment_amount": "20"}]}
    made = fx.good("/cgi/crm/v2/data/create", {"object_data": record, "details": details})
    row = fx.get(made["dataId"], "PaymentObj")
    assert row["name"].startswith("PM")
    assert row["payment_term__r"] == "转账"
    assert row["details"]["OrderPaymentObj"][0]["order_id__r"] == "SO-9"


def owner_call(record_id, owner):
    return {"dataObjectApiName": "AccountObj",
            "Data": [{"objectDataId": record_id, "ownerId": [owner]}]}  # fmt: skip


def test_change_owner_moves_owner_team_and_department(fx, account):
    fx.good("/cgi/crm/v2/data/changeOwner", owner_call(account, "1003"))
    row = fx.get(account)
    assert row["owner"] == ["1003"]
    assert row["owner_department"] == "总部"
    assert row["relevant_team"][0]["teamMemberEmployee"] == ["1003"]
    wrong = {"dataObjectApiName": "AccountObj", "data": []}
    assert fx.call("/cgi/crm/v2/data/changeOwner", {"data": wrong})["errorCode"] == -2
    reply = fx.call("/cgi/crm/v2/data/changeOwner", {"data": owner_call(account, "77")})
    assert "不存在" in reply["errorMessage"]


@pytest.mark.parametrize(
    ("name", "pool_object", "field", "waiting", "taken"),
    [
        ("AccountObj", "HighSeasObj", "high_seas_id", "unallocated", "allocated"),
        ("LeadsObj", "LeadsPoolObj", "leads_pool_id", "un_assigned", "un_processed"),
    ],
)
def test_a_row_goes_into_a_pool_and_out_again(fx, name, pool_object, field, waiting, taken):
    pool = fx.ids(object_name=pool_object)[0]
    made = fx.create(name, name=f"pooled {name}", owner=[], **{field: pool})
    row = fx.get(made, name)
    assert "owner" not in row
    assert row["biz_status"] == waiting
    change = {"dataObjectApiName": name, "Data": [{"objectDataId": made, "ownerId": ["1001"]}]}
    assert fx.call("/cgi/crm/v2/data/changeOwner", {"data": change})["errorCode"] != 0
    base = {"apiName": name, "objectIds": [made], "objectPoolId": pool}
    fx.good("/cgi/crm/v2/data/choose", base, user="1002")
    row = fx.get(made, name)
    assert (row["owner"], row["biz_status"]) == (["1002"], taken)
    assert fx.call("/cgi/crm/v2/data/choose", {"data": base})["errorCode"] != 0
    fx.good("/cgi/crm/v2/data/return", {**base, "backReason": "other", "backReason__o": "远"})
    assert fx.get(made, name)["back_reason"] == "远"
    fx.good("/cgi/crm/v2/data/allocate", {**base, "ownerOpenUserId": "1001"})
    assert fx.get(made, name)["owner"] == ["1001"]
    wrong = {"apiName": name, "objectIds": [made], "objectPoolId": pool}
    assert fx.call("/cgi/crm/v2/data/remove", {"data": wrong})["errorCode"] != 0
    right = {"apiName": name, "objectIDs": [made], "objectPoolId": pool, "isKeepOwner": True}
    fx.good("/cgi/crm/v2/data/remove", right)
    row = fx.get(made, name)
    assert row["owner"] == ["1001"]
    assert field not in row


def test_a_create_waits_for_approval(fx):
    fx.admin("/approvals", {"AccountObj": True})
    made = fx.create()
    assert fx.get(made)["life_status"] == "under_review"
    assert fx.update(made, tel="1")["errorCode"] != 0
    fx.admin(f"/records/AccountObj/{made}/approve")
    assert fx.get(made)["life_status"] == "normal"
    second = fx.create()
    fx.admin(f"/records/AccountObj/{second}/reject")
    assert fx.get(second)["life_status"] == "ineffective"


def test_an_update_takes_effect_when_it_is_approved(fx, account):
    fx.admin("/approvals", {"AccountObj": True})
    assert fx.update(account, tel="021-9")["errorCode"] == 0
    row = fx.get(account)
    assert (row["life_status"], row["tel"]) == ("in_change", "021-5555")
    assert fx.invalid(account)["errorCode"] != 0
    fx.admin(f"/records/AccountObj/{account}/approve")
    row = fx.get(account)
    assert (row["life_status"], row["tel"]) == ("normal", "021-9")
    assert fx.invalid(account)["errorCode"] == 0
    assert fx.get(account)["life_status"] == "in_change"
    fx.admin(f"/records/AccountObj/{account}/approve")
    assert fx.get(account)["life_status"] == "invalid"
    fx.admin(f"/records/AccountObj/{account}/approve", status=409)


def test_lines_of_an_order_wait_for_approval_too(fx, order):
    fx.admin("/approvals", {"SalesOrderObj": True})
    record = {"dataObjectApiName": "SalesOrderObj", "_id": order[0], "remark": "later"}
    details = {"SalesOrderProductObj": [{"quantity": "3"}]}
    fx.good("/cgi/crm/v2/data/update", {"object_data": record, "details": details})
    row = fx.get(order[0], "SalesOrderObj")
    assert len(row["details"]["SalesOrderProductObj"]) == 2
    fx.admin(f"/records/SalesOrderObj/{order[0]}/approve")
    fx.admin("/approvals", {"SalesOrderObj": False})
    row = fx.get(order[0], "SalesOrderObj")
    assert row["remark"] == "later"
    assert [one["quantity"] for one in row["details"]["SalesOrderProductObj"]] == ["3.0000"]


def test_the_flag_goes_around_approval(fx):
    fx.admin("/approvals", {"AccountObj": True})
    record = {"dataObjectApiName": "AccountObj", "name": "direct", "owner": ["1001"]}
    made = fx.good("/cgi/crm/v2/data/create", {"object_data": record}, triggerApprovalFlow=False)[
        "dataId"
    ]
    assert fx.get(made)["life_status"] == "normal"


def test_duplicate_rules_warn_or_block(fx):
    record = {"dataObjectApiName": "AccountObj", "name": "重复客户", "owner": ["1001"]}
    path, data = "/cgi/crm/v2/data/create", {"object_data": record}
    first = fx.good(path, data)["dataId"]
    assert "isDuplicate" not in fx.good(path, data)
    fx.admin("/switches", {"duplicate_rule_on_create": "warn"})
    warned = fx.good(path, data)
    assert warned["isDuplicate"]
    assert first in [one["_id"] for one in warned["duplicateData"]]
    fx.admin("/switches", {"duplicate_rule_on_create": "block"})
    assert "查重" in fx.call(path, {"data": data})["errorMessage"]
    around = {**data, "optionInfo": {"isDuplicateSearch": False}}
    assert fx.good(path, around)["dataId"]


def test_custom_objects_have_their_own_ways(fx, account):
    name = fx.get(account)["name"]
    record = {"dataObjectApiName": CUSTOM, "name": "custom", "account_id__r": name}
    data = {"object_data": record, "fillOutOwner": True, "needConvertLookup": True}
    unique = fx.update(account, name=f"{name} only")
    assert unique["errorCode"] == 0
    record["account_id__r"] = f"{name} only"
    path = "/cgi/crm/custom/v2/data/create"
    made = fx.good(path, data)["dataId"]
    row = fx.get(made, CUSTOM)
    assert (row["owner"], row["account_id"]) == (["1003"], account)
    fx.admin("/switches", {"custom_create_returns_dataId": False})
    assert "dataId" not in fx.good(path, data)
    many = {"dataObjectApiName": CUSTOM, "idList": [made]}
    fx.good("/cgi/crm/custom/data/invalid", many)
    assert fx.get(made, CUSTOM)["life_status"] == "invalid"
    assert fx.call("/cgi/crm/v2/data/create", {"data": data})["errorCode"] == 32000


def test_a_locked_custom_row_can_be_forced(fx):
    made = fx.create(CUSTOM, name="locked")
    fx.good("/cgi/crm/v2/object/lock", {"dataObjectApiName": CUSTOM, "dataIds": [made]})
    assert fx.update(made, CUSTOM, name="x")["errorCode"] != 0
    data = {"object_data": {"dataObjectApiName": CUSTOM, "_id": made, "name": "x"},
            "skipDataStatusValidate": True}  # fmt: skip
    fx.good("/cgi/crm/custom/v2/data/update", data)
    assert fx.get(made, CUSTOM)["name"] == "x"


def test_all_field_types_round_trip(fx, account):
    given = {
        "name": "all 全部 🧰", "notes__c": "多行\n文字", "body__c": "<p>x</p>",
        "mail__c": "a@b.cn", "link__c": "https://example.com/a?b=c", "phone__c": "+86 21-5",
        "hours__c": "1.25", "cost__c": "99.90", "progress__c": "12.50",
        "visit_day__c": 1_759_939_200_000, "visit_time__c": 3_600_000,
        "visited_at__c": 1_760_000_000_123, "done__c": False, "kind__c": "other",
        "kind__c__o": "清洗", "topics__c": ["a", "c"], "country": "248", "province": "257",
        "location": "121.47#%$31.23#%$上海", "engineer__c": ["1001"],
        "helpers__c": ["1001", "1002"], "team__c": ["1001"], "teams__c": ["1000", "1002"],
        "account_id": account,
        "files__c": [{"filename": "a.pdf", "path": "TN_1", "size": 3, "ext": "pdf"}],
    }  # fmt: skip
    made = fx.create(CUSTOM, **given)
    row = fx.get(made, CUSTOM)
    assert {name: row[name] for name in given} == given
