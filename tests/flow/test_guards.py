"""What stops until a person has decided: mass changes, and fields that go back and forth."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from sync.flow import decide_guard
from sync.service import plans
from sync.store.tables import Guard, System


def brand(number):
    return chr(0x4E00 + 137 * number) + chr(0x5000 + 211 * number) + "科技有限公司"


def limited(fixture, **limits):
    """The fixture's hub with other limits."""
    settings = fixture.hub.settings.model_copy(update=limits)
    fixture.hub = replace(fixture.hub, settings=settings)


def guards(fixture, kind):
    with fixture.hub.database.read() as session:
        return list(session.scalars(select(Guard).where(Guard.kind == kind).order_by(Guard.id)))


def is_held(fixture, name):
    with fixture.hub.database.read() as session:
        return session.scalars(select(System.hold_in).where(System.name == name)).one()


def notes(fixture, name):
    return [record["notes"] for record in fixture.world(name).all("customers")]


@pytest.fixture
def spoilt(fixture):
    """Thirty customers that agree; then a broken import in the CRM blanks out their notes."""
    limited(fixture, change_guard_count=10, batch=10)
    for number in range(30):
        fixture.world("erp").create("customers", name=brand(number), notes="as agreed")
    fixture.sync()
    for record in fixture.world("crm").all("customers"):
        fixture.world("crm").edit("customers", record["id"], notes="#REF!")
    fixture.poll()
    fixture.work()
    return fixture


def test_a_mass_change_stops_before_anything_is_applied(spoilt):
    assert is_held(spoilt, "crm")
    assert not is_held(spoilt, "erp")
    guard = guards(spoilt, "changes")[0]
    assert (guard.facts["path"], guard.facts["linked"]) == ("notes", 30)
    assert "“notes” changed in about 30 of 30" in guard.reason
    assert {golden.values["notes"] for golden in spoilt.goldens()} == {"as agreed"}
    assert set(notes(spoilt, "erp")) == {"as agreed"}


def test_the_other_systems_go_on_meanwhile(spoilt):
    record = spoilt.world("erp").all("customers")[0]
    spoilt.world("erp").edit("customers", record["id"], industry="retail")
    spoilt.poll()
    spoilt.work()
    assert "retail" in [record["industry"] for record in spoilt.world("sales").all("customers")]


def test_an_allowed_mass_change_goes_through_whole(spoilt):
    decide_guard.decide_guard(spoilt.hub, guards(spoilt, "changes")[0].id, allow=True, actor="li")
    spoilt.sync()
    assert not is_held(spoilt, "crm")
    for name in spoilt.names:
        assert set(notes(spoilt, name)) == {"#REF!"}
    assert len(guards(spoilt, "changes")) == 1


def test_a_refused_mass_change_is_gone_when_it_was_mended_there(spoilt):
    for record in spoilt.world("crm").all("customers"):
        spoilt.world("crm").edit("customers", record["id"], notes="as agreed")
    decide_guard.decide_guard(spoilt.hub, guards(spoilt, "changes")[0].id, allow=False, actor="li")
    spoilt.clock.pass_(700)
    spoilt.sync()
    assert not is_held(spoilt, "crm")
    for name in spoilt.names:
        assert set(notes(spoilt, name)) == {"as agreed"}


def test_a_refused_mass_change_that_is_still_there_asks_again(spoilt):
    decide_guard.decide_guard(spoilt.hub, guards(spoilt, "changes")[0].id, allow=False, actor="li")
    spoilt.clock.pass_(700)
    spoilt.work()
    assert [guard.state for guard in guards(spoilt, "changes")] == ["refused", "open"]
    assert {golden.values["notes"] for golden in spoilt.goldens()} == {"as agreed"}


def test_what_a_plan_has_shown_needs_no_second_question(spoilt):
    decide_guard.decide_guard(spoilt.hub, guards(spoilt, "changes")[0].id, allow=False, actor="li")
    view = plans.make_plan(spoilt.hub, plans.start_plan(spoilt.hub, ["crm"], wake=False).id)
    assert view.summary["taken_in"]["crm"]["customers"]["fields_changed"] == 30
    plans.apply_plan(spoilt.hub, view.id, inline=True)
    spoilt.work()
    assert {golden.values["notes"] for golden in spoilt.goldens()} == {"#REF!"}


def test_thirty_new_fields_at_the_first_meeting_are_no_mass_change(fixture):
    limited(fixture, change_guard_count=10)
    for number in range(30):
        fixture.world("erp").create("customers", name=brand(number), code=f"C{number}")
        fixture.world("crm").create(
            "customers", name=brand(number), code=f"C{number}", notes="known", phone="1"
        )
    fixture.sync()
    assert guards(fixture, "changes") == []


def test_edits_after_a_first_meeting_are_counted_without_it(fixture):
    limited(fixture, change_guard_count=10)
    for number in range(30):
        fixture.world("erp").create("customers", name=brand(number), code=f"C{number}")
        fixture.world("crm").create(
            "customers", name=brand(number), code=f"C{number}", notes="known", phone="1"
        )
    fixture.sync()
    for row in fixture.world("crm").all("customers")[:6]:
        fixture.world("crm").edit("customers", row["id"], notes="edited")
    fixture.sync()
    assert guards(fixture, "changes") == []
    assert [g.values["notes"] for g in fixture.goldens()].count("edited") == 6


def ping_pong(fixture, rounds):
    """Two systems that each insist on their own spelling."""
    for _ in range(rounds):
        for name, spelling in (("crm", "ACME"), ("sales", "Acme")):
            record = fixture.world(name).all("customers")[0]
            if record["notes"] != spelling:
                fixture.world(name).edit("customers", record["id"], notes=spelling)
            fixture.clock.pass_(20)
            fixture.poll()
            fixture.work()


@pytest.fixture
def flipping(fixture):
    fixture.world("erp").create("customers", name="Acme", notes="Acme")
    fixture.sync()
    ping_pong(fixture, 6)
    return fixture


def test_a_field_that_goes_back_and_forth_is_quarantined(flipping):
    found = guards(flipping, "flipflop")
    assert [(guard.state, guard.direction) for guard in found] == [("open", "out")]
    facts = found[0].facts
    assert facts["path"] == "notes"
    assert facts["flips"] == 4
    assert set(facts["forms"].values()) == {"ACME", "Acme"}
    assert {"crm", "sales", "erp", "hub"} == set(facts["forms"])


def test_a_quarantine_ends_the_writing_of_that_field_alone(flipping):
    flipping.sync()
    before = flipping.writes()
    ping_pong(flipping, 5)
    assert flipping.writes() - before <= 2
    held = "crm" if guards(flipping, "flipflop")[0].system_id == flipping.id_of("crm") else "sales"
    record = flipping.world("erp").all("customers")[0]
    flipping.world("erp").edit("customers", record["id"], industry="retail")
    flipping.sync()
    assert flipping.world(held).all("customers")[0]["industry"] == "retail"


@pytest.mark.parametrize("allow", [True, False])
def test_a_decision_ends_the_quarantine(flipping, allow):
    flipping.sync()
    guard = guards(flipping, "flipflop")[0]
    decide_guard.decide_guard(flipping.hub, guard.id, allow=allow, actor="li")
    flipping.sync()
    spellings = {notes(flipping, name)[0] for name in flipping.names}
    assert len(spellings) == (1 if allow else 2)
    before = flipping.writes()
    flipping.sync()
    assert flipping.writes() == before


def test_one_person_who_changes_her_mind_is_no_flip_flop(fixture):
    fixture.world("erp").create("customers", name="Acme", notes="a")
    fixture.sync()
    record = fixture.world("erp").all("customers")[0]
    for turn in range(12):
        fixture.world("erp").edit("customers", record["id"], notes="ab"[turn % 2])
        fixture.sync()
    assert guards(fixture, "flipflop") == []
