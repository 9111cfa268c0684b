"""Who wins: policies and the units they decide about."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from sync.core.policy import FieldPolicy, PolicySet, Side, owns, prefers_theirs

T = [datetime(2026, 3, 1, hour, tzinfo=UTC) for hour in range(3)]


def source(system, hour):
    return {"system": system, "kind": f"kind of {system}", "at": T[hour].isoformat()}


@pytest.mark.parametrize(
    ("path", "unit", "rule"),
    [
        ("name", "name", "longest"),
        ("addresses[billing].city", "addresses[billing]", "latest"),
        ("phones[work]", "phones[*", "priority"),
        ("phones[mobile]", "phones[*", "priority"),
        ("emails[work]", "emails[work]", "manual"),
        ("unknown", "unknown", "latest"),
    ],
)
def test_the_first_line_that_matches_decides(path, unit, rule):
    policies = PolicySet.model_validate(
        {
            "fields": [
                {"path": "phones[*", "rule": "priority", "together": True},
                {"path": "name", "entity": "contact", "rule": "manual"},
                {"path": "name", "rule": "longest"},
                {"path": "emails[work]", "rule": "manual"},
                {"path": "emails[*", "rule": "latest"},
            ]
        }
    )
    found, policy = policies.unit("customer", path)
    assert (found, policy.rule) == (unit, rule)


def test_a_line_for_one_entity_does_not_touch_another():
    policies = PolicySet.model_validate(
        {"fields": [{"path": "name", "entity": "contact", "rule": "manual"}]}
    )
    assert policies.unit("contact", "name")[1].rule == "manual"
    assert policies.unit("customer", "name")[1].rule == "latest"


@pytest.mark.parametrize("wrong", [{"rule": "newest"}, {"rule": "latest", "system": "crm"}])
def test_a_misspelt_policy_is_refused(wrong):
    with pytest.raises(ValidationError):
        PolicySet.model_validate({"fields": [{"path": "name", **wrong}]})


@pytest.mark.parametrize(
    ("ours", "theirs", "wins"), [(0, 1, True), (1, 0, False), (1, 1, False), (0, None, False)]
)
def test_latest_goes_by_the_time_of_the_change(ours, theirs, wins):
    side = Side("crm", "x", None if theirs is None else T[theirs])
    assert prefers_theirs(FieldPolicy(), ["a"], ["b"], [source("erp", ours)], side) is wins


@pytest.mark.parametrize(
    ("ours", "whole", "wins"), [(118, True, True), (118, False, False), (1118, True, False)]
)
def test_a_time_of_whole_seconds_is_any_moment_of_its_second(ours, whole, wins):
    known = {"at": (T[1] + timedelta(milliseconds=ours)).isoformat()}
    side = Side("crm", "x", T[1], whole=whole)
    assert prefers_theirs(FieldPolicy(), ["a"], ["b"], [known], side) is wins


def test_latest_compares_with_the_newest_part_of_a_group():
    sources = [source("erp", 0), source("erp", 2)]
    assert not prefers_theirs(FieldPolicy(), ["a"], ["b"], sources, Side("crm", "x", T[1]))


def test_a_value_without_a_time_gives_way():
    assert prefers_theirs(FieldPolicy(), ["a"], ["b"], [{}], Side("crm", "x", T[0]))


@pytest.mark.parametrize(
    ("from_system", "by_system", "wins"),
    [("erp", "crm", True), ("crm", "erp", False), ("mail", "erp", True), ("erp", "mail", False)],
)
def test_priority_goes_by_the_order_of_systems(from_system, by_system, wins):
    policy = FieldPolicy(rule="priority", systems=("crm", "erp"))
    side = Side(by_system, "x", T[0])
    assert prefers_theirs(policy, ["a"], ["b"], [source(from_system, 2)], side) is wins


def test_equal_ranks_go_by_time():
    policy = FieldPolicy(rule="priority", systems=("crm",))
    assert prefers_theirs(policy, ["a"], ["b"], [source("mail", 0)], Side("form", "x", T[1]))


def test_a_system_is_named_by_its_name_or_its_kind():
    policy = FieldPolicy(rule="source_of_record", systems=("kind of erp", "crm"))
    assert owns(policy, "erp", "kind of erp")
    assert not owns(policy, "crm", "other")
    assert not owns(FieldPolicy(rule="source_of_record"), "erp", "x")


@pytest.mark.parametrize(
    ("rule", "ours", "theirs", "wins"),
    [
        ("longest", ["ab"], ["abc"], True),
        ("longest", ["ab"], ["cd"], False),
        ("longest", [None], ["a"], True),
        ("furthest", ["lead"], ["customer"], True),
        ("furthest", ["former"], ["customer"], False),
        ("furthest", ["no stage"], ["lead"], True),
    ],
)
def test_rules_about_the_values_themselves(rule, ours, theirs, wins):
    policy = FieldPolicy(rule=rule)
    assert prefers_theirs(policy, ours, theirs, [source("erp", 2)], Side("crm", "x", T[0])) is wins
