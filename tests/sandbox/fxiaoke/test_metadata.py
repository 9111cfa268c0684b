"""Object list, describe, area codes and the directory calls."""

import pytest

HUB_OBJECTS = (
    "AccountObj", "ContactObj", "LeadsObj", "SalesOrderObj", "PaymentObj", "ProductObj",
)  # fmt: skip


def describe(fx, api_name):
    return fx.good("/cgi/crm/v2/object/describe", {"apiName": api_name})["data"]["describe"]


def test_the_object_list_tells_preset_from_custom(fx):
    objects = fx.good("/cgi/crm/v2/object/list")["data"]["objects"]
    kinds = {one["describeApiName"]: one["defineType"] for one in objects}
    assert kinds["AccountObj"] == "package"
    assert kinds["object_8w9cb__c"] == "custom"
    assert {*HUB_OBJECTS, "NewOpportunityObj", "SalesOrderProductObj", "OrderPaymentObj",
            "AccountAddrObj", "PersonnelObj", "DepartmentObj"} <= set(kinds)  # fmt: skip


@pytest.mark.parametrize("api_name", HUB_OBJECTS)
def test_the_hub_key_is_a_unique_text_of_64(fx, api_name):
    key = describe(fx, api_name)["fields"]["kehub_key__c"]
    assert (key["type"], key["max_length"], key["is_unique"]) == ("text", 64, True)


def test_the_account_has_the_fields_of_a_customer_hub(fx):
    fields = describe(fx, "AccountObj")["fields"]
    types = {name: field["type"] for name, field in fields.items()}
    assert types["mobile__c"] == "phone_number"
    assert types["credit_limit__c"] == "currency"
    assert types["blocked__c"] == "true_or_false"
    assert types["url"] == "url"
    for name in ("legal_name__c", "customer_no__c", "postcode__c", "payment_term__c",
                 "currency__c", "language__c"):  # fmt: skip
        assert types[name] == "text"
    assert fields["name"]["is_required"]
    assert {"label", "value"} <= set(fields["account_level"]["options"][0])
    children = fields["industry_level1"]["options"][0]["child_options"]
    assert children == [{"industry_level2": ["11", "12", "13", "14"]}]
    assert describe(fx, "ContactObj")["fields"]["account_id"]["target_api_name"] == "AccountObj"
    assert not [name for name in fields["name"] if name.startswith("_")]


def test_describe_takes_its_keys_in_three_places(fx):
    path = "/cgi/crm/v2/object/describe"
    inside = fx.call(path, {"data": {"apiName": "SalesOrderObj", "includeDetail": True}})
    top = fx.call(path, {"apiName": "SalesOrderObj", "includeDetail": True})
    mixed = fx.call(path, {"data": {"apiName": "SalesOrderObj"}, "includeDetail": True})
    assert inside["data"] == top["data"] == mixed["data"]
    assert "SalesOrderProductObj" in inside["data"]["describe"]["detailDescribes"]
    assert fx.call(path, {"data": {"apiName": "Nope"}})["errorCode"] == 32000


def test_every_field_type_has_a_field_on_the_custom_object(fx):
    types = {one["type"] for one in describe(fx, "object_8w9cb__c")["fields"].values()}
    assert {
        "text", "long_text", "html_rich_text", "email", "url", "phone_number", "number",
        "currency", "percentile", "date", "time", "date_time", "true_or_false", "select_one",
        "select_many", "record_type", "country", "province", "city", "district", "location",
        "employee", "employee_many", "department", "department_many", "object_reference",
        "object_reference_many", "file_attachment", "image", "signature", "auto_number",
        "formula", "quote", "group", "embedded_object_list",
    } <= types  # fmt: skip


def test_area_codes_form_a_tree(fx):
    tree = fx.call("/cgi/crm/countryAreaOptions/get")["countryAreaOptions"]
    countries = {one["label"]: one for one in tree["country"]["options"]}
    provinces = {one["value"]: one for one in tree["province"]["options"]}
    assert countries["中国"]["value"] == "248"
    names = {code: provinces[code]["label"] for code in ("249", "257", "267")}
    assert names == {"249": "北京", "257": "上海", "267": "广东"}
    below = countries["中国"]["child_options"][0]["province"]
    assert len(below) == 34
    cities = {one["value"]: one["label"] for one in tree["city"]["options"]}
    guangdong = [cities[code] for code in provinces["267"]["child_options"][0]["city"]]
    assert {"广州市", "深圳市", "东莞市"} <= set(guangdong)
    assert {"美国", "德国", "法国", "英国", "日本", "新加坡", "中国香港"} <= set(countries)


def test_departments_and_their_people(fx):
    departments = fx.call("/cgi/department/list")["departments"]
    assert {"id": 1001, "name": "销售一部", "parentId": 1000, "order": 1} in departments
    everybody = fx.call("/cgi/user/list", {"departmentId": 999999})["userList"]
    assert len(everybody) == 4
    sales = fx.call("/cgi/user/simpleList", {"departmentId": 1001, "fetchChild": False})
    assert [one["name"] for one in sales["userList"]] == ["销售一号", "销售二号"]
    below = fx.call("/cgi/user/list", {"departmentId": 1000, "fetchChild": True})["userList"]
    assert len(below) == 4
    assert fx.call("/cgi/user/list", {"departmentId": 4711})["errorCode"] == 30007


def test_one_employee_and_pages_of_them(fx):
    first = fx.call("/cgi/user/list", {"departmentId": 999999})["userList"][0]
    one = fx.call("/cgi/user/get", {"openUserId": first["openUserId"]})
    assert one["mobile"] == first["mobile"]
    assert fx.call("/cgi/user/get", {"openUserId": "FSUID_x"})["errorCode"] == 30027
    page = {"startTime": 0, "endTime": 1 << 50, "pageSize": 3, "pageNumber": 2}
    reply = fx.call("/cgi/user/get/batchByUpdTime", page)
    assert (len(reply["employees"]), reply["pageCount"], reply["totalCount"]) == (1, 2, 4)
    page["pageSize"] = 1001
    assert fx.call("/cgi/user/get/batchByUpdTime", page)["errorCode"] == 32000


def test_formula_and_quote_fields_are_computed_on_reading(fx):
    account = fx.create(account_level="2")
    made = fx.create("object_8w9cb__c", name="v", cost__c="90", hours__c="4", account_id=account)
    row = fx.get(made, "object_8w9cb__c")
    assert row["cost_per_hour__c"] == "22.50"
    assert row["account_level__c"] == "2"
    assert row["account_id__r"] == fx.get(account)["name"]
