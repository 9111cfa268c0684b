"""The objects that a fresh tenant has, with their fields as describe shows them."""

from typing import Any

from sandbox.fxiaoke.catalog import commerce, customers, people


def fresh_describes() -> list[dict[str, Any]]:
    return [
        customers.account(),
        customers.contact(),
        customers.lead(),
        customers.opportunity(),
        commerce.order(),
        commerce.order_line(),
        commerce.payment(),
        commerce.payment_line(),
        commerce.product(),
        customers.address(),
        *customers.pools(),
        people.personnel(),
        people.departments(),
        people.custom_object(),
    ]
