"""Exact evidence: hard identifiers, and equal mail or phone together with the name."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["link", "candidate", "different"]
_FORMS = re.compile(
    r"(有限责任公司|股份有限公司|有限公司|集团|公司"
    r"|\b(co|ltd|inc|llc|corp|company|limited|gmbh|ag|sa|sarl|bv|plc|pte|kg|ug)\b\.?)",
    re.IGNORECASE,
)
_ROLES = frozenset(
    {"info", "sales", "contact", "service", "support", "admin", "office", "hello", "mail"}
    | {"kefu", "xiaoshou", "billing", "hr"}
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """How two records compare; `weights` are named and sum up to the score."""

    verdict: Verdict
    weights: tuple[tuple[str, float], ...]

    @property
    def score(self) -> float:
        return sum(weight for _, weight in self.weights)


def keys(entity: str, values: Mapping[str, Any]) -> list[tuple[str, int]]:
    """(family, 64-bit key) of a record; equal keys put records side by side."""
    scope = str(values.get("customer") or "") if entity == "contact" else ""
    found = {(family, _hash(entity, scope, family, value)) for family, value in _facts(values)}
    return sorted(found)


def compare(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Evidence:
    """Whether two records of one entity are the same customer or contact."""
    mine, other = _identifiers(ours), _identifiers(theirs)
    shared = [kind for kind in mine if kind in other]
    if any(mine[kind] != other[kind] for kind in shared):
        return Evidence("different", (("identifier differs", -40.0),))
    weights = [("identifier", 20.0)] if shared else []
    same_name = normal_name(ours.get("name")) == normal_name(theirs.get("name")) != ""
    weights.append(("name", 6.0) if same_name else ("name differs", -4.0))
    if _mails(ours) & _mails(theirs):
        weights.append(("mail", 8.0))
    if _phones(ours) & _phones(theirs):
        weights.append(("phone", 7.0))
    return Evidence(_verdict(dict(weights), same_name=same_name), tuple(weights))


def _verdict(weights: Mapping[str, float], *, same_name: bool) -> Verdict:
    if "identifier" in weights:
        return "link"
    reached = "mail" in weights or "phone" in weights
    if reached and same_name:
        return "link"
    both = "mail" in weights and "phone" in weights
    return "candidate" if both or same_name else "different"


def normal_name(name: Any) -> str:
    """A name without width, case, blanks, punctuation and legal form."""
    if not name:
        return ""
    text = unicodedata.normalize("NFKC", str(name)).casefold()
    bare = re.sub(r"[\W_]+", "", _FORMS.sub(" ", text))
    return bare or re.sub(r"[\W_]+", "", text)


def _facts(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for kind, value in _identifiers(values).items():
        yield "identifier", f"{kind}={value}"
    for mail in _mails(values):
        yield "mail", mail
    for phone in _phones(values):
        yield "phone", phone
    name = normal_name(values.get("name"))
    if name:
        yield "name", name


def _identifiers(values: Mapping[str, Any]) -> dict[str, str]:
    return {
        path[12:-1]: re.sub(r"[\s.-]", "", str(value)).upper()
        for path, value in values.items()
        if path.startswith("identifiers[") and value
    }


def _mails(values: Mapping[str, Any]) -> set[str]:
    mails = {str(v).casefold() for p, v in values.items() if p.startswith("emails[") and v}
    return {mail for mail in mails if mail.split("@", 1)[0] not in _ROLES}


def _phones(values: Mapping[str, Any]) -> set[str]:
    numbers = {str(v) for p, v in values.items() if p.startswith("phones[") and v}
    digits = {re.sub(r"\D", "", number.split(";", 1)[0]) for number in numbers}
    return {number for number in digits if len(number) >= 7}


def _hash(*parts: str) -> int:
    text = "\x1f".join(parts).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), signed=True)
