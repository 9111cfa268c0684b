"""A worker process is killed at every place, really; the evening is always the same.

Places are all commits (before and after) and all remote calls of a day's work, counted while it
runs. `KILL_POINTS=all` kills at each of them; otherwise one place of every kind is chosen.
"""

import ast
import os
import random
import signal
from abc import ABC
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import sync.flow
from connectors.sdk import contract
from connectors.sdk.contract import Connector
from tests.flow import workshop
from tests.flow.workshop import MORNING, Workshop
from tests.histories.faults import FaultyMemory

SAMPLE = 24
# What a worker's day does not reach, and where it is tried instead.
ELSEWHERE = {
    "backup": "tests/flow/test_backup.py",
    "decide": "one transaction each, started by a person who sees an error",
    "decide_guard": "one transaction, by a person who sees an error or again at the next sweep",
    "drift": "tests/flow/test_drift.py",
    "erase": "a saga of stored steps: tests/scenarios/test_12_erased_person_returns.py",
    "foresee": "a look ahead, rolled back",
    "jobs": "tests/flow/test_jobs.py",
    "mapping_change": "carried out again from its beginning: tests/flow/test_jobs.py",
    "quality": "figures, worked out anew from what was written since: tests/flow/test_quality.py",
    "rematch": "started again, it writes what is missing: tests/flow/test_rematch.py",
    "rollback": "tests/flow/test_rollback.py",
    "split": "tests/flow/test_unify.py",
    "sweep": "holds and subscriptions: tests/flow",
    "tenants": "one transaction: tests/scenarios/test_27_sandbox_credentials_at_production.py",
    "thresholds": "one transaction at its end, asked for by a person: tests/cli/test_thresholds.py",
    "unify": "one transaction each, started by a person who sees an error",
    "usage": "tests/flow/test_usage.py",
    "worked_out": "tests/flow/test_worked_out.py",
    "weights": "one transaction, once a day: tests/flow/test_weights.py",
}
RARE = {  # branches that one day does not bring, or blocks that open no transaction of their own
    "dispatch._hear_first", "dispatch._hold_back", "dispatch._keep_lease", "dispatch._later",
    "dispatch._unlink", "dispatch._write_object", "duplicates._keep", "duplicates._settle_doubt",
    "duplicates.merge_away", "hear._wake_waiting", "plan._scratch", "plan._simulate",
    "plan.make_plan_anew", "poll._deliver", "poll._look_at", "recover.pause", "settle._wait",
    "settle.settle_doubts", "take_in._hold",
}  # fmt: skip

SAFE_CALLS = {  # calls that leave nothing behind, or reach nobody, and where they are tried
    "check": "asked by a person who sees the answer",
    "objects": "reaches nobody",
    "tenant": "asked once, when a system is added, by a person who sees the answer",
    "verify": "reaches nobody",
    "hints": "reaches nobody",
    "erase": "asked again until it is gone: tests/scenarios/test_12_erased_person_returns.py",
    "schema": "read again before the next batch: tests/flow/test_drift.py",
    "subscribe": "renewed by the next sweep, under the same id",
    "unsubscribe": "a subscription that is left over ends by itself",
}


@pytest.fixture(scope="module")
def morning(tmp_path_factory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("kill") / "morning"
    home.mkdir()
    workshop.prepare(home)
    return home


def _evening(home: Path, after: timedelta) -> tuple[dict, int]:
    """What is there when another process has gone on; and the writes that it makes afterwards."""
    shop = Workshop.open(home, MORNING + after)
    try:
        shop.rest()
        shop.decide()
        shop.rest()
        shop.clock.pass_(25 * 3600)
        shop.rest()
        before = shop.writes()
        shop.clock.pass_(3600)
        shop.rest()
        return shop.picture(), shop.writes() - before
    finally:
        shop.close()


@pytest.fixture(scope="module")
def quiet_day(morning) -> tuple[list[str], dict]:
    """The places of a day without a kill, and its evening."""
    home = morning.with_name("quiet")
    workshop.moved(morning, home)
    shop = Workshop.open(home, MORNING)
    shop.work()
    names = list(shop.faults.names)
    shop.close()
    picture, more = _evening(home, timedelta(minutes=30))
    assert more == 0
    return names, picture


def _chosen(names: list[str]) -> list[int]:
    """One place of each kind, in turn; or all."""
    if os.environ.get("KILL_POINTS") == "all":
        return list(range(1, len(names) + 1))
    dice = random.Random(20260302)
    by_kind: dict[str, list[int]] = {}
    for place, name in enumerate(names, start=1):
        by_kind.setdefault(name, []).append(place)
    kinds = [kind for kind in by_kind if "a test" not in kind and "add_calls" not in kind]
    return sorted(dice.choice(by_kind[kind]) for kind in dice.sample(kinds, SAMPLE))


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_killed_worker_leaves_the_same_evening(morning, quiet_day):
    names, wanted = quiet_day
    wrong = []
    for place in _chosen(names):
        home = morning.with_name(f"killed-{place}")
        workshop.moved(morning, home)
        status = workshop.in_process(home, MORNING, workshop.kill_at(place))
        where = f"place {place}, {names[place - 1]}"
        assert os.WIFSIGNALED(status), f"{where}: the process ended by itself ({status})"
        assert os.WTERMSIG(status) == signal.SIGKILL
        picture, more = _evening(home, timedelta(minutes=30))
        for part, people in wanted.items():
            if picture[part] != people:
                odd = set(picture[part]) ^ set(people)
                wrong.append(f"{where}: {part} differs in {sorted(odd)}")
        if more:
            wrong.append(f"{where}: {more} writes afterwards")
    assert not wrong, "\n".join(wrong)


def test_every_commit_of_the_data_path_is_a_place(quiet_day):
    """A new transaction in sync/flow is reached by the day, or named here with a reason."""
    reached = {name.rpartition("sync.flow.")[2] for name in quiet_day[0] if "commit of" in name}
    missing = []
    for path in sorted(Path(sync.flow.__file__).parent.glob("*.py")):
        if path.stem in ELSEWHERE:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and _opens_transaction(function):
                name = f"{path.stem}.{function.name}"
                if name not in reached and name not in RARE:
                    missing.append(name)
    assert not missing, f"not reached by the workshop's day: {missing}"


def test_every_remote_call_is_a_place():
    """A new call to another system is one that the fault layer breaks, or is named here."""
    missing = [
        f"{capability.__name__}.{name}"
        for capability in (Connector, *_capabilities())
        for name in capability.__abstractmethods__ - SAFE_CALLS.keys()
        if name not in vars(FaultyMemory)
    ]
    assert not missing, f"the fault layer passes these calls on unbroken: {missing}"


def _capabilities() -> list[type]:
    found = [each for each in vars(contract).values() if isinstance(each, type)]
    return [each for each in found if each is not Connector and issubclass(each, ABC)]


def _opens_transaction(function: ast.FunctionDef) -> bool:
    return any(
        isinstance(node, ast.With)
        and any(ast.unparse(item.context_expr).endswith("database.write()") for item in node.items)
        for node in function.body
        for node in ast.walk(node)
    )
