"""Whether this process can do its work: database, tables, broker."""

from dataclasses import dataclass

import redis
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from sync.flow.hub import Hub
from sync.store import schema

PATIENCE = 2.0  # seconds to wait for the broker


@dataclass(frozen=True, slots=True)
class Health:
    """`broker` None: none is configured. A hub without its broker is slow, not broken."""

    database: bool
    schema_current: bool
    broker: bool | None

    @property
    def ok(self) -> bool:
        return self.database and self.schema_current


def check(hub: Hub) -> Health:
    """Asks each part once; never raises."""
    database = _database_answers(hub)
    return Health(
        database=database,
        schema_current=database and _schema_is_current(hub),
        broker=_broker_answers(hub.settings.redis_url),
    )


def _database_answers(hub: Hub) -> bool:
    try:
        with hub.database.read() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True


def _schema_is_current(hub: Hub) -> bool:
    try:
        return schema.is_current(hub.database)
    except SQLAlchemyError:
        return False


def _broker_answers(url: str | None) -> bool | None:
    if not url:
        return None
    plain = url.replace("redis+socket://", "unix://", 1)
    try:
        with redis.Redis.from_url(
            plain, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
        ) as client:
            return bool(client.ping())
    except (redis.RedisError, ValueError):
        return False
