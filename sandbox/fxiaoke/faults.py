"""Trouble on order: the next calls fail, are slow, lose their answer or their connection."""

import dataclasses
import itertools
import threading
from typing import Any

from sandbox.fxiaoke.errors import AdminError

KINDS = ("error", "http", "slow", "drop_answer", "drop_connection")


@dataclasses.dataclass
class Fault:
    number: int
    kind: str
    remaining: int | None  # None: until cleared
    path: str = ""  # part of the path; empty is every call
    code: int = -1
    status: int = 502
    delay_ms: int = 0

    def fits(self, path: str) -> bool:
        return self.path in path


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._faults: list[Fault] = []

    def add(self, kind: str, **settings: Any) -> Fault:
        if kind not in KINDS:
            raise AdminError(f"no fault {kind}; known: {', '.join(KINDS)}")
        with self._lock:
            fault = Fault(next(self._numbers), kind, **settings)
            self._faults.append(fault)
        return fault

    def take(self, path: str) -> list[Fault]:
        """The faults that hit this call; each use counts down."""
        if not self._faults:
            return []
        with self._lock:
            hit = [fault for fault in self._faults if fault.fits(path)]
            # One failing kind per call: two queued failures hit two calls.
            slow = [fault for fault in hit if fault.kind == "slow"]
            failing = [fault for fault in hit if fault.kind != "slow"][:1]
            for fault in slow + failing:
                if fault.remaining is not None:
                    fault.remaining -= 1
            self._faults = [f for f in self._faults if f.remaining is None or f.remaining > 0]
            return slow + failing

    def all(self) -> list[dict[str, Any]]:
        with self._lock:
            return [dataclasses.asdict(fault) for fault in self._faults]

    def clear(self) -> int:
        with self._lock:
            gone, self._faults = len(self._faults), []
            return gone
