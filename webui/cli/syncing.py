"""`kehub sync` and `kehub reconcile`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from webui.cli.console import Console, Exit
from webui.cli.failing import CommandError
from webui.cli.following import Follower
from webui.cli.groups import json_option
from webui.cli.opening import ACTOR, Here, pass_here

if TYPE_CHECKING:
    from sync.service.work import Rest


@click.command()
@click.argument("systems", nargs=-1, metavar="[SYSTEM]...")
@click.option("--wait", is_flag=True, help="return when nothing waits any more / 等到全部处理完")
@click.option(
    "--patience",
    default=180.0,
    show_default=True,
    help="give up after so many seconds without progress / 无进展多少秒后放弃",
)
@json_option
@pass_here
def sync(
    here: Here,
    systems: Sequence[str],
    wait: bool,  # noqa: FBT001
    patience: float,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Poll now: all live systems, or those named. / 立即轮询。

    Without a running hub the work is done by this command.
    """
    from sync.service import work  # noqa: PLC0415  loads the engine

    console = here.console
    console.as_json = as_json
    work.check_names(here.hub, systems)
    since = work.ask_for_polls(here.hub, systems)
    if here.has_workers and not wait:
        console.say("sync_asked")
        if as_json:
            console.answer(work.rest(here.hub, systems).as_json())
        return
    with console.board() as board:
        follower = Follower(
            here.hub, console, board, has_workers=here.has_workers, patience=patience
        )
        rest = follower.wait(systems, polled_since=since)
    if as_json:
        console.answer(rest.as_json())
    finish(console, rest, work.broken(here.hub, systems))


def finish(console: Console, rest: "Rest", stuck: dict[str, tuple[str, str]]) -> None:
    """Says what only a person can move on, and ends with the status for it."""
    for name, (reason, hint) in stuck.items():
        told, how = console.translated(reason), console.translated(hint)
        console.note("system_broken", name=name, reason=told, hint=how)
    for name, reason in rest.blocked.items():
        if name not in stuck:
            console.note("system_blocked", name=name, reason=console.translated(reason))
    for name, count in rest.orphans.items():  # told, no failure: the refused ones are told as such
        console.note("system_orphans", name=name, count=count)
    if stuck or rest.blocked:
        raise click.exceptions.Exit(int(Exit.WAITS))


@click.command()
@click.argument("systems", nargs=-1, metavar="[SYSTEM]...")
@click.option("--dry-run", is_flag=True, help="only show what would be done / 仅预演")
@click.option("--wait/--no-wait", default=True, help="wait for the repair / 等待修复完成")
@json_option
@pass_here
def reconcile(
    here: Here,
    systems: Sequence[str],
    dry_run: bool,  # noqa: FBT001
    wait: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Read live systems as a whole, take in what differs, set right what disagrees. / 全量核对。"""
    from sync.service import status as quick  # noqa: PLC0415
    from sync.service import systems as known  # noqa: PLC0415
    from sync.service import work  # noqa: PLC0415

    console = here.console
    console.as_json = as_json
    work.check_names(here.hub, systems)
    if dry_run:
        _dry(here, known.list_systems(here.hub), systems)
        return
    before = quick.status(here.settings).writes
    with console.board() as board:
        follower = Follower(here.hub, console, board, has_workers=here.has_workers)
        result = follower.reconcile(systems, actor=ACTOR)
        rest = follower.wait() if wait else work.rest(here.hub)
    after = quick.status(here.settings)
    answer = _answer(result, rest, after.writes - before, after.open["dead_letters"])
    answer["problems"] = _problems(here)
    if as_json:
        console.answer(answer)
    else:
        console.say("reconciled", **{k: answer[k] for k in ("read", "changed", "writes")})
        for line in answer["problems"]:
            console.tell(f"  {line['system']} {line['object']}: {line['message']}")
    finish(console, rest, work.broken(here.hub, systems))


def _answer(result: dict[str, Any], rest: "Rest", writes: int, dead: int) -> dict[str, Any]:
    return {
        "run": result["run"],
        "read": sum(sum(objects.values()) for objects in result["read"].values()),
        "read_by_system": result["read"],
        "changed": sum(result["changed"].values()),
        "changed_by_system": result["changed"],
        "differing": sum(result["differing"].values()),
        "differing_by_system": result["differing"],
        "writes": writes,
        "dead_letters": dead,
        "rest": rest.as_json(),
    }


def _problems(here: Here) -> list[dict[str, Any]]:
    """The first dead letters, newest first."""
    from sync.service import letters  # noqa: PLC0415

    found = letters.list_letters(here.hub, limit=10)
    return [
        {
            "system": row.reason.system,
            "object": row.reason.object,
            "remote_id": row.remote_id,
            "message": row.message,
        }
        for row in found.rows
    ]


def _dry(here: Here, views: Sequence[Any], names: Sequence[str]) -> None:
    from webui.cli.plan import as_object, show  # noqa: PLC0415

    console = here.console
    live = [
        view.name for view in views if view.state == "live" and (not names or view.name in names)
    ]
    if not live:
        raise CommandError("nothing_live", status=Exit.USAGE)
    with console.board() as board:
        follower = Follower(here.hub, console, board, has_workers=here.has_workers)
        made = follower.plan(live, actor=ACTOR)
    if made.state != "ready":
        raise CommandError("plan_failed", id=made.id, reason=console.translated(made.error))
    if console.as_json:
        console.answer(as_object(made, console.language))
    else:
        show(console, made)
