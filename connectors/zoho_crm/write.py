"""Writing: batches of up to 100, a verdict for each record, and the truth read back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.sdk.contract import Change, Outcome, Write
from connectors.sdk.errors import (
    AnswerLostError,
    ChangedError,
    ConnectorError,
    GoneError,
    RecordError,
    SetupError,
    TransientError,
)
from connectors.sdk.paging import batches
from connectors.zoho_crm.client import Answer, Client
from connectors.zoho_crm.config import ZohoConfig
from connectors.zoho_crm.lines import Lines
from connectors.zoho_crm.owners import Owners
from connectors.zoho_crm.read import Reader
from connectors.zoho_crm.records import change
from connectors.zoho_crm.refusals import DUPLICATES, CallRefusedError, record_refusal
from connectors.zoho_crm.schema import Metadata, Module, check_hub_key

BATCH = 100
# Refusals of a whole call that one of its records may be the cause of.
_OF_A_RECORD = frozenset(
    {"INVALID_DATA", "MANDATORY_NOT_FOUND", "DUPLICATE_DATA", "EXPECTED_FIELD_MISSING"}
)
_UNDESCRIBED = frozenset({"id", "Tag", "Layout"})  # writable, though not every list shows them


Pair = tuple[Write, Mapping[str, Any]]  # a write and the record to send for it


@dataclass(frozen=True, slots=True)
class Verdict:
    """What Zoho said about one write: a record id, or an error, or (neither) nothing."""

    write: Write
    remote_id: str | None = None
    error: ConnectorError | None = None


class Writer:
    """Writes one organisation's records.

    A create is a plain insert, and the unique hub key is what makes repeating it safe: the
    second try is refused as a duplicate, and the key then leads to the record of the first.
    Not an upsert: that would consult every unique field, and quietly overwrite a record of
    somebody else that has the same mail address.
    """

    def __init__(
        self, client: Client, reader: Reader, metadata: Metadata, lines: Lines, config: ZohoConfig
    ) -> None:
        self._client, self._reader, self._metadata = client, reader, metadata
        self._lines, self._config = lines, config
        self._owners = Owners(client, config.owner_fallback)

    def write(self, name: str, batch: Sequence[Write]) -> Iterator[Outcome]:
        """Outcomes as they become known: creates, then updates, then deletes."""
        module = self._described(name, batch)
        steps = (("create", self._create), ("update", self._update), ("delete", self._delete))
        for op, step in steps:
            for some in batches([write for write in batch if write.op == op], BATCH):
                yield from step(module, some)

    def _create(self, module: Module, writes: Sequence[Write]) -> Iterator[Outcome]:
        field = self._config.hub_key_field
        check_hub_key(module, field)
        records = {write.key: {**write.data, field: write.key} for write in writes}
        ready, refused = self._resolved(module, records)
        yield from (Outcome(key, error=error) for key, error in refused.items())
        for verdicts in self._sent("POST", module, _pairs(writes, ready)):
            yield from self._outcomes(module, self._settled(module, verdicts))

    def _update(self, module: Module, writes: Sequence[Write]) -> Iterator[Outcome]:
        records = {write.key: {**write.data, "id": str(write.remote_id)} for write in writes}
        ready, refused = self._resolved(module, records)
        yield from (Outcome(key, error=error) for key, error in refused.items())
        for verdicts in self._sent("PUT", module, _pairs(writes, ready)):
            for verdict in verdicts:
                yield from self._outcome(verdict, None)  # the next listing reads it back

    def _resolved(
        self, module: Module, records: Mapping[str, Mapping[str, Any]]
    ) -> tuple[Mapping[str, Mapping[str, Any]], dict[str, RecordError | TransientError]]:
        """Names of products and owners as ids; what cannot be told is refused."""
        known, refused = self._lines.resolved(module, records)
        ready, ownerless = self._owners.resolved(known)
        return ready, {**refused, **ownerless}

    def _delete(self, module: Module, writes: Sequence[Write]) -> Iterator[Outcome]:
        automation = "true" if "workflow" in self._config.triggers else "false"
        ids = ",".join(str(write.remote_id) for write in writes)
        params = {"ids": ids, "wf_trigger": automation}
        answer = self._client.write("DELETE", f"/{module.name}", params=params)
        for verdict in _verdicts(writes, answer):
            record_id = str(verdict.write.remote_id)
            after = Change(module.name, record_id, None)
            if isinstance(verdict.error, GoneError):  # what was to be gone is gone
                yield from _told(Verdict(verdict.write, remote_id=record_id), after)
            else:
                yield from _told(verdict, after)

    def _sent(self, method: str, module: Module, going: Sequence[Pair]) -> Iterator[list[Verdict]]:
        """Verdicts, call by call. A call refused because of one record is made in halves."""
        if not going:
            return
        writes = [write for write, _ in going]
        body = {"data": [record for _, record in going], "trigger": list(self._config.triggers)}
        try:
            answer = self._client.write(method, f"/{module.name}", body, records=len(going))
        except CallRefusedError as refused:
            if refused.remote_code not in _OF_A_RECORD:
                raise
            if len(going) == 1:
                item = {"code": refused.remote_code, "details": refused.details}
                yield [Verdict(writes[0], error=record_refusal(item))]
                return
            middle = len(going) // 2
            yield from self._sent(method, module, going[:middle])
            yield from self._sent(method, module, going[middle:])
            return
        yield _verdicts(writes, answer)

    def _settled(self, module: Module, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """Creates refused as duplicates: of their own earlier try, or of another record."""
        doubled = [
            verdict
            for verdict in verdicts
            if isinstance(verdict.error, RecordError) and verdict.error.remote_code in DUPLICATES
        ]
        if not doubled:
            return list(verdicts)
        field = self._config.hub_key_field
        keys = [verdict.write.key for verdict in doubled]
        try:
            ids = self._reader.ids_of_keys(module.name, field, keys)
        except TransientError as exc:  # whose duplicates they are, `find` has to tell later
            lost = AnswerLostError(f"Duplicates could not be looked up: {exc}")
            return [Verdict(v.write, error=lost) if v in doubled else v for v in verdicts]
        return [
            Verdict(v.write, remote_id=ids[v.write.key])
            if v in doubled and v.write.key in ids
            else v
            for v in verdicts
        ]

    def _outcomes(self, module: Module, verdicts: Sequence[Verdict]) -> Iterator[Outcome]:
        done = [verdict.remote_id for verdict in verdicts if verdict.remote_id]
        held = self._read_back(module.name, done)
        for verdict in verdicts:
            yield from self._outcome(verdict, held.get(verdict.remote_id or ""))

    def _outcome(self, verdict: Verdict, after: Change | None) -> Iterator[Outcome]:
        error = verdict.error and self._lines.excused(verdict.error)
        yield from _told(replace(verdict, error=error), after)

    def _read_back(self, name: str, ids: Sequence[str]) -> Mapping[str, Change]:
        """What Zoho made of the writes; they are done, even if it cannot be read just now."""
        if not ids:
            return {}
        try:
            found = self._reader.by_ids(name, ids)
        except (TransientError, SetupError):
            return {}
        return {record_id: change(name, record) for record_id, record in found.items()}

    def _described(self, name: str, batch: Sequence[Write]) -> Module:
        """The module, once it is sure that it has every field to write.

        Zoho ignores what it does not know, so a field that was renamed would stay unwritten
        without a word.
        """
        used = {field for write in batch if write.op != "delete" for field in write.data}
        used -= _UNDESCRIBED
        module = self._metadata.module(name)
        if unknown := self._unknown(used, module):
            module = self._metadata.read(name)
            unknown = self._unknown(used, module)
        if unknown:
            raise SetupError(
                f"The Zoho module {name} has no field {', '.join(sorted(unknown))}.",
                hint="Add it in Zoho's set-up, or take it out of the mapping.",
            )
        return module

    @staticmethod
    def _unknown(used: set[str], module: Module) -> set[str]:
        return {field for field in used if not field.startswith("$")} - set(module.fields)


def _pairs(writes: Sequence[Write], ready: Mapping[str, Mapping[str, Any]]) -> list[Pair]:
    return [(write, ready[write.key]) for write in writes if write.key in ready]


def _verdicts(writes: Sequence[Write], answer: Answer) -> list[Verdict]:
    """One verdict per write, by place: Zoho keeps order and length.

    The HTTP status says nothing: 200, 201, 202, 207 and 400 all come with mixed verdicts.
    """
    items = list(answer.rows)
    if len(items) != len(writes):
        raise AnswerLostError("Zoho's answer does not tell what became of each record.")
    return [_verdict(write, item) for write, item in zip(writes, items, strict=True)]


def _verdict(write: Write, item: Mapping[str, Any]) -> Verdict:
    details = item.get("details")
    if item.get("status") == "success" and isinstance(details, Mapping) and details.get("id"):
        return Verdict(write, remote_id=str(details["id"]))
    return Verdict(write, error=record_refusal(item))


def _told(verdict: Verdict, after: Change | None) -> Iterator[Outcome]:
    """The outcome of a verdict; none where Zoho failed half-way, so that it stays in doubt."""
    error = verdict.error
    if isinstance(error, AnswerLostError):
        return
    if isinstance(error, RecordError | TransientError | ChangedError):
        yield Outcome(verdict.write.key, error=error)
    elif error is not None:
        raise error
    else:
        yield Outcome(verdict.write.key, after, remote_id=verdict.remote_id)
