"""What a person asked for and cannot have; the sentence says why and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.sdk.errors import ConnectorError, SetupError, ThrottledError, TransientError
from mapping.errors import MappingError
from sync.gateway.vault import VaultError

__all__ = [
    "REFUSALS",
    "Explanation",
    "NotFoundError",
    "ServiceError",
    "SetupError",
    "TransientError",
    "explain",
]

_LOOK = "Check the address, the network and the service there, then try again. Nothing is lost."
_WAIT = "Wait a little, then try again. Nothing is lost."


class ServiceError(Exception):
    """A refusal. `code` names the sentence for translation, `facts` are its parts."""

    def __init__(self, message: str, *, code: str = "", hint: str = "", **facts: object) -> None:
        super().__init__(message)
        self.code, self.hint, self.facts = code, hint, facts


class NotFoundError(ServiceError):
    """There is no such thing."""


# All that a service function raises on purpose; anything else is a bug.
REFUSALS = (ServiceError, ConnectorError, MappingError, VaultError)


@dataclass(frozen=True, slots=True)
class Explanation:
    """An error as a person reads it: what is wrong, how to mend it, and what to translate by."""

    message: str
    hint: str = ""
    code: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def explain(error: Exception) -> Explanation:
    """The sentence of a refusal, its hint, and the code of the translation where it has one."""
    hint = str(getattr(error, "hint", "") or "")
    if isinstance(error, ServiceError):
        return Explanation(str(error), hint, error.code, error.facts)
    if isinstance(error, ThrottledError):
        return Explanation(str(error), hint or _WAIT, "throttled", {"reason": str(error)})
    if isinstance(error, TransientError):
        return Explanation(str(error), hint or _LOOK, "unreachable", {"reason": str(error)})
    code = str(getattr(error, "remote_code", "") or "")
    return Explanation(str(error), hint, "", {"remote_code": code} if code else {})
