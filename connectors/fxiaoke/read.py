"""Reading: listings past the 10,000 wall, records by id and by hub key, in our native view."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from connectors.fxiaoke.areas import Areas
from connectors.fxiaoke.client import Client
from connectors.fxiaoke.lines import OrderLines
from connectors.fxiaoke.rows import PAGE, Row, Rows, condition, is_empty, is_invalid
from connectors.fxiaoke.schema import LINES, ORDER, Describer, Fields
from connectors.sdk.contract import Change, Cursor, Page
from connectors.sdk.errors import TransientError
from connectors.sdk.paging import batches

_EXPANSIONS = ("__r", "__l", "__v", "__p", "__e", "__relation_ids")
_NOT_ASKED = frozenset({"group", "embedded_object_list"})  # containers; the sales team
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
    """Records of one tenant."""

    def __init__(
        self, client: Client, rows: Rows, describer: Describer, areas: Areas, lines: OrderLines
    ) -> None:
        self._client, self._rows, self._lines = client, rows, lines
        self._describer, self._areas = describer, areas
        self._config = client.config
        self._asked: dict[str, tuple[Fields, list[str]]] = {}  # once for each description

    def changes(self, object_name: str, cursor: Cursor | None) -> Iterator[Page]:
        """Everything changed since, by `_id`.

        There is no upper bound of time: a row that changes while the listing runs shows up now
        or, as the next listing begins before this one did, then. So an edit is seen at once, and
        a clock of the system that runs ahead of its HTTP dates hides nothing.
        """
        return self._pages(object_name, Position.of(cursor), [])

    def unkeyed(self, object_name: str, cursor: Cursor) -> Iterator[Page]:
        """The same without the rows that carry a hub key."""
        given = Position.of(cursor)
        here = given if given.since is None else Position(given.since)
        empty = condition(self._config.hub_key_field, "IS", [])
        return self._pages(object_name, here, [empty])

    def _pages(self, object_name: str, here: Position, only: Sequence[Row]) -> Iterator[Page]:
        if here.begun is None:
            here = Position(here.since, int(self._client.now().timestamp() * 1000))
        full = True
        while full:
            rows = self._listing(object_name, here, only)
            full = len(rows) == self._config.page_size
            here = _behind(here, rows) if full else Position(here.begun)
            yield Page(self.changes_of(object_name, rows), here.cursor())

    def fetch(self, object_name: str, ids: Sequence[str]) -> Iterator[Change]:
        """The records with these ids; a tombstone for each that is gone or invalid."""
        for some in batches(list(dict.fromkeys(ids)), PAGE):
            rows = self.rows_by_id(object_name, some)
            yield from self.changes_of(object_name, rows.values())
            yield from (Change(object_name, one, None) for one in some if one not in rows)

    def find(self, object_name: str, keys: Sequence[str]) -> dict[str, Change]:
        """Living records by hub key; of several with one key the oldest."""
        field, found = self._config.hub_key_field, dict[str, Row]()
        for some in batches(list(dict.fromkeys(keys)), PAGE // 2):
            keyed = condition(field, "IN", some)
            for row in self._rows.query(object_name, [keyed], fields=self._fields(object_name)):
                if not is_invalid(row) and row.get(field) in some:
                    found.setdefault(row[field], row)
        changes = self.changes_of(object_name, found.values())
        return dict(zip(found, changes, strict=True))

    def rows_by_id(self, object_name: str, ids: Sequence[str]) -> dict[str, Row]:
        """At most a hundred rows with the fields that are read of them."""
        return self._rows.by_id(object_name, ids, self._fields(object_name))

    def changes_of(self, object_name: str, rows: Iterable[Row]) -> list[Change]:
        """The rows in our native view, in the same order; invalid ones are tombstones."""
        listed = list(rows)
        living = [str(row["_id"]) for row in listed if not is_invalid(row)]
        lines = self._lines.read(living) if object_name == ORDER else {}
        return [self._change(object_name, row, lines) for row in listed]

    def _change(self, object_name: str, row: Row, lines: Row) -> Change:
        version = row.get("version")
        whole = None if is_invalid(row) else self._whole(object_name, row)
        if whole is not None and object_name == ORDER:
            whole[LINES] = lines.get(str(row["_id"]), [])
        return Change(
            object_name,
            str(row["_id"]),
            whole,
            None if version is None else str(version),  # text or number, by tenant
            _moment(row.get("last_modified_time")),
            edited=_is_edited(row),
        )

    def _whole(self, object_name: str, row: Row) -> dict[str, Any]:
        whole: dict[str, Any] = dict.fromkeys(self._fields(object_name))
        for name in _told(tuple(row)):
            value = row[name]
            whole[name] = None if value is None or is_empty(value) else value
        whole.update(self._areas.named(row, self._describer.levels(object_name)))
        return whole

    def _listing(self, object_name: str, here: Position, only: Sequence[Row]) -> list[Row]:
        filters = list(only)
        if here.since is not None:
            overlap = int((self._config.overlap_seconds + self._config.lag_seconds) * 1000)
            filters.append(condition("last_modified_time", "GTE", [here.since - overlap]))
        if here.after is not None:
            filters.append(condition("_id", "GT", [here.after]))
        fields = self._fields(object_name)
        return self._rows.query(object_name, filters, self._config.page_size, fields)

    def _fields(self, object_name: str) -> list[str]:
        """The fields to ask for: all that are described, without the expansions beside them."""
        fields = self._describer.fields(object_name)
        known = self._asked.get(object_name)
        if known is None or known[0] is not fields:
            asked = [n for n, field in fields.items() if field.get("type") not in _NOT_ASKED]
            known = self._asked[object_name] = (fields, asked)
        return known[1]


def _behind(here: Position, rows: Sequence[Row]) -> Position:
    last = str(rows[-1]["_id"])
    if here.after is not None and last <= here.after:
        raise TransientError("纷享销客 sent the same page again; its paging stands still.")
    return Position(here.since, here.begun, last)


@lru_cache(maxsize=64)  # the rows of an object have the same fields
def _told(names: tuple[str, ...]) -> list[str]:
    """Without what the system adds for its own pages."""
    return [n for n in names if n not in _PAGING_AIDS and not n.endswith(_EXPANSIONS)]


def _is_edited(row: Row) -> bool:
    """Both signs must agree: a record may be made with a past `create_time`, and that versions
    begin at 1 is an inference.
    """
    made, moved = row.get("create_time"), row.get("last_modified_time")
    later = made is not None and moved is not None and int(moved) > int(made)
    return later and str(row.get("version")) != "1"


def _moment(milliseconds: Any) -> datetime | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
