"""Whose data a system holds: remembered when it is first connected, compared ever after."""

from weakref import WeakSet

from sqlalchemy import select

from connectors.sdk.contract import Connector, KnowsTenant
from connectors.sdk.errors import SetupError
from sync.flow.hub import Hub
from sync.gateway.systems import OpenSystem
from sync.store.session import Tx
from sync.store.tables import Link, System

_confirmed: "WeakSet[Connector]" = WeakSet()  # type: ignore[type-arg]


class WrongTenantError(SetupError):
    """The credentials work, and lead to somebody else's records."""


def confirm(hub: Hub, system: OpenSystem) -> None:
    """Raises WrongTenantError unless the system is still the one that was connected at first.

    One cheap call for a connector: after that its settings cannot change.
    """
    connector = system.connector
    if not isinstance(connector, KnowsTenant) or connector in _confirmed:
        return
    found = connector.tenant()
    if found is None:
        return  # without the right to ask there is nothing to compare
    with hub.database.write() as tx:
        row = tx.get_one(System, system.id)
        kind, _, known = row.tenant.partition(":")
        same_kind = row.tenant and kind == found.id.partition(":")[0]
        if same_kind and known != found.id.partition(":")[2] and _holds_records(tx, system.id):
            raise WrongTenantError(
                f"The credentials of {row.name} lead to “{found.label}”, but {row.name} is "
                f"“{row.tenant_label}”. Nothing was read from there or written there.",
                hint="Give the credentials of the first one, or add the other one as a system "
                "of its own.",
                remote_code="wrong_tenant",
            )
        row.tenant, row.tenant_label = found.id, found.label
    _confirmed.add(connector)


def _holds_records(tx: Tx, system_id: int) -> bool:
    return tx.scalar(select(Link.id).where(Link.system_id == system_id).limit(1)) is not None
