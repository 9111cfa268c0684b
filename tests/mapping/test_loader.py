"""Mapping files: what loads can run, what does not says where, why and how to mend it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.engine import canonicalise, project
from mapping.errors import MappingError
from mapping.loader import dump, load, load_dir

BASE = """\
version: 1
entity: customer
object: Accounts
id: id
modified_at: Modified_Time
hub_key: Hub_Key
only_when: [{native: Layout, one_of: [Standard, Yes]}]
route:
  when: [{canonical: stage, one_of: [customer, former]}]
  leaving: archive
fields:
  - {canonical: name, native: Account_Name, in: [trim]}
  - {canonical: "phones[work]", native: Phone, in: [{phone: {region: CN}}]}
  - canonical: stage
    native: Account_Type
    in:
      - trim
      - lookup: {Customer: customer, No: lead}
  - {canonical: notes, native: Description, out: [{cut: {length: 2000}}]}
  - {canonical: credit_limit, native: Credit_Limit, direction: out}
  - {canonical: source, const: zoho, direction: in}
  - {native: Layout, const: Standard}
"""


def test_the_example_loads_and_translates():
    spec = load(BASE)
    native = {"Account_Name": "A", "Phone": "13812345678", "Account_Type": "No"}
    assert canonicalise(spec, native) == {
        "name": "A",
        "phones[work]": "+8613812345678",
        "stage": "lead",
        "source": "zoho",
    }
    assert project(spec, {"stage": "lead"}) == {"Account_Type": "No"}


def test_yes_no_times_and_dates_are_text():
    spec = load(BASE.replace("Standard, Yes", "Yes, off, 12:30, 2024-01-31, true, 3"))
    assert spec.only_when[0].one_of == ("Yes", "off", "12:30", "2024-01-31", True, 3)


def test_a_dumped_spec_loads_as_the_same_spec():
    spec = load(BASE)
    assert load(dump(spec)).model_dump() == spec.model_dump()
    silent = load(BASE.replace("  when: [{canonical: stage, one_of: [customer, former]}]\n", ""))
    assert load(dump(silent)).model_dump() == silent.model_dump()
    closed = load("version: 1\nentity: contact\nobject: C\nid: id\nroute: none\nfields: []\n")
    assert closed.route is None
    assert load(dump(closed)).model_dump() == closed.model_dump()


WRONG = [
    ("in: [trim]", "in: [trm]", 12, "'trm'", "did you mean 'trim'?"),
    ("in: [trim]", "in: trim", 12, "'in' is a list", "in: [...]"),
    ("in: [trim]", "in: [{trim: 1, lower: 2}]", 12, "a step is a name", ""),
    ("in: [trim]", "in: [{trim: {x: 1}}]", 12, "trim: option 'x'", ""),
    ("in: [trim]", "in: [{cut: 4}]", 12, "cannot be undone", "direction: in"),
    ("in: [trim]", "direction: in, out: [trim]", 12, "only reads", "drop `out`"),
    ("canonical: name", "canonical: nmae", 12, "'nmae'", "did you mean 'name'?"),
    ("phones[work]", "phone[work]", 13, "'phone[work]'", "did you mean 'phones[work]'?"),
    ("phones[work]", "phones", 13, "'phones'", "did you mean 'phones[work]'?"),
    ("phones[work]", "address.country", 13, "'address.country'", "addresses[billing].country"),
    ("region: CN", "region: XX", 13, "'XX' is no region", ""),
    ("{phone: {region: CN}}", "{date: {zone: Mars}}", 13, "time zone 'Mars'", ""),
    ("{phone: {region: CN}}", "{split: ''}", 13, "split: option 'by", ""),
    ("canonical: stage\n", "canonical: name\n", 14, "read by two rules", "direction: out"),
    ("native: Account_Type", "natve: Account_Type", 15, "'natve'", "did you mean 'native'?"),
    ("No: lead", "Customer: lead", 18, "'Customer' stands twice", "drop one"),
    ("No: lead", "No: leed", 14, "'stage' cannot be 'leed'", "lead, prospect"),
    ("const: zoho", "const: zoho, native: X", 21, "one end", "{native: Layout"),
    ("const: zoho", "const: {a: 1}", 21, "'source' cannot be", "single text"),
    ("direction: out", "direction: outward", 20, "'outward'", "'both', 'in' or 'out'"),
    ("version: 1", "version: 2", 1, "mapping version 1, not 2", "write `version: 1`"),
    ("version: 1\n", "", 1, "'version' is missing", "version: ..."),
    ("entity: customer", "entity: supplier", 2, "'supplier'", "customer"),
    ("id: id", "idd: id", 4, "'idd'", "did you mean"),
    ("one_of: [Standard, Yes]", "", 7, "exactly one of", "one_of"),
    ("{canonical: stage, one", "{canonical: stag, one", 9, "'stag'", "did you mean 'stage'?"),
    ("leaving: archive", "leaving: delete", 10, "'delete'", "archive"),
    ("native: Layout, const: Standard", "native: Layout", 22, "no canonical path", "canonical:"),
    ("in: [trim]", "in: [trim", 12, "not YAML", ""),
    ("in: [trim]", "in: [trim]\t\t@", 12, "not YAML", ""),
    ("id: id", "id: &x id\nrevision: *x", 5, "aliases", ""),
    ("canonical: notes", "canonical: lines", 19, "no canonical path 'lines'", ""),
]


@pytest.mark.parametrize(("old", "new", "line", "message", "hint"), WRONG)
def test_a_wrong_file_says_where_why_and_how_to_mend_it(old, new, line, message, hint):
    assert old in BASE
    with pytest.raises(MappingError) as caught:
        load(BASE.replace(old, new, 1), name="zoho.yaml")
    error = caught.value
    assert error.where == f"zoho.yaml:{line}", str(error)
    assert message in str(error)
    assert hint in error.hint


def test_all_problems_of_a_file_are_told_at_once():
    text = BASE.replace("in: [trim]", "in: [trm]").replace("leaving: archive", "leaving: burn")
    with pytest.raises(MappingError) as caught:
        load(text, name="z.yaml")
    assert [line.split(" ")[0] for line in str(caught.value).splitlines()] == [
        "z.yaml:10:",
        "z.yaml:12:",
    ]


def test_lines_need_items_and_others_have_none():
    order = "version: 1\nentity: order\nobject: O\nid: id\nfields:\n  - "
    good = order + "{canonical: lines, native: L, each: [{item: quantity, native: Q}]}\n"
    assert load(good).in_paths == {"lines"}
    for rule, message in [
        ("{canonical: lines, native: L}", "needs `each`"),
        ("{canonical: number, native: L, each: [{item: quantity, native: Q}]}", "holds no lines"),
        ("{canonical: lines, native: L, each: [{item: quantty, native: Q}]}", "'quantity'"),
        ("{canonical: lines, native: L, each: [{item: unit}]}", "`native`"),
        ("{canonical: lines, native: L, each: [{native: Q}]}", "`item`"),
        (
            "{canonical: lines, native: L, each: [{item: unit, native: Q, in: [{cut: 2}]}]}",
            "undone",
        ),
    ]:
        with pytest.raises(MappingError) as caught:
            load(f"{order}{rule}\n")
        assert message in str(caught.value)
        assert caught.value.where == "mapping:6"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    return tmp_path


def site(folder, text, name="site.yaml"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_a_site_replaces_adds_and_drops_rules(folder):
    path = site(
        folder,
        """\
extends: base.yaml
hub_key: External_Id
fields:
  - {canonical: name, native: Trade_Name}
  - {canonical: website, native: Website}
  - {canonical: notes, drop: true}
  - {native: Layout, const: Enterprise}
""",
    )
    spec = load(path)
    assert (spec.object, spec.hub_key, spec.extends) == ("Accounts", "External_Id", "base.yaml")
    assert spec.out_paths == {"name", "phones[work]", "stage", "credit_limit", "website"}
    made = project(spec, {"name": "A"}, creating=True)
    assert made == {"Trade_Name": "A", "Layout": "Enterprise"}
    assert list(load_dir(folder)) == ["base", "site"]
    assert load(dump(spec)).fields == spec.fields


def test_an_error_names_the_file_that_the_rule_comes_from(folder):
    path = site(folder, "extends: base.yaml\nfields:\n  - {canonical: nam, native: N}\n")
    with pytest.raises(MappingError) as caught:
        load(path)
    assert caught.value.where == f"{path}:3"
    broken = site(folder, BASE.replace("[trim]", "[trm]"), "base.yaml")
    with pytest.raises(MappingError) as caught:
        load(site(folder, "extends: base.yaml\nfields: []\n"))
    assert caught.value.where == f"{broken}:12"


def test_a_drop_that_drops_nothing_is_refused(folder):
    path = site(folder, "extends: base.yaml\nfields:\n  - {canonical: note, drop: true}\n")
    with pytest.raises(MappingError, match=r"no rule 'note' to drop \(did you mean 'notes'\?\)"):
        load(path)
    path = site(folder, "extends: base.yaml\nfields:\n  - {canonical: notes, drop: true, in: []}\n")
    with pytest.raises(MappingError, match="says nothing more"):
        load(path)


def test_a_base_is_found_beside_the_file_or_in_given_folders(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("sites")
    path = site(elsewhere, "extends: base.yaml\nfields: []\n")
    with pytest.raises(MappingError, match=r"site\.yaml:1: the base mapping 'base\.yaml'"):
        load(path)
    assert load(path, folders=[folder]).object == "Accounts"
    assert load("extends: base.yaml\nfields: []\n", folders=[folder]).object == "Accounts"


def test_mappings_that_extend_each_other_are_refused(folder):
    site(folder, "extends: b.yaml\nfields: []\n", "a.yaml")
    path = site(folder, "extends: a.yaml\nfields: []\n", "b.yaml")
    with pytest.raises(MappingError, match="extends this file in turn"):
        load(path)


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(MappingError, match="no such file"):
        load(tmp_path / "none.yaml")
    (tmp_path / "gbk.yaml").write_bytes("版本".encode("gbk"))
    with pytest.raises(MappingError, match="not UTF-8"):
        load(tmp_path / "gbk.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "\n",
        "- a\n",
        "a: b: c\n",
        "fields: 3\n",
        "1: 2\n",
        "a: !!python/object:x y\n",
        "[" * 5000 + "\n",
    ],
)
def test_what_is_no_mapping_at_all_is_refused(text):
    with pytest.raises(MappingError):
        load(text)


@given(st.sampled_from(BASE.splitlines()), st.text(alphabet="ab:[]{}-'\" \n,1~", max_size=6))
def test_no_edit_of_a_file_escapes_as_another_error(line, noise):
    for text in (BASE.replace(line, line + noise), BASE.replace(line, noise)):
        assert told(text).startswith("mapping")


def told(text):
    try:
        spec = load(text)
    except MappingError as error:
        return str(error)
    return f"mapping of {spec.object}"
