"""`kehub match` for a file, before anything is imported; `kehub rematch` for the whole hub."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webui.cli.groups import json_option
from webui.cli.opening import Here, is_set_up, pass_here

if TYPE_CHECKING:
    from sync.service.matching import Aim, Matcher


@click.command("match")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path), help="clusters: id,cluster / 聚类结果")
@click.option("--pairs", type=click.Path(path_type=Path), help="links and candidates / 配对与候选")
@click.option("--train", is_flag=True, help="adapt the weights to the file / 按文件调整权重")
@click.option(
    "--labels",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="decisions to learn from: id_a,id_b,same / 用于学习的裁决",
)
@click.option(
    "--aim",
    type=click.Choice(["precision", "balance"]),
    default="precision",
    help="links that are safe, or right as often as not / 稳妥优先或均衡",
)
@click.option(
    "--explain", nargs=2, metavar="ID_A ID_B", help="why two records score so / 解释两条记录的得分"
)
@json_option
@pass_here
def match(  # noqa: PLR0917 - click passes each option
    here: Here,
    file: Path,
    out: Path | None,
    pairs: Path | None,
    train: bool,  # noqa: FBT001
    labels: Path | None,
    aim: "Aim",
    explain: tuple[str, str] | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Match the customers of a CSV file among themselves. / 在文件内匹配相同客户。

    The hub's own records are neither read nor changed. The model, the keys and the thresholds
    are those of the hub.
    """
    from sync.service import matching  # noqa: PLC0415  loads numpy

    console = here.console
    console.as_json = as_json
    own = _own_weights(here)
    if explain:
        lines = matching.explain_file(file, *explain, train=train, matcher=own)
        if as_json:
            console.answer({"explanation": lines})
        for line in () if as_json else lines:
            console.tell(line)
        return
    summary = matching.run(file, out, pairs=pairs, train=train, labels=labels, aim=aim, matcher=own)
    if as_json:
        console.answer(asdict(summary))
        return
    console.say(
        "matched",
        records=summary.records,
        customers=summary.customers,
        links=summary.links,
        candidates=summary.candidates,
    )


@click.command("rematch")
@click.option(
    "--processes", type=click.IntRange(1, 64), default=2, help="cores to use / 使用的核心数"
)
@json_option
@pass_here
def rematch(here: Here, processes: int, as_json: bool) -> None:  # noqa: FBT001
    """Match all customers of the hub anew. / 重新匹配 hub 中的全部客户。

    For after a change of weights or thresholds: match keys are put right, and what may be one
    customer is put to the steward. Nothing is merged. A run that was interrupted can be started
    again; what is right already is not written twice.
    """
    from sync.service import matching  # noqa: PLC0415  loads numpy

    console = here.console
    console.as_json = as_json

    def say(step: str, facts: Mapping[str, int]) -> None:
        if not as_json and step in {"read", "compare", "ask"}:
            console.say(f"rematch_{step}", **facts)

    found = matching.rematch(here.hub, processes=processes, say=say)
    if as_json:
        console.answer(asdict(found))
        return
    console.say("rematched", **asdict(found))


def _own_weights(here: Here) -> "Matcher | None":
    """The hub's weights, which decisions may have sharpened; none where no hub was set up."""
    if not is_set_up(here.settings):
        return None
    from sync.service import weights  # noqa: PLC0415  loads the engine

    return weights.matcher(here.hub)
