import json
import time

from sandbox.zoho_crm.writer import MAX_BATCH


def items(answer):
    return answer.json()["data"]


def test_a_created_record_has_the_details_of_the_vendor(zoho, name):
    answer = zoho.crm("POST", "/Accounts", {"data": [{"Account_Name": name}], "trigger": []})
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    verdict = items(answer)[0]
    details = verdict["details"]
    assert (verdict["code"], verdict["message"], verdict["status"]) == (
        "SUCCESS",
        "record added",
        "success",
    )
    assert details["$approval_state"] == "approved"
    assert details["Created_Time"] == details["Modified_Time"]
    assert details["Created_Time"].endswith("+08:00")
    assert set(details["Modified_By"]) == {"name", "id"}
    assert 15 <= len(details["id"]) <= 19


def test_a_body_without_content_type_is_read(zoho, name):
    answer = zoho.session.post(
        f"{zoho.url}/crm/v8/Accounts",
        data=json.dumps({"data": [{"Account_Name": name}]}),
        headers={"Content-Type": None},
        timeout=60,
    )
    assert answer.status_code == 201


def test_each_record_has_its_own_verdict_in_order(zoho, name):
    data = [
        {"Account_Name": name},
        {"Phone": "1"},
        {"Account_Name": 5},
        {"Account_Name": "x" * 201},
        {"Account_Name": name, "Parent_Account": {"id": "1"}},
        {"Account_Name": name, "Parent_Account": {"name": "Acme"}},
        {"Account_Name": name, "Email": "nobody"},
        {"Account_Name": name, "Employees": "7"},
        {"Account_Name": name, "Blocked": "true"},
        "text",
    ]
    answer = zoho.crm("POST", "/Accounts", {"data": data})
    assert answer.status_code == 207
    found = items(answer)
    assert [item["code"] for item in found] == [
        "SUCCESS",
        "MANDATORY_NOT_FOUND",
        *["INVALID_DATA"] * 8,
    ]
    assert found[1]["details"] == {
        "api_name": "Account_Name",
        "json_path": "$.data[1].Account_Name",
    }
    assert found[1]["message"] == "required field not found"
    assert found[2]["details"]["expected_data_type"] == "text"
    assert found[3]["details"]["maximum_length"] == 200
    assert found[4]["message"] == "the related id given seems to be invalid"
    assert found[7]["details"]["expected_data_type"] == "integer"
    assert found[8]["details"]["expected_data_type"] == "boolean"


def test_a_batch_of_refusals_is_400_with_items_or_a_legacy_202(zoho):
    bad = {"data": [{"Phone": "1"}]}
    answer = zoho.crm("POST", "/Accounts", bad)
    assert (answer.status_code, items(answer)[0]["status"]) == (400, "error")
    zoho.switch(all_failed_batch="legacy202")
    assert zoho.crm("POST", "/Accounts", bad).status_code == 202


def test_a_mixed_batch_may_be_200(zoho, name):
    zoho.switch(mixed_batch="always200")
    answer = zoho.crm("POST", "/Accounts", {"data": [{"Account_Name": name}, {}]})
    assert answer.status_code == 200


def test_whole_calls_are_refused_with_the_flat_error(zoho):
    cases = [
        ("/Nothing", {"data": [{}]}, "INVALID_MODULE"),
        ("/Accounts", {"data": [{}] * (MAX_BATCH + 1)}, "LIMIT_EXCEEDED"),
        ("/Accounts", {}, "MANDATORY_NOT_FOUND"),
        ("/Accounts", {"data": []}, "INVALID_DATA"),
    ]
    for path, body, code in cases:
        answer = zoho.crm("POST", path, body)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    broken = zoho.session.post(f"{zoho.url}/crm/v8/Accounts", data="{", timeout=60)
    assert (broken.status_code, broken.json()["message"]) == (400, "body")


def test_an_update_changes_only_the_named_fields(zoho, name):
    record_id = zoho.create("Accounts", Account_Name=name, Phone="1", Fax="2")
    answer = zoho.crm("PUT", f"/Accounts/{record_id}", {"data": [{"Phone": None}]})
    assert items(answer)[0]["message"] == "record updated"
    record = zoho.get("Accounts", record_id)
    assert (record["Phone"], record["Fax"], record["Account_Name"]) == (None, "2", name)


def test_a_batch_update_needs_known_ids(zoho, name):
    record_id = zoho.create("Accounts", Account_Name=name)
    data = [{"id": int(record_id), "Phone": "3"}, {"Phone": "3"}, {"id": "99", "Phone": "3"}]
    answer = zoho.crm("PUT", "/Accounts", {"data": data})
    assert answer.status_code == 207
    assert [item["code"] for item in items(answer)] == [
        "SUCCESS",
        "MANDATORY_NOT_FOUND",
        "INVALID_DATA",
    ]
    assert items(answer)[2]["details"]["id"] == "99"


def test_a_mandatory_field_cannot_be_cleared(zoho, name):
    record_id = zoho.create("Accounts", Account_Name=name)
    answer = zoho.crm("PUT", f"/Accounts/{record_id}", {"data": [{"Account_Name": ""}]})
    assert items(answer)[0]["code"] == "MANDATORY_NOT_FOUND"


def test_if_unmodified_since_refuses_a_newer_record(zoho, name):
    record_id = zoho.create("Accounts", Account_Name=name)
    body = {"data": [{"Phone": "1"}]}
    old = {"If-Unmodified-Since": "2020-01-01T00:00:00+00:00"}
    answer = zoho.crm("PUT", f"/Accounts/{record_id}", body, headers=old)
    assert answer.status_code == 412
    assert items(answer)[0]["code"] == "ALREADY_MODIFIED"
    now = {"If-Unmodified-Since": zoho.get("Accounts", record_id)["Modified_Time"]}
    assert zoho.crm("PUT", f"/Accounts/{record_id}", body, headers=now).status_code == 200


def test_an_update_without_change_moves_the_time_or_not(zoho, name):
    record_id = zoho.create("Accounts", Account_Name=name)
    before = zoho.get("Accounts", record_id)["Modified_Time"]
    zoho.admin("POST", "/clock", {"shift": 100})
    zoho.switch(noop_update_moves_modified=False)
    same = {"data": [{"Account_Name": name}]}
    zoho.crm("PUT", f"/Accounts/{record_id}", same)
    assert zoho.get("Accounts", record_id)["Modified_Time"] == before
    zoho.switch(noop_update_moves_modified=True)
    zoho.crm("PUT", f"/Accounts/{record_id}", same)
    assert zoho.get("Accounts", record_id)["Modified_Time"] > before


def test_a_unique_value_is_taken_once(zoho, name):
    first = zoho.create("Accounts", Account_Name=name, Hub_Key=f"{name}"[:64])
    key = zoho.get("Accounts", first)["Hub_Key"]
    data = [{"Account_Name": "other"}, {"Account_Name": name, "Hub_Key": key.upper()}]
    answer = zoho.crm("POST", "/Accounts", {"data": data})
    refusal = items(answer)[1]
    assert refusal["code"] == "DUPLICATE_DATA"
    assert refusal["message"] == "duplicate data"
    assert refusal["details"]["id"] == first
    assert refusal["details"]["api_name"] == "Hub_Key"
    assert refusal["details"]["json_path"] == "$.data[1].Hub_Key"
    assert refusal["details"]["duplicate_record"]["module"]["api_name"] == "Accounts"


def test_two_accounts_may_have_one_name(zoho, name):
    assert zoho.create("Accounts", Account_Name=name) != zoho.create("Accounts", Account_Name=name)


def test_a_freed_unique_value_can_be_used_again(zoho, name):
    key = str(time.monotonic_ns())
    first = zoho.create("Accounts", Account_Name=name, Hub_Key=key)
    zoho.crm("PUT", f"/Accounts/{first}", {"data": [{"Hub_Key": None}]})
    second = zoho.create("Accounts", Account_Name=name, Hub_Key=key)
    zoho.crm("DELETE", f"/Accounts/{second}")
    assert zoho.create("Accounts", Account_Name=name, Hub_Key=key)


def test_unknown_and_system_keys_are_ignored_or_refused(zoho, name):
    item = {"Account_Name": name, "Nothing": 1, "Created_Time": "2001-01-01T00:00:00+00:00"}
    record_id = zoho.create("Accounts", **item)
    assert not zoho.get("Accounts", record_id)["Created_Time"].startswith("2001")
    for switch, key in (("unknown_keys", "Nothing"), ("system_keys", "Created_Time")):
        zoho.switch(unknown_keys="ignore", system_keys="ignore")
        zoho.switch(**{switch: "refuse"})
        answer = zoho.crm("POST", "/Accounts", {"data": [item]})
        assert items(answer)[0]["details"]["api_name"] == key


def test_text_is_trimmed_and_the_empty_string_is_null(zoho, name):
    record_id = zoho.create("Accounts", Account_Name=f"  {name} ", Phone="", Description="镕 😀")
    record = zoho.get("Accounts", record_id)
    assert (record["Account_Name"], record["Phone"]) == (name, None)
    assert record["Description"] == "镕 😀"


def test_a_picklist_takes_unknown_values_unless_switched(zoho, name):
    record_id = zoho.create("Accounts", Account_Name=name, Industry="Beekeeping")
    assert zoho.get("Accounts", record_id)["Industry"] == "Beekeeping"
    zoho.switch(unknown_picklist="refuse")
    body = {"data": [{"Account_Name": name, "Industry": "Beekeeping"}]}
    assert items(zoho.crm("POST", "/Accounts", body))[0]["details"]["api_name"] == "Industry"


def test_values_of_each_type_come_back(zoho, name):
    values = {
        "Credit_Limit": 1200.5,
        "Employees": 12,
        "Account_Number": "123456789012345678",
        "Website": "www.example.com",
        "Email": "a.b@example.com",
        "Blocked": True,
        "Language": "zh_CN",
        "Tax_Id": "91310000MA1K00000X",
    }
    record = zoho.get("Accounts", zoho.create("Accounts", Account_Name=name, **values))
    assert {key: record[key] for key in values} == values
    contact = {"Last_Name": name, "Date_of_Birth": "1990-02-28", "Unsubscribed_Mode": "x"}
    record = zoho.get("Contacts", zoho.create("Contacts", First_Name="A", **contact))
    assert (record["Date_of_Birth"], record["Unsubscribed_Mode"]) == ("1990-02-28", None)
    assert record["Full_Name"] == f"A {name}"


def test_a_delete_goes_through_once(zoho, name):
    ids = [zoho.create("Accounts", Account_Name=name) for _ in range(3)]
    answer = zoho.crm("DELETE", f"/Accounts/{ids[0]}")
    assert (answer.status_code, items(answer)[0]["message"]) == (200, "record deleted")
    answer = zoho.crm("DELETE", f"/Accounts?ids={','.join(ids)}&wf_trigger=False")
    assert answer.status_code == 207
    assert [item["status"] for item in items(answer)] == ["error", "success", "success"]
    assert zoho.crm("DELETE", f"/Accounts/{ids[0]}").status_code == 400
    assert zoho.crm("DELETE", "/Accounts").json()["code"] == "REQUIRED_PARAM_MISSING"
    assert zoho.crm("DELETE", "/Accounts?ids=a").json()["code"] == "UNABLE_TO_PARSE_DATA_TYPE"


def test_wrong_methods_and_addresses(zoho):
    assert zoho.crm("PATCH", "/Accounts").json()["code"] == "INVALID_REQUEST_METHOD"
    unknown = zoho.crm("GET", "/Accounts/1/2/3/4/5")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "INVALID_URL_PATTERN")
    old = zoho.session.get(f"{zoho.url}/crm/v2/Accounts", timeout=60)
    assert (old.status_code, old.json()["code"]) == (400, "API_NOT_SUPPORTED")
