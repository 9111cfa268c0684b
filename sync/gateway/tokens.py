"""Access tokens: one cache for all workers, one grant at a time."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from connectors.sdk.errors import TransientError
from connectors.sdk.http import Token
from sync.gateway.vault import Vault
from sync.store.session import Database
from sync.store.tables import System

_LEASE = timedelta(seconds=45)  # longer than a token call may take
_WAIT, _STEP = 20.0, 0.05


class StoredTokens:
    """The token of one system, sealed in its row. The row's lease is the single flight.

    `token_epoch` fences: a worker whose lease ran out cannot overwrite a newer token.
    """

    def __init__(self, database: Database, vault: Vault, system_id: int) -> None:
        self._database, self._vault, self._system_id = database, vault, system_id
        self._cached: Token | None = None

    def current(self) -> Token | None:
        if self._cached is None or self._cached.expires_at <= time.time():
            self._cached = self._stored()
        return self._cached

    def renew(self, stale: Token | None, grant: Callable[[], Token]) -> Token:
        deadline = time.monotonic() + _WAIT
        while time.monotonic() < deadline:
            fresh = self._stored()
            if fresh is not None and (stale is None or fresh.value != stale.value):
                self._cached = fresh
                return fresh
            epoch = self._take_lease()
            if epoch is not None:
                return self._grant(epoch, grant)
            time.sleep(_STEP)
        raise TransientError("Another worker is fetching an access token.", retry_after=5.0)

    def _grant(self, epoch: int, grant: Callable[[], Token]) -> Token:
        try:
            token = grant()
        except BaseException:
            self._release(epoch, None)
            raise
        self._release(epoch, token)
        self._cached = token
        return token

    def _stored(self) -> Token | None:
        with self._database.read() as session:
            sealed = session.scalar(select(System.token).where(System.id == self._system_id))
        if sealed is None:
            return None
        facts: Mapping[str, Any] = self._vault.open(sealed, self._place)
        token = Token(facts["value"], facts["expires_at"], facts["extra"])
        return token if token.expires_at > time.time() else None

    def _take_lease(self) -> int | None:
        now = datetime.now(UTC)
        free = System.token_lease.is_(None) | (System.token_lease < now)
        with self._database.write() as tx:
            return tx.scalar(
                update(System)
                .where(System.id == self._system_id, free)
                .values(token_lease=now + _LEASE, token_epoch=System.token_epoch + 1)
                .returning(System.token_epoch)
            )

    def _release(self, epoch: int, token: Token | None) -> None:
        values: dict[str, Any] = {"token_lease": None}
        if token is not None:
            facts = {
                "value": token.value,
                "expires_at": token.expires_at,
                "extra": dict(token.extra),
            }
            values["token"] = self._vault.seal(facts, self._place)
        with self._database.write() as tx:
            tx.execute(
                update(System)
                .where(System.id == self._system_id, System.token_epoch == epoch)
                .values(**values)
            )

    @property
    def _place(self) -> str:
        return f"system/{self._system_id}/token"
