"""The servers that other tests rely on are real, and the network is closed."""

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis
import requests

from tests.conftest import NetworkBlockedError, redis_py_url

ROOT = Path(__file__).parents[2]


def test_a_test_cannot_reach_another_machine():
    with pytest.raises(NetworkBlockedError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(NetworkBlockedError):
        requests.get("http://vendor.example/", timeout=1)


def test_loopback_and_unix_sockets_stay_open(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        client.connect(path)


@pytest.mark.redis
def test_the_broker_is_a_real_server_with_scripts(clean_valkey):
    with redis.Redis.from_url(redis_py_url(clean_valkey)) as client:
        assert client.dbsize() == 0
        assert client.eval("return redis.call('incrby', KEYS[1], 41) + 1", 1, "n") == 42
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"


@pytest.mark.redis
@pytest.mark.skipif(
    "KEHUB_TEST_REDIS_URL" in os.environ, reason="the server is not ours to look at"
)
def test_nobody_else_can_open_the_brokers_socket(valkey_url):
    path = Path(valkey_url.removeprefix("redis+socket://"))
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


@pytest.mark.pg
def test_postgres_is_real_and_new_enough(pg_url):
    with psycopg.connect(pg_url.replace("+psycopg", "")) as connection:
        (version,) = connection.execute("SHOW server_version_num").fetchone()
        assert int(version) >= 150000
        (encoding,) = connection.execute("SHOW server_encoding").fetchone()
        assert encoding == "UTF8"


@pytest.mark.pg
def test_a_fresh_database_is_empty_and_apart(pg_fresh_url, pg_url):
    assert pg_fresh_url != pg_url
    with psycopg.connect(pg_fresh_url.replace("+psycopg", "")) as connection:
        tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        assert connection.execute(tables).fetchone() == (0,)


PROBE = """
import json, pathlib, pytest
@pytest.mark.parametrize("number", range(20))
def test_n(number):
    with pathlib.Path({out!r}).open("a") as out:
        out.write(json.dumps(number) + "\\n")
"""


def _order_of_a_run(folder, *options):
    out = folder / "order"
    out.unlink(missing_ok=True)
    test = folder / "test_probe.py"
    test.write_text(PROBE.format(out=str(out)))
    # fmt: off
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={ROOT}",
        "-c", str(ROOT / "pyproject.toml"), "-p", "tests.conftest", *options, str(test),
    ]
    # fmt: on
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in out.read_text().splitlines()]


def test_order_is_shuffled_and_can_be_repeated(tmp_path):
    first = _order_of_a_run(tmp_path, "--order", "7")
    assert sorted(first) == list(range(20))
    assert first != sorted(first)
    assert _order_of_a_run(tmp_path, "--order", "7") == first
    assert _order_of_a_run(tmp_path, "--order", "8") != first
