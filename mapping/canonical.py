"""The canonical model: which paths a golden record may hold, and what their values are.

Records travel as flat mappings (`mapping.paths`) of JSON-safe values, in one normal form per
kind so that equal facts are equal values. The models below are the same facts as typed values,
for validation, for the API and for people who read code. Normal forms:

- text is NFC, trimmed, never empty; phones are E.164 where they can be read as a number, with
  `;ext=` for an extension (RFC 3966); mails are lower-cased in the domain part
- countries are ISO 3166-1 alpha-2, regions plain names, languages BCP 47, currencies ISO 4217
- money and quantities are plain decimal strings in major units without trailing zeros ("12.5")
- dates are ISO 8601 strings, moments too, in UTC with `+00:00` and without fractions they lack
- sets are sorted lists without repeats, lines are lists of objects with the members of `Line`
- identifiers are keyed `<country>:<kind>` in lower case: `cn:uscc`, `de:vat`, `us:ein`, `duns`
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict

from mapping.paths import CANONICAL, shape

Entity = Literal["customer", "contact", "order", "invoice", "payment"]
ENTITIES: tuple[str, ...] = get_args(Entity)
FACTS: frozenset[str] = frozenset({"order", "invoice", "payment"})  # owned by one system
PARENTS: Mapping[str, tuple[str, ...]] = {  # paths that refer to another golden record
    "contact": ("customer",),
    "order": ("customer",),
    "invoice": ("customer", "order"),
    "payment": ("customer", "order", "invoice"),
}
REFERENCES: Mapping[str, Entity] = {
    "customer": "customer",
    "parent": "customer",
    "order": "order",
    "invoice": "invoice",
}
Stage = Literal["lead", "prospect", "customer", "former"]
STAGES: tuple[str, ...] = get_args(Stage)  # in the order of the life cycle
Kind = Literal["text", "decimal", "boolean", "date", "datetime", "set", "lines", "reference"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Address(_Frozen):
    """A postal address; `street` may hold several lines, separated by newlines."""

    street: str | None = None
    district: str | None = None
    city: str | None = None
    region: str | None = None
    postcode: str | None = None
    country: str | None = None


class Line(_Frozen):
    """One line of an order or invoice; `amount` excludes tax."""

    product_code: str | None = None
    description: str | None = None
    quantity: Decimal
    unit: str | None = None
    unit_price: Decimal
    amount: Decimal


class Customer(_Frozen):
    """An organisation or a person that buys, may buy or has bought."""

    kind: Literal["organisation", "person"] | None = None
    number: str | None = None  # the ERP's customer number
    name: str | None = None
    legal_name: str | None = None
    contact_name: str | None = None  # the person behind a lead
    job_title: str | None = None  # of that person
    stage: Stage | None = None
    industry: str | None = None
    employees: Decimal | None = None
    website: str | None = None
    phones: dict[str, str] = {}  # work, mobile, home, fax, other
    emails: dict[str, str] = {}  # work, other
    addresses: dict[str, Address] = {}  # billing, shipping, ...
    identifiers: dict[str, str] = {}
    owner: str | None = None  # mail address of the user who looks after the customer
    tags: list[str] = []
    payment_term: str | None = None
    credit_limit: Decimal | None = None
    currency: str | None = None
    blocked: bool | None = None
    language: str | None = None
    source: str | None = None  # where the customer came from
    parent: str | None = None  # golden id of the parent customer
    notes: str | None = None
    custom: dict[str, str] = {}


class Contact(_Frozen):
    """A person at a customer."""

    customer: str | None = None
    name: str | None = None  # whole; systems that split it do so in their mapping
    salutation: str | None = None
    job_title: str | None = None
    department: str | None = None
    role: str | None = None  # decision maker, buyer, billing, ...
    phones: dict[str, str] = {}
    emails: dict[str, str] = {}
    addresses: dict[str, Address] = {}
    birth_date: date | None = None
    owner: str | None = None
    tags: list[str] = []
    language: str | None = None
    mail_opt_out: bool | None = None
    notes: str | None = None
    custom: dict[str, str] = {}


class Order(_Frozen):
    """A sales order as its owner holds it; amounts in `currency`."""

    customer: str | None = None
    number: str | None = None
    reference: str | None = None  # the customer's own number
    state: str | None = None  # draft, confirmed, processing, done, cancelled
    ordered_on: date | None = None
    currency: str | None = None
    net: Decimal | None = None
    tax: Decimal | None = None
    total: Decimal | None = None
    payment_term: str | None = None
    lines: list[Line] = []


class Invoice(_Frozen):
    """A customer invoice; `open` is what is still to be paid."""

    customer: str | None = None
    order: str | None = None
    number: str | None = None
    state: str | None = None  # draft, posted, paid, cancelled
    invoiced_on: date | None = None
    due_on: date | None = None
    currency: str | None = None
    net: Decimal | None = None
    tax: Decimal | None = None
    total: Decimal | None = None
    open: Decimal | None = None
    lines: list[Line] = []


class Payment(_Frozen):
    """Money received from a customer."""

    customer: str | None = None
    order: str | None = None
    invoice: str | None = None
    number: str | None = None
    paid_on: date | None = None
    currency: str | None = None
    amount: Decimal | None = None
    method: str | None = None


MODELS: Mapping[str, type[_Frozen]] = {
    "customer": Customer,
    "contact": Contact,
    "order": Order,
    "invoice": Invoice,
    "payment": Payment,
}


@dataclass(frozen=True, slots=True)
class CanonicalField:
    """A kind of canonical path; `shape` is the path with its key left out."""

    shape: str
    kind: Kind


def _kind(name: str, annotation: Any) -> Kind:
    text = str(annotation)
    if name in REFERENCES:
        return "reference"
    if "Decimal" in text:
        return "decimal"
    if "datetime.datetime" in text or annotation is datetime:
        return "datetime"
    if "datetime.date" in text or annotation is date:
        return "date"
    return "boolean" if "bool" in text else "text"


def _fields(model: type[BaseModel]) -> dict[str, CanonicalField]:
    found: dict[str, CanonicalField] = {}
    for name, info in model.model_fields.items():
        text = str(info.annotation)
        if "Address" in text:
            for part in Address.model_fields:
                path = f"{name}[].{part}"
                found[path] = CanonicalField(path, "text")
        elif text.startswith("dict"):
            found[f"{name}[]"] = CanonicalField(f"{name}[]", "text")
        elif "Line" in text:
            found[name] = CanonicalField(name, "lines")
        elif text.startswith("list"):
            found[name] = CanonicalField(name, "set")
        else:
            found[name] = CanonicalField(name, _kind(name, info.annotation))
    return found


FIELDS: Mapping[str, Mapping[str, CanonicalField]] = {e: _fields(m) for e, m in MODELS.items()}


@cache
def field_of(entity: str, path: str) -> CanonicalField | None:
    """The kind of a canonical path, None where the entity has no such path."""
    return FIELDS[entity].get(shape(path)) if CANONICAL.match(path) else None


def nested(entity: str, values: Mapping[str, Any]) -> _Frozen:
    """The typed model of a flat record; raises pydantic.ValidationError on a wrong value."""
    tree: dict[str, Any] = {}
    for path, value in values.items():
        match = CANONICAL.match(path)
        if value is None or match is None:
            continue
        name, key, part = match.groups()
        if key is None:
            tree[name] = value
        elif part is None:
            tree.setdefault(name, {})[key] = value
        else:
            tree.setdefault(name, {}).setdefault(key, {})[part] = value
    return MODELS[entity].model_validate(tree)


def display_name(values: Mapping[str, Any]) -> str:
    """What a person reads in a list: the name, else a number."""
    return str(values.get("name") or values.get("contact_name") or values.get("number") or "")


def plain(number: Decimal) -> str:
    """The normal form of a number: no exponent, no trailing zeros."""
    text = format(number.normalize(), "f")
    return "0" if text in {"-0", ""} else text
