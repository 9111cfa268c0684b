"""Two people edit one customer in two systems before the hub looks."""

from sync.flow import decide
from tests.scenarios.story import ACME, edit, everywhere


def agreed(fixture):
    fixture.world("erp").create(
        "customers", **ACME, billing_street="Old Street", billing_city="Old City",
        billing_postcode="1", notes="n",
    )  # fmt: skip
    fixture.sync()


def test_different_fields_both_survive(fixture):
    agreed(fixture)
    edit(fixture, "erp", notes="from the ERP")
    edit(fixture, "crm", website="crm.example")
    fixture.sync()
    assert everywhere(fixture, "notes") == ["from the ERP"] * 3
    assert everywhere(fixture, "website") == ["crm.example"] * 3
    assert fixture.conflicts() == []


def test_an_address_is_decided_as_a_whole_and_can_be_reversed(fixture):
    agreed(fixture)
    edit(fixture, "erp", billing_street="New Street")
    fixture.clock.pass_(3)
    edit(fixture, "crm", billing_city="New City", billing_postcode="2")
    fixture.sync()
    address = ("billing_street", "billing_city", "billing_postcode")
    for field, value in zip(address, ("Old Street", "New City", "2"), strict=True):
        assert everywhere(fixture, field) == [value] * 3
    (conflict,) = fixture.conflicts()
    assert conflict.state == "auto"
    decide.decide_conflict(fixture.hub, conflict.id, "ours", "li")
    fixture.sync()
    for field, value in zip(address, ("New Street", "Old City", "1"), strict=True):
        assert everywhere(fixture, field) == [value] * 3
