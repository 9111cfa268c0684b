"""What people decide, and what stops until they do."""

import pytest
from sqlalchemy import select

from sync.core.policy import FieldPolicy, PolicySet
from sync.flow import decide, decide_guard
from sync.store.tables import Change, DeadLetter, Guard, System
from tests.hubs import make_hub


@pytest.fixture
def asking(tmp_path):
    """A hub whose policy leaves notes to people."""
    policies = PolicySet(fields=(FieldPolicy(path="notes", rule="manual"),))
    made = make_hub(
        f"sqlite:///{tmp_path / 'kehub.db'}", tmp_path, ("erp", "crm"), policies=policies
    )
    yield made
    made.close()


def dispute(fixture):
    fixture.world("erp").create("customers", name="Acme", notes="old")
    fixture.sync()
    for name, value in (("erp", "from the ERP"), ("crm", "from the CRM")):
        record = fixture.world(name).all("customers")[0]
        fixture.world(name).edit("customers", record["id"], notes=value)
    fixture.sync()


def notes(fixture):
    return {name: fixture.world(name).all("customers")[0]["notes"] for name in fixture.names}


def test_a_manual_conflict_leaves_both_sides_alone_until_someone_decides(asking):
    dispute(asking)
    assert sorted(notes(asking).values()) == ["from the CRM", "from the ERP"]
    assert [conflict.state for conflict in asking.conflicts()] == ["open"]


@pytest.mark.parametrize("choice", ["ours", "theirs", "other"])
def test_a_decision_goes_everywhere(asking, choice):
    dispute(asking)
    conflict = asking.conflicts()[0]
    decide.decide_conflict(asking.hub, conflict.id, choice, "li", {"notes": "agreed"})
    asking.sync()
    wanted = {"ours": conflict.ours, "theirs": conflict.theirs, "other": {"notes": "agreed"}}
    assert set(notes(asking).values()) == {wanted[choice]["notes"]}
    assert asking.conflicts()[0].decided_by == "li"


def test_an_edit_in_the_hub_reaches_every_system(fixture):
    fixture.world("erp").create("customers", name="Acme")
    fixture.sync()
    decide.edit(fixture.hub, fixture.goldens()[0].id, {"phones[work]": "+8613800000000"}, "li")
    fixture.sync()
    for name in fixture.names:
        assert "138" in fixture.world(name).all("customers")[0]["phone"]
    assert fixture.goldens()[0].provenance["phones[work]"]["by"] == "li"


def test_a_mass_delete_stops_at_the_guard(fixture):
    for number in range(30):
        brand = chr(0x4E00 + 137 * number) + chr(0x5000 + 211 * number)
        fixture.world("erp").create("customers", name=f"{brand}科技有限公司")
    fixture.sync()
    for record in fixture.world("crm").all("customers")[:20]:
        fixture.world("crm").delete("customers", record["id"])
    fixture.poll()
    fixture.work()
    with fixture.hub.database.read() as session:
        guard = session.scalars(select(Guard)).one()
        held = session.scalars(select(System.hold_in).where(System.name == "crm")).one()
    assert held
    assert guard.state == "open"
    assert "20 of 30" in guard.reason
    assert all(link.state == "live" for link in fixture.links())
    decide_guard.decide_guard(fixture.hub, guard.id, allow=True, actor="li")
    fixture.work()
    assert [link.state for link in fixture.links()].count("gone") == 20


def test_a_refused_record_is_a_dead_letter_and_its_neighbours_go_on(fixture):
    fixture.world("crm").switch(rules={"customers.industry": ("mining",)})
    fixture.world("erp").create("customers", name="Bad", industry="mining")
    fixture.world("erp").create("customers", name="Good", industry="retail")
    fixture.sync()
    assert [c["name"] for c in fixture.world("crm").all("customers")] == ["Good"]
    with fixture.hub.database.read() as session:
        letter = session.scalars(select(DeadLetter).where(DeadLetter.state == "open")).one()
    assert (letter.direction, letter.field) == ("out", "industry")
    fixture.world("crm").switch(rules={})
    assert decide.retry_letters(fixture.hub, [letter.id], "li") == 1
    fixture.sync()
    assert len(fixture.world("crm").all("customers")) == 2
    with fixture.hub.database.read() as session:
        assert session.scalars(select(DeadLetter).where(DeadLetter.state == "open")).all() == []


def test_wrong_credentials_stop_the_system_and_keep_its_rows(fixture):
    fixture.world("crm").change_password("another")
    fixture.world("erp").create("customers", name="Acme")
    fixture.poll()
    fixture.work()
    with fixture.hub.database.read() as session:
        crm = session.scalars(select(System).where(System.name == "crm")).one()
    assert crm.state == "broken"
    assert "password" in crm.state_reason
    assert crm.state_hint
    assert fixture.waiting() == 1
    assert len(fixture.world("sales").all("customers")) == 1


def test_the_history_names_every_writer(fixture):
    fixture.world("erp").create("customers", name="Acme")
    fixture.sync()
    with fixture.hub.database.read() as session:
        ops = [row.op for row in session.scalars(select(Change).order_by(Change.id))]
    assert ops == ["created", "written", "written"]
