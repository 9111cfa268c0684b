"""Limits that really count: calls per path in a sliding window, and the day's pack."""

import collections
import threading
from typing import Any

from sandbox.fxiaoke.clock import Clock, day_name
from sandbox.fxiaoke.database import Database
from sandbox.fxiaoke.errors import (
    APP_DISABLED,
    CALL_LIMIT,
    NO_QUOTA,
    NOT_AUTHORISED,
    QUOTA_USED_UP,
    AdminError,
    ApiError,
)

DEFAULTS: dict[str, Any] = {
    "calls": 100,  # per path and window
    "window_ms": 20_000,
    "token_calls": 10,  # per minute
    "token_work_ms": 15,  # how long a grant takes; two that overlap are refused
    "day_quota": 100_000,
    "pack_bought": True,
    "app_enabled": True,
    "app_authorised": True,
}
_COUNT_SAVED_EVERY = 50


class SlidingWindow:
    """At most `size` calls in any window; a refused call does not count."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[str, collections.deque[int]] = {}

    def admit(self, key: str, now: int, size: int, window_ms: int) -> bool:
        with self._lock:
            calls = self._calls.setdefault(key, collections.deque())
            while calls and (calls[0] <= now - window_ms or calls[0] > now):
                calls.popleft()
            if len(calls) >= size:
                return False
            calls.append(now)
            return True

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()


class Limits:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self.settings = {**DEFAULTS, **database.meta("limits", {})}
        kept = database.meta("day_use", {})
        self._day, self._used = kept.get("day", ""), int(kept.get("used", 0))
        self.window = SlidingWindow()
        self.token_window = SlidingWindow()
        self.token_lock = threading.Lock()

    def set(self, changes: dict[str, Any]) -> dict[str, Any]:
        for name, value in changes.items():
            if name == "used_today":
                self._set_used(value)
                continue
            if name not in DEFAULTS:
                raise AdminError(f"no limit {name}; known: {', '.join(DEFAULTS)}, used_today")
            if type(value) is not type(DEFAULTS[name]) or (type(value) is int and value < 0):
                raise AdminError(f"{name} must be a {type(DEFAULTS[name]).__name__} from 0 up")
            self.settings[name] = value
        self._database.set_meta("limits", self.settings)
        return self.all()

    def _set_used(self, value: Any) -> None:
        if type(value) is not int or value < 0:
            raise AdminError("used_today must be a count")
        with self._lock:
            self._day, self._used = day_name(self._clock.now_ms()), value

    def all(self) -> dict[str, Any]:
        return {**self.settings, "used_today": self.used_today()}

    def used_today(self) -> int:
        with self._lock:
            return self._used if self._day == day_name(self._clock.now_ms()) else 0

    def check_app(self) -> None:
        if not self.settings["app_enabled"]:
            raise ApiError(APP_DISABLED, "应用已被企业停用")
        if not self.settings["app_authorised"]:
            raise ApiError(NOT_AUTHORISED, "企业未授权该应用")
        if not self.settings["pack_bought"]:
            raise ApiError(NO_QUOTA, "企业未购买接口调用额度")

    def count_day(self) -> None:
        """Takes one call from the day's pack."""
        today = day_name(self._clock.now_ms())
        with self._lock:
            if self._day != today:
                self._day, self._used = today, 0
            if self._used >= self.settings["day_quota"]:
                raise ApiError(QUOTA_USED_UP, "当日接口调用额度已用完")
            self._used += 1
            used = self._used
        if used % _COUNT_SAVED_EVERY == 0:
            self.save()

    def save(self) -> None:
        self._database.set_meta("day_use", {"day": self._day, "used": self._used})

    def admit(self, path: str, code: int) -> None:
        allowed = self.window.admit(
            path, self._clock.now_ms(), self.settings["calls"], self.settings["window_ms"]
        )
        if not allowed:
            raise ApiError(code, "接口调用频率超过限制")

    def admit_token(self) -> None:
        allowed = self.token_window.admit(
            "token", self._clock.now_ms(), self.settings["token_calls"], 60_000
        )
        if not allowed:
            raise ApiError(CALL_LIMIT, "获取令牌过于频繁")
