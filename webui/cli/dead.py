"""`kehub dead`: records that could not be processed."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from webui.cli.failing import CommandError
from webui.cli.groups import Told, json_option
from webui.cli.opening import ACTOR, Here, pass_here

if TYPE_CHECKING:
    from sync.service.hub import Hub


@click.group(cls=Told)
def dead() -> None:
    """Records that could not be processed. / 处理失败的记录。"""


@dead.command("list")
@click.option("--system", help="only of this system / 仅此系统")
@click.option("--limit", default=50, show_default=True)
@json_option
@pass_here
def list_(here: Here, system: str | None, limit: int, as_json: bool) -> None:  # noqa: FBT001
    """The newest first: what, where and why. / 列出失败记录及原因。"""
    from sync.service import letters  # noqa: PLC0415  loads the engine

    console = here.console
    console.as_json = as_json
    found = letters.list_letters(here.hub, system=system, limit=limit)
    if as_json:
        console.answer([asdict(row) for row in found.rows])
        return
    if not found.rows:
        console.say("no_dead")
        return
    for row in found.rows:
        way = console.word(f"way_{row.reason.direction}")
        what = row.golden_name or row.remote_id or ""
        console.tell(f"{row.id}  {way} {row.reason.system} {row.reason.object} {what}")
        console.tell(f"    {console.translated(row.message)}")
    console.say("dead_next", count=found.total)


@dead.command()
@click.argument("ids", nargs=-1, type=int)
@click.option("--all", "every", is_flag=True, help="all open ones / 全部")
@click.option("--system", help="all of this system / 此系统的全部")
@pass_here
def retry(here: Here, ids: Sequence[int], every: bool, system: str | None) -> None:  # noqa: FBT001
    """Try them again; each comes back if nothing was mended. / 重试。"""
    from sync.service import letters  # noqa: PLC0415

    count = letters.retry(here.hub, _chosen(here.hub, ids, system, every=every), actor=ACTOR)
    here.console.say("dead_retried", count=count)
    if count and not here.has_workers:
        from sync.service import work  # noqa: PLC0415

        while work.work_here(here.hub):
            pass


@dead.command()
@click.argument("ids", nargs=-1, type=int)
@click.option("--all", "every", is_flag=True, help="all open ones / 全部")
@click.option("--system", help="all of this system / 此系统的全部")
@pass_here
def discard(here: Here, ids: Sequence[int], every: bool, system: str | None) -> None:  # noqa: FBT001
    """Close them without another try. / 放弃，不再重试。"""
    from sync.service import letters  # noqa: PLC0415

    count = letters.discard(here.hub, _chosen(here.hub, ids, system, every=every), actor=ACTOR)
    here.console.say("dead_discarded", count=count)


def _chosen(hub: "Hub", ids: Sequence[int], system: str | None, *, every: bool) -> list[int]:
    from sync.service import letters  # noqa: PLC0415

    if not (ids or every or system):
        raise click.UsageError("IDS, --system or --all / 请给出编号、--system 或 --all")
    if not ids:
        return letters.ids_of(hub, system=system)
    known = set(letters.ids_of(hub))
    for letter_id in ids:
        if letter_id not in known:
            raise CommandError("no_such_dead", id=letter_id)
    return list(ids)
