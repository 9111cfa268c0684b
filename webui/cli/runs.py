"""`kehub runs`: what ran, and what it did."""

from dataclasses import asdict

import click

from webui.cli.groups import json_option
from webui.cli.opening import Here, pass_here


@click.command()
@click.option("--system", help="only of this system / 仅此系统")
@click.option("--kind", help="only of this kind / 仅此类型")
@click.option("--limit", default=20, show_default=True)
@json_option
@pass_here
def runs(
    here: Here,
    system: str | None,
    kind: str | None,
    limit: int,
    as_json: bool,  # noqa: FBT001
) -> None:
    """The newest first; `kehub rollback RUN` sets one back. / 运行记录。"""
    from sync.service import runs as service  # noqa: PLC0415  loads the engine

    console = here.console
    console.as_json = as_json
    found = service.list_runs(here.hub, system=system, kind=kind, limit=limit)
    if as_json:
        console.answer([asdict(row) for row in found.rows])
        return
    rows = [
        (
            row.id,
            row.kind,
            row.system or "",
            row.state,
            f"{row.started_at:%Y-%m-%d %H:%M:%S}",
            console.translated(row.error)
            or ", ".join(f"{name} {count}" for name, count in row.counts.items()),
        )
        for row in found.rows
    ]
    if rows:
        console.table(("run", "kind", "name", "state", "started", "result"), rows)
    else:
        console.say("no_runs")
