"""Finding the golden record that a new remote record belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from mapping.canonical import FACTS
from sync.core import exact
from sync.flow.hub import Hub
from sync.flow.records import Incoming
from sync.gateway.systems import OpenSystem
from sync.store import goldens, links
from sync.store.session import Tx
from sync.store.tables import Golden

COMMON = 100  # a key that more records share proves little and is not followed
MOST = 5  # candidates proposed for one record


@dataclass(frozen=True, slots=True)
class Match:
    """The golden record to link to, or None; then perhaps candidates for review."""

    golden_id: str | None
    rule: str
    candidates: tuple[tuple[str, float, list[Any]], ...] = ()


_NEW = Match(None, "new")


class Matcher:
    """Matches the new records of one batch, against the store and against each other."""

    def __init__(self, tx: Tx, hub: Hub) -> None:
        self.tx, self.hub = tx, hub
        self._by_key: dict[int, list[str]] = {}
        self._golden: dict[str, Golden] = {}
        self._held: dict[str, set[tuple[int, str]]] = {}  # (system, object) linked already

    def keys_of(self, golden: Golden) -> list[tuple[str, int]]:
        """The match keys of a golden record; commercial facts have none."""
        return [] if golden.entity in FACTS else exact.keys(golden.entity, golden.values)

    def prepare(self, batch: Sequence[Incoming]) -> None:
        """Reads in a few queries all that may match any record of the batch."""
        wanted = {
            key
            for item in batch
            if item.spec.entity not in FACTS
            for _, key in exact.keys(item.spec.entity, item.values)
        }
        if not wanted:
            return
        self._lock_keys(sorted(wanted))
        common = goldens.key_frequencies(self.tx, wanted)
        usable = [key for key in wanted if common.get(key, 0) <= COMMON]
        for key, golden_id in goldens.by_keys(self.tx, usable):
            self._by_key.setdefault(key, []).append(golden_id)
        ids = {golden_id for key in usable for golden_id in self._by_key.get(key, ())}
        self._golden.update(goldens.load(self.tx, ids - self._golden.keys(), lock=True))
        for golden_id, found in links.of_golden(self.tx, ids).items():
            self._held[golden_id] = {
                (link.system_id, link.object)
                for link in found
                if link.state in {"live", "in_doubt"}
            }

    def match(self, item: Incoming, system: OpenSystem) -> Match:
        """What a new record of `system` is: known, perhaps known, or new."""
        if item.spec.entity in FACTS:
            return _NEW
        found = self._compare(item)
        sure = [(score, i, weights) for verdict, score, i, weights in found if verdict == "link"]
        seat = (system.id, item.object_name)
        free = [entry for entry in sure if seat not in self._held.get(entry[1], set())]
        if free:
            return Match(free[0][1], _rule(free[0][2]))
        return Match(
            None, "new", tuple((i, score, weights) for _, score, i, weights in found[:MOST])
        )

    def add(self, golden: Golden, object_name: str, system_id: int) -> None:
        """A record that was linked or made: later ones of the batch may match it."""
        self._golden[golden.id] = golden
        self._held.setdefault(golden.id, set()).add((system_id, object_name))
        for _, key in self.keys_of(golden):
            known = self._by_key.setdefault(key, [])
            if golden.id not in known:
                known.append(golden.id)

    def _compare(self, item: Incoming) -> list[tuple[str, float, str, list[Any]]]:
        ids = {
            golden_id
            for _, key in exact.keys(item.spec.entity, item.values)
            for golden_id in self._by_key.get(key, ())
        }
        found = []
        for golden_id in sorted(ids):
            golden = self._golden[golden_id]
            if golden.state != "live" or golden.entity != item.spec.entity:
                continue
            evidence = exact.compare(golden.values, item.values)
            if evidence.verdict != "different":
                weights = [list(weight) for weight in evidence.weights]
                found.append((evidence.verdict, evidence.score, golden_id, weights))
        return sorted(found, key=lambda entry: (-entry[1], entry[2]))

    def _lock_keys(self, keys: Sequence[int]) -> None:
        """Two workers with the same new customer take turns; SQLite has one writer anyway."""
        if self.tx.get_bind().dialect.name == "postgresql":
            self.tx.execute(
                text("SELECT pg_advisory_xact_lock(k) FROM unnest(CAST(:keys AS bigint[])) AS k"),
                {"keys": list(keys)},
            )


def _rule(weights: Sequence[Sequence[Any]]) -> str:
    return "matched by " + ", ".join(str(name) for name, weight in weights if weight > 0)
