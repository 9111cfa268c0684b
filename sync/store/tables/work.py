"""What waits: deliveries to take in, systems to bring in line, and what could not be done."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from sync.store.tables.base import Base

INTERACTIVE, BULK = 0, 1  # lanes: a person's edit passes a bulk load


class Inbox(Base):
    """A record to look at (again). `payload` only where it was read already, at `read_at`."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("system_id", "delivery_id"),
        Index(
            "ix_inbox_waiting",
            "system_id",
            "lane",
            "due_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(
            "ix_inbox_done",
            "done_at",
            sqlite_where=text("state = 'done'"),
            postgresql_where=text("state = 'done'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("system.id", ondelete="CASCADE"))
    object: Mapped[str] = mapped_column(String(80))
    remote_id: Mapped[str | None] = mapped_column(String(120))  # None: poll the object
    delivery_id: Mapped[str] = mapped_column(String(200))
    payload: Mapped[dict[str, Any] | None]
    gone: Mapped[bool] = mapped_column(default=False)  # read as a tombstone at `read_at`
    version: Mapped[str | None] = mapped_column(String(120))
    modified_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    lane: Mapped[int] = mapped_column(default=INTERACTIVE)
    state: Mapped[str] = mapped_column(String(8), default="waiting")  # waiting done parked
    generation: Mapped[int] = mapped_column(default=1)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[str | None] = mapped_column(String(26))
    waiting_for: Mapped[str] = mapped_column(String(60), default="")  # refused: so was its parent
    error: Mapped[str] = mapped_column(Text, default="")
    received_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class Dirty(Base):
    """A golden record and a system that may disagree. Ten edits before a dispatch are one row."""

    __tablename__ = "dirty"
    __table_args__ = (
        UniqueConstraint("golden_id", "system_id"),
        Index(None, "system_id", "lane", "due_at"),
        Index(None, "system_id", "lane", "entity", "due_at"),
        Index(
            "ix_dirty_waiting",
            "system_id",
            "waiting_for",
            sqlite_where=text("waiting_for <> ''"),
            postgresql_where=text("waiting_for <> ''"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("system.id", ondelete="CASCADE"))
    golden_id: Mapped[str] = mapped_column(ForeignKey("golden.id", ondelete="CASCADE"))
    entity: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(40))
    cause_id: Mapped[int | None]  # the change that made it differ
    lane: Mapped[int] = mapped_column(default=INTERACTIVE)
    generation: Mapped[int] = mapped_column(default=1)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[str | None] = mapped_column(String(26))
    waiting_for: Mapped[str] = mapped_column(
        String(60), default=""
    )  # parent, hold, quota, conflict
    error: Mapped[str] = mapped_column(Text, default="")
    marked_at: Mapped[datetime]


class DeadLetter(Base):
    """What could not be processed, with its reason in plain words and all a retry needs."""

    __tablename__ = "dead_letter"
    __table_args__ = (Index(None, "state", "system_id"), Index(None, "golden_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("system.id", ondelete="CASCADE"))
    direction: Mapped[str] = mapped_column(String(3))  # in out
    object: Mapped[str] = mapped_column(String(80))
    remote_id: Mapped[str | None] = mapped_column(String(120))
    golden_id: Mapped[str | None] = mapped_column(String(26))
    kind: Mapped[str] = mapped_column(String(12))  # refused unmappable bug
    message: Mapped[str] = mapped_column(Text)
    field: Mapped[str | None] = mapped_column(String(120))
    value: Mapped[str | None] = mapped_column(Text)
    remote_code: Mapped[str] = mapped_column(String(80), default="")
    payload: Mapped[dict[str, Any] | None]
    traceback: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(10), default="open")  # open retried discarded
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str] = mapped_column(String(120), default="")
