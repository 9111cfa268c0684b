"""`kehub quality`: how good the customers' data is, and what is to be mended."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from webui.cli.groups import json_option
from webui.cli.opening import Here, pass_here
from webui.issue_words import ISSUES

if TYPE_CHECKING:
    from sync.service.quality import Overall
    from webui.cli.console import Console


@click.command()
@click.option("--issue", help="only records with this issue / 仅含此类问题的记录")
@click.option("--system", help="only records that this system holds / 仅此系统的记录")
@click.option("--contacts", is_flag=True, help="contacts instead of customers / 联系人")
@click.option("--limit", default=20, show_default=True, help="records shown / 显示条数")
@json_option
@pass_here
def quality(
    here: Here,
    issue: str | None,
    system: str | None,
    contacts: bool,  # noqa: FBT001
    limit: int,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Completeness, validity, freshness, duplicates, and the records to mend. / 数据质量。"""
    from sync.service import quality as service  # noqa: PLC0415  loads the engine

    console = here.console
    console.as_json = as_json
    entity = "contact" if contacts else "customer"
    service.refresh(here.hub)
    found = service.overall(here.hub, entity)
    page = service.worklist(here.hub, entity=entity, issue=issue, system=system, limit=limit)
    if as_json:
        days = [{"day": day.day, **asdict(day.overall)} for day in service.trend(here.hub)]
        console.answer(
            {
                "entity": entity,
                **asdict(found),
                "records_to_mend": [asdict(row) for row in page.rows],
                "days": days,
            }
        )
        return
    _tell(console, found)
    rows = [(f"{row.completeness} %", row.name, ", ".join(row.issues)) for row in page.rows]
    if rows:
        console.table(("complete", "record", "issues"), rows)
    else:
        console.say("quality_nothing")


def _tell(console: "Console", found: "Overall") -> None:
    console.say(
        "quality_figures",
        records=found.records,
        completeness=found.completeness,
        valid=found.valid,
        fresh=found.fresh,
        duplicates=found.duplicates,
    )
    for code, count in found.issues.items():
        console.tell(f"  {count:>7}  {code}: {ISSUES[code][console.language == 'zh']}")
