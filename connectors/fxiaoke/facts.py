"""Orders and payments with their detail rows: lines find their product, payments their order."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.fxiaoke.client import Client
from connectors.fxiaoke.errors import Kind
from connectors.fxiaoke.read import Reader, condition, data_path, is_empty, is_invalid
from connectors.fxiaoke.schema import LINES, ORDER, Describer
from connectors.sdk.contract import Native
from connectors.sdk.errors import AnswerLostError, RecordError, TransientError
from connectors.sdk.paging import batches

ORDER_LINE = "SalesOrderProductObj"
PAYMENT, PAYMENT_LINE = "PaymentObj", "OrderPaymentObj"
PRODUCT = "ProductObj"
LONGEST_NAME = 100
_LINE_FIELDS = {"quantity": "quantity", "unit_price": "sales_price", "amount": "subtotal"}
Line = Mapping[str, Any]
Details = dict[str, list[dict[str, Any]]]


class Facts:
    """Splits a write into the master's fields and its detail rows."""

    def __init__(self, client: Client, reader: Reader, describer: Describer) -> None:
        self._reader, self._describer = reader, describer
        self._products = Products(client, reader)

    def split(
        self, object_name: str, data: Native, remote_id: str | None
    ) -> tuple[dict[str, Any], Details | None]:
        """The master's own fields, and details where the write says something about them."""
        own = {name: value for name, value in data.items() if name != LINES}
        if object_name == ORDER and LINES in data:
            return own, {ORDER_LINE: self._order_lines(data[LINES] or ())}
        if object_name == PAYMENT and own.keys() & {"order_id", "payment_amount"}:
            return own, self._payment_lines(own, remote_id)
        return own, None

    def _order_lines(self, lines: Sequence[Line]) -> list[dict[str, Any]]:
        products = self._products.ids(lines)
        units = self._units() if any(line.get("unit") for line in lines) else {}
        return [
            {
                "product_id": products[self._products.code(line)],
                **{
                    theirs: line[ours] for ours, theirs in _LINE_FIELDS.items() if _says(line, ours)
                },
                **({"unit": units[line["unit"]]} if line.get("unit") in units else {}),
                **({"remark": line["description"]} if line.get("description") else {}),
            }
            for line in lines
        ]

    def _payment_lines(self, own: Native, remote_id: str | None) -> Details | None:
        # An update may name only one of the two; the detail row always needs both.
        stored = self._stored(remote_id) if remote_id else {}
        order_id = own.get("order_id", stored.get("order_id"))
        amount = own.get("payment_amount", stored.get("payment_amount"))
        if is_empty(order_id):
            return {PAYMENT_LINE: []} if remote_id else None
        return {PAYMENT_LINE: [{"order_id": order_id, "payment_amount": amount}]}

    def _stored(self, remote_id: str) -> Mapping[str, Any]:
        return next(iter(self._reader.rows_by_id(PAYMENT, [remote_id])), {})

    def _units(self) -> dict[str, str]:
        """Units that the system knows, by label and by value."""
        options = self._describer.fields(ORDER_LINE).get("unit", {}).get("options") or ()
        known = {str(option["label"]): str(option["value"]) for option in options}
        return {**known, **{value: value for value in known.values()}}


class Products:
    """Products by code, created where the system lacks them."""

    def __init__(self, client: Client, reader: Reader) -> None:
        self._client, self._reader = client, reader
        self._generic = client.config.generic_product_code
        self._ids: dict[str, str] = {}
        self._lock = threading.Lock()  # two orders at once must not create one product twice

    def code(self, line: Line) -> str:
        return str(line.get("product_code") or self._generic)

    def ids(self, lines: Sequence[Line]) -> dict[str, str]:
        """The product's id for each line's code."""
        by_code = {self.code(line): line for line in lines}
        with self._lock:
            self._look_up([code for code in by_code if code not in self._ids])
            for code, line in by_code.items():
                if code not in self._ids:
                    self._ids[code] = self._create(code, line)
            return {code: self._ids[code] for code in by_code}

    def _look_up(self, codes: Sequence[str]) -> None:
        for some in batches(codes, 50):
            for row in self._reader.query(PRODUCT, [condition("product_code", "IN", some)]):
                if not is_invalid(row):
                    self._ids.setdefault(str(row["product_code"]), str(row["_id"]))

    def _create(self, code: str, line: Line) -> str:
        name = str(line.get("description") or code).splitlines()[0]
        product = {
            "dataObjectApiName": PRODUCT,
            "name": code if code == self._generic else name[:LONGEST_NAME],
            "product_code": code,
            "price": str(line.get("unit_price") or "0"),
            "product_status": "1",
            "record_type": "default__c",
            "owner": [self._client.config.owner_id or self._client.actor()],
        }
        request = {
            "triggerApprovalFlow": False,
            "triggerWorkFlow": False,
            "data": {"object_data": product},
        }
        try:
            answer = self._client.call(data_path(PRODUCT, "create"), request, Kind.CREATE)
        except AnswerLostError as exc:
            # The order itself was not sent; the next try looks the product up first.
            raise TransientError(f"The answer for product {code} got lost.") from exc
        except RecordError as exc:
            raise RecordError(
                f"Product {code} of a line cannot be created: {exc}",
                field=LINES,
                remote_code=exc.remote_code,
            ) from exc
        return str(answer["dataId"])


def _says(line: Line, name: str) -> bool:
    return line.get(name) is not None
