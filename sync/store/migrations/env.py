"""Alembic's environment: the hub's tables, on the connection it is given."""

from typing import Any, Literal

from alembic import context

from sync.store.tables import Base
from sync.store.tables.base import Moment


def _render(kind: str, thing: Any, _context: Any) -> str | Literal[False]:
    """Migrations stand alone: our own types appear as what the database sees."""
    if kind == "type" and isinstance(thing, Moment):
        return "sa.DateTime(timezone=True)"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection is not None and connection.dialect.name == "sqlite",
    render_item=_render,
    compare_type=False,
)
context.run_migrations()
