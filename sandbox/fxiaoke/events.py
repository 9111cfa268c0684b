"""Sends change callbacks: signed and encrypted, 3 s to answer, one retry, and faults on order."""

import collections
import itertools
import json
import secrets
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from sandbox.fxiaoke import callback_crypto
from sandbox.fxiaoke.clock import Clock
from sandbox.fxiaoke.database import Database
from sandbox.fxiaoke.errors import AdminError
from sandbox.fxiaoke.work import Event

TIMEOUT_SECONDS = 3
SENDERS = 4
FAULTS = ("drop", "duplicate", "reorder", "delay_ms")
_KEPT = 500


class Events:
    def __init__(
        self, database: Database, clock: Clock, *, ea: str, tenant_id: int, secret: str
    ) -> None:
        self._database = database
        self._clock = clock
        self._ea, self._tenant_id, self._secret = ea, tenant_id, secret
        self.settings = {
            "url": "", "objects": [], "retry_delay_ms": 1000, **database.meta("callback", {})
        }  # fmt: skip
        self._lock = threading.Lock()
        self._faults = dict.fromkeys(FAULTS, 0)
        self._held: list[dict[str, Any]] = []
        self._numbers = itertools.count(1)
        self._pool = ThreadPoolExecutor(SENDERS, thread_name_prefix="callback")
        self._session = threading.local()
        self._waiting = 0
        self.totals: collections.Counter[str] = collections.Counter()
        self.log: collections.deque[dict[str, Any]] = collections.deque(maxlen=_KEPT)

    def configure(self, changes: dict[str, Any]) -> dict[str, Any]:
        kinds = {"url": str, "objects": list, "retry_delay_ms": int}
        for name, value in changes.items():
            if name not in kinds or not isinstance(value, kinds[name]):
                raise AdminError("callback takes url (text), objects (list), retry_delay_ms (int)")
        url = changes.get("url", self.settings["url"])
        if url and not url.startswith(("http://", "https://")):
            raise AdminError("the callback url must start with http:// or https://")
        self.settings = {**self.settings, **changes}
        self._database.set_meta("callback", self.settings)
        return self.report()

    def set_faults(self, changes: dict[str, Any]) -> dict[str, Any]:
        for name, value in changes.items():
            if name not in FAULTS or type(value) is not int or value < 0:
                raise AdminError(f"callback faults take counts: {', '.join(FAULTS)}")
        with self._lock:
            self._faults.update(changes)
        return self.report()

    def report(self) -> dict[str, Any]:
        with self._lock:
            return {
                **self.settings,
                "faults": dict(self._faults),
                "held": len(self._held),
                "waiting": self._waiting,
                "totals": dict(self.totals),
            }

    def recent(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self.log)

    def emit(self, events: Iterable[Event]) -> None:
        """Queues a callback for each change of a subscribed object; returns at once."""
        settings = self.settings
        if not settings["url"]:
            return
        for event in events:
            if settings["objects"] and event.object_name not in settings["objects"]:
                continue
            for message in self._through_faults(self._message(event)):
                self._submit(message)

    def _message(self, event: Event) -> dict[str, Any]:
        return {
            "tenantId": self._tenant_id,
            "eventType": event.kind,
            "apiName": event.object_name,
            "dataId": event.record_id,
            "timestamp": event.at,
            "messageId": f"{event.at:x}-{next(self._numbers)}-{secrets.token_hex(6)}",
        }

    def _through_faults(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        with self._lock:
            if self._faults["drop"]:
                self._faults["drop"] -= 1
                self.totals["dropped"] += 1
                return []
            if self._faults["reorder"]:
                # Held back until the whole group is there, then sent last one first.
                self._held.append(message)
                if len(self._held) < self._faults["reorder"]:
                    return []
                self._faults["reorder"] = 0
                batch, self._held = self._held[::-1], []
                return batch
            if self._faults["duplicate"]:
                self._faults["duplicate"] -= 1
                return [message, message]
            return [message]

    def _submit(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._waiting += 1
        self._pool.submit(self._deliver, message)

    def _deliver(self, message: dict[str, Any]) -> None:
        try:
            if self._faults["delay_ms"]:
                time.sleep(self._faults["delay_ms"] / 1000)
            if not self._attempt(message, None):
                time.sleep(self.settings["retry_delay_ms"] / 1000)
                self._attempt(message, 1)
        finally:
            with self._lock:
                self._waiting -= 1

    def _attempt(self, message: dict[str, Any], retry_times: int | None) -> bool:
        started = time.monotonic()
        body = self._signed(message, retry_times)
        try:
            answer = self._http().post(self.settings["url"], json=body, timeout=TIMEOUT_SECONDS)
            outcome = self._judge(answer)
        except requests.RequestException as error:
            outcome = type(error).__name__
        good = outcome == "success"
        with self._lock:
            self.totals["sent"] += 1
            self.totals["accepted" if good else "failed"] += 1
            self.log.append(
                {
                    **message,
                    "retryTimes": retry_times or 0,
                    "outcome": outcome,
                    "ms": round((time.monotonic() - started) * 1000),
                }
            )
        return good

    def _signed(self, message: dict[str, Any], retry_times: int | None) -> dict[str, Any]:
        encrypted = callback_crypto.encrypt(
            self._secret, json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        )
        now, nonce = self._clock.now_ms(), secrets.token_hex(8)
        body = {
            "timestamp": now,
            "nonce": nonce,
            "messageId": message["messageId"],
            "enterpriseAccount": self._ea,
            "encryptedContent": encrypted,
            "signature": callback_crypto.sign_delivery(
                self._secret,
                timestamp=now,
                nonce=nonce,
                message_id=message["messageId"],
                ea=self._ea,
                encrypted=encrypted,
                retry_times=retry_times,
            ),
        }
        if retry_times is not None:
            body["retryTimes"] = retry_times
        return body

    def _judge(self, answer: requests.Response) -> str:
        """`success`, or in a few words why the receiver's answer does not count."""
        if answer.status_code != 200:
            return f"HTTP {answer.status_code}"
        try:
            body = answer.json()
            plain = callback_crypto.decrypt(self._secret, body["encryptedResult"])
        except (ValueError, KeyError, TypeError):
            return "answer not readable"
        if "signature" in body:
            expected = callback_crypto.sign_answer(
                self._secret,
                timestamp=body.get("timestamp"),
                nonce=body.get("nonce"),
                encrypted=body["encryptedResult"],
            )
            if body["signature"] != expected:
                return "answer signed wrongly"
        return plain if plain == "success" else "answer is not success"

    def _http(self) -> requests.Session:
        session = getattr(self._session, "value", None)
        if session is None:
            session = self._session.value = requests.Session()
            session.trust_env = False
        return session

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
