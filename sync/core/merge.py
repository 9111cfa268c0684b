"""Three-way merge of one remote record into its golden record, field by field.

The base has two sides. The remote moved a field when incoming differs from `shadow`. The hub
moved it when golden differs from `pushed`, or from `shadow` where nothing was pushed. Only if
both moved, to different values, a policy has to decide. Nobody's clock or name is asked who
made a change, so an echo is simply a record in which nothing moved.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mapping.paths import ABSENT, Values
from sync.core.policy import (
    FieldPolicy,
    PolicySet,
    Side,
    Source,
    owns,
    prefers_theirs,
    speaks_for_owner,
)


@dataclass(frozen=True, slots=True)
class Base:
    """What both sides last agreed on; `pushing` was sent and its answer is not known."""

    shadow: Values
    pushed: Values
    pushing: Values | None = None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A golden field takes another value."""

    path: str
    old: Any
    new: Any
    rule: str


@dataclass(frozen=True, slots=True)
class Overruled:
    """An incoming value that a rule did not let in; it is kept in the change log."""

    path: str
    kept: Any
    refused: Any
    rule: str


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """Both sides moved a unit to different values. `open`: a person has to decide."""

    unit: str
    rule: str
    open: bool
    base: Values
    ours: Values
    theirs: Values
    proposal: Values


@dataclass(slots=True)
class Merged:
    """The outcome; `shadow`, `pushed` and `pushing` are the link's new base."""

    shadow: dict[str, Any]
    pushed: dict[str, Any]
    pushing: dict[str, Any] = field(default_factory=dict)  # may still be on its way
    changes: list[FieldChange] = field(default_factory=list)
    overruled: list[Overruled] = field(default_factory=list)
    conflicts: list[FieldConflict] = field(default_factory=list)
    arrived: dict[str, Any] = field(default_factory=dict)  # of a write whose answer was lost


@dataclass(frozen=True, slots=True)
class _Unit:
    """A field, or a group of fields, that is decided as one."""

    name: str
    policy: FieldPolicy
    side: Side
    ours: dict[str, Any]
    theirs: dict[str, Any]
    agreed: dict[str, Any]
    sources: list[Source]
    hub_moved: bool

    @property
    def is_owner(self) -> bool:
        """The incoming side is the source of record."""
        rule = self.policy.rule == "source_of_record"
        return rule and owns(self.policy, self.side.system, self.side.kind)

    @property
    def is_owned_elsewhere(self) -> bool:
        """Another system is the source of record and has given the value that stands.

        Or a person in the hub has replaced what it gave: that is not for others to overrule.
        """
        if self.is_owner:
            return False
        return any(speaks_for_owner(self.policy, source) for source in self.sources)


def merge_fields(
    entity: str,
    golden: Values,
    incoming: Values,
    base: Base,
    *,
    policies: PolicySet,
    side: Side,
    sources: Mapping[str, Source],
    sets: Iterable[str] = (),
    observed: Iterable[str] = (),
) -> Merged:
    """Merges `incoming` (canonical, whole) into `golden`.

    `sets` are the paths whose values are sets: their members merge one by one. `observed` are
    the paths that the system may not bring in: their movement is noted and later overwritten.
    """
    base, arrived = _settle(base, incoming)
    moved = _remote_moved(incoming, base)
    out = Merged(
        shadow={**base.shadow, **incoming},
        pushed={path: value for path, value in base.pushed.items() if path not in moved},
        pushing={
            path: value
            for path, value in (base.pushing or {}).items()
            if path not in moved and path not in arrived
        },
        arrived=arrived,
        overruled=[
            Overruled(path, value, incoming[path], "taken for our own write")
            for path, value in arrived.items()
            if incoming[path] != value
        ],
    )
    if not moved:  # as after most writes
        return out
    set_paths = frozenset(sets)
    for name, (policy, paths) in _units(entity, incoming, policies, frozenset(observed)).items():
        if moved.isdisjoint(paths):
            continue
        unit = _Unit(
            name=name,
            policy=policy,
            side=side,
            ours={path: golden.get(path) for path in paths},
            theirs={path: _theirs(path, incoming, base, moved) for path in paths},
            agreed={path: base.shadow[path] for path in paths if path in base.shadow},
            sources=[sources.get(path, {}) for path in paths if path in golden],
            hub_moved=any(_hub_moved(path, golden, base) for path in paths),
        )
        if len(paths) == 1 and paths[0] in set_paths:
            _merge_set(paths[0], unit, out)
        else:
            _merge_unit(unit, out)
    return out


def is_rendering(sent: Any, held: Any) -> bool:
    """Whether `held` looks like what a lossy system made of `sent`: cut, or reformatted."""
    if sent == held:
        return True
    if not isinstance(sent, str) or not isinstance(held, str):
        return False
    ours, theirs = _bare(sent), _bare(held)
    return ours == theirs or bool(theirs and ours.startswith(theirs))


def _bare(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _theirs(path: str, incoming: Values, base: Base, moved: set[str]) -> Any:
    """What the other side says. Of a field that did not move there: what we last told it.

    Its shortened or reformatted copy is our own value and must not come back with a neighbour.
    """
    if path in moved or path not in base.pushed:
        return incoming[path]
    return base.pushed[path]


def _settle(base: Base, incoming: Values) -> tuple[Base, dict[str, Any]]:
    """Counts a write with a lost answer as done where the record shows its values."""
    if not base.pushing:
        return base, {}
    landed = {
        path: value
        for path, value in base.pushing.items()
        if path in incoming
        and incoming[path] != base.shadow.get(path, ABSENT)
        and is_rendering(value, incoming[path])
    }
    shadow = {**base.shadow, **{path: incoming[path] for path in landed}}
    return Base(shadow, {**base.pushed, **landed}, base.pushing), landed


def _units(
    entity: str, incoming: Values, policies: PolicySet, skip: frozenset[str]
) -> dict[str, tuple[FieldPolicy, list[str]]]:
    units: dict[str, tuple[FieldPolicy, list[str]]] = {}
    for path in incoming:
        if path not in skip:
            unit, policy = policies.unit(entity, path)
            units.setdefault(unit, (policy, []))[1].append(path)
    return units


def _remote_moved(incoming: Values, base: Base) -> set[str]:
    shadow, moved = base.shadow, set()
    for path, value in incoming.items():
        known = shadow.get(path, ABSENT)
        if value is not None if known is ABSENT else value != known:
            moved.add(path)
    return moved


def _hub_moved(path: str, golden: Values, base: Base) -> bool:
    known = base.pushed.get(path, base.shadow.get(path, ABSENT))
    value = golden.get(path)
    return value is not None if known is ABSENT else bool(value != known)


def _merge_unit(unit: _Unit, out: Merged) -> None:
    ours, theirs, policy = unit.ours, unit.theirs, unit.policy
    if ours == theirs:
        return
    emptied = policy.blanks and unit.hub_moved  # our blank is somebody's decision
    if unit.is_owned_elsewhere:
        _keep(ours, theirs, "source_of_record", out)
    elif _is_blank(ours) and not emptied:
        _take(theirs, ours, "only_value", out)
    elif _is_blank(theirs) and not (policy.blanks or unit.is_owner):
        _keep(ours, theirs, "blank", out)
    elif not unit.hub_moved:
        _take(theirs, ours, "only_mover", out)
    else:
        _decide(unit, out)


def _decide(unit: _Unit, out: Merged) -> None:
    ours, theirs, policy = unit.ours, unit.theirs, unit.policy
    wins = prefers_theirs(
        policy, list(ours.values()), list(theirs.values()), unit.sources, unit.side
    )
    waits = policy.rule == "manual"
    if unit.agreed or waits:  # a fresh link has no base: it is decided, not disputed
        proposal = theirs if wins else ours
        out.conflicts.append(
            FieldConflict(unit.name, policy.rule, waits, unit.agreed, ours, theirs, proposal)
        )
    if wins and not waits:
        _take(theirs, ours, policy.rule, out)
    else:
        _keep(ours, theirs, policy.rule, out)


def _merge_set(path: str, unit: _Unit, out: Merged) -> None:
    old, new = unit.ours[path], unit.theirs[path]
    ours, theirs = set(old or ()), set(new or ())
    before = set(unit.agreed.get(path) or ())
    if unit.is_owned_elsewhere:
        _keep({path: old}, {path: new}, "source_of_record", out)
        return
    merged = sorted((ours | (theirs - before)) - (before - theirs))
    if merged != sorted(ours):
        out.changes.append(FieldChange(path, old, merged, "members"))


def _is_blank(values: Values) -> bool:
    return all(value is None for value in values.values())


def _take(theirs: Values, ours: Values, rule: str, out: Merged) -> None:
    out.changes.extend(
        FieldChange(path, ours[path], value, rule)
        for path, value in theirs.items()
        if value != ours[path]
    )


def _keep(ours: Values, theirs: Values, rule: str, out: Merged) -> None:
    out.overruled.extend(
        Overruled(path, ours[path], value, rule)
        for path, value in theirs.items()
        if value != ours[path]
    )
