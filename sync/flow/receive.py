"""An inbound delivery: proven, stored, answered. Nothing of its content is believed."""

import hmac

from sqlalchemy import select, update

from connectors.sdk.contract import Delivery, ReceivesWebhooks, Reply
from connectors.sdk.errors import DeliveryRejected
from sync.flow.hub import Hub
from sync.store import cursors, inbox
from sync.store.tables import System


def receive(hub: Hub, name: str, hook_key: str, delivery: Delivery) -> Reply:
    """Stores what a delivery points at, then answers. Raises DeliveryRejected: store nothing."""
    with hub.database.read() as session:
        row = session.scalar(select(System).where(System.name == name))
    if row is None or not hmac.compare_digest(row.hook_key.encode(), hook_key.encode()):
        raise DeliveryRejected("There is no such webhook address.")
    system = hub.systems.open(row.id)
    connector = system.connector
    if not isinstance(connector, ReceivesWebhooks):
        raise DeliveryRejected(f"{name} takes no webhooks.")
    connector.verify(delivery)
    hints = [hint for hint in connector.hints(delivery) if hint.object_name in system.specs]
    now = hub.now()
    rows = [
        {
            "system_id": row.id,
            "object": hint.object_name,
            "remote_id": hint.remote_id,
            "delivery_id": f"hook:{hint.delivery_id}"[:200],
            "payload": dict(hint.data) if hint.data is not None else None,
            "read_at": now if hint.data is not None else None,
            "due_at": now,
            "received_at": now,
        }
        for hint in hints
        if hint.remote_id is not None and system.reads(hint.object_name)
    ]
    with hub.database.write() as tx:
        inbox.deliver(tx, rows)
        tx.execute(update(System).where(System.id == row.id).values(delivered_at=now))
        if any(hint.remote_id is None for hint in hints):
            cursors.hurry(tx, row.id, now)
            tx.after_commit(hub.waker.poll, row.id)
        tx.after_commit(hub.waker.take_in, row.id)
    return connector.reply(delivery)
