"""Another hub at work in the same system: records carry keys that this hub never gave.

Two hubs on one database share their leases and are fine. Two databases are not: each creates
what the other has created, and each overwrites the other. A key tells when it was made. One that
is older than this hub's own connection comes from a forerunner and is taken as it is; a younger
one is the work of a hub that runs beside this one.
"""

from datetime import datetime

from connectors.sdk.errors import SetupError
from sync.store import state
from sync.store.session import Tx
from sync.store.tables import System, moment_of, new_id


class TwinHubError(SetupError):
    """Somebody else's hub writes to the same system."""


def refuse(tx: Tx, system_id: int, object_name: str, remote_id: str, hub_key: str) -> None:
    """Raises TwinHubError where a key that is unknown here was made beside this hub."""
    made = moment_of(hub_key.partition("-")[0])
    if made is None:
        return  # a person typed something into the field
    row = tx.get_one(System, system_id)
    if made <= _known_until(tx, row):
        return
    raise TwinHubError(
        f"Another hub is at work in {row.name}: its {object_name} {remote_id} was made at "
        f"{made:%Y-%m-%d %H:%M:%S} UTC by a hub with another database. Nothing more is read or "
        "written there.",
        hint="Stop one of the two hubs, then let the system go on: `kehub system resume`.",
        remote_code="twin_hub",
    )


def note(tx: Tx, system_id: int, now: datetime) -> None:
    """It was said: what was made until now is taken as it is, once a person lets it go on."""
    state.put(tx, _fact(system_id), {"mark": new_id()}, now)


def _known_until(tx: Tx, row: System) -> datetime:
    """Marks are ids like the keys: compared with these, no clock but their own matters."""
    marks = [state.get(tx, key).get("mark") for key in (state.EPOCH, _fact(row.id))]
    moments = [moment_of(mark) for mark in marks if mark]
    return max([row.created_at, *(at for at in moments if at is not None)])


def _fact(system_id: int) -> str:
    return f"twin:{system_id}"
