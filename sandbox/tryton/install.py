"""Tryton's own environment: packages from the lock, and empty databases kept for reuse.

Creating the tables takes a minute or more, so it is done once per environment. Two databases
are kept: the bare tables (they depend on the packages only) and the same with our settings.
"""

import hashlib
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.tryton import settings
from sandbox.tryton.progress import Span
from sandbox.tryton.single import exclusive

LOCK = Path(__file__).with_name("requirements.lock")
ACTIVATED = (
    "party",
    "party_relationship",
    "company",
    "sale",
    "account_invoice",
    "account_credit_limit",
    "sale_credit_limit",
)
MODULES_IN_ALL = 16  # the above with what they pull in; only the progress display depends on it
DATABASE = "tryton"


class InstallError(Exception):
    """Tryton cannot be made ready here; the text says why and what helps."""


class Environment:
    """A virtual environment that holds Tryton and the prepared databases."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.python = self.folder / "bin" / "python"
        self.store = self.folder / "share" / "prepared"

    @property
    def server(self) -> Path:
        return self.folder / "bin" / "trytond"

    @property
    def admin(self) -> Path:
        return self.folder / "bin" / "trytond-admin"

    @contextmanager
    def alone(self, wait_notice: Callable[[], None]) -> Iterator[None]:
        """Two demos may share an environment; only one of them prepares it."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        lock = self.folder.with_name(self.folder.name + ".lock")
        with exclusive(lock, on_wait=wait_notice):
            yield

    def is_installed(self) -> bool:
        stamp = self.store / "packages"
        return self.server.exists() and stamp.exists() and stamp.read_text() == _packages_key()

    def install(self, span: Span) -> None:
        if self.is_installed():
            return
        span.show(0.0, "Installing Tryton from the package index")
        uv = _find_uv()
        installed = uv is not None and self._install_with_uv(uv)
        if not installed:
            span.show(0.2, "Installing Tryton with pip")
            self._install_with_pip()
        self.store.mkdir(parents=True, exist_ok=True)
        (self.store / "packages").write_text(_packages_key())
        span.show(1.0, "Tryton is installed")

    def _install_with_uv(self, uv: str) -> bool:
        self._create_venv("--without-pip")
        command = [uv, "pip", "install", "--quiet", "--python", str(self.python)]
        return _quietly([*command, "--require-hashes", "-r", str(LOCK)]).returncode == 0

    def _install_with_pip(self) -> None:
        self._create_venv("--clear")
        command = [str(self.python), "-m", "pip", "install", "--quiet", "--no-input"]
        done = _quietly([*command, "--require-hashes", "-r", str(LOCK)])
        if done.returncode != 0:
            raise InstallError(
                "Tryton could not be installed. Is the package index reachable? pip said: "
                + _last_line(done.stderr)
            )

    def _create_venv(self, *options: str) -> None:
        done = _quietly([sys.executable, "-m", "venv", *options, str(self.folder)])
        if done.returncode != 0:
            raise InstallError(
                "Python cannot create a virtual environment here; on Debian and Ubuntu "
                "`apt-get install python3-venv` adds what is missing. It said: "
                + _last_line(done.stderr or done.stdout)
            )

    def bare_database(self) -> Path:
        return self.store / f"bare-{_packages_key()}.sqlite"

    def ready_database(self) -> Path:
        return self.store / f"ready-{_packages_key()}-{settings.fingerprint()}.sqlite"

    def template_password(self) -> str:
        """The administrator's password inside the kept databases, replaced in every copy."""
        self.store.mkdir(parents=True, exist_ok=True)
        path = self.store / "password"
        if not path.exists():
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(18))
        return path.read_text()

    def create_tables(self, span: Span) -> None:
        """Make the bare database, once per set of packages."""
        if self.bare_database().exists():
            return
        self.template_password()
        with tempfile.TemporaryDirectory(dir=self.store, prefix="tables-") as work:
            folder = Path(work)
            write_config(folder, port=0)
            (folder / f"{DATABASE}.sqlite").touch()
            self._run_admin(folder, span)
            keep(folder / f"{DATABASE}.sqlite", self.bare_database())

    def _run_admin(self, folder: Path, span: Span) -> None:
        # fmt: off
        command = [
            str(self.admin), "-vv", "-c", str(folder / "trytond.conf"), "-d", DATABASE,
            "-u", *ACTIVATED, "--activate-dependencies", "-l", "zh_CN",
            "--email", "admin@example.org",
        ]
        # fmt: on
        environment = {**os.environ, "TRYTONPASSFILE": str(self.store / "password")}
        loaded: list[str] = []
        tail: list[str] = []
        with subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            for line in process.stderr or ():
                tail = [*tail[-4:], line]
                module = _module_in(line)
                if module and module not in loaded:
                    loaded.append(module)
                    count = min(len(loaded), MODULES_IN_ALL)
                    text = f"Creating the tables: {module} ({count} of {MODULES_IN_ALL})"
                    span.show((count - 1) / MODULES_IN_ALL, text)
        if process.returncode != 0:
            raise InstallError("Tryton could not create its tables: " + _last_line("".join(tail)))


def _module_in(line: str) -> str | None:
    """The module of a log line such as `... INFO trytond.modules sale load sale.xml`."""
    _, found, rest = line.partition("trytond.modules ")
    words = rest.split()
    return words[0] if found and words[1:2] == ["load"] else None


def write_config(folder: Path, *, port: int) -> Path:
    path = folder / "trytond.conf"
    path.write_text(
        "[database]\n"
        "uri = sqlite://\n"
        f"path = {folder}\n"
        f"default_name = {DATABASE}\n"
        "[web]\n"
        f"listen = 127.0.0.1:{port}\n"
    )
    return path


def write_logging(folder: Path) -> Path:
    """Errors only and a bounded file: a line per request would fill the disk of a long demo."""
    path = folder / "logging.conf"
    log = folder / "trytond.log"
    path.write_text(
        "[loggers]\nkeys = root, requests\n"
        "[handlers]\nkeys = file\n"
        "[formatters]\nkeys = plain\n"
        "[logger_root]\nlevel = WARNING\nhandlers = file\n"
        "[logger_requests]\nlevel = WARNING\nqualname = werkzeug\nhandlers =\n"
        "[handler_file]\nclass = handlers.RotatingFileHandler\nformatter = plain\n"
        f"args = ({str(log)!r}, 'a', 2_000_000, 2)\n"
        "[formatter_plain]\nformat = %(asctime)s %(levelname)s %(name)s %(message)s\n"
    )
    return path


def keep(source: Path, target: Path) -> None:
    """Copy a database file whole (its write-ahead log included); the name appears when complete."""
    partial = target.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    reader, writer = sqlite3.connect(source), sqlite3.connect(partial)
    try:
        reader.backup(writer)
    finally:
        reader.close()
        writer.close()
    partial.chmod(0o600)
    partial.replace(target)


def _packages_key() -> str:
    content = LOCK.read_bytes() + " ".join(ACTIVATED).encode()
    return hashlib.sha256(content).hexdigest()[:12]


def _find_uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else shutil.which("uv")


def _quietly(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "(nothing)"
