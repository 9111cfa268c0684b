"""Survivorship: which rule picks the value of a field or of a group of fields."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from mapping.canonical import STAGES

RuleName = Literal[
    "latest", "priority", "source_of_record", "union", "longest", "furthest", "manual"
]
Source = Mapping[str, Any]  # provenance of one golden value: system, kind, at, rule, by


class FieldPolicy(BaseModel):
    """One line of `config/policy.yaml`.

    `systems` are names or kinds of systems, the strongest first; `source_of_record` takes the
    first of them. `blanks`: an emptied field counts as a value. `together`: the paths that
    match are decided as one group.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = "*"
    entity: str | None = None
    rule: RuleName = "latest"
    systems: tuple[str, ...] = ()
    blanks: bool = False
    together: bool = False


class PolicySet(BaseModel):
    """All policies; the first line that matches a path decides."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    default: FieldPolicy = FieldPolicy()
    fields: tuple[FieldPolicy, ...] = ()

    @cached_property
    def _compiled(self) -> list[tuple[re.Pattern[str], FieldPolicy]]:
        return [(_pattern(policy.path), policy) for policy in self.fields]

    @cached_property
    def _found(self) -> dict[tuple[str, str], tuple[str, FieldPolicy]]:
        return {}

    def unit(self, entity: str, path: str) -> tuple[str, FieldPolicy]:
        """The name of the unit that a path is decided in, and its policy."""
        key = (entity, path)
        if key not in self._found:
            self._found[key] = self._look_up(entity, path)
        return self._found[key]

    def _look_up(self, entity: str, path: str) -> tuple[str, FieldPolicy]:
        for pattern, policy in self._compiled:
            if policy.entity in {None, entity} and pattern.match(path):
                return (_group(path, policy), policy)
        return (_group(path, self.default), self.default)


@dataclass(frozen=True, slots=True)
class Side:
    """Who brings a value: the system, its kind, and when (by the hub's clock).

    `whole`: the system tells whole seconds, so it was at any moment of that second.
    """

    system: str
    kind: str
    at: datetime | None
    whole: bool = False


def prefers_theirs(
    policy: FieldPolicy,
    ours: Sequence[Any],
    theirs: Sequence[Any],
    sources: Sequence[Source],
    side: Side,
) -> bool:
    """Whether the incoming values win over the golden ones, both sides having moved."""
    if policy.rule == "longest":
        return sum(map(_length, theirs)) > sum(map(_length, ours))
    if policy.rule == "furthest":
        return max(map(_stage, theirs)) > max(map(_stage, ours))
    if policy.rule in {"priority", "source_of_record"}:
        mine = min((_rank(policy, s.get("system"), s.get("kind")) for s in sources), default=99)
        other = _rank(policy, side.system, side.kind)
        if mine != other:
            return other < mine
    return _is_later(side, sources)


def owns(policy: FieldPolicy, system: str | None, kind: str | None) -> bool:
    """Whether a system is the source of record under a policy."""
    return bool(policy.systems) and policy.systems[0] in {system, kind}


def speaks_for_owner(policy: FieldPolicy, source: Source) -> bool:
    """Whether a value is of the source of record: its own, or what a person made of it here."""
    if policy.rule != "source_of_record":
        return False
    return bool(source.get("of_record")) or owns(policy, source.get("system"), source.get("kind"))


def _rank(policy: FieldPolicy, system: str | None, kind: str | None) -> int:
    for rank, name in enumerate(policy.systems):
        if name in {system, kind}:
            return rank
    return len(policy.systems)


def _is_later(side: Side, sources: Sequence[Source]) -> bool:
    known = [datetime.fromisoformat(s["at"]) for s in sources if s.get("at")]
    if side.at is None:
        return False
    # What we hear later within one second was typed by somebody who may have seen what we had.
    latest = side.at + timedelta(seconds=1) if side.whole else side.at
    return not known or latest > max(known)


def _length(value: Any) -> int:
    return len(str(value)) if value is not None else 0


def _stage(value: Any) -> int:
    return STAGES.index(value) if value in STAGES else -1


def _group(path: str, policy: FieldPolicy) -> str:
    if policy.together:
        return policy.path
    return path.split(".", 1)[0]  # the parts of one address belong together


def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile("^" + re.escape(glob).replace(r"\*", ".*") + "$")
