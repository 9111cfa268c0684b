"""A hub as it runs on one machine in production: broker, workers of threads, beat, web."""

import json
import os
import socket
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta

import requests
from sqlalchemy import func, select, update

from bench.processes import BenchError, child, run_measured, wait_for
from sync.flow import sweep
from sync.flow.opening import open_hub
from sync.service import plans, systems
from sync.settings import Settings
from sync.store import cursors, dirty, inbox, schema
from sync.store.tables import Candidate, Cursor, DeadLetter, Golden, System
from webui.cli.broker import embedded_broker
from webui.cli.run import default_workers, worker_commands

WEB_THREADS = 32  # as `kehub run` starts it
NEVER = timedelta(days=3650)


@dataclass
class Running:
    """The hub, its workers' process ids, and what the benchmark asks of it."""

    hub: object
    worker_pids: list
    environment: dict

    def add(self, name, kind, settings):
        """A system in draft; its webhooks are not subscribed yet."""
        added = systems.add_system(self.hub, name=name, kind=kind, values=settings)
        with self.hub.database.write() as tx:
            tx.execute(
                update(System).where(System.id == added.id).values(hook_due=self.hub.now() + NEVER)
            )
        return added

    def plan(self, seconds):
        """Has the worker make a plan for all systems; its view."""
        made = plans.start_plan(self.hub)

        def ready():
            view = plans.get_plan(self.hub, made.id)
            if view.state == "failed":
                raise BenchError(view.error)
            return view if view.state == "ready" else None

        return wait_for(ready, seconds=seconds, what="the plan", every=0.1)

    def apply(self, plan_id, seconds):
        """Applies a plan; returns when nothing waits any more."""
        plans.apply_plan(self.hub, plan_id)
        wait_for(
            lambda: plans.get_plan(self.hub, plan_id).state == "applied" and self.is_quiet(),
            seconds=seconds,
            what="the load",
            every=0.1,
        )

    def poll(self, *names, seconds=300.0):
        """Polls systems now, as an admin's “sync now”; returns when nothing waits any more."""
        ids = [systems.get_system(self.hub, name).id for name in names]
        asked = self.hub.now()
        for system_id in ids:
            with self.hub.database.write() as tx:
                cursors.hurry(tx, system_id, asked)
            self.hub.waker.poll(system_id)
        wait_for(
            lambda: self._polled_since(ids, asked) and self.is_quiet(),
            seconds=seconds,
            what="the poll",
            every=0.02,
        )

    def _polled_since(self, ids, moment):
        with self.hub.database.read() as session:
            late = select(Cursor.object).where(
                Cursor.system_id.in_(ids),
                (Cursor.polled_at < moment) | Cursor.polled_at.is_(None),
            )
            return session.scalar(late) is None

    def reconcile(self):
        """Has the command line compare everything; its answer and its peak memory."""
        home = self.hub.settings.home
        command = [sys.executable, "-m", "webui.cli.main", "reconcile", "--json"]
        environment = {**os.environ, **self.environment}
        told, peak = run_measured(command, log=home / "reconcile.log", env=environment)
        return json.loads(told), peak

    def is_quiet(self):
        with self.hub.database.read() as session:
            return not inbox.waiting(session) and not dirty.waiting(session)

    def id_of(self, name):
        """A system's id."""
        return systems.get_system(self.hub, name).id

    def hook_url(self, name):
        """Where a system sends its webhooks."""
        return systems.get_system(self.hub, name).hook_url

    def subscribe(self, name):
        """The hub asks a system for its webhooks, from now on."""
        system_id = systems.get_system(self.hub, name).id
        with self.hub.database.write() as tx:
            tx.execute(update(System).where(System.id == system_id).values(hook_due=None))
        sweep.renew_subscription(self.hub, system_id)

    def trouble(self):
        """What must be nothing after a load of clean data."""
        with self.hub.database.read() as session:
            held = select(func.count()).select_from(Golden).where(Golden.held_until.is_not(None))
            return {
                "dead_letters": session.scalar(select(func.count()).select_from(DeadLetter)),
                "candidates": session.scalar(select(func.count()).select_from(Candidate)),
                "held": session.scalar(held),
            }


@contextmanager
def running_hub(home):
    """A hub with an empty database in a folder of its own."""
    home.mkdir(mode=0o700)
    broker = embedded_broker(home)
    port = _free_port()
    settings = {
        "home": home,
        "port": port,
        "redis_url": broker.url,
        "public_url": f"http://127.0.0.1:{port}",
        "poll_seconds": 86400.0,  # only what the benchmark asks for is polled
        "change_guard_count": 10**6,  # a burst is the mass change that the guard is there for
    }
    environment = {f"KEHUB_{name.upper()}": str(value) for name, value in settings.items()}
    environment["MALLOC_ARENA_MAX"] = "2"  # as `kehub run` sets it
    with ExitStack() as stack:
        stack.enter_context(child(broker.command, log=home / "broker.log"))
        wait_for(broker.answers, seconds=10, what="the broker")
        hub = open_hub(Settings(**settings, _env_file=None))
        stack.callback(hub.database.engine.dispose)
        schema.upgrade(hub.database)
        commands = worker_commands(default_workers())
        started = {
            name: stack.enter_context(
                child(command, log=home / f"{name}.log", env={**os.environ, **environment})
            )
            for name, command in {**commands, **_others(home, port)}.items()
        }
        wait_for(
            lambda: _is_up(home, port, commands), seconds=60, what="workers and web", every=0.2
        )
        yield Running(hub, [started[name].pid for name in commands], environment)


def _others(home, port):
    python = (sys.executable, "-m")
    # fmt: off
    return {
        "beat": (*python, "celery", "-A", "sync.tasks:app", "beat",
                 f"--schedule={home / 'beat-schedule'}", "--pidfile="),
        "web": (*python, "gunicorn", "--no-control-socket", "-k", "gthread",
                "--threads", str(WEB_THREADS), "--bind", f"127.0.0.1:{port}", "webui.app:wsgi"),
    }
    # fmt: on


def _is_up(home, port, workers):
    if not all(" ready." in (home / f"{name}.log").read_text() for name in workers):
        return False
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=2).ok
    except requests.RequestException:
        return False


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
