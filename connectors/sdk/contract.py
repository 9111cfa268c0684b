"""What a connector is: native records in and out, capabilities as base classes."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, Literal, TypeVar

from connectors.sdk.config import ConnectorConfig
from connectors.sdk.errors import ChangedError, RecordError, TransientError
from connectors.sdk.http import Http
from mapping.schema import ObjectSchema

Native = Mapping[str, Any]
Cursor = Mapping[str, Any]  # JSON-safe; opaque to all but its connector
C = TypeVar("C", bound=ConnectorConfig)


@dataclass(frozen=True, slots=True)
class Change:
    """A record as the system holds it now, whole: a field that is empty there is None.

    `data` None is a tombstone. `version` is opaque and compared for equality only.
    `merged_into` names the winner, where the system tells that this record was merged away.
    `edited`: the system tells that the record was changed after it was made, so what stands in
    it beside what the hub sent may have been typed and is no default of the system.
    """

    object_name: str
    remote_id: str
    data: Native | None
    version: str | None = None
    modified_at: datetime | None = None
    merged_into: str | None = None
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """The unit of checkpointing: resuming at `cursor` repeats little and skips nothing."""

    changes: Sequence[Change]
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Hint:
    """Look at this record again. `remote_id` None means: poll the object."""

    object_name: str
    remote_id: str | None
    delivery_id: str  # the same for every repeat of one delivery
    data: Native | None = None  # only where nothing can be read again: mail, forms


@dataclass(frozen=True, slots=True)
class Write:
    """One intended remote change."""

    key: str  # the hub's key; the same on every retry of one intent
    op: Literal["create", "update", "delete"]
    remote_id: str | None = None
    data: Native = field(default_factory=dict)  # only the fields meant to change
    if_version: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the Write with the same key.

    No error: done; `after` is the record as read back or answered (None: the hub reads it).
    `TransientError`: surely not done, send it again. `RecordError`: refused for good.
    `ChangedError`: not done, the record has moved. A write without any outcome is in doubt.
    """

    key: str
    after: Change | None = None
    error: RecordError | TransientError | ChangedError | None = None
    remote_id: str | None = None  # of a create whose `after` was not read


@dataclass(frozen=True, slots=True)
class Delivery:
    """An inbound request; nothing of it is trusted yet."""

    headers: Mapping[str, str]  # names lower-cased
    query: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """What a vendor wants to hear: answered as it stands, after the delivery is stored."""

    body: bytes = b""
    content_type: str = "application/json"
    status: int = 200


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls in so many seconds; at most `burst` (default: `calls`) at once."""

    calls: int
    seconds: float
    burst: int | None = None


class Connector(ABC, Generic[C]):
    """One remote system. Add below only the capabilities it really has."""

    name: ClassVar[str]
    label: ClassVar[str]
    config_model: ClassVar[type[ConnectorConfig]]

    def __init__(self, config: C, http: Http) -> None:
        self.config, self.http = config, http

    @classmethod
    def rates(cls, config: C) -> Mapping[str, Rate]:  # noqa: ARG003  unlimited unless told
        """How often each interface may be called; `*` is for every other interface."""
        return {}

    @abstractmethod
    def check(self) -> None:
        """One cheap call; SetupError says what to fix."""

    @abstractmethod
    def objects(self) -> Sequence[str]:
        """Names of the objects it can sync, parents before children."""


class ReadsChanges(ABC):
    """Lists what changed and reads records again."""

    @abstractmethod
    def changes(self, object_name: str, since: Cursor | None) -> Iterator[Page]:
        """Oldest first, lazily; a normal end claims "I listed all". None: everything.

        The last page (possibly empty) carries the cursor to go on from next time.
        """

    @abstractmethod
    def fetch(self, object_name: str, ids: Sequence[str]) -> Iterator[Change]:
        """One Change per distinct id, any order; a tombstone for what is gone."""


class ListsUnkeyed(ABC):
    """Lists what others have entered, without the records that the hub has made or linked."""

    @abstractmethod
    def unkeyed(self, object_name: str, since: Cursor) -> Iterator[Page]:
        """`changes` without the records that carry a hub key; tombstones may be missing.

        It goes on from a cursor of `changes` or of its own, and its last page carries its own.
        """


class WritesRecords(ABC):
    """Creates, changes and deletes records."""

    max_batch: ClassVar[int] = 100
    can_delete: ClassVar[bool] = False
    conditional: ClassVar[bool] = False  # `if_version` is honoured by the system itself
    settle_seconds: ClassVar[float] = 5.0  # how long `find` may miss a create that was done
    # A record that was changed by a write is listed by `changes` like an edited one, so the next
    # poll reads it back: an update's outcome needs no `after`, and the hub asks for none.
    echoes: ClassVar[bool] = False

    @abstractmethod
    def write(self, object_name: str, batch: Sequence[Write]) -> Iterator[Outcome]:
        """One Outcome per Write, as they become known; one without is in doubt.

        An error that is raised instead concerns every write that has no outcome yet:
        AnswerLostError leaves them in doubt, any other error says that they were not done.
        """

    @abstractmethod
    def find(self, object_name: str, keys: Sequence[str]) -> Mapping[str, Change]:
        """Records by hub key; settles a create whose answer was lost."""


class ErasesRecords(ABC):
    """Keeps records in the hub's own files (imports) and can forget them for good."""

    @abstractmethod
    def erase(self, object_name: str, ids: Sequence[str]) -> None:
        """Nothing of these records is left afterwards; safe to repeat."""


class MergesRecords(ABC):
    """Merges duplicates inside the remote system."""

    @abstractmethod
    def merge(self, object_name: str, winner_id: str, loser_ids: Sequence[str]) -> None:
        """The losers' children move to the winner, the losers vanish; safe to repeat."""


class ReceivesWebhooks(ABC):
    """Takes deliveries that the system sends."""

    @abstractmethod
    def verify(self, delivery: Delivery) -> None:
        """Raises DeliveryRejected unless proven and recent."""

    @abstractmethod
    def hints(self, delivery: Delivery) -> Sequence[Hint]:
        """What to look at again; one delivery may name many records."""

    def reply(self, delivery: Delivery) -> Reply:  # noqa: ARG002  vendors that want more override
        """The vendor's expected answer to a delivery that was stored."""
        return Reply(b"{}")


class SubscribesWebhooks(ABC):
    """Keeps the system's own subscription to our address alive."""

    @abstractmethod
    def subscribe(self, url: str, state: Mapping[str, Any]) -> Mapping[str, Any]:
        """Creates or renews; returns the JSON-safe state to keep, with `expires_at` (ISO, UTC)."""

    @abstractmethod
    def unsubscribe(self, state: Mapping[str, Any]) -> None:
        """Ends the subscription; safe to repeat."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose data a system holds. `id` is `<kind>:<id>`; ids of one kind are compared."""

    id: str
    label: str


class KnowsTenant(ABC):
    """Tells whose data its credentials lead to, so that a mix-up is noticed before any write."""

    @abstractmethod
    def tenant(self) -> Tenant | None:
        """One cheap call; None where the credentials have no right to ask."""


class DescribesSchema(ABC):
    """Tells the shape of its objects."""

    @abstractmethod
    def schema(self, object_name: str) -> ObjectSchema: ...
