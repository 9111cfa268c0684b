"""A long first load: one export instead of many pages, and the listing where that fails."""

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest

from connectors.zoho_crm import bulk


def records(number):
    return [
        {
            "Account_Name": f'Company {n}, "quoted"\nsecond line 客户',
            "Employees": 7 + n,
            "Credit_Limit": 12.5,
            "Blocked": n % 2 == 0,
            "Tag": [{"name": "b"}, {"name": "a"}],
        }
        for n in range(number)
    ]


def old(rows):
    at = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds")
    return [{**row, "Modified_Time": at} for row in rows]


def load(connector, cursor=None):
    told = []
    for page in connector.changes("Accounts", cursor):
        told += [change for change in page.changes if change.data]
        cursor = json.loads(json.dumps(page.cursor))
    return told, cursor


def test_an_export_gives_what_a_listing_gives(stand_in):
    ids = stand_in.seed("Accounts", old(records(12)))
    parent = {"Parent_Account": {"id": ids[0]}}
    stand_in.edit("Accounts", ids[5], **parent)
    exported, cursor = load(stand_in.connect(bulk_threshold=3))
    listed, _ = load(stand_in.connect(bulk_threshold=0))
    by_id = {change.remote_id: change for change in exported}
    assert sorted(by_id) == sorted(ids)
    for change in listed:
        same = by_id[change.remote_id]
        assert (same.version, same.modified_at) == (change.version, change.modified_at)
        assert same.data["Account_Name"] == change.data["Account_Name"]
        assert same.data["Employees"] == change.data["Employees"]
        assert same.data["Credit_Limit"] == change.data["Credit_Limit"]
        assert same.data["Blocked"] is change.data["Blocked"]
        assert same.data["Owner"]["email"] == change.data["Owner"]["email"]
        assert [tag["name"] for tag in same.data["Tag"] or []] == [
            tag["name"] for tag in change.data["Tag"] or []
        ]
    assert by_id[ids[5]].data["Parent_Account"]["id"] == ids[0]
    assert set(cursor) == {"modified", "deleted"}


def test_an_export_in_several_parts_is_one_load(stand_in):
    stand_in.switch(bulk_page_size=5, bulk_seconds=0.0)
    ids = stand_in.seed("Accounts", old(records(13)))
    told, cursor = load(stand_in.connect(bulk_threshold=3))
    assert sorted(change.remote_id for change in told) == sorted(ids)
    assert "export" not in cursor


def test_what_changes_during_an_export_is_told_after_it(stand_in):
    ids = stand_in.seed("Accounts", old(records(6)))
    pages = stand_in.connect(bulk_threshold=3).changes("Accounts", None)
    first = next(pages)
    assert len(first.changes) == 6
    stand_in.edit("Accounts", ids[2], Phone="1")
    stand_in.delete("Accounts", ids[3])
    later = [change for page in pages for change in page.changes]
    assert [c.data["Phone"] for c in later if c.remote_id == ids[2]] == ["1"]
    assert [c.data for c in later if c.remote_id == ids[3]] == [None]


def test_a_load_resumes_inside_its_export(stand_in, monkeypatch):
    monkeypatch.setattr("connectors.zoho_crm.feed.PAGE", 4)
    ids = stand_in.seed("Accounts", old(records(10)))
    pages = stand_in.connect(bulk_threshold=3).changes("Accounts", None)
    first = next(pages)
    told, _ = load(stand_in.connect(bulk_threshold=3), json.loads(json.dumps(first.cursor)))
    resumed = [change.remote_id for change in told]
    assert len(first.changes) == 4
    assert sorted([*(c.remote_id for c in first.changes), *resumed]) == sorted(ids)


def test_an_export_that_was_thrown_away_starts_the_listing(stand_in):
    ids = stand_in.seed("Accounts", old(records(4)))
    cursor = {"export": {"job": "5725767000000999", "row": 2, "begun": "2026-01-01T00:00:00+00:00"}}
    told, _ = load(stand_in.connect(), cursor)
    assert sorted(change.remote_id for change in told) == sorted(ids)


@pytest.mark.parametrize("trouble", ["slow", "no right", "down"])
def test_without_an_export_the_load_lists(stand_in, trouble):
    ids = stand_in.seed("Accounts", old(records(6)))
    connector = stand_in.connect(bulk_threshold=3)
    if trouble == "slow":
        stand_in.switch(bulk_seconds=3.0)
        connector.exports = bulk.BulkReader(connector.client, sleep=lambda _: None)
    elif trouble == "no right":
        stand_in.admin(
            "POST", "/tokens/scope", {"scope": "ZohoCRM.modules.ALL ZohoCRM.settings.ALL"}
        )
    else:
        stand_in.fault("fail", status=400, code="MODULE_NOT_SUPPORTED", times=1, path="/bulk/")
    told, cursor = load(connector)
    assert sorted(change.remote_id for change in told) == sorted(ids)
    assert "export" not in cursor


def test_a_short_load_makes_no_export(stand_in):
    stand_in.seed("Accounts", old(records(3)))
    connector = stand_in.connect(bulk_threshold=3)
    load(connector)
    assert connector.http.limiter.spent["bulk"] == 0


def test_an_export_is_read_page_by_page(stand_in, monkeypatch):
    monkeypatch.setattr("connectors.zoho_crm.feed.PAGE", 2)
    stand_in.seed("Accounts", old(records(9)))
    pages = stand_in.connect(bulk_threshold=3).changes("Accounts", None)
    sizes = [len(page.changes) for page in itertools.islice(pages, 5)]
    assert sizes == [2, 2, 2, 2, 1]
