"""Rolling a run back from its page and through the API."""

import pytest
from sqlalchemy import select

from sync.flow import rollback
from sync.service import runs
from sync.store.tables import Change


@pytest.fixture
def spoilt(fresh):
    """A bad import in the CRM has overwritten the notes."""
    record = fresh.world("crm").all("customers")[0]
    fresh.world("crm").edit("customers", record["id"], notes="<b>#REF!</b>")
    fresh.sync()
    return fresh


def spoiling_run(made):
    with made.hub.database.read() as session:
        query = select(Change.run_id).where(Change.op == "set", Change.path == "notes")
        return session.scalars(query.order_by(Change.id.desc())).first()


def test_the_plan_is_shown_first_and_then_done(spoilt, browse):
    admin, run_id = browse("admin"), spoiling_run(spoilt)
    assert f"/runs/{run_id}/rollback" in admin.text(f"/runs/{run_id}")
    plan = admin.text(f"/runs/{run_id}/rollback")
    assert "&lt;b&gt;#REF!&lt;/b&gt;" in plan
    assert "<b>#REF!" not in plan
    answer = admin.post(f"/runs/{run_id}/rollback")
    own = int(answer.location.rpartition("/")[2])
    assert runs.get_run(spoilt.hub, own).state == "running"
    assert "Setting back" in admin.text(f"/runs/{own}")
    assert admin.get(f"/runs/{own}/progress").status_code == 200
    rollback.carry_on(spoilt.hub, own)
    assert admin.get(f"/runs/{own}/progress").headers["HX-Refresh"] == "true"
    spoilt.sync()
    assert {row["notes"] or "" for row in spoilt.world("crm").all("customers")} == {""}
    assert f"/runs/{own}" in admin.text(f"/runs/{run_id}")
    assert f"/runs/{run_id}" in admin.text(f"/runs/{own}")
    assert "Nothing is left to set back" in admin.text(f"/runs/{run_id}/rollback")


def test_a_rollback_that_nobody_began_is_found_by_the_sweep(spoilt, browse):
    browse("admin").post(f"/runs/{spoiling_run(spoilt)}/rollback")
    with spoilt.hub.database.read() as session:
        assert rollback.unfinished(session, spoilt.hub.now())
    for own in [run.id for run in runs.list_runs(spoilt.hub, kind="rollback").rows]:
        rollback.carry_on(spoilt.hub, own)
    with spoilt.hub.database.read() as session:
        assert rollback.unfinished(session, spoilt.hub.now()) == []


def test_what_was_changed_since_is_listed_with_its_reason(spoilt, browse):
    run_id = spoiling_run(spoilt)
    record = spoilt.world("erp").all("customers")[0]
    spoilt.world("erp").edit("customers", record["id"], notes="typed since")
    spoilt.sync()
    for language, reason in (("en", "it was changed again on"), ("zh", "此后在")):
        text = browse("viewer", language).text(f"/runs/{run_id}/rollback")
        assert reason in text
        assert "typed since" in text


def test_a_steward_sees_the_plan_and_cannot_do_it(spoilt, browse):
    steward, run_id = browse("steward"), spoiling_run(spoilt)
    assert f'action="/runs/{run_id}/rollback"' not in steward.text(f"/runs/{run_id}/rollback")
    assert steward.post(f"/runs/{run_id}/rollback").status_code == 403


def test_an_unknown_run_is_a_sentence(browse):
    assert browse("admin").get("/runs/999/rollback").status_code == 404
    assert browse("admin").post("/runs/999/rollback").status_code == 404


def test_the_api_plans_and_rolls_back(spoilt, script):
    run_id = spoiling_run(spoilt)
    plan = script("viewer").get(f"/runs/{run_id}/rollback")
    assert (plan["records"], plan["fields"], plan["left"]) == (1, 1, [])
    assert plan["set_back"][0]["path"] == "notes"
    started = script("admin").post(f"/runs/{run_id}/rollback", status=202)
    assert (started["kind"], started["state"]) == ("rollback", "running")
    script("admin").post(f"/runs/{started['id']}/rollback", status=409)
