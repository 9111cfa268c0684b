"""Calls of Tryton's JSON-RPC: session, context, errors by class."""

import base64
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from connectors.sdk.auth import lasting, with_token
from connectors.sdk.errors import (
    AnswerLostError,
    SetupError,
    ThrottledError,
    TokenDeadError,
    TransientError,
)
from connectors.sdk.http import Http, Token
from connectors.tryton import wire
from connectors.tryton.settings import TrytonConfig

SESSION_LIFE = 29 * 86_400.0  # the server's default is 30 days
LOCKED_OUT = 300.0  # session.timeout: how long too many failed logins are remembered
READ_TIMEOUT = 75.0  # above the server's own limit of 60 seconds for a statement
_BUSY = ("database is locked", "deadlock", "could not serialize", "could not obtain lock")


class Refusal(Exception):  # noqa: N818  the name says what happened
    """Tryton carries out nothing of this call: a rule of its own, a missing right, a bad value."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class Stale(Exception):  # noqa: N818  the name says what happened
    """A record named in `_timestamp` has moved; nothing was written."""


class Rpc:
    """Speaks to one database as one user."""

    def __init__(self, config: TrytonConfig, http: Http) -> None:
        self._config, self._http = config, http
        self._url = f"{config.url}/{config.database}/rpc/"
        self.clock: datetime = datetime.now(UTC)  # the server's, before its last answer

    def read(self, method: str, *params: Any, archived: bool = False) -> Any:
        """A call that changes nothing; made again at once if its answer breaks.

        `archived` brings archived records too, and archived children. Naming `active` in the
        domain does not do: Tryton wants it named again at each level, also inside of an OR.
        """
        context = {"active_test": False} if archived else {}
        try:
            return self._with_session(method, params, context, write=False)
        except Refusal as exc:
            raise SetupError(
                f"Tryton refuses to tell the hub: {_ended(str(exc))}",
                hint="Give the integration user the right to read it.",
                remote_code=exc.code,
            ) from exc

    def write(self, method: str, *params: Any, timestamps: Mapping[str, str] | None = None) -> Any:
        """A call that changes records. Raises Refusal or Stale where nothing was done."""
        context = {"_timestamp": dict(timestamps)} if timestamps else {}
        return self._with_session(method, params, context, write=True)

    def renew(self) -> None:
        """Logs in now, whatever session there is: proves the login."""
        self._http.tokens.renew(self._http.tokens.current(), self._login)

    @property
    def company(self) -> int:
        """The company that records are read for."""
        token = self._http.tokens.current() or self._http.tokens.renew(None, self._login)
        found = json.loads(token.extra["context"]).get("company")
        if found is None:
            raise SetupError(
                f"The user {self._config.login!r} works in no company.",
                hint="Give the user a current company in Tryton, or name one in the settings.",
            )
        return int(found)

    def _with_session(
        self, method: str, params: tuple[Any, ...], context: Mapping[str, Any], *, write: bool
    ) -> Any:
        def call(token: Token) -> Any:
            whole = {**json.loads(token.extra["context"]), **context}
            return self._call(method, [*params, whole], token, write=write)

        return with_token(self._http.tokens, self._login, call)

    def _login(self) -> Token:
        secret = {"password": self._config.password.get_secret_value()}
        try:
            answer = self._post("common.db.login", [self._config.login, secret, "en"])
        except ThrottledError as exc:
            self._http.limiter.close("login", LOCKED_OUT)
            raise ThrottledError(
                "Tryton takes no more logins of this user for some minutes, because too many "
                "have failed.",
                retry_after=LOCKED_OUT,
            ) from exc
        if answer.status_code == 401:
            raise SetupError(
                f"Tryton does not accept the password of {self._config.login!r}.",
                hint="Check login and password in the settings of this system.",
                remote_code="401",
            )
        result = self._result(answer, write=False)
        if result is None:
            raise SetupError(f"Tryton does not know the user {self._config.login!r}.")
        user_id, session = result[0], result[1]
        extra = {"user_id": str(user_id), "context": "{}"}
        token = lasting(session, SESSION_LIFE, self._http.now(), **extra)
        return self._with_context(token)

    def _with_context(self, token: Token) -> Token:
        found = self._call("model.res.user.get_preferences", [True, {}], token, write=False)
        names = ("company", "companies", "company_filter", "groups")
        context = {name: found[name] for name in names if name in found}
        context["language"] = "en"  # names of places and terms in one language for all users
        if self._config.company is not None:
            context |= {"company": self._config.company, "company_filter": "one"}
        extra = {**token.extra, "context": json.dumps(context)}
        return Token(token.value, token.expires_at, extra)

    def _call(self, method: str, params: list[Any], token: Token, *, write: bool) -> Any:
        who = f"{self._config.login}:{token.extra['user_id']}:{token.value}"
        header = "Session " + base64.b64encode(who.encode()).decode()
        answer = self._post(method, params, authorization=header, write=write)
        if answer.status_code == 401:
            raise TokenDeadError(
                "Tryton does not accept the session of the hub.",
                hint="Check login and password in the settings of this system.",
                remote_code="401",
            )
        return self._result(answer, write=write)

    def _post(
        self, method: str, params: list[Any], *, authorization: str = "", write: bool = False
    ) -> requests.Response:
        try:
            answer = self._http.call(
                "POST",
                self._url,
                interface="login" if method == "common.db.login" else "rpc",
                write=write,
                repeatable=not write and method != "common.db.login",
                read_timeout=READ_TIMEOUT,
                json={"id": 1, "method": method, "params": params},
                headers={"Authorization": authorization} if authorization else {},
            )
        except (ThrottledError, AnswerLostError):
            raise
        except TransientError as exc:
            raise TransientError(
                f"{exc} Check the address in the settings and that the Tryton server runs.",
                retry_after=exc.retry_after,
            ) from exc
        self._note_clock(answer)
        return answer

    def _note_clock(self, answer: requests.Response) -> None:
        try:
            told = parsedate_to_datetime(answer.headers["Date"])
        except (KeyError, ValueError, TypeError):
            told = self._http.now()
        self.clock = told - timedelta(seconds=math.ceil(answer.elapsed.total_seconds()))

    def _result(self, answer: requests.Response, *, write: bool) -> Any:
        self._check_status(answer, write=write)
        try:
            envelope = wire.decode(answer.text)
        except ValueError:
            envelope = None
        if not isinstance(envelope, dict) or not {"result", "error"} & set(envelope):
            message = (
                f"{self._config.url} answered with something that is not Tryton's. Check the "
                "address in the settings, or wait where the server is under maintenance."
            )
            raise AnswerLostError(message) if write else TransientError(message)
        if "error" in envelope:
            raise _as_error(list(envelope["error"]), write=write)
        return envelope["result"]

    def _check_status(self, answer: requests.Response, *, write: bool) -> None:
        status = answer.status_code
        if status < 400:
            return
        if status == 404:
            raise SetupError(
                f"{self._config.url} has no Tryton database {self._config.database!r}.",
                hint="Check address and database in the settings.",
                remote_code="404",
            )
        if status == 403:
            raise SetupError(
                "Tryton does not let the hub make this call.",
                hint="The server may lack a module, or the user may lack a right.",
                remote_code="403",
            )
        if status >= 500:
            message = f"The Tryton server failed with HTTP {status}."
            raise AnswerLostError(message) if write else TransientError(message)
        raise SetupError(
            f"Tryton could not read the call of the hub and answered HTTP {status}.",
            hint="The connector is written for Tryton 8; look at the server's log.",
            remote_code=str(status),
        )


def _ended(text: str) -> str:
    return text if text.rstrip().endswith((".", "。", "!", "?")) else f"{text.rstrip()}."


def _as_error(error: list[Any], *, write: bool) -> Exception:
    kind = str(error[0])
    if kind == "ConcurrencyException":
        return Stale()
    if kind in {"UserError", "UserWarning"}:
        told = [str(part) for part in error[1][:3] if part]
        message = told[0] if kind == "UserError" else " ".join(told[1:])
        return Refusal(message, kind)
    if any(word in kind.lower() for word in _BUSY):
        return TransientError("Tryton's database is busy.")
    if write:
        return Refusal(f"an error inside Tryton: {kind}", "internal")
    return SetupError(
        f"Tryton cannot answer a call of the hub: {kind}.",
        hint="A module or a field may be missing; look at the server's log.",
        remote_code="internal",
    )
