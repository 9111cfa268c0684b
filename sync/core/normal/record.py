"""A whole party in its normal form: everything that keys and scores are made of."""

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

from sync.core.normal.address import Address, parse_address
from sync.core.normal.company import CompanyName, parse_company
from sync.core.normal.identifier import Identifier, parse_identifier
from sync.core.normal.mail import Mail, parse_domain, parse_mail
from sync.core.normal.person import PersonName, parse_person
from sync.core.normal.phone import Phone, parse_phones
from sync.core.normal.regions import is_abroad
from sync.core.normal.tables import COUNTRIES
from sync.core.normal.text import fold, latin_key
from sync.core.party import Party

DATE = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})")
DAY_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
YEAR = re.compile(r"\b(1[6-9]\d\d|20\d\d)\b")
TEST_NAMES = frozenset(
    [
        "测试",
        "test",
        "aaa",
        "张三",
        "李四",
        "asdf",
        "xxx",
        "unknown",
        "n/a",
        "none",
        "无",
        "tbd",
        "-",
        "na",
        "null",
    ]
)


@dataclass(frozen=True, slots=True)
class Normal:
    """The normal form of a `Party`."""

    kind: str
    companies: tuple[CompanyName, ...] = ()
    persons: tuple[PersonName, ...] = ()
    placeholder: bool = False  # a word such as 测试 stands where the name should be
    employer: CompanyName | None = None
    identifiers: tuple[Identifier, ...] = ()
    phones: tuple[Phone, ...] = ()
    mails: tuple[Mail, ...] = ()
    mail_text: str = ""  # the first address as it was written, be it valid or not
    domains: tuple[str, ...] = ()  # own ones: not a free provider's
    addresses: tuple[Address, ...] = ()
    birth: int = 0  # yyyymmdd; 0000 for month and day that are not known
    country: str = ""
    source: str = ""
    extra: tuple[tuple[str, str], ...] = ()


def normalise(party: Party) -> Normal:
    """The normal form; the same party always gives the same."""
    country = next((country_code(a.country) for a in party.addresses if a.country), "")
    mails = tuple([m for m in map(parse_mail, party.emails) if m])
    is_person = party.kind == "person"
    addresses = tuple(
        [parse_address(a.street, a.city, a.region, a.postcode) for a in party.addresses]
    )
    return Normal(
        kind=party.kind,
        companies=() if is_person else _companies(party, abroad=_abroad(country, addresses)),
        persons=_persons(party) if is_person else (),
        placeholder=any(map(_is_test, [name.whole for name in party.names])),
        employer=_employer(party),
        identifiers=_identifiers(party, country),
        phones=_phones(party, country) if party.phones else (),
        mails=_distinct(mails),
        mail_text=fold(party.emails[0]) if party.emails else "",
        domains=_domains(party, mails),
        addresses=addresses,
        birth=parse_birth(party.birth_date),
        country=country,
        source=party.source,
        extra=tuple([(name, fold(value)) for name, value in party.extra]),
    )


Part = TypeVar("Part", bound=Hashable)


def _distinct(found: Sequence[Part]) -> tuple[Part, ...]:
    """Each once; hashing is only worth it where there are several."""
    return tuple(found) if len(found) < 2 else tuple(dict.fromkeys(found))


CHINESE = frozenset(["CN", "HK", "TW", "MO"])


def _abroad(country: str, addresses: tuple[Address, ...]) -> bool:
    """Whether the party sits outside China, by its country or else by a city that is known."""
    if country:
        return country not in CHINESE
    return any(is_abroad(address.city) for address in addresses)


REMEMBERED, IN_A_FILE = 4_096, 60_000  # parsed names: for a process that stays, for one file


class _Parsers:
    """Parsers that remember what they parsed lately; how much tells on a process's memory."""

    def __init__(self) -> None:
        self.remember(REMEMBERED)

    def remember(self, most: int) -> None:
        self.company = lru_cache(maxsize=most)(parse_company)
        self.person = lru_cache(maxsize=most)(parse_person)
        self.identifier = lru_cache(maxsize=most // 3)(parse_identifier)


_parsers = _Parsers()


def expect_many() -> None:
    """A whole file comes, in which names come again far apart."""
    _parsers.remember(IN_A_FILE)


@lru_cache(maxsize=1024)
def country_code(text: str) -> str:
    """ISO code of a country as anybody may have typed it; empty where unknown."""
    key = latin_key(fold(text)) if text.isascii() else fold(text)
    return COUNTRIES.get(key, key.upper() if len(key) == 2 and key.isascii() else "")


def _companies(party: Party, *, abroad: bool) -> tuple[CompanyName, ...]:
    names = [n.whole or f"{n.given} {n.family}" for n in party.names]
    parsed = [_parsers.company(name, abroad=abroad) for name in names if not _is_test(name)]
    if party.kind == "company" and party.organisation:
        parsed += [_parsers.company(party.organisation, abroad=abroad)] if not parsed else []
    return _distinct([name for name in parsed if name.latin])


def _persons(party: Party) -> tuple[PersonName, ...]:
    parsed = [
        _parsers.person(n.whole, n.given, n.family) for n in party.names if not _is_test(n.whole)
    ]
    return _distinct([name for name in parsed if name.full])


def _is_test(name: str) -> bool:
    return len(name) < 8 and fold(name) in TEST_NAMES


def _employer(party: Party) -> CompanyName | None:
    if not party.organisation:
        return None
    parsed = _parsers.company(party.organisation)
    return parsed if parsed.latin else None


def _identifiers(party: Party, country: str) -> tuple[Identifier, ...]:
    parsed = [_parsers.identifier(t.value, country, t.scheme.lower()) for t in party.tax_ids]
    return _distinct([number for number in parsed if number])


def _phones(party: Party, country: str) -> tuple[Phone, ...]:
    """Each number once; a mobile is one by its form, or because any source says so."""
    found: dict[int, Phone] = {}
    for text in party.phones:
        for phone in parse_phones(text, country):
            mobile = phone.mobile or text in party.mobiles or _mobile(found.get(phone.national))
            known = phone.mobile == mobile
            found[phone.national] = phone if known else replace(phone, mobile=mobile)
    return tuple(found.values())


def _mobile(phone: Phone | None) -> bool:
    return phone is not None and phone.mobile


def _domains(party: Party, mails: tuple[Mail, ...]) -> tuple[str, ...]:
    site = parse_domain(party.website) if party.website else ""
    own = [mail.domain for mail in mails if not mail.free]
    return _distinct([site, *own] if site else own)


def parse_birth(text: str) -> int:
    """As yyyymmdd a date in any usual form, yyyy0000 of a year, 0 of anything else."""
    if not text:
        return 0
    match = DATE.search(text)
    if match:
        return int(match[1]) * 10000 + int(match[2]) * 100 + int(match[3])
    match = DAY_FIRST.search(text)
    if match:
        return int(match[3]) * 10000 + int(match[2]) * 100 + int(match[1])
    match = YEAR.search(text)
    return int(match[1]) * 10000 if match else 0
