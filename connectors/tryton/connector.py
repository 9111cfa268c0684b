"""The Tryton connector: lists, fetches, writes, finds."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from connectors.sdk.contract import (
    Change,
    Connector,
    Cursor,
    DescribesSchema,
    Outcome,
    Page,
    ReadsChanges,
    Write,
    WritesRecords,
)
from connectors.sdk.errors import (
    ChangedError,
    ConnectorError,
    GoneError,
    RecordError,
    SetupError,
    TransientError,
)
from connectors.sdk.http import Http
from connectors.sdk.paging import batches, by_keyset
from connectors.tryton import commands, parties, schemas, wire
from connectors.tryton.commands import Order
from connectors.tryton.lookups import Lookups
from connectors.tryton.objects import KINDS, Domain, Kind
from connectors.tryton.parties import Row
from connectors.tryton.rpc import Refusal, Rpc, Stale
from connectors.tryton.settings import TrytonConfig
from mapping.schema import ObjectSchema

Place = tuple[str, int]  # last_modified_at, id
ORDER = [["last_modified_at", "ASC"], ["id", "ASC"]]
ACTIVE = ["active", "=", True]
WRITTEN_MODELS = ("party.party",)
READ_MODELS = ("sale.sale", "account.invoice", "account.move.line")


@dataclass(frozen=True, slots=True)
class _Job:
    """One write with what is to be sent for it."""

    write: Write
    order: Order


class Tryton(Connector[TrytonConfig], ReadsChanges, WritesRecords, DescribesSchema):
    """One Tryton database, seen as one company by one user."""

    name: ClassVar[str] = "tryton"
    label: ClassVar[str] = "Tryton"
    config_model = TrytonConfig
    max_batch: ClassVar[int] = 200
    can_delete: ClassVar[bool] = True
    conditional: ClassVar[bool] = True
    settle_seconds: ClassVar[float] = 65.0  # a statement may run 60 seconds after its answer broke
    page_size: ClassVar[int] = 200

    def __init__(self, config: TrytonConfig, http: Http) -> None:
        super().__init__(config, http)
        self.rpc = Rpc(config, http)
        self.lookups = Lookups(self.rpc, config)
        self._granted: set[tuple[str, str]] = set()

    # -- Connector --------------------------------------------------------------------------
    def check(self) -> None:
        self.rpc.renew()
        self.rpc.company  # noqa: B018  asks for it, so that its absence is told
        for model in WRITTEN_MODELS:
            self._check_right(model, "read", "create", "write")
        if self.config.contacts:
            self.lookups.relation  # noqa: B018  the same
        for model in READ_MODELS if self.config.facts else ():
            self._check_right(model, "read")

    def objects(self) -> Sequence[str]:
        return [
            kind.name
            for kind in KINDS.values()
            if (self.config.facts or kind.is_party) and (self.config.contacts or not kind.is_person)
        ]

    # -- ReadsChanges -----------------------------------------------------------------------
    def changes(self, object_name: str, since: Cursor | None) -> Iterator[Page]:
        kind = self._kind(object_name)
        cursor = dict(since or {})
        start: Place | None = tuple(cursor["after"]) if "after" in cursor else None

        def read(after: Place | None) -> list[Row]:
            domain = self._listing(kind, cursor.get("from"), after)
            return self._search(kind, domain, limit=self.page_size)

        pages = by_keyset(read, _place, size=self.page_size, start=start)
        for rows, place in pages:
            cursor.setdefault("started", self.rpc.clock.isoformat())
            yield Page([self._change(kind, row) for row in rows], {**cursor, "after": list(place)})
        started = datetime.fromisoformat(cursor.get("started") or self.rpc.clock.isoformat())
        overlap = timedelta(seconds=self.config.overlap_seconds)
        yield Page((), {"from": (started - overlap).isoformat()})

    def fetch(self, object_name: str, ids: Sequence[str]) -> Iterator[Change]:
        kind = self._kind(object_name)
        distinct = list(dict.fromkeys(ids))
        for some in batches(distinct, self.page_size):
            found = {str(row["id"]): row for row in self._rows(kind, some)}
            for record_id in some:
                if row := found.get(record_id):
                    yield self._change(kind, row)
                else:
                    yield Change(object_name, record_id, None)

    # -- WritesRecords ----------------------------------------------------------------------
    def write(self, object_name: str, batch: Sequence[Write]) -> Iterator[Outcome]:
        kind = self._kind(object_name)
        if not kind.is_party:
            message = f"{kind.label} belong to Tryton; the hub only reads them."
            yield from (Outcome(w.key, error=RecordError(message)) for w in batch)
            return
        for some in batches(batch, self.max_batch):
            yield from self._create(kind, [w for w in some if w.op == "create"])
            yield from self._change_present(kind, [w for w in some if w.op != "create"])

    def find(self, object_name: str, keys: Sequence[str]) -> Mapping[str, Change]:
        kind = self._kind(object_name)
        if not kind.is_party:
            return {}
        found: dict[str, Change] = {}
        for some in batches(keys, self.page_size):
            codes = [parties.HUB_KEY + key for key in some]
            domain = [*kind.domain(self.lookups), ACTIVE, ["identifiers.code", "in", codes]]
            for row in self._search(kind, domain, order=[["id", "ASC"]]):
                for key in parties.hub_keys(row):
                    if key in some:
                        found.setdefault(key, self._change(kind, row))
        return found

    # -- DescribesSchema --------------------------------------------------------------------
    def schema(self, object_name: str) -> ObjectSchema:
        return schemas.describe(self._kind(object_name), self.lookups)

    # -- reading ----------------------------------------------------------------------------
    def _kind(self, object_name: str) -> Kind:
        if object_name not in KINDS:
            raise SetupError(
                f"The connector knows no object {object_name!r} of Tryton.",
                hint=f"Known are: {', '.join(KINDS)}.",
            )
        return KINDS[object_name]

    def _listing(self, kind: Kind, since: str | None, after: Place | None) -> Domain:
        domain = list(kind.domain(self.lookups))
        if since is None and kind.is_party:
            domain.append(ACTIVE)
        elif since is not None:  # what was archived since is told as gone
            moment = wire.moment(since)
            own_and_children = ["", *(f"{child}." for child in kind.children)]
            domain.append(
                ["OR", *([f"{head}last_modified_at", ">", moment] for head in own_and_children)]
            )
        if after is not None:
            moment, last = wire.moment(after[0]), after[1]
            same = [["last_modified_at", "=", moment], ["id", ">", last]]
            domain.append(["OR", ["last_modified_at", ">", moment], same])
        return domain

    def _rows(self, kind: Kind, ids: Sequence[str]) -> list[Row]:
        """The rows of these ids that belong to the object, archived ones included."""
        numbers = [int(each) for each in ids if each.isdigit() and len(each) < 10]
        if not numbers:
            return []
        domain = [*kind.domain(self.lookups), ["id", "in", numbers]]
        return self._search(kind, domain, order=[["id", "ASC"]])

    def _search(
        self, kind: Kind, domain: Domain, *, limit: int | None = None, order: Domain = ORDER
    ) -> list[Row]:
        names = list(kind.fields(self.lookups))
        method = f"model.{kind.model}.search_read"
        rows: list[Row] = self.rpc.read(method, domain, 0, limit, order, names, archived=True)
        return rows

    def _change(self, kind: Kind, row: Row) -> Change:
        record_id = str(row["id"])
        if kind.is_party and not row["active"]:
            winner = str(row["replaced_by"]) if row.get("replaced_by") else None
            modified = datetime.fromisoformat(row["last_modified_at"])
            return Change(kind.name, record_id, None, None, modified, winner)
        native = kind.view(row, self.lookups)
        modified = datetime.fromisoformat(native["last_modified_at"])
        edited = kind.is_party and parties.is_edited(row)
        return Change(kind.name, record_id, native, kind.version(row), modified, edited=edited)

    # -- writing ----------------------------------------------------------------------------
    def _create(self, kind: Kind, writes: Sequence[Write]) -> Iterator[Outcome]:
        jobs: list[_Job] = []
        for write in writes:
            try:
                order = commands.new_party(
                    write.data, write.key, self.lookups, person=kind.is_person
                )
            except RecordError as exc:
                yield Outcome(write.key, error=exc)
            else:
                jobs.append(_Job(write, order))
        yield from self._carry_out(kind, jobs, self._create_all)

    def _change_present(self, kind: Kind, writes: Sequence[Write]) -> Iterator[Outcome]:
        if not writes:
            return
        ids = [write.remote_id or "" for write in writes]
        rows = {str(row["id"]): row for row in self._rows(kind, ids) if row["active"]}
        changes: list[_Job] = []
        deletes: list[_Job] = []
        for write in writes:
            row = rows.get(write.remote_id or "")
            verdict = self._verdict(kind, write, row)
            if isinstance(verdict, Outcome):
                yield verdict
            else:
                (deletes if write.op == "delete" else changes).append(_Job(write, verdict))
        yield from self._carry_out(kind, changes, self._write_all)
        delete = self._delete_all if self.config.on_delete == "delete" else self._write_all
        yield from self._carry_out(kind, deletes, delete)

    def _verdict(self, kind: Kind, write: Write, row: Row | None) -> Order | Outcome:
        """What to send for a write, or what is known without sending anything."""
        if row is None:
            return self._without_row(kind, write)
        if write.if_version is not None and write.if_version != kind.version(row):
            message = f"Party {write.remote_id} has moved since it was read."
            return Outcome(write.key, error=ChangedError(message))
        if write.op == "delete":
            stamps = {f"party.party,{row['id']}": str(row["_timestamp"])}
            return Order({"active": False}, stamps)
        try:
            order = commands.changed_party(write.data, row, self.lookups, person=kind.is_person)
        except RecordError as exc:
            return Outcome(write.key, error=exc)
        if not order.values:
            return Outcome(write.key, self._change(kind, row))
        return order

    def _without_row(self, kind: Kind, write: Write) -> Outcome:
        if write.op == "delete" and write.remote_id:
            return Outcome(write.key, Change(kind.name, write.remote_id, None))
        message = f"Tryton has no such party {write.remote_id}, or it is archived."
        return Outcome(write.key, error=GoneError(message, remote_code="not_found"))

    def _carry_out(
        self, kind: Kind, jobs: Sequence[_Job], send: Callable[[Sequence[_Job]], list[int]]
    ) -> Iterator[Outcome]:
        """All in one call; where Tryton refuses it, in halves, until the bad ones stand alone."""
        if not jobs:
            return
        try:
            ids = send(jobs)
        except (Refusal, Stale) as exc:
            if len(jobs) == 1:
                yield Outcome(jobs[0].write.key, error=self._refused(jobs[0], exc))
                return
            middle = len(jobs) // 2
            yield from self._carry_out(kind, jobs[:middle], send)
            yield from self._carry_out(kind, jobs[middle:], send)
            return
        yield from self._read_back(kind, jobs, ids)

    def _create_all(self, jobs: Sequence[_Job]) -> list[int]:
        values = [job.order.values for job in jobs]
        ids: list[int] = self.rpc.write("model.party.party.create", values)
        return ids

    def _write_all(self, jobs: Sequence[_Job]) -> list[int]:
        ids = [int(job.write.remote_id or 0) for job in jobs]
        pairs = [
            part
            for record_id, job in zip(ids, jobs, strict=True)
            for part in ([record_id], job.order.values)
        ]
        self.rpc.write("model.party.party.write", *pairs, timestamps=_stamps(jobs))
        return ids

    def _delete_all(self, jobs: Sequence[_Job]) -> list[int]:
        ids = [int(job.write.remote_id or 0) for job in jobs]
        self.rpc.write("model.party.party.delete", ids, timestamps=_stamps(jobs))
        return ids

    def _read_back(self, kind: Kind, jobs: Sequence[_Job], ids: Sequence[int]) -> Iterator[Outcome]:
        """The work is done: where it cannot be read back now, the hub reads it later."""
        found: dict[str, Change] = {}
        try:
            found = {c.remote_id: c for c in self.fetch(kind.name, [str(each) for each in ids])}
        except (TransientError, SetupError):
            found = {}
        for job, record_id in zip(jobs, ids, strict=True):
            yield Outcome(job.write.key, found.get(str(record_id)), remote_id=str(record_id))

    def _refused(
        self, job: _Job, exc: Refusal | Stale
    ) -> RecordError | ChangedError | TransientError:
        if isinstance(exc, Stale):
            return ChangedError(f"Party {job.write.remote_id} has moved since it was read.")
        if _is_number_race(job, str(exc)):
            return TransientError("Tryton gave the same number to two new parties.", retry_after=1)
        right = "create" if job.write.op == "create" else "write"
        if ("party.party", right) not in self._granted:
            self._check_right("party.party", right)
        message = str(exc).strip() or "no reason was given"
        return RecordError(
            f"Tryton refuses the record: {message.rstrip('.')}.",
            field=_blamed(message, job.write.data),
            remote_code=exc.code,
        )

    def _check_right(self, model: str, *rights: str) -> None:
        try:
            access = self.rpc.read("model.ir.model.access.get_access", [model])[model]
        except ConnectorError as exc:
            if getattr(exc, "remote_code", "") != "internal":
                raise
            raise SetupError(
                f"Tryton has no {model}.",
                hint="Install its module, or switch off in the settings what needs it.",
            ) from exc
        lacking = [right for right in rights if access[right] is not None and not access[right]]
        if lacking:
            raise SetupError(
                f"The user {self.config.login!r} may not {lacking[0]} {model}.",
                hint="Give the user the groups that the connector's page names.",
                remote_code="access",
            )
        self._granted |= {(model, right) for right in rights}


def _is_number_race(job: _Job, message: str) -> bool:
    """Two creates at once can draw the same number from the sequence; the next try gets another."""
    numbered_there = job.write.op == "create" and "code" not in job.order.values
    return numbered_there and "code" in message.lower() and "unique" in message.lower()


def _stamps(jobs: Sequence[_Job]) -> dict[str, str]:
    return {key: stamp for job in jobs for key, stamp in job.order.timestamps.items()}


def _place(row: Row) -> Place:
    return str(row["last_modified_at"]), int(row["id"])


def _blamed(message: str, data: Mapping[str, Any], prefix: str = "") -> str | None:
    """The field whose value Tryton's sentence quotes; its language does not matter."""
    for name, value in data.items():
        if isinstance(value, Mapping):
            found = _blamed(message, value, f"{prefix}{name}.")
            if found:
                return found
        elif name != "name" and value and f'"{value}"' in message:
            return prefix + name
    return None
