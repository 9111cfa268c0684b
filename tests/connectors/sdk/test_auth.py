"""Tokens are granted once for all, renewed once when dead, and given up in time."""

import threading
from datetime import UTC, datetime

import pytest

from connectors.sdk.auth import lasting, with_token
from connectors.sdk.errors import SetupError, TokenDeadError
from connectors.sdk.http import Token
from connectors.testing.plain import PlainTokens

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Grants:
    def __init__(self):
        self.given = 0

    def __call__(self) -> Token:
        self.given += 1
        return Token(f"t{self.given}", 2e10, {})


def refusing(*dead):
    def call(token):
        if token.value in dead:
            raise TokenDeadError("The token is dead.")
        return token.value

    return call


def test_a_token_is_granted_once_and_kept():
    tokens, grants = PlainTokens(), Grants()
    assert [with_token(tokens, grants, refusing()) for _ in range(3)] == ["t1"] * 3
    assert grants.given == 1


def test_a_dead_token_is_renewed_once():
    tokens, grants = PlainTokens(), Grants()
    with_token(tokens, grants, refusing())
    assert with_token(tokens, grants, refusing("t1")) == "t2"
    assert grants.given == 2


def test_a_second_refusal_is_a_matter_of_the_set_up():
    tokens, grants = PlainTokens(), Grants()
    with pytest.raises(SetupError):
        with_token(tokens, grants, refusing("t1", "t2"))
    assert grants.given == 2


def test_a_dead_token_that_another_worker_left_is_no_matter_of_the_set_up():
    ours, theirs, grants = PlainTokens(), PlainTokens(), Grants()
    with_token(ours, grants, refusing())  # t1, kept in this process
    with_token(theirs, grants, refusing())  # t2, granted to another worker since
    both = Stored(ours.current(), theirs)
    assert with_token(both, grants, refusing("t1", "t2")) == "t3"


class Stored:
    """A process that remembers one token, while the shared store holds another."""

    def __init__(self, remembered, shared):
        self.remembered, self.shared = remembered, shared

    def current(self):
        return self.remembered

    def renew(self, stale, grant):
        return self.shared.renew(stale, grant)


def test_many_threads_share_one_renewal():
    tokens, grants = PlainTokens(), Grants()
    with_token(tokens, grants, refusing())
    barrier, found = threading.Barrier(8), []

    def call(token):
        if token.value == "t1":
            barrier.wait(5)
            raise TokenDeadError("The token is dead.")
        return token.value

    threads = [
        threading.Thread(target=lambda: found.append(with_token(tokens, grants, call)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["t2"] * 8
    assert grants.given == 2


def test_a_token_is_given_up_before_its_end():
    assert lasting("v", 3600, NOW).expires_at == NOW.timestamp() + 3540
    assert lasting("v", 60, NOW).expires_at == NOW.timestamp() + 54
    assert lasting("v", 60, NOW, domain="x").extra == {"domain": "x"}


def test_an_expired_token_is_not_current():
    at = [NOW.timestamp()]
    tokens = PlainTokens(lambda: at[0])
    tokens.renew(None, lambda: lasting("v", 600, NOW))
    assert tokens.current()
    at[0] += 541
    assert tokens.current() is None
