"""A run is set back the ordinary way; what was changed since stays and is listed."""

import pytest
from sqlalchemy import select

from sync.service import rollbacks
from sync.service.errors import NotFoundError
from sync.store.tables import Change, Run


@pytest.fixture
def spoilt(fixture):
    """Three customers whose notes a bad import in the CRM overwrote in one run."""
    for name in ("Acme", "Birke", "Cobalt"):
        fixture.world("erp").create("customers", name=name, notes=f"about {name}")
    fixture.sync()
    for record in fixture.world("crm").all("customers"):
        fixture.world("crm").edit("customers", record["id"], notes="#REF!")
    fixture.sync()
    return fixture


def spoiling_run(fixture):
    with fixture.hub.database.read() as session:
        query = select(Change.run_id).where(Change.op == "set", Change.rule == "only_mover")
        return session.scalars(query.order_by(Change.id)).first()


def notes(fixture, name):
    return [record["notes"] for record in fixture.world(name).all("customers")]


def test_a_run_is_rolled_back_in_every_system(spoilt):
    run_id = spoiling_run(spoilt)
    plan = rollbacks.rollback_plan(spoilt.hub, run_id)
    assert (plan.records, plan.fields, plan.fields_left) == (3, 3, 0)
    assert {step.old for step in plan.set_back} == {"about Acme", "about Birke", "about Cobalt"}
    assert set(notes(spoilt, "sales")) == {"#REF!"}
    done = rollbacks.rollback(spoilt.hub, run_id, "li")
    spoilt.sync()
    assert (done.records, done.left) == (3, 0)
    for name in spoilt.names:
        assert sorted(notes(spoilt, name)) == ["about Acme", "about Birke", "about Cobalt"]
    before = spoilt.writes()
    spoilt.sync()
    assert spoilt.writes() == before


def test_what_was_changed_since_stays_and_is_listed(spoilt):
    record = spoilt.world("erp").all("customers")[0]
    spoilt.world("erp").edit("customers", record["id"], notes="typed since")
    spoilt.sync()
    plan = rollbacks.rollback_plan(spoilt.hub, spoiling_run(spoilt))
    assert (plan.fields, plan.fields_left) == (2, 1)
    assert [(step.name, step.now) for step in plan.left] == [("Acme", "typed since")]
    assert "changed again" in plan.left[0].left
    rollbacks.rollback(spoilt.hub, spoiling_run(spoilt), "li")
    spoilt.sync()
    for name in spoilt.names:
        assert sorted(notes(spoilt, name)) == ["about Birke", "about Cobalt", "typed since"]


def test_a_rollback_names_who_did_it_and_can_be_repeated_and_undone(spoilt):
    run_id = spoiling_run(spoilt)
    done = rollbacks.rollback(spoilt.hub, run_id, "li")
    assert rollbacks.rollback(spoilt.hub, run_id, "li").fields == 0
    with spoilt.hub.database.read() as session:
        rows = session.scalars(select(Change).where(Change.run_id == done.run_id)).all()
        assert {(row.rule, row.actor) for row in rows} == {("rolled back", "li")}
        assert session.get_one(Run, done.run_id).counts["fields"] == 3
    spoilt.sync()
    rollbacks.rollback(spoilt.hub, done.run_id, "wang")
    spoilt.sync()
    assert set(notes(spoilt, "erp")) == {"#REF!"}


def test_records_that_a_run_made_are_listed_and_stay(fixture):
    fixture.world("erp").create("customers", name="Acme")
    fixture.sync()
    with fixture.hub.database.read() as session:
        run_id = session.scalars(select(Change.run_id).where(Change.op == "created")).one()
    assert [name for _, name in rollbacks.rollback_plan(fixture.hub, run_id).created] == ["Acme"]
    assert rollbacks.rollback(fixture.hub, run_id, "li").fields == 0
    assert len(fixture.goldens()) == 1


def test_an_unknown_run_is_refused(fixture):
    with pytest.raises(NotFoundError):
        rollbacks.rollback(fixture.hub, 4711, "li")
