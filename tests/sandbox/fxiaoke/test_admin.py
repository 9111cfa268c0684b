"""Trouble on demand, model changes, user actions, counters."""

import pytest
import requests

GET = "/cgi/crm/v2/data/get"


def test_the_listing_names_every_call(fx):
    calls = fx.look("/")["calls"]
    assert len(calls) > 40
    assert all({"method", "path", "what"} == set(one) for one in calls)
    paths = {one["path"] for one in calls}
    assert {"/__admin/faults", "/__admin/calls", "/__admin/records/<api>"} <= paths


def test_the_next_calls_fail_with_a_code(fx, account):
    fx.admin("/faults", {"kind": "error", "code": 50009, "times": 2, "path": "/data/get"})
    data = {"data": {"dataObjectApiName": "AccountObj", "objectDataId": account}}
    assert fx.call("/cgi/crm/v2/object/list")["errorCode"] == 0
    assert [fx.call(GET, data)["errorCode"] for _ in range(3)] == [50009, 50009, 0]


def test_the_gateway_answers_html(fx):
    fx.admin("/faults", {"kind": "http", "status": 502})
    reply = fx.raw(GET, {}, fx.headers())
    assert reply.status_code == 502
    assert reply.headers["Content-Type"].startswith("text/html")


def test_a_dropped_answer_has_done_the_work(fx):
    fx.admin("/faults", {"kind": "drop_answer", "path": "/create"})
    record = {"dataObjectApiName": "AccountObj", "name": "lost answer", "owner": ["1001"]}
    with pytest.raises(requests.ConnectionError):
        fx.call("/cgi/crm/v2/data/create", {"data": {"object_data": record}})
    assert len(fx.ids(("name", "EQ", ["lost answer"]))) == 1


def test_a_dropped_connection_has_done_nothing(fx):
    fx.admin("/faults", {"kind": "drop_connection", "path": "/create"})
    record = {"dataObjectApiName": "AccountObj", "name": "never made", "owner": ["1001"]}
    with pytest.raises(requests.ConnectionError):
        fx.call("/cgi/crm/v2/data/create", {"data": {"object_data": record}})
    assert fx.ids(("name", "EQ", ["never made"])) == []


def test_a_slow_call_runs_into_the_clients_timeout(fx):
    fx.admin("/faults", {"kind": "slow", "delay_ms": 400, "path": "object/list"})
    with pytest.raises(requests.Timeout):
        fx.raw("/cgi/crm/v2/object/list", {"data": {}}, fx.headers(), timeout=0.1)
    assert fx.call("/cgi/crm/v2/object/list")["errorCode"] == 0


def test_standing_faults_end_when_they_are_cleared(fx):
    fx.admin("/faults", {"kind": "error", "times": None})
    assert [fx.call("/cgi/crm/v2/object/list")["errorCode"] for _ in range(3)] == [-1] * 3
    assert len(fx.look("/faults")["faults"]) == 1
    fx.admin("/faults", method="DELETE")
    assert fx.call("/cgi/crm/v2/object/list")["errorCode"] == 0


def test_calls_are_counted_by_path_kind_and_record(fx):
    fx.token()
    fx.admin("/calls/reset")
    made = fx.create(name="counted")
    fx.update(made, tel="1")
    fx.update(made, account_level="no such option")
    fx.get(made)
    seen = fx.look("/calls?last=2")
    assert seen["totals"] == {"read": 1, "write": 3, "token": 0, "read_ok": 1, "write_ok": 2}
    assert seen["paths"]["/cgi/crm/v2/data/update"] == {"calls": 2, "ok": 1, "failed": 1}
    assert seen["records"] == {f"AccountObj/{made}": 2}
    assert [one["errorCode"] for one in seen["log"]] == [0, 201110001]
    assert seen["log"][0]["data"]["object_data"]["_id"] == made
    fx.admin("/calls/reset")
    assert fx.look("/calls")["paths"] == {}


def test_options_of_a_field_can_change_under_the_callers_feet(alone):
    fx = alone()
    made = fx.create(account_level="1")
    path = "/fields/AccountObj/account_level/options"
    fx.admin(path, {"remove": ["1"], "add": [{"value": "9", "label": "战略"}],
                    "relabel": {"2": "一般"}})  # fmt: skip
    assert fx.get(made)["account_level"] == "1"
    assert "选项值" in fx.update(made, account_level="1")["errorMessage"]
    assert fx.update(made, account_level="9")["errorCode"] == 0
    assert fx.get(made)["account_level__r"] == "战略"
    fx.admin("/fields/AccountObj/name/options", {"remove": []}, status=400)


def test_fields_can_vanish_be_renamed_required_or_shortened(alone):
    fx = alone()
    made = fx.create(fax="123", legal_name__c="甲乙丙丁", tel="7")
    fx.admin("/fields/AccountObj/fax", method="DELETE")
    assert "fax" not in fx.get(made)
    assert fx.search(filters=[("fax", "EQ", ["1"])])["errorCode"] == 32000
    fx.admin("/fields/AccountObj/tel/rename", {"to": "phone__c"})
    assert fx.get(made)["phone__c"] == "7"
    fx.admin("/fields/AccountObj/legal_name__c", {"max_length": 3})
    assert "长度" in fx.update(made, legal_name__c="甲乙丙丁")["errorMessage"]
    fx.admin("/fields/AccountObj/email", {"is_required": True})
    record = {"dataObjectApiName": "AccountObj", "name": "x", "owner": ["1001"]}
    reply = fx.call("/cgi/crm/v2/data/create", {"data": {"object_data": record}})
    assert "email" in reply["errorMessage"]
    fx.admin("/fields/AccountObj", {"api_name": "tier__c", "type": "select_one", "label": "层级",
                                    "options": [{"value": "x", "label": "X"}]})  # fmt: skip
    assert fx.update(made, tier__c="x")["errorCode"] == 0
    fx.admin("/fields/AccountObj/tier__c", {"type": "text"}, status=400)
    fx.admin("/fields/AccountObj/nope", {"is_required": True}, status=404)


def test_a_users_merge_leaves_one_valid_row_with_all_children(fx):
    winner = fx.create(name="winner", tel="1")
    loser = fx.create(name="loser", tel="2", email="l@example.com", kehub_key__c="loser-key")
    contact = fx.create("ContactObj", name="c", account_id=loser)
    child = fx.create(parent_account_id=loser)
    reply = fx.admin("/records/AccountObj/merge", {"winner": winner, "loser": loser})
    assert sorted(map(tuple, reply["moved"])) == sorted(
        [("ContactObj", contact), ("AccountObj", child)]
    )
    assert fx.get(contact, "ContactObj")["account_id"] == winner
    assert fx.get(child)["parent_account_id"] == winner
    assert fx.get(loser)["life_status"] == "invalid"
    row = fx.get(winner)
    assert (row["tel"], row["email"]) == ("1", "l@example.com")
    assert "kehub_key__c" not in row
    assert row["last_modified_by"] == ["1000"]
    fx.admin("/records/AccountObj/merge", {"winner": winner, "loser": loser}, status=409)


def test_a_parent_can_take_in_its_own_child(fx):
    parent = fx.create()
    child = fx.create(parent_account_id=parent)
    fx.admin("/records/AccountObj/merge", {"winner": child, "loser": parent})
    row = fx.get(child)
    assert row["life_status"] == "normal"
    assert row.get("parent_account_id") != child


def test_a_user_edits_and_removes_rows(fx, account):
    made = fx.admin("/records/AccountObj/create", {"fields": {"name": "by hand"}, "user": "1001"})
    assert fx.get(made["id"])["created_by"] == ["1001"]
    fx.admin(f"/records/AccountObj/{account}", {"fields": {"tel": None, "fax": "2"}})
    row = fx.get(account)
    assert "tel" not in row
    assert row["last_modified_by"] == ["1000"]
    fx.admin(f"/records/AccountObj/{account}", {"fields": {"email": "nope"}}, status=409)
    fx.admin(f"/records/AccountObj/{account}/owner", {"owner": "1002"})
    assert fx.get(account)["owner"] == ["1002"]
    fx.admin(f"/records/AccountObj/{account}/invalid")
    fx.admin(f"/records/AccountObj/{account}/recover")
    assert fx.get(account)["life_status"] == "normal"
    fx.admin(f"/records/AccountObj/{account}/delete")
    assert fx.ids(("_id", "EQ", [account])) == []
    fx.admin(f"/records/AccountObj/{account}/delete", status=404)


def test_an_edit_without_a_difference_changes_nothing(fx, account):
    fx.admin(f"/records/AccountObj/{account}", {"fields": {"tel": "021-5555"}})
    assert fx.get(account)["version"] == "1"


def test_rows_are_seeded_in_bulk_and_dumped_raw(fx):
    old = {"last_modified_time": 1_700_000_000_000}
    rows = [{"name": f"bulk {n}", "customer_no__c": f"B{n}", **old} for n in range(300)]
    ids = fx.admin("/records/AccountObj", {"rows": rows, "silent": True, "user": "1002"})["ids"]
    assert len(set(ids)) == 300
    row = fx.look(f"/records/AccountObj?id={ids[7]}")["rows"][0]
    assert (row["customer_no__c"], row["owner"]) == ("B7", ["1002"])
    assert row["last_modified_time"] == 1_700_000_000_000
    found = fx.look("/records/AccountObj?field=customer_no__c&value=B9")["rows"]
    assert [one["_id"] for one in found] == [ids[9]]
    assert fx.look("/records/AccountObj?count=1")["count"] >= 300
    assert len(fx.look("/records/HighSeasObj")["rows"]) == 1
    bad = fx.admin("/records/AccountObj", {"rows": [{"name": "x", "email": "no"}]}, status=400)
    assert bad["error"].startswith("row 0")
    fx.admin("/records/Nope", {"rows": []}, status=404)
    fx.admin("/records/AccountObj", {"rows": [{"_id": ids[0], "name": "x"}]}, status=400)


def test_wrong_settings_are_refused_with_a_sentence(fx):
    for path, body in (
        ("/switches", {"nope": 1}),
        ("/switches", {"throttle_code": 7}),
        ("/switches", {"business_error_code": 0}),
        ("/limits", {"calls": "many"}),
        ("/faults", {"kind": "flood"}),
        ("/callback", {"url": "ftp://x"}),
        ("/approvals", {"AccountObj": "yes"}),
        ("/clock", {}),
    ):
        assert fx.admin(path, body, status=400)["error"]


def test_another_sites_form_cannot_reach_the_admin_calls(fx):
    reply = fx.http.post(
        f"{fx.url}/__admin/calls/reset", headers={"Origin": "https://evil.example"}, timeout=60
    )
    assert reply.status_code == 403
