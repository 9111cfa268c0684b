"""`demo.json`: what a restart needs to go on, and what scripts read."""

import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILE = "demo.json"
STAND_INS = ("zoho", "fxiaoke", "tryton")


class State:
    """The file's content; readable by its owner only, whole or not at all."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        self.facts: dict[str, Any] = self._read()

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def note(self, **facts: Any) -> None:
        """Adds to the file; a mapping is merged into the one that is there."""
        for name, value in facts.items():
            known = self.facts.get(name)
            both = isinstance(value, Mapping) and isinstance(known, Mapping)
            self.facts[name] = {**known, **value} if both and known else value
        partial = self.path.with_suffix(".new")
        handle = os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(self.facts, file, ensure_ascii=False, indent=1)
        partial.replace(self.path)

    def ports(self) -> dict[str, int]:
        """A port for each stand-in: the one of the last time where it is still free."""
        known = self.facts.get("ports", {})
        chosen: dict[str, int] = {}
        for name in STAND_INS:
            before = known.get(name)
            chosen[name] = before if before and _is_free(before) else _free_port(chosen.values())
        self.note(ports=chosen)
        return chosen


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port(taken: Any) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in set(taken):
            return port
