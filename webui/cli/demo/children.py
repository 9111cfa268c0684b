"""The processes that the demo adds to a hub: two stand-ins and the ERP."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from webui.cli.child import Child
from webui.cli.failing import CommandError
from webui.cli.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[3]
SALES = 20
_PROGRESS = re.compile(r"^\[tryton +(\d+)% (\w+)\] (.*)$")
_FAILED = re.compile(r"^sandbox\.tryton: (.*)$")


def need_checkout() -> None:
    """The stand-ins are no part of the installed package."""
    if not (ROOT / "sandbox" / "tryton" / "__main__.py").is_file():
        raise CommandError("demo_needs_checkout")


def make_seeds(home: Path) -> Path:
    """The demo's customers, written once; returns their folder."""
    folder = home / "demo"
    if not (folder / "truth.json").exists():
        command = [sys.executable, "-m", "sandbox.demo_data", "--out", str(folder)]
        done = subprocess.run(  # noqa: S603  our own module
            command, env=_environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            reason = done.stderr.strip().splitlines()
            raise CommandError("demo_seed_failed", reason=reason[-1] if reason else "?")
    return folder


def erp_environment(home: Path) -> Path:
    """Where Tryton is installed: shared by all demos of this checkout."""
    given = os.environ.get("KEHUB_TRYTON_VENV")
    if given:
        return Path(given).absolute()
    shared = ROOT / "var"
    if os.access(shared if shared.exists() else ROOT, os.W_OK):
        return shared / "tryton-venv"
    return home.absolute() / "tryton-venv"


def children(home: Path, ports: Mapping[str, int], seeds: Path) -> list[Child]:
    """None is waited for: Tryton may install itself for minutes while the hub starts."""
    data, environment = home.absolute() / "demo", _environment()

    def stand_in(name: str, module: str, *more: str) -> Child:
        command = [sys.executable, "-m", f"sandbox.{module}", "--port", str(ports[name])]
        own = ["--data", str(data / module), "--seed", str(seeds.absolute() / f"{name}.json")]
        return Child(name, [*command, *own, *more], environment, announces=True)

    venv = erp_environment(home)
    return [
        stand_in("zoho", "zoho_crm"),
        stand_in("fxiaoke", "fxiaoke"),
        stand_in("tryton", "tryton", "--venv", str(venv), "--sales", str(SALES)),
    ]


def announced(supervisor: Supervisor, name: str) -> dict[str, Any] | None:
    """What a stand-in said about itself, once it answers."""
    line = supervisor.announcement(name)
    try:
        found = json.loads(line) if line else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def erp_progress(supervisor: Supervisor, start: int) -> tuple[int, str, str]:
    """How far the ERP is, from its log behind `start`: percent, words, and what made it fail."""
    percent, words, failure = 0, "", ""
    for line in _tail(supervisor.log_of("tryton"), start):
        step, failed = _PROGRESS.match(line), _FAILED.match(line)
        if step:
            percent, words, failure = int(step[1]), step[3], ""
        elif failed:
            failure = failed[1]
    return percent, words, failure


def log_size(supervisor_log: Path) -> int:
    """Where a log of an earlier start ends."""
    return supervisor_log.stat().st_size if supervisor_log.exists() else 0


def _tail(log: Path, start: int) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(start)
            return file.read().decode(errors="replace").splitlines()
    except OSError:
        return []


def _environment() -> dict[str, str]:
    """The stand-ins are imported from the checkout, wherever the command was called."""
    known = os.environ.get("PYTHONPATH")
    return {**_inherited(), "PYTHONPATH": f"{ROOT}{os.pathsep}{known}" if known else str(ROOT)}


def _inherited() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
