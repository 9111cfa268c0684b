"""Keep a few processes alive together, and stop them together in the right order.

Children start one after the other, each when the one before answers, and stop in reverse. A child
that ends is started again, sooner at first and later when it keeps ending. Each has a process group
and a log of its own, and none outlives the supervisor, however that ends.
"""

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from sync.service import disk
from webui.cli.child import POLL, Child, Runner
from webui.cli.sentences import Language, sentence

STOP_PATIENCE = 15.0
READY_PATIENCE = 30.0
HOUSEKEEPING = 30.0
FAILURES_WORTH_A_WORD = 5
SMALLEST_DISK = disk.LOW


class SupervisorError(Exception):
    """The processes cannot be started; the text is a sentence for the person in front."""


class Supervisor:
    """Owner of the data folder while it runs; `facts` go into `run.json` with the process ids."""

    def __init__(
        self,
        home: Path,
        children: Sequence[Child],
        *,
        environment: Mapping[str, str],
        facts: Mapping[str, object],
        language: Language = "en",
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.home = home
        self._logs = home / "log"
        self._environment, self._facts, self._language = environment, facts, language
        self._tell = tell or _to_stderr
        self._runners = [Runner(child, self._logs) for child in children]
        self._stop = threading.Event()
        self._hurry = threading.Event()
        self._all_ready = threading.Event()
        self._wake_read, self._wake_write = os.pipe()
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)
        self._started_at = time.time()
        self._disk_was_full = False
        self._next_housekeeping = 0.0

    # What a companion thread may use.

    def request_stop(self) -> None:
        self._stop.set()
        self._wake()

    @property
    def is_stopping(self) -> bool:
        return self._stop.is_set()

    def wait_until_stopping(self, seconds: float) -> bool:
        return self._stop.wait(seconds)

    def wait_until_ready(self, seconds: float) -> bool:
        """True once every child answers."""
        return self._all_ready.wait(seconds)

    def log_of(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def announcement(self, name: str) -> str | None:
        """The first line that a child printed since its last start, once the line is complete."""
        try:
            with (self._logs / f"{name}.out").open(encoding="utf-8") as file:
                line = file.readline()
        except FileNotFoundError:
            return None
        return line.rstrip("\n") if line.endswith("\n") else None

    # The main thread.

    def run(
        self,
        *,
        on_ready: Callable[[], None] | None = None,
        companion: Callable[["Supervisor"], None] | None = None,
    ) -> int:
        """Block until told to stop. `companion` runs beside in a thread of its own.

        Only the main thread may call this: a child is tied to the thread that started it, and
        signals arrive there.
        """
        self._logs.mkdir(mode=0o700, exist_ok=True)
        with self._signals():
            beside = self._start_companion(companion)
            try:
                self._supervise(on_ready)
            finally:
                self._stop.set()
                self._stop_all()
                self._forget()
            if beside is not None:
                beside.join(STOP_PATIENCE)
        return 0

    def _start_companion(
        self, companion: Callable[["Supervisor"], None] | None
    ) -> threading.Thread | None:
        if companion is None:
            return None
        thread = threading.Thread(target=companion, args=(self,), name="companion", daemon=True)
        thread.start()
        return thread

    def _supervise(self, on_ready: Callable[[], None] | None) -> None:
        while not self._stop.is_set():
            self._restart_ended()
            if self._start_due() and not self._all_ready.is_set():
                self._all_ready.set()
                if on_ready is not None:
                    on_ready()
            self._keep_house()
            self._sleep()

    def _restart_ended(self) -> None:
        for runner in self._runners:
            if runner.process is None or not runner.has_ended():
                continue
            how = self._how_it_ended(runner.process.returncode)
            delay = runner.plan_restart()
            name = runner.child.name
            self._say("restarting", name=name, how=how, delay=f"{delay:g}", log=runner.log)
            if runner.failures % FAILURES_WORTH_A_WORD == 0:
                facts = {"name": name, "times": runner.failures}
                self._say("keeps_failing", **facts, log=runner.log, tail=runner.tail())

    def _how_it_ended(self, returncode: int) -> str:
        key = "signal" if returncode < 0 else "status"
        return sentence(key, self._language, number=abs(returncode))

    def _start_due(self) -> bool:
        """Start what may start now; True when every child runs and answers.

        At first a child waits for those before it. Later each is started again on its own.
        """
        now = time.monotonic()
        for runner in self._runners:
            if runner.process is None and (runner.start_again_at or 0.0) <= now:
                self._start(runner)
            if not runner.check_ready():
                self._mention_waiting(runner, now)
                if not self._all_ready.is_set():
                    return False
        return all(runner.is_ready for runner in self._runners)

    def _start(self, runner: Runner) -> None:
        try:
            runner.start(self._environment)
        except OSError as error:
            self._say("cannot_start", name=runner.child.name, reason=error)
            runner.started_at = time.monotonic()
            runner.plan_restart()
            return
        self._write_run_file()

    def _mention_waiting(self, runner: Runner, now: float) -> None:
        is_late = runner.process is not None and now - runner.started_at > READY_PATIENCE
        if is_late and not runner.told_waiting:
            runner.told_waiting = True
            facts = {"name": runner.child.name, "seconds": f"{READY_PATIENCE:g}"}
            self._say("not_ready", **facts, log=runner.log)

    def _keep_house(self) -> None:
        now = time.monotonic()
        if now < self._next_housekeeping:
            return
        self._next_housekeeping = now + HOUSEKEEPING
        free = shutil.disk_usage(self.home).free
        is_full = free < SMALLEST_DISK
        if is_full and not self._disk_was_full:
            self._say("disk_full", home=self.home, free=free // 1_000_000)
        self._disk_was_full = is_full
        for runner in self._runners:
            with contextlib.suppress(OSError):  # a full disk was told above; try again later
                runner.trim_log()

    def _sleep(self) -> None:
        timeout = POLL if self._is_awaiting() else self._next_housekeeping - time.monotonic()
        with contextlib.suppress(InterruptedError):
            select.select([self._wake_read], [], [], max(timeout, 0.0))
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, 4096)

    def _is_awaiting(self) -> bool:
        return any(runner.process is None or not runner.is_ready for runner in self._runners)

    def _stop_all(self) -> None:
        if any(runner.process for runner in self._runners):
            self._say("stopping")
        for runner in reversed(self._runners):
            if runner.process is None:
                continue
            runner.signal(signal.SIGTERM)
            if not runner.wait(STOP_PATIENCE, self._hurry.is_set):
                self._say("killed", name=runner.child.name, seconds=f"{STOP_PATIENCE:g}")
            runner.kill()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(_number: int, _frame: FrameType | None) -> None:
            if self._stop.is_set():
                self._hurry.set()  # asked a second time: do not wait for anybody
            self._stop.set()

        def look(_number: int, _frame: FrameType | None) -> None:
            """A child ended; the wake-up pipe already ended the sleep."""

        handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGCHLD: look}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        previous = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(previous)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"\0")

    def _say(self, key: str, **facts: object) -> None:
        self._tell(sentence(key, self._language, **facts))

    # run.json: how other commands find the processes.

    def _write_run_file(self) -> None:
        content = {
            "supervisor": os.getpid(),
            "started_at": self._started_at,
            **self._facts,
            "pids": {runner.child.name: runner.pid for runner in self._runners if runner.pid},
        }
        partial = self.home / "run.json.new"
        try:
            partial.write_text(json.dumps(content, indent=1), encoding="utf-8")
            partial.replace(self.home / "run.json")
        except OSError as error:
            # The processes matter more than the page about them; a full disk may clear up.
            if not disk.is_full(error, self.home):
                self._say("home_unusable", home=self.home, reason=error)
            elif not self._disk_was_full:
                self._disk_was_full = True
                self._say("disk_full", home=self.home, free=disk.free(self.home) // 1_000_000)

    def _forget(self) -> None:
        (self.home / "run.json").unlink(missing_ok=True)


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the terminal is the audience


@contextlib.contextmanager
def owned_home(home: Path, language: Language) -> Iterator[None]:
    """Make the data folder private and ours; a second owner is refused with a sentence."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        home.chmod(0o700)
        lock = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        text = sentence("home_unusable", language, home=home, reason=error.strerror)
        raise SupervisorError(text) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise SupervisorError(sentence("home_taken", language, home=home)) from None
    try:
        yield
    finally:
        os.close(lock)
