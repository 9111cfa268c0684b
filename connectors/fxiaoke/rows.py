"""Rows as the system sends them: queries by keyset, by id, by any filter."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.fxiaoke.client import Client
from connectors.fxiaoke.errors import Kind
from connectors.sdk.errors import TransientError

Row = Mapping[str, Any]
PAGE = 100  # rows that a query answers at most, so also ids that it can be asked for
INVALID = "invalid"


class Rows:
    """Queries of one tenant. Rows hold codes and ids, empty fields are null."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def query(
        self,
        object_name: str,
        filters: Sequence[Row],
        limit: int = PAGE,
        fields: Sequence[str] = (),
    ) -> list[Row]:
        """One query, ordered by `_id`; of all fields where none are named."""
        search: dict[str, Any] = {
            "limit": limit,
            "offset": 0,
            "filters": list(filters),
            "orders": [{"fieldName": "_id", "isAsc": True}],
        }
        if fields:
            search["fieldProjection"] = list(fields)
        data = {
            "dataObjectApiName": object_name,
            "find_explicit_total_num": False,
            "search_query_info": search,
        }
        answer = self._client.call(
            data_path(object_name, "query"), {"includeNull": True, "data": data}, Kind.READ
        )
        rows = (answer.get("data") or {}).get("dataList")
        if not isinstance(rows, list):
            raise TransientError("纷享销客 answered a query without a list.")
        return rows

    def by_id(
        self, object_name: str, ids: Sequence[str], fields: Sequence[str] = ()
    ) -> dict[str, Row]:
        """At most a hundred rows by id; those that are gone are missing."""
        if not ids:
            return {}
        found = self.query(object_name, [condition("_id", "IN", ids)], fields=fields)
        return {str(row["_id"]): row for row in found}

    def living(self, object_name: str, *filters: Row) -> Iterator[Row]:
        """All rows that are not invalid, however many."""
        after: list[Row] = []
        while True:
            rows = self.query(object_name, [*filters, *after])
            yield from (row for row in rows if not is_invalid(row))
            if len(rows) < PAGE:
                return
            after = [condition("_id", "GT", [rows[-1]["_id"]])]


def condition(field: str, operator: str, values: Sequence[Any]) -> Row:
    """One filter of a query; they all have to hold."""
    return {"field_name": field, "operator": operator, "field_values": list(values)}


def data_path(object_name: str, action: str) -> str:
    """Custom objects have paths of their own; the wrong one fails."""
    family = "custom/v2" if object_name.endswith("__c") else "v2"
    return f"/cgi/crm/{family}/data/{action}"


def is_invalid(row: Row) -> bool:
    """Invalid (作废) is the system's archive: gone for everybody who works with it."""
    return row.get("life_status") == INVALID or row.get("is_deleted") is True


def is_empty(value: Any) -> bool:
    """What older and newer rows send for nothing."""
    return not value and (value is None or isinstance(value, (str, list)))
