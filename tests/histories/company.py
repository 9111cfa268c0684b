"""A company for histories: a hub, three odd systems, their users, and what is true."""

import os
import random
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, ClassVar

from sqlalchemy import Engine, event, select, update
from stdnum.cn import uscc

from connectors.memory import Trouble
from connectors.memory.shapes import HUB_KEY
from connectors.memory.world import MemoryWorld, forget, world
from connectors.sdk.errors import ConnectorError, DeliveryRejected, RecordError
from sync.core.policy import PolicySet
from sync.flow import (
    decide,
    decide_guard,
    dispatch,
    jobs,
    poll,
    receive,
    split,
    sweep,
    take_in,
    unify,
)
from sync.flow.hub import Hub
from sync.gateway.quota import LocalBuckets
from sync.gateway.vault import Vault
from sync.service import plans, systems
from sync.settings import Settings
from sync.store import cursors, dirty, inbox
from sync.store.systems import StoredSystems
from sync.store.tables import (
    Candidate,
    Conflict,
    DeadLetter,
    Dirty,
    Golden,
    Guard,
    Inbox,
    Job,
    Link,
    Merge,
    System,
)
from sync.store.tables import Mapping as MappingRow
from sync.wake import Waker
from tests.histories import fields
from tests.histories.faults import Crash, Faults, FaultyDatabase, FaultySystems
from tests.histories.fields import CHOICES, OBJECTS, UNITS, Unit
from tests.histories.ledger import Ledger
from tests.histories.people import People, Union, mail_of
from tests.hubs import Clock, make_hub

NAMES = ("erp", "crm", "sales")
PEOPLE = (
    "Aurora Bakery", "北方机械有限公司", "Cobalt Shipping", "长城贸易集团", "Evergreen Textiles",
    "Falcon Robotics", "东海渔业公司", "Harvest Mills", "金桥物流", "Juniper Clinics",
)  # fmt: skip
HOOK = "https://hub.example/hooks"
POLICY = {
    "version": 1,
    "fields": [
        {"path": "notes", "rule": "latest", "blanks": True},
        {"path": "credit_limit", "rule": "source_of_record", "systems": ["erp"]},
        {"path": "owner", "rule": "manual"},
        {"path": "industry", "rule": "priority", "systems": ["crm", "erp"]},
        {"path": "tags", "rule": "union"},
    ],
}


@dataclass(frozen=True)
class Profile:
    """How the systems of one history differ from polite ones."""

    oddities: dict[str, dict[str, Any]]
    deletes: dict[str, str]
    batch: int
    guard: int
    rule: str = "latest"  # who wins where nothing else is said


def make_profile(seed: int) -> Profile:
    dice = random.Random(f"profile {seed}")
    return Profile(
        {name: _oddities(dice) for name in NAMES},
        {name: dice.choice(["unlink", "unlink", "propagate", "recreate", "review"])
         for name in NAMES},
        dice.choice([1, 2, 3, 100]),
        dice.choice([0, 1, 10, 10]),
        dice.choice(["latest", "latest", "priority", "longest"]),
    )  # fmt: skip


@cache
def _policies(rule: str) -> PolicySet:
    raw = {**POLICY, "default": {"rule": rule, "systems": ["sales", "crm"]}}
    return PolicySet.model_validate(raw)


def tax_id(index: int) -> str:
    """A valid registration number: what makes the same customer the same in two systems."""
    head = f"91310000MA{index:07d}"
    return head + uscc.calc_check_digit(head)


def _oddities(dice: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {"conditional": dice.random() < 0.5}
    if dice.random() < 0.4:
        found["cut"] = {name: dice.choice([8, 12]) for name in ("name", "legal_name", "notes")}
        found["cut_in"] = dice.choice(["characters", "bytes"])
    if dice.random() < 0.5:
        found["phones"] = dice.choice(["digits", "national"])
    found["whole_seconds"] = dice.random() < 0.4
    found["clock_offset"] = dice.choice([0.0, 0.0, 90.0, -90.0])
    found["unique_key"] = dice.random() < 0.3
    found["lists_deletes"] = dice.random() < 0.8
    found["merge_redirects"] = dice.random() < 0.5
    found["search_lag"] = dice.choice([0.0, 0.0, 4.0])
    found["terse"] = dice.random() < 0.3
    return found


@cache
def _template() -> Path:
    """A database with three live systems, made once per process."""
    home = Path(mkdtemp(prefix="histories-", dir=_fast_folder()))
    made = make_hub(f"sqlite:///{home / 'kehub.db'}", home, NAMES)
    with made.hub.database.write() as tx:
        for row in tx.scalars(select(System)):
            row.settings = {**row.settings, "world": f"histories-{os.getpid()}-{row.name}"}
        tx.execute(
            update(MappingRow).where(MappingRow.object.not_in(OBJECTS)).values(state="retired")
        )
    made.close()
    return home


def _fast_folder() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def forget_template() -> None:
    shutil.rmtree(_template(), ignore_errors=True)
    _template.cache_clear()


class SharedEngineDatabase(FaultyDatabase):
    """One engine for all histories of a process: what SQLAlchemy has compiled is kept.

    It connects to the file of the history that was opened last; no two are open at once.
    """

    shared: ClassVar[tuple[int, Engine] | None] = None  # of the process with this id
    file: ClassVar[str] = ""

    def _engine(self, pool_size: int) -> Engine:
        kept = SharedEngineDatabase
        kept.file = str(self.url.database)
        if kept.shared is None or kept.shared[0] != os.getpid():
            made = super()._engine(pool_size)
            event.listen(made, "do_connect", self._point)
            kept.shared = (os.getpid(), made)
        return kept.shared[1]

    @staticmethod
    def _point(_dialect: Any, _record: Any, args: list[Any], _options: dict[str, Any]) -> None:
        args[0] = SharedEngineDatabase.file


class BusyError(AssertionError):
    """The hub works without getting anywhere."""


class Company:
    """Runs steps. Everything that happened is known to the ledger."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.home = Path(mkdtemp(prefix="history-", dir=_fast_folder()))
        shutil.copy(_template() / "kehub.db", self.home / "kehub.db")
        self.clock = Clock()
        self.faults = Faults()
        self.people = People()
        self.ledger = Ledger(group=self.people.group)
        self.policies = _policies(profile.rule)
        self.settings = Settings(
            home=self.home, batch=profile.batch, delete_guard_count=profile.guard
        )
        self.worlds: dict[str, MemoryWorld] = {}
        for name in NAMES:
            forget(f"histories-{os.getpid()}-{name}")
            made = world(f"histories-{os.getpid()}-{name}")
            made.clock = self.clock
            made.switch(**profile.oddities[name])
            made.subscribe("hub", f"{HOOK}/{name}", "memory-webhooks", 4e9)
            self.worlds[name] = made
        self.customers: list[str] = []  # identities: the mail address that is never edited
        self.contacts: list[tuple[str, str]] = []  # identity, identity of the customer
        self.either: dict[str, frozenset[str]] = {}  # contacts entered while these were one
        self.merged: set[str] = set()  # those whose records somebody merged
        self.touched: set[str] = set()  # deleted or undeleted by a user somewhere
        self.doubles: list[tuple[str, str, str]] = []  # (system, id, id): one customer, twice
        self.left_doubled: set[str] = set()  # one record of a double was deleted, not merged
        self.merged_there: set[str] = set()  # those whom a user merged in a remote system
        self.number = 0
        self.hub = self._open()
        with self.hub.database.write() as tx:
            for row in tx.scalars(select(System)):
                row.delete_policy = profile.deletes[row.name]
            self.ids = {row.name: row.id for row in tx.scalars(select(System))}
            self.keys = {row.name: row.hook_key for row in tx.scalars(select(System))}

    def _open(self) -> Hub:
        database = SharedEngineDatabase(f"sqlite:///{self.home / 'kehub.db'}")
        database.faults = self.faults
        return Hub(
            settings=self.settings,
            database=database,
            systems=FaultySystems(
                StoredSystems(database), Vault(b"test"), LocalBuckets(self._seconds),
                faults=self.faults,
            ),
            waker=Waker(None),
            policies=self.policies,
            now=self.clock,
            chance=lambda: 0.5,
        )  # fmt: skip

    def _seconds(self) -> float:
        return (self.clock.at - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds()

    def restart(self) -> None:
        """The process is gone; another one goes on with what is in the database."""
        self.faults.clear()
        self.hub.database.engine.dispose()
        self.hub = self._open()

    def close(self) -> None:
        self.hub.database.engine.dispose()
        for name in NAMES:
            forget(f"histories-{os.getpid()}-{name}")
        shutil.rmtree(self.home, ignore_errors=True)

    # -- what users do --------------------------------------------------------------------
    def fresh(self) -> int:
        self.number += 1
        return 100 + self.number

    def records(self, name: str, object_name: str, identity: str) -> list[dict[str, Any]]:
        records = self.worlds[name].all(object_name)
        if object_name == "contacts":
            return [r for r in records if r["email"] == identity]
        group = self.people.group(identity)
        return [r for r in records if self.owner(name, r["id"], r) in group]

    def owner(self, name: str, record_id: str, body: dict[str, Any]) -> str:
        """The customer that a record was made for, by a user or by the hub."""
        known = self.people.born.get((name, record_id))
        return known or self.identity(body[HUB_KEY].partition("-")[0])

    def number_of(self, identity: str) -> int:
        """How many customers had been entered before this one, whose name it has."""
        return self.customers.index(mail_of(identity))

    def identity(self, golden_id: str) -> str:
        """The customer or contact of a golden record, also of one that was merged away."""
        if golden_id not in self.people.goldens:
            mail = self.golden_by_id(golden_id).values["emails[work]"]
            self.people.goldens[golden_id] = mail
        return self.people.goldens[golden_id]

    def new_customer(self, *places: str) -> None:
        """The same new customer, entered by somebody in each of these systems."""
        if len(self.customers) >= len(PEOPLE):
            return
        index = len(self.customers)
        identity = f"info@customer{index}.example"
        self.customers.append(identity)
        for name in places:
            self._enter(name, index)

    def _enter(self, name: str, index: int) -> str:
        identity = self.customers[index]
        record_id = self.worlds[name].create(
            "customers", name=PEOPLE[index], email=identity, kind="organisation",
            stage="customer", tax_id=tax_id(index),
        )  # fmt: skip
        self.people.born[name, record_id] = identity
        values = self.worlds[name].get("customers", record_id).body
        unit = fields.unit_of("customers", "name")
        value = fields.read("customers", unit, values)
        self.ledger.typed(identity, "name", value, name, set(), record_id)
        return record_id

    def enter_twice(self, name: str) -> None:
        """A new customer whom somebody enters twice in one system, by mistake."""
        if len(self.customers) >= len(PEOPLE):
            return
        self.new_customer(name)
        index = len(self.customers) - 1
        first = self.records(name, "customers", self.customers[index])[0]["id"]
        self.doubles.append((name, first, self._enter(name, index)))
        self.merged.add(self.customers[index])

    def new_contact(self, name: str, customer: int) -> None:
        if not self.customers or len(self.contacts) == 6:
            return
        owner = self.customers[customer % len(self.customers)]
        parents = self.records(name, "customers", owner)
        if not parents:
            return
        identity = f"person{len(self.contacts)}@customer.example"
        self.contacts.append((identity, self.owner(name, parents[0]["id"], parents[0])))
        if len(self.people.group(owner)) > 1:
            self.either[identity] = self.people.group(owner)
        self.worlds[name].create(
            "contacts", name=f"Person {PEOPLE[len(self.contacts)]}", email=identity,
            customer_id=parents[0]["id"],
        )  # fmt: skip

    def edit(self, name: str, who: int, what: int, style: int) -> None:
        """A user types into one field of one record: a new value, nothing, or an old value."""
        object_name, identity = self._who(who)
        if identity is None:
            return
        found = self.records(name, object_name, identity)
        if not found:
            return
        unit = UNITS[object_name][what % len(UNITS[object_name])]
        record = found[style % len(found)]
        typed = self._typed(identity, unit, style, object_name)
        if typed is None:
            return
        seen = self._shown(name, object_name, unit, identity, record)
        try:
            self.worlds[name].edit(object_name, record["id"], **typed)
        except RecordError:
            return  # the system refuses what its user typed
        after = self.worlds[name].get(object_name, record["id"]).body
        value = fields.read(object_name, unit, after)
        if value != fields.read(object_name, unit, record):  # else nothing moved there
            if object_name == "customers":
                identity = self.owner(name, record["id"], record)
            self.ledger.typed(identity, unit.name, value, name, seen, record["id"])

    def _who(self, who: int) -> tuple[str, str | None]:
        people = [("customers", identity) for identity in self.customers]
        people += [("contacts", identity) for identity, _ in self.contacts]
        return people[who % len(people)] if people else ("customers", None)

    def _typed(
        self, identity: str, unit: Unit, style: int, object_name: str
    ) -> dict[str, Any] | None:
        if style % 8 == 0 and unit.clears:
            return dict.fromkeys(unit.natives)
        if style % 8 == 1:
            old = [e.value for e in self.ledger.of(identity, unit.name) if e.value is not None]
            if not old:
                return None
            value = old[style % len(old)]
            names = zip(unit.natives, fields.paths(object_name, unit), strict=True)
            return {native: value[path] for native, path in names}
        number = self.fresh()
        made = {native: make(number) for native, make in unit.natives.items()}
        if len(made) > 1 and style % 3 == 0:  # only a part of the group
            first = next(iter(made))
            return {first: made[first]}
        return made

    def _shown(
        self, name: str, object_name: str, unit: Unit, identity: str, record: dict[str, Any]
    ) -> set[int]:
        value = fields.read(object_name, unit, record)
        oddities = self.worlds[name].oddities

        def looks(other: Any) -> bool:
            return value == fields.as_shown(object_name, unit, oddities, other)

        return self.ledger.shown(identity, unit.name, name, value, looks, record["id"])

    def hub_edit(self, who: int, what: int) -> None:
        object_name, identity = self._who(who)
        golden = self.golden(object_name, identity) if identity else None
        if golden is None:
            return
        unit = UNITS[object_name][what % len(UNITS[object_name])]
        number = self.fresh()
        native = {name: make(number) for name, make in unit.natives.items()}
        value = fields.read(object_name, unit, native)
        seen = self._shown_in_hub(object_name, unit, str(identity), golden.values)
        self.guarded(lambda: decide.edit(self.hub, golden.id, value, "user"))
        after = self.golden(object_name, identity)
        if after and fields.of_golden(object_name, unit, after.values) == value:
            owner = self.identity(golden.id)
            self.ledger.typed(owner, unit.name, value, "hub", seen, golden.id)

    def _shown_in_hub(
        self, object_name: str, unit: Unit, identity: str, values: dict[str, Any]
    ) -> set[int]:
        shown = fields.of_golden(object_name, unit, values)
        return self.ledger.shown(identity, unit.name, "hub", shown, lambda _: False)

    def delete(self, name: str, who: int) -> None:
        object_name, identity = self._who(who)
        for record in self.records(name, object_name, str(identity))[:1]:
            self._touch(str(identity), name)
            self.worlds[name].delete(object_name, record["id"])

    def undelete(self, name: str, who: int) -> None:
        """Somebody takes a deleted record out of the bin, unless there is a living one again."""
        object_name, identity = self._who(who)
        if identity is None or self.records(name, object_name, identity):
            return
        for row in self.worlds[name].every(object_name):
            if object_name == "customers":
                found = self.owner(name, row.id, row.body) in self.people.group(identity)
            else:
                found = row.body.get("email") == identity
            if row.deleted and row.merged_into is None and found:
                self._touch(identity, name)
                self.worlds[name].undelete(object_name, row.id)
                return

    def _touch(self, identity: str, name: str) -> None:
        group = self.people.group(identity)
        self.touched |= group
        for contact, owner in self.contacts:
            if not group.isdisjoint({owner, *self.either.get(contact, ())}):
                self.touched.add(contact)
        self.ledger.doubt(identity, name)

    def merge_there(self, name: str, a: int, b: int) -> None:
        """A user merges two records of a system in that system: doubles, or two customers."""
        for double in [double for double in self.doubles if double[0] == name]:
            self._merge_double(double, a)
            return
        if self.worlds[name].oddities.merge_redirects:
            self._merge_customers_there(name, a, b)

    def _merge_double(self, double: tuple[str, str, str], which: int) -> None:
        name, first, second = double
        self.doubles.remove(double)
        identity = self.people.born[name, first]
        rows = [self.worlds[name].get("customers", record) for record in (first, second)]
        if any(row is None or row.deleted for row in rows):
            self.left_doubled.add(identity)
            return
        winner, loser = (first, second) if which % 2 else (second, first)
        if self._merge_records(name, winner, loser):
            self.merged_there.add(identity)

    def _merge_customers_there(self, name: str, a: int, b: int) -> None:
        """Two customers who turn out to be one. The hub has to know both, else it cannot tell."""
        known = [link for link in self._links(self.ids[name]) if self._is_alone(link.golden_id)]
        rows = {link.id: self.worlds[name].get("customers", link.remote_id) for link in known}
        known = [link for link in known if (row := rows[link.id]) and not row.deleted]
        if len(known) < 2:
            return
        winner = known.pop(a % len(known))
        loser = known[b % len(known)]
        if self._merge_records(name, str(winner.remote_id), str(loser.remote_id)):
            pair = (self.identity(winner.golden_id), self.identity(loser.golden_id))
            self.people.unions.append(Union(*pair))
            self.merged.update(pair)
            self.merged_there.update(pair)
            self._share_doubt({*pair})

    def _links(self, system_id: int) -> list[Link]:
        """Customers' links that a remote record and a golden one stand behind."""
        return [
            link for link in self.rows(Link)
            if link.system_id == system_id and link.object == "customers"
            and link.state == "live" and link.is_primary
            and self.golden_by_id(link.golden_id).state == "live"
        ]  # fmt: skip

    def _is_alone(self, golden_id: str) -> bool:
        """Whether nobody has merged or told apart this customer, in the hub or elsewhere."""
        identity = self.identity(golden_id)
        doubled = {self.people.born[name, first] for name, first, _ in self.doubles}
        joined = any(union.names(identity) for union in self.people.unions)
        return not joined and identity not in doubled | self.merged_there

    def _share_doubt(self, pair: set[str]) -> None:
        if not self.touched.isdisjoint(pair):
            self.touched |= pair

    def _merge_records(self, name: str, winner: str, loser: str) -> bool:
        made = self.worlds[name]
        row = made.get("customers", loser)
        try:
            made.merge("customers", winner, [loser])
        except RecordError:
            return False  # a value of the loser is none that the system takes any more
        seen = [
            link for link in self.rows(Link)
            if (link.system_id, link.object) == (self.ids[name], "customers")
            and (link.remote_id, link.version) == (loser, str(row.version))
        ]  # fmt: skip
        if not seen:
            self.ledger.doubt_record(name, loser)
        return True

    # -- what the hub does ----------------------------------------------------------------
    def guarded(self, work) -> None:
        """A piece of the hub's work, which may be the last of this process."""
        try:
            work()
        except Crash:
            self.restart()
        self.faults.clear()

    def poll(self, name: str) -> None:
        def work() -> None:
            with self.hub.database.write() as tx:
                cursors.hurry(tx, self.ids[name], self.hub.now())
            poll.poll(self.hub, self.ids[name], force=True)

        self.guarded(work)

    def deliver(self, name: str, fate: int) -> None:
        """Webhooks of a system arrive: some twice, some late and out of order, some never."""
        dice = random.Random(fate)
        post = self.worlds[name].take_deliveries()
        post = [each for each in post if dice.random() < 0.8]
        post += [each for each in post if dice.random() < 0.3]
        dice.shuffle(post)
        for _, delivery in post:
            try:
                self.guarded(lambda d=delivery: receive.receive(self.hub, name, self.keys[name], d))
            except DeliveryRejected:
                return

    def take_in(self, name: str, rounds: int = 1) -> None:
        if self.ids[name] in self._due()[0]:  # nobody wakes a worker for nothing
            self.guarded(lambda: take_in.drain(self.hub, self.ids[name], rounds=rounds))

    def dispatch(self, name: str, rounds: int = 1) -> None:
        if self.ids[name] in self._due()[1]:
            self.guarded(lambda: dispatch.drain(self.hub, self.ids[name], rounds=rounds))

    def _due(self) -> tuple[list[int], list[int]]:
        """Systems with something due, inward and outward, as the sweep asks for them."""
        now = self.hub.now()
        with self.hub.database.read() as session:
            return inbox.systems_with_work(session, now), dirty.systems_with_work(session, now)

    def compare_all(self) -> None:
        """Somebody asks for a comparison; nobody does before a system was listed once."""
        with self.hub.database.read() as session:
            begun = [cursors.listed(session, i, "customers").begun for i in self.ids.values()]
        if all(begun):
            self.reconcile()

    def reconcile(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        try:
            self.guarded(lambda: found.update(plans.reconcile_all(self.hub)))
        except ConnectorError:
            self.faults.clear()  # the person who asked for it is told, and asks again later
        return found

    def set_state(self, name: str, state: str) -> None:
        with self.hub.database.read() as session:
            now = session.get_one(System, self.ids[name]).state
        if state == "paused" and now == "live":
            self.guarded(lambda: systems.pause_system(self.hub, name))
        if state == "live" and now in {"paused", "broken"}:
            self.guarded(lambda: systems.resume_system(self.hub, name))

    def change_policy(self, rule: str) -> None:
        self.policies = _policies(rule)
        self.hub = replace(self.hub, policies=self.policies)

    def decide_conflict(self, which: int, choice: str) -> None:
        with self.hub.database.read() as session:
            rows = list(session.scalars(select(Conflict).order_by(Conflict.id)))
        if not rows:
            return
        conflict = rows[which % len(rows)]
        golden = self.golden_by_id(conflict.golden_id)
        object_name = "customers" if golden.entity == "customer" else "contacts"
        unit = fields.unit_with(object_name, conflict.theirs)
        assert unit is not None
        identity = self.identity(golden.id)
        seen = self._shown_in_hub(object_name, unit, identity, golden.values)
        self.guarded(lambda: decide.decide_conflict(self.hub, conflict.id, choice, "user"))
        after = fields.of_golden(object_name, unit, self.golden_by_id(golden.id).values)
        self.ledger.typed(identity, unit.name, after, "hub", seen, golden.id)

    def decide_guards(self, *, allow: bool) -> None:
        with self.hub.database.read() as session:
            waiting = list(session.scalars(select(Guard.id).where(Guard.state == "open")))
        for guard_id in waiting:
            self.guarded(
                lambda i=guard_id: decide_guard.decide_guard(self.hub, i, allow=allow, actor="user")
            )

    def merge(self) -> bool:
        """A steward merges two records that are one customer, if the hub has asked about any."""
        pairs = [pair for pair in map(self._one_and_the_same, self.rows(Candidate)) if pair]
        if not pairs:
            return False
        self._merge_goldens(*pairs[0])
        return True

    def merge_wrongly(self, a: int, b: int) -> None:
        """A steward takes two customers for one."""
        living = [g for g in self.rows(Golden) if (g.entity, g.state) == ("customer", "live")]
        living = [golden for golden in living if self._is_single(golden)]
        if len(living) < 2:
            return
        winner = living.pop(a % len(living))
        self._merge_goldens(winner, living[b % len(living)])

    def _is_single(self, golden: Golden) -> bool:
        identity = self.identity(golden.id)
        doubled = {self.people.born[name, first] for name, first, _ in self.doubles}
        twice = sum(self.identity(g.id) == identity for g in self.rows(Golden) if g.state == "live")
        standing = len(self.people.group(identity)) > 1
        return twice == 1 and not standing and identity not in doubled | self.merged_there

    def _merge_goldens(self, winner: Golden, loser: Golden) -> None:
        union = Union(
            self.identity(winner.id), self.identity(loser.id),
            before=(winner.values, loser.values),
            loser_id=loser.id, records=self._records_of(loser.id),
            children=frozenset(self.identity(g.id) for g in self.rows(Golden)
                               if g.parent_id == loser.id and g.entity == "contact"),
            heard=frozenset(self.identity(g.id) for g in self.rows(Golden)
                            if g.entity == "contact"),
        )  # fmt: skip
        self.guarded(lambda: unify.merge(self.hub, winner.id, loser.id, "user"))
        for row in self.rows(Merge):
            if (row.winner_id, row.loser_id, row.undone_at) == (winner.id, loser.id, None):
                union.merge_id = row.id
                self.people.unions.append(union)
                self.merged.update((union.kept, union.other))
                self._share_doubt({union.kept, union.other})

    def _records_of(self, golden_id: str) -> frozenset[tuple[str, str]]:
        names = {number: name for name, number in self.ids.items()}
        return frozenset(
            (names[link.system_id], str(link.remote_id)) for link in self.rows(Link)
            if (link.golden_id, link.object) == (golden_id, "customers")
        )  # fmt: skip

    def take_back(self, which: int) -> bool:
        """A steward takes a merge back; False if that makes no sense any more."""
        standing = [u for u in self.people.unions if self._may_be_taken_back(u)]
        if not standing:
            return False
        union = standing[which % len(standing)]
        try:
            self.guarded(lambda: split.unmerge(self.hub, int(union.merge_id or 0), "user"))
        except unify.CannotUnifyError:
            self.faults.clear()  # the steward is told why
            return False
        row = next(row for row in self.rows(Merge) if row.id == union.merge_id)
        if row.undone_at is not None:
            union.taken_back = True
            if union.kept == union.other:
                self._part(union)
            self._doubt_parents(union)
        return True

    def _doubt_parents(self, union: Union) -> None:
        """Contacts heard of since: the record they were entered for may have been merged away.

        Also of those about whom an earlier doubt is: they may be either of this pair, too.
        """
        pair = frozenset({union.kept, union.other})
        for contact, owner in self.contacts:
            doubted = self.either.get(contact, frozenset())
            if contact not in union.heard and not pair.isdisjoint({owner, *doubted}):
                self.either[contact] = pair | doubted

    def _may_be_taken_back(self, union: Union) -> bool:
        standing = union.merge_id is not None and not union.taken_back
        return standing and not self.merged_there.intersection({union.kept, union.other})

    def _part(self, union: Union) -> None:
        """A customer who stood in the hub twice is two customers by the steward's word."""
        other = f"{union.kept}#{len(self.customers)}"
        self.customers.append(other)
        self.people.goldens[union.loser_id] = other
        self.people.born.update(dict.fromkeys(union.records, other))
        self.ledger.part(union.kept, other, {*union.records, ("hub", union.loser_id)})
        self.contacts = [
            (contact, other if contact in union.children else owner)
            for contact, owner in self.contacts
        ]
        union.other = other
        self.merged.add(other)
        if union.kept in self.touched:
            self.touched.add(other)

    # -- what is there ----------------------------------------------------------------------
    def golden(self, object_name: str, identity: str) -> Golden | None:
        entity = "customer" if object_name == "customers" else "contact"
        found = [
            g for g in self.rows(Golden)
            if g.entity == entity and g.state == "live"
            and self.identity(g.id) in self.people.group(identity)
        ]  # fmt: skip
        return found[0] if found else None

    def golden_by_id(self, golden_id: str) -> Golden:
        with self.hub.database.read() as session:
            return session.get_one(Golden, golden_id)

    def rows(self, table: type) -> list[Any]:
        with self.hub.database.read() as session:
            return list(session.scalars(select(table)))

    def writes(self) -> int:
        return sum(made.calls("write") for made in self.worlds.values())

    # -- leaving it alone ---------------------------------------------------------------------
    def settle(self) -> None:
        """Nobody edits any more, every system answers, what waits for a person is decided."""
        self.faults.clear()
        for name, made in self.worlds.items():
            made.trouble()
            made.switch(choices={})
            made.take_deliveries()
            self.set_state(name, "live")
        soon = self.number % 2 == 0
        if soon:
            self._put_right()
        for _ in range(2):  # the first listing may go on from where one was interrupted
            self.clock.pass_(400)  # leases run out, rows come back
            self._rest()
        if not soon and self._put_right():
            self._rest()
        gone = self.touched | self.merged_there
        if gone and not all(w.oddities.lists_deletes for w in self.worlds.values()):
            self.reconcile()  # nothing else tells what was deleted there
            self._rest()
        self._answer()
        if self.waiting():
            self.clock.pass_(25 * 3600)  # nobody decided about a candidate
            sweep._end_holds(self.hub, self.hub.now())
            self._rest()

    def _put_right(self) -> bool:
        """Users merge what they entered twice; wrong merges of a steward are taken back."""
        wrong = [u for u in self.people.unions if u.kept != u.other]
        found = bool(self.doubles)
        for double in list(self.doubles):
            self._merge_double(double, self.number)
        for union in reversed(wrong):
            if self._may_be_taken_back(union):
                standing = [u for u in self.people.unions if self._may_be_taken_back(u)]
                found = self.take_back(standing.index(union)) or found
        return found

    def _answer(self) -> None:
        """A steward merges records of one customer where much speaks against it, too, and those
        that users of one system entered twice, or merged there.

        All others are for the hub to find.
        """
        while self.merge():
            self._rest()

    def _one_and_the_same(self, pair: Candidate) -> tuple[Golden, Golden] | None:
        first, second = self.golden_by_id(pair.first_id), self.golden_by_id(pair.second_id)
        identity = self.identity(first.id)
        same = self.identity(second.id) in self.people.group(identity)
        living = first.state == second.state == "live"
        told_apart = any(weight[-1] < -2 for weight in pair.weights)
        told_apart = told_apart or identity in self.merged_there | self.left_doubled
        told_apart = told_apart or any(u.names(identity) for u in self.people.unions)
        wanted = pair.state == "open" and same and living and told_apart
        return (first, second) if wanted else None

    def _rest(self) -> None:
        """Polls and works until nothing waits any more."""
        for _ in range(12):
            self.decide_guards(allow=True)
            self._retry()
            for name in NAMES:
                self.set_state(name, "live")
                self.poll(name)
            self.work()
            if not self._moving():
                return
            self.clock.pass_(301)

    def work(self) -> None:
        """Everything that is due now."""
        for job in self.rows(Job):
            if job.state in {"waiting", "running"}:
                jobs.work(self.hub, job.id)
        for _ in range(60):
            inward, outward = self._due()
            if inward:
                with self.hub.database.read() as session:
                    held = set(session.scalars(select(System.id).where(System.hold_in)))
                inward = [system for system in inward if system not in held]
            if not inward and not outward:
                return
            for system_id in inward:
                take_in.drain(self.hub, system_id, rounds=3)
            for system_id in outward:
                dispatch.drain(self.hub, system_id, rounds=3)
        raise BusyError("the hub works without getting anywhere")

    def _retry(self) -> None:
        with self.hub.database.read() as session:
            letters = list(session.scalars(select(DeadLetter.id).where(DeadLetter.state == "open")))
        if letters:
            decide.retry_letters(self.hub, letters, "user")

    def waiting(self) -> list[str]:
        rows = [f"inbox {r.object} {r.remote_id}: {r.error}" for r in self.rows(Inbox)
                if r.state == "waiting"]  # fmt: skip
        return rows + [f"dirty {r.golden_id} -> {r.system_id} {r.waiting_for} {r.error}"
                       for r in self.rows(Dirty)]  # fmt: skip

    def _moving(self) -> bool:
        """Whether anything waits for more than a decision about a candidate, or is unread."""
        if any(link.pushing and link.state == "live" for link in self.rows(Link)):
            return True  # the next poll reads back what was written
        if any(guard.state == "open" for guard in self.rows(Guard)):
            return True  # somebody decides it with the next round
        held = [row for row in self.rows(Dirty) if row.waiting_for == "review"]
        return len(self.waiting()) > len(held)

    def trouble(self, name: str, kind: str, only: str | None, after: int) -> None:
        self.worlds[name].trouble(
            Trouble(kind=kind, only=only, after=after, calls=1, retry_after=20.0)
        )

    def close_choice(self, name: str, which: int) -> None:
        """An administrator takes a value out of a picklist."""
        left = tuple(value for value in CHOICES if value != CHOICES[which % 4])
        self.worlds[name].switch(choices={"customers.industry": left})
