"""Before a create: what others have entered is listed, what the hub has written is not."""

import pytest

from connectors.memory.connector import Memory
from sync.flow import dispatch, take_in
from sync.store.tables import Cursor

TAX_ID = "91310000MA0000000Y"


@pytest.fixture
def between(fixture, monkeypatch):
    """Half of a load is written to crm; from now on nobody may list all of crm."""
    erp = fixture.world("erp")
    fixture.sync()
    for number in range(6):
        erp.create("customers", name=f"Customer {number}", email=f"c{number}@c{number}.example")
    listen(fixture)
    dispatch.drain(fixture.hub, fixture.id_of("crm"))
    fixture.clock.pass_(10)  # the last listing is too old for another create
    plain = Memory.changes

    def refused(self, object_name, since):
        assert self.world is not fixture.world("crm"), "crm was listed whole"
        return plain(self, object_name, since)

    monkeypatch.setattr(Memory, "changes", refused)
    return fixture


def listen(fixture):
    fixture.poll("erp")
    take_in.drain(fixture.hub, fixture.id_of("erp"))


def enter_late(fixture):
    """A customer who is entered in crm while the ERP's same customer is on the way there."""
    fixture.world("erp").create("customers", name="Acme", email="a@acme.example", tax_id=TAX_ID)
    listen(fixture)
    fixture.world("crm").create("customers", name="Acme Ltd", email="x@acme.example", tax_id=TAX_ID)


def test_what_others_entered_is_heard_without_listing_what_was_written(between):
    enter_late(between)
    for _ in range(2):
        dispatch.drain(between.hub, between.id_of("crm"))
        between.clock.pass_(3)
    held = [r["tax_id"] for r in between.world("crm").all("customers")]
    assert held.count(TAX_ID) == 1
    assert len(held) == 7


def test_such_a_listing_goes_on_where_the_last_one_ended(between, monkeypatch):
    asked = []
    plain = Memory.unkeyed

    def noted(self, object_name, since):
        asked.append(since["from"])
        return plain(self, object_name, since)

    monkeypatch.setattr(Memory, "unkeyed", noted)
    for number in range(3):
        between.world("erp").create("customers", name=f"Late {number}", email=f"{number}@l.example")
        listen(between)
        dispatch.drain(between.hub, between.id_of("crm"))
        between.clock.pass_(60)
    assert len(asked) == 3
    assert asked == sorted(set(asked))


def test_the_next_poll_begins_where_the_last_poll_ended(between, monkeypatch):
    before = cursor(between).position
    enter_late(between)
    dispatch.drain(between.hub, between.id_of("crm"))
    now = cursor(between)
    assert now.unkeyed_at > now.polled_at
    assert now.position == before
    monkeypatch.undo()
    between.clock.pass_(60)
    between.poll("crm")
    assert cursor(between).polled_at > cursor(between).unkeyed_at


def cursor(fixture):
    with fixture.hub.database.read() as session:
        return session.get_one(Cursor, (fixture.id_of("crm"), "customers"))
