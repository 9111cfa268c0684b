"""How good golden records are, and how that has changed from day to day."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from sync.store.tables.base import Base


class Quality(Base):
    """The assessment of a golden record as of `version`; see `core/quality.py` for the bits."""

    __tablename__ = "quality"
    __table_args__ = (Index(None, "entity", "completeness"), Index(None, "entity", "fresh_at"))

    golden_id: Mapped[str] = mapped_column(
        ForeignKey("golden.id", ondelete="CASCADE"), primary_key=True
    )
    entity: Mapped[str] = mapped_column(String(10))
    version: Mapped[int]
    completeness: Mapped[int]
    issues: Mapped[int]
    fresh_at: Mapped[datetime]  # when a system or a person last gave one of its values


class QualityDay(Base):
    """The figures of all customers at the end of a day (so far, for today)."""

    __tablename__ = "quality_day"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    facts: Mapped[dict[str, Any]]
