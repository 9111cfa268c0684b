"""Token buckets per system and interface, over all workers."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol, cast

import redis
import structlog

from connectors.sdk.contract import Rate
from connectors.sdk.errors import TransientError

log = structlog.get_logger()
AHEAD = 0.05  # seconds for which a fast interface's tokens are taken at once
MOST_AHEAD = 32

_LUA = """
local now = redis.call('TIME')
local t = tonumber(now[1]) + tonumber(now[2]) / 1000000
local shut = tonumber(redis.call('GET', KEYS[2]) or '0')
if shut > t then return tostring(shut - t) end
local rate, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if rate <= 0 then return '0' end
local full = redis.call('HMGET', KEYS[1], 'n', 't')
local n = tonumber(full[1]) or burst
n = math.min(burst, n + (t - (tonumber(full[2]) or t)) * rate)
local need = math.min(cost, burst)
if n < need then return tostring((need - n) / rate) end
redis.call('HSET', KEYS[1], 'n', tostring(n - cost), 't', tostring(t))
redis.call('EXPIRE', KEYS[1], math.ceil(burst / rate) + 60)
return '0'
"""


class Buckets(Protocol):
    """Where the state of all buckets is kept."""

    def take(self, name: str, rate: Rate | None, cost: int) -> float:
        """Seconds to wait; 0 takes `cost` tokens. TransientError where nobody can tell."""

    def shut(self, name: str, seconds: float) -> None:
        """Nobody takes from this bucket for so long."""

    def look(self, name: str, rate: Rate) -> tuple[float, float]:
        """Tokens that are left, and seconds for which it is shut; takes nothing."""


class RedisBuckets:
    """Shared by all processes; the server's clock counts."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._script = client.register_script(_LUA)

    def take(self, name: str, rate: Rate | None, cost: int) -> float:
        per_second = rate.calls / rate.seconds if rate else 0.0
        burst = (rate.burst or rate.calls) if rate else 0
        keys = [f"kehub:quota:{name}", f"kehub:shut:{name}"]
        try:
            return float(cast("bytes", self._script(keys=keys, args=[per_second, burst, cost])))
        except redis.RedisError as error:  # no call is made that nobody has counted
            raise TransientError(
                "The broker, which keeps the call quotas, does not answer.", retry_after=2.0
            ) from error

    def shut(self, name: str, seconds: float) -> None:
        try:
            now = self._client.time()
            until = now[0] + now[1] / 1e6 + seconds
            self._client.set(f"kehub:shut:{name}", str(until), ex=int(seconds) + 2)
        except redis.RedisError:  # the system's own refusal says the same to whoever asks again
            log.warning("quota_not_shut", bucket=name)

    def look(self, name: str, rate: Rate) -> tuple[float, float]:
        seconds, micros = self._client.time()
        now = seconds + micros / 1e6
        level, since = self._client.hmget(f"kehub:quota:{name}", "n", "t")
        shut = float(self._client.get(f"kehub:shut:{name}") or 0.0)
        full = float(rate.burst or rate.calls)
        if level is None or since is None:
            return full, max(0.0, shut - now)
        filled = float(level) + (now - float(since)) * rate.calls / rate.seconds
        return min(full, filled), max(0.0, shut - now)


class LocalBuckets:
    """Of one process: a hub that works without a broker, and tests."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._levels: dict[str, tuple[float, float]] = {}
        self._shut: dict[str, float] = {}

    def take(self, name: str, rate: Rate | None, cost: int) -> float:
        with self._lock:
            now = self._clock()
            shut = self._shut.get(name, 0.0)
            if shut > now:
                return shut - now
            if rate is None:
                return 0.0
            return self._draw(name, rate, cost, now)

    def shut(self, name: str, seconds: float) -> None:
        with self._lock:
            self._shut[name] = self._clock() + seconds

    def look(self, name: str, rate: Rate) -> tuple[float, float]:
        with self._lock:
            now = self._clock()
            full = float(rate.burst or rate.calls)
            level, since = self._levels.get(name, (full, now))
            filled = level + (now - since) * rate.calls / rate.seconds
            return min(full, filled), max(0.0, self._shut.get(name, 0.0) - now)

    def _draw(self, name: str, rate: Rate, cost: int, now: float) -> float:
        burst, speed = float(rate.burst or rate.calls), rate.calls / rate.seconds
        level, since = self._levels.get(name, (burst, now))
        level = min(burst, level + (now - since) * speed)
        need = min(float(cost), burst)
        if level < need:
            return (need - level) / speed
        self._levels[name] = (level - cost, now)
        return 0.0


class Quota:
    """The limiter of one system; also counts the calls that were made."""

    def __init__(self, system: str, buckets: Buckets, rates: Mapping[str, Rate]) -> None:
        self._system, self._buckets, self._rates = system, buckets, rates
        self._lock = threading.Lock()
        self._calls = [0, 0]
        self._ahead: dict[str, tuple[int, float]] = {}  # tokens in hand, and until when

    def acquire(self, interface: str, cost: int = 1) -> float:
        rate = self._rates.get(interface) or self._rates.get("*")
        name = f"{self._system}:{interface}"
        many = _ahead(rate) if cost == 1 else 1
        if many == 1:
            return self._buckets.take(name, rate, cost)
        if self._has_ahead(interface):
            return 0.0
        if self._buckets.take(name, rate, many) == 0:
            with self._lock:
                self._ahead[interface] = (many - 1, time.monotonic() + AHEAD)
            return 0.0
        return self._buckets.take(name, rate, 1)

    def _has_ahead(self, interface: str) -> bool:
        with self._lock:
            count, until = self._ahead.get(interface, (0, 0.0))
            if count == 0 or time.monotonic() > until:
                return False
            self._ahead[interface] = (count - 1, until)
            return True

    def close(self, interface: str, seconds: float) -> None:
        with self._lock:
            self._ahead.pop(interface, None)
        self._buckets.shut(f"{self._system}:{interface}", seconds)

    def count(self, *, write: bool) -> None:
        with self._lock:
            self._calls[int(write)] += 1

    def take_counts(self) -> tuple[int, int]:
        """Read and write calls since the last time this was asked."""
        with self._lock:
            reads, writes = self._calls
            self._calls = [0, 0]
        return reads, writes


def _ahead(rate: Rate | None) -> int:
    """How many tokens to take in one go: what runs in while they are in hand.

    One where calls are scarce, so that no worker keeps what another could use.
    """
    if rate is None:
        return MOST_AHEAD
    per_second = rate.calls / rate.seconds
    return max(1, min(MOST_AHEAD, int(per_second * AHEAD), (rate.burst or rate.calls) // 2))
