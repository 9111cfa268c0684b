"""Whom the hub must never hold again: a file of keyed hashes, beside the database, not in it.

A database that is restored knows nothing of who was erased since; this file does. It is only
ever appended to: a line is a request with its hashes, a request that was lifted, a record that a
person let in again, or the certificate of a request that is done. Nothing can be read back from
it without the hub's master key, and even then only whether a given person is listed.
"""

import fcntl
import json
import os
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HEAD = {"kehub": "suppression", "format": 1}
_CHECK = "this list and this key belong together"
_LENGTH = 32  # hexadecimal digits of a hash: 128 bits


class SuppressionError(Exception):
    """The list cannot be used. Nothing may be taken in then: it could be an erased person."""


@dataclass(slots=True)
class _Read:
    """What the file said when it was last read."""

    stamp: tuple[int, int, int] = (0, 0, 0)  # inode, size, modified
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_digest: dict[str, str] = field(default_factory=dict)
    allowed: set[str] = field(default_factory=set)
    certificates: dict[str, dict[str, Any]] = field(default_factory=dict)


class SuppressionList:
    """The list of one hub. `sign` makes a keyed hash of a text."""

    def __init__(self, path: Path, sign: Callable[[str], str]) -> None:
        self.path, self._sign = path, sign
        self._lock = threading.Lock()
        self._known = _Read()

    def digest(self, text: str) -> str:
        """The keyed hash of a fact."""
        return self._sign(f"suppression {text}")[:_LENGTH]

    def is_empty(self) -> bool:
        """Whether nobody is listed: then nothing needs to be looked up."""
        return not self._current().by_digest

    def find(self, texts: Iterable[str]) -> str | None:
        """The request by which any of these facts is listed."""
        known = self._current().by_digest
        for text in texts:
            request = known.get(self.digest(text))
            if request is not None:
                return request
        return None

    def is_allowed(self, text: str) -> bool:
        """Whether a person has let this remote record in."""
        return self.digest(text) in self._current().allowed

    def requests(self) -> Mapping[str, Mapping[str, Any]]:
        """Every request that still holds, by id: its facts as they were noted."""
        return dict(self._current().requests)

    def certificates(self) -> Mapping[str, Mapping[str, Any]]:
        """Certificates of finished requests, by id."""
        return dict(self._current().certificates)

    def add(self, request: str, digests: Collection[str], facts: Mapping[str, Any]) -> None:
        """Lists a request; what it already lists is not listed twice."""
        listed = set(self._current().requests.get(request, {}).get("digests", ()))
        fresh = sorted(set(digests) - listed)
        if fresh or request not in self._current().requests:
            self._append({"request": request, "digests": fresh, **facts})

    def lift(self, request: str) -> None:
        """The person may come back."""
        if request in self._current().requests:
            self._append({"lifted": request})

    def allow(self, text: str) -> None:
        """A remote record is somebody else; it may come in."""
        self._append({"allowed": self.digest(text)})

    def certify(self, certificate: Mapping[str, Any]) -> None:
        """Keeps the certificate of a request where no restore can lose it."""
        if self._current().certificates.get(str(certificate["request"])) != certificate:
            self._append({"certificate": dict(certificate)})

    def content(self) -> bytes:
        """The whole file, for a backup."""
        self._current()
        return self.path.read_bytes() if self.path.exists() else b""

    def merge(self, content: bytes) -> None:
        """Adds what another copy of the list says. Raises where another key made it."""
        if not content:
            return
        self._check(_lines(content)[0])
        known = set(self.content().splitlines())
        for raw in content.splitlines()[1:]:
            if raw not in known:
                for line in _lines(raw):
                    if line:
                        self._append(line)

    def _current(self) -> _Read:
        with self._lock:
            stamp = _stamp(self.path)
            if stamp != self._known.stamp:
                self._known = self._read(stamp)
            return self._known

    def _read(self, stamp: tuple[int, int, int]) -> _Read:
        found = _Read(stamp)
        if stamp[1] == 0:
            return found
        lines = _lines(self.path.read_bytes())
        self._check(lines[0])
        for line in lines[1:]:
            _apply(found, line)
        for request, facts in found.requests.items():
            found.by_digest.update(dict.fromkeys(facts["digests"], request))
        return found

    def _check(self, head: Mapping[str, Any]) -> None:
        if {name: head.get(name) for name in HEAD} != HEAD:
            raise SuppressionError(f"{self.path} is no suppression list of a hub.")
        if head.get("check") != self.digest(_CHECK):
            raise SuppressionError(
                f"{self.path} was made with another master key, so nobody on it would be "
                "recognised. Start the hub with the KEHUB_SECRET_KEY it was set up with."
            )

    def _append(self, line: Mapping[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                file.write(_encoded({**HEAD, "check": self.digest(_CHECK)}))
            elif not _ends_whole(self.path, size):
                file.write(b"\n")  # a line that a crash cut off stays alone
            file.write(_encoded(line))
            file.flush()
            os.fsync(file.fileno())


def _apply(found: _Read, line: Mapping[str, Any]) -> None:
    if "request" in line:
        known = found.requests.setdefault(line["request"], {**line, "digests": []})
        known["digests"] = sorted({*known["digests"], *line["digests"]})
    elif "lifted" in line:
        found.requests.pop(line["lifted"], None)
    elif "allowed" in line:
        found.allowed.add(line["allowed"])
    elif "certificate" in line:
        found.certificates[line["certificate"]["request"]] = line["certificate"]


def _lines(content: bytes) -> list[dict[str, Any]]:
    """The lines that are whole; a crash may have cut one off."""
    found: list[dict[str, Any]] = []
    for raw in content.splitlines():
        try:
            found.append(dict(json.loads(raw)))
        except ValueError:
            continue
    if not found:
        found.append({})
    return found


def _encoded(line: Mapping[str, Any]) -> bytes:
    return json.dumps(line, ensure_ascii=False, sort_keys=True, default=str).encode() + b"\n"


def _ends_whole(path: Path, size: int) -> bool:
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1) == b"\n"


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0, 0
    return found.st_ino, found.st_size, found.st_mtime_ns
