"""Sales, invoices and payments as native records; Tryton owns them, the hub only reads."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.tryton.parties import Row

SALE_FIELDS = (
    "number",
    "reference",
    "state",
    "sale_date",
    "currency.code",
    "untaxed_amount",
    "tax_amount",
    "total_amount",
    "payment_term.name",
    "party",
    "invoice_state",
    "shipment_state",
)
INVOICE_FIELDS = (
    "number",
    "reference",
    "state",
    "invoice_date",
    "currency.code",
    "untaxed_amount",
    "tax_amount",
    "total_amount",
    "amount_to_pay",
    "party",
    "sales",
    "lines_to_pay.maturity_date",
)
LINE_FIELDS = (
    "lines.type",
    "lines.product.code",
    "lines.product.rec_name",
    "lines.description",
    "lines.quantity",
    "lines.unit.symbol",
    "lines.unit_price",
    "lines.amount",
    "lines.last_modified_at",
)
PAYMENT_FIELDS = (
    "move.number",
    "date",
    "credit",
    "currency.code",
    "amount_second_currency",
    "second_currency.code",
    "journal.name",
    "party",
    "invoice_payments.sales",
)
STAMPS = ("last_modified_at", "_timestamp")


def sale(row: Row) -> dict[str, Any]:
    """A sale with its lines of goods; comments and subtotals are left out."""
    return {
        **_head(row),
        "sale_date": row["sale_date"],
        "payment_term": _of(row, "payment_term", "name"),
        "invoice_state": row["invoice_state"],
        "shipment_state": row.get("shipment_state"),
    }


def invoice(row: Row) -> dict[str, Any]:
    """A customer invoice; `due_date` is when the last part of it falls due."""
    due = [each["maturity_date"] for each in row["lines_to_pay."] or () if each["maturity_date"]]
    sales = row.get("sales") or ()
    return {
        **_head(row),
        "invoice_date": row["invoice_date"],
        "due_date": max(due, default=None),
        "amount_to_pay": row["amount_to_pay"],
        "sale": str(min(sales)) if sales else None,
    }


def payment(row: Row) -> dict[str, Any]:
    """Money received: a posted line that lowers what the customer owes."""
    invoices = row["invoice_payments."] or ()
    paid = min(invoices, key=lambda each: int(each["id"]), default=None)
    foreign = row["second_currency."] and row["amount_second_currency"]
    return {
        "id": str(row["id"]),
        "number": _of(row, "move", "number"),
        "date": row["date"],
        "party": str(row["party"]) if row["party"] else None,
        "invoice": str(paid["id"]) if paid else None,
        "sale": str(min(paid["sales"])) if paid and paid.get("sales") else None,
        "amount": str(row["amount_second_currency"]).lstrip("-") if foreign else row["credit"],
        "currency": _of(row, "second_currency" if foreign else "currency", "code"),
        "journal": _of(row, "journal", "name"),
        "last_modified_at": row["last_modified_at"],
    }


def last_modified(row: Row) -> str:
    """When the record or one of its lines was last changed."""
    lines: Sequence[Row] = row.get("lines.") or ()
    return max(str(each["last_modified_at"]) for each in (row, *lines))


def version(row: Row) -> str:
    """Moves with the record, its lines and what is still to be paid."""
    return f"{row['_timestamp']}-{last_modified(row)}-{row.get('amount_to_pay', '')}"


def _head(row: Row) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "number": row["number"],
        "reference": row["reference"],
        "state": row["state"],
        "party": str(row["party"]) if row["party"] else None,
        "currency": _of(row, "currency", "code"),
        "untaxed_amount": row["untaxed_amount"],
        "tax_amount": row["tax_amount"],
        "total_amount": row["total_amount"],
        "lines": [_line(each) for each in row["lines."] or () if each["type"] == "line"],
        "last_modified_at": last_modified(row),
    }


def _line(row: Row) -> Mapping[str, Any]:
    return {
        "product": _of(row, "product", "code"),
        "description": row["description"] or _of(row, "product", "rec_name"),
        "quantity": str(row["quantity"]),
        "unit": _of(row, "unit", "symbol"),
        "unit_price": row["unit_price"],
        "amount": row["amount"],
    }


def _of(row: Row, name: str, key: str) -> Any:
    held = row.get(f"{name}.")
    return held.get(key) if held else None
