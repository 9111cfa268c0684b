"""What the API can refuse with. Every refusal is HTTP 200 with an `errorCode`."""

from typing import Any

UNKNOWN_PATH = 10006
PARAMETER_MISSING = 10010
EMPTY_BODY = 12004
CALL_LIMIT = 14001
ACTOR_UNKNOWN = 20012
TOKEN_DEAD = 20016
TENANT_UNKNOWN = 20017
APP_DISABLED = 20021
NOT_AUTHORISED = 20022
QUOTA_USED_UP = 30002
NO_QUOTA = 30003
TOO_FAST = 30004
DEPARTMENT_UNKNOWN = 30007
EMPLOYEE_UNKNOWN = 30027
PARAMETER_WRONG = 32000
OFFSET_TOO_LARGE = 10013


class ApiError(Exception):
    """A refusal with a code of the vendor's published table."""

    def __init__(self, code: int, message: str, description: str = "", **extra: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.description = description or message
        self.extra = extra


class Refused(ApiError):
    """A business refusal; the vendor publishes no code for these, so a switch sets it."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(0, message)
        self.field = field


class BadShape(ApiError):
    """A body of the wrong form, which the vendor answers with a bare Java exception."""

    def __init__(self, message: str = "java.lang.NullPointerException") -> None:
        super().__init__(-2, message)


class AdminError(Exception):
    """A wrong admin call; answered with a real HTTP status because it is not the vendor's API."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
