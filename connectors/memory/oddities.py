"""The switches: how this world differs from a polite one, and what goes wrong next."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from connectors.memory.shapes import PHONES

TroubleKind = Literal[
    "unreachable",  # the call is not made
    "throttled",  # refused, with a time to wait
    "unavailable",  # an answer that says nothing about the work, which was not done
    "lost",  # the work is done, the answer gets lost
    "unauthorised",  # the credentials do not count for this call
    "forbidden",  # a right is missing
]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Oddities(_Frozen):
    """Defaults are a well-behaved system. `field` names below are native names."""

    cut: Mapping[str, int] = {}  # field -> the length that it is cut to, silently
    cut_in: Literal["characters", "bytes"] = "characters"
    phones: Literal["kept", "digits", "national"] = "kept"  # how phone fields are stored
    whole_seconds: bool = False  # modified times without fractions
    clock_offset: float = 0.0  # seconds that this world's clock runs ahead
    conditional: bool = True  # refuses a write whose version is stale
    terse: bool = False  # answers a write without the record; the next listing has it
    unique_key: bool = False  # creating a hub key again changes the record that has it
    lists_deletes: bool = True  # listings of changes name what was deleted
    merge_redirects: bool = True  # a merged record tells who won
    search_lag: float = 0.0  # seconds that search by hub key is behind
    read_only: bool = False  # the integration user may not write
    gone: frozenset[str] = frozenset()  # "customers.industry": an administrator removed it
    mandatory: frozenset[str] = frozenset()  # made so later, by an administrator
    lengths: Mapping[str, int] = {}  # "customers.name" -> the longest value it takes now
    choices: Mapping[str, tuple[str, ...]] = {}  # "customers.industry" -> all it accepts
    rules: Mapping[str, tuple[str, ...]] = {}  # values that it refuses and no description tells
    webhooks: Literal["once", "silent", "twice", "reversed"] = "once"


class Trouble(_Frozen):
    """The next `calls` calls go wrong; `only` narrows it to reads or to writes.

    `after` lets a batch do that many records first, and tells of them.
    """

    kind: TroubleKind
    calls: int = Field(1, ge=1)
    only: Literal["read", "write"] | None = None
    after: int = 0
    retry_after: float = 30.0


def as_stored(oddities: Oddities, values: Mapping[str, Any]) -> dict[str, Any]:
    """What this world makes of the values that it was given."""
    return {name: _stored(oddities, name, value) for name, value in values.items()}


def _stored(oddities: Oddities, name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if name in PHONES:
        value = _phone(oddities, value)
    length = oddities.cut.get(name)
    if length is None:
        return value
    if oddities.cut_in == "characters":
        return value[:length]
    return value.encode()[:length].decode(errors="ignore")


def _phone(oddities: Oddities, value: str) -> str:
    if oddities.phones == "digits":
        return "".join(sign for sign in value if sign.isdigit())
    if oddities.phones == "national":
        return value.removeprefix("+86").strip()
    return value
