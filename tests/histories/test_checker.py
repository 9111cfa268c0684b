"""What the checker itself got wrong once, each as the shortest story that shows it."""

from dataclasses import replace

import pytest

from tests.histories import search
from tests.histories.company import NAMES, PEOPLE, Company, Profile
from tests.histories.ledger import Ledger
from tests.histories.people import People, Union

PLAIN = Profile({name: {} for name in NAMES}, dict.fromkeys(NAMES, "unlink"), batch=1, guard=10)


@pytest.fixture(scope="module", autouse=True)
def _template():
    yield
    search.forget_template()


def test_what_an_emptied_value_replaced_went_with_the_other_customer():
    people = People(unions=[Union("a", "b")])
    ledger = Ledger(group=people.group)
    other = ledger.typed("b", "notes", {"notes": "b's"}, "crm", set())
    mine = ledger.typed("a", "notes", None, "erp", {other.number})
    people.unions[0].taken_back = True
    assert ledger.allowed("a", "notes") == [mine]
    assert ledger.allowed("b", "notes") == [other]


def test_nobody_merges_a_record_that_is_deleted_there():
    company = Company(PLAIN)
    try:
        for place in ("crm", "erp"):
            company.new_customer(place)
            company.poll(place)
            company.take_in(place)
        company.dispatch("crm")
        company.delete("crm", 0)
        company.merge_there("crm", 1, 0)
        assert company.people.unions == []
        assert len(company.records("crm", "customers", company.customers[1])) == 1
    finally:
        company.close()


def test_nobody_enters_another_customer_after_one_of_the_last_became_two():
    company = Company(PLAIN)
    try:
        company.customers = [f"info@customer{n}.example" for n in range(len(PEOPLE))]
        company.customers.append("info@customer0.example#10")
        company.new_customer("erp")
        company.enter_twice("erp")
        assert company.records("erp", "customers", company.customers[-1]) == []
        assert len(company.customers) == len(PEOPLE) + 1
    finally:
        company.close()


def test_nobody_can_tell_whose_a_contact_is_after_two_merges_were_taken_back():
    """Entered under the third of three records that were one, moved by the system's own merge."""
    history = [
        ("create", 0, 0, 0), ("create", 0, 2, 0), ("everything", 0, 0, 0), ("crash", 362, 759, 573),
        ("merge", 862, 570, 466), ("meddle", 192, 99, 918), ("merge", 4, 445, 835),
        ("merge_wrongly", 664, 952, 970), ("contact", 244, 392, 390),
        ("take_back", 74, 621, 187), ("take_back", 114, 774, 862),
    ]  # fmt: skip
    assert search.run(replace(PLAIN, batch=3), history) == []


def test_what_is_typed_over_is_what_stood_in_that_record():
    """A customer entered twice in one system has the same name in two records there."""
    ledger = Ledger()
    first, second = (
        ledger.typed("a", "name", {"name": "Aurora"}, "crm", set(), record) for record in "12"
    )
    seen = ledger.shown("a", "name", "crm", {"name": "Aurora"}, lambda _: False, "2")
    typed = ledger.typed("a", "name", {"name": "Borealis"}, "crm", seen, "2")
    assert ledger.heads("a", "name") == [first, typed]
    assert second.number in typed.replaces


def test_nobody_can_tell_whose_a_contact_is_whose_customers_record_went_unseen():
    """The customer is known from two other systems; that record named it to nobody."""
    history = [
        ("create", 0, 0, 0), ("create", 0, 1, 0), ("create_twice", 52, 608, 616),
        ("contact", 169, 110, 120), ("delete", 67, 26, 322),
    ]  # fmt: skip
    assert search.run(replace(PLAIN, batch=2), history) == []
