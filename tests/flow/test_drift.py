"""A changed schema holds back what it concerns, before a write fails; mended, it is written."""

from sqlalchemy import select

from sync.flow import decide_guard, drift
from sync.service import work
from sync.store.tables import DeadLetter, Dirty, Guard

LATER = 1000  # seconds: longer than a described schema is trusted


def cards(fixture):
    with fixture.hub.database.read() as session:
        return list(session.scalars(select(Guard).where(Guard.kind == "drift").order_by(Guard.id)))


def letters(fixture):
    with fixture.hub.database.read() as session:
        return session.scalars(select(DeadLetter).where(DeadLetter.state == "open")).all()


def settled(fixture, **values):
    fixture.world("erp").create("customers", name="Acme", industry="retail", **values)
    fixture.sync()


def edit(fixture, **values):
    record = fixture.world("erp").all("customers")[0]
    fixture.world("erp").edit("customers", record["id"], **values)


def quiet(fixture):
    """One poll and all that is due; what waits is not waited for."""
    fixture.clock.pass_(LATER)
    fixture.poll()
    fixture.work()


def crm(fixture, position=0):
    return fixture.world("crm").all("customers")[position]


def industries(fixture):
    return {c["name"]: c["industry"] for c in fixture.world("crm").all("customers")}


def mend(fixture, **oddities):
    fixture.world("crm").switch(**oddities)
    fixture.clock.pass_(LATER)
    drift.recheck(fixture.hub)
    fixture.sync()


def test_a_removed_field_waits_and_the_others_flow(fixture):
    settled(fixture)
    fixture.world("crm").switch(gone={"customers.industry"})
    edit(fixture, industry="mining", notes="VIP")
    quiet(fixture)
    assert crm(fixture)["notes"] == "VIP"
    assert fixture.world("sales").all("customers")[0]["industry"] == "mining"
    card = cards(fixture)[0]
    assert (card.state, card.direction) == ("open", "out")
    assert card.facts["problems"][0]["kind"] == "missing"
    assert card.facts["problems"][0]["paths"] == ["industry"]
    assert "industry" in card.reason
    assert letters(fixture) == []
    assert fixture.goldens()[0].values["industry"] == "mining"
    mend(fixture, gone=set())
    assert crm(fixture)["industry"] == "mining"
    assert [card.state for card in cards(fixture)] == ["mended"]


def test_a_removed_option_stops_only_the_records_that_have_it(fixture):
    fixture.world("crm").switch(choices={"customers.industry": ("retail", "mining", "vip")})
    settled(fixture)
    fixture.world("crm").switch(choices={"customers.industry": ("retail", "mining")})
    fixture.world("erp").create("customers", name="Birke", industry="vip")
    fixture.world("erp").create("customers", name="Cobalt", industry="mining")
    quiet(fixture)
    assert industries(fixture) == {"Acme": "retail", "Birke": None, "Cobalt": "mining"}
    assert cards(fixture)[0].facts["problems"][0]["removed"] == ["vip"]
    assert letters(fixture) == []
    mend(fixture, choices={})
    assert industries(fixture) == {"Acme": "retail", "Birke": "vip", "Cobalt": "mining"}


def test_a_new_mandatory_field_stops_only_new_records_without_it(fixture):
    settled(fixture)
    fixture.world("crm").switch(mandatory={"customers.industry"})
    fixture.world("erp").create("customers", name="Birke")
    fixture.world("erp").create("customers", name="Cobalt", industry="mining")
    edit(fixture, notes="VIP")
    quiet(fixture)
    assert [c["name"] for c in fixture.world("crm").all("customers")] == ["Acme", "Cobalt"]
    assert crm(fixture)["notes"] == "VIP"
    with fixture.hub.database.read() as session:
        assert session.scalars(select(Dirty.waiting_for)).all() == ["schema"]
    assert letters(fixture) == []
    rest = work.rest(fixture.hub)
    assert (rest.is_quiet, list(rest.blocked)) == (True, ["crm"])  # a person has to mend it
    mend(fixture, mandatory=set())
    assert len(fixture.world("crm").all("customers")) == 3


def test_a_shortened_field_stops_only_values_that_are_too_long(fixture):
    settled(fixture)
    fixture.world("crm").switch(lengths={"customers.notes": 5})
    fixture.world("erp").create("customers", name="Birke", notes="far too long")
    edit(fixture, notes="fits")
    quiet(fixture)
    assert [c["notes"] for c in fixture.world("crm").all("customers")] == ["fits", None]
    assert cards(fixture)[0].facts["problems"][0]["limit"] == 5
    mend(fixture, lengths={})
    assert crm(fixture, 1)["notes"] == "far too long"


def test_a_refusal_that_names_a_field_waits_for_the_card_and_is_replayed(fixture):
    settled(fixture)
    fixture.world("crm").switch(lengths={"customers.notes": 5})
    refused_at_once(fixture, notes="far too long")
    assert letters(fixture) == []
    assert len(cards(fixture)) == 1
    with fixture.hub.database.read() as session:
        assert session.scalars(select(Dirty.waiting_for)).all() == ["schema"]
    refused_at_once(fixture, notes="even longer than before")
    assert len(cards(fixture)) == 1
    mend(fixture, lengths={})
    assert crm(fixture)["notes"] == "even longer than before"


def test_an_accepted_schema_is_tried(fixture):
    settled(fixture)
    fixture.world("crm").switch(lengths={"customers.notes": 5})
    edit(fixture, notes="far too long")
    quiet(fixture)
    decide_guard.decide_guard(fixture.hub, cards(fixture)[0].id, allow=True, actor="li")
    fixture.work()
    assert [letter.field for letter in letters(fixture)] == ["notes"]
    assert [card.state for card in cards(fixture)] == ["allowed"]


def test_what_a_new_record_lacked_is_written_once_the_card_is_allowed(fixture):
    settled(fixture)
    fixture.world("crm").switch(choices={"customers.industry": ("mining",)})
    fixture.world("erp").create("customers", name="Birke", industry="vip")
    quiet(fixture)
    assert industries(fixture)["Birke"] is None
    fixture.world("crm").switch(choices={})
    decide_guard.decide_guard(fixture.hub, cards(fixture)[0].id, allow=True, actor="li")
    fixture.do_jobs()
    fixture.work()
    assert industries(fixture)["Birke"] == "vip"


def test_a_refused_card_comes_back_while_nothing_is_mended(fixture):
    settled(fixture)
    fixture.world("crm").switch(gone={"customers.industry"})
    edit(fixture, industry="mining")
    quiet(fixture)
    decide_guard.decide_guard(fixture.hub, cards(fixture)[0].id, allow=False, actor="li")
    fixture.work()
    assert [card.state for card in cards(fixture)] == ["refused", "open"]
    assert letters(fixture) == []


def refused_at_once(fixture, **values):
    """An edit on its way within the time in which the schema is not described anew."""
    edit(fixture, **values)
    fixture.clock.pass_(30)
    fixture.poll()
    fixture.work()


def test_an_option_that_is_removed_since_the_last_look_waits_for_its_card(fixture):
    fixture.world("crm").switch(choices={"customers.industry": ("retail", "mining", "vip")})
    settled(fixture)
    fixture.world("crm").switch(choices={"customers.industry": ("retail", "mining")})
    refused_at_once(fixture, industry="vip", notes="goes all the same")
    assert letters(fixture) == []
    assert cards(fixture)[0].facts["problems"][0]["removed"] == ["vip"]
    assert (crm(fixture)["industry"], crm(fixture)["notes"]) == ("retail", "goes all the same")
    mend(fixture, choices={})
    assert crm(fixture)["industry"] == "vip"
    assert [card.state for card in cards(fixture)] == ["mended"]


def test_a_field_that_becomes_mandatory_since_the_last_look_holds_the_new_record(fixture):
    settled(fixture)
    fixture.world("crm").switch(mandatory={"customers.website"})
    fixture.world("erp").create("customers", name="Birke")
    fixture.clock.pass_(30)
    fixture.poll()
    fixture.work()
    assert letters(fixture) == []
    assert len(fixture.world("crm").all("customers")) == 1
    mend(fixture, mandatory=set())
    assert len(fixture.world("crm").all("customers")) == 2


def test_many_refusals_describe_the_schema_once(fixture):
    settled(fixture)
    for number in range(8):
        fixture.world("erp").create("customers", name=f"Firm {number}", notes="fits")
    fixture.sync()
    fixture.world("crm").switch(lengths={"customers.notes": 5})
    described = []
    opened = fixture.hub.systems.open(fixture.id_of("crm")).connector
    real = opened.schema
    opened.schema = lambda name: described.append(name) or real(name)
    for record in fixture.world("erp").all("customers"):
        fixture.world("erp").edit("customers", record["id"], notes="far too long")
    fixture.clock.pass_(30)
    fixture.poll()
    fixture.work()
    assert letters(fixture) == []
    assert described == ["customers"]
    assert len(cards(fixture)) == 1
