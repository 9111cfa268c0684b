"""Products for order lines: Zoho wants an id in each line, the ERP has a code and a name."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connectors.sdk.errors import ConnectorError, RecordError
from connectors.sdk.paging import batches
from connectors.zoho_crm.client import Client
from connectors.zoho_crm.read import Reader, quoted
from connectors.zoho_crm.refusals import record_refusal
from connectors.zoho_crm.schema import Metadata, check_hub_key

MODULE = "Products"
NAME_LENGTH, CODE_LENGTH = 200, 40
LONGEST_MEMORY = 20_000
Product = tuple[str, str]  # code (may be empty), name


class Products:
    """Finds products by code, and makes the missing ones, once per process and product."""

    _known: dict[tuple[object, ...], str] = {}  # noqa: RUF012  shared by all connectors on purpose

    def __init__(
        self, client: Client, reader: Reader, metadata: Metadata, *, key_field: str, spare: str
    ) -> None:
        self._client, self._reader, self._metadata = client, reader, metadata
        self._key_field, self._spare = key_field, spare

    def ids(self, wanted: Iterable[Product]) -> dict[Product, str | ConnectorError]:
        """The id of each product, or why it cannot be had."""
        missing = [p for p in dict.fromkeys(wanted) if self._cached(p) is None]
        refused: dict[Product, ConnectorError] = {}
        if missing:
            self._adopt(missing)
            absent = [p for p in missing if self._cached(p) is None]
            for some in batches(absent, 100):
                refused.update(self._make(some))
        answers: dict[Product, str | ConnectorError] = dict(refused)
        for product in wanted:
            found = self._cached(product)
            if found is not None:
                answers[product] = found
        return answers

    def product_of(self, line: Mapping[str, Any]) -> Product | None:
        """The product that a line means; None where the line already names an id."""
        given = line.get("Product_Name")
        if isinstance(given, Mapping) and given.get("id"):
            return None
        content = given if isinstance(given, Mapping) else {}
        code = str(content.get("code") or "").strip()[:CODE_LENGTH]
        name = str(content.get("name") or "").strip()[:NAME_LENGTH]
        return (code, name or code) if code else ("", self._spare)

    def forget(self) -> None:
        """Drops what is known: a product was deleted in Zoho."""
        self._known.clear()

    def _adopt(self, products: Sequence[Product]) -> None:
        """Takes the products that users keep in Zoho under the same code, and our own."""
        codes = {code.lower(): (code, name) for code, name in products if code}
        for some in batches(list(codes), 50):
            values = ",".join(quoted(codes[code][0]) for code in some)
            query = (
                f"select id, Product_Code from {MODULE} where Product_Code in ({values}) limit 200"  # noqa: S608  COQL, values quoted
            )
            for row in self._client.coql(query):
                product = codes.get(str(row.get("Product_Code")).lower())
                if product is not None:
                    self._remember(product, str(row["id"]))
        keys = {_key(p): p for p in products if self._cached(p) is None}
        for key, record_id in self._reader.ids_of_keys(MODULE, self._key_field, keys).items():
            self._remember(keys[key], record_id)

    def _make(self, products: Sequence[Product]) -> dict[Product, ConnectorError]:
        check_hub_key(self._metadata.module(MODULE), self._key_field)
        rows = [self._row(product) for product in products]
        body = {"data": rows, "duplicate_check_fields": [self._key_field], "trigger": []}
        answer = self._client.write("POST", f"/{MODULE}/upsert", body, records=len(rows))
        refused: dict[Product, ConnectorError] = {}
        for product, item in zip(products, answer.rows, strict=False):
            if item.get("status") == "success":
                self._remember(product, str(item["details"]["id"]))
                continue
            cause = record_refusal(item)
            refused[product] = RecordError(
                f"The product {product[1]!r} of an order line cannot be made in Zoho: {cause}",
                field="Product_Name",
                remote_code=str(item.get("code", "")),
            )
        return refused

    def _row(self, product: Product) -> dict[str, Any]:
        code, name = product
        row = {"Product_Name": name, self._key_field: _key(product)}
        return {**row, "Product_Code": code} if code else row

    def _cached(self, product: Product) -> str | None:
        return self._known.get((*self._client.identity, _key(product)))

    def _remember(self, product: Product, record_id: str) -> None:
        if len(self._known) >= LONGEST_MEMORY:
            self._known.clear()
        self._known[(*self._client.identity, _key(product))] = record_id


def _key(product: Product) -> str:
    """The hub key of a product: the same in every process, short enough for any key field."""
    code, name = product
    text = f"code {code.lower()}" if code else f"name {name}"
    return f"product-{hashlib.sha256(text.encode()).hexdigest()[:24]}"
