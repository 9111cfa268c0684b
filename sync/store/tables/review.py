"""What waits for a person: conflicts, candidates, guards; and merges that can be undone."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sync.store.tables.base import Base


class Conflict(Base):
    """A field, or a group of fields, that two sides changed.

    `base`, `ours`, `theirs` and `proposal` map each path of the unit to its value.
    """

    __tablename__ = "conflict"
    __table_args__ = (Index(None, "state", "created_at"), Index(None, "golden_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    golden_id: Mapped[str] = mapped_column(ForeignKey("golden.id"))
    link_id: Mapped[int | None] = mapped_column(ForeignKey("link.id", ondelete="SET NULL"))
    system_id: Mapped[int] = mapped_column(ForeignKey("system.id", ondelete="CASCADE"))
    unit: Mapped[str] = mapped_column(String(120))
    base: Mapped[dict[str, Any]] = mapped_column(default=dict)
    ours: Mapped[dict[str, Any]] = mapped_column(default=dict)
    theirs: Mapped[dict[str, Any]] = mapped_column(default=dict)
    proposal: Mapped[dict[str, Any]] = mapped_column(default=dict)
    rule: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(8), default="open")  # open decided auto
    decision: Mapped[str] = mapped_column(String(8), default="")  # ours theirs other
    decided_by: Mapped[str] = mapped_column(String(120), default="")
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Candidate(Base):
    """A pair that may be the same customer; `first` is the older golden record."""

    __tablename__ = "candidate"
    __table_args__ = (UniqueConstraint("first_id", "second_id"), Index(None, "state", "score"))

    id: Mapped[int] = mapped_column(primary_key=True)
    first_id: Mapped[str] = mapped_column(ForeignKey("golden.id"))
    second_id: Mapped[str] = mapped_column(ForeignKey("golden.id"), index=True)
    score: Mapped[float]
    weights: Mapped[list[Any]] = mapped_column(default=list)
    state: Mapped[str] = mapped_column(String(10), default="open")  # open merged different
    decided_by: Mapped[str] = mapped_column(String(120), default="")
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Merge(Base):
    """Who was merged into whom, with all that is needed to undo it."""

    __tablename__ = "merge"

    id: Mapped[int] = mapped_column(primary_key=True)
    winner_id: Mapped[str] = mapped_column(ForeignKey("golden.id"), index=True)
    loser_id: Mapped[str] = mapped_column(ForeignKey("golden.id"), index=True)
    undo: Mapped[dict[str, Any]]
    actor: Mapped[str] = mapped_column(String(120), default="")
    merged_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(String(120), default="")


class Guard(Base):
    """A limit that stopped a mass change and asks."""

    __tablename__ = "guard"
    __table_args__ = (Index(None, "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("system.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))  # deletes
    direction: Mapped[str] = mapped_column(String(3))  # in out
    reason: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # open allowed refused mended outdated
    state: Mapped[str] = mapped_column(String(8), default="open")
    decided_by: Mapped[str] = mapped_column(String(120), default="")
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
