"""Who did what in the hub."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sync.store.session import Tx
from sync.store.tables import Audit


def note(
    tx: Tx,
    *,
    actor: str,
    action: str,
    subject: str,
    now: datetime,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Appends to the audit log."""
    tx.add(
        Audit(
            actor=actor or "system", action=action, subject=subject, facts=dict(facts or {}), at=now
        )
    )
