"""Switches, limits, approval rules, callback settings and credentials."""

from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke.admin.table import Table, body, take
from sandbox.fxiaoke.errors import AdminError
from sandbox.fxiaoke.switches import SWITCHES

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World


def register(table: Table, world: "World") -> None:
    _switches(table, world)
    _callback(table, world)

    @table.call("GET", "/limits", "calls per window, token calls, day quota, state of the app")
    def limits() -> Any:
        return world.limits.all()

    @table.call(
        "POST",
        "/limits",
        "set any of calls, window_ms, token_calls, token_work_ms, day_quota, used_today, "
        "pack_bought, app_enabled, app_authorised",
    )
    def set_limits() -> Any:
        return world.limits.set(body())

    @table.call("POST", "/limits/reset", "empty the sliding windows")
    def reset_windows() -> Any:
        world.limits.window.clear()
        world.limits.token_window.clear()
        return world.limits.all()

    @table.call("GET", "/credentials", "what a client needs to connect")
    def credentials() -> Any:
        return world.credentials

    @table.call("GET", "/approvals", "objects whose writes go through approval")
    def approvals() -> Any:
        return world.approvals

    @table.call("POST", "/approvals", "switch approval per object: {AccountObj: true}")
    def set_approvals() -> Any:
        for name, value in body().items():
            world.describes.for_admin(name)
            if not isinstance(value, bool):
                raise AdminError(f"{name} must be true or false")
            world.approvals[name] = value
        world.database.set_meta("approvals", world.approvals)
        return world.approvals


def _switches(table: Table, world: "World") -> None:
    @table.call("GET", "/switches", "behaviours that no source confirms, with what each decides")
    def switches() -> Any:
        return {
            "switches": world.switches.all(),
            "meaning": {name: spec[2] for name, spec in SWITCHES.items()},
        }

    @table.call("POST", "/switches", "set switches: {name: value}")
    def set_switches() -> Any:
        return {"switches": world.switches.set(body())}


def _callback(table: Table, world: "World") -> None:
    @table.call("GET", "/callback", "where events go, faults, totals")
    def callback() -> Any:
        return world.events.report()

    @table.call(
        "POST",
        "/callback",
        "set {url, objects ([] is all), retry_delay_ms}; an empty url sends nothing",
    )
    def set_callback() -> Any:
        given = body()
        for name in take(given, "objects", list, []):
            world.describes.for_admin(name)
        return world.events.configure(given)

    @table.call(
        "POST", "/callback/faults", "next deliveries: {drop, duplicate, reorder: counts, delay_ms}"
    )
    def faults() -> Any:
        return world.events.set_faults(body())

    @table.call("GET", "/callback/log", "the last deliveries and how they were answered")
    def log() -> Any:
        return {"deliveries": world.events.recent()}
