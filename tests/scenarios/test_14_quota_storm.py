"""A mass import in the ERP against the quotas of two CRMs, with people at work beside it."""

import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from sync.flow import dispatch, poll, take_in, usage
from sync.gateway.quota import LocalBuckets
from sync.gateway.systems import Systems
from sync.service import quota, systems
from sync.store.tables import BULK, INTERACTIVE, DeadLetter, Dirty, System
from tests.scenarios.outside import fx_values
from tests.scenarios.story import ACME, edit, records, remote_writes

MANY = 45
PACE = 60  # calls of a path in any 20 seconds


@pytest.fixture
def narrow(outside):
    """纷享 counts calls in a sliding window of 20 seconds; the hub is told how many it allows."""
    values = fx_values(outside.fx, calls_per_20_seconds=PACE)
    systems.change_system(outside.hub, "fx", values=values, check=False)
    outside.fx.post("/limits", calls=PACE, window_ms=20_000)
    outside.fx.post("/calls/reset")
    return outside


def seed(outside, count):
    for number in range(count):
        outside.erp.create(
            "customers", name=f"{chr(0x4E00 + 53 * number)}{chr(0x6000 + 31 * number)}科技",
            website=f"firm{number}.example",
        )  # fmt: skip


def keep_working(outside, stop):
    """A worker for 纷享: small batches, so that what comes later and is urgent waits for few."""
    settings = outside.hub.settings.model_copy(update={"batch": 5})
    hub = replace(outside.hub, settings=settings)
    system_id = outside.id_of("fx")
    while not stop.is_set():
        poll.poll(hub, system_id, force=True)
        take_in.drain(hub, system_id)
        dispatch.drain(hub, system_id)
        time.sleep(0.1)


def wait_for(met, seconds=60):
    """How long it took."""
    started = time.monotonic()
    while not met():
        assert time.monotonic() - started < seconds
        time.sleep(0.1)
    return time.monotonic() - started


def named(outside):
    return {row["name"]: row for row in outside.living()}


def digits(number):
    return "".join(sign for sign in number or "" if sign.isdigit())


def lanes(outside, name):
    rows = outside.rows(Dirty, Dirty.system_id == outside.id_of(name))
    return {lane: sum(row.lane == lane for row in rows) for lane in (INTERACTIVE, BULK)}


def test_no_limit_is_hit_and_a_persons_edit_passes_the_storm(narrow):
    """Forty-five creates at 纷享's pace, while somebody corrects a phone number in Zoho."""
    narrow.erp.create("customers", name="Early Bird", website="early.example")
    narrow.sync()
    (early,) = narrow.accounts()
    seed(narrow, MANY)
    narrow.poll("erp")
    for customer in narrow.erp.all("customers"):  # repeated edits of each, before anything is sent
        for number in (1, 2, 3):
            narrow.erp.edit("customers", customer["id"], notes=f"edit {number}")
    narrow.poll("erp")
    narrow.take_in("erp")
    assert lanes(narrow, "fx")[BULK] >= MANY
    stop = threading.Event()
    worker = threading.Thread(target=keep_working, args=(narrow, stop))
    worker.start()
    try:
        wait_for(lambda: len(narrow.living()) > 10)
        narrow.zoho.edit("Accounts", early["id"], Phone="+862155550199")
        edited = time.monotonic()
        narrow.poll("zoho")
        narrow.take_in("zoho")
        wait_for(lambda: digits(named(narrow)["Early Bird"].get("tel")).endswith("55550199"))
        lag, left = time.monotonic() - edited, MANY + 1 - len(narrow.living())
        stormed = wait_for(lambda: len(narrow.living()) == MANY + 1)
    finally:
        stop.set()
        worker.join()
    assert left > MANY // 3, (lag, left)  # the storm was far from over when the edit arrived
    assert lag < stormed  # and what came after it took longer than all of its own way
    narrow.sync(seconds=120)
    assert {row["remark"] for row in narrow.living()} == {"edit 3"}
    report = narrow.fx.calls()
    refused = {path: entry["failed"] for path, entry in report["paths"].items() if entry["failed"]}
    assert refused == {}  # no hard limit was hit, not once
    per_record = [n for key, n in report["records"].items() if key.startswith("AccountObj/")]
    assert sorted(per_record)[-2:] == [1, 3]  # Early Bird: made, its note, its phone
    assert sum(per_record) == MANY + 3  # three edits of each are in the one write that made it
    assert narrow.rows(DeadLetter) == []


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
