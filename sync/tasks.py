"""Celery tasks: each is a hint, one line long, and harmless when it comes twice or late."""

from celery.signals import worker_process_init

from sync.flow import crew, dispatch, erase, jobs, poll, quality, rollback, sweep, take_in
from sync.flow.opening import hub
from sync.wake import make_app

crews = crew.Crew()
LONGEST_JOB = 12 * 3600  # seconds; the lease of a job is renewed while it runs
app = make_app(hub().settings.redis_url or "redis://127.0.0.1:6379/0")
app.conf.beat_schedule = {
    "sweep": {"task": "sync.tasks.sweep_due", "schedule": 2.0, "options": {"expires": 10}},
    "assess": {"task": "sync.tasks.assess", "schedule": 60.0, "options": {"expires": 60}},
    "tidy": {"task": "sync.tasks.tidy", "schedule": 600.0, "options": {"expires": 600}},
}


@worker_process_init.connect  # type: ignore[untyped-decorator]
def _forget_parents_connections(**_: object) -> None:
    """A forked worker process opens its own connections."""
    hub().database.dispose()


@app.task(name="sync.tasks.take_in")  # type: ignore[untyped-decorator]
def wake_take_in(system_id: int) -> None:
    """Takes in what is due for a system."""
    crews.work(("take_in", system_id), lambda go_on: take_in.drain(hub(), system_id, go_on=go_on))


@app.task(name="sync.tasks.dispatch")  # type: ignore[untyped-decorator]
def wake_dispatch(system_id: int) -> None:
    """Brings a system in line."""
    crews.work(("dispatch", system_id), lambda go_on: dispatch.drain(hub(), system_id, go_on=go_on))


@app.task(name="sync.tasks.poll")  # type: ignore[untyped-decorator]
def wake_poll(system_id: int) -> None:
    """Polls the due objects of a system."""
    poll.poll(hub(), system_id)


@app.task(name="sync.tasks.erase")  # type: ignore[untyped-decorator]
def erase_person(erasure_id: str) -> None:
    """Goes on with a request to erase a person."""
    erase.carry_on(hub(), erasure_id)


@app.task(  # type: ignore[untyped-decorator]
    name="sync.tasks.work_on", time_limit=LONGEST_JOB, soft_time_limit=LONGEST_JOB - 60
)
def work_on(job_id: int) -> None:
    """Does long work that somebody asked for: a plan, a backup, a new mapping ..."""
    jobs.work(hub(), job_id)


@app.task(name="sync.tasks.roll_back")  # type: ignore[untyped-decorator]
def roll_back(run_id: int) -> None:
    """Goes on with setting a run back."""
    rollback.carry_on(hub(), run_id)


@app.task(name="sync.tasks.sweep_due")  # type: ignore[untyped-decorator]
def sweep_due() -> None:
    """Wakes whatever is due, however its message got lost."""
    sweep.wake_due(hub())


@app.task(name="sync.tasks.assess")  # type: ignore[untyped-decorator]
def assess() -> None:
    """Assesses the quality of what was written since."""
    quality.refresh(hub())


@app.task(name="sync.tasks.tidy")  # type: ignore[untyped-decorator]
def tidy() -> None:
    """Drops what is no longer needed."""
    sweep.tidy(hub())
