"""Survivorship of two golden records, and how later edits are shared out when they come apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.policy import FieldPolicy, PolicySet
from sync.core.unify import Record, come_apart, known_by_merge, survive, with_blanks, without_self


def record(values, at="2026-03-01T08:00:00+00:00", system="crm"):
    source = {"system": system, "kind": "memory", "object": "customers", "remote_id": "1", "at": at}
    return Record(values, dict.fromkeys(values, source))


EARLY, LATE = "2026-03-01T08:00:00+00:00", "2026-03-02T08:00:00+00:00"


@pytest.mark.parametrize(
    ("policy", "ours", "theirs", "kept", "rule"),
    [
        ({}, record({"name": "A"}, EARLY), record({"name": "B"}, LATE), "B", "latest"),
        ({}, record({"name": "A"}, LATE), record({"name": "B"}, EARLY), "A", "latest"),
        ({}, record({"name": "A"}, EARLY), record({"name": "B"}, EARLY), "A", "latest"),
        ({}, record({"name": None}), record({"name": "B"}), "B", "only_value"),
        ({}, record({"name": "A"}), record({}), "A", "only_value"),
        ({"rule": "longest"}, record({"name": "A"}), record({"name": "Bb"}), "Bb", "longest"),
        (
            {"rule": "manual"},
            record({"name": "A"}, EARLY),
            record({"name": "B"}, LATE),
            "A",
            "manual",
        ),
        (
            {"rule": "priority", "systems": ("erp",)},
            record({"name": "A"}, LATE),
            record({"name": "B"}, EARLY, "erp"),
            "B",
            "priority",
        ),
    ],
)
def test_the_same_policies_decide_as_in_sync(policy, ours, theirs, kept, rule):
    policies = PolicySet(default=FieldPolicy(**policy))
    out = survive("customer", ours, theirs, policies=policies)
    assert out.values["name"] == kept
    assert out.choices[0].rule == rule


def test_a_group_is_taken_whole_from_one_side():
    ours = record(
        {"addresses[billing].street": "Old 1", "addresses[billing].district": "East"}, EARLY
    )
    theirs = record({"addresses[billing].street": "New 2", "addresses[billing].city": "Ulm"}, LATE)
    out = survive("customer", ours, theirs, policies=PolicySet())
    assert out.values == {
        "addresses[billing].street": "New 2",
        "addresses[billing].district": None,
        "addresses[billing].city": "Ulm",
    }


def test_a_value_that_only_the_refused_side_of_a_group_had_is_emptied():
    ours = record({"addresses[billing].street": "New 2"}, LATE)
    theirs = record({"addresses[billing].street": "Old 1", "addresses[billing].city": "Ulm"}, EARLY)
    out = survive("customer", ours, theirs, policies=PolicySet())
    assert out.values["addresses[billing].city"] is None
    assert {(o.path, o.refused) for o in out.overruled} == {
        ("addresses[billing].street", "Old 1"),
        ("addresses[billing].city", "Ulm"),
    }


def test_sets_keep_all_members_unless_a_person_says_otherwise():
    ours, theirs = record({"tags": ["a", "b"]}), record({"tags": ["b", "c"]})
    out = survive("customer", ours, theirs, policies=PolicySet())
    assert out.values["tags"] == ["a", "b", "c"]
    out = survive("customer", ours, theirs, policies=PolicySet(), overrides={"tags": "loser"})
    assert out.values["tags"] == ["b", "c"]
    assert out.choices[0].rule == "chosen"


def test_an_override_wins_over_the_policy():
    ours, theirs = record({"name": "A"}, EARLY), record({"name": "B"}, LATE)
    out = survive("customer", ours, theirs, policies=PolicySet(), overrides={"name": "winner"})
    assert out.values["name"] == "A"
    assert [(o.path, o.refused, o.rule) for o in out.overruled] == [("name", "B", "chosen")]


def apart(now, merged, winner, loser, own=()):
    return come_apart(
        "customer",
        now,
        merged=merged,
        winner=record(winner),
        loser=record(loser),
        own=set(own),
        policies=PolicySet(),
    )


def test_a_later_edit_stays_with_the_winner_unless_it_came_from_the_losers_record():
    merged = {"name": "B"}
    now = record({"name": "B", "notes": "later"})
    out = apart(now, merged, {"name": "A"}, {"name": "B"})
    assert (out.winner, out.loser) == ({"name": "A", "notes": "later"}, {"name": "B"})
    out = apart(now, merged, {"name": "A"}, {"name": "B"}, [("crm", "customers", "1")])
    assert (out.winner, out.loser) == ({"name": "A"}, {"name": "B", "notes": "later"})


def test_of_a_set_only_what_came_or_went_is_carried():
    now = record({"tags": ["a", "c", "new"]})
    out = apart(now, {"tags": ["a", "b", "c"]}, {"tags": ["a", "b"]}, {"tags": ["c"]})
    assert out.winner["tags"] == ["a", "new"]
    assert out.loser["tags"] == ["c"]


def test_only_what_the_merge_brought_is_emptied():
    values = with_blanks({"name": "A"}, {"name": "A", "notes": "B's"}, [{"notes": "B's", "fax": 1}])
    assert values == {"name": "A", "notes": None}


def test_what_came_with_the_other_and_was_emptied_meanwhile_goes_too():
    values = with_blanks({"name": "A"}, {"name": "A", "notes": None}, [{"notes": "typed as one"}])
    assert values == {"name": "A", "notes": None}


def test_what_a_remote_merge_filled_in_is_no_edit():
    after, before, other = {"fax": "1", "name": "X"}, {"name": "A"}, {"fax": "1", "name": "B"}
    assert known_by_merge(after, before, other) == {"fax": "1"}


def test_no_record_becomes_its_own_parent():
    assert without_self({"parent": "b", "name": "A"}, {"a", "b"}) == {"parent": None, "name": "A"}


PATHS = ("name", "notes", "phones[work]", "addresses[billing].city", "addresses[billing].street")
VALUES = st.dictionaries(
    st.sampled_from(PATHS), st.sampled_from(["x", "y", "z"]), max_size=len(PATHS)
)
TAGS = st.none() | st.lists(st.sampled_from("abc"), unique=True, min_size=1).map(sorted)


@st.composite
def records(draw):
    values = dict(draw(VALUES))
    tags = draw(TAGS)
    if tags:
        values["tags"] = tags
    return record(values, draw(st.sampled_from([EARLY, LATE])))


@given(records(), records())
def test_no_value_is_lost_without_a_line_in_the_history(ours, theirs):
    out = survive("customer", ours, theirs, policies=PolicySet())
    told = {(c.path, str(c.old)) for c in out.changes}
    told |= {(o.path, str(o.refused)) for o in out.overruled}
    for side in (ours, theirs):
        for path, value in side.values.items():
            kept = out.values.get(path)
            held = set(value) <= set(kept or ()) if isinstance(value, list) else kept == value
            assert held or (path, str(value)) in told


@given(records(), records())
def test_coming_apart_at_once_restores_both_sides_exactly(ours, theirs):
    merged = survive("customer", ours, theirs, policies=PolicySet())
    now = Record(merged.values, merged.provenance)
    out = come_apart(
        "customer",
        now,
        merged=merged.values,
        winner=ours,
        loser=theirs,
        own=set(),
        policies=PolicySet(),
    )
    assert (out.winner, out.loser) == (dict(ours.values), dict(theirs.values))
    assert (out.winner_provenance, out.loser_provenance) == (
        dict(ours.provenance),
        dict(theirs.provenance),
    )
