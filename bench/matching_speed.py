"""How long a file takes to match and what memory it needs, at growing sizes, beside other tools.

    python -m bench matching_speed --generator FILE [--sizes 10000,100000,1000000]
                                   [--anchors splink] [--processes 2]

`kehub` is the whole command: from the raw CSV to the written clusters. An anchor gets the columns
that we have cleaned and ends with its scored pairs, which is less than clusters. `ratio` is ours
over the anchor's, by the clock and by processor time. Each tool runs in a process of its own; what
it imports is in its time, what makes the file and the columns is not.
"""

import argparse
import importlib.util
import os
import tempfile
from pathlib import Path

from bench.apart import apart
from bench.matching import generated
from bench.matching_anchors import ANCHORS, frame
from sync.flow.match_file import load, run

COLUMNS = ("records", "tool", "seconds", "cpu s", "MB", "growth", "ratio, clock", "ratio, cpu")


def ours(folder, processes):
    records, out = folder / "records.csv", folder / "found.csv"
    return apart(lambda: run(records, out, processes=processes))


def theirs(name, folder, processes):
    """The cleaned columns are made in a process that ends: its memory is nobody's."""
    made = apart(lambda: frame(load(folder / "records.csv", processes)))
    return apart(lambda: len(ANCHORS[name](made.result)[0]))


def as_row(records, tool, cost, first, own):
    cells = [str(records), tool, f"{cost.seconds:.1f}", f"{cost.cpu:.1f}", f"{cost.mb:.0f}"]
    cells.append(f"{cost.seconds / first.seconds:.0f}")
    shares = (own.seconds / cost.seconds, own.cpu / cost.cpu) if own else ()
    cells += [f"{share:.2f}" for share in shares] or ["", ""]
    return f"| {' | '.join(cells)} |"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--generator", default=os.environ.get("KEHUB_BENCH_GENERATOR"))
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--anchors", default="splink")
    parser.add_argument("--seed", type=int, default=4001)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    if not arguments.generator or not Path(arguments.generator).exists():
        parser.error("name a script that makes customers with --generator")
    anchors = [n for n in arguments.anchors.split(",") if n and importlib.util.find_spec(n)]
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}", flush=True)
    first = {}
    with tempfile.TemporaryDirectory() as scratch:
        for size in map(int, arguments.sizes.split(",")):
            folder = generated(arguments.generator, size, arguments.seed, Path(scratch))
            own = ours(folder, arguments.processes)
            print(as_row(size, "kehub", own, first.setdefault("kehub", own), None), flush=True)
            for name in anchors:
                cost = theirs(name, folder, arguments.processes)
                print(as_row(size, name, cost, first.setdefault(name, cost), own), flush=True)


if __name__ == "__main__":
    main()
