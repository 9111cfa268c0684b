"""The supervisor against real processes that are really killed."""

import json
import os
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tests.infra.processes import eventually, is_alive, spawn, stop

ROOT = Path(__file__).parents[2]

# Notes its start and, when asked to stop, its end; then lives until then.
LIVES = """
import os, pathlib, signal, sys, time
name, book = sys.argv[1], pathlib.Path(sys.argv[2])
def note(word):
    with book.open("a") as out:
        out.write(f"{word} {name} {os.getpid()}\\n")
def leave(*_):
    note("stopped")
    os._exit(0)
signal.signal(signal.SIGTERM, leave)
note("started")
while True:
    time.sleep(60)
"""


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book"
    path.touch()
    return path


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def lives(name, book):
    return {"name": name, "command": [sys.executable, "-c", LIVES, name, str(book)]}


def entries(book, word):
    return [line.split() for line in book.read_text().splitlines() if line.startswith(word)]


def names(book, word):
    return [entry[1] for entry in entries(book, word)]


def last_pid(book, name):
    return [int(entry[2]) for entry in entries(book, "started") if entry[1] == name][-1]


class Supervised:
    def __init__(self, process, home):
        self.process, self.home = process, home

    def ready(self):
        line = self.process.stdout.readline()
        assert line == "ready\n", line + self.process.stderr.read()
        return self

    def tells(self, words):
        """Read on until a line with these words, and return it."""
        for line in self.process.stderr:
            if words in line:
                return line
        raise AssertionError(f"the supervisor ended without saying {words!r}")

    def run_file(self):
        return json.loads((self.home / "run.json").read_text())

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=90)
        return self.process.returncode, out, err


@contextmanager
def supervised(tmp_path, home, children, **plan):
    page = tmp_path / f"plan-{len(list(tmp_path.iterdir()))}.json"
    page.write_text(json.dumps({"home": str(home), "children": children, **plan}))
    command = [sys.executable, "-m", "tests.infra.supervised", str(page)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = spawn(command, cwd=ROOT, **pipes)
    with process:
        try:
            yield Supervised(process, home)
        finally:
            if process.poll() is None:
                stop(process)


def test_children_start_in_order_and_stop_in_reverse(tmp_path, home, book):
    children = [lives(name, book) for name in ("first", "second", "third")]
    with supervised(tmp_path, home, children) as hub:
        hub.ready()
        eventually(lambda: len(entries(book, "started")) == 3)
        returncode, _out, _err = hub.end()
    assert returncode == 0
    assert names(book, "stopped") == ["third", "second", "first"]
    assert not (home / "run.json").exists()


def test_a_child_waits_for_the_one_before_to_answer(tmp_path, home, book):
    flag = tmp_path / "flag"
    children = [lives("slow", book) | {"ready": str(flag)}, lives("next", book)]
    with supervised(tmp_path, home, children) as hub:
        eventually(lambda: names(book, "started") == ["slow"])
        with pytest.raises(AssertionError):
            eventually(lambda: len(entries(book, "started")) > 1, seconds=0.5)
        flag.touch()
        hub.ready()
        eventually(lambda: names(book, "started") == ["slow", "next"])


def test_a_killed_child_is_started_again_alone(tmp_path, home, book):
    with supervised(tmp_path, home, [lives("one", book), lives("two", book)]) as hub:
        hub.ready()
        eventually(lambda: len(entries(book, "started")) == 2)
        before = last_pid(book, "two")
        os.kill(last_pid(book, "one"), signal.SIGKILL)
        eventually(lambda: names(book, "started").count("one") == 2)
        assert is_alive(before)
        assert last_pid(book, "two") == before
        pids = eventually(lambda: hub.run_file()["pids"])
        assert pids == {"one": last_pid(book, "one"), "two": before}
        _code, _out, told = hub.end()
    assert "one ended (signal 9); it starts again in 0.2 s" in told


def test_a_child_that_keeps_ending_is_started_less_and_less_often(tmp_path, home, book):
    code = f"open({str(book)!r}, 'a').write('started short 0\\n'); raise SystemExit(3)"
    children = [{"name": "short", "command": [sys.executable, "-c", code]}]
    with supervised(tmp_path, home, children) as hub:
        lines = [hub.tells("short ended (exit status 3)") for _ in range(4)]
    delays = [line.split(" in ")[1].split(" s")[0] for line in lines]
    assert delays == ["0.2", "0.4", "0.8", "1.6"]
    assert len(entries(book, "started")) >= 4


def test_no_child_outlives_a_killed_supervisor(tmp_path, home, book):
    with supervised(tmp_path, home, [lives("one", book), lives("two", book)]) as hub:
        hub.ready()
        eventually(lambda: len(entries(book, "started")) == 2)
        pids = [last_pid(book, "one"), last_pid(book, "two")]
        hub.process.kill()
        hub.process.wait()
        eventually(lambda: not any(is_alive(pid) for pid in pids))
    with supervised(tmp_path, home, [lives("one", book)]) as hub:
        hub.ready()
        eventually(lambda: names(book, "started").count("one") == 2)


def test_a_second_supervisor_is_refused_with_a_sentence(tmp_path, home, book):
    with supervised(tmp_path, home, [lives("one", book)]) as hub:
        hub.ready()
        with supervised(tmp_path, home, [lives("other", book)]) as second:
            _out, told = second.process.communicate(timeout=90)
        assert second.process.returncode == 1
        assert told == (
            f"A hub already runs on {home}. Stop it first, or set KEHUB_HOME to another folder.\n"
        )
        assert "other" not in names(book, "started")


def test_a_child_that_will_not_stop_is_ended_when_asked_twice(tmp_path, home, book):
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True)\n"
    children = [{"name": "deaf", "command": [sys.executable, "-c", deaf + "time.sleep(60)"]}]
    with supervised(tmp_path, home, children) as hub:
        hub.ready()
        pid = hub.run_file()["pids"]["deaf"]
        eventually(lambda: (home / "log" / "deaf.log").read_text() == "1\n")
        hub.process.send_signal(signal.SIGINT)
        assert hub.process.stderr.readline() == "Stopping …\n"
        _code, _out, told = hub.end(signal.SIGINT)
    assert "ended by force" in told
    assert not is_alive(pid)


def test_what_a_child_started_goes_with_it(tmp_path, home, book):
    code = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', {LIVES!r}, 'grandchild', {str(book)!r}])\n"
        "time.sleep(60)"
    )
    children = [{"name": "parent", "command": [sys.executable, "-c", code]}]
    with supervised(tmp_path, home, children) as hub:
        hub.ready()
        eventually(lambda: names(book, "started") == ["grandchild"])
        hub.end()
        assert eventually(lambda: not is_alive(last_pid(book, "grandchild")))


def test_a_companion_thread_reads_announcements_and_may_end_it_all(tmp_path, home):
    flag = tmp_path / "flag"
    code = f"import pathlib, time; print('hello', flush=True); pathlib.Path({str(flag)!r}).touch()"
    command = [sys.executable, "-c", code + "; time.sleep(60)"]
    speaker = {"name": "speaker", "command": command, "announces": True, "ready": str(flag)}
    with supervised(tmp_path, home, [speaker], companion=0.1) as hub:
        out, _told = hub.process.communicate(timeout=90)
    assert hub.process.returncode == 0
    assert "announced hello" in out


def test_the_home_is_private_and_children_know_it(tmp_path, home):
    code = "import os, time; print(os.environ['KEHUB_HOME'], flush=True); time.sleep(60)"
    with supervised(
        tmp_path, home, [{"name": "c", "command": [sys.executable, "-c", code]}]
    ) as hub:
        hub.ready()
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert hub.run_file()["supervisor"] == hub.process.pid
        eventually(lambda: (home / "log" / "c.log").read_text() == f"{home}\n")


def test_a_command_that_does_not_exist_does_not_stop_the_others(tmp_path, home, book):
    children = [{"name": "gone", "command": ["/nonexistent/program"]}, lives("one", book)]
    with supervised(tmp_path, home, children) as hub:
        eventually(lambda: names(book, "started") == ["one"])
        assert hub.tells("gone ended")


@pytest.mark.redis
def test_the_real_broker_keeps_its_data_through_a_kill(tmp_path, home, book):
    with supervised(tmp_path, home, [lives("worker", book)], broker=True) as hub:
        hub.ready()
        client = redis.Redis.from_url(f"unix://{home}/b.sock", retry=None)
        client.set("key", "value")
        client.execute_command("WAITAOF", 1, 0, 5000)
        os.kill(hub.run_file()["pids"]["broker"], signal.SIGKILL)
        assert eventually(lambda: _get(client, "key")) == b"value"
        client.close()
        hub.end()
    assert names(book, "stopped") == ["worker"]


def _get(client, key):
    try:
        return client.get(key)
    except redis.RedisError:
        return None
