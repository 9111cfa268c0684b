"""How many threads of this process work on the same queue.

A process runs Python on one core. While its threads wait for remote systems, another thread gets
more done; otherwise it only makes the others wait, for the interpreter as for the database's one
writer, and that waiting costs a third of the work again.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

PATIENT = 0.4  # share of its time that a thread has to spend waiting for another one to be of use
CALLS = 3  # with so many of its full batches a worker calls for others, who may be elsewhere
GoOn = Callable[[], bool]  # asked between two batches: whether this thread is still wanted
_clock = threading.local()


@contextmanager
def away() -> Iterator[None]:
    """Around a remote call: what passes meanwhile, this thread leaves to others."""
    began = time.monotonic()
    try:
        yield
    finally:
        _clock.away = _seconds_away() + time.monotonic() - began


def _seconds_away() -> float:
    return float(getattr(_clock, "away", 0.0))


class Crew:
    """Admits threads to queues: the first always, another while those at work wait enough."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at_work: Counter[Hashable] = Counter()
        self._waiting: dict[Hashable, bool] = {}  # whether those at work wait enough
        self._called: set[Hashable] = set()

    def work(self, queue: Hashable, step: Callable[[GoOn], object]) -> None:
        """Runs `step`, which works a queue off, unless those at work can do it alone.

        They look once more then: nobody who comes while they are ending is forgotten.
        """
        if not self._joins(queue):
            return
        began, before, stays = time.monotonic(), _seconds_away(), True

        def go_on() -> bool:
            nonlocal began, before, stays
            now, seconds = time.monotonic(), _seconds_away()
            share = (seconds - before) / max(now - began, 1e-6)
            began, before = now, seconds
            stays = self._stays(queue, waiting=share >= PATIENT)
            return stays

        try:
            while stays:
                step(go_on)
                stays = stays and self._looks_again(queue)
        except BaseException:
            self._leave(queue)
            raise

    def _joins(self, queue: Hashable) -> bool:
        with self._lock:
            if self._at_work[queue] and not self._waiting.get(queue):
                self._called.add(queue)
                return False
            self._at_work[queue] += 1
            return True

    def _stays(self, queue: Hashable, *, waiting: bool) -> bool:
        """Else the thread has left, and another one goes on."""
        with self._lock:
            self._waiting[queue] = waiting
            if waiting or self._at_work[queue] == 1:
                return True
            self._at_work[queue] -= 1
            return False

    def _looks_again(self, queue: Hashable) -> bool:
        """Else the thread has left."""
        with self._lock:
            if queue in self._called:
                self._called.discard(queue)
                return True
            self._at_work[queue] -= 1
            return False

    def _leave(self, queue: Hashable) -> None:
        with self._lock:
            self._at_work[queue] -= 1
