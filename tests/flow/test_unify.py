"""Merging two golden records, and taking them apart again, over three systems."""

import random
from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import select, update

from connectors.sdk.errors import RecordError, TransientError
from connectors.testing.faults import Fault, Faults, inject
from sync.flow import dispatch, foresee, split, unify
from sync.service import candidates
from sync.store.tables import Candidate, Change, Conflict, Golden, Link, MatchKey, Merge

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
        row["tags"] = sorted(row["tags"] or [])
        row["phone"] = "".join(c for c in row["phone"] or "" if c.isdigit())[-8:]
    return sorted(rows, key=lambda row: str(row["name"]))


def assert_agreement(fixture):
    for name in fixture.names:
        assert shown(fixture, name) == shown(fixture, "erp")


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
    assert_agreement(fixture)
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
    assert_agreement(fixture)


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
    preview = foresee.preview_merge(fixture.hub, a, [b])
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


class Killed(BaseException):
    """The process is no more."""


def faults_of(fixture, name):
    """Faults to plan for the next calls of one system."""
    faults = Faults()
    inject(fixture.hub.systems.open(fixture.id_of(name)).connector, faults)
    return faults


def propose(fixture, a, b, *, held=None, weights=()):
    with fixture.hub.database.write() as tx:
        first, second = sorted((a, b))
        row = Candidate(
            first_id=first,
            second_id=second,
            score=4.0,
            weights=[list(w) for w in weights],
            created_at=fixture.hub.now(),
        )
        tx.add(row)
        if held:
            until = fixture.hub.now() + timedelta(hours=5)
            tx.execute(update(Golden).where(Golden.id == held).values(held_until=until))
        tx.flush()
        return row.id


@pytest.mark.parametrize("done", [False, True])
def test_a_remote_merge_survives_a_kill(fixture, done):
    a, b = two_customers(fixture)
    unify.merge(fixture.hub, a, b, "steward")
    faults_of(fixture, "crm").plan(Fault("merge", Killed(), done=done))
    with pytest.raises(Killed):
        dispatch.drain(fixture.hub, fixture.id_of("crm"))
    fixture.clock.pass_(fixture.hub.settings.lease + 1)
    fixture.sync()
    assert len(fixture.world("crm").all("customers")) == 1
    assert_agreement(fixture)
    assert {x.state for x in fixture.links() if not x.is_primary} == {"merged"}


def test_a_remote_merge_is_tried_again_later(fixture):
    a, b = two_customers(fixture)
    unify.merge(fixture.hub, a, b, "steward")
    faults_of(fixture, "crm").plan(Fault("merge", TransientError("busy", retry_after=5)))
    fixture.sync()
    assert len(fixture.world("crm").all("customers")) == 1
    assert_agreement(fixture)


def test_a_duplicate_that_its_system_does_not_merge_stays_linked_and_is_listed(fixture):
    a, b = two_customers(fixture)
    unify.merge(fixture.hub, a, b, "steward")
    faults_of(fixture, "crm").plan(Fault("merge", RecordError("Not with open orders.")))
    fixture.sync()
    crm = fixture.world("crm")
    assert len(crm.all("customers")) == 2
    (line,) = candidates.list_duplicates(fixture.hub).rows
    assert (line.golden_id, line.system, line.state) == (a, "crm", "live")
    fixture.clock.pass_(60)
    crm.edit("customers", line.remote_id, notes="seen at the fair")
    fixture.sync()
    assert golden(fixture, a).values["notes"] == "seen at the fair"
    crm.delete("customers", line.remote_id)
    fixture.sync()
    assert golden(fixture, a).state == "live"
    assert_agreement(fixture)


def test_an_edit_of_the_losers_own_record_goes_back_with_it(fixture):
    a, b = two_customers(fixture)
    merge_id = unify.merge(fixture.hub, a, b, "steward")
    faults_of(fixture, "crm").plan(Fault("merge", RecordError("Not with open orders.")))
    fixture.sync()
    (line,) = candidates.list_duplicates(fixture.hub).rows
    fixture.clock.pass_(60)
    fixture.world("crm").edit("customers", line.remote_id, notes="the loser's")
    fixture.sync()
    split.unmerge(fixture.hub, merge_id, "steward")
    fixture.sync()
    assert golden(fixture, b).values["notes"] == "the loser's"
    assert golden(fixture, a).values.get("notes") is None
    assert_agreement(fixture)


def test_where_the_kept_record_is_deleted_its_duplicate_takes_the_seat(fixture):
    a, b = two_customers(fixture)
    unify.merge(fixture.hub, a, b, "steward")
    faults_of(fixture, "crm").plan(Fault("merge", RecordError("Not with open orders.")))
    fixture.sync()
    main = next(
        x
        for x in fixture.links()
        if x.is_primary and x.system_id == fixture.id_of("crm") and x.golden_id == a
    )
    fixture.world("crm").delete("customers", main.remote_id)
    fixture.sync()
    assert len(fixture.world("crm").all("customers")) == 1
    assert_agreement(fixture)


def test_an_unseen_edit_of_a_record_is_taken_in_before_it_is_merged_away(fixture):
    a, b = two_customers(fixture)
    fixture.clock.pass_(60)
    crm = fixture.world("crm")
    loser = next(c for c in crm.all("customers") if c["name"] == "Delta Harbour Foods")
    crm.edit("customers", loser["id"], notes="call Friday")
    unify.merge(fixture.hub, a, b, "steward")
    dispatch.drain(fixture.hub, fixture.id_of("crm"))
    fixture.sync()
    assert golden(fixture, a).values["notes"] == "call Friday"
    assert_agreement(fixture)


def test_a_merge_undone_before_its_systems_heard_of_it_merges_nothing(fixture):
    a, b = two_customers(fixture)
    split.unmerge(fixture.hub, unify.merge(fixture.hub, a, b, "steward"), "steward")
    fixture.sync()
    assert all(len(fixture.world(name).all("customers")) == 2 for name in fixture.names)
    assert all(link.is_primary and link.state == "live" for link in fixture.links())


def test_telling_apart_lets_the_held_record_go(fixture):
    a, b = two_customers(fixture)
    pair = propose(fixture, a, b, held=b)
    candidates.keep_apart(fixture.hub, pair, actor="steward")
    assert golden(fixture, b).held_until is None
    assert candidates.get_pair(fixture.hub, pair).line.state == "different"


def test_a_record_stays_held_while_another_pair_is_open(fixture):
    a, b = two_customers(fixture)
    fixture.world("erp").create("customers", name="Osaka Lantern Studio")
    fixture.sync()
    c = next(g.id for g in fixture.goldens() if g.id not in {a, b})
    first, second = propose(fixture, a, c, held=c), propose(fixture, b, c)
    candidates.keep_apart(fixture.hub, first, actor="steward")
    assert golden(fixture, c).held_until is not None
    candidates.keep_apart(fixture.hub, second, actor="steward")
    assert golden(fixture, c).held_until is None


def test_what_was_open_about_the_loser_is_about_the_winner_and_goes_back(fixture):
    a, b = two_customers(fixture)
    fixture.world("erp").create("customers", name="Osaka Lantern Studio")
    fixture.sync()
    c = next(g.id for g in fixture.goldens() if g.id not in {a, b})
    pair = propose(fixture, b, c)
    candidates.keep_apart(fixture.hub, pair, actor="steward")
    with fixture.hub.database.write() as tx:
        tx.add(
            Conflict(
                golden_id=b,
                system_id=fixture.id_of("crm"),
                unit="notes",
                rule="manual",
                created_at=fixture.hub.now(),
            )
        )
    merge_id = unify.merge(fixture.hub, a, b, "steward")
    assert [x.golden_id for x in fixture.conflicts()] == [a]
    with fixture.hub.database.read() as session:
        states = {(x.first_id, x.second_id): x.state for x in session.scalars(select(Candidate))}
        assert session.scalars(select(MatchKey).where(MatchKey.golden_id == b)).all() == []
    assert states == {(a, b): "merged", tuple(sorted((a, c))): "different"}
    split.unmerge(fixture.hub, merge_id, "steward")
    assert [x.golden_id for x in fixture.conflicts()] == [b]
    with fixture.hub.database.read() as session:
        states = {(x.first_id, x.second_id): x.state for x in session.scalars(select(Candidate))}
    assert states == {(a, b): "different", tuple(sorted((b, c))): "different"}


def test_a_vanished_record_is_not_proposed_for_one_it_was_told_apart_from(fixture):
    for name in ("Acme Pump Works", "Acme Pump Works"):
        fixture.world("crm").create("customers", name=name, email="info@acme.example")
    fixture.poll()
    fixture.work()  # no more: the pair is held until somebody decides
    a, b = sorted(g.id for g in fixture.goldens())
    unify.keep_apart(fixture.hub, a, b, "steward")
    link = next(
        x for x in fixture.links() if x.golden_id == b and x.system_id == fixture.id_of("crm")
    )
    fixture.world("crm").delete("customers", link.remote_id)
    fixture.sync()
    with fixture.hub.database.read() as session:
        assert [x.state for x in session.scalars(select(Candidate))] == ["different"]


def test_merging_in_any_order_gives_the_same_clusters(fixture):
    for name in ("Hanyang Pump Works", "Delta Harbour Foods", "Osaka Lantern Studio"):
        fixture.clock.pass_(60)
        fixture.world("erp").create("customers", name=name)
        fixture.sync()
    ids = [g.id for g in fixture.goldens()]
    seen = set()
    for order in permutations(ids):
        first, second, third = order
        merges = [unify.merge(fixture.hub, first, second, "steward")]
        merges.append(unify.merge(fixture.hub, third, first, "steward"))
        (left,) = fixture.goldens()
        linked = {(x.system_id, x.remote_id) for x in fixture.links() if x.golden_id == left.id}
        seen.add((frozenset(linked), left.values["name"]))
        for merge_id in reversed(merges):
            split.unmerge(fixture.hub, merge_id, "steward")
    assert len(seen) == 1
    assert [g.id for g in fixture.goldens()] == ids


FIELDS = ("phone", "email", "notes", "billing_city", "billing_street", "fax")


def filled(chance, number):
    """Random fields of a customer; every value is its own."""
    given = {
        "phone": f"021-5555{chance.randrange(1000, 9999)}",
        "email": f"a{number}{chance.randrange(99)}@one{number}.example",
        "notes": f"note {chance.randrange(9)}",
        "billing_city": chance.choice(["上海", "Ulm", "Lyon"]),
        "billing_street": f"Street {chance.randrange(99)}",
        "fax": f"021-6666{chance.randrange(1000, 9999)}",
    }
    return {name: given[name] for name in FIELDS if chance.random() < 0.5}


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_merged_and_taken_apart_is_as_before(fixture, seed):
    chance = random.Random(seed)
    names = ("Hanyang Pump Works", "Delta Harbour Foods")
    for number, name in enumerate(names):
        fixture.clock.pass_(60)
        world = fixture.world(chance.choice(fixture.names))
        customer = world.create(
            "customers", name=name, tags=chance.sample("abc", 2), **filled(chance, number)
        )
        if chance.random() < 0.5:
            world.create("contacts", name=f"Person {number}", customer_id=customer)
        fixture.sync()
    ids = [g.id for g in fixture.goldens()]
    before = [told(golden(fixture, x).values) for x in ids]
    children = {g.id: told(g.values) for g in fixture.goldens("contact")}
    chance.shuffle(ids)
    sides = {unit: chance.choice(["winner", "loser"]) for unit in ("name", "tags", "notes")}
    merge_id = unify.merge(fixture.hub, *ids, "steward", sides)
    if chance.random() < 0.8:
        fixture.sync()
        assert all(len(fixture.world(n).all("customers")) == 1 for n in fixture.names)
    split.unmerge(fixture.hub, merge_id, "steward")
    fixture.sync()
    assert [told(golden(fixture, x).values) for x in sorted(ids)] == before
    assert {g.id: told(g.values) for g in fixture.goldens("contact")} == children
    assert_agreement(fixture)
    writes = fixture.writes()
    fixture.sync()
    assert fixture.writes() == writes
    with fixture.hub.database.read() as session:
        standing = session.scalars(select(Link).where(Link.state == "live")).all()
    assert all(link.is_primary for link in standing)


def test_a_record_that_was_heard_of_while_two_were_one_goes_to_whom_it_shows(fixture):
    """Else the customer whom somebody entered there would be written over with the other."""
    erp, crm = fixture.world("erp"), fixture.world("crm")
    acme = {"name": "Acme Trading", "email": "a@acme.example", "tax_id": "91310000MA0000000Y"}
    birch = {"name": "Birch Depot", "email": "b@birch.example", "tax_id": "91310000MA00000012"}
    erp.create("customers", **acme)
    fixture.clock.pass_(60)
    erp.create("customers", **birch)
    entered = crm.create("customers", **birch)
    fixture.poll("erp")
    fixture.work_in()
    a, b = fixture.goldens()
    merge_id = unify.merge(fixture.hub, a.id, b.id, "steward")
    assert golden(fixture, a.id).values["identifiers[cn:uscc]"] == birch["tax_id"]
    fixture.sync()
    split.unmerge(fixture.hub, merge_id, "steward")
    fixture.sync()
    assert crm.get("customers", entered).body["email"] == birch["email"]
    for name in fixture.names:
        records = sorted(fixture.world(name).all("customers"), key=lambda r: r["name"])
        assert [{key: r[key] for key in acme} for r in records] == [acme, birch]
    writes = fixture.writes()
    fixture.sync()
    assert fixture.writes() == writes


def test_a_contact_that_was_written_under_a_record_of_the_other_moves_to_its_own_customer(fixture):
    """While the two were one, the only record in the crm stood for both."""
    erp, crm = fixture.world("erp"), fixture.world("crm")
    birch = {"name": "Birch Depot", "email": "b@birch.example", "tax_id": "91310000MA00000012"}
    acme = erp.create("customers", name="Acme Trading", email="a@acme.example")
    erp.create("contacts", name="王伟", customer_id=acme)
    fixture.clock.pass_(60)
    erp.create("customers", **birch)
    entered = crm.create("customers", **birch)
    fixture.poll("erp")
    fixture.work_in()
    a, b = fixture.goldens()
    merge_id = unify.merge(fixture.hub, a.id, b.id, "steward")
    fixture.sync()
    assert [c["customer_id"] for c in crm.all("contacts")] == [entered]
    split.unmerge(fixture.hub, merge_id, "steward")
    fixture.sync()
    own = {r["name"]: r["id"] for r in crm.all("customers")}
    assert own["Birch Depot"] == entered
    assert [c["customer_id"] for c in crm.all("contacts")] == [own["Acme Trading"]]
    (contact,) = fixture.goldens("contact")
    assert contact.values["customer"] == a.id
    writes = fixture.writes()
    fixture.sync()
    assert fixture.writes() == writes
