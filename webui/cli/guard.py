"""`kehub guard`: mass changes that wait for a decision."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from webui.cli.groups import Told, json_option
from webui.cli.opening import ACTOR, Here, pass_here
from webui.guard_words import ALLOW, REFUSE


@click.group(cls=Told)
def guard() -> None:
    """Mass changes that wait for a decision. / 待确认的批量变更。"""


@guard.command("list")
@json_option
@pass_here
def list_(here: Here, as_json: bool) -> None:  # noqa: FBT001
    """What was stopped, and why. / 列出被拦下的变更及原因。"""
    from sync.service import review  # noqa: PLC0415  loads the engine

    console = here.console
    console.as_json = as_json
    found = review.list_guards(here.hub, limit=100)
    if as_json:
        console.answer([asdict(row) for row in found.rows])
        return
    if not found.rows:
        console.say("no_guards")
        return
    for row in found.rows:
        console.tell(f"{row.id}  {row.system}  {console.translated(row.reason)}")
        for _golden, name in row.records[:5]:
            console.tell(f"    {name}")
        for place, form in row.facts.get("forms", {}).items():
            console.tell(f"    {place}: {form}")
        for command, table in (("allow", ALLOW), ("refuse", REFUSE)):
            pair = table.get(row.kind)
            if pair:
                words = pair[console.language == "zh"]
                console.tell(f"    kehub guard {command} {row.id}    {words}")


@guard.command()
@click.argument("ids", nargs=-1, type=int, required=True)
@pass_here
def allow(here: Here, ids: Sequence[int]) -> None:
    """Let it happen. / 允许。"""
    _decide(here, ids, allow=True)


@guard.command()
@click.argument("ids", nargs=-1, type=int, required=True)
@pass_here
def refuse(here: Here, ids: Sequence[int]) -> None:
    """Do not let it happen. / 拒绝。"""
    _decide(here, ids, allow=False)


def _decide(here: Here, ids: Sequence[int], *, allow: bool) -> None:
    from sync.service import review  # noqa: PLC0415

    for guard_id in ids:
        view = review.decide_guard(here.hub, guard_id, allow=allow, actor=ACTOR)
        here.console.say(f"guard_{view.state}", id=guard_id, system=view.system)
