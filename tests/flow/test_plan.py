"""A plan shows what going live would do, without one remote write; applying does just that."""

from dataclasses import replace

import pytest
from sqlalchemy import delete, select, update

from connectors.memory.connector import Memory
from connectors.memory.oddities import Trouble
from connectors.sdk.errors import SetupError
from sync.flow import load, reconcile, take_in, worked_out
from sync.service import plans, systems
from sync.service.errors import ServiceError
from sync.store import inbox
from sync.store.tables import Link, Mapping, Staged, System
from sync.wake import Waker


def draft(fixture, *names):
    with fixture.hub.database.write() as tx:
        tx.execute(
            update(System).where(System.name.in_(names or fixture.names)).values(state="draft")
        )


def made_plan(fixture):
    view = plans.start_plan(fixture.hub, wake=False)
    return plans.make_plan(fixture.hub, view.id)


def test_a_plan_counts_everything_and_writes_nothing(fixture):
    draft(fixture)
    customer = fixture.world("erp").create("customers", name="Acme", email="a@acme.example")
    fixture.world("erp").create("contacts", name="王伟", customer_id=customer)
    fixture.world("crm").create("customers", name="Acme", email="a@acme.example", notes="VIP")
    view = made_plan(fixture)
    assert view.state == "ready"
    assert view.summary["taken_in"]["crm"]["customers"] == {
        "linked": 1,
        "read": 1,
        "fields_changed": 1,
    }
    assert view.summary["writes"]["sales"]["objects"] == {
        "customers": {"create": 1},
        "contacts": {"create": 1},
    }
    assert view.summary["writes"]["erp"]["objects"]["customers"] == {"update": 1}
    assert all(fixture.world(name).calls("write") == 0 for name in fixture.names)
    assert fixture.goldens() == []
    assert fixture.links() == []


def test_applying_a_plan_does_what_it_said(fixture):
    draft(fixture)
    for name in ("erp", "crm"):
        fixture.world(name).create("customers", name="Acme", email="a@acme.example")
    view = made_plan(fixture)
    plans.apply_plan(fixture.hub, view.id, inline=True)
    fixture.work()
    assert [len(fixture.world(n).all("customers")) for n in fixture.names] == [1, 1, 1]
    assert fixture.writes() == 1
    with fixture.hub.database.read() as session:
        assert session.scalars(select(Staged.id)).all() == []


def test_handing_over_twice_changes_nothing(fixture):
    draft(fixture)
    fixture.world("erp").create("customers", name="Acme")
    view = made_plan(fixture)
    plans.apply_plan(fixture.hub, view.id, inline=True)
    fixture.work()
    load.hand_over(fixture.hub, view.id)
    fixture.sync()
    assert [len(fixture.world(n).all("customers")) for n in fixture.names] == [1, 1, 1]


class _Listening(Waker):
    """Remembers whom it was asked to wake, with what was unread at that moment."""

    def __init__(self, hub):
        super().__init__(None)
        self._hub, self.heard = hub, []

    def dispatch(self, system_id):
        with self._hub.database.read() as session:
            self.heard.append((system_id, inbox.waiting(session)))


def test_nobody_is_called_to_write_before_a_load_is_read_to_its_end(fixture):
    draft(fixture)
    for number in range(7):
        fixture.world("erp").create("customers", name=f"Acme {number}")
    view = made_plan(fixture)
    settings = fixture.hub.settings.model_copy(update={"batch": 3})
    worked_out.forget(fixture.hub)
    plans.apply_plan(fixture.hub, view.id)
    load.hand_over(fixture.hub, view.id)
    waker = _Listening(fixture.hub)
    hub = replace(fixture.hub, settings=settings, waker=waker)
    erp = systems.get_system(hub, "erp").id
    take_in.drain(hub, erp)
    others = {systems.get_system(hub, name).id for name in ("crm", "sales")}
    assert {system_id for system_id, _ in waker.heard} == others
    assert {unread for _, unread in waker.heard} == {0}


def test_handing_over_marks_what_was_there_and_leaves_what_the_load_brings(fixture):
    draft(fixture)
    fixture.world("erp").create("customers", name="Acme")
    view = made_plan(fixture)
    plans.apply_plan(fixture.hub, view.id, inline=True)
    fixture.work()
    late = fixture.hub.systems.open(systems.get_system(fixture.hub, "sales").id)
    with fixture.hub.database.write() as tx:
        tx.execute(delete(Link).where(Link.system_id == late.id))  # as if it were new
    now = fixture.hub.now()
    assert reconcile.mark_differing(fixture.hub, late, since=now) == 1
    assert reconcile.mark_differing(fixture.hub, late, since=now) == 0  # it is marked
    assert reconcile.mark_differing(fixture.hub, late) == 1


def test_a_plan_is_stale_when_a_mapping_has_changed(fixture):
    draft(fixture)
    fixture.world("erp").create("customers", name="Acme")
    view = made_plan(fixture)
    with fixture.hub.database.write() as tx:
        row = tx.scalars(select(Mapping).limit(1)).one()
        row.state = "retired"
    with pytest.raises(ServiceError, match="out of date"):
        plans.apply_plan(fixture.hub, view.id, inline=True)


def test_a_listing_that_breaks_fails_the_plan(fixture):
    draft(fixture)
    fixture.world("crm").create("customers", name="Acme")
    fixture.world("crm").trouble(Trouble(kind="unreachable", calls=50))
    view = made_plan(fixture)
    assert view.state == "failed"
    assert view.error


def test_a_plan_that_fails_says_how_to_mend_it(fixture, monkeypatch):
    def refuse(*_):
        raise SetupError("The token is wrong.", hint="Make a new one.")

    draft(fixture)
    monkeypatch.setattr(Memory, "changes", refuse)
    assert made_plan(fixture).error == "The token is wrong. Make a new one."


def test_a_reconcile_finds_what_polling_missed(fixture):
    fixture.world("erp").create("customers", name="Acme", phone="021-55550101")
    fixture.sync()
    record = fixture.world("crm").all("customers")[0]
    fixture.world("crm").switch(lists_deletes=False)
    fixture.world("crm").delete("customers", record["id"])
    fixture.sync()
    counts = plans.reconcile_all(fixture.hub)
    fixture.work()
    assert counts["changed"] == {"crm": 1}
    assert [link.state for link in fixture.links()].count("gone") == 1


def test_a_reconcile_of_agreeing_systems_is_silent(fixture):
    fixture.world("erp").create("customers", name="Acme", phone="021-55550101")
    fixture.sync()
    before = fixture.writes()
    counts = plans.reconcile_all(fixture.hub)
    fixture.work()
    assert fixture.writes() == before
    assert counts["differing"] == dict.fromkeys(fixture.names, 0)


def test_a_plan_names_the_fields_that_a_system_does_not_have(fixture):
    draft(fixture)
    fixture.world("crm").switch(gone={"customers.industry"})
    found = made_plan(fixture).summary["misfits"]
    assert [(one["system"], one["object"], one["rule"]) for one in found] == [
        ("crm", "customers", "industry")
    ]
    assert "has no field" in found[0]["message"]["en"]
    assert "没有字段" in found[0]["message"]["zh"]
