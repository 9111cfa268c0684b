"""Writing: one call per record, a few at a time, and one query to see what came of them."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

from connectors.fxiaoke.areas import Areas
from connectors.fxiaoke.client import Client
from connectors.fxiaoke.details import DetailRows
from connectors.fxiaoke.errors import Kind, SystemFaultError
from connectors.fxiaoke.facts import Facts
from connectors.fxiaoke.outcome import Judge, Sent, Stop
from connectors.fxiaoke.read import Reader
from connectors.fxiaoke.rows import Row, Rows, data_path, is_empty
from connectors.fxiaoke.schema import Describer
from connectors.sdk.contract import Outcome, Write
from connectors.sdk.errors import AnswerLostError, RecordError, SetupError, TransientError

QUICK = 0.02  # seconds for an answer; next to a longer one a thread costs little
SLOW_CALLS = 2
POOLS = ("high_seas_id", "leads_pool_id")  # a row in a pool has no owner
_LISTS = frozenset({"select_many", "object_reference_many", "employee", "department", "image"})


class Writer:
    """Creates, changes and archives rows of one tenant."""

    def __init__(
        self,
        client: Client,
        rows: Rows,
        reader: Reader,
        describer: Describer,
        areas: Areas,
        facts: Facts,
    ) -> None:
        self._client, self._rows, self._reader = client, rows, reader
        self._describer, self._areas, self._facts = describer, areas, facts
        self._config = client.config
        self._judge = Judge(rows, reader, client.config.locked_retry_seconds)
        self._details = DetailRows(client, rows, self._flags())
        self._nothing: str | None = None  # what clears a field in this tenant: null or ""

    def write(self, object_name: str, batch: Sequence[Write]) -> Iterator[Outcome]:
        """Outcomes of all writes but those in doubt, for which it ends with AnswerLostError."""
        self._describer.fields(object_name)  # once, before the threads ask for it
        sent = self._judge.explained(object_name, self._send_all(object_name, batch))
        rows = self._judge.read_back(object_name, sent)
        rows = self._insist_on_clearing(object_name, sent, rows)
        errors = [item.error for item in sent]
        lost = next((error for error in errors if isinstance(error, AnswerLostError)), None)
        setup = next((error for error in errors if isinstance(error, SetupError)), None)
        yield from self._judge.outcomes(object_name, sent, rows)
        if trouble := lost or setup:
            raise trouble

    def _send_all(self, object_name: str, batch: Sequence[Write]) -> list[Sent]:
        """One call after the other while each is answered at once; several at a time after that.

        Threads take turns on one core: where there is nothing to wait for they only cost time.
        """
        send = partial(self._send_unless, Stop(), object_name)
        sent: list[Sent] = []
        slow = 0  # calls in a row: one of them may be a hiccup
        while len(sent) < len(batch) and (slow < SLOW_CALLS or self._config.parallel == 1):
            began = time.monotonic()
            sent.append(send(batch[len(sent)]))
            slow = slow + 1 if time.monotonic() - began > QUICK else 0
        rest = batch[len(sent) :]
        if rest:
            with ThreadPoolExecutor(min(self._config.parallel, len(rest))) as pool:
                sent += pool.map(send, rest)
        return sent

    def _send_unless(self, stop: Stop, object_name: str, write: Write) -> Sent:
        if stop.reason is not None:
            return Sent(write, write.remote_id, stop.not_sent())
        try:
            return Sent(write, self._send(object_name, write))
        except RecordError as exc:
            self._facts.refused(object_name)
            return Sent(write, write.remote_id, self._with_field(object_name, write, exc))
        except (TransientError, SetupError) as exc:
            stop.because(exc)
            return Sent(write, write.remote_id, exc)

    def _send(self, object_name: str, write: Write) -> str:
        if write.op == "create":
            return self._create(object_name, write)
        if write.remote_id is None:
            raise RecordError(f"The {write.op} names no record.")
        if write.op == "delete":
            row = {"dataObjectApiName": object_name, "object_data_id": write.remote_id}
            self._change(object_name, "invalid", {**self._flags(), "data": row})
        else:
            self._update(object_name, write.remote_id, write)
        return write.remote_id

    def _create(self, object_name: str, write: Write) -> str:
        own, details = self._facts.split(object_name, write.data, None)
        own |= self._area_codes(object_name, own, None)
        row = {name: value for name, value in own.items() if not is_empty(value)}
        row |= {"dataObjectApiName": object_name, self._config.hub_key_field: write.key}
        row.setdefault("record_type", "default__c")
        if not any(row.get(pool) for pool in POOLS):
            row["owner"] = _listed(row.get("owner") or self._owner())
        # Duplicates are the hub's business; the tenant's own rules would refuse in its name.
        data: dict[str, Any] = {"object_data": row, "optionInfo": {"isDuplicateSearch": False}}
        if details is not None:
            data["details"] = details
        return self._created(object_name, {**self._flags(), "data": data}, write.key)

    def _created(self, object_name: str, body: Row, key: str) -> str:
        path = data_path(object_name, "create")
        try:
            answer = self._client.call(path, body, Kind.CREATE)
        except SystemFaultError:
            # -2 says nothing about what was done, so look before the second and last try.
            if remote_id := self._made(object_name, key):
                return remote_id
            answer = self._client.call(path, body, Kind.CREATE)
        # One of the vendor's pages shows an answer without an id for custom objects.
        remote_id = str(answer.get("dataId") or "") or self._made(object_name, key)
        if remote_id:
            return remote_id
        raise AnswerLostError("纷享销客 told no id for a created record.")

    def _made(self, object_name: str, key: str) -> str | None:
        """The record of a create that may have been done; in doubt while that cannot be seen."""
        try:
            found = self._reader.find(object_name, [key])
        except (TransientError, SetupError) as exc:
            raise AnswerLostError(f"Whether a record was created is not known: {exc}") from exc
        return found[key].remote_id if found else None

    def _update(self, object_name: str, remote_id: str, write: Write) -> None:
        own, details = self._facts.split(object_name, write.data, remote_id)
        owner = own.pop("owner", None)
        own |= self._area_codes(object_name, own, remote_id)
        if own or details is not None:
            self._update_fields(object_name, remote_id, own, details)
        if details is not None:
            self._details.settle(remote_id, details, _listed(owner or self._owner()))
        if owner:
            # An update cannot move the owner; there is a call of its own for that.
            change = [{"objectDataId": remote_id, "ownerId": _listed(owner)}]
            row = {"dataObjectApiName": object_name, "Data": change}
            self._change(object_name, "changeOwner", {"data": row})

    def _update_fields(
        self, object_name: str, remote_id: str, own: Row, details: Any = None
    ) -> None:
        fields = self._describer.fields(object_name)
        row = {
            name: self._empty(fields.get(name, {})) if is_empty(value) else value
            for name, value in own.items()
        }
        row |= {"_id": remote_id, "dataObjectApiName": object_name}
        data: dict[str, Any] = {"object_data": row}
        if details is not None:
            data["details"] = details  # a given list replaces all detail rows
        self._change(object_name, "update", {**self._flags(), "data": data})

    def _insist_on_clearing(
        self, object_name: str, sent: Sequence[Sent], rows: Mapping[str, Row]
    ) -> Mapping[str, Row]:
        """Clears again what the tenant did not clear, in the other of the two forms.

        Whether null or "" empties a field is not documented; the one that works is kept.
        """
        stubborn = {
            item.remote_id: names
            for item in sent
            if item.done and item.remote_id and item.write.op == "update"
            if (names := _not_cleared(item.write, rows.get(item.remote_id, {})))
        }
        if not stubborn:
            return rows
        before, self._nothing = self._nothing, "" if self._nothing is None else None
        for remote_id, names in stubborn.items():
            with suppress(TransientError, RecordError):  # the rows below tell whether it worked
                self._update_fields(object_name, remote_id, dict.fromkeys(names))
        again = [item for item in sent if item.remote_id in stubborn]
        seen = self._judge.read_back(object_name, again)
        if all(_not_cleared(item.write, seen.get(item.remote_id or "", {})) for item in again):
            self._nothing = before
        return {**rows, **seen}

    def _change(self, object_name: str, action: str, body: Row) -> None:
        self._client.call(data_path(object_name, action), body, Kind.CHANGE)

    def _area_codes(self, object_name: str, own: Row, remote_id: str | None) -> dict[str, Any]:
        stored = partial(self._stored, object_name, remote_id)
        return self._areas.coded(own, self._describer.levels(object_name), stored)

    def _stored(self, object_name: str, remote_id: str | None) -> Row:
        return self._rows.by_id(object_name, [remote_id]).get(remote_id, {}) if remote_id else {}

    def _owner(self) -> str:
        return self._config.owner_id or self._client.actor()

    def _empty(self, field: Row) -> Any:
        is_list = self._nothing is not None and field.get("type") in _LISTS
        return [] if is_list else self._nothing

    def _flags(self) -> dict[str, bool]:
        return {
            "triggerApprovalFlow": self._config.trigger_approval,
            "triggerWorkFlow": self._config.trigger_workflow,
        }

    def _with_field(self, object_name: str, write: Write, error: RecordError) -> RecordError:
        """The refusal with the native field that its text names by label."""
        if error.field or not error.remote_code:
            return error
        fields = self._describer.fields(object_name)
        words = {name: name for name in write.data}
        words |= {str(field.get("label") or name): name for name, field in fields.items()}
        named = [word for word in words if len(word) > 1 and word in str(error)]
        if not named:
            return error
        field = words[max(named, key=len)]
        return RecordError(str(error), field=field, remote_code=error.remote_code)


def _not_cleared(write: Write, row: Row) -> list[str]:
    if row.get("life_status") != "normal":
        return []  # under approval the old value stays until somebody agrees
    return [
        name
        for name, value in write.data.items()
        if is_empty(value) and not is_empty(row.get(name))
    ]


def _listed(owner: Any) -> list[Any]:
    return owner if isinstance(owner, list) else [owner]
