"""The mappings fit the modules, and what is written comes back as it was meant."""

from pathlib import Path

import pytest

import connectors.zoho_crm
from connectors.sdk.contract import Write
from mapping.engine import canonicalise, project
from mapping.loader import load_dir

SPECS = load_dir(Path(connectors.zoho_crm.__file__).parent / "mapping")

CUSTOMER = {
    "name": "深圳市纷享测试有限公司",
    "legal_name": "Shenzhen Test Co., Ltd.",
    "number": "C-1001",
    "identifiers[cn:uscc]": "91440300MA5EXAMPL3",
    "industry": "Manufacturing",
    "employees": "120",
    "website": "https://example.com",
    "phones[work]": "+8675526001234",
    "phones[fax]": "+8675526001235",
    "emails[work]": "office@example.com",
    "addresses[billing].street": "科技园路 1 号\n2 楼",
    "addresses[billing].city": "深圳",
    "addresses[billing].region": "广东省",
    "addresses[billing].postcode": "518000",
    "addresses[billing].country": "CN",
    "addresses[shipping].street": "Hafenstraße 1",
    "addresses[shipping].city": "Hamburg",
    "addresses[shipping].region": "Hamburg",
    "addresses[shipping].postcode": "20457",
    "addresses[shipping].country": "DE",
    "credit_limit": "12500.5",
    "payment_term": "30 days net",
    "blocked": True,
    "language": "zh-CN",
    "tags": ["key account", "vip"],
    "notes": "First line\nsecond line",
}
CONTACT = {
    "name": "欧阳娜娜",
    "salutation": "Ms.",
    "job_title": "Buyer",
    "department": "Purchasing",
    "phones[work]": "+8675526001234",
    "phones[mobile]": "+8613800138000",
    "phones[home]": "+498912345678",
    "phones[other]": "ask reception",
    "phones[fax]": "+8675526001235",
    "emails[work]": "buyer@example.com",
    "emails[other]": "private@example.com",
    "addresses[mailing].street": "科技园路 1 号",
    "addresses[mailing].city": "深圳",
    "addresses[mailing].region": "广东省",
    "addresses[mailing].postcode": "518000",
    "addresses[mailing].country": "CN",
    "birth_date": "1990-02-28",
    "mail_opt_out": True,
    "language": "zh-CN",
    "tags": ["vip"],
    "notes": "Speaks German",
}
LEAD = {
    "name": "Acme GmbH",
    "contact_name": "Anna Maria Schmidt",
    "job_title": "CEO",
    "source": "Fair",
    "industry": "Trade",
    "employees": "12",
    "website": "https://acme.example",
    "phones[work]": "+4940123456",
    "phones[mobile]": "+491711234567",
    "phones[fax]": "+4940123457",
    "emails[work]": "anna@acme.example",
    "emails[other]": "as@acme.example",
    "addresses[billing].street": "Hafenstraße 1",
    "addresses[billing].city": "Hamburg",
    "addresses[billing].region": "Hamburg",
    "addresses[billing].postcode": "20457",
    "addresses[billing].country": "DE",
    "tags": ["fair 2026"],
    "notes": "Met at the fair",
}
ORDER = {
    "number": "SO-17",
    "reference": "PO-9",
    "state": "confirmed",
    "tax": "19",
    "payment_term": "30 days net",
    "lines": [
        {
            "product_code": "P1",
            "description": "Pump",
            "quantity": "2",
            "unit_price": "10.5",
            "amount": "21",
        },
        {"description": "Assembly", "quantity": "1.5", "unit_price": "80", "amount": "120"},
    ],
}
INVOICE = {
    "number": "INV-17",
    "state": "posted",
    "invoiced_on": "2026-03-01",
    "due_on": "2026-03-31",
    "tax": "19",
    "lines": ORDER["lines"][:1],
}
CASES = {
    "accounts": CUSTOMER,
    "contacts": CONTACT,
    "leads": LEAD,
    "sales_orders": ORDER,
    "invoices": INVOICE,
}


def write(connector, spec, values, op="create", remote_id=None):
    data = project(spec, values)
    (outcome,) = connector.write(spec.object, [Write("key-1", op, remote_id, data)])
    assert outcome.error is None, outcome.error
    return outcome


@pytest.mark.parametrize("name", sorted(SPECS))
def test_every_field_of_a_mapping_is_there_and_fits(stand_in, name):
    spec = SPECS[name]
    schema = stand_in.connect().schema(spec.object)
    paths = {*spec.native_paths, *(path for rule in spec.fields for path in rule.natives)}
    assert [path for path in paths if schema.find(path) is None] == []
    written = {path for rule in spec.fields if rule.direction != "in" for path in rule.natives}
    assert [path for path in written if not schema.find(path).writable] == []
    assert schema.find(spec.hub_key).unique
    given = {path for rule in spec.fields if rule.direction != "in" for path in rule.natives}
    required = {field.name for field in schema.fields.values() if field.required}
    assert required <= given


def test_there_is_a_mapping_for_every_object(stand_in):
    assert {spec.object for spec in SPECS.values()} == set(stand_in.connect().objects())


@pytest.mark.parametrize("name", sorted(CASES))
def test_what_is_written_reads_back_as_it_was_meant(stand_in, name):
    spec, values = SPECS[name], CASES[name]
    back = canonicalise(spec, write(stand_in.connect(), spec, values).after.data)
    readable = {path: value for path, value in values.items() if path in spec.read_paths}
    readable.pop("lines", None)  # Zoho shows lines in a single read only
    assert {path: back.get(path) for path in readable} == readable


@pytest.mark.parametrize("name", ["accounts", "contacts", "leads"])
def test_every_field_can_be_cleared(stand_in, name):
    spec, connector = SPECS[name], stand_in.connect()
    made = write(connector, spec, CASES[name]).remote_id
    required = {"name"} if name != "leads" else {"name", "contact_name"}
    cleared = {path: None for path in CASES[name] if path not in required}
    cleared.pop("blocked", None)
    cleared.pop("mail_opt_out", None)
    assert write(connector, spec, cleared, "update", made).after is None  # the next poll tells
    (after,) = connector.fetch(spec.object, [made])
    back = canonicalise(spec, after.data)
    assert {path: back.get(path) for path in cleared} == cleared


def test_the_other_ends_of_a_record_are_told_by_id(stand_in):
    connector = stand_in.connect()
    account = write(connector, SPECS["accounts"], CUSTOMER).remote_id
    contact = write(connector, SPECS["contacts"], {**CONTACT, "customer": account})
    assert canonicalise(SPECS["contacts"], contact.after.data)["customer"] == account
    order = write(connector, SPECS["sales_orders"], {**ORDER, "customer": account})
    invoice = write(connector, SPECS["invoices"], {**INVOICE, "order": order.remote_id})
    assert canonicalise(SPECS["invoices"], invoice.after.data)["order"] == order.remote_id


def test_a_lead_of_which_only_the_company_is_known_can_be_written(stand_in):
    outcome = write(stand_in.connect(), SPECS["leads"], {"name": "Acme"})
    assert outcome.after.data["Last_Name"] == "Acme"


def test_order_lines_arrive_with_their_products(stand_in):
    connector = stand_in.connect()
    order = write(connector, SPECS["sales_orders"], ORDER).remote_id
    rows = connector.reader.one("Sales_Orders", order)["Ordered_Items"]
    shown = [(r["Product_Name"]["name"], r["Quantity"], r["List_Price"]) for r in rows]
    assert shown == [("Pump", 2, 10.5), ("ERP item", 1.5, 80)]
    assert [row["Description"] for row in rows] == ["Pump", "Assembly"]


def test_a_converted_lead_names_its_account(stand_in):
    connector, spec = stand_in.connect(), SPECS["leads"]
    lead = write(connector, spec, LEAD).remote_id
    connector.client.write("POST", f"/Leads/{lead}/actions/convert", {"data": [{}]})
    (change,) = connector.fetch("Leads", [lead])
    (moved,) = spec.moved_to
    head, _, rest = moved.native.partition(".")
    (account,) = stand_in.records("Accounts")
    assert change.data[head][rest] == account["id"]
    assert moved.object == "Accounts"


def test_an_owner_is_known_by_mail_address_and_never_written(stand_in):
    spec = SPECS["accounts"]
    back = canonicalise(spec, write(stand_in.connect(), spec, CUSTOMER).after.data)
    assert back["owner"].endswith("@crm-stand-in.example")
    assert "Owner" not in project(spec, {**CUSTOMER, "owner": "somebody@example.com"})


def test_texts_longer_than_zoho_takes_are_cut(stand_in):
    long = {"name": "长" * 250, "payment_term": "x" * 90, "notes": "y" * 40_000}
    after = write(stand_in.connect(), SPECS["accounts"], long).after.data
    assert [len(after[n]) for n in ("Account_Name", "Payment_Term", "Description")] == [
        200,
        60,
        32_000,
    ]
