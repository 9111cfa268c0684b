"""Golden records, their links, match keys and history."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from sync.store.tables.base import Base, new_id


class Golden(Base):
    """The hub's one record of a customer, contact or commercial fact.

    `values` is a canonical record (see mapping.canonical). `provenance` says of each path where
    its value came from: `{path: {"system", "object", "remote_id", "at", "rule", "by"}}`.
    `name`, `stage` and `search` are derived from `values` (`goldens.describe`).
    """

    __tablename__ = "golden"
    __table_args__ = (
        # Lists are looked through without reading records: all that they filter by is in the index.
        Index("ix_golden_listed", "entity", "state", "name", "stage", "search"),
        Index(None, "entity", "state", "updated_at"),
        Index(None, "parent_id"),
        Index(
            "ix_golden_held",
            "held_until",
            sqlite_where=text("held_until IS NOT NULL"),
            postgresql_where=text("held_until IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    entity: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(8), default="live")  # live merged deleted erased
    values: Mapped[dict[str, Any]]
    provenance: Mapped[dict[str, Any]] = mapped_column(default=dict)
    version: Mapped[int] = mapped_column(default=1)
    name: Mapped[str] = mapped_column(String(300), default="")
    stage: Mapped[str] = mapped_column(String(20), default="")
    search: Mapped[str] = mapped_column(String(340), default="")
    parent_id: Mapped[str | None] = mapped_column(String(26))
    merged_into: Mapped[str | None] = mapped_column(String(26))
    held_until: Mapped[datetime | None]  # undecided candidate: not written to other systems yet
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Link(Base):
    """Cross-reference golden record <-> remote record.

    `shadow` is what the remote record held when last seen, `pushed` what the hub last asked it
    to hold, both canonical. `digest` is of the native fields that the mapping reads, as last
    seen at `seen_at` (the moment before the read was sent). A link that is not primary is a
    duplicate: `merging` is to be merged away in its system, `merged` was. A `replaced` record is
    no more and is made again.
    """

    __tablename__ = "link"
    __table_args__ = (
        UniqueConstraint("system_id", "object", "remote_id"),
        Index(
            "ux_link_primary",
            "golden_id",
            "system_id",
            "object",
            unique=True,
            sqlite_where=text("is_primary AND state IN ('live', 'in_doubt')"),
            postgresql_where=text("is_primary AND state IN ('live', 'in_doubt')"),
        ),
        Index(None, "system_id", "hub_key"),
        Index(
            "ix_link_unheard",
            "system_id",
            "object",
            sqlite_where=text("pushing IS NOT NULL"),
            postgresql_where=text("pushing IS NOT NULL"),
        ),
        # Both columns: else SQLite would rather walk over all links of a system.
        Index(None, "golden_id", "system_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    golden_id: Mapped[str] = mapped_column(ForeignKey("golden.id"))
    system_id: Mapped[int] = mapped_column(ForeignKey("system.id", ondelete="CASCADE"))
    object: Mapped[str] = mapped_column(String(80))
    remote_id: Mapped[str | None] = mapped_column(String(120))
    hub_key: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(
        String(10), default="live"
    )  # live in_doubt gone unlinked archived replaced merging merged moved erased
    is_primary: Mapped[bool] = mapped_column(default=True)
    shadow: Mapped[dict[str, Any]] = mapped_column(default=dict)
    pushed: Mapped[dict[str, Any]] = mapped_column(default=dict)
    pushing: Mapped[dict[str, Any] | None]  # sent, and not yet known to have arrived
    digest: Mapped[str] = mapped_column(String(32), default="")
    version: Mapped[str | None] = mapped_column(String(120))
    modified_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    doubt_since: Mapped[datetime | None]
    created_at: Mapped[datetime]


class MatchKey(Base):
    """A blocking key of a golden record."""

    __tablename__ = "match_key"
    # SQLite keeps the rows in the order of their keys, and only once.
    __table_args__ = (Index(None, "golden_id"), {"sqlite_with_rowid": False})

    key: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    golden_id: Mapped[str] = mapped_column(
        ForeignKey("golden.id", ondelete="CASCADE"), primary_key=True
    )
    family: Mapped[str] = mapped_column(String(24))


class Change(Base):
    """Append-only: what happened to a golden record, field by field.

    `op`: created set overruled conflict decided linked unlinked gone merged unmerged written.
    """

    __tablename__ = "change"
    __table_args__ = (Index(None, "golden_id", "id"), Index(None, "run_id", "golden_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    golden_id: Mapped[str] = mapped_column(String(26))
    entity: Mapped[str] = mapped_column(String(10))
    op: Mapped[str] = mapped_column(String(10))
    path: Mapped[str | None] = mapped_column(String(120))
    old: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    new: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    system_id: Mapped[int | None]
    object: Mapped[str | None] = mapped_column(String(80))
    remote_id: Mapped[str | None] = mapped_column(String(120))
    rule: Mapped[str] = mapped_column(String(60), default="")
    actor: Mapped[str] = mapped_column(String(120), default="")
    cause_id: Mapped[int | None]  # the change or conflict that led to this one
    run_id: Mapped[int | None]
    at: Mapped[datetime]
