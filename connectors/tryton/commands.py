"""Native data as Tryton values: children are changed in place, through their party.

Written through the party's one2many fields, a child moves the party's `last_modified_at`, and all
of a record is one call that happens or does not. What is emptied is archived, not deleted: it may
stand on a sale or an invoice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.sdk.errors import RecordError
from connectors.tryton import parties, wire
from connectors.tryton.lookups import Lookups
from connectors.tryton.parties import Row

Values = dict[str, Any]
_EMPTY: Row = {}
_ADDRESS_PARTS = {"street": "street_unstructured", "city": "city", "postal_code": "postal_code"}


@dataclass
class Order:
    """What to send for one party, and the stamps of the rows that it relies on."""

    values: Values = field(default_factory=dict)
    timestamps: dict[str, str] = field(default_factory=dict)

    def command(self, name: str, *command: Any) -> None:
        self.values.setdefault(name, []).append(list(command))

    def change(self, name: str, row: Row, values: Values) -> None:
        """Changes a child in place, if it is still as it was read."""
        self.command(name, "write", [row["id"]], values)
        if row.get("_timestamp"):
            model = parties.CHILD_MODELS[name]
            self.timestamps[f"{model},{row['id']}"] = str(row["_timestamp"])


def new_party(data: Mapping[str, Any], key: str, lookups: Lookups, *, person: bool) -> Order:
    """The values of a new party that carries the hub's key."""
    if not data.get("name"):
        raise RecordError("A party needs a name.", field="name", remote_code="required")
    order = _order({**data, "hub_key": key}, _EMPTY, lookups, person=person)
    if person and "customer" not in data:
        raise _no_customer()
    if person:
        category = lookups.known_category(lookups.config.person_category)
    else:
        wanted = lookups.config.category
        category = lookups.category(wanted, at="category") if wanted else None
    if category is not None:
        order.command("categories", "add", [category])
    return order


def changed_party(data: Mapping[str, Any], row: Row, lookups: Lookups, *, person: bool) -> Order:
    """The values that make a party as `data` says; none where it is so already."""
    order = _order(data, row, lookups, person=person)
    order.timestamps[f"party.party,{row['id']}"] = str(row["_timestamp"])
    return order


def _order(data: Mapping[str, Any], row: Row, lookups: Lookups, *, person: bool) -> Order:
    order = Order()
    writers = {**_WRITERS, **(_PERSON_WRITERS if person else _CUSTOMER_WRITERS)}
    for name, value in data.items():
        if name not in writers:
            raise RecordError(
                f"The connector does not write {name} to Tryton.",
                field=name,
                remote_code="not_writable",
            )
        writers[name](order, row, value, lookups)
    return order


def _name(order: Order, _row: Row, value: Any, _lookups: Lookups) -> None:
    if not value:
        raise RecordError("A party needs a name.", field="name", remote_code="required")
    order.values["name"] = value


def _code(order: Order, row: Row, value: Any, _lookups: Lookups) -> None:
    if not row and value:
        order.values["code"] = value
    elif row and value != row["code"]:
        raise RecordError(
            "Tryton does not change the code of a party once it is given.",
            field="code",
            remote_code="not_writable",
        )


def _language(order: Order, _row: Row, value: Any, lookups: Lookups) -> None:
    order.values["lang"] = lookups.language(value, at="lang") if value else None


def _kind(order: Order, row: Row, value: Any, lookups: Lookups) -> None:
    name = lookups.config.person_category
    is_person = any(each["name"] == name for each in parties.children(row, "categories"))
    if value == "person" and not is_person:
        order.command("categories", "add", [lookups.category(name, at="kind")])
    elif value != "person" and is_person:
        order.command("categories", "remove", [lookups.category(name, at="kind")])


def _payment_term(order: Order, _row: Row, value: Any, lookups: Lookups) -> None:
    found = lookups.term(value, at="payment_term") if value else None
    order.values["customer_payment_term"] = found


def _credit_limit(order: Order, _row: Row, value: Any, _lookups: Lookups) -> None:
    amount = None if value is None or value == "" else wire.decimal(str(value))
    order.values["credit_limit_amount"] = amount


def _identifiers(order: Order, row: Row, value: Any, _lookups: Lookups) -> None:
    for kind, code in (value or {}).items():
        held = parties.identifier(row, kind)
        _child(order, "identifiers", held, {"type": kind, "code": code}, "code")


def _hub_key(order: Order, row: Row, value: Any, _lookups: Lookups) -> None:
    code = parties.HUB_KEY + value if value else None
    _child(order, "identifiers", parties.key_holder(row), {"code": code}, "code")


def _mechanism(kind: str) -> Callable[[Order, Row, Any, Lookups], None]:
    def write(order: Order, row: Row, value: Any, _lookups: Lookups) -> None:
        held = parties.mechanism(row, kind)
        _child(order, "contact_mechanisms", held, {"type": kind, "value": value}, "value")

    return write


def _job_title(order: Order, row: Row, value: Any, _lookups: Lookups) -> None:
    values = {"type": "other", "name": parties.JOB_TITLE, "value": value}
    _child(order, "contact_mechanisms", parties.job_title(row), values, "value")


def _child(order: Order, name: str, held: Row | None, values: Values, key: str) -> None:
    value = values[key] or None
    if held is None and value is not None:
        order.command(name, "create", [values])
    elif held is not None and value is None:
        order.change(name, held, {"active": False})
    elif held is not None and held[key] != value:
        order.change(name, held, {key: value})


def _invoice_address(order: Order, row: Row, value: Any, lookups: Lookups) -> None:
    held, delivery = parties.addresses(row)
    flags = {"invoice": True, "delivery": delivery is None}
    _address(order, held, "address", value, lookups, flags)


def _delivery_address(order: Order, row: Row, value: Any, lookups: Lookups) -> None:
    invoice, held = parties.addresses(row)
    fresh = _address(order, held, "delivery_address", value, lookups, {"delivery": True})
    if fresh and invoice and invoice["delivery"]:
        order.change("addresses", invoice, {"delivery": False, "invoice": True})
    elif fresh:
        _no_delivery_to_new_invoice_address(order)


def _no_delivery_to_new_invoice_address(order: Order) -> None:
    for command in order.values["addresses"]:
        if command[0] == "create" and command[1][0].get("invoice"):
            command[1][0]["delivery"] = False


def _address(
    order: Order, held: Row | None, at: str, value: Any, lookups: Lookups, flags: Values
) -> bool:
    """Writes an address; True where a new one came into being."""
    parts = dict.fromkeys((*_ADDRESS_PARTS, "country", "subdivision")) if value is None else value
    values = _address_values(parts, held, at, lookups)
    if held is None:
        if not any(values.values()):
            return False
        order.command("addresses", "create", [{**flags, **values}])
        return True
    if _is_emptied(parts, held):
        order.change("addresses", held, {"active": False})
    elif values:
        order.change("addresses", held, values)
    return False


def _address_values(
    parts: Mapping[str, Any], held: Row | None, at: str, lookups: Lookups
) -> Values:
    values: Values = {
        native: parts[part] or None for part, native in _ADDRESS_PARTS.items() if part in parts
    }
    if "street" in parts and held and held["street"] and not held["street_unstructured"]:
        values |= dict.fromkeys(parties.STREET_PARTS)  # it was written in structured parts
    country = _country_of(held)
    if "country" in parts:
        told = parts["country"]
        country = lookups.country(told, at=f"{at}.country") if told else None
        values["country"] = country
        if held and held["subdivision."] and country != _country_of(held):
            values["subdivision"] = None  # Tryton refuses a province of another country
    if parts.get("subdivision") and country is None:
        country = lookups.country_of_region(str(parts["subdivision"]))
        if country is not None:
            values["country"] = country
    if "subdivision" in parts:
        values["subdivision"] = _subdivision(parts["subdivision"], country, at, lookups)
    unknown = set(parts) - {*_ADDRESS_PARTS, "country", "subdivision"}
    if unknown:
        raise RecordError(
            f"The connector does not write {min(unknown)} of an address to Tryton.",
            field=f"{at}.{min(unknown)}",
            remote_code="not_writable",
        )
    return values


def _subdivision(told: Any, country: int | None, at: str, lookups: Lookups) -> int | None:
    if not told:
        return None
    if country is not None:
        return lookups.subdivision(str(told), country, at=f"{at}.subdivision")
    if lookups.config.unknown_region == "leave_out":
        return None
    raise RecordError(
        f"Tryton keeps the region {told!r} only together with its country; give the country.",
        field=f"{at}.country",
        remote_code="required",
    )


def _country_of(held: Row | None) -> int | None:
    country = held["country."] if held else None
    return int(country["id"]) if country else None


def _is_emptied(parts: Mapping[str, Any], held: Row) -> bool:
    whole = {
        "street": held["street"],
        "city": held["city"],
        "postal_code": held["postal_code"],
        "country": held["country."],
        "subdivision": held["subdivision."],
        **parts,
    }
    return not any(whole.values())


def _customer(order: Order, row: Row, value: Any, lookups: Lookups) -> None:
    if not value:
        raise _no_customer()
    if not str(value).isdigit():
        raise RecordError(f"{value!r} is not the id of a party.", field="customer")
    relation = lookups.relation
    held = parties.employment(row, relation)
    if held is None:
        order.command("relations", "create", [{"type": relation, "to": int(value)}])
    elif held["to"] != int(value):
        order.command("relations", "write", [held["id"]], {"to": int(value)})


def _no_customer() -> RecordError:
    return RecordError(
        "A contact needs its customer: without one, Tryton would take the person for a customer.",
        field="customer",
        remote_code="required",
    )


_Writer = Callable[[Order, Row, Any, Lookups], None]
_WRITERS: Mapping[str, _Writer] = {
    "name": _name,
    "code": _code,
    "lang": _language,
    "hub_key": _hub_key,
    "identifiers": _identifiers,
    **{kind: _mechanism(kind) for kind in parties.MECHANISMS},
    "address": _invoice_address,
    "delivery_address": _delivery_address,
}
_CUSTOMER_WRITERS: Mapping[str, _Writer] = {
    "kind": _kind,
    "payment_term": _payment_term,
    "credit_limit": _credit_limit,
}
_PERSON_WRITERS: Mapping[str, _Writer] = {"job_title": _job_title, "customer": _customer}
