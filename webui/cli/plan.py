"""`kehub plan` and `kehub apply`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from webui.cli.console import Console, Exit
from webui.cli.failing import CommandError
from webui.cli.following import Follower
from webui.cli.groups import json_option
from webui.cli.opening import ACTOR, Here, pass_here

if TYPE_CHECKING:
    from sync.service.plans import PlanView

SHOWN = 10


@click.command()
@click.argument("systems", nargs=-1, metavar="[SYSTEM]...")
@json_option
@pass_here
def plan(here: Here, systems: Sequence[str], as_json: bool) -> None:  # noqa: FBT001
    """Read everything and show what going live would do; nothing is written. / 预演上线。

    Without names: every system that is not live yet.
    """
    console = here.console
    console.as_json = as_json
    with console.board() as board:
        follower = Follower(here.hub, console, board, has_workers=here.has_workers)
        made = follower.plan(systems, actor=ACTOR)
    if made.state != "ready":
        raise CommandError("plan_failed", id=made.id, reason=console.translated(made.error))
    if as_json:
        console.answer(as_object(made, console.language))
    else:
        show(console, made)


@click.command()
@click.argument("number", type=int, required=False, metavar="[PLAN]")
@json_option
@pass_here
def apply(here: Here, number: int | None, as_json: bool) -> None:  # noqa: FBT001
    """Carry a plan out (the newest one that is ready) and wait until it is done. / 执行预演。"""
    from sync.service import plans, work  # noqa: PLC0415  loads the engine

    console = here.console
    console.as_json = as_json
    chosen = number or next(
        (p.id for p in plans.list_plans(here.hub) if p.state in {"ready", "applying"}), None
    )
    if chosen is None:
        raise CommandError("no_ready_plan", status=Exit.USAGE)
    with console.board() as board:
        follower = Follower(here.hub, console, board, has_workers=here.has_workers)
        follower.apply(chosen, actor=ACTOR)
        rest = follower.wait()
    stuck = work.broken(here.hub)
    if as_json:
        console.answer({"plan": chosen, "state": "applied", "rest": rest.as_json()})
    for name, (reason, hint) in stuck.items():
        told, how = console.translated(reason), console.translated(hint)
        console.note("system_broken", name=name, reason=told, hint=how)
    if rest.blocked or stuck:
        raise click.exceptions.Exit(int(Exit.WAITS))


def as_object(made: "PlanView", language: str) -> dict[str, Any]:
    """Counts and the first problems, for scripts."""
    summary = dict(made.summary)
    told = [one | {"message": one["message"][language]} for one in summary.get("misfits", ())]
    summary["misfits"] = told
    return {
        "plan": made.id,
        "kind": made.kind,
        "state": made.state,
        "systems": list(made.systems),
        **summary,
    }


def show(console: Console, made: "PlanView", *, after: str = "plan_next") -> None:
    """The same for people, and what comes next."""
    summary = made.summary
    rows = []
    for name, objects in summary.get("taken_in", {}).items():
        for object_name, counts in objects.items():
            rows.append((name, object_name, *_counts(counts)))
    if rows:
        console.table(("name", "object", "read", "new", "linked", "changed"), rows)
    writes = [
        (name, object_name, ops.get("create", 0), ops.get("update", 0), part.get("calls", 0))
        for name, part in summary.get("writes", {}).items()
        for object_name, ops in part.get("objects", {}).items()
    ]
    if writes:
        console.table(("name", "object", "creates", "updates", "calls"), writes)
    console.say(
        "plan_counts",
        goldens=", ".join(f"{k} {v}" for k, v in dict(summary.get("goldens", {})).items()) or "0",
        conflicts=summary.get("conflicts", 0),
        candidates=summary.get("candidates", 0),
        problems=summary.get("problem_count", 0),
    )
    for problem in list(summary.get("problems", []))[:SHOWN]:
        where = f"{problem['system']} {problem['object']} {problem['remote_id']}"
        console.tell(f"  {where}: {console.translated(problem['message'])}")
    for part in summary.get("writes", {}).values():
        for line in list(part.get("problems", []))[:SHOWN]:
            console.tell(f"  {line}")
    for one in summary.get("misfits", []):
        where = f"{one['system']} {one['object']} {one['rule']}"
        console.tell(f"{console.word('level_error')}  {where}: {one['message'][console.language]}")
    console.say(after, id=made.id)


def _counts(counts: Mapping[str, int]) -> tuple[int, int, int, int]:
    names = ("read", "new", "linked", "fields_changed")
    read, new, linked, changed = (counts.get(name, 0) for name in names)
    return read, new, linked, changed
