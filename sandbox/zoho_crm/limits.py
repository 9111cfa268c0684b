"""Credits of a rolling day and simultaneous calls; both really count."""

import json
import threading

from sandbox.zoho_crm.errors import ApiError

DAY = 24 * 3600
BUCKET = 60


class Limits:
    def __init__(self, store, clock, switches):
        self._store = store
        self._clock = clock
        self._switches = switches
        self._lock = threading.Lock()
        self._running = 0
        self._heavy = 0
        self.peak = 0
        stored = json.loads(store.meta("credits") or "{}")
        self._buckets = {int(key): value for key, value in stored.items()}
        self._dirty = False

    def enter(self, heavy):
        with self._lock:
            full = self._running >= self._switches["max_concurrency"]
            if full or (heavy and self._heavy >= self._switches["max_sub_concurrency"]):
                raise self._too_many("concurrency limit exceeded", 1)
            self._running += 1
            self._heavy += heavy
            self.peak = max(self.peak, self._running)

    def leave(self, heavy):
        with self._lock:
            self._running -= 1
            self._heavy -= heavy

    def spend(self, amount):
        """Take credits, or refuse when the day's are gone."""
        with self._lock:
            if self._used() + amount > self._switches["daily_credits"]:
                raise self._too_many("API credits of the last 24 hours are used up", 3600)
            bucket = self._clock.second() // BUCKET
            self._buckets[bucket] = self._buckets.get(bucket, 0) + amount
            self._dirty = True

    def _used(self):
        now = self._clock.second() // BUCKET
        oldest = now - DAY // BUCKET
        if any(key <= oldest for key in self._buckets):
            self._buckets = {key: value for key, value in self._buckets.items() if key > oldest}
        return sum(self._buckets.values())

    def used(self):
        with self._lock:
            return self._used()

    def reset(self):
        with self._lock:
            self._buckets = {}
            self._dirty = True
            self.peak = 0

    def headers(self):
        total, used = self._switches["daily_credits"], self.used()
        if self._switches["credit_header"] == "always" or used * 2 >= total:
            return {"X-API-CREDITS-REMAINING": str(max(0, total - used))}
        return {}

    def save(self):
        """Written now and then by the background thread: a crash forgets a few seconds."""
        with self._lock:
            if not self._dirty:
                return
            text = json.dumps(self._buckets)
            self._dirty = False
        self._store.set_meta("credits", text)

    def _too_many(self, message, wait):
        headers = {"Retry-After": str(wait)} if self._switches["retry_after"] else {}
        return ApiError(429, "TOO_MANY_REQUESTS", message, headers=headers)


def write_credits(count):
    """One for each started ten records, ten at most."""
    return max(1, min(10, -(-count // 10)))


def coql_credits(limit):
    if limit <= 200:
        return 1
    return 2 if limit <= 1000 else 3
