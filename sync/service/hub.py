"""The hub of this process, for screens and commands."""

from sync.flow.hub import Hub
from sync.flow.opening import hub, load_policies, open_hub
from sync.store import schema

__all__ = ["Hub", "hub", "load_policies", "open_hub", "prepare"]


def prepare(opened: Hub) -> None:
    """Brings the hub's database to the newest version; safe to repeat."""
    schema.upgrade(opened.database)
