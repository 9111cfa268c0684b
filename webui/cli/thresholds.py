"""`kehub thresholds`: what each matching threshold would do to one's own data."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from webui.cli.console import Console
from webui.cli.groups import json_option
from webui.cli.opening import Here, pass_here

SAMPLES = 3


@click.command()
@click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False
)
@click.option("--train", is_flag=True, help="adapt the weights to the data / 按数据调整权重")
@json_option
@pass_here
def thresholds(here: Here, file: Path | None, train: bool, as_json: bool) -> None:  # noqa: FBT001
    """Links, estimated precision and pairs at the edge, by threshold. / 各阈值的效果。

    Of the hub's own customers, or of a FILE as `kehub match` reads it. Nothing is changed.
    """
    from sync.service import matching  # noqa: PLC0415  loads numpy

    console = here.console
    console.as_json = as_json
    if file is not None:
        lines = matching.thresholds_of_file(file, train=train)
        if as_json:
            console.answer({"file": str(file), "rows": lines})
        else:
            _tell(console, lines)
        return
    found = matching.work_out_thresholds(here.hub, train=train)
    if as_json:
        content = asdict(found)
        del content["job"]
        console.answer(content)
        return
    rows = [
        {**asdict(row), "edge": [(e.first_name, e.second_name, e.bits) for e in row.edge]}
        for row in found.rows
    ]
    _tell(console, rows)
    console.say(
        "thresholds_now",
        records=found.records,
        link=found.link_at,
        candidate=found.candidate_at,
    )


def _tell(console: Console, lines: list[dict[str, Any]]) -> None:
    if not lines:
        console.say("thresholds_empty")
        return
    rows = [
        (
            f"{line['at']:g}",
            line["links"],
            line["customers"],
            f"{line['expected_precision']:.2%}",
            f"{line['expected_missed']:.1f}",
            "; ".join(f"{a} = {b} ({bits:g})" for a, b, bits in line["edge"][:SAMPLES]),
        )
        for line in lines
    ]
    console.table(("from_bits", "links", "customers", "precision", "missed", "edge"), rows)
