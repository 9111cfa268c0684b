"""Systems, their mappings and cursors, and what ran."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from sync.store.tables.base import Base


class System(Base):
    """A configured instance of a connector."""

    __tablename__ = "system"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(120), default="")
    state: Mapped[str] = mapped_column(
        String(10), default="draft"
    )  # draft testing live paused broken
    state_reason: Mapped[str] = mapped_column(Text, default="")
    state_hint: Mapped[str] = mapped_column(Text, default="")
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)  # without secrets
    credentials: Mapped[bytes | None] = mapped_column(LargeBinary)  # encrypted secrets
    tenant: Mapped[str] = mapped_column(String(200), default="")  # whose data it holds
    tenant_label: Mapped[str] = mapped_column(String(200), default="")
    token: Mapped[bytes | None] = mapped_column(LargeBinary)  # encrypted access token
    token_epoch: Mapped[int] = mapped_column(Integer, default=0)
    token_lease: Mapped[datetime | None]
    poll_seconds: Mapped[float | None]
    delete_policy: Mapped[str] = mapped_column(String(12), default="unlink")
    clock_offset: Mapped[float] = mapped_column(default=0.0)  # their clock minus ours, seconds
    hold_in: Mapped[bool] = mapped_column(default=False)  # a guard stopped taking in
    hold_out: Mapped[bool] = mapped_column(default=False)  # a guard stopped dispatch
    calls_read: Mapped[int] = mapped_column(BigInteger, default=0)
    calls_write: Mapped[int] = mapped_column(BigInteger, default=0)
    records_written: Mapped[int] = mapped_column(BigInteger, default=0)
    hook_key: Mapped[str] = mapped_column(
        String(40), default=""
    )  # secret part of the webhook address
    hook_state: Mapped[dict[str, Any]] = mapped_column(default=dict)
    hook_due: Mapped[datetime | None]  # when the subscription wants renewing
    delivered_at: Mapped[datetime | None]  # last proven delivery
    polled_at: Mapped[datetime | None]  # last poll of all objects that ended well
    changed_at: Mapped[datetime | None]  # last change seen by polling
    created_at: Mapped[datetime]


class Mapping(Base):
    """One version of the mapping of one object of a system; the text never changes."""

    __tablename__ = "mapping"
    __table_args__ = (UniqueConstraint("system_id", "object", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("system.id", ondelete="CASCADE"))
    object: Mapped[str] = mapped_column(String(80))
    entity: Mapped[str] = mapped_column(String(20))
    version: Mapped[int]
    state: Mapped[str] = mapped_column(String(8), default="draft")  # live draft retired
    text: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[datetime]


class Cursor(Base):
    """How far an object of a system has been read."""

    __tablename__ = "cursor"

    system_id: Mapped[int] = mapped_column(
        ForeignKey("system.id", ondelete="CASCADE"), primary_key=True
    )
    object: Mapped[str] = mapped_column(String(80), primary_key=True)
    position: Mapped[dict[str, Any] | None]  # None: never read
    due_at: Mapped[datetime]
    polled_at: Mapped[datetime | None]  # last listing that ended well
    # The same for listings of what carries no hub key, which are made between those of everything.
    unkeyed: Mapped[dict[str, Any] | None]
    unkeyed_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[str | None] = mapped_column(String(26))
    failures: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(Text, default="")


class Run(Base):
    """One load, poll with changes, dispatch, reconcile or plan."""

    __tablename__ = "run"
    __table_args__ = (Index(None, "started_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    system_id: Mapped[int | None] = mapped_column(ForeignKey("system.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(10), default="running")  # running done failed stopped
    actor: Mapped[str] = mapped_column(String(120), default="")
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[str] = mapped_column(Text, default="")


class Plan(Base):
    """What going live, or a reconcile, would do; applied as it stands or not at all."""

    __tablename__ = "plan"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))  # load reconcile
    systems: Mapped[list[Any]]
    state: Mapped[str] = mapped_column(
        String(10), default="reading"
    )  # reading ready applied stale failed
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    summary: Mapped[dict[str, Any]] = mapped_column(default=dict)
    basis: Mapped[dict[str, Any]] = mapped_column(
        default=dict
    )  # mapping versions and policy it rests on
    actor: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(Text, default="")


class Staged(Base):
    """A record read for a plan, waiting for its decision."""

    __tablename__ = "staged"
    __table_args__ = (
        UniqueConstraint("plan_id", "system_id", "object", "remote_id"),
        Index(None, "plan_id", "id"),  # handed over in the order of reading
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"))
    system_id: Mapped[int] = mapped_column(ForeignKey("system.id", ondelete="CASCADE"))
    object: Mapped[str] = mapped_column(String(80))
    remote_id: Mapped[str] = mapped_column(String(120))
    payload: Mapped[dict[str, Any] | None]  # None: gone
    version: Mapped[str | None] = mapped_column(String(120))
    modified_at: Mapped[datetime | None]
    read_at: Mapped[datetime]
