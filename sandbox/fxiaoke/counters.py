"""How many calls came in, what they wrote, and which records: what tests and screens ask for."""

import collections
import threading
from collections.abc import Iterable
from typing import Any

LOG_LENGTH = 1000


class Counters:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._paths: dict[str, dict[str, int]] = {}
            self._totals = {"read": 0, "write": 0, "token": 0, "read_ok": 0, "write_ok": 0}
            self._automation = {"workflow": 0, "approval": 0}
            self._records: collections.Counter[str] = collections.Counter()
            self._log: collections.deque[dict[str, Any]] = collections.deque(maxlen=LOG_LENGTH)

    def call(self, path: str, kind: str, code: int) -> None:
        """Counts a call of kind read, write or token that ended with this errorCode."""
        with self._lock:
            entry = self._paths.setdefault(path, {"calls": 0, "ok": 0, "failed": 0})
            entry["calls"] += 1
            entry["ok" if code == 0 else "failed"] += 1
            self._totals[kind] += 1
            if code == 0 and kind != "token":
                self._totals[f"{kind}_ok"] += 1

    def wrote(self, object_name: str, record_id: str) -> None:
        with self._lock:
            self._records[f"{object_name}/{record_id}"] += 1

    def fired(self, names: Iterable[str]) -> None:
        """Counts the automation that a write has started."""
        with self._lock:
            for name in names:
                self._automation[name] += 1

    def log_write(self, entry: dict[str, Any]) -> None:
        with self._lock:
            self._log.append(entry)

    def report(self, last: int) -> dict[str, Any]:
        with self._lock:
            return {
                "paths": {path: dict(entry) for path, entry in sorted(self._paths.items())},
                "totals": dict(self._totals),
                "automation": dict(self._automation),
                "records": dict(self._records),
                "log": list(self._log)[-last:] if last else [],
            }
