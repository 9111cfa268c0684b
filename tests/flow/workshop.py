"""A hub and three memory systems that live in files, so that a killed process leaves them there.

The morning of the workshop holds one of everything: customers that are new in one system, in two
systems at once, edited, edited twice, deleted, refused, merged, brought by webhooks, written with
a lost answer. `work` is the day's work of a worker process; it may be killed at any place.
"""

import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update

from connectors.memory import Memory, Trouble
from connectors.memory.world import MemoryWorld, forget, world
from connectors.sdk.errors import TransientError
from sync.core.policy import PolicySet
from sync.flow import decide, dispatch, jobs, poll, receive, sweep, take_in, unify
from sync.flow.hub import Hub
from sync.gateway.quota import LocalBuckets
from sync.gateway.vault import Vault
from sync.service import plans, systems
from sync.settings import Settings
from sync.store import cursors, dirty, inbox
from sync.store.systems import StoredSystems
from sync.store.tables import Base, DeadLetter, Golden, System
from sync.store.tables import Mapping as MappingRow
from sync.wake import Waker
from tests.histories.faults import Faults, FaultyDatabase, FaultySystems
from tests.hubs import Clock

NAMES = ("erp", "crm", "sales", "shop")  # the shop joins during the day
OBJECTS = ("customers", "contacts")
MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SYSTEM_FIELDS = {"id", "hub_key", "customer_id", "parent_id"}


@dataclass
class Workshop:
    home: Path
    clock: Clock
    faults: Faults
    hub: Hub

    @classmethod
    def open(cls, home: Path, at: datetime) -> "Workshop":
        clock, faults = Clock(at), Faults()
        database = FaultyDatabase(f"sqlite:///{home / 'kehub.db'}")
        database.faults = faults
        Base.metadata.create_all(database.engine)
        hub = Hub(
            settings=Settings(home=home, batch=3, attempts=4),
            database=database,
            systems=FaultySystems(
                StoredSystems(database), Vault(b"test"), LocalBuckets(lambda: clock().timestamp()),
                faults=faults,
            ),
            waker=Waker(None),
            policies=PolicySet(),
            now=clock,
            chance=lambda: 0.5,
        )  # fmt: skip
        made = cls(home, clock, faults, hub)
        for name in NAMES:
            made.world(name).clock = clock
        return made

    def world(self, name: str) -> MemoryWorld:
        return world(f"{self.home.name}-{name}", self.home / f"{name}.world")

    def close(self) -> None:
        self.hub.database.engine.dispose()
        for name in NAMES:
            forget(f"{self.home.name}-{name}")

    # -- the morning ------------------------------------------------------------------------
    def connect(self, *names: str) -> None:
        for name in names:
            self.world(name)
            systems.add_system(
                self.hub, name=name, kind=Memory.name,
                values={"world": f"{self.home.name}-{name}",
                        "path": str(self.home / f"{name}.world"), "password": "memory"},
            )  # fmt: skip

    def set_up(self) -> None:
        self.connect(*NAMES)
        self.world("crm").switch(cut={"name": 12}, conditional=False, search_lag=2.0)
        self.world("sales").switch(phones="digits", unique_key=True, lists_deletes=True)
        with self.hub.database.write() as tx:
            tx.execute(
                update(MappingRow).where(MappingRow.object.not_in(OBJECTS)).values(state="retired")
            )
            tx.execute(update(System).where(System.name != "shop").values(state="live"))
            tx.execute(update(System).where(System.name == "crm").values(delete_policy="propagate"))
        erp = self.world("erp")
        for number in range(4):
            erp.create("customers", name=f"Customer number {number}",
                       email=f"c{number}@c{number}.example", stage="customer")  # fmt: skip
        for name, mail in (("Twin one", "a@twin.example"), ("Other twin", "b@other.example")):
            erp.create("customers", name=name, email=mail, stage="customer")
        parent = erp.all("customers")[0]["id"]
        erp.create("contacts", name="王伟", email="wang@c0.example", customer_id=parent)
        self.rest()

    def make_morning(self) -> None:
        """One of everything that may be waiting when a worker starts."""
        erp, crm, sales, shop = (self.world(name) for name in NAMES)
        shop.create("customers", name="Customer number 0", email="c0@c0.example", stage="customer")
        shop.create("customers", name="Walked in", email="walk@in.example", stage="customer")
        for name in NAMES:
            self.world(name).subscribe("hub", f"https://hub.example/{name}", "memory-webhooks", 4e9)
        for target in (erp, crm):
            target.create("customers", name="Twice entered", email="twice@twice.example",
                          tax_id="91310000MA0000000Y")  # fmt: skip
        sales.create("customers", name="Brand new", email="new@new.example", stage="customer")
        self._edit(crm, 0, phone="+8613800000001")
        self._edit(erp, 1, name="A very long new name", notes="seen by erp")
        self.clock.pass_(5)
        self._edit(crm, 1, notes="seen by crm")
        self._edit(sales, 2, billing_street="1 Street", billing_city="City")
        crm.delete("customers", self._find(crm, 3)["id"])
        owner = self._find(sales, 2)["id"]
        sales.create("contacts", name="李娜", email="li@c2.example", customer_id=owner)
        erp.trouble(Trouble(kind="lost", only="write"), Trouble(kind="unreachable", only="read"))
        crm.trouble(Trouble(kind="lost", only="write", after=1), Trouble(kind="throttled"))
        sales.switch(choices={"customers.industry": ("trade",)})
        sales.trouble(Trouble(kind="throttled", only="write"))
        self._edit(crm, 2, industry="mining")

    def _edit(self, target: MemoryWorld, number: int, **values: str) -> None:
        target.edit("customers", self._find(target, number)["id"], **values)

    def _find(self, target: MemoryWorld, number: int) -> dict[str, str]:
        mail = f"c{number}@c{number}.example"
        return next(r for r in target.all("customers") if r["email"] == mail)

    # -- the work ---------------------------------------------------------------------------
    def work(self) -> None:
        """What a worker does in a while: hooks, polls, taking in, dispatch, reconciling."""
        self._receive()
        for _ in range(3):
            for name in NAMES:
                self._poll(name)
                take_in.drain(self.hub, self.id_of(name))
            for name in NAMES:
                dispatch.drain(self.hub, self.id_of(name))
            self.clock.pass_(35)
            sweep._end_holds(self.hub, self.hub.now())
        self.world("sales").switch(choices={})
        self.decide()
        for name in NAMES:
            dispatch.drain(self.hub, self.id_of(name))
        self._reconcile()
        take_in.drain(self.hub, self.id_of("shop"))

    def decide(self) -> None:
        """What people decide in the hub; somebody whose screen showed an error does it again."""
        if golden := self._golden("Brand new"):
            sales = self.world("sales")  # somebody edits the record that the hub will write to
            own = next(r for r in sales.all("customers") if r["email"] == "new@new.example")
            sales.edit("customers", own["id"], website="new.example")
            decide.edit(self.hub, golden.id, {"notes": "by the hub"}, "user")
        letters = [d.id for d in self.rows(DeadLetter) if d.state == "open"]
        decide.retry_letters(self.hub, letters, "user")
        one, other = self._golden("Twin one"), self._golden("Other twin")
        if one and other:
            unify.merge(self.hub, one.id, other.id, "user")
        if systems.get_system(self.hub, "shop").state != "live":
            plan = plans.start_plan(self.hub, ["shop"], wake=False)
            plans.make_plan(self.hub, plan.id)
            plans.apply_plan(self.hub, plan.id, inline=True)

    def _golden(self, name: str) -> Golden | None:
        found = [g for g in self.rows(Golden) if g.name == name and g.state == "live"]
        return found[0] if found else None

    def _reconcile(self) -> None:
        """A person asks for it, and asks again where a system does not answer."""
        for _ in range(5):
            self.clock.pass_(35)
            try:
                plans.reconcile_all(self.hub)
            except TransientError:
                continue
            return

    def _receive(self) -> None:
        for name in NAMES:
            with self.hub.database.read() as session:
                key = session.scalars(select(System.hook_key).where(System.name == name)).one()
            for _, delivery in self.world(name).take_deliveries():
                receive.receive(self.hub, name, key, delivery)

    def _poll(self, name: str) -> None:
        with self.hub.database.write() as tx:
            cursors.hurry(tx, self.id_of(name), self.hub.now())
        poll.poll(self.hub, self.id_of(name))

    def rest(self) -> None:
        """Polls, retries and works until nothing waits; the troubles are over."""
        for name in NAMES:
            self.world(name).trouble()
            self.world(name).switch(choices={})
        for _ in range(25):
            self.clock.pass_(301)
            for name in NAMES:
                systems.resume_system(self.hub, name)
                self._poll(name)
            letters = [d.id for d in self.rows(DeadLetter) if d.state == "open"]
            decide.retry_letters(self.hub, letters, "user")
            sweep._end_holds(self.hub, self.hub.now())
            jobs.resume_due(self.hub)
            for name in NAMES:
                take_in.drain(self.hub, self.id_of(name), rounds=40)
            for name in NAMES:
                dispatch.drain(self.hub, self.id_of(name), rounds=40)
            if not self.waiting():
                return
        raise AssertionError("the workshop does not come to rest")

    def waiting(self) -> int:
        with self.hub.database.read() as session:
            return inbox.waiting(session) + dirty.waiting(session)

    def id_of(self, name: str) -> int:
        with self.hub.database.read() as session:
            return session.scalars(select(System.id).where(System.name == name)).one()

    def rows(self, table: type) -> list:
        with self.hub.database.read() as session:
            return list(session.scalars(select(table)))

    def writes(self) -> int:
        return sum(self.world(name).calls("write") for name in NAMES)

    # -- the evening ------------------------------------------------------------------------
    def picture(self) -> dict[str, list[str]]:
        """All that people see, without what differs from run to run."""
        found = {
            f"{name}.{kind}": sorted(
                str({k: v for k, v in record.items() if v and k not in SYSTEM_FIELDS})
                for record in self.world(name).all(kind)
            )
            for name in NAMES
            for kind in ("customers", "contacts")
        }
        found["golden"] = sorted(
            str(sorted((k, v) for k, v in g.values.items() if v and k != "customer"))
            for g in self.rows(Golden)
            if g.state == "live"
        )
        return found


def prepare(home: Path) -> None:
    """A morning, stored in files."""
    workshop = Workshop.open(home, MORNING - timedelta(days=1))
    workshop.set_up()
    workshop.make_morning()
    workshop.close()


def in_process(home: Path, at: datetime, task: Callable[[Workshop], None]) -> int:
    """Runs a task in a process of its own; how it ended, as `os.waitpid` tells."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            workshop = Workshop.open(home, at)
            task(workshop)
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1]


def kill_at(place: int) -> Callable[[Workshop], None]:
    """The day's work, killed with signal 9 at a place."""

    def task(workshop: Workshop) -> None:
        workshop.faults.plan(place, lambda: os.kill(os.getpid(), signal.SIGKILL))
        workshop.work()

    return task


def moved(home: Path, clone: Path) -> None:
    """A copy of a workshop under another name, whose systems find their worlds."""
    shutil.copytree(home, clone)
    workshop = Workshop.open(clone, MORNING)
    with workshop.hub.database.write() as tx:
        for row in tx.scalars(select(System)):
            row.settings = {
                **row.settings,
                "world": f"{clone.name}-{row.name}",
                "path": str(clone / f"{row.name}.world"),
            }
    workshop.close()
