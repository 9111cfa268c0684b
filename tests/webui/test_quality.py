"""Data quality on its page, on a customer's page and in the API."""

import pytest

from sync.service import quality
from tests.webui.browsers import Browser, application


@pytest.fixture
def assessed(fresh):
    fresh.world("crm").create("customers", name="<b>Birke</b>", website="soon!")
    fresh.sync()
    quality.refresh(fresh.hub)
    return fresh


def test_the_page_shows_figures_trend_and_the_list(assessed, browse):
    text = browse("viewer").text("/quality")
    assert "trend-completeness" in text
    assert "website cannot be right" in text
    assert "&lt;b&gt;Birke&lt;/b&gt;" in text
    assert "<b>Birke</b>" not in text
    assert "网址有误" in browse("viewer", "zh").text("/quality")


def test_a_filter_narrows_the_list_and_leads_to_the_record(assessed, browse):
    golden = next(golden for golden in assessed.goldens() if "Birke" in golden.name)
    text = browse("viewer").text("/quality?issue=bad_website")
    assert f"/records/{golden.id}" in text
    assert "Acme" not in text
    assert "Nothing to mend here" in browse("viewer").text("/quality?issue=stale")
    assert "Acme" in browse("viewer").text("/quality?issue=nonsense")
    assert browse("viewer").get("/quality?entity=contact&system=crm&page=9").status_code == 200


def test_a_customers_page_names_what_is_wrong(assessed, browse):
    golden = next(golden for golden in assessed.goldens() if "Birke" in golden.name)
    text = browse("viewer").text(f"/records/{golden.id}")
    assert "website cannot be right: Website" in text
    assert "no phone" in text


def test_an_empty_hub_says_so(bare):
    assert "Nothing to assess yet" in Browser(application(bare), "viewer").text("/quality")


def test_the_api_gives_figures_and_records(assessed, script):
    viewer = script("viewer")
    found = viewer.get("/quality")
    assert found["overall"]["records"] == 2
    assert len(found["days"]) == 1
    rows = viewer.get("/quality/records?issue=bad_website")["rows"]
    assert [row["issues"][-1] for row in rows] == ["bad_website"]
    viewer.get("/quality/records?issue=nonsense", status=409)
