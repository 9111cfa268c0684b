"""Listing what changed: complete at every edge of a second, and silent when nothing happened."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
import responses

from connectors.sdk.contract import Write
from connectors.sdk.errors import TransientError
from connectors.zoho_crm import records
from connectors.zoho_crm.marks import Mark

BASE = "https://www.zohoapis.eu"


def names(number, *, start=0):
    return [{"Account_Name": f"Company {n}"} for n in range(start, start + number)]


def dated(number, at, *, step=0):
    moments = [at + timedelta(seconds=n * step) for n in range(number)]
    return [
        {"Account_Name": f"Company {n}", "Modified_Time": moment.isoformat(timespec="seconds")}
        for n, moment in enumerate(moments)
    ]


def walk(connector, cursor=None, module="Accounts"):
    """All changes and the last cursor, each cursor taken through JSON as the hub does."""
    told = []
    for page in connector.changes(module, cursor):
        told += page.changes
        cursor = json.loads(json.dumps(page.cursor))
    return told, cursor


def alive(told):
    return [change.remote_id for change in told if change.data is not None]


def long_ago(hours=2):
    return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=hours)


@pytest.mark.parametrize("edge", ["gt", "gte"])
@pytest.mark.parametrize("step", [0, 1])
def test_a_second_that_fills_pages_is_told_whole_and_once(stand_in, edge, step):
    stand_in.switch(if_modified_since_edge=edge)
    ids = stand_in.seed("Accounts", dated(11, long_ago(), step=step))
    told, _ = walk(stand_in.connect(page_size=3))
    assert sorted(alive(told)) == sorted(ids)


@pytest.mark.parametrize("edge", ["gt", "gte"])
def test_many_records_in_neighbouring_seconds(stand_in, edge):
    stand_in.switch(if_modified_since_edge=edge)
    at = long_ago()
    records = [r for second in range(3) for r in dated(5, at + timedelta(seconds=second))]
    ids = stand_in.seed("Accounts", records)
    told, _ = walk(stand_in.connect(page_size=2))
    assert sorted(alive(told)) == sorted(ids)


def test_records_edited_or_deleted_during_a_walk_hide_no_others(stand_in):
    ids = stand_in.seed("Accounts", dated(9, long_ago(), step=7))
    pages = stand_in.connect(page_size=3).changes("Accounts", None)
    told = list(next(pages).changes)
    stand_in.edit("Accounts", ids[0], Phone="1")
    stand_in.delete("Accounts", ids[1])
    told += [change for page in pages for change in page.changes]
    assert set(ids) <= {change.remote_id for change in told}
    assert [c.data["Phone"] for c in told if c.remote_id == ids[0] and c.data] == [None, "1"]
    assert [c.data is None for c in told if c.remote_id == ids[1]] == [False, True]


def test_a_record_of_a_second_that_was_read_already_is_told_though_clocks_differ(stand_in):
    """The machine that answers is two minutes ahead of the one that dates the records."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=120)
    connector = stand_in.connect()
    cursor = None
    for _ in range(3):
        (made,) = stand_in.seed("Accounts", dated(1, at))
        told, cursor = walk(connector, cursor)
        assert alive(told) == [made]


def test_a_minute_is_settled_when_nothing_newer_came_for_so_long():
    at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    old = at - timedelta(hours=1)
    mark = Mark().passed([("1", old, "a")], at, whole=True)
    assert not mark.settled
    mark = Mark.load(mark.dump()).passed([("1", old, "a")], at + timedelta(seconds=60), whole=True)
    assert not mark.settled
    later = at + timedelta(seconds=61)
    assert mark.passed([("1", old, "a")], later, whole=True).settled
    assert not mark.passed([("1", old, "a")], later, whole=False).settled
    newer = mark.passed([("2", old + timedelta(seconds=1), "a")], later, whole=True)
    assert not newer.settled
    assert not newer.passed([], later + timedelta(seconds=59), whole=True).settled


def test_two_edits_in_one_second_are_two_versions(stand_in):
    (record,) = stand_in.seed("Accounts", names(1))
    connector = stand_in.connect()
    _, cursor = walk(connector)
    versions = []
    for phone in ("1", "2", "3"):
        stand_in.edit("Accounts", record, Phone=phone)
        told, cursor = walk(connector, cursor)
        versions += [(c.data["Phone"], c.version) for c in told if c.remote_id == record]
    assert [phone for phone, _ in versions] == ["1", "2", "3"]
    assert len({version for _, version in versions}) == 3


def test_an_edit_after_the_making_shows_by_its_time_or_its_author(stand_in):
    made = "2026-03-01T10:15:30+01:00"
    hub, clerk = {"id": "1", "name": "Hub"}, {"id": "2", "name": "Clerk"}

    def told(moved, author):
        row = {"id": "9", "Created_Time": made, "Modified_Time": moved}
        return records.change("Accounts", {**row, "Created_By": hub, "Modified_By": author}).edited

    assert not told(made, hub)
    assert told("2026-03-01T10:15:31+01:00", hub)
    assert told(made, clerk)
    connector = stand_in.connect()
    (outcome,) = connector.write("Accounts", [Write("k1", "create", data={"Account_Name": "A"})])
    (fresh,) = connector.fetch("Accounts", [outcome.remote_id or outcome.after.remote_id])
    assert not fresh.edited
    stand_in.edit("Accounts", fresh.remote_id, Phone="1")
    assert next(iter(connector.fetch("Accounts", [fresh.remote_id]))).edited


def test_a_quiet_poll_tells_nothing_and_costs_two_calls(fresh_stand_in):
    fresh_stand_in.seed("Accounts", names(5))
    connector = fresh_stand_in.connect()
    _, cursor = walk(connector)
    before = connector.http.limiter.reads
    told, cursor = walk(connector, cursor)
    assert told == []
    assert connector.http.limiter.reads - before == 2
    assert walk(connector, cursor) == ([], cursor)


def test_a_change_that_becomes_visible_late_is_told(stand_in):
    at = datetime.now(UTC).replace(microsecond=0)
    stand_in.seed("Accounts", dated(1, at))
    connector = stand_in.connect()
    _, cursor = walk(connector)
    (late,) = stand_in.seed("Accounts", dated(1, at - timedelta(seconds=20)))
    told, _ = walk(connector, cursor)
    assert alive(told) == [late]


def test_a_minute_that_is_over_is_read_no_more(stand_in):
    stand_in.seed("Accounts", dated(3, long_ago()))
    connector = stand_in.connect()
    _, cursor = walk(connector)
    minute_ago = datetime.now(UTC) - timedelta(seconds=62)
    cursor["modified"]["met"] = minute_ago.isoformat(timespec="seconds")
    _, cursor = walk(connector, cursor)
    mark = Mark.load(cursor["modified"])
    assert mark.settled
    assert mark.since == mark.time


def test_a_clock_set_back_hides_nothing(stand_in):
    connector = stand_in.connect()
    (record,) = stand_in.seed("Accounts", names(1))
    _, cursor = walk(connector)
    stand_in.admin("POST", "/clock", {"shift": 3600})
    stand_in.edit("Accounts", record, Phone="from the future")
    told, cursor = walk(connector, cursor)
    assert [c.data["Phone"] for c in told if c.data] == ["from the future"]
    stand_in.admin("POST", "/clock", {"shift": 0})
    (new,) = stand_in.seed("Accounts", names(1, start=1))
    told, cursor = walk(connector, cursor)
    assert new in alive(told)


def test_the_zone_of_the_user_changes_no_version(stand_in):
    stand_in.seed("Accounts", names(1))
    connector = stand_in.connect()
    (first,) = [change for change in walk(connector)[0] if change.data]
    stand_in.admin("POST", "/clock", {"zone": "America/New_York"})
    (second,) = [change for change in walk(connector)[0] if change.data]
    stand_in.admin("POST", "/clock", {"zone": "+08:00"})
    assert first.data["Modified_Time"] != second.data["Modified_Time"]
    assert (first.version, first.modified_at) == (second.version, second.modified_at)


def test_deletes_since_the_last_poll_are_tombstones_once(fresh_stand_in):
    old, kept, gone = fresh_stand_in.seed("Accounts", names(3))
    fresh_stand_in.delete("Accounts", old)
    time.sleep(1.1)
    connector = fresh_stand_in.connect()
    told, cursor = walk(connector)
    assert {c.remote_id for c in told if c.data} == {kept, gone}
    fresh_stand_in.delete("Accounts", gone)
    told, cursor = walk(connector, cursor)
    assert [(c.remote_id, c.data) for c in told if c.remote_id == gone] == [(gone, None)]
    assert told[-1].modified_at is not None
    assert walk(connector, cursor)[0] == []


def test_a_restored_record_comes_back(stand_in):
    (record,) = stand_in.seed("Accounts", names(1))
    connector = stand_in.connect()
    _, cursor = walk(connector)
    stand_in.delete("Accounts", record)
    told, cursor = walk(connector, cursor)
    assert (record, None) in [(c.remote_id, c.data) for c in told]
    stand_in.admin("POST", f"/records/Accounts/{record}/restore")
    told, _ = walk(connector, cursor)
    assert alive(told) == [record]


def test_more_deletes_than_one_page(stand_in):
    ids = stand_in.seed("Accounts", names(450))
    connector = stand_in.connect()
    _, cursor = walk(connector)
    stand_in.delete("Accounts", *ids[:430])
    told, _ = walk(connector, cursor)
    assert {c.remote_id for c in told if c.data is None} >= set(ids[:430])


def test_a_converted_lead_is_told_with_what_it_became(stand_in):
    (lead,) = stand_in.seed("Leads", [{"Last_Name": "Daly", "Company": "Acme"}])
    connector = stand_in.connect()
    _, cursor = walk(connector, module="Leads")
    connector.client.write("POST", f"/Leads/{lead}/actions/convert", {"data": [{}]})
    told, _ = walk(connector, cursor, module="Leads")
    (change,) = [c for c in told if c.data]
    assert change.data["Converted__s"] is True
    (account,) = stand_in.records("Accounts")
    assert change.data["Converted_Account"]["id"] == account["id"]
    (fetched,) = connector.fetch("Leads", [lead])
    assert fetched == change


def wide(stand_in, number):
    for place in range(number):
        stand_in.admin("POST", "/fields/Leads", {"api_name": f"Wide_{place}"})


def test_a_wide_module_is_read_whole_and_in_one_state(fresh_stand_in):
    wide(fresh_stand_in, 70)
    record = {"Last_Name": "Daly", **{f"Wide_{n}": "old" for n in range(70)}}
    ids = fresh_stand_in.seed("Leads", [record, record])
    connector = fresh_stand_in.connect()
    read, edited = connector.client.get, []

    def edit_between(path, params=None, **options):
        answer = read(path, params, **options)
        if path == "/Leads" and not edited and "sort_by" in params:
            time.sleep(1.1)
            new = {f"Wide_{n}": "new" for n in range(70)}
            edited.append(fresh_stand_in.edit("Leads", ids[0], **new))
        return answer

    connector.client.get = edit_between
    told, _ = walk(connector, module="Leads")
    for change in told:
        values = {change.data[f"Wide_{n}"] for n in range(70)}
        assert values == ({"new"} if change.remote_id == ids[0] else {"old"})
    assert {change.remote_id for change in told} == set(ids)


def test_a_field_that_is_gone_does_not_read_as_cleared(stand_in):
    connector = stand_in.connect()
    stand_in.admin("POST", "/fields/Contacts", {"api_name": "Nickname"})
    (record,) = stand_in.seed("Contacts", [{"Last_Name": "Daly", "Nickname": "Dee"}])
    (before,) = connector.fetch("Contacts", [record])
    stand_in.admin("DELETE", "/fields/Contacts/Nickname")
    (after,) = connector.fetch("Contacts", [record])
    assert before.data["Nickname"] == "Dee"
    assert "Nickname" not in after.data
    assert "Nickname" not in connector.schema("Contacts").fields


@pytest.mark.parametrize("answer", ["204", "400"])
def test_an_unknown_id_is_a_tombstone_however_it_is_told(stand_in, answer):
    stand_in.switch(unknown_id_get=answer)
    (found,) = stand_in.connect().fetch("Accounts", ["5725767000009999999"])
    assert found.data is None


@responses.activate
def test_a_record_that_lists_hide_is_not_gone(described):
    held = {"id": "11", "Account_Name": "Waits for approval", "Modified_Time": None}
    responses.get(f"{BASE}/crm/v8/Accounts", status=204)
    responses.get(f"{BASE}/crm/v8/Accounts/11", json={"data": [held]})
    responses.get(f"{BASE}/crm/v8/Accounts/12", status=204)
    found = {change.remote_id: change for change in described.fetch("Accounts", ["11", "12"])}
    assert found["11"].data["Account_Name"] == "Waits for approval"
    assert found["12"].data is None


@responses.activate
def test_an_id_that_zoho_cannot_read_hides_no_others(described):
    held = [{"id": str(n), "Account_Name": f"C{n}"} for n in range(1, 6)]

    def listed(request):
        ids = request.params["ids"].split(",")
        if "666" in ids:
            wrong = {"code": "INVALID_DATA", "details": {"param": "ids"}, "status": "error"}
            return 400, {}, json.dumps(wrong)
        return 200, {}, json.dumps({"data": [row for row in held if row["id"] in ids]})

    responses.add_callback("GET", f"{BASE}/crm/v8/Accounts", listed)
    found = described.reader.by_ids("Accounts", ["1", "2", "666", "3", "4", "5"])
    assert sorted(found) == ["1", "2", "3", "4", "5"]


@responses.activate
def test_a_page_that_cannot_be_followed_is_an_error(described):
    responses.get(f"{BASE}/crm/v8/Accounts/actions/count", json={"count": 3})
    responses.get(f"{BASE}/crm/v8/Accounts", json={"data": [], "info": {"more_records": True}})
    with pytest.raises(TransientError):
        list(described.changes("Accounts", None))
