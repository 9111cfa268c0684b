"""The trytond process: started as our child, waited for, and never left behind."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import requests

from sandbox.tryton.install import DATABASE, Environment, write_config, write_logging

START_TIMEOUT = 120.0
STOP_TIMEOUT = 15.0
PORT_WAIT = 10.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class ServerError(Exception):
    """trytond does not run; the text says where to look."""


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent ends, however it ends."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do; else a port in TIME_WAIT looks taken after a restart.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settle_port(wanted: int, remembered: int | None) -> int:
    """The port asked for, else the one of last time, else a free one.

    A server of last time may still be on its way out, so a taken port is waited for.
    """
    if not wanted and not remembered:
        return free_port()
    port = wanted or remembered or 0
    deadline = time.monotonic() + PORT_WAIT
    while not port_is_free(port):
        if time.monotonic() > deadline:
            if wanted:
                raise ServerError(f"Port {port} is in use; choose another with --port.")
            return free_port()
        time.sleep(0.2)
    return port


class Server:
    """trytond on a folder that holds its database."""

    def __init__(self, environment: Environment, folder: Path, port: int) -> None:
        self._environment, self._folder, self.port = environment, folder, port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What trytond reports; what it says before that works stands in `trytond.out`."""
        return self._folder / "trytond.log"

    def start(self) -> None:
        config = write_config(self._folder, port=self.port)
        log_config = write_logging(self._folder)
        parent = os.getpid()

        def before_exec() -> None:
            die_with_parent()
            if os.getppid() != parent:  # the parent died before the request took effect
                os._exit(1)

        with (self._folder / "trytond.out").open("wb") as log:
            self._process = subprocess.Popen(
                [self._environment.server, "-c", config, "--logconf", log_config, "-d", DATABASE],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                preexec_fn=before_exec,  # noqa: PLW1509 - this process has one thread
                start_new_session=True,
            )
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if self.ended():
                raise ServerError(f"trytond ended while starting; its last words are in {self.log}")
            if time.monotonic() > deadline:
                self.stop()
                raise ServerError(f"trytond did not answer in time; see {self.log}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        body = {"id": 1, "method": "common.server.version", "params": []}
        try:
            with requests.Session() as session:
                session.trust_env = False
                return session.post(f"{self.base_url}/rpc/", json=body, timeout=5).ok
        except requests.RequestException:
            return False

    def ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def wait(self) -> int:
        return self._process.wait() if self._process else 0

    def stop(self) -> None:
        if self._process is None or self.ended():
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
