"""What random histories and a second look found, each as the shortest story that shows it."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from connectors.memory import Trouble
from connectors.memory.connector import Memory
from connectors.sdk.contract import Page
from connectors.sdk.errors import AnswerLostError
from sync.core.policy import PolicySet
from sync.flow import decide, decide_guard, dispatch, split, sweep, take_in, unify
from sync.flow.records import hint_row
from sync.service import plans, systems
from sync.store import inbox
from sync.store.tables import Candidate, Change, DeadLetter, Dirty, Guard, Link, System

ACME = {"name": "Acme Trading", "email": "a@acme.example", "tax_id": "91310000MA0000000Y"}
HARBOUR = "91310000MA0000777K"  # another registration number


def only(fixture, name, kind="customers"):
    (record,) = fixture.world(name).all(kind)
    return record


def shown(fixture, field, kind="customers"):
    return [only(fixture, name, kind)[field] for name in fixture.names]


def set_policy(fixture, name, policy):
    with fixture.hub.database.write() as tx:
        tx.execute(update(System).where(System.name == name).values(delete_policy=policy))


def deleted_in_the_crm(fixture):
    """A customer of all systems is deleted in one that asks what to do: (its world, the id)."""
    set_policy(fixture, "crm", "review")
    fixture.world("erp").create("customers", **ACME)
    fixture.sync()
    crm = fixture.world("crm")
    gone = only(fixture, "crm")["id"]
    crm.delete("customers", gone)
    fixture.sync()
    return crm, gone


def rows(fixture, table):
    with fixture.hub.database.read() as session:
        return list(session.scalars(select(table)))


def test_a_customer_entered_in_two_systems_at_once_is_not_doubled(fixture):
    fixture.world("erp").create("customers", name="Other", email="o@other.example")
    fixture.sync()
    fixture.world("erp").create("customers", **ACME)
    fixture.world("crm").create("customers", **ACME)
    fixture.poll("erp")  # the hub hears of one of them only, and has all the time it wants
    fixture.work()
    fixture.clock.pass_(10)
    fixture.work()
    fixture.sync()
    for name in fixture.names:
        assert [r["name"] for r in fixture.world(name).all("customers")].count(ACME["name"]) == 1


def test_an_edit_that_was_taken_back_before_it_was_taken_in_leaves_no_trace(fixture):
    fixture.world("erp").create("customers", **ACME, notes="first")
    fixture.sync()
    record = only(fixture, "erp")["id"]
    fixture.world("erp").edit("customers", record, notes="second")
    fixture.poll("erp")
    fixture.world("erp").edit("customers", record, notes="first")
    fixture.poll("erp")
    fixture.clock.pass_(120)  # later polls do not list it any more
    fixture.sync()
    assert shown(fixture, "notes") == ["first"] * 3


def test_a_short_copy_does_not_come_back_with_its_neighbour(fixture):
    fixture.world("crm").switch(cut={"billing_street": 8})
    fixture.world("erp").create("customers", **ACME, billing_street="A very long street")
    fixture.sync()
    fixture.world("crm").edit("customers", only(fixture, "crm")["id"], billing_city="Köln")
    fixture.sync()
    assert only(fixture, "erp")["billing_street"] == "A very long street"
    assert shown(fixture, "billing_city") == ["Köln"] * 3


def test_who_overwrites_within_the_second_what_the_hub_brought_keeps_the_last_word(fixture):
    fixture.world("erp").switch(whole_seconds=True)
    fixture.world("erp").create("customers", **ACME)
    fixture.sync()
    fixture.clock.at = fixture.clock.at.replace(microsecond=100_000)
    (golden,) = fixture.goldens()
    decide.edit(fixture.hub, golden.id, {"notes": "from the hub"}, "li")
    fixture.world("erp").trouble(Trouble(kind="lost", only="write"))
    dispatch.drain(fixture.hub, fixture.id_of("erp"))  # it arrives, and nobody is told
    assert only(fixture, "erp")["notes"] == "from the hub"
    fixture.world("erp").edit("customers", only(fixture, "erp")["id"], notes="seen, and mended")
    assert fixture.clock.at.microsecond > 100_000  # all of it within one second
    fixture.world("erp").trouble()
    fixture.sync()
    assert shown(fixture, "notes") == ["seen, and mended"] * 3


def test_a_lost_answer_of_a_cutting_system_is_no_edit(fixture):
    fixture.world("crm").switch(cut={"name": 8})
    fixture.world("erp").create("customers", **ACME)
    fixture.sync()
    fixture.world("crm").trouble(Trouble(kind="lost", only="write"))
    fixture.world("erp").edit("customers", only(fixture, "erp")["id"], name="Renamed Holding")
    fixture.sync()
    assert shown(fixture, "name") == ["Renamed Holding", "Renamed ", "Renamed Holding"]
    assert fixture.conflicts() == []


def test_a_lost_write_that_was_taken_back_in_the_hub_is_taken_back_there(fixture):
    fixture.world("erp").create("customers", **ACME, notes="first")
    fixture.sync()
    (golden,) = fixture.goldens()
    fixture.world("crm").trouble(Trouble(kind="lost", only="write"))
    decide.edit(fixture.hub, golden.id, {"notes": "second"}, "user")
    dispatch.drain(fixture.hub, fixture.id_of("crm"))
    assert only(fixture, "crm")["notes"] == "second"
    decide.edit(fixture.hub, golden.id, {"notes": "first"}, "user")
    fixture.sync()
    assert shown(fixture, "notes") == ["first"] * 3


def test_an_edit_of_a_record_whose_create_is_in_doubt_is_taken_in(fixture):
    fixture.world("erp").create("customers", **ACME, notes="first")
    fixture.world("crm").trouble(Trouble(kind="lost", only="write"))
    fixture.poll()
    fixture.work()
    record = only(fixture, "crm")
    fixture.world("crm").edit("customers", record["id"], notes="typed in crm", website="w.example")
    fixture.clock.pass_(60)
    dispatch.drain(fixture.hub, fixture.id_of("crm"))  # finds it by the hub's key
    fixture.sync()
    assert shown(fixture, "notes") == ["typed in crm"] * 3
    assert shown(fixture, "website") == ["w.example"] * 3


def test_a_record_that_cannot_be_read_does_not_keep_dispatch_busy(fixture):
    fixture.world("crm").switch(conditional=False)
    fixture.reopen()
    fixture.world("erp").create("customers", **ACME)
    fixture.sync()
    broken = only(fixture, "crm")["id"]
    fixture.world("crm").edit("customers", broken, tax_id="not a number")
    fixture.world("erp").edit("customers", only(fixture, "erp")["id"], notes="news")
    fixture.poll("erp")
    take_in.drain(fixture.hub, fixture.id_of("erp"))
    before = fixture.world("crm").calls("read")
    dispatch.drain(fixture.hub, fixture.id_of("crm"))
    assert fixture.world("crm").calls("read") - before < 5


def test_a_deletion_that_was_taken_back_is_not_carried_out(fixture):
    set_policy(fixture, "crm", "propagate")
    fixture.world("erp").create("customers", **ACME)
    fixture.sync()
    record = only(fixture, "crm")["id"]
    fixture.world("crm").delete("customers", record)
    fixture.poll("crm")
    fixture.world("crm").undelete("customers", record)
    fixture.work()
    fixture.sync()
    assert shown(fixture, "name") == [ACME["name"]] * 3


@pytest.mark.parametrize("policy", ["propagate", "recreate", "unlink"])
def test_a_remote_merge_is_proposed_and_deletes_nothing(fixture, policy):
    set_policy(fixture, "crm", policy)
    erp, crm = fixture.world("erp"), fixture.world("crm")
    erp.create("customers", **ACME)
    erp.create("customers", name="Quite different", email="q@quite.example")
    fixture.sync()
    winner, loser = (record["id"] for record in crm.all("customers"))
    crm.merge("customers", winner, [loser])
    fixture.sync()
    assert len(erp.all("customers")) == 2
    assert len(crm.all("customers")) == 1
    assert len(rows(fixture, Candidate)) == 1


def test_a_link_follows_its_record_into_a_winner_that_the_hub_does_not_know(fixture):
    fixture.world("erp").create("customers", **ACME)
    fixture.sync()
    crm = fixture.world("crm")
    loser = only(fixture, "crm")["id"]
    winner = crm.create("customers", name="Acme Trading Group", website="acme.example")
    crm.merge("customers", winner, [loser])
    system_id, now = fixture.id_of("crm"), fixture.hub.now()
    with fixture.hub.database.write() as tx:
        inbox.deliver(tx, [hint_row(system_id, "customers", loser, "hook:1", now)])
    fixture.work()
    fixture.sync()
    assert shown(fixture, "website") == ["acme.example"] * 3
    assert len(fixture.goldens()) == 1
    assert winner in {link.remote_id for link in fixture.links()}


def test_an_undeleted_record_brings_its_customer_back_everywhere(fixture):
    set_policy(fixture, "crm", "propagate")
    erp = fixture.world("erp")
    erp.create("contacts", name="王伟", customer_id=erp.create("customers", **ACME))
    fixture.sync()
    record = only(fixture, "crm")["id"]
    fixture.world("crm").delete("customers", record)
    fixture.sync()
    assert fixture.world("sales").all("customers") == []
    fixture.world("crm").undelete("customers", record)
    fixture.sync()
    assert shown(fixture, "name") == [ACME["name"]] * 3
    assert len(fixture.goldens()) == 1


def test_a_contact_whose_customer_is_gone_there_still_gets_its_other_fields(fixture):
    erp = fixture.world("erp")
    person = erp.create("contacts", name="王伟", customer_id=erp.create("customers", **ACME))
    fixture.sync()
    fixture.world("crm").delete("customers", only(fixture, "crm")["id"])
    fixture.sync()
    erp.edit("contacts", person, job_title="buyer")
    fixture.sync()
    assert shown(fixture, "job_title", "contacts") == ["buyer"] * 3
    assert fixture.waiting() == 0


def test_a_parent_that_was_made_anew_gets_its_contacts_back(fixture):
    set_policy(fixture, "crm", "recreate")
    erp = fixture.world("erp")
    erp.create("contacts", name="王伟", customer_id=erp.create("customers", **ACME))
    fixture.sync()
    fixture.world("crm").delete("customers", only(fixture, "crm")["id"])
    fixture.sync()
    parent = only(fixture, "crm")["id"]
    assert only(fixture, "crm", "contacts")["customer_id"] == parent


def test_what_changed_while_a_system_was_paused_reaches_it(fixture):
    fixture.world("erp").create("customers", **ACME)
    fixture.sync()
    systems.pause_system(fixture.hub, "crm")
    fixture.world("erp").edit("customers", only(fixture, "erp")["id"], notes="news")
    fixture.poll("erp")
    take_in.drain(fixture.hub, fixture.id_of("erp"))
    systems.resume_system(fixture.hub, "crm")
    fixture.sync()
    assert only(fixture, "crm")["notes"] == "news"


def test_a_system_that_joins_later_gets_what_the_others_had(fixture):
    with fixture.hub.database.write() as tx:
        tx.execute(update(System).where(System.name == "sales").values(state="draft"))
    fixture.world("erp").create("customers", **ACME)
    fixture.world("sales").create("customers", name="Walked in", email="w@in.example")
    for _ in range(3):
        fixture.poll("erp", "crm")
        fixture.work()
        fixture.clock.pass_(30)
    assert len(fixture.world("crm").all("customers")) == 1
    plan = plans.start_plan(fixture.hub, ["sales"], wake=False)
    plans.make_plan(fixture.hub, plan.id)
    plans.apply_plan(fixture.hub, plan.id, inline=True)
    fixture.sync()
    for name in fixture.names:
        names = sorted(record["name"] for record in fixture.world(name).all("customers"))
        assert names == [ACME["name"], "Walked in"]


def test_a_record_deleted_under_a_write_is_no_dead_letter(fixture):
    fixture.world("erp").create("customers", **ACME)
    fixture.sync()
    fixture.world("crm").delete("customers", only(fixture, "crm")["id"])
    fixture.world("erp").edit("customers", only(fixture, "erp")["id"], notes="news")
    fixture.poll("erp")  # crm is not polled: the write is what finds out
    fixture.work()
    fixture.clock.pass_(60)
    fixture.work()
    assert rows(fixture, DeadLetter) == []
    assert rows(fixture, Dirty) == []


def test_a_refused_create_leaves_no_link_in_doubt(fixture):
    fixture.world("crm").switch(choices={"customers.kind": ("person",)})
    fixture.world("erp").create("customers", **ACME, kind="organisation")
    fixture.sync()
    assert "in_doubt" not in {link.state for link in fixture.links()}


def test_a_later_clearing_is_not_undone_by_an_earlier_edit(fixture):
    policy = {"fields": [{"path": "notes", "rule": "latest", "blanks": True}]}
    fixture.hub = replace(fixture.hub, policies=PolicySet.model_validate(policy))
    fixture.world("erp").create("customers", **ACME, notes="first")
    fixture.sync()
    fixture.world("crm").edit("customers", only(fixture, "crm")["id"], notes="earlier")
    fixture.clock.pass_(5)
    fixture.world("erp").edit("customers", only(fixture, "erp")["id"], notes=None)
    fixture.poll("erp")
    fixture.work()
    fixture.sync()
    assert shown(fixture, "notes") == [None] * 3
    assert len(fixture.conflicts()) == 1


def test_a_newer_dispute_about_a_field_replaces_the_older(fixture):
    policy = {"fields": [{"path": "owner", "rule": "manual"}]}
    fixture.hub = replace(fixture.hub, policies=PolicySet.model_validate(policy))
    fixture.world("erp").create("customers", **ACME, owner="a@us.example")
    fixture.sync()
    for number in range(2):
        fixture.world("erp").edit(
            "customers", only(fixture, "erp")["id"], owner=f"e{number}@us.example"
        )
        fixture.world("crm").edit(
            "customers", only(fixture, "crm")["id"], owner=f"c{number}@us.example"
        )
        fixture.sync()
    waiting = [c for c in fixture.conflicts() if c.state == "open"]
    assert [c.theirs for c in waiting] == [{"owner": "c1@us.example"}]
    decide.decide_conflict(fixture.hub, waiting[0].id, "theirs", "user")
    fixture.sync()
    assert shown(fixture, "owner") == ["c1@us.example"] * 3


def test_a_customer_who_changed_before_a_lost_create_was_found_is_no_conflict(fixture):
    fixture.sync()
    fixture.world("erp").create("customers", **ACME)
    fixture.poll()
    take_in.drain(fixture.hub, fixture.id_of("erp"))
    fixture.world("crm").trouble(Trouble(kind="lost", only="write", after=0, calls=1))
    dispatch.drain(fixture.hub, fixture.id_of("crm"))
    assert only(fixture, "crm")["name"] == "Acme Trading"
    fixture.world("erp").edit("customers", only(fixture, "erp")["id"], name="Zenith Shipping")
    fixture.poll("erp")
    take_in.drain(fixture.hub, fixture.id_of("erp"))
    fixture.clock.pass_(5)
    dispatch.drain(fixture.hub, fixture.id_of("crm"))  # asks for what it may have made
    fixture.sync()
    assert shown(fixture, "name") == ["Zenith Shipping"] * 3
    assert fixture.conflicts() == []
    assert [c.path for c in rows(fixture, Change) if c.op == "overruled"] == []


def test_an_address_that_won_leaves_nothing_of_the_other(fixture):
    fixture.world("erp").create("customers", **ACME)
    fixture.sync()
    fixture.world("crm").edit(
        "customers", only(fixture, "crm")["id"], billing_street="105 Street", billing_city="Here"
    )
    fixture.clock.pass_(5)
    fixture.world("erp").edit("customers", only(fixture, "erp")["id"], billing_street="106 Street")
    fixture.poll("erp")
    fixture.work_in()
    fixture.sync()
    assert shown(fixture, "billing_street") == ["106 Street"] * 3
    assert shown(fixture, "billing_city") == [None] * 3


def test_what_is_typed_into_a_record_just_made_is_no_default_of_the_system(fixture, monkeypatch):
    """Found by kills: the user was at work between the create and the read of what was made."""
    fixture.world("crm").switch(terse=True)
    fixture.reopen()
    fixture.sync()  # the first load is done
    plain = Memory.fetch

    def typed_first(self, object_name, ids):
        if self.world is fixture.world("crm"):
            for record_id in ids:
                self.world.edit(object_name, record_id, notes="typed", phone="+8613800000009")
        return plain(self, object_name, ids)

    monkeypatch.setattr(Memory, "fetch", typed_first)
    fixture.world("erp").create("customers", **ACME)
    fixture.poll("erp")
    take_in.drain(fixture.hub, fixture.id_of("erp"))
    dispatch.drain(fixture.hub, fixture.id_of("crm"))
    monkeypatch.setattr(Memory, "fetch", plain)
    fixture.sync()
    assert shown(fixture, "notes") == ["typed"] * 3
    assert shown(fixture, "phone") == ["+8613800000009"] * 3


def test_a_short_form_that_a_remote_merge_carried_over_does_not_win(fixture):
    erp, crm = fixture.world("erp"), fixture.world("crm")
    crm.switch(cut={"notes": 8})
    erp.create("customers", **ACME)
    fixture.sync()
    fixture.clock.pass_(60)
    erp.create(
        "customers", name="Quite different", email="q@quite.example", notes="all of the notes"
    )
    fixture.sync()
    winner, loser = (record["id"] for record in crm.all("customers"))
    fixture.clock.pass_(60)
    crm.merge("customers", winner, [loser])  # takes “all of t” over
    fixture.sync()
    (pair,) = rows(fixture, Candidate)
    unify.merge(fixture.hub, pair.first_id, pair.second_id, "li")
    fixture.sync()
    assert shown(fixture, "notes") == ["all of the notes", "all of t", "all of the notes"]


def test_a_short_form_of_a_write_that_was_not_seen_before_a_remote_merge_does_not_win(fixture):
    erp, crm = fixture.world("erp"), fixture.world("crm")
    crm.switch(cut={"notes": 8})
    known = erp.create("customers", name="Quite different", email="q@quite.example")
    fixture.sync()
    loser = only(fixture, "crm")["id"]
    fixture.clock.pass_(60)
    erp.edit("customers", known, notes="all of the notes")
    fixture.poll("erp")
    take_in.drain(fixture.hub, fixture.id_of("erp"))
    crm.trouble(Trouble(kind="lost", only="write"))
    dispatch.drain(fixture.hub, fixture.id_of("crm"))  # it arrives, and nobody is told
    assert only(fixture, "crm")["notes"] == "all of t"
    crm.trouble()
    fixture.clock.pass_(60)
    winner = crm.create("customers", **ACME)
    crm.merge("customers", winner, [loser])  # takes “all of t” over
    fixture.sync()
    (pair,) = rows(fixture, Candidate)
    unify.merge(fixture.hub, pair.first_id, pair.second_id, "li")
    fixture.sync()
    assert shown(fixture, "notes") == ["all of the notes", "all of t", "all of the notes"]


def test_who_came_in_while_a_customer_was_taken_for_another_is_asked_about(fixture):
    erp, crm = fixture.world("erp"), fixture.world("crm")
    erp.create("customers", name="Quite different", email="q@quite.example")
    erp.create("customers", **ACME)
    fixture.poll("erp")
    take_in.drain(fixture.hub, fixture.id_of("erp"))
    ids = {golden.name: golden.id for golden in fixture.goldens()}
    other, acme = ids["Quite different"], ids[ACME["name"]]
    kept = dict.fromkeys(("name", "emails[work]", "identifiers[cn:uscc]"), "winner")
    merge_id = unify.merge(fixture.hub, other, acme, "li", kept)
    crm.create("customers", **ACME)  # nobody in the hub has the name or the number now
    fixture.poll("crm")
    take_in.drain(fixture.hub, fixture.id_of("crm"))
    split.unmerge(fixture.hub, merge_id, "li")
    (asked,) = [row for row in rows(fixture, Candidate) if row.state == "open"]
    assert acme in {asked.first_id, asked.second_id}
    unify.merge(fixture.hub, asked.first_id, asked.second_id, "li")
    fixture.sync()
    for name in fixture.names:
        assert [r["name"] for r in fixture.world(name).all("customers")].count(ACME["name"]) == 1


def test_a_merge_that_brings_a_customer_back_to_a_system_brings_its_contacts(fixture):
    erp, crm = fixture.world("erp"), fixture.world("crm")
    erp.create("customers", name="Quite different", email="q@quite.example")
    erp.create("customers", **ACME)
    fixture.sync()
    ids = {golden.name: golden.id for golden in fixture.goldens()}
    acme = next(r["id"] for r in erp.all("customers") if r["name"] == ACME["name"])
    there = next(r["id"] for r in crm.all("customers") if r["name"] == ACME["name"])
    erp.delete("customers", acme)  # policy: unlink
    crm.create("contacts", name="Wang Wei", email="wang@acme.example", customer_id=there)
    fixture.sync()
    assert erp.all("contacts") == []
    unify.merge(fixture.hub, ids[ACME["name"]], ids["Quite different"], "li")
    fixture.sync()
    assert only(fixture, "erp", "contacts")["customer_id"] == only(fixture, "erp")["id"]


def test_customers_merged_again_before_their_split_went_out_come_apart_with_their_contacts(fixture):
    erp = fixture.world("erp")
    erp.create("customers", name="Quite different", email="q@quite.example")
    acme = erp.create("customers", **ACME)
    erp.create("contacts", name="Wang Wei", email="wang@acme.example", customer_id=acme)
    fixture.sync()
    ids = {golden.name: golden.id for golden in fixture.goldens()}
    pair = (ids["Quite different"], ids[ACME["name"]])
    first = unify.merge(fixture.hub, *pair, "li")
    fixture.sync()  # each system has merged its two records and moved the contact
    split.unmerge(fixture.hub, first, "li")
    second = unify.merge(fixture.hub, *pair, "li")
    split.unmerge(fixture.hub, second, "li")
    contact = only(fixture, "erp", "contacts")
    erp.edit("contacts", contact["id"], notes="typed")  # it is read again
    fixture.sync()
    for name in fixture.names:
        contact = only(fixture, name, "contacts")
        names = {r["id"]: r["name"] for r in fixture.world(name).all("customers")}
        assert (names[contact["customer_id"]], contact["notes"]) == (ACME["name"], "typed")


def test_an_edit_of_a_contact_does_not_undo_that_its_customer_came_apart(fixture):
    erp = fixture.world("erp")
    erp.create("customers", name="Quite different", email="q@quite.example")
    acme = erp.create("customers", **ACME)
    erp.create("contacts", name="Wang Wei", email="wang@acme.example", customer_id=acme)
    fixture.sync()
    ids = {golden.name: golden.id for golden in fixture.goldens()}
    merge_id = unify.merge(fixture.hub, ids["Quite different"], ids[ACME["name"]], "li")
    fixture.sync()  # each system has merged its two records and moved the contact
    split.unmerge(fixture.hub, merge_id, "li")
    small = replace(fixture.hub, settings=fixture.hub.settings.model_copy(update={"batch": 1}))
    while len(erp.all("customers")) < 2:  # Acme is made anew, its contact has not been told
        dispatch.drain(small, fixture.id_of("erp"), rounds=1)
    contact = only(fixture, "erp", "contacts")
    assert contact["customer_id"] != erp.all("customers")[-1]["id"]
    erp.edit("contacts", contact["id"], notes="typed")
    fixture.poll("erp")
    take_in.drain(fixture.hub, fixture.id_of("erp"))
    fixture.sync()
    for name in fixture.names:
        contact = only(fixture, name, "contacts")
        names = {r["id"]: r["name"] for r in fixture.world(name).all("customers")}
        assert (names[contact["customer_id"]], contact["notes"]) == (ACME["name"], "typed")


@pytest.mark.parametrize("lost_before", [False, True])
def test_a_remote_merge_whose_answer_was_lost_and_which_was_undone_is_made_good(
    fixture, lost_before
):
    erp, crm = fixture.world("erp"), fixture.world("crm")
    crm.create("customers", name="Quite different", email="q@quite.example")
    crm.create("customers", **ACME)
    fixture.sync()
    ids = {golden.name: golden.id for golden in fixture.goldens()}
    merge_id = unify.merge(fixture.hub, ids["Quite different"], ids[ACME["name"]], "li")
    kind = "unreachable" if lost_before else "lost"
    erp.trouble(Trouble(kind=kind, only="write"))
    dispatch.drain(fixture.hub, fixture.id_of("erp"))
    assert len(erp.all("customers")) == (2 if lost_before else 1)
    split.unmerge(fixture.hub, merge_id, "li")
    fixture.clock.pass_(600)
    fixture.sync()
    for name in fixture.names:
        names = [r["name"] for r in fixture.world(name).all("customers")]
        assert sorted(names) == ["Acme Trading", "Quite different"]
    doubted = [link for link in rows(fixture, Link) if link.doubt_since is not None]
    assert doubted == []


def test_what_was_typed_and_emptied_while_two_were_one_is_empty_everywhere_afterwards(fixture):
    policy = {"fields": [{"path": "notes", "rule": "latest", "blanks": True}]}
    fixture.hub = replace(fixture.hub, policies=PolicySet.model_validate(policy))
    erp, crm = fixture.world("erp"), fixture.world("crm")
    kept = erp.create("customers", name="Quite different", email="q@quite.example")
    erp.create("customers", **ACME)
    fixture.sync()
    ids = {golden.name: golden.id for golden in fixture.goldens()}
    merge_id = unify.merge(fixture.hub, ids["Quite different"], ids[ACME["name"]], "li")
    fixture.sync()
    erp.edit("customers", kept, notes="typed while they were one")
    fixture.sync()
    crm.edit("customers", only(fixture, "crm")["id"], notes=None)
    fixture.poll("crm")
    take_in.drain(fixture.hub, fixture.id_of("crm"))  # the others have not been told yet
    split.unmerge(fixture.hub, merge_id, "li")
    fixture.sync()
    for name in fixture.names:
        found = {r["name"]: r["notes"] for r in fixture.world(name).all("customers")}
        assert found == {"Quite different": None, ACME["name"]: None}


def test_a_contact_that_a_lost_remote_merge_moved_goes_back_with_its_customer(fixture):
    erp = fixture.world("erp")
    erp.create("customers", name="Quite different", email="q@quite.example")
    acme = erp.create("customers", **ACME)
    contact = erp.create("contacts", name="Wang Wei", email="wang@acme.example", customer_id=acme)
    fixture.sync()
    ids = {golden.name: golden.id for golden in fixture.goldens()}
    merge_id = unify.merge(fixture.hub, ids["Quite different"], ids[ACME["name"]], "li")
    erp.trouble(Trouble(kind="lost", only="write"))
    dispatch.drain(fixture.hub, fixture.id_of("erp"))  # done there, and nobody is told
    assert erp.get("contacts", contact).body["customer_id"] != acme
    split.unmerge(fixture.hub, merge_id, "li")
    erp.edit("contacts", contact, notes="typed")  # so that the contact is seen, too
    fixture.clock.pass_(600)
    fixture.sync()
    for name in fixture.names:
        found = only(fixture, name, "contacts")
        names = {r["id"]: r["name"] for r in fixture.world(name).all("customers")}
        assert (names[found["customer_id"]], found["notes"]) == (ACME["name"], "typed")


def test_a_record_that_a_webhook_brought_and_a_first_listing_lacks_is_looked_at(fixture):
    erp = fixture.world("erp")
    record = erp.create("customers", **ACME)
    system_id, now = fixture.id_of("erp"), fixture.hub.now()
    with fixture.hub.database.write() as tx:
        inbox.deliver(tx, [hint_row(system_id, "customers", record, "hook:1", now)])
    fixture.work()  # nothing has been listed yet
    erp.delete("customers", record)  # and the webhook that tells of it is lost
    fixture.sync()
    assert [
        x.state for x in fixture.links() if x.remote_id == record and x.system_id == system_id
    ] == ["gone"]


def test_what_the_hub_made_of_an_owned_value_is_not_overruled_by_another_system(fixture):
    policy = {"path": "credit_limit", "rule": "source_of_record", "systems": ["erp"]}
    fixture.hub = replace(fixture.hub, policies=PolicySet.model_validate({"fields": [policy]}))
    erp, crm = fixture.world("erp"), fixture.world("crm")
    erp.create("customers", **ACME, credit_limit="102")
    fixture.sync()
    (golden,) = fixture.goldens()
    decide.edit(fixture.hub, golden.id, {"credit_limit": "103"}, "li")
    fixture.clock.pass_(5)
    crm.edit("customers", only(fixture, "crm")["id"], credit_limit="101")  # later, not the owner's
    fixture.sync()
    assert shown(fixture, "credit_limit") == ["103"] * 3
    erp.edit("customers", only(fixture, "erp")["id"], credit_limit="104")
    fixture.sync()
    assert shown(fixture, "credit_limit") == ["104"] * 3


def test_a_record_that_was_deleted_while_its_merge_was_asked_for_is_gone_afterwards(fixture):
    erp = fixture.world("erp")
    erp.create("customers", name="Quite different", email="q@quite.example")
    acme = erp.create("customers", **ACME)
    fixture.sync()
    ids = {golden.name: golden.id for golden in fixture.goldens()}
    merge_id = unify.merge(fixture.hub, ids["Quite different"], ids[ACME["name"]], "li")
    erp.delete("customers", acme)
    for _ in range(2):
        fixture.poll("erp")  # the record is not one that the hub listens to now
        fixture.clock.pass_(120)
    split.unmerge(fixture.hub, merge_id, "li")
    fixture.sync()
    states = {link.remote_id: link.state for link in fixture.links()
              if (link.system_id, link.object) == (fixture.id_of("erp"), "customers")}  # fmt: skip
    assert states[acme] == "gone"


def test_an_older_value_that_a_remote_merge_carried_over_does_not_come_back(fixture):
    policy = {"path": "industry", "rule": "priority", "systems": ["crm"]}
    fixture.hub = replace(fixture.hub, policies=PolicySet.model_validate({"fields": [policy]}))
    crm = fixture.world("crm")
    first = crm.create("customers", **ACME, industry="retail")
    fixture.sync()
    (golden,) = fixture.goldens()
    second = crm.create("customers", name="Quite different", email="q@quite.example")
    fixture.sync()
    decide.edit(fixture.hub, golden.id, {"industry": "service"}, "li")
    crm.merge("customers", second, [first])  # takes “retail” over
    fixture.sync()
    (pair,) = rows(fixture, Candidate)
    unify.merge(fixture.hub, pair.first_id, pair.second_id, "li")
    fixture.sync()
    assert shown(fixture, "industry") == ["service"] * 3


def _created_without_an_answer(fixture):
    """A customer whose record in crm was made; the hub was never told."""
    policy = {"default": {"rule": "priority", "systems": ["erp"]}}
    fixture.hub = replace(fixture.hub, policies=PolicySet.model_validate(policy))
    erp, crm = fixture.world("erp"), fixture.world("crm")
    record = erp.create("customers", **ACME, notes="first")
    fixture.poll()
    take_in.drain(fixture.hub, fixture.id_of("erp"))
    crm.trouble(Trouble(kind="lost", only="write"))
    dispatch.drain(fixture.hub, fixture.id_of("crm"))
    crm.trouble()
    return erp, record, crm, only(fixture, "crm")["id"]


def test_an_edit_of_a_record_whose_create_was_not_answered_is_the_only_one(fixture):
    """Nothing stood against it, so no rule decides: crm has no priority."""
    _, _, crm, made = _created_without_an_answer(fixture)
    crm.edit("customers", made, notes="typed in crm")
    fixture.sync()  # the record is listed before it is looked up
    assert shown(fixture, "notes") == ["typed in crm"] * 3
    assert [c.path for c in rows(fixture, Change) if c.op == "overruled"] == []


def test_an_older_create_than_the_last_that_was_sent_is_no_edit(fixture, monkeypatch):
    """It showed up late, and a second one with a newer value was lost on its way."""
    erp, record, _, _ = _created_without_an_answer(fixture)
    erp.edit("customers", record, notes="second")
    fixture.poll("erp")
    take_in.drain(fixture.hub, fixture.id_of("erp"))
    monkeypatch.setattr(Memory, "find", lambda *_: {})
    monkeypatch.setattr(Memory, "changes", lambda _self, _name, since: iter([Page((), since)]))

    def lost(*_):
        raise AnswerLostError("The second create never arrived.")

    monkeypatch.setattr(Memory, "write", lost)
    fixture.clock.pass_(60)
    dispatch.drain(fixture.hub, fixture.id_of("crm"))
    (link,) = (x for x in fixture.links() if x.state == "in_doubt")
    assert link.pushing["notes"] == "second"
    monkeypatch.undo()
    fixture.sync()
    assert shown(fixture, "notes") == ["second"] * 3


def test_a_renamed_record_that_was_heard_of_while_two_were_one_goes_to_whom_it_may_be(fixture):
    """Its name is nobody's by now; its tax number is the one's, and rules the other out."""
    erp, crm = fixture.world("erp"), fixture.world("crm")
    erp.create("customers", name="Harbour 7", email="h@harbour.example", tax_id=HARBOUR)
    erp.create("customers", **{**ACME, "name": "Acme 101"})
    fixture.poll("erp")
    take_in.drain(fixture.hub, fixture.id_of("erp"))
    ids = {golden.name: golden.id for golden in fixture.goldens()}
    kept = dict.fromkeys(("name", "emails[work]", "identifiers[cn:uscc]"), "loser")
    merge_id = unify.merge(fixture.hub, ids["Harbour 7"], ids["Acme 101"], "li", kept)
    heard = crm.create("customers", **{**ACME, "name": "Acme 101"})
    fixture.poll("crm")
    take_in.drain(fixture.hub, fixture.id_of("crm"))
    crm.edit("customers", heard, name="Acme 205")
    fixture.poll("crm")
    take_in.drain(fixture.hub, fixture.id_of("crm"))
    split.unmerge(fixture.hub, merge_id, "li")
    fixture.sync()
    for name in fixture.names:
        found = {r["email"]: r["name"] for r in fixture.world(name).all("customers")}
        assert found == {ACME["email"]: "Acme 205", "h@harbour.example": "Harbour 7"}
        assert len(fixture.world(name).all("customers")) == 2


@pytest.mark.parametrize("how", ["restored", "entered twice"])
def test_a_customer_who_is_back_is_not_deleted_by_an_older_question(fixture, how):
    crm, gone = deleted_in_the_crm(fixture)
    if how == "restored":
        crm.undelete("customers", gone)
    else:
        crm.create("customers", **ACME)
    fixture.sync()
    (guard,) = rows(fixture, Guard)
    decide_guard.decide_guard(fixture.hub, guard.id, allow=True, actor="li")
    fixture.sync()
    assert shown(fixture, "name") == [ACME["name"]] * 3
    assert [(x.state, x.decided_by) for x in rows(fixture, Guard)] == [("outdated", "li")]


@pytest.mark.parametrize("how", ["restored", "deleted everywhere", "still gone"])
def test_a_question_about_a_delete_closes_when_there_is_nothing_left_to_decide(fixture, how):
    set_policy(fixture, "erp", "propagate")
    crm, gone = deleted_in_the_crm(fixture)
    if how == "restored":
        crm.undelete("customers", gone)
    elif how == "deleted everywhere":
        fixture.world("erp").delete("customers", only(fixture, "erp")["id"])
    fixture.sync()
    sweep.wake_due(fixture.hub)
    wanted = ("open", "") if how == "still gone" else ("outdated", "hub")
    assert [(x.state, x.decided_by) for x in rows(fixture, Guard)] == [wanted]
