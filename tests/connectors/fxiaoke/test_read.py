import json
from datetime import UTC, datetime, timedelta

import pytest
import requests

from connectors.sdk.errors import SetupError, TransientError


def row(remote_id, **more):
    return {"_id": remote_id, "name": f"客户 {remote_id}", "life_status": "normal", **more}


def filters(request):
    found = request["data"]["search_query_info"]["filters"]
    return {(f["field_name"], f["operator"]): f["field_values"] for f in found}


def test_a_listing_walks_by_id_and_not_by_offset(make, tenant):
    tenant.rows([row("a"), row("b")], [row("c"), row("d")], [])
    pages = list(make(page_size=2).changes("AccountObj", None))
    assert [c.remote_id for p in pages for c in p.changes] == ["a", "b", "c", "d"]
    asked = tenant.asked("query")
    assert [filters(request) for request in asked] == [
        {},
        {("_id", "GT"): ["b"]},
        {("_id", "GT"): ["d"]},
    ]
    search = asked[2]["data"]["search_query_info"]
    assert (search["offset"], search["limit"]) == (0, 2)
    assert search["orders"] == [{"fieldName": "_id", "isAsc": True}]
    assert asked[0]["includeNull"] is True


def test_the_next_listing_begins_before_this_one_began(make, tenant, clock):
    connector = make(page_size=2, overlap_seconds=300, lag_seconds=2)
    begun = int(clock().timestamp() * 1000)
    tenant.rows([row("a"), row("b")], [])
    listing = connector.changes("AccountObj", None)
    next(listing)
    clock.forward(3600)  # a long listing: what changes meanwhile is not skipped
    last = list(listing)[-1]
    tenant.rows([])
    list(connector.changes("AccountObj", json.loads(json.dumps(last.cursor))))
    assert filters(tenant.asked("query")[-1]) == {("last_modified_time", "GTE"): [begun - 302_000]}


def test_a_cut_listing_goes_on_from_any_page(make, tenant):
    connector = make(page_size=1)
    tenant.rows([row("a")], [row("b")], [])
    _first, second, third = connector.changes("AccountObj", None)
    assert filters(tenant.asked("query")[1]) == {("_id", "GT"): ["a"]}
    tenant.rows([])
    done = list(connector.changes("AccountObj", second.cursor))[-1].cursor
    assert filters(tenant.asked("query")[-1]) == {("_id", "GT"): ["b"]}
    assert done == third.cursor  # the beginning of the whole listing, not of its last part


def test_pages_are_read_when_they_are_asked_for(make, tenant):
    tenant.rows([row("a")], [])
    listing = make(page_size=1).changes("AccountObj", None)
    assert tenant.asked("query") == []
    next(listing)
    assert len(tenant.asked("query")) == 1


def test_a_listing_that_breaks_does_not_end(make, tenant, refused):
    tenant.answer("query", {"data": {"dataList": [row("a")]}}, refused(50009))
    listing = make(page_size=1).changes("AccountObj", None)
    next(listing)
    with pytest.raises(TransientError):
        list(listing)


@pytest.mark.parametrize("data", [None, {}, {"dataList": None}, {"dataList": {}}])
def test_an_answer_without_a_list_is_not_an_empty_list(connector, tenant, data):
    tenant.answer("query", {"data": data})
    with pytest.raises(TransientError):
        list(connector.changes("AccountObj", None))


def test_a_page_that_repeats_is_noticed(make, tenant):
    tenant.rows([row("a")])
    with pytest.raises(TransientError, match="same page"):
        list(make(page_size=1).changes("AccountObj", None))


def test_the_systems_clock_counts_when_it_differs(make, tenant, clock):
    connector = make(overlap_seconds=0, lag_seconds=0)
    for theirs, expected in ((90, 90), (1, 0)):
        connector.client._compare_clocks(dated(clock() + timedelta(seconds=theirs)))
        tenant.rows([])
        cursor = list(connector.changes("AccountObj", None))[-1].cursor
        assert cursor["since"] == int((clock().timestamp() + expected) * 1000)


def dated(moment):
    reply = requests.Response()
    reply.headers["Date"] = moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return reply


def test_a_record_is_whole_and_in_our_native_view(connector, tenant):
    tenant.rows(
        [
            row(
                "a",
                tel="",
                owner=["1000"],
                owner__r={"name": "王"},
                account_level="1",
                account_level__r="重要",
                province="251",
                city="300",
                district="9999",
                version=7,
                last_modified_time=1_760_000_000_123,
                searchAfterId=["1"],
            )
        ]
    )
    change = next(connector.fetch("AccountObj", ["a"]))
    assert change.data["name"] == "客户 a"
    assert change.data["tel"] is None  # sent as ""
    assert change.data["fax"] is None  # not sent at all
    assert change.data["owner"] == ["1000"]
    assert change.data["account_level"] == "1"
    assert (change.data["province"], change.data["city"]) == ("浙江", "杭州市")
    assert change.data["district"] == "9999"  # a code that the list lacks stays visible
    assert not {"owner__r", "account_level__r", "searchAfterId", "old__c"} & change.data.keys()
    assert change.version == "7"
    assert change.modified_at == datetime(2025, 10, 9, 8, 53, 20, 123_000, UTC)


@pytest.mark.parametrize(
    ("version", "moved", "edited"),
    [("1", 0, False), (2, 1, True), ("2", 0, False), (1, 1, False), (None, 1, True)],
)
def test_an_edit_after_the_making_shows_by_version_and_time(
    connector, tenant, version, moved, edited
):
    made = 1_760_000_000_123
    times = {"create_time": made, "last_modified_time": made + moved}
    tenant.rows([row("a", version=version, **times)])
    assert next(connector.fetch("AccountObj", ["a"])).edited is edited


def test_the_area_list_is_read_only_when_needed(connector, tenant):
    tenant.rows([row("a")])
    list(connector.fetch("AccountObj", ["a"]))
    assert tenant.asked("countryAreaOptions/get") == []


def test_fetch_answers_each_id_once_with_tombstones_for_what_is_gone(connector, tenant):
    tenant.rows([row("b", life_status="invalid"), row("a")])
    found = {c.remote_id: c for c in connector.fetch("AccountObj", ["a", "b", "c", "a"])}
    assert found["a"].data["name"] == "客户 a"
    assert found["b"].data is None
    assert found["c"].data is None
    assert filters(tenant.asked("query")[0]) == {("_id", "IN"): ["a", "b", "c"]}


def test_fetch_asks_for_a_hundred_at_once(connector, tenant):
    tenant.rows([])
    ids = [f"{n:03}" for n in range(201)]
    assert len(list(connector.fetch("AccountObj", ids))) == 201
    assert [len(filters(r)["_id", "IN"]) for r in tenant.asked("query")] == [100, 100, 1]


def test_find_gives_the_living_and_the_oldest(connector, tenant):
    tenant.rows(
        [
            row("a", kehub_key__c="k1", life_status="invalid"),
            row("b", kehub_key__c="k1"),
            row("c", kehub_key__c="k1"),
            row("d", kehub_key__c="K2"),
        ]
    )
    found = connector.find("AccountObj", ["k1", "k2"])
    assert {key: change.remote_id for key, change in found.items()} == {"k1": "b"}


def test_the_described_fields_are_asked_for_and_nothing_beside_them(connector, tenant):
    tenant.rows([row("a")])
    list(connector.fetch("AccountObj", ["a"]))
    list(connector.changes("AccountObj", None))
    connector.find("AccountObj", ["k"])
    for request in tenant.asked("query"):
        asked = set(request["data"]["search_query_info"]["fieldProjection"])
        assert asked >= {"_id", "name", "owner", "life_status", "last_modified_time"}
        assert not asked & {"area_location", "old__c", "owner__r"}


def test_custom_objects_have_their_own_paths(connector, tenant):
    tenant.answer("custom/v2/data/query", {"data": {"dataList": []}})
    list(connector.fetch("object_8w9cb__c", ["a"]))
    assert len(tenant.asked("custom/v2/data/query")) == 1


def test_the_schema_is_that_of_our_native_view(connector, tenant):
    schema = connector.schema("AccountObj")
    assert schema.label == "客户"
    assert schema.fields["name"].required
    assert schema.fields["name"].max_length == 256
    assert not schema.fields["owner"].required  # the connector fills it in
    assert schema.fields["city"].type == "text"
    assert not schema.fields["account_no"].writable
    assert not schema.fields["last_modified_time"].writable
    assert schema.fields["kehub_key__c"].unique
    assert [o.value for o in schema.fields["account_level"].options] == ["1"]
    assert schema.fields["account_level"].strict_options
    assert [o.value for o in schema.fields["record_type"].options] == ["default__c"]
    assert "old__c" not in schema.fields


def test_an_order_shows_its_lines(connector, tenant):
    tenant.answer("describe", {"data": {"describe": {"api_name": "SalesOrderObj", "fields": {}}}})
    assert connector.schema("SalesOrderObj").find("lines").type == "list"


def test_an_object_that_is_switched_off_is_a_matter_of_the_set_up(connector, tenant, refused):
    tenant.answer("describe", refused(32000))
    with pytest.raises(SetupError):
        connector.schema("PaymentObj")
    tenant.answer("describe", {"data": {}})
    with pytest.raises(SetupError, match="PaymentObj"):
        connector.schema("PaymentObj")


def test_check_misses_the_hub_key_field(make, tenant):
    make().check()
    with pytest.raises(SetupError, match="other__c") as caught:
        make(hub_key_field="other__c").check()
    assert "text field" in caught.value.hint


def test_descriptions_are_remembered_for_an_hour(connector, tenant):
    now = [0.0]
    connector._describer._clock = lambda: now[0]
    tenant.rows([])
    for at in (0, 3599, 3601):
        now[0] = at
        connector._describer.fields("AccountObj")
    assert len(tenant.asked("describe")) == 2
