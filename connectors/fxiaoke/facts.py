"""Orders and payments: what of a write belongs to the master, what to its detail rows."""

from typing import Any

from connectors.fxiaoke.lines import ORDER_LINE, OrderLines
from connectors.fxiaoke.rows import Rows, is_empty
from connectors.fxiaoke.schema import LINES, ORDER
from connectors.sdk.contract import Native

PAYMENT, PAYMENT_LINE = "PaymentObj", "OrderPaymentObj"
Details = dict[str, list[dict[str, Any]]]


class Facts:
    """Splits a write into the master's fields and its detail rows."""

    def __init__(self, rows: Rows, lines: OrderLines) -> None:
        self._rows, self._lines = rows, lines

    def split(
        self, object_name: str, data: Native, remote_id: str | None
    ) -> tuple[dict[str, Any], Details | None]:
        """The master's own fields, and details where the write says something about them."""
        own = {name: value for name, value in data.items() if name != LINES}
        if object_name == ORDER and LINES in data:
            return own, {ORDER_LINE: self._lines.detail_rows(data[LINES] or ())}
        if object_name == PAYMENT and own.keys() & {"order_id", "payment_amount"}:
            return own, self._payment_lines(own, remote_id)
        return own, None

    def refused(self, object_name: str) -> None:
        """A write of this object was refused."""
        if object_name == ORDER:
            self._lines.refused()

    def _payment_lines(self, own: Native, remote_id: str | None) -> Details | None:
        # An update may name only one of the two; the detail row always needs both.
        stored = self._rows.by_id(PAYMENT, [remote_id]).get(remote_id, {}) if remote_id else {}
        order_id = own.get("order_id", stored.get("order_id"))
        amount = own.get("payment_amount", stored.get("payment_amount"))
        if is_empty(order_id):
            return {PAYMENT_LINE: []} if remote_id else None
        return {PAYMENT_LINE: [{"order_id": order_id, "payment_amount": amount}]}
