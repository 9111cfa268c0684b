"""`kehub init` and `kehub run`."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from sync.settings import Settings
from webui.cli.console import Console
from webui.cli.failing import CommandError
from webui.cli.opening import Here, open_hub, pass_here

if TYPE_CHECKING:
    from sync.service.hub import Hub
    from webui.cli.child import Child
    from webui.cli.run import Hub as Processes

FIRST_LOGIN = "admin"


@click.command()
@click.option("--login", default=FIRST_LOGIN, show_default=True, help="first user / 首个用户")
@click.option("--password", default="", help="its password; default: a random one / 密码，默认随机")
@pass_here
def init(here: Here, login: str, password: str) -> None:
    """Set up the data folder, the tables and the first user; safe to repeat. / 初始化。"""
    prepare(here.console, here.settings, login=login, password=password)
    here.console.say("initialised", home=here.settings.home.absolute())


@click.command()
@pass_here
def run(here: Here) -> None:
    """Start the hub: broker, worker, beat and web, until Ctrl-C. / 启动 hub，Ctrl-C 停止。"""
    from webui.cli.run import run_hub  # noqa: PLC0415  the supervisor, only where it is needed

    console, settings = here.console, own_settings()
    refuse_second(console, settings)
    prepare(console, settings)
    with refusals():
        status = run_hub(
            hub_of(settings, console),
            on_ready=lambda: console.say("running", url=settings.base_url),
        )
    raise click.exceptions.Exit(status)


def own_settings() -> Settings:
    """As the environment and `.env` say, without what another running hub wrote down."""
    return Settings()


def prepare(
    console: Console,
    settings: Settings,
    *,
    login: str = FIRST_LOGIN,
    password: str = "",
    quiet: bool = False,
) -> tuple["Hub", str]:
    """Folders, tables, first user. Returns the hub and the password if a user was made."""
    from sync.service import access  # noqa: PLC0415  loads the engine
    from sync.service import hub as service  # noqa: PLC0415

    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    opened = open_hub(settings, prepared=False)
    service.prepare(opened)
    if access.has_users(opened):
        return opened, ""
    chosen = password or random_password()
    access.create_user(opened, login=login, password=chosen, language=console.language)
    if not quiet:
        console.say("first_user", login=login, password=chosen)
    return opened, chosen


def random_password() -> str:
    """Easy to type, hard to guess (98 bits)."""
    import secrets  # noqa: PLC0415

    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    groups = ("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))
    return "-".join(groups)


def refuse_second(console: Console, settings: Settings) -> None:
    """A hub that runs here already is named before anything is touched."""
    from sync.service.status import running  # noqa: PLC0415
    from webui.cli.sentences import sentence  # noqa: PLC0415

    if running(settings.home):
        words = sentence("home_taken", console.language, home=settings.home.absolute())
        raise CommandError("plain", words=words)


def hub_of(settings: Settings, console: Console, extras: Sequence["Child"] = ()) -> "Processes":
    """What the supervisor is given."""
    from webui.cli.run import Hub as Processes  # noqa: PLC0415
    from webui.cli.run import default_workers  # noqa: PLC0415

    return Processes(
        home=settings.home,
        port=settings.port,
        redis_url=settings.redis_url,
        language=console.language,
        workers=settings.workers or default_workers(),
        environment={"KEHUB_LANG": os.environ.get("KEHUB_LANG", console.language)},
        extras=extras,
    )


class refusals:  # noqa: N801  reads as a function
    """The supervisor's refusals as a command's."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        from webui.cli.supervisor import SupervisorError  # noqa: PLC0415

        if isinstance(error, SupervisorError):
            raise CommandError("plain", words=str(error)) from error
