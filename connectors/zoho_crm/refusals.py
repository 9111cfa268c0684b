"""What Zoho's refusals mean: its codes become our error classes, with a sentence for a person.

Codes: https://www.zoho.com/crm/developer/docs/api/v8/status-codes.html
"""

from collections.abc import Mapping
from typing import Any

from connectors.sdk.errors import (
    AnswerLostError,
    ChangedError,
    ConnectorError,
    GoneError,
    RecordError,
    SetupError,
    ThrottledError,
    TokenDeadError,
    TransientError,
)

TOKEN_BLOCK = 600.0  # Zoho blocks a refresh token for the rest of a ten-minute window, or longer
RECORD_BLOCK = 300.0  # a lock, an approval, a blueprint: a person is at work on the record
_LATER = frozenset(
    {"RECORD_LOCKED", "NOT_APPROVED", "RECORD_IN_BLUEPRINT", "ALREADY_SCHEDULED", "ALREADY_USED"}
)
_BROKEN = frozenset({"DEPENDENT_SERVICE_ERROR", "INTERNAL_ERROR", "INTERNAL_SERVER_ERROR"})
_THROTTLED = frozenset({"TOO_MANY_REQUESTS", "RATE_LIMIT_EXCEEDED"})
DUPLICATES = frozenset({"DUPLICATE_DATA", "MULTIPLE_OR_MULTI_ERRORS"})

_TOKEN: Mapping[str, tuple[str, str]] = {
    "invalid_client": (
        "Zoho does not know this client ID in data centre {centre}.",
        (
            "Copy the client ID from the API console of the data centre chosen here; the other "
            "data centres do not know it."
        ),
    ),
    "invalid_client_secret": (
        "Zoho knows the client ID, but the client secret is wrong.",
        "Copy the client secret again from the API console.",
    ),
    "invalid_code": (
        (
            "Zoho does not accept the refresh token: it is wrong, was revoked, or belongs to "
            "another client or data centre."
        ),
        "Generate a new code in the API console and exchange it for a new refresh token.",
    ),
}
_CALL: Mapping[str, tuple[str, str]] = {
    "OAUTH_SCOPE_MISMATCH": (
        "The refresh token was not granted the right for this call.",
        (
            "Generate a new refresh token with these scopes: "  # the same list as in the README
            "ZohoCRM.modules.ALL,ZohoCRM.settings.fields.READ,ZohoCRM.settings.layouts.READ,"
            "ZohoCRM.coql.READ,ZohoCRM.bulk.ALL,ZohoCRM.notifications.ALL,ZohoCRM.org.READ,"
            "ZohoCRM.users.READ,ZohoSearch.securesearch.READ"
        ),
    ),
    "NO_PERMISSION": (
        "The Zoho user behind the refresh token may not do this.",
        "Give the user's profile in Zoho the permission on this module.",
    ),
    "INVALID_MODULE": (
        "This Zoho organisation has no such module.",
        (
            "Check that the edition has the module; for Sales Orders and Invoices switch off "
            "'Orders and invoices' in the settings."
        ),
    ),
    "INVALID_HOST": (
        "The address of the API belongs to no Zoho data centre.",
        "Empty the API URL in the settings, so that the address from the token is used.",
    ),
    "INVALID_URL_PATTERN": (
        "The address of the API is not that of Zoho CRM v8.",
        "Check the API URL in the settings.",
    ),
}


class CallRefusedError(SetupError):
    """Zoho refused the whole call; nothing was done. `details` are Zoho's own."""

    def __init__(self, message: str, *, hint: str, code: str, details: Mapping[str, Any]) -> None:
        super().__init__(message, hint=hint, remote_code=code)
        self.details = details


def token_refusal(body: Mapping[str, Any], centre: str) -> ConnectorError:
    """Why no token was granted; such answers come with status 200 as well as 400."""
    code = str(body.get("error", ""))
    if code.lower() == "access denied":
        return ThrottledError(
            "Zoho grants this refresh token no more access tokens for some minutes.",
            retry_after=TOKEN_BLOCK,
        )
    known = ("Zoho refuses to grant an access token: {code}.", "Check the settings of the system.")
    sentence, hint = _TOKEN.get(code, known)
    return SetupError(
        sentence.format(centre=centre, code=code or "no reason given"), hint=hint, remote_code=code
    )


def call_refusal(status: int, body: Mapping[str, Any], *, write: bool) -> ConnectorError:
    """Why a whole call was refused."""
    code, words = str(body.get("code", "")), str(body.get("message", ""))
    if status == 401 and code in {"INVALID_TOKEN", ""}:
        return TokenDeadError(
            "Zoho does not accept an access token that it has just granted.",
            hint="The API URL probably belongs to another data centre than the refresh token.",
            remote_code=code,
        )
    if code in _THROTTLED:
        return ThrottledError("Zoho allows no more calls now.", retry_after=60.0)
    if status >= 500 or code in _BROKEN:
        kind = AnswerLostError if write else TransientError
        return kind(f"Zoho is out of order: it answered {status} {code}".rstrip() + ".")
    if status in {409, 423, 425}:
        return TransientError(f"Zoho asks to come back later ({status} {code}).")
    details = body.get("details")
    unknown = (f"Zoho refused the call ({f'{code or status} {words}'.strip()}).", "")
    sentence, hint = _CALL.get(code, unknown)
    return CallRefusedError(
        f"{sentence}{_subject(details)}",
        hint=hint,
        code=code or str(status),
        details=details if isinstance(details, Mapping) else {},
    )


def record_refusal(item: Mapping[str, Any]) -> ConnectorError:
    """Why one record of a batch was refused; its neighbours are not concerned."""
    code = str(item.get("code", ""))
    given = item.get("details")
    details: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    words = str(item.get("message") or code)
    if code in _LATER:
        return TransientError(
            f"Zoho holds the record back for now ({code}: {words}).", retry_after=RECORD_BLOCK
        )
    if code in _THROTTLED:
        return ThrottledError("Zoho allows no more calls now.", retry_after=60.0)
    if code in _BROKEN:
        return AnswerLostError(f"Zoho failed on this record ({code}).", retry_after=30.0)
    if code in {"CONVERTED_RECORD", "ID_ALREADY_CONVERTED", "ALREADY_MODIFIED"}:
        return ChangedError(f"The record changed in Zoho meanwhile: {words}.")
    field = _field(details)
    if code == "INVALID_DATA" and _names_record(details, words):
        return GoneError("Zoho has no record with this id.", field="id", remote_code=code)
    return RecordError(_sentence(code, words, field, details), field=field, remote_code=code)


def _names_record(details: Mapping[str, Any], words: str) -> bool:
    """True where the id of the record itself is meant, not that of a lookup."""
    if "related id" in words or details.get("api_name") not in {None, "id"}:
        return False
    return "id given seems" in words or "not deleted" in words or "id" in details


def _field(details: Mapping[str, Any]) -> str | None:
    """The API name that a refusal points at, by name or by its place in the request."""
    name = details.get("api_name")
    if name:
        return str(name)
    expected = details.get("expected_fields")
    if isinstance(expected, list) and expected and isinstance(expected[0], Mapping):
        return str(expected[0].get("api_name") or "") or None
    path = str(details.get("json_path") or "")
    return path.rsplit("].", 1)[1] if "]." in path else None


def _sentence(code: str, words: str, field: str | None, details: Mapping[str, Any]) -> str:
    name = field or "a field"
    if code == "MANDATORY_NOT_FOUND":
        return f"Zoho requires {name}, and the record has no value for it."
    if code == "NO_PERMISSION":
        return "The Zoho user behind the refresh token may not write this record."
    if code in DUPLICATES:
        holder = details.get("id") or _holder(details)
        which = f" (record {holder})" if holder else ""
        return f"Another record in Zoho{which} already has this value of the unique field {name}."
    if code == "INVALID_DATA":
        return _wrong_value(name, words, details)
    about = f" ({field})" if field else ""
    return f"Zoho refuses the record{about}: {code} {words}."


def _wrong_value(name: str, words: str, details: Mapping[str, Any]) -> str:
    if "maximum_length" in details:
        return f"{name} is longer than the {details['maximum_length']} characters Zoho allows."
    if "related id" in words:
        return f"{name} points to a record that Zoho does not have."
    if "expected_data_type" in details:
        return f"{name} must be of type {details['expected_data_type']} in Zoho."
    return f"Zoho does not accept the value of {name}: {words}."


def _holder(details: Mapping[str, Any]) -> Any:
    twin = details.get("duplicate_record")
    return twin.get("id") if isinstance(twin, Mapping) else None


def _subject(details: Any) -> str:
    """What a refusal of a whole call points at, where it says so."""
    if not isinstance(details, Mapping):
        return ""
    keys = ("api_name", "param_name", "column_name", "clause", "module", "permissions", "reason")
    named = [f"{key} {details[key]}" for key in keys if isinstance(details.get(key), str | list)]
    return f" (It names {', '.join(named)}.)" if named else ""
