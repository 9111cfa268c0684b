"""Everything that one running stand-in holds, put together."""

import base64
import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.fxiaoke import records
from sandbox.fxiaoke.cleaning import Cleaner
from sandbox.fxiaoke.clock import Clock
from sandbox.fxiaoke.counters import Counters
from sandbox.fxiaoke.database import Database
from sandbox.fxiaoke.describes import Describes
from sandbox.fxiaoke.events import Events
from sandbox.fxiaoke.faults import Faults
from sandbox.fxiaoke.limits import Limits
from sandbox.fxiaoke.people import People
from sandbox.fxiaoke.records import Ids
from sandbox.fxiaoke.switches import Switches
from sandbox.fxiaoke.tokens import Tokens
from sandbox.fxiaoke.uploads import Uploads
from sandbox.fxiaoke.work import Work

INTEGRATION_USER = "1003"
INTEGRATION_MOBILE = "13800001003"
DIRECTORY = ("PersonnelObj", "DepartmentObj")


class World:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.database = Database(folder / "fxiaoke.sqlite3")
        self.credentials = _credentials(self.database)
        self.tenant_id: int = self.credentials["tenant_id"]
        self.ea: str = self.credentials["ea"]
        self.clock = Clock(self.database.meta("clock_shift", 0))
        self.switches = Switches(self.database)
        self.limits = Limits(self.database, self.clock)
        self.tokens = Tokens(self.database, self.clock, self.limits, self.credentials)
        self.describes = Describes(self.database)
        self.people = People(self.database, self.ea)
        self.cleaner = Cleaner(self.describes, self.people, self.switches)
        self.counters = Counters()
        self.faults = Faults()
        self.uploads = Uploads()
        self.approvals: dict[str, bool] = self.database.meta("approvals", {})
        self.events = Events(
            self.database,
            self.clock,
            ea=self.ea,
            tenant_id=self.tenant_id,
            secret=self.credentials["callback_secret"],
        )
        with self.database.reading() as connection:
            self.ids = Ids(records.last_id(connection))

    @contextlib.contextmanager
    def change(self, actor: str, *, origin: str, silent: bool = False) -> Iterator[Work]:
        """A transaction of changes; its events are sent once it is committed."""
        with self.database.writing() as connection:
            work = Work(self, connection, actor, origin)
            yield work
        self._committed(work, silent=silent)

    def _committed(self, work: Work, *, silent: bool) -> None:
        if any(event.object_name in DIRECTORY for event in work.events):
            self.people.forget()
        if work.origin == "api":
            for event in work.events:
                self.counters.wrote(event.object_name, event.record_id)
        if silent or (work.origin == "api" and not self.switches["event_on_api_write"]):
            return
        self.events.emit(work.events)

    def shift_clock(self, by_ms: int) -> int:
        shift = self.clock.shift(by_ms)
        self.database.set_meta("clock_shift", shift)
        return shift

    def close(self) -> None:
        self.events.close()
        self.limits.save()
        self.database.close()


def _credentials(database: Database) -> dict[str, Any]:
    """Made once per data folder, so that a restart has the same."""
    kept = database.meta("credentials")
    if kept:
        return kept
    made = {
        "app_id": f"FSAID_{secrets.token_hex(4)}",
        "app_secret": secrets.token_hex(16),
        "permanent_code": secrets.token_hex(16).upper(),
        "ea": f"standin{90000 + secrets.randbelow(10000)}",
        "corp_id": f"FSCID_{secrets.token_hex(16).upper()}",
        "tenant_id": 90000 + secrets.randbelow(10000),
        "user_id": INTEGRATION_USER,
        "mobile": INTEGRATION_MOBILE,
        "callback_secret": base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    database.set_meta("credentials", made)
    return made
