"""`kehub erase`: persons and firms that ask to be forgotten."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from webui.cli.console import Exit
from webui.cli.groups import Told, json_option
from webui.cli.opening import ACTOR, Here, pass_here

if TYPE_CHECKING:
    from sync.service.privacy import ErasureView


@click.group(cls=Told)
def erase() -> None:
    """Erase a person everywhere, on request. / 应要求删除个人数据。"""


@erase.command()
@click.argument("record")
@json_option
@pass_here
def preview(here: Here, record: str, as_json: bool) -> None:  # noqa: FBT001
    """What each system would do; nothing is done. / 预览各系统的操作。"""
    from sync.service import privacy  # noqa: PLC0415  loads the engine

    console = here.console
    console.as_json = as_json
    found = privacy.preview(here.hub, record)
    if as_json:
        console.answer(asdict(found))
        return
    console.say("erase_of", name=found.name, contacts=found.contacts)
    for one in found.records:
        action = console.word(f"erase_{one.action}", documents=one.documents)
        console.tell(f"  {one.system} {one.object} {one.remote_id}: {action}")
    for fact in found.shared:
        console.say("erase_shared", value=fact.value, count=fact.others)
    console.say("erase_next", record=found.golden_id)


@erase.command()
@click.argument("record")
@click.option("--reference", default="", help="letter or ticket / 来函或工单编号")
@click.option("--yes", is_flag=True, help="do not ask / 不再确认")
@json_option
@pass_here
def person(here: Here, record: str, reference: str, yes: bool, as_json: bool) -> None:  # noqa: FBT001
    """Erase a record for good, here and everywhere. / 永久删除。"""
    from sync.service import privacy  # noqa: PLC0415

    console = here.console
    console.as_json = as_json
    found = privacy.preview(here.hub, record)
    if not yes:
        typed = console.ask(console.word("erase_sure", name=found.name))
        if typed.strip() != found.name.strip():
            console.say("erase_not")
            console.status = Exit.WAITS
            raise click.exceptions.Exit(int(Exit.WAITS))
    _show(here, privacy.erase(here.hub, record, actor=ACTOR, reference=reference))


@erase.command("list")
@json_option
@pass_here
def list_(here: Here, as_json: bool) -> None:  # noqa: FBT001
    """All requests. / 列出全部请求。"""
    from sync.service import privacy  # noqa: PLC0415

    console = here.console
    console.as_json = as_json
    rows = privacy.list_erasures(here.hub, limit=200).rows
    if as_json:
        console.answer([asdict(row) for row in rows])
        return
    if not rows:
        console.say("no_erasures")
    for row in rows:
        state = console.word(f"erasure_{row.state}", waiting=row.waiting)
        console.tell(f"{row.id}  {state}  {row.reference}")


@erase.command()
@click.argument("request")
@json_option
@pass_here
def show(here: Here, request: str, as_json: bool) -> None:  # noqa: FBT001
    """One request system by system; with --json its certificate. / 查看请求与删除证明。"""
    from sync.service import privacy  # noqa: PLC0415

    here.console.as_json = as_json
    _show(here, privacy.get_erasure(here.hub, request))


@erase.command()
@click.argument("request")
@json_option
@pass_here
def retry(here: Here, request: str, as_json: bool) -> None:  # noqa: FBT001
    """Ask every system again that has not answered. / 立即重试。"""
    from sync.service import privacy  # noqa: PLC0415

    here.console.as_json = as_json
    _show(here, privacy.retry(here.hub, request))


@erase.command()
@click.argument("step", type=int)
@click.option("--note", default="", help="how it was done / 处理方式")
@pass_here
def confirm(here: Here, step: int, note: str) -> None:
    """A record was erased by hand where the hub cannot. / 确认已人工删除。"""
    from sync.service import privacy  # noqa: PLC0415

    _show(here, privacy.confirm(here.hub, step, actor=ACTOR, note=note))


@erase.command()
@click.argument("request")
@pass_here
def lift(here: Here, request: str) -> None:
    """The person may come back. / 允许此人再次录入。"""
    from sync.service import privacy  # noqa: PLC0415

    privacy.lift(here.hub, request, actor=ACTOR)
    here.console.say("erasure_lifted")


def _show(here: Here, view: "ErasureView") -> None:
    console = here.console
    if console.as_json:
        console.answer(dict(view.certificate) or asdict(view))
    else:
        console.tell(view.row.id)
        for step in view.steps:
            what = console.word(f"erase_{(step.outcome or step.state).replace(' ', '_')}")
            note = console.translated(step.note)
            console.tell(f"  {step.id}  {step.system} {step.object}: {what} {note}".rstrip())
        console.say(f"erasure_{view.row.state}", waiting=view.row.waiting)
    if view.row.state != "done":
        raise click.exceptions.Exit(int(Exit.WAITS))
