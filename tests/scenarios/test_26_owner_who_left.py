"""Customers follow their salesman from system to system, until the salesman leaves the company."""

import pytest

from sync.flow import decide
from sync.store.tables import Change, DeadLetter

EAST, WEST, DESK = (
    f"{name}@crm-stand-in.example" for name in ("sales.east", "sales.west", "service.desk")
)
READ_ONLY = "{canonical: owner, native: Owner.email, direction: in, in: [email]}"
ACME = {"name": "Acme Trading", "email": "office@acme.example"}


@pytest.fixture
def owned(outside):
    """Zoho's mapping writes owners, too; East owns Acme."""
    outside.remap("zoho", "Accounts", READ_ONLY, READ_ONLY.replace("direction: in, ", ""))
    outside.erp.create("customers", **ACME, owner=EAST)
    outside.sync()
    yield outside
    for mail in (EAST, WEST):
        outside.zoho.admin("POST", "/users/status", {"email": mail, "status": "active"})


def leave(outside, mail):
    outside.zoho.admin("POST", "/users/status", {"email": mail, "status": "inactive"})


def owner_in_zoho(outside):
    users = outside.zoho.admin("GET", "/users")["users"]
    (account,) = outside.accounts()
    return next(user["email"] for user in users if user["id"] == str(account["Owner"]))


def give(outside, mail, **more):
    (customer,) = outside.erp.all("customers")
    outside.erp.edit("customers", customer["id"], owner=mail, **more)


def test_an_owner_is_found_by_mail_whatever_their_number_there(owned):
    assert owner_in_zoho(owned) == EAST
    give(owned, WEST)
    owned.sync()
    assert owner_in_zoho(owned) == WEST


def test_other_fields_of_a_customer_whose_owner_left_go_on(owned):
    leave(owned, EAST)
    (customer,) = owned.erp.all("customers")
    owned.erp.edit("customers", customer["id"], notes="still a customer")
    owned.sync()
    assert owned.accounts()[0]["Description"] == "still a customer"
    assert owned.rows(DeadLetter) == []


def test_without_a_rule_the_record_is_refused_and_names_the_owner(owned):
    leave(owned, WEST)
    give(owned, WEST)
    owned.sync()
    (letter,) = owned.rows(DeadLetter, DeadLetter.state == "open")
    assert letter.field == "Owner"
    assert letter.message == f"Zoho has no active user {WEST} who could own the record."
    assert owner_in_zoho(owned) == EAST
    owned.zoho.admin("POST", "/users/status", {"email": WEST, "status": "active"})
    decide.retry_letters(owned.hub, [letter.id], "li")
    owned.sync()
    assert owner_in_zoho(owned) == WEST


def test_by_rule_somebody_takes_over_and_the_history_says_so(owned):
    settings = {**owned.system("zoho").settings, "owner_fallback": DESK}
    owned.set_system("zoho", settings=settings)
    leave(owned, WEST)
    give(owned, WEST, notes="handed over")
    owned.sync()
    assert owner_in_zoho(owned) == DESK
    assert owned.accounts()[0]["Description"] == "handed over"
    changes = owned.rows(Change, Change.path == "owner", Change.op == "set")
    assert [(row.old, row.new) for row in changes][-2:] == [(EAST, WEST), (WEST, DESK)]
    assert changes[-1].system_id == owned.id_of("zoho")
    assert owned.erp.all("customers")[0]["owner"] == DESK  # everybody knows who to ask
    written = len(owned.rows(Change, Change.op == "written"))
    owned.sync()
    assert len(owned.rows(Change, Change.op == "written")) == written
