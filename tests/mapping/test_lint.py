"""A mapping against a remote schema: each disagreement is found, an agreeing pair is silent."""

import string
from dataclasses import replace

import pytest

from mapping import words
from mapping.lint import lint
from mapping.schema import FieldSchema, ObjectSchema, Option
from mapping.spec import MappingSpec

FIELDS = [
    FieldSchema("id", "ID", "text", writable=False),
    FieldSchema("Modified_Time", "Modified", "datetime", writable=False),
    FieldSchema("Hub_Key", "Hub key", "text", unique=True, max_length=80),
    FieldSchema("Account_Name", "Account Name", "text", required=True, max_length=200),
    FieldSchema("Phone", "Phone", "text", max_length=30),
    FieldSchema(
        "Account_Type",
        "Account Type",
        "choice",
        options=[Option("cust", "Customer"), Option("lead", "Lead")],
        strict_options=True,
    ),
    FieldSchema("Description", "Description", "text", max_length=100),
    FieldSchema("Limit", "Limit", "decimal"),
    FieldSchema("Since", "Since", "date"),
    FieldSchema("Owner", "Owner", "reference", target="users"),
    FieldSchema("Full", "Full name", "text", writable=False),
    FieldSchema("Layout", "Layout", "choice", options=[Option("A", "A"), Option("B", "B")]),
    FieldSchema("Converted", "Converted to", "reference", target="Accounts"),
    FieldSchema("Tags", "Tags", "list"),
    FieldSchema("Active", "Active", "boolean"),
]
SCHEMA = ObjectSchema("Accounts", "Accounts", {field.name: field for field in FIELDS})
RULES = [
    {"canonical": "name", "native": "Account_Name", "in": ["trim"], "default": "?"},
    {"canonical": "phones[work]", "native": "Phone", "in": ["phone"]},
    {"canonical": "stage", "native": "Account_Type",
     "in": [{"lookup": {"cust": "customer", "lead": "lead"}}]},
    {"canonical": "notes", "native": "Description", "in": [], "out": [{"cut": 100}]},
    {"canonical": "credit_limit", "native": "Limit", "in": [{"decimal": "number"}]},
    {"canonical": "owner", "native": "Owner.email"},
    {"canonical": "tags", "native": "Tags", "in": [{"tags": "name"}]},
    {"canonical": "blocked", "native": "Active", "in": [{"boolean": {"inverted": True}}]},
    {"native": "Layout", "const": "A"},
]  # fmt: skip
HEAD = {
    "version": 1,
    "entity": "customer",
    "object": "Accounts",
    "id": "id",
    "modified_at": "Modified_Time",
    "hub_key": "Hub_Key",
    "only_when": [{"native": "Layout", "one_of": ["A"]}],
    "moved_to": [{"object": "Accounts", "native": "Converted.id"}],
}


def spec_of(*changed, drop=(), **head):
    keys = {(rule.get("canonical"), rule.get("native")) for rule in changed}
    kept = [
        rule
        for rule in RULES
        if rule.get("canonical") not in {key for key, _ in keys if key} | set(drop)
        and (rule.get("canonical") or (None, rule["native"]) not in keys)
    ]
    return MappingSpec.model_validate(HEAD | head | {"fields": [*kept, *changed]})


def with_field(name, **changes):
    fields = dict(SCHEMA.fields)
    fields[name] = replace(fields[name], **changes)
    return ObjectSchema("Accounts", "Accounts", fields)


def keys(findings):
    return [(finding.level, finding.rule, finding.message_key) for finding in findings]


def test_a_mapping_that_fits_gives_no_finding():
    assert lint(spec_of(), SCHEMA, ["Accounts", "Contacts"]) == []


FOUND = [
    (spec_of({"canonical": "name", "native": "Acount_Name", "fallback": "number"}), SCHEMA,
     [("error", "name", "missing_field"), ("error", "Account_Name", "required_uncovered")]),
    (spec_of({"canonical": "name", "native": "Full", "direction": "out"},
             {"native": "Account_Name", "const": "x"}), SCHEMA,
     [("error", "name", "read_only")]),
    (spec_of({"canonical": "name", "native": "Account_Name", "in": ["trim"]}), SCHEMA,
     [("info", "name", "required_blank")]),
    (spec_of(drop=["name"]), SCHEMA, [("error", "Account_Name", "required_uncovered")]),
    (spec_of(drop=["name"], route="none"), SCHEMA, []),
    (spec_of({"canonical": "notes", "native": "Description"}), SCHEMA,
     [("warning", "notes", "too_long")]),
    (spec_of({"canonical": "notes", "native": "Description", "out": [{"cut": 101}]}), SCHEMA,
     [("error", "notes", "cut_too_long")]),
    (spec_of(), with_field("Description", length_in="bytes"),
     [("error", "notes", "cut_too_long")]),
    (spec_of({"canonical": "notes", "native": "Description",
              "out": [{"cut": {"length": 100, "unit": "bytes"}}]}),
     with_field("Description", length_in="bytes"), []),
    (spec_of({"canonical": "stage", "native": "Account_Type", "in": ["trim"]}), SCHEMA,
     [("warning", "stage", "choice_without_lookup")]),
    (spec_of({"canonical": "stage", "native": "Account_Type",
              "in": [{"lookup": {"Customer": "customer", "lead": "lead"}}]}), SCHEMA,
     [("error", "stage", "lookup_outside"), ("warning", "stage", "option_unlisted")]),
    (spec_of({"canonical": "stage", "native": "Account_Type",
              "in": [{"lookup": {"table": {"lead": "lead"}, "unknown": "blank"}}]}), SCHEMA, []),
    (spec_of({"canonical": "stage", "native": "Account_Type",
              "in": [{"empty": "cust"}, {"lookup": {"lead": "lead"}}]}), SCHEMA, []),
    (spec_of({"native": "Layout", "const": "C"}), SCHEMA,
     [("warning", "Layout", "lookup_outside")]),
    (spec_of({"canonical": "credit_limit", "native": "Limit"}), SCHEMA,
     [("warning", "credit_limit", "type_clash")]),
    (spec_of({"canonical": "credit_limit", "native": "Since", "in": ["decimal"]}), SCHEMA,
     [("warning", "credit_limit", "type_clash")]),
    (spec_of({"canonical": "owner", "native": "Owner"}), SCHEMA,
     [("warning", "owner", "type_clash")]),
    (spec_of(hub_key=None), SCHEMA, [("warning", "hub_key", "no_hub_key")]),
    (spec_of(hub_key="Hub_Kei"), SCHEMA, [("error", "hub_key", "missing_field")]),
    (spec_of(), with_field("Hub_Key", unique=False),
     [("warning", "hub_key", "hub_key_not_unique")]),
    (spec_of(), with_field("Hub_Key", writable=False), [("error", "hub_key", "read_only")]),
    (spec_of(modified_at="Modified"), SCHEMA, [("warning", "modified_at", "missing_field")]),
    (spec_of(only_when=[{"native": "Kind", "empty": True}]), SCHEMA,
     [("error", "only_when", "missing_field")]),
    (spec_of(only_when=[{"native": "Layout", "one_of": ["Z"]}]), SCHEMA,
     [("warning", "only_when", "condition_outside")]),
    (spec_of(moved_to=[{"object": "Contacts", "native": "Converted.id"}]), SCHEMA,
     [("warning", "moved_to", "moved_elsewhere")]),
    (spec_of(moved_to=[{"object": "Acounts", "native": "Convertd"}]), SCHEMA,
     [("error", "moved_to", "missing_field"), ("error", "moved_to", "missing_object")]),
    (spec_of(object="Leads"), SCHEMA, [("error", "object", "other_object")]),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "schema", "found"), FOUND)
def test_each_disagreement_is_found_once(spec, schema, found):
    findings = lint(spec, schema, ["Accounts", "Contacts"])
    assert keys(findings) == found
    for finding in findings:
        english, chinese = finding.text("en"), finding.text("zh-CN")
        assert english.isascii()
        assert any("一" <= char <= "鿿" for char in chinese)
        assert "{" not in (english + chinese).replace("{cut: {length", "")


def test_suggestions_come_from_names_labels_and_options():
    [missing, _] = lint(
        spec_of({"canonical": "name", "native": "Account Name", "fallback": "number"}), SCHEMA
    )
    assert missing.text() == ("Accounts has no field Account Name; did you mean Account_Name?")
    label = {"canonical": "stage", "native": "Account_Type",
             "in": [{"lookup": {"Customer": "customer", "lead": "lead"}}]}  # fmt: skip
    assert lint(spec_of(label), SCHEMA)[0].text("zh") == (
        "Account_Type 没有选项 'Customer'；是否指 cust？"
    )


def test_long_texts_say_what_to_add():
    [finding] = lint(spec_of({"canonical": "notes", "native": "Description"}), SCHEMA)
    assert "{cut: {length: 100}}" in finding.text("en")
    assert "{cut: {length: 100}}" in finding.text("zh")


@pytest.mark.parametrize("table", [words.FINDINGS, words.REASONS])
def test_both_languages_of_a_text_use_the_same_facts(table):
    for key, (english, chinese) in table.items():
        used = [
            {name.removesuffix("_zh") for _, name, _, _ in string.Formatter().parse(text) if name}
            for text in (english, chinese)
        ]
        assert used[0] == used[1], key
