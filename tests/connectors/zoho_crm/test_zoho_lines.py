"""Orders and invoices: products found or made by code, lines replaced and never added to."""

from connectors.sdk.contract import Write
from connectors.sdk.errors import RecordError, TransientError
from connectors.zoho_crm.products import Products


def line(code, quantity=1, price=10.5, name="Pump"):
    return {
        "Product_Name": {"code": code, "name": name},
        "Quantity": quantity,
        "List_Price": price,
        "Description": name,
    }


def order(key, *lines):
    return Write(key, "create", data={"Subject": f"SO {key}", "Ordered_Items": list(lines)})


def write(connector, *batch, module="Sales_Orders"):
    return {outcome.key: outcome for outcome in connector.write(module, batch)}


def lines_of(connector, record_id, name="Ordered_Items", module="Sales_Orders"):
    rows = connector.reader.one(module, record_id)[name]
    return [(row["Product_Name"]["name"], row["Quantity"], row["List_Price"]) for row in rows]


def test_products_are_made_once_for_many_orders(stand_in):
    connector = stand_in.connect()
    found = write(connector, order("a", line("P1"), line("P2", 2)), order("b", line("P1", 3)))
    assert [outcome.error for outcome in found.values()] == [None, None]
    codes = sorted(product["Product_Code"] for product in stand_in.records("Products"))
    assert codes == ["P1", "P2"]
    assert lines_of(connector, found["b"].remote_id) == [("Pump", 3, 10.5)]
    calls = connector.http.limiter.reads + connector.http.limiter.writes
    write(connector, order("c", line("P2")))
    after = connector.http.limiter.reads + connector.http.limiter.writes
    assert after - calls == 2


def test_a_product_that_users_keep_is_used(stand_in):
    (kept,) = stand_in.seed("Products", [{"Product_Name": "Our pump", "Product_Code": "P1"}])
    connector = stand_in.connect()
    made = write(connector, order("a", line("p1", name="ERP's word")))["a"]
    (row,) = connector.reader.one("Sales_Orders", made.remote_id)["Ordered_Items"]
    assert row["Product_Name"]["id"] == kept
    assert [product["id"] for product in stand_in.records("Products")] == [kept]


def test_two_processes_make_one_product(stand_in):
    write(stand_in.connect(), order("a", line("P1"), line(None)))
    Products._known.clear()
    write(stand_in.connect(), order("b", line("P1"), line("")))
    names = sorted(product["Product_Name"] for product in stand_in.records("Products"))
    assert names == ["ERP item", "Pump"]


def test_changed_lines_take_the_place_of_the_old(stand_in):
    connector = stand_in.connect()
    made = write(connector, order("a", line("P1"), line("P2"), line("P3")))["a"].remote_id
    shorter = {"Ordered_Items": [line("P4", 7, 1.5, "Valve")]}
    assert write(connector, Write("u", "update", made, shorter))["u"].error is None
    assert lines_of(connector, made) == [("Valve", 7, 1.5)]
    longer = {"Ordered_Items": [line("P4", 1, 1.5, "Valve"), line("P1", 2)]}
    assert write(connector, Write("u", "update", made, longer))["u"].error is None
    assert lines_of(connector, made) == [("Valve", 1, 1.5), ("Pump", 2, 10.5)]


def test_invoices_work_the_same(stand_in):
    connector = stand_in.connect()
    data = {"Subject": "INV 1", "Invoice_Date": "2026-03-01", "Invoiced_Items": [line("P1", 4)]}
    made = write(connector, Write("i", "create", data=data), module="Invoices")["i"]
    assert made.after.data["Invoice_Date"] == "2026-03-01"
    assert lines_of(connector, made.remote_id, "Invoiced_Items", "Invoices") == [("Pump", 4, 10.5)]


def test_an_order_without_lines_is_refused_by_itself(stand_in):
    found = write(stand_in.connect(), order("bad"), order("good", line("P1")))
    assert isinstance(found["bad"].error, RecordError)
    assert found["bad"].error.field == "Ordered_Items"
    assert found["good"].error is None


def test_a_product_deleted_in_zoho_is_made_again(stand_in):
    connector = stand_in.connect()
    write(connector, order("a", line("P1")))
    stand_in.clear("Products")
    first = write(connector, order("b", line("P1")))["b"]
    assert isinstance(first.error, TransientError)
    assert write(connector, order("b", line("P1")))["b"].error is None


def test_a_product_that_cannot_be_made_stops_only_its_order(stand_in):
    stand_in.admin("PATCH", "/fields/Products/Product_Category", {"mandatory": True})
    try:
        stand_in.seed(
            "Products",
            [{"Product_Name": "A", "Product_Code": "P1", "Product_Category": "Other"}],
        )
        found = write(stand_in.connect(), order("a", line("P1")), order("b", line("P9")))
        assert found["a"].error is None
        assert isinstance(found["b"].error, RecordError)
        assert "Product_Category" in str(found["b"].error)
    finally:
        stand_in.admin("PATCH", "/fields/Products/Product_Category", {"mandatory": False})
