"""Hubs for tests: real tables, real engine, memory systems behind the real connector."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update

from connectors.memory import connector as memory
from connectors.memory.world import MemoryWorld, forget, world
from sync.core.policy import PolicySet
from sync.flow import dispatch, jobs, poll, take_in
from sync.flow.hub import Hub
from sync.gateway.quota import LocalBuckets
from sync.gateway.systems import Systems
from sync.gateway.vault import Vault
from sync.service import systems
from sync.settings import Settings
from sync.store import cursors
from sync.store.session import Database
from sync.store.systems import StoredSystems
from sync.store.tables import (
    Base,
    Conflict,
    Dirty,
    Golden,
    Inbox,
    Job,
    Link,
    Mapping,
    System,
)
from sync.wake import Waker


@dataclass
class Clock:
    """A clock that tests move."""

    at: datetime = field(default_factory=lambda: datetime(2026, 3, 1, 8, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def pass_(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Fixture:
    hub: Hub
    clock: Clock
    names: tuple[str, ...]
    prefix: str

    def world(self, name: str) -> MemoryWorld:
        return world(f"{self.prefix}-{name}")

    def id_of(self, name: str) -> int:
        with self.hub.database.read() as session:
            return session.scalars(select(System.id).where(System.name == name)).one()

    def go_live(self, *names: str) -> None:
        with self.hub.database.write() as tx:
            tx.execute(
                update(System).where(System.name.in_(names or self.names)).values(state="live")
            )

    def poll(self, *names: str) -> int:
        with self.hub.database.write() as tx:
            cursors.hurry(tx, None, self.hub.now())
        return sum(poll.poll(self.hub, self.id_of(n), force=True) for n in names or self.names)

    def work(self) -> None:
        """Everything that is due, until nothing moves."""
        for _ in range(60):
            ids = [self.id_of(name) for name in self.names]
            moved = sum(take_in.drain(self.hub, i) for i in ids)
            moved += sum(dispatch.drain(self.hub, i) for i in ids)
            if moved == 0:
                return
        raise AssertionError("The hub does not come to rest.")

    def do_jobs(self) -> None:
        """What a worker does about the jobs that were asked for."""
        with self.hub.database.read() as session:
            ids = session.scalars(select(Job.id).where(Job.state == "waiting")).all()
        for job_id in ids:
            jobs.work(self.hub, job_id)

    def reopen(self) -> None:
        """As a new process: connectors are opened anew and see what their world is like."""
        systems = self.hub.systems
        fresh = Systems(systems.store, systems.vault, systems.buckets)
        self.hub = replace(self.hub, systems=fresh)

    def work_in(self) -> None:
        """Takes in what waits; nothing is written anywhere."""
        for name in self.names:
            take_in.drain(self.hub, self.id_of(name))

    def sync(self) -> None:
        """Polls and works until everybody agrees."""
        for _ in range(20):
            self.clock.pass_(30)
            found = self.poll()
            self.work()
            self.clock.pass_(60)
            self.work()
            if not found and not self.waiting():
                return
        raise AssertionError("The systems do not come to rest.")

    def waiting(self) -> int:
        with self.hub.database.read() as session:
            inbox = session.scalars(select(Inbox.id).where(Inbox.state == "waiting")).all()
            return len(inbox) + len(session.scalars(select(Dirty.id)).all())

    def goldens(self, entity: str = "customer") -> list[Golden]:
        with self.hub.database.read() as session:
            query = select(Golden).where(Golden.entity == entity, Golden.state == "live")
            return list(session.scalars(query.order_by(Golden.id)))

    def links(self) -> list[Link]:
        with self.hub.database.read() as session:
            return list(session.scalars(select(Link).order_by(Link.id)))

    def conflicts(self) -> list[Conflict]:
        with self.hub.database.read() as session:
            return list(session.scalars(select(Conflict).order_by(Conflict.id)))

    def writes(self) -> int:
        """Remote records written so far, over all systems."""
        with self.hub.database.read() as session:
            return sum(session.scalars(select(System.records_written)))

    def without_facts(self) -> None:
        """Customers and contacts only. Polling four more objects would be half of a test's time."""
        with self.hub.database.write() as tx:
            facts = Mapping.object.not_in(("customers", "contacts"))
            tx.execute(update(Mapping).where(facts).values(state="retired"))

    def close(self) -> None:
        self.hub.database.engine.dispose()
        for name in self.names:
            forget(f"{self.prefix}-{name}")


def make_hub(
    url: str, home: Path, names: tuple[str, ...], *, policies: PolicySet | None = None
) -> Fixture:
    """A hub with one live memory system per name."""
    clock = Clock()
    settings = Settings(home=home, database_url=url)
    database = Database(url)
    Base.metadata.create_all(database.engine)
    hub = Hub(
        settings=settings,
        database=database,
        systems=Systems(StoredSystems(database), Vault(b"test"), LocalBuckets()),
        waker=Waker(None),
        policies=policies or PolicySet(),
        now=clock,
        chance=lambda: 0.5,
    )
    made = Fixture(hub, clock, names, prefix=f"{home.name}-{id(clock)}")
    for name in names:
        made.world(name).clock = clock
        systems.add_system(
            hub,
            name=name,
            kind=memory.Memory.name,
            values={"world": f"{made.prefix}-{name}", "password": "memory"},
        )
    made.go_live()
    return made
