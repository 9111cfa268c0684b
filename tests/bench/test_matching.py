"""The benchmark of matching runs on any labelled set, and says what it lacks."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from bench.apart import apart

ROOT = Path(__file__).resolve().parents[2]
TRADES = ("贸易", "科技", "物流", "食品", "电子")


def bench(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture
def labelled(tmp_path):
    """Thirty companies, two records each."""
    folder = tmp_path / "sets" / "small"
    folder.mkdir(parents=True)
    records, clusters = [("id", "kind", "name", "phone")], [("id", "cluster")]
    for number in range(30):
        trade = TRADES[number % 5]
        brand = f"{'华天新宏瑞恒鑫盛达'[number % 9]}{'通泰德安信诚嘉佳美'[number // 5]}"
        phone = f"021-{30000000 + number * 7919}"
        names = f"上海{brand}{trade}有限公司", f"{brand}{trade}(上海)有限公司"
        for letter, name in zip("ab", names, strict=True):
            records.append((f"{letter}{number}", "company", name, phone))
            clusters.append((f"{letter}{number}", str(number)))
    for file, rows in (("records.csv", records), ("clusters.csv", clusters)):
        with (folder / file).open("w", newline="", encoding="utf-8") as handle:
            csv.writer(handle).writerows(rows)
    return folder.parent


@pytest.mark.slow
def test_a_set_is_measured_untrained_and_trained(labelled):
    told = bench("matching", "--data", str(labelled), "--anchors", "")
    assert told.returncode == 0, told.stderr
    lines = [line.split(" | ") for line in told.stdout.splitlines() if line.startswith("| small")]
    assert {line[1] for line in lines} == {"kehub", "kehub trained"}
    assert all(float(line[3]) == 1.0 for line in lines if line[2] == "fixed, precision")
    assert "the same clusters in a second run: True" in told.stdout


@pytest.mark.slow
def test_without_data_it_says_what_to_name():
    told = bench("matching", "--data", "/nowhere")
    assert told.returncode == 2
    assert "/nowhere does not exist" in told.stderr


def test_work_apart_tells_its_result_and_its_cost():
    cost = apart(lambda: sum(range(2_000_000)))
    assert cost.result == 1999999000000
    assert cost.cpu > 0


def test_work_that_dies_apart_is_an_error():
    with pytest.raises(RuntimeError, match="ended with 7"):
        apart(lambda: sys.exit(7))
