"""Exact evidence inside one customer: which contact is which."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["link", "candidate", "different"]
SHORTEST_PHONE = 7  # digits


@dataclass(frozen=True, slots=True)
class Evidence:
    """How two records compare; `weights` are named and sum up to the score."""

    verdict: Verdict
    weights: tuple[tuple[str, float], ...]

    @property
    def score(self) -> float:
        return sum(weight for _, weight in self.weights)

    @property
    def reason(self) -> str:
        """What speaks for it, in words."""
        return ", ".join(name for name, weight in self.weights if weight > 0)


def keys(entity: str, values: Mapping[str, Any]) -> list[tuple[str, int]]:
    """(family, 64-bit key) of a contact; equal keys put records side by side."""
    scope = str(values.get("customer") or "")
    found = {(family, _hash(entity, scope, family, value)) for family, value in _facts(values)}
    return sorted(found)


def compare(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Evidence:
    """Whether two contacts of one customer are the same person.

    The same name is enough unless nothing else that both have agrees.
    """
    same_name = normal_name(ours.get("name")) == normal_name(theirs.get("name")) != ""
    weights = [("name", 6.0) if same_name else ("name differs", -4.0)]
    differs = agrees = False
    for name, bits, mine, other in (
        ("mail", 8.0, _mails(ours), _mails(theirs)),
        ("phone", 7.0, _phones(ours), _phones(theirs)),
    ):
        if mine & other:
            weights.append((name, bits))
            agrees = True
        elif mine and other:
            weights.append((f"{name} differs", -2.0))
            differs = True
    return Evidence(_verdict(same_name, agrees, differs), tuple(weights))


def _verdict(same_name: bool, agrees: bool, differs: bool) -> Verdict:  # noqa: FBT001
    if same_name:
        return "link" if agrees or not differs else "candidate"
    return "candidate" if agrees and not differs else "different"


def normal_name(name: Any) -> str:
    """A name without width, case, blanks and punctuation."""
    if not name:
        return ""
    text = unicodedata.normalize("NFKC", str(name)).casefold()
    return re.sub(r"[\W_]+", "", text)


def _facts(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for mail in _mails(values):
        yield "mail", mail
    for phone in _phones(values):
        yield "phone", phone
    name = normal_name(values.get("name"))
    if name:
        yield "name", name


def _mails(values: Mapping[str, Any]) -> set[str]:
    return {str(v).casefold() for p, v in values.items() if p.startswith("emails[") and v}


def _phones(values: Mapping[str, Any]) -> set[str]:
    numbers = {str(v) for p, v in values.items() if p.startswith("phones[") and v}
    digits = {re.sub(r"\D", "", number.split(";", 1)[0]) for number in numbers}
    return {number for number in digits if len(number) >= SHORTEST_PHONE}


def _hash(*parts: str) -> int:
    text = "\x1f".join(parts).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), signed=True)
