"""What can be synced: the model behind each object, what is asked of it, how it is read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.tryton import facts, parties
from connectors.tryton.lookups import Lookups
from connectors.tryton.parties import Row

Domain = list[Any]
_PARTY_CHILDREN = ("identifiers", "contact_mechanisms", "addresses")
# Sales and invoices of customers count from the moment they have left the drafting table or not:
# all states are read, the mapping names them.
PAYMENT_JOURNALS = ("cash", "statement")


@dataclass(frozen=True, slots=True)
class Kind:
    """One object. `children` are the one2many fields whose changes count as its own."""

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
    if "relations" in lookups.fields("party.party") and lookups.config.contacts:
        domain.append(["relations", "not where", [["type", "=", lookups.relation]]])
    if lookups.config.category:
        domain.append(["categories.name", "=", lookups.config.category])
    return domain


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
            lambda lookups: parties.field_names(lookups.fields("party.party"), person=False),
            _customer_domain,
            lambda row, lookups: parties.party(row, person_category=lookups.config.person_category),
            parties.version,
            is_party=True,
        ),
        Kind(
            "party.contact",
            "party.party",
            "Contact persons",
            (*_PARTY_CHILDREN, "relations"),
            lambda lookups: parties.field_names(lookups.fields("party.party"), person=True),
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
