"""What became of a batch: refusals explained, rows read back, the rest left in doubt."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from connectors.fxiaoke.read import Reader
from connectors.fxiaoke.rows import Row, Rows, is_invalid
from connectors.sdk.contract import Change, Outcome, Write
from connectors.sdk.errors import (
    AnswerLostError,
    GoneError,
    RecordError,
    SetupError,
    TransientError,
)

WAITING = frozenset({"under_review", "in_change", "ineffective"})
Error = RecordError | TransientError | SetupError


@dataclass(frozen=True, slots=True)
class Sent:
    """What is known of one write after its call."""

    write: Write
    remote_id: str | None = None
    error: Error | None = None

    @property
    def refused(self) -> RecordError | None:
        """The system's own refusal; ours, before any call, have no remote code."""
        error = self.error
        return error if isinstance(error, RecordError) and error.remote_code else None

    @property
    def done(self) -> bool:
        return self.error is None


class Stop:
    """Shared by the threads of one batch: after the first trouble nothing more is sent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reason: TransientError | SetupError | None = None

    def because(self, reason: TransientError | SetupError) -> None:
        with self._lock:
            self.reason = self.reason or reason

    def not_sent(self) -> TransientError:
        """For a write that was not tried: surely not done."""
        wait = getattr(self.reason, "retry_after", None)
        return TransientError(f"Not sent, because before it: {self.reason}", retry_after=wait)


class Judge:
    """Looks at the rows behind a batch."""

    def __init__(self, rows: Rows, reader: Reader, locked_retry: float) -> None:
        self._rows, self._reader, self._locked_retry = rows, reader, locked_retry

    def explained(self, object_name: str, sent: Sequence[Sent]) -> list[Sent]:
        """Refusals told apart: done before, not to be done now, not to be done ever.

        The codes of business refusals are not published, so the rows themselves are asked.
        """
        refused = [item for item in sent if item.refused]
        if not refused:
            return list(sent)
        keys = [item.write.key for item in refused if item.write.op == "create"]
        ids = [item.remote_id for item in refused if item.write.op != "create" and item.remote_id]
        try:
            made = self._reader.find(object_name, keys) if keys else {}
            rows = self._rows.by_id(object_name, ids)
        except (TransientError, SetupError) as exc:
            later = TransientError(f"The reason of a refusal could not be looked up: {exc}")
            return [replace(item, error=later) if item.refused else item for item in sent]
        return [self._verdict(item, made, rows) if item.refused else item for item in sent]

    def read_back(self, object_name: str, sent: Sequence[Sent]) -> Mapping[str, Row]:
        """The rows of what was done. What cannot be read now, the hub reads later."""
        ids = [item.remote_id for item in sent if item.done and item.write.op != "delete"]
        try:
            return self._reader.rows_by_id(object_name, [one for one in ids if one is not None])
        except (TransientError, SetupError):
            return {}

    def outcomes(
        self, object_name: str, sent: Sequence[Sent], rows: Mapping[str, Row]
    ) -> list[Outcome]:
        """The outcomes of all writes that are not in doubt."""
        try:
            seen = {
                one.remote_id: one for one in self._reader.changes_of(object_name, rows.values())
            }
        except (TransientError, SetupError):
            seen = {}
        known = (item for item in sent if not isinstance(item.error, AnswerLostError))
        return [_outcome(object_name, item, seen) for item in known]

    def _verdict(self, item: Sent, made: Mapping[str, Change], rows: Mapping[str, Row]) -> Sent:
        if item.write.op == "create":
            done = made.get(item.write.key)
            return Sent(item.write, done.remote_id) if done else item
        row = rows.get(item.remote_id or "")
        gone = row is None or is_invalid(row)
        if gone and item.write.op == "delete":
            return Sent(item.write, item.remote_id)
        if row is None:
            return _gone(item, "The record no longer exists in 纷享销客.")
        if gone:
            return _gone(item, "The record is invalid (作废); restore it in 纷享销客 to go on.")
        if row.get("life_status") in WAITING or str(row.get("lock_status")) == "1":
            waiting = "The record is locked or under approval in 纷享销客."
            return replace(item, error=TransientError(waiting, retry_after=self._locked_retry))
        return item


def _gone(item: Sent, reason: str) -> Sent:
    code = item.refused.remote_code if item.refused else ""
    return replace(item, error=GoneError(f"{reason} {item.error}", remote_code=code))


def _outcome(object_name: str, item: Sent, seen: Mapping[str, Change]) -> Outcome:
    key, error, remote_id = item.write.key, item.error, item.remote_id
    if isinstance(error, SetupError):
        return Outcome(key, error=TransientError(str(error)))  # not done; the batch says why
    if error is not None or remote_id is None:
        return Outcome(key, error=error)
    if item.write.op == "delete":
        return Outcome(key, Change(object_name, remote_id, None), remote_id=remote_id)
    return Outcome(key, seen.get(remote_id), remote_id=remote_id)
