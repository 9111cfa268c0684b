"""Products: lines name them by code, the system by id; missing ones are created."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.fxiaoke.client import Client
from connectors.fxiaoke.errors import Kind
from connectors.fxiaoke.rows import PAGE, Rows, condition, data_path, is_invalid
from connectors.fxiaoke.schema import LINES
from connectors.sdk.errors import AnswerLostError, RecordError, TransientError
from connectors.sdk.paging import batches

PRODUCT = "ProductObj"
LONGEST_NAME = 100
Line = Mapping[str, Any]


class Products:
    """Codes and ids of one tenant's products, remembered. Safe to use from several threads."""

    def __init__(self, client: Client, rows: Rows) -> None:
        self._client, self._rows = client, rows
        self._generic = client.config.generic_product_code
        self._ids: dict[str, str] = {}
        self._codes: dict[str, str] = {}
        self._lock = threading.Lock()  # two orders at once must not create one product twice

    def code(self, line: Line) -> str:
        """The code of a line's product; a line that names none has the general one."""
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

    def codes(self, ids: Sequence[str]) -> dict[str, str | None]:
        """The code for each id; None for the general product and for products without a code."""
        with self._lock:
            unknown = [one for one in dict.fromkeys(ids) if one not in self._codes]
            for some in batches(unknown, PAGE):
                for product_id, row in self._rows.by_id(PRODUCT, some).items():
                    self._codes[product_id] = str(row.get("product_code") or "")
            found = {one: self._codes.get(one) for one in ids}
        return {one: code if code != self._generic else None for one, code in found.items()}

    def forget(self) -> None:
        """Looks every product up again: one of them may have been made invalid."""
        with self._lock:
            self._ids.clear()

    def _look_up(self, codes: Sequence[str]) -> None:
        for some in batches(codes, PAGE // 2):
            for row in self._rows.query(PRODUCT, [condition("product_code", "IN", some)]):
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
            sentence = f"Product {code} of a line cannot be created: {exc}"
            raise RecordError(sentence, field=LINES) from exc
        return str(answer["dataId"])
