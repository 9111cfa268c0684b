"""Mail, name and tax number of a customer change; later somebody else gets the old address."""

from sqlalchemy import select

from sync.flow.match import keys_of
from sync.store.tables import Candidate, Change, MatchKey
from tests.scenarios.story import ACME, everywhere, only, records, rows

NEW_KEYS = {
    "name": "Borealis Instruments",
    "email": "hello@borealis.example",
    "tax_id": "91440300MA5FA0000X",
}


def agreed(fixture, **more):
    fixture.world("erp").create("customers", **ACME, phone="021-55550101", **more)
    fixture.sync()
    return fixture.goldens()[0]


def change(fixture, system, **values):
    fixture.world(system).edit("customers", only(fixture, system)["id"], **values)


def test_a_link_survives_when_every_key_changes(fixture):
    golden = agreed(fixture)
    ids = [only(fixture, name)["id"] for name in fixture.names]
    for field, value in NEW_KEYS.items():
        change(fixture, "crm", **{field: value})
        fixture.sync()
        assert everywhere(fixture, field) == [value] * 3
    change(fixture, "sales", phone="+8613900000001")
    fixture.sync()
    assert [only(fixture, name)["id"] for name in fixture.names] == ids
    assert [g.id for g in fixture.goldens()] == [golden.id]
    assert rows(fixture, Candidate) == []
    old = [c.old for c in rows(fixture, Change, Change.op == "set", Change.path == "emails[work]")]
    assert old == [ACME["email"]]  # the history of a key, with its times


def test_the_recycled_address_does_not_attach_to_its_old_holder(fixture):
    golden = agreed(fixture)
    change(fixture, "erp", **NEW_KEYS)
    fixture.sync()
    fixture.world("sales").create("customers", name="Cinder Tea House", email=ACME["email"])
    fixture.sync()
    names = sorted(g.name for g in fixture.goldens())
    assert names == [NEW_KEYS["name"], "Cinder Tea House"]
    assert everywhere_named(fixture, NEW_KEYS["name"], "email") == [NEW_KEYS["email"]] * 3
    assert everywhere_named(fixture, "Cinder Tea House", "email") == [ACME["email"]] * 3
    assert rows(fixture, Candidate) == []
    with fixture.hub.database.read() as session:
        held = set(session.scalars(select(MatchKey.key).where(MatchKey.golden_id == golden.id)))
    gone = {key for _, key in keys_of("customer", {"emails[work]": ACME["email"]})}
    assert gone
    assert not held & gone  # an address is a key only for as long as it is held


def test_two_that_swap_their_addresses_stay_who_they_are(fixture):
    people = {"Acme Trading": "a@one.example", "Birch Furniture": "b@two.example"}
    for name, mail in people.items():
        fixture.world("erp").create("customers", name=name, email=mail)
    fixture.sync()
    before = {name: {r["name"]: r["id"] for r in records(fixture, name)} for name in fixture.names}
    swapped = dict(zip(people, reversed(people.values()), strict=True))
    for name, mail in swapped.items():
        fixture.world("crm").edit("customers", before["crm"][name], email=mail)
    fixture.sync()
    for system in fixture.names:
        assert {r["name"]: r["id"] for r in records(fixture, system)} == before[system]
        assert {r["name"]: r["email"] for r in records(fixture, system)} == swapped
    assert rows(fixture, Candidate) == []


def test_a_contact_takes_the_address_of_one_who_left(fixture):
    """The mailbox of the office changes hands: a new contact, not the old one renamed."""
    erp = fixture.world("erp")
    firm = erp.create("customers", **ACME)
    lin = erp.create("contacts", customer_id=firm, name="林晚", email="office@acme.example")
    fixture.sync()
    erp.edit("contacts", lin, email="lin@private.example")
    fixture.sync()
    crm_firm = only(fixture, "crm")["id"]
    fixture.world("crm").create(
        "contacts", customer_id=crm_firm, name="何清", email="office@acme.example"
    )
    fixture.sync()
    for name in fixture.names:
        found = {r["name"]: r["email"] for r in records(fixture, name, "contacts")}
        assert found == {"林晚": "lin@private.example", "何清": "office@acme.example"}


def test_zoho_changes_every_key_and_the_erp_follows(zoho):
    zoho.erp.create("customers", name=ACME["name"], email=ACME["email"], website="old.example")
    zoho.sync()
    (account,) = zoho.accounts()
    zoho.stand_in.edit("Accounts", account["id"], Account_Name=NEW_KEYS["name"],
                       Website="https://borealis.example")  # fmt: skip
    zoho.sync()
    (customer,) = zoho.erp.all("customers")
    assert customer["name"] == NEW_KEYS["name"]
    zoho.erp.create("customers", name=ACME["name"], email="somebody@else.example")
    zoho.sync()
    assert sorted(a["Account_Name"] for a in zoho.accounts()) == [ACME["name"], NEW_KEYS["name"]]
    assert {a["id"] for a in zoho.accounts() if a["Account_Name"] == NEW_KEYS["name"]} == {
        account["id"]
    }


def everywhere_named(fixture, name, field):
    return [r[field] for system in fixture.names for r in records(fixture, system)
            if r["name"] == name]  # fmt: skip
