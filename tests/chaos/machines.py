"""Hubs as real processes, which can be killed at any moment and started again."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from sync.flow.hub import Hub
from sync.flow.opening import open_hub
from sync.service import plans, systems, work
from sync.settings import Settings
from sync.store import schema
from tests.infra.processes import eventually, is_alive, spawn, stop
from webui.cli.broker import embedded_broker

ROOT = Path(__file__).parents[2]
STARTING = 300.0  # seconds that a hub may take to answer on a busy machine
# What a hub of these tests does otherwise than by default: it comes back from a kill in seconds
# instead of minutes, and a thousand edits in ten minutes are no mass change to be stopped.
HURRIED = {
    "lease": 10.0,
    "poll_seconds": 4.0,
    "change_guard_count": 10**6,
    "flip_guard_count": 10**6,
    "drift_seconds": 5.0,
}


class StuckError(AssertionError):
    """The hub does not come to rest; the text says what is left."""


class Machine:
    """A hub in a folder of its own. `hub` is this process's view of the same database."""

    targets: tuple[str, ...] = ()

    def __init__(self, home: Path, **settings: Any) -> None:
        self.home = home
        home.mkdir(mode=0o700)
        self.port = _free_port()
        own = {
            "home": home,
            "port": self.port,
            "public_url": f"http://127.0.0.1:{self.port}",
            "redis_url": embedded_broker(home).url,
            **HURRIED,
            **settings,
        }
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.environment |= {f"KEHUB_{k.upper()}": str(v) for k, v in own.items()}
        self.settings = Settings(**own, _env_file=None)
        self.hub: Hub = open_hub(self.settings)
        schema.upgrade(self.hub.database)

    def start(self) -> None:
        raise NotImplementedError

    def kill(self, target: str) -> None:
        """`kill -9`; what has to be started again by hand is started by `start`."""
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.stop()
        self.hub.database.engine.dispose()

    def add(self, name: str, kind: str, values: dict[str, Any]) -> str:
        """Adds a system; the address of its webhooks."""
        systems.add_system(self.hub, name=name, kind=kind, values=values)
        return systems.get_system(self.hub, name).hook_url

    def load(self) -> None:
        """Everything that the systems hold, by plan and apply."""
        plan = plans.start_plan(self.hub, wake=False)
        made = plans.make_plan(self.hub, plan.id)
        assert made.state == "ready", made.error
        plans.apply_plan(self.hub, made.id, inline=True)

    def rest(self, seconds: float = 150.0) -> None:
        """Returns when every system was polled and nothing waits any more."""
        since = work.ask_for_polls(self.hub)
        deadline = time.monotonic() + seconds
        while not (left := work.rest(self.hub, polled_since=since)).is_quiet:
            if time.monotonic() > deadline:
                raise StuckError(f"after {seconds:.0f} s: {left.as_json()}")
            self.look_after()
            time.sleep(0.1)

    def look_after(self) -> None:
        """Called while waiting."""

    def answers(self) -> bool:
        with suppress(requests.RequestException):
            return requests.get(f"http://127.0.0.1:{self.port}/healthz", timeout=60).ok
        return False


class OneMachine(Machine):
    """What `kehub run` starts: broker, worker, beat and web under a supervisor, on SQLite."""

    targets = ("worker", "web", "beat", "broker", "everything")

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        # The supervisor brings its own broker; this process reaches it by the same socket.
        del self.environment["KEHUB_REDIS_URL"]
        self._supervisor: subprocess.Popen | None = None

    def start(self) -> None:
        if self._supervisor is None or self._supervisor.poll() is not None:
            with (self.home / "run.log").open("ab") as log:
                self._supervisor = spawn(
                    [sys.executable, "-m", "webui.cli.main", "run"],
                    cwd=self.home, env=self.environment, stdout=log, stderr=log,
                )  # fmt: skip
        eventually(self._is_up, seconds=STARTING, what=f"the hub in {self.home}")

    def _is_up(self) -> bool:
        assert self._supervisor is not None
        assert self._supervisor.poll() is None, (self.home / "run.log").read_text()[-2000:]
        return "web" in self._pids() and self.answers()

    def _pids(self) -> dict[str, int]:
        try:
            return dict(json.loads((self.home / "run.json").read_text())["pids"])
        except (OSError, ValueError, KeyError):
            return {}

    def kill(self, target: str) -> None:
        pids = self._pids()
        if target != "everything":
            named = [name for name in pids if name.rpartition("-")[0] == target or name == target]
            if named:  # of several workers any one
                _kill(pids[random.choice(named)])
            return
        assert self._supervisor is not None
        _kill(self._supervisor.pid)
        for pid in pids.values():
            _kill(pid)
        self._supervisor.wait()
        eventually(lambda: not any(map(is_alive, pids.values())), what="the end of the hub")

    def stop(self) -> None:
        if self._supervisor is not None:
            stop(self._supervisor, patience=40)


@dataclass
class Part:
    """A process of a fleet."""

    name: str
    command: tuple[str, ...]
    process: subprocess.Popen | None = None
    starts: int = field(default=0)


class Fleet(Machine):
    """Several worker processes, beat and web on PostgreSQL and Redis, each on its own."""

    def __init__(self, home: Path, database_url: str, workers: int = 4) -> None:
        super().__init__(home, database_url=database_url)
        self._broker = embedded_broker(home)
        celery = (sys.executable, "-m", "celery", "-A", "sync.tasks:app")
        # fmt: off
        self._parts = {"redis": Part("redis", self._broker.command)}
        for number in range(workers):
            name = f"worker{number}"
            self._parts[name] = Part(name, (
                *celery, "worker", "-n", f"{name}@kehub", "-P", "threads", "-c", "2",
                "-Q", "wake,bulk", "--without-gossip", "--without-mingle", "--loglevel", "INFO",
            ))
        self._parts["beat"] = Part("beat", (
            *celery, "beat", "--schedule", str(home / "beat-schedule"), "--pidfile=",
        ))
        self._parts["web"] = Part("web", (
            sys.executable, "-m", "gunicorn", "--no-control-socket", "-k", "gthread",
            "--threads", "8", "--bind", f"127.0.0.1:{self.port}", "webui.app:wsgi",
        ))
        # fmt: on
        self.targets = tuple(name for name in self._parts if name != "redis")

    def start(self) -> None:
        """Starts what does not run."""
        for part in self._parts.values():
            if part.process is None or part.process.poll() is not None:
                self._start(part)
        eventually(self.answers, seconds=STARTING, what="the web process")

    def _start(self, part: Part) -> None:
        part.starts += 1
        with (self.home / f"{part.name}.log").open("ab") as log:
            part.process = spawn(
                part.command, cwd=self.home, env=self.environment, stdout=log, stderr=log
            )
        if part.name == "redis":
            eventually(self._broker.answers, what="Redis")

    def look_after(self) -> None:
        """Processes that were killed come back, as under any service manager."""
        for part in self._parts.values():
            if part.process is not None and part.process.poll() is not None:
                self._start(part)

    def kill(self, target: str) -> None:
        part = self._parts[target]
        if part.process is not None and part.process.poll() is None:
            os.killpg(part.process.pid, signal.SIGKILL)
            part.process.wait()

    def empty_redis(self) -> None:
        """Redis dies and comes back without anything that it knew."""
        self.kill("redis")
        for file in (self.home / "broker").rglob("*"):
            if file.is_file():
                file.unlink()

    def stop(self) -> None:
        """All end at once; Redis after those who still use it."""
        running = [part for part in self._parts.values() if part.process is not None]
        for part in running:
            if part.name != "redis":
                part.process.terminate()
        for part in reversed(running):
            stop(part.process, patience=30)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
