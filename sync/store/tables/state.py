"""What the hub knows about itself."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from sync.store.tables.base import Base


class HubState(Base):
    """A small fact that outlives a process: the epoch, a described schema, a day's calls."""

    __tablename__ = "hub_state"

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    value: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]
