"""What comes in over HTTP: webhooks of the systems."""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.sdk.contract import Delivery
from connectors.sdk.errors import ConnectorError, DeliveryRejected
from sync.flow import receive
from sync.flow.hub import Hub
from sync.service.errors import ServiceError


class DeliveryRefusedError(ServiceError):
    """A delivery that is not proven; nothing of it was stored."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender wants to hear."""

    body: bytes
    content_type: str
    status: int


def take_delivery(
    hub: Hub,
    name: str,
    key: str,
    *,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    body: bytes,
) -> Answer:
    """Proves and stores a delivery. Raises DeliveryRefusedError; nothing is stored then."""
    delivery = Delivery(
        headers={header.lower(): value for header, value in headers.items()},
        query=dict(query),
        body=body,
        received_at=hub.now(),
    )
    try:
        reply = receive.receive(hub, name, key, delivery)
    except DeliveryRejected as error:
        raise DeliveryRefusedError(str(error), code="delivery_refused") from error
    except ConnectorError as error:
        # A system that cannot be opened cannot prove anything; the poll finds what this told.
        raise DeliveryRefusedError(
            "This system takes no deliveries now.", code="delivery_refused"
        ) from error
    return Answer(reply.body, reply.content_type, reply.status)
