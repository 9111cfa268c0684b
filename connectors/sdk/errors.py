"""Errors of a connector, by what has to happen next."""


class ConnectorError(Exception):
    """Anything a connector raises on purpose. The message is a sentence for a person."""


class TransientError(ConnectorError):
    """Try later: network, 429, 5xx, lock. `retry_after` is seconds, None where unknown."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SetupError(ConnectorError):
    """Somebody has to mend the set-up: credentials, rights, a field that is gone.

    `hint` says how, `remote_code` is the system's own code for support.
    """

    def __init__(self, message: str, *, hint: str = "", remote_code: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.remote_code = remote_code


class TokenDeadError(SetupError):
    """The system does not take this access token. `sdk.auth.with_token` renews it."""


class RecordError(ConnectorError):
    """The system refuses this record, not its neighbours. `field` is the native field."""

    def __init__(self, message: str, *, field: str | None = None, remote_code: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.remote_code = remote_code


class GoneError(RecordError):
    """The record to change is not there. `fetch` tells whether it was merged into another."""


class ChangedError(ConnectorError):
    """The record moved since `if_version`; nothing was written. Read it again first."""


class DeliveryRejected(ConnectorError):  # noqa: N818  the name says the refusal
    """An inbound request that is not proven to come from the system, or is too old."""


class ThrottledError(TransientError):
    """The system, or our own quota, allows no more calls now; this one was not made."""


class AnswerLostError(TransientError):
    """The request may have been carried out: its answer never came, or was a 5xx."""
