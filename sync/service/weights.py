"""The weights of matching: which are in use, learning from decisions, going back."""

from dataclasses import dataclass
from typing import Any

from sync.core.match import Matcher
from sync.flow import weights as flow
from sync.flow.hub import Hub
from sync.service.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class KindReport:
    """What the decisions about one kind of party came to."""

    kind: str
    decisions: int
    taken: bool
    reason: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class WeightsLine:
    """One version of the weights; number 0 is what was shipped."""

    number: int
    version: str
    in_use: bool
    made_at: str = ""
    decisions: int = 0
    kinds: tuple[KindReport, ...] = ()


def matcher(hub: Hub) -> Matcher:
    """What the hub matches by, for files as well."""
    with hub.database.read() as session:
        return flow.in_use(session)


def list_weights(hub: Hub) -> list[WeightsLine]:
    """The kept versions, the newest first, the shipped ones last."""
    base = flow.shipped().model.version
    with hub.database.read() as session:
        number, kept = flow.history(session)
        used = flow.in_use(session).model.version
    lines = [_line(n, report, in_use=n == number and used != base) for n, report in kept]
    return [*lines, WeightsLine(0, base, in_use=used == base)]


def refit(hub: Hub) -> WeightsLine:
    """Learns from all decisions now. What is not better is not taken, and the line says why."""
    done = flow.refit(hub)
    with hub.database.read() as session:
        number, _ = flow.history(session)
        report = flow.last_report(session)
    return _line(number if done.taken else 0, report, in_use=done.taken)


def use(hub: Hub, number: int) -> None:
    """Takes a kept version into use again, or the shipped weights (0)."""
    try:
        flow.use(hub, number)
    except KeyError:
        raise NotFoundError(
            f"There are no weights with the number {number}", code="no_weights", number=number
        ) from None


def _line(number: int, report: dict[str, Any], *, in_use: bool) -> WeightsLine:
    return WeightsLine(
        number=number,
        version=str(report["version"]),
        in_use=in_use,
        made_at=str(report["made_at"]),
        decisions=int(report["decisions"]),
        kinds=tuple(KindReport(**verdict) for verdict in report["verdicts"]),
    )
