"""Secrets at rest: AES-256-GCM under the hub's master key."""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sync.settings import Settings

_VERSION = b"\x01"


class VaultError(Exception):
    """A secret cannot be opened. The sentence says what to mend."""


class Vault:
    """Seals JSON values; each is bound to its place (table, row, column)."""

    def __init__(self, master: bytes) -> None:
        self._key = hashlib.sha256(b"kehub vault" + master).digest()

    def seal(self, value: Mapping[str, Any], place: str) -> bytes:
        nonce = os.urandom(12)
        text = json.dumps(value, ensure_ascii=False).encode()
        return _VERSION + nonce + AESGCM(self._key).encrypt(nonce, text, place.encode())

    def open(self, sealed: bytes, place: str) -> dict[str, Any]:
        """Raises VaultError where the master key is another one or the bytes were changed."""
        try:
            text = AESGCM(self._key).decrypt(sealed[1:13], sealed[13:], place.encode())
        except InvalidTag as exc:
            raise VaultError(
                "The stored credentials cannot be opened with this master key. Start the hub with "
                "the KEHUB_SECRET_KEY it was set up with, or enter the credentials again."
            ) from exc
        return dict(json.loads(text))

    def sign(self, text: str) -> str:
        """A keyed digest, for values that must be recognised but not kept."""
        return hmac.new(self._key, text.encode(), "sha256").hexdigest()


def open_vault(settings: Settings) -> Vault:
    """The vault of a hub; makes the key file on first use when no key is configured."""
    if settings.secret_key is not None:
        return Vault(settings.secret_key.get_secret_value().encode())
    return Vault(master_key(settings.secret_key_file or settings.home / "secret.key"))


def master_key(path: Path) -> bytes:
    """The key in a file, made there (readable by its owner only) when it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes().strip()
    with os.fdopen(handle, "wb") as file:
        key = base64.urlsafe_b64encode(os.urandom(32))
        file.write(key)
    return key
