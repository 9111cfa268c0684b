"""`kehub rollback`: setting a run back, with its plan first."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from webui.cli.groups import json_option
from webui.cli.opening import ACTOR, Here, pass_here

if TYPE_CHECKING:
    from sync.service.rollbacks import RollbackPlan
    from webui.cli.console import Console

SHOWN = 20


@click.command()
@click.argument("run", type=int)
@click.option("--plan", "only_plan", is_flag=True, help="only show what would be done / 仅预演")
@json_option
@pass_here
def rollback(here: Here, run: int, only_plan: bool, as_json: bool) -> None:  # noqa: FBT001
    """Set back what a run changed; what was changed since stays and is listed. / 回滚一次运行。

    `kehub runs` lists them.
    """
    from sync.service import rollbacks  # noqa: PLC0415  loads the engine

    console = here.console
    console.as_json = as_json
    found = rollbacks.rollback_plan(here.hub, run)
    if only_plan:
        if as_json:
            console.answer(asdict(found))
        else:
            _show(console, found)
            console.say("rollback_would", run=run, **_counts(found))
        return
    done = rollbacks.rollback(here.hub, run, ACTOR)
    if not here.has_workers:
        from sync.service import work  # noqa: PLC0415

        while work.work_here(here.hub):
            pass
    if as_json:
        left = [asdict(step) for step in found.left]
        console.answer({"rolled_back": run, **asdict(done), "left_as_is": left})
        return
    _show_left(console, found)
    console.say(
        "rollback_done",
        run=run,
        own=done.run_id,
        fields=done.fields,
        records=done.records,
        left=done.left,
    )


def _show(console: "Console", found: "RollbackPlan") -> None:
    for step in found.set_back[:SHOWN]:
        console.tell(f"  {step.name} {step.path}: {_shown(step.now)} -> {_shown(step.old)}")
    if found.fields > SHOWN:
        console.say("and_more", count=found.fields - SHOWN)
    _show_left(console, found)


def _show_left(console: "Console", found: "RollbackPlan") -> None:
    if found.left:
        console.say("rollback_left", count=found.fields_left)
    for step in found.left[:SHOWN]:
        why = console.translated(step.left)
        console.tell(f"  {step.name} {step.path}: {_shown(step.now)} ({why})")
    if found.fields_left > SHOWN:
        console.say("and_more", count=found.fields_left - SHOWN)
    if found.created:
        console.say("rollback_created", count=len(found.created))


def _shown(value: object) -> str:
    return "-" if value in (None, "", []) else str(value)


def _counts(found: "RollbackPlan") -> dict[str, int]:
    return {"fields": found.fields, "records": found.records, "left": found.fields_left}
