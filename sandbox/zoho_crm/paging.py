"""Lists: parameters, the three ways to page, and the `info` object."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass

from flask import request

from sandbox.zoho_crm.clock import parse_time
from sandbox.zoho_crm.errors import ApiError
from sandbox.zoho_crm.gate import number

MAX_BY_PAGE = 2000
MAX_BY_TOKEN = 100_000
TOKEN_SECONDS = 24 * 3600
COLUMNS = {"id": "t.id", "Created_Time": "t.created", "Modified_Time": "t.modified"}


@dataclass
class Page:
    """Where a list starts and how it is sorted."""

    sort_by: str
    order: str
    per_page: int
    page: int
    since: int | None
    binding: str
    key: tuple | None = None
    seen: int = 0
    previous: str | None = None

    @property
    def offset(self):
        return 0 if self.key else (self.page - 1) * self.per_page

    def order_sql(self):
        column = COLUMNS[self.sort_by]
        tail = "" if column == "t.id" else f", t.id {self.order}"
        return f"{column} {self.order}{tail}"

    def where(self, edge):
        """SQL and parameters of the cursor and of If-Modified-Since."""
        parts, params = [], []
        if self.since is not None:
            parts.append(f"t.modified {'>=' if edge == 'gte' else '>'} ?")
            params.append(self.since)
        if self.key:
            column, sign = COLUMNS[self.sort_by], ">" if self.order == "asc" else "<"
            parts.append(f"({column}, t.id) {sign} (?, ?)")
            params.extend(self.key)
        return parts, params


def read_since():
    """If-Modified-Since in the vendor's ISO form."""
    raw = request.headers.get("If-Modified-Since")
    if not raw:
        return None
    try:
        return parse_time(raw)
    except ValueError:
        details = {"header_name": "If-Modified-Since", "expected_data_type": "datetime"}
        raise ApiError(400, "INVALID_DATA", "invalid data", details) from None


def field_names(limit=50):
    """The mandatory `fields` parameter."""
    raw = request.args.get("fields", "")
    names = [name.strip() for name in raw.split(",") if name.strip()]
    if not names:
        details = {"param": "fields", "param_name": "fields"}
        message = "One of the expected parameter is missing"
        raise ApiError(400, "REQUIRED_PARAM_MISSING", message, details)
    if len(names) > limit:
        details = {"param_name": "fields", "limit": limit}
        raise ApiError(400, "LIMIT_EXCEEDED", "more than the allowed fields", details)
    return names


def read_page(box, user_id):
    """The page that a list call asks for."""
    args = request.args
    sort_by = args.get("sort_by") or "id"
    order = (args.get("sort_order") or "desc").lower()
    if sort_by not in COLUMNS or order not in {"asc", "desc"}:
        name = "sort_by" if sort_by not in COLUMNS else "sort_order"
        raise ApiError(400, "INVALID_DATA", "invalid data", {"param_name": name})
    if args.get("cvid") and args.get("sort_by"):
        details = {"ambiguity_due_to": ["cvid", "sort_by"]}
        raise ApiError(400, "AMBIGUITY_DURING_PROCESSING", "ambiguous parameters", details)
    page = Page(
        sort_by=sort_by,
        order=order,
        per_page=number("per_page", 200, 1, 200),
        page=number("page", 1, 1, 10**9),
        since=read_since(),
        binding=_binding(args, user_id),
    )
    token = args.get("page_token")
    if token:
        return _from_token(box, page, token, args)
    if page.page * page.per_page > MAX_BY_PAGE:
        raise ApiError(
            400,
            "DISCRETE_PAGINATION_LIMIT_EXCEEDED",
            "records beyond the limit need a page_token",
            {"limit": MAX_BY_PAGE},
        )
    return page


def _binding(args, user_id):
    """A token fits only the same list: same path, parameters, filter and user."""
    kept = sorted((key, args[key]) for key in args if key not in {"page", "page_token"})
    since = request.headers.get("If-Modified-Since", "")
    text = json.dumps([request.path, kept, since, user_id])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _sign(box, payload):
    key = box.oauth.page_secret.encode()
    return hmac.new(key, payload, hashlib.sha256).hexdigest()[:16].encode()


def make_token(box, values):
    payload = json.dumps(values, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_sign(box, payload) + payload).decode().rstrip("=")


def open_token(box, token):
    """What a token holds, or a refusal of a token that is not ours."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        if not hmac.compare_digest(raw[:16], _sign(box, raw[16:])):
            raise ValueError("wrong signature")
        values = json.loads(raw[16:])
    except ValueError:
        details = {"param_name": "page_token"}
        raise ApiError(400, "INVALID_DATA", "invalid data", details) from None
    if values["expires"] <= box.clock.second():
        raise ApiError(400, "EXPIRED_VALUE", "the page token is expired", {"param": "page_token"})
    return values


def _from_token(box, page, token, args):
    if args.get("page"):
        details = {"ambiguity_due_to": ["page", "page_token"]}
        raise ApiError(400, "AMBIGUITY_DURING_PROCESSING", "ambiguous parameters", details)
    values = open_token(box, token)
    if values["binding"] != page.binding:
        message = "the parameters differ from those that the page token was made for"
        raise ApiError(400, "TOKEN_BOUND_DATA_MISMATCH", message, {"param_name": "page_token"})
    if values["seen"] >= MAX_BY_TOKEN:
        raise ApiError(
            400, "PAGINATION_LIMIT_EXCEEDED", "page limit exceeded", {"limit": MAX_BY_TOKEN}
        )
    page.page, page.seen = values["page"], values["seen"]
    page.key = tuple(values["key"]) if values["key"] else None
    page.previous = values["previous"]
    return page


def info(box, page, records, more):
    """The `info` object of a list."""
    expiry = box.clock.second() + TOKEN_SECONDS
    own = {
        "binding": page.binding,
        "expires": expiry,
        "page": page.page,
        "key": page.key,
        "seen": page.seen,
        "previous": None,
    }
    following = None
    if more and records:
        last = records[-1]
        position = {"id": last.id, "Created_Time": last.created, "Modified_Time": last.modified}
        seen = page.seen or page.offset
        values = {
            "page": page.page + 1,
            "key": (position[page.sort_by], last.id),
            "seen": seen + len(records),
            "previous": make_token(box, own),
        }
        following = make_token(box, {**own, **values})
    return {
        "call": False,
        "per_page": page.per_page,
        "next_page_token": following,
        "count": len(records),
        "sort_by": page.sort_by,
        "page": page.page,
        "previous_page_token": page.previous,
        "page_token_expiry": box.clock.text(expiry) if following else None,
        "sort_order": page.order,
        "email": False,
        "more_records": more,
    }
