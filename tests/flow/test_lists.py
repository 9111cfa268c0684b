"""Lists of golden records: what a search finds, and how the pages are counted."""

from types import SimpleNamespace

import pytest

from sync.service import records
from sync.store import goldens
from sync.store.session import Database
from sync.store.tables import Base, Golden
from tests.hubs import Clock

CUSTOMERS = [
    {"name": "深圳华天科技有限公司", "emails[work]": "Info@Huatian.example", "stage": "active"},
    {"name": "3M China", "phones[work]": "+862161234567", "stage": "lead"},
    {"name": "Müller & Söhne", "legal_name": "Mueller GmbH", "stage": "active"},
    {"name": "100% Natur_", "identifiers[cn:uscc]": "91350100M000100Y43"},
]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def hub(request, tmp_path):
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'hub.db'}" if sqlite else request.getfixturevalue("pg_hub_url")
    database, clock = Database(url), Clock()
    Base.metadata.create_all(database.engine)
    with database.write() as tx:
        for values in CUSTOMERS:
            golden = Golden(entity="customer", values=values, created_at=clock())
            goldens.describe(golden, clock())
            tx.add(golden)
    yield SimpleNamespace(database=database)
    database.engine.dispose()


def named(page):
    return {row.name for row in page.rows}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("华天", {"深圳华天科技有限公司"}),
        ("MÜLLER", {"Müller & Söhne"}),
        ("gmbh", {"Müller & Söhne"}),
        ("3m", {"3M China"}),
        ("1234567", {"3M China"}),
        ("@huatian", {"深圳华天科技有限公司"}),
        ("info", set()),  # no digit and no @: a name
        ("0%", {"100% Natur_"}),
        ("%", {"100% Natur_"}),
        ("_", {"100% Natur_"}),
        ("00M000100y4", {"100% Natur_"}),
        ("nobody", set()),
    ],
)
def test_a_part_of_a_name_a_number_or_a_mail_is_found(hub, text, found):
    page = records.search(hub, "customer", text=text)
    assert named(page) == found
    assert page.total == len(found)


def test_a_stage_is_found_with_and_without_a_text(hub):
    assert len(records.search(hub, "customer", stage="active").rows) == 2
    both = records.search(hub, "customer", stage="active", text="华")
    assert named(both) == {"深圳华天科技有限公司"}
    assert records.search(hub, "customer", stage="former").total == 0


def test_a_page_behind_the_last_still_knows_the_total(hub):
    page = records.search(hub, "customer", stage="active", page=9)
    assert (page.rows, page.total) == ([], 2)


def test_long_values_leave_room_in_the_index():
    values = {"name": "名" * 300, "legal_name": "法" * 500, "emails[work]": "a@b.example" * 90}
    text = goldens.search_text(values)
    assert len(text) == goldens.LONGEST_SEARCHED
    assert "a@b.example" in text
