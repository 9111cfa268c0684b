import time

import pytest


def upsert(zoho, module, data, checks=None):
    body = {"data": data}
    if checks is not None:
        body["duplicate_check_fields"] = checks
    return zoho.crm("POST", f"/{module}/upsert", body)


@pytest.fixture
def second_unique(zoho):
    """Customer_No is unique, too, as in an organisation with two keys."""
    zoho.admin("PATCH", "/fields/Accounts/Customer_No", {"unique": True})
    yield
    zoho.admin("PATCH", "/fields/Accounts/Customer_No", {"unique": False})


def key():
    return f"k{time.monotonic_ns()}"


def test_an_upsert_inserts_then_updates(zoho, name):
    item = {"Account_Name": name, "Hub_Key": key()}
    first = upsert(zoho, "Accounts", [item], ["Hub_Key"])
    second = upsert(zoho, "Accounts", [{**item, "Phone": "1"}], ["Hub_Key"])
    assert first.status_code == second.status_code == 200
    made, changed = first.json()["data"][0], second.json()["data"][0]
    assert (made["action"], made["duplicate_field"], made["message"]) == (
        "insert",
        None,
        "record added",
    )
    assert (changed["action"], changed["duplicate_field"], changed["message"]) == (
        "update",
        "Hub_Key",
        "record updated",
    )
    assert made["details"]["id"] == changed["details"]["id"]


def test_two_items_of_one_batch_with_one_key_become_one_record(zoho, name):
    item = {"Account_Name": name, "Hub_Key": key()}
    answer = upsert(zoho, "Accounts", [item, {**item, "Phone": "2"}], ["Hub_Key"]).json()["data"]
    assert [each["action"] for each in answer] == ["insert", "update"]
    assert len({each["details"]["id"] for each in answer}) == 1


def test_without_fields_the_system_field_is_consulted_first(zoho, name):
    record_id = zoho.create("Accounts", Account_Name=name)
    answer = upsert(zoho, "Accounts", [{"Account_Name": name.upper(), "Phone": "1"}])
    verdict = answer.json()["data"][0]
    assert (verdict["duplicate_field"], verdict["details"]["id"]) == ("Account_Name", record_id)


def test_a_list_of_unique_fields_leaves_the_system_field_out(zoho, name):
    record_id = zoho.create("Accounts", Account_Name=name)
    answer = upsert(zoho, "Accounts", [{"Account_Name": name, "Hub_Key": key()}], ["Hub_Key"])
    verdict = answer.json()["data"][0]
    assert verdict["action"] == "insert"
    assert verdict["details"]["id"] != record_id


def test_of_several_matches_the_oldest_or_the_newest_is_taken(zoho, name):
    ids = [zoho.create("Accounts", Account_Name=name) for _ in range(2)]
    item = [{"Account_Name": name, "Phone": "1"}]
    assert upsert(zoho, "Accounts", item).json()["data"][0]["details"]["id"] == ids[0]
    zoho.switch(upsert_several="newest")
    assert upsert(zoho, "Accounts", item).json()["data"][0]["details"]["id"] == ids[1]


@pytest.mark.usefixtures("second_unique")
def test_all_unique_fields_are_always_checked(zoho, name):
    number = key()[:30]
    record_id = zoho.create("Accounts", Account_Name=name, Customer_No=number)
    item = {"Account_Name": "new name", "Hub_Key": key(), "Customer_No": number}
    verdict = upsert(zoho, "Accounts", [item], ["Hub_Key"]).json()["data"][0]
    assert (verdict["duplicate_field"], verdict["details"]["id"]) == ("Customer_No", record_id)


@pytest.mark.usefixtures("second_unique")
def test_two_records_with_the_two_values_are_a_duplicate(zoho, name):
    first = zoho.create("Accounts", Account_Name=name, Hub_Key=key())
    second = zoho.create("Accounts", Account_Name=name, Customer_No=key()[:30])
    item = {
        "Account_Name": name,
        "Hub_Key": zoho.get("Accounts", first)["Hub_Key"],
        "Customer_No": zoho.get("Accounts", second)["Customer_No"],
    }
    answer = upsert(zoho, "Accounts", [item], ["Hub_Key", "Customer_No"])
    refusal = answer.json()["data"][0]
    assert (answer.status_code, refusal["code"]) == (400, "DUPLICATE_DATA")
    assert refusal["details"]["id"] == second
    insert = zoho.crm("POST", "/Accounts", {"data": [item]}).json()["data"][0]
    assert insert["code"] == "MULTIPLE_OR_MULTI_ERRORS"
    assert {each["details"]["id"] for each in insert["details"]["errors"]} == {first, second}


def test_only_eligible_fields_may_be_checked(zoho, name):
    answer = upsert(zoho, "Accounts", [{"Account_Name": name}], ["Phone"])
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_DATA")
    assert upsert(zoho, "Tasks", [{"Subject": name}]).json()["code"] == "NOT_SUPPORTED"


def test_external_ids_stand_for_ids(zoho, name):
    own, parent = key(), key()
    zoho.create("Accounts", Account_Name=name, Hub_Key=parent)
    header = {"X-EXTERNAL": "Contacts.Hub_Key, Contacts.Account_Name.Hub_Key"}
    item = {"Last_Name": name, "Hub_Key": own, "Account_Name": {"Hub_Key": parent}}
    made = zoho.crm("POST", "/Contacts", {"data": [item]}, headers=header).json()["data"][0]
    assert made["details"]["Hub_Key"] == own
    found = zoho.crm("GET", f"/Contacts/{own}", headers=header).json()["data"][0]
    assert found["Account_Name"]["name"] == name
    listed = zoho.crm("GET", f"/Contacts?ids={own},x&fields=Last_Name", headers=header)
    assert [each["Last_Name"] for each in listed.json()["data"]] == [name]
    changed = {"data": [{"Phone": "7"}]}
    assert zoho.crm("PUT", f"/Contacts/{own}", changed, headers=header).status_code == 200
    refused = zoho.crm("PUT", f"/Contacts/{own}", {"data": [{"Hub_Key": "z"}]}, headers=header)
    assert refused.json()["data"][0]["code"] == "NOT_ALLOWED"
    wrong = {"Last_Name": name, "Account_Name": {"Hub_Key": "nobody"}}
    answer = zoho.crm("POST", "/Contacts", {"data": [wrong]}, headers=header).json()["data"][0]
    assert answer["message"] == "The value of the external field is invalid."
    assert zoho.crm("GET", "/Contacts/nobody", headers=header).status_code == 204
    assert zoho.crm("DELETE", f"/Contacts/{own}", headers=header).status_code == 200


def test_a_field_that_is_not_external_cannot_stand_for_an_id(zoho):
    answer = zoho.crm("GET", "/Contacts/x", headers={"X-EXTERNAL": "Contacts.Email"})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_DATA")
