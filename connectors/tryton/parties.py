"""A party with its children as one native record."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.tryton.lookups import Lookups

Row = Mapping[str, Any]

HUB_KEY = "kehub:"  # our key stands in an identifier without a type, behind these letters
JOB_TITLE = "job title"  # a contact line of type `other` with this name holds it
MECHANISMS = ("phone", "mobile", "fax", "email", "website")
# Always told, so that an empty one is seen as empty; any other type is told where it is there.
IDENTIFIERS = ("cn_vat", "eu_vat", "us_ein", "gb_vat", "jp_vat", "sg_vat")
STREET_PARTS = (
    "street_name",
    "building_name",
    "building_number",
    "unit_number",
    "floor_number",
    "room_number",
    "post_box",
    "private_bag",
    "post_office",
)
PARTY_FIELDS = (
    "name",
    "code",
    "active",
    "replaced_by",
    "lang.code",
    "credit_limit_amount",
    "customer_payment_term.name",
    "categories.name",
    "create_date",
    "last_modified_at",
    "_timestamp",
)
FROM_MODULES = ("credit_limit_amount", "customer_payment_term", "relations")
CHILD_FIELDS: Mapping[str, tuple[str, ...]] = {
    "identifiers": ("type", "code"),
    "contact_mechanisms": ("type", "value", "name"),
    "addresses": (
        "street",
        "street_unstructured",
        "city",
        "postal_code",
        "country.code",
        "subdivision.name",
        "invoice",
        "delivery",
    ),
}
RELATION_FIELDS = ("relations.type", "relations.to", "relations.active")
STAMPS = ("last_modified_at", "_timestamp")
CHILD_MODELS: Mapping[str, str] = {
    "identifiers": "party.identifier",
    "contact_mechanisms": "party.contact_mechanism",
    "addresses": "party.address",
}


def field_names(lookups: Lookups, *, person: bool) -> list[str]:
    """What to ask for, as far as the installed modules have it."""
    heads = {name: name.partition(".")[0] for name in PARTY_FIELDS}
    available = lookups.fields("party.party", *FROM_MODULES)
    missing = set(FROM_MODULES) - set(available)
    names = [name for name in PARTY_FIELDS if heads[name] not in missing]
    for child, own in CHILD_FIELDS.items():
        names += [f"{child}.{name}" for name in (*own, "active", *STAMPS)]
    return names + (list(RELATION_FIELDS) if person else [])


def party(row: Row, *, person_category: str = "") -> dict[str, Any]:
    """The native record of a customer."""
    categories = {each["name"] for each in children(row, "categories")}
    invoice, delivery = addresses(row)
    return {
        "id": str(row["id"]),
        "code": row.get("code"),
        "name": row.get("name") or None,
        "kind": "person" if person_category in categories else "organisation",
        "lang": _named(row, "lang", "code"),
        "hub_key": hub_key(row),
        "identifiers": _identifiers(row),
        **{kind: _value(mechanism(row, kind)) for kind in MECHANISMS},
        "job_title": _value(job_title(row)),
        "address": _address(invoice),
        "delivery_address": _address(delivery),
        "payment_term": _named(row, "customer_payment_term", "name"),
        "credit_limit": row.get("credit_limit_amount"),
        "replaced_by": str(row["replaced_by"]) if row.get("replaced_by") else None,
        "child_ids": child_ids(row),
        "last_modified_at": last_modified(row),
    }


def contact(row: Row, relation: int) -> dict[str, Any]:
    """The native record of a contact person: the party and the customer it works for."""
    employer = employment(row, relation)
    return {**party(row), "kind": "person", "customer": str(employer["to"]) if employer else None}


def children(row: Row, name: str) -> Sequence[Row]:
    """The rows of a one2many field, without archived ones, in the order of the server."""
    found: Sequence[Row] = row.get(f"{name}.") or ()
    return [each for each in found if each.get("active", True)]


def mechanism(row: Row, kind: str) -> Row | None:
    """The first contact line of a type."""
    lines = children(row, "contact_mechanisms")
    return next((line for line in lines if line["type"] == kind), None)


def job_title(row: Row) -> Row | None:
    """The contact line that holds a person's job title."""
    lines = children(row, "contact_mechanisms")
    wanted = (line for line in lines if line["type"] == "other" and line["name"] == JOB_TITLE)
    return next(wanted, None)


def identifier(row: Row, kind: str) -> Row | None:
    """The first identifier of a type."""
    return next((each for each in children(row, "identifiers") if each["type"] == kind), None)


def key_holder(row: Row) -> Row | None:
    """The identifier that carries the hub's key."""
    return next((each for each in children(row, "identifiers") if _is_key(each)), None)


def hub_key(row: Row) -> str | None:
    """The hub's key of a party."""
    found = key_holder(row)
    return str(found["code"]).removeprefix(HUB_KEY) if found else None


def hub_keys(row: Row) -> list[str]:
    """Every key that a party ever held: one that took in another has the other's, archived."""
    held = (each["code"] for each in row.get("identifiers.") or () if _is_key(each))
    return [str(code).removeprefix(HUB_KEY) for code in held]


def employment(row: Row, relation: int) -> Row | None:
    """The first relation that says whom a person works for; one that has ended where none lasts."""
    ever: Sequence[Row] = row.get("relations.") or ()
    held = [each for each in ever if each["type"] == relation]
    return min(held, key=lambda each: (not each["active"], int(each["id"])), default=None)


def addresses(row: Row) -> tuple[Row | None, Row | None]:
    """The invoice address, and the delivery address where it is another one."""
    held = children(row, "addresses")
    invoice = next((each for each in held if each["invoice"]), None)
    if invoice is None:
        invoice = next((each for each in held if not each["delivery"]), None)
    delivery = next((each for each in held if each["delivery"]), None)
    if invoice and delivery and invoice["id"] == delivery["id"]:
        delivery = None
    return invoice, delivery


def version(row: Row) -> str:
    """Moves with the party and with every child; Tryton's own stamp covers the party alone."""
    marks = [
        (name, each["id"], each["_timestamp"])
        for name in CHILD_FIELDS
        for each in children(row, name)
    ]
    # Relations are a view of two tables for Tryton: without stamps, and modified "now", always.
    marks += [("relations", each["id"], each["to"]) for each in children(row, "relations")]
    digest = hashlib.sha256(json.dumps(sorted(marks, key=str)).encode()).hexdigest()
    return f"{row['_timestamp']}-{digest[:12]}"


def last_modified(row: Row) -> str:
    """When the party or one of its children was last changed."""
    return max(_moments(row))


def is_edited(row: Row) -> bool:
    """Whether anything moved after the transaction that made the party and its children."""
    return last_modified(row) > str(row["create_date"])


def child_ids(row: Row) -> dict[str, int]:
    """Which Tryton record holds which part of the native record."""
    held = {kind: mechanism(row, kind) for kind in MECHANISMS}
    held["address"], held["delivery_address"] = addresses(row)
    return {name: int(each["id"]) for name, each in held.items() if each}


def _moments(row: Row) -> Iterator[str]:
    yield str(row["last_modified_at"])
    for name in CHILD_FIELDS:
        for each in row.get(f"{name}.") or ():
            yield str(each["last_modified_at"])


def _identifiers(row: Row) -> dict[str, str | None]:
    found: dict[str, str | None] = dict.fromkeys(IDENTIFIERS)
    for each in children(row, "identifiers"):
        kind = each["type"]
        if kind and found.get(kind) is None:
            found[kind] = each["code"]
    return found


def _is_key(row: Row) -> bool:
    return not row["type"] and str(row["code"]).startswith(HUB_KEY)


def _address(row: Row | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "street": row["street"] or None,
        "city": row["city"] or None,
        "postal_code": row["postal_code"] or None,
        "country": _named(row, "country", "code"),
        "subdivision": _named(row, "subdivision", "name"),
    }


def _value(row: Row | None) -> str | None:
    return (row["value"] or None) if row else None


def _named(row: Row, name: str, key: str) -> str | None:
    held = row.get(f"{name}.")
    return held[key] if held else None
