"""What every step of the data path is given."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select

from sync.core.policy import PolicySet
from sync.gateway.systems import OpenSystem, Systems
from sync.settings import Settings
from sync.store.session import Database
from sync.store.tables import System
from sync.wake import Waker

ACTIVE = ("live",)


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
    simulated: frozenset[int] = field(
        default_factory=frozenset
    )  # systems counted as live by a plan

    def live_systems(self) -> list[OpenSystem]:
        """Systems that take part, opened; a plan counts the ones that it is about as live."""
        with self.database.read() as session:
            rows = session.execute(select(System.id, System.state).order_by(System.id))
            ids = [i for i, state in rows if state in ACTIVE or i in self.simulated]
        return [self.systems.open(system_id) for system_id in ids]
