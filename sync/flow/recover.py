"""What an error means for the work at hand: later, pause the system, or a dead letter."""

import traceback
from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import update

from connectors.sdk.errors import RecordError, SetupError, TransientError
from mapping.errors import MappingError, UnmappableValue
from sync.core import backoff
from sync.flow import twins
from sync.flow.hub import Hub
from sync.flow.twins import TwinHubError
from sync.gateway.vault import VaultError
from sync.store import dirty, inbox, runs
from sync.store.session import Tx
from sync.store.suppression import SuppressionError
from sync.store.tables import DeadLetter, Dirty, Inbox, System, new_id

log = structlog.get_logger()
_SETUP = (SetupError, MappingError, VaultError, SuppressionError)


def pause(hub: Hub, system_id: int, error: Exception) -> None:
    """The set-up has to be mended: the system stops, its rows stay, the admin is told."""
    with hub.database.write() as tx:
        tx.execute(
            update(System)
            .where(System.id == system_id, System.state.in_(("live", "broken")))
            .values(
                state="broken",
                state_reason=str(error),
                state_hint=getattr(error, "hint", ""),
            )
        )
        if isinstance(error, TwinHubError):
            twins.note(tx, system_id, hub.now())
    log.warning("system_broken", system=system_id, reason=str(error))


def is_setup(error: Exception) -> bool:
    """Whether a person has to mend the set-up before anything goes on."""
    return isinstance(error, _SETUP)


def is_expected(error: Exception) -> bool:
    """Whether an error concerns the whole system, not one record of the batch."""
    return isinstance(error, TransientError) or is_setup(error)


def give_back_inbox(hub: Hub, rows: Sequence[Inbox], token: str, error: Exception) -> None:
    """Rows whose step failed as a whole: back with backoff, or parked when they keep failing."""
    now = hub.now()
    system_wide = is_expected(error)
    with hub.database.write() as tx:
        for row in rows:
            if system_wide or row.attempts < hub.settings.attempts:
                wait = backoff.delay(row.attempts, hint_of(error), hub.chance())
                inbox.postpone(
                    tx,
                    [row.id],
                    token,
                    due_at=now + timedelta(seconds=wait),
                    error=str(error),
                    refund=system_wide,
                )
            else:
                bury_in(hub, tx, row, error)


def give_back_dirty(hub: Hub, rows: Sequence[Dirty], token: str, error: Exception) -> None:
    """The same for dirty rows."""
    now = hub.now()
    system_wide = is_expected(error)
    with hub.database.write() as tx:
        for row in rows:
            if system_wide or row.attempts < hub.settings.attempts:
                wait = backoff.delay(row.attempts, hint_of(error), hub.chance())
                dirty.postpone(
                    tx,
                    [row.id],
                    token,
                    due_at=now + timedelta(seconds=wait),
                    waiting_for="system" if system_wide else "",
                    error=str(error),
                    refund=system_wide,
                )
            else:
                bury_out(hub, tx, row, "", error)


def bury_in(hub: Hub, tx: Tx, row: Inbox, error: Exception) -> None:
    """A record that cannot be taken in becomes a dead letter."""
    now = hub.now()
    letter = _letter(error, row.system_id, "in", row.object, row.attempts)
    letter.remote_id, letter.payload, letter.created_at = row.remote_id, row.payload, now
    runs.dead(tx, letter)
    inbox.park(tx, [row.id], str(error), now)


def bury_out(hub: Hub, tx: Tx, row: Dirty, object_name: str, error: Exception) -> None:
    """A write that is refused becomes a dead letter; its dirty row goes."""
    letter = _letter(error, row.system_id, "out", object_name, row.attempts)
    letter.golden_id, letter.created_at = row.golden_id, hub.now()
    runs.dead(tx, letter)
    dirty.settle(tx, [(row.id, row.generation)], row.lease_token or "")
    dirty.wake_children_of(tx, row.golden_id, row.system_id, hub.now())


def hint_of(error: Exception) -> float | None:
    """How long the system asked to wait."""
    return error.retry_after if isinstance(error, TransientError) else None


def lease_token() -> str:
    """A name for one claim."""
    return new_id()


def _legible(text: str) -> str:
    """With escapes for what a database column cannot hold."""
    return text.replace("\0", "\\x00").encode(errors="backslashreplace").decode()


def _letter(
    error: Exception, system_id: int, direction: str, object_name: str, attempts: int
) -> DeadLetter:
    letter = DeadLetter(
        system_id=system_id,
        direction=direction,
        object=object_name,
        kind="bug",
        message=str(error) or type(error).__name__,
        attempts=attempts,
    )
    if isinstance(error, RecordError):
        letter.kind, letter.field, letter.remote_code = "refused", error.field, error.remote_code
    elif isinstance(error, UnmappableValue):
        letter.kind, letter.field = "unmappable", error.field
        letter.value = _legible(str(error.value)[:500])
    else:
        letter.traceback = "".join(traceback.format_exception(error))
    return letter
