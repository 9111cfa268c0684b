"""Notification channels: Zoho tells which records to look at again.

https://www.zoho.com/crm/developer/docs/api/v8/notifications/overview.html
A channel lives a week at most and then is silent without a word, so it is renewed by asking for
it again. Zoho signs nothing; it repeats a token that was given with the channel. Ours is made
from the client secret and the channel's id, so any worker can check it without looking it up.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.sdk.contract import Delivery, Hint
from connectors.sdk.errors import DeliveryRejected, SetupError
from connectors.sdk.webhooks import check_same, json_body
from connectors.zoho_crm.client import Client
from connectors.zoho_crm.config import ZohoConfig
from connectors.zoho_crm.records import stamp
from connectors.zoho_crm.refusals import CallRefusedError

LIFE = timedelta(days=6)  # Zoho allows a week, and makes more than that an hour
LONGEST_AGE = timedelta(hours=24)  # repeats may be late; a hint that is old does no harm
TOKEN_LENGTH = 40  # Zoho takes up to 50
_OPERATIONS = ("create", "edit", "delete")
_UNSTABLE = frozenset({"token", "query_params", "resource_uri"})


class Channels:
    """The notification channel of one system."""

    def __init__(self, client: Client, config: ZohoConfig) -> None:
        self._client, self._config = client, config

    def subscribe(
        self, objects: Sequence[str], url: str, state: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Opens the channel, or opens it anew before it ends; Zoho takes both as one call.

        Where notifications are switched off it is closed.
        """
        expires = self._client.http.now() + LIFE
        if not self._config.notifications:
            self.unsubscribe(state)
            return {"expires_at": expires.isoformat()}
        channel = str(state.get("channel_id") or _channel_for(url))
        watch = {
            "channel_id": channel,
            "events": [f"{name}.{what}" for name in objects for what in _OPERATIONS],
            "channel_expiry": stamp(expires),
            "token": self._token(channel),
            "notify_url": url,
            "notify_on_related_action": False,
        }
        answer = self._client.write("POST", "/actions/watch", {"watch": [watch]})
        granted = _granted(answer.body) or expires
        return {"channel_id": channel, "url": url, "expires_at": granted.isoformat()}

    def unsubscribe(self, state: Mapping[str, Any]) -> None:
        """Closes the channel; one that Zoho has dropped already is closed."""
        channel = str(state.get("channel_id") or "")
        if not channel:
            return
        try:
            answer = self._client.write("DELETE", "/actions/watch", params={"channel_ids": channel})
            _check(answer.body, allowed={"NOT_SUBSCRIBED"})
        except CallRefusedError as refused:
            if refused.remote_code != "NOT_SUBSCRIBED":
                raise

    def verify(self, delivery: Delivery) -> None:
        """Refuses what does not repeat our token, or was sent too long ago."""
        content = json_body(delivery)
        if not self._config.notifications:
            raise DeliveryRejected("Notifications are switched off for this system.")
        channel = str(content.get("channel_id") or "")
        if not channel.isdigit():
            raise DeliveryRejected("The delivery names no channel.")
        check_same(str(content.get("token") or ""), self._token(channel))
        age = delivery.received_at - _sent_at(content)
        if abs(age) > LONGEST_AGE:
            raise DeliveryRejected("The delivery is too old, or its clock is wrong by a day.")

    def hints(self, delivery: Delivery) -> Sequence[Hint]:
        """One hint per record. A repeat says the same, so it gets the same ids."""
        content = json_body(delivery)
        name, ids = content.get("module"), content.get("ids")
        if not isinstance(name, str) or not isinstance(ids, list):
            raise DeliveryRejected("The delivery names no records.")
        label = _label(content)
        distinct = dict.fromkeys(str(record_id) for record_id in ids)
        return [Hint(name, record_id, f"{label}:{record_id}") for record_id in distinct]

    def _token(self, channel: str) -> str:
        secret = self._config.client_secret.get_secret_value().encode()
        return hmac.new(secret, f"channel {channel}".encode(), hashlib.sha256).hexdigest()[
            :TOKEN_LENGTH
        ]


def _channel_for(url: str) -> str:
    """The caller chooses the id, a long number. Made from our address it is the same again after
    an answer that was lost, so no second channel is left behind.
    """
    digest = hashlib.sha256(url.encode()).digest()
    return str(10**14 + int.from_bytes(digest[:8], "big") % (9 * 10**14))


def _sent_at(content: Mapping[str, Any]) -> datetime:
    try:
        return datetime.fromtimestamp(int(content["server_time"]) / 1000, UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as exc:
        raise DeliveryRejected("The time of the delivery cannot be read.") from exc


def _label(content: Mapping[str, Any]) -> str:
    """A hash of what the delivery says. Its time takes part: the same field edited again is news,
    and a repeat that Zoho should give a new time is merely looked at twice.
    """
    stable = {name: value for name, value in content.items() if name not in _UNSTABLE}
    text = json.dumps(stable, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _granted(body: Mapping[str, Any]) -> datetime | None:
    """The end that Zoho has set, which may be earlier than the one asked for."""
    ends: list[datetime] = []
    for item in _check(body, allowed=set()):
        events = (item.get("details") or {}).get("events") or ()
        ends.extend(
            datetime.fromisoformat(str(event["channel_expiry"])).astimezone(UTC)
            for event in events
            if event.get("channel_expiry")
        )
    return min(ends, default=None)


def _check(body: Mapping[str, Any], *, allowed: set[str]) -> Sequence[Mapping[str, Any]]:
    items = body.get("watch")
    found = items if isinstance(items, list) else []
    for item in found:
        code = str(item.get("code", ""))
        if item.get("status") == "error" and code not in allowed:
            raise SetupError(
                f"Zoho refuses the notification channel: {code} {item.get('message', '')}".strip(),
                hint="Zoho must be able to reach the hub's address by https.",
                remote_code=code,
            )
    return found
