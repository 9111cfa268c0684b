"""The Zoho CRM connector: what it can do, in the words of the contract."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from connectors.sdk.contract import (
    Change,
    Connector,
    Cursor,
    Delivery,
    DescribesSchema,
    Hint,
    KnowsTenant,
    Outcome,
    Page,
    ReadsChanges,
    ReceivesWebhooks,
    SubscribesWebhooks,
    Tenant,
    Write,
    WritesRecords,
)
from connectors.sdk.errors import SetupError
from connectors.sdk.http import Http
from connectors.zoho_crm.bulk import BulkReader
from connectors.zoho_crm.client import Client
from connectors.zoho_crm.config import ZohoConfig
from connectors.zoho_crm.feed import Feed
from connectors.zoho_crm.lines import Lines
from connectors.zoho_crm.notify import Channels
from connectors.zoho_crm.products import Products
from connectors.zoho_crm.read import Reader
from connectors.zoho_crm.records import change
from connectors.zoho_crm.schema import Metadata, check_hub_key, describe
from connectors.zoho_crm.write import BATCH, Writer
from mapping.schema import ObjectSchema

CUSTOMERS = ("Accounts", "Contacts", "Leads")
DOCUMENTS = ("Sales_Orders", "Invoices")


class ZohoCrm(
    Connector[ZohoConfig],
    ReadsChanges,
    WritesRecords,
    ReceivesWebhooks,
    SubscribesWebhooks,
    DescribesSchema,
    KnowsTenant,
):
    """Zoho CRM.

    Not conditional: If-Unmodified-Since holds for a whole request and for whole seconds, so it
    cannot guard one record of a batch; the hub reads the batch back before it writes.
    """

    name: ClassVar[str] = "zoho_crm"
    label: ClassVar[str] = "Zoho CRM"
    config_model = ZohoConfig
    max_batch: ClassVar[int] = BATCH
    can_delete: ClassVar[bool] = True
    conditional: ClassVar[bool] = False
    echoes: ClassVar[bool] = True
    settle_seconds: ClassVar[float] = 0.0  # COQL reads the database, not the search index

    def __init__(self, config: ZohoConfig, http: Http) -> None:
        super().__init__(config, http)
        self.client = Client(config, http)
        self.metadata = Metadata(self.client)
        self.reader = Reader(self.client, self.metadata)
        self.exports = BulkReader(self.client)
        self.products = Products(
            self.client,
            self.reader,
            self.metadata,
            key_field=config.hub_key_field,
            spare=config.line_product,
        )
        lines = Lines(self.reader, self.products)
        self.writer = Writer(self.client, self.reader, self.metadata, lines, config)
        self.channels = Channels(self.client, config)

    def check(self) -> None:
        """One description per module: proves token, rights, modules and the key field."""
        for name in self.objects():
            check_hub_key(self.metadata.read(name), self.config.hub_key_field)

    def tenant(self) -> Tenant | None:
        """The organisation; a sandbox of it is another one."""
        try:
            rows = self.client.get("/org").body.get("org")
        except SetupError:  # the scope ZohoCRM.org.READ is not granted
            return None
        if not isinstance(rows, list) or not rows:
            return None
        edition = str(rows[0].get("type") or "production")
        label = f"{rows[0].get('company_name') or rows[0]['id']} ({edition})"
        return Tenant(f"org:{rows[0]['id']}/{edition}", label)

    def objects(self) -> Sequence[str]:
        return CUSTOMERS + (DOCUMENTS if self.config.sales_documents else ())

    def changes(self, object_name: str, since: Cursor | None) -> Iterator[Page]:
        threshold = self.config.bulk_threshold
        feed = Feed(self.reader, self.exports, self.metadata, threshold=threshold)
        return feed.pages(object_name, since)

    def fetch(self, object_name: str, ids: Sequence[str]) -> Iterator[Change]:
        return self.reader.fetch(object_name, ids)

    def write(self, object_name: str, batch: Sequence[Write]) -> Iterator[Outcome]:
        return self.writer.write(object_name, batch)

    def find(self, object_name: str, keys: Sequence[str]) -> Mapping[str, Change]:
        field = self.config.hub_key_field
        ids = self.reader.ids_of_keys(object_name, field, keys)
        records = self.reader.by_ids(object_name, ids.values())
        return {
            key: change(object_name, records[record_id])
            for key, record_id in ids.items()
            if record_id in records
        }

    def verify(self, delivery: Delivery) -> None:
        self.channels.verify(delivery)

    def hints(self, delivery: Delivery) -> Sequence[Hint]:
        return self.channels.hints(delivery)

    def subscribe(self, url: str, state: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.channels.subscribe(CUSTOMERS, url, state)

    def unsubscribe(self, state: Mapping[str, Any]) -> None:
        self.channels.unsubscribe(state)

    def schema(self, object_name: str) -> ObjectSchema:
        return describe(self.metadata.read(object_name))
