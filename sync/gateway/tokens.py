"""Access tokens: one cache for all workers, one grant at a time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from connectors.sdk.errors import TransientError
from connectors.sdk.http import Token
from sync.core.facts import SystemStore
from sync.gateway.vault import Vault

_LEASE = timedelta(seconds=45)  # longer than a token call may take
_WAIT, _STEP = 20.0, 0.05


class StoredTokens:
    """The token of one system, sealed in its row. The row's lease is the single flight.

    The lease's number fences: a worker whose lease ran out cannot overwrite a newer token.
    """

    def __init__(self, store: SystemStore, vault: Vault, system_id: int) -> None:
        self._store, self._vault, self._system_id = store, vault, system_id
        self._cached: Token | None = None

    def current(self) -> Token | None:
        """The cached token, None where there is none or it has run out."""
        if self._cached is None or self._cached.expires_at <= time.time():
            self._cached = self._stored()
        return self._cached

    def renew(self, stale: Token | None, grant: Callable[[], Token]) -> Token:
        """One worker calls `grant`, the others get what it brought."""
        deadline = time.monotonic() + _WAIT
        while time.monotonic() < deadline:
            fresh = self._newer(stale)
            if fresh is not None:
                return fresh
            now = datetime.now(UTC)
            epoch = self._store.lease_token(self._system_id, now=now, until=now + _LEASE)
            if epoch is not None:
                return self._newer_under(epoch, stale) or self._grant(epoch, grant)
            time.sleep(_STEP)
        raise TransientError("Another worker is fetching an access token.", retry_after=5.0)

    def _newer(self, stale: Token | None) -> Token | None:
        """What another worker has brought since."""
        fresh = self._stored()
        if fresh is None or (stale is not None and fresh.value == stale.value):
            return None
        self._cached = fresh
        return fresh

    def _newer_under(self, epoch: int, stale: Token | None) -> Token | None:
        """Looks again under the lease: its last holder may have ended between look and lease."""
        fresh = self._newer(stale)
        if fresh is not None:
            self._store.release_token(self._system_id, epoch, None)
        return fresh

    def _grant(self, epoch: int, grant: Callable[[], Token]) -> Token:
        sealed = None
        try:
            token = grant()
            facts = {
                "value": token.value,
                "expires_at": token.expires_at,
                "extra": dict(token.extra),
            }
            sealed = self._vault.seal(facts, self._place)
        finally:
            self._store.release_token(self._system_id, epoch, sealed)
        self._cached = token
        return token

    def _stored(self) -> Token | None:
        sealed = self._store.token(self._system_id)
        if sealed is None:
            return None
        facts = self._vault.open(sealed, self._place)
        token = Token(facts["value"], facts["expires_at"], facts["extra"])
        return token if token.expires_at > time.time() else None

    @property
    def _place(self) -> str:
        return f"system/{self._system_id}/token"
