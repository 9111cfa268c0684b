"""`kehub user` and `kehub token`."""

import sys

import click

from webui.cli.failing import CommandError
from webui.cli.groups import Told, json_option
from webui.cli.opening import ACTOR, Here, pass_here
from webui.cli.start import random_password

PASSWORD = "a new one is made up without it; - reads it / 省略则随机生成，- 表示从标准输入读取"  # noqa: S105


@click.group(cls=Told)
def user() -> None:
    """People who sign in. / 用户。"""


@user.command("add")
@click.argument("login")
@click.option("--role", default="admin", show_default=True, help="viewer, steward, admin")
@click.option("--password", default="", help=PASSWORD)
@json_option
@pass_here
def add_user(here: Here, login: str, role: str, password: str, as_json: bool) -> None:  # noqa: FBT001
    """Add a user; the password is shown once. / 添加用户，密码仅显示一次。"""
    from sync.service import access  # noqa: PLC0415  loads the engine

    chosen = _given(password) or random_password()
    made = access.create_user(here.hub, login=login, password=chosen, role=role, actor=ACTOR)
    _show(here, made.login, chosen, as_json=as_json)


@user.command()
@click.argument("login")
@click.option("--password", default="", help=PASSWORD)
@json_option
@pass_here
def password(here: Here, login: str, password: str, as_json: bool) -> None:  # noqa: FBT001
    """Give a user a new password. / 重设密码。"""
    from sync.service import access  # noqa: PLC0415

    chosen = _given(password) or random_password()
    changed = access.set_password(here.hub, login, chosen, actor=ACTOR)
    _show(here, changed.login, chosen, as_json=as_json)


@user.command("list")
@json_option
@pass_here
def list_users(here: Here, as_json: bool) -> None:  # noqa: FBT001
    """Who may sign in. / 列出用户。"""
    from sync.service import access  # noqa: PLC0415

    here.console.as_json = as_json
    found = access.list_users(here.hub)
    if as_json:
        here.console.answer([{"login": u.login, "role": u.role, "active": u.active} for u in found])
        return
    here.console.table(("login", "role", "active"), [(u.login, u.role, u.active) for u in found])


@click.group(cls=Told)
def token() -> None:
    """Keys for scripts. / API 密钥。"""


@token.command()
@click.argument("name")
@click.option("--user", "login", default="", help="whose rights it has / 所属用户")
@json_option
@pass_here
def create(here: Here, name: str, login: str, as_json: bool) -> None:  # noqa: FBT001
    """Make a key called NAME; it is shown once. / 创建密钥，仅显示一次。"""
    from sync.service import access  # noqa: PLC0415

    here.console.as_json = as_json
    users = [u for u in access.list_users(here.hub) if u.active]
    chosen = [u for u in users if u.login == login.strip().casefold()] if login else users
    if not chosen:
        raise CommandError("no_user", login=login or "—")
    if len(chosen) > 1:
        raise click.UsageError("--user " + "|".join(u.login for u in chosen))
    secret, view = access.create_token(here.hub, chosen[0].id, name, actor=ACTOR)
    if as_json:
        here.console.answer({"token": secret, "name": view.name, "login": view.login})
        return
    here.console.say("token_made", token=secret, login=view.login)


def _given(password: str) -> str:
    return sys.stdin.readline().rstrip("\n") if password == "-" else password  # noqa: S105


def _show(here: Here, login: str, chosen: str, *, as_json: bool) -> None:
    here.console.as_json = as_json
    if as_json:
        here.console.answer({"login": login, "password": chosen})
        return
    here.console.say("user_password", login=login, password=chosen)
