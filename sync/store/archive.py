"""The container of a backup: tar.gz, encrypted so that the openssl command can open it.

`Salted__`, 8 bytes of salt, AES-256-CTR, and at the end 32 bytes of HMAC-SHA256 over all before.
PBKDF2-HMAC-SHA256 (600,000 rounds) of the passphrase gives 96 bytes: key (32), counter block
(16), unused (16), key of the HMAC (32). So `openssl enc -d -aes-256-ctr -pbkdf2 -iter 600000
-md sha256` reads what `head -c -32` leaves of the file.
"""

import fcntl
import hashlib
import hmac
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

ITERATIONS = 600_000
PART = ".part"  # ends the name of an archive that is being written
_MAGIC = b"Salted__"
_MAC = 32
_CHUNK = 1 << 20


class ArchiveError(Exception):
    """A backup that cannot be read: wrong passphrase, cut off, or changed."""


class ArchiveBusyError(ArchiveError):
    """Another process is writing the same archive."""


class _Sealing:
    """A writable file that encrypts what is written to it."""

    def __init__(self, target: BinaryIO, passphrase: bytes) -> None:
        salt = os.urandom(8)
        encryptor, self._mac = _keys(passphrase, salt)
        self._cipher, self._target = encryptor, target
        self._put(_MAGIC + salt)

    def write(self, plain: bytes) -> int:
        self._put(self._cipher.update(plain))
        return len(plain)

    def flush(self) -> None:
        self._target.flush()

    def finish(self) -> None:
        self._put(self._cipher.finalize())
        self._target.write(self._mac.digest())

    def _put(self, sealed: bytes) -> None:
        self._mac.update(sealed)
        self._target.write(sealed)


class _Opening:
    """A readable file that decrypts; the MAC was checked before."""

    def __init__(self, source: BinaryIO, passphrase: bytes, size: int) -> None:
        salt = source.read(16)[8:]
        self._cipher, _ = _keys(passphrase, salt)
        self._source, self._left = source, size - 16 - _MAC

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        sealed = self._source.read(wanted)
        self._left -= len(sealed)
        return self._cipher.update(sealed)


def locked(handle: int) -> bool:
    """Takes a lock that ends with the process; False where another process has it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def sealed(path: Path, passphrase: bytes) -> Iterator[BinaryIO]:
    """Writes an archive; it has its name only when it is whole."""
    unfinished = path.with_name(path.name + PART)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT, 0o600)
    if not locked(handle):
        os.close(handle)
        raise ArchiveBusyError(f"{path.name} is being written by another process.")
    try:
        with os.fdopen(handle, "wb") as target:
            target.truncate()  # what a process left that was killed here
            sealing = _Sealing(target, passphrase)
            yield cast("BinaryIO", sealing)  # all that tarfile asks for
            sealing.finish()
            target.flush()
            os.fsync(target.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def opened(path: Path, passphrase: bytes) -> Iterator[BinaryIO]:
    """Reads an archive; raises ArchiveError before a byte of it is used."""
    size = path.stat().st_size
    _check(path, passphrase, size)
    with path.open("rb") as source:
        yield cast("BinaryIO", _Opening(source, passphrase, size))


def _check(path: Path, passphrase: bytes, size: int) -> None:
    with path.open("rb") as source:
        head = source.read(16)
        if len(head) < 16 or head[:8] != _MAGIC or size < 16 + _MAC:
            raise ArchiveError(f"{path.name} is no backup of this hub.")
        _, mac = _keys(passphrase, head[8:])
        mac.update(head)
        left = size - 16 - _MAC
        while left:
            part = source.read(min(_CHUNK, left))
            if not part:
                break
            mac.update(part)
            left -= len(part)
        if not hmac.compare_digest(mac.digest(), source.read(_MAC)):
            raise ArchiveError(
                f"{path.name} cannot be opened: another key made it, or it is damaged."
            )


def _keys(passphrase: bytes, salt: bytes) -> tuple[CipherContext, "hmac.HMAC"]:
    made = hashlib.pbkdf2_hmac("sha256", passphrase, salt, ITERATIONS, 96)
    cipher = Cipher(AES(made[:32]), CTR(made[32:48]))
    return cipher.encryptor(), hmac.new(made[64:], digestmod="sha256")
