"""A person is erased; the ERP, an old file and a restored backup bring them back, or try to."""

from datetime import timedelta

import pytest

from connectors.memory import Trouble
from sync.flow import dispatch, erase, take_in
from sync.flow.turn_away import listed
from sync.service import backups, exchange, plans
from sync.store.tables import Change, Erasure, ErasureReturn, ErasureStep, Golden, Link
from tests.flow.test_backup import hub as with_tools  # noqa: F401  a fixture
from tests.histories.faults import Crash, Faults
from tests.scenarios.story import ACME, only, records, rows
from tests.scenarios.test_01_crash_between_create_and_commit import faulty

WEI = {
    "name": "诸葛未名",
    "email": "weiming.zhuge@private.example",
    "mobile": "+8613911112222",
    "notes": "likes green tea from Huangshan",
}
pytestmark = pytest.mark.facts  # an invoice stays, and keeps its customer
SECRETS = ("诸葛未名", "weiming.zhuge", "13911112222", "Huangshan")


@pytest.fixture
def agreed(fixture):
    """A customer with two contacts, one of whom asks to be forgotten, in three systems."""
    erp = fixture.world("erp")
    acme = erp.create("customers", **ACME, phone="021-55550101")
    erp.create("contacts", customer_id=acme, **WEI)
    erp.create("contacts", customer_id=acme, name="Zoe Miller", email="zoe@acme.example")
    erp.create("invoices", customer_id=acme, number="INV-1", total="100", currency="CNY")
    fixture.sync()
    return fixture


def wei_of(fixture):
    return next(golden for golden in fixture.goldens("contact") if golden.name == WEI["name"])


def erased(fixture):
    return erase.begin(fixture.hub, wei_of(fixture).id, actor="li", reference="letter 7")


def outcomes(fixture, request):
    steps = rows(fixture, ErasureStep, ErasureStep.erasure_id == request)
    return {step.system: (step.state, step.outcome) for step in steps}


def request_of(fixture, request):
    (row,) = rows(fixture, Erasure, Erasure.id == request)
    return row


def nobody_knows(fixture):
    """No living record, and no text anywhere in the hub, is the person's."""
    assert [g.name for g in fixture.goldens("contact")] == ["Zoe Miller"]
    with fixture.hub.database.read() as session:
        for table in Golden.metadata.sorted_tables:
            for row in session.execute(table.select()):
                shown = repr(row)
                assert not [word for word in SECRETS if word in shown], (table.name, shown)


def anywhere(fixture):
    return [
        record["name"]
        for name in fixture.names
        for record in records(fixture, name, "contacts")
        if any(word in str(record) for word in SECRETS)
    ]


def test_the_person_goes_everywhere_and_the_certificate_says_where(agreed):
    request = erased(agreed)
    assert anywhere(agreed) == []
    assert len(records(agreed, "crm", "contacts")) == 1
    nobody_knows(agreed)
    row = request_of(agreed, request)
    assert row.state == "done"
    shown = row.certificate
    assert {one["system"]: one["outcome"] for one in shown["systems"]} == {
        "erp": "deleted", "crm": "deleted", "sales": "deleted",
    }  # fmt: skip
    assert not [word for word in SECRETS if word in repr(shown)]
    assert shown["reference"] == "letter 7"
    assert listed(agreed.hub).certificates()[request] == shown
    assert [golden.name for golden in agreed.goldens()] == [ACME["name"]]


@pytest.mark.parametrize("fixture", ["sqlite"], indirect=True)
def test_no_byte_of_the_person_stays_in_the_data_folder(agreed):
    erased(agreed)
    agreed.hub.database.engine.dispose()
    files = [path for path in agreed.hub.settings.home.rglob("*") if path.is_file()]
    found = {
        (path.name, word)
        for path in files
        for word in SECRETS
        if word.encode() in path.read_bytes()
    }
    assert found == set()


def test_a_customer_with_invoices_is_masked_where_they_are_kept(agreed):
    (golden,) = agreed.goldens()
    request = erase.begin(agreed.hub, golden.id, actor="li")
    shown = request_of(agreed, request).certificate
    assert {(s["system"], s["object"]): s["outcome"] for s in shown["systems"]}[
        "erp", "customers"
    ] == "masked"
    left = only(agreed, "erp")
    assert left["name"].startswith("Erased ")
    assert (left["email"], left["phone"], left["tax_id"]) == (None, None, None)
    assert [invoice["number"] for invoice in records(agreed, "erp", "invoices")] == ["INV-1"]
    assert shown["hub"]["kept"] == {"invoice": 1}
    (invoice,) = agreed.goldens("invoice")
    assert invoice.values["customer"] == golden.id
    agreed.sync()
    agreed.world("erp").edit("invoices", records(agreed, "erp", "invoices")[0]["id"], total="90")
    agreed.sync()
    assert agreed.goldens("invoice")[0].values["total"] == "90"
    assert agreed.goldens() == []


def test_the_export_of_the_next_night_does_not_bring_them_back(agreed):
    request = erased(agreed)
    customer = only(agreed, "erp")["id"]
    again = (
        WEI,
        {"name": "Wei Ming", "email": WEI["email"].upper()},
        {"name": "Z. Weiming", "mobile": "139 1111 2222"},
        {"name": WEI["name"]},
    )
    for values in again:
        agreed.world("erp").create("contacts", customer_id=customer, **values)
    agreed.world("erp").create("contacts", customer_id=customer, name="Ada", email="a@acme.example")
    agreed.sync()
    assert sorted(golden.name for golden in agreed.goldens("contact")) == ["Ada", "Zoe Miller"]
    assert len(records(agreed, "crm", "contacts")) == 2
    back = rows(agreed, ErasureReturn)
    assert [(one.erasure_id, one.state) for one in back] == [(request, "open")] * 4
    for one in back:
        erase.decide_return(agreed.hub, one.id, allow=False, actor="li")
    assert len(records(agreed, "erp", "contacts")) == 2
    assert request_of(agreed, request).state == "done"


@pytest.mark.parametrize("fixture", ["sqlite"], indirect=True)
def test_somebody_else_with_their_number_can_be_let_in(agreed):
    erased(agreed)
    customer = only(agreed, "erp")["id"]
    agreed.world("erp").create("contacts", customer_id=customer, name="New", mobile=WEI["mobile"])
    agreed.sync()
    (back,) = rows(agreed, ErasureReturn)
    erase.decide_return(agreed.hub, back.id, allow=True, actor="li")
    agreed.sync()
    assert "New" in [golden.name for golden in agreed.goldens("contact")]


@pytest.mark.parametrize("fixture", ["sqlite"], indirect=True)
def test_a_colleague_on_the_same_switchboard_is_not_turned_away(agreed):
    agreed.world("erp").edit("contacts", records(agreed, "erp", "contacts")[0]["id"],
                             phone="021-55550101")  # fmt: skip
    agreed.sync()
    erased(agreed)
    customer = only(agreed, "erp")["id"]
    agreed.world("erp").create(
        "contacts", customer_id=customer, name="Bob Reed", phone="021-55550101"
    )
    agreed.sync()
    assert "Bob Reed" in [golden.name for golden in agreed.goldens("contact")]
    assert rows(agreed, ErasureReturn) == []


@pytest.mark.parametrize("fixture", ["sqlite"], indirect=True)
def test_a_file_a_form_and_a_full_load_are_turned_away(agreed, tmp_path):
    erased(agreed)
    sheet = tmp_path / "old.csv"
    sheet.write_text(
        f"name,email,contact_name,contact_email\nFirm,f@firm.example,{WEI['name']},{WEI['email']}\n",
        encoding="utf-8",
    )
    exchange.start_import(agreed.hub, sheet, system="old")
    take_in.drain(agreed.hub, agreed.id_of("old"))
    for _ in range(2):
        agreed.work()
        agreed.clock.pass_(60)
    assert anywhere(agreed) == []
    assert [golden.name for golden in agreed.goldens("contact")] == ["Zoe Miller"]
    customer = records(agreed, "crm")[0]["id"]
    agreed.world("crm").create("contacts", customer_id=customer, **WEI)
    plan = plans.make_plan(agreed.hub, plans.start_plan(agreed.hub, ["crm"], wake=False).id)
    plans.apply_plan(agreed.hub, plan.id, inline=True)
    agreed.sync()
    assert [golden.name for golden in agreed.goldens("contact")] == ["Zoe Miller"]
    imports = agreed.hub.settings.home / "imports" / "old.db"
    assert WEI["email"].encode() not in imports.read_bytes()


def test_a_system_that_cannot_be_reached_keeps_the_request_open(agreed):
    agreed.world("crm").trouble(*[Trouble(kind="unreachable", calls=3)] * 3)
    request = erased(agreed)
    assert outcomes(agreed, request) == {
        "erp": ("done", "deleted"), "crm": ("waiting", ""), "sales": ("done", "deleted"),
    }  # fmt: skip
    assert request_of(agreed, request).state == "open"
    nobody_knows(agreed)  # here they are gone at once
    agreed.sync()  # what the CRM still holds does not come back in
    nobody_knows(agreed)
    for _ in range(8):
        agreed.clock.pass_(3700)
        erase.resume_due(agreed.hub)
    assert request_of(agreed, request).state == "done"
    assert anywhere(agreed) == []


class At(Faults):
    """Does something at the place of this name, once."""

    def __init__(self, name, act):
        super().__init__()
        self.name, self.own_act = name, act

    def reach(self, name, *, remote):
        super().reach(name, remote=remote)
        if name == self.name:
            self.name = ""
            self.own_act()


@pytest.mark.parametrize(
    "place", ["before fetch", "after commit of sync.flow.dispatch._announce", "after write"]
)
@pytest.mark.parametrize("fixture", ["sqlite"], indirect=True)
def test_a_write_on_its_way_is_cleaned_up_behind(agreed, place):
    """A worker is at the CRM with an edit while the customer is erased there, and masked."""
    agreed.world("crm").switch(conditional=False)
    agreed.reopen()
    (golden,) = agreed.goldens()
    agreed.world("erp").edit("customers", only(agreed, "erp")["id"], notes=WEI["notes"])
    agreed.poll("erp")
    take_in.drain(agreed.hub, agreed.id_of("erp"))
    asked = []
    hub = faulty(
        agreed,
        At(place, lambda: asked.append(erase.begin(agreed.hub, golden.id, actor="li"))),
    )
    dispatch.drain(hub, agreed.id_of("crm"))
    hub.database.engine.dispose()
    for _ in range(3):
        agreed.clock.pass_(4000)
        erase.resume_due(agreed.hub)
        agreed.sync()
    assert only(agreed, "crm")["notes"] is None
    assert anywhere(agreed) == []
    assert agreed.goldens("contact") == []
    assert request_of(agreed, asked[0]).state == "done"


@pytest.mark.parametrize("fixture", ["sqlite"], indirect=True)
def test_a_crash_anywhere_is_carried_on_to_the_same_end(fixture):
    """Every third commit and remote call of a request, until there are no more of them."""
    firm = fixture.world("erp").create("customers", **ACME)
    names = [f"{chr(0x4E00 + 71 * number)}{chr(0x5200 + 37 * number)}" for number in range(30)]
    for number, name in enumerate(names):
        mail = f"p{number}@private.example"
        fixture.world("erp").create("contacts", customer_id=firm, name=name, email=mail)
    fixture.sync()
    ids = {golden.name: golden.id for golden in fixture.goldens("contact")}
    place, crashes, finished = 1, 0, False
    while not finished:
        name = names.pop()
        faults = Faults()
        hub = faulty(fixture, faults)
        faults.plan(place)
        try:
            erase.begin(hub, ids[name], actor="li")
            finished = faults.at > 0  # a request has fewer places than that
        except Crash:
            crashes += 1
        hub.database.engine.dispose()
        fixture.clock.pass_(4000)  # leases and back-offs run out
        if not rows(fixture, Erasure, Erasure.golden_id == ids[name]):
            erase.begin(fixture.hub, ids[name], actor="li")  # nobody was told that it began
        erase.resume_due(fixture.hub)
        (request,) = rows(fixture, Erasure, Erasure.golden_id == ids[name])
        assert (request.state, len(request.certificate["systems"])) == ("done", 3)
        for system in fixture.names:
            assert name not in [r["name"] for r in records(fixture, system, "contacts")]
        place += 3
    assert crashes > 8
    assert sorted(golden.name for golden in fixture.goldens("contact")) == sorted(names)


def test_a_restored_backup_erases_again(agreed, request):
    hub = request.getfixturevalue("with_tools") if not agreed.hub.database.is_sqlite else agreed
    path = hub.hub.settings.home / "old.backup"
    backups.backup(hub.hub, path)
    asked = erased(agreed)
    backups.restore(hub.hub, path, actor="li")
    path.unlink()
    nobody_knows(agreed)
    assert request_of(agreed, asked).certificate["reference"] == "letter 7"
    plan = backups.compare_restore(hub.hub)
    backups.approve_restore(hub.hub, plan.id, actor="li")
    for _ in range(3):
        agreed.clock.pass_(400)
        erase.resume_due(agreed.hub)
        agreed.sync()
    nobody_knows(agreed)
    assert anywhere(agreed) == []
    assert {step.outcome for step in rows(agreed, ErasureStep)} == {"gone"}
    assert request_of(agreed, asked).state == "done"


@pytest.mark.parametrize("fixture", ["sqlite"], indirect=True)
def test_the_history_says_that_and_when_without_what(agreed):
    golden = wei_of(agreed)
    erased(agreed)
    changes = rows(agreed, Change, Change.golden_id == golden.id)
    assert changes[-1].op == "erased"
    assert {change.old for change in changes} == {None}
    assert rows(agreed, Link, Link.golden_id == golden.id) == []
    assert golden.created_at < changes[-1].at + timedelta(seconds=1)


def test_zoho_keeps_an_empty_record_in_its_bin_and_none_outside(zoho):
    """Over HTTP: an answer is lost on the way, the deletion is found done; an undelete is empty."""
    acme = zoho.erp.create("customers", **ACME)
    zoho.erp.create("contacts", customer_id=acme, **WEI)
    zoho.sync()
    (contact,) = zoho.stand_in.records("Contacts")
    assert contact["Email"] == WEI["email"]
    with zoho.hub.database.read() as session:
        golden = session.query(Golden).filter_by(entity="contact").one()
    zoho.stand_in.fault("drop-answer", times=1, method="DELETE", path=".*/Contacts.*")
    request = erase.begin(zoho.hub, golden.id, actor="li")
    with zoho.hub.database.read() as session:
        assert session.get(Erasure, request).state == "open"
    erase.retry(zoho.hub, request)
    assert zoho.stand_in.records("Contacts") == []
    with zoho.hub.database.read() as session:
        shown = session.get(Erasure, request).certificate["systems"]
    assert {one["system"]: one["outcome"] for one in shown} == {"erp": "deleted", "zoho": "gone"}
    zoho.stand_in.admin("POST", f"/records/Contacts/{contact['id']}/restore")
    (again,) = zoho.stand_in.records("Contacts")
    assert not [word for word in SECRETS if word in str(again)]
    zoho.sync()
    with zoho.hub.database.read() as session:
        assert session.query(Golden).filter_by(entity="contact", state="live").all() == []
        assert session.query(ErasureReturn).all() == []
