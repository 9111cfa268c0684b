"""The reference connector. Read it first: everything a connector may do, without HTTP."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from uuid import uuid4

from pydantic import Field, SecretStr

from connectors.memory.oddities import Trouble
from connectors.memory.rows import Row
from connectors.memory.shapes import HUB_KEY, SHAPES
from connectors.memory.world import SECRET, MemoryWorld, shape_of, world
from connectors.sdk.config import ConnectorConfig
from connectors.sdk.contract import (
    Change,
    Connector,
    Cursor,
    Delivery,
    DescribesSchema,
    Hint,
    ListsUnkeyed,
    MergesRecords,
    Outcome,
    Page,
    ReadsChanges,
    ReceivesWebhooks,
    SubscribesWebhooks,
    Write,
    WritesRecords,
)
from connectors.sdk.errors import (
    AnswerLostError,
    ChangedError,
    DeliveryRejected,
    RecordError,
    SetupError,
    ThrottledError,
    TransientError,
)
from connectors.sdk.http import Http
from connectors.sdk.paging import by_keyset
from connectors.sdk.webhooks import check_age, check_hmac, header, json_body, moment
from mapping.schema import FieldSchema, ObjectSchema, Option

T = TypeVar("T")
LONGEST_AGE = timedelta(minutes=5)
SUBSCRIPTION_LIFE = timedelta(days=7)
Place = tuple[float, int]  # modified, position


class MemoryConfig(ConnectorConfig):
    """Settings of a memory system."""

    world: str = Field(
        "default",
        min_length=1,
        title="World",
        description="Name of the world in this process that holds the records.",
        json_schema_extra={
            "zh": {"title": "世界", "description": "本进程中保存记录的“世界”的名称。"}
        },
    )
    path: str | None = Field(
        None,
        title="File",
        description="SQLite file that keeps the world; empty keeps it in memory only.",
        json_schema_extra={
            "zh": {"title": "文件", "description": "保存该世界的 SQLite 文件；留空则只存于内存。"}
        },
    )
    password: SecretStr = Field(
        title="Password",
        description="The world's password.",
        json_schema_extra={"zh": {"title": "密码", "description": "该世界的密码。"}},
    )
    webhook_secret: SecretStr = Field(
        SecretStr(SECRET),
        title="Webhook secret",
        description="Signs the deliveries that the world sends.",
        json_schema_extra={
            "zh": {"title": "Webhook 密钥", "description": "用于签名该世界发出的推送。"}
        },
    )
    page_size: int = Field(
        100,
        ge=1,
        le=1000,
        title="Page size",
        description="Records per listing call.",
        json_schema_extra={"zh": {"title": "每页条数", "description": "每次列表调用的记录数。"}},
    )
    overlap_seconds: float = Field(
        10.0,
        ge=1.0,
        title="Overlap",
        description="Seconds that each poll reads again, so that no change falls between two.",
        json_schema_extra={
            "zh": {"title": "重叠秒数", "description": "每次轮询重复读取的秒数，避免漏掉变更。"}
        },
    )


class Memory(
    Connector[MemoryConfig],
    ReadsChanges,
    ListsUnkeyed,
    WritesRecords,
    MergesRecords,
    ReceivesWebhooks,
    SubscribesWebhooks,
    DescribesSchema,
):
    """A CRM in this process."""

    name: ClassVar[str] = "memory"
    label: ClassVar[str] = "Memory (reference)"
    config_model = MemoryConfig
    can_delete: ClassVar[bool] = True
    conditional: ClassVar[bool] = True

    def __init__(self, config: MemoryConfig, http: Http) -> None:
        super().__init__(config, http)
        self.world: MemoryWorld = world(config.world, Path(config.path) if config.path else None)
        oddities = self.world.oddities
        # What a class declares, a set-up may narrow: here the world's switches do.
        vars(self).update(
            conditional=oddities.conditional,
            settle_seconds=oddities.search_lag + 1.0,
            echoes=oddities.terse,
        )

    # -- Connector --------------------------------------------------------------------------
    def check(self) -> None:
        self._call(lambda: None)

    def objects(self) -> Sequence[str]:
        return tuple(SHAPES)

    # -- ReadsChanges -----------------------------------------------------------------------
    def changes(self, object_name: str, since: Cursor | None) -> Iterator[Page]:
        return self._pages(object_name, since)

    def _pages(self, object_name: str, since: Cursor | None) -> Iterator[Page]:
        shape_of(object_name)
        cursor = dict(since or {})
        deleted = bool(cursor.get("deltas")) and self.world.oddities.lists_deletes
        started = cursor.get("started") or self._call(self.world.now)
        size = self.config.page_size

        def read(after: Place | None) -> list[Row]:
            place = after or (float(cursor.get("from", -1.0)), -1)
            return self._call(lambda: self.world.after(object_name, place, size, deleted=deleted))

        start = tuple(cursor["after"]) if "after" in cursor else None
        for rows, place in by_keyset(read, lambda r: (r.modified, r.seq), size=size, start=start):
            going = {**cursor, "after": list(place), "started": started}
            yield Page([self._change(row) for row in rows], going)
        yield Page((), {"from": started - self.config.overlap_seconds, "deltas": True})

    def fetch(self, object_name: str, ids: Sequence[str]) -> Iterator[Change]:
        shape_of(object_name)
        distinct = list(dict.fromkeys(ids))
        size = self.config.page_size
        for start in range(0, len(distinct), size):
            some = distinct[start : start + size]
            for record_id, row in self._call(partial(self._rows, object_name, some)):
                yield self._change(row) if row else Change(object_name, record_id, None)

    # -- ListsUnkeyed -----------------------------------------------------------------------
    def unkeyed(self, object_name: str, since: Cursor) -> Iterator[Page]:
        for page in self._pages(object_name, since):
            others = [c for c in page.changes if c.data is not None and not c.data.get(HUB_KEY)]
            yield Page(others, page.cursor)

    # -- WritesRecords ----------------------------------------------------------------------
    def write(self, object_name: str, batch: Sequence[Write]) -> Iterator[Outcome]:
        shape_of(object_name)
        trouble = self._meet("write")
        if self.world.oddities.read_only:
            raise SetupError(
                "The integration user may not write.", hint="Switch `read_only` off in the world."
            )
        for place, write in enumerate(batch):
            if trouble and trouble.kind == "lost" and 0 < trouble.after <= place:
                raise AnswerLostError("The answer of the world got lost half-way.")
            outcome = self._outcome(object_name, write)
            if not trouble or trouble.after:
                yield outcome
        if trouble:
            raise AnswerLostError("The answer of the world got lost.")

    def find(self, object_name: str, keys: Sequence[str]) -> Mapping[str, Change]:
        shape_of(object_name)
        found = self._call(lambda: {key: self.world.by_key(object_name, key) for key in keys})
        return {key: self._change(rows[0]) for key, rows in found.items() if rows}

    # -- MergesRecords ----------------------------------------------------------------------
    def merge(self, object_name: str, winner_id: str, loser_ids: Sequence[str]) -> None:
        shape_of(object_name)
        self._call(lambda: self.world.merge(object_name, winner_id, loser_ids), write=True)

    # -- ReceivesWebhooks -------------------------------------------------------------------
    def verify(self, delivery: Delivery) -> None:
        stamp = header(delivery, "x-memory-timestamp")
        signature = header(delivery, "x-memory-signature")
        secret = self.config.webhook_secret.get_secret_value()
        check_hmac(signature, secret, stamp.encode() + b"." + delivery.body)
        check_age(moment(stamp), delivery.received_at, LONGEST_AGE)

    def hints(self, delivery: Delivery) -> Sequence[Hint]:
        content = json_body(delivery)
        try:
            label = str(content["delivery"])
            return [Hint(e["object"], e["id"], f"{label}:{e['id']}") for e in content["events"]]
        except (KeyError, TypeError) as exc:
            raise DeliveryRejected("The delivery lacks its id or its events.") from exc

    # -- SubscribesWebhooks -----------------------------------------------------------------
    def subscribe(self, url: str, state: Mapping[str, Any]) -> Mapping[str, Any]:
        label = str(state.get("id") or uuid4().hex)
        expires = self.world.clock() + SUBSCRIPTION_LIFE
        secret = self.config.webhook_secret.get_secret_value()
        end = expires.timestamp()
        self._call(lambda: self.world.subscribe(label, url, secret, end), write=True)
        return {"id": label, "expires_at": expires.isoformat()}

    def unsubscribe(self, state: Mapping[str, Any]) -> None:
        self._call(lambda: self.world.unsubscribe(str(state.get("id", ""))), write=True)

    # -- DescribesSchema --------------------------------------------------------------------
    def schema(self, object_name: str) -> ObjectSchema:
        shape_of(object_name)
        choices = self._call(lambda: self.world.oddities.choices)
        shape = SHAPES[object_name]
        fields = {
            name: _with_choices(field, choices.get(f"{object_name}.{name}"))
            for name, field in self.world.fields(object_name).items()
        }
        return ObjectSchema(shape.name, shape.label, fields)

    # -- calls ------------------------------------------------------------------------------
    def _call(self, work: Callable[[], T], *, write: bool = False) -> T:
        """One API call: quota, credentials, troubles, then the work."""
        trouble = self._meet("write" if write else "read")
        result = work()
        if trouble:
            raise AnswerLostError("The answer of the world got lost.")
        return result

    def _meet(self, kind: str) -> Trouble | None:
        """Takes quota and meets what goes wrong; returns a trouble that shows after the work."""
        wait = self.http.limiter.acquire("memory")
        if wait > 0:
            raise ThrottledError("The call quota of this system is used up.", retry_after=wait)
        self.http.limiter.count(write=kind == "write")
        self.world.count(kind)
        if self.config.password.get_secret_value() != self.world.password:
            raise SetupError(
                "The world does not accept the password.",
                hint="Put the world's password into the settings of this system.",
                remote_code="unauthorised",
            )
        trouble = self.world.next_trouble(kind)
        if trouble is None or trouble.kind == "lost":
            return trouble
        raise self._as_error(trouble)

    def _as_error(self, trouble: Trouble) -> Exception:
        if trouble.kind == "throttled":
            self.http.limiter.close("memory", trouble.retry_after)
            return ThrottledError(
                "The world allows no more calls now.", retry_after=trouble.retry_after
            )
        if trouble.kind == "unauthorised":
            return SetupError("The world does not accept the password.", remote_code="unauthorised")
        if trouble.kind == "forbidden":
            return SetupError("The integration user lacks a right.", remote_code="forbidden")
        return TransientError("The world cannot be reached.")

    def _rows(self, object_name: str, ids: Sequence[str]) -> list[tuple[str, Row | None]]:
        return [(record_id, self.world.get(object_name, record_id)) for record_id in ids]

    # -- records ----------------------------------------------------------------------------
    def _outcome(self, object_name: str, write: Write) -> Outcome:
        try:
            record_id = self._carry_out(object_name, write)
        except (RecordError, ChangedError) as exc:
            return Outcome(write.key, error=exc)
        if write.op != "delete" and self.echoes:
            return Outcome(write.key, remote_id=record_id)
        row = self.world.get(object_name, record_id)
        after = self._change(row) if row else Change(object_name, record_id, None)
        return Outcome(write.key, after, remote_id=record_id)

    def _carry_out(self, object_name: str, write: Write) -> str:
        if write.op == "create":
            return self.world.create(object_name, **{**write.data, HUB_KEY: write.key})
        if write.remote_id is None:
            raise RecordError("A record to change or delete must be named.")
        if write.op == "delete":
            self.world.delete(object_name, write.remote_id, if_version=write.if_version)
        else:
            self.world.edit(object_name, write.remote_id, if_version=write.if_version, **write.data)
        return write.remote_id

    def _change(self, row: Row) -> Change:
        modified = datetime.fromtimestamp(row.modified, UTC)
        gone = self.world.oddities.gone
        winner = row.merged_into if self.world.oddities.merge_redirects else None
        if row.deleted:
            return Change(row.object_name, row.id, None, None, modified, winner)
        native = {
            "id": row.id,
            "version": str(row.version),
            "created_at": datetime.fromtimestamp(row.created, UTC).isoformat(),
            "modified_at": modified.isoformat(),
            **{k: v for k, v in row.body.items() if f"{row.object_name}.{k}" not in gone},
        }
        edited = row.version > 1
        return Change(row.object_name, row.id, native, str(row.version), modified, edited=edited)


def _with_choices(field: FieldSchema, allowed: Sequence[str] | None) -> FieldSchema:
    if allowed is None:
        return field
    return replace(field, options=[Option(v, v) for v in allowed], strict_options=True)
