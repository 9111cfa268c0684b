"""Small facts of the hub by name."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from sync.store.session import Tx
from sync.store.tables import HubState
from sync.store.upsert import insert_into

EPOCH = "epoch"  # how often the hub was restored: what it made before, it may have forgotten


def get(session: Session, key: str) -> dict[str, Any]:
    """The fact; empty where there is none."""
    row = session.get(HubState, key)
    return dict(row.value) if row is not None else {}


def put(tx: Tx, key: str, value: Mapping[str, Any], now: datetime) -> None:
    """Keeps a fact, in place of what stood there."""
    new = insert_into(tx, HubState)
    tx.execute(
        new.on_conflict_do_update(
            index_elements=["key"],
            set_={"value": new.excluded.value, "updated_at": new.excluded.updated_at},
        ),
        [{"key": key, "value": dict(value), "updated_at": now}],
    )
    row = tx.get(HubState, key)
    if row is not None:
        tx.refresh(row)
