"""Employees and departments as the rest of the stand-in needs them, with both forms of their ids."""

import dataclasses
import hashlib
import threading
from typing import Any

from sandbox.fxiaoke import records
from sandbox.fxiaoke.database import Database

SYSTEM_USER = "-10000"
WHOLE_COMPANY = "999999"


def open_user_id(ea: str, user_id: str) -> str:
    digest = hashlib.sha256(f"{ea}/{user_id}".encode()).hexdigest()[:32]
    return f"FSUID_{digest.upper()}"


@dataclasses.dataclass(frozen=True)
class Employee:
    user_id: str
    open_id: str
    row: dict[str, Any]

    @property
    def name(self) -> str:
        return self.row.get("full_name") or self.row.get("name") or self.user_id

    @property
    def is_admin(self) -> bool:
        return bool(self.row.get("crm_admin"))

    @property
    def is_active(self) -> bool:
        return self.row.get("status", "0") == "0"

    @property
    def department(self) -> str:
        return (self.row.get("main_department") or [WHOLE_COMPANY])[0]


class People:
    """A small directory, read again whenever a row of it changes."""

    def __init__(self, database: Database, ea: str) -> None:
        self._database = database
        self._ea = ea
        self._lock = threading.Lock()
        self._loaded: tuple[dict[str, Employee], dict[str, Employee], dict[str, Any]] | None = None

    def forget(self) -> None:
        with self._lock:
            self._loaded = None

    def _load(self) -> tuple[dict[str, Employee], dict[str, Employee], dict[str, Any]]:
        loaded = self._loaded
        if loaded is not None:
            return loaded
        with self._lock, self._database.reading() as connection:
            by_id: dict[str, Employee] = {}
            for row in records.each(connection, "PersonnelObj"):
                user_id = row.get("user_id")
                if user_id and row["life_status"] != "invalid":
                    by_id[user_id] = Employee(user_id, open_user_id(self._ea, user_id), row)
            departments = {
                row["dept_id"]: row
                for row in records.each(connection, "DepartmentObj")
                if row.get("dept_id")
            }
            by_open_id = {one.open_id: one for one in by_id.values()}
            self._loaded = (by_id, by_open_id, departments)
            return self._loaded

    def all(self) -> list[Employee]:
        return list(self._load()[0].values())

    def find(self, user_id: Any) -> Employee | None:
        return self._load()[0].get(user_id) if isinstance(user_id, str) else None

    def known(self, user_id: str) -> Employee:
        """An employee that must exist: the one the application was installed with."""
        return self._load()[0][user_id]

    def find_open(self, open_id: Any) -> Employee | None:
        return self._load()[1].get(open_id) if isinstance(open_id, str) else None

    def by_mobile(self, mobile: str) -> list[Employee]:
        return [one for one in self.all() if one.row.get("phone") == mobile]

    def departments(self) -> dict[str, dict[str, Any]]:
        return self._load()[2]

    def below(self, user_id: str) -> list[str]:
        """The ids whose rows an employee may see: own and those of all subordinates."""
        found = [user_id]
        for leader in found:
            found += [
                one.user_id
                for one in self.all()
                if leader in (one.row.get("leader") or []) and one.user_id not in found
            ]
        return found

    def outward(self, user_id: str, converted: bool) -> str:
        """An id as replies show it: FSUID_… in the body convention."""
        if not converted or user_id == SYSTEM_USER:
            return user_id
        return open_user_id(self._ea, user_id)

    def inward(self, given: Any, converted: bool | None) -> str | None:
        """The plain id for one that came in; None when nobody has it in that form."""
        if given == SYSTEM_USER:
            return SYSTEM_USER
        if converted is None:
            employee = self.find(given) or self.find_open(given)
        else:
            employee = self.find_open(given) if converted else self.find(given)
        return employee.user_id if employee else None
