"""`kehub mapping`: trying mappings before and after they go live."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webui.cli.console import Console, Exit
from webui.cli.failing import CommandError
from webui.cli.groups import Told, json_option
from webui.cli.opening import ACTOR, Here, is_set_up, pass_here

if TYPE_CHECKING:
    from sync.service.mapping_versions import MappingView


@click.group(cls=Told)
def mapping() -> None:
    r"""Check, try and change mappings. / 检查、试用与更换字段映射。

    \b
    A new version:  kehub mapping add SYSTEM FILE   keeps it as a draft
                    kehub mapping plan ID           shows what it would change
                    kehub mapping activate ID       makes it the live one
    """


@mapping.command()
@click.argument("what", metavar="SYSTEM|FILE.yaml")
@click.option("--system", default="", help="the system that a file is for / 文件对应的系统")
@json_option
@pass_here
def lint(here: Here, what: str, system: str, as_json: bool) -> None:  # noqa: FBT001
    """Hold a system's live mappings, or a file, against the remote fields. / 检查映射。"""
    from sync.service import mappings  # noqa: PLC0415  loads the engine

    console = here.console
    console.as_json = as_json
    path = Path(what)
    is_file = path.suffix in {".yaml", ".yml"}
    if is_file:
        hub = here.hub if system or is_set_up(here.settings) else None
        found = mappings.lint_file(hub, path, system, console.language)
    else:
        found = mappings.lint_system(here.hub, what, console.language)
    if as_json:
        console.answer([asdict(one) for one in found])
    else:
        for one in found:
            level = console.word(f"level_{one.level}")
            console.tell(f"{level}  {one.object} {one.rule}: {one.message}")
        if is_file and not system:
            console.say("mapping_loads", file=what)
        elif not found:
            console.say("mapping_fits", what=what)
    if any(one.level == "error" for one in found):
        raise click.exceptions.Exit(int(Exit.FAILED))


@mapping.command()
@click.argument("system")
@click.option("--object", "object_name", default="", help="only this object / 仅此对象")
@click.option("--count", default=5, show_default=True, help="records of each object / 每个对象条数")
@click.option("--id", "ids", multiple=True, help="these records / 指定记录")
@click.option("--file", "path", type=click.Path(path_type=Path), help="by this mapping / 用此文件")
@json_option
@pass_here
def preview(
    here: Here,
    system: str,
    object_name: str,
    count: int,
    ids: Sequence[str],
    path: Path | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Show how remote records would look in the hub; nothing is kept. / 预览记录的标准形式。"""
    from sync.service import mappings  # noqa: PLC0415

    console = here.console
    console.as_json = as_json
    found = mappings.preview(
        here.hub,
        system,
        object_name=object_name,
        count=count,
        ids=ids,
        path=path,
        language=console.language,
    )
    if as_json:
        console.answer([asdict(one) for one in found])
    for one in [] if as_json else found:
        note = console.word("left_out") if one.left_out else ""
        console.tell(f"{one.object} {one.remote_id} {note}".rstrip())
        if one.error:
            console.tell(f"    ! {one.error}")
        for name, value in one.values.items():
            console.tell(f"    {name}: {value}")
    if any(one.error for one in found):
        raise click.exceptions.Exit(int(Exit.FAILED))


@mapping.command()
@click.argument("system")
@click.option("--object", "object_name", help="only this object / 仅此对象")
@json_option
@pass_here
def versions(here: Here, system: str, object_name: str | None, as_json: bool) -> None:  # noqa: FBT001
    """The versions of a system's mappings, newest first. / 列出映射版本。"""
    from sync.service import mapping_versions, work  # noqa: PLC0415

    console = here.console
    console.as_json = as_json
    work.check_names(here.hub, [system])
    found = mapping_versions.list_versions(here.hub, system, object_name)
    if as_json:
        console.answer([_object(each) for each in found])
        return
    rows = [
        (e.id, e.object, e.version, e.state, e.author, f"{e.created_at:%Y-%m-%d %H:%M}")
        for e in found
    ]
    console.table(("id", "object", "version", "state", "author", "made"), rows)


@mapping.command()
@click.argument("number", type=int, metavar="ID")
@pass_here
def show(here: Here, number: int) -> None:
    """The text of a version. / 显示某版本的内容。"""
    from sync.service import mapping_versions  # noqa: PLC0415

    click.echo(mapping_versions.get_version(here.hub, number).text, nl=False)


@mapping.command()
@click.argument("number", type=int, metavar="ID")
@click.argument("other", type=int, required=False, metavar="[OTHER]")
@json_option
@pass_here
def diff(here: Here, number: int, other: int | None, as_json: bool) -> None:  # noqa: FBT001
    """What a version changes: against the live one, the one before it, or OTHER. / 比较版本。"""
    from sync.service import mapping_versions  # noqa: PLC0415

    console = here.console
    console.as_json = as_json
    lines = mapping_versions.compare_versions(here.hub, number, other)
    if as_json:
        console.answer([asdict(line) for line in lines])
        return
    signs = {"new": "+", "gone": "-", "same": " ", "gap": "..."}
    for line in lines:
        console.tell(f"{signs[line.kind]}{line.text}")
    if not lines:
        console.say("mapping_same")


@mapping.command()
@click.argument("system")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
@pass_here
def add(here: Here, system: str, file: Path, as_json: bool) -> None:  # noqa: FBT001
    """Keep a file as a draft, once it fits the system's fields. / 将文件存为草稿。"""
    from sync.service import mapping_versions  # noqa: PLC0415

    console = here.console
    console.as_json = as_json
    text = file.read_text(encoding="utf-8")
    made = mapping_versions.add_version(
        here.hub, system, text, actor=ACTOR, language=console.language
    )
    _tell_draft(console, made)


@mapping.command()
@click.argument("number", type=int, metavar="ID")
@json_option
@pass_here
def restore(here: Here, number: int, as_json: bool) -> None:  # noqa: FBT001
    """Keep an old version's text as a new draft. / 将旧版本恢复为草稿。"""
    from sync.service import mapping_versions  # noqa: PLC0415

    here.console.as_json = as_json
    _tell_draft(here.console, mapping_versions.restore_version(here.hub, number, actor=ACTOR))


@mapping.command("plan")
@click.argument("number", type=int, metavar="ID")
@json_option
@pass_here
def plan_(here: Here, number: int, as_json: bool) -> None:  # noqa: FBT001
    """Read everything with a draft and show what it would change. / 预演草稿的影响。"""
    from sync.service import mapping_versions, plans  # noqa: PLC0415
    from webui.cli.plan import as_object  # noqa: PLC0415
    from webui.cli.plan import show as show_plan  # noqa: PLC0415

    console = here.console
    console.as_json = as_json
    made = mapping_versions.preview(here.hub, number, actor=ACTOR, wake=False)
    made = plans.make_plan(here.hub, made.id)
    if made.state != "ready":
        raise CommandError("plan_failed", id=made.id, reason=console.translated(made.error))
    if as_json:
        console.answer(as_object(made, console.language))
        return
    show_plan(console, made, after="mapping_plan_next")
    console.say(
        "mapping_touches", touched=made.summary["touched"], linked=made.summary["linked"], id=number
    )


@mapping.command()
@click.argument("number", type=int, metavar="ID")
@click.option("--plan", "plan_id", type=int, help="default: its newest plan / 默认最新预演")
@click.option("--approve", is_flag=True, help="also where it touches much / 确认大范围影响")
@json_option
@pass_here
def activate(
    here: Here,
    number: int,
    plan_id: int | None,
    approve: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Make a draft the live version and carry out what its plan has shown. / 启用草稿。"""
    from sync.service import mapping_versions, work  # noqa: PLC0415

    console = here.console
    console.as_json = as_json
    mapping_versions.get_version(here.hub, number)
    newest = mapping_versions.readiness(here.hub, number).plan
    chosen = plan_id or (newest.id if newest else None)
    made = mapping_versions.activate(here.hub, number, chosen, approved=approve, actor=ACTOR)
    if not here.has_workers:
        while work.work_here(here.hub):
            pass
    if as_json:
        console.answer(_object(made))
    else:
        console.say("mapping_live", object=made.object, version=made.version, name=made.system)


@mapping.command()
@click.argument("number", type=int, metavar="ID")
@pass_here
def discard(here: Here, number: int) -> None:
    """Drop a draft. / 放弃草稿。"""
    from sync.service import mapping_versions  # noqa: PLC0415

    mapping_versions.discard(here.hub, number, actor=ACTOR)
    here.console.say("mapping_dropped", id=number)


def _tell_draft(console: Console, made: "MappingView") -> None:
    if console.as_json:
        console.answer(_object(made))
        return
    for each in made.findings:
        level = console.word(f"level_{each['level']}")
        console.tell(f"{level}  {each['rule']}: {each[console.language]}")
    console.say("mapping_draft", id=made.id, object=made.object, version=made.version)


def _object(made: "MappingView") -> dict[str, Any]:
    return {**asdict(made), "findings": [dict(each) for each in made.findings]}
