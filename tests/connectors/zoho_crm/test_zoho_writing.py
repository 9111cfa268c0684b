"""Writing: once and only once, a verdict for each record, nothing of others overwritten."""

import json

import pytest
import responses

from connectors.sdk.contract import Write
from connectors.sdk.errors import (
    AnswerLostError,
    ChangedError,
    RecordError,
    SetupError,
    ThrottledError,
    TransientError,
)

BASE = "https://www.zohoapis.eu/crm/v8"


def create(key, **data):
    return Write(key, "create", data={"Account_Name": f"Company {key}", **data})


def outcomes(connector, batch, module="Accounts"):
    return {outcome.key: outcome for outcome in connector.write(module, batch)}


def held(stand_in, module="Accounts"):
    return {record["id"]: record for record in stand_in.records(module)}


def test_a_batch_of_creates_is_one_write_and_one_read(stand_in):
    connector = stand_in.connect()
    connector.check()
    limiter = connector.http.limiter
    reads, writes = limiter.reads, limiter.writes
    found = outcomes(connector, [create(f"k{n}") for n in range(100)])
    assert [o.error for o in found.values()] == [None] * 100
    assert all(o.after.data["Hub_Key"] == key for key, o in found.items())
    assert (limiter.writes - writes, limiter.reads - reads) == (1, 1)
    assert limiter.spent["heavy"] == 10


def test_more_than_a_batch_is_written_in_batches(stand_in):
    connector = stand_in.connect()
    found = outcomes(connector, [create(f"k{n}") for n in range(230)])
    assert len(found) == 230
    assert connector.http.limiter.writes == 3
    assert len(held(stand_in)) == 230


@pytest.mark.parametrize(
    "switches",
    [{}, {"mixed_batch": "always200"}, {"all_failed_batch": "legacy202"}],
)
def test_the_status_of_an_answer_is_not_believed(stand_in, switches):
    stand_in.switch(**switches)
    connector = stand_in.connect()
    found = outcomes(connector, [create("good"), create("bad", Employees="many")])
    assert found["good"].error is None
    assert isinstance(found["bad"].error, RecordError)
    assert found["bad"].error.field == "Employees"
    (alone,) = connector.write("Accounts", [create("bad", Employees="many")])
    assert isinstance(alone.error, RecordError)


def test_a_create_whose_answer_was_lost_is_not_made_twice(stand_in):
    connector = stand_in.connect()
    connector.check()
    batch = [create("a"), create("b")]
    stand_in.fault("drop-answer", times=1, path="/Accounts")
    with pytest.raises(AnswerLostError):
        outcomes(connector, batch)
    assert sorted(connector.find("Accounts", ["a", "b", "c"])) == ["a", "b"]
    again = outcomes(connector, [*batch, create("c")])
    assert [again[key].error for key in "abc"] == [None] * 3
    assert again["a"].remote_id == connector.find("Accounts", ["a"])["a"].remote_id
    assert len(held(stand_in)) == 3


def test_a_repeated_create_overwrites_nothing(stand_in):
    connector = stand_in.connect()
    made = outcomes(connector, [create("a", Phone="1")])["a"]
    stand_in.edit("Accounts", made.remote_id, Phone="typed by a user")
    again = outcomes(connector, [create("a", Phone="1")])["a"]
    assert again.error is None
    assert again.after.data["Phone"] == "typed by a user"


def test_a_record_of_somebody_else_with_the_same_mail_is_left_alone(stand_in):
    stand_in.admin("PATCH", "/fields/Accounts/Email", {"unique": True})
    try:
        (other,) = stand_in.seed("Accounts", [{"Account_Name": "Other", "Email": "a@b.example"}])
        connector = stand_in.connect()
        found = outcomes(connector, [create("mine", Email="a@b.example"), create("free")])
        assert isinstance(found["mine"].error, RecordError)
        assert found["mine"].error.field == "Email"
        assert other in str(found["mine"].error)
        assert found["free"].error is None
        assert held(stand_in)[other]["Account_Name"] == "Other"
        assert held(stand_in)[other].get("Hub_Key") is None
        made = outcomes(connector, [create("both", Email="c@d.example")])["both"]
        again = outcomes(connector, [create("both", Email="c@d.example")])["both"]
        assert again.remote_id == made.remote_id
    finally:
        stand_in.admin("PATCH", "/fields/Accounts/Email", {"unique": False})


def test_an_update_changes_and_clears_what_it_names(stand_in):
    (record,) = stand_in.seed("Accounts", [{"Account_Name": "A", "Phone": "1", "Fax": "2"}])
    connector = stand_in.connect()
    write = Write("u", "update", record, {"Phone": None, "Tag": [{"name": "vip"}]})
    outcome = outcomes(connector, [write])["u"]
    assert (outcome.remote_id, outcome.after, outcome.error) == (record, None, None)
    (after,) = connector.fetch("Accounts", [record])
    assert (after.data["Phone"], after.data["Fax"]) == (None, "2")
    assert [tag["name"] for tag in after.data["Tag"]] == ["vip"]


def test_a_converted_lead_has_to_be_read_again(stand_in):
    (lead,) = stand_in.seed("Leads", [{"Last_Name": "Daly", "Company": "Acme"}])
    connector = stand_in.connect()
    connector.client.write("POST", f"/Leads/{lead}/actions/convert", {"data": [{}]})
    outcome = outcomes(connector, [Write("u", "update", lead, {"Phone": "1"})], "Leads")["u"]
    assert isinstance(outcome.error, ChangedError)


def test_a_lookup_to_nothing_names_its_field(stand_in):
    connector = stand_in.connect()
    data = {"Last_Name": "Daly", "Account_Name": {"id": "5725767000009999999"}}
    outcome = outcomes(connector, [Write("c", "create", data=data)], "Contacts")["c"]
    assert isinstance(outcome.error, RecordError)
    assert outcome.error.field == "Account_Name"
    assert "does not have" in str(outcome.error)


def test_a_field_that_was_renamed_stops_the_writes(stand_in):
    connector = stand_in.connect()
    (record,) = stand_in.seed("Contacts", [{"Last_Name": "Daly"}])
    stand_in.admin("POST", "/fields/Contacts/Department/rename", {"to": "Division"})
    try:
        with pytest.raises(SetupError, match="Department"):
            outcomes(connector, [Write("u", "update", record, {"Department": "x"})], "Contacts")
    finally:
        stand_in.admin("POST", "/fields/Contacts/Division/rename", {"to": "Department"})
    again = outcomes(connector, [Write("u", "update", record, {"Department": "x"})], "Contacts")
    assert again["u"].error is None


def test_without_a_unique_key_nothing_is_created(stand_in):
    stand_in.admin("POST", "/fields/Accounts", {"api_name": "Loose_Key"})
    try:
        connector = stand_in.connect(hub_key_field="Loose_Key")
        with pytest.raises(SetupError, match="not unique"):
            connector.check()
        with pytest.raises(SetupError, match="not unique"):
            outcomes(connector, [create("a")])
        assert held(stand_in) == {}
    finally:
        stand_in.admin("DELETE", "/fields/Accounts/Loose_Key")
    with pytest.raises(SetupError, match="has no field"):
        stand_in.connect(hub_key_field="Loose_Key").check()


def test_a_write_that_cannot_be_read_back_is_still_done(stand_in):
    connector = stand_in.connect()
    connector.check()
    stand_in.fault("fail", status=500, times=1, method="GET", path="/Accounts$")
    outcome = outcomes(connector, [create("a")])["a"]
    assert (outcome.error, outcome.after) == (None, None)
    assert outcome.remote_id in held(stand_in)


def test_a_throttled_write_says_that_it_was_not_done(stand_in):
    connector = stand_in.connect()
    connector.check()
    stand_in.fault("fail", status=429, times=1, path="/Accounts")
    with pytest.raises(ThrottledError):
        outcomes(connector, [create("a")])
    assert held(stand_in) == {}


def test_deletes_tell_which_were_refused(stand_in):
    ids = stand_in.seed("Accounts", [{"Account_Name": "A"}, {"Account_Name": "B"}])
    stand_in.delete("Accounts", ids[1])
    connector = stand_in.connect()
    batch = [Write(f"d{n}", "delete", record) for n, record in enumerate(ids)]
    found = outcomes(connector, batch)
    assert [found[key].error for key in ("d0", "d1")] == [None, None]
    assert all(o.after.data is None for o in found.values())
    assert held(stand_in) == {}


def item(code, message="", **details):
    return {"code": code, "message": message, "details": details, "status": "error"}


@pytest.mark.parametrize(
    ("refusal", "kind", "field"),
    [
        (item("MANDATORY_NOT_FOUND", api_name="Last_Name"), RecordError, "Last_Name"),
        (item("INVALID_DATA", api_name="Phone", maximum_length=30), RecordError, "Phone"),
        (item("INVALID_DATA", json_path="$.data[0].Website"), RecordError, "Website"),
        (
            item("EXPECTED_FIELD_MISSING", expected_fields=[{"api_name": "Stage"}]),
            RecordError,
            "Stage",
        ),
        (item("NO_PERMISSION", "permission denied"), RecordError, None),
        (item("RECORD_LOCKED", "locked", id="1"), TransientError, None),
        (item("RECORD_IN_BLUEPRINT", id="1"), TransientError, None),
        (item("ALREADY_MODIFIED", id="1"), ChangedError, None),
    ],
)
@responses.activate
def test_a_refusal_of_a_record_has_its_class_and_field(described, refusal, kind, field):
    responses.put(f"{BASE}/Accounts", json={"data": [refusal]}, status=400)
    (outcome,) = described.write("Accounts", [Write("u", "update", "1", {"Phone": "1"})])
    assert type(outcome.error) is kind
    assert getattr(outcome.error, "field", None) == field
    assert str(outcome.error).endswith(".") or str(outcome.error).endswith(").")


@responses.activate
def test_a_record_that_broke_zoho_stays_in_doubt(described):
    good = {"code": "SUCCESS", "status": "success", "details": {"id": "1"}}
    responses.post(f"{BASE}/Accounts", json={"data": [good, item("INTERNAL_ERROR")]}, status=207)
    responses.get(f"{BASE}/Accounts", status=204)
    found = outcomes(described, [create("a"), create("b")])
    assert sorted(found) == ["a"]


@responses.activate
def test_an_answer_of_the_wrong_length_claims_nothing(described):
    good = {"code": "SUCCESS", "status": "success", "details": {"id": "1"}}
    responses.post(f"{BASE}/Accounts", json={"data": [good]}, status=201)
    with pytest.raises(AnswerLostError):
        outcomes(described, [create("a"), create("b")])


@responses.activate
def test_a_call_refused_for_one_record_is_made_in_halves(described):
    def insert(request):
        rows = json.loads(request.body)["data"]
        if any(row["Phone"] == "poison" for row in rows):
            return 400, {}, json.dumps(item("INVALID_DATA", api_name="Phone"))
        data = [
            {"code": "SUCCESS", "status": "success", "details": {"id": row["Hub_Key"]}}
            for row in rows
        ]
        return 201, {}, json.dumps({"data": data})

    responses.add_callback("POST", f"{BASE}/Accounts", insert)
    responses.get(f"{BASE}/Accounts", status=204)
    batch = [create(str(n), Phone="poison" if n == 3 else "1") for n in range(1, 8)]
    found = outcomes(described, batch)
    assert sorted(key for key, o in found.items() if o.error is None) == [
        "1",
        "2",
        "4",
        "5",
        "6",
        "7",
    ]
    assert isinstance(found["3"].error, RecordError)
    assert found["3"].error.field == "Phone"


@responses.activate
def test_automation_runs_only_where_the_settings_say_so(described):
    good = {"code": "SUCCESS", "status": "success", "details": {"id": "1"}}
    sent = responses.put(f"{BASE}/Accounts", json={"data": [good]})
    responses.get(f"{BASE}/Accounts", status=204)
    outcomes(described, [Write("u", "update", "1", {"Phone": "1"})])
    assert json.loads(sent.calls[0].request.body)["trigger"] == []
