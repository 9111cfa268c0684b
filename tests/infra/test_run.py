"""What `kehub run` checks before it starts anything, and what it would start."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.infra.processes import eventually, is_alive, spawn, start_server, stop
from webui.cli import run as run_module
from webui.cli.broker import BrokerNotFoundError, embedded_broker, find_server
from webui.cli.child import Child
from webui.cli.run import Hub, SupervisorError, run_hub


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def server_that_says(folder, name, words):
    script = folder / name
    script.write_text(f"#!/bin/sh\necho '{words}'\n")
    script.chmod(0o755)
    return script


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_taken_port_is_named_with_a_way_out(tmp_path, language):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SupervisorError) as refusal:
            run_hub(Hub(tmp_path / "home", port, language=language))
    assert f"{port}" in str(refusal.value)
    assert "KEHUB_PORT" in str(refusal.value)


def test_a_full_disk_is_told_before_anything_starts(tmp_path, free_port, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=3_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(SupervisorError, match=r"is full \(3 MB left\)"):
        run_hub(Hub(tmp_path / "home", free_port))
    assert not (tmp_path / "home" / "log").exists()


def test_a_home_that_cannot_be_made_is_told(tmp_path, free_port):
    (tmp_path / "file").touch()
    with pytest.raises(SupervisorError, match="KEHUB_HOME"):
        run_hub(Hub(tmp_path / "file" / "home", free_port))


def test_a_home_on_a_network_file_system_is_refused(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"root / ext4 rw 0 0\nhost:/x {tmp_path}/far nfs4 rw 0 0\n")
    assert run_module._network_file_system(tmp_path / "far" / "home", mounts) == "nfs4"
    assert run_module._network_file_system(tmp_path / "near", mounts) is None
    assert run_module._network_file_system(tmp_path / "far-away", mounts) is None


def test_a_missing_broker_is_told_with_a_way_out(tmp_path, free_port, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(SupervisorError, match="KEHUB_REDIS_URL"):
        run_hub(Hub(tmp_path / "home", free_port))


def test_a_new_enough_server_on_path_is_preferred(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = server_that_says(tmp_path, "redis-server", "Redis server v=7.0.15 sha=0")
    assert find_server() == found


def test_an_old_server_on_path_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    old = server_that_says(tmp_path, "redis-server", "Redis server v=6.0.16 sha=0")
    assert find_server() != old
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(BrokerNotFoundError):
        find_server()


@pytest.mark.redis
def test_a_long_home_gets_a_short_private_socket(tmp_path):
    home = tmp_path / ("x" * 60) / ("y" * 60)
    home.mkdir(parents=True)
    broker = embedded_broker(home)
    folder = broker.socket_path.parent
    try:
        assert len(os.fsencode(broker.socket_path)) < 100
        assert folder.stat().st_mode & 0o077 == 0
        assert embedded_broker(home).socket_path == broker.socket_path
        with start_server(broker.command, ready=broker.answers, log=tmp_path / "log"):
            assert broker.answers()
    finally:
        folder.rmdir()


def test_a_folder_that_somebody_put_in_the_way_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    home = tmp_path / ("x" * 120)
    home.mkdir()
    first = embedded_broker(home).socket_path.parent
    first.chmod(0o777)
    assert embedded_broker(home).socket_path.parent != first


def test_an_own_broker_is_used_and_none_is_started(tmp_path):
    hub = Hub(tmp_path, 1, redis_url="redis://:secret@cache.internal:6379/0")
    assert run_module._embedded(hub) is None
    assert [child.name for child in run_module._children(hub, None)] == ["worker", "beat", "web"]
    assert run_module._without_password(hub.redis_url) == "redis://cache.internal:6379/0"


def test_each_worker_process_has_a_name_and_fewer_threads(tmp_path):
    hub = Hub(tmp_path, 1, redis_url="redis://localhost", workers=2)
    children = run_module._children(hub, None)
    assert [child.name for child in children] == ["worker", "beat", "web", "worker-2"]
    workers = [children[0], children[-1]]
    nodes = [child.command[child.command.index("-n") + 1] for child in workers]
    assert nodes == ["worker@%h", "worker-2@%h"]
    assert [child.command[child.command.index("-c") + 1] for child in workers] == ["4", "4"]


def test_extras_start_after_the_broker_and_stop_before_it(tmp_path):
    hub = Hub(tmp_path, 1, extras=[Child("erp", ["true"])])
    names = [child.name for child in run_module._children(hub, embedded_broker(tmp_path))]
    assert names == ["broker", "erp", "worker", "beat", "web"]


# The smallest programs that the commands of a hub can run: what is tested is the commands.
TASKS = """
import os
from celery import Celery
app = Celery("hub", broker=os.environ["KEHUB_REDIS_URL"])
app.conf.update(task_ignore_result=True, beat_schedule={
    "tick": {"task": "tick", "schedule": 0.2, "options": {"queue": "wake"}},
})
@app.task(name="tick")
def tick():
    with open(os.path.join(os.environ["KEHUB_HOME"], "ticks"), "a") as out:
        out.write(os.environ["KEHUB_PORT"] + "\\n")
"""
WEB = """
def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
RUN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from webui.cli.run import Hub, run_hub
hub = Hub(Path(sys.argv[2]), int(sys.argv[3]))
sys.exit(run_hub(hub, on_ready=lambda: print(hub.url, flush=True)))
"""


@pytest.fixture
def programs(tmp_path):
    folder = tmp_path / "programs"
    for package, module, text in (("sync", "tasks", TASKS), ("webui", "app", WEB)):
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").touch()
        (folder / package / f"{module}.py").write_text(text)
    return folder


@contextmanager
def hub_process(programs, home, port):
    root = str(Path(__file__).parents[2])
    # Children find the programs of the test: `python -m` looks in the working folder first.
    process = spawn(
        [sys.executable, "-c", RUN, root, str(home), str(port)],
        cwd=programs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                stop(process, patience=30)


@pytest.mark.redis
def test_a_hub_comes_up_works_survives_a_kill_and_goes_away(tmp_path, programs, free_port):
    home = tmp_path / "home"
    ticks = home / "ticks"
    with hub_process(programs, home, free_port) as process:
        assert process.stdout.readline() == f"http://127.0.0.1:{free_port}\n"
        eventually(lambda: ticks.exists() and ticks.read_text().startswith(f"{free_port}\n"))
        facts = json.loads((home / "run.json").read_text())
        assert facts["port"] == free_port
        assert facts["redis_url"] == f"redis+socket://{home}/b.sock"
        process.kill()
    eventually(lambda: not any(is_alive(pid) for pid in facts["pids"].values()))
    ticks.unlink()
    with hub_process(programs, home, free_port) as process:
        assert process.stdout.readline() == f"http://127.0.0.1:{free_port}\n"
        eventually(ticks.exists)
        process.terminate()
        _out, told = process.communicate(timeout=90)
    assert process.returncode == 0
    assert told == "Stopping …\n"
    assert not (home / "run.json").exists()
