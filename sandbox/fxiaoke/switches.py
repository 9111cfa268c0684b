"""Behaviours that no source confirms: each can be set both ways, and is kept over a restart."""

import threading
from typing import Any

from sandbox.fxiaoke.database import Database
from sandbox.fxiaoke.errors import AdminError

# name: (allowed values or a type, default, what it decides)
SWITCHES: dict[str, tuple[Any, Any, str]] = {
    "throttle_code": ((30004, 14001), 30004, "code for too many calls in 20 s"),
    "query_returns_invalid": (bool, True, "query lists invalid rows"),
    "limit_over_100": (("error", "cap"), "error", "a page size over 100 is refused or cut"),
    "total_when_off": (("zero", "absent"), "zero", "total of a query that does not count"),
    "get_missing": (("error", "null"), "error", "get of a row that is not there"),
    "business_error_code": (int, 201110001, "code of every business refusal (not 0)"),
    "null_pointer_code": (int, -2, "code of a body of the wrong shape (not 0)"),
    "require_thirdTraceId": (bool, False, "header convention needs thirdTraceId"),
    "duplicate_rule_on_create": (("off", "warn", "block"), "off", "duplicate check on create"),
    "details_update": (("replace", "ignore"), "replace", "details given on an update"),
    "numbers_as": (("string", "number"), "string", "form of numbers in replies"),
    "version_type": (("string", "number"), "string", "form of version in replies"),
    "event_on_api_write": (bool, True, "API writes fire callbacks too"),
    "custom_create_returns_dataId": (bool, True, "create of a custom object returns dataId"),
    "clear_with": (("null", "empty", "both"), "both", "what clears a field on update"),
    "list_lag_ms": (int, 0, "a change is found by its time only so much later"),
    "between_inclusive": (bool, True, "BETWEEN includes its ends"),
    "unknown_field_on_write": (("ignore", "error"), "ignore", "a field that describe lacks"),
    "owner_on_update": (("ignore", "error"), "ignore", "owner given on an update"),
    "mobile_unknown": (("empty", "error"), "empty", "getByMobile finds nobody"),
    "details_form": (("plain", "container"), "plain", "form of details in get"),
}


class Switches:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        kept = database.meta("switches", {})
        self._values = {name: kept.get(name, spec[1]) for name, spec in SWITCHES.items()}

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def all(self) -> dict[str, Any]:
        return dict(self._values)

    def set(self, changes: dict[str, Any]) -> dict[str, Any]:
        for name, value in changes.items():
            _check(name, value)
        with self._lock:
            self._values.update(changes)
            self._database.set_meta("switches", self._values)
        return self.all()


def _check(name: str, value: Any) -> None:
    if name not in SWITCHES:
        raise AdminError(f"no switch {name}; known: {', '.join(SWITCHES)}")
    allowed = SWITCHES[name][0]
    if isinstance(allowed, tuple):
        if value not in allowed or isinstance(value, bool):
            raise AdminError(f"{name} must be one of {', '.join(map(str, allowed))}")
        return
    if type(value) is not allowed:
        raise AdminError(f"{name} must be a {allowed.__name__}")
    if allowed is int and value == 0 and name.endswith("_code"):
        raise AdminError(f"{name} must not be 0, which means success")
