"""`kehub quota`: the calls that each system may have, has had, and until when the rest lasts."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from webui.cli.groups import json_option
from webui.cli.opening import ACTOR, Here, pass_here
from webui.cli.status import tell_budget

if TYPE_CHECKING:
    from sync.service.quota import QuotaView


@click.command()
@click.argument("system", required=False)
@click.option("--set", "calls", type=int, help="calls per day / 每日调用额度")
@click.option("--unlimited", is_flag=True, help="no daily budget / 不设额度")
@json_option
@pass_here
def quota(
    here: Here,
    system: str | None,
    calls: int | None,
    unlimited: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Calls of today, the daily budget and its forecast, the vendor's limits. / 调用额度。"""
    from sync.service import quota as service  # noqa: PLC0415  loads the engine

    console = here.console
    console.as_json = as_json
    if calls is not None or unlimited:
        if system is None or (calls is not None and unlimited):
            raise click.UsageError("SYSTEM and one of --set, --unlimited / 请给出系统和一个选项")
        service.set_daily_budget(here.hub, system, calls, actor=ACTOR)
    one = [service.get_quota(here.hub, system)] if system else None
    found = service.list_quotas(here.hub) if one is None else one
    if as_json:
        console.answer([_object(here, each) for each in found])
        return
    for each in found:
        if each.budget is None:
            console.say("budget_none", name=each.system, used=each.used)
        else:
            tell_budget(console, each.system, each.used, each.budget, each.used_up_at)
        for limit in service.interfaces(here.hub, each.system):
            console.say(
                "budget_limit",
                interface=limit.interface,
                calls=limit.calls,
                seconds=f"{limit.seconds:g}",
                left="?" if limit.left is None else int(limit.left),
            )
            if limit.shut_seconds:
                console.say("budget_shut", seconds=int(limit.shut_seconds) + 1)
    if not found:
        console.say("no_systems")


def _object(here: Here, each: "QuotaView") -> dict[str, object]:
    from sync.service import quota as service  # noqa: PLC0415

    return {
        **asdict(each),
        "left": each.left,
        "interfaces": [asdict(limit) for limit in service.interfaces(here.hub, each.system)],
        "lanes": asdict(service.lanes(here.hub, each.system)),
    }
