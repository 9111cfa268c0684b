"""`kehub import` and `kehub export`."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webui.cli.console import Console, Exit
from webui.cli.following import Follower
from webui.cli.groups import json_option
from webui.cli.opening import Here, pass_here

if TYPE_CHECKING:
    from sync.service.exchange import Report
    from sync.service.sheets import Problem


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="only show what it would do / 仅预演")
@click.option(
    "--map",
    "named",
    multiple=True,
    metavar="HEADER=FIELD",
    help="what a column is, where its header does not say / 指定列对应的字段",
)
@click.option("--sheet", default="", help="of a workbook; default: the first / 工作表，默认第一个")
@click.option(
    "--system", default="import", show_default=True, help="name of this source / 来源名称"
)
@json_option
@pass_here
def import_(
    here: Here,
    file: Path,
    dry_run: bool,  # noqa: FBT001
    named: Sequence[str],
    sheet: str,
    system: str,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Take customers in from a CSV or Excel file. / 从 CSV 或 Excel 导入客户。

    Columns are known by their headers in English or Chinese. Rows that are wrong are left out and
    named; importing the same file again changes nothing.
    """
    from sync.service import exchange  # noqa: PLC0415  loads the engine

    console = here.console
    console.as_json = as_json
    with console.board() as board:

        def progress(count: int) -> None:
            board.show("read", console.word("import_reading", file=file.name), done=count)

        options: dict[str, Any] = {
            "system": system,
            "named": _named(named),
            "sheet": sheet,
            "progress": progress,
        }
        if dry_run:
            report = exchange.try_import(here.hub, file, **options)
        else:
            running = exchange.start_import(here.hub, file, **options)
            Follower(here.hub, console, board, has_workers=here.has_workers).wait()
            report = exchange.finished(here.hub, running)
    if as_json:
        console.answer(as_object(console, report))
    else:
        _show(console, report)
    if report.refused or report.problems:
        raise click.exceptions.Exit(int(Exit.WAITS))


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--what", type=click.Choice(["customers", "contacts"]), default="customers", show_default=True
)
@json_option
@pass_here
def export(here: Here, file: Path, what: str, as_json: bool) -> None:  # noqa: FBT001
    """Write customers or contacts to a CSV or Excel (.xlsx) file. / 导出客户或联系人。"""
    from sync.service import exchange  # noqa: PLC0415

    console = here.console
    console.as_json = as_json
    count = exchange.export(here.hub, file, what=what, language=console.language)
    if as_json:
        console.answer({"file": str(file), "what": what, "count": count})
    else:
        console.say("exported", count=count, file=file)


def as_object(console: Console, report: "Report") -> dict[str, Any]:
    """The report for scripts; each problem with its sentence."""
    content = asdict(report)
    content["problems"] = [
        {
            "row": problem.row,
            "column": problem.column,
            "value": problem.value,
            "message": sentence(console, problem),
        }
        for problem in report.problems
    ]
    return content


def sentence(console: Console, problem: "Problem") -> str:
    """What is wrong in which row and column, and how to mend it."""
    facts = {"column": problem.column or "—", "value": problem.value, **problem.facts}
    what = console.word(f"problem_{problem.code}", **facts)
    return console.word("problem_at", row=problem.row, what=what) if problem.row else what


def _show(console: Console, report: "Report") -> None:
    for header, meant in report.ignored.items():
        console.note(
            "import_ignored",
            header=header,
            meant=console.word("import_meant", name=meant) if meant else "",
        )
    for problem in report.problems:
        console.tell(sentence(console, problem))
    if report.refused > len(report.problems):
        console.say("import_more", count=report.refused - len(report.problems))
    key = "import_would" if report.dry_run else "import_done"
    console.say(
        key,
        file=report.file,
        rows=report.rows,
        new=report.new,
        linked=report.linked,
        changed=report.changed,
        unchanged=report.unchanged,
        candidates=report.candidates,
        refused=report.refused,
    )


def _named(given: Sequence[str]) -> dict[str, str]:
    named: dict[str, str] = {}
    for item in given:
        header, mark, name = item.rpartition("=")
        if not mark:
            raise click.UsageError(f"--map {item}: HEADER=FIELD")
        named[header] = name.strip()
    return named
