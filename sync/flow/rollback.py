"""Rolling a run back: the inverse of its field changes goes the ordinary way."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, cast, literal, select, update
from sqlalchemy.orm import Session

from sync.flow.decide import mark_paths, set_values
from sync.flow.hub import Hub
from sync.store import audit, goldens, runs, state
from sync.store.tables import Change, Golden, HubState, Run

CHUNK = 200
SAMPLES = 200
RULE = "rolled back"
LEASE = timedelta(minutes=2)  # longer than a chunk takes
_FACT = "rollback:"  # by the run that does it: what it sets back, and how far it has come
_BY = "rolled_back:"  # by the run that was set back: the run that did it


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


@dataclass(frozen=True, slots=True)
class Counted:
    """What rolling a run back would do: counts, and the first of each kind.

    With `is_partial` the counts are of the first records only.
    """

    records: int
    fields: int
    fields_left: int
    set_back: tuple[Step, ...]
    left: tuple[Step, ...]
    created: tuple[tuple[str, str], ...]
    is_partial: bool = False

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Counted":
        """What `as_json` has made, also after a database had it."""
        return cls(
            **{
                **kept,
                "set_back": tuple(Step(**each) for each in kept["set_back"]),
                "left": tuple(Step(**each) for each in kept["left"]),
                "created": tuple((each[0], each[1]) for each in kept["created"]),
            }
        )


def counted(
    hub: Hub,
    run_id: int,
    note: Callable[[Mapping[str, Any]], None] | None = None,
    *,
    most: int | None = None,
) -> Counted:
    """Goes through a run's changes, all of them or `most` records."""
    back: list[Step] = []
    left: list[Step] = []
    records = fields = fields_left = looked = 0
    is_partial = False
    with hub.database.read() as session:
        for chunk in steps(session, run_id):
            if most is not None and looked >= most:
                is_partial = True
                break
            looked += len({step.golden_id for step in chunk})
            here = [step for step in chunk if step.is_set_back]
            records += len({step.golden_id for step in here})
            fields += len(here)
            fields_left += len(chunk) - len(here)
            back.extend(here[: SAMPLES - len(back)])
            left.extend([s for s in chunk if not s.is_set_back][: SAMPLES - len(left)])
            session.expunge_all()
            if note is not None:
                note({"records": looked})
        created = created_by(session, run_id)
    return Counted(
        records, fields, fields_left, tuple(back), tuple(left), tuple(created), is_partial
    )


def steps(session: Session, run_id: int) -> Iterator[list[Step]]:
    """What rolling a run back would do, in chunks of golden records."""
    last = ""
    while ids := _next_ids(session, run_id, last):
        last = ids[-1]
        yield _of(session, run_id, ids, lock=False)


def created_by(session: Session, run_id: int) -> list[tuple[str, str]]:
    """The first records that a run made: they stay, a rollback deletes nothing (id, name)."""
    made = select(Change.golden_id).where(Change.run_id == run_id, Change.op == "created")
    found = session.execute(
        select(Golden.id, Golden.name).where(Golden.id.in_(made)).order_by(Golden.id).limit(SAMPLES)
    )
    return [(golden_id, name) for golden_id, name in found]


def apply(hub: Hub, run_id: int, actor: str) -> tuple[int, dict[str, int]]:
    """Sets back what nobody changed since; returns the new run and its counts. Repeatable."""
    own = begin(hub, run_id, actor)
    return own, carry_on(hub, own)


def begin(hub: Hub, run_id: int, actor: str) -> int:
    """A run that sets another back; `carry_on` does the work, here or in a worker."""
    with hub.database.write() as tx:
        now = hub.now()
        own = runs.start(tx, "rollback", None, now, actor)
        fact = {"run": run_id, "actor": actor, "last": "", "counts": {}, "lease_until": None}
        state.put(tx, f"{_FACT}{own}", fact, now)
        state.put(tx, f"{_BY}{run_id}", {"by": own}, now)
        audit.note(tx, actor=actor, action="run.rollback", subject=str(run_id), now=now, facts={})
    return own


def carry_on(hub: Hub, own: int) -> dict[str, int]:
    """Goes on where a rollback stands, chunk by chunk; two at once share the chunks."""
    while _chunk(hub, own):
        pass
    with hub.database.read() as session:
        return _counts(state.get(session, f"{_FACT}{own}"))


def unfinished(session: Session, now: datetime) -> list[int]:
    """Rollbacks that nobody works on."""
    rows = session.execute(
        select(Run.id, HubState.value)
        .join(HubState, HubState.key == literal(_FACT).concat(cast(Run.id, String)))
        .where(Run.kind == "rollback", Run.state == "running")
    )
    return [own for own, fact in rows if not _is_leased(fact, now)]


def relation(session: Session, run_id: int) -> tuple[int | None, int | None]:
    """The run that this one sets back, and the run that set this one back."""
    own = state.get(session, f"{_FACT}{run_id}").get("run")
    return own, state.get(session, f"{_BY}{run_id}").get("by")


def progress(session: Session, own: int) -> dict[str, int]:
    """How many records and fields a rollback has set back so far."""
    return _counts(state.get(session, f"{_FACT}{own}"))


def _chunk(hub: Hub, own: int) -> bool:
    """One chunk in one transaction with the note of how far it has come; False at the end."""
    key = f"{_FACT}{own}"
    systems = hub.participants()
    with hub.database.write() as tx:
        now = hub.now()
        tx.execute(update(HubState).where(HubState.key == key).values(updated_at=now))  # my turn
        run, fact = tx.get_one(Run, own), state.get(tx, key)
        if run.state != "running":
            return False
        ids = _next_ids(tx, fact["run"], fact["last"])
        counts = _counts(fact)
        if not ids:
            runs.end(tx, own, counts, now)
            state.put(tx, key, {**fact, "lease_until": None}, now)
            return False
        found = _of(tx, fact["run"], ids, lock=True)
        by_id: dict[str, dict[str, Any]] = {}
        for step in found:
            if step.is_set_back:
                by_id.setdefault(step.golden_id, {})[step.path] = step.old
        loaded = goldens.load(tx, by_id)
        for golden_id, values in by_id.items():
            golden = loaded[golden_id]
            set_values(hub, tx, golden, values, actor=fact["actor"], rule=RULE, run_id=own)
            mark_paths(hub, tx, golden, set(values), systems)
        counts["left"] += sum(not step.is_set_back for step in found)
        counts["changed"] += len(by_id)
        counts["fields"] += sum(len(values) for values in by_id.values())
        lease = (now + LEASE).isoformat()
        state.put(tx, key, {**fact, "last": ids[-1], "counts": counts, "lease_until": lease}, now)
    return True


def _counts(fact: dict[str, Any]) -> dict[str, int]:
    return {"changed": 0, "fields": 0, "left": 0, **fact.get("counts", {})}


def _is_leased(fact: dict[str, Any], now: datetime) -> bool:
    until = fact.get("lease_until")
    return until is not None and datetime.fromisoformat(until) > now


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
