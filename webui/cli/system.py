"""`kehub system`: connecting other systems."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from webui.cli.console import Console
from webui.cli.failing import CommandError
from webui.cli.groups import Told, json_option
from webui.cli.opening import ACTOR, Here, pass_here

if TYPE_CHECKING:
    from sync.service.systems import ConnectorView, SystemView

_TRUE = frozenset({"true", "yes", "on", "1", "是"})


@click.group(cls=Told)
def system() -> None:
    """Connect, test, pause systems. / 管理已连接的系统。"""


@system.command("list")
@json_option
@pass_here
def list_(here: Here, as_json: bool) -> None:  # noqa: FBT001
    """All systems. / 列出全部系统。"""
    from sync.service import systems  # noqa: PLC0415  loads the engine

    console = here.console
    console.as_json = as_json
    found = systems.list_systems(here.hub)
    if as_json:
        console.answer([_plain(view) for view in found])
        return
    if not found:
        console.say("no_systems")
        return
    rows = [
        (
            view.name,
            view.kind,
            console.word(f"state_{view.state}"),
            view.links,
            view.waiting,
            view.dead_letters,
            console.translated(view.reason or view.problem),
        )
        for view in found
    ]
    console.table(("name", "kind", "state", "links", "waiting", "dead", "reason"), rows)
    for view in found:
        if view.reason and view.hint:
            console.tell(f"{view.name}: {console.translated(view.hint)}")


@system.command()
@json_option
@pass_here
def kinds(here: Here, as_json: bool) -> None:  # noqa: FBT001
    """What can be connected, and the settings each wants. / 可连接的系统类型及其设置。"""
    from sync.service import systems  # noqa: PLC0415

    console = here.console
    console.as_json = as_json
    found = systems.connector_kinds(console.language)
    if as_json:
        console.answer([asdict(kind) for kind in found])
        return
    for kind in found:
        console.tell(f"{kind.name} ({kind.label})")
        for field in kind.fields:
            mark = "*" if field.required else " "
            console.tell(f"  {mark} {field.name}: {field.title}. {field.description}")


@system.command()
@click.argument("name")
@click.argument("kind")
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="a setting / 设置")
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="a secret; without a value it is asked for / 密钥，不带值时交互输入",
)
@click.option(
    "--stdin", "from_stdin", is_flag=True, help="read settings as JSON / 从标准输入读 JSON"
)
@click.option("--label", default="", help="what people call it / 显示名称")
@click.option("--no-check", is_flag=True, help="do not try the connection / 不测试连接")
@pass_here
def add(
    here: Here,
    name: str,
    kind: str,
    given: Sequence[str],
    secrets: Sequence[str],
    from_stdin: bool,  # noqa: FBT001
    label: str,
    no_check: bool,  # noqa: FBT001
) -> None:
    """Add a system NAME of a KIND (see `system kinds`). / 添加系统。

    Without options the settings are asked for one by one.
    """
    from sync.service import systems  # noqa: PLC0415

    connector = systems.connector_kind(kind, here.console.language)
    values = _from_stdin() if from_stdin else {}
    values |= _parted(given, connector)
    for item in secrets:
        key, mark, value = item.partition("=")
        _known(connector, key)
        values[key] = value if mark else _asked_secret(here.console, key)
    if not values:
        values = _ask_all(here.console, connector)
    added = systems.add_system(
        here.hub,
        name=name,
        kind=kind,
        values=_typed(values, connector),
        label=label,
        actor=ACTOR,
        check=not no_check,
    )
    here.console.say("system_added", name=added.name, kind=added.kind)
    if added.hook_url:
        here.console.say("system_hook", url=added.hook_url)
    if not no_check:
        _tell_misfits(here, name)
    here.console.say("system_next", name=added.name)


@system.command()
@click.argument("name")
@pass_here
def test(here: Here, name: str) -> None:
    """Try the connection; a broken system that answers goes on. / 测试连接。"""
    from sync.service import systems  # noqa: PLC0415

    view = systems.test_system(here.hub, name)
    here.console.say("system_answers", name=name, state=here.console.word(f"state_{view.state}"))
    _tell_misfits(here, name)


def _tell_misfits(here: Here, name: str) -> None:
    """Which fields its mappings name that it does not have, or not like that."""
    from sync.service import mappings  # noqa: PLC0415

    console = here.console
    for one in mappings.misfits(here.hub, name, console.language):
        console.tell(f"{console.word('level_error')}  {one.object} {one.rule}: {one.message}")


@system.command()
@click.argument("name")
@pass_here
def pause(here: Here, name: str) -> None:
    """Stop reading from it and writing to it; what waits stays. / 暂停，等待中的数据保留。"""
    from sync.service import systems  # noqa: PLC0415

    systems.pause_system(here.hub, name, actor=ACTOR)
    here.console.say("system_paused", name=name)


@system.command()
@click.argument("name")
@pass_here
def resume(here: Here, name: str) -> None:
    """Let a paused or broken system go on. / 恢复。"""
    from sync.service import systems  # noqa: PLC0415

    view = systems.resume_system(here.hub, name, actor=ACTOR)
    here.console.say("system_resumed", name=name, state=here.console.word(f"state_{view.state}"))


@system.command()
@click.argument("name")
@pass_here
def remove(here: Here, name: str) -> None:
    """Remove a system that has no linked records; nothing remote is touched. / 移除。"""
    from sync.service import systems  # noqa: PLC0415

    systems.remove_system(here.hub, name, actor=ACTOR)
    here.console.say("system_removed", name=name)


@system.command("set")
@click.argument("name")
@click.argument("given", nargs=-1, metavar="NAME=VALUE...")
@click.option("--secret", "secrets", multiple=True, metavar="NAME[=VALUE]", help="a secret / 密钥")
@click.option("--poll-seconds", type=float, help="how often it is polled / 轮询间隔")
@click.option(
    "--deletes",
    type=click.Choice(["unlink", "propagate", "recreate", "review"]),
    help="what a remote delete means / 对方删除时的处理",
)
@pass_here
def set_(
    here: Here,
    name: str,
    given: Sequence[str],
    secrets: Sequence[str],
    poll_seconds: float | None,
    deletes: str | None,
) -> None:
    """Change settings; what is not named stays. The connection is tried. / 修改设置。"""
    from sync.service import systems  # noqa: PLC0415

    view = systems.get_system(here.hub, name)
    connector = systems.connector_kind(view.kind, here.console.language)
    changed = _parted(given, connector)
    for item in secrets:
        key, mark, value = item.partition("=")
        _known(connector, key)
        changed[key] = value if mark else _asked_secret(here.console, key)
    values = {**view.settings, **_typed(changed, connector)} if changed else None
    systems.change_system(
        here.hub,
        name,
        values=values,
        poll_seconds=poll_seconds,
        delete_policy=deletes,
        actor=ACTOR,
    )
    here.console.say("system_changed", name=name)


def _from_stdin() -> dict[str, Any]:
    try:
        found = json.load(sys.stdin)
    except ValueError as error:
        raise CommandError("bad_json", reason=error) from error
    if not isinstance(found, dict):
        raise CommandError("bad_json", reason="{…}")
    return found


def _parted(given: Sequence[str], connector: "ConnectorView") -> dict[str, Any]:
    values: dict[str, Any] = {}
    for item in given:
        name, mark, value = item.partition("=")
        if not mark:
            raise click.UsageError(f"--set {item}: NAME=VALUE")
        _known(connector, name)
        values[name] = value
    return values


def _known(connector: "ConnectorView", name: str) -> None:
    names = [field.name for field in connector.fields]
    if name not in names:
        raise CommandError("no_setting", name=name, kind=connector.name, names=", ".join(names))


def _asked_secret(console: Console, name: str) -> str:
    value = console.ask(name, hidden=True)
    if not value:
        raise CommandError("no_secret", name=name)
    return value


def _ask_all(console: Console, connector: "ConnectorView") -> dict[str, Any]:
    """Asks a person for what is required; where nobody can be asked, says how to give it."""
    if not sys.stdin.isatty():
        names = ", ".join(field.name for field in connector.fields if field.required)
        raise CommandError("settings_wanted", kind=connector.name, names=names)
    values: dict[str, Any] = {}
    for field in connector.fields:
        console.tell(f"{field.title}. {field.description}")
        shown = f" [{field.default}]" if field.default not in (None, "", ()) else ""
        choices = f" ({'/'.join(field.choices)})" if field.choices else ""
        value = console.ask(f"{field.name}{choices}{shown}", hidden=field.widget == "password")
        if value:
            values[field.name] = value
    return values


def _typed(values: Mapping[str, Any], connector: "ConnectorView") -> dict[str, Any]:
    """Text as the settings want it: switches are true or false."""
    switches = {field.name for field in connector.fields if field.widget == "checkbox"}
    return {
        name: value.lower() in _TRUE if name in switches and isinstance(value, str) else value
        for name, value in values.items()
    }


def _plain(view: "SystemView") -> dict[str, Any]:
    return {**asdict(view), "waiting": view.waiting}
