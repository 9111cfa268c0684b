"""A new mapping is a draft, then a plan, then live; one that touches many records asks."""

import pytest

from sync.service import mapping_versions as mappings
from sync.service import plans
from sync.service.errors import ServiceError

PLAIN = "{canonical: industry, native: industry}"
SHOUTED = "{canonical: industry, native: industry, direction: in, in: [trim, upper]}"
SOURCE = "  - {canonical: source, native: source}\n"


def live_text(fixture):
    versions = mappings.list_versions(fixture.hub, "crm", "customers")
    return next(version.text for version in versions if version.state == "live")


def drafted(fixture, old, new):
    text = live_text(fixture)
    assert old in text
    return mappings.add_version(fixture.hub, "crm", text.replace(old, new), actor="li")


def planned(fixture, draft):
    view = mappings.preview(fixture.hub, draft.id, wake=False)
    return plans.make_plan(fixture.hub, view.id)


@pytest.fixture
def settled(fixture):
    for number, name in enumerate(("Acme", "Birke", "Cobalt", "Distel")):
        fixture.world("erp").create("customers", name=name, code=f"C{number}", industry="retail")
    fixture.sync()
    return fixture


def test_a_mapping_that_does_not_fit_is_refused_with_the_field(fixture):
    with pytest.raises(ServiceError, match="industri") as refused:
        drafted(fixture, "native: industry", "native: industri")
    assert refused.value.code == "mapping_misfit"
    with pytest.raises(ServiceError):
        mappings.add_version(fixture.hub, "crm", "version: 1\nentity: customer\n")
    assert {v.state for v in mappings.list_versions(fixture.hub, "crm", "customers")} == {"live"}


def test_a_draft_changes_nothing(settled):
    draft = drafted(settled, PLAIN, SHOUTED)
    assert (draft.state, draft.version) == ("draft", 2)
    before = settled.writes()
    settled.sync()
    assert settled.writes() == before
    assert settled.goldens()[0].values["industry"] == "retail"


def test_activating_needs_a_plan_and_a_large_one_needs_approval(settled):
    draft = drafted(settled, PLAIN, SHOUTED)
    with pytest.raises(ServiceError) as refused:
        mappings.activate(settled.hub, draft.id)
    assert refused.value.code == "mapping_needs_plan"
    plan = planned(settled, draft)
    assert (plan.state, plan.summary["touched"], plan.summary["linked"]) == ("ready", 4, 4)
    assert plan.summary["writes"]["erp"]["objects"]["customers"] == {"update": 4}
    with pytest.raises(ServiceError, match="touch 4 of 4") as refused:
        mappings.activate(settled.hub, draft.id, plan.id)
    assert refused.value.code == "mapping_needs_approval"
    assert settled.world("erp").all("customers")[0]["industry"] == "retail"


def test_an_approved_mapping_does_what_its_plan_said(settled):
    draft = drafted(settled, PLAIN, SHOUTED)
    plan = planned(settled, draft)
    before = settled.writes()
    mappings.activate(settled.hub, draft.id, plan.id, approved=True, actor="li")
    settled.sync()
    assert {record["industry"] for record in settled.world("erp").all("customers")} == {"RETAIL"}
    assert settled.writes() - before == 8
    states = {v.version: v.state for v in mappings.list_versions(settled.hub, "crm", "customers")}
    assert states == {1: "retired", 2: "live"}


def test_a_mapping_that_touches_nothing_needs_no_approval(settled):
    draft = drafted(settled, SOURCE, "")
    plan = planned(settled, draft)
    assert plan.summary["touched"] == 0
    before = settled.writes()
    assert mappings.activate(settled.hub, draft.id, plan.id).state == "live"
    settled.sync()
    assert settled.writes() == before
    assert {golden.values["industry"] for golden in settled.goldens()} == {"retail"}


def test_a_plan_is_stale_after_another_mapping_went_live(settled):
    first, second = drafted(settled, PLAIN, SHOUTED), drafted(settled, SOURCE, "")
    plan = planned(settled, first)
    mappings.activate(settled.hub, second.id, planned(settled, second).id)
    with pytest.raises(ServiceError) as refused:
        mappings.activate(settled.hub, first.id, plan.id, approved=True)
    assert refused.value.code == "plan_stale"


def test_a_mapping_plan_is_not_applied_without_its_mapping(settled):
    plan = planned(settled, drafted(settled, PLAIN, SHOUTED))
    with pytest.raises(ServiceError) as refused:
        plans.apply_plan(settled.hub, plan.id, inline=True)
    assert refused.value.code == "mapping_plan"


def test_before_anything_is_linked_no_plan_is_asked_for(fixture):
    draft = drafted(fixture, PLAIN, SHOUTED)
    assert mappings.activate(fixture.hub, draft.id).state == "live"
