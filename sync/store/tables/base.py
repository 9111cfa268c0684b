"""What all tables share: the declarative base, aware moments, ids that sort by time."""

import os
import time
from datetime import UTC, datetime
from threading import Lock
from typing import Any, ClassVar

from sqlalchemy import DateTime, Dialect, MetaData
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import JSON, TypeDecorator

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_last = 0  # the number of the last id
_turn = Lock()


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime on every database; SQLite keeps it without the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment without a zone cannot be stored.")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of every table."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Moment,
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON(none_as_null=True),
    }


def moment_of(record_id: str) -> datetime | None:
    """When an id of `new_id` was made; None for what is no such id."""
    if len(record_id) != 26 or not set(record_id) <= set(_ALPHABET):
        return None
    number = 0
    for sign in record_id:
        number = number << 5 | _ALPHABET.index(sign)
    try:
        return datetime.fromtimestamp((number >> 80) / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def new_id() -> str:
    """26 characters, unique, sorting by the time they were made; in one process, in that order.

    So what goes by the order of ids goes the same way whenever the same steps are repeated.
    """
    global _last  # noqa: PLW0603  the one fact that ids of one millisecond share
    random = int.from_bytes(os.urandom(10))
    with _turn:
        now = time.time_ns() // 1_000_000
        later = now > _last >> 80  # not "another": a clock set back, or a millisecond run over
        _last = now << 80 | random if later else _last + 1 + (random >> 16)
        number = _last
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -5, -5))
