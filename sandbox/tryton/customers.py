"""Customers from a JSON file (or made up by `samples`) become parties, 200 to a call.

The file holds a list of objects: `name`, and where known `code`, `kind` (organisation or person),
`tax_id`, `phone`, `mobile`, `email`, `website`, `street`, `city`, `postcode`, `country` (two
letters), `region` (ISO 3166-2 code such as CN-GD), `payment_term` (its name), `credit_limit`,
`contacts` (list of `name`, `mobile`, `email`, `title`).

A customer that is there already (by `code`) is left alone. What Tryton refuses, such as a phone
number that cannot exist, is left out and reported; the rest of the customer is kept.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

import phonenumbers

from sandbox.tryton import settings
from sandbox.tryton.progress import Span
from sandbox.tryton.rpc import Client, TrytonError

BATCH = 200
DEFAULT_COUNTRY = "CN"  # of phone and tax numbers whose customer names none
MECHANISMS = ("phone", "mobile", "email", "website")
# The type under which a country's usual tax number is kept; Tryton checks the number by it.
TAX_ID_TYPES = {"CN": "cn_vat", "US": "us_ein", "JP": "jp_vat", "SG": "sg_vat", "GB": "gb_vat"}
# fmt: off
EUROPEAN_VAT = frozenset((
    "AT", "BE", "CZ", "DE", "DK", "ES", "FI", "FR", "GR", "HU", "IE", "IT", "LU", "NL", "PL", "PT",
    "RO", "SE",
))
# fmt: on
_HAN = re.compile(r"[\u3400-\u9fff]")

Entry = dict[str, Any]
Values = dict[str, Any]


class SeedError(Exception):
    """The seed file as a whole cannot be used."""


@dataclass
class Report:
    """What seeding did; `skipped` names each part that was left out, and why."""

    created: int = 0
    already_there: int = 0
    contacts: int = 0
    skipped: list[dict[str, str]] = field(default_factory=list)

    def skip(self, code: str, part: str, reason: str) -> None:
        self.skipped.append({"code": code, "part": part, "reason": reason})


@dataclass(frozen=True)
class References:
    """Ids of the records that customers point at, by the code or name the seeds use."""

    countries: dict[str, int]
    subdivisions: dict[str, int]
    terms: dict[str, int]
    languages: dict[str, int]
    person_category: int
    works_for: int

    @classmethod
    def read(cls, client: Client) -> "References":
        def by(model: str, key: str) -> dict[str, int]:
            return {row[key]: row["id"] for row in client.rows(model, [], [key])}

        relation = [["name", "=", settings.WORKS_FOR]]
        return cls(
            countries=by("country.country", "code"),
            subdivisions=by("country.subdivision", "code"),
            terms=by("account.invoice.payment_term", "name"),
            languages=by("ir.lang", "code"),
            person_category=client.only("party.category", [["name", "=", settings.PERSON]]),
            works_for=client.only("party.relation.type", relation),
        )


def code_of(entry: Entry) -> str:
    """The customer's code; one without a code gets one from its content, so it is found again."""
    if entry.get("code"):
        return str(entry["code"])
    content = json.dumps(entry, sort_keys=True, ensure_ascii=False)
    return "S-" + hashlib.sha256(content.encode()).hexdigest()[:10].upper()


def check_entries(content: Any) -> list[Entry]:
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        raise SeedError("The seed file must hold a JSON list of objects.")
    for position, entry in enumerate(content, start=1):
        if not str(entry.get("name") or "").strip():
            raise SeedError(f"Entry {position} of the seed file has no name.")
    return content


def seed(client: Client, entries: Sequence[Entry], span: Span) -> Report:
    """Create the customers that are missing, then their contact persons."""
    references, report = References.read(client), Report()
    coded = {code_of(entry): entry for entry in entries}
    known = _ids_by_code(client, list(coded))
    report.already_there = len(known)
    missing = [(code, entry) for code, entry in coded.items() if code not in known]
    for done, batch in _batches(missing):
        text = f"Creating customers: {done} of {len(missing)}"
        span.show(0.8 * done / max(len(missing), 1), text)
        parties = [_party(code, entry, references, report) for code, entry in batch]
        known |= _create(client, parties, report)
    report.created = len(known) - report.already_there
    span.show(0.8, "Creating contact persons")
    _seed_contacts(client, coded, known, references, report)
    span.show(1.0, f"{len(known)} customers, {len(report.skipped)} values left out")
    return report


def _batches(rows: Sequence[Any]) -> Iterator[tuple[int, Sequence[Any]]]:
    for start in range(0, len(rows), BATCH):
        yield start, rows[start : start + BATCH]


def _ids_by_code(client: Client, codes: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for _done, batch in _batches(codes):
        domain = [["code", "in", list(batch)], ["active", "in", [True, False]]]
        found |= {row["code"]: row["id"] for row in client.rows("party.party", domain, ["code"])}
    return found


def _party(code: str, entry: Entry, references: References, report: Report) -> Values:
    name = str(entry["name"]).strip()
    values: Values = {
        "code": code,
        "name": name,
        "lang": references.languages["zh_CN" if _HAN.search(name) else "en"],
        "contact_mechanisms": _mechanisms(entry, _country(entry)),
        "identifiers": _identifiers(entry),
        "addresses": _addresses(code, entry, references, report),
    }
    if entry.get("kind") == "person":
        values["categories"] = [["add", [references.person_category]]]
    if entry.get("payment_term"):
        term = references.terms.get(str(entry["payment_term"]))
        if term is None:
            report.skip(code, "payment_term", f"{entry['payment_term']} is not a payment term here")
        else:
            values["customer_payment_term"] = term
    if entry.get("credit_limit") not in (None, ""):
        limit = _decimal(entry["credit_limit"])
        if limit is None:
            report.skip(code, "credit_limit", f"{entry['credit_limit']} is not a number")
        else:
            values["credit_limit_amount"] = limit
    return values


def _decimal(value: Any) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _country(entry: Entry) -> str:
    return str(entry.get("country") or DEFAULT_COUNTRY).upper()


def _mechanisms(entry: Entry, country: str) -> list[Values]:
    values = {kind: str(entry.get(kind) or "").strip() for kind in MECHANISMS}
    for kind in ("phone", "mobile"):
        values[kind] = _international(values[kind], country)
    return [{"type": kind, "value": value} for kind, value in values.items() if value]


def _international(number: str, country: str) -> str:
    """With its country code: Tryton reads a national number by an address, which may be missing."""
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return number  # Tryton says what is wrong with it
    if not phonenumbers.is_valid_number(parsed):
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _identifiers(entry: Entry) -> list[Values]:
    number = str(entry.get("tax_id") or "").strip()
    if not number:
        return []
    country = _country(entry)
    european = "eu_vat" if country in EUROPEAN_VAT else None
    return [{"type": TAX_ID_TYPES.get(country, european), "code": number}]


def _addresses(code: str, entry: Entry, references: References, report: Report) -> list[Values]:
    if not any(entry.get(key) for key in ("street", "city", "postcode", "country", "region")):
        return []
    country = str(entry.get("country") or "").upper()
    region = str(entry.get("region") or "").upper()
    address: Values = {
        "street_unstructured": str(entry.get("street") or ""),
        "city": str(entry.get("city") or ""),
        "postal_code": str(entry.get("postcode") or ""),
        "invoice": True,
        "delivery": True,
    }
    if country and country not in references.countries:
        report.skip(code, "country", f"{country} is not a country here")
    elif country:
        address["country"] = references.countries[country]
    full = region if "-" in region or not region else f"{country}-{region}"
    if full and full not in references.subdivisions:
        report.skip(code, "region", f"{full} is not a subdivision here")
    elif full:
        address["subdivision"] = references.subdivisions[full]
    return [address]


LISTS = ("contact_mechanisms", "identifiers", "addresses")


def _create(client: Client, parties: list[Values], report: Report) -> dict[str, int]:
    """Create all in one call; where that is refused, halve until the refused one is found."""
    if not parties:
        return {}
    try:
        ids = client.create("party.party", [_as_commands(values) for values in parties])
    except TrytonError as error:
        if not error.is_refusal:
            raise
        if len(parties) == 1:
            return _create_piecewise(client, parties[0], report)
        middle = len(parties) // 2
        first = _create(client, parties[:middle], report)
        return first | _create(client, parties[middle:], report)
    return {values["code"]: new for values, new in zip(parties, ids, strict=True)}


def _as_commands(values: Values) -> Values:
    commands = {name: [["create", values[name]]] for name in LISTS if values.get(name)}
    return {name: value for name, value in values.items() if name not in LISTS} | commands


def _create_piecewise(client: Client, values: Values, report: Report) -> dict[str, int]:
    """Create the bare customer, then add part by part; what is refused is left out."""
    code = values["code"]
    bare = {name: value for name, value in values.items() if name not in LISTS}
    try:
        party = client.create("party.party", [bare])[0]
    except TrytonError as error:
        if not error.is_refusal:
            raise
        report.skip(code, "customer", error.message)
        return {}
    # Addresses first: a national phone number is read by the country of the address.
    for name in ("addresses", "identifiers", "contact_mechanisms"):
        for row in values.get(name, []):
            _add_part(client, party, code, name, row, report)
    return {code: party}


def _add_part(
    client: Client, party: int, code: str, name: str, row: Values, report: Report
) -> None:
    try:
        client.model("party.party", "write", [party], {name: [["create", [row]]]})
    except TrytonError as error:
        if not error.is_refusal:
            raise
        if row.get("subdivision"):
            # Most likely a province of another country; the rest of the address is still good.
            report.skip(code, "region", error.message)
            bare = {key: value for key, value in row.items() if key != "subdivision"}
            _add_part(client, party, code, name, bare, report)
            return
        report.skip(code, str(row.get("type") or name), error.message)


def _seed_contacts(
    client: Client,
    coded: dict[str, Entry],
    companies: dict[str, int],
    references: References,
    report: Report,
) -> None:
    employers: dict[str, int] = {}
    persons: list[Values] = []
    for code, entry in coded.items():
        for number, contact in enumerate(entry.get("contacts") or (), start=1):
            if code not in companies or not str(contact.get("name") or "").strip():
                continue
            person = _person(f"{code}-P{number}", contact, _country(entry), references)
            employers[person["code"]] = companies[code]
            persons.append(person)
    known = _ids_by_code(client, list(employers))
    for _done, batch in _batches([row for row in persons if row["code"] not in known]):
        created = _create(client, list(batch), report)
        report.contacts += len(created)
        known |= created
    pairs = {known[code]: employer for code, employer in employers.items() if code in known}
    _relate(client, pairs, references.works_for)


def _person(code: str, contact: Entry, country: str, references: References) -> Values:
    name = str(contact["name"]).strip()
    mechanisms = _mechanisms(contact, country)
    title = str(contact.get("title") or "").strip()
    if mechanisms and title:
        # A party has no job title; the remark of its first contact line is the nearest place.
        mechanisms[0]["comment"] = title
    return {
        "code": code,
        "name": name,
        "lang": references.languages["zh_CN" if _HAN.search(name) else "en"],
        "contact_mechanisms": mechanisms,
        "categories": [["add", [references.person_category]]],
    }


def _relate(client: Client, employers: dict[int, int], works_for: int) -> None:
    """`employers` is person -> company; relations that exist already are not repeated."""
    related: set[int] = set()
    for _done, batch in _batches(list(employers)):
        domain = [["from_", "in", list(batch)], ["type", "=", works_for]]
        rows = client.rows("party.relation.all", domain, ["from_"])
        related |= {row["from_"] for row in rows}
    missing = [
        {"from_": person, "to": company, "type": works_for}
        for person, company in employers.items()
        if person not in related
    ]
    for _done, batch in _batches(missing):
        client.create("party.relation.all", list(batch))
