"""What users typed, where, and what they saw when they typed it.

Every edit replaces what stood there. An edit that nobody has replaced is a *head*. When all is
quiet, the golden value of a field must be one of its heads: a value that somebody saw and
overwrote may not come back, and a value that nobody typed (a cut or reformatted echo) may not
appear. Every other head must be in the change log or in a conflict.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Typed:
    """One value that somebody typed; `value` is canonical, as the system stored it."""

    number: int
    value: Any
    place: str  # a system's name, or "hub"
    replaces: frozenset[int]
    record: str = ""  # the remote record, or the golden one
    optional: bool = False  # its record was deleted there, maybe before the hub saw it


@dataclass
class Ledger:
    """All edits by unit: (identity of the customer, name of the field or group).

    Customers who are one now (`group`) have one account. Whoever is taken apart again has what
    was typed into the own records, replaced only by what was typed there.
    """

    entries: dict[tuple[str, str], list[Typed]] = field(default_factory=dict)
    count: int = 0
    group: Callable[[str], frozenset[str]] = lambda identity: frozenset({identity})

    def of(self, identity: str, unit: str) -> list[Typed]:
        members = self.group(identity)
        found = [entry for who in members for entry in self.entries.get((who, unit), ())]
        return sorted(found, key=lambda entry: entry.number)

    def units(self, identity: str) -> list[str]:
        members = self.group(identity)
        return list(dict.fromkeys(unit for who, unit in self.entries if who in members))

    def typed(
        self, identity: str, unit: str, value: Any, place: str, seen: set[int], record: str = ""
    ) -> Typed:
        self.count += 1
        entry = Typed(self.count, value, place, frozenset(seen), record)
        self.entries.setdefault((identity, unit), []).append(entry)
        return entry

    def part(self, identity: str, other: str, records: Collection[tuple[str, str]]) -> None:
        """What was typed into these records, (place, id), is another customer's from now on."""
        for unit in self.units(identity):
            entries = self.entries.get((identity, unit), [])
            moved = [entry for entry in entries if (entry.place, entry.record) in records]
            self.entries[identity, unit] = [entry for entry in entries if entry not in moved]
            if moved:
                self.entries[other, unit] = moved

    def shown(
        self,
        identity: str,
        unit: str,
        place: str,
        value: Any,
        looks: Callable[[Any], bool],
        record: str = "",
    ) -> set[int]:
        """The entry that a screen shows: this value, or one that `looks` like it there.

        Where several fit, what was typed into this very record is meant, else what was typed in
        that system, else the first: a head too many is only a weaker check, a head too few would
        be a false alarm.
        """
        entries = self.of(identity, unit)
        same = [entry for entry in entries if entry.value == value]
        here = [entry for entry in same if entry.place == place]
        fitting = [entry for entry in here if record and entry.record == record] or here or same
        fitting = fitting or [entry for entry in entries if looks(entry.value)]
        return {fitting[0].number} if fitting else set()

    def doubt(self, identity: str, place: str) -> None:
        """The record was deleted there: what was typed into it may never have been seen."""
        members = self.group(identity)
        for (who, _), entries in self.entries.items():
            for entry in entries:
                if who in members and entry.place == place:
                    entry.optional = True

    def doubt_record(self, place: str, record: str) -> None:
        """One record vanished there with edits that the hub has not seen."""
        for entries in self.entries.values():
            for entry in entries:
                if (entry.place, entry.record) == (place, record):
                    entry.optional = True

    def heads(self, identity: str, unit: str) -> list[Typed]:
        entries = self.of(identity, unit)
        replaced = {number for entry in entries for number in entry.replaces}
        return [entry for entry in entries if entry.number not in replaced]

    def allowed(self, identity: str, unit: str) -> list[Typed]:
        """Heads, and what stands behind a head that a rule or a deletion may have undone.

        Of those who were taken apart, not what was typed into the other's records: it went there.
        """
        known = {entry.number: entry for entry in self.of(identity, unit)}
        found = {entry.number: entry for entry in self.heads(identity, unit)}
        weak = [entry for entry in found.values() if entry.value is None or entry.optional]
        while weak:
            for number in weak.pop().replaces:
                if number in known and number not in found:
                    found[number] = known[number]
                    if known[number].value is None or known[number].optional:
                        weak.append(known[number])
        return list(found.values())
