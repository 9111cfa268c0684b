"""Celery tasks: each is a hint, one line long, and harmless when it comes twice or late."""

from celery.signals import worker_process_init

from sync.flow import (
    backup,
    dispatch,
    erase,
    load,
    mapping_change,
    plan,
    poll,
    quality,
    rollback,
    sweep,
    take_in,
)
from sync.flow.opening import hub
from sync.wake import make_app

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
    take_in.drain(hub(), system_id)


@app.task(name="sync.tasks.dispatch")  # type: ignore[untyped-decorator]
def wake_dispatch(system_id: int) -> None:
    """Brings a system in line."""
    dispatch.drain(hub(), system_id)


@app.task(name="sync.tasks.poll")  # type: ignore[untyped-decorator]
def wake_poll(system_id: int) -> None:
    """Polls the due objects of a system."""
    poll.poll(hub(), system_id)


@app.task(name="sync.tasks.erase")  # type: ignore[untyped-decorator]
def erase_person(erasure_id: str) -> None:
    """Goes on with a request to erase a person."""
    erase.carry_on(hub(), erasure_id)


@app.task(name="sync.tasks.make_plan")  # type: ignore[untyped-decorator]
def make_plan(plan_id: int) -> None:
    """Reads and simulates."""
    plan.make_plan(hub(), plan_id)


@app.task(name="sync.tasks.apply_plan")  # type: ignore[untyped-decorator]
def apply_plan(plan_id: int) -> None:
    """Hands a plan's records over."""
    load.hand_over(hub(), plan_id)


@app.task(name="sync.tasks.roll_back")  # type: ignore[untyped-decorator]
def roll_back(run_id: int) -> None:
    """Goes on with setting a run back."""
    rollback.carry_on(hub(), run_id)


@app.task(name="sync.tasks.go_on_restored")  # type: ignore[untyped-decorator]
def go_on_restored() -> None:
    """Goes on after a restore that was approved."""
    backup.go_on(hub())


@app.task(name="sync.tasks.carry_out_mapping")  # type: ignore[untyped-decorator]
def carry_out_mapping(system_id: int, plan_id: int | None) -> None:
    """Carries out what a new mapping's plan has shown."""
    mapping_change.carry_out(hub(), system_id, plan_id)


@app.task(name="sync.tasks.sweep_due")  # type: ignore[untyped-decorator]
def sweep_due() -> None:
    """Wakes whatever is due, however its message got lost."""
    sweep.wake_due(hub())


@app.task(name="sync.tasks.work_out_thresholds")  # type: ignore[untyped-decorator]
def work_out_thresholds() -> None:
    """Works out what each threshold would do to the customers."""
    from sync.flow import thresholds  # noqa: PLC0415  loads numpy, which no other task needs

    thresholds.work_out(hub())


@app.task(name="sync.tasks.assess")  # type: ignore[untyped-decorator]
def assess() -> None:
    """Assesses the quality of what was written since."""
    quality.refresh(hub())


@app.task(name="sync.tasks.tidy")  # type: ignore[untyped-decorator]
def tidy() -> None:
    """Drops what is no longer needed."""
    sweep.tidy(hub())
