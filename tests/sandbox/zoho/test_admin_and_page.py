import re

import pytest
import requests


@pytest.fixture
def browser(zoho):
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Accept-Language"] = "en"

        def visit(method, path, **options):
            return session.request(method, zoho.url + path, timeout=60, **options)

        yield visit


def form_of(text):
    """What a browser would post back: inputs, selections and text areas of the main form."""
    form = dict(re.findall(r'<input name="(\w+)" value="([^"]*)"', text))
    for name, options in re.findall(r'<select name="(\w+)">(.*?)</select>', text, re.DOTALL):
        chosen = re.search(r"<option(?: value=\"(\w*)\")? selected>([^<]*)", options)
        form[name] = (chosen.group(1) or chosen.group(2)) if chosen else ""
    form.update(re.findall(r'<textarea name="(\w+)"[^>]*>([^<]*)', text))
    return form


def test_the_list_of_calls_names_each_with_its_purpose(zoho):
    calls = zoho.admin("GET", "/")["calls"]
    assert all(call["does"] for call in calls)
    paths = {f"{call['method']} {call['path']}" for call in calls}
    assert {
        "GET /__admin/calls",
        "POST /__admin/calls/reset",
        "POST /__admin/tokens/expire",
        "POST /__admin/faults/drop-answer",
        "POST /__admin/records/<module>/merge",
        "GET /__admin/records/<module>",
        "POST /__admin/records/<module>",
        "POST /__admin/clock",
        "GET /__admin/switches",
    } <= paths


def test_wrong_admin_calls_say_what_is_wrong(zoho):
    cases = [
        ("POST", "/switches", {"nothing": 1}),
        ("POST", "/switches", {"mixed_batch": "999"}),
        ("POST", "/faults/fail", {"colour": "red"}),
        ("POST", "/records/Nothing", [{}]),
        ("PUT", "/records/Accounts/1", {"Phone": "1"}),
        ("POST", "/notifications/faults", {"lose": 1}),
    ]
    for method, path, body in cases:
        url = f"{zoho.url}/__admin{path}"
        answer = zoho.session.request(method, url, json=body, timeout=60)
        assert answer.status_code == 400, path
        assert answer.json().get("error") or answer.json().get("code")


def test_a_seed_may_set_times_and_name_its_lookups(zoho, name):
    moment = "2021-06-01T10:00:00+02:00"
    zoho.admin("POST", "/records/Accounts", [{"Account_Name": name, "Modified_Time": moment}])
    data = [{"Last_Name": f"{name}{n}", "Account_Name": name} for n in range(3)]
    ids = zoho.admin("POST", "/records/Contacts", {"data": data, "silent": True})["ids"]
    contact = zoho.get("Contacts", ids[0])
    account = zoho.get("Accounts", contact["Account_Name"]["id"])
    assert account["Modified_Time"] == "2021-06-01T16:00:00+08:00"
    assert contact["Created_By"]["name"] == "Sales East"


def test_a_seed_with_a_bad_record_leaves_nothing(zoho, name):
    data = [{"Account_Name": name}, {"Phone": "1"}]
    answer = zoho.session.post(f"{zoho.url}/__admin/records/Accounts", json=data, timeout=60)
    assert answer.status_code == 400
    assert "record 1" in answer.json()["error"]
    assert zoho.rows(f"select id from Accounts where Account_Name = '{name}'") == []


def test_ten_thousand_records_at_once_and_away_again(zoho):
    data = [{"Vendor_Name": f"Mass {number}"} for number in range(10_000)]
    zoho.admin("DELETE", "/records/Vendors")
    ids = zoho.admin("POST", "/records/Vendors", data)["ids"]
    assert len(set(ids)) == 10_000
    dump = zoho.admin("GET", "/records/Vendors?page=2&per_page=6000")
    assert (len(dump["data"]), dump["total"]) == (4000, 10_000)
    assert zoho.admin("DELETE", "/records/Vendors") == {"cleared": 10_000}
    assert zoho.crm("GET", "/Vendors/actions/count").json()["count"] == 0


def test_a_merge_keeps_the_winner_and_moves_what_belongs_to_the_losers(zoho, receiver, name):
    winner = zoho.create("Accounts", Account_Name=name, Phone="1")
    loser = zoho.create(
        "Accounts", Account_Name=f"{name} 2", Phone="2", Fax="3", Hub_Key=name[-40:]
    )
    contact = zoho.create("Contacts", Last_Name=name[-80:], Account_Name={"id": loser})
    note = {"data": [{"Note_Content": "n"}]}
    zoho.crm("POST", f"/Accounts/{loser}/Notes", note)
    moment = zoho.get("Contacts", contact)["Modified_Time"]
    channel = {"channel_id": "77", "events": ["Accounts.all"], "notify_url": receiver.url}
    zoho.crm("POST", "/actions/watch", {"watch": [channel]})
    zoho.admin("POST", "/clock", {"shift": 10})
    values = {"Phone": "2", "Hub_Key": name[-40:]}
    zoho.admin(
        "POST",
        "/records/Accounts/merge",
        {"winner": winner, "losers": [loser], "values": values},
    )
    merged = zoho.get("Accounts", winner)
    assert (merged["Phone"], merged["Fax"], merged["Account_Name"]) == ("2", "3", name)
    assert merged["Hub_Key"] == name[-40:]
    assert merged["Modified_By"]["name"] == "Sales East"
    assert zoho.crm("GET", f"/Accounts/{loser}").status_code == 204
    moved = zoho.get("Contacts", contact)
    assert (moved["Account_Name"]["id"], moved["Modified_Time"]) == (winner, moment)
    notes = zoho.crm("GET", f"/Accounts/{winner}/Notes?fields=Note_Content").json()["data"]
    assert [item["Note_Content"] for item in notes] == ["n"]
    assert loser in [item["id"] for item in zoho.crm("GET", "/Accounts/deleted").json()["data"]]
    told = {(body["operation"], body["ids"][0]) for body in receiver.wait(2)}
    assert told == {("delete", loser), ("update", winner)}


def test_an_edit_may_be_made_as_another_user(zoho, name):
    record_id = zoho.create("Accounts", Account_Name=name)
    users = {user["name"]: user["id"] for user in zoho.admin("GET", "/users")["users"]}
    path = f"/records/Accounts/{record_id}?user={users['Service Desk']}"
    zoho.admin("PUT", path, {"Phone": "1"})
    assert zoho.get("Accounts", record_id)["Modified_By"]["name"] == "Service Desk"


def test_a_restored_record_comes_back_with_its_values(zoho, name):
    record_id = zoho.create("Accounts", Account_Name=name, Hub_Key=name[-40:])
    zoho.admin("DELETE", f"/records/Accounts/{record_id}")
    zoho.admin("POST", f"/records/Accounts/{record_id}/restore")
    assert zoho.get("Accounts", record_id)["Hub_Key"] == name[-40:]
    deleted = zoho.crm("GET", "/Accounts/deleted")
    gone = deleted.json()["data"] if deleted.status_code == 200 else []
    assert record_id not in [item["id"] for item in gone]


def test_a_record_whose_key_was_taken_is_not_restored(zoho, name):
    first = zoho.create("Accounts", Account_Name=name, Hub_Key=name[-40:])
    zoho.crm("DELETE", f"/Accounts/{first}")
    zoho.create("Accounts", Account_Name=name, Hub_Key=name[-40:])
    url = f"{zoho.url}/__admin/records/Accounts/{first}/restore"
    answer = zoho.session.post(url, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (400, "DUPLICATE_DATA")


def test_the_page_says_in_both_languages_that_it_is_no_zoho(browser):
    english, chinese = browser("GET", "/?lang=en"), browser("GET", "/?lang=zh")
    assert "This is not Zoho" in english.text
    assert "并非 Zoho" in chinese.text
    assert '<html lang="zh-CN">' in chinese.text
    assert "客户" in browser("GET", "/ui/Accounts").text
    css = browser("GET", "/static/style.css")
    assert css.headers["Content-Type"].startswith("text/css")
    assert "http" not in css.text
    assert not re.search(r'(src|href)="(https?:)?//', english.text)


def test_a_person_creates_edits_and_deletes(zoho, browser, receiver, name):
    channel = {"channel_id": "78", "events": ["Accounts.all"], "notify_url": receiver.url}
    zoho.crm("POST", "/actions/watch", {"watch": [channel]})
    form = form_of(browser("GET", "/ui/Accounts/new").text)
    made = browser("POST", "/ui/Accounts/new", data={**form, "Account_Name": name, "Phone": "1"})
    assert "Saved." in made.text
    record_id = re.search(r"/ui/Accounts/(\d+)", made.url).group(1)
    form = form_of(browser("GET", f"/ui/Accounts/{record_id}").text)
    changed = {**form, "Phone": "2", "Blocked": "true", "Credit_Limit": "9.50"}
    browser("POST", f"/ui/Accounts/{record_id}", data=changed)
    record = zoho.get("Accounts", record_id)
    assert (record["Phone"], record["Blocked"], record["Credit_Limit"]) == ("2", True, 9.5)
    assert record["Modified_By"]["name"] == "Sales East"
    assert name in browser("GET", f"/ui/Accounts?q={name}").text
    assert "Deleted." in browser("POST", f"/ui/Accounts/{record_id}/delete").text
    assert name in browser("GET", "/ui/Accounts/bin").text
    bodies = receiver.wait(3)
    assert [body["operation"] for body in bodies] == ["insert", "update", "delete"]
    assert sorted(bodies[1]["affected_fields"][0][record_id]) == [
        "Blocked",
        "Credit_Limit",
        "Phone",
    ]


def test_saving_without_a_change_writes_nothing(zoho, browser, name):
    record_id = zoho.create("Accounts", Account_Name=name, Description="a\nb", Employees=3)
    zoho.admin("POST", "/clock", {"shift": 60})
    form = form_of(browser("GET", f"/ui/Accounts/{record_id}").text)
    before = zoho.get("Accounts", record_id)["Modified_Time"]
    browser("POST", f"/ui/Accounts/{record_id}", data=form)
    assert zoho.get("Accounts", record_id)["Modified_Time"] == before


def test_the_page_explains_a_refusal(browser):
    answer = browser("POST", "/ui/Accounts/new", data={"Phone": "1"})
    assert answer.status_code == 400
    assert "Account_Name: a required field is empty" in answer.text
    assert 'value="1"' in answer.text
    assert browser("GET", "/ui/Accounts/1").status_code == 404
    assert browser("GET", "/ui/Nothing").status_code == 404


def test_a_person_merges_two_and_works_as_somebody_else(zoho, browser, name):
    ids = [zoho.create("Accounts", Account_Name=f"{name}{n}", Phone=str(n)) for n in range(2)]
    users = {user["name"]: user["id"] for user in zoho.admin("GET", "/users")["users"]}
    browser("POST", "/ui/user", data={"user": users["Sales West"], "back": "/"})
    page = browser("GET", f"/ui/Accounts/merge?id={ids[0]}&id={ids[1]}")
    assert f"{name}1" in page.text
    form = {"id": ids, "winner": ids[1], "Phone": ids[0], "Account_Name": ids[1]}
    assert "Merged." in browser("POST", "/ui/Accounts/merge", data=form).text
    merged = zoho.get("Accounts", ids[1])
    assert (merged["Phone"], merged["Account_Name"]) == ("0", f"{name}1")
    assert merged["Modified_By"]["name"] == "Sales West"
    assert "exactly two" in browser("GET", f"/ui/Accounts/merge?id={ids[1]}").text


def test_a_person_converts_a_lead_and_edits_an_order(zoho, browser, name):
    lead = zoho.create("Leads", Last_Name=name, Company=name)
    done = browser("POST", f"/ui/Leads/{lead}/convert", data={"deal": "Big one"})
    assert "Converted." in done.text
    assert zoho.get("Leads", lead)["Converted_Deal"]["name"] == "Big one"
    zoho.create("Products", Product_Name=name)
    rows = {"items_shown": "2", "item_0_product": name, "item_0_Quantity": "2"}
    form = {"Subject": name, **rows, "item_0_List_Price": "4.5", "item_1_product": ""}
    made = browser("POST", "/ui/Sales_Orders/new", data=form)
    order_id = re.search(r"/ui/Sales_Orders/(\d+)", made.url).group(1)
    assert zoho.get("Sales_Orders", order_id)["Grand_Total"] == 9.0


def test_a_name_with_markup_is_shown_as_text(zoho, browser):
    zoho.create("Accounts", Account_Name="<script>alert(1)</script>")
    page = browser("GET", "/ui/Accounts").text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
