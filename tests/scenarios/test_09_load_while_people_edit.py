"""A long load has read a page; one of its customers is edited before the page is used."""

from sync.flow import take_in
from sync.flow.records import hint_row
from sync.service import plans
from sync.store import inbox
from tests.scenarios.story import ACME, edit, everywhere, only, records


def test_the_fresher_value_survives_everywhere(fixture):
    fixture.world("erp").create("customers", **ACME, notes="at first")
    fixture.sync()
    edit(fixture, "crm", notes="as the load read it")
    plan = plans.make_plan(fixture.hub, plans.start_plan(fixture.hub, ["crm"], wake=False).id)
    edit(fixture, "crm", notes="edited since")
    with fixture.hub.database.write() as tx:
        row = hint_row(fixture.id_of("crm"), "customers", only(fixture, "crm")["id"], "hook:1",
                       fixture.hub.now())  # fmt: skip
        inbox.deliver(tx, [row])
    take_in.drain(fixture.hub, fixture.id_of("crm"))
    plans.apply_plan(fixture.hub, plan.id, inline=True)
    fixture.sync()
    assert everywhere(fixture, "notes") == ["edited since"] * 3


def test_a_customer_deleted_since_the_load_read_it_stays_deleted(fixture):
    fixture.world("crm").create("customers", **ACME)
    plan = plans.make_plan(fixture.hub, plans.start_plan(fixture.hub, ["crm"], wake=False).id)
    fixture.sync()
    fixture.world("crm").delete("customers", only(fixture, "crm")["id"])
    fixture.sync()
    plans.apply_plan(fixture.hub, plan.id, inline=True)
    fixture.sync()
    assert records(fixture, "crm") == []
    assert only(fixture, "erp")["name"] == ACME["name"]
