"""What an `errorCode` asks for: the vendor answers HTTP 200 to everything.

Codes: https://developer.fxiaoke.com/openapi_v2 (start/guide/codes). The vendor reserves the right
to change messages, and some codes mean more than the table says, so only sets are told apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any

from connectors.sdk.errors import (
    AnswerLostError,
    RecordError,
    SetupError,
    ThrottledError,
    TokenDeadError,
    TransientError,
)

TOKEN_DEAD = frozenset({11014, 20005, 20016, 20017})  # the last is also "corpId not found"
TOO_FAST = frozenset({14001, 30004})
BUSY = frozenset({-1, 50009})
SYSTEM_ERROR = -2
DAY_USED_UP = 30002
PAUSE = 10.0  # seconds; the vendor counts 100 calls in 20 s and tells no rest
BEIJING = timezone(timedelta(hours=8))

_CONSOLE = "Check app ID, app secret and permanent code in the admin console."
_PACK = "Buy an Open API quota pack, or ask the vendor whether it has run out."
_APP = "Switch the self-built application on in the admin console, with developer mode."
_EMPLOYEE = "Check the acting employee and that the application may act for them."
_SETUP: Mapping[int, str] = {
    15003: _APP,
    20006: _CONSOLE,
    20012: _EMPLOYEE,
    20014: _EMPLOYEE,
    20015: _CONSOLE,
    20020: _APP,
    20021: _APP,
    20022: _APP,
    20023: _EMPLOYEE,
    30003: _PACK,
    10006: "Check the API address; the system knows no such call, or misses the app secret.",
    **dict.fromkeys([*range(10001, 10006), *range(10007, 10011), 10012, 10014], _CONSOLE),
    **dict.fromkeys([*range(11001, 11012), 11013, 11015], _CONSOLE),
}
_OF_THE_RECORD = frozenset({20012})  # in a change of owner it is the new owner that is unknown


class Kind(Enum):
    """What a call is for, which decides how it may fail."""

    GRANT = "grant"
    READ = "read"
    CHANGE = "change"  # safe to repeat: update, invalid, changeOwner
    CREATE = "create"  # never repeated without looking first

    @property
    def writes(self) -> bool:
        return self in {Kind.CHANGE, Kind.CREATE}


class SystemFaultError(RecordError):
    """Code -2: worth a second try, permanent after that."""


class TooFastError(ThrottledError):
    """More calls of one path than the system allows in 20 seconds."""


class DayUsedUpError(ThrottledError):
    """The day's calls are used up, those of every path."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The envelope of every reply."""

    code: int
    message: str
    trace: str
    body: Mapping[str, Any]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Answer":
        """Reads the envelope; a body without a whole `errorCode` is no answer of the API."""
        code = body.get("errorCode")
        if not isinstance(code, int) or isinstance(code, bool):
            raise AnswerLostError("纷享销客 answered without an errorCode.")
        said = (body.get("errorDescription"), body.get("errorMessage"))
        words = next((text for text in said if text and text != "success"), "no reason given")
        return cls(code, str(words)[:300], str(body.get("traceId") or "-"), body)

    @property
    def sentence(self) -> str:
        """What a person needs to ask the vendor's support."""
        return f"纷享销客 refused: {self.message} (code {self.code}, traceId {self.trace})"


def check(answer: Answer, kind: Kind, now: datetime) -> None:
    """Raises what the code asks for; returns on success."""
    if answer.code == 0:
        return
    if answer.code in TOO_FAST:
        raise TooFastError(answer.sentence, retry_after=PAUSE)
    if answer.code == DAY_USED_UP:
        raise DayUsedUpError(answer.sentence, retry_after=_until_midnight(now))
    if answer.code in BUSY:
        raise _busy(answer, kind)
    if answer.code in TOKEN_DEAD and kind is not Kind.GRANT:
        raise TokenDeadError(answer.sentence, hint=_CONSOLE, remote_code=str(answer.code))
    _refuse(answer, kind)


def _busy(answer: Answer, kind: Kind) -> TransientError:
    # 50009 is "service error, e.g. timeout": behind it a create may well have been carried out.
    if kind is Kind.CREATE:
        return AnswerLostError(answer.sentence)
    return TransientError(answer.sentence)


def _refuse(answer: Answer, kind: Kind) -> None:
    code = str(answer.code)
    if answer.code == SYSTEM_ERROR and not kind.writes:
        raise TransientError(answer.sentence)
    if kind is Kind.GRANT:
        hint = _CONSOLE if _names_a_secret(answer) else _SETUP.get(answer.code, _CONSOLE)
        raise SetupError(answer.sentence, hint=hint, remote_code=code)
    if answer.code == SYSTEM_ERROR:
        raise SystemFaultError(answer.sentence, remote_code=code)
    if answer.code in _SETUP and not (kind is Kind.CHANGE and answer.code in _OF_THE_RECORD):
        raise SetupError(answer.sentence, hint=_SETUP[answer.code], remote_code=code)
    if kind is Kind.READ:
        raise SetupError(
            answer.sentence,
            hint="Check that the object and its fields exist and that the employee may see them.",
            remote_code=code,
        )
    raise RecordError(answer.sentence, remote_code=code)


def _names_a_secret(answer: Answer) -> bool:
    """10006 means "no such call" as well as "appSecret is missing or wrong"; the words tell."""
    words = answer.message.casefold()
    return any(name in words for name in ("appid", "appsecret", "permanentcode"))


def _until_midnight(now: datetime) -> float:
    """The day's pack is filled again at midnight; that it is Beijing's is inferred."""
    here = now.astimezone(BEIJING)
    midnight = (here + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - here).total_seconds() + 1
