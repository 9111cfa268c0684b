"""Canonicalise, project and what should come back."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping import paths
from mapping.engine import (
    canonicalise,
    expected,
    hub_key,
    modified_at,
    moved_to,
    project,
    reads,
    remote_id,
    revision,
    wanted,
)
from mapping.errors import UnmappableValue
from mapping.paths import ABSENT
from mapping.program import getter
from mapping.spec import MappingSpec


def spec_of(*fields, **others):
    head = {"version": 1, "entity": "customer", "object": "Accounts", "id": "id"}
    return MappingSpec.model_validate(head | others | {"fields": fields})


ACCOUNTS = spec_of(
    {"canonical": "name", "native": "Account_Name", "in": ["trim"]},
    {"canonical": "phones[work]", "native": "Phone", "in": [{"phone": {"region": "CN"}}]},
    {"canonical": "addresses[billing].street", "native": ["S1", "S2"], "in": [{"join": "\n"}]},
    {"canonical": "addresses[billing].country", "native": "C", "in": [{"country": "name_zh"}]},
    {"canonical": "stage", "native": "T", "in": [{"lookup": {"A": "customer", "B": "lead"}}]},
    {"canonical": "tags", "native": "Tag", "in": [{"tags": {"key": "name"}}]},
    {"canonical": "blocked", "native": "active", "in": [{"boolean": {"inverted": True}}]},
    {"canonical": "parent", "native": "Parent", "in": [{"reference": "id"}]},
    {"canonical": "owner", "native": "Owner.email", "direction": "in"},
    {"canonical": "notes", "native": "D", "out": [{"cut": 10}]},
    {
        "canonical": "credit_limit",
        "native": "Limit",
        "direction": "out",
        "in": [{"decimal": {"style": "number"}}],
    },
    {"canonical": "number", "native": "No", "direction": "out", "on_create_only": True},
    {"canonical": "kind", "const": "organisation"},
    {"native": "Layout", "const": "Standard"},
)
NATIVE = {
    "id": 7,
    "Account_Name": " 深圳华强 ",
    "Phone": "0755-2345 6789",
    "S1": "华强北路 1 号",
    "S2": None,
    "C": "中国",
    "T": "A",
    "Tag": [{"name": "乙"}, {"name": "甲"}, {"name": "乙"}],
    "active": 1,
    "Parent": {"id": "9", "name": "x"},
    "Owner": {"email": "a@example.com"},
    "D": "",
    "Limit": 12.50,
}
VALUES = {
    "kind": "organisation",
    "name": "深圳华强",
    "phones[work]": "+8675523456789",
    "addresses[billing].street": "华强北路 1 号",
    "addresses[billing].country": "CN",
    "stage": "customer",
    "tags": ["乙", "甲"],
    "blocked": False,
    "parent": "9",
    "owner": "a@example.com",
    "notes": None,
    "credit_limit": "12.5",
}


def test_a_native_record_becomes_normal_forms_with_observed_paths():
    assert canonicalise(ACCOUNTS, NATIVE) == VALUES


def test_a_record_is_projected_to_native_fields():
    assert project(ACCOUNTS, VALUES | {"number": "K1"}) == {
        "Account_Name": "深圳华强",
        "Phone": "+8675523456789",
        "S1": "华强北路 1 号",
        "S2": None,
        "C": "中国",
        "T": "A",
        "Tag": [{"name": "乙"}, {"name": "甲"}],
        "active": True,
        "Parent": {"id": "9"},
        "D": None,
        "Limit": 12.5,
    }


def test_only_the_asked_paths_are_written():
    assert project(ACCOUNTS, VALUES, ["notes", "stage", "owner"]) == {"D": None, "T": "A"}


def test_constants_and_create_only_rules_are_written_on_create():
    made = project(ACCOUNTS, {"name": "A", "number": "K1"}, creating=True)
    assert made == {"Account_Name": "A", "No": "K1", "Layout": "Standard"}
    assert ACCOUNTS.update_paths == ACCOUNTS.out_paths - {"number"}


def test_a_missing_native_key_says_nothing_and_an_empty_one_clears():
    spec = spec_of(
        {"canonical": "name", "native": "N"},
        {"canonical": "notes", "native": "D"},
        {"canonical": "website", "native": "W", "blank": "absent"},
        {"canonical": "addresses[a].street", "native": ["S1", "S2"], "in": ["join"]},
    )
    assert canonicalise(spec, {"N": None, "W": "", "S1": "a"}) == {"name": None}
    assert canonicalise(spec, {"N": "  ", "D": [], "S1": "", "S2": None}) == {
        "name": None,
        "notes": None,
        "addresses[a].street": None,
    }


def test_false_and_zero_are_values():
    spec = spec_of(
        {"canonical": "blocked", "native": "B"}, {"canonical": "credit_limit", "native": "L"}
    )
    assert canonicalise(spec, {"B": False, "L": 0}) == {"blocked": False, "credit_limit": "0"}


def test_text_is_put_in_normal_form_without_any_step():
    spec = spec_of({"canonical": "name", "native": "N"}, {"canonical": "number", "native": "No"})
    got = canonicalise(spec, {"N": " e\u0301\r\nb ", "No": 12})
    assert got == {"name": "é\nb", "number": "12"}


def test_an_unreadable_value_names_field_value_rule_and_step():
    with pytest.raises(UnmappableValue) as caught:
        canonicalise(ACCOUNTS, NATIVE | {"T": "Z"})
    error = caught.value
    assert (error.field, error.value, error.rule) == ("T", "Z", "stage: lookup")
    assert "Accounts.T holds 'Z'" in str(error)
    assert "对照表" in error.text("zh-CN")
    assert error.text("en") == str(error)
    assert error.data["reason"] == "not_choice"


def test_an_unwritable_value_names_the_target():
    with pytest.raises(UnmappableValue) as caught:
        project(ACCOUNTS, {"stage": "former"})
    assert str(caught.value).startswith("'stage: lookup' is 'former', which cannot be written")


def test_too_many_parts_for_the_fields_are_refused():
    spec = spec_of(
        {"canonical": "notes", "native": ["A", "B"], "in": [{"join": " "}], "out": [{"split": " "}]}
    )
    with pytest.raises(UnmappableValue) as caught:
        project(spec, {"notes": "a b c"})
    assert caught.value.data["reason"] == "not_list"
    loose = spec_of({"canonical": "notes", "native": ["A", "B"], "in": [{"join": {"parts": 9}}]})
    with pytest.raises(UnmappableValue) as caught:
        project(loose, {"notes": "a\nb\nc"})
    assert caught.value.data["reason"] == "too_many_parts"
    assert "2 个原生字段" in caught.value.text("zh")


LEADS = spec_of(
    {"canonical": "name", "native": "Company"},
    {"canonical": "contact_name", "native": ["First", "Last"], "in": ["person_name"]},
    {"canonical": "name", "native": "Last", "direction": "out"},
    {"canonical": "phones[mobile]", "native": "Tel"},
    {"canonical": "phones[work]", "native": "Tel", "direction": "out"},
    {"canonical": "emails[work]", "native": "Mail", "default": "none@example.com"},
    object="Leads",
)


def test_of_rules_that_share_a_field_the_first_with_a_value_wins():
    person = {"name": "华强", "contact_name": "王小明", "phones[work]": "1"}
    assert project(LEADS, person) == {"Company": "华强", "First": "小明", "Last": "王", "Tel": "1"}
    nobody = person | {"contact_name": None, "phones[mobile]": "2"}
    assert project(LEADS, nobody) == {"Company": "华强", "First": None, "Last": "华强", "Tel": "2"}


def test_a_change_of_the_second_does_not_overwrite_the_first():
    values = {"phones[mobile]": "2", "phones[work]": "1"}
    assert project(LEADS, values, ["phones[work]"]) == {"Tel": "2"}
    assert project(LEADS, values | {"phones[mobile]": None}, ["phones[mobile]"]) == {"Tel": "1"}


def test_a_field_written_by_two_rules_is_not_observed_for_the_second():
    assert "phones[work]" not in LEADS.observed_paths
    assert canonicalise(LEADS, {"Tel": "2"}) == {"phones[mobile]": "2"}


def test_a_default_fills_a_blank_field_of_a_new_record_only():
    assert project(LEADS, {"emails[work]": None}, creating=True)["Mail"] == "none@example.com"
    assert project(LEADS, {}, creating=True) == {"Mail": "none@example.com"}
    assert project(LEADS, {"emails[work]": None}) == {"Mail": None}


def test_a_fallback_is_written_when_the_value_is_blank_or_when_it_changes():
    spec = spec_of({"canonical": "legal_name", "native": "L", "fallback": "name"})
    assert project(spec, {"legal_name": None, "name": "A"}, ["name"]) == {"L": "A"}
    assert project(spec, {"legal_name": "B", "name": "A"}, ["name"]) == {"L": "B"}
    assert project(spec, {"name": None}) == {"L": None}
    assert project(spec, {}) == {}


def test_expected_tells_what_a_lossy_field_will_hold():
    values = {"notes": "0123456789 abc", "name": "x", "owner": "a@example.com"}
    assert expected(ACCOUNTS, values) == {"notes": "0123456789", "name": "x"}
    assert expected(ACCOUNTS, values, ["notes"]) == {"notes": "0123456789"}


def test_lines_are_mapped_item_by_item_in_both_directions():
    spec = MappingSpec.model_validate(
        {
            "version": 1,
            "entity": "order",
            "object": "Sales_Orders",
            "id": "id",
            "fields": [
                {
                    "canonical": "lines",
                    "native": "Ordered_Items",
                    "each": [
                        {"item": "product_code", "native": "Product_Name.code"},
                        {
                            "item": "quantity",
                            "native": "Quantity",
                            "in": [{"decimal": {"style": "number"}}],
                        },
                        {
                            "item": "unit_price",
                            "native": "List_Price",
                            "in": [{"decimal": {"style": "number"}}],
                        },
                        {"item": "amount", "native": "Total", "in": ["decimal"]},
                        {"native": "Discount", "const": 0},
                    ],
                }
            ],
        }
    )
    lines = [
        {"product_code": "P1", "quantity": "2", "unit_price": "1.5", "amount": "3"},
        {"quantity": "1", "unit_price": "4", "amount": "4"},
    ]
    native = project(spec, {"lines": lines})
    assert native == {
        "Ordered_Items": [
            {
                "Product_Name": {"code": "P1"},
                "Quantity": 2,
                "List_Price": 1.5,
                "Total": "3",
                "Discount": 0,
            },
            {"Quantity": 1, "List_Price": 4, "Total": "4", "Discount": 0},
        ]
    }
    assert canonicalise(spec, native) == {"lines": lines}
    assert project(spec, {"lines": None}) == {"Ordered_Items": []}
    assert canonicalise(spec, {"Ordered_Items": []}) == {"lines": None}
    with pytest.raises(UnmappableValue) as caught:
        canonicalise(spec, {"Ordered_Items": [{"Quantity": "many"}]})
    assert caught.value.rule == "lines.quantity: decimal"
    assert "Sales_Orders.Ordered_Items.Quantity" in str(caught.value)
    with pytest.raises(UnmappableValue):
        canonicalise(spec, {"Ordered_Items": ["x"]})


def test_native_names_are_the_heads_of_what_is_read():
    spec = spec_of(
        {"canonical": "owner", "native": "Owner.email", "direction": "in"},
        {"canonical": "tags", "native": "labels[0]", "in": [{"split": ";"}]},
        {"canonical": "notes", "native": "D", "direction": "out", "out": [{"const": "x"}]},
        {"native": "Layout", "const": "x"},
        modified_at="Modified_Time",
        revision="_version",
        hub_key="Hub_Key",
        only_when=[{"native": "Kind.id", "one_of": [1]}],
        moved_to=[{"object": "Accounts", "native": "Converted.id"}],
    )
    head = ("id", "Modified_Time", "_version", "Hub_Key", "Kind", "Converted")
    assert spec.native_names == (*head, "Owner", "labels")
    assert "Owner.email" in spec.native_paths
    assert spec.observed_paths == frozenset()


def test_rules_for_finds_rules_by_path_and_fallback():
    spec = spec_of(
        {"canonical": "name", "native": "N"},
        {"canonical": "legal_name", "native": "L", "fallback": "name"},
        {"canonical": "notes", "native": "D"},
    )
    assert [rule.canonical for rule in spec.rules_for(["name"])] == ["name", "legal_name"]


@pytest.mark.parametrize(
    ("test", "native", "verdict"),
    [
        ({"native": "L.n", "one_of": ["A", 1]}, {"L": {"n": "A"}}, True),
        ({"native": "L", "one_of": ["A", 1]}, {"L": "1"}, True),
        ({"native": "L", "one_of": ["A"]}, {}, False),
        ({"native": "L", "one_of": ["A", None]}, {"L": ""}, True),
        ({"native": "L", "none_of": ["A"]}, {"L": "A"}, False),
        ({"native": "L", "none_of": ["A"]}, {}, True),
        ({"native": "L", "one_of": [True]}, {"L": True}, True),
        ({"native": "L", "one_of": ["x"]}, {"L": ["x", "y"]}, True),
        ({"native": "L", "empty": True}, {}, True),
        ({"native": "L", "empty": True}, {"L": []}, True),
        ({"native": "L", "empty": True}, {"L": False}, False),
        ({"native": "L", "empty": False}, {"L": "x"}, True),
    ],
)
def test_only_when(test, native, verdict):
    assert reads(spec_of({"canonical": "name", "native": "N"}, only_when=[test]), native) is verdict


def test_a_route_says_which_golden_records_are_wanted():
    route = {
        "when": [
            {"canonical": "stage", "one_of": ["lead"]},
            {"canonical": "kind", "none_of": ["person"]},
        ],
        "leaving": "archive",
    }
    spec = spec_of({"canonical": "name", "native": "N"}, route=route)
    assert wanted(spec, {"stage": "lead"})
    assert not wanted(spec, {"stage": "lead", "kind": "person"})
    assert not wanted(spec, {"stage": None})
    assert spec.leaving == "archive"
    assert not wanted(spec_of({"canonical": "name", "native": "N"}, route="none"), {"name": "A"})
    inward = spec_of({"canonical": "name", "native": "N", "direction": "in"})
    assert not wanted(inward, {"name": "A"})
    assert wanted(spec_of({"canonical": "name", "native": "N"}), {})


def test_a_record_that_became_another_says_which():
    moved = [
        {"object": "Accounts", "native": "Converted_Account.id"},
        {"object": "Accounts", "native": "replaced_by"},
    ]
    spec = spec_of({"canonical": "name", "native": "N"}, moved_to=moved)
    assert moved_to(spec, {"Converted_Account": {"id": 5}}) == ("Accounts", "5")
    assert moved_to(spec, {"Converted_Account": None, "replaced_by": {"id": "6"}}) == (
        "Accounts",
        "6",
    )
    assert moved_to(spec, {"Converted_Account": None, "replaced_by": None}) is None
    assert moved_to(spec, {}) is None


def test_head_data_of_a_record():
    spec = spec_of(
        {"canonical": "name", "native": "N"}, modified_at="at", revision="v", hub_key="key"
    )
    moment = datetime(2024, 2, 29, tzinfo=UTC)
    for form in ("2024-02-29T08:00:00+08:00", 1709164800000, "1709164800000", moment):
        assert modified_at(spec, {"at": form}) == moment
    assert modified_at(spec, {"at": ""}) is None
    assert modified_at(spec, {}) is None
    assert (revision(spec, {"v": 3}), revision(spec, {"v": None})) == ("3", None)
    assert (hub_key(spec, {"key": "k"}), hub_key(spec, {})) == ("k", None)
    assert remote_id(spec, {"id": 5}) == "5"
    with pytest.raises(UnmappableValue, match="no id"):
        remote_id(spec, {})
    with pytest.raises(UnmappableValue, match="modified_at"):
        modified_at(spec, {"at": "soon"})


def test_a_copied_spec_does_not_keep_what_was_compiled():
    spec = spec_of({"canonical": "name", "native": "N"})
    assert canonicalise(spec, {"N": "a"}) == {"name": "a"}
    other = spec.model_copy(update={"fields": ACCOUNTS.fields})
    assert "N" not in other.native_names
    assert canonicalise(other, {"Account_Name": "b"}) == {"kind": "organisation", "name": "b"}


plain_text = st.text(alphabet="ab 中文é\n-", max_size=15).map(lambda text: text.strip() or None)
records = st.fixed_dictionaries(
    {},
    optional={
        "name": plain_text,
        "phones[work]": st.sampled_from([None, "+8613812345678", "+4930123456;ext=7", "ask"]),
        "addresses[billing].street": st.one_of(
            st.none(),
            st.lists(st.text(alphabet="ab路", min_size=1), min_size=1, max_size=4).map("\n".join),
        ),
        "addresses[billing].country": st.sampled_from([None, "CN", "DE", "Narnia"]),
        "stage": st.sampled_from([None, "customer", "lead"]),
        "tags": st.one_of(
            st.none(),
            st.sets(st.text(alphabet="ab甲", min_size=1, max_size=3), min_size=1).map(sorted),
        ),
        "blocked": st.sampled_from([None, True, False]),
        "parent": st.sampled_from([None, "9"]),
        "credit_limit": st.sampled_from([None, "0", "12.5", "100000"]),
    },
)


@given(records)
def test_what_is_projected_reads_back_the_same(values):
    back = canonicalise(ACCOUNTS, project(ACCOUNTS, values))
    assert back == {"kind": "organisation"} | values
    assert expected(ACCOUNTS, values) == values


@given(records, st.sets(st.sampled_from(sorted(ACCOUNTS.out_paths))))
def test_a_partial_write_equals_the_full_write_on_its_fields(values, asked):
    full = project(ACCOUNTS, values)
    part = project(ACCOUNTS, values, asked)
    assert part == {name: full[name] for name in part}
    assert expected(ACCOUNTS, values, asked) == {k: v for k, v in values.items() if k in asked}


names = st.sampled_from(["a", "b"])
trees = st.recursive(
    st.one_of(st.none(), st.integers(0, 3), st.text("x", max_size=1)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(names, inner, max_size=2)),
    max_leaves=8,
)
walks = st.sampled_from(["a", "b", "a.b", "a[0]", "a[1].b", "a.b.a", "b[0][1]"])


@given(st.dictionaries(names, trees), walks)
def test_a_getter_reads_what_paths_read(native, path):
    got, want = getter(path)(native), paths.read(native, path)
    assert got is want if want is ABSENT else got == want
