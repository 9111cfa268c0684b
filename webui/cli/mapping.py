"""`kehub mapping`: trying mappings before and after they go live."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from webui.cli.console import Exit
from webui.cli.groups import Told, json_option
from webui.cli.opening import Here, is_set_up, pass_here


@click.group(cls=Told)
def mapping() -> None:
    """Check and try mappings. / 检查与试用字段映射。"""


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
