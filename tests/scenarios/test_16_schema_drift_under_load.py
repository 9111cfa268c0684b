"""An administrator changes the CRM's fields while hundreds of writes are queued."""

from dataclasses import replace

import pytest

from connectors.memory.world import forget
from connectors.zoho_crm.schema import Metadata
from sync.flow import drift
from sync.store.tables import DeadLetter, Dirty, Guard
from tests.connectors.fxiaoke.conftest import running_standin  # noqa: F401  a fixture
from tests.connectors.zoho_crm.conftest import StandIn
from tests.infra.processes import eventually
from tests.scenarios.outside import empty_fx, make_outside

MANY = 40
LEVEL = "  - {canonical: industry, native: account_level}\n"  # 纷享 takes listed values only
NOTES = "  - {canonical: notes, native: remark"
VIP = {"value": "VIP", "label": "VIP"}


def change_field(outside, name, **facts):
    outside.zoho.admin("PATCH", f"/fields/Accounts/{name}", facts)


def fx_options(outside, **change):
    outside.fx.post("/fields/AccountObj/account_level/options", **change)


@pytest.fixture
def own(running_standin, tmp_path):  # noqa: F811
    """An organisation of its own: what is done to its fields stays."""
    zoho = StandIn(tmp_path)
    empty_fx(running_standin)
    made = make_outside(zoho, running_standin, tmp_path)
    settings = made.hub.settings.model_copy(update={"drift_seconds": 0.0})
    made.hub = replace(made.hub, settings=settings)  # described before each batch
    yield made
    fx_options(made, remove=["VIP", "Retail"])
    made.hub.database.engine.dispose()
    forget(f"erp-{tmp_path}")
    Metadata._known.clear()
    zoho.stop()


def fill(outside, many):
    """Customers whose level 纷享 takes from a list."""
    outside.remap("fx", "AccountObj", NOTES, LEVEL + NOTES)
    fx_options(outside, add=[VIP, {"value": "Retail", "label": "Retail"}])
    for number in range(many):
        outside.erp.create(
            "customers", name=f"{chr(0x4E00 + 53 * number)}{chr(0x6000 + 31 * number)}科技",
            code=f"C{number}", industry="Retail", website=f"firm{number}.example",
        )  # fmt: skip


def type_notes(outside, affected):
    """An edit of every customer; with what the drift will concern in some of these numbers."""
    for customer in outside.erp.all("customers"):
        number = int(customer["code"][1:])
        more = {}
        if number in affected:
            more = {"industry": "VIP"} if number < 10 else {"website": f"new{number}.example"}
        outside.erp.edit("customers", customer["id"], notes=f"note {number}", **more)


def enter_two(outside):
    outside.erp.create("customers", name="Without a phone", code="C901")
    outside.erp.create("customers", name="With a phone", code="C902", phone="+862155550102")


@pytest.fixture
def queued(own):
    """Every customer has an edit on its way to Zoho."""
    fill(own, MANY)
    own.sync()
    type_notes(own, range(20))
    enter_two(own)
    own.poll("erp")
    own.take_in("erp")
    return own


def drifted(outside):
    fx_options(outside, remove=["VIP"])
    change_field(outside, "Phone", mandatory=True)
    outside.zoho.admin("POST", "/fields/Accounts/Website/rename", {"to": "Homepage"})


def by_code(outside):
    names = {c["name"]: c["code"] for c in outside.erp.all("customers")}
    return {names[account["Account_Name"]]: account for account in outside.accounts()}


def mend(outside):
    """The mapping follows the rename; the option and the freedom come back."""
    outside.remap("zoho", "Accounts", "native: Website", "native: Homepage")
    fx_options(outside, add=[VIP])
    change_field(outside, "Phone", mandatory=False)
    drift.recheck(outside.hub)


def check_held_back(outside, many):
    """The cards name what has changed; all that this does not concern is written."""
    cards = outside.rows(Guard, Guard.kind == "drift")
    problems = {(p["field"], p["kind"]) for card in cards for p in card.facts["problems"]}
    assert problems == {
        ("Website", "missing"), ("Phone", "required"), ("account_level", "option"),
    }  # fmt: skip
    assert {(card.system_id, card.state) for card in cards} == {
        (outside.id_of("zoho"), "open"), (outside.id_of("fx"), "open"),
    }  # fmt: skip
    assert outside.rows(DeadLetter) == []
    held = by_code(outside)
    notes = [f"note {code}" for code in range(many)]
    assert [held[f"C{code}"]["Description"] for code in range(many)] == notes
    assert {row.get("remark") for row in outside.living()} >= set(notes)
    assert "C902" in held
    assert "C901" not in held
    assert {row["name"] for row in outside.living()} >= {"Without a phone", "With a phone"}


def levels_of(outside):
    return {row["customer_no__c"]: row.get("account_level") for row in outside.living()}


def check_replayed(outside, many):
    """What had to wait is written."""
    held, levels = by_code(outside), levels_of(outside)
    assert {code for code in range(many) if levels[f"C{code}"] == "VIP"} == set(range(10))
    for code in range(10, 20):
        assert f"new{code}.example" in held[f"C{code}"]["Homepage"]
    assert "C901" in held
    assert {one.state for one in outside.rows(Guard, Guard.kind == "drift")} == {"mended"}
    assert outside.rows(DeadLetter) == []


def test_what_drift_concerns_waits_and_all_else_flows(queued):
    drifted(queued)
    assert len(queued.rows(Dirty, Dirty.system_id == queued.id_of("zoho"))) == MANY + 2
    queued.zoho.admin("POST", "/calls/reset")
    for _ in range(3):
        queued.poll("zoho", "fx")
        queued.work()
        queued.hurry()
    verdicts = {
        record["verdict"] for call in queued.zoho.calls()["log"] for record in call["records"]
    }
    assert verdicts == {"success"}  # reported before any write could fail
    check_held_back(queued, MANY)
    assert {levels_of(queued)[f"C{code}"] for code in range(MANY)} == {"Retail"}
    mend(queued)
    queued.sync(seconds=120)
    check_replayed(queued, MANY)


@pytest.fixture
def team(workforce, pg_fresh_url, tmp_path):
    """Worker processes before an organisation of its own; every object is described each time."""
    zoho = StandIn(tmp_path)
    made = workforce(pg_fresh_url, zoho=zoho, batch=5, drift_seconds=0.0)
    yield made
    fx_options(made.outside, remove=["VIP", "Retail"])
    zoho.stop()


@pytest.mark.pg
@pytest.mark.redis
@pytest.mark.slow
def test_drift_in_the_middle_of_a_load_stops_only_what_it_concerns(team):
    """Half of what the change concerns is queued before it, half is typed after it."""
    outside = team.outside
    fill(outside, MANY)
    team.rest()
    outside.zoho.admin("POST", "/calls/reset")
    outside.fx.post("/calls/reset")
    outside.fx.post("/faults", kind="slow", path="update", delay_ms=100, times=None)
    outside.zoho.fault("latency", latency_ms=100)
    type_notes(outside, (*range(5), *range(10, 15)))
    eventually(lambda: outside.zoho.calls()["records_written"] >= 10, what="the load of Zoho")
    drifted(outside)
    written = outside.zoho.calls()["records_written"], outside.fx.calls()["totals"]["write_ok"]
    type_notes(outside, range(20))
    enter_two(outside)
    outside.fx.admin("DELETE", "/faults")
    outside.zoho.admin("DELETE", "/faults")
    team.rest()
    assert max(written) < MANY
    check_held_back(outside, MANY)
    mend(outside)
    team.rest()
    check_replayed(outside, MANY)
    assert len(team.worked("dispatch")) > 1


def test_a_value_that_zoho_refuses_waits_for_its_card_and_is_written_when_listed(own):
    """Zoho stores values that a list does not have; where it refuses one, the list is binding."""
    settings = own.hub.settings.model_copy(update={"drift_seconds": 900.0})
    own.hub = replace(own.hub, settings=settings)  # a described schema is trusted meanwhile
    for number, industry in enumerate(("Trade", "Beekeeping")):
        own.erp.create("customers", name=f"Firm {number}", code=f"C{number}", industry=industry)
    own.sync()
    assert by_code(own)["C1"]["Industry"] == "Beekeeping"  # no list is binding so far
    own.zoho.switch(unknown_picklist="refuse")
    own.erp.create("customers", name="Firm 2", code="C2", industry="Falconry")
    own.erp.create("customers", name="Firm 3", code="C3", industry="Software")
    first = own.erp.all("customers")[0]
    own.erp.edit("customers", first["id"], industry="Falconry", notes="goes all the same")
    own.poll("erp")
    own.work()
    own.work()
    assert own.rows(DeadLetter) == []
    cards = own.rows(Guard, Guard.kind == "drift")
    assert [(p["field"], p["kind"], p["removed"]) for p in cards[0].facts["problems"]] == [
        ("Industry", "option", ["Falconry"])
    ]
    held = by_code(own)
    assert (held["C0"]["Industry"], held["C0"]["Description"]) == ("Trade", "goes all the same")
    assert (held["C2"].get("Industry"), held["C3"]["Industry"]) == (None, "Software")
    own.zoho.admin("POST", "/calls/reset")
    own.erp.create("customers", name="Firm 4", code="C4", industry="Heraldry")
    own.poll("erp")
    own.work()
    verdicts = {r["verdict"] for call in own.zoho.calls()["log"] for r in call["records"]}
    assert verdicts == {"success"}  # once is enough: what the list lacks is not tried any more
    connector = own.hub.systems.open(own.id_of("zoho")).connector
    listed = [option.value for option in connector.schema("Accounts").find("Industry").options]
    change_field(own, "Industry", picklist=[*listed, "Falconry", "Heraldry"])
    later = own.hub.settings.model_copy(update={"drift_seconds": 0.0})
    own.hub = replace(own.hub, settings=later)
    drift.recheck(own.hub)
    own.sync(seconds=40)
    held = by_code(own)
    assert [held[f"C{n}"]["Industry"] for n in (0, 2, 4)] == ["Falconry", "Falconry", "Heraldry"]
    assert {card.state for card in own.rows(Guard, Guard.kind == "drift")} == {"mended"}
    assert own.rows(DeadLetter) == []
