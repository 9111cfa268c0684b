"""A salesman saves while the hub has read the record and not written it yet."""

import pytest

from sync.flow import dispatch, take_in
from sync.store.tables import Change
from tests.histories.faults import Faults
from tests.scenarios.story import ACME, edit, everywhere, only, rows
from tests.scenarios.test_01_crash_between_create_and_commit import faulty


@pytest.mark.parametrize("conditional", [True, False])
def test_the_salesmans_fields_survive(fixture, conditional):
    fixture.world("crm").switch(conditional=conditional)
    fixture.world("erp").create("customers", **ACME, notes="old", industry="trade")
    fixture.sync()
    edit(fixture, "erp", notes="from the ERP")
    fixture.poll("erp")
    take_in.drain(fixture.hub, fixture.id_of("erp"))
    faults = Faults()
    hub = faulty(fixture, faults)
    place = "before write" if conditional else "before fetch"

    def salesman():
        edit(fixture, "crm", industry="mining")

    faults.plan(1, salesman, remote_only=True)
    dispatch.drain(hub, fixture.id_of("crm"))
    assert place in faults.names
    hub.database.engine.dispose()
    fixture.sync()
    assert everywhere(fixture, "industry") == ["mining"] * 3
    assert everywhere(fixture, "notes") == ["from the ERP"] * 3


def test_only_the_fields_that_are_meant_to_change_are_sent(fixture):
    fixture.world("erp").create("customers", **ACME, notes="old")
    fixture.sync()
    edit(fixture, "erp", notes="new")
    fixture.sync()
    written = rows(fixture, Change, Change.op == "written", Change.rule == "update")
    assert [change.new for change in written] == [{"notes": "new"}] * 2


def test_the_same_field_saved_by_both_is_shown_in_the_history(fixture):
    fixture.world("crm").switch(conditional=False)
    fixture.reopen()
    fixture.world("erp").create("customers", **ACME, notes="old")
    fixture.sync()
    edit(fixture, "erp", notes="from the ERP")
    fixture.poll("erp")
    take_in.drain(fixture.hub, fixture.id_of("erp"))
    fixture.clock.pass_(5)
    edit(fixture, "crm", notes="from the salesman")
    dispatch.drain(fixture.hub, fixture.id_of("crm"))
    fixture.sync()
    assert only(fixture, "erp")["notes"] == "from the salesman"
    values = [(c.old, c.new) for c in rows(fixture, Change, Change.path == "notes")]
    assert ("from the ERP", "from the salesman") in values
    (conflict,) = fixture.conflicts()
    assert conflict.ours == {"notes": "from the ERP"}
