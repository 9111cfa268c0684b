"""Each write might start workflows, approvals and mails to customers in the CRM."""

import pytest

from sync.store.tables import Dirty

ACME = {"name": "Acme Trading", "email": "office@acme.example", "notes": "an old note"}


def fired(outside):
    """What was started since the last reset, in Zoho and in 纷享."""
    zoho, fx = outside.zoho.calls()["automation"], outside.fx.calls()["automation"]
    return {name: count for name, count in zoho.items() if count}, fx


def set_up(outside, name, **settings):
    outside.set_system(name, settings={**outside.system(name).settings, **settings})


def live_through(outside):
    """A customer is made, changed, cleared of a note, and its copies are put away."""
    outside.erp.create("customers", **ACME)
    outside.sync()
    (customer,) = outside.erp.all("customers")
    outside.erp.edit("customers", customer["id"], website="acme.example")
    outside.sync()
    outside.erp.edit("customers", customer["id"], notes=None)
    outside.sync()
    outside.set_system("erp", delete_policy="propagate")
    outside.erp.delete("customers", customer["id"])
    outside.sync()
    assert outside.accounts() == outside.living() == []


def test_a_life_in_the_erp_starts_nothing_in_the_crms(outside):
    live_through(outside)
    assert outside.zoho.calls()["writes"] >= 4
    assert fired(outside) == ({}, {"workflow": 0, "approval": 0})


def test_only_what_the_settings_name_is_started(outside):
    set_up(outside, "zoho", triggers=["workflow"])
    set_up(outside, "fx", trigger_workflow=True)
    outside.erp.create("customers", **ACME)
    outside.sync()
    assert fired(outside) == ({"workflow": 1}, {"workflow": 1, "approval": 0})


@pytest.fixture
def approving(outside):
    """纷享's administrator has every account approved."""
    outside.fx.post("/approvals", AccountObj=True)
    yield outside
    outside.fx.post("/approvals", AccountObj=False)


def test_the_hubs_writes_are_in_force_without_an_approval(approving):
    approving.erp.create("customers", **ACME)
    approving.sync()
    (row,) = approving.fx.rows("AccountObj")
    assert (row["life_status"], row["name"]) == ("normal", "Acme Trading")


def test_where_approval_is_wanted_the_record_waits_and_one_sees_why(approving):
    set_up(approving, "fx", trigger_approval=True)
    approving.erp.create("customers", **ACME)
    approving.sync()
    (row,) = approving.fx.rows("AccountObj")
    assert row["life_status"] == "under_review"
    (customer,) = approving.erp.all("customers")
    approving.erp.edit("customers", customer["id"], notes="a new note")
    approving.poll("erp")
    approving.work()
    (waits,) = approving.rows(Dirty, Dirty.system_id == approving.id_of("fx"))
    assert "locked or under approval" in waits.error
    approving.fx.post(f"/records/AccountObj/{row['_id']}/approve")
    set_up(approving, "fx", trigger_approval=False)
    approving.sync()
    assert approving.living()[0]["remark"] == "a new note"
