"""Child processes: started, waited for, measured, and gone when the benchmark is."""

import ctypes
import os
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_LIBC = ctypes.CDLL(None)
_running = {}  # processes that the benchmark needs, with what they were started as


class BenchError(RuntimeError):
    """The benchmark cannot go on; the text says why."""


def _tied_to_parent():
    _LIBC.prctl(1, signal.SIGTERM, 0, 0, 0)


@contextmanager
def child(command, *, log, **options):
    """A process for the length of the block."""
    options.setdefault("stdin", subprocess.DEVNULL)
    with log.open("ab") as output:
        options.setdefault("stdout", output)
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stderr=output,
            start_new_session=True,
            preexec_fn=_tied_to_parent,  # noqa: PLW1509  started from one thread
            **options,
        )
    _running[process] = " ".join(command[1:4])
    try:
        yield process
    finally:
        del _running[process]
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(condition, *, seconds, what, every=0.05):
    """The first true value of a condition."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if gone := [name for process, name in _running.items() if process.poll() is not None]:
            raise BenchError(f"While waiting for {what}, a process ended: {', '.join(gone)}.")
        if time.monotonic() > deadline:
            raise BenchError(f"{what} did not come true in {seconds:.0f} s.")
        time.sleep(every)
    return value


def peak_megabytes(pid):
    """The most memory that a process has held since it started or was forgotten."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024, 1)
    raise BenchError(f"The kernel does not tell the memory of process {pid}.")


def run_measured(command, *, log, **options):
    """Runs a command to its end: its standard output and the most memory that it held, in MB.

    The kernel's own account of an ended child will not do: it counts what this process held when
    it started the child.
    """
    peak = 0.0
    with log.open("ab") as output, tempfile.TemporaryFile() as answer:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=answer, stderr=output, **options
        )
        time.sleep(0.1)  # until then it may be this process's twin
        while process.poll() is None:
            with suppress(BenchError, FileNotFoundError):  # it ends while it is asked
                peak = peak_megabytes(process.pid)
            time.sleep(0.05)
        answer.seek(0)
        told = answer.read().decode()
    if process.returncode:
        raise BenchError(f"{' '.join(command[1:4])} failed: {log.read_text()[-500:]}{told[-500:]}")
    return told, peak


def forget_peak(pid):
    """The peak starts again at what the process holds now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def cpu_seconds(pid):
    """CPU time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
