"""A contact comes before its customer, or its customer was refused: it waits, and one sees why."""

import pytest

from sync.flow import decide, poll, take_in
from sync.flow.records import hint_row
from sync.service import records, work
from sync.store import inbox
from sync.store.tables import DeadLetter, Dirty, Inbox, Link

ACME = {"name": "Acme Trading", "email": "office@acme.example"}
PERSON = {"name": "Li Hua", "email": "li.hua@acme.example"}


def hook(outside, name, object_name, remote_id):
    """A notification names this one record."""
    row = hint_row(outside.id_of(name), object_name, remote_id, f"hook:{remote_id}",
                   outside.hub.now())  # fmt: skip
    with outside.hub.database.write() as tx:
        inbox.deliver(tx, [row])
    take_in.drain(outside.hub, outside.id_of(name))


def zoho_pair(outside, **account):
    (account_id,) = outside.zoho.seed("Accounts", [{"Account_Name": "Acme Trading", **account}])
    person = {"Last_Name": "Li Hua", "Email": PERSON["email"], "Account_Name": {"id": account_id}}
    (contact_id,) = outside.zoho.seed("Contacts", [person])
    return account_id, contact_id


def erp_pair(outside):
    outside.erp.create("customers", **ACME)
    (customer,) = outside.erp.all("customers")
    outside.erp.create("contacts", **PERSON, customer_id=customer["id"])
    return customer["id"]


def settle(outside):
    """All that can be done is done; what waits for a person stays."""
    for _ in range(4):
        for name in outside.names:
            poll.poll(outside.hub, outside.id_of(name), force=True)
        outside.work()
        outside.hurry()


def test_a_contact_that_is_told_first_waits_for_its_customer(outside):
    _, contact_id = zoho_pair(outside)
    hook(outside, "zoho", "Contacts", contact_id)
    waits = outside.rows(Inbox, Inbox.object == "Contacts", Inbox.state == "waiting")
    assert [row.error for row in waits] == ["waits for its customer"]
    outside.sync()
    (contact,), (customer,) = outside.goldens("contact"), outside.goldens()
    assert contact.values["customer"] == customer.id
    (row,), (account,) = outside.living("ContactObj"), outside.living()
    assert row["account_id"] == account["_id"]


@pytest.fixture
def refused(outside):
    """纷享 wants a field that no rule fills, so the customer is refused; its contact waits."""
    outside.fx.post("/fields/AccountObj/fax", is_required=True)
    erp_pair(outside)
    settle(outside)
    yield outside
    outside.fx.post("/fields/AccountObj/fax", is_required=False)


def test_the_wait_for_a_refused_customer_is_shown_with_its_reason(refused):
    (letter,) = refused.rows(DeadLetter, DeadLetter.state == "open")
    (row,) = refused.rows(Dirty)
    assert row.waiting_for == "refused"
    assert row.error == f"“Acme Trading” was refused: {letter.message}"
    (contact,) = refused.goldens("contact")
    waiting = {link.system: link for link in records.get_record(refused.hub, contact.id).pending}
    assert (waiting["fx"].waiting, waiting["fx"].reason) == ("refused", row.error)
    rest = work.rest(refused.hub)
    assert rest.is_quiet  # nothing that the hub could do: `kehub sync --wait` returns
    assert rest.orphans == {"fx": 1}
    assert not rest.blocked
    assert len(refused.accounts("Contacts")) == 1  # the other system is not concerned


def test_replaying_the_customers_letter_releases_the_contact(refused):
    refused.fx.post("/fields/AccountObj/fax", is_required=False)
    (letter,) = refused.rows(DeadLetter, DeadLetter.state == "open")
    decide.retry_letters(refused.hub, [letter.id], "li")
    settle(refused)
    (row,), (account,) = refused.living("ContactObj"), refused.living()
    assert row["account_id"] == account["_id"]
    assert refused.rows(Dirty) == []


def test_dropping_the_letter_releases_it_too_and_a_later_customer_brings_it_along(refused):
    (letter,) = refused.rows(DeadLetter, DeadLetter.state == "open")
    decide.discard_letters(refused.hub, [letter.id], "li")
    settle(refused)
    assert refused.rows(Dirty) == []
    assert refused.living("ContactObj") == []
    refused.fx.post("/fields/AccountObj/fax", is_required=False)
    (customer,) = refused.erp.all("customers")
    refused.erp.edit("customers", customer["id"], website="acme.example")
    settle(refused)
    (row,), (account,) = refused.living("ContactObj"), refused.living()
    assert row["account_id"] == account["_id"]


@pytest.fixture
def unreadable(outside):
    """Zoho's account holds half of a pair of signs, so it cannot be taken in."""
    account_id, _ = zoho_pair(outside, Description="cut in two \ud83d")
    settle(outside)
    return outside, account_id


def test_a_contact_waits_for_a_customer_that_cannot_be_read(unreadable):
    outside, account_id = unreadable
    (letter,) = outside.rows(DeadLetter, DeadLetter.state == "open")
    assert (letter.object, letter.field) == ("Accounts", "Description")
    (row,) = outside.rows(Inbox, Inbox.state == "waiting")
    assert row.waiting_for == "refused"
    assert letter.message in row.error
    rest = work.rest(outside.hub)
    assert rest.is_quiet
    assert rest.orphans == {"zoho": 1}
    outside.zoho.edit("Accounts", account_id, Description="whole")
    settle(outside)
    assert len(outside.goldens("contact")) == 1
    assert not outside.rows(Inbox, Inbox.state == "waiting")
    assert not outside.rows(DeadLetter, DeadLetter.state == "open")


def test_dropping_that_letter_makes_the_contact_a_letter_of_its_own(unreadable):
    outside, _ = unreadable
    (letter,) = outside.rows(DeadLetter, DeadLetter.state == "open")
    decide.discard_letters(outside.hub, [letter.id], "li")
    settle(outside)
    letters = outside.rows(DeadLetter, DeadLetter.object == "Contacts")
    assert "belongs to a customer that the hub does not have" in letters[-1].message
    assert not outside.rows(Inbox, Inbox.object == "Contacts", Inbox.state == "waiting")
    assert outside.rows(Link, Link.object == "Contacts") == []
