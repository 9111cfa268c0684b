"""Behaviour that the vendor's documents leave open: each point has a default and a switch."""

import json

# name: (default, allowed values or type, what it decides)
SPEC = {
    "all_failed_batch": ("400", ("400", "legacy202"), "status when no record of a batch succeeds"),
    "mixed_batch": ("207", ("207", "always200"), "status when some records of a batch succeed"),
    "unknown_id_get": ("204", ("204", "400"), "answer to GET of an unknown id"),
    "if_modified_since_edge": ("gt", ("gt", "gte"), "If-Modified-Since: later, or not earlier"),
    "noop_update_moves_modified": (True, bool, "an update without a change moves Modified_Time"),
    "unknown_keys": ("ignore", ("ignore", "refuse"), "unknown keys in a record"),
    "system_keys": ("ignore", ("ignore", "refuse"), "read-only fields in a record"),
    "unknown_picklist": ("store", ("store", "refuse"), "a value that is not in the picklist"),
    "empty_string_is_null": (True, bool, "an empty string clears the field"),
    "trim_text": (True, bool, "outer spaces of text are cut"),
    "coql_ignores_case": (True, bool, "text comparison in COQL ignores case"),
    "upsert_several": ("oldest", ("oldest", "newest"), "which of several matches an upsert takes"),
    "deleted_empty": ("304", ("304", "204"), "no deleted record and If-Modified-Since was sent"),
    "token_throttle": (10, int, "access tokens per refresh token in 10 minutes"),
    "token_throttle_status": (400, int, "HTTP status of a throttled token call"),
    "live_tokens": (10, int, "living access tokens per refresh token"),
    "token_lifetime": (3600, int, "seconds that an access token lives"),
    "search_lag": (5, int, "a record is found by search after 0 to this many seconds"),
    "search_lag_seed": (0, int, "moves which record waits how long"),
    "list_lag": (0, int, "a changed record is listed after 0 to this many seconds"),
    "count_lag_minutes": (0, int, "counts leave out records younger than this"),
    "callback_tries": (3, int, "tries to deliver a notification"),
    "callback_timeout": (5, float, "seconds to wait for the receiver of a notification"),
    "callback_pause": (1.0, float, "seconds before a second try; doubles"),
    "notify_own_writes": (True, bool, "API writes send notifications, too"),
    "credit_header": ("half", ("half", "always"), "when X-API-CREDITS-REMAINING is sent"),
    "retry_after": (False, bool, "429 carries Retry-After"),
    "daily_credits": (105_000, int, "credits in a rolling day"),
    "max_concurrency": (20, int, "calls at the same time"),
    "max_sub_concurrency": (10, int, "heavy calls at the same time"),
    "search_credits": (1, int, "credits of a search"),
    "deleted_credits": (1, int, "credits of a list of deleted records"),
    "restore_moves_modified": (True, bool, "a restored record gets a new Modified_Time"),
    "merge_touches_related": (False, bool, "records moved by a merge get a new Modified_Time"),
    "bulk_page_size": (200_000, int, "records in one bulk read job"),
    "bulk_seconds": (0.2, float, "how long a bulk read job takes at least"),
}


class Switches:
    def __init__(self, store):
        self._store = store
        self._values = {name: spec[0] for name, spec in SPEC.items()}
        self._values.update(json.loads(store.meta("switches") or "{}"))

    def __getitem__(self, name):
        return self._values[name]

    def all(self):
        return dict(self._values)

    def change(self, wanted):
        """Set the named switches; ValueError says what is wrong, and then nothing changes."""
        values = {name: _checked(name, value) for name, value in wanted.items()}
        self._values = {**self._values, **values}
        self._store.set_meta("switches", json.dumps(self._values))

    def reset(self):
        self._values = {name: spec[0] for name, spec in SPEC.items()}
        self._store.set_meta("switches", "{}")


def _checked(name, value):
    if name not in SPEC:
        raise ValueError(f"there is no switch {name!r}")
    allowed = SPEC[name][1]
    if isinstance(allowed, tuple):
        if str(value) not in allowed:
            raise ValueError(f"{name} is one of {', '.join(allowed)}")
        return str(value)
    if allowed is bool:
        if not isinstance(value, bool):
            raise ValueError(f"{name} is true or false")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is a number")
    return allowed(value)


def describe():
    return {
        name: {"default": spec[0], "values": _values_text(spec[1]), "decides": spec[2]}
        for name, spec in SPEC.items()
    }


def _values_text(allowed):
    return list(allowed) if isinstance(allowed, tuple) else allowed.__name__
