"""Trouble on demand: slow answers, refusals, answers that never arrive."""

import random
import re
import threading
import time
from dataclasses import asdict, dataclass

from sandbox.zoho_crm.errors import ApiError

MESSAGES = {
    429: ("TOO_MANY_REQUESTS", "too many requests"),
    500: ("INTERNAL_ERROR", "Internal server error occurred."),
    502: ("BAD_GATEWAY", "bad gateway"),
    503: ("SERVICE_UNAVAILABLE", "service unavailable"),
    401: ("INVALID_TOKEN", "invalid oauth token"),
}
KINDS = ("fail", "latency", "drop_answer", "drop_before")


class ConnectionDropped(Exception):  # noqa: N818 - it is an order to the server, not an error
    """Close the connection without an answer."""


@dataclass
class Fault:
    """One planned trouble. `times` None is for ever; `rate` below 1 leaves it to chance."""

    id: int
    kind: str
    times: int | None = 1
    rate: float = 1.0
    status: int = 500
    code: str | None = None
    message: str | None = None
    latency_ms: int = 0
    path: str | None = None
    method: str | None = None
    writes_only: bool = False
    skip: int = 0
    html: bool = False


class Faults:
    def __init__(self):
        self._lock = threading.Lock()
        self._random = random.Random(20_260_101)
        self._planned = []
        self._next = 1
        self.fired = 0

    def plan(self, kind, **values):
        if kind not in KINDS:
            raise ValueError(f"a fault is one of {', '.join(KINDS)}")
        if values.get("path"):
            re.compile(values["path"])
        with self._lock:
            fault = Fault(id=self._next, kind=kind, **values)
            self._next += 1
            self._planned.append(fault)
        return asdict(fault)

    def listed(self):
        with self._lock:
            return [asdict(fault) for fault in self._planned]

    def clear(self, fault_id=None):
        with self._lock:
            self._planned = [
                fault for fault in self._planned if fault_id is not None and fault.id != fault_id
            ]

    def _take(self, kind, call):
        """The first planned fault of this kind that fits the call; it is used up by that."""
        with self._lock:
            for fault in self._planned:
                if fault.kind != kind or not _fits(fault, call):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.rate < 1 and self._random.random() >= fault.rate:
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._planned.remove(fault)
                self.fired += 1
                return fault
        return None

    def before(self, call):
        """Called before any work is done."""
        slow = self._take("latency", call)
        if slow:
            time.sleep(slow.latency_ms / 1000)
        if self._take("drop_before", call):
            raise ConnectionDropped
        fault = self._take("fail", call)
        if fault is None:
            return
        code, message = MESSAGES.get(fault.status, ("INTERNAL_ERROR", "injected failure"))
        error = ApiError(fault.status, fault.code or code, fault.message or message)
        error.html = fault.html
        raise error

    def after(self, call):
        """Called when the work is done; True when the answer must be lost."""
        return self._take("drop_answer", call) is not None


@dataclass(frozen=True)
class Call:
    """What a fault may look at."""

    method: str
    path: str
    is_write: bool


def _fits(fault, call):
    if fault.writes_only and not call.is_write:
        return False
    if fault.method and fault.method.upper() != call.method:
        return False
    if not fault.path:
        return not call.path.startswith("/oauth")
    return re.search(fault.path, call.path) is not None
