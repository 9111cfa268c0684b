"""One child process of the supervisor: how it starts, ends, and starts again."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from webui.cli import leash

FIRST_DELAY = 0.2
LONGEST_DELAY = 10.0
STEADY_AFTER = 10.0  # a child that lived this long starts anew without delay
POLL = 0.05
LONGEST_LOG = 20_000_000


@dataclass(frozen=True, slots=True)
class Child:
    """One process to keep alive.

    `ready` tells whether it answers; the next child waits for it. With `announces`, stdout goes to
    a file of its own, whose first line `Supervisor.announcement` gives.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    announces: bool = False


class Runner:
    """A child's life: its process now, and when it may start again."""

    def __init__(self, child: Child, logs: Path) -> None:
        self.child = child
        self.log = logs / f"{child.name}.log"
        self.stdout = logs / f"{child.name}.out"
        self.process: subprocess.Popen[bytes] | None = None
        self.is_ready = False
        self.failures = 0
        self.started_at = 0.0
        self.start_again_at: float | None = None
        self.told_waiting = False

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def start(self, environment: Mapping[str, str]) -> None:
        command = [
            sys.executable,
            *("-I", "-S", leash.__file__, str(os.getpid())),
            *self.child.command,
        ]
        with contextlib.ExitStack() as files:
            log = files.enter_context(self.log.open("ab"))
            stdout: IO[bytes] = log
            if self.child.announces:
                stdout = files.enter_context(self.stdout.open("wb"))
            self.process = subprocess.Popen(  # noqa: S603 - commands come from our own code
                command,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=log,
                env={**os.environ, **environment, **self.child.environment},
                start_new_session=True,
            )
        self.started_at, self.start_again_at = time.monotonic(), None
        self.is_ready = self.told_waiting = False

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def plan_restart(self) -> float:
        """Note that the process ended; answers the seconds until it starts again."""
        now = time.monotonic()
        if now - self.started_at >= STEADY_AFTER:
            self.failures = 0
        delay: float = min(FIRST_DELAY * 2**self.failures, LONGEST_DELAY)
        self.failures += 1
        self.start_again_at = now + delay
        self._end_group()
        self.process, self.is_ready = None, False
        return delay

    def check_ready(self) -> bool:
        if not self.is_ready and self.process is not None:
            self.is_ready = self.child.ready is None or self.child.ready()
        return self.is_ready

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def wait(self, seconds: float, hurry: Callable[[], bool]) -> bool:
        """True when the process ended in time; `hurry` cuts the waiting short."""
        deadline = time.monotonic() + seconds
        while self.process is not None and self.process.poll() is None:
            if hurry() or time.monotonic() > deadline:
                return False
            time.sleep(POLL)
        return True

    def kill(self) -> None:
        self._end_group()
        if self.process is not None:
            self.process.wait()

    def _end_group(self) -> None:
        """End what the process may have left behind in its group, and itself if it still runs."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def tail(self, lines: int = 5) -> str:
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - 4096))
                text = log.read().decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def trim_log(self) -> None:
        """Keep one old log; the process holds the file open for appending and goes on in it."""
        if self.log.exists() and self.log.stat().st_size > LONGEST_LOG:
            shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
            os.truncate(self.log, 0)
