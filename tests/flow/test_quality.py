"""Assessments follow what is written; figures and the list come from them."""

import pytest
from sqlalchemy import select

from sync.service import quality
from sync.service.errors import ServiceError
from sync.store import dirty
from sync.store.dirty import BULK
from sync.store.tables import Candidate, Golden, System


@pytest.fixture
def mixed(fixture):
    """Three customers: a good one, one with a phone that cannot be right, a bare one."""
    erp = fixture.world("erp")
    erp.create(
        "customers",
        name="Acme",
        phone="021-55550101",
        email="office@acme.example",
        stage="customer",
        billing_street="1 Road",
        billing_city="上海",
    )
    erp.create("customers", name="Birke", website="soon!")
    erp.create("customers", name="Cobalt")
    fixture.sync()
    quality.refresh(fixture.hub)
    return fixture


def test_only_what_was_written_since_is_assessed_again(mixed):
    assert quality.refresh(mixed.hub) == 0
    record = mixed.world("erp").all("customers")[0]
    mixed.world("erp").edit("customers", record["id"], notes="x")
    mixed.sync()
    assert quality.refresh(mixed.hub) == 1
    mixed.clock.pass_(86_400)
    assert quality.refresh(mixed.hub) == 0


def test_nothing_is_assessed_while_a_bulk_load_is_on_its_way(mixed, monkeypatch):
    monkeypatch.setattr("sync.flow.quality.BUSY", 2)
    for record in mixed.world("erp").all("customers"):
        mixed.world("erp").edit("customers", record["id"], notes="x")
    mixed.sync()
    with mixed.hub.database.write() as tx:
        crm = tx.scalar(select(System.id).where(System.name == "crm"))
        ids = list(tx.scalars(select(Golden.id)))
        dirty.mark(
            tx, [(i, "customer", crm) for i in ids], reason="load", lane=BULK, now=mixed.hub.now()
        )
    assert quality.refresh(mixed.hub) == 0
    mixed.sync()
    assert quality.refresh(mixed.hub) == 3


def test_the_figures_follow_a_correction(mixed):
    before = quality.overall(mixed.hub)
    assert (before.records, before.issues["bad_website"]) == (3, 1)
    assert before.valid == 66.7
    record = next(r for r in mixed.world("erp").all("customers") if r["name"] == "Birke")
    mixed.world("erp").edit("customers", record["id"], website="https://birke.example")
    mixed.sync()
    quality.refresh(mixed.hub)
    after = quality.overall(mixed.hub)
    assert after.valid == 100.0
    assert "bad_website" not in after.issues


def test_the_list_shows_the_least_complete_first_and_is_filtered(mixed):
    names = [row.name for row in quality.worklist(mixed.hub).rows]
    assert names[-1] == "Acme"
    wrong = quality.worklist(mixed.hub, issue="bad_website").rows
    assert [row.name for row in wrong] == ["Birke"]
    assert [row.name for row in quality.worklist(mixed.hub, issue="invalid").rows] == ["Birke"]
    assert len(quality.worklist(mixed.hub, issue="no_mail", system="crm").rows) == 2
    with pytest.raises(ServiceError) as refused:
        quality.worklist(mixed.hub, issue="no_such")
    assert refused.value.code == "no_issue"


def test_a_year_without_a_word_makes_a_record_stale(mixed):
    assert quality.overall(mixed.hub).fresh == 100.0
    mixed.clock.pass_(366 * 86_400)
    quality.refresh(mixed.hub)
    assert quality.overall(mixed.hub).fresh == 0.0
    assert len(quality.worklist(mixed.hub, issue="stale").rows) == 3


def test_suspected_duplicates_are_counted_and_listed(mixed):
    first, second, _ = (golden.id for golden in mixed.goldens())
    with mixed.hub.database.write() as tx:
        tx.add(Candidate(first_id=first, second_id=second, score=3.0, created_at=mixed.hub.now()))
    assert quality.overall(mixed.hub).duplicates == 2
    rows = quality.worklist(mixed.hub, issue="duplicate").rows
    assert {row.golden_id for row in rows} == {first, second}
    assert all(row.is_suspect for row in rows)


def test_a_record_that_is_gone_is_not_counted(mixed):
    golden = mixed.goldens()[0]
    with mixed.hub.database.write() as tx:
        row = tx.get_one(type(golden), golden.id)
        row.state, row.updated_at = "deleted", mixed.hub.now()
    quality.refresh(mixed.hub)
    assert quality.overall(mixed.hub).records == 2


def test_each_day_keeps_its_last_figures(mixed):
    for _ in range(3):
        mixed.clock.pass_(86_400)
        quality.refresh(mixed.hub)
    days = quality.trend(mixed.hub)
    assert len(days) == 4
    assert [day.overall.records for day in days] == [3, 3, 3, 3]
    assert days == sorted(days, key=lambda day: day.day)


def test_one_record_is_judged_as_it_is_now(mixed):
    golden = next(golden for golden in mixed.goldens() if golden.name == "Birke")
    found = quality.of_record(mixed.hub, golden.id)
    assert found.wrong == (("bad_website", "website"),)
    assert "no_mail" in found.missing
    assert quality.of_record(mixed.hub, "nobody") is None
