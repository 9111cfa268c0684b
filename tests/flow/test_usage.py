"""A day's calls, their pace, and when a budget ends."""

from datetime import UTC, datetime, timedelta

import pytest

from sync.core.usage import day_start, forecast
from sync.flow import usage
from sync.service import quota
from sync.service.errors import ServiceError

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


def at(hour, minute=0):
    return MIDNIGHT + timedelta(hours=hour, minutes=minute)


@pytest.mark.parametrize(
    ("samples", "total", "budget", "used", "per_hour", "end"),
    [
        ([], 500, 1000, 0, 0, None),
        ([(at(0), 100), (at(11), 700)], 900, 1000, 800, 200, at(13)),
        ([(at(0), 100), (at(11), 700)], 900, 10_000, 800, 200, None),
        ([(at(0), 100), (at(11), 700)], 900, None, 800, 200, None),
        ([(at(0), 100), (at(11), 700)], 1200, 1000, 1100, 500, NOON),
        ([(at(-1), 50), (at(11, 30), 800)], 800, 1000, 750, 57.69, at(16, 20)),
        ([(at(11, 59), 800)], 900, 1000, 100, 0, None),
    ],
)
def test_a_forecast_goes_by_the_last_hour(samples, total, budget, used, per_hour, end):
    found = forecast(samples, NOON, total, budget=budget, start=MIDNIGHT)
    assert found.used == used
    assert found.per_hour == pytest.approx(per_hour, abs=0.01)
    if end is None:
        assert found.used_up_at is None
    else:
        assert abs(found.used_up_at - end) < timedelta(minutes=1)


def test_a_day_begins_where_the_vendor_is():
    assert day_start(NOON, 0) == MIDNIGHT
    assert day_start(NOON, 8) == at(-8)
    assert day_start(at(17), 8) == at(16)


def test_the_counters_of_a_working_hub_make_the_forecast(fixture):
    usage.note(fixture.hub)
    quota.set_daily_budget(fixture.hub, "crm", 1000, actor="li")
    for name in ("Acme", "Birke", "Cobalt"):
        fixture.world("erp").create("customers", name=name)
    fixture.sync()
    fixture.clock.pass_(1800)
    usage.note(fixture.hub)
    view = {view.system: view for view in quota.list_quotas(fixture.hub)}["crm"]
    calls = fixture.world("crm").calls("read") + fixture.world("crm").calls("write")
    assert view.used == calls > 0
    assert view.left == 1000 - calls
    assert view.per_hour > 0
    assert {v.system: v.budget for v in quota.list_quotas(fixture.hub)}["erp"] is None


def test_a_used_up_budget_says_so(fixture):
    usage.note(fixture.hub)
    quota.set_daily_budget(fixture.hub, "crm", 1)
    fixture.sync()
    view = {view.system: view for view in quota.list_quotas(fixture.hub)}["crm"]
    assert view.left == 0
    assert view.used_up_at is not None
    with pytest.raises(ServiceError):
        quota.set_daily_budget(fixture.hub, "crm", 0)
