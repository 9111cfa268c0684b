"""What is known of a system, apart from how it is stored and how it is called."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """A configured system; `credentials` are sealed."""

    id: int
    name: str
    kind: str
    state: str
    settings: Mapping[str, Any]
    credentials: bytes | None
    delete_policy: str
    clock_offset: float
    hold_in: bool
    hold_out: bool
    poll_seconds: float | None


@dataclass(frozen=True, slots=True)
class MappingText:
    """A live mapping as it was written; the same id is always the same text."""

    id: int
    object: str
    text: str


class SystemStore(Protocol):
    """Where systems, their call counts and their sealed tokens are kept."""

    def facts(self, system_id: int) -> tuple[SystemFacts, list[MappingText]]:
        """The system and its live mappings."""

    def taking_part(self) -> list[tuple[int, list[MappingText]]]:
        """Systems that have gone live, also while they are paused or broken, with mappings."""

    def add_calls(self, system_id: int, *, reads: int, writes: int, written: int) -> None:
        """Adds to the system's counters."""

    def token(self, system_id: int) -> bytes | None:
        """The sealed token."""

    def lease_token(self, system_id: int, *, now: datetime, until: datetime) -> int | None:
        """The right to fetch a token, as a number that fences; None while another has it."""

    def release_token(self, system_id: int, epoch: int, sealed: bytes | None) -> None:
        """Ends the lease; stores a token unless a newer lease has begun."""
