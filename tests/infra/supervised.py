"""A supervisor in a process of its own, as the tests of it need: `supervised.py PLAN`.

The plan is JSON: `home`, `children` (list of `name`, `command`, and optionally `ready`, a file that
the child makes; `announces`), `broker` (true for the embedded one), `companion` (seconds after
which a companion thread asks for the stop). Prints `ready` when all children answer.
"""

import json
import sys
from pathlib import Path

from webui.cli.broker import embedded_broker
from webui.cli.child import Child
from webui.cli.supervisor import Supervisor, SupervisorError, owned_home


def main() -> int:
    plan = json.loads(Path(sys.argv[1]).read_text())
    home = Path(plan["home"])
    try:
        with owned_home(home, "en"):
            return _run(plan, home)
    except SupervisorError as error:
        print(error, file=sys.stderr)
        return 1


def _run(plan, home) -> int:
    children = [_child(row) for row in plan["children"]]
    if plan.get("broker"):
        broker = embedded_broker(home)
        children.insert(0, Child("broker", broker.command, ready=broker.answers))
    supervisor = Supervisor(
        home, children, environment={"KEHUB_HOME": str(home)}, facts={"port": 1}, language="en"
    )
    companion = _stop_after(plan["companion"]) if plan.get("companion") else None
    return supervisor.run(on_ready=lambda: _say("ready"), companion=companion)


def _say(line) -> None:
    """One write for the whole line: the companion speaks at the same time."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _child(row) -> Child:
    ready = Path(row["ready"]).exists if row.get("ready") else None
    return Child(row["name"], row["command"], ready=ready, announces=row.get("announces", False))


def _stop_after(seconds):
    def companion(supervisor: Supervisor) -> None:
        supervisor.wait_until_ready(30)
        _say(f"announced {supervisor.announcement('speaker')}")
        supervisor.wait_until_stopping(seconds)
        supervisor.request_stop()

    return companion


if __name__ == "__main__":
    sys.exit(main())
