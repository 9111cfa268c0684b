"""How much of its daily call budget each system has used, and until when the rest lasts."""

from dataclasses import dataclass
from datetime import datetime

from redis.exceptions import RedisError
from sqlalchemy import func, select, true

from connectors.sdk import registry
from sync.core import usage as rules
from sync.flow import usage
from sync.flow.hub import Hub
from sync.gateway.systems import read_config
from sync.service.errors import ServiceError
from sync.service.named import system_named, unknown_system
from sync.store import audit, state
from sync.store.tables import INTERACTIVE, Dirty, Inbox, System


@dataclass(frozen=True, slots=True)
class QuotaView:
    """A system's calls of today; `used_up_at` (aware UTC) only where the budget will not last."""

    system: str
    budget: int | None
    used: int
    per_hour: float
    used_up_at: datetime | None

    @property
    def share(self) -> float | None:
        """How much of the budget is used, 0 to 1; None without a budget."""
        return None if self.budget is None else min(1.0, self.used / self.budget)

    @property
    def left(self) -> int | None:
        """Calls that are left today; None without a budget."""
        return None if self.budget is None else max(0, self.budget - self.used)


@dataclass(frozen=True, slots=True)
class InterfaceView:
    """A limit of the vendor over all workers: so many calls in so many seconds.

    `left` is what may be called at once now; `shut_seconds` how long the vendor asked to wait.
    Both None where the broker that keeps them is away.
    """

    interface: str
    calls: int
    seconds: float
    left: float | None
    shut_seconds: float | None


@dataclass(frozen=True, slots=True)
class Lanes:
    """What waits in either direction: what people did goes first, loads and repairs after it."""

    interactive: int
    bulk: int


def interfaces(hub: Hub, name: str) -> list[InterfaceView]:
    """The limits that a system's connector keeps to."""
    with hub.database.read() as session:
        row = system_named(session, name)
        kind, system_id, stored = row.kind, row.id, dict(row.settings)
        sealed = row.credentials
    connector = registry.get(kind)
    config = read_config(connector, {**stored, **hub.systems.credentials(system_id, sealed)})
    views = []
    for interface, rate in connector.rates(config).items():
        try:
            left, shut = hub.systems.buckets.look(f"{name}:{interface}", rate)
        except RedisError:
            views.append(InterfaceView(interface, rate.calls, rate.seconds, None, None))
        else:
            views.append(InterfaceView(interface, rate.calls, rate.seconds, left, shut))
    return views


def lanes(hub: Hub, name: str) -> Lanes:
    """What waits for a system, by lane."""
    counts = [0, 0]
    with hub.database.read() as session:
        system_id = system_named(session, name).id
        for table, where in ((Inbox, Inbox.state == "waiting"), (Dirty, true())):
            query = (
                select(table.lane, func.count())
                .where(table.system_id == system_id, where)
                .group_by(table.lane)
            )
            for lane, count in session.execute(query):
                counts[int(lane != INTERACTIVE)] += count
    return Lanes(*counts)


def get_quota(hub: Hub, name: str) -> QuotaView:
    """One system's."""
    found = next((each for each in list_quotas(hub) if each.system == name), None)
    if found is None:
        raise unknown_system(name)
    return found


def list_quotas(hub: Hub) -> list[QuotaView]:
    """All systems, in the order they were added."""
    now = hub.now()
    start = rules.day_start(now, hub.settings.quota_utc_offset)
    with hub.database.read() as session:
        rows = list(session.scalars(select(System).order_by(System.id)))
        facts = {row.id: state.get(session, usage.key_of(row.id)) for row in rows}
        budgets = {row.id: state.get(session, _budget_key(row.id)).get("calls") for row in rows}
    views = []
    for row in rows:
        total = row.calls_read + row.calls_write
        found = rules.forecast(
            usage.samples_of(facts[row.id]), now, total, budget=budgets[row.id], start=start
        )
        views.append(
            QuotaView(row.name, budgets[row.id], found.used, found.per_hour, found.used_up_at)
        )
    return views


def set_daily_budget(hub: Hub, name: str, calls: int | None, *, actor: str = "") -> None:
    """How many calls a system's contract allows per day; None: not limited, or not known."""
    if calls is not None and calls < 1:
        raise ServiceError("A daily budget is at least one call.", code="bad_budget")
    with hub.database.write() as tx:
        system_id = tx.scalar(select(System.id).where(System.name == name))
        if system_id is None:
            raise unknown_system(name)
        state.put(tx, _budget_key(system_id), {"calls": calls}, hub.now())
        facts = {"calls": calls}
        audit.note(tx, actor=actor, action="quota.budget", subject=name, now=hub.now(), facts=facts)


def _budget_key(system_id: int) -> str:
    return f"budget:{system_id}"
