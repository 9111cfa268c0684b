"""Merging two golden records, and taking them apart again, over three systems."""

import pytest
from sqlalchemy import select

from sync.flow import split, unify
from sync.store.tables import Candidate, Change, Golden, Merge

SEEN = ("name", "phone", "email", "notes", "tags", "billing_city", "billing_street")


def two_customers(fixture, first="crm", second="sales"):
    """Two customers that nobody takes for one: (golden id of the first, of the second)."""
    fixture.world(first).create(
        "customers", name="Hanyang Pump Works", phone="021-55550101", billing_city="上海"
    )
    fixture.sync()
    fixture.clock.pass_(60)
    fixture.world(second).create(
        "customers", name="Delta Harbour Foods", email="info@delta.example", tags=["b"]
    )
    fixture.sync()
    a, b = fixture.goldens()
    return a.id, b.id


def golden(fixture, golden_id):
    with fixture.hub.database.read() as session:
        return session.get_one(Golden, golden_id)


def told(values):
    """What a record says; a blank and nothing said are the same."""
    return {path: value for path, value in values.items() if value not in (None, [])}


def shown(fixture, name):
    """The customers of a system as its users see them."""
    rows = [{k: r[k] or None for k in SEEN} for r in fixture.world(name).all("customers")]
    for row in rows:  # the number itself, however a system writes it
        row["phone"] = "".join(c for c in row["phone"] or "" if c.isdigit())[-8:]
    return sorted(rows, key=lambda row: str(row["name"]))


def agree(fixture):
    return all(shown(fixture, name) == shown(fixture, "erp") for name in fixture.names)


def test_a_merge_leaves_one_record_in_every_system(fixture):
    a, b = two_customers(fixture)
    unify.merge(fixture.hub, a, b, "steward")
    fixture.sync()
    assert [g.id for g in fixture.goldens()] == [a]
    for name in fixture.names:
        (record,) = fixture.world(name).all("customers")
        assert (record["name"], record["email"]) == ("Delta Harbour Foods", "info@delta.example")
        assert "55550101" in record["phone"].replace("-", "").replace(" ", "")
    before = fixture.writes()
    fixture.sync()
    assert fixture.writes() == before


def test_values_that_lose_are_in_the_change_log(fixture):
    a, b = two_customers(fixture)
    unify.merge(fixture.hub, a, b, "steward", {"name": "winner"})
    assert golden(fixture, a).values["name"] == "Hanyang Pump Works"
    with fixture.hub.database.read() as session:
        lost = session.scalars(
            select(Change).where(Change.golden_id == a, Change.op == "overruled")
        ).all()
    assert [(c.path, c.new, c.rule, c.actor) for c in lost] == [
        ("name", "Delta Harbour Foods", "merged: chosen", "steward")
    ]


def test_unmerge_restores_both_and_the_systems_agree_again(fixture):
    a, b = two_customers(fixture)
    before = [told(golden(fixture, x).values) for x in (a, b)]
    remote = {name: shown(fixture, name) for name in fixture.names}
    merge_id = unify.merge(fixture.hub, a, b, "steward")
    fixture.sync()
    split.unmerge(fixture.hub, merge_id, "steward")
    fixture.sync()
    assert [told(golden(fixture, x).values) for x in (a, b)] == before
    assert {name: shown(fixture, name) for name in fixture.names} == remote
    assert agree(fixture)
    writes = fixture.writes()
    fixture.sync()
    assert fixture.writes() == writes


def test_unmerge_before_anything_was_pushed_writes_nothing(fixture):
    a, b = two_customers(fixture)
    before = [dict(golden(fixture, x).values) for x in (a, b)]
    writes = fixture.writes()
    merge_id = unify.merge(fixture.hub, a, b, "steward")
    split.unmerge(fixture.hub, merge_id, "steward")
    fixture.sync()
    assert [golden(fixture, x).values for x in (a, b)] == before
    assert fixture.writes() == writes


def test_children_move_with_a_merge_and_come_back(fixture):
    a, b = two_customers(fixture)
    crm = fixture.world("crm")
    parent = next(c for c in crm.all("customers") if c["name"] == "Delta Harbour Foods")
    crm.create("contacts", name="王伟", customer_id=parent["id"])
    fixture.sync()
    merge_id = unify.merge(fixture.hub, a, b, "steward")
    fixture.sync()
    (contact,) = fixture.goldens("contact")
    assert contact.values["customer"] == contact.parent_id == a
    split.unmerge(fixture.hub, merge_id, "steward")
    fixture.sync()
    (contact,) = fixture.goldens("contact")
    assert contact.values["customer"] == b
    for name in fixture.names:
        world = fixture.world(name)
        delta = next(c for c in world.all("customers") if c["name"] == "Delta Harbour Foods")
        assert [c["customer_id"] for c in world.all("contacts")] == [delta["id"]]


def test_an_edit_after_the_merge_stays_with_the_winner(fixture):
    a, b = two_customers(fixture)
    merge_id = unify.merge(fixture.hub, a, b, "steward")
    fixture.sync()
    fixture.clock.pass_(60)
    (record,) = fixture.world("erp").all("customers")
    fixture.world("erp").edit("customers", record["id"], notes="VIP")
    fixture.sync()
    split.unmerge(fixture.hub, merge_id, "steward")
    fixture.sync()
    assert golden(fixture, a).values["notes"] == "VIP"
    assert golden(fixture, b).values.get("notes") is None
    assert agree(fixture)


def test_a_pair_that_came_apart_is_remembered_as_different(fixture):
    a, b = two_customers(fixture)
    split.unmerge(fixture.hub, unify.merge(fixture.hub, a, b, "steward"), "steward")
    with fixture.hub.database.read() as session:
        (row,) = session.scalars(select(Candidate))
        merge = session.scalars(select(Merge)).one()
    assert (row.first_id, row.second_id, row.state) == (a, b, "different")
    assert merge.undone_by == "steward"


def test_a_preview_changes_nothing_and_names_each_effect(fixture):
    a, b = two_customers(fixture)
    preview = unify.preview_merge(fixture.hub, a, [b])
    assert {(e.system, e.op) for e in preview.effects} >= {
        (name, op) for name in fixture.names for op in ("merge", "update")
    }
    (name,) = [c for c in preview.choices[b] if c.unit == "name"]
    assert (name.pick, name.rule, name.differs) == ("loser", "latest", True)
    assert golden(fixture, b).state == "live"
    with fixture.hub.database.read() as session:
        assert session.scalars(select(Merge)).all() == []


def test_a_later_merge_has_to_be_undone_first(fixture):
    a, b = two_customers(fixture)
    fixture.world("erp").create("customers", name="Osaka Lantern Studio")
    fixture.sync()
    c = next(g.id for g in fixture.goldens() if g.id not in {a, b})
    first = unify.merge(fixture.hub, a, b, "steward")
    unify.merge(fixture.hub, c, a, "steward")
    with pytest.raises(unify.CannotUnifyError, match="undo merge"):
        split.unmerge(fixture.hub, first, "steward")
