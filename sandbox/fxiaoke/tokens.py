"""Access tokens: the same one for 6600 s, then a new one while the old lives until 7200 s."""

import hmac
import secrets
import time
from typing import Any

from sandbox.fxiaoke.clock import Clock
from sandbox.fxiaoke.database import Database
from sandbox.fxiaoke.errors import CALL_LIMIT, ApiError
from sandbox.fxiaoke.limits import Limits

REUSED_MS = 6_600_000
LIFE_MS = 7_200_000


class Tokens:
    def __init__(
        self, database: Database, clock: Clock, limits: Limits, credentials: dict[str, Any]
    ) -> None:
        self._database = database
        self._clock = clock
        self._limits = limits
        self._credentials = credentials
        with database.reading() as connection:
            self._issued = dict(connection.execute("SELECT token, issued FROM token").fetchall())

    def grant(self, body: dict[str, Any]) -> tuple[str, int]:
        """A token and the seconds it has left."""
        self._limits.admit_token()
        if not self._limits.token_lock.acquire(blocking=False):
            raise ApiError(CALL_LIMIT, "获取令牌不允许并发")
        try:
            # A grant takes the vendor some time, so that two at once do overlap.
            time.sleep(self._limits.settings["token_work_ms"] / 1000)
            self._check(body)
            self._limits.check_app()
            return self._current()
        finally:
            self._limits.token_lock.release()

    def _check(self, body: dict[str, Any]) -> None:
        known = self._credentials
        if not body.get("appId"):
            raise ApiError(10001, "参数 appId 缺失", error="invalid_request")
        if not _same(body.get("appSecret"), known["app_secret"]):
            raise ApiError(
                10006,
                "the parameter appSecret is missing or illegal",
                "参数 appSecret 缺失或不合法",
                error="invalid_client",
                error_description="appSecret is missing or illegal",
            )
        if not _same(body["appId"], known["app_id"]):
            raise ApiError(20006, "appId 或 appSecret 错误")
        if not body.get("permanentCode"):
            raise ApiError(10012, "参数 permanentCode 缺失")
        if not _same(body["permanentCode"], known["permanent_code"]):
            raise ApiError(20015, "permanentCode 错误")

    def _current(self) -> tuple[str, int]:
        now = self._clock.now_ms()
        young = [(at, token) for token, at in self._issued.items() if 0 <= now - at < REUSED_MS]
        if young:
            issued, token = max(young)
        else:
            token, issued = secrets.token_hex(32).upper(), now
            self._issued[token] = issued
            self._save()
        return token, (issued + LIFE_MS - now) // 1000

    def _save(self) -> None:
        now = self._clock.now_ms()
        self._issued = {token: at for token, at in self._issued.items() if now - at < LIFE_MS}
        with self._database.writing() as connection:
            connection.execute("DELETE FROM token")
            connection.executemany("INSERT INTO token VALUES (?, ?)", self._issued.items())

    def is_live(self, token: Any) -> bool:
        issued = self._issued.get(token) if isinstance(token, str) else None
        return issued is not None and 0 <= self._clock.now_ms() - issued < LIFE_MS

    def age(self, seconds: int) -> int:
        """Makes all tokens that much older; returns how many there were."""
        self._issued = {token: at - seconds * 1000 for token, at in self._issued.items()}
        count = len(self._issued)
        self._save()
        return count

    def revoke(self) -> int:
        count, self._issued = len(self._issued), {}
        self._save()
        return count


def _same(given: Any, known: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(), known.encode())
