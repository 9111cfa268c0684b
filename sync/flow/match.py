"""Finding the golden record that a new remote record belongs to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from mapping.canonical import FACTS
from sync.core import exact, match
from sync.core.normal.record import Normal, normalise
from sync.core.party import is_matched, party_from_canonical
from sync.core.score import Score
from sync.flow import weights
from sync.flow.records import Incoming
from sync.gateway.systems import OpenSystem
from sync.store import candidates, goldens, links
from sync.store.session import Tx
from sync.store.tables import Golden

MOST = 5  # candidates proposed for one record
FEW = 8  # records up to which a batch is looked up before its transaction, too
OWN_KEY = "hub key"  # the rule of a record that names the golden record it was made for
PAIRS_AT_ONCE = 2000  # scored in one go; more would only take memory
Keys = list[tuple[str, int]]
Known = Golden | goldens.Matchable


@dataclass(frozen=True, slots=True)
class Match:
    """The golden record to link to, or None; then perhaps candidates for review."""

    golden_id: str | None
    rule: str
    candidates: tuple[tuple[str, float, list[Any]], ...] = ()


_NEW = Match(None, "new")
LINKED = 2
_NEARNESS = {"link": LINKED, "candidate": 1, "new": 0, "different": 0}


def keys_of(entity: str, values: Mapping[str, Any]) -> Keys:
    """The match keys of a record; commercial facts have none."""
    return keys_of_many([(entity, values)])[0]


def keys_of_many(records: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Keys]:
    """The match keys of many records (entity, values), customers in one go."""
    normals = [_normal(values) for entity, values in records if entity == "customer"]
    customers = iter(match.keys_of_many(normals))
    return [
        next(customers)
        if entity == "customer"
        else ([] if entity in FACTS else exact.keys(entity, values))
        for entity, values in records
    ]


def _normal(values: Mapping[str, Any]) -> Normal:
    return normalise(party_from_canonical(values))


def same(
    tx: Tx, entity: str, ours: Mapping[str, Any], theirs: Mapping[str, Any], records: int
) -> bool:
    """Whether two records would be linked by themselves."""
    return nearness(tx, entity, ours, theirs, records) == LINKED


def nearness(
    tx: Tx, entity: str, ours: Mapping[str, Any], theirs: Mapping[str, Any], records: int
) -> int:
    """What would become of two records by themselves: 2 linked, 1 a question, 0 neither."""
    if entity == "contact":
        return _NEARNESS[exact.compare(ours, theirs).verdict]
    first, second = (normalise(party_from_canonical(values)) for values in (ours, theirs))
    model = weights.in_use(tx)
    scores = model.compare_many(first, [second], {}, records)
    return _NEARNESS[model.decide(scores, records).outcome]


def alike(tx: Tx, golden: Golden) -> list[candidates.Question]:
    """The living records that this one may be, as questions to a steward."""
    keys = keys_of(golden.entity, golden.values)
    held = goldens.key_frequencies(tx, {key for _, key in keys}, match.MOST_HELD)
    wanted = match.rare_keys(keys, held) if golden.entity == "customer" else [k for _, k in keys]
    ids = {golden_id for _, golden_id in goldens.by_keys(tx, wanted)} - {golden.id}
    near = [g for g in goldens.matchable(tx, ids).values() if g.entity == golden.entity]
    found: list[tuple[str, float, list[Any]]] = []
    if golden.entity == "customer":
        records, model = goldens.customers(tx), weights.in_use(tx)
        others = [_normal(other.values) for other in near]
        scores = model.compare_many(_normal(golden.values), others, held, records)
        review = model.decide(scores, records).review
        found = [(near[i].id, scores[i].bits, shown(scores[i])) for i in review]
    else:
        compared = [(g.id, exact.compare(golden.values, g.values)) for g in near]
        told = [(i, e) for i, e in compared if e.verdict != "different"]
        found = [(i, e.score, [list(w) for w in e.weights]) for i, e in told]
    return [
        candidates.Question(*candidates.pair_of(golden.id, other), bits, evidence)
        for other, bits, evidence in found[:MOST]
    ]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What matching needs of a batch's customers and nobody's transaction has to wait for."""

    normals: Mapping[tuple[str, str], Normal] = field(default_factory=dict)
    keys: Mapping[tuple[str, str], Keys] = field(default_factory=dict)
    ahead: "Ahead | None" = None


@dataclass(frozen=True, slots=True)
class Ahead:
    """Scores from before the transaction: each stands while nothing that it was made of changes."""

    model: match.Matcher
    records: int
    held: Mapping[int, int]
    golden: Mapping[str, goldens.Matchable]
    scores: Mapping[tuple[tuple[str, str], str], Score]


def foresee(batch: Sequence[Incoming]) -> Foreseen:
    """Normal forms and match keys of a batch's customers.

    They hold no references, so what is known of them before the transaction stays true.
    """
    customers = [item for item in batch if item.spec.entity == "customer"]
    normals = {item.seen.key: _normal(item.values) for item in customers}
    keys = match.keys_of_many(list(normals.values()))
    return Foreseen(normals, dict(zip(normals, keys, strict=True)))


def look_ahead(session: Session, batch: Sequence[Incoming], foreseen: Foreseen) -> Foreseen:
    """Scores a small batch's customers before its transaction, for which others have to wait.

    A large batch shares its few queries, and would only ask them twice.
    """
    customers = [item for item in batch if item.spec.entity == "customer"]
    if not 0 < len(customers) <= FEW:
        return foreseen
    return replace(foreseen, ahead=Matcher(session, foreseen).seen_from_outside(customers))


class Matcher:
    """Matches the new records of one batch, against the store and against each other."""

    def __init__(self, tx: Session, foreseen: Foreseen | None = None) -> None:
        self.tx, self._foreseen = tx, foreseen or Foreseen()
        self._model = weights.in_use(tx)
        self._by_key: dict[int, list[str]] = {}
        self._held_by: dict[int, int] = {}  # key -> how many golden records hold it
        self._golden: dict[str, Known] = {}
        self._normal: dict[str, Normal] = {}
        self._seats: dict[str, set[tuple[int, str]]] = {}  # (system, object) linked already
        self._keys: dict[tuple[str, str], Keys] = {}  # of the batch's records
        self._followed: dict[tuple[str, str], list[int]] = {}  # those that lead to candidates
        self._incoming: dict[tuple[str, str], Normal] = {}  # of the batch's customers
        self._apart: set[tuple[str, str]] = set()  # pairs that a person told apart
        self._records = 0
        self._changed: set[str] = set()  # golden records that the batch was linked to, or made
        self._scores: dict[tuple[tuple[str, str], str], Score] = {}  # of a record and a golden one

    def prepare(self, batch: Sequence[Incoming]) -> None:
        """Reads in a few queries all that may match any record of the batch.

        Nothing is locked but the keys: whoever links to a golden record locks that one.
        """
        matched = [item for item in batch if item.spec.entity not in FACTS]
        if not matched:
            return
        self._foresee(matched)
        self._lock_keys(sorted({key for keys in self._keys.values() for _, key in keys}))
        ids = self._read(matched)
        changing = (found for found in self.tx.identity_map.values() if isinstance(found, Golden))
        self._golden.update((golden.id, golden) for golden in changing if golden.id in ids)
        if any(item.spec.entity == "contact" for item in matched):
            self._apart |= candidates.apart(self.tx, ids)
        if len(matched) > 1:
            self._seats.update(links.seats(self.tx, ids))
        self._score_all([item for item in matched if item.spec.entity == "customer"])

    def seen_from_outside(self, customers: Sequence[Incoming]) -> Ahead:
        """What the store says of customers before their transaction; nothing is locked."""
        self._foresee(customers)
        self._read(customers)
        self._score_all(customers)
        golden = {i: g for i, g in self._golden.items() if isinstance(g, goldens.Matchable)}
        return Ahead(self._model, self._records, self._held_by, golden, self._scores)

    def _read(self, matched: Sequence[Incoming]) -> set[str]:
        """Reads what shares a key with the records, and how common each key is; who was found."""
        wanted = {key for keys in self._keys.values() for _, key in keys}
        self._held_by.update(goldens.key_frequencies(self.tx, wanted, match.MOST_HELD))
        usable = {key for item in matched for key in self._to_follow(item)}
        for key, golden_id in goldens.by_keys(self.tx, usable & self._held_by.keys()):
            self._by_key.setdefault(key, []).append(golden_id)
        ids = {golden_id for key in usable for golden_id in self._by_key.get(key, ())}
        missing = ids - self._golden.keys()
        if self._foreseen.ahead is not None:
            known = {i: g for i, g in self._foreseen.ahead.golden.items() if i in missing}
            self._golden.update(goldens.unchanged(self.tx, known))
            missing -= self._golden.keys()
        if missing:
            self._golden.update(goldens.matchable(self.tx, missing))
        self._records = goldens.customers(self.tx)
        return ids

    def _foresee(self, matched: Sequence[Incoming]) -> None:
        """Normal forms and keys of the records, made now where nobody has made them before."""
        known = self._foreseen
        rest = [item for item in matched if item.seen.key not in known.keys]
        made = foresee(rest)
        self._incoming.update({**known.normals, **made.normals})
        self._keys = {
            item.seen.key: known.keys.get(item.seen.key)
            or made.keys.get(item.seen.key)
            or keys_of(item.spec.entity, item.values)
            for item in matched
        }

    def _score_all(self, customers: Sequence[Incoming]) -> None:
        """Scores the batch's customers against what the store holds, many pairs in one go.

        What this transaction changes is scored when its turn comes.
        """
        near = [
            (i, [g for g in self._near(i) if isinstance(g, goldens.Matchable)]) for i in customers
        ]
        near = [(item, self._unscored(item, found)) for item, found in near]
        part: list[tuple[Incoming, list[Known]]] = []
        pairs = 0
        for item, found in near:
            part.append((item, list(found)))
            pairs += len(found)
            if pairs >= PAIRS_AT_ONCE:
                self._score(part)
                part, pairs = [], 0
        self._score(part)

    def _unscored(
        self, item: Incoming, near: Sequence[goldens.Matchable]
    ) -> list[goldens.Matchable]:
        """Takes over the scores from before the transaction that still stand; what is left."""
        ahead = self._foreseen.ahead
        if ahead is None or ahead.model is not self._model or ahead.records != self._records:
            return list(near)
        keys = [key for _, key in self._keys[item.seen.key]]
        if any(ahead.held.get(key, 0) != self._held_by.get(key, 0) for key in keys):
            return list(near)
        left = []
        for golden in near:
            place = item.seen.key, golden.id
            if ahead.golden.get(golden.id) is golden and place in ahead.scores:
                self._scores[place] = ahead.scores[place]
            else:
                left.append(golden)
        return left

    def _score(self, part: Sequence[tuple[Incoming, Sequence[Known]]]) -> None:
        groups = [
            (self._incoming[item.seen.key], [self._normal_of(golden) for golden in near])
            for item, near in part
        ]
        scores = self._model.compare_groups(groups, self._held_by, self._records)
        for (item, near), own in zip(part, scores, strict=True):
            for golden, score in zip(near, own, strict=True):
                self._scores[item.seen.key, golden.id] = score

    def match(self, item: Incoming, system: OpenSystem) -> Match:
        """What a new record of `system` is: known, perhaps known, or new."""
        if item.spec.entity in FACTS:
            return _NEW
        near = self._near(item)
        if not near:
            return _NEW
        seat = (system.id, item.object_name)
        if item.spec.entity == "contact":
            return self._match_contact(item, near, seat)
        return self._match_customer(item, near, seat)

    def keys_of_new(self, item: Incoming) -> Keys | None:
        """The keys of a golden record made of nothing but this item, where they are known.

        What the system may not bring in is part of the item, not of the golden record.
        """
        observed = (path for path in item.spec.observed_paths if is_matched(path))
        if any(item.values.get(path) is not None for path in observed):
            return None
        return self._keys.get(item.seen.key)

    def add(self, golden: Golden, item: Incoming, system_id: int) -> None:
        """A record that was linked or made: later ones of the batch may match it."""
        self._golden[golden.id] = golden
        self._normal.pop(golden.id, None)
        self._changed.add(golden.id)
        self._seats.setdefault(golden.id, set()).add((system_id, item.object_name))
        for _, key in self._keys.get(item.seen.key, ()):
            known = self._by_key.setdefault(key, [])
            if golden.id not in known:
                known.append(golden.id)

    def _to_follow(self, item: Incoming) -> list[int]:
        """The keys that are rare enough to look for candidates with."""
        if item.seen.key not in self._followed:
            keys = self._keys.get(item.seen.key, [])
            if item.spec.entity == "contact":
                self._followed[item.seen.key] = [key for _, key in keys]
            else:
                self._followed[item.seen.key] = match.rare_keys(keys, self._held_by)
        return self._followed[item.seen.key]

    def _near(self, item: Incoming) -> list[Known]:
        ids = {i for key in self._to_follow(item) for i in self._by_key.get(key, ())}
        found = [self._golden[golden_id] for golden_id in sorted(ids & self._golden.keys())]
        return [g for g in found if g.state == "live" and g.entity == item.spec.entity]

    def _is_taken(self, golden_id: str, seat: tuple[int, str]) -> bool:
        """Whether the golden record has another record in this object of this system."""
        if golden_id not in self._seats:
            self._seats.update(links.seats(self.tx, [golden_id]))
        return seat in self._seats[golden_id]

    def _match_customer(
        self, item: Incoming, near: Sequence[Known], seat: tuple[int, str]
    ) -> Match:
        unknown = [
            golden
            for golden in near
            if golden.id in self._changed or (item.seen.key, golden.id) not in self._scores
        ]
        self._score([(item, unknown)])
        scores = [self._scores[item.seen.key, golden.id] for golden in near]
        decision = self._model.decide(scores, self._records)
        if decision.outcome == "link" and decision.best is not None:
            golden = near[decision.best]
            if not self._is_taken(golden.id, seat):
                return Match(golden.id, f"matched: {decision.reason}")
        review = decision.review if decision.outcome != "new" else ()
        return Match(
            None,
            "new",
            tuple((near[i].id, scores[i].bits, shown(scores[i])) for i in review[:MOST]),
        )

    def _match_contact(self, item: Incoming, near: Sequence[Known], seat: tuple[int, str]) -> Match:
        found = [(exact.compare(golden.values, item.values), golden) for golden in near]
        found = [(e, g) for e, g in found if e.verdict != "different"]
        found.sort(key=lambda entry: (-entry[0].score, entry[1].id))
        for evidence, golden in found:
            equal = [g for e, g in found if e.score == evidence.score]
            if self._told_apart(golden, equal):
                continue
            if evidence.verdict == "link" and not self._is_taken(golden.id, seat):
                return Match(golden.id, f"matched: {evidence.reason}")
        return Match(
            None,
            "new",
            tuple((g.id, e.score, [list(w) for w in e.weights]) for e, g in found[:MOST]),
        )

    def _told_apart(self, golden: Known, rivals: Sequence[Known]) -> bool:
        """Whether a person told a record apart from another that fits as well: ask, do not guess.

        Customers need no such rule: there a link has to be well ahead of the second best.
        """
        return any(candidates.pair_of(golden.id, g.id) in self._apart for g in rivals)

    def _normal_of(self, golden: Known) -> Normal:
        if golden.id not in self._normal:
            self._normal[golden.id] = _normal(golden.values)
        return self._normal[golden.id]

    def _lock_keys(self, keys: Sequence[int]) -> None:
        """Two workers with the same new customer take turns; SQLite has one writer anyway."""
        if self.tx.get_bind().dialect.name == "postgresql":
            self.tx.execute(
                text("SELECT pg_advisory_xact_lock(k) FROM unnest(CAST(:keys AS bigint[])) AS k"),
                {"keys": list(keys)},
            )


def shown(score: Score) -> list[Any]:
    """The waterfall of a score, for the review screen: field, level, bits."""
    weights: list[Any] = [[w.field, w.level, w.bits] for w in score.weights]
    return [*weights, ["veto", score.veto, 0.0]] if score.veto else weights
