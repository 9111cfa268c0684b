"""`kehub status`: as quick as it can be, scripts ask in loops."""

from datetime import datetime

import click

from webui.cli.console import Console
from webui.cli.opening import Here, pass_here


@click.command()
@click.option("--json", "as_json", is_flag=True, help="one object for scripts / 输出 JSON")
@pass_here
def status(here: Here, as_json: bool) -> None:  # noqa: FBT001  click gives flags by name
    """How the hub is. / 当前状态。"""
    from sync.service import disk  # noqa: PLC0415
    from sync.service import status as service  # noqa: PLC0415  loads the settings

    console = here.console
    console.as_json = as_json
    found = service.status(here.settings)
    if as_json:
        console.answer(found.as_json())
        return
    if not service.has_tables(here.settings):
        console.say("not_set_up")
        return
    runs = service.running(here.settings.home) is not None
    console.say(
        "status_head" if found.ready else "status_not_ready" if runs else "status_stopped",
        url=found.url,
    )
    if disk.is_low(here.settings.home):
        free = disk.free(here.settings.home) // 1_000_000
        console.say("disk_low", home=here.settings.home.absolute(), free=free)
    if found.restore:
        moment = str(found.restore["backup_of"])[:19].replace("T", " ")
        console.say("restore_waits", moment=moment)
    console.say(
        "status_counts", customers=found.customers, contacts=found.contacts, writes=found.writes
    )
    console.say("status_open", **found.open)
    if found.systems:
        rows = [
            (
                system.name,
                system.kind,
                console.word(f"state_{system.state}"),
                system.waiting,
                f"{system.lag_seconds:.0f}",
                system.calls["read"],
                system.calls["write"],
                system.url,
            )
            for system in found.systems
        ]
        names = ("name", "kind", "state", "waiting", "lag", "reads", "writes", "url")
        console.table(names, rows)
    for budget in found.budgets:
        tell_budget(console, budget.system, budget.used, budget.calls, budget.used_up_at)


def tell_budget(
    console: Console, name: str, used: int, calls: int, used_up_at: datetime | None
) -> None:
    """A day's budget and how long it lasts, in the zone of the terminal."""
    if used >= calls:
        console.say("budget_gone", name=name, used=used, calls=calls)
    elif used_up_at is not None:
        moment = f"{used_up_at.astimezone():%H:%M}"
        console.say("budget_ends", name=name, used=used, calls=calls, moment=moment)
    else:
        console.say("budget_lasts", name=name, used=used, calls=calls)
