"""What each dirty row wants of its system: nothing, a write, or to wait."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from mapping import engine
from mapping.canonical import PARENTS, REFERENCES
from mapping.errors import UnmappableValue
from mapping.paths import ABSENT
from mapping.spec import MappingSpec
from sync.core import drift as limits
from sync.core.writeset import fields_to_write
from sync.flow import drift, guards
from sync.flow.hub import Hub
from sync.gateway.systems import OpenSystem
from sync.store import goldens, links, runs
from sync.store.tables import Conflict, Dirty, Golden, Link

# check: read the record again; find: look for one whose create is in doubt and not wanted now
Op = Literal["create", "find", "update", "check", "archive", "unlink"]
_PATIENCE = 6  # how often a record waits for a reference that it can do without
_ENDED = frozenset({"gone", "unlinked"})  # no new record is made where one of these stands
# What a row waits for: a record that is on its way, one that was refused, a person's decision.
PARENT, REFUSED, REVIEW = "parent", "refused", "review"
_DROPPED = "dropped"  # the write of the parent was given up: nothing to wait for


@dataclass(slots=True)
class Intent:
    """One write that a golden record needs in one object."""

    row: Dirty
    golden: Golden
    version: int  # of the golden record that the intent was made from
    op: Op
    spec: MappingSpec
    link: Link | None
    paths: list[str] = field(default_factory=list)
    sent: dict[str, Any] = field(default_factory=dict)  # canonical, references as golden ids
    expected: dict[str, Any] = field(default_factory=dict)  # as reading back should show it
    native: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The hub's key of the remote record: the same on every retry."""
        return self.link.hub_key if self.link is not None else self.golden.id


@dataclass(slots=True)
class Wanted:
    """What a batch of dirty rows wants."""

    intents: list[Intent] = field(default_factory=list)
    settled: list[Dirty] = field(default_factory=list)
    waiting: list[tuple[Dirty, str]] = field(default_factory=list)  # with what they wait for
    refused: list[tuple[Dirty, UnmappableValue]] = field(default_factory=list)
    reasons: dict[int, str] = field(default_factory=dict)  # row id -> why its parent was refused
    parents: list[Golden] = field(default_factory=list)  # waited for, and not on their way


@dataclass(slots=True)
class _View:
    """What the decision about a batch needs from the database, read in a few queries."""

    golden: dict[str, Golden]
    links: dict[str, list[Link]]
    parents: dict[str, Golden]
    parent_links: dict[str, list[Link]]
    disputed: dict[int, set[str]]  # link id -> paths that wait for a person
    coming: dict[str, str]  # golden ids that are still to be written here, with what they wait for
    letters: dict[str, tuple[str, str]]  # parents whose write was refused: state, message
    drifted: dict[str, list[limits.Problem]]  # object -> what its system does not take now


def decide(hub: Hub, session: Session, system: OpenSystem, rows: Sequence[Dirty]) -> Wanted:
    """Looks at every row; no remote call is made."""
    view = _load(session, system, rows)
    out = Wanted()
    for row in rows:
        golden = view.golden.get(row.golden_id)
        if golden is None or golden.state == "merged":
            out.settled.append(row)
            continue
        try:
            intents, waits = _of_record(hub, system, row, golden, view)
        except UnmappableValue as error:
            out.refused.append((row, error))
            continue
        if waits and not intents and waits != _DROPPED:
            out.waiting.append((row, waits))
            _explain(out, row, golden, waits, view)
        elif not intents:
            out.settled.append(row)
        out.intents.extend(intents)
    return out


def _explain(out: Wanted, row: Dirty, golden: Golden, waits: str, view: _View) -> None:
    """Why the parent does not come; one that nobody has marked is marked now."""
    parent = view.parents.get(golden.parent_id or "")
    if parent is None:
        return
    if waits == REFUSED:
        state_and_message = view.letters.get(parent.id, ("", ""))
        out.reasons[row.id] = f"“{parent.name}” was refused: {state_and_message[1]}"
    elif waits == PARENT and parent.id not in view.coming:
        out.parents.append(parent)


def _load(session: Session, system: OpenSystem, rows: Sequence[Dirty]) -> _View:
    golden = goldens.load(session, [row.golden_id for row in rows])
    referred = {
        record.values.get(path)
        for record in golden.values()
        for path in (*PARENTS.get(record.entity, ()), "parent")
    }
    parent_ids = {str(i) for i in referred if i}
    own = links.of_golden(session, list(golden), system.id)
    parent_links = links.of_golden(session, list(parent_ids), system.id)
    absent = [i for i in parent_ids if _remote_id(parent_links.get(i, []), None) is None]
    return _View(
        golden=golden,
        links=own,
        parents=goldens.load(session, parent_ids),
        parent_links=parent_links,
        disputed=guards.merge_paths(
            _disputed(session, [link.id for found in own.values() for link in found]),
            guards.quarantined(session, system.id),
        ),
        coming=_coming(session, system, parent_ids),
        letters=runs.refused_writes(session, system.id, absent),
        drifted=drift.held(session, system.id),
    )


def _coming(session: Session, system: OpenSystem, ids: Collection[str]) -> dict[str, str]:
    if not ids:
        return {}
    waiting = (Dirty.system_id == system.id, Dirty.golden_id.in_(ids))
    return dict(session.execute(select(Dirty.golden_id, Dirty.waiting_for).where(*waiting)).all())


def _disputed(session: Session, link_ids: Sequence[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    if link_ids:
        for link_id, theirs in session.execute(
            select(Conflict.link_id, Conflict.theirs).where(
                Conflict.state == "open", Conflict.link_id.in_(link_ids)
            )
        ):
            found.setdefault(link_id, set()).update(theirs)
    return found


def _of_record(
    hub: Hub, system: OpenSystem, row: Dirty, golden: Golden, view: _View
) -> tuple[list[Intent], str]:
    intents: list[Intent] = []
    waits = ""
    for name, spec in system.specs.items():
        if spec.entity != golden.entity or not spec.out_paths:
            continue
        intent, why = _of_object(hub, system, row, golden, view, name)
        waits = waits or why
        if intent is not None:
            intents.append(intent)
    return intents, waits


def _of_object(
    hub: Hub, system: OpenSystem, row: Dirty, golden: Golden, view: _View, name: str
) -> tuple[Intent | None, str]:
    spec = system.specs[name]
    here = [link for link in view.links[golden.id] if link.object == name]
    link = next((x for x in here if x.is_primary and x.state in {"live", "in_doubt"}), None)
    wanted = golden.state == "live" and engine.wanted(spec, golden.values)
    if link is None:
        if not wanted or any(x.state in _ENDED for x in here):
            return None, ""
        if golden.held_until is not None and golden.held_until > hub.now():
            return None, REVIEW
    elif not wanted:
        op = _leaving(spec, golden) if link.state == "live" else "find"
        if op is not None:
            return Intent(row, golden, golden.version, op, spec, link), ""
    exists = link is not None and link.state == "live"
    values, why = _outbound(system, golden, spec, view, row.attempts or 0, exists=exists)
    if values is None:
        if link is not None and link.state == "in_doubt":
            return Intent(row, golden, golden.version, "find", spec, link), ""
        return None, why
    intent = _write(row, golden, spec, link, values, view.disputed)
    return _cleared(intent, values, view.drifted.get(name, ()))


def _leaving(spec: MappingSpec, golden: Golden) -> Op | None:
    if golden.state == "deleted" or spec.leaving == "archive":
        return "archive"
    return "unlink" if spec.leaving == "unlink" else None


def _outbound(
    system: OpenSystem,
    golden: Golden,
    spec: MappingSpec,
    view: _View,
    attempts: int,
    *,
    exists: bool,
) -> tuple[dict[str, Any] | None, str]:
    """The golden values with references as remote ids; None where the record cannot go (yet).

    One that exists goes without a parent that will never come: its other fields matter, too.
    """
    values = dict(golden.values)
    for path in (*PARENTS.get(golden.entity, ()), "parent"):
        parent_id = values.get(path)
        if parent_id is None or path not in spec.out_paths:
            continue
        target = spec.target_of(path)
        remote_id = _remote_id(view.parent_links.get(parent_id, []), target)
        if remote_id is not None:
            values[path] = remote_id
            continue
        parent = view.parents.get(parent_id)
        why = _why_without(system, parent, view.parent_links.get(parent_id, []), path, target)
        required = path == PARENTS.get(golden.entity, ("",))[0] and not exists
        if why:
            why = _why_late(parent_id, view) if required else why
        # Two customers may name each other as parent; an order never waits for its payment.
        patient = attempts <= _PATIENCE or (path != "parent" and parent_id in view.coming)
        if required or (why and patient):
            return None, why
        del values[path]  # it can go without
    return values, ""


def _why_without(
    system: OpenSystem, parent: Golden | None, found: Sequence[Link], path: str, target: str | None
) -> str:
    """`PARENT` where the parent will come, nothing where it does not belong here either."""
    if parent is None or parent.state != "live":
        return ""
    ended = {link.object for link in found if link.state in _ENDED}
    names = [target] if target else system.objects_of(REFERENCES[path])
    specs = [system.specs[name] for name in names if name in system.specs and name not in ended]
    coming = any(spec.out_paths and engine.wanted(spec, parent.values) for spec in specs)
    return PARENT if coming else ""


def _why_late(parent_id: str, view: _View) -> str:
    """What a parent that belongs here, and is not here yet, waits for itself."""
    if parent_id in view.coming:
        held = view.coming[parent_id]
        return held if held in {REVIEW, REFUSED} else PARENT
    state = view.letters.get(parent_id, ("", ""))[0]
    return {"open": REFUSED, "discarded": _DROPPED}.get(state, PARENT)


def _remote_id(found: Sequence[Link], target: str | None) -> str | None:
    for link in found:
        fits = target is None or link.object == target
        if fits and link.state == "live" and link.is_primary:
            return link.remote_id
    return None


def _write(
    row: Dirty,
    golden: Golden,
    spec: MappingSpec,
    link: Link | None,
    values: Mapping[str, Any],
    disputed: Mapping[int, set[str]],
) -> Intent | None:
    creating = link is None or link.state == "in_doubt"
    paths = _candidates(golden, spec, None if creating else link, values)
    native, expected = engine.rehearsed(spec, values, frozenset(paths), creating=creating)
    for path in REFERENCES:  # compared and kept as golden ids
        if path in expected and path in golden.values:
            expected[path] = golden.values[path]
    changed = paths
    if not creating:
        assert link is not None
        held = disputed.get(link.id, set())
        changed = fields_to_write(
            golden.values, expected, link.shadow, link.pushed, paths=paths, held=held
        )
        if changed and len(changed) < len(paths):
            native = engine.project(spec, values, frozenset(changed))
    op: Op = "create" if creating else "update"
    if not changed and not creating:
        if link is None or link.pushing is None:
            return None
        op = "check"  # it agrees, if what was sent last has not arrived
    return Intent(
        row=row,
        golden=golden,
        version=golden.version,
        op=op,
        spec=spec,
        link=link,
        paths=changed,
        sent={path: golden.values[path] for path in changed},
        expected=dict(expected),
        native=native if changed or creating else {},
    )


def _candidates(
    golden: Golden, spec: MappingSpec, link: Link | None, values: Mapping[str, Any]
) -> list[str]:
    """The paths that may need writing; the others are not worth a projection.

    All that there is, for a new record. Of one that exists, what the hub has not pushed as it is.
    """
    if link is None:
        return [p for p in spec.out_paths if p in values and golden.values[p] is not None]
    pushed = link.pushed
    return [
        path
        for path in spec.update_paths
        if path in values and pushed.get(path, ABSENT) != golden.values[path]
    ]


def _cleared(
    intent: Intent | None, values: Mapping[str, Any], found: Sequence[limits.Problem]
) -> tuple[Intent | None, str]:
    """The write as its system takes it now; a create in doubt is looked up all the same."""
    if intent is None or not found:
        return intent, ""
    cleared, why = _without_drifted(intent, values, found)
    if cleared is None and intent.link is not None and intent.link.state == "in_doubt":
        doubted = intent.link
        find = Intent(intent.row, intent.golden, intent.version, "find", intent.spec, doubted)
        return find, ""
    return cleared, why


def _without_drifted(
    intent: Intent, values: Mapping[str, Any], found: Sequence[limits.Problem]
) -> tuple[Intent | None, str]:
    """What the system does not take now is left out; a record that cannot go without it waits."""
    creating = intent.op == "create"
    hit = limits.held_natives(found, intent.native)
    if hit:
        kept = [path for path in intent.paths if not _writes_any(intent.spec, path, hit)]
        if not kept:
            return None, drift.WAITS
        intent.paths = kept
        intent.sent = {path: intent.golden.values[path] for path in kept}
        native = engine.project(intent.spec, values, frozenset(kept), creating=creating)
        intent.native = {name: value for name, value in native.items() if name not in hit}
    if creating and limits.lacks(found, intent.native):
        return None, drift.WAITS
    return intent, ""


def _writes_any(spec: MappingSpec, path: str, natives: set[str]) -> bool:
    return any(
        rule.direction != "in" and not natives.isdisjoint(rule.natives)
        for rule in spec.rules_for([path])
    )
