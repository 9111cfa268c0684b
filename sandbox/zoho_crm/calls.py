"""What was called, counted: so that a test can say that one edit cost one write call."""

import threading
from collections import Counter, deque

READ, WRITE, OTHER = "read", "write", "other"


class Calls:
    def __init__(self, clock, size=2000):
        self._clock = clock
        self._lock = threading.Lock()
        self._size = size
        self.reset()

    def reset(self):
        with self._lock:
            self._endpoints = Counter()
            self._kinds = Counter()
            self._statuses = Counter()
            self._records = Counter()
            self._automation = Counter()
            self._log = deque(maxlen=self._size)

    def note(self, *, endpoint, kind, status):
        with self._lock:
            self._endpoints[endpoint] += 1
            self._kinds[kind] += 1
            self._statuses[str(status)] += 1

    def note_automation(self, names, records):
        """Workflows, approvals and the like that a write of so many records has started."""
        with self._lock:
            self._automation.update(dict.fromkeys(names, records))

    def note_write(self, *, endpoint, module, status, records, user_agent, answered):
        """`records`: (id or None, verdict, names of the sent fields) of each record."""
        with self._lock:
            for record_id, verdict, _ in records:
                if record_id and verdict == "success":
                    self._records[module, record_id] += 1
            self._log.append(
                {
                    "time": self._clock.text(self._clock.now()),
                    "endpoint": endpoint,
                    "module": module,
                    "status": status,
                    "answered": answered,
                    "user_agent": user_agent,
                    "records": [
                        {"id": record_id, "verdict": verdict, "fields": names}
                        for record_id, verdict, names in records
                    ],
                }
            )

    def report(self, last):
        with self._lock:
            per_record = {}
            for (module, record_id), count in self._records.items():
                per_record.setdefault(module, {})[record_id] = count
            log = list(self._log)[-last:] if last else []
            return {
                "total": sum(self._kinds.values()),
                "reads": self._kinds[READ],
                "writes": self._kinds[WRITE],
                "other": self._kinds[OTHER],
                "records_written": sum(self._records.values()),
                "by_endpoint": dict(self._endpoints),
                "by_status": dict(self._statuses),
                "automation": dict(self._automation),
                "per_record": per_record,
                "log": log,
            }
