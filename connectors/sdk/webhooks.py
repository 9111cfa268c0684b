"""Proof of an inbound delivery: signature, age, readable content. All refuse or return."""

import base64
import binascii
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from connectors.sdk.contract import Delivery
from connectors.sdk.errors import DeliveryRejected

Encoding = Literal["hex", "base64"]
CLOCK_SKEW = timedelta(minutes=1)  # how far a sender's clock may run ahead


def sign(secret: str, message: bytes, *, algorithm: str = "sha256", to: Encoding = "hex") -> str:
    """The HMAC of a message as text."""
    digest = hmac.new(secret.encode(), message, algorithm).digest()
    return digest.hex() if to == "hex" else base64.b64encode(digest).decode()


def check_hmac(
    given: str,
    secret: str,
    message: bytes,
    *,
    algorithm: str = "sha256",
    encoded: Encoding = "hex",
) -> None:
    """Refuses a message whose signature is not that of the secret; an empty one proves nothing."""
    if not secret:
        raise DeliveryRejected("No webhook secret is set, so no delivery can be proven.")
    expected = hmac.new(secret.encode(), message, algorithm).digest()
    if not hmac.compare_digest(expected, _decoded(given, encoded)):
        raise DeliveryRejected("The signature does not fit the content.")


def check_same(given: str, expected: str, what: str = "token") -> None:
    """Refuses a shared word that differs; compares in constant time, lengths included."""
    if not expected or not hmac.compare_digest(_hashed(given), _hashed(expected)):
        raise DeliveryRejected(f"The {what} of the delivery is not ours.")


def check_age(sent_at: datetime, received_at: datetime, longest: timedelta) -> None:
    """Refuses what was sent too long ago (a replay), or from the future."""
    age = received_at - sent_at
    if age > longest:
        raise DeliveryRejected(f"The delivery is {age.total_seconds():.0f} seconds old.")
    if age < -CLOCK_SKEW:
        raise DeliveryRejected("The delivery claims to come from the future.")


def header(delivery: Delivery, name: str) -> str:
    """A header that must be there."""
    value = delivery.headers.get(name.lower())
    if not value:
        raise DeliveryRejected(f"The delivery has no {name} header.")
    return value


def moment(epoch: str) -> datetime:
    """A header of epoch seconds, or milliseconds, as a moment."""
    try:
        seconds = float(epoch)
        if seconds > 1e11:
            seconds /= 1000
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as exc:
        raise DeliveryRejected("The time of the delivery cannot be read.") from exc


def json_body(delivery: Delivery) -> dict[str, Any]:
    """The body as a JSON object in UTF-8."""
    try:
        content = json.loads(delivery.body.decode("utf-8"))
    except (UnicodeDecodeError, ValueError) as exc:
        raise DeliveryRejected("The delivery is not JSON in UTF-8.") from exc
    if not isinstance(content, dict):
        raise DeliveryRejected("The delivery is JSON, but not an object.")
    return content


def content_id(delivery: Delivery) -> str:
    """A delivery id made from the content, for senders that give none."""
    return hashlib.sha256(delivery.body).hexdigest()


def _decoded(text: str, encoded: Encoding) -> bytes:
    try:
        if encoded == "hex":
            return bytes.fromhex(text)
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as exc:
        raise DeliveryRejected("The signature cannot be read.") from exc


def _hashed(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
