"""What can be synced: the model behind each object, what is asked of it, how it is read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.tryton import facts, parties
from connectors.tryton.lookups import Lookups
from connectors.tryton.parties import Row

Domain = list[Any]
_PARTY_CHILDREN = ("identifiers", "contact_mechanisms", "addresses")
PAYMENT_JOURNALS = ("cash", "statement")  # of receipts that are not yet tied to an invoice


@dataclass(frozen=True, slots=True)
class Kind:
    """One object. `children` are the paths to rows whose changes count as its own."""

    name: str
    model: str
    label: str
    children: Sequence[str]
    fields: Callable[[Lookups], Sequence[str]]
    domain: Callable[[Lookups], Domain]
    view: Callable[[Row, Lookups], dict[str, Any]]
    version: Callable[[Row], str]
    is_party: bool = False
    is_person: bool = False


def _customer_domain(lookups: Lookups) -> Domain:
    domain: Domain = [["id", "not in", lookups.own_parties]]
    relation = _person_relation(lookups)
    if relation is not None:
        domain.append(["relations", "not where", [["type", "=", relation]]])
    if lookups.config.category:
        domain.append(["categories.name", "=", lookups.config.category])
    return domain


def _person_relation(lookups: Lookups) -> int | None:
    """Contact persons are no customers either where the hub does not sync them."""
    if lookups.config.contacts:
        return lookups.relation
    has_relations = "relations" in lookups.fields("party.party", *parties.FROM_MODULES)
    return lookups.known_relation() if has_relations else None


def _contact_domain(lookups: Lookups) -> Domain:
    works_for = [["type", "=", lookups.relation], ["to", "not in", lookups.own_parties]]
    return [["relations", "where", works_for]]


def _company_domain(lookups: Lookups) -> Domain:
    return [["company", "=", lookups.rpc.company]]


def _payment_domain(lookups: Lookups) -> Domain:
    return [
        *_company_domain(lookups),
        ["account.type.receivable", "=", True],
        ["credit", ">", {"__class__": "Decimal", "decimal": "0"}],
        ["move_state", "=", "posted"],
        ["party", "!=", None],
        ["OR", ["invoice_payments", "!=", None], ["journal.type", "in", list(PAYMENT_JOURNALS)]],
    ]


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "party.party",
            "party.party",
            "Customers",
            _PARTY_CHILDREN,
            lambda lookups: parties.field_names(lookups, person=False),
            _customer_domain,
            lambda row, lookups: parties.party(row, person_category=lookups.config.person_category),
            parties.version,
            is_party=True,
        ),
        Kind(
            "party.contact",
            "party.party",
            "Contact persons",
            (*_PARTY_CHILDREN, "relations.to"),  # a relation made at the company moves the company
            lambda lookups: parties.field_names(lookups, person=True),
            _contact_domain,
            lambda row, lookups: parties.contact(row, lookups.relation),
            parties.version,
            is_party=True,
            is_person=True,
        ),
        Kind(
            "sale.sale",
            "sale.sale",
            "Sales",
            ("lines",),
            lambda _: (*facts.SALE_FIELDS, *facts.LINE_FIELDS, *facts.STAMPS),
            _company_domain,
            lambda row, _: facts.sale(row),
            facts.version,
        ),
        Kind(
            "account.invoice",
            "account.invoice",
            "Customer invoices",
            ("lines", "payment_lines"),
            lambda _: (*facts.INVOICE_FIELDS, *facts.LINE_FIELDS, *facts.STAMPS),
            lambda lookups: [*_company_domain(lookups), ["type", "=", "out"]],
            lambda row, _: facts.invoice(row),
            facts.version,
        ),
        Kind(
            "payment",
            "account.move.line",
            "Payments received",
            (),
            lambda _: (*facts.PAYMENT_FIELDS, *facts.STAMPS),
            _payment_domain,
            lambda row, _: facts.payment(row),
            facts.version,
        ),
    )
}
