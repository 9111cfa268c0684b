"""The event callback: its signature, its cipher and the answer the vendor waits for.

After the vendor's sample (github.com/fsxiaoke/open-fxiaoke-demo). This is not the scheme of
WeChat Work: nothing is sorted, and the plain text is the JSON itself.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from connectors.sdk.contract import Delivery, Hint, Reply
from connectors.sdk.errors import DeliveryRejected
from connectors.sdk.webhooks import check_age, check_same, json_body, moment

_PARTS = ("timestamp", "nonce", "messageId", "retryTimes", "enterpriseAccount", "encryptedContent")
_OPTIONAL = frozenset({"retryTimes"})


def verify(delivery: Delivery, secret: str, enterprise: str, longest: timedelta) -> None:
    """Refuses what is not signed with the secret, not ours, too old or not readable."""
    if not secret:
        raise DeliveryRejected("No callback secret is set, so no callback can be proven.")
    envelope = json_body(delivery)
    check_same(str(envelope.get("signature", "")), signature(envelope, secret), "signature")
    if enterprise:
        check_same(str(envelope["enterpriseAccount"]), enterprise, "enterprise account")
    check_age(moment(str(envelope["timestamp"])), delivery.received_at, longest)
    event(envelope, secret)


def hints(delivery: Delivery, secret: str, objects: Sequence[str]) -> list[Hint]:
    """The record to look at again, whatever happened to it; nothing for other objects."""
    envelope = json_body(delivery)
    told = event(envelope, secret)
    name, remote_id = told.get("apiName"), told.get("dataId")
    if name not in objects:
        return []
    return [Hint(str(name), str(remote_id) if remote_id else None, str(envelope["messageId"]))]


def reply(delivery: Delivery, secret: str) -> Reply:
    """The word "success", encrypted and signed; without it the vendor sends again."""
    nonce = str(json_body(delivery)["nonce"])
    body = answer(secret, milliseconds(delivery.received_at), nonce)
    return Reply(json.dumps(body).encode())


def answer(secret: str, timestamp: int, nonce: str) -> dict[str, Any]:
    """The answer's four members."""
    result = encrypt(b"success", secret)
    text = f"{timestamp}{nonce}{result}{secret}"
    signed = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return {
        "timestamp": timestamp,
        "nonce": nonce,
        "encryptedResult": result,
        "signature": signed,
    }


def signature(envelope: Mapping[str, Any], secret: str) -> str:
    """The vendor's SHA-1 over the parts in this order and the secret as it is shown."""
    parts = []
    for name in _PARTS:
        if name in envelope and not isinstance(envelope[name], (dict, list)):
            parts.append(str(envelope[name]))
        elif name not in _OPTIONAL:
            raise DeliveryRejected(f"The callback has no {name}.")
    text = "".join(parts) + secret
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def event(envelope: Mapping[str, Any], secret: str) -> Mapping[str, Any]:
    """The decrypted content."""
    try:
        told = json.loads(decrypt(str(envelope["encryptedContent"]), secret))
    except (ValueError, binascii.Error) as exc:
        raise DeliveryRejected("The callback cannot be decrypted with the secret.") from exc
    if not isinstance(told, dict):
        raise DeliveryRejected("The callback's content is not an object.")
    return told


def decrypt(content: str, secret: str) -> str:
    """AES-256-CBC with the key's first half as start vector."""
    decryptor = _cipher(secret).decryptor()
    padded = decryptor.update(base64.b64decode(content, validate=True)) + decryptor.finalize()
    unpadder = PKCS7(128).unpadder()
    return (unpadder.update(padded) + unpadder.finalize()).decode("utf-8")


def encrypt(plain: bytes, secret: str) -> str:
    """The other direction, as Base64."""
    padder = PKCS7(128).padder()
    encryptor = _cipher(secret).encryptor()
    padded = padder.update(plain) + padder.finalize()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _cipher(secret: str) -> Cipher[CBC]:
    key = base64.b64decode(secret)
    return Cipher(AES256(key), CBC(key[:16]))
