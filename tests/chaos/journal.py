"""What happened in a company, in order, for whoever has to find out why something is wrong."""

from datetime import UTC, datetime
from typing import Any


class Journal:
    """One line for each thing that happened, in order."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def note(self, what: str, **more: Any) -> None:
        self.lines.append({"at": datetime.now(UTC), "what": what, **more})
