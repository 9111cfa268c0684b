"""Words that the scenarios share."""

from typing import Any

from sqlalchemy import select, update

from sync.store.tables import System
from tests.hubs import Fixture

ACME = {"name": "Acme Trading", "email": "office@acme.example", "tax_id": "91310000MA0000000Y"}
BIRCH = {"name": "Birch Furniture", "email": "hello@birch.example"}


def records(fixture: Fixture, name: str, kind: str = "customers") -> list[dict[str, Any]]:
    return fixture.world(name).all(kind)


def only(fixture: Fixture, name: str, kind: str = "customers") -> dict[str, Any]:
    (record,) = records(fixture, name, kind)
    return record


def edit(fixture: Fixture, name: str, **values: Any) -> None:
    """A user of a system edits its only customer."""
    fixture.world(name).edit("customers", only(fixture, name)["id"], **values)


def everywhere(fixture: Fixture, field: str, kind: str = "customers") -> list[Any]:
    """The value of a field of the only record, system by system."""
    return [only(fixture, name, kind)[field] for name in fixture.names]


def rows(fixture: Fixture, table: Any, *where: Any) -> list[Any]:
    with fixture.hub.database.read() as session:
        return list(session.scalars(select(table).where(*where).order_by(table.id)))


def set_system(fixture: Fixture, name: str, **values: Any) -> None:
    with fixture.hub.database.write() as tx:
        tx.execute(update(System).where(System.name == name).values(**values))


def remote_writes(fixture: Fixture) -> dict[str, int]:
    return {name: fixture.world(name).calls("write") for name in fixture.names}
