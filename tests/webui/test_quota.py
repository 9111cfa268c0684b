"""Budgets on a system's page and in the API."""

import pytest

from sync.core.usage import Forecast
from sync.flow import usage
from sync.service import quota


def test_a_budget_is_set_on_the_systems_page(fresh, browse):
    admin = browse("admin")
    assert "no daily budget is set" in admin.text("/systems/crm")
    admin.post("/systems/crm/budget", calls="5000")
    text = admin.text("/systems/crm")
    assert "of 5,000" in text
    assert "it lasts the day" in text
    admin.post("/systems/crm/budget", calls="")
    assert quota.get_quota(fresh.hub, "crm").budget is None


@pytest.mark.parametrize("calls", ["0", "-3", "many"])
def test_a_senseless_budget_is_refused_with_a_sentence(fresh, browse, calls):
    admin = browse("admin", "zh")
    admin.post("/systems/crm/budget", calls=calls)
    assert "每日调用额度至少为 1 次" in admin.text("/systems/crm")
    assert quota.get_quota(fresh.hub, "crm").budget is None


def test_the_page_says_when_the_budget_is_used_up(fresh, browse):
    usage.note(fresh.hub)
    fresh.clock.pass_(600)
    for _ in range(3):
        fresh.poll()
        fresh.clock.pass_(60)
    used = quota.get_quota(fresh.hub, "crm").used
    quota.set_daily_budget(fresh.hub, "crm", used + 1)
    found = quota.get_quota(fresh.hub, "crm")
    assert found.used_up_at is not None
    text = browse("viewer").text("/systems/crm")
    assert "is used up at" in text
    assert f"{found.used_up_at:%H:%M} UTC" in text
    assert "Set the daily budget" not in text
    quota.set_daily_budget(fresh.hub, "crm", used)
    assert "is used up. What waits is kept" in browse("viewer").text("/systems/crm")


def test_what_waits_is_told_by_lane(fresh):
    fresh.world("erp").create("customers", name="Neu GmbH")
    fresh.poll("erp")
    assert sum(vars_of(quota.lanes(fresh.hub, "erp"))) == 1


def vars_of(lanes):
    return (lanes.interactive, lanes.bulk)


def test_the_api_lists_and_sets_budgets(fresh, script):
    assert [each["system"] for each in script("viewer").get("/quotas")["quotas"]] == [*fresh.names]
    admin = script("admin")
    answer = admin.client.put(
        "/api/v1/systems/crm/budget", json={"calls": 7}, headers=admin.headers
    )
    assert (answer.status_code, answer.json["budget"]) == (200, 7)
    answer = admin.client.put(
        "/api/v1/systems/crm/budget", json={"calls": 0}, headers=admin.headers
    )
    assert answer.status_code == 422


def test_a_share_never_exceeds_the_whole():
    view = quota.QuotaView("crm", 10, 25, 0.0, None)
    assert (view.share, view.left) == (1.0, 0)
    assert Forecast(1, 0.0, None).used_up_at is None
