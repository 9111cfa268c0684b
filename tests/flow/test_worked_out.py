"""What a plan has worked out is put in place as it is, or worked out again."""

import os
import signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update

from sync.flow import load, plan, sweep, take_in, turn_away, worked_out
from sync.flow.weights import IN_USE
from sync.gateway.quota import LocalBuckets
from sync.gateway.systems import Systems
from sync.service import plans
from sync.store import state
from sync.store.session import Database
from sync.store.systems import StoredSystems
from sync.store.tables import (
    Base,
    Candidate,
    Change,
    Conflict,
    Dirty,
    Golden,
    Inbox,
    Link,
    Mapping,
    MatchKey,
    Plan,
    Run,
    Staged,
    System,
)
from tests.flow.workshop import MORNING, NAMES, Workshop, in_process, moved


@pytest.fixture
def filled(fixture):
    """Three systems that are not live yet, and a customer whom two of them know."""
    make_drafts(fixture.hub)
    erp, crm = fixture.world("erp"), fixture.world("crm")
    acme = erp.create("customers", name="Acme", email="a@acme.example", phone="021-55550101")
    erp.create("contacts", name="王伟", customer_id=acme)
    crm.create("customers", name="Acme", email="a@acme.example", phone="021-55550109", notes="VIP")
    erp.create("customers", name="Bolt & Sons", website="https://bolt.example")
    return fixture


def make_drafts(hub):
    with hub.database.write() as tx:
        tx.execute(update(System).values(state="draft"))


def made_plan(hub):
    return plans.make_plan(hub, plans.start_plan(hub, wake=False).id)


def kept_files(hub):
    return sorted(path.name for path in (hub.settings.home / worked_out.FOLDER).glob("*.db"))


def another(hub, home):
    """A second hub that knows the same systems, and nobody in them."""
    home.mkdir()
    database = Database(f"sqlite:///{home / 'kehub.db'}")
    Base.metadata.create_all(database.engine)
    plan._copy(hub.database, database)
    return replace(
        hub,
        database=database,
        systems=Systems(StoredSystems(database), hub.systems.vault, LocalBuckets()),
        settings=hub.settings.model_copy(update={"home": home}),
    )


def applied(hub, *, placed):
    made = made_plan(hub)
    if not placed:
        worked_out.forget(hub)
    plans.apply_plan(hub, made.id, inline=True)
    assert (waiting(hub) == 0) is placed


def waiting(hub):
    with hub.database.read() as session:
        return session.scalar(select(func.count()).select_from(Inbox))


def picture(hub):
    """All that a load leaves behind, but for what differs each time: ids and moments."""
    with hub.database.read() as session:
        goldens = {g.id: g for g in session.scalars(select(Golden))}
        who = {i: (g.entity, g.name, sorted(g.provenance)) for i, g in goldens.items()}
        references = {golden_id: str(who[golden_id]) for golden_id in who}

        def shown(values):
            return {k: references.get(v, v) if isinstance(v, str) else v for k, v in values.items()}

        return {
            "golden": sorted(
                str((who[g.id], shown(g.values), g.provenance, g.state, g.version, g.stage))
                + str(bool(g.held_until))
                for g in goldens.values()
            ),
            "link": sorted(
                str((who[x.golden_id], x.system_id, x.object, x.remote_id, x.state, x.digest))
                + str((shown(x.shadow), x.pushed, x.pushing, x.version, x.hub_key == x.golden_id))
                for x in session.scalars(select(Link))
            ),
            "key": sorted(
                # A contact's names its customer by id.
                (str(who[k.golden_id]), k.key if who[k.golden_id][0] == "customer" else 0)
                for k in session.scalars(select(MatchKey))
            ),
            "change": sorted(
                str((who[c.golden_id], c.op, c.path, c.old, c.system_id, c.remote_id, c.rule))
                for c in session.scalars(select(Change))
            ),
            "dirty": sorted(
                str((who[d.golden_id], d.system_id, d.lane)) for d in session.scalars(select(Dirty))
            ),
            "candidate": sorted(
                str(sorted((str(who[c.first_id]), str(who[c.second_id])))) + f"{c.score:.6f}"
                for c in session.scalars(select(Candidate))
            ),
            "conflict": sorted(
                str((who[c.golden_id], c.unit, c.ours, c.theirs, c.state, c.link_id is not None))
                for c in session.scalars(select(Conflict))
            ),
        }


def test_it_is_what_the_ordinary_way_comes_to(filled, tmp_path):
    filled.world("erp").create("customers", name="上海明珠贸易有限公司", phone="021-55550202")
    filled.world("crm").create("customers", name="上海明珠商贸有限公司", phone="021-55550202")
    other = another(filled.hub, tmp_path / "other")
    applied(filled.hub, placed=True)
    applied(other, placed=False)
    for name in filled.names:
        take_in.drain(other, filled.id_of(name))
    here, there = picture(filled.hub), picture(other)
    assert here == there
    assert all(here[name] for name in here if name != "conflict")
    other.database.engine.dispose()


def test_the_rows_belong_to_now_and_to_a_run_that_can_be_rolled_back(filled):
    made = made_plan(filled.hub)
    filled.clock.pass_(3600)
    plans.apply_plan(filled.hub, made.id, inline=True)
    now = filled.hub.now()
    with filled.hub.database.read() as session:
        runs = {run.id: run for run in session.scalars(select(Run).where(Run.kind == "take_in"))}
        assert {run.system_id for run in runs.values()} == {
            filled.id_of("erp"),
            filled.id_of("crm"),
        }
        assert sum(run.counts["records"] for run in runs.values()) == 4
        for change in session.scalars(select(Change)):
            assert runs[change.run_id].system_id == change.system_id
            assert abs((change.at - now).total_seconds()) < 60
        held = session.scalars(select(Golden.held_until).where(Golden.held_until.is_not(None)))
        assert all(at > now for at in held)
        assert all(row.due_at <= now for row in session.scalars(select(Dirty)))


def test_the_load_goes_on_from_there(filled):
    applied(filled.hub, placed=True)
    assert kept_files(filled.hub) == []
    filled.work()
    for name in filled.names:
        here = [record["name"] for record in filled.world(name).all("customers")]
        assert sorted(here) == ["Acme", "Bolt & Sons"]
    before = filled.writes()
    filled.sync()
    assert filled.writes() == before
    filled.world("sales").create("customers", name="Neu", email="neu@neu.example")
    filled.sync()  # a new link takes the next number
    assert "Neu" in [r["name"] for r in filled.world("erp").all("customers")]


def test_after_a_kill_between_its_commit_and_the_end_nothing_is_done_twice(filled):
    made = made_plan(filled.hub)
    assert worked_out.put_in_place(filled.hub, made.id)
    before = picture(filled.hub)
    load.hand_over(filled.hub, made.id)
    assert picture(filled.hub) == before
    filled.work()
    assert [len(filled.world(name).all("customers")) for name in filled.names] == [2, 2, 2]


def apply_in(shop):
    """The newest plan, by a command: whatever was left of it is gone on with."""
    with shop.hub.database.read() as session:
        newest = session.scalar(select(func.max(Plan.id)))
    if plans.get_plan(shop.hub, newest).state != "applied":
        shop.clock.pass_(120)  # past the lease of whoever was killed
        plans.apply_plan(shop.hub, newest, inline=True)


def test_killed_at_any_commit_of_an_apply_it_ends_the_same(tmp_path):
    home = tmp_path / "load"
    home.mkdir()
    shop = Workshop.open(home, MORNING)
    shop.connect(*NAMES)
    shop.world("erp").create("customers", name="Acme", email="a@acme.example")
    shop.world("crm").create("customers", name="Acme", email="a@acme.example")
    shop.world("crm").create("customers", name="Bolt", email="b@bolt.example")
    made_plan(shop.hub)
    shop.close()

    def one(name, place):
        here = tmp_path / name
        moved(home, here)
        status = in_process(here, MORNING, lambda w: killed(w, place)) if place else None
        again = Workshop.open(here, MORNING + timedelta(minutes=5))
        apply_in(again)
        again.rest()
        found = picture(again.hub), again.picture(), list(again.faults.names)
        again.close()
        return status, *found

    def killed(shop, place):
        shop.faults.plan(place, lambda: os.kill(os.getpid(), signal.SIGKILL))
        apply_in(shop)

    _, rows, seen, names = one("quiet", 0)
    places = [n for n, name in enumerate(names, start=1) if "worked_out" in name]
    assert len(places) == 2  # before and after its commit
    last = places[-1]
    for place in range(1, last + 3):
        status, killed_rows, killed_seen, _ = one(f"killed-{place}", place)
        assert os.WIFSIGNALED(status), f"place {place}, {names[place - 1]}"
        assert (killed_rows["golden"], killed_seen) == (rows["golden"], seen), names[place - 1]
        assert len(killed_rows["link"]) == len(rows["link"])


def somebody_is_entered(filled):
    with filled.hub.database.write() as tx:
        now = filled.hub.now()
        tx.add(Golden(entity="customer", values={}, created_at=now, updated_at=now))


def somebody_was_erased(filled):
    turn_away.listed(filled.hub).add("r1", ["0" * 64], {})


def other_weights_are_in_use(filled):
    with filled.hub.database.write() as tx:
        state.put(tx, IN_USE, {"number": 2}, filled.hub.now())


def a_record_was_forgotten(filled):
    with filled.hub.database.write() as tx:
        first = tx.scalar(select(func.min(Staged.id)))
        tx.execute(delete(Staged).where(Staged.id == first))


def a_system_has_another_name(filled):
    with filled.hub.database.write() as tx:
        tx.execute(update(System).where(System.name == "sales").values(name="shop"))


def a_mapping_has_changed(filled):
    with filled.hub.database.write() as tx:
        last = tx.scalar(select(func.max(Mapping.id)).where(Mapping.state == "live"))
        tx.execute(update(Mapping).where(Mapping.id == last).values(state="retired"))


@pytest.mark.parametrize(
    "since",
    [
        a_mapping_has_changed,
        somebody_is_entered,
        somebody_was_erased,
        other_weights_are_in_use,
        a_record_was_forgotten,
        a_system_has_another_name,
    ],
)
def test_what_may_come_out_differently_now_is_worked_out_again(filled, since):
    made = made_plan(filled.hub)
    since(filled)
    before = picture(filled.hub) if since is not somebody_is_entered else None
    assert not worked_out.put_in_place(filled.hub, made.id)
    assert before in (None, picture(filled.hub))
    load.hand_over(filled.hub, made.id)
    assert waiting(filled.hub) >= 3
    assert kept_files(filled.hub) == []


def test_a_copy_that_lacks_its_end_is_not_believed(filled):
    made = made_plan(filled.hub)
    path = filled.hub.settings.home / worked_out.FOLDER / f"{made.id}.db"
    with worked_out._opened(path) as kept, kept.write() as tx:
        last = tx.scalar(select(func.max(Inbox.id)))
        tx.execute(update(Inbox).where(Inbox.id == last).values(state="waiting"))
    assert not worked_out.put_in_place(filled.hub, made.id)


def test_a_plan_and_its_apply_leave_no_open_file(filled):
    made_plan(filled.hub)
    before = len(list(Path("/proc/self/fd").iterdir()))
    made = made_plan(filled.hub)
    assert worked_out.put_in_place(filled.hub, made.id)
    worked_out.forget(filled.hub)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_only_the_newest_plan_is_kept_and_none_of_a_hub_that_holds_somebody(filled):
    made_plan(filled.hub)
    second = made_plan(filled.hub)
    assert kept_files(filled.hub) == [f"{second.id}.db"]
    plans.apply_plan(filled.hub, second.id, inline=True)
    make_drafts(filled.hub)
    made_plan(filled.hub)
    assert kept_files(filled.hub) == []


def test_what_nobody_applies_goes_with_its_plan(filled):
    made = made_plan(filled.hub)
    sweep.tidy(filled.hub)
    assert kept_files(filled.hub) == [f"{made.id}.db"]
    filled.clock.pass_(400 * 24 * 3600)
    sweep.tidy(filled.hub)
    assert kept_files(filled.hub) == []


def test_a_load_with_a_record_that_cannot_come_in_is_not_kept(filled):
    filled.world("erp").create("customers", name="Half \x00 Sign")
    made = made_plan(filled.hub)
    assert made.summary["problem_count"] == 1
    assert kept_files(filled.hub) == []
