"""A hub between an ERP in memory and both CRM stand-ins, each a process reached over HTTP."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select, update

from connectors.memory.world import MemoryWorld, world
from sync.flow import dispatch, poll, take_in
from sync.flow.hub import Hub
from sync.flow.opening import load_policies
from sync.gateway.quota import LocalBuckets
from sync.gateway.systems import Systems
from sync.gateway.vault import Vault
from sync.service import systems
from sync.settings import Settings
from sync.store import cursors, dirty, inbox
from sync.store.session import Database
from sync.store.systems import StoredSystems
from sync.store.tables import Base, Dirty, Golden, Inbox, System
from sync.store.tables import Mapping as MappingRow
from sync.wake import Waker
from tests.connectors.fxiaoke.conftest import Standin
from tests.connectors.zoho_crm.conftest import StandIn

KEPT = ("customers", "contacts", "Accounts", "Contacts", "AccountObj", "ContactObj")
ZOHO_SECRETS = ("client_id", "client_secret", "refresh_token", "accounts_url")
FX_SECRETS = ("base_url", "app_id", "app_secret", "permanent_code", "user_id", "mobile")


@dataclass
class Outside:
    """One hub by the real clock. `fx` is 纷享销客; either stand-in may be left out."""

    hub: Hub
    erp: MemoryWorld
    zoho: StandIn
    fx: Standin
    names: tuple[str, ...]

    def id_of(self, name: str) -> int:
        with self.hub.database.read() as session:
            return session.scalars(select(System.id).where(System.name == name)).one()

    def poll(self, *names: str) -> None:
        with self.hub.database.write() as tx:
            cursors.hurry(tx, None, self.hub.now())
        for name in names or self.names:
            poll.poll(self.hub, self.id_of(name), force=True)

    def take_in(self, *names: str) -> None:
        for name in names or self.names:
            take_in.drain(self.hub, self.id_of(name))

    def dispatch(self, *names: str) -> None:
        for name in names or self.names:
            dispatch.drain(self.hub, self.id_of(name))

    def work(self) -> None:
        for _ in range(3):
            self.take_in()
            self.dispatch()

    def sync(self, seconds: float = 90.0) -> None:
        """Polls and works until nothing waits any more; nobody's back-off is waited out."""
        deadline = time.monotonic() + seconds
        while True:
            self.poll()
            self.work()
            if not self.waiting():
                return
            assert time.monotonic() < deadline, self.what_waits()
            self.hurry()
            time.sleep(0.2)

    def hurry(self) -> None:
        """What waits for a later moment is due now."""
        now = self.hub.now()
        with self.hub.database.write() as tx:
            for table in (Inbox, Dirty):
                tx.execute(update(table).where(table.due_at > now).values(due_at=now))

    def waiting(self) -> int:
        with self.hub.database.read() as session:
            return inbox.waiting(session) + dirty.waiting(session)

    def what_waits(self) -> list[tuple[str, str, str]]:
        with self.hub.database.read() as session:
            out = session.execute(select(Dirty.golden_id, Dirty.waiting_for, Dirty.error)).all()
            into = session.execute(
                select(Inbox.object, Inbox.remote_id, Inbox.error).where(Inbox.state == "waiting")
            ).all()
            return [tuple(row) for row in (*out, *into)]

    def goldens(self, entity: str = "customer") -> list[Golden]:
        with self.hub.database.read() as session:
            query = select(Golden).where(Golden.entity == entity, Golden.state == "live")
            return list(session.scalars(query.order_by(Golden.id)))

    def rows(self, table, *where) -> list:
        with self.hub.database.read() as session:
            return list(session.scalars(select(table).where(*where).order_by(table.id)))

    def accounts(self, kind: str = "Accounts") -> list[dict]:
        """Zoho's records."""
        return self.zoho.records(kind)

    def living(self, kind: str = "AccountObj") -> list[dict]:
        """纷享's rows that are not invalid."""
        return [row for row in self.fx.rows(kind) if row["life_status"] != "invalid"]

    def edit_fx(self, row_id: str, kind: str = "AccountObj", **fields) -> dict:
        return self.fx.post(f"/records/{kind}/{row_id}", fields=fields)

    def remap(self, system: str, object_name: str, old: str, new: str) -> None:
        """A line of a live mapping is another one from now on."""
        mine = (MappingRow.system_id == self.id_of(system), MappingRow.object == object_name)
        with self.hub.database.write() as tx:
            row = tx.scalars(select(MappingRow).where(*mine, MappingRow.state == "live")).one()
            assert old in row.text, row.text
            row.state = "retired"
            tx.flush()
            fresh = MappingRow(
                system_id=row.system_id, object=row.object, entity=row.entity, state="live",
                version=row.version + 1, text=row.text.replace(old, new), author="test",
                created_at=self.hub.now(),
            )  # fmt: skip
            tx.add(fresh)

    def set_system(self, name: str, **values) -> None:
        with self.hub.database.write() as tx:
            tx.execute(update(System).where(System.name == name).values(**values))

    def system(self, name: str) -> System:
        with self.hub.database.read() as session:
            return session.scalars(select(System).where(System.name == name)).one()


def zoho_values(stand_in: StandIn, **more) -> dict:
    return {**{name: stand_in.hello[name] for name in ZOHO_SECRETS}, **more}


def fx_values(stand_in: Standin, **more) -> dict:
    values = {name: stand_in.told[name] for name in FX_SECRETS}
    return {**values, "calls_per_20_seconds": 10_000, **more}


def open_hub(home: Path, url: str = "") -> Hub:
    """A hub with empty tables."""
    settings = Settings(home=home, database_url=url or f"sqlite:///{home / 'kehub.db'}")
    home.mkdir(exist_ok=True)
    database = Database(settings.database)
    Base.metadata.create_all(database.engine)
    return Hub(
        settings=settings,
        database=database,
        systems=Systems(StoredSystems(database), Vault(b"test"), LocalBuckets()),
        waker=Waker(None),
        policies=load_policies(settings),
        now=lambda: datetime.now(UTC),
        chance=lambda: 0.0,
    )


def make_outside(
    zoho: StandIn,
    fx: Standin,
    home: Path,
    *,
    names: Sequence[str] = ("erp", "zoho", "fx"),
    url: str = "",
    erp: str = "",
) -> Outside:
    """A hub with these systems, live, for customers and contacts, with the policies we ship."""
    own = {"world": erp or f"erp-{home}", "password": "memory"}
    return connect(open_hub(home, url), zoho, fx, own, names)


def connect(
    hub: Hub, zoho: StandIn, fx: Standin, erp: dict[str, str], names: Sequence[str]
) -> Outside:
    """The systems of these names added to a hub that has none; `erp` says which world it is."""
    kinds = {
        "erp": ("memory", erp),
        "zoho": ("zoho_crm", zoho_values(zoho)),
        "fx": ("fxiaoke", fx_values(fx)),
    }
    for name in names:
        kind, values = kinds[name]
        systems.add_system(hub, name=name, kind=kind, values=values)
    with hub.database.write() as tx:
        tx.execute(update(MappingRow).where(MappingRow.object.not_in(KEPT)).values(state="retired"))
        tx.execute(update(System).values(state="live"))
    path = Path(erp["path"]) if "path" in erp else None
    return Outside(hub, world(erp["world"], path), zoho, fx, tuple(names))


def empty_fx(fx: Standin) -> None:
    """The tenant without records, well-behaved again."""
    fx.calm()
    for kind in ("ContactObj", "LeadsObj", "AccountObj"):
        for row in fx.rows(kind):
            fx.post(f"/records/{kind}/{row['_id']}/delete")
