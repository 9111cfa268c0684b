"""Detail rows of a changed order or payment, set right where an update did not move them.

Whether an update replaces the details that it is given is not documented for the Open API. So
they are looked at afterwards; where the tenant ignored them, the rows are written one by one.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.fxiaoke.client import Client
from connectors.fxiaoke.errors import Kind
from connectors.fxiaoke.read import IDS_PER_QUERY, Reader, Row, condition, data_path, is_invalid

MASTERS = {"SalesOrderProductObj": "order_id", "OrderPaymentObj": "payment_id"}
Details = Mapping[str, Sequence[Row]]
_ROUNDING = Decimal("0.01")  # amounts are kept to the cent


class DetailRows:
    """The rows below a master."""

    def __init__(self, client: Client, reader: Reader, flags: Mapping[str, bool]) -> None:
        self._client, self._reader, self._flags = client, reader, flags

    def settle(self, master_id: str, details: Details, owner: Any) -> None:
        """Makes the rows equal to what was sent."""
        for detail, wanted in details.items():
            surplus = self._rows(detail, master_id)
            missing = [line for line in wanted if not _take(surplus, line)]
            for line in missing:
                self._create(detail, {**line, MASTERS[detail]: master_id, "owner": owner})
            for row in surplus:
                self._invalidate(detail, str(row["_id"]))

    def _rows(self, detail: str, master_id: str) -> list[Row]:
        found: list[Row] = []
        after: list[Row] = []
        while True:
            rows = self._reader.query(
                detail, [condition(MASTERS[detail], "EQ", [master_id]), *after]
            )
            found += [row for row in rows if not is_invalid(row)]
            if len(rows) < IDS_PER_QUERY:
                return found
            after = [condition("_id", "GT", [rows[-1]["_id"]])]

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
