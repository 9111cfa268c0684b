"""How far a stream has been read: a mark in the server's own time, made from its data only.

Zoho's times have whole seconds and nothing says when a write becomes visible to others. So a
mark reads the last minute again until nothing newer has come for a minute by the server's clock,
and it remembers what it has seen there, so that reading again is not telling again. The clock of
the answers (their `Date`) is never held against the records' times: these may be another machine's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.zoho_crm.records import moment, stamp

OVERLAP = timedelta(seconds=60)
LONGEST_MEMORY = 300  # rows remembered; beyond, a repeat is told again, which is harmless
Seen = Mapping[str, str]  # record id -> what tells its states apart


@dataclass(frozen=True, slots=True)
class Mark:
    """`walking` stands inside one listing; `settled` says the minute before `time` is complete."""

    time: datetime | None = None
    walking: bool = False
    settled: bool = False
    met: datetime | None = None  # the server's clock when a reading first met `time` as the newest
    after: str | None = None  # the last id told of the second `time`, where it fills a page
    recent: Seen = field(default_factory=dict)

    @classmethod
    def load(cls, content: Mapping[str, Any] | None) -> "Mark":
        """The mark from a cursor."""
        given = content or {}
        return cls(
            moment(given.get("time")),
            walking=bool(given.get("walking")),
            settled=bool(given.get("settled")),
            met=moment(given.get("met")),
            after=given.get("after"),
            recent=dict(given.get("recent") or {}),
        )

    def dump(self) -> dict[str, Any]:
        """The mark for a cursor; what is empty is left out."""
        content: dict[str, Any] = {
            "time": stamp(self.time) if self.time else None,
            "walking": self.walking,
            "settled": self.settled,
            "met": stamp(self.met) if self.met else None,
            "after": self.after,
            "recent": dict(self.recent),
        }
        return {name: value for name, value in content.items() if value}

    @property
    def since(self) -> datetime | None:
        """What to ask for: rows changed after this moment; None asks for all."""
        if self.time is None or self.settled:
            return self.time
        return self.time - (timedelta(seconds=1) if self.walking else OVERLAP)

    def passed(
        self, seen: Sequence[tuple[str, datetime, str]], at: datetime | None, *, whole: bool
    ) -> "Mark":
        """The mark after a complete reading that met `seen` (id, time, state) at server time `at`.

        `whole`: one answer held all of it. Only such a reading, made long enough after the
        newest time was first met, settles the minute before. A time ahead of the server's own
        clock is not trusted: when that clock is set back, nothing may lie behind the mark unread.
        """
        times = [time for _, time, _ in seen]
        if self.time is not None:
            times.append(self.time)
        if not times:
            return Mark()
        latest = max(times)
        time = min(latest, at) if at else latest
        near = [row for row in seen if row[1] > time - OVERLAP - timedelta(seconds=1)]
        near.sort(key=lambda row: row[1])
        recent = {record_id: state for record_id, _, state in near[-LONGEST_MEMORY:]}
        met = self.met if self.met and time == self.time else at
        settled = whole and at is not None and met is not None and at > met + OVERLAP
        return Mark(time, settled=settled and time == latest, met=met, recent=recent)
