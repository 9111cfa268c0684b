"""The little CRM behind the connector: records, users who edit them, webhooks, troubles."""

import json
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from connectors.memory.oddities import Oddities, Trouble, as_stored
from connectors.memory.rows import Row, Rows
from connectors.memory.shapes import HUB_KEY, SHAPES, SYSTEM_FIELDS
from connectors.sdk.contract import Delivery
from connectors.sdk.errors import ChangedError, GoneError, RecordError, SetupError
from connectors.sdk.webhooks import sign
from mapping.schema import FieldSchema

PASSWORD = "memory"  # noqa: S105  what a new world starts with; a test may change it
SECRET = "memory-webhooks"  # noqa: S105  the same

_worlds: dict[str, "MemoryWorld"] = {}
_lock = threading.Lock()


def world(name: str, path: Path | None = None) -> "MemoryWorld":
    """The world of that name in this process; made, or opened from its file, when first named."""
    with _lock:
        if name not in _worlds:
            _worlds[name] = MemoryWorld(path)
        return _worlds[name]


def forget(name: str) -> None:
    """Closes a world, as the end of its process would. One kept in a file can be opened again."""
    with _lock:
        gone = _worlds.pop(name, None)
    if gone:
        gone.close()


class MemoryWorld:
    """What a remote system is to the hub, with the users that edit it next to the hub.

    Methods are what a user or the server does: they count no calls and meet no troubles.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._rows = Rows(path)
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def close(self) -> None:
        self._rows.close()

    # -- switches ---------------------------------------------------------------------------
    @property
    def oddities(self) -> Oddities:
        return Oddities.model_validate(self._rows.setting("oddities") or {})

    def switch(self, **oddities: Any) -> None:
        """Changes the named oddities, keeps the others."""
        kept = self._rows.setting("oddities") or {}
        fresh = Oddities.model_validate({**kept, **oddities})
        self._rows.set("oddities", fresh.model_dump(mode="json"))

    def trouble(self, *troubles: Trouble) -> None:
        """What goes wrong next, one after the other. Without any: peace again."""
        self._rows.set("troubles", [each.model_dump() for each in troubles])

    def next_trouble(self, kind: str) -> Trouble | None:
        """The trouble that a read or write call meets now; it is used up by one call."""
        with self._rows.transaction():
            waiting = [Trouble.model_validate(t) for t in self._rows.setting("troubles") or ()]
            for place, met in enumerate(waiting):
                if met.only in {None, kind}:
                    rest = [met.model_copy(update={"calls": met.calls - 1})] * (met.calls > 1)
                    self.trouble(*waiting[:place], *rest, *waiting[place + 1 :])
                    return met
        return None

    @property
    def password(self) -> str:
        return str(self._rows.setting("password") or PASSWORD)

    def change_password(self, password: str) -> None:
        self._rows.set("password", password)

    # -- reading ----------------------------------------------------------------------------
    def now(self) -> float:
        """The clock of the world, in epoch seconds."""
        oddities = self.oddities
        moment = self.clock().timestamp() + oddities.clock_offset
        return float(int(moment)) if oddities.whole_seconds else moment

    def get(self, object_name: str, record_id: str) -> Row | None:
        """The row, also a deleted one."""
        return self._rows.get(object_name, record_id)

    def after(
        self, object_name: str, since: tuple[float, int], limit: int, *, deleted: bool
    ) -> list[Row]:
        return self._rows.after(object_name, since, limit, deleted=deleted)

    def by_key(self, object_name: str, key: str) -> list[Row]:
        """What a search by hub key finds, which may be behind."""
        seen_by = self.clock().timestamp() - self.oddities.search_lag
        return self._rows.by_key(object_name, key, seen_by=seen_by)

    def all(self, object_name: str) -> list[dict[str, Any]]:
        """Every living record as a user sees it, in order of creation."""
        return [{"id": row.id, **row.body} for row in self._rows.all(object_name)]

    def every(self, object_name: str) -> list[Row]:
        """Every row, also what was deleted or merged away."""
        return self._rows.all(object_name, deleted=True)

    # -- editing ----------------------------------------------------------------------------
    def create(self, object_name: str, **values: Any) -> str:
        """A new record; its id. With `unique_key`, the one that already has the hub key."""
        with self._rows.transaction():
            if row := self._holder(object_name, values):
                return self._change(row, values).id
            self._validate(object_name, values, new=True)
            now = self.now()
            number = self._rows.next_number()
            body = dict.fromkeys(self._own_fields(object_name))
            body.update(as_stored(self.oddities, values))
            seen = self.clock().timestamp()
            row = Row(0, object_name, f"{object_name[:3]}{number}", body, 1, now, now, seen)
            self._announce(self._rows.put(row), "create")
            return row.id

    def edit(
        self, object_name: str, record_id: str, *, if_version: str | None = None, **values: Any
    ) -> None:
        """Changes fields of a living record."""
        with self._rows.transaction():
            row = self._living(object_name, record_id, if_version)
            self._change(row, values)

    def delete(self, object_name: str, record_id: str, *, if_version: str | None = None) -> None:
        """Moves a record to the bin; deleting it again does nothing."""
        with self._rows.transaction():
            row = self._rows.get(object_name, record_id)
            if row is None or row.deleted:
                return
            row = self._living(object_name, record_id, if_version)
            self._announce(self._rows.put(self._touched(row, deleted=True)), "delete")

    def undelete(self, object_name: str, record_id: str) -> None:
        """Takes a record out of the bin."""
        with self._rows.transaction():
            row = self._rows.get(object_name, record_id)
            if row is None:
                raise GoneError(f"{object_name} {record_id} was never there.")
            back = self._touched(row, deleted=False, merged_into=None)
            self._announce(self._rows.put(back), "create")

    def merge(self, object_name: str, winner_id: str, loser_ids: Sequence[str]) -> None:
        """The winner's gaps are filled, children move to it, the losers vanish."""
        with self._rows.transaction():
            for loser_id in loser_ids:
                loser = self._rows.get(object_name, loser_id)
                if loser is None or loser.deleted:
                    continue
                winner = self._living(object_name, winner_id, None)
                self._change(winner, self._gaps(winner, loser))
                self._move_children(object_name, loser_id, winner_id)
                gone = self._touched(loser, deleted=True, merged_into=winner_id)
                self._announce(self._rows.put(gone), "delete")

    # -- webhooks ---------------------------------------------------------------------------
    def subscribe(self, subscription_id: str, url: str, secret: str, expires: float) -> None:
        kept = self._rows.setting("subscriptions") or {}
        kept[subscription_id] = {"url": url, "secret": secret, "expires": expires}
        self._rows.set("subscriptions", kept)

    def unsubscribe(self, subscription_id: str) -> None:
        kept = self._rows.setting("subscriptions") or {}
        kept.pop(subscription_id, None)
        self._rows.set("subscriptions", kept)

    @property
    def subscriptions(self) -> Mapping[str, Mapping[str, Any]]:
        return self._rows.setting("subscriptions") or {}

    def take_deliveries(self) -> list[tuple[str, Delivery]]:
        """What is sent to subscribers since the last time: (url, delivery), as sent now."""
        manner = self.oddities.webhooks
        letters = self._rows.take_post()
        if manner == "silent":
            return []
        if manner == "reversed":
            letters.reverse()
        if manner == "twice":
            letters = [letter for each in letters for letter in (each, each)]
        return [self._delivery(letter) for letter in letters]

    def _delivery(self, letter: Mapping[str, Any]) -> tuple[str, Delivery]:
        sent = self.clock()
        return letter["url"], signed(letter["secret"], letter["content"], sent)

    def _announce(self, row: Row, event: str) -> None:
        now = self.clock().timestamp()
        # Many vendors send the record along; whoever believes it believes an old one now and then.
        record = {**row.body, "id": row.id}
        events = [{"object": row.object_name, "id": row.id, "event": event, "record": record}]
        for subscription in self.subscriptions.values():
            if subscription["expires"] <= now:
                continue
            content = {"delivery": uuid.uuid4().hex, "events": events}
            self._rows.post({**subscription, "content": content})

    # -- counting ---------------------------------------------------------------------------
    def count(self, kind: str) -> None:
        """One API call of the kind `read` or `write` was made."""
        self._rows.tally(f"{kind} calls")

    def calls(self, kind: str) -> int:
        """How many API calls of a kind were made so far."""
        return self._rows.tally(f"{kind} calls", 0)

    # -- keeping ----------------------------------------------------------------------------
    def dump(self) -> dict[str, Any]:
        """Everything that users see, JSON-safe; `load` puts it into another world."""
        return {name: self.all(name) for name in SHAPES}

    def load(self, content: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Puts dumped records in with the ids that they had."""
        with self._rows.transaction():
            now, seen = self.now(), self.clock().timestamp()
            for name, records in content.items():
                for record in records:
                    body = {field: record.get(field) for field in self._own_fields(name)}
                    self._rows.put(Row(0, name, str(record["id"]), body, 1, now, now, seen))
                    self._rows.take_number(int("".join(filter(str.isdigit, record["id"]))))

    # -- rules ------------------------------------------------------------------------------
    def fields(self, object_name: str) -> dict[str, FieldSchema]:
        """The fields of an object as its administrators left them."""
        oddities = self.oddities
        found: dict[str, FieldSchema] = {}
        for name, field in shape_of(object_name).items():
            place = f"{object_name}.{name}"
            if place not in oddities.gone:
                required = field.required or place in oddities.mandatory
                length = oddities.lengths.get(place, field.max_length)
                found[name] = replace(field, required=required, max_length=length)
        return found

    def _own_fields(self, object_name: str) -> list[str]:
        return [name for name in shape_of(object_name) if name not in SYSTEM_FIELDS]

    def _holder(self, object_name: str, values: Mapping[str, Any]) -> Row | None:
        key = values.get(HUB_KEY)
        if not key or not self.oddities.unique_key:
            return None
        found = self._rows.by_key(object_name, key, seen_by=float("inf"))
        return found[0] if found else None

    def _living(self, object_name: str, record_id: str, if_version: str | None) -> Row:
        row = self._rows.get(object_name, record_id)
        if row is None or row.deleted:
            raise GoneError(f"{object_name} {record_id} is not there.", remote_code="not_found")
        stale = if_version is not None and if_version != str(row.version)
        if stale and self.oddities.conditional:
            raise ChangedError(f"{object_name} {record_id} has moved since it was read.")
        return row

    def _change(self, row: Row, values: Mapping[str, Any]) -> Row:
        self._validate(row.object_name, values, new=False)
        body = {**row.body, **as_stored(self.oddities, values)}
        changed = self._rows.put(self._touched(row, body=body))
        self._announce(changed, "update")
        return changed

    def _touched(self, row: Row, **changes: Any) -> Row:
        return replace(row, version=row.version + 1, modified=self.now(), **changes)

    def _gaps(self, winner: Row, loser: Row) -> dict[str, Any]:
        return {
            name: value
            for name, value in loser.body.items()
            if value is not None and winner.body.get(name) is None and name != HUB_KEY
        }

    def _move_children(self, object_name: str, loser_id: str, winner_id: str) -> None:
        for name, shape in SHAPES.items():
            for reference in shape.fields.values():
                if reference.target != object_name:
                    continue
                for child in self._rows.referring(name, reference.name, loser_id):
                    self._change(child, {reference.name: winner_id})

    def _validate(self, object_name: str, values: Mapping[str, Any], *, new: bool) -> None:
        fields = self.fields(object_name)
        oddities = self.oddities
        for name, value in values.items():
            if name not in fields or not fields[name].writable:
                raise RecordError(f"{object_name} has no field {name} to write.", field=name)
            _check_value(fields[name], value, cut=name in oddities.cut)
            allowed = oddities.choices.get(f"{object_name}.{name}")
            if allowed is not None and value is not None and value not in allowed:
                raise RecordError(
                    f"{value!r} is not one of the choices of {name}.",
                    field=name,
                    remote_code="invalid_choice",
                )
            if value in oddities.rules.get(f"{object_name}.{name}", ()):
                raise RecordError(
                    f"A validation rule refuses {value!r} as {name}.",
                    field=name,
                    remote_code="validation_rule",
                )
            self._check_reference(fields[name], value)
        for name, field in fields.items():
            given = values.get(name) if new or name in values else True
            if field.required and given in {None, ""}:
                raise RecordError(f"{name} must not be empty.", field=name, remote_code="required")

    def _check_reference(self, field: FieldSchema, value: Any) -> None:
        if field.target is None or value is None:
            return
        row = self._rows.get(field.target, str(value))
        if row is None or row.deleted:
            raise RecordError(
                f"{field.name} names {value}, which is not there.",
                field=field.name,
                remote_code="invalid_reference",
            )


def shape_of(object_name: str) -> dict[str, FieldSchema]:
    """The fields of an object; SetupError where this world has no such object."""
    if object_name not in SHAPES:
        raise SetupError(
            f"There is no object {object_name!r}.", hint=f"Known are: {', '.join(SHAPES)}."
        )
    return SHAPES[object_name].fields


def signed(secret: str, content: Mapping[str, Any], sent: datetime) -> Delivery:
    """A delivery as this world sends it."""
    body = json.dumps(content).encode()
    stamp = f"{sent.timestamp():.3f}"
    headers = {
        "content-type": "application/json",
        "x-memory-timestamp": stamp,
        "x-memory-signature": sign(secret, stamp.encode() + b"." + body),
    }
    return Delivery(headers, {}, body, sent)


def _check_value(field: FieldSchema, value: Any, *, cut: bool) -> None:
    if value is None:
        return
    if not _fits(field, value):
        raise RecordError(
            f"{field.name} cannot hold {type(value).__name__} {value!r}.",
            field=field.name,
            remote_code="invalid_value",
        )
    if isinstance(value, str) and field.max_length and len(value) > field.max_length and not cut:
        raise RecordError(
            f"{field.name} holds {field.max_length} characters, not {len(value)}.",
            field=field.name,
            remote_code="too_long",
        )


def _fits(field: FieldSchema, value: Any) -> bool:
    kind: type[Any] = {"boolean": bool, "list": list}.get(field.type, str)
    if not isinstance(value, kind):
        return False
    try:
        if field.type == "decimal":
            return Decimal(value).is_finite()
        if field.type == "date":
            date.fromisoformat(value)
    except (InvalidOperation, ValueError):
        return False
    return True
