"""Orders, invoices and payments, made through the steps that a clerk would take."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.tryton import settings
from sandbox.tryton.rpc import Client

PRICE_STEP = Decimal("0.0001")


@dataclass(frozen=True)
class Line:
    product: str
    quantity: Decimal
    unit_price: Decimal


@dataclass(frozen=True)
class Sale:
    """What a sale came to; ids and numbers as Tryton gave them."""

    sale: int
    number: str
    state: str
    party: int
    total: str
    currency: str
    invoice: int | None
    invoice_number: str | None
    invoice_state: str | None
    amount_to_pay: str | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def line_worth(amount: Decimal, quantity: Decimal, product: str) -> Line:
    price = (amount / quantity).quantize(PRICE_STEP, ROUND_HALF_UP)
    return Line(product=product, quantity=quantity, unit_price=price)


def sell(
    client: Client,
    party: int,
    lines: Sequence[Line],
    *,
    reference: str = "",
    paid: bool = False,
) -> Sale:
    """Order, confirm, invoice and post; `paid` settles the invoice as well."""
    sale = _order(client, party, lines, reference)
    for button in ("quote", "confirm", "process"):
        client.confirmed(f"model.sale.sale.{button}", [sale])
    invoices = client.model("sale.sale", "read", [sale], ["invoices"])[0]["invoices"]
    if invoices:
        client.confirmed("model.account.invoice.post", invoices)
    if invoices and paid:
        pay(client, invoices[0])
    return describe(client, sale)


def _order(client: Client, party: int, lines: Sequence[Line], reference: str) -> int:
    address = client.first("party.address", [["party", "=", party]])
    if address is None:
        # An order needs an address; a customer that came without one gets an empty one.
        address = client.create("party.address", [{"party": party}])[0]
    term = _payment_term(client, party)
    company = client.context["company"]
    currency = client.model("company.company", "read", [company], ["currency"])[0]["currency"]
    values = {
        "company": company,
        "party": party,
        "currency": currency,
        "invoice_address": address,
        "shipment_address": address,
        "payment_term": term,
        "reference": reference,
        "sale_date": dt.date.today(),
        "lines": [["create", [_line_values(client, line) for line in lines]]],
    }
    return client.create("sale.sale", [values])[0]


def _payment_term(client: Client, party: int) -> int:
    own = client.model("party.party", "read", [party], ["customer_payment_term"])[0]
    if own["customer_payment_term"]:
        return own["customer_payment_term"]
    return client.only("account.invoice.payment_term", [["name", "=", "Net 30"]])


def _line_values(client: Client, line: Line) -> dict[str, Any]:
    product = settings.product(client, line.product, price=line.unit_price)
    return {
        "type": "line",
        "product": product,
        "unit": client.only("product.uom", [["symbol", "=", "u"]]),
        "quantity": float(line.quantity),
        "unit_price": line.unit_price,
    }


def pay(client: Client, invoice: int) -> None:
    """Settle an invoice in full by bank transfer, through the wizard behind the "Pay" button."""
    fields = ["amount_to_pay", "currency", "company", "party", "account"]
    row = client.model("account.invoice", "read", [invoice], fields)[0]
    method = [["name", "=", settings.PAYMENT_METHOD]]
    answers = {
        "payee": row["party"],
        "payees": [row["party"]],
        "amount": row["amount_to_pay"],
        "currency": row["currency"],
        "company": row["company"],
        "invoice_account": row["account"],
        "payment_method": client.only("account.invoice.payment.method", method),
        "date": dt.date.today(),
    }
    record = {"active_model": "account.invoice", "active_id": invoice, "active_ids": [invoice]}
    with settings.wizard(client, "account.invoice.pay") as (execute, session):
        client.call(execute, session, {}, "start", **record)
        client.call(execute, session, {"start": answers}, "choice", **record)


def describe(client: Client, sale: int) -> Sale:
    fields = ["number", "state", "party", "total_amount", "currency.code", "invoices"]
    row = client.model("sale.sale", "read", [sale], fields)[0]
    invoice = row["invoices"][0] if row["invoices"] else None
    bill: dict[str, Any] = {}
    if invoice is not None:
        wanted = ["number", "state", "amount_to_pay"]
        bill = client.model("account.invoice", "read", [invoice], wanted)[0]
    return Sale(
        sale=sale,
        number=row["number"],
        state=row["state"],
        party=row["party"],
        total=str(row["total_amount"]),
        currency=row["currency."]["code"],
        invoice=invoice,
        invoice_number=bill.get("number"),
        invoice_state=bill.get("state"),
        amount_to_pay=str(bill["amount_to_pay"]) if bill else None,
    )


def sell_to_first(client: Client, codes: Sequence[str], count: int) -> int:
    """Give the first `count` of these customers an order each; every second one has paid."""
    made = 0
    for position, code in enumerate(codes[:count], start=1):
        party = client.first("party.party", [["code", "=", code]])
        if party is None or client.first("sale.sale", [["party", "=", party]]) is not None:
            continue
        line = Line(settings.DEFAULT_PRODUCT[0], Decimal(position % 9 + 1), Decimal(100))
        reference = f"PO-{position:05d}"
        sell(client, party, [line], reference=reference, paid=position % 2 == 0)
        made += 1
    return made
