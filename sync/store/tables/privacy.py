"""Persons who asked to be forgotten: what was done where. No personal data stands here."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sync.store.tables.base import Base


class Erasure(Base):
    """A request to erase one golden record everywhere; open until every system has answered.

    `digests` are keyed hashes, kept a second time outside this database.
    """

    __tablename__ = "erasure"
    __table_args__ = (Index(None, "state"), Index(None, "golden_id"))

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    golden_id: Mapped[str] = mapped_column(String(26))
    entity: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(8), default="begun")  # begun open done
    reference: Mapped[str] = mapped_column(String(120), default="")  # the letter or ticket
    actor: Mapped[str] = mapped_column(String(120), default="")
    digests: Mapped[list[Any]] = mapped_column(default=list)
    own: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what the hub itself removed
    certificate: Mapped[dict[str, Any]] = mapped_column(default=dict)
    requested_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]  # the person may come back


class ErasureStep(Base):
    """One remote record of the person, until its system has erased it."""

    __tablename__ = "erasure_step"
    __table_args__ = (Index(None, "erasure_id"), Index(None, "state", "due_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    erasure_id: Mapped[str] = mapped_column(ForeignKey("erasure.id", ondelete="CASCADE"))
    system_id: Mapped[int | None] = mapped_column(ForeignKey("system.id", ondelete="SET NULL"))
    system: Mapped[str] = mapped_column(String(40))
    entity: Mapped[str] = mapped_column(String(10))
    object: Mapped[str] = mapped_column(String(80))
    remote_id: Mapped[str | None] = mapped_column(String(120))  # until it is done
    hub_key: Mapped[str] = mapped_column(String(64), default="")
    fingerprint: Mapped[str] = mapped_column(String(32), default="")  # hash of the remote record
    documents: Mapped[int] = mapped_column(default=0)  # orders, invoices, payments kept there
    state: Mapped[str] = mapped_column(String(8), default="waiting")  # waiting manual done
    outcome: Mapped[str] = mapped_column(String(10), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    done_by: Mapped[str] = mapped_column(String(120), default="")


class ErasureReturn(Base):
    """A record that was turned away at the door: it looks like an erased person."""

    __tablename__ = "erasure_return"
    __table_args__ = (UniqueConstraint("erasure_id", "system_id", "object", "remote_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    erasure_id: Mapped[str] = mapped_column(ForeignKey("erasure.id", ondelete="CASCADE"))
    system_id: Mapped[int] = mapped_column(ForeignKey("system.id", ondelete="CASCADE"))
    object: Mapped[str] = mapped_column(String(80))
    remote_id: Mapped[str] = mapped_column(String(120))
    times: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(8), default="open")  # open erased allowed
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    decided_by: Mapped[str] = mapped_column(String(120), default="")
