"""The one HTTP client: quota, timeouts, retries of safe calls, errors by class."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from json import dumps
from typing import Any, Protocol
from urllib.parse import urlencode

import requests
from requests.adapters import HTTPAdapter
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from connectors.sdk.errors import AnswerLostError, ThrottledError, TransientError

CONNECT_TIMEOUT, READ_TIMEOUT = 3.0, 30.0
LONGEST_WAIT = 3.0  # seconds spent inside one call; anything longer goes back to the row
MOST_ADDRESSES = 200
_PLAIN = frozenset({"timeout", "proxies", "verify", "allow_redirects"})
_BROKEN = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token with the moment it dies (epoch seconds) and what came along with it."""

    value: str
    expires_at: float
    extra: Mapping[str, str]


class TokenStore(Protocol):
    """Tokens shared by all workers of one system."""

    def current(self) -> Token | None:
        """The cached token, None where there is none or it has run out."""

    def renew(self, stale: Token | None, grant: Callable[[], Token]) -> Token:
        """Single flight: one worker calls `grant`, the others get what it brought.

        Where another worker has already replaced `stale`, `grant` is not called.
        """


class Limiter(Protocol):
    """The quota of one system over all workers."""

    def acquire(self, interface: str, cost: int = 1) -> float:
        """Seconds to wait before the call may be made; 0 takes the tokens and lets it go."""

    def close(self, interface: str, seconds: float) -> None:
        """The system said no: nobody calls this interface for so long."""

    def count(self, *, write: bool) -> None:
        """One call was made."""


class Http:
    """Makes the calls of one system. One instance per system and thread."""

    def __init__(
        self,
        limiter: Limiter,
        tokens: TokenStore,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.limiter, self.tokens, self.now = limiter, tokens, now
        self._sleep = sleep
        self.session = requests.Session()
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=16)
        self.session.mount("http://", adapter)
        self.session.mount("https://", adapter)
        self.session.trust_env = False  # looked up once for each host instead
        self._surroundings: dict[str, dict[str, Any]] = {}
        self._addresses: dict[str, str] = {}

    def call(
        self,
        method: str,
        url: str,
        *,
        interface: str,
        write: bool = False,
        repeatable: bool | None = None,
        cost: int = 1,
        read_timeout: float = READ_TIMEOUT,
        **kwargs: Any,
    ) -> requests.Response:
        """One request. The answer comes back for any status but 429, 502, 503 and 504.

        `interface` names the bucket that the call draws from. `repeatable` (default: GET and
        HEAD only) lets a broken call be made again at once. Raises ThrottledError (not made),
        TransientError (surely not carried out) or AnswerLostError (perhaps carried out).
        """
        safe = method in {"GET", "HEAD"} if repeatable is None else repeatable
        timeout = (CONNECT_TIMEOUT, read_timeout)

        failures: list[TransientError] = []

        def once() -> requests.Response:
            try:
                self._wait_for_quota(interface, cost)
            except ThrottledError as error:  # no call is left for another try: the first one tells
                raise failures[-1] if failures else error from None
            try:
                return self._send(method, url, interface, write=write, timeout=timeout, **kwargs)
            except TransientError as error:
                failures.append(error)
                raise

        if not safe:
            return once()
        return Retrying(
            stop=stop_after_attempt(3),
            wait=_wait,
            sleep=self._sleep,
            retry=retry_if_exception_type(TransientError) & retry_if_short,
            reraise=True,
        )(once)

    def _around(self, url: str) -> Mapping[str, Any]:
        """Proxies and certificates of the environment, looked up once for each host.

        requests would go through all environment variables with every call.
        """
        host = _host(url)
        if host not in self._surroundings:
            found = requests.Session().merge_environment_settings(url, {}, None, None, None)
            self._surroundings[host] = {n: found[n] for n in ("proxies", "verify")}
        return self._surroundings[host]

    def _wait_for_quota(self, interface: str, cost: int) -> None:
        wait = self.limiter.acquire(interface, cost)
        if wait > 0:
            raise ThrottledError(
                f"The call quota of {interface!r} is used up for {wait:.0f} seconds.",
                retry_after=wait,
            )

    def _send(
        self, method: str, url: str, interface: str, *, write: bool, **kwargs: Any
    ) -> requests.Response:
        self.limiter.count(write=write)
        try:
            answer = self._exchange(method, url, **{**self._around(url), **kwargs})
        except requests.exceptions.ConnectTimeout as exc:
            raise TransientError(f"{_host(url)} does not answer.") from exc
        except _BROKEN as exc:
            if _never_connected(exc):
                raise TransientError(f"{_host(url)} cannot be reached.") from exc
            raise AnswerLostError(f"The answer of {_host(url)} got lost.") from exc
        if answer.status_code == 429:
            wait = retry_after(answer) or 10.0
            self.limiter.close(interface, wait)
            raise ThrottledError(f"{_host(url)} allows no more calls now.", retry_after=wait)
        if answer.status_code in {502, 503, 504}:
            raise AnswerLostError(
                f"{_host(url)} answered {answer.status_code}.", retry_after=retry_after(answer)
            )
        return answer

    def _exchange(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        **options: Any,
    ) -> requests.Response:
        """One request through the session, or beside it where nothing of a session is wanted.

        Cookies, redirects, proxies and forms are the session's business. A JSON call without any
        of these is put together here, which takes less than half of the time.
        """
        plain = json is not None and options.keys() <= _PLAIN and not options.get("proxies")
        if not plain or options.get("allow_redirects", True) or self.session.cookies:
            options |= {"json": json, "headers": headers, "params": params}
            return self.session.request(method, url, **options)
        body = dumps(json, allow_nan=False).encode()
        request = requests.PreparedRequest()
        request.method, request.body, request.hooks = method, body, default_hooks()
        request.url = self._address(url)
        if given := {name: value for name, value in (params or {}).items() if value is not None}:
            request.url += ("&" if "?" in request.url else "?") + urlencode(given)
        request.headers = CaseInsensitiveDict(headers or {})
        for name, value in self.session.headers.items():
            request.headers.setdefault(name, str(value))
        request.headers["Content-Type"] = "application/json"
        request.headers["Content-Length"] = str(len(body))
        # requests looks for the certificates on the disk even where none are needed.
        verify = options.get("verify", True) if request.url.startswith("https:") else True
        started = time.perf_counter()
        answer = self.session.get_adapter(request.url).send(
            request, timeout=options.get("timeout"), verify=verify
        )
        answer.elapsed = timedelta(seconds=time.perf_counter() - started)
        _ = answer.content  # read to its end, so that the connection is free again
        if answer.cookies:
            self.session.cookies.update(answer.cookies)
        return answer

    def _address(self, url: str) -> str:
        """The URL as it goes over the wire; of the few that a connector has, made once."""
        found = self._addresses.get(url)
        if found is None:
            request = requests.PreparedRequest()
            request.prepare_url(url, None)
            found = str(request.url)
            if len(self._addresses) < MOST_ADDRESSES:
                self._addresses[url] = found
        return found


def retry_after(answer: requests.Response) -> float | None:
    """Seconds of a Retry-After header, given as a number or as an HTTP date."""
    value = answer.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _is_short(error: BaseException) -> bool:
    wait = getattr(error, "retry_after", None)
    return wait is None or wait <= LONGEST_WAIT


class _RetryIfShort(retry_if_exception_type):
    def __call__(self, retry_state: RetryCallState) -> bool:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        return error is not None and _is_short(error)


retry_if_short = _RetryIfShort()
_backoff = wait_random_exponential(multiplier=0.2, max=2.0)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    hinted = getattr(error, "retry_after", None)
    return float(hinted) if hinted else float(_backoff(state))


def _never_connected(exc: Exception) -> bool:
    text = repr(exc)
    return "NewConnectionError" in text or "NameResolutionError" in text


def _host(url: str) -> str:
    return url.split("/", 3)[2] if "//" in url else url
