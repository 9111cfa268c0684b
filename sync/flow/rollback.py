"""Rolling a run back: the inverse of its field changes goes the ordinary way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.flow.decide import mark_paths, set_values
from sync.flow.hub import Hub
from sync.store import audit, goldens, runs
from sync.store.tables import Change, Golden

CHUNK = 200
RULE = "rolled back"


@dataclass(frozen=True, slots=True)
class Step:
    """One field that a run changed: from `old` to `new`; `now` is what the hub holds."""

    golden_id: str
    name: str
    path: str
    old: Any
    new: Any
    now: Any
    left: str = ""  # why it stays as it is; empty: it is set back

    @property
    def is_set_back(self) -> bool:
        """Whether a rollback touches it."""
        return not self.left


def steps(session: Session, run_id: int) -> Iterator[list[Step]]:
    """What rolling a run back would do, in chunks of golden records."""
    last = ""
    while ids := _next_ids(session, run_id, last):
        last = ids[-1]
        yield _of(session, run_id, ids, lock=False)


def created_by(session: Session, run_id: int) -> list[tuple[str, str]]:
    """Golden records that a run made: they stay, a rollback deletes nothing (id, name)."""
    made = select(Change.golden_id).where(Change.run_id == run_id, Change.op == "created")
    found = session.execute(
        select(Golden.id, Golden.name).where(Golden.id.in_(made)).order_by(Golden.id)
    )
    return [(golden_id, name) for golden_id, name in found]


def apply(hub: Hub, run_id: int, actor: str) -> tuple[int, dict[str, int]]:
    """Sets back what nobody changed since; returns the new run and its counts. Repeatable."""
    systems = hub.participants()
    counts = {"changed": 0, "fields": 0, "left": 0}
    with hub.database.write() as tx:
        own = runs.start(tx, "rollback", None, hub.now(), actor)
        audit.note(
            tx, actor=actor, action="run.rollback", subject=str(run_id), now=hub.now(), facts={}
        )
    last = ""
    while True:
        with hub.database.write() as tx:
            ids = _next_ids(tx, run_id, last)
            if not ids:
                break
            last = ids[-1]
            found = _of(tx, run_id, ids, lock=True)
            counts["left"] += sum(not step.is_set_back for step in found)
            by_id: dict[str, dict[str, Any]] = {}
            for step in found:
                if step.is_set_back:
                    by_id.setdefault(step.golden_id, {})[step.path] = step.old
            loaded = goldens.load(tx, by_id)
            for golden_id, values in by_id.items():
                golden = loaded[golden_id]
                set_values(hub, tx, golden, values, actor=actor, rule=RULE, run_id=own)
                mark_paths(hub, tx, golden, set(values), systems)
            counts["changed"] += len(by_id)
            counts["fields"] += sum(len(values) for values in by_id.values())
    with hub.database.write() as tx:
        runs.end(tx, own, counts, hub.now())
    return own, counts


def _next_ids(session: Session, run_id: int, last: str) -> list[str]:
    return list(
        session.scalars(
            select(Change.golden_id)
            .where(Change.run_id == run_id, Change.op == "set", Change.golden_id > last)
            .distinct()
            .order_by(Change.golden_id)
            .limit(CHUNK)
        )
    )


def _of(session: Session, run_id: int, ids: Sequence[str], *, lock: bool) -> list[Step]:
    records = goldens.load(session, ids, lock=lock)
    rows = session.scalars(
        select(Change)
        .where(Change.golden_id.in_(ids), Change.op.in_(("set", "created")))
        .order_by(Change.golden_id, Change.id)
    )
    mine: dict[tuple[str, str], tuple[Any, Any]] = {}
    later: dict[tuple[str, str], Change] = {}
    for row in rows:
        key = (row.golden_id, str(row.path))
        if row.op == "set" and row.run_id == run_id:
            first = mine[key][0] if key in mine else row.old
            mine[key] = (first, row.new)
            later.pop(key, None)
        elif row.op == "set" and key in mine:
            later[key] = row
    return [
        _step(records[golden_id], path, old, new, later.get((golden_id, path)))
        for (golden_id, path), (old, new) in mine.items()
    ]


def _step(golden: Golden, path: str, old: Any, new: Any, since: Change | None) -> Step:
    now = golden.values.get(path)
    left = ""
    if golden.state != "live":
        left = f"the record is {golden.state}"
    elif since is not None and since.rule == RULE and now == old:
        left = "it is set back already"
    elif since is not None:
        left = f"it was changed again on {since.at:%Y-%m-%d %H:%M} UTC"
    elif now == old:
        left = "it has this value already"
    elif now != new:
        left = "it holds another value by now"
    return Step(golden.id, golden.name, path, old, new, now, left)
