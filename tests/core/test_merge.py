"""Three-way merge: tables of what moved where, and what has to come of it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.merge import Base, is_rendering, merge_fields
from sync.core.policy import PolicySet, Side

EARLY = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
LATE = EARLY + timedelta(seconds=10)
POLICIES = PolicySet.model_validate(
    {
        "version": 1,
        "fields": [
            {"path": "notes", "rule": "latest", "blanks": True},
            {"path": "industry", "rule": "priority", "systems": ["crm", "erp"]},
            {"path": "credit_limit", "rule": "source_of_record", "systems": ["erp"],
             "blanks": True},
            {"path": "legal_name", "rule": "longest"},
            {"path": "stage", "rule": "furthest"},
            {"path": "owner", "rule": "manual"},
            {"path": "phones[*", "rule": "latest", "together": True},
        ],
    }
)  # fmt: skip


def merged(golden, incoming, shadow=None, pushed=None, pushing=None, **more):
    """What comes of `incoming`, brought by `system` at LATE; golden values came at EARLY."""
    system = more.pop("system", "crm")
    by = more.pop("by", "erp")
    sources = more.pop("sources", None) or {
        path: {"system": by, "kind": by, "at": EARLY.isoformat()} for path in golden
    }
    return merge_fields(
        "customer", golden, incoming, Base(shadow or {}, pushed or {}, pushing),
        policies=more.pop("policies", POLICIES),
        side=Side(system, system, more.pop("at", LATE)), sources=sources, **more,
    )  # fmt: skip


def new_values(result):
    return {change.path: change.new for change in result.changes}


# -- what moved -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("golden", "shadow", "pushed", "incoming", "wanted"),
    [
        ("a", "a", None, "a", None),  # nothing
        ("a", "a", None, "b", "b"),  # only the remote
        ("b", "a", None, "a", None),  # only the hub: nothing comes in, dispatch writes
        ("b", "a", None, "b", None),  # both, to the same
        ("long", "lo", "long", "lo", None),  # an echo of a lossy system
        ("long", "lo", "long", "new", "new"),  # an edit in a lossy system is no conflict
        ("longer", "lo", "long", "lo", None),  # the hub moved, its copy did not
        (None, None, None, "a", "a"),  # a first value
    ],
)
def test_a_value_comes_in_only_where_the_remote_moved(golden, shadow, pushed, incoming, wanted):
    told = {} if pushed is None else {"name": pushed}
    result = merged({"name": golden}, {"name": incoming}, {"name": shadow}, told)
    assert new_values(result) == ({} if wanted is None else {"name": wanted})
    assert result.conflicts == []
    assert result.shadow == {"name": incoming}


def test_both_moved_to_different_values_is_a_conflict_with_all_three_sides():
    result = merged({"name": "ours"}, {"name": "theirs"}, {"name": "base"})
    (conflict,) = result.conflicts
    assert conflict.base == {"name": "base"}
    assert conflict.ours == {"name": "ours"}
    assert conflict.theirs == {"name": "theirs"}
    assert not conflict.open
    assert new_values(result) == {"name": "theirs"}  # the later one


def test_a_moved_shadow_forgets_what_was_pushed_there():
    result = merged({"name": "long", "website": "w"}, {"name": "x", "website": "w"},
                    {"name": "lo", "website": "w"}, {"name": "long", "website": "w"})  # fmt: skip
    assert result.pushed == {"website": "w"}


def test_a_path_that_the_record_does_not_name_says_nothing():
    result = merged({"name": "a", "website": "w"}, {"name": "a"}, {"name": "a", "website": "w"})
    assert result.changes == []
    assert result.shadow["website"] == "w"


def test_what_a_system_may_not_bring_in_is_only_noted():
    result = merged({"name": "a"}, {"name": "b"}, {"name": "a"}, observed=["name"])
    assert result.changes == []
    assert result.overruled == []
    assert result.shadow == {"name": "b"}


# -- fresh links ------------------------------------------------------------------------------
def test_a_fresh_link_is_decided_but_not_disputed():
    result = merged({"name": "ours"}, {"name": "theirs"})
    assert result.conflicts == []
    assert new_values(result) == {"name": "theirs"}


def test_a_fresh_link_keeps_a_refused_value_in_the_log():
    result = merged({"name": "ours"}, {"name": "theirs"}, at=EARLY - timedelta(seconds=1))
    assert result.changes == []
    assert [(o.path, o.kept, o.refused) for o in result.overruled] == [("name", "ours", "theirs")]


def test_what_is_empty_in_a_fresh_record_takes_nothing_away():
    assert merged({"notes": "n"}, {"notes": None}).changes == []


# -- blanks -----------------------------------------------------------------------------------
def test_a_blank_never_overwrites_a_value_and_is_logged():
    result = merged({"name": "a"}, {"name": None}, {"name": "a"})
    assert result.changes == []
    assert [o.rule for o in result.overruled] == ["blank"]


def test_a_blank_counts_where_the_policy_says_so():
    assert new_values(merged({"notes": "a"}, {"notes": None}, {"notes": "a"})) == {"notes": None}


def test_a_later_clearing_stands_against_an_earlier_edit():
    sources = {"notes": {"system": "hub", "kind": "hub", "at": LATE.isoformat()}}
    result = merged({"notes": None}, {"notes": "b"}, {"notes": "a"}, sources=sources, at=EARLY)
    assert result.changes == []
    assert len(result.conflicts) == 1


def test_an_empty_field_takes_what_comes_where_blanks_do_not_count():
    assert new_values(merged({"name": None}, {"name": "b"}, {"name": "a"})) == {"name": "b"}


# -- policies -----------------------------------------------------------------------------------
def test_the_source_of_record_may_not_be_overwritten_by_another_system():
    result = merged({"credit_limit": "5"}, {"credit_limit": "9"}, {"credit_limit": "5"})
    assert result.changes == []
    assert [o.rule for o in result.overruled] == ["source_of_record"]


def test_the_source_of_record_overwrites_and_clears():
    held = {"credit_limit": "5"}
    won = merged({"credit_limit": "9"}, {"credit_limit": "7"}, held, system="erp", by="crm")
    assert new_values(won) == {"credit_limit": "7"}
    cleared = merged(held, {"credit_limit": None}, held, system="erp")
    assert new_values(cleared) == {"credit_limit": None}


def test_what_the_source_of_record_cleared_is_not_filled_by_others():
    sources = {"credit_limit": {"system": "erp", "kind": "erp", "at": EARLY.isoformat()}}
    result = merged({"credit_limit": None}, {"credit_limit": "9"}, {"credit_limit": None},
                    sources=sources)  # fmt: skip
    assert result.changes == []
    assert len(result.overruled) == 1


def test_what_a_person_made_of_the_owners_value_is_not_for_others_to_overrule():
    for of_record, left in ((True, {}), (False, {"credit_limit": "9"})):
        hub = {"system": "hub", "kind": "hub", "at": EARLY.isoformat(), "of_record": of_record}
        result = merged({"credit_limit": "5"}, {"credit_limit": "9"}, {"credit_limit": "4"},
                        sources={"credit_limit": hub}, at=LATE)  # fmt: skip
        assert new_values(result) == left


def test_a_field_that_the_source_of_record_never_filled_takes_what_others_know():
    assert new_values(merged({}, {"credit_limit": "9"})) == {"credit_limit": "9"}


def test_priority_goes_by_rank_not_by_time():
    both = ({"industry": "a"}, {"industry": "b"}, {"industry": "x"})
    assert new_values(merged(*both, system="crm", by="erp", at=EARLY)) == {"industry": "b"}
    assert merged(*both, system="erp", by="crm").changes == []


def test_a_single_mover_wins_whatever_its_rank():
    result = merged({"industry": "a"}, {"industry": "b"}, {"industry": "a"}, system="mail",
                    by="crm")  # fmt: skip
    assert new_values(result) == {"industry": "b"}


def test_longest_and_furthest_decide_by_the_values():
    longest = merged({"legal_name": "abc"}, {"legal_name": "abcd"}, {"legal_name": "x"}, at=EARLY)
    assert new_values(longest) == {"legal_name": "abcd"}
    back = merged({"stage": "customer"}, {"stage": "lead"}, {"stage": "prospect"})
    assert back.changes == []


def test_manual_keeps_the_golden_value_and_asks():
    result = merged({"owner": "a"}, {"owner": "b"}, {"owner": "x"})
    assert result.changes == []
    assert [c.open for c in result.conflicts] == [True]
    assert len(result.overruled) == 1


# -- groups -------------------------------------------------------------------------------------
STREET, CITY = "addresses[billing].street", "addresses[billing].city"


def test_the_parts_of_an_address_are_decided_as_one():
    result = merged({STREET: "new", CITY: "c"}, {STREET: "s", CITY: "d"}, {STREET: "s", CITY: "c"})
    (conflict,) = result.conflicts
    assert set(conflict.theirs) == {STREET, CITY}
    assert new_values(result) == {STREET: "s", CITY: "d"}


def test_an_edit_of_one_part_does_not_bring_back_a_short_copy_of_another():
    long = "a very long street name"
    result = merged(
        {STREET: long, CITY: "c"}, {STREET: "a very l", CITY: "d"},
        {STREET: "a very l", CITY: "c"}, {STREET: long, CITY: "c"},
    )  # fmt: skip
    assert new_values(result) == {CITY: "d"}


def test_a_declared_group_is_decided_as_one():
    golden = {"phones[work]": "2", "phones[mobile]": "1"}
    base = {"phones[work]": "1", "phones[mobile]": "1"}
    result = merged(golden, {"phones[work]": "1", "phones[mobile]": "3"}, base)
    assert [set(c.theirs) for c in result.conflicts] == [set(golden)]


# -- sets ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("golden", "base", "incoming", "wanted"),
    [
        (["a"], ["a"], ["a", "b"], ["a", "b"]),  # one added
        (["a", "b"], ["a", "b"], ["b"], ["b"]),  # one removed
        (["a", "c"], ["a"], ["a", "b"], ["a", "b", "c"]),  # each side added one
        (["b"], ["a", "b"], ["a", "b", "c"], ["b", "c"]),  # one removed here, one added there
        (["a"], [], ["b"], ["a", "b"]),  # a fresh link: both
    ],
)
def test_sets_merge_member_by_member(golden, base, incoming, wanted):
    shadow = {"tags": base} if base else {}
    result = merged({"tags": golden}, {"tags": incoming}, shadow, sets=["tags"])
    assert new_values(result).get("tags", golden) == wanted


# -- writes whose answer was lost ---------------------------------------------------------------
def test_a_lost_write_that_shows_is_no_edit():
    result = merged({"name": "new"}, {"name": "new"}, {"name": "old"}, pushing={"name": "new"})
    assert result.changes == []
    assert result.conflicts == []
    assert result.pushed == {"name": "new"}
    assert result.pushing == {}
    assert result.arrived == {"name": "new"}


def test_a_lost_write_that_shows_in_a_short_form_is_no_edit():
    result = merged({"name": "new long"}, {"name": "new"}, {"name": "old"},
                    pushing={"name": "new long"})  # fmt: skip
    assert result.changes == []
    assert result.conflicts == []
    assert result.pushed == {"name": "new long"}
    assert result.shadow == {"name": "new"}
    assert [o.refused for o in result.overruled] == ["new"]  # had a person typed it, it is noted


def test_a_lost_write_that_does_not_show_may_still_be_on_its_way():
    result = merged({"name": "new"}, {"name": "old"}, {"name": "old"}, pushing={"name": "new"})
    assert result.pushing == {"name": "new"}
    assert result.changes == []


def test_an_edit_over_a_lost_write_is_an_edit():
    result = merged({"name": "new"}, {"name": "typed"}, {"name": "old"}, pushing={"name": "new"})
    assert result.pushing == {}
    assert len(result.conflicts) == 1


@pytest.mark.parametrize(
    ("sent", "held", "wanted"),
    [
        ("Acme Limited", "Acme Li", True),
        ("+8613800000000", "+86 138-0000-0000", True),
        ("北方机械有限公司", "北方", True),
        ("Acme", "ACME", True),
        ("Acme", "Acmes", False),
        ("Acme", "", False),
        ("12", 12, False),
        (None, None, True),
        ("a", None, False),
    ],
)
def test_renderings(sent, held, wanted):
    assert is_rendering(sent, held) is wanted


# -- properties -----------------------------------------------------------------------------------
VALUES = st.sampled_from([None, "a", "ab", "abc", "b", "bc"])
PATHS = ("name", "notes", "industry", "credit_limit", "legal_name", "owner", STREET, CITY)
RECORDS = st.fixed_dictionaries(dict.fromkeys(PATHS, VALUES))


@given(golden=RECORDS, incoming=RECORDS, shadow=RECORDS, pushed=RECORDS)
def test_nothing_that_the_remote_typed_vanishes(golden, incoming, shadow, pushed):
    """What moved there is golden, equals what is golden already, or stands in the log."""
    result = merged(golden, incoming, shadow, pushed)
    after = {**golden, **new_values(result)}
    refused = {(o.path, o.refused) for o in result.overruled}
    for path in PATHS:
        if incoming[path] == shadow[path]:
            continue
        assert after[path] == incoming[path] or (path, incoming[path]) in refused


@given(golden=RECORDS, incoming=RECORDS, shadow=RECORDS, pushed=RECORDS)
def test_every_change_is_explained_and_new(golden, incoming, shadow, pushed):
    for change in merged(golden, incoming, shadow, pushed).changes:
        assert change.old == golden[change.path] != change.new
        assert change.rule


@given(golden=RECORDS, incoming=RECORDS, shadow=RECORDS, pushed=RECORDS)
def test_seeing_the_same_record_again_changes_nothing(golden, incoming, shadow, pushed):
    first = merged(golden, incoming, shadow, pushed)
    after = {**golden, **new_values(first)}
    again = merged(after, incoming, first.shadow, first.pushed)
    assert again.changes == []
    assert again.overruled == []
    assert again.conflicts == []


@given(golden=RECORDS, pushed=RECORDS)
def test_an_echo_changes_nothing(golden, pushed):
    result = merged(golden, golden, golden, pushed)
    assert result.changes == []
    assert result.overruled == []
    assert result.conflicts == []
