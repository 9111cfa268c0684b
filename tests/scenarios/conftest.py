"""Hubs for the hard scenarios: with memory systems, and with Zoho's stand-in over HTTP."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update

from connectors.memory.world import MemoryWorld, forget, world
from connectors.zoho_crm.products import Products
from connectors.zoho_crm.schema import Metadata
from sync.core.policy import PolicySet
from sync.flow import dispatch, poll, take_in
from sync.flow.hub import Hub
from sync.gateway.quota import LocalBuckets
from sync.gateway.systems import Systems
from sync.gateway.vault import Vault
from sync.service import systems
from sync.settings import Settings
from sync.store import cursors, dirty, inbox
from sync.store.session import Database
from sync.store.systems import StoredSystems
from sync.store.tables import Base, System
from sync.store.tables import Mapping as MappingRow
from sync.wake import Waker
from tests.connectors.fxiaoke.conftest import running_standin  # noqa: F401  a fixture
from tests.connectors.zoho_crm.conftest import StandIn
from tests.hubs import Fixture, make_hub
from tests.scenarios.outside import Outside, empty_fx, make_outside
from tests.scenarios.workforce import Workforce


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def fixture(request, tmp_path) -> Iterator[Fixture]:
    """Three memory systems on a clock that the test moves."""
    url = f"sqlite:///{tmp_path / 'kehub.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("pg_hub_url")
    made = make_hub(url, tmp_path, ("erp", "crm", "sales"))
    if not request.node.get_closest_marker("facts"):
        made.without_facts()
    yield made
    made.close()


@dataclass
class ZohoHub:
    """An ERP in memory and Zoho's stand-in as a process of its own, by the real clock."""

    hub: Hub
    stand_in: StandIn
    erp: MemoryWorld

    def id_of(self, name: str) -> int:
        with self.hub.database.read() as session:
            return session.scalars(select(System.id).where(System.name == name)).one()

    def poll(self, *names: str) -> None:
        with self.hub.database.write() as tx:
            cursors.hurry(tx, None, self.hub.now())
        for name in names or ("erp", "zoho"):
            poll.poll(self.hub, self.id_of(name), force=True)

    def work(self) -> None:
        for _ in range(3):
            for name in ("erp", "zoho"):
                take_in.drain(self.hub, self.id_of(name))
            for name in ("erp", "zoho"):
                dispatch.drain(self.hub, self.id_of(name))

    def sync(self, seconds: float = 90.0) -> None:
        """Polls and works until nothing waits any more."""
        deadline = time.monotonic() + seconds
        while True:
            self.poll()
            self.work()
            if not self.waiting():
                return
            assert time.monotonic() < deadline, self.waiting()
            time.sleep(0.5)

    def waiting(self) -> int:
        with self.hub.database.read() as session:
            return inbox.waiting(session) + dirty.waiting(session)

    def accounts(self) -> list[dict]:
        return self.stand_in.records("Accounts")


@pytest.fixture(scope="session")
def zoho_process(tmp_path_factory) -> Iterator[StandIn]:
    stand_in = StandIn(tmp_path_factory.mktemp("zoho"))
    yield stand_in
    stand_in.stop()


@pytest.fixture
def zoho(zoho_process, tmp_path) -> Iterator[ZohoHub]:
    zoho_process.reset()
    made = make_zoho_hub(zoho_process, tmp_path)
    yield made
    made.hub.database.engine.dispose()
    forget(f"erp-{tmp_path}")
    Metadata._known.clear()
    Products._known.clear()


def make_zoho_hub(stand_in: StandIn, home: Path) -> ZohoHub:
    settings = Settings(home=home, database_url=f"sqlite:///{home / 'kehub.db'}")
    database = Database(settings.database)
    Base.metadata.create_all(database.engine)
    hub = Hub(
        settings=settings,
        database=database,
        systems=Systems(StoredSystems(database), Vault(b"test"), LocalBuckets()),
        waker=Waker(None),
        policies=PolicySet(),
        now=lambda: datetime.now(UTC),
        chance=lambda: 0.0,
    )
    erp = world(f"erp-{home}")
    systems.add_system(
        hub, name="erp", kind="memory", values={"world": f"erp-{home}", "password": "memory"}
    )
    names = ("client_id", "client_secret", "refresh_token", "accounts_url")
    values = {name: stand_in.hello[name] for name in names}
    systems.add_system(hub, name="zoho", kind="zoho_crm", values=values)
    kept = ("customers", "contacts", "Accounts", "Contacts")
    with database.write() as tx:
        tx.execute(update(MappingRow).where(MappingRow.object.not_in(kept)).values(state="retired"))
        tx.execute(update(System).values(state="live"))
    return ZohoHub(hub, stand_in, erp)


@pytest.fixture
def outside(zoho_process, running_standin, tmp_path) -> Iterator[Outside]:  # noqa: F811
    """An ERP in memory, Zoho and 纷享 over HTTP, one hub between them."""
    zoho_process.reset()
    empty_fx(running_standin)
    made = make_outside(zoho_process, running_standin, tmp_path)
    yield made
    made.hub.database.engine.dispose()
    forget(f"erp-{tmp_path}")
    Metadata._known.clear()
    Products._known.clear()


KINDS = ("erp", "zoho", "fx")


@pytest.fixture
def workforce(zoho_process, running_standin, tmp_path) -> Iterator[Callable[..., Workforce]]:  # noqa: F811
    """Puts worker processes to work between an ERP in a file, Zoho and 纷享; they end here."""
    zoho_process.reset()
    empty_fx(running_standin)
    made = []

    def start(url, *, name="hub", zoho=zoho_process, erp=None, names=KINDS, workers=4, **options):
        team = Workforce(tmp_path / name, url, workers=workers, **options)
        made.append(team)
        team.start()
        team.connect(zoho, running_standin, erp or team.home / "erp.world", names)
        return team

    yield start
    for one in made:
        one.close()
        forget(f"erp-{one.home}")
    Metadata._known.clear()
    Products._known.clear()
