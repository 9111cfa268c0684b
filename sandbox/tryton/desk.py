"""A clerk's seat at a running ERP, for tests and the demo: log in by its data folder, do things."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox.tryton.commerce import Sale, line_worth, sell
from sandbox.tryton.rpc import Client
from sandbox.tryton.settings import DEFAULT_PRODUCT

FACTS = "tryton.json"
ADMIN = "admin"


def read_facts(folder: Path) -> dict[str, Any]:
    """What the launcher printed when it started on this folder."""
    path = folder / FACTS
    if not path.exists():
        raise LookupError(f"No ERP was started on {folder}.")
    return json.loads(path.read_text())


def as_admin(folder: Path) -> Client:
    facts = read_facts(folder)
    client = Client(facts["base_url"], facts["database"])
    client.login(ADMIN, facts["admin_password"])
    return client


def make_sale(
    folder: Path,
    *,
    party: str | int,
    amount: Decimal,
    quantity: Decimal = Decimal(1),
    product: str = DEFAULT_PRODUCT[0],
    reference: str = "",
    paid: bool = False,
) -> Sale:
    """Order, invoice and (with `paid`) settle; `party` is a customer's code or id."""
    client = as_admin(folder)
    party_id = (
        party if isinstance(party, int) else client.first("party.party", [["code", "=", party]])
    )
    if party_id is None:
        raise LookupError(f"No customer has the code {party}.")
    line = line_worth(amount, quantity, product)
    return sell(client, party_id, [line], reference=reference, paid=paid)
