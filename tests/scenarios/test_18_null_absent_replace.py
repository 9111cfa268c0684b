"""One API leaves empty fields out, another sends "" for them, a third replaces whole lists."""

import pytest

from sync.store.tables import Change

ACME = {"name": "Acme Trading", "email": "office@acme.example", "tax_id": "91310000MA0000000Y"}


@pytest.fixture
def agreed(outside):
    """Acme in all three, with a website, notes, tags and two addresses."""
    outside.erp.create(
        "customers", **ACME, website="acme.example", notes="an old note", tags=["gold", "east"],
        billing_street="1 Old Street", billing_city="上海市", shipping_street="9 Dock Road",
    )  # fmt: skip
    outside.sync()
    return outside


def everywhere(outside, erp, zoho, fx):
    """A field of the only customer, as ERP, Zoho and 纷享 hold it."""
    (ours,) = outside.erp.all("customers")
    (account,) = outside.accounts()
    (row,) = outside.living()
    return ours.get(erp), account.get(zoho), row.get(fx)


def clear_erp(outside):
    outside.erp.edit("customers", outside.erp.all("customers")[0]["id"], notes=None)


def clear_zoho(outside):
    outside.zoho.edit("Accounts", outside.accounts()[0]["id"], Description="")


def clear_fx(outside):
    outside.edit_fx(outside.living()[0]["_id"], remark="")


def test_a_field_that_a_system_leaves_out_blanks_nothing(agreed):
    zoho, account = agreed.zoho, agreed.accounts()[0]
    zoho.admin("POST", "/fields/Accounts/Website/rename", {"to": "Web_Address"})
    agreed.fx.post("/fields/AccountObj/url", is_active=False)
    try:
        zoho.edit("Accounts", account["id"], Phone="021-55550101")
        agreed.edit_fx(agreed.living()[0]["_id"], legal_name__c="安可贸易有限公司")
        agreed.poll()
        agreed.take_in()
        (golden,) = agreed.goldens()
        assert golden.values["phones[work]"] == "+862155550101"
        assert golden.values["legal_name"] == "安可贸易有限公司"
        assert golden.values["website"] == "acme.example"
        assert not agreed.rows(Change, Change.path == "website")
    finally:
        zoho.admin("POST", "/fields/Accounts/Web_Address/rename", {"to": "Website"})
        agreed.fx.post("/fields/AccountObj/url", is_active=True)
    assert everywhere(agreed, "website", "Website", "url") == ("acme.example",) * 3


@pytest.mark.parametrize(
    ("clear", "form"), [(clear_erp, "null"), (clear_zoho, "empty"), (clear_fx, "null")]
)
def test_an_explicit_clear_clears_everywhere(agreed, clear, form):
    agreed.fx.switch(clear_with=form)  # what empties a field there is not documented
    clear(agreed)
    agreed.sync()
    held = everywhere(agreed, "notes", "Description", "remark")
    assert [value or None for value in held] == [None] * 3
    assert agreed.goldens()[0].values["notes"] is None


def test_where_blanks_do_not_count_the_value_comes_back_and_that_is_shown(agreed):
    agreed.zoho.edit("Accounts", agreed.accounts()[0]["id"], Website="")
    agreed.sync()
    assert everywhere(agreed, "website", "Website", "url") == ("acme.example",) * 3
    refused = agreed.rows(Change, Change.path == "website", Change.op == "overruled")
    assert [(row.old, row.new, row.rule) for row in refused] == [("acme.example", None, "blank")]


def test_an_edit_of_a_list_moves_only_the_members_that_changed(agreed):
    erp, zoho = agreed.erp, agreed.zoho
    customer, account = erp.all("customers")[0]["id"], agreed.accounts()[0]["id"]
    erp.edit("customers", customer, tags=["east", "gold", "vip"])
    zoho.edit("Accounts", account, Tag=[{"name": "gold"}, {"name": "fair"}])  # east is gone
    agreed.sync()
    assert sorted(erp.all("customers")[0]["tags"]) == ["fair", "gold", "vip"]
    assert sorted(tag["name"] for tag in agreed.accounts()[0]["Tag"]) == ["fair", "gold", "vip"]


def test_one_address_says_nothing_about_the_other(agreed):
    agreed.zoho.edit("Accounts", agreed.accounts()[0]["id"], Billing_Street="2 New Street")
    agreed.sync()
    (customer,) = agreed.erp.all("customers")
    assert customer["billing_street"] == "2 New Street"
    assert customer["billing_city"] == "上海市"
    assert customer["shipping_street"] == "9 Dock Road"
    assert agreed.living()[0]["address"] == "2 New Street"
