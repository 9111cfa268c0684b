"""The data path over three systems: everything arrives, once, and then there is silence."""

from connectors.memory.oddities import Trouble


def test_a_new_customer_arrives_everywhere_once(fixture):
    fixture.world("erp").create("customers", name="Acme 有限公司", phone="021-55550101")
    fixture.sync()
    for name in ("crm", "sales"):
        assert [c["name"] for c in fixture.world(name).all("customers")] == ["Acme 有限公司"]
    assert len(fixture.goldens()) == 1
    before = fixture.writes()
    fixture.sync()
    assert fixture.writes() == before == 2


def test_an_edit_arrives_in_the_others_with_one_write_each(fixture):
    fixture.world("erp").create("customers", name="Acme", email="a@acme.example")
    fixture.sync()
    before = fixture.writes()
    record = fixture.world("crm").all("customers")[0]
    fixture.world("crm").edit("customers", record["id"], phone="13800000000")
    fixture.sync()
    assert fixture.writes() == before + 2
    for name in ("erp", "sales"):
        assert "138" in fixture.world(name).all("customers")[0]["phone"]


def test_two_fields_edited_at_once_both_survive(fixture):
    fixture.world("erp").create("customers", name="Acme", email="a@acme.example")
    fixture.sync()
    for name, field, value in (("crm", "phone", "+8613800000000"), ("sales", "notes", "VIP")):
        record = fixture.world(name).all("customers")[0]
        fixture.world(name).edit("customers", record["id"], **{field: value})
    fixture.sync()
    for name in fixture.names:
        record = fixture.world(name).all("customers")[0]
        assert record["notes"] == "VIP"
        assert "138" in record["phone"].replace(" ", "")


def test_the_same_field_edited_twice_follows_the_policy_and_keeps_the_other(fixture):
    fixture.world("erp").create("customers", name="Acme", email="a@acme.example")
    fixture.sync()
    for name, value in (("crm", "first"), ("sales", "second")):
        fixture.clock.pass_(5)
        record = fixture.world(name).all("customers")[0]
        fixture.world(name).edit("customers", record["id"], notes=value)
    fixture.sync()
    assert {fixture.world(n).all("customers")[0]["notes"] for n in fixture.names} == {"second"}
    assert len(fixture.conflicts()) == 1


def test_equal_customers_are_linked_not_doubled(fixture):
    for name in fixture.names:
        fixture.world(name).create("customers", name="Acme", email="a@acme.example")
    fixture.sync()
    assert len(fixture.goldens()) == 1
    assert all(len(fixture.world(n).all("customers")) == 1 for n in fixture.names)
    assert fixture.writes() == 0


def test_a_contact_waits_for_its_customer(fixture):
    customer = fixture.world("erp").create("customers", name="Acme")
    fixture.world("erp").create("contacts", name="王伟", customer_id=customer)
    fixture.sync()
    for name in ("crm", "sales"):
        parent = fixture.world(name).all("customers")[0]
        assert fixture.world(name).all("contacts")[0]["customer_id"] == parent["id"]


def test_a_lossy_remote_is_told_once(fixture):
    fixture.world("crm").switch(cut={"name": 8})
    fixture.world("erp").create("customers", name="A very long company name", phone="1")
    fixture.sync()
    assert fixture.world("crm").all("customers")[0]["name"] == "A very l"
    before = fixture.writes()
    fixture.sync()
    assert fixture.writes() == before
    assert fixture.world("erp").all("customers")[0]["name"] == "A very long company name"


def test_a_lost_answer_never_makes_a_second_record(fixture):
    fixture.world("erp").create("customers", name="Acme")
    fixture.world("crm").trouble(Trouble(kind="lost", only="write"))
    fixture.sync()
    assert len(fixture.world("crm").all("customers")) == 1
    assert len(fixture.goldens()) == 1


def test_a_deleted_record_is_not_created_again(fixture):
    fixture.world("erp").create("customers", name="Acme")
    fixture.sync()
    record = fixture.world("crm").all("customers")[0]
    fixture.world("crm").delete("customers", record["id"])
    fixture.sync()
    assert fixture.world("crm").all("customers") == []
    assert len(fixture.world("erp").all("customers")) == 1
