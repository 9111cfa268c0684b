"""What has to be written so that a system agrees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.writeset import fields_to_write


@pytest.mark.parametrize(
    ("golden", "expected", "shadow", "pushed", "written"),
    [
        ("a", "a", "a", None, False),  # agrees
        ("b", "b", "a", None, True),  # differs
        ("long", "long", "lo", "long", False),  # told once, kept short: accepted
        ("longer", "longer", "lo", "long", True),  # told again when there is something new
        (None, None, "a", None, True),  # cleared
        (None, None, None, None, False),
        ("a", "A", "A", None, False),  # the projection reads back as what is there
    ],
)
def test_a_field_is_written_once_for_each_thing_to_say(golden, expected, shadow, pushed, written):
    told = {} if pushed is None else {"name": pushed}
    found = fields_to_write(
        {"name": golden}, {"name": expected}, {"name": shadow}, told, paths=["name"]
    )
    assert found == (["name"] if written else [])


def test_a_record_that_was_never_seen_is_written():
    assert fields_to_write({"name": "a"}, {"name": "a"}, {}, {}, paths=["name"]) == ["name"]


def test_what_cannot_be_read_back_is_told_once():
    assert fields_to_write({"x": "a"}, {}, {}, {}, paths=["x"]) == ["x"]
    assert fields_to_write({"x": "a"}, {}, {}, {"x": "a"}, paths=["x"]) == []


def test_a_disputed_field_waits_and_an_unknown_one_is_not_made_up():
    golden = {"name": "a", "owner": "b"}
    found = fields_to_write(
        golden, golden, {}, {}, paths=["name", "owner", "notes"], held={"owner"}
    )
    assert found == ["name"]


VALUES = st.dictionaries(st.sampled_from("abc"), st.sampled_from([None, "x", "xy"]), min_size=3)


@given(golden=VALUES, shadow=VALUES)
def test_nothing_is_written_twice(golden, shadow):
    """After a write, whatever the system made of it, there is nothing more to say."""
    first = fields_to_write(golden, golden, shadow, {}, paths="abc")
    lossy = {**shadow, **{path: (golden[path] or "")[:1] or None for path in first}}
    pushed = {path: golden[path] for path in first}
    assert fields_to_write(golden, golden, lossy, pushed, paths="abc") == []
