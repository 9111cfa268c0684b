"""Every system writes a phone number its own way, and says “updated” when the hub wrote it."""

from sqlalchemy import select

from sync.flow import receive
from sync.store.tables import Guard, System
from tests.scenarios.story import ACME, edit, everywhere, remote_writes, rows


def subscribe(fixture):
    for name in fixture.names:
        fixture.world(name).subscribe("hub", f"https://hub/{name}", "memory-webhooks", 4e9)


def deliver(fixture):
    for name in fixture.names:
        with fixture.hub.database.read() as session:
            key = session.scalar(select(System.hook_key).where(System.name == name))
        for _, delivery in fixture.world(name).take_deliveries():
            receive.receive(fixture.hub, name, key, delivery)


def test_one_edit_is_one_write_per_other_system_and_then_silence(fixture):
    fixture.world("crm").switch(phones="digits")
    fixture.world("sales").switch(phones="national", cut={"notes": 10}, webhooks="twice")
    fixture.world("erp").create("customers", **ACME, phone="021-55550101")
    fixture.sync()
    subscribe(fixture)
    before = remote_writes(fixture)
    edit(fixture, "erp", phone="138 0000 0000", notes="a note of many characters")
    for _ in range(5):
        fixture.poll()
        fixture.work()
        deliver(fixture)
        fixture.work()
        fixture.clock.pass_(60)
    after = remote_writes(fixture)
    assert {name: after[name] - before[name] for name in fixture.names} == {
        "erp": 0, "crm": 1, "sales": 1,
    }  # fmt: skip
    assert everywhere(fixture, "phone") == ["138 0000 0000", "8613800000000", "13800000000"]


def test_two_robots_that_undo_each_other_are_quarantined(fixture):
    fixture.world("erp").create("customers", **ACME, website="start.example")
    fixture.sync()
    for _ in range(12):
        for name, value in (("crm", "a.example"), ("sales", "b.example")):
            fixture.clock.pass_(20)
            edit(fixture, name, website=value)
            fixture.poll()
            fixture.work()
    flips = rows(fixture, Guard, Guard.kind == "flipflop")
    assert [guard.state for guard in flips] == ["open"]
    before = remote_writes(fixture)
    for _ in range(5):
        edit(fixture, "crm", website="a.example")
        edit(fixture, "sales", website="b.example")
        fixture.poll()
        fixture.work()
    assert remote_writes(fixture) == before
