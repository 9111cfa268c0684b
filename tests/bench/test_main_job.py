"""The benchmark runs, and its figures hang together."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1000)]
OPTIONS = ("--sizes=50", "--engine=50", "--burst=20", "--edits=3", "--settle=0")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    target = tmp_path_factory.mktemp("bench") / "result.json"
    done = subprocess.run(
        [sys.executable, "-m", "bench", *OPTIONS, f"--json={target}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(target.read_text()), done.stdout


@pytest.fixture(scope="module")
def results(run):
    return {each["name"]: each for each in run[0]["results"]}


def test_every_part_of_the_main_job_is_measured(results):
    wanted = (
        "first load",
        "plan",
        "workers' peak memory",
        "reconcile",
        "calls of a reconcile",
        "peak memory of a reconcile",
        "burst of 20",
        "webhook",
        "engine alone",
    )
    assert not [part for part in wanted if not any(name.startswith(part) for name in results)]
    assert all(each["value"] > 0 for each in results.values())


def test_a_ratio_is_the_value_over_its_floor(results):
    compared = [each for each in results.values() if each["floor"] is not None]
    assert len(compared) >= 10
    for each in compared:
        assert each["ratio"] == pytest.approx(each["value"] / each["floor"])


def test_one_edit_costs_one_write_call_where_there_is_no_batch(results):
    there = results["calls per changed record, Zoho to 纷享 (20)"]
    assert "20 writes; fewest: 1 pages, 1 reads before writing, 20 writes" in there["note"]


def test_a_run_says_where_and_how_it_was_made(run):
    facts, printed = run
    assert {"date", "command", "machine", "versions"} <= set(facts)
    assert facts["machine"]["cores"] >= 1
    assert "The main job, beside its floors" in printed
