"""Faults for histories: a crash, or a user's edit, at the Nth place where the hub touches a world.

Places are each commit (before and after) and each remote call (before, after each record, after
the last). A crash is no Exception: nothing in the hub may catch it, as nothing catches kill -9.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from connectors.memory.connector import Memory
from connectors.sdk.errors import AnswerLostError
from sync.gateway.systems import OpenSystem, Systems
from sync.store.session import Database, Tx


class Crash(BaseException):
    """The process died here."""


@dataclass
class Faults:
    """Counts the places that are passed and acts at the planned one."""

    places: int = 0
    at: int = 0  # 0: nothing is planned
    act: Callable[[], None] | None = None  # None: crash
    remote_only: bool = False
    dead: bool = False
    crashes: int = 0
    names: list[str] = field(default_factory=list)  # of the places that were passed

    def plan(self, at: int, act: Callable[[], None] | None = None, *, remote_only=False) -> None:
        self.places, self.at, self.act, self.remote_only = 0, at, act, remote_only

    def clear(self) -> None:
        self.at, self.act, self.dead = 0, None, False

    def reach(self, name: str, *, remote: bool) -> None:
        if self.dead:
            raise Crash
        self.names.append(name)
        if not self.at or (self.remote_only and not remote):
            return
        self.places += 1
        if self.places < self.at:
            return
        self.at, act = 0, self.act
        if act is None:
            self.dead = True
            self.crashes += 1
            raise Crash
        act()


def _caller() -> str:
    """Module and function of ours that opened the transaction."""
    frame = inspect.currentframe()
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.startswith("sync.") and name != "sync.store.session":
            return f"{name}.{frame.f_code.co_name}"
        frame = frame.f_back
    return "a test"


class FaultyDatabase(Database):
    """A database whose process may die before and after each commit."""

    faults: Faults

    @contextmanager
    def write(self) -> Iterator[Tx]:
        where = _caller()
        with super().write() as tx:
            yield tx
            tx.flush()
            self.faults.reach(f"before commit of {where}", remote=False)
        self.faults.reach(f"after commit of {where}", remote=False)


class FaultyMemory(Memory):
    """The memory connector on a line that may break at every call."""

    faults: Faults

    def changes(self, object_name, since):
        for page in super().changes(object_name, since):
            self.faults.reach("page read", remote=True)
            yield page

    def unkeyed(self, object_name, since):
        for page in super().unkeyed(object_name, since):
            self.faults.reach("page read", remote=True)
            yield page

    def fetch(self, object_name, ids):
        self.faults.reach("before fetch", remote=True)
        found = list(super().fetch(object_name, ids))
        self.faults.reach("after fetch", remote=True)
        yield from found

    def write(self, object_name, batch):
        if self.conditional:  # else the moment between reading back and writing is the vendor's
            self.faults.reach("before write", remote=True)
        answers = super().write(object_name, batch)
        while True:
            try:
                outcome = next(answers, None)
            except AnswerLostError:
                self.faults.reach("answer lost", remote=True)
                raise
            if outcome is None:
                break
            yield outcome
            self.faults.reach("record written", remote=False)
        self.faults.reach("after write", remote=True)

    def merge(self, object_name, winner_id, loser_ids):
        self.faults.reach("before merge", remote=True)
        super().merge(object_name, winner_id, loser_ids)
        self.faults.reach("after merge", remote=True)

    def find(self, object_name, keys):
        found = super().find(object_name, keys)
        self.faults.reach("after find", remote=True)
        return found


_SPECS: dict = {}


class FaultySystems(Systems):
    """Opens every system with the faulty connector."""

    def __init__(self, *args, faults: Faults) -> None:
        super().__init__(*args)
        self._faults = faults
        self._specs = _SPECS  # all histories have the same mappings
        self._faulty: dict[int, tuple[object, FaultyMemory]] = {}

    def open(self, system_id: int) -> OpenSystem:
        opened = super().open(system_id)
        known = self._faulty.get(system_id)
        if known is None or known[0] is not opened.connector:
            connector = FaultyMemory(opened.connector.config, opened.connector.http)
            connector.faults = self._faults
            known = self._faulty[system_id] = (opened.connector, connector)
        return replace(opened, connector=known[1])
