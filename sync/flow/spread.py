"""Work spread over the cores: forked processes that share what was there before they started."""

import gc
import mmap
import multiprocessing
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Item = TypeVar("Item")
Work = Callable[[int, int], Iterator[Item]]  # (number of the process, how many there are)


@dataclass(frozen=True, slots=True)
class _Failed:
    """What stopped a process, as it travels to the one that waits."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Cores:
    """So many processes for the steps that `core.batch` can take side by side."""

    processes: int = 1

    def array(self, shape: tuple[int, ...], dtype: type[np.generic]) -> npt.NDArray[Any]:
        """Zeros that this process and those it forks write into together."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if self.processes == 1 or size == 0:
            return np.zeros(shape, dtype)
        return np.frombuffer(mmap.mmap(-1, size), dtype).reshape(shape)

    def each(self, work: Callable[[int], None], count: int) -> None:
        """`work` for every number below `count`, whoever is free takes the next."""
        if self.processes == 1 or count == 1:
            for number in range(count):
                work(number)
            return
        taken = multiprocessing.get_context("fork").Value("q", 0)

        def turns(_number: int, _processes: int) -> Iterator[int]:
            while True:
                with taken.get_lock():
                    number, taken.value = taken.value, taken.value + 1
                if number >= count:
                    return
                work(number)
                yield number

        for _ in stream(turns, self.processes):
            pass


@contextmanager
def without_collecting() -> Iterator[None]:
    """Batches make no cycles, and looking for them is a quarter of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def stream(work: Work[Item], processes: int) -> Generator[Item]:
    """What `work` yields in each of some processes, as it comes; a failure there is one here."""
    if processes == 1:
        with without_collecting():
            yield from work(0, 1)
        return
    started = [_start(work, number, processes) for number in range(processes)]
    waiting = dict(started)
    try:
        while waiting:
            for reader in wait(list(waiting)):
                assert isinstance(reader, Connection)
                try:
                    item = reader.recv()
                except EOFError:
                    _must_be_well(waiting.pop(reader))
                    continue
                if isinstance(item, _Failed):
                    raise item.error
                yield item
    finally:
        for reader, process in started:
            reader.close()
            process.terminate()
            process.join()


def _start(work: Work[Any], number: int, processes: int) -> tuple[Connection, Any]:
    context = multiprocessing.get_context("fork")
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(work, number, processes, writer), daemon=True)
    with warnings.catch_warnings():
        # Python warns of locks that another thread may hold; the work takes none.
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    writer.close()
    return reader, process


def _send(work: Work[Any], number: int, processes: int, writer: Connection) -> None:
    gc.freeze()
    try:
        with without_collecting():
            for item in work(number, processes):
                writer.send(item)
    except Exception as error:  # noqa: BLE001 - told to the process that waits, which raises it
        writer.send(_Failed(error))
    finally:
        writer.close()


def _must_be_well(process: Any) -> None:
    process.join()
    if process.exitcode:
        raise RuntimeError(f"a process ended with {process.exitcode}, perhaps for want of memory")
