"""The smallest useful client of Tryton's JSON-RPC interface."""

import base64
import datetime as dt
import json
from decimal import Decimal
from typing import Any

import requests

MODEL_READ_TIMEOUT = 300  # posting an invoice on a loaded two-core machine is slow, not stuck


class TrytonError(Exception):
    """The ERP refused a call; the text is its own."""

    def __init__(self, kind: str, message: str, method: str) -> None:
        super().__init__(f"{method}: {message}")
        self.kind, self.message, self.method = kind, message, method

    @property
    def is_refusal(self) -> bool:
        """A business rule said no, as against a fault of this program."""
        return self.kind == "UserError"


class ConfirmationNeededError(TrytonError):
    """The ERP asks whether we are sure; `name` is what has to be confirmed."""

    def __init__(self, name: str, message: str, method: str) -> None:
        super().__init__("UserWarning", message, method)
        self.name = name


def to_wire(value: Any) -> Any:
    """`json.dumps(default=...)` for the types that Tryton tags with their class."""
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, dt.date):
        return {
            "__class__": "date",
            "year": value.year,
            "month": value.month,
            "day": value.day,
        }
    raise TypeError(f"{type(value).__name__} has no form on the wire")


def from_wire(value: dict[str, Any]) -> Any:
    match value.get("__class__"):
        case "Decimal":
            return Decimal(value["decimal"])
        case "date":
            return dt.date(value["year"], value["month"], value["day"])
        case _:
            return value


class Client:
    """A session of one user; `call` adds the context that every model method wants."""

    def __init__(self, base_url: str, database: str) -> None:
        self._url = f"{base_url}/{database}/rpc/"
        self._http = requests.Session()
        self._http.trust_env = False  # a proxy must never stand between us and loopback
        self.context: dict[str, Any] = {}
        self.user_id = 0

    def login(self, user: str, password: str) -> None:
        answer = self.send("common.db.login", [user, {"password": password}, "en"])
        self.user_id, token = answer[0], answer[1]
        session = base64.b64encode(f"{user}:{self.user_id}:{token}".encode()).decode()
        self._http.headers["Authorization"] = f"Session {session}"
        self.load_context()

    def load_context(self) -> None:
        """Read the user's company again; values kept per company read as null without it."""
        preferences = self.send("model.res.user.get_preferences", [True, {}])
        wanted = ("company", "companies", "company_filter", "language", "groups")
        self.context = {key: preferences[key] for key in wanted if key in preferences}

    def send(self, method: str, params: list[Any]) -> Any:
        body = json.dumps({"id": 1, "method": method, "params": params}, default=to_wire)
        response = self._http.post(
            self._url,
            data=body.encode(),
            headers={"Content-Type": "application/json"},
            timeout=MODEL_READ_TIMEOUT,
        )
        if response.status_code != requests.codes.ok:
            raise TrytonError(f"HTTP {response.status_code}", response.reason, method)
        reply = json.loads(response.content, object_hook=from_wire)
        if "error" in reply:
            raise _as_error(reply["error"], method)
        return reply["result"]

    def call(self, method: str, *params: Any, **context: Any) -> Any:
        return self.send(method, [*params, {**self.context, **context}])

    def model(self, model: str, method: str, *params: Any) -> Any:
        return self.call(f"model.{model}.{method}", *params)

    def create(self, model: str, rows: list[dict[str, Any]]) -> list[int]:
        return self.model(model, "create", rows) if rows else []

    def rows(self, model: str, domain: list[Any], fields: list[str]) -> list[dict[str, Any]]:
        return self.model(model, "search_read", domain, 0, None, [["id", "ASC"]], fields)

    def first(self, model: str, domain: list[Any]) -> int | None:
        found = self.model(model, "search", domain, 0, 1, [["id", "ASC"]])
        return found[0] if found else None

    def only(self, model: str, domain: list[Any]) -> int:
        found = self.first(model, domain)
        if found is None:
            raise LookupError(f"Tryton has no {model} with {domain}")
        return found

    def ensure(self, model: str, domain: list[Any], values: dict[str, Any]) -> int:
        return self.first(model, domain) or self.create(model, [values])[0]

    def ensure_by(self, model: str, key: str, rows: list[dict[str, Any]]) -> dict[str, int]:
        """Create the rows whose `key` is not there yet; answers key -> id for all of them."""
        known = self._ids_by(model, key, [row[key] for row in rows])
        missing = [row for row in rows if row[key] not in known]
        ids = self.create(model, missing)
        return known | {row[key]: new for row, new in zip(missing, ids, strict=True)}

    def _ids_by(self, model: str, key: str, values: list[str]) -> dict[str, int]:
        found = self.rows(model, [[key, "in", values]], [key])
        return {row[key]: row["id"] for row in found}

    def confirmed(self, method: str, *params: Any) -> Any:
        """Call, and answer "yes" to each question once, as a user in front of the screen would."""
        answered: set[str] = set()
        while True:
            try:
                return self.call(method, *params)
            except ConfirmationNeededError as question:
                if question.name in answered:
                    raise
                answered.add(question.name)
                self.call("model.res.user.warning.skip", question.name, False)


def _as_error(error: Any, method: str) -> TrytonError:
    if not isinstance(error, list) or not error:
        return TrytonError("Error", str(error), method)
    kind, details = error[0], error[1] if len(error) > 1 else ""
    if kind == "UserWarning" and isinstance(details, list):
        return ConfirmationNeededError(details[0], str(details[1]), method)
    if kind == "UserError" and isinstance(details, list):
        return TrytonError(kind, str(details[0]), method)
    if kind in ("ConcurrencyException", "LoginException"):
        return TrytonError(kind, str(details), method)
    # A fault inside the server: its message stands first, a traceback follows.
    return TrytonError("Error", str(kind), method)
