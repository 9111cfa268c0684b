"""Reading: listings past the 10,000 wall, records by id and by hub key."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.fxiaoke.areas import Areas
from connectors.fxiaoke.client import Client
from connectors.fxiaoke.errors import Kind
from connectors.fxiaoke.schema import Describer
from connectors.sdk.contract import Change, Cursor, Page
from connectors.sdk.errors import TransientError
from connectors.sdk.paging import batches

Row = Mapping[str, Any]
IDS_PER_QUERY = 100  # a query answers 100 rows, so it can ask for 100 ids
INVALID = "invalid"
_EXPANSIONS = ("__r", "__l", "__v", "__p", "__e", "__relation_ids")
_PAGING_AIDS = frozenset({"searchAfterId", "total_num"})


@dataclass(frozen=True, slots=True)
class Position:
    """How far an object is read. Moments are the system's, in milliseconds.

    `since`: rows changed from there on. `begun`: when this listing began; None between two
    listings. `after`: the last id that this listing has given.
    """

    since: int | None = None
    begun: int | None = None
    after: str | None = None

    @classmethod
    def of(cls, cursor: Cursor | None) -> "Position":
        cursor = cursor or {}
        return cls(cursor.get("since"), cursor.get("begun"), cursor.get("after"))

    def cursor(self) -> Cursor:
        return {"since": self.since, "begun": self.begun, "after": self.after}


class Reader:
    """Rows of one tenant in our native view."""

    def __init__(self, client: Client, describer: Describer, areas: Areas) -> None:
        self._client, self._describer, self._areas = client, describer, areas
        self._config = client.config

    def changes(self, object_name: str, cursor: Cursor | None) -> Iterator[Page]:
        """Everything changed since, by `_id`.

        There is no upper bound of time: a row that changes while the listing runs shows up now
        or, as the next listing begins before this one did, then. So an edit is seen at once, and
        a clock of the system that runs ahead of its HTTP dates hides nothing.
        """
        here = Position.of(cursor)
        if here.begun is None:
            here = Position(here.since, self._milliseconds_now())
        full = True
        while full:
            rows = self._listing(object_name, here)
            full = len(rows) == self._config.page_size
            here = _behind(here, rows) if full else Position(here.begun)
            yield Page([self.change(object_name, row) for row in rows], here.cursor())

    def fetch(self, object_name: str, ids: Sequence[str]) -> Iterator[Change]:
        """The records with these ids; a tombstone for each that is gone or invalid."""
        for some in batches(list(dict.fromkeys(ids)), IDS_PER_QUERY):
            rows = {row["_id"]: row for row in self.rows_by_id(object_name, some)}
            for remote_id in some:
                row = rows.get(remote_id)
                yield self.change(object_name, row) if row else Change(object_name, remote_id, None)

    def find(self, object_name: str, keys: Sequence[str]) -> dict[str, Change]:
        """Living records by hub key; of several with one key the oldest."""
        field, found = self._config.hub_key_field, dict[str, Change]()
        for some in batches(list(dict.fromkeys(keys)), IDS_PER_QUERY // 2):
            rows = self.query(object_name, [condition(field, "IN", some)])
            for row in rows:
                if not is_invalid(row):
                    found.setdefault(str(row[field]), self.change(object_name, row))
        return {key: change for key, change in found.items() if key in set(keys)}

    def rows_by_id(self, object_name: str, ids: Sequence[str]) -> list[Row]:
        """The rows as the system sends them, codes and all."""
        return self.query(object_name, [condition("_id", "IN", ids)])

    def query(
        self, object_name: str, filters: Sequence[Row], limit: int = IDS_PER_QUERY
    ) -> list[Row]:
        """One query, ordered by `_id`; empty fields are sent as null."""
        search = {
            "limit": limit,
            "offset": 0,
            "filters": list(filters),
            "orders": [{"fieldName": "_id", "isAsc": True}],
        }
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

    def change(self, object_name: str, row: Row) -> Change:
        """A row in our native view; an invalid one is a tombstone."""
        version = row.get("version")
        return Change(
            object_name,
            str(row["_id"]),
            None if is_invalid(row) else self._whole(object_name, row),
            None if version is None else str(version),  # text or number, by tenant
            _moment(row.get("last_modified_time")),
        )

    def _whole(self, object_name: str, row: Row) -> Row:
        fields = dict.fromkeys(self._describer.fields(object_name))
        held = {name: _or_none(value) for name, value in row.items() if not _is_aid(name)}
        areas = self._areas.named(row, self._describer.levels(object_name))
        return {**fields, **held, **areas}

    def _listing(self, object_name: str, here: Position) -> list[Row]:
        filters = []
        if here.since is not None:
            overlap = int((self._config.overlap_seconds + self._config.lag_seconds) * 1000)
            filters.append(condition("last_modified_time", "GTE", [here.since - overlap]))
        if here.after is not None:
            filters.append(condition("_id", "GT", [here.after]))
        return self.query(object_name, filters, self._config.page_size)

    def _milliseconds_now(self) -> int:
        return int(self._client.now().timestamp() * 1000)


def data_path(object_name: str, action: str) -> str:
    """Custom objects have paths of their own; the wrong one fails."""
    family = "custom/v2" if object_name.endswith("__c") else "v2"
    return f"/cgi/crm/{family}/data/{action}"


def is_invalid(row: Row) -> bool:
    """Invalid (作废) is the system's archive: gone for everybody who works with it."""
    return row.get("life_status") == INVALID or row.get("is_deleted") is True


def is_empty(value: Any) -> bool:
    """What older and newer rows send for nothing."""
    return value is None or value in ("", [])


def _behind(here: Position, rows: Sequence[Row]) -> Position:
    last = str(rows[-1]["_id"])
    if here.after is not None and last <= here.after:
        raise TransientError("纷享销客 sent the same page again; its paging stands still.")
    return Position(here.since, here.begun, last)


def condition(field: str, operator: str, values: Sequence[Any]) -> Row:
    """One filter of a query; they all have to hold."""
    return {"field_name": field, "operator": operator, "field_values": list(values)}


def _is_aid(name: str) -> bool:
    return name in _PAGING_AIDS or name.endswith(_EXPANSIONS)


def _or_none(value: Any) -> Any:
    return None if is_empty(value) else value


def _moment(milliseconds: Any) -> datetime | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
