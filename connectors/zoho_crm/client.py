"""Calls to one Zoho organisation: tokens, addresses, credits, and errors by class."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

import requests
import structlog

from connectors.sdk import jsontext
from connectors.sdk.auth import lasting, with_token
from connectors.sdk.errors import AnswerLostError, SetupError, ThrottledError, TransientError
from connectors.sdk.http import Http, Token
from connectors.zoho_crm.config import HOSTS, ZohoConfig
from connectors.zoho_crm.refusals import TOKEN_BLOCK, call_refusal, token_refusal

VERSION = "v8"
CREDITS_HEADER = "X-API-CREDITS-REMAINING"  # sent once half of the day's credits are used
CREDITS_PAUSE = 900.0  # credits come back bit by bit over 24 hours
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `body` is empty for 204 and 304, `at` is the server's own time."""

    status: int
    body: Mapping[str, Any]
    at: datetime | None = None

    @property
    def rows(self) -> Sequence[Mapping[str, Any]]:
        rows = self.body.get("data")
        return rows if isinstance(rows, list) else ()

    @property
    def more(self) -> bool:
        info = self.body.get("info")
        return bool(info.get("more_records")) if isinstance(info, Mapping) else False


class Client:
    """Speaks to the API of one organisation.

    Interfaces: `light` for ordinary calls; `heavy` for those that Zoho counts against its
    sub-concurrency of 10 (sorted lists, COQL, more than 10 records written); `bulk`; `token`.
    """

    def __init__(self, config: ZohoConfig, http: Http) -> None:
        self.config, self.http = config, http
        self.at: datetime | None = None  # the server's time at the latest answer
        self._credits_told: int | None = None

    @cached_property
    def identity(self) -> tuple[str, str, str, str]:
        """Tells this organisation's cached facts from those of another.

        One client may serve several organisations, so its refresh token takes part, as a hash.
        """
        config = self.config
        grant = hashlib.sha256(config.refresh_token.get_secret_value().encode()).hexdigest()
        return (config.accounts_base, config.fixed_api_base or "", config.client_id, grant)

    def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        heavy: bool = False,
        cost: int = 1,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A read below `/crm/v8`."""
        return self._call(
            "GET", f"/crm/{VERSION}{path}", heavy=heavy, cost=cost, params=params, headers=headers
        )

    def coql(self, query: str) -> Sequence[Mapping[str, Any]]:
        """Rows of a query with a limit of at most 200: one credit, always fresh."""
        answer = self._call(
            "POST",
            f"/crm/{VERSION}/coql",
            heavy=True,
            repeatable=True,
            body={"select_query": query},
        )
        return answer.rows

    def write(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        records: int = 1,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """A write below `/crm/v8`; costs a credit per ten records."""
        return self._call(
            method,
            f"/crm/{VERSION}{path}",
            heavy=records > 10,
            cost=1 if method == "DELETE" else -(-records // 10),
            write=True,
            body=body,
            params=params,
        )

    def bulk(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """A call to the bulk API: making an export costs 50 credits, asking for it one."""
        cost = 50 if method == "POST" else 1
        return self._call(
            method, f"/crm/bulk/{VERSION}{path}", interface="bulk", cost=cost, body=body
        )

    def download(self, path: str) -> requests.Response:
        """A file as a stream; the caller closes it."""

        def once(token: Token) -> requests.Response:
            raw = self._send("GET", path, token, interface="bulk", stream=True)
            if raw.status_code != 200:
                body = _parsed(raw)
                raw.close()
                raise call_refusal(raw.status_code, body or {}, write=False)
            return raw

        return with_token(self.http.tokens, self.grant, once)

    def grant(self) -> Token:
        """A new access token for the refresh token; called by one worker at a time."""
        form = {
            "grant_type": "refresh_token",
            "client_id": self.config.client_id,
            "client_secret": self.config.client_secret.get_secret_value(),
            "refresh_token": self.config.refresh_token.get_secret_value(),
        }
        url = f"{self.config.accounts_base}/oauth/v2/token"
        raw = self.http.call("POST", url, interface="token", data=form, allow_redirects=False)
        body = _parsed(raw)
        if raw.status_code >= 500 or (body is None and raw.status_code == 200):
            raise TransientError("Zoho's token service is out of order.")
        if body is None:
            raise SetupError(
                f"There is no Zoho token service at {self.config.accounts_base}.",
                hint="Check the accounts URL in the settings.",
                remote_code=str(raw.status_code),
            )
        value = body.get("access_token")
        if not isinstance(value, str) or not value:
            raise self._no_token(body)
        domain = str(body.get("api_domain") or HOSTS[self.config.data_centre].api)
        seconds = float(body.get("expires_in") or 3600)
        return lasting(value, seconds, self.http.now(), api_domain=domain.rstrip("/"))

    def _no_token(self, body: Mapping[str, Any]) -> Exception:
        refusal = token_refusal(body, self.config.data_centre)
        if isinstance(refusal, ThrottledError):
            self.http.limiter.close("token", TOKEN_BLOCK)
        return refusal

    def _call(
        self,
        method: str,
        path: str,
        *,
        heavy: bool = False,
        interface: str | None = None,
        cost: int = 1,
        write: bool = False,
        repeatable: bool | None = None,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        bucket = interface or ("heavy" if heavy else "light")

        def once(token: Token) -> Answer:
            raw = self._send(
                method,
                path,
                token,
                interface=bucket,
                cost=cost,
                write=write,
                repeatable=repeatable,
                params=params,
                data=None if body is None else json.dumps(body).encode(),
                headers={**(headers or {}), "Content-Type": "application/json"}
                if body
                else headers,
            )
            self.at = _moment(raw) or self.at
            self._notice_credits(raw)
            return _answer(raw, write=write)

        return with_token(self.http.tokens, self.grant, once)

    def _send(
        self, method: str, path: str, token: Token, *, interface: str, **options: Any
    ) -> requests.Response:
        base = self.config.fixed_api_base or token.extra.get("api_domain") or ""
        headers = dict(options.pop("headers", None) or {})
        headers["Authorization"] = f"Zoho-oauthtoken {token.value}"
        return self.http.call(
            method,
            f"{base}{path}",
            interface=interface,
            headers=headers,
            allow_redirects=False,
            **options,
        )

    def _notice_credits(self, raw: requests.Response) -> None:
        """Tells the log each time that half of what was left is gone; stops at nothing."""
        text = raw.headers.get(CREDITS_HEADER, "")
        if not text.isdigit():
            self._credits_told = None
            return
        left = int(text)
        if left == 0:
            for interface in ("light", "heavy", "bulk"):
                self.http.limiter.close(interface, CREDITS_PAUSE)
        if self._credits_told is None or left <= self._credits_told // 2:
            self._credits_told = left
            log.warning("zoho credits are running down", remaining=left)


def _answer(raw: requests.Response, *, write: bool) -> Answer:
    """The answer of a call, verdicts per record included; a refusal of the whole call raises."""
    if raw.status_code in {204, 304}:
        return Answer(raw.status_code, {}, _moment(raw))
    body = _parsed(raw)
    if body is None and raw.status_code < 300:
        kind = AnswerLostError if write else TransientError
        raise kind("Zoho's answer cannot be read: it is not JSON.")
    content = body or {}
    if any(isinstance(content.get(root), list) for root in ("data", "watch")):
        return Answer(raw.status_code, content, _moment(raw))
    if raw.status_code >= 300 or content.get("status") == "error":
        raise call_refusal(raw.status_code, content, write=write)
    return Answer(raw.status_code, content, _moment(raw))


def _parsed(raw: requests.Response) -> Mapping[str, Any] | None:
    try:
        body = jsontext.loads(raw.content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _moment(raw: requests.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(raw.headers.get("Date", "")).astimezone(UTC)
    except (TypeError, ValueError):
        return None
