"""The shipped model, and short ways to write parties."""

import pytest

from sync.core.party import Party, PartyAddress, PartyName, TaxId
from sync.flow.match_file import load_matcher


@pytest.fixture(scope="session")
def matcher():
    return load_matcher()


@pytest.fixture
def company():
    def make(name, *, tax=(), mail=(), phone=(), city="", street="", website=""):
        places = (PartyAddress(street=street, city=city),) if street or city else ()
        return Party(
            "company",
            (PartyName(name),),
            emails=tuple(mail),
            phones=tuple(phone),
            addresses=places,
            tax_ids=tuple(TaxId(t) for t in tax),
            website=website,
        )

    return make


@pytest.fixture
def person():
    def make(name, *, mail=(), phone=(), employer="", birth="", city=""):
        places = (PartyAddress(city=city),) if city else ()
        return Party(
            "person",
            (PartyName(name),),
            organisation=employer,
            emails=tuple(mail),
            phones=tuple(phone),
            addresses=places,
            birth_date=birth,
        )

    return make
