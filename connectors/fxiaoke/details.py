"""Detail rows of a changed order or payment, set right where an update did not move them.

Whether an update replaces the details that it is given is not documented for the Open API. So
they are looked at afterwards; where the tenant ignored them, the rows are written one by one.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.fxiaoke.client import Client
from connectors.fxiaoke.errors import Kind
from connectors.fxiaoke.rows import Row, Rows, condition, data_path

MASTERS = {"SalesOrderProductObj": "order_id", "OrderPaymentObj": "payment_id"}
Details = Mapping[str, Sequence[Row]]
_ROUNDING = Decimal("0.01")  # amounts are kept to the cent


class DetailRows:
    """The rows below a master."""

    def __init__(self, client: Client, rows: Rows, flags: Mapping[str, bool]) -> None:
        self._client, self._rows, self._flags = client, rows, flags

    def settle(self, master_id: str, details: Details, owner: Any) -> None:
        """Makes the rows equal to what was sent."""
        for detail, wanted in details.items():
            below = condition(MASTERS[detail], "EQ", [master_id])
            surplus = list(self._rows.living(detail, below))
            missing = [line for line in wanted if not _take(surplus, line)]
            for line in missing:
                self._create(detail, {**line, MASTERS[detail]: master_id, "owner": owner})
            for row in surplus:
                self._invalidate(detail, str(row["_id"]))

    def _create(self, detail: str, line: Row) -> None:
        row = {"record_type": "default__c", **line, "dataObjectApiName": detail}
        body = {**self._flags, "data": {"object_data": row}}
        # Where the answer gets lost, the order is in doubt and written again; the row that was
        # made for nothing is surplus then.
        self._client.call(data_path(detail, "create"), body, Kind.CREATE)

    def _invalidate(self, detail: str, row_id: str) -> None:
        row = {"dataObjectApiName": detail, "object_data_id": row_id}
        self._client.call(data_path(detail, "invalid"), {**self._flags, "data": row}, Kind.CHANGE)


def _take(rows: list[Row], line: Row) -> bool:
    """Removes one row that holds the line; False where there is none."""
    for index, row in enumerate(rows):
        if all(_same(row.get(name), value) for name, value in line.items()):
            del rows[index]
            return True
    return False


def _same(held: Any, sent: Any) -> bool:
    if str(held) == str(sent):
        return True
    try:
        return abs(Decimal(str(held)) - Decimal(str(sent))) < _ROUNDING
    except InvalidOperation:
        return False
