"""Recorded HTTP exchanges: played back in order, checked against the request, free of secrets.

A cassette is a YAML file of calls. What is kept of a request is its method, address and body, of
an answer its status, body and the headers that matter; credentials travel in headers, which are
not kept, and in bodies, where `hide` puts the word `hidden` in their place.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import requests
import responses
import yaml
from requests.adapters import HTTPAdapter
from responses.registries import OrderedRegistry

KEPT_HEADERS = ("Content-Type", "Date", "Retry-After")
BASE = "http://recorded.invalid"  # stands for the address of the system that was recorded
_CREDENTIAL = re.compile(
    r"(?i)\b(?:bearer|basic|session|zoho-oauthtoken) [a-z0-9+/=._-]{16,}"
    r'|"(?:password|\w*token|\w*secret|permanentcode)": ?"(?!hidden")[^"]{6,}"'
)
Hide = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Call:
    """One request with its answer."""

    method: str
    path: str
    request: str
    status: int
    answer: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Cassette:
    """The calls of one test, in order."""

    calls: list[Call] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path) -> "Cassette":
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return cls([Call(**call) for call in content["calls"]])

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"calls": [asdict(call) for call in self.calls]}
        text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=10_000)
        path.write_text(text, encoding="utf-8")


@contextmanager
def recording(path: Path, base: str, hide: Hide) -> Iterator[None]:
    """Real calls to `base`, kept in a cassette when the block ends well; none, none kept."""
    cassette = Cassette()
    send = HTTPAdapter.send

    def keep(self: HTTPAdapter, request: requests.PreparedRequest, **kwargs: Any) -> Any:
        answer = send(self, request, **kwargs)
        if str(request.url).startswith(base):
            cassette.calls.append(_call(request, answer, base, hide))
        return answer

    with patch.object(HTTPAdapter, "send", keep):
        yield
    if cassette.calls:
        cassette.save(path)


@contextmanager
def replaying(path: Path, hide: Hide, base: str = BASE) -> Iterator[None]:
    """Plays a cassette to callers of `base`; each call must come, in order, as recorded."""
    calls = Cassette.load(path).calls
    played: list[Call] = []
    # What responses itself asserts at the end would hide an error of the block.
    with responses.RequestsMock(
        registry=OrderedRegistry, assert_all_requests_are_fired=False
    ) as mock:
        for call in calls:
            mock.add_callback(
                call.method,
                base + call.path,
                callback=_player(call, hide, played),
                content_type=call.headers.get("Content-Type", "application/json"),
            )
        yield
    left = [f"{call.method} {call.path} {call.request}" for call in calls[len(played) :]]
    assert not left, f"recorded, but not asked for: {left[0]}: record the cassette again"


def secrets_in(text: str, known: Sequence[str]) -> list[str]:
    """Known secrets, and anything that looks like a credential, in the text of a cassette."""
    found = [secret for secret in known if secret and secret in text]
    return found + [match.group(0) for match in _CREDENTIAL.finditer(text)]


def _call(
    request: requests.PreparedRequest, answer: requests.Response, base: str, hide: Hide
) -> Call:
    headers = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
    return Call(
        str(request.method),
        hide(str(request.url).removeprefix(base)),
        hide(_text(request.body)),
        answer.status_code,
        hide(answer.text),
        headers,
    )


def _player(
    call: Call, hide: Hide, played: list[Call]
) -> Callable[[requests.PreparedRequest], Any]:
    def play(request: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        played.append(call)
        asked = hide(_text(request.body))
        assert _readable(asked) == _readable(call.request), (
            f"recorded was {call.request}, asked is {asked}: record the cassette again"
        )
        return (
            call.status,
            {n: v for n, v in call.headers.items() if n != "Content-Type"},
            (call.answer.encode()),
        )

    return play


def _text(body: bytes | str | None) -> str:
    return body.decode() if isinstance(body, bytes) else body or ""


def _readable(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body
