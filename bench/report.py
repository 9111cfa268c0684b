"""What a run looked like: the machine, the versions, and a table."""

import importlib.metadata
import os
import platform
import shlex
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

PACKAGES = ("celery", "redis", "requests", "sqlalchemy", "pydantic")


def circumstances():
    """All that is needed to judge or repeat a run."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["python", "-m", "bench", *sys.argv[1:]]),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.release()}",
            "load_before": os.getloadavg()[0],
        },
        "versions": {
            "kehub": _revision(),
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            **versions,
        },
    }


def _processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _revision():
    root = Path(__file__).resolve().parents[1]
    command = ["git", "-C", str(root), "describe", "--always", "--dirty"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    return told.stdout.strip() or importlib.metadata.version("kehub")


def show(facts, results):
    """The table, then where and how it was measured."""
    table = Table(title="The main job, beside its floors", title_justify="left")
    for name in ("measured", "value", "floor", "ratio", "aim"):
        table.add_column(name, justify="left" if name in {"measured", "aim"} else "right")
    for each in results:
        aim = each.aim
        if each.holds is not None:
            aim += " ✓" if each.holds else " ✗"
        floor = "" if each.floor is None else f"{each.floor:,.4g}"
        ratio = "" if each.ratio is None else f"{each.ratio:.2f}"
        table.add_row(each.name, f"{each.value:,.4g} {each.unit}", floor, ratio, aim)
    console = Console()
    console.width = max(console.width, 110)  # a pipe says 80
    console.print(table)
    for each in results:
        if each.note:
            console.print(f"  {each.name}: {each.note}", highlight=False)
    machine, versions = facts["machine"], facts["versions"]
    console.print(
        f"{facts['date']} · {facts['command']} · {machine['processor']}, {machine['cores']} cores, "
        f"{machine['system']}, load {machine['load_before']:.1f} before · "
        + ", ".join(f"{name} {version}" for name, version in versions.items()),
        highlight=False,
    )
