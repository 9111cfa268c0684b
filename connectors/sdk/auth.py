"""Calls with an access token: taken from the shared store, renewed once when it is dead."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from connectors.sdk.errors import TokenDeadError
from connectors.sdk.http import Token, TokenStore

T = TypeVar("T")
MARGIN = 60.0  # seconds before its end at which a token counts as dead


def with_token(tokens: TokenStore, grant: Callable[[], Token], call: Callable[[Token], T]) -> T:
    """`call` with a living token.

    `call` raises TokenDeadError where the system does not take the token: it is renewed, once
    for all workers, and the call is made again. A second refusal passes through, as the
    SetupError that it then is. `call` must not have done anything when it raises.
    """
    token = tokens.current() or tokens.renew(None, grant)
    try:
        return call(token)
    except TokenDeadError:
        return call(tokens.renew(token, grant))


def lasting(value: str, seconds: float, now: datetime, **extra: str) -> Token:
    """A token that lives `seconds` from now, given up a little before its end."""
    margin = min(MARGIN, seconds / 10)
    return Token(value, now.timestamp() + seconds - margin, extra)
