"""Updates 1, 2, 3 arrive as 3, 1, 1; update 4 never does."""

from sqlalchemy import select

from sync.flow import receive
from sync.store.tables import Change, System
from tests.scenarios.story import ACME, edit, everywhere, rows


def test_the_end_is_what_the_source_holds(fixture):
    crm = fixture.world("crm")
    fixture.world("erp").create("customers", **ACME)
    fixture.sync()
    crm.subscribe("hub", "https://hub/crm", "memory-webhooks", 4e9)
    with fixture.hub.database.read() as session:
        key = session.scalar(select(System.hook_key).where(System.name == "crm"))
    sent = []
    for number in (1, 2, 3):
        edit(fixture, "crm", notes=f"update {number}")
        sent += [delivery for _, delivery in crm.take_deliveries()]
    for number in (2, 0, 0):
        receive.receive(fixture.hub, "crm", key, sent[number])
    fixture.work()
    assert everywhere(fixture, "notes") == ["update 3"] * 3
    edit(fixture, "crm", notes="update 4")
    crm.take_deliveries()  # nobody gets this one
    fixture.clock.pass_(30)
    fixture.poll()  # one interval later
    fixture.work()
    assert everywhere(fixture, "notes") == ["update 4"] * 3
    seen = [change.new for change in rows(fixture, Change, Change.path == "notes")]
    assert seen == ["update 3", "update 4"]  # each once, none of them from a message


def test_zoho_says_nothing_and_is_heard(zoho):
    """No notification channel at all: polling alone keeps the two in step."""
    zoho.erp.create("customers", **ACME)
    zoho.sync()
    (account,) = zoho.accounts()
    zoho.stand_in.edit("Accounts", account["id"], Website="https://new.example")
    zoho.sync()
    assert "new.example" in zoho.erp.all("customers")[0]["website"]
