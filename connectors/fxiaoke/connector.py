"""The 纷享销客 connector: which capabilities it has, and where each is done."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import ClassVar

from connectors.fxiaoke import callback
from connectors.fxiaoke.areas import Areas
from connectors.fxiaoke.client import Client, rates
from connectors.fxiaoke.config import FxiaokeConfig
from connectors.fxiaoke.facts import Facts
from connectors.fxiaoke.lines import OrderLines
from connectors.fxiaoke.products import Products
from connectors.fxiaoke.read import Reader
from connectors.fxiaoke.rows import Rows
from connectors.fxiaoke.schema import Describer, object_schema
from connectors.fxiaoke.write import Writer
from connectors.sdk.contract import (
    Change,
    Connector,
    Cursor,
    Delivery,
    DescribesSchema,
    Hint,
    KnowsTenant,
    ListsUnkeyed,
    Outcome,
    Page,
    Rate,
    ReadsChanges,
    ReceivesWebhooks,
    Reply,
    Tenant,
    Write,
    WritesRecords,
)
from connectors.sdk.errors import SetupError
from connectors.sdk.http import Http
from mapping.schema import ObjectSchema

OBJECTS = ("AccountObj", "LeadsObj", "ContactObj", "SalesOrderObj", "PaymentObj")


class Fxiaoke(
    Connector[FxiaokeConfig],
    ReadsChanges,
    ListsUnkeyed,
    WritesRecords,
    ReceivesWebhooks,
    DescribesSchema,
    KnowsTenant,
):
    """One tenant. Subscriptions are made in its admin console; the API cannot merge."""

    name: ClassVar[str] = "fxiaoke"
    label: ClassVar[str] = "纷享销客"
    config_model = FxiaokeConfig
    max_batch: ClassVar[int] = 100  # one call each, so about 24 s at the vendor's pace
    can_delete: ClassVar[bool] = True
    settle_seconds: ClassVar[float] = 3.0

    def __init__(self, config: FxiaokeConfig, http: Http) -> None:
        super().__init__(config, http)
        self.client = Client(config, http)
        self._describer = Describer(self.client)
        rows, areas = Rows(self.client), Areas(self.client)
        lines = OrderLines(rows, Products(self.client, rows), self._describer)
        self._reader = Reader(self.client, rows, self._describer, areas, lines)
        self._writer = Writer(
            self.client, rows, self._reader, self._describer, areas, Facts(rows, lines)
        )

    @classmethod
    def rates(cls, config: FxiaokeConfig) -> Mapping[str, Rate]:
        return rates(config)

    def check(self) -> None:
        described = self._describer.describe_now(OBJECTS[0])
        field = self.config.hub_key_field
        if field not in (described.get("fields") or {}):
            raise SetupError(
                f"{OBJECTS[0]} has no field {field}.",
                hint="Make a text field with this API name on every synced object, or name yours "
                "in the settings.",
            )

    def tenant(self) -> Tenant | None:
        """The enterprise that the token was granted for."""
        return self.client.tenant()

    def objects(self) -> Sequence[str]:
        return OBJECTS

    def changes(self, object_name: str, since: Cursor | None) -> Iterator[Page]:
        return self._reader.changes(object_name, since)

    def unkeyed(self, object_name: str, since: Cursor) -> Iterator[Page]:
        return self._reader.unkeyed(object_name, since)

    def fetch(self, object_name: str, ids: Sequence[str]) -> Iterator[Change]:
        return self._reader.fetch(object_name, ids)

    def write(self, object_name: str, batch: Sequence[Write]) -> Iterator[Outcome]:
        return self._writer.write(object_name, batch)

    def find(self, object_name: str, keys: Sequence[str]) -> Mapping[str, Change]:
        return self._reader.find(object_name, keys)

    def schema(self, object_name: str) -> ObjectSchema:
        return object_schema(self._describer.describe_now(object_name))

    def verify(self, delivery: Delivery) -> None:
        longest = timedelta(seconds=self.config.callback_max_age)
        callback.verify(delivery, self._secret(), self.client.enterprise(), longest)

    def hints(self, delivery: Delivery) -> Sequence[Hint]:
        return callback.hints(delivery, self._secret(), OBJECTS)

    def reply(self, delivery: Delivery) -> Reply:
        return callback.reply(delivery, self._secret())

    def _secret(self) -> str:
        secret = self.config.callback_secret
        return secret.get_secret_value() if secret else ""
