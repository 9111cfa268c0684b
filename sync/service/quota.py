"""How much of its daily call budget each system has used, and until when the rest lasts."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from sync.core import usage as rules
from sync.flow import usage
from sync.flow.hub import Hub
from sync.service.errors import NotFoundError, ServiceError
from sync.store import audit, state
from sync.store.tables import System


@dataclass(frozen=True, slots=True)
class QuotaView:
    """A system's calls of today; `used_up_at` (aware UTC) only where the budget will not last."""

    system: str
    budget: int | None
    used: int
    per_hour: float
    used_up_at: datetime | None

    @property
    def left(self) -> int | None:
        """Calls that are left today; None without a budget."""
        return None if self.budget is None else max(0, self.budget - self.used)


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
            raise NotFoundError(f"There is no system named “{name}”.", code="no_system", name=name)
        state.put(tx, _budget_key(system_id), {"calls": calls}, hub.now())
        facts = {"calls": calls}
        audit.note(tx, actor=actor, action="quota.budget", subject=name, now=hub.now(), facts=facts)


def _budget_key(system_id: int) -> str:
    return f"budget:{system_id}"
