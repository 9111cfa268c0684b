"""Everything at once for a while: edits, faults of every kind, kills, Redis lost in the middle.

`python -m tests.chaos.soak [--minutes 10] [--seed 1] [--customers 40] [--keep DIR]`

Four worker processes, beat and web on PostgreSQL and Redis work between three systems over HTTP
(Zoho, 纷享销客, and Tryton where KEHUB_TRYTON_VENV names it, else a second Zoho organisation).
CHAOS_MINUTES sets the length, too.
"""

import argparse
import os
import random
import shutil
import sys
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import structlog

from sync.flow import drift
from sync.service import plans
from sync.store.tables import Change
from sync.store.tables import System as SystemRow
from tests.chaos.company import KINDS, Company, Findings, open_places
from tests.chaos.evidence import leave
from tests.chaos.machines import Fleet, StuckError
from tests.chaos.places import SHIFTS
from tests.infra.postgres import Cluster

MERGES = 5  # as many as a guard lets pass
PAUSE = 0.35  # between two things that users do, in the mean
FAULT_EVERY, KILL_EVERY = 2.5, 9.0
TELL_EVERY = 15.0
# A worker dies oftener than the others.
VICTIMS = ("worker0", "worker1", "worker2", "worker3") * 3 + ("web", "beat")


@dataclass
class Report:
    seconds: float = 0.0
    customers: int = 0
    edits: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    findings: Findings = field(default_factory=Findings)
    by_reconcile: int = 0
    settled_in: float = 0.0
    calls: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    lags: list[float] = field(default_factory=list)

    def lines(self) -> list[str]:
        counts = {kind: self.findings.count(kind) for kind in KINDS}
        edits = self.edits.total()
        changed = sum(records for _, _, records in self.calls.values())
        calls = sum(reads + writes for reads, writes, _ in self.calls.values())
        writes = sum(writes for _, writes, _ in self.calls.values())
        each, own = calls / max(changed, 1), writes / max(changed, 1)
        return [
            f"time              {self.seconds:.0f} s, then at rest after {self.settled_in:.0f} s",
            f"edits             {edits}: {_listed(self.edits)}; {self.customers} customers",
            f"faults            {self.faults.total()}: {_listed(self.faults)}",
            f"kills             {self.kills.total()}: {_listed(self.kills)}",
            f"duplicates        {counts['duplicates']}",
            f"missing           {counts['missing']}",
            f"lost values       {counts['lost']}",
            f"drift             {counts['differences'] + counts['noise']}",
            f"unexplained       {counts['unexplained']} writes",
            f"left over         {counts['leftovers']}",
            f"excused           {len(self.findings.excused)}: the vendors' own gaps, see below",
            f"found late        {self.by_reconcile} by the reconcile that ends the soak",
            f"calls             {each:.2f} per changed record, {own:.2f} writes; {changed} records",
            f"lag               {_percentiles(self.lags)}",
            *self.findings.shown(),
        ]


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _percentiles(lags: list[float]) -> str:
    if not lags:
        return "nothing arrived"
    ordered = sorted(lags)
    at = {p: ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))] for p in (50, 95, 99)}
    shown = ", ".join(f"p{p} {seconds:.1f} s" for p, seconds in at.items())
    return f"{shown} over {len(ordered)} arrivals"


class Soak:
    """One run; `company` is connected already."""

    def __init__(self, company: Company, seed: int) -> None:
        self.company, self.fleet = company, company.machine
        self.dice = random.Random(f"soak {seed}")
        self.report = Report()
        company.newcomers = 0.06

    def run(self, seconds: float, tell=lambda _text: None) -> Report:
        started = time.monotonic()
        self._before = self._counted()
        fault, kill, said = 1.0, 3.0, TELL_EVERY
        emptied = merges = 0
        while (now := time.monotonic() - started) < seconds:
            self.company.act()
            self.fleet.look_after()
            if now > fault:
                self._fault()
                fault = now + self.dice.expovariate(1 / FAULT_EVERY)
            if now > kill:
                self._kill(self.dice.choice(VICTIMS))
                kill = now + self.dice.expovariate(1 / KILL_EVERY)
            if now > seconds * (emptied + 1) / 3 and emptied < 2:
                emptied += 1
                self.fleet.empty_redis()
                self.company.journal.note("kill", target="redis, emptied")
                self.report.kills["redis, emptied"] += 1
            if now > seconds * (merges + 1) / (MERGES + 1) and merges < MERGES:
                merges += 1
                self._merge()
            if now > said:
                said += TELL_EVERY
                tell(self._progress(now, seconds))
            time.sleep(self.dice.expovariate(1 / PAUSE))
        self.report.seconds = time.monotonic() - started
        tell("calm now; waiting for rest")
        self._end()
        return self.report

    def _progress(self, now: float, seconds: float) -> str:
        report = self.report
        return (
            f"{now:.0f} of {seconds:.0f} s: {self.company.edits.total()} edits, "
            f"{report.faults.total()} faults, {report.kills.total()} kills"
        )

    def _fault(self) -> None:
        places = [place for place in self.company.places if place.troubles()]
        place = self.dice.choice(places)
        # Every kind comes about as often as any other, whatever the length of the run.
        least = min(self.report.faults[kind] for kind in place.troubles())
        rare = [kind for kind in place.troubles() if self.report.faults[kind] == least]
        kind = self.dice.choice(rare)
        place.trouble(kind, self.dice)
        self.company.journal.note("fault", place=place.name, kind=kind)
        self.report.faults[kind] += 1

    def _kill(self, target: str) -> None:
        self.fleet.kill(target)
        self.company.journal.note("kill", target=target)
        self.report.kills[target.rstrip("0123456789")] += 1

    def _merge(self) -> None:
        places = [place for place in self.company.places if place.troubles()]
        self.company.merge(self.dice.choice(places))
        self.report.faults["merge"] += 1

    def _end(self) -> None:
        """Nobody edits, nothing fails any more: what is true now?"""
        report, company = self.report, self.company
        for place in company.places:
            place.calm()
        began = time.monotonic()
        self.fleet.start()
        try:
            self.fleet.rest(seconds=240)
            drift.recheck(self.fleet.hub)
            found = plans.reconcile_all(self.fleet.hub)
            report.by_reconcile = sum(found["changed"].values()) + sum(found["differing"].values())
            self.fleet.rest(seconds=120)
            report.settled_in = time.monotonic() - began
            report.findings = company.check()
            company.check_silence(report.findings)
        except StuckError as error:
            report.findings.note("leftovers", str(error))
        report.edits, report.customers = company.edits, len(company.customers)
        after = self._counted()
        report.calls = {
            name: tuple(x - y for x, y in zip(after[name], self._before[name], strict=True))
            for name in after
        }
        report.lags = list(self._lags())

    def _counted(self) -> dict[str, tuple[int, int, int]]:
        """Calls of the hub by its own count: read, write, records written."""
        rows = self.company.rows(SystemRow)
        return {row.name: (row.calls_read, row.calls_write, row.records_written) for row in rows}

    def _lags(self):
        """Seconds from the typing of a value to its being written in another system."""
        typed = self.company.typed_at
        for row in self.company.rows(Change, Change.op == "written"):
            for path, value in row.new.items():
                moment = typed.get((path, value)) if isinstance(value, str) else None
                if moment is not None:
                    yield (row.at - moment).total_seconds()


@contextmanager
def _own_database():
    cluster = Cluster()
    try:
        yield cluster.start()
    finally:
        cluster.remove()


def started(
    folder: Path, database_url: str, third: Path | None, customers: int, seed: int, stack: ExitStack
) -> Company:
    """A running fleet that has loaded its systems."""
    places = open_places(folder, third)
    for place in places:
        stack.callback(place.stop)
    fleet = Fleet(folder / "hub", database_url)
    stack.callback(fleet.close)
    company = Company(fleet, places, seed)
    for place in places:
        place.be_off(company.chance.choice(SHIFTS))
    company.fill(customers)
    fleet.start()
    company.connect()
    return company


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    minutes = float(os.environ.get("CHAOS_MINUTES") or 10)
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--customers", type=int, default=40)
    parser.add_argument(
        "--keep",
        type=Path,
        help="work here, and leave everything behind: what was done, and what is there",
    )
    chosen = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    folder = chosen.keep or Path(mkdtemp(prefix="kehub-soak-"))
    folder.mkdir(exist_ok=True)
    given = os.environ.get("KEHUB_TRYTON_VENV")
    with ExitStack() as stack:
        if not chosen.keep:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        url = stack.enter_context(_own_database())
        third = Path(given) if given else None
        company = started(folder, url, third, chosen.customers, chosen.seed, stack)
        print("connected and loaded; the trouble begins", flush=True)
        soak = Soak(company, chosen.seed)
        report = soak.run(chosen.minutes * 60, lambda text: print(text, flush=True))
        if chosen.keep:
            leave(chosen.keep, company)
    print("\n".join(report.lines()), flush=True)
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
