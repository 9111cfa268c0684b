"""What the API can do, one module per group of paths; importing this fills the route table."""

from sandbox.fxiaoke.actions import (
    create,
    directory,
    lifecycle,
    metadata,
    ownership,
    reading,
    update,
)

__all__ = ["create", "directory", "lifecycle", "metadata", "ownership", "reading", "update"]
