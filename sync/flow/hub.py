"""What every step of the data path is given."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from sync.core.policy import PolicySet
from sync.gateway.systems import OpenSystem, Participant, Systems
from sync.settings import Settings
from sync.store.session import Database
from sync.store.tables import System
from sync.wake import Waker


@dataclass(frozen=True)
class Hub:
    """One hub: its database, its systems, its rules, its clock."""

    settings: Settings
    database: Database
    systems: Systems
    waker: Waker
    policies: PolicySet
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    chance: Callable[[], float] = random.random

    def participants(self) -> list[Participant]:
        """Systems that hold golden records: live ones, and those that are stopped for now."""
        return self.systems.participants()

    def live_systems(self) -> list[OpenSystem]:
        """Systems that take part, opened."""
        with self.database.read() as session:
            ids = list(
                session.scalars(select(System.id).where(System.state == "live").order_by(System.id))
            )
        return [self.systems.open(system_id) for system_id in ids]
