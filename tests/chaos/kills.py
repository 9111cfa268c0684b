"""`kill -9` at random moments, then a start: nobody twice, nobody missing, all agree.

`python -m tests.chaos.kills [--rounds 100] [--seed 1] [--customers 30] [--keep DIR]`

A hub as `kehub run` starts it works between Zoho, 纷享销客 (the stand-ins, over HTTP) and a third
system: a real Tryton where KEHUB_TRYTON_VENV names its environment, else a second Zoho
organisation. In every round users edit and enter customers, and at a random moment the worker, the
web process, beat, the broker or everything is killed and started again.
"""

import argparse
import os
import random
import shutil
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import structlog

from tests.chaos.company import KINDS, Company, Findings, open_places
from tests.chaos.machines import OneMachine, StuckError

WEIGHTS = {"worker": 40, "web": 15, "beat": 5, "broker": 10, "everything": 30}
LONGEST = 2.5  # seconds from the first edit to the kill


@dataclass
class Report:
    rounds: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[int, str, str]] = field(default_factory=list)
    excused: set[str] = field(default_factory=set)
    edits: Counter[str] = field(default_factory=Counter)
    customers: int = 0
    seconds: float = 0.0

    def note(self, number: int, findings: Findings) -> None:
        """What is wrong since this round; what was wrong before is not counted again."""
        self.excused |= set(findings.excused)
        known = {text for _, _, text in self.findings}
        self.findings += [(number, k, text) for k, text in findings.texts if text not in known]

    def lines(self) -> list[str]:
        by_kind = Counter(kind for _, kind, _ in self.findings)
        kills = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        edits = ", ".join(f"{name} {count}" for name, count in sorted(self.edits.items()))
        counts = ", ".join(f"{kind} {by_kind[kind]}" for kind in KINDS)
        return [
            f"rounds     {self.rounds} in {self.seconds:.0f} s",
            f"kills      {self.kills.total()}: {kills}",
            f"edits      {edits}; {self.customers} customers at the end",
            f"found      {counts}",
            f"excused    {len(self.excused)}: the vendors' own gaps",
            *(f"  {text}" for text in sorted(self.excused)),
            *(f"  round {number}: {kind}: {text}" for number, kind, text in self.findings[:40]),
        ]


def run(company: Company, rounds: int, seed: int, tell=lambda _text: None) -> Report:
    """Kills and checks; `company` is connected already."""
    report, dice = Report(), random.Random(f"kills {seed}")
    started = time.monotonic()
    for number in range(1, rounds + 1):
        target = dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        began = time.monotonic()
        report.kills[target] += 1
        report.rounds = number
        try:
            _one_round(company, target, dice)
            findings = company.check()
            company.check_silence(findings)
        except StuckError as error:
            findings = Findings([("leftovers", str(error))])
        report.note(number, findings)
        took = time.monotonic() - began
        tell(f"round {number} of {rounds}: {target}, {took:.1f} s, {len(findings.texts)} found")
        for kind, text in findings.texts[:5]:
            tell(f"    {kind}: {text}")
    report.edits, report.customers = company.edits, len(company.customers)
    report.seconds = time.monotonic() - started
    return report


def _one_round(company: Company, target: str, dice: random.Random) -> None:
    machine = company.machine
    delay = dice.uniform(0.0, LONGEST)
    killer = threading.Timer(delay, machine.kill, [target])
    killer.start()
    for _ in range(dice.randrange(3, 9)):
        company.act()
        time.sleep(dice.uniform(0.0, 0.4))
    killer.join()
    machine.start()
    machine.rest()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--customers", type=int, default=30)
    parser.add_argument("--keep", type=Path, help="work here and leave everything behind")
    chosen = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    folder = chosen.keep or Path(mkdtemp(prefix="kehub-kills-"))
    folder.mkdir(exist_ok=True)
    given = os.environ.get("KEHUB_TRYTON_VENV")
    with ExitStack() as stack:
        if not chosen.keep:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        third = Path(given) if given else None
        company = started(folder, third, chosen.customers, chosen.seed, stack)
        print("connected and loaded; the killing begins", flush=True)
        report = run(company, chosen.rounds, chosen.seed, lambda text: print(text, flush=True))
    print("\n".join(report.lines()), flush=True)
    return 1 if report.findings else 0


def started(
    folder: Path, third: Path | None, customers: int, seed: int, stack: ExitStack
) -> Company:
    """A running hub that has loaded its systems."""
    places = open_places(folder, third)
    for place in places:
        stack.callback(place.stop)
    machine = OneMachine(folder / "hub")
    stack.callback(machine.close)
    company = Company(machine, places, seed)
    company.fill(customers)
    machine.start()
    company.connect()
    return company


if __name__ == "__main__":
    sys.exit(main())
