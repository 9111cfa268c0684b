"""One transaction: match, merge fields, golden record + changes + links + dirty."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import insert, select, update

from mapping.canonical import PARENTS, REFERENCES, field_of
from mapping.paths import ABSENT
from sync.core.merge import Base, Merged, is_rendering, merge_fields
from sync.flow import guards, twins
from sync.flow.hub import Hub
from sync.flow.match import OWN_KEY, Foreseen, Keys, Match, Matcher, keys_of_many
from sync.flow.records import Incoming, happened_at, hint_row
from sync.gateway.systems import OpenSystem, Participant
from sync.store import dirty, goldens, inbox, links, runs, state
from sync.store.session import Tx
from sync.store.tables import BULK, INTERACTIVE, Candidate, Change, Conflict, Golden, Link, new_id

Key = tuple[str, str]  # object, remote id
ENDED = frozenset({"gone", "archived", "replaced"})  # links of records that may come back
_SEATED = frozenset({"live", "in_doubt"})
_PATIENCE = 2  # how often a record waits for another that it can do without


@dataclass(slots=True)
class Report:
    """What became of a batch. `waiting` and `stale` are records to come back to."""

    done: list[Incoming] = field(default_factory=list)
    waiting: list[Incoming] = field(default_factory=list)
    stale: list[Incoming] = field(default_factory=list)
    created: int = 0
    linked: int = 0
    changed: int = 0
    overruled: int = 0
    conflicts: int = 0
    candidates: int = 0
    woken: set[int] = field(default_factory=set)

    def counts(self) -> dict[str, int]:
        """For the run's page."""
        return {
            "records": len(self.done),
            "created": self.created,
            "linked": self.linked,
            "changed": self.changed,
            "overruled": self.overruled,
            "conflicts": self.conflicts,
            "candidates": self.candidates,
        }


class Absorber:
    """Takes canonical records of one system into golden records, inside one transaction."""

    def __init__(
        self,
        hub: Hub,
        tx: Tx,
        system: OpenSystem,
        *,
        targets: Sequence[Participant],
        run_id: int | None = None,
        lane: int = INTERACTIVE,
        lanes: Mapping[str, int] | None = None,
        foreseen: Foreseen | None = None,
    ) -> None:
        self.hub, self.tx, self.system = hub, tx, system
        self.targets, self.run_id, self.lane = targets, run_id, lane
        self._lanes = lanes or {}  # by golden id, where it is not `lane`
        self.now: datetime = hub.now()
        self.report = Report()
        self._links: dict[Key, Link] = {}
        self._golden: dict[str, Golden] = {}
        self._new_goldens: list[Golden] = []
        self._new_links: list[Link] = []
        self._new_rows: list[Candidate] = []
        self._changes: list[dict[str, Any]] = []
        self._new_conflicts: list[tuple[Link, Conflict]] = []
        self._dirty: set[tuple[str, str, int]] = set()
        self._rekey: set[str] = set()
        self._fresh: set[str] = set()
        self._made_once: set[Key] = set()  # by a create that was sent once and never answered
        self._known_keys: dict[str, Keys] = {}  # of records made here and not changed since
        self.moved: list[guards.Moved] = []  # by records that were linked before
        self._matcher = Matcher(tx, foreseen)

    def absorb(self, batch: Sequence[Incoming]) -> Report:
        """All of a batch, parents before children. Call `finish` afterwards."""
        groups: dict[str, list[Incoming]] = {name: [] for name in self.system.specs}
        for item in batch:
            groups[item.object_name].append(item)
        for group in groups.values():
            here = [item for item in group if not self._follow(item)]
            if here:
                self._absorb_group(here)
        return self.report

    def _absorb_group(self, group: Sequence[Incoming]) -> None:
        self._load(group)
        self.translate(group)
        ready = [item for item in group if self._is_ready(item)]
        self._matcher.prepare([item for item in ready if item.seen.key not in self._links])
        for item in ready:
            self._absorb_one(item)
        self._flush()

    def note_written(
        self, golden: Golden, link: Link, *, op: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> None:
        """Each remote write names what caused it: the source of every value it carried."""
        self._changes.append(
            {
                "golden_id": golden.id,
                "entity": golden.entity,
                "op": "written",
                "path": None,
                "old": dict(old),
                "new": dict(new),
                "system_id": self.system.id,
                "object": link.object,
                "remote_id": link.remote_id,
                "rule": op,
                "run_id": self.run_id,
                "at": self.now,
            }
        )

    def load_link(self, link: Link, golden: Golden) -> None:
        """A link that the caller already holds under lock."""
        self._links[link.object, str(link.remote_id)] = link
        self._golden[golden.id] = golden

    def merge_linked(self, item: Incoming, link: Link, *, written: Collection[str]) -> None:
        """A record read back after a write: what is not ours in it is taken in.

        Where the system turned a written value into another that a rule does not let in, its
        form is accepted: writing again would only go round in circles.
        """
        self._merge(item, link, self._golden[link.golden_id], written)

    def finish(self) -> None:
        """Match keys and dirty rows; wakes the systems after the commit.

        Not those that have to wait until a load is read: whoever reads its last rows wakes them.
        """
        self._flush()
        guards.quarantine_flips(self.hub, self.tx, self.system, self.moved)
        by_id = {i: keys for i, keys in self._known_keys.items() if i in self._rekey}
        changed = [self._golden[i] for i in self._rekey if i in self._golden and i not in by_id]
        keys = keys_of_many([(golden.entity, golden.values) for golden in changed])
        by_id |= {golden.id: own for golden, own in zip(changed, keys, strict=True)}
        goldens.set_keys(self.tx, by_id, self._fresh)
        self._mark_dirty()
        for system_id in self.report.woken if self.lane != BULK else ():
            self.tx.after_commit(self.hub.waker.dispatch, system_id)

    def _mark_dirty(self) -> None:
        by_lane: dict[int, list[tuple[str, str, int]]] = {}
        for pair in self._dirty:
            by_lane.setdefault(self._lanes.get(pair[0], self.lane), []).append(pair)
        for lane, pairs in by_lane.items():
            self.report.woken |= dirty.mark(
                self.tx, pairs, reason="taken in", lane=lane, now=self.now
            )

    def _follow(self, item: Incoming) -> bool:
        """A record that has become another one (conversion, merge) hands its link over."""
        if item.moved_to is None:
            return False
        old = links.by_remote(self.tx, self.system.id, item.object_name, [item.remote_id])
        link = old.get(item.remote_id)
        target_object, target_id = item.moved_to
        if link is not None and link.state != "moved":
            link.state, link.digest, link.seen_at = "moved", item.digest, item.seen.read_at
            self._log(
                link.golden_id, item.spec.entity, "moved", item, new=f"{target_object} {target_id}"
            )
            known = links.by_remote(self.tx, self.system.id, target_object, [target_id])
            if target_id not in known and target_object in self.system.specs:
                self._new_links.append(self._new_link(link.golden_id, target_object, target_id))
                self._flush()
        self._look_at(target_object, target_id)
        self.report.done.append(item)
        return True

    def _load(self, group: Sequence[Incoming]) -> None:
        name = group[0].object_name
        found = links.by_remote(self.tx, self.system.id, name, [item.remote_id for item in group])
        keys = {i.hub_key: i for i in group if i.hub_key and i.remote_id not in found}
        doubted = links.by_hub_key(self.tx, self.system.id, name, keys) if keys else {}
        both = [*found.values(), *doubted.values()]
        wanted = {link.golden_id for link in both} - set(self._golden)
        self._golden.update(goldens.load(self.tx, wanted, lock=True))
        links.refresh(self.tx, both)
        self._links.update({(name, remote_id): link for remote_id, link in found.items()})
        for key, link in doubted.items():
            self._adopt(link, keys[key])

    def _adopt(self, link: Link, item: Incoming) -> None:
        """A create whose answer was lost shows itself by the hub's key."""
        if link.state != "in_doubt":
            return
        if link.doubt_since == link.created_at:  # else an earlier create may have made it
            self._made_once.add(item.seen.key)
        link.remote_id, link.doubt_since = item.remote_id, None
        link.state = "live" if link.is_primary else "merging"
        self._links[item.seen.key] = link

    def translate(self, group: Sequence[Incoming]) -> None:
        """Remote ids in references become golden ids; unknown ones are noted as missing."""
        for path, entity in REFERENCES.items():
            asked = [item for item in group if item.values.get(path) is not None]
            if not asked or field_of(asked[0].spec.entity, path) is None:
                continue
            remote_ids = {str(item.values[path]) for item in asked}
            objects = self.system.objects_of(entity)
            found = links.resolve(self.tx, self.system.id, objects, remote_ids)
            for item in asked:
                known = found.get(str(item.values[path]))
                if known is None:
                    item.missing.append(path)
                else:
                    item.values[path] = known

    def _is_ready(self, item: Incoming) -> bool:
        """Whether all it refers to is here; what it cannot do without is looked at first."""
        required = PARENTS.get(item.spec.entity, ())[:1]
        for path in item.missing:
            remote_id = str(item.values.pop(path))
            objects = self.system.objects_of(REFERENCES[path])
            if path in required and objects:
                item.refused = runs.refused_record(self.tx, self.system.id, objects, remote_id)
                if item.refused == ("", ""):
                    self._look_at(objects[0], remote_id)
            if path in required or item.seen.attempts <= _PATIENCE:
                self.report.waiting.append(item)
                return False
        return True

    def _absorb_one(self, item: Incoming) -> None:
        link = self._links.get(item.seen.key)
        if link is None:
            self._first_sight(item)
            return
        if link.state in {"unlinked", "erased"}:
            self.report.done.append(item)
            return
        if link.seen_at is not None and item.seen.read_at < link.seen_at:
            self.report.stale.append(item)  # we saw or wrote it since this was read
            return
        golden = goldens.survivor(self.tx, self._golden[link.golden_id])
        self._golden[golden.id] = golden
        if link.state in ENDED:
            self._come_back(item, link, golden)
        if item.digest == link.digest:
            _note(link, item)
        else:
            if item.seen.key in self._made_once:
                _judge_by_what_was_sent(link, item)
            _take_echo(link, item)
            self._merge(item, link, golden)
        self.report.done.append(item)

    def _come_back(self, item: Incoming, link: Link, golden: Golden) -> None:
        """A record that was deleted is there again; so is its customer, everywhere."""
        others = links.of_golden(self.tx, [golden.id], self.system.id)[golden.id]
        taken = any(
            x.id != link.id and x.object == link.object and x.is_primary and x.state in _SEATED
            for x in others
        )
        link.state, link.is_primary = "live", not taken
        self._log(golden.id, golden.entity, "linked", item, rule="came back")
        self._dirty.add((golden.id, golden.entity, self.system.id))
        for child_id, entity in goldens.children(self.tx, golden.id):
            self.mark_own(child_id, entity)
        if golden.state == "deleted":
            golden.state, golden.version, golden.updated_at = "live", golden.version + 1, self.now
            self.mark_all(golden)

    def _first_sight(self, item: Incoming) -> None:
        match = self._own_key(item) or self._matcher.match(item, self.system)
        if match.golden_id is None:
            match = self._lost_twin(item, match)
        if match.golden_id is not None:
            golden = self._standing(match.golden_id)
            link = self._new_link(golden.id, item.object_name, item.remote_id)
            link.hub_key = item.hub_key or link.hub_key
            self._add_link(item, link)
            self._log(golden.id, golden.entity, "linked", item, rule=match.rule)
            self.report.linked += 1
            self._merge(item, link, golden)
            self._dirty.add((golden.id, golden.entity, self.system.id))
        else:
            golden = self._create(item)
            for other, score, weights in match.candidates:
                self._propose(golden, other, score, weights)
        self._matcher.add(golden, item, self.system.id)
        self.report.done.append(item)

    def _own_key(self, item: Incoming) -> Match | None:
        """A record that the hub made and has forgotten (a restored backup) shows the hub's key.

        The key names the golden record, or stands in another link that was learned again.
        """
        if not item.hub_key:
            return None
        known = self.tx.get(Golden, item.hub_key.partition("-")[0])
        if known is not None:
            ids = {goldens.survivor(self.tx, known).id}
        else:
            ids = set(self.tx.scalars(select(Link.golden_id).where(Link.hub_key == item.hub_key)))
            ids |= {link.golden_id for link in self._new_links if link.hub_key == item.hub_key}
            if not ids:
                twins.refuse(
                    self.tx, self.system.id, item.object_name, item.remote_id, item.hub_key
                )
            if not state.get(self.tx, state.EPOCH):
                return None
        if len(ids) != 1:
            return None
        golden = self._lock(next(iter(ids)))
        fits = golden.state == "live" and golden.entity == item.spec.entity
        return Match(golden.id, OWN_KEY) if fits and self._is_free(golden, item) else None

    def _lost_twin(self, item: Incoming, match: Match) -> Match:
        """Two records that may be one, one of them made by the hub from the other and forgotten.

        Then equal values are proof enough: the hub itself wrote them.
        """
        if not match.candidates or not state.get(self.tx, state.EPOCH):
            return match
        twins = []
        for golden_id, _, _ in match.candidates:
            golden = self._lock(golden_id)
            found = [x for x in self._new_links if x.golden_id == golden_id]
            found += self.tx.scalars(select(Link).where(Link.golden_id == golden_id))
            forgotten = any(x.hub_key.partition("-")[0] != x.golden_id for x in found)
            if (item.hub_key or forgotten) and _agree(item, golden) and self._is_free(golden, item):
                twins.append(golden_id)
        return Match(twins[0], "made by the hub") if len(twins) == 1 else match

    def _is_free(self, golden: Golden, item: Incoming) -> bool:
        """Whether the golden record has no other record in this object of this system."""
        taken = [
            *self.tx.scalars(select(Link).where(Link.golden_id == golden.id)),
            *(link for link in self._new_links if link.golden_id == golden.id),
        ]
        return not any(
            (link.system_id, link.object) == (self.system.id, item.object_name)
            and link.state in {"live", "in_doubt"}
            for link in taken
        )

    def _create(self, item: Incoming) -> Golden:
        observed = item.spec.observed_paths
        values = {p: v for p, v in item.values.items() if v is not None and p not in observed}
        source = self._source(item, "first seen")
        golden = Golden(
            id=new_id(),
            entity=item.spec.entity,
            state="live",
            version=1,
            values=values,
            provenance=dict.fromkeys(values, source),
            created_at=self.now,
        )
        goldens.describe(golden, self.now)
        self._new_goldens.append(golden)
        self._golden[golden.id] = golden
        link = self._new_link(golden.id, item.object_name, item.remote_id)
        link.hub_key = item.hub_key or link.hub_key
        link.shadow = dict(item.values)
        _note(link, item)
        self._add_link(item, link)
        self._fresh.add(golden.id)
        self._rekey.add(golden.id)
        keys = self._matcher.keys_of_new(item)
        if keys is not None:
            self._known_keys[golden.id] = keys
        self._log(golden.id, golden.entity, "created", item, new=values)
        self._mark_others(golden, None)
        self.report.created += 1
        return golden

    def _merge(
        self, item: Incoming, link: Link, golden: Golden, written: Collection[str] = ()
    ) -> None:
        spec = item.spec
        before = link.shadow
        merged = merge_fields(
            golden.entity,
            golden.values,
            item.values,
            Base(link.shadow, link.pushed, link.pushing),
            policies=self.hub.policies,
            side=item.side,
            sources=golden.provenance,
            sets=[p for p in item.values if _is_set(golden.entity, p)],
            observed=spec.observed_paths,
        )
        # What became golden after the write was sent has still to be written.
        accepted = {
            o.path: o.kept
            for o in merged.overruled
            if o.path in written and link.pushed.get(o.path, ABSENT) == o.kept
        }
        link.shadow, link.pushed = merged.shadow, {**merged.pushed, **accepted}
        link.pushing = merged.pushing or None
        _note(link, item)
        if merged.arrived:
            self._log(
                golden.id,
                golden.entity,
                "written",
                item,
                new=merged.arrived,
                rule="seen before the answer",
            )
        self._apply(golden, merged, item)
        self._keep_empty(golden, merged)
        self._record(golden, merged, item, link)
        drifted = any(
            item.values[p] != before.get(p)
            for p in spec.observed_paths
            if p in item.values and p not in written
        )
        second = bool(merged.changes) and not link.is_primary  # the record beside it has to hear
        if len(merged.overruled) > len(accepted) or drifted or second or link.id is None:
            self._dirty.add((golden.id, golden.entity, self.system.id))

    def _apply(self, golden: Golden, merged: Merged, item: Incoming) -> None:
        if not merged.changes:
            return
        values, provenance = dict(golden.values), dict(golden.provenance)
        for change in merged.changes:
            values[change.path] = change.new
            provenance[change.path] = self._source(item, change.rule)
        golden.values, golden.provenance = values, provenance
        golden.version += 1
        goldens.describe(golden, self.now)
        paths = {change.path for change in merged.changes}
        self._rekey.add(golden.id)
        self._known_keys.pop(golden.id, None)
        self._mark_others(golden, paths)
        if paths & {"stage", "kind"}:
            self._mark_children(golden)
        self.report.changed += 1

    def _keep_empty(self, golden: Golden, merged: Merged) -> None:
        """An empty member of a group that won is a decision, too, and is written like one.

        Else a street would stand beside the city of the address that lost.
        """
        empty = {o.path for o in merged.overruled if o.kept is None}.difference(golden.values)
        if not empty:
            return
        unit_of = self.hub.policies.unit
        given = {unit_of(golden.entity, path)[0]: by for path, by in golden.provenance.items()}
        golden.values = {**golden.values, **dict.fromkeys(empty)}
        golden.provenance = {
            **golden.provenance,
            **{path: given.get(unit_of(golden.entity, path)[0], {}) for path in empty},
        }
        golden.version += 1
        self._mark_others(golden, empty)

    def _record(self, golden: Golden, merged: Merged, item: Incoming, link: Link) -> None:
        for change in merged.changes:
            self._log(
                golden.id,
                golden.entity,
                "set",
                item,
                path=change.path,
                old=change.old,
                new=change.new,
                rule=change.rule,
            )
        for refused in merged.overruled:
            self._log(
                golden.id,
                golden.entity,
                "overruled",
                item,
                path=refused.path,
                old=refused.kept,
                new=refused.refused,
                rule=refused.rule,
            )
        if link.id is not None:
            moved = [*((c.path, c.new) for c in merged.changes)]
            moved += [(o.path, o.refused) for o in merged.overruled]
            self.moved.extend(guards.Moved(link, golden, path, value) for path, value in moved)
        if merged.conflicts and link.id is not None:
            self._supersede(link, {conflict.unit for conflict in merged.conflicts})
        for conflict in merged.conflicts:
            row = Conflict(
                golden_id=golden.id,
                system_id=self.system.id,
                unit=conflict.unit,
                base=dict(conflict.base),
                ours=dict(conflict.ours),
                theirs=dict(conflict.theirs),
                proposal=dict(conflict.proposal),
                rule=conflict.rule,
                state="open" if conflict.open else "auto",
                created_at=self.now,
            )
            self._new_conflicts.append((link, row))
        self.report.overruled += len(merged.overruled)
        self.report.conflicts += len(merged.conflicts)

    def _supersede(self, link: Link, units: Collection[str]) -> None:
        """What is disputed anew is decided once; the older values are in the change log."""
        self.tx.execute(
            update(Conflict)
            .where(Conflict.link_id == link.id, Conflict.unit.in_(units), Conflict.state == "open")
            .values(state="auto", decision="newer")
        )

    def _mark_others(self, golden: Golden, paths: Collection[str] | None) -> None:
        """The other systems that a change (None: a new record) concerns."""
        for target in self.targets:
            if target.id == self.system.id:
                continue
            if target.is_concerned(golden.entity, paths):
                self._dirty.add((golden.id, golden.entity, target.id))

    def mark_all(self, golden: Golden) -> None:
        """Every system that holds this kind of record has to look at it."""
        for target in self.targets:
            if target.is_concerned(golden.entity, None):
                self._dirty.add((golden.id, golden.entity, target.id))

    def mark_own(self, golden_id: str, entity: str) -> None:
        """The system that is at work has to look at this record, too."""
        self._dirty.add((golden_id, entity, self.system.id))

    def _mark_children(self, golden: Golden) -> None:
        for child_id, entity in goldens.children(self.tx, golden.id):
            for target in self.targets:
                if target.is_concerned(entity, None):
                    self._dirty.add((child_id, entity, target.id))

    def _propose(self, golden: Golden, other_id: str, score: float, weights: Iterable[Any]) -> None:
        golden.held_until = self.now + timedelta(hours=self.hub.settings.hold_hours)
        self._new_rows.append(
            Candidate(
                first_id=min(other_id, golden.id),
                second_id=max(other_id, golden.id),
                score=score,
                weights=list(weights),
                created_at=self.now,
            )
        )
        self.report.candidates += 1

    def _lock(self, golden_id: str) -> Golden:
        if golden_id not in self._golden:
            self._golden.update(goldens.load(self.tx, [golden_id], lock=True))
        return self._golden[golden_id]

    def _standing(self, golden_id: str) -> Golden:
        """A golden record under lock, or what it became since it was matched."""
        golden = self._lock(golden_id)
        while golden.merged_into:
            golden = self._lock(golden.merged_into)
        return golden

    def _new_link(self, golden_id: str, object_name: str, remote_id: str) -> Link:
        return Link(
            golden_id=golden_id,
            system_id=self.system.id,
            object=object_name,
            remote_id=remote_id,
            hub_key=golden_id,
            state="live",
            is_primary=True,
            shadow={},
            pushed={},
            created_at=self.now,
        )

    def _add_link(self, item: Incoming, link: Link) -> None:
        self._new_links.append(link)
        self._links[item.seen.key] = link

    def _flush(self) -> None:
        """Writes what the batch made, in the order of the foreign keys, each kind at once."""
        if self._new_goldens:
            self.tx.add_all(self._new_goldens)
            self.tx.flush()
            self._new_goldens.clear()
        if self._new_links:
            links.add(self.tx, self._new_links)
            self._new_links.clear()
        if self._new_rows:
            self.tx.add_all(self._new_rows)
            self.tx.flush()
            self._new_rows.clear()
        if self._changes:
            self.tx.execute(insert(Change), self._changes)  # one statement for all of them
            self._changes.clear()
        for link, conflict in self._new_conflicts:
            conflict.link_id = link.id
            self.tx.add(conflict)
        self._new_conflicts.clear()
        self.tx.flush()

    def _look_at(self, object_name: str, remote_id: str) -> None:
        row = hint_row(self.system.id, object_name, str(remote_id), new_id(), self.now)
        inbox.deliver(self.tx, [row])
        self.tx.after_commit(self.hub.waker.take_in, self.system.id)

    def _source(self, item: Incoming, rule: str) -> dict[str, Any]:
        return {
            "system": self.system.name,
            "kind": self.system.kind,
            "object": item.object_name,
            "remote_id": item.remote_id,
            "at": happened_at(self.system, item.seen).isoformat(timespec="milliseconds"),
            "rule": rule,
        }

    def _log(
        self,
        golden_id: str,
        entity: str,
        op: str,
        item: Incoming,
        *,
        path: str | None = None,
        old: Any = None,
        new: Any = None,
        rule: str = "",
    ) -> None:
        self._changes.append(
            {
                "golden_id": golden_id,
                "entity": entity,
                "op": op,
                "path": path,
                "old": old,
                "new": new,
                "system_id": self.system.id,
                "object": item.object_name,
                "remote_id": item.remote_id,
                "rule": rule,
                "run_id": self.run_id,
                "at": self.now,
            }
        )


def _judge_by_what_was_sent(link: Link, item: Incoming) -> None:
    """A record shows that its create was done: other values than the sent ones were typed since.

    Not what is missing: the system may have dropped it, and is told again.
    """
    typed = {
        path: sent
        for path, sent in (link.pushing or {}).items()
        if item.values.get(path) is not None
        and not is_rendering(sent, item.values[path])
        and not _is_set(item.spec.entity, path)
    }
    link.shadow, link.pushed = {**link.shadow, **typed}, {**link.pushed, **typed}


def _take_echo(link: Link, item: Incoming) -> None:
    """A write was done but not read back, and now the record is seen: in what form it holds it.

    Anything else that it shows was typed since, or made of it by the system: both are news.
    """
    pushing = link.pushing or {}
    done = [path for path, value in pushing.items() if link.pushed.get(path, ABSENT) == value]
    if not done:
        return
    shown = {
        path: item.values[path]
        for path in done
        if path in item.values and _is_own(path, item, link.shadow.get(path))
    }
    link.shadow = {**link.shadow, **shown}
    link.pushing = {path: value for path, value in pushing.items() if path not in done} or None


def _is_own(path: str, item: Incoming, expected: Any) -> bool:
    held = item.values[path]
    return path in item.spec.observed_paths or (held is not None and is_rendering(expected, held))


def _note(link: Link, item: Incoming) -> None:
    change = item.seen.change
    link.digest, link.version = item.digest, change.version
    link.modified_at, link.seen_at = change.modified_at, item.seen.read_at
    if link.is_primary and link.state == "live":
        link.doubt_since = None  # a merge that was asked for and undone has not been done


def _agree(item: Incoming, golden: Golden) -> bool:
    """Whether every value that both sides have is the same, and there is one."""
    both = [p for p, value in item.values.items() if value is not None and p in golden.values]
    return bool(both) and all(item.values[p] == golden.values[p] for p in both)


@lru_cache(maxsize=4096)
def _is_set(entity: str, path: str) -> bool:
    found = field_of(entity, path)
    return found is not None and found.kind == "set"
