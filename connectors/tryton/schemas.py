"""The shape of the native records, as this server describes its models."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.tryton import parties
from connectors.tryton.lookups import Lookups
from connectors.tryton.objects import Kind
from mapping.schema import FieldSchema, FieldType, ObjectSchema, Option

_TYPES: Mapping[str, FieldType] = {
    "char": "text",
    "text": "text",
    "integer": "number",
    "float": "decimal",
    "numeric": "decimal",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "timestamp": "datetime",
    "selection": "choice",
    "many2one": "reference",
}
_FACTS: Mapping[str, Sequence[str]] = {
    "sale.sale": ("number", "reference", "state", "sale_date", "invoice_state", "shipment_state"),
    "account.invoice": ("number", "reference", "state", "invoice_date", "amount_to_pay"),
    "payment": ("date",),
}


def describe(kind: Kind, lookups: Lookups) -> ObjectSchema:
    """All native fields of an object, with the labels and choices of this server."""
    fields = _party(kind, lookups) if kind.is_party else _fact(kind, lookups)
    return ObjectSchema(kind.name, kind.label, {field.name: field for field in fields})


def _party(kind: Kind, lookups: Lookups) -> Iterator[FieldSchema]:
    described = lookups.fields("party.party")
    yield from _system_fields()
    yield FieldSchema("hub_key", "Hub key")
    yield FieldSchema("replaced_by", "Replaced by", "reference", writable=False, target=kind.name)
    yield FieldSchema("child_ids", "Ids of the parts", "object", writable=False)
    yield FieldSchema("name", _label(described, "name"), required=True)
    yield FieldSchema("code", _label(described, "code"), writable=False, unique=True)
    yield _choice("lang", _label(described, "lang"), lookups.names("ir.lang", "code"))
    yield FieldSchema("identifiers", _label(described, "identifiers"), "object")
    for option in _identifier_types(lookups):
        yield FieldSchema(f"identifiers.{option.value}", option.label)
    for name in parties.MECHANISMS:
        yield FieldSchema(name, name.capitalize())
    yield FieldSchema("job_title", "Job title", writable=kind.is_person)
    for name, label in (("address", "Address"), ("delivery_address", "Delivery address")):
        yield from _address(name, label, lookups)
    kinds = [Option("organisation", "Organisation"), Option("person", "Person")]
    yield FieldSchema(
        "kind", "Kind", "choice", writable=not kind.is_person, options=kinds, strict_options=True
    )
    yield from _person_fields() if kind.is_person else _customer_fields(described, lookups)


def _person_fields() -> Iterator[FieldSchema]:
    yield FieldSchema("customer", "Works for", "reference", required=True, target="party.party")
    yield FieldSchema("payment_term", "Payment term", writable=False)
    yield FieldSchema("credit_limit", "Credit limit", "decimal", writable=False)


def _customer_fields(described: Mapping[str, Any], lookups: Lookups) -> Iterator[FieldSchema]:
    if "customer_payment_term" in described:
        terms = lookups.names("account.invoice.payment_term", "name")
        yield _choice("payment_term", _label(described, "customer_payment_term"), terms)
    if "credit_limit_amount" in described:
        yield FieldSchema("credit_limit", _label(described, "credit_limit_amount"), "decimal")


def _address(name: str, label: str, lookups: Lookups) -> Iterator[FieldSchema]:
    described = lookups.fields("party.address")
    yield FieldSchema(name, label, "object")
    for part in ("street", "city", "postal_code"):
        yield FieldSchema(f"{name}.{part}", _label(described, part))
    countries = lookups.names("country.country", "code")
    yield _choice(f"{name}.country", _label(described, "country"), countries)
    yield FieldSchema(f"{name}.subdivision", _label(described, "subdivision"))


def _identifier_types(lookups: Lookups) -> list[Option]:
    described = lookups.fields("party.configuration")["identifier_types"]
    return [Option(value, label) for value, label in described["selection"] if value]


def _fact(kind: Kind, lookups: Lookups) -> Iterator[FieldSchema]:
    described = lookups.fields(kind.model)
    yield from _system_fields()
    for name in _FACTS[kind.name]:
        told = described[name]
        options = [Option(v, label) for v, label in told.get("selection") or () if v]
        yield FieldSchema(
            name, told["string"], _TYPES[told["type"]], writable=False, options=options
        )
    yield _read_only("party", "Customer", "reference", target="party.party")
    yield _read_only("currency", "Currency")
    if kind.name == "payment":
        yield _read_only("number", "Number of the move")
        yield _read_only("amount", "Amount", "decimal")
        yield _read_only("journal", "Journal")
        yield _read_only("invoice", "Invoice", "reference", target="account.invoice")
        yield _read_only("sale", "Sale", "reference", target="sale.sale")
        return
    for name in ("untaxed_amount", "tax_amount", "total_amount"):
        yield _read_only(name, described[name]["string"], "decimal")
    yield _read_only("lines", "Lines", "list")
    if kind.name == "sale.sale":
        yield _read_only("payment_term", described["payment_term"]["string"])
    else:
        yield _read_only("due_date", "Due date", "date")
        yield _read_only("sale", "Sale", "reference", target="sale.sale")


def _system_fields() -> Iterator[FieldSchema]:
    yield FieldSchema("id", "Id", writable=False, unique=True)
    yield _read_only("last_modified_at", "Last modified", "datetime")


def _read_only(
    name: str, label: str, kind: FieldType = "text", *, target: str | None = None
) -> FieldSchema:
    return FieldSchema(name, label, kind, writable=False, target=target)


def _choice(name: str, label: str, values: Sequence[str]) -> FieldSchema:
    options = [Option(value, value) for value in values]
    return FieldSchema(name, label, "choice", options=options, strict_options=True)


def _label(described: Mapping[str, Any], name: str) -> str:
    return str(described[name]["string"])
