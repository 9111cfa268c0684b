"""The parts of the ERP launcher that need no ERP."""

import io
from decimal import Decimal

import pytest
from stdnum.cn import uscc

from sandbox.tryton import customers, places, samples
from sandbox.tryton.commerce import line_worth
from sandbox.tryton.progress import LINE, Progress, Span


def test_all_provinces_of_china_are_known_with_their_kind():
    kinds = places.SUBDIVISIONS["CN"]
    assert sum(len(names) for names in kinds.values()) == 34
    assert kinds["province"]["TW"] == "台湾省"
    assert kinds["special administrative region"] == {
        "HK": "香港特别行政区",
        "MO": "澳门特别行政区",
    }
    assert len(kinds["municipality"]) == 4
    assert len(kinds["autonomous region"]) == 5


def test_countries_have_distinct_codes():
    rows = places.country_rows()
    for key in ("code", "code3", "code_numeric"):
        assert len({row[key] for row in rows}) == len(rows)
    assert {"CN", "US", "DE", "FR", "GB", "JP", "SG", "HK"} <= places.COUNTRIES.keys()


def test_sample_customers_are_the_same_every_time_and_carry_valid_numbers():
    first = samples.customers(50)
    assert samples.customers(50) == first
    assert len({row["code"] for row in first}) == len({row["name"] for row in first}) == 50
    assert all(uscc.is_valid(row["tax_id"]) for row in first)
    assert all(row["region"].split("-")[1] for row in first)


def test_progress_only_grows_and_can_be_read_by_a_program():
    out = io.StringIO()
    progress = Progress(out)
    Span(progress, "schema", 20, 60).show(0.5, "half of it")
    Span(progress, "settings", 0, 10).show(1.0, "earlier in percent, later in time")
    lines = [LINE.match(line) for line in out.getvalue().splitlines()]
    assert [(line["percent"], line["step"]) for line in lines] == [
        ("40", "schema"),
        ("40", "settings"),
    ]


def test_a_customer_without_a_code_keeps_the_one_it_gets():
    entry = {"name": "甲公司", "phone": "1"}
    assert customers.code_of(entry) == customers.code_of(dict(reversed(entry.items())))
    assert customers.code_of(entry) != customers.code_of({"name": "乙公司", "phone": "1"})
    assert customers.code_of({"name": "甲公司", "code": 17}) == "17"


@pytest.mark.parametrize(
    ("number", "country", "expected"),
    [
        ("13800138000", "CN", "+86 138 0013 8000"),
        ("(408) 555-0134", "US", "+1 408-555-0134"),
        ("+49 30 123456", "CN", "+49 30 123456"),
        ("12", "CN", "12"),
        ("call me", "CN", "call me"),
        ("", "CN", ""),
    ],
)
def test_national_numbers_get_their_country_and_odd_ones_stay_for_the_erp_to_judge(
    number, country, expected
):
    assert customers._international(number, country) == expected


@pytest.mark.parametrize("content", [{}, ["x"], [{"code": "A"}], [{"name": " "}]])
def test_a_seed_file_of_another_shape_is_refused(content):
    with pytest.raises(customers.SeedError):
        customers.check_entries(content)


def test_a_line_is_worth_its_amount():
    line = line_worth(Decimal(300), Decimal(7), "W")
    assert line.unit_price == Decimal("42.8571")
    assert round(line.unit_price * line.quantity, 2) == Decimal("300.00")
