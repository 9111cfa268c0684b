"""Two golden records become one, field by field by the policies of sync, and come apart again."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from mapping.canonical import field_of
from mapping.paths import ABSENT, Values
from sync.core.merge import FieldChange, Overruled
from sync.core.policy import FieldPolicy, PolicySet, Side, Source, prefers_theirs

Pick = Literal["winner", "loser", "both"]
Place = tuple[str, str, str]  # system, object, remote id: where a value came from


@dataclass(frozen=True, slots=True)
class Record:
    """A golden record's values and where each came from."""

    values: Values
    provenance: Mapping[str, Source]


@dataclass(frozen=True, slots=True)
class Choice:
    """How one unit (a field, or a group decided as one) of the survivor is decided."""

    unit: str
    rule: str
    pick: Pick
    paths: tuple[str, ...]
    winner: Values
    loser: Values
    result: Values
    winner_sources: Mapping[str, Source]
    loser_sources: Mapping[str, Source]

    @property
    def differs(self) -> bool:
        """Whether the two sides hold different values."""
        return any(self.winner.get(p) != self.loser.get(p) for p in self.paths)


@dataclass(slots=True)
class Survivor:
    """The record that a merge leaves, with what became of each value that it did not keep."""

    values: dict[str, Any]
    provenance: dict[str, Source]
    choices: list[Choice] = field(default_factory=list)
    changes: list[FieldChange] = field(default_factory=list)
    overruled: list[Overruled] = field(default_factory=list)


def survive(
    entity: str,
    winner: Record,
    loser: Record,
    *,
    policies: PolicySet,
    overrides: Mapping[str, Pick] | None = None,
    originals: Mapping[str, Pick] | None = None,
) -> Survivor:
    """What is left when `loser` is merged into `winner`.

    `overrides` name units that a person decides, `originals` paths of which one side holds no more
    than a system's form (shortened, reformatted) of what the named side holds. A unit is taken
    whole from one side; where that side has no value for a path of the group, the path is emptied.
    Sets keep all members.
    """
    out = Survivor(dict(winner.values), dict(winner.provenance))
    for unit, (policy, paths) in units_of(entity, (winner, loser), policies).items():
        chosen = (overrides or {}).get(unit)
        choice = _choose(entity, unit, policy, paths, winner, loser, chosen, originals or {})
        out.choices.append(choice)
        _apply(choice, out)
    return out


def units_of(
    entity: str, records: Iterable[Record], policies: PolicySet
) -> dict[str, tuple[FieldPolicy, list[str]]]:
    """The units that any of the records has a path in, each with its policy, in one order."""
    paths = sorted({path for record in records for path in record.values})
    units: dict[str, tuple[FieldPolicy, list[str]]] = {}
    for path in paths:
        unit, policy = policies.unit(entity, path)
        units.setdefault(unit, (policy, []))[1].append(path)
    return units


def is_set(entity: str, path: str) -> bool:
    """Whether the values of a path are sets, which merge member by member."""
    found = field_of(entity, path)
    return found is not None and found.kind == "set"


def without_self(values: Values, own: Collection[str]) -> dict[str, Any]:
    """A record is never its own parent, under none of its ids."""
    return {p: None if p == "parent" and v in own else v for p, v in values.items()}


def _choose(
    entity: str,
    unit: str,
    policy: FieldPolicy,
    paths: Sequence[str],
    winner: Record,
    loser: Record,
    override: Pick | None,
    originals: Mapping[str, Pick],
) -> Choice:
    ours = {path: winner.values.get(path) for path in paths}
    theirs = {path: loser.values.get(path) for path in paths}
    my_sources = {p: winner.provenance.get(p, {}) for p in paths if ours[p] is not None}
    their_sources = {p: loser.provenance.get(p, {}) for p in paths if theirs[p] is not None}
    members = len(paths) == 1 and is_set(entity, paths[0])
    if override is not None and (override != "both" or members):
        pick, rule = override, "chosen"
    elif original := _original(ours, theirs, originals):
        pick, rule = original, "original"
    else:
        pick, rule = _by_rule(policy, ours, theirs, my_sources, their_sources, members=members)
    result = {"winner": ours, "loser": theirs}.get(pick) or {
        path: sorted({*(ours[path] or ()), *(theirs[path] or ())}) for path in paths
    }
    return Choice(unit, rule, pick, tuple(paths), ours, theirs, result, my_sources, their_sources)


def _original(ours: Values, theirs: Values, originals: Mapping[str, Pick]) -> Pick | None:
    """The side that all of a unit's differing values come from, if it is one."""
    sides = {originals.get(path) for path in ours if ours[path] != theirs[path]}
    return sides.pop() if len(sides) == 1 else None


def _by_rule(
    policy: FieldPolicy,
    ours: Values,
    theirs: Values,
    my_sources: Mapping[str, Source],
    their_sources: Mapping[str, Source],
    *,
    members: bool,
) -> tuple[Pick, str]:
    if ours == theirs:
        return "winner", "same"
    if not their_sources:
        return "winner", "only_value"
    if not my_sources:
        return "loser", "only_value"
    if members and policy.rule not in {"source_of_record", "manual"}:
        return "both", "members"
    if policy.rule == "manual":
        return "winner", policy.rule
    wins = prefers_theirs(
        policy,
        list(ours.values()),
        list(theirs.values()),
        list(my_sources.values()),
        _side(policy, list(their_sources.values())),
    )
    return ("loser" if wins else "winner"), policy.rule


def _side(policy: FieldPolicy, sources: Sequence[Source]) -> Side:
    """The loser's values as one side: its strongest source, its latest time."""
    names = list(policy.systems)

    def rank(source: Source) -> int:
        held = [names.index(n) for n in (source.get("system"), source.get("kind")) if n in names]
        return min(held, default=len(names))

    best = min(sources, key=rank)
    known = [datetime.fromisoformat(source["at"]) for source in sources if source.get("at")]
    return Side(str(best.get("system")), str(best.get("kind")), max(known, default=None))


def _apply(choice: Choice, out: Survivor) -> None:
    for path in choice.paths:
        kept, ours, theirs = choice.result[path], choice.winner[path], choice.loser[path]
        if kept != ours:
            out.values[path] = kept
            source = choice.loser_sources.get(path) or choice.winner_sources.get(path) or {}
            out.provenance[path] = {**source, "rule": choice.rule}
            out.changes.append(FieldChange(path, ours, kept, choice.rule))
        elif path not in out.values and path in choice.loser and kept is None:
            out.values[path] = None  # the loser's systems hold a value that does not survive
        refused = theirs is not None and theirs != kept and choice.pick == "winner"
        if refused:
            out.overruled.append(Overruled(path, kept, theirs, choice.rule))


@dataclass(slots=True)
class Apart:
    """Both sides after an undone merge."""

    winner: dict[str, Any]
    winner_provenance: dict[str, Source]
    loser: dict[str, Any]
    loser_provenance: dict[str, Source]


def come_apart(
    entity: str,
    now: Record,
    *,
    merged: Values,
    winner: Record,
    loser: Record,
    own: Collection[Place],
    policies: PolicySet,
) -> Apart:
    """Each side as it was before the merge, and each later edit with the side it belongs to.

    `merged` are the values right after the merge. A unit that has moved since belongs to the
    loser where the edit came from one of its `own` remote records, otherwise to the winner; the
    other side gets back what it had. Of a set only the members that came or went are carried.
    """
    out = Apart(
        dict(winner.values), dict(winner.provenance), dict(loser.values), dict(loser.provenance)
    )
    after = Record(merged, {})
    for _, paths in units_of(entity, (now, after), policies).values():
        moved = [p for p in paths if now.values.get(p) != merged.get(p)]
        if not moved:
            continue
        to_loser = any(_place(now.provenance.get(path, {})) in own for path in moved)
        values = out.loser if to_loser else out.winner
        provenance = out.loser_provenance if to_loser else out.winner_provenance
        for path in paths:
            current = now.values.get(path)
            if is_set(entity, path):
                current = _moved_members(values.get(path), merged.get(path), current)
            if values.get(path, ABSENT) == current or (current is None and path not in values):
                continue
            values[path] = current
            provenance[path] = now.provenance.get(path, {})
    return out


def with_blanks(values: Values, merged: Values, held: Iterable[Values]) -> dict[str, Any]:
    """Says of what came to a record's systems while it was one with another that it goes.

    Also of what was emptied again meanwhile (None in `merged`): some systems may show it still.
    """
    brought = merged.keys() - values.keys()
    shown = {path for shadow in held for path, value in shadow.items() if value is not None}
    return {**values, **dict.fromkeys(sorted(shown & brought))}


def known_by_merge(after: Values, before: Values, duplicate: Values) -> dict[str, Any]:
    """What a remote merge has moved from the duplicate into the record that stays."""
    return {
        path: value
        for path, value in after.items()
        if value is not None and value != before.get(path) and value == duplicate.get(path)
    }


def _moved_members(mine: Any, before: Any, after: Any) -> list[Any] | None:
    old, new = set(before or ()), set(after or ())
    found = sorted((set(mine or ()) | (new - old)) - (old - new))
    return found or (None if mine is None else [])


def _place(source: Source) -> Place:
    return (
        str(source.get("system")),
        str(source.get("object")),
        str(source.get("remote_id")),
    )
