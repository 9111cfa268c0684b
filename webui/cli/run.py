"""The processes of a hub on one machine: broker, workers, beat and web (and what a demo adds)."""

import http.client
import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from webui.cli.broker import Broker, BrokerNotFoundError, embedded_broker
from webui.cli.child import Child
from webui.cli.sentences import Language, sentence
from webui.cli.supervisor import SMALLEST_DISK, Supervisor, SupervisorError, owned_home

__all__ = [
    "Child",
    "Hub",
    "Supervisor",
    "SupervisorError",
    "default_workers",
    "run_hub",
    "worker_commands",
]

HOST = "127.0.0.1"
WEB_THREADS = 32
WORKER_THREADS = 8  # of one worker process, or of two together
FEWEST_THREADS = 4
MOST_BY_ITSELF = 2  # worker processes, without KEHUB_WORKERS
PROBE_SECONDS = 2.0
LEFTOVER_PATIENCE = 12.0  # what a killed hub left behind gets this long to go away
NETWORK_FILE_SYSTEMS = re.compile(r"^(nfs\d?|cifs|smb\d?|smbfs|afs|fuse\.sshfs|ceph|glusterfs)$")


@dataclass(frozen=True, slots=True)
class Hub:
    """What is started, as plain values; `redis_url` None means an embedded broker."""

    home: Path
    port: int
    redis_url: str | None = None
    language: Language = "en"
    workers: int = 1
    extras: Sequence[Child] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"


def run_hub(
    hub: Hub,
    *,
    on_ready: Callable[[], None] | None = None,
    companion: Callable[[Supervisor], None] | None = None,
) -> int:
    """Run until Ctrl-C or SIGTERM; raises SupervisorError with a sentence when it cannot start."""
    # Not resolve(): a data folder behind a link keeps the name that its owner gave it.
    hub = replace(hub, home=hub.home.absolute())
    with owned_home(hub.home, hub.language):
        _check_disk(hub)
        broker = _embedded(hub)
        _wait_for_leftovers(hub, broker)
        redis_url = broker.url if broker else str(hub.redis_url)
        supervisor = Supervisor(
            hub.home,
            _children(hub, broker),
            environment={
                "MALLOC_ARENA_MAX": "2",  # else each of a worker's threads keeps memory of its own
                **hub.environment,
                "KEHUB_HOME": str(hub.home),
                "KEHUB_PORT": str(hub.port),
                "KEHUB_REDIS_URL": redis_url,
            },
            facts={"port": hub.port, "url": hub.url, "redis_url": _without_password(redis_url)},
            language=hub.language,
        )
        return supervisor.run(on_ready=on_ready, companion=companion)


def _without_password(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//", url)


def _embedded(hub: Hub) -> Broker | None:
    if hub.redis_url:
        return None
    try:
        return embedded_broker(hub.home)
    except BrokerNotFoundError:
        raise SupervisorError(sentence("no_broker", hub.language)) from None


def _children(hub: Hub, broker: Broker | None) -> list[Child]:
    """In starting order; stopping goes the other way round.

    One worker is enough to begin with, so the others come after the web page.
    """
    first = [Child("broker", broker.command, ready=broker.answers)] if broker else []
    worker, *more = [Child(name, command) for name, command in worker_commands(hub.workers).items()]
    return [*first, *hub.extras, worker, _beat(hub), _web(hub), *more]


def default_workers() -> int:
    """As many worker processes as cores can be kept busy: each runs on one at a time."""
    return min(MOST_BY_ITSELF, len(os.sched_getaffinity(0)))


def worker_commands(count: int) -> dict[str, list[str]]:
    """The worker processes by name: `worker`, `worker-2` and so on."""
    names = ["worker", *(f"worker-{number}" for number in range(2, count + 1))]
    threads = WORKER_THREADS if count == 1 else FEWEST_THREADS
    return {name: _worker(name, threads) for name in names}


def _worker(name: str, threads: int) -> list[str]:
    # fmt: off
    return [
        sys.executable, "-m", "celery", "-A", "sync.tasks:app", "worker", "-n", f"{name}@%h",
        "-P", "threads", "-c", str(threads), "-Q", "wake,bulk",
        "--without-gossip", "--without-mingle", "--loglevel", "INFO",
    ]
    # fmt: on


def _beat(hub: Hub) -> Child:
    schedule = str(hub.home / "beat-schedule")
    command = [sys.executable, "-m", "celery", "-A", "sync.tasks:app", "beat"]
    return Child("beat", [*command, "--schedule", schedule, "--pidfile=", "--loglevel", "INFO"])


def _web(hub: Hub) -> Child:
    # fmt: off
    command = [
        sys.executable, "-m", "gunicorn", "--no-control-socket", "-k", "gthread",
        "--threads", str(WEB_THREADS), "--graceful-timeout", "8",
        "--bind", f"{HOST}:{hub.port}", "webui.app:wsgi",
    ]
    # fmt: on
    return Child("web", command, ready=lambda: _answers(hub.port))


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _check_disk(hub: Hub) -> None:
    kind = _network_file_system(hub.home)
    if kind:
        raise SupervisorError(sentence("home_on_network", hub.language, home=hub.home, kind=kind))
    free = shutil.disk_usage(hub.home).free
    if free < SMALLEST_DISK:
        facts = {"home": hub.home, "free": free // 1_000_000}
        raise SupervisorError(sentence("disk_full", hub.language, **facts))


def _network_file_system(home: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """The kind of file system that holds the folder, where locks and mmap cannot be trusted."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return None
    entries = [line.split()[1:3] for line in lines]
    holding = [(point, kind) for point, kind in entries if home.is_relative_to(point)]
    _point, kind = max(holding, key=lambda entry: len(entry[0]), default=("", ""))
    return kind if NETWORK_FILE_SYSTEMS.match(kind) else None


def _wait_for_leftovers(hub: Hub, broker: Broker | None) -> None:
    """A hub that was killed takes its processes along, but they may need seconds to finish."""
    was_killed = (hub.home / "run.json").exists()
    deadline = time.monotonic() + (LEFTOVER_PATIENCE if was_killed else 0.0)
    while not _port_is_free(hub.port):
        if time.monotonic() >= deadline:
            raise SupervisorError(sentence("port_taken", hub.language, port=hub.port))
        time.sleep(0.1)
    while broker is not None and broker.answers():
        if time.monotonic() >= deadline:
            raise SupervisorError(sentence("home_taken", hub.language, home=hub.home))
        time.sleep(0.1)


def _port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do; else a port of closed connections looks taken after a restart.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
