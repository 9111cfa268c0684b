"""Calls of the Open API in either convention: token, pace, repeats, errors by code."""

import logging
import random
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import requests
from tenacity import RetryCallState, Retrying, retry_base
from tenacity.wait import wait_random_exponential

from connectors.fxiaoke.config import FxiaokeConfig
from connectors.fxiaoke.errors import (
    Answer,
    DayUsedUpError,
    Kind,
    SystemFaultError,
    TooFastError,
    check,
)
from connectors.sdk import jsontext
from connectors.sdk.auth import with_token
from connectors.sdk.contract import Rate, Tenant
from connectors.sdk.errors import AnswerLostError, SetupError, ThrottledError, TransientError
from connectors.sdk.http import LONGEST_WAIT, Http, Token

log = logging.getLogger(__name__)
TOKEN_PATHS = {"header": "/oauth2.0/token", "body": "/cgi/corpAccessToken/get/V2"}
BY_MOBILE, ALL_USERS = "/cgi/user/getByMobile", "/cgi/user/list"
WHOLE_COMPANY = 999_999  # the department above all others
WINDOW = 20.0  # seconds over which the vendor counts the calls of a path
# A token is given again until 600 s before its end; asked for later, the vendor makes a new one.
LIFE, RENEW_BEFORE = 7200.0, 300.0
TRIES = 3
SMALL_SKEW = 2.0  # an HTTP date has whole seconds, so less says nothing about the clocks


def rates(config: FxiaokeConfig) -> Mapping[str, Rate]:
    """How often a path may be called: never more than the setting in any 20 seconds.

    What a bucket lets through in a window is its burst and what runs in meanwhile, so the two
    share the setting.
    """
    burst = max(config.calls_per_20_seconds // 10, 1)
    every = Rate(max(config.calls_per_20_seconds - burst, 1), WINDOW, burst)
    return {"*": every, **dict.fromkeys(TOKEN_PATHS.values(), Rate(8, 60.0, 2))}


class Client:
    """One tenant. Safe to use from several threads."""

    def __init__(
        self, config: FxiaokeConfig, http: Http, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.config, self.http, self.sleep = config, http, sleep
        self._skew = timedelta(0)
        self._compared = ""  # the last date that the clocks were compared by
        self._paths: set[str] = set()

    def call(self, path: str, body: Mapping[str, Any], kind: Kind) -> Mapping[str, Any]:
        """One call as the acting employee; the answer's body. Short troubles are waited out."""
        once = partial(with_token, self.http.tokens, self._grant)
        failures: list[BaseException] = []
        tries = Retrying(
            wait=_wait,
            sleep=self.sleep,
            retry=_WorthRepeating(kind),
            before_sleep=partial(_note_failure, failures),
            reraise=True,
        )
        try:
            return tries(once, partial(self._as_employee, path, body, kind))
        except ThrottledError:
            if failures:  # no grant is left for another try: what went wrong before tells more
                raise failures[-1] from None
            raise

    def enterprise(self) -> str:
        """The enterprise account, empty while no token has told it."""
        token = self.http.tokens.current()
        return self.config.ea or (token.extra.get("ea", "") if token else "")

    def tenant(self) -> Tenant | None:
        """Whose token it is: the header convention tells the account, the body one an id."""
        extra = self._token().extra
        for kind in ("ea", "corp"):
            if extra.get(kind):
                return Tenant(f"{kind}:{extra[kind]}", str(extra[kind]))
        return None

    def actor(self) -> str:
        """The acting employee's id, in the form of the convention."""
        if self.config.convention == "header":
            return self.config.user_id
        return self._token().extra["user"]

    def now(self) -> datetime:
        """The system's time, as far as its HTTP dates tell it."""
        return self.http.now() + self._skew

    def _token(self) -> Token:
        return self.http.tokens.current() or self.http.tokens.renew(None, self._grant)

    def _as_employee(
        self, path: str, body: Mapping[str, Any], kind: Kind, token: Token
    ) -> Mapping[str, Any]:
        if self.config.convention == "body":
            return self._send(path, {**body, **_body_credentials(token)}, kind)
        headers = {
            "authorization": f"Bearer {token.value}",
            "x-fs-ea": token.extra.get("ea", ""),
            "x-fs-userid": self.config.user_id,
        }
        return self._send(path, body, kind, headers)

    def _grant(self) -> Token:
        config = self.config
        request = {
            "appId": config.app_id,
            "appSecret": config.app_secret.get_secret_value(),
            "permanentCode": config.permanent_code.get_secret_value(),
        }
        if config.convention == "header":
            request["grantType"] = "app_secret"
        answer = self._send(TOKEN_PATHS[config.convention], request, Kind.GRANT)
        value = answer.get("accessToken" if config.convention == "header" else "corpAccessToken")
        if not value:
            raise TransientError("纷享销客 granted a token without telling it.")
        seconds = max(float(answer.get("expiresIn") or LIFE) - RENEW_BEFORE, 60.0)
        extra = {"ea": str(answer.get("ea", "")), "corp": str(answer.get("corpId", ""))}
        token = Token(str(value), self.http.now().timestamp() + seconds, extra)
        if config.convention == "header":
            return token
        return Token(token.value, token.expires_at, {**extra, "user": self._open_user(token)})

    def _open_user(self, token: Token) -> str:
        """The acting employee in the body convention."""
        config = self.config
        if config.user_id:
            return config.user_id
        credentials = {"corpAccessToken": token.value, "corpId": token.extra["corp"]}
        found = self._people(BY_MOBILE, {**credentials, "mobile": config.mobile}, "empList")
        # The vendor lists getByMobile as retired, so the whole directory is the way round it.
        everyone = {**credentials, "departmentId": WHOLE_COMPANY, "fetchChild": True}
        for person in found or self._people(ALL_USERS, everyone, "userList"):
            if person.get("mobile") == config.mobile or found:
                return str(person["openUserId"])
        raise SetupError(
            "No employee has the mobile number of the settings.",
            hint="Correct the acting employee's mobile number, or give the FSUID_… instead.",
        )

    def _people(self, path: str, body: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
        try:
            return list(self._send(path, body, Kind.READ).get(name) or ())
        except SetupError as exc:
            if exc.remote_code in {"30027", "10006"}:  # no such employee, no such call any more
                return []
            raise

    def _send(
        self,
        path: str,
        body: Mapping[str, Any],
        kind: Kind,
        headers: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        self._paths.add(path)
        try:
            answer = self._answer(path, body, kind, headers)
            if answer.code:
                facts = {"path": path, "code": answer.code, "trace": answer.trace}
                log.info("fxiaoke_refused", extra=facts)
            check(answer, kind, self.now())
        except AnswerLostError as exc:
            if kind.writes:
                raise
            raise TransientError(str(exc), retry_after=exc.retry_after) from exc  # no harm done
        except ThrottledError as exc:
            self._close(path, exc)
            raise
        return answer.body

    def _answer(
        self, path: str, body: Mapping[str, Any], kind: Kind, headers: Mapping[str, str] | None
    ) -> Answer:
        traced = self.config.convention == "header"
        reply = self.http.call(
            "POST",
            self.config.base_url + path,
            interface=path,
            write=kind.writes,
            json=body,
            headers=dict(headers or {}),
            params={"thirdTraceId": _trace_id()} if traced else {},
            allow_redirects=False,
        )
        self._compare_clocks(reply)
        return Answer.of(_json(reply))

    def _close(self, path: str, refusal: ThrottledError) -> None:
        """Keeps all workers from asking again; a used-up day closes every path at once."""
        if isinstance(refusal, DayUsedUpError):
            for interface in self._paths:
                self.http.limiter.close(interface, refusal.retry_after or 0.0)
        elif isinstance(refusal, TooFastError):
            self.http.limiter.close(path, refusal.retry_after or 0.0)

    def _compare_clocks(self, reply: requests.Response) -> None:
        date = reply.headers.get("Date", "")
        if date == self._compared:  # whole seconds: many answers say the same
            return
        self._compared = date
        try:
            theirs = parsedate_to_datetime(date).astimezone(UTC)
        except (TypeError, ValueError):
            return  # a gateway without a usable date: our own clock has to do
        skew = theirs - self.http.now()
        self._skew = skew if abs(skew.total_seconds()) > SMALL_SKEW else timedelta(0)


class _WorthRepeating(retry_base):
    """What may pass within seconds; of a create only what was surely not carried out."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def __call__(self, retry_state: RetryCallState) -> bool:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        tries = retry_state.attempt_number
        if isinstance(error, SystemFaultError):
            return self._kind is not Kind.CREATE and tries < 2
        if not isinstance(error, TransientError):
            return False
        if isinstance(error, ThrottledError):  # our own pace: calls of a batch queue up here
            return retry_state.idle_for + (error.retry_after or LONGEST_WAIT) <= LONGEST_WAIT
        if isinstance(error, AnswerLostError) and self._kind is Kind.CREATE:
            return False
        return tries < TRIES and (error.retry_after or 0.0) <= LONGEST_WAIT


def _note_failure(failures: list[BaseException], retry_state: RetryCallState) -> None:
    error = retry_state.outcome.exception() if retry_state.outcome else None
    if error is not None and not isinstance(error, ThrottledError):
        failures.append(error)


def _trace_id() -> str:
    """A fresh version 4 UUID, no secret: made without asking the operating system each time."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


_backoff = wait_random_exponential(multiplier=0.2, max=2.0)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    hinted = getattr(error, "retry_after", None)
    return float(hinted) if hinted else float(_backoff(state))


def _body_credentials(token: Token) -> dict[str, str]:
    return {
        "corpAccessToken": token.value,
        "corpId": token.extra.get("corp", ""),
        "currentOpenUserId": token.extra.get("user", ""),
    }


def _json(reply: requests.Response) -> Mapping[str, Any]:
    """The body. Anything but JSON comes from a proxy on the way, not from the API."""
    if 300 <= reply.status_code < 500:
        raise SetupError(
            f"{reply.url.split('?')[0]} answered {reply.status_code}, which the API never does.",
            hint="Check the API address and the application's IP allow list.",
            remote_code=str(reply.status_code),
        )
    try:
        body = jsontext.loads(reply.content)
    except ValueError as exc:
        raise AnswerLostError("纷享销客 answered something that is not JSON.") from exc
    if reply.status_code >= 500 or not isinstance(body, dict):
        raise AnswerLostError(f"纷享销客 answered {reply.status_code} without a result.")
    return body
