"""A network that fails in a chosen way, for one Http, whatever else is mocked or recorded."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from connectors.sdk.http import Http

HTML = b"<!DOCTYPE html><html><body><h1>Down for maintenance</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Answer:
    """What every request gets."""

    status: int
    body: bytes = b"{}"
    content_type: str = "application/json"
    retry_after: str | None = None


Failure = Answer | Exception
UNAUTHORISED = Answer(401)
FORBIDDEN = Answer(403)
THROTTLED = Answer(429, retry_after="7")
BROKEN = Answer(500, HTML, "text/html")
UNAVAILABLE = Answer(503, HTML, "text/html")
MAINTENANCE = Answer(200, HTML, "text/html")
TIMEOUT = requests.ReadTimeout("read timed out")
UNREACHABLE = requests.ConnectionError("NewConnectionError: connection refused")


@contextmanager
def failing(http: Http, failure: Failure) -> Iterator[None]:
    """While it lasts, every call of this Http meets the failure."""
    kept = dict(http.session.adapters)
    adapter = _Failing(failure)
    for prefix in kept:
        http.session.mount(prefix, adapter)
    try:
        yield
    finally:
        http.session.adapters.update(kept)


class _Failing(BaseAdapter):
    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self._failure = failure

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        if isinstance(self._failure, Exception):
            raise self._failure
        answer = requests.Response()
        answer.status_code = self._failure.status
        answer.headers = CaseInsensitiveDict({"Content-Type": self._failure.content_type})
        if self._failure.retry_after:
            answer.headers["Retry-After"] = self._failure.retry_after
        answer._content = self._failure.body  # noqa: SLF001  requests offers no other way
        answer.url = request.url or ""
        answer.request = request
        return answer

    def close(self) -> None:
        """Nothing is open."""
