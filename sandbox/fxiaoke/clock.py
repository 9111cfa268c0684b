"""The stand-in's time: real time plus a shift that an admin call can move."""

import datetime as dt
import threading
import time

BEIJING = dt.timezone(dt.timedelta(hours=8))
DAY_MS = 86_400_000
_BEIJING_MS = 8 * 3_600_000


class Clock:
    def __init__(self, shift_ms: int = 0) -> None:
        self._lock = threading.Lock()
        self.shift_ms = shift_ms
        self.in_dates = False  # whether HTTP dates are off as far as the rows' times are

    def http_date(self) -> float:
        """Epoch seconds for the Date of an answer."""
        return self.now_ms() / 1000 if self.in_dates else time.time()

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.shift_ms

    def shift(self, by_ms: int) -> int:
        """Moves the clock on (or back) and returns the whole shift."""
        with self._lock:
            self.shift_ms += by_ms
            return self.shift_ms


def midnight(ms: int) -> int:
    """The start of that day in GMT+8, which is how the vendor stores a date."""
    return (ms + _BEIJING_MS) // DAY_MS * DAY_MS - _BEIJING_MS


def day_name(ms: int) -> str:
    """The day in GMT+8; quotas are counted per such day."""
    return dt.datetime.fromtimestamp(ms / 1000, BEIJING).strftime("%Y%m%d")
