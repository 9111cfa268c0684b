"""A mass import in the ERP against the quotas of two CRMs, with people at work beside it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from sync.flow import dispatch, take_in, usage
from sync.gateway.quota import LocalBuckets
from sync.gateway.systems import Systems
from sync.service import quota, systems
from sync.store.tables import BULK, INTERACTIVE, DeadLetter, Dirty, Inbox, System
from tests.infra.processes import eventually
from tests.scenarios.outside import fx_values
from tests.scenarios.story import ACME, edit, records, remote_writes, rows

MANY = 90
WORKERS, BATCH = 4, 5
PACE = 200  # calls of a path in any 20 seconds, as the hub is told
# What that comes to in any 5 seconds, a burst included: the stand-in refuses whatever is more. One
# worker that did not count the calls of the others would come to a multiple of it.
WINDOW_MS, LIMIT = 5_000, 66


def seed(outside, count):
    for number in range(count):
        outside.erp.create(
            "customers", name=f"{chr(0x4E00 + 53 * number)}{chr(0x6000 + 31 * number)}科技",
            website=f"firm{number}.example",
        )  # fmt: skip


def lanes(outside, name):
    rows = outside.rows(Dirty, Dirty.system_id == outside.id_of(name))
    return {lane: sum(row.lane == lane for row in rows) for lane in (INTERACTIVE, BULK)}


@pytest.fixture
def storm(workforce, pg_fresh_url):
    """A customer that all systems know; then the ERP takes in ninety at once, edited thrice.

    They wait for 纷享 until a test lets them go, so that nothing depends on this machine's speed.
    """
    team = workforce(pg_fresh_url, workers=WORKERS, batch=BATCH)
    outside = team.outside
    outside.erp.create("customers", name="Early Bird", website="early.example")
    team.rest()
    values = fx_values(outside.fx, calls_per_20_seconds=PACE)
    systems.change_system(outside.hub, "fx", values=values, check=False)
    outside.fx.post("/limits", calls=LIMIT, window_ms=WINDOW_MS)
    outside.fx.post("/calls/reset")
    outside.set_system("erp", state="paused")  # so that no poll sees half of the import
    outside.set_system("fx", hold_out=True)
    seed(outside, MANY)
    for customer in outside.erp.all("customers"):
        for number in (1, 2, 3) if customer["name"] != "Early Bird" else ():
            outside.erp.edit("customers", customer["id"], notes=f"edit {number}")
    outside.set_system("erp", state="live")
    eventually(lambda: lanes(outside, "fx")[BULK] == MANY, what="the queue of the import")
    # A listing with many of the hub's own creates would pass for a load, and who stands in it, too.
    eventually(
        lambda: not outside.rows(Dirty, Dirty.system_id == outside.id_of("zoho")),
        seconds=180.0,
        what="the import in Zoho",
    )
    return team


@pytest.mark.pg
@pytest.mark.redis
@pytest.mark.slow
def test_no_limit_is_hit_by_all_workers_and_a_person_passes_the_storm(storm):
    """Ninety creates at 纷享's pace; after them somebody enters a customer in Zoho."""
    outside = storm.outside
    outside.zoho.seed("Accounts", [{"Account_Name": "Walk-in", "Website": "walkin.example"}])
    eventually(lambda: lanes(outside, "fx")[INTERACTIVE] == 1, what="the person to be heard of")
    outside.set_system("fx", hold_out=False)
    storm.rest()
    names = [row["name"] for row in outside.living()]
    assert len(names) == len(set(names)) == MANY + 2
    assert [row.get("remark") for row in outside.living()].count("edit 3") == MANY
    report = outside.fx.admin("GET", "/calls?last=1000")
    refused = {path: entry["failed"] for path, entry in report["paths"].items() if entry["failed"]}
    assert refused == {}  # no hard limit was hit, not once
    per_record = [n for key, n in report["records"].items() if key.startswith("AccountObj/")]
    assert per_record == [1] * (MANY + 1)  # three edits are in the one write that made the record
    created = [entry["data"]["object_data"]["name"] for entry in report["log"]]
    assert created.index("Walk-in") <= 2 * WORKERS * BATCH  # what was in hand already
    assert outside.rows(DeadLetter) == []
    assert len(storm.worked("dispatch")) > 1


def test_zohos_credits_end_and_what_waits_goes_out_when_there_are_new_ones(outside):
    outside.erp.create("customers", name="Early Bird", website="early.example")
    outside.sync()
    outside.zoho.switch(daily_credits=1)
    seed(outside, 30)
    outside.poll("erp")
    outside.work()
    assert len(outside.accounts()) == 1
    assert len(outside.living()) >= 1
    assert outside.system("zoho").state == "live"  # used up is no fault of the set-up
    assert outside.rows(DeadLetter) == []
    waiting = outside.rows(Dirty, Dirty.system_id == outside.id_of("zoho"))
    assert len(waiting) == 30
    outside.zoho.switch(daily_credits=100_000)
    fresh = LocalBuckets()  # the hour that the hub would wait is over
    own = outside.hub.systems
    outside.hub = replace(outside.hub, systems=Systems(own.store, own.vault, fresh))
    outside.sync(seconds=120)
    names = [account["Account_Name"] for account in outside.accounts()]
    assert len(names) == len(set(names)) == 31


@pytest.mark.parametrize("fixture", ["sqlite"], indirect=True)
def test_the_forecast_says_when_the_day_is_used_up(fixture):
    """At this pace the CRM is used up at ..., and a slower pace takes the warning back."""
    fixture.world("erp").create("customers", **ACME)
    fixture.sync()
    quota.set_daily_budget(fixture.hub, "crm", 1000, actor="li")
    usage.note(fixture.hub)
    with fixture.hub.database.write() as tx:  # an import has made its calls
        tx.execute(
            update(System).where(System.name == "crm").values(calls_write=System.calls_write + 200)
        )
    fixture.clock.pass_(1800)
    view = next(one for one in quota.list_quotas(fixture.hub) if one.system == "crm")
    assert view.left is not None
    assert 380 <= view.per_hour <= 420
    expected = fixture.hub.now() + timedelta(hours=view.left / view.per_hour)
    assert abs(view.used_up_at - expected) < timedelta(minutes=1)
    usage.note(fixture.hub)
    fixture.clock.pass_(5 * 3600)
    usage.note(fixture.hub)
    fixture.clock.pass_(3600)
    calm = next(one for one in quota.list_quotas(fixture.hub) if one.system == "crm")
    assert calm.used_up_at is None
    with fixture.hub.database.read() as session:
        assert session.scalar(select(System.state).where(System.name == "crm")) == "live"


@pytest.mark.parametrize("fixture", ["sqlite"], indirect=True)
def test_ten_edits_before_a_dispatch_are_one_write(fixture):
    fixture.world("erp").create("customers", **ACME)
    fixture.sync()
    before = remote_writes(fixture)
    for number in range(10):
        edit(fixture, "erp", notes=f"edit {number}")
        fixture.poll("erp")
        fixture.work_in()
    fixture.work()
    after = remote_writes(fixture)
    assert {name: after[name] - before[name] for name in ("crm", "sales")} == {"crm": 1, "sales": 1}
    assert [r["notes"] for r in records(fixture, "crm")] == ["edit 9"]


IMPORT, IN_HAND = 30, 5  # records of an import; rows that one batch takes


@pytest.fixture
def busy(fixture):
    """The ERP has imported thirty customers, and the hub has heard of them; it takes five a batch.

    One customer was everywhere before, so that nobody's first listing is still to come.
    """
    fixture.world("erp").create("customers", **ACME)
    fixture.sync()
    fixture.hub = replace(
        fixture.hub, settings=fixture.hub.settings.model_copy(update={"batch": IN_HAND})
    )
    for number in range(IMPORT):
        name = f"{chr(0x4E00 + 53 * number)}{chr(0x6000 + 31 * number)}科技"
        fixture.world("erp").create("customers", name=name, website=f"firm{number}.example")
    fixture.clock.pass_(30)
    fixture.poll("erp")
    assert [row.lane for row in rows(fixture, Inbox, Inbox.state == "waiting")] == [BULK] * IMPORT
    return fixture


def enter(fixture, name, website):
    """A person types a customer into the ERP, and the hub hears of it."""
    fixture.clock.pass_(30)
    fixture.world("erp").create("customers", name=name, website=website)
    fixture.poll("erp")
    waiting = [row.lane for row in rows(fixture, Inbox, Inbox.state == "waiting")]
    assert waiting.count(INTERACTIVE) == 1


def names_in_crm(fixture):
    return {record["name"] for record in records(fixture, "crm")}


def test_a_person_passes_an_import_of_the_same_system_on_the_way_in(busy):
    """Also to the other systems: while the import is being read, it alone waits."""
    enter(busy, "Walk-in", "walkin.example")
    before = names_in_crm(busy)
    take_in.drain(busy.hub, busy.id_of("erp"), rounds=1)
    assert len(rows(busy, Inbox, Inbox.state == "waiting")) == IMPORT  # none of them with it
    assert "Walk-in" in [golden.name for golden in busy.goldens()]
    dispatch.drain(busy.hub, busy.id_of("crm"))
    assert names_in_crm(busy) - before == {"Walk-in"}
    busy.sync()
    assert len(records(busy, "crm")) == IMPORT + 2


def test_a_person_passes_an_import_that_waits_to_be_written(busy):
    busy.work_in()
    enter(busy, "Walk-in", "walkin.example")
    busy.work_in()
    queue = rows(busy, Dirty, Dirty.system_id == busy.id_of("crm"))
    assert [row.lane for row in queue] == [BULK] * IMPORT + [INTERACTIVE]  # the last to come
    before = names_in_crm(busy)
    busy.poll("crm")  # nobody else has entered them: nothing has to be heard first
    dispatch.drain(busy.hub, busy.id_of("crm"), rounds=1)
    written = names_in_crm(busy) - before
    assert len(written) == IN_HAND
    assert "Walk-in" in written
    busy.sync()
    assert len(records(busy, "crm")) == IMPORT + 2
