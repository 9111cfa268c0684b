"""`kehub weights`: what the evidence of matching weighs, and what decisions have made of it."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from webui.cli.groups import Told, json_option
from webui.cli.opening import Here, pass_here

if TYPE_CHECKING:
    from sync.service.weights import WeightsLine


@click.group(cls=Told)
def weights() -> None:
    """What the evidence of matching weighs. / 匹配依据的权重。"""


@weights.command("list")
@json_option
@pass_here
def list_(here: Here, as_json: bool) -> None:  # noqa: FBT001
    """The kept versions, and which one is in use. / 列出各版本及当前使用的版本。"""
    from sync.service import weights as service  # noqa: PLC0415  loads the engine

    console = here.console
    console.as_json = as_json
    lines = service.list_weights(here.hub)
    if as_json:
        console.answer([asdict(line) for line in lines])
        return
    for line in lines:
        _tell(here, line)
    console.say("weights_next")


@weights.command()
@json_option
@pass_here
def refit(here: Here, as_json: bool) -> None:  # noqa: FBT001
    """Learn from all decisions now; a refit that is worse is not taken. / 立即按裁决重新拟合。"""
    from sync.service import weights as service  # noqa: PLC0415

    console = here.console
    console.as_json = as_json
    line = service.refit(here.hub)
    if as_json:
        console.answer(asdict(line))
        return
    console.say(
        "weights_taken" if line.in_use else "weights_left",
        version=line.version,
        count=line.decisions,
    )
    _tell_kinds(here, line)


@weights.command()
@click.argument("number", type=int)
@pass_here
def use(here: Here, number: int) -> None:
    """Bring a kept version back; 0 is what was shipped. / 恢复某一版本，0 为出厂权重。"""
    from sync.service import weights as service  # noqa: PLC0415

    service.use(here.hub, number)
    here.console.say("weights_used", number=number)


def _tell(here: Here, line: "WeightsLine") -> None:
    mark = "*" if line.in_use else " "
    here.console.tell(f"{mark} {line.number}  {line.version}  {line.made_at}  {line.decisions}")
    _tell_kinds(here, line)


def _tell_kinds(here: Here, line: "WeightsLine") -> None:
    for kind in line.kinds:
        here.console.say(
            f"weights_{kind.reason}",
            kind=here.console.word(f"weights_{kind.kind}"),
            count=kind.decisions,
            before=f"{kind.before:.3f}",
            after=f"{kind.after:.3f}",
        )
