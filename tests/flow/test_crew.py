"""How many threads of a process work on the same queue."""

import threading
import time

import pytest

from sync.flow import crew

PATIENCE = 60.0


class Gate:
    """A step that waits where it is told to, and says when it is there."""

    def __init__(self):
        self.arrived, self.open = threading.Event(), threading.Event()

    def wait(self):
        self.arrived.set()
        assert self.open.wait(PATIENCE)


def _start(work):
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_thread_that_is_not_needed_leaves_its_work_to_the_one_at_work():
    crews, gate, steps = crew.Crew(), Gate(), []

    def step(_go_on):
        steps.append(threading.current_thread().name)
        if len(steps) == 1:
            gate.wait()

    first = _start(lambda: crews.work("queue", step))
    assert gate.arrived.wait(PATIENCE)
    crews.work("queue", step)  # comes back at once
    assert len(steps) == 1
    gate.open.set()
    first.join(PATIENCE)
    assert steps == [first.name, first.name]  # which looks once more, for what the other came for


def test_queues_do_not_wait_for_each_other():
    crews, gate, steps = crew.Crew(), Gate(), []
    first = _start(lambda: crews.work("one", lambda _: gate.wait()))
    assert gate.arrived.wait(PATIENCE)
    crews.work("other", lambda _: steps.append("other"))
    assert steps == ["other"]
    gate.open.set()
    first.join(PATIENCE)


def test_while_one_waits_for_a_remote_system_others_join_and_leave_when_it_does_not(monkeypatch):
    passed = threading.local()  # each thread has a clock of its own here
    monkeypatch.setattr(crew.time, "monotonic", lambda: getattr(passed, "now", 0.0))

    def let_pass(seconds):
        passed.now = getattr(passed, "now", 0.0) + seconds

    crews, gate, said = crew.Crew(), Gate(), {}

    def slow(go_on):
        with crew.away():
            let_pass(9.0)
        let_pass(1.0)
        said["first stays"] = go_on()
        gate.wait()
        let_pass(10.0)
        said["alone stays"] = go_on()

    def busy(go_on):
        let_pass(10.0)
        said["second stays"] = go_on()

    first = _start(lambda: crews.work("queue", slow))
    assert gate.arrived.wait(PATIENCE)
    crews.work("queue", busy)
    gate.open.set()
    first.join(PATIENCE)
    assert said == {"first stays": True, "second stays": False, "alone stays": True}


def test_a_failure_frees_the_place():
    crews, steps = crew.Crew(), []
    with pytest.raises(ZeroDivisionError):
        crews.work("queue", lambda _: 1 / 0)
    crews.work("queue", lambda _: steps.append(time.monotonic()))
    assert len(steps) == 1
