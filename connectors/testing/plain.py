"""Quota and tokens of one process, without Redis or a database: for tests and scripts."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from connectors.sdk.http import Http, Token


class PlainLimiter:
    """Counts calls; refuses while an interface is closed or a given budget is used up."""

    def __init__(self, budget: int | None = None, clock: Callable[[], float] = time.time) -> None:
        self.budget, self._clock = budget, clock
        self.reads = self.writes = 0
        self.spent: Counter[str] = Counter()
        self._closed: dict[str, float] = {}

    def acquire(self, interface: str, cost: int = 1) -> float:
        wait = self._closed.get(interface, 0.0) - self._clock()
        if wait > 0:
            return wait
        if self.budget is not None and self.spent.total() + cost > self.budget:
            return 60.0
        self.spent[interface] += cost
        return 0.0

    def close(self, interface: str, seconds: float) -> None:
        self._closed[interface] = self._clock() + seconds

    def count(self, *, write: bool) -> None:
        if write:
            self.writes += 1
        else:
            self.reads += 1


class PlainTokens:
    """A token store for the threads of one process."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._token: Token | None = None
        self._lock = threading.Lock()
        self.grants = 0

    def current(self) -> Token | None:
        token = self._token
        return token if token and token.expires_at > self._clock() else None

    def renew(self, stale: Token | None, grant: Callable[[], Token]) -> Token:
        with self._lock:
            token = self.current()
            if token is not None and token != stale:
                return token
            self.grants += 1
            self._token = grant()
            return self._token


def plain_http(
    limiter: PlainLimiter | None = None,
    tokens: PlainTokens | None = None,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Http:
    """An Http as a connector expects it; it never sleeps between retries."""
    clock = lambda: now().timestamp()  # noqa: E731
    return Http(
        limiter or PlainLimiter(clock=clock),
        tokens or PlainTokens(clock),
        sleep=lambda _seconds: None,
        now=now,
    )
