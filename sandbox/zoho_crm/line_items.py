"""Order and invoice lines: checks, row ids, and the sums that the vendor computes."""

from decimal import ROUND_HALF_UP, Decimal

from sandbox.zoho_crm.errors import ItemError, invalid_data
from sandbox.zoho_crm.values import parse_id

CENT = Decimal("0.01")


def merge_rows(box, conn, field, value, path, existing):
    """The stored rows after a write: given ids change, `_delete` removes, the others stay."""
    if not isinstance(value, list):
        raise invalid_data(field.api_name, path, expected_data_type="jsonarray")
    rows = {row["id"]: dict(row) for row in existing or []}
    for number, item in enumerate(value):
        where = f"{path}[{number}]"
        if not isinstance(item, dict):
            raise invalid_data(field.api_name, where, expected_data_type="jsonobject")
        row_id = _row_id(field, item, rows, where)
        if "_delete" in item:
            rows.pop(row_id, None)
            continue
        row_id = row_id or box.store.next_id()
        rows[row_id] = _row(box, conn, field, item, where, {**rows.get(row_id, {}), "id": row_id})
    return list(rows.values())


def _row_id(field, item, rows, path):
    if item.get("id") is None:
        return None
    row_id = parse_id(item["id"])
    if row_id not in rows:
        raise invalid_data(field.api_name, f"{path}.id", expected_data_type="bigint")
    return row_id


def _row(box, conn, field, item, path, row):
    fields = box.metadata.modules[field.subform].fields
    for name, value in item.items():
        known = fields.get(name)
        if known is None or known.read_only:
            continue
        parsed = box.values.parse(conn, known, value, f"{path}.{name}")
        if parsed is None:
            row.pop(name, None)
        else:
            row[name] = parsed
    if "Product_Name" not in row:
        details = {"api_name": "Product_Name", "json_path": f"{path}.Product_Name"}
        raise ItemError("MANDATORY_NOT_FOUND", "required field not found", details)
    return _sums(row)


def _sums(row):
    quantity = _decimal(row.setdefault("Quantity", 1))
    total = quantity * _decimal(row.setdefault("List_Price", 0))
    discounted = total - _decimal(row.get("Discount"))
    rates = [tax.get("percentage") for tax in row.get("Line_Tax") or [] if isinstance(tax, dict)]
    tax = discounted * sum((_decimal(rate) for rate in rates), Decimal(0)) / 100
    row["Total"] = _money(total)
    row["Total_After_Discount"] = _money(discounted)
    row["Tax"] = _money(tax)
    row["Net_Total"] = _money(discounted + tax)
    return row


def add_up(doc, items_field):
    """Set the sums of a document from its rows and its own discount, tax and adjustment."""
    rows = doc.get(items_field) or []
    subtotal = sum((_decimal(row.get("Net_Total")) for row in rows), Decimal(0))
    grand = subtotal - _decimal(doc.get("Discount")) + _decimal(doc.get("Tax"))
    doc["Sub_Total"] = _money(subtotal)
    doc["Grand_Total"] = _money(grand + _decimal(doc.get("Adjustment")))


def _decimal(value):
    return Decimal(str(value or 0))


def _money(value):
    return float(value.quantize(CENT, ROUND_HALF_UP))
