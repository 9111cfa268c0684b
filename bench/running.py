"""A hub as production runs it on one machine: broker, a thread worker, beat; and a web hook in.

The receiver stands in for the web process: the same call of the data path, without its pages.
"""

import os
import sys
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy import func, select, update

from bench.processes import BenchError, child, wait_for
from connectors.sdk.contract import Delivery
from sync.flow import receive, sweep
from sync.flow.opening import open_hub
from sync.service import plans, systems
from sync.settings import Settings
from sync.store import cursors, dirty, inbox, schema
from sync.store.tables import Candidate, Cursor, DeadLetter, Golden, System
from webui.cli.broker import embedded_broker

THREADS = 8  # of the worker, as `kehub run` starts it
NEVER = timedelta(days=3650)


@dataclass
class Running:
    """The hub, its worker's process id, and what the benchmark asks of it."""

    hub: object
    worker_pid: int
    receiver: "Receiver"

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

    def is_quiet(self):
        with self.hub.database.read() as session:
            return not inbox.waiting(session) and not dirty.waiting(session)

    def subscribe(self, zoho, fxiaoke, client):
        """Webhooks of both systems, from now on."""
        sweep.renew_subscription(self.hub, self._due_again(zoho))
        row = systems.get_system(self.hub, fxiaoke)
        client.call_back(row.hook_url)

    def _due_again(self, name):
        system_id = systems.get_system(self.hub, name).id
        with self.hub.database.write() as tx:
            tx.execute(update(System).where(System.id == system_id).values(hook_due=None))
        return system_id

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
    with ExitStack() as stack:
        receiver = stack.enter_context(listening())
        environment = {
            "KEHUB_HOME": str(home),
            "KEHUB_REDIS_URL": broker.url,
            "KEHUB_PUBLIC_URL": receiver.url,
            "KEHUB_POLL_SECONDS": "86400",  # only what the benchmark asks for is polled
        }
        stack.enter_context(child(broker.command, log=home / "broker.log"))
        wait_for(broker.answers, seconds=10, what="the broker")
        hub = open_hub(
            Settings(
                home=home,
                redis_url=broker.url,
                public_url=receiver.url,
                poll_seconds=86400,
                _env_file=None,
            )
        )
        stack.callback(hub.database.engine.dispose)
        schema.upgrade(hub.database)
        receiver.answer_with(lambda path, delivery: _received(hub, path, delivery))
        worker = stack.enter_context(_celery(environment, home, "worker", *_WORKER))
        schedule = f"--schedule={home / 'beat-schedule'}"
        stack.enter_context(_celery(environment, home, "beat", schedule, "--pidfile="))
        log = home / "worker.log"
        wait_for(lambda: " ready." in log.read_text(), seconds=60, what="the worker")
        yield Running(hub, worker.pid, receiver)


_WORKER = ("-P", "threads", "-c", str(THREADS), "-Q", "wake,bulk",
           "--without-gossip", "--without-mingle")  # fmt: skip


def _celery(environment, home, role, *options):
    # fmt: off
    command = [sys.executable, "-m", "celery", "-A", "sync.tasks:app", role,
               *options, "--loglevel", "INFO"]
    # fmt: on
    return child(command, log=home / f"{role}.log", env={**os.environ, **environment})


def _received(hub, path, delivery):
    _, _, name, key = path.split("/", 3)
    return receive.receive(hub, name, key, delivery)


class Receiver(ThreadingHTTPServer):
    """Takes webhooks and hands each to one function."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self._answer = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer_with(self, answer):
        """From now on `answer(path, delivery)` says what is replied; None is an empty 200."""
        self._answer = answer

    def answer(self, path, delivery):
        return self._answer(path, delivery)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(parts.query))
        delivery = Delivery(headers, query, body, datetime.now(UTC))
        reply = self.server.answer(parts.path, delivery)
        content = reply.body if reply else b""
        self.send_response(reply.status if reply else 200)
        self.send_header("Content-Type", reply.content_type if reply else "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, template, *values):
        """Quiet: the benchmark measures from outside."""


@contextmanager
def listening():
    """A receiver on a free port for the length of the block."""
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join(5)
