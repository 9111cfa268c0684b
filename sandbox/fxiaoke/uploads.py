"""Uploads that were announced and wait for their bytes."""

import secrets
from typing import Any

Row = dict[str, Any]


class Uploads:
    """Credentials given out, by ticket. The bytes are weighed and let go: nothing reads them."""

    def __init__(self) -> None:
        self._waiting: dict[str, Row] = {}

    def open(self, **wanted: Any) -> str:
        ticket = secrets.token_urlsafe(24)
        self._waiting[ticket] = wanted
        return ticket

    def finish(self, ticket: str, size: int, now: int) -> Row:
        """The second step's answer; a ticket serves once."""
        wanted = self._waiting.pop(ticket, None)
        if wanted is None or wanted["until"] < now:
            return {"success": False, "code": 403, "message": "credential expired", "data": None}
        if size != wanted["size"]:
            return {"success": False, "code": 400, "message": "fileSize differs", "data": None}
        kind = wanted["kind"]
        path = f"{kind}_{secrets.token_hex(16)}.{wanted['extension']}"
        return {"success": True, "code": 200, "message": "success", "data": path}
