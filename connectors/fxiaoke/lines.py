"""The lines of an order: a list in our native view, detail rows with products over there."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.fxiaoke.products import Line, Products
from connectors.fxiaoke.rows import PAGE, Row, Rows, condition
from connectors.fxiaoke.schema import Describer
from connectors.sdk.paging import batches

ORDER_LINE = "SalesOrderProductObj"
_FIELDS = {
    "quantity": "quantity",
    "unit_price": "sales_price",
    "amount": "subtotal",
    "description": "remark",
}  # ours: theirs


class OrderLines:
    """Reads and makes the lines of orders."""

    def __init__(self, rows: Rows, products: Products, describer: Describer) -> None:
        self._rows, self._products, self._describer = rows, products, describer

    def read(self, order_ids: Sequence[str]) -> dict[str, list[Line]]:
        """The lines of each order, in the order in which they were made."""
        rows: list[Row] = []
        for some in batches(order_ids, PAGE):
            rows += self._rows.living(ORDER_LINE, condition("order_id", "IN", some))
        if not rows:
            return {}
        codes = self._products.codes([str(row["product_id"]) for row in rows])
        labels = {value: label for label, value in self._units().items()}
        found: dict[str, list[Line]] = {}
        for row in rows:
            line = {ours: row.get(theirs) for ours, theirs in _FIELDS.items()}
            line["product_code"] = codes.get(str(row["product_id"])) or None
            line["unit"] = labels.get(str(row.get("unit")))
            found.setdefault(str(row["order_id"]), []).append(line)
        return found

    def detail_rows(self, lines: Sequence[Line]) -> list[dict[str, Any]]:
        """The lines as detail rows; products that the system lacks are created."""
        products = self._products.ids(lines)
        units = self._units() if any(line.get("unit") for line in lines) else {}
        return [self._detail_row(line, products, units) for line in lines]

    def refused(self) -> None:
        """An order was refused; what is remembered of its products may be the reason."""
        self._products.forget()

    def _detail_row(
        self, line: Line, products: Mapping[str, str], units: Mapping[str, str]
    ) -> dict[str, Any]:
        row: dict[str, Any] = {"product_id": products[self._products.code(line)]}
        row |= {theirs: line[ours] for ours, theirs in _FIELDS.items() if line.get(ours)}
        if line.get("unit") in units:
            row["unit"] = units[str(line["unit"])]  # a unit that the tenant lacks is left out
        return row

    def _units(self) -> dict[str, str]:
        """The tenant's units: value by label."""
        options = self._describer.fields(ORDER_LINE).get("unit", {}).get("options") or ()
        return {str(option["label"]): str(option["value"]) for option in options}
