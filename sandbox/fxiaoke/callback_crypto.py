"""Signature and encryption of the object change callback.

AES-256-CBC with the first 16 bytes of the key as IV and PKCS#7 padding; SHA-1 over the plain
concatenation of the fields. Both are the vendor's scheme, weak as it is, and kept on purpose.
"""

import base64
import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7


def _cipher(secret: str) -> Cipher[modes.CBC]:
    key = base64.b64decode(secret)
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))


def encrypt(secret: str, plain: str) -> str:
    padder = PKCS7(128).padder()
    padded = padder.update(plain.encode()) + padder.finalize()
    encryptor = _cipher(secret).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def decrypt(secret: str, encrypted: str) -> str:
    """The plain text; ValueError when it is not what that key encrypted."""
    decryptor = _cipher(secret).decryptor()
    padded = decryptor.update(base64.b64decode(encrypted, validate=True)) + decryptor.finalize()
    unpadder = PKCS7(128).unpadder()
    return (unpadder.update(padded) + unpadder.finalize()).decode()


def sign(*parts: object) -> str:
    return hashlib.sha1("".join(map(str, parts)).encode()).hexdigest()


def sign_delivery(
    secret: str,
    *,
    timestamp: int,
    nonce: str,
    message_id: str,
    ea: str,
    encrypted: str,
    retry_times: int | None = None,
) -> str:
    retried = () if retry_times is None else (retry_times,)
    return sign(timestamp, nonce, message_id, *retried, ea, encrypted, secret)


def sign_answer(secret: str, *, timestamp: int, nonce: str, encrypted: str) -> str:
    return sign(timestamp, nonce, encrypted, secret)
