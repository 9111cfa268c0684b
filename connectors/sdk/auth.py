"""Calls with an access token: taken from the shared store, renewed once when it is dead."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from connectors.sdk.errors import TokenDeadError
from connectors.sdk.http import Token, TokenStore

T = TypeVar("T")
_RENEWALS = 4  # more dead tokens of other workers than that are no accident
MARGIN = 60.0  # seconds before its end at which a token counts as dead


def with_token(tokens: TokenStore, grant: Callable[[], Token], call: Callable[[Token], T]) -> T:
    """`call` with a living token.

    `call` raises TokenDeadError where the system does not take the token: it is renewed, once
    for all workers, and the call is made again. What another worker has left in the store may be
    dead as well, so a refusal says something about the set-up only where the token was granted
    here and now, twice; then it passes through, as the SetupError that it is. `call` must not
    have done anything when it raises.
    """
    granted: list[Token] = []

    def grant_now() -> Token:
        granted.append(grant())
        return granted[-1]

    token = tokens.current() or tokens.renew(None, grant_now)
    for _ in range(_RENEWALS):
        try:
            return call(token)
        except TokenDeadError:
            if len(granted) > 1:
                raise
            token = tokens.renew(token, grant_now)
    return call(token)


def lasting(value: str, seconds: float, now: datetime, **extra: str) -> Token:
    """A token that lives `seconds` from now, given up a little before its end."""
    margin = min(MARGIN, seconds / 10)
    return Token(value, now.timestamp() + seconds - margin, extra)
