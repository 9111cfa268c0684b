"""Pairs that may be one customer: the queue, one pair side by side, decisions, undo."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from mapping.canonical import REFERENCES
from sync.core.unify import Choice
from sync.flow import foresee, split, unify
from sync.flow.hub import Hub
from sync.service.errors import NotFoundError, ServiceError
from sync.service.paging import Page, page_of
from sync.store.tables import Candidate, Golden, Link, Merge, System

STATES = ("open", "merged", "different")
MOST_ALIKE = 500  # pairs decided at once
Side = Literal["winner", "loser", "both"]


@dataclass(frozen=True, slots=True)
class Weight:
    """One bar of a waterfall: what was compared, how it came out, and the bits it adds."""

    field: str
    level: str
    bits: float
    before: float  # the sum of the bars above


@dataclass(frozen=True, slots=True)
class SideView:
    """One record of a pair."""

    id: str
    name: str
    state: str
    values: Mapping[str, Any]
    systems: tuple[tuple[str, str, str], ...]  # system, object, remote id
    children: int
    held_until: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class PairLine:
    """One line of the queue."""

    id: int
    entity: str
    first_id: str
    first_name: str
    second_id: str
    second_name: str
    score: float
    state: str
    pattern: str
    created_at: datetime
    decided_by: str
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class PairView:
    """One pair side by side; `fields`: path, both values, whether they differ."""

    line: PairLine
    first: SideView
    second: SideView
    weights: tuple[Weight, ...]
    fields: tuple[tuple[str, Any, Any, bool], ...]
    alike: int  # open pairs with the same evidence, this one included
    merge_id: int | None  # of a merge that can be undone


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """One unit of the survivor: each path's two values and the one that is kept."""

    unit: str
    rule: str
    pick: str
    differs: bool
    mergeable: bool  # a set: both sides may be kept
    fields: tuple[tuple[str, Any, Any, Any], ...]  # path, winner's, loser's, kept
    winner_source: str
    loser_source: str


@dataclass(frozen=True, slots=True)
class SystemEffect:
    """What a merge does in one system."""

    system: str
    steps: tuple[foresee.Effect, ...]
    child_writes: int


@dataclass(frozen=True, slots=True)
class MergePreview:
    """The survivor, and what each linked system would see."""

    winner_id: str
    winner_name: str
    loser_id: str
    loser_name: str
    choices: tuple[FieldChoice, ...]
    effects: tuple[SystemEffect, ...]
    children: Mapping[str, int]
    unknown: tuple[str, ...]
    warnings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MergeLine:
    """One merge that was made."""

    id: int
    entity: str
    winner_id: str
    winner_name: str
    loser_id: str
    loser_name: str
    actor: str
    merged_at: datetime
    undone_at: datetime | None
    undone_by: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A second record of one customer in a system that could not merge it away."""

    golden_id: str
    name: str
    system: str
    object: str
    remote_id: str
    state: str


@dataclass(slots=True)
class BulkResult:
    """What became of a decision about many pairs; `refused`: pair id -> why."""

    done: int = 0
    refused: dict[int, str] = field(default_factory=dict)


def list_pairs(hub: Hub, *, state: str = "open", page: int = 1, limit: int = 20) -> Page[PairLine]:
    """The most likely pairs first."""
    query = _pairs().where(Candidate.state == state)
    with hub.database.read() as session:
        found = page_of(session, query, page, limit)
        return found.map(lambda row: _line(*row))


def next_pair(hub: Hub, after: int | None = None) -> int | None:
    """The next open pair of the queue; after the last one it begins again."""
    with hub.database.read() as session:
        here = session.get(Candidate, after) if after is not None else None
        query = select(Candidate.id).where(Candidate.state == "open")
        query = query.order_by(Candidate.score.desc(), Candidate.id).limit(1)
        if here is not None:
            later = (Candidate.score < here.score) | (
                (Candidate.score == here.score) & (Candidate.id > here.id)
            )
            found = session.scalar(query.where(later))
            if found is not None:
                return found
        return session.scalar(query)


def get_pair(hub: Hub, pair_id: int) -> PairView:
    """One pair, side by side, with its waterfall."""
    with hub.database.read() as session:
        row = session.execute(_pairs().where(Candidate.id == pair_id)).one_or_none()
        if row is None:
            raise NotFoundError(f"There is no pair {pair_id}.", code="no_pair", id=pair_id)
        candidate = row[0]
        first, second = (
            session.get_one(Golden, candidate.first_id),
            session.get_one(Golden, candidate.second_id),
        )
        called = _called(session, (first, second))
        alike = _alike(session, candidate) if candidate.state == "open" else []
        return PairView(
            line=_line(*row),
            first=_side(session, first),
            second=_side(session, second),
            weights=_waterfall(candidate.weights),
            fields=_fields(first, second, called),
            alike=max(1, len(alike)),
            merge_id=_standing_merge(session, candidate),
        )


def preview(
    hub: Hub, winner_id: str, loser_id: str, overrides: Mapping[str, str] | None = None
) -> MergePreview:
    """What a merge would keep, write, merge and move; nothing is changed."""
    with _refusals():
        found = foresee.preview_merge(hub, winner_id, [loser_id], _picks(overrides))
    loser = found.losers[0]
    with hub.database.read() as session:
        called = _called(session, (found.winner, loser))
    return MergePreview(
        winner_id=winner_id,
        winner_name=found.winner.name,
        loser_id=loser_id,
        loser_name=loser.name,
        choices=tuple(_choice(choice, called) for choice in found.choices[loser_id]),
        effects=tuple(
            SystemEffect(
                name,
                tuple(effect for effect in found.effects if effect.system == name),
                found.child_writes.get(name, 0),
            )
            for name in dict.fromkeys(
                [*(effect.system for effect in found.effects), *found.child_writes]
            )
        ),
        children=found.children,
        unknown=tuple(found.unknown),
        warnings=tuple(found.warnings),
    )


def merge(
    hub: Hub,
    winner_id: str,
    loser_id: str,
    *,
    actor: str,
    overrides: Mapping[str, str] | None = None,
) -> int:
    """Merges two records; returns the id that undoes it."""
    with _refusals():
        return unify.merge(hub, winner_id, loser_id, actor, _picks(overrides))


def unmerge(hub: Hub, merge_id: int, *, actor: str) -> MergeLine:
    """Undoes a merge; both records stand again and are never proposed again."""
    with _refusals():
        split.unmerge(hub, merge_id, actor)
    return get_merge(hub, merge_id)


def keep_apart(hub: Hub, pair_id: int, *, actor: str) -> None:
    """The two records of a pair are different."""
    first, second = _members(hub, pair_id)
    with _refusals():
        unify.keep_apart(hub, first, second, actor)


def decide_alike(hub: Hub, pair_id: int, decision: str, *, actor: str) -> BulkResult:
    """Decides an open pair and all open pairs with the same evidence: `merge` or `different`.

    The record with more links, then the older one, wins. A pair that cannot be merged is left
    in the queue with its reason; the others are decided.
    """
    if decision not in {"merge", "different"}:
        raise ServiceError(f"“{decision}” is no decision.", code="bad_choice")
    with hub.database.read() as session:
        candidate = session.get(Candidate, pair_id)
        if candidate is None:
            raise NotFoundError(f"There is no pair {pair_id}.", code="no_pair", id=pair_id)
        pairs = [(row.id, row.first_id, row.second_id) for row in _alike(session, candidate)]
    out = BulkResult()
    for row_id, first, second in pairs:
        try:
            if decision == "different":
                unify.keep_apart(hub, first, second, actor)
            else:
                winner, loser = stronger(hub, first, second)
                unify.merge(hub, winner, loser, actor)
            out.done += 1
        except unify.CannotUnifyError as error:
            out.refused[row_id] = str(error)
    return out


def stronger(hub: Hub, first: str, second: str) -> tuple[str, str]:
    """(winner, loser) as proposed: more systems know the winner, or it is the older one."""
    with hub.database.read() as session:
        counts = {golden_id: _live_links(session, golden_id) for golden_id in (first, second)}
    older, newer = sorted((first, second))
    return (newer, older) if counts[newer] > counts[older] else (older, newer)


def list_merges(hub: Hub, *, page: int = 1, limit: int = 20) -> Page[MergeLine]:
    """The newest first."""
    with hub.database.read() as session:
        found = page_of(session, _merges().order_by(Merge.id.desc()), page, limit)
        return found.map(lambda row: _merge_line(*row))


def get_merge(hub: Hub, merge_id: int) -> MergeLine:
    """One merge."""
    with hub.database.read() as session:
        row = session.execute(_merges().where(Merge.id == merge_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no merge {merge_id}.", code="no_merge", id=merge_id)
    return _merge_line(*row)


def list_duplicates(hub: Hub, *, page: int = 1, limit: int = 50) -> Page[Duplicate]:
    """Records that stand twice in one system and have to be merged there by hand, or will be."""
    query = (
        select(Link, Golden.name, System.name)
        .join(Golden, Golden.id == Link.golden_id)
        .join(System, System.id == Link.system_id)
        .where(Link.is_primary.is_(False), Link.state.in_(("live", unify.MERGING)))
        .order_by(Link.id.desc())
    )
    with hub.database.read() as session:
        found = page_of(session, query, page, limit)
        return found.map(lambda row: _duplicate(*row))


def _duplicate(link: Link, name: str, system: str) -> Duplicate:
    remote_id = str(link.remote_id)
    return Duplicate(link.golden_id, name, system, link.object, remote_id, link.state)


class _refusals:  # noqa: N801  reads as a statement
    """What the engine refuses, as the screens know it."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, unify.CannotUnifyError):
            found = NotFoundError if error.code in {"no_record", "no_merge"} else ServiceError
            refusal = found(str(error), code=error.code)
            refusal.facts.update(error.facts)
            raise refusal from error


def _picks(overrides: Mapping[str, str] | None) -> dict[str, Side]:
    sides: dict[str, Side] = {"winner": "winner", "loser": "loser", "both": "both"}
    return {unit: sides[side] for unit, side in (overrides or {}).items() if side in sides}


def _pairs() -> Select[*tuple[Any, ...]]:
    first, second = aliased(Golden), aliased(Golden)
    return (
        select(Candidate, first.name, second.name, first.entity)
        .join(first, first.id == Candidate.first_id)
        .join(second, second.id == Candidate.second_id)
        .order_by(Candidate.score.desc(), Candidate.id)
    )


def _merges() -> Select[*tuple[Any, ...]]:
    winner, loser = aliased(Golden), aliased(Golden)
    return (
        select(Merge, winner.name, loser.name, winner.entity)
        .join(winner, winner.id == Merge.winner_id)
        .join(loser, loser.id == Merge.loser_id)
    )


def _line(row: Candidate, first: str, second: str, entity: str) -> PairLine:
    return PairLine(
        id=row.id,
        entity=entity,
        first_id=row.first_id,
        first_name=first,
        second_id=row.second_id,
        second_name=second,
        score=row.score,
        state=row.state,
        pattern=_pattern(row.weights),
        created_at=row.created_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )


def _merge_line(row: Merge, winner: str, loser: str, entity: str) -> MergeLine:
    return MergeLine(
        id=row.id,
        entity=entity,
        winner_id=row.winner_id,
        winner_name=winner,
        loser_id=row.loser_id,
        loser_name=row.undo["loser"].get("name") or loser,
        actor=row.actor,
        merged_at=row.merged_at,
        undone_at=row.undone_at,
        undone_by=row.undone_by,
    )


def _parts(weight: Sequence[Any]) -> tuple[str, str, float]:
    """(field, level, bits); evidence without levels is stored as (name, bits)."""
    if len(weight) > 2:
        return str(weight[0]), str(weight[1]), float(weight[2])
    return str(weight[0]), "", float(weight[1])


def _waterfall(weights: Sequence[Sequence[Any]]) -> tuple[Weight, ...]:
    bars, total = [], 0.0
    for weight in weights:
        name, level, bits = _parts(weight)
        bars.append(Weight(name, level, bits, total))
        total += bits
    return tuple(bars)


def _pattern(weights: Sequence[Sequence[Any]]) -> str:
    """What the evidence of a pair looks like, whatever the bits are."""
    return json.dumps(sorted(_parts(weight)[:2] for weight in weights), ensure_ascii=False)


def _alike(session: Session, row: Candidate) -> list[Candidate]:
    """Open pairs of the same entity with the same set of (field, level), the best first."""
    first = aliased(Golden)
    entity = session.get_one(Golden, row.first_id).entity
    query = (
        select(Candidate)
        .join(first, first.id == Candidate.first_id)
        .where(Candidate.state == "open", first.entity == entity)
        .order_by(Candidate.score.desc(), Candidate.id)
    )
    wanted = _pattern(row.weights)
    found = []
    for other in session.scalars(query.execution_options(yield_per=500)):
        if _pattern(other.weights) == wanted:
            found.append(other)
        if len(found) >= MOST_ALIKE:
            break
    return found


def _members(hub: Hub, pair_id: int) -> tuple[str, str]:
    with hub.database.read() as session:
        row = session.get(Candidate, pair_id)
    if row is None:
        raise NotFoundError(f"There is no pair {pair_id}.", code="no_pair", id=pair_id)
    return row.first_id, row.second_id


def _live_links(session: Session, golden_id: str) -> int:
    query = select(Link.id).where(Link.golden_id == golden_id, Link.state == "live")
    return len(session.scalars(query).all())


def _standing_merge(session: Session, row: Candidate) -> int | None:
    pair = (row.first_id, row.second_id)
    return session.scalar(
        select(Merge.id)
        .where(Merge.winner_id.in_(pair), Merge.loser_id.in_(pair), Merge.undone_at.is_(None))
        .order_by(Merge.id.desc())
        .limit(1)
    )


def _side(session: Session, golden: Golden) -> SideView:
    linked = session.execute(
        select(System.name, Link.object, Link.remote_id)
        .join(System, System.id == Link.system_id)
        .where(Link.golden_id == golden.id, Link.state == "live")
        .order_by(Link.id)
    )
    children = session.scalars(
        select(Golden.id).where(Golden.parent_id == golden.id, Golden.state == "live").limit(1000)
    )
    return SideView(
        id=golden.id,
        name=golden.name,
        state=golden.state,
        values=golden.values,
        systems=tuple((name, kind, str(remote)) for name, kind, remote in linked),
        children=len(children.all()),
        held_until=golden.held_until,
        created_at=golden.created_at,
        updated_at=golden.updated_at,
    )


def _called(session: Session, records: Sequence[Golden]) -> dict[str, str]:
    """The names of records that these refer to."""
    ids = {str(g.values[path]) for g in records for path in REFERENCES if g.values.get(path)}
    rows = session.execute(select(Golden.id, Golden.name).where(Golden.id.in_(ids))).all()
    return {row.id: row.name for row in rows}


def _fields(
    first: Golden, second: Golden, called: Mapping[str, str]
) -> tuple[tuple[str, Any, Any, bool], ...]:
    paths = list(dict.fromkeys((*first.values, *second.values)))
    rows = [(p, _told(first.values, p, called), _told(second.values, p, called)) for p in paths]
    return tuple((p, a, b, a != b) for p, a, b in rows if a is not None or b is not None)


def _told(values: Mapping[str, Any], path: str, called: Mapping[str, str]) -> Any:
    value = values.get(path)
    return called.get(str(value), value) if path in REFERENCES else value


def _choice(choice: Choice, called: Mapping[str, str]) -> FieldChoice:
    def shown(values: Mapping[str, Any], path: str) -> Any:
        return _told(values, path, called)

    return FieldChoice(
        unit=choice.unit,
        rule=choice.rule,
        pick=choice.pick,
        differs=choice.differs,
        mergeable=any(isinstance(value, list) for value in (*choice.winner.values(),))
        or any(isinstance(value, list) for value in choice.loser.values()),
        fields=tuple(
            (p, shown(choice.winner, p), shown(choice.loser, p), shown(choice.result, p))
            for p in choice.paths
        ),
        winner_source=_source(choice.winner_sources),
        loser_source=_source(choice.loser_sources),
    )


def _source(sources: Mapping[str, Mapping[str, Any]]) -> str:
    names = [str(s.get("by") or s.get("system")) for s in sources.values() if s]
    return ", ".join(dict.fromkeys(names))
