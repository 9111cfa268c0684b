"""Lines of orders and invoices: product ids, and rows that replace those that are there."""

from collections.abc import Mapping
from typing import Any

from connectors.sdk.errors import ConnectorError, RecordError, TransientError
from connectors.zoho_crm.products import Product, Products
from connectors.zoho_crm.read import Reader
from connectors.zoho_crm.schema import Module

Rows = Mapping[str, Mapping[str, Any]]  # key of the write -> record to send
Refused = dict[str, RecordError | TransientError]


class Lines:
    """Makes records with subform rows ready to send; others pass through unchanged.

    A line names its product as `{"Product_Name": {"code": ..., "name": ...}}`.
    """

    def __init__(self, reader: Reader, products: Products) -> None:
        self._reader, self._products = reader, products

    def resolved(self, module: Module, records: Rows) -> tuple[Rows, Refused]:
        """Records by key, ready; and those that cannot be sent, with the reason."""
        subforms = [n for n in module.fields if module.type_of(n) == "subform"]
        wanted = {
            product
            for record in records.values()
            for line in _lines_of(record, subforms)
            if (product := self._products.product_of(line)) is not None
        }
        if not any(name in record for record in records.values() for name in subforms):
            return records, {}
        ids = self._products.ids(sorted(wanted))
        ready: dict[str, Mapping[str, Any]] = {}
        refused: Refused = {}
        for key, record in records.items():
            error = self._refusal(record, subforms, ids)
            if error is not None:
                refused[key] = error
            else:
                ready[key] = self._filled(module.name, record, subforms, ids)
        return ready, refused

    def excused(self, error: ConnectorError) -> ConnectorError:
        """The refusal of a line whose product was deleted: it is made again with the next try."""
        if isinstance(error, RecordError) and error.field == "Product_Name":
            self._products.forget()
            return TransientError("A product of the lines was deleted in Zoho; it is made again.")
        return error

    def _refusal(
        self,
        record: Mapping[str, Any],
        subforms: list[str],
        ids: Mapping[Product, str | ConnectorError],
    ) -> RecordError | TransientError | None:
        for line in _lines_of(record, subforms):
            product = self._products.product_of(line)
            found = ids.get(product) if product else ""
            if isinstance(found, RecordError | TransientError):
                return found
            if found is None:
                return TransientError("Zoho did not say what became of a product.")
        return None

    def _filled(
        self,
        module: str,
        record: Mapping[str, Any],
        subforms: list[str],
        ids: Mapping[Product, str | ConnectorError],
    ) -> Mapping[str, Any]:
        full = dict(record)
        written = [name for name in subforms if name in record]
        held = self._reader.one(module, str(record["id"])) if written and "id" in record else None
        for name in written:
            lines = [self._with_id(line, ids) for line in record[name] or ()]
            full[name] = _replacing(lines, (held or {}).get(name) or ())
        return full

    def _with_id(
        self, line: Mapping[str, Any], ids: Mapping[Product, str | ConnectorError]
    ) -> dict[str, Any]:
        product = self._products.product_of(line)
        return {**line, "Product_Name": {"id": ids[product]}} if product else dict(line)


def _lines_of(record: Mapping[str, Any], subforms: list[str]) -> list[Mapping[str, Any]]:
    return [line for name in subforms for line in record.get(name) or ()]


def _replacing(lines: list[dict[str, Any]], held: Any) -> list[dict[str, Any]]:
    """The lines, each in the place of a row that is there; rows left over are deleted.

    Zoho keeps rows that an update does not name, so a list of new rows alone would add to them.
    """
    old = [str(row["id"]) for row in held if row.get("id")]
    placed = [
        {**line, "id": old[place]} if place < len(old) else line for place, line in enumerate(lines)
    ]
    return placed + [{"id": row_id, "_delete": None} for row_id in old[len(lines) :]]
