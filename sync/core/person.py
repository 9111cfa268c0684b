"""What an erased person would be recognised by, and which fields hold personal data."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sync.core.exact import normal_name

# What stays in a record that is masked: the business with the person, not the person.
IMPERSONAL = frozenset(
    {
        "kind",
        "number",
        "stage",
        "industry",
        "employees",
        "owner",  # the colleague who looks after the customer
        "payment_term",
        "credit_limit",
        "currency",
        "blocked",
        "language",
        "source",
        "parent",
        "customer",
        "mail_opt_out",
    }
)
NAMES = ("name", "contact_name")  # many systems insist on a name, so it is masked, not emptied
_ROLES = frozenset(  # mailboxes of a firm, not of a person
    {
        *("admin", "billing", "caigou", "contact", "hello", "help", "hr", "info", "kontakt"),
        *("mail", "marketing", "office", "order", "orders", "post", "procurement", "purchase"),
        *("sales", "service", "support", "webmaster", "xiaoshou"),
    }
)
_SHORTEST_PHONE = 7  # digits; less is an extension
_OWN_PHONES = ("mobile", "home")


@dataclass(frozen=True, slots=True)
class Trait:
    """One fact. What is not `alone` proves nothing by itself: a switchboard, a role mailbox."""

    kind: str
    value: str
    alone: bool

    @property
    def text(self) -> str:
        """As it is hashed."""
        return f"{self.kind}:{self.value}"


def is_personal(path: str) -> bool:
    """Whether a canonical path holds data of a person or firm that asked to be forgotten."""
    return path not in IMPERSONAL


def traits(entity: str, values: Mapping[str, Any]) -> Iterator[Trait]:
    """Mail addresses, phone numbers and identifiers, each in one form."""
    for path, value in values.items():
        head, _, rest = path.partition("[")
        key = rest.rstrip("]")
        if not value:
            continue
        if head == "emails":
            address = str(value).casefold().strip()
            yield Trait("mail", address, address.partition("@")[0] not in _ROLES)
        elif head == "phones" and key != "fax":
            digits = _digits(str(value))
            if len(digits) >= _SHORTEST_PHONE:
                own = entity != "contact" or key in _OWN_PHONES
                yield Trait("phone", digits, own)
        elif head == "identifiers":
            yield Trait("identifier", f"{key}:{str(value).casefold()}", alone=True)


def asked_by(entity: str, values: Mapping[str, Any]) -> set[str]:
    """Every text under which an erased person may be listed who comes with these values."""
    facts = {trait.text for trait in traits(entity, values)}
    named = with_name(entity, values)
    # The same name at the same customer speaks only where nothing else is told.
    return facts | {text for text in named if not (facts and text.startswith("at:"))}


def with_name(entity: str, values: Mapping[str, Any]) -> Iterator[str]:
    """The facts that count only together with the name."""
    names = {normal_name(values.get(path)) for path in (*NAMES, "legal_name")} - {""}
    facts = [trait.text for trait in traits(entity, values) if trait.kind != "identifier"]
    born, parent = values.get("birth_date"), values.get("customer")
    if born:
        facts.append(f"born:{born}")
    if parent:
        facts.append(f"at:{parent}")
    for name in sorted(names):
        for fact in facts:
            yield f"{fact}+{name}"


def remote(system: str, object_name: str, remote_id: str) -> str:
    """A remote record, as it is hashed."""
    return f"remote:{system}:{object_name}:{remote_id}"


def hub_key(golden_id: str) -> str:
    """A golden record, and every remote record that carries its key."""
    return f"hub:{golden_id.partition('-')[0]}"


def masked(paths: Iterable[str], label: str) -> dict[str, Any]:
    """What personal paths hold after a mask."""
    return {path: label if path in NAMES else None for path in paths if is_personal(path)}


def label_of(erasure_id: str) -> str:
    """The name that a masked record carries."""
    return f"Erased {erasure_id[-6:].upper()}"


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number.split(";", 1)[0])
