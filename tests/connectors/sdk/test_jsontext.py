"""Fast and exact: what one library would change goes through the other."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sdk import jsontext

TEXTS = st.text(st.characters(codec="utf-8")) | st.sampled_from(["\ud800", "a\udfffb", "\0"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=8,
)  # fmt: skip


@given(VALUES)
def test_what_is_written_is_read_as_it_was(value):
    text = jsontext.dumps(value)
    assert jsontext.loads(text) == json.loads(text) == value
    assert jsontext.loads(text.encode()) == value


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**30])
def test_a_whole_number_stays_whole(number):
    found = jsontext.loads(jsontext.dumps({"id": number}))["id"]
    assert (found, type(found)) == (number, int)


@pytest.mark.parametrize(
    "text", ["NaN", "[Infinity]", '{"a": -Infinity}', "", "{", "[1,]", b"\xff"]
)
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError, match=r"\S"):
        jsontext.loads(text)


def test_what_json_has_no_form_for_is_written_as_its_text():
    at = datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert jsontext.dumps([Decimal("1.50"), at]) == '["1.50","2026-03-01 08:00:00+00:00"]'


def test_the_order_of_members_counts_only_where_it_is_asked_for():
    first, second = {"a": 1, "b": 2}, {"b": 2, "a": 1}
    assert jsontext.dumps(first) != jsontext.dumps(second)
    assert jsontext.dumps(first, sort_keys=True) == jsontext.dumps(second, sort_keys=True)
    assert jsontext.dumps("客户") == '"客户"'
