"""`kehub mapping`: versions, from a draft to the live one and back."""

import json

import pytest


@pytest.fixture
def draft_file(two, tmp_path):
    """The live mapping of the CRM's customers, without the rule for notes."""
    live = next(v for v in two.json("mapping", "versions", "crm") if v["object"] == "customers")
    text = two("mapping", "show", str(live["id"])).stdout
    path = tmp_path / "customers.yaml"
    path.write_text("".join(x for x in text.splitlines(True) if "canonical: notes" not in x))
    return path


def added(two, draft_file):
    return two.json("mapping", "add", "crm", str(draft_file))["id"]


def test_a_draft_is_compared_planned_and_activated(two, draft_file):
    number = added(two, draft_file)
    gone = [line for line in two.json("mapping", "diff", str(number)) if line["kind"] == "gone"]
    assert ["canonical: notes" in line["text"] for line in gone] == [True]
    plan = two.json("mapping", "plan", str(number))
    assert (plan["kind"], plan["linked"]) == ("mapping", 2)
    live = two.json("mapping", "activate", str(number))
    assert (live["state"], live["version"]) == ("live", 2)
    states = [v["state"] for v in two.json("mapping", "versions", "crm", "--object", "customers")]
    assert states == ["live", "retired"]


def test_a_draft_without_a_plan_is_refused_in_both_languages(two, draft_file):
    number = str(added(two, draft_file))
    assert "needs a plan" in two("mapping", "activate", number, expect=1).stderr
    assert (
        "kehub mapping plan" in two("--lang", "zh", "mapping", "activate", number, expect=1).stderr
    )


def test_one_that_touches_much_wants_an_approval(two, draft_file):
    for number in range(4):
        two.world("crm").create("customers", name=f"客户{number}号有限公司", notes="x")
    two("sync", "--wait")
    shouted = "  - {canonical: notes, native: notes, in: [upper], direction: in}\n"
    draft_file.write_text(draft_file.read_text().rstrip() + "\n" + shouted)
    number = str(added(two, draft_file))
    two("mapping", "plan", number)
    said = two("mapping", "activate", number, expect=1).stderr
    assert "would touch" in said
    two("mapping", "activate", number, "--approve")


def test_an_old_version_comes_back_as_a_draft(two, draft_file):
    number = added(two, draft_file)
    two("mapping", "plan", str(number))
    two("mapping", "activate", str(number))
    old = two.json("mapping", "versions", "crm", "--object", "customers")[-1]
    back = two.json("mapping", "restore", str(old["id"]))
    assert (back["version"], back["state"], back["text"]) == (3, "draft", old["text"])
    two("mapping", "discard", str(back["id"]))
    assert "not a draft" in two("mapping", "discard", str(back["id"]), expect=1).stderr


def test_a_mapping_that_does_not_fit_is_not_kept(two, draft_file):
    draft_file.write_text(draft_file.read_text().replace("native: name", "native: nmae"))
    before = len(two.json("mapping", "versions", "crm"))
    assert "nmae" in two("mapping", "add", "crm", str(draft_file), expect=1).stderr
    said = two("--lang", "zh", "mapping", "add", "crm", str(draft_file), "--json", expect=1)
    assert "nmae" in json.loads(said.stdout)["error"]
    assert len(two.json("mapping", "versions", "crm")) == before


def test_an_unknown_system_or_version_is_a_sentence(two):
    assert "nobody" in two("mapping", "versions", "nobody", expect=2).stderr
    assert "no mapping 999" in two("mapping", "show", "999", expect=2).stderr
