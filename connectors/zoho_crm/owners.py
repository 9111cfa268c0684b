"""Owners by mail address: Zoho wants the id of a user, and only of one who is active.

https://www.zoho.com/crm/developer/docs/api/v8/get-users.html
"""

from collections.abc import Mapping
from typing import Any

from connectors.sdk.errors import RecordError
from connectors.zoho_crm.client import Client

FIELD = "Owner"
_PAGE = 200


class Owners:
    """The active users of one organisation. `fallback` takes over from those who have left."""

    def __init__(self, client: Client, fallback: str) -> None:
        self._client, self._fallback = client, fallback.strip().lower()

    def resolved(
        self, records: Mapping[str, Mapping[str, Any]]
    ) -> tuple[dict[str, Mapping[str, Any]], dict[str, RecordError]]:
        """The records with the ids of their owners, and those whose owner cannot be."""
        ready: dict[str, Mapping[str, Any]] = {}
        refused: dict[str, RecordError] = {}
        named = any(_mail(record) for record in records.values())
        users = self._active() if named else {}  # asked anew: people leave
        for key, record in records.items():
            try:
                ready[key] = self._with_id(record, users)
            except RecordError as error:
                refused[key] = error
        return ready, refused

    def _with_id(self, record: Mapping[str, Any], users: Mapping[str, str]) -> Mapping[str, Any]:
        owner = record.get(FIELD)
        if FIELD not in record or (isinstance(owner, Mapping) and owner.get("id")):
            return record
        mail = _mail(record)
        if not mail:  # a record is never without an owner: it keeps the one it has
            return {name: value for name, value in record.items() if name != FIELD}
        found = users.get(mail.lower()) or users.get(self._fallback)
        if found is None:
            raise RecordError(
                f"Zoho has no active user {mail} who could own the record.",
                field=FIELD,
                remote_code="OWNER_INACTIVE",
            )
        return {**record, FIELD: {"id": found}}

    def _active(self) -> Mapping[str, str]:
        """Ids of active users by mail address."""
        known: dict[str, str] = {}
        page, more = 1, True
        while more:
            params = {"type": "ActiveUsers", "page": str(page), "per_page": str(_PAGE)}
            answer = self._client.get("/users", params)
            rows = answer.body.get("users") or ()
            known.update({str(row.get("email")).lower(): str(row["id"]) for row in rows})
            page, more = page + 1, answer.more
        return known


def _mail(record: Mapping[str, Any]) -> str:
    owner = record.get(FIELD)
    return str(owner.get("email") or "") if isinstance(owner, Mapping) else ""
