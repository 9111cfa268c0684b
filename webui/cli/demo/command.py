"""`kehub demo`."""

import sys
import time
from typing import TYPE_CHECKING

import click

from sync.settings import Settings
from webui.cli.console import Console
from webui.cli.demo import children
from webui.cli.demo.connect import Connecting
from webui.cli.demo.state import State
from webui.cli.failing import fail
from webui.cli.opening import Here, pass_here
from webui.cli.start import hub_of, own_settings, prepare, random_password, refusals, refuse_second

if TYPE_CHECKING:
    from sync.service.hub import Hub

LOGIN = "admin"


@click.command()
@pass_here
def demo(here: Here) -> None:
    """Start the hub with a real ERP and two CRM stand-ins. / 启动 hub、真实 ERP 与两个 CRM 仿真。

    Ctrl-C stops all of it; started again it goes on where it was.
    """
    from webui.cli.run import run_hub  # noqa: PLC0415  the supervisor

    console, settings, started = here.console, own_settings(), time.monotonic()
    children.need_checkout()
    refuse_second(console, settings)
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    state = State(settings.home)
    state.note(ready=False, url=settings.base_url)
    _first_user(console, settings, state)
    seeds = children.make_seeds(settings.home)
    state.note(truth=str(seeds.absolute() / "truth.json"))
    extras = children.children(settings.home, state.ports(), seeds)
    connecting = Connecting(
        console,
        state,
        children.log_size(settings.home / "log" / "tryton.log"),
        done=lambda hub: _tell(console, settings, state, hub, time.monotonic() - started),
    )
    console.note("demo_starting", home=settings.home.absolute())
    with refusals():
        run_hub(hub_of(settings, console, extras=extras), companion=connecting)
    if connecting.failure:
        fail(console, connecting.failure)


def _first_user(console: Console, settings: Settings, state: State) -> None:
    """The login of the demo; its password and a token are kept for scripts."""
    from sync.service import access  # noqa: PLC0415  loads the engine

    password = str(state.facts.get("password") or random_password())
    hub, made = prepare(console, settings, login=LOGIN, password=password, quiet=True)
    if made:
        state.note(login=LOGIN, password=made)
    if "token" not in state.facts:
        users = {user.login: user.id for user in access.list_users(hub)}
        token, _view = access.create_token(hub, users[LOGIN], "demo", actor="demo")
        state.note(login=LOGIN, token=token)


def _tell(console: Console, settings: Settings, state: State, hub: "Hub", seconds: float) -> None:
    from sync.service.status import status  # noqa: PLC0415

    now = status(hub.settings)
    facts = state.facts
    zoho, fxiaoke, erp = (facts[name]["base_url"] for name in ("zoho", "fxiaoke", "tryton"))
    console.say(
        "demo_ready",
        seconds=f"{seconds:.0f}",
        url=settings.base_url,
        login=facts["login"],
        password=facts.get("password", "—"),
        zoho=zoho,
        fxiaoke=fxiaoke,
        erp=erp,
        python=sys.executable,
        customers=now.customers,
        contacts=now.contacts,
        home=settings.home.absolute(),
        data=settings.home.absolute() / "demo" / "tryton",
        status=console.word("demo_open", **now.open) if any(now.open.values()) else "",
    )
