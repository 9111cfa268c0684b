"""Values as Tryton's JSON-RPC tags them, and as plain JSON."""

import json
from datetime import UTC, date, datetime, time
from typing import Any

Tagged = dict[str, Any]


def decode(text: str) -> Any:
    """An answer with its tagged values as ISO strings and decimal strings."""
    return json.loads(text, object_hook=_plain)


def decimal(text: str) -> Tagged:
    """An amount to send."""
    return {"__class__": "Decimal", "decimal": text}


def moment(iso: str) -> Tagged:
    """A moment to send; Tryton's clock is UTC without a mark."""
    at = datetime.fromisoformat(iso).astimezone(UTC)
    parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    return {"__class__": "datetime", **{part: getattr(at, part) for part in parts}}


def _plain(value: Tagged) -> Any:
    kind = value.pop("__class__", None)
    if kind is None:
        return value
    if kind == "Decimal":
        return value["decimal"]
    if kind == "datetime":
        return datetime(**value, tzinfo=UTC).isoformat()
    if kind == "date":
        return date(**value).isoformat()
    if kind == "time":
        return time(**value).isoformat()
    return value["seconds"] if kind == "timedelta" else value.get("base64")
