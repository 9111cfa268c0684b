"""Systems by the name that people know them by."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.service.errors import NotFoundError
from sync.store.tables import System


def system_named(session: Session, name: str) -> System:
    """The system; NotFoundError where there is none."""
    row = session.scalar(select(System).where(System.name == name))
    if row is None:
        raise unknown_system(name)
    return row


def unknown_system(name: str) -> NotFoundError:
    """What is said about a name that is no system's."""
    return NotFoundError(
        f"There is no system named “{name}”.",
        code="no_system",
        hint="See `kehub system list`.",
        name=name,
    )
