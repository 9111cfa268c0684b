"""Zoho's rows as native records: whole, without its own extras, with a version."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.sdk.contract import Change

_MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
# Not part of what a record holds: they move without a field having moved.
_UNVERSIONED = frozenset({"Modified_Time", "Modified_By", "Created_By"})
Row = Mapping[str, Any]


def native(row: Row, names: Iterable[str]) -> dict[str, Any]:
    """The record with these fields; `$` extras left out.

    Zoho answers null for an empty field and leaves out one that it no longer has. What is left
    out is left out here, too: a field that was renamed must not read as cleared everywhere.
    """
    return {"id": str(row["id"]), **{name: row[name] for name in names if name in row}}


def change(object_name: str, record: Row) -> Change:
    """A native record as a change."""
    at = moment(record.get("Modified_Time"))
    edited = is_edited(record)
    return Change(object_name, str(record["id"]), record, version(record), at, edited=edited)


def is_edited(record: Row) -> bool:
    """Whether the record was changed after it was made, as far as whole seconds and names tell."""
    made, moved = moment(record.get("Created_Time")), moment(record.get("Modified_Time"))
    if made is not None and moved is not None and moved > made:
        return True
    maker, last = record.get("Created_By"), record.get("Modified_By")
    return maker is not None and last is not None and _person(maker) != _person(last)


def _person(user: Any) -> Any:
    return user.get("id") if isinstance(user, Mapping) else user


def version(record: Row) -> str:
    """Differs whenever the record does.

    `Modified_Time` alone cannot tell two edits of one second apart, so the content takes part,
    in a form that is the same whether it came from a list, a single read or an export.
    """
    at = moment(record.get("Modified_Time"))
    return f"{stamp(at) if at else ''} {fingerprint(record)}"


def fingerprint(record: Row) -> str:
    """A short hash of the content."""
    content = {k: _plain(v) for k, v in record.items() if k not in _UNVERSIONED}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def moment(value: Any) -> datetime | None:
    """A time of Zoho, which comes in the zone of the token's user, in UTC."""
    if not isinstance(value, str) or not _MOMENT.match(value):
        return None
    return datetime.fromisoformat(value).astimezone(UTC)


def stamp(at: datetime) -> str:
    """A time as Zoho wants it in headers and queries: whole seconds with an offset."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def seconds(amount: float) -> timedelta:
    return timedelta(seconds=amount)


def _plain(value: Any) -> Any:
    """A value without what differs between two ways of reading it."""
    if isinstance(value, Mapping):
        return str(value["id"]) if value.get("id") else value
    if isinstance(value, list):
        return sorted(_text(item) for item in value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    at = moment(value)
    return stamp(at) if at else value


def _text(item: Any) -> str:
    """Tags are known by name: an export gives no id for them."""
    if isinstance(item, Mapping):
        return str(item.get("name") or item.get("id") or json.dumps(item, sort_keys=True))
    return str(item)
