"""Processes for tests: started, waited for, and gone when the test run is, however it ends."""

import ctypes
import os
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

_LIBC = ctypes.CDLL(None)


def tied_to_parent():
    _LIBC.prctl(1, signal.SIGTERM, 0, 0, 0)


def spawn(command, **options):
    """A child in its own group that gets SIGTERM when this process ends."""
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen(
        command,
        preexec_fn=tied_to_parent,  # noqa: PLW1509 - tests start processes from one thread
        start_new_session=True,
        **options,
    )


def eventually(condition, *, seconds=60.0, what="the condition"):
    """Wait for a true value and return it."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come true in {seconds} s"
        time.sleep(0.02)
    return value


def is_alive(pid):
    """Whether a process runs; one that ended but was not yet collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def stop(process, *, patience=10.0):
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def start_server(command, *, ready, log):
    with log.open("wb") as output:
        process = spawn(command, stdout=output, stderr=output)
    try:
        eventually(lambda: ready() or process.poll() is not None, what=f"{command[0]} to answer")
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        stop(process)
