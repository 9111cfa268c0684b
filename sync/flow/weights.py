"""The weights in use: the shipped ones, or those that the stewards' decisions have sharpened.

A refit starts from the shipped weights each time and from all decisions made until then, so it
does not drift, and an old version is exactly what it was.
"""

import threading
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.core.match import Matcher
from sync.core.score import Model
from sync.core.sharpen import Decided, Verdict, sharpen
from sync.flow.hub import Hub
from sync.flow.match_file import load_matcher
from sync.store import state
from sync.store.tables import Candidate, Golden

log = structlog.get_logger()
IN_USE = "matching_weights"  # the fact that names the version in use
EVERY = timedelta(hours=24)
NEWEST = 5_000  # decisions that are learnt from, the latest ones
KEPT = 10  # versions that can be brought back


@dataclass(frozen=True, slots=True)
class Refit:
    """What a refit came to; `version` is the one in use from now on."""

    version: str
    base: str
    decisions: int
    taken: bool
    made_at: datetime
    verdicts: tuple[Verdict, ...]


class _Loaded:
    """The matcher of the version in use; loaded once for each version."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.shipped: Matcher | None = None
        self.matcher: Matcher | None = None
        self.number, self.made_at = 0, ""

    def of(self, session: Session) -> Matcher:
        with self.lock:
            if self.shipped is None:
                self.shipped = load_matcher()
            fact = state.get(session, IN_USE)
            number, made_at = int(fact.get("number", 0)), str(fact.get("made_at", ""))
            if not number or fact.get("base") != self.shipped.model.version:
                return self.shipped
            if self.matcher is None or (number, made_at) != (self.number, self.made_at):
                stored = state.get(session, _key(number))
                model = _model(stored["model"], self.shipped.model)
                self.matcher = replace(self.shipped, model=model)
                self.number, self.made_at = number, made_at
            return self.matcher


_loaded = _Loaded()


def in_use(session: Session) -> Matcher:
    """The thresholds with the weights that hold now, online as in plans and files."""
    return _loaded.of(session)


def shipped() -> Matcher:
    """The weights that came with the hub."""
    return load_matcher()


def _model(stored: dict[str, Any], base: Model) -> Model:
    """The stored weights; what training without labels rests on comes from the base."""
    found = Model.from_dict(stored)
    kinds = {name: replace(kind, seen=base.kinds[name].seen) for name, kind in found.kinds.items()}
    return replace(found, kinds=kinds)


def _key(number: int) -> str:
    return f"{IN_USE}:{number}"


def refit(hub: Hub) -> Refit:
    """Learns from all decisions; the result is used where it stands the test."""
    now, base = hub.now(), load_matcher()
    with hub.database.read() as session:
        fact = state.get(session, IN_USE)
        decided, current = _decided(session), in_use(session).model.version
        records = session.scalar(_customers()) or 0
    number = int(fact.get("last", 0)) + 1
    version = f"{base.model.version}+{number}"
    found = sharpen(base.model, decided, base.thresholds.link_at(records), version)
    done = Refit(
        version=found.model.version if found.changed else current,
        base=base.model.version,
        decisions=len(decided),
        taken=found.changed,
        made_at=now,
        verdicts=found.verdicts,
    )
    with hub.database.write() as tx:
        report = _report(done)
        if not found.changed:
            kept = {**state.get(tx, IN_USE), "tried_at": now.isoformat(), "report": report}
            state.put(tx, IN_USE, kept, now)
        else:
            stored = {"model": _without_shares(found.model), "report": report}
            state.put(tx, _key(number), stored, now)
            state.put(tx, _key(number - KEPT), {}, now)
            state.put(tx, IN_USE, _pointer(done, number, report, now), now)
    return done


def _pointer(done: Refit, number: int, report: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "number": number,
        "last": number,
        "base": done.base,
        "made_at": now.isoformat(),
        "tried_at": now.isoformat(),
        "report": report,
    }


def _without_shares(model: Model) -> dict[str, Any]:
    stored = model.to_dict()
    for kind in stored["kinds"].values():
        kind.pop("seen", None)
    return stored


def _report(done: Refit) -> dict[str, Any]:
    return {
        "version": done.version,
        "base": done.base,
        "decisions": done.decisions,
        "taken": done.taken,
        "made_at": done.made_at.isoformat(),
        "verdicts": [asdict(verdict) for verdict in done.verdicts],
    }


def refit_when_due(hub: Hub) -> None:
    """Once a day, if a person has decided anything since the last time."""
    with hub.database.read() as session:
        tried = state.get(session, IN_USE).get("tried_at")
        last = datetime.fromisoformat(str(tried)) if tried else None
        if last is not None and last > hub.now() - EVERY:
            return
        newest = session.scalar(
            select(func.max(Candidate.decided_at)).where(Candidate.state != "open")
        )
    if newest is not None and (last is None or newest > last):
        done = refit(hub)
        log.info("weights_refitted", version=done.version, taken=done.taken)


def use(hub: Hub, number: int) -> None:
    """Takes a kept version into use again; 0 stands for the shipped weights."""
    now = hub.now()
    with hub.database.write() as tx:
        fact = state.get(tx, IN_USE)
        if not number:
            state.put(tx, IN_USE, {**fact, "number": 0, "made_at": now.isoformat()}, now)
            return
        stored = state.get(tx, _key(number))
        if not stored:
            raise KeyError(number)
        report = stored["report"]
        chosen = {"number": number, "base": report["base"], "made_at": now.isoformat()}
        state.put(tx, IN_USE, {**fact, **chosen}, now)


def history(session: Session) -> tuple[int, list[tuple[int, dict[str, Any]]]]:
    """(the number in use, the kept versions with their reports, the newest first)."""
    fact = state.get(session, IN_USE)
    last = int(fact.get("last", 0))
    kept = [(number, state.get(session, _key(number))) for number in range(last, 0, -1)]
    found = [(number, stored["report"]) for number, stored in kept if stored]
    return int(fact.get("number", 0)), found


def last_report(session: Session) -> dict[str, Any]:
    """What the latest refit came to, taken or not; empty before the first."""
    return dict(state.get(session, IN_USE).get("report") or {})


def _customers() -> Any:
    return (
        select(func.count())
        .select_from(Golden)
        .where(Golden.entity == "customer", Golden.state == "live")
    )


def _decided(session: Session) -> list[Decided]:
    """The decided pairs of customers, with the evidence that the person saw."""
    rows = session.execute(
        select(Candidate.id, Candidate.weights, Candidate.state)
        .join(Golden, Golden.id == Candidate.first_id)
        .where(Candidate.state.in_(("merged", "different")), Golden.entity == "customer")
        .where(Candidate.decided_by != "")
        .order_by(Candidate.decided_at.desc())
        .limit(NEWEST)
    )
    return [
        Decided(pair, tuple((str(w[0]), str(w[1])) for w in weights), verdict == "merged")
        for pair, weights, verdict in rows
        if weights
    ]
