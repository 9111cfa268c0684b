"""What each threshold would do to the hub's own customers, from the scores alone."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.core import blocking
from sync.core.batch import threshold_rows
from sync.core.columns import Table, Texts
from sync.core.normal.record import normalise
from sync.core.party import party_from_canonical
from sync.flow import weights
from sync.flow.hub import Hub
from sync.flow.match_file import CHUNK, FileMatch, Piece, assembled, match_loaded
from sync.store import state
from sync.store.tables import Golden

FACT = "thresholds"
STEPS = (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True, slots=True)
class Line:
    """A threshold's consequences; `edge` holds pairs near it: two ids and their score."""

    at: float
    customers: int
    links: int
    expected_precision: float
    expected_missed: float
    edge: tuple[tuple[str, str, float], ...]


def work_out(hub: Hub, *, train: bool = False) -> dict[str, Any]:
    """Scores the customers among themselves and keeps what each threshold would do."""
    result = _match(hub, train=train)
    lines = _lines(result, STEPS) if result else []
    records = len(result.loaded.table) if result else 0
    with hub.database.read() as session:
        limits = weights.in_use(session).thresholds
    found = {
        "made_at": hub.now().isoformat(),
        "records": records,
        "link_at": round(limits.link_in_file_at(records), 2),
        "candidate_at": round(limits.candidate_in_file_at(records), 2),
        "lines": [asdict(line) for line in lines],
    }
    with hub.database.write() as tx:
        state.put(tx, FACT, found, hub.now())
    return found


def kept(session: Session) -> dict[str, Any]:
    """What was worked out last."""
    return state.get(session, FACT)


def _match(hub: Hub, *, train: bool) -> FileMatch | None:
    pieces = []
    with hub.database.read() as session:
        matcher = weights.in_use(session)
        rows = session.execute(
            select(Golden.id, Golden.values)
            .where(Golden.entity == "customer", Golden.state == "live")
            .order_by(Golden.id)
            .execution_options(yield_per=CHUNK)
        )
        for number, part in enumerate(rows.partitions()):
            table = Table.of([normalise(party_from_canonical(values)) for _, values in part], [])
            ids = Texts.of([golden_id for golden_id, _ in part])
            pieces.append(Piece(number, ids, table, blocking.key_arrays(table)))
    if not pieces:
        return None
    return match_loaded(assembled(pieces), matcher, train=train)


def _lines(result: FileMatch, steps: Sequence[float]) -> list[Line]:
    rows = threshold_rows(result.compared.pairs, result.rounds, steps)
    ids = result.loaded.id_list()
    return [
        Line(
            row.at,
            row.customers,
            row.links,
            round(row.expected_precision, 4),
            round(row.expected_missed, 1),
            tuple((ids[a], ids[b], bits) for a, b, bits in row.edge),
        )
        for row in rows
    ]
