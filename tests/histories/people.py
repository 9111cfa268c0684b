"""Who is who, whatever a record shows: customers that were entered, merged and taken apart.

A customer's *identity* is the mail address that was entered, which no user edits. Merges change
what records show, so a record belongs to whom it was made for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Union:
    """Two customers that are one, for good or until somebody takes it back."""

    kept: str
    other: str  # the same where one customer stood in the hub twice
    merge_id: int | None = None  # None: a user merged the two in a remote system
    loser_id: str = ""  # the golden record that went
    records: frozenset[tuple[str, str]] = frozenset()  # (system, id) of that one's customers
    children: frozenset[str] = frozenset()  # identities of its contacts
    heard: frozenset[str] = frozenset()  # identities of all contacts that the hub had heard of
    before: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {})  # both golden records' values
    taken_back: bool = False

    def names(self, identity: str) -> bool:
        return identity in {self.kept, self.other}


@dataclass
class People:
    """What is known of customers' records and of who is one with whom."""

    born: dict[tuple[str, str], str] = field(default_factory=dict)  # (system, id) -> identity
    goldens: dict[str, str] = field(default_factory=dict)  # golden record -> identity
    unions: list[Union] = field(default_factory=list)

    def group(self, identity: str) -> frozenset[str]:
        """All who are one customer with this one now."""
        found = {identity}
        standing = [u for u in self.unions if not u.taken_back]
        for _ in standing:
            for union in standing:
                if not found.isdisjoint((union.kept, union.other)):
                    found |= {union.kept, union.other}
        return frozenset(found)

    def first_of_each(self, identities: Iterable[str]) -> list[str]:
        """One identity of each customer."""
        found: list[str] = []
        for identity in identities:
            if self.group(identity).isdisjoint(found):
                found.append(identity)
        return found

    def taken_apart(self) -> list[Union]:
        """Those whose merge was taken back, and who are not one again."""
        return [u for u in self.unions if u.taken_back and u.other not in self.group(u.kept)]


def mail_of(identity: str) -> str:
    """What the customer's records show once all is well."""
    return identity.partition("#")[0]
