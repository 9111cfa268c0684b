"""There is work for X: messages after a commit. A lost message is harmless, beat sweeps."""

import gc
import sys
from collections.abc import Mapping
from typing import Any

import structlog
from celery import Celery
from celery.signals import worker_init
from kombu.exceptions import OperationalError

WAKE, BULK = "wake", "bulk"
_RETRY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.1}
log = structlog.get_logger()


class Waker:
    """Publishes hints; says nothing when the broker is away, since beat finds the work."""

    def __init__(self, app: Celery | None) -> None:
        self._app = app

    def take_in(self, system_id: int) -> None:
        self._send("take_in", {"system_id": system_id})

    def dispatch(self, system_id: int) -> None:
        self._send("dispatch", {"system_id": system_id})

    def poll(self, system_id: int) -> None:
        self._send("poll", {"system_id": system_id}, queue=BULK)

    def erase(self, erasure_id: str) -> None:
        self._send("erase", {"erasure_id": erasure_id})

    def job(self, job_id: int) -> None:
        self._send("work_on", {"job_id": job_id}, queue=BULK)

    def rollback(self, run_id: int) -> None:
        self._send("roll_back", {"run_id": run_id}, queue=BULK)

    def _send(self, name: str, kwargs: Mapping[str, Any], queue: str = WAKE) -> None:
        if self._app is None:
            return
        try:
            self._app.send_task(
                f"sync.tasks.{name}", kwargs=dict(kwargs), queue=queue, retry_policy=_RETRY
            )
        except OperationalError:
            log.warning("wake_up_lost", task=name, **kwargs)


def make_app(redis_url: str) -> Celery:
    """The Celery application, set against the failure modes named in the folder's README."""
    app = Celery("kehub")
    app.conf.update(
        broker_url=redis_url.replace("unix://", "redis+socket://", 1),
        task_ignore_result=True,
        result_backend=None,
        task_acks_late=False,  # a message is a hint; the row holds the work and its attempts
        task_default_queue=WAKE,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_soft_shutdown_timeout=10,
        worker_eta_task_limit=1000,
        task_time_limit=600,
        task_soft_time_limit=540,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        broker_transport_options={
            "visibility_timeout": 180,
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
            "health_check_interval": 10,
            "socket_keepalive": True,
            "socket_timeout": 30,
            "socket_connect_timeout": 3,
        },
    )
    return app


@worker_init.connect  # type: ignore[untyped-decorator]
def collect_seldom(**_: object) -> None:
    """Has the cycle collector look less often, in a process that works through many records.

    A batch makes some ten thousand objects that live until its commit. With the default of 700
    the collector walks over them dozens of times and finds nothing.
    Called before the pool starts, so that it holds for every worker thread and process.
    """
    gc.collect()
    gc.freeze()  # what the modules made stays for good
    gc.set_threshold(50_000, 20, 50)
    # Whoever holds SQLite's one write lock gives up the interpreter with each statement. With the
    # default of 5 ms a busy neighbour would make all other processes wait for so long each time.
    sys.setswitchinterval(0.001)
