"""Two systems full of the same customers, written differently, meet for the first time."""

import pytest

from sync.service import plans
from tests.scenarios.story import records, remote_writes, set_system

STEMS = ("华东", "长河", "金源", "东方红", "宏图", "北辰", "南山", "瑞丰", "天成", "博远")
TRADES = ("机械", "纺织", "食品", "物流")


@pytest.fixture
def two_books(fixture):
    """40 customers in both, 20 in one only; a shared mailbox, a branch office, spellings."""
    erp, crm = fixture.world("erp"), fixture.world("crm")
    number = 0
    for stem in STEMS:
        for trade in TRADES:
            number += 1
            name = f"{stem}{trade}"
            mail = f"sales{number}@s{number}.example"
            erp.create(
                "customers", name=f"{name}有限公司", email=mail, phone=f"+8613900{number:06d}"
            )
            crm.create(
                "customers", name=f" {name}（有限公司）" if number % 3 else f"{name}有限公司",
                email=mail.upper() if number % 2 else mail, phone=f"13900{number:06d}",
            )  # fmt: skip
    for place in range(10):
        erp.create(
            "customers", name=f"Only {STEMS[place]} ERP", email=f"o{place}@erp{place}.example"
        )
        crm.create(
            "customers", name=f"仅{TRADES[place % 4]}{place}", email=f"o{place}@crm{place}.example"
        )
    erp.create("customers", name="Shared mailbox one", email="info@shared.example")
    crm.create("customers", name="Quite another firm", email="info@shared.example")
    for name in ("erp", "crm", "sales"):
        set_system(fixture, name, state="draft" if name != "sales" else "paused")
    return fixture


def test_the_plan_tells_before_anything_is_written(two_books):
    plan = plans.start_plan(two_books.hub, ["erp", "crm"], wake=False)
    view = plans.make_plan(two_books.hub, plan.id)
    assert view.state == "ready", view.error
    assert view.summary["taken_in"]["crm"]["customers"]["linked"] == 40
    assert sum(remote_writes(two_books).values()) == 0
    assert two_books.goldens() == []


def test_the_applied_plan_doubles_nobody_and_merges_nobody_wrongly(two_books):
    hub = two_books.hub
    plan = plans.make_plan(hub, plans.start_plan(hub, ["erp", "crm"], wake=False).id)
    plans.apply_plan(hub, plan.id, inline=True)
    for _ in range(6):
        two_books.work()
        two_books.clock.pass_(60)
    linked = [link for link in two_books.links() if link.remote_id and link.state == "live"]
    by_golden = {}
    for link in linked:
        by_golden.setdefault(link.golden_id, set()).add((link.system_id, link.object))
    assert len(two_books.goldens()) == 40 + 20 + 2
    names = [record["name"] for record in records(two_books, "erp")]
    assert len(names) == len({name.strip() for name in names})
    assert "Quite another firm" not in {g.name for g in two_books.goldens() if "Shared" in g.name}
    again = plans.make_plan(hub, plans.start_plan(hub, ["erp", "crm"], wake=False).id)
    assert all(not found["objects"].get("customers", {}).get("create")
               for found in again.summary["writes"].values())  # fmt: skip
