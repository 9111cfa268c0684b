import pytest


@pytest.fixture
def product(zoho, name):
    return zoho.create("Products", Product_Name=name, Unit_Price=10)


def test_an_order_is_summed_up(zoho, product, name):
    account = zoho.create("Accounts", Account_Name=name)
    rows = [
        {
            "Product_Name": {"id": product},
            "Quantity": 3,
            "List_Price": 19.99,
            "Discount": 0.97,
            "Line_Tax": [{"name": "VAT", "percentage": 19}],
        },
        {"Product_Name": {"id": product}, "Quantity": 1, "List_Price": 5},
    ]
    order_id = zoho.create(
        "Sales_Orders",
        Subject=name,
        Account_Name={"id": account},
        Ordered_Items=rows,
        Discount=2.5,
        Adjustment=0.5,
    )
    order = zoho.get("Sales_Orders", order_id)
    first = order["Ordered_Items"][0]
    assert (first["Total"], first["Total_After_Discount"]) == (59.97, 59.0)
    assert (first["Tax"], first["Net_Total"]) == (11.21, 70.21)
    assert first["Product_Name"] == {"name": name, "id": product}
    assert (order["Sub_Total"], order["Grand_Total"]) == (75.21, 73.21)
    listed = zoho.crm("GET", f"/Sales_Orders?fields=Subject,Ordered_Items&ids={order_id}").json()
    assert "Ordered_Items" not in listed["data"][0]
    related = zoho.crm("GET", f"/Accounts/{account}/SalesOrders?fields=Grand_Total").json()
    assert related["data"][0]["Grand_Total"] == 73.21


def test_rows_change_by_id_and_go_by_delete(zoho, product, name):
    rows = [{"Product_Name": {"id": product}, "Quantity": n, "List_Price": 1} for n in (1, 2, 3)]
    invoice_id = zoho.create("Invoices", Subject=name, Invoiced_Items=rows)
    first, second, third = zoho.get("Invoices", invoice_id)["Invoiced_Items"]
    changed = [
        {"id": first["id"], "Quantity": 10},
        {"id": second["id"], "_delete": None},
        {"Product_Name": {"id": product}, "Quantity": 4, "List_Price": 1},
    ]
    body = {"data": [{"Invoiced_Items": changed}]}
    assert zoho.crm("PUT", f"/Invoices/{invoice_id}", body).status_code == 200
    invoice = zoho.get("Invoices", invoice_id)
    assert [row["Quantity"] for row in invoice["Invoiced_Items"]] == [10, 3, 4]
    assert invoice["Invoiced_Items"][1]["id"] == third["id"]
    assert invoice["Grand_Total"] == 17.0


def test_rows_need_a_known_product(zoho, product, name):
    cases = [
        ({"Quantity": 1}, "MANDATORY_NOT_FOUND", "$.data[0].Ordered_Items[0].Product_Name"),
        (
            {"Product_Name": {"id": "12"}},
            "INVALID_DATA",
            "$.data[0].Ordered_Items[0].Product_Name.id",
        ),
        (
            {"Product_Name": {"id": product}, "Quantity": "x"},
            "INVALID_DATA",
            "$.data[0].Ordered_Items[0].Quantity",
        ),
    ]
    for row, code, path in cases:
        body = {"data": [{"Subject": name, "Ordered_Items": [row]}]}
        item = zoho.crm("POST", "/Sales_Orders", body).json()["data"][0]
        assert (item["code"], item["details"]["json_path"]) == (code, path)
    empty = {"data": [{"Subject": name, "Ordered_Items": []}]}
    item = zoho.crm("POST", "/Sales_Orders", empty).json()["data"][0]
    assert item["code"] == "MANDATORY_NOT_FOUND"


def test_a_lead_becomes_account_contact_and_deal(zoho, name):
    lead = zoho.create(
        "Leads",
        First_Name="A",
        Last_Name=name,
        Company=f"{name} Ltd",
        Email="lead@example.org",
        Phone="1",
        Street="Road 1",
        City="Town",
        Zip_Code="12345",
        Designation="Buyer",
        No_of_Employees=7,
        Description="met at a fair",
    )
    deal = {"Deal_Name": "D", "Stage": "Proposal", "Pipeline": "Standard", "Amount": 5}
    body = {"data": [{"Deals": {**deal, "Closing_Date": "2030-01-31"}}]}
    answer = zoho.crm("POST", f"/Leads/{lead}/actions/convert", body)
    verdict = answer.json()["data"][0]
    assert (answer.status_code, verdict["code"]) == (200, "SUCCESS")
    assert verdict["message"] == "The record has been converted successfully"
    made = verdict["details"]
    account = zoho.get("Accounts", made["Accounts"]["id"])
    assert (account["Account_Name"], account["Employees"]) == (f"{name} Ltd", 7)
    assert (account["Billing_Street"], account["Billing_Code"]) == ("Road 1", "12345")
    contact = zoho.get("Contacts", made["Contacts"]["id"])
    assert (contact["Title"], contact["Mailing_Zip"]) == ("Buyer", "12345")
    assert contact["Account_Name"]["id"] == account["id"]
    assert zoho.get("Deals", made["Deals"]["id"])["Contact_Name"]["id"] == contact["id"]
    converted = zoho.get("Leads", lead)
    assert converted["Converted__s"] is True
    assert converted["Converted_Contact"]["id"] == contact["id"]


def test_a_converted_lead_is_hidden_and_closed(zoho, name):
    lead = zoho.create("Leads", Last_Name=name, Company=name)
    zoho.crm("POST", f"/Leads/{lead}/actions/convert", {"data": [{}]})
    path = f"/Leads?fields=Last_Name&ids={lead}"
    assert zoho.crm("GET", path).status_code == 204
    for converted in ("true", "both"):
        assert zoho.crm("GET", f"{path}&converted={converted}").status_code == 200
    again = zoho.crm("POST", f"/Leads/{lead}/actions/convert", {"data": [{}]})
    assert (again.status_code, again.json()["data"][0]["code"]) == (400, "ID_ALREADY_CONVERTED")
    edit = zoho.crm("PUT", f"/Leads/{lead}", {"data": [{"Phone": "1"}]})
    assert edit.json()["data"][0]["code"] == "CONVERTED_RECORD"


def test_a_lead_joins_existing_records(zoho, name):
    account = zoho.create("Accounts", Account_Name=name, Phone="old")
    contact = zoho.create("Contacts", Last_Name=name, Email="same@example.org")
    lead = zoho.create(
        "Leads", Last_Name=name, Company=name, Email="same@example.org", Phone="new", Fax="9"
    )
    options = zoho.crm("GET", f"/Leads/{lead}/__conversion_options").json()
    found = options["__conversion_options"]
    assert found["Accounts"] == [{"id": account, "name": name}]
    assert contact in [item["id"] for item in found["Contacts"]]
    body = {"data": [{"Accounts": {"id": account}, "Contacts": {"id": contact}}]}
    made = zoho.crm("POST", f"/Leads/{lead}/actions/convert", body).json()["data"][0]["details"]
    assert (made["Accounts"]["id"], made["Contacts"]["id"], made["Deals"]) == (
        account,
        contact,
        None,
    )
    joined = zoho.get("Accounts", account)
    assert (joined["Phone"], joined["Fax"]) == ("old", "9")


def test_a_refused_conversion_leaves_nothing(zoho, name):
    lead = zoho.create("Leads", Last_Name=name, Company=name)
    cases = [
        ({"Deals": {"Deal_Name": "D"}}, "MANDATORY_NOT_FOUND"),
        ({"Contacts": {"id": "7"}}, "INVALID_DATA"),
        (
            {
                "Deals": {
                    "Deal_Name": "D",
                    "Stage": "S",
                    "Pipeline": "P",
                    "Closing_Date": "tomorrow",
                }
            },
            "INVALID_DATA",
        ),
    ]
    for wanted, code in cases:
        answer = zoho.crm("POST", f"/Leads/{lead}/actions/convert", {"data": [wanted]})
        assert (answer.status_code, answer.json()["data"][0]["code"]) == (400, code)
    assert zoho.rows(f"select id from Accounts where Account_Name = '{name}'") == []
    assert zoho.get("Leads", lead)["Converted__s"] is False
