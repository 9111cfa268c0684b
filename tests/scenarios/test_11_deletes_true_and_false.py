"""A delete against an update; a listing that breaks off; a mass delete."""

import pytest

from connectors.memory import Trouble
from connectors.sdk.errors import TransientError
from sync.service import plans
from sync.store.tables import Change, Guard
from tests.scenarios.story import ACME, edit, only, records, rows, set_system


@pytest.mark.parametrize(
    ("policy", "left"), [("unlink", (1, 0, 1)), ("propagate", (0, 0, 0)), ("recreate", (1, 1, 1))]
)
def test_a_delete_against_an_update_follows_the_policy_and_is_logged(fixture, policy, left):
    set_system(fixture, "crm", delete_policy=policy)
    fixture.world("erp").create("customers", **ACME, notes="old")
    fixture.sync()
    fixture.world("crm").delete("customers", only(fixture, "crm")["id"])
    edit(fixture, "erp", notes="updated")
    fixture.sync()
    assert tuple(len(records(fixture, name)) for name in fixture.names) == left
    for name in fixture.names:
        assert {record["notes"] for record in records(fixture, name)} <= {"updated"}
    gone = rows(fixture, Change, Change.op == "gone")
    assert [change.rule for change in gone] == [f"delete policy {policy}"]
    assert "updated" in [change.new for change in rows(fixture, Change, Change.path == "notes")]


def test_a_listing_that_breaks_off_deletes_nobody(fixture):
    for number in range(5):
        fixture.world("erp").create("customers", name=f"{chr(0x4E00 + 91 * number)}科技{number}")
    fixture.sync()
    fixture.world("crm").trouble(*[Trouble(kind="unreachable", only="read", calls=50)])
    with pytest.raises(TransientError):
        plans.reconcile_all(fixture.hub)
    fixture.world("crm").trouble()
    fixture.sync()
    assert [len(records(fixture, name)) for name in fixture.names] == [5, 5, 5]
    assert rows(fixture, Change, Change.op == "gone") == []


def test_a_mass_delete_stops_and_asks(fixture):
    set_system(fixture, "crm", delete_policy="propagate")
    for number in range(20):
        fixture.world("erp").create("customers", name=f"{chr(0x4E00 + 91 * number)}科技{number}")
    fixture.sync()
    for record in records(fixture, "crm")[:15]:
        fixture.world("crm").delete("customers", record["id"])
    for _ in range(3):
        fixture.poll()
        fixture.work()
        fixture.clock.pass_(60)
    assert len(records(fixture, "erp")) == 20
    (guard,) = rows(fixture, Guard, Guard.kind == "deletes")
    assert guard.state == "open"
    assert guard.facts["deletes"] == 15
