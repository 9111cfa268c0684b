"""Mapping versions on their pages."""

import pytest

from sync.service import mapping_versions, plans


@pytest.fixture
def live(fresh):
    """The CRM's live mapping of customers."""
    versions = mapping_versions.list_versions(fresh.hub, "crm", "customers")
    return next(each for each in versions if each.state == "live")


def without_notes(text):
    return "".join(line for line in text.splitlines(True) if "canonical: notes" not in line)


def added(admin, text):
    answer = admin.post("/mappings", system="crm", text=text.replace("\n", "\r\n"))
    assert answer.status_code == 303, answer.text
    return int(answer.location.rpartition("/")[2])


def test_a_draft_goes_from_its_text_to_the_live_version(fresh, browse, live):
    admin = browse("admin")
    assert f"/mappings/{live.id}" in admin.text("/mappings")
    assert "canonical: notes" in admin.text(f"/mappings/new?of={live.id}")
    number = added(admin, without_notes(live.text))
    page = admin.text(f"/mappings/{number}")
    assert "diff-gone" in page
    assert "A plan is required" in page
    assert f"/mappings/{number}/activate" not in page
    plan_id = int(admin.post(f"/mappings/{number}/preview").location.rpartition("/")[2])
    assert "The plan is being made" in admin.text(f"/mappings/{number}")
    plans.make_plan(fresh.hub, plan_id)
    assert f"/mappings/{number}" in admin.text(f"/plans/{plan_id}")
    assert f"/plans/{plan_id}/apply" not in admin.text(f"/plans/{plan_id}")
    assert "linked records" in admin.text(f"/mappings/{number}")
    admin.post(f"/mappings/{number}/activate", plan=str(plan_id))
    assert mapping_versions.get_version(fresh.hub, number).state == "live"
    assert "Carrying out what the new version changes" in admin.text(f"/mappings/{number}")
    fresh.do_jobs()
    assert "Carrying out" not in admin.text(f"/mappings/{number}")
    fresh.sync()
    assert plans.get_plan(fresh.hub, plan_id).state == "applied"


def test_a_draft_is_not_activated_without_its_plan(fresh, browse, live):
    admin = browse("admin", "zh")
    number = added(admin, without_notes(live.text))
    admin.post(f"/mappings/{number}/activate")
    assert "启用该映射需要先看计划" in admin.text("/mappings")
    assert mapping_versions.get_version(fresh.hub, number).state == "draft"


def test_what_does_not_fit_is_said_in_one_language(browse, live):
    admin = browse("admin", "zh")
    broken = live.text.replace("native: name", "native: nmae")
    page = admin.post("/mappings", system="crm", text=broken).text
    assert "映射与系统不匹配：customers 没有字段 nmae" in page
    assert "does not fit" not in page


def test_what_does_not_fit_is_said_above_the_text_and_not_kept(fresh, browse, live):
    admin = browse("admin")
    broken = live.text.replace("native: name", "native: nmae")
    answer = admin.post("/mappings", system="crm", text=broken)
    assert answer.status_code == 422
    assert "nmae" in answer.text
    answer = admin.post("/mappings", system="crm", text="fields: [<script>")
    assert answer.status_code == 422
    assert "<script>" not in answer.text.replace("<script src", "")
    assert len(mapping_versions.list_versions(fresh.hub, "crm", "customers")) == 1


def test_an_old_version_comes_back_and_a_draft_is_dropped(fresh, browse, live):
    admin = browse("admin")
    back = int(admin.post(f"/mappings/{live.id}/restore").location.rpartition("/")[2])
    assert "the texts are the same" in admin.text(f"/mappings/{back}")
    admin.post(f"/mappings/{back}/discard")
    assert mapping_versions.get_version(fresh.hub, back).state == "retired"
    assert "Bring this text back" in admin.text(f"/mappings/{back}")


def test_a_viewer_reads_and_changes_nothing(browse, live):
    viewer = browse("viewer", "zh")
    text = viewer.text(f"/mappings/{live.id}")
    assert "使用中" in text
    assert "编辑为新版本" not in text
    assert viewer.get("/mappings/new").status_code == 403


def test_an_unknown_version_is_not_found(browse):
    assert browse("viewer").get("/mappings/999").status_code == 404
