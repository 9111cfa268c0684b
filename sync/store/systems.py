"""Systems as rows: their facts, call counters and sealed tokens."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from sync.core.facts import MappingText, SystemFacts
from sync.store.session import Database
from sync.store.tables import Mapping, System

# Asked before every batch of every system: narrow, and built once.
_FACTS = select(
    System.id,
    System.name,
    System.kind,
    System.state,
    System.settings,
    System.credentials,
    System.delete_policy,
    System.clock_offset,
    System.hold_in,
    System.hold_out,
    System.poll_seconds,
).where(System.id == bindparam("system_id"))
_LIVE_MAPPINGS = (
    select(Mapping.id, Mapping.object, Mapping.text)
    .where(Mapping.system_id == bindparam("system_id"), Mapping.state == "live")
    .order_by(Mapping.id)
)
_TAKING_PART = (
    select(System.id, Mapping.id, Mapping.object, Mapping.text)
    .outerjoin(Mapping, (Mapping.system_id == System.id) & (Mapping.state == "live"))
    .where(System.state.in_(("live", "paused", "broken")))
    .order_by(System.id, Mapping.id)
)

_COUNT = (
    update(System)
    .where(System.id == bindparam("system_id"))
    .values(
        calls_read=System.calls_read + bindparam("reads"),
        calls_write=System.calls_write + bindparam("writes"),
        records_written=System.records_written + bindparam("written"),
    )
    .execution_options(synchronize_session=False)
)


class StoredSystems:
    """The systems of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def facts(self, system_id: int) -> tuple[SystemFacts, list[MappingText]]:
        """The system and its live mappings."""
        own = {"system_id": system_id}
        with self._database.read() as session:
            row = session.execute(_FACTS, own).one()
            mappings = [MappingText(*mapping) for mapping in session.execute(_LIVE_MAPPINGS, own)]
        return SystemFacts(**row._mapping), mappings  # noqa: SLF001  the public way to names

    def taking_part(self) -> list[tuple[int, list[MappingText]]]:
        """Systems that have gone live, also while they are paused or broken, with mappings."""
        with self._database.read() as session:
            found = session.execute(_TAKING_PART)
            systems: dict[int, list[MappingText]] = {}
            for system_id, mapping_id, name, text in found:
                own = systems.setdefault(system_id, [])
                if mapping_id is not None:
                    own.append(MappingText(mapping_id, name, text))
        return list(systems.items())

    def add_calls(self, system_id: int, *, reads: int, writes: int, written: int) -> None:
        """Adds to the system's counters."""
        with self._database.write() as tx:
            counted = {"reads": reads, "writes": writes, "written": written}
            tx.execute(_COUNT, {"system_id": system_id, **counted})

    def token(self, system_id: int) -> bytes | None:
        """The sealed token."""
        with self._database.read() as session:
            return session.scalar(select(System.token).where(System.id == system_id))

    def lease_token(self, system_id: int, *, now: datetime, until: datetime) -> int | None:
        """The right to fetch a token; None while another worker has it."""
        free = System.token_lease.is_(None) | (System.token_lease < now)
        with self._database.write() as tx:
            return tx.scalar(
                update(System)
                .where(System.id == system_id, free)
                .values(token_lease=until, token_epoch=System.token_epoch + 1)
                .returning(System.token_epoch)
            )

    def release_token(self, system_id: int, epoch: int, sealed: bytes | None) -> None:
        """Ends the lease; stores a token unless a newer lease has begun."""
        values: dict[str, Any] = {"token_lease": None}
        if sealed is not None:
            values["token"] = sealed
        with self._database.write() as tx:
            tx.execute(
                update(System)
                .where(System.id == system_id, System.token_epoch == epoch)
                .values(**values)
            )
