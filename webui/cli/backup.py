"""`kehub backup` and `kehub restore`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webui.cli.console import Exit
from webui.cli.failing import CommandError
from webui.cli.groups import json_option
from webui.cli.opening import ACTOR, Here, open_hub, pass_here
from webui.cli.start import refuse_second

if TYPE_CHECKING:
    from sync.service.backups import BackupView, Restored
    from sync.service.hub import Hub
    from webui.cli.console import Console

_key_option = click.option(
    "--passphrase-file",
    "key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="a passphrase of your own instead of the master key / 使用自己的口令",
)


@click.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="the file / 文件")
@click.option(
    "--verify",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="prove a backup by restoring it into a scratch database / 验证备份",
)
@click.option("--list", "listing", is_flag=True, help="those in the data folder / 列出备份")
@_key_option
@json_option
@pass_here
def backup(
    here: Here,
    out: Path | None,
    verify: Path | None,
    listing: bool,  # noqa: FBT001
    key: Path | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Write a sealed backup while the hub works, or prove one. / 备份，或验证备份。

    Without --out it goes to the folder `backups` of the data folder.
    """
    from sync.service import backups  # noqa: PLC0415  loads the engine

    console = here.console
    console.as_json = as_json
    if listing:
        _list(here)
        return
    if verify is not None:
        _tell_proof(console, backups.verify(here.hub, verify, passphrase=_read(key)))
        return
    made = backups.backup(here.hub, out, passphrase=_read(key), actor=ACTOR)
    if as_json:
        console.answer(_object(made))
        return
    console.say("backup_made", path=made.path, rows=sum(made.rows.values()), mb=_megabytes(made))
    console.say("backup_key" if key is None else "backup_passphrase")


@click.command()
@click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False
)
@click.option("--compare", is_flag=True, help="read all systems and show the difference / 核对")
@click.option("--approve", is_flag=True, help="let the hub go on / 确认并继续")
@click.option("--plan", "number", type=int, help="approve with this comparison / 核对编号")
@click.option("--no-copy", is_flag=True, help="do not save what is there now / 不先保存当前数据")
@_key_option
@json_option
@pass_here
def restore(
    here: Here,
    file: Path | None,
    compare: bool,  # noqa: FBT001
    approve: bool,  # noqa: FBT001
    number: int | None,
    no_copy: bool,  # noqa: FBT001
    key: Path | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    r"""Put a backup back; the hub then only compares until it is approved. / 恢复备份。

    \b
    kehub restore FILE        stop the hub first; what is there now is saved
    kehub restore --compare   shows what was re-learned and what would be written
    kehub restore --approve   the hub goes on
    kehub restore             how far this has come
    """
    console = here.console
    console.as_json = as_json
    if file is not None:
        _put_back(here, file, _read(key), keep=not no_copy)
    elif compare:
        _compare(here)
    elif approve:
        _approve(here, number)
    else:
        _how_far(here)


def _list(here: Here) -> None:
    from sync.service import backups  # noqa: PLC0415

    console = here.console
    found = backups.list_backups(here.hub)
    if console.as_json:
        console.answer([asdict(each) for each in found])
    elif found:
        rows = [(e.name, f"{e.made_at:%Y-%m-%d %H:%M}", f"{e.size / 1e6:.1f}") for e in found]
        console.table(("file", "made", "megabytes"), rows)
    else:
        console.say("no_backups")


def _tell_proof(console: "Console", found: "BackupView") -> None:
    if console.as_json:
        console.answer({**_object(found), "ok": not found.differing})
    elif found.differing:
        console.say("backup_differs", path=found.path, tables=", ".join(found.differing))
    else:
        console.say(
            "backup_proven", path=found.path, rows=sum(found.rows.values()), tables=len(found.rows)
        )
    if found.differing:
        raise click.exceptions.Exit(int(Exit.FAILED))


def _put_back(here: Here, file: Path, passphrase: str | None, *, keep: bool) -> None:
    from sync.service import backups  # noqa: PLC0415

    console = here.console
    refuse_second(console, here.settings)
    here.settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    hub = open_hub(here.settings, prepared=False)
    backups.verify(hub, file, passphrase=passphrase)  # before anything is touched
    saved = _save(here, hub) if keep else None
    found = backups.restore(hub, file, passphrase=passphrase, actor=ACTOR)
    if console.as_json:
        waits = backups.pending_restore(hub)
        console.answer({**_object(found), "saved": saved, "waits": bool(waits)})
        return
    if saved:
        console.say("restore_saved", path=saved)
    console.say("restored", path=file, moment=f"{found.made_at:%Y-%m-%d %H:%M:%S}")


def _save(here: Here, hub: "Hub") -> Path | None:
    """What is there now, so that a restore can be taken back; None where there is nothing."""
    from sync.service import backups  # noqa: PLC0415
    from sync.service.status import has_tables  # noqa: PLC0415

    if not has_tables(here.settings):
        return None
    return backups.backup(hub, actor=ACTOR).path


def _compare(here: Here) -> None:
    from sync.service import backups  # noqa: PLC0415
    from webui.cli.plan import as_object, show  # noqa: PLC0415

    console = here.console
    made = backups.compare_restore(here.hub, actor=ACTOR)
    if made.state != "ready":
        raise CommandError("compare_failed", reason=console.translated(made.error))
    if console.as_json:
        console.answer(as_object(made, console.language))
        return
    learned = made.summary.get("relearned", {})
    rows = [
        (name, found.get("changed", 0), found.get("new", 0), found.get("missing", 0))
        for name, found in learned.items()
    ]
    if rows:
        console.say("relearned")
        console.table(("name", "differs", "new", "gone"), rows)
    else:
        console.say("nothing_relearned")
    show(console, made, after="compare_next")


def _approve(here: Here, number: int | None) -> None:
    from sync.service import backups, work  # noqa: PLC0415
    from webui.cli.following import Follower  # noqa: PLC0415
    from webui.cli.syncing import finish  # noqa: PLC0415

    console = here.console
    waiting = _waiting(here)
    chosen = number or (waiting.plan.id if waiting.plan and waiting.plan.state == "ready" else 0)
    if not chosen:
        raise CommandError("compare_first", status=Exit.WAITS)
    backups.approve_restore(here.hub, chosen, actor=ACTOR)
    with console.board() as board:
        rest = Follower(here.hub, console, board, has_workers=here.has_workers).wait()
    if console.as_json:
        console.answer({"plan": chosen, "approved": True, "rest": rest.as_json()})
    else:
        console.say("restore_approved")
    finish(console, rest, work.broken(here.hub))


def _how_far(here: Here) -> None:
    console = here.console
    from sync.service import backups  # noqa: PLC0415

    found = backups.restored_state(here.hub)
    if console.as_json:
        console.answer({"waits": found is not None, **(_facts(found) if found else {})})
        return
    if found is None:
        console.say("nothing_restored")
        return
    console.say("restore_waits", moment=f"{found.backup_of:%Y-%m-%d %H:%M:%S}")
    raise click.exceptions.Exit(int(Exit.WAITS))


def _waiting(here: Here) -> "Restored":
    from sync.service import backups  # noqa: PLC0415

    found = backups.restored_state(here.hub)
    if found is None:
        raise CommandError("nothing_restored", status=Exit.USAGE)
    return found


def _facts(found: "Restored") -> dict[str, Any]:
    return {
        "epoch": found.epoch,
        "backup_of": found.backup_of,
        "restored_at": found.restored_at,
        "systems": list(found.systems),
        "plan": found.plan.id if found.plan else None,
        "plan_state": found.plan.state if found.plan else None,
    }


def _object(found: "BackupView") -> dict[str, Any]:
    return {**asdict(found), "rows": dict(found.rows)}


def _megabytes(found: "BackupView") -> str:
    return f"{found.size / 1_000_000:.1f}"


def _read(key: Path | None) -> str | None:
    return key.read_text(encoding="utf-8").strip() if key else None
