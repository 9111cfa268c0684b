"""What a record lacks, and what in it cannot be right."""

import pytest

from sync.core.quality import BIT, ISSUES, assess, issues_of

WHOLE = {
    "kind": "organisation",
    "name": "晨星仪器有限公司",
    "stage": "customer",
    "industry": "machines",
    "owner": "li@hub.example",
    "phones[work]": "+862155550101",
    "emails[work]": "office@customer.example",
    "website": "https://customer.example/about",
    "addresses[billing].street": "世纪大道 1 号",
    "addresses[billing].city": "上海市",
    "identifiers[cn:uscc]": "91110000600037341L",
}


def test_a_whole_record_has_no_issues():
    found = assess("customer", WHOLE)
    assert (found.completeness, found.issues, found.wrong) == (100, frozenset(), ())


def test_an_empty_record_lacks_everything():
    found = assess("customer", {})
    assert found.completeness == 0
    assert found.issues == {code for code in ISSUES if code.startswith("no_")} - {"no_customer"}


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("phones[work]", "12", "bad_phone"),
        ("phones[mobile]", "call reception", "bad_phone"),
        ("phones[mobile]", "+86138001380001234", "bad_phone"),
        ("emails[work]", "office at customer", "bad_mail"),
        ("emails[work]", "office@localhost", "bad_mail"),
        ("identifiers[cn:uscc]", "91110000600037341M", "bad_identifier"),
        ("identifiers[eu:vat]", "DE123456780", "bad_identifier"),
        ("website", "soon!", "bad_website"),
    ],
)
def test_a_value_that_cannot_be_right_is_named_with_its_place(path, value, code):
    found = assess("customer", {**WHOLE, path: value})
    assert found.wrong == ((code, path),)
    assert code in found.issues


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("phones[work]", "+862155550101;ext=12"),
        ("phones[work]", "+4930901820"),
        ("emails[work]", "Wei.Wang+crm@customer.example"),
        ("identifiers[eu:vat]", "DE136695976"),
        ("identifiers[other]", "K-2201-77"),
        ("website", "customer.example"),
    ],
)
def test_unusual_values_that_may_be_right_are_left_alone(path, value):
    assert assess("customer", {**WHOLE, path: value}).wrong == ()


def test_a_person_needs_no_registration_number_and_a_contact_a_customer():
    person = assess("customer", {"kind": "person", "name": "王伟"})
    assert "no_identifier" not in person.issues
    contact = assess("contact", {"name": "王伟", "emails[work]": "w@a.example"})
    assert contact.issues == {"no_phone", "no_customer"}


def test_a_country_without_a_street_is_no_address():
    values = {k: v for k, v in WHOLE.items() if not k.startswith("addresses")}
    assert "no_address" in assess("customer", {**values, "addresses[billing].country": "CN"}).issues


def test_issues_survive_as_a_number():
    assert sum(BIT.values()) == 2 ** len(ISSUES) - 1
    found = assess("customer", {"name": "x", "phones[work]": "12"})
    assert set(issues_of(found.bits)) == found.issues
