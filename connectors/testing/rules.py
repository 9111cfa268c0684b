"""What the suite asks of a test: the system behind the connector, and which rule needs what."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from connectors.sdk.contract import Delivery, Native
from connectors.sdk.errors import ConnectorError
from connectors.testing import network

F = TypeVar("F", bound=Callable[..., Any])


class Target(ABC):
    """The system behind the connector, reached past the connector: as its users do."""

    object_name: str  # the object that the suite works on; it can be written
    text_field: str = "name"  # native path of a free text that may be changed

    @abstractmethod
    def sample(self, number: int) -> Native:
        """Data of a create that the system accepts; another one for each number."""

    @abstractmethod
    def wrong(self) -> Native:
        """Data of a create that the system refuses for good."""

    @abstractmethod
    def seed(self, count: int) -> Sequence[str]:
        """Creates samples one after the other; their ids, oldest first."""

    @abstractmethod
    def edit(self, remote_id: str, text: str) -> None:
        """Changes the free text of a record."""

    @abstractmethod
    def remove(self, remote_id: str) -> None:
        """Deletes a record, as far as the connector is to see."""

    @abstractmethod
    def text(self, remote_id: str) -> str | None:
        """The free text as the system holds it."""

    @abstractmethod
    def count(self, hub_key: str) -> int:
        """How many records carry this hub key."""

    def populate(self) -> None:  # noqa: B027  most systems need nothing here
        """Records of the other objects too, for the rules about mappings."""

    def missing_id(self) -> str:
        """An id that could be, but is not there."""
        return "99999999"

    def broken(self, failure: network.Failure) -> AbstractContextManager[None]:
        """While it lasts, calls of the connector meet the failure."""
        raise NotImplementedError

    def inside_error(self) -> tuple[network.Answer, type[ConnectorError]]:
        """An answer of success with an error inside, and the class that it must become."""
        raise NotImplementedError

    def delivery(self, remote_id: str) -> Delivery:
        """A genuine delivery about a record."""
        raise NotImplementedError

    def forged(self, delivery: Delivery) -> Sequence[Delivery]:
        """The same delivery, each time not quite right."""
        headers = dict(delivery.headers)
        without = [
            replace(delivery, headers={n: v for n, v in headers.items() if n != name})
            for name in headers
            if "sign" in name or "token" in name
        ]
        return [
            *without,
            replace(delivery, body=delivery.body + b" "),
            replace(delivery, body=delivery.body[: len(delivery.body) // 2]),
            replace(delivery, body="客".encode("gb18030") + delivery.body),
            replace(delivery, received_at=delivery.received_at + timedelta(days=2)),
        ]


def needs(*capabilities: type) -> Callable[[F], F]:
    """Marks a rule that concerns only connectors with these capabilities."""

    def mark(test: F) -> F:
        test.capabilities = capabilities  # type: ignore[attr-defined]
        return test

    return mark
