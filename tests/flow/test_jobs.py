"""Long work that somebody asked for is done once, whatever is lost or killed on the way."""

import os
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from connectors.memory import Trouble
from connectors.sdk.errors import TransientError
from sync.flow import jobs, sweep
from sync.service import backups, mapping_versions, matching, plans, rollbacks, work
from sync.service import jobs as service
from sync.service.errors import ServiceError
from sync.store import jobs as stored
from sync.store.scratch import YOUNG, clear_left, scratch_folder
from sync.store.session import Database
from sync.store.tables import Change, Job, Plan, Run, Staged, System
from sync.wake import Waker
from tests.hubs import make_hub
from webui.cli.console import Console
from webui.cli.following import Follower


class Post(Waker):
    """Keeps the messages; `lost` says that they get lost."""

    def __init__(self) -> None:
        super().__init__(None)
        self.jobs: list[int] = []
        self.lost = False

    def job(self, job_id: int) -> None:
        if not self.lost:
            self.jobs.append(job_id)


class KillingDatabase(Database):
    """The process is killed at the Nth commit, just before or just after it."""

    def __init__(self, url: str, place: int) -> None:
        super().__init__(url)
        self.left = place

    @contextmanager
    def write(self):
        with super().write() as tx:
            yield tx
            tx.flush()
            self._pass()
        self._pass()

    def _pass(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def posted(fixture):
    """The hub with a post office, and four customers that agree everywhere."""
    return with_post(fixture)


@pytest.fixture
def alone(tmp_path):
    """The same on SQLite: its processes are forked, which a server's connections do not bear."""
    made = make_hub(f"sqlite:///{tmp_path / 'kehub.db'}", tmp_path, ("erp", "crm"))
    yield with_post(made)
    made.close()


def with_post(made):
    made.hub = replace(made.hub, waker=Post())
    for number, name in enumerate(("Acme", "Birke", "Cobalt", "Distel")):
        made.world("erp").create("customers", name=name, code=f"C{number}", notes="typed")
    made.sync()
    return made


def swept(made):
    """What the sweep sends messages for, a while later."""
    made.clock.pass_(jobs.PATIENCE.total_seconds() + 1)
    made.hub.waker.jobs.clear()
    sweep.wake_due(made.hub)
    return list(made.hub.waker.jobs)


def wait_until(holds, seconds=60):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it does not come to pass"
        time.sleep(0.01)


def draft_with_plan(made, remark=""):
    versions = mapping_versions.list_versions(made.hub, "crm", "customers")
    text = next(each.text for each in versions if each.state == "live")
    old = "{canonical: notes, native: notes}"
    assert remark or old in text
    shouted = "{canonical: notes, native: notes, direction: in, in: [trim, upper]}"
    text = f"{text.replace(old, shouted)}# {remark}\n"
    draft = mapping_versions.add_version(made.hub, "crm", text, actor="li")
    plan = mapping_versions.preview(made.hub, draft.id, wake=False)
    plans.make_plan(made.hub, plan.id)
    return draft.id, plan.id


def test_a_new_mapping_whose_message_was_lost_is_carried_out_by_the_sweep(posted):
    draft_id, plan_id = draft_with_plan(posted)
    posted.hub.waker.lost = True
    mapping_versions.activate(posted.hub, draft_id, plan_id, approved=True, inline=False)
    posted.hub.waker.lost = False
    assert plans.get_plan(posted.hub, plan_id).state == "applying"
    found = swept(posted)
    assert len(found) == 1
    jobs.work(posted.hub, found[0])
    posted.sync()
    assert plans.get_plan(posted.hub, plan_id).state == "applied"
    assert {record["notes"] for record in posted.world("erp").all("customers")} == {"TYPED"}
    assert swept(posted) == []


def test_thresholds_whose_message_was_lost_are_worked_out_by_the_sweep(posted):
    posted.hub.waker.lost = True
    matching.ask_for_thresholds(posted.hub, actor="li")
    posted.hub.waker.lost = False
    assert matching.thresholds(posted.hub).made_at is None
    for job_id in swept(posted):
        jobs.work(posted.hub, job_id)
    found = matching.thresholds(posted.hub)
    assert (found.records, found.is_asked) == (4, False)


def test_a_plan_whose_message_was_lost_is_made_by_the_sweep(posted):
    posted.hub.waker.lost = True
    plan = plans.start_plan(posted.hub, ["crm"])
    posted.hub.waker.lost = False
    for job_id in swept(posted):
        jobs.work(posted.hub, job_id)
    assert plans.get_plan(posted.hub, plan.id).state == "ready"


def test_a_message_that_waits_in_the_queue_is_not_sent_every_two_seconds(posted):
    job = backups.start_backup(posted.hub, actor="li")
    assert posted.hub.waker.jobs == [job.id]
    assert swept(posted) == [job.id]
    posted.hub.waker.jobs.clear()
    for _ in range(5):
        posted.clock.pass_(2)
        sweep.wake_due(posted.hub)
    assert posted.hub.waker.jobs == []


def test_what_a_worker_is_at_is_not_begun_again(posted):
    job = backups.start_backup(posted.hub, actor="li")
    now = posted.hub.now()
    with posted.hub.database.write() as tx:
        assert stored.take(tx, job.id, "other", now=now, until=now + jobs.LEASE)
    jobs.work(posted.hub, job.id)
    assert swept(posted) == []
    assert backups.list_backups(posted.hub) == []
    posted.clock.pass_(jobs.LEASE.total_seconds())
    assert swept(posted) == [job.id]  # the other one has not been heard of


def test_the_lease_is_renewed_while_the_work_takes(posted):
    job_id = backups.start_backup(posted.hub, actor="li").id
    now = posted.hub.now()
    with posted.hub.database.write() as tx:
        stored.take(tx, job_id, "mine", now=now, until=now + jobs.LEASE)

    def lease_ends():
        with posted.hub.database.read() as session:
            return session.get_one(Job, job_id).due_at

    with jobs.held(posted.hub, job_id, "mine", beat=0.01):
        posted.clock.pass_(jobs.LEASE.total_seconds() - 1)
        wait_until(lambda: lease_ends() > now + jobs.LEASE)
    with posted.hub.database.write() as tx:
        assert not stored.end(tx, job_id, "somebody else", {}, now)
        assert stored.end(tx, job_id, "mine", {}, now)


def test_one_is_open_of_each_kind_and_subject(posted):
    first = backups.start_backup(posted.hub, actor="li")
    second = backups.start_backup(posted.hub, actor="wang")
    assert (first.id, second.actor) == (second.id, "li")
    posted.do_jobs()
    assert backups.start_backup(posted.hub, actor="wang").id != first.id


def done_in_a_killed_process(made, place, task):
    """How a process ended that was to be killed at this commit: by the kill, or at its end."""
    made.hub.database.dispose()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            url = made.hub.database.url.render_as_string(hide_password=False)
            task(replace(made.hub, database=KillingDatabase(url, place)))
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    return status


def worked_in_a_killed_process(made, job_id, place):
    return done_in_a_killed_process(made, place, lambda hub: jobs.work(hub, job_id))


def finished_by_another(made, job_id):
    made.clock.pass_(jobs.LEASE.total_seconds() + 1)
    for each in swept(made):
        jobs.work(made.hub, each)
    return service.get_job(made.hub, job_id).state == "done"


@pytest.mark.timeout(600)
def test_a_backup_survives_the_kill_of_its_worker(alone):
    """Killed while the copy is made; and when the file is there, but nobody has noted that."""
    for count, place in enumerate((3, 9), start=1):
        job = backups.start_backup(alone.hub, actor="li")
        status = worked_in_a_killed_process(alone, job.id, place)
        assert os.WIFSIGNALED(status), f"place {place}: it ended by itself"
        assert os.WTERMSIG(status) == signal.SIGKILL
        assert finished_by_another(alone, job.id), f"place {place}"
        assert len(backups.list_backups(alone.hub)) == count, f"place {place}"
    newest = backups.list_backups(alone.hub)[0]
    assert backups.verify(alone.hub, backups.stored(alone.hub, newest.name)).differing == ()


@pytest.mark.timeout(600)
def test_a_mapping_change_survives_the_kill_of_its_worker_at_every_commit(alone):
    place, killed = 0, True
    while killed:
        place += 1
        draft_id, plan_id = draft_with_plan(alone, f"step {place}")
        mapping_versions.activate(alone.hub, draft_id, plan_id, approved=True, inline=False)
        job = mapping_versions.activation(alone.hub, draft_id)
        killed = os.WIFSIGNALED(worked_in_a_killed_process(alone, job.id, place))
        if killed:
            assert finished_by_another(alone, job.id), f"place {place}"
        assert plans.get_plan(alone.hub, plan_id).state == "applied", f"place {place}"
    assert place > 8


def test_a_plan_is_read_anew_after_the_kill_of_its_worker(alone):
    record = alone.world("crm").all("customers")[0]
    alone.world("crm").edit("customers", record["id"], notes="newer")
    plan = plans.start_plan(alone.hub, ["crm"])
    job_id = alone.hub.waker.jobs[-1]
    assert os.WIFSIGNALED(worked_in_a_killed_process(alone, job_id, 8))
    assert plans.get_plan(alone.hub, plan.id).state == "reading"
    alone.clock.pass_(jobs.LEASE.total_seconds() + 1)
    jobs.work(alone.hub, job_id)
    found = plans.get_plan(alone.hub, plan.id)
    assert (found.state, found.error) == ("ready", "")
    with alone.hub.database.read() as session:
        assert len(session.scalars(select(Staged)).all()) == 1


def test_what_kills_every_worker_is_given_up_with_a_sentence(posted):
    plan = plans.start_plan(posted.hub, ["crm"])
    job_id = posted.hub.waker.jobs[-1]
    with posted.hub.database.write() as tx:
        tx.get_one(Job, job_id).attempts = jobs.MOST
    jobs.work(posted.hub, job_id)
    job = service.get_job(posted.hub, job_id)
    assert (job.state, job.error) == (
        "failed",
        "Begun 5 times, and each time the worker was lost.",
    )
    assert plans.get_plan(posted.hub, plan.id).state == "failed"


class Unseen:
    """A board that nobody looks at."""

    def show(self, *_words, **_numbers):
        pass

    def end(self, *_words):
        pass


def as_command(hub):
    """What `kehub plan` and `kehub apply` do, without their words."""
    return Follower(hub, Console(), Unseen(), has_workers=False)


def states(made, kind):
    return [row.state for row in plans.list_plans(made.hub) if row.kind == kind]


@pytest.mark.timeout(600)
def test_a_killed_apply_is_gone_on_with_by_the_sweep(alone):
    """`kehub apply` is killed at each of its commits; nobody gives the command again."""
    place, killed = 0, True
    while killed:
        place += 1
        name = f"Entered in crm {place}"
        alone.world("crm").create("customers", name=name, code=f"N{place}", notes="typed")
        with alone.hub.database.write() as tx:
            tx.execute(update(System).where(System.name == "crm").values(state="draft"))
        plan = plans.start_plan(alone.hub, wake=False)
        assert plans.make_plan(alone.hub, plan.id).state == "ready"
        status = done_in_a_killed_process(
            alone, place, lambda hub, plan_id=plan.id: as_command(hub).apply(plan_id, actor="cli")
        )
        killed = os.WIFSIGNALED(status)
        asked = service.newest(alone.hub, jobs.APPLY, str(plan.id))
        if asked is None:  # killed before anything was asked for: the person decides anew
            assert plans.get_plan(alone.hub, plan.id).state == "ready"
            continue
        if killed and asked.is_open:
            assert finished_by_another(alone, asked.id), f"place {place}"
        assert plans.get_plan(alone.hub, plan.id).state == "applied", f"place {place}"
        alone.sync()
        found = [r["name"] for r in alone.world("erp").all("customers")]
        assert found.count(name) == 1, f"place {place}"
    assert place > 10


@pytest.mark.timeout(600)
def test_a_plan_whose_command_was_killed_is_made_by_the_sweep(alone):
    place, killed = 0, True
    while killed:
        place += 1
        record = alone.world("crm").all("customers")[0]
        alone.world("crm").edit("customers", record["id"], notes=f"newer {place}")
        killed = os.WIFSIGNALED(
            done_in_a_killed_process(
                alone, place, lambda hub: as_command(hub).plan(["crm"], actor="cli")
            )
        )
        asked = service.newest(alone.hub, jobs.PLAN)
        if asked is not None and asked.is_open:
            assert finished_by_another(alone, asked.id), f"place {place}"
        assert set(states(alone, "reconcile")) <= {"ready"}, f"place {place}"
    assert place > 8


def test_a_command_goes_on_with_the_plan_that_a_killed_one_began(alone):
    done_in_a_killed_process(alone, 8, lambda hub: as_command(hub).plan(["crm"], actor="cli"))
    assert states(alone, "reconcile") == ["reading"]
    alone.clock.pass_(jobs.LEASE.total_seconds() + 1)
    assert as_command(alone.hub).plan(["crm"], actor="cli").state == "ready"
    assert states(alone, "reconcile") == ["ready"]


def test_a_command_without_workers_does_what_a_killed_one_left(alone):
    plan = plans.make_plan(alone.hub, plans.start_plan(alone.hub, ["crm"], wake=False).id)
    done_in_a_killed_process(alone, 6, lambda hub: as_command(hub).apply(plan.id, actor="cli"))
    assert work.rest(alone.hub).jobs == {"apply": 1}
    assert not work.rest(alone.hub).is_quiet
    alone.clock.pass_(jobs.LEASE.total_seconds() + 1)
    work.work_here(alone.hub)
    assert plans.get_plan(alone.hub, plan.id).state == "applied"
    assert work.rest(alone.hub).jobs == {}


@pytest.mark.timeout(600)
def test_a_killed_reconcile_is_gone_on_with_by_the_sweep(alone):
    place, killed = 0, True
    while killed:
        place += 1
        crm = alone.world("crm")
        crm.edit("customers", crm.all("customers")[0]["id"], notes=f"newer {place}")
        killed = os.WIFSIGNALED(
            done_in_a_killed_process(
                alone, place, lambda hub: plans.reconcile_all(hub, actor="cli")
            )
        )
        asked = service.newest(alone.hub, jobs.RECONCILE)
        if asked is not None and asked.is_open:
            assert finished_by_another(alone, asked.id), f"place {place}"
        if asked is not None:
            alone.clock.pass_(60)  # the other process had a clock of its own
            alone.work()
            notes = [r["notes"] for r in alone.world("erp").all("customers")]
            assert f"newer {place}" in notes, f"place {place}"
        with alone.hub.database.read() as session:
            open_runs = select(Run).where(Run.kind == "reconcile", Run.state == "running")
            assert session.scalars(open_runs).all() == [], f"place {place}"
    assert place > 10


def test_a_reconcile_with_a_system_that_does_not_answer_is_told_and_not_repeated(posted):
    posted.world("crm").trouble(*[Trouble(kind="unreachable")] * 9)
    with pytest.raises(TransientError):
        plans.reconcile_all(posted.hub, actor="cli")
    posted.world("crm").trouble()
    assert states(posted, "reconcile") == ["failed"]
    assert swept(posted) == []
    assert plans.reconcile_all(posted.hub, actor="cli")["read"]["crm"]["customers"] == 4


def test_an_interrupted_command_leaves_its_job_to_whoever_comes_next(alone):
    plan = plans.start_plan(alone.hub, ["crm"])
    job_id = alone.hub.waker.jobs[-1]

    class Interrupted(Database):
        pressed = False

        @contextmanager
        def write(self):
            with super().write() as tx:
                yield tx
                if not self.pressed and tx.get_one(Plan, plan.id).progress:  # it has begun
                    self.pressed = True
                    raise KeyboardInterrupt

    url = alone.hub.database.url.render_as_string(hide_password=False)
    broken = replace(alone.hub, database=Interrupted(url))
    with pytest.raises(KeyboardInterrupt):
        jobs.work(broken, job_id)
    broken.database.dispose()
    assert service.get_job(alone.hub, job_id).state == "waiting"
    assert service.finish(alone.hub, job_id).state == "done"
    assert plans.get_plan(alone.hub, plan.id).state == "ready"


def test_a_plan_that_is_stopped_by_hand_is_told_as_stopped(posted):
    plan = plans.start_plan(posted.hub, ["crm"], wake=False)
    plans.give_up_plan(posted.hub, plan.id)
    found = plans.get_plan(posted.hub, plan.id)
    assert (found.state, found.error) == ("failed", "Stopped before it was made.")
    assert swept(posted) == []
    assert as_command(posted.hub).plan(["crm"], actor="cli").id != plan.id


def test_a_command_waits_for_the_worker_that_is_at_it(posted):
    plan = plans.start_plan(posted.hub, ["crm"])
    job_id = posted.hub.waker.jobs[-1]
    now = posted.hub.now()
    with posted.hub.database.write() as tx:
        stored.take(tx, job_id, "other", now=now, until=now + jobs.LEASE)
    waiting = threading.Thread(target=service.finish, args=(posted.hub, job_id))
    waiting.start()
    assert plans.get_plan(posted.hub, plan.id).state == "reading"
    posted.clock.pass_(jobs.LEASE.total_seconds() + 1)  # the other one is not heard of again
    waiting.join(60)
    assert not waiting.is_alive()
    assert plans.get_plan(posted.hub, plan.id).state == "ready"


def test_what_a_job_failed_with_elsewhere_is_said(posted):
    plan = plans.make_plan(posted.hub, plans.start_plan(posted.hub, ["crm"], wake=False).id)
    plans.apply_plan(posted.hub, plan.id)
    with posted.hub.database.write() as tx:
        tx.get_one(Job, posted.hub.waker.jobs[-1]).attempts = jobs.MOST
    with pytest.raises(ServiceError, match="Begun 5 times"):
        plans.apply_plan(posted.hub, plan.id, inline=True)
    assert plans.apply_plan(posted.hub, plan.id, inline=True).state == "applied"


def test_a_system_that_does_not_answer_is_waited_for(posted):
    draft_id, plan_id = draft_with_plan(posted)
    mapping_versions.activate(posted.hub, draft_id, plan_id, approved=True, inline=False)
    job_id = posted.hub.waker.jobs[-1]
    posted.world("crm").trouble(*[Trouble(kind="unreachable")] * 3)
    jobs.work(posted.hub, job_id)
    waiting = service.get_job(posted.hub, job_id)
    assert waiting.state == "waiting"
    assert waiting.error
    posted.world("crm").trouble()
    posted.clock.pass_(60)
    for again in swept(posted):
        jobs.work(posted.hub, again)
    assert service.get_job(posted.hub, job_id).state == "done"
    assert plans.get_plan(posted.hub, plan_id).state == "applied"


def test_an_activation_that_failed_is_carried_on(posted):
    draft_id, plan_id = draft_with_plan(posted)
    mapping_versions.activate(posted.hub, draft_id, plan_id, approved=True, inline=False)
    with posted.hub.database.write() as tx:
        tx.get_one(Job, posted.hub.waker.jobs[-1]).attempts = jobs.MOST
    posted.do_jobs()
    assert mapping_versions.activation(posted.hub, draft_id).state == "failed"
    mapping_versions.carry_on(posted.hub, draft_id, actor="li")
    posted.do_jobs()
    assert mapping_versions.activation(posted.hub, draft_id).state == "done"
    assert plans.get_plan(posted.hub, plan_id).state == "applied"
    mapping_versions.carry_on(posted.hub, draft_id, actor="li")  # nothing is left to do
    assert not mapping_versions.activation(posted.hub, draft_id).is_open


def test_a_run_is_counted_as_a_whole_by_a_worker(posted):
    for record in posted.world("crm").all("customers"):
        posted.world("crm").edit("customers", record["id"], notes="#REF!")
    posted.sync()
    with posted.hub.database.read() as session:
        query = select(Change.run_id).where(Change.op == "set", Change.rule == "only_mover")
        run_id = session.scalars(query.order_by(Change.id)).first()
    assert rollbacks.counted_plan(posted.hub, run_id) is None
    rollbacks.ask_for_count(posted.hub, run_id, actor="li")
    posted.do_jobs()
    kept, now = (
        rollbacks.counted_plan(posted.hub, run_id),
        rollbacks.rollback_plan(posted.hub, run_id),
    )
    assert kept.counted_at is not None
    assert replace(kept, counted_at=None) == now
    assert (now.records, now.fields) == (4, 4)


def test_what_a_killed_process_left_is_cleared_and_what_is_in_use_stays(tmp_path):
    left, archives = tmp_path / "backup-left", tmp_path / "backups"
    left.mkdir()
    archives.mkdir()
    (left / "kehub.db").write_bytes(b"a copy of everything")
    part = archives / "kehub-1.backup.part"
    part.write_bytes(b"half")
    assert clear_left(tmp_path, archives) == 0  # it may have been made just now
    old = left.stat().st_mtime - YOUNG - 1
    os.utime(left, (old, old))
    os.utime(part, (old, old))
    with scratch_folder(tmp_path, "plan-") as used:
        os.utime(used, (old, old))
        assert clear_left(tmp_path, archives) == 2
        assert used.is_dir()
    assert sorted(tmp_path.iterdir()) == [archives]
