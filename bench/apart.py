"""A piece of work in a process of its own: its result, and what it took."""

import multiprocessing
import resource
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EVERY = 0.2  # seconds between two looks at the memory


@dataclass
class Cost:
    """Seconds by the clock, processor time of all processes, most memory held together (MB)."""

    result: Any
    seconds: float
    cpu: float
    mb: float


def apart(work):
    """Runs `work` in a forked process; what it returns must travel through a pipe."""
    context = multiprocessing.get_context("fork")
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(work, writer))
    process.start()
    writer.close()
    most, done = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, most, done))
    watcher.start()
    try:
        result, seconds, cpu = reader.recv()
    except EOFError:
        process.join()
        raise RuntimeError(f"the work ended with {process.exitcode}") from None
    finally:
        done.set()
        watcher.join()
    process.join()
    return Cost(result, seconds, cpu, most[0] / 1024)


def _measured(work, writer):
    started, before = time.perf_counter(), _processor()
    result = work()
    writer.send((result, time.perf_counter() - started, _processor() - before))


def _processor():
    own, children = (
        resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _watch(pid, most, done):
    while not done.wait(EVERY):
        most[0] = max(most[0], sum(map(_held, _family(pid))))


def _family(pid):
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _read(task).split():
            found += _family(int(child))
    return found


def _held(pid):
    """Memory of a process in KB; what several share is divided among them."""
    for line in _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def _read(path):
    try:
        return path.read_text()
    except OSError:  # it has ended meanwhile
        return ""
