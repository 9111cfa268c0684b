"""What the API can do, one module per group of paths; importing this fills the route table."""

from sandbox.fxiaoke.actions import (
    create,
    directory,
    files,
    lifecycle,
    message,
    metadata,
    ownership,
    reading,
    team,
    update,
)

__all__ = [
    "create",
    "directory",
    "files",
    "lifecycle",
    "message",
    "metadata",
    "ownership",
    "reading",
    "team",
    "update",
]
