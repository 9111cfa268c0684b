"""Matching a file, and all customers of the hub anew; what each threshold would do."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from sync.core.batch import Aim
from sync.core.match import Matcher
from sync.flow import jobs as flow_jobs
from sync.flow import thresholds as flow
from sync.flow.hub import Hub
from sync.flow.match_file import Summary, explain_file, run, threshold_report
from sync.flow.rematch import Rematched
from sync.flow.rematch import run as rematch
from sync.service import jobs
from sync.service.jobs import JobView
from sync.store.tables import Golden

__all__ = [
    "Aim",
    "Edge",
    "Matcher",
    "Rematched",
    "Summary",
    "ThresholdRow",
    "Thresholds",
    "ask_for_thresholds",
    "explain_file",
    "rematch",
    "run",
    "thresholds",
    "thresholds_of_file",
    "work_out_thresholds",
]


@dataclass(frozen=True, slots=True)
class Edge:
    """A pair near a threshold, to look at: ids, names, and its score in bits."""

    first_id: str
    first_name: str
    second_id: str
    second_name: str
    bits: float


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    """What linking from `at` bits on would do.

    `expected_precision` and `expected_missed` follow from the scores; no truth is needed.
    """

    at: float
    customers: int
    links: int
    expected_precision: float
    expected_missed: float
    edge: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The rows, what they are of, and where the present thresholds stand.

    `job` is the newest wish for them; `made_at` None where none was worked out yet.
    """

    made_at: datetime | None
    records: int
    link_at: float
    candidate_at: float
    rows: tuple[ThresholdRow, ...]
    job: JobView | None = None

    @property
    def is_asked(self) -> bool:
        """Whether a worker is at newer ones."""
        return self.job is not None and self.job.is_open


def thresholds(hub: Hub) -> Thresholds:
    """What was worked out last for the hub's own customers."""
    with hub.database.read() as session:
        fact = flow.kept(session)
        ids = {each for line in fact.get("lines", ()) for pair in line["edge"] for each in pair[:2]}
        named = select(Golden.id, Golden.name).where(Golden.id.in_(ids))
        names = dict(session.execute(named).all())
    return _view(fact, names, jobs.newest(hub, flow_jobs.THRESHOLDS))


def ask_for_thresholds(hub: Hub, *, actor: str) -> None:
    """Has a worker score the customers among themselves."""
    with hub.database.write() as tx:
        flow_jobs.ask(hub, tx, flow_jobs.THRESHOLDS, actor=actor)


def work_out_thresholds(hub: Hub, *, train: bool = False) -> Thresholds:
    """The same in this process."""
    flow.work_out(hub, train=train)
    return thresholds(hub)


def thresholds_of_file(path: Path, *, train: bool = False) -> list[dict[str, Any]]:
    """What each threshold would do to a file; the hub is neither read nor changed."""
    return [asdict(line) for line in threshold_report(path, train=train)]


def _view(fact: Mapping[str, Any], names: Mapping[str, str], job: JobView | None) -> Thresholds:
    made = fact.get("made_at")
    return Thresholds(
        made_at=datetime.fromisoformat(made) if made else None,
        records=int(fact.get("records", 0)),
        link_at=float(fact.get("link_at", 0.0)),
        candidate_at=float(fact.get("candidate_at", 0.0)),
        rows=tuple(_row(line, names) for line in fact.get("lines", ())),
        job=job,
    )


def _row(line: Mapping[str, Any], names: Mapping[str, str]) -> ThresholdRow:
    edge = tuple(
        Edge(first, names.get(first, ""), second, names.get(second, ""), bits)
        for first, second, bits in line["edge"]
    )
    return ThresholdRow(**{**line, "edge": edge})
