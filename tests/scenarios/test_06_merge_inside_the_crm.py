"""A user merges B and C into A in the CRM: two ids vanish, A changes, in any order."""

import pytest

from sync.flow import take_in, unify
from sync.flow.records import hint_row
from sync.store import inbox
from sync.store.tables import Candidate
from tests.scenarios.story import records, rows, set_system

PEOPLE = (("Alpha Works", "a@alpha.example"), ("Beta Tools", "b@beta.example"),
          ("Gamma Foods", "c@gamma.example"))  # fmt: skip


def ids(fixture, name):
    return {record["name"]: record["id"] for record in records(fixture, name)}


@pytest.mark.parametrize("policy", ["unlink", "propagate", "recreate"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_nobody_is_deleted_or_made_again(fixture, policy, order):
    set_system(fixture, "crm", delete_policy=policy)
    for name, mail in PEOPLE:
        fixture.world("erp").create("customers", name=name, email=mail)
    fixture.sync()
    crm, known = fixture.world("crm"), ids(fixture, "crm")
    a, b, c = (known[name] for name, _ in PEOPLE)
    crm.merge("customers", a, [b, c])
    crm.edit("customers", a, notes="all three are one")
    system_id = fixture.id_of("crm")
    for place in order:  # webhooks in any order
        with fixture.hub.database.write() as tx:
            now = fixture.hub.now()
            row = hint_row(system_id, "customers", (a, b, c)[place], f"hook:{place}", now)
            inbox.deliver(tx, [row])
        take_in.drain(fixture.hub, system_id)
    fixture.sync()
    assert sorted(ids(fixture, "erp")) == [name for name, _ in PEOPLE]
    assert len(records(fixture, "crm")) == 1
    pairs = rows(fixture, Candidate)
    assert len(pairs) == 2, "both losers are proposed as one with the winner"


def test_after_the_stewards_merge_an_edit_of_b_lands_on_a(fixture):
    for name, mail in PEOPLE[:2]:
        fixture.world("erp").create("customers", name=name, email=mail)
    fixture.sync()
    known = ids(fixture, "crm")
    a, b = known["Alpha Works"], known["Beta Tools"]
    fixture.world("crm").merge("customers", a, [b])
    fixture.sync()
    (pair,) = rows(fixture, Candidate)
    winner = next(g.id for g in fixture.goldens() if g.name == "Alpha Works")
    loser = pair.first_id if pair.first_id != winner else pair.second_id
    unify.merge(fixture.hub, winner, loser, "li")
    for _ in range(4):
        fixture.poll()
        fixture.work()
        fixture.clock.pass_(60)
    sales = fixture.world("sales")
    for record in sales.all("customers"):
        sales.edit("customers", record["id"], notes="typed in sales")
    fixture.sync()
    (left,) = records(fixture, "crm")
    assert left["id"] == a
    assert left["notes"] == "typed in sales"
