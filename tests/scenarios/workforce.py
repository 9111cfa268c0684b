"""The hub at work: Celery's worker processes and beat over a real broker and database.

The test itself is no worker: it edits as users do, and looks.
"""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from sync.wake import make_app
from tests.chaos.machines import STARTING, Machine
from tests.connectors.fxiaoke.conftest import Standin
from tests.connectors.zoho_crm.conftest import StandIn
from tests.infra.processes import eventually, spawn, stop
from tests.scenarios.outside import Outside, connect
from webui.cli.broker import embedded_broker

POLL_SECONDS = 1.0
DONE = re.compile(r"INFO/(\S+)\] Task sync\.tasks\.(\w+)\[[^]]*\] succeeded")


class Workforce(Machine):
    """So many worker processes between an ERP in a file and the stand-ins, over HTTP.

    They are forked, so that the modules are loaded once for all of them; what they share after
    that is the database and Redis. `outside` is what a test does there, and sees of it.
    """

    outside: Outside

    def __init__(self, home: Path, database_url: str, *, workers: int, **settings) -> None:
        settings = {"poll_seconds": POLL_SECONDS, **settings}
        super().__init__(home, database_url=database_url, **settings)
        self._broker = embedded_broker(home)
        # fmt: off
        self._command = (
            sys.executable, "-m", "celery", "-A", "sync.tasks:app", "worker", "-n", "crew@kehub",
            "-P", "prefork", "-c", str(workers), "-Q", "wake,bulk", "--loglevel", "INFO",
            "--without-gossip", "--without-mingle",
            "--beat", "--schedule", str(home / "beat-schedule"),
        )
        # fmt: on
        self._running: list[subprocess.Popen] = []

    def start(self) -> None:
        self._run(self._broker.command, "redis")
        eventually(self._broker.answers, what="Redis")
        self._run(self._command, "workers")
        eventually(self._is_staffed, seconds=STARTING, what="the workers")

    def _run(self, command: Sequence[str], name: str) -> None:
        with (self.home / f"{name}.log").open("ab") as log:
            self._running.append(
                spawn(command, cwd=self.home, env=self.environment, stdout=log, stderr=log)
            )

    def _is_staffed(self) -> bool:
        assert self._running[-1].poll() is None, (self.home / "workers.log").read_text()[-2000:]
        with make_app(str(self.settings.redis_url)) as app:
            return bool(app.control.broadcast("ping", reply=True, timeout=1, limit=1))

    def stop(self) -> None:
        while self._running:
            stop(self._running.pop(), patience=30)

    def connect(self, zoho: StandIn, fx: Standin, erp: Path, names: Sequence[str]) -> None:
        values = {"world": f"erp-{self.home}", "path": str(erp), "password": "memory"}
        self.outside = connect(self.hub, zoho, fx, values, names)
        self.rest()  # polled for the first time; from now on beat does it

    def worked(self, task: str) -> dict[str, int]:
        """How often each worker process has done a task."""
        found = DONE.findall((self.home / "workers.log").read_text())
        return Counter(process for process, name in found if name == task)
