"""INSERT ... ON CONFLICT on either database."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def insert_into(session: Session, table: Any) -> Any:
    """The dialect's own INSERT of a table, which knows ON CONFLICT."""
    name = session.get_bind().dialect.name
    plain = table.__table__
    return postgresql.insert(plain) if name == "postgresql" else sqlite.insert(plain)
