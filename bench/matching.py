"""How well and how fast matching works, next to other tools in the same run.

    python -m bench matching --data DIR [--sets a,b] [--anchors splink,recordlinkage]
                             [--generator FILE --sizes 10000,100000] [--out REPORT.md]

DIR (or the variable KEHUB_BENCH_DATA) holds one folder per labelled set with records.csv,
clusters.csv and, where look-alike pairs are known, traps.csv. `--generator` (KEHUB_BENCH_GENERATOR)
is a script that makes customers (`--records N --seed S --out DIR`). Anchors run only where they are
installed (the dependency group `bench-anchors`; `make bench ARGS="matching ..."` installs it); they
are fed the same normal forms as our own model. Every line says which threshold it used: "fixed" was
chosen beforehand, "best" is a ceiling found with the truth in hand.

Each tool runs in a process of its own. `seconds` is what a clock says, `cpu` the processor time of
all its processes, `mb` the most memory that they held together. Our own time is from the raw CSV to
clusters, an anchor's from the cleaned columns to clusters. `ratio` is ours over the anchor's by
processor time, which other work on the machine disturbs least; `with cleaning` adds to the
anchor's the time that cleaning took.
"""

import argparse
import csv
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.apart import apart
from bench.matching_anchors import ANCHORS, frame
from sync.core.batch import links_of
from sync.core.cluster import Constraints, Links, cluster, constraints_of
from sync.flow.match_file import FileMatch, load, load_matcher, match_loaded

MANY = 200_000  # records from which the best threshold is not looked for
STEPS = np.arange(-6, 12, 1.0)
COLUMNS = (
    "set",
    "tool",
    "threshold",
    "precision",
    "recall",
    "f1",
    "clusters_f1",
    "traps",
    "review",
    "seconds",
    "cpu",
    "ratio",
    "with cleaning",
    "mb",
)


@dataclass
class Line:
    """One row of the report."""

    set: str
    tool: str
    threshold: str
    precision: float
    recall: float
    f1: float
    clusters_f1: float
    traps: float | None
    review: float | None
    cost: object = None  # what the tool took; see `bench.apart`
    ratio: float | None = None
    with_cleaning: float | None = None


def pairs_in(sizes):
    return sum(n * (n - 1) // 2 for n in sizes)


def figures(customer, truth, traps):
    """Pairwise precision, recall and F1, F1 of whole clusters, share of look-alikes merged."""
    customer = customer.tolist()
    both = Counter(zip(customer, truth, strict=True))
    found, real = Counter(customer), Counter(truth)
    right = pairs_in(both.values())
    links = pairs_in(found.values())
    precision = right / links if links else 1.0
    recall = right / max(1, pairs_in(real.values()))
    exact = sum(1 for (c, t), n in both.items() if n > 1 and found[c] == n == real[t])
    share = [exact / max(1, sum(n > 1 for n in counts.values())) for counts in (found, real)]
    merged = sum(customer[a] == customer[b] for a, b in traps) / len(traps) if traps else None
    return precision, recall, harmonic(precision, recall), harmonic(*share), merged


def harmonic(a, b):
    return 2 * a * b / (a + b) if a + b else 0.0


def read_truth(folder, ids):
    place = {identifier: row for row, identifier in enumerate(ids)}
    with (folder / "clusters.csv").open(encoding="utf-8") as handle:
        labels = {row["id"]: row["cluster"] for row in csv.DictReader(handle)}
    traps = []
    if (folder / "traps.csv").exists():
        with (folder / "traps.csv").open(encoding="utf-8") as handle:
            traps = [
                (place[r["id_a"]], place[r["id_b"]])
                for r in csv.DictReader(handle)
                if r["id_a"] in place and r["id_b"] in place
            ]
    return [labels[identifier] for identifier in ids], traps


def review_share(result: FileMatch):
    """Questions to a steward (pairs of customers) for each record."""
    rows = np.flatnonzero(result.matched.candidate)
    customer, pairs = result.matched.customer, result.compared.pairs
    asked = {
        tuple(sorted((int(customer[a]), int(customer[b]))))
        for a, b in zip(pairs.left[rows], pairs.right[rows], strict=True)
    }
    return len(asked) / len(customer)


def with_review(result: FileMatch, truth):
    """The customers after a steward answered every question rightly."""
    same = np.array(
        [
            truth[a] == truth[b]
            for a, b in zip(
                result.compared.pairs.left.tolist(),
                result.compared.pairs.right.tolist(),
                strict=True,
            )
        ]
    )
    keep = result.matched.linked | (result.matched.candidate & same)
    pairs = result.compared.pairs
    size = len(result.matched.customer)
    chain = Links(
        np.arange(size),
        result.matched.customer,
        np.full(size, 12.0),
        np.ones(size, bool),
        np.zeros(size, bool),
    )
    left = np.concatenate([chain.left, pairs.left[keep]])
    right = np.concatenate([chain.right, pairs.right[keep]])
    use = left != right
    ones = np.ones(int(use.sum()), bool)
    return cluster(
        size,
        Links(left[use], right[use], np.full(len(ones), 12.0), ones, ~ones),
        Constraints(),
        -99.0,
    )


def ours(folder, processes):
    """Our own lines, trained and not, and what cleaning took."""
    lines = []
    for train in (False, True):
        tool = "kehub trained" if train else "kehub"

        def work(train=train):
            loaded = load(folder / "records.csv", processes)
            match_loaded(loaded, load_matcher(), train=train, processes=processes)

        cost = apart(work)
        loaded = load(folder / "records.csv", processes)
        truth, traps = read_truth(folder, loaded.id_list())
        for aim in ("precision", "balance"):
            result = match_loaded(loaded, load_matcher(), train=train, aim=aim, processes=processes)
            review = review_share(result) if aim == "precision" else None
            own = figures(result.matched.customer, truth, traps)
            lines.append(Line(folder.name, tool, f"fixed, {aim}", *own, review, cost))
            if aim == "precision":
                asked = figures(with_review(result, truth), truth, traps)
                after = "fixed, after review"
                lines.append(Line(folder.name, tool, after, *asked, review, cost))
        lines.append(best_of(folder, tool, loaded, result, truth, traps, cost))
    return lines, loaded, truth, traps


def best_of(folder, tool, loaded, result, truth, traps, cost):
    found = []
    for at in STEPS if len(truth) <= MANY else ():
        customer = cluster(
            len(truth),
            links_of(result.compared, result.scored),
            constraints_of(loaded.table),
            at,
            loaded.rank(),
        )
        found.append((figures(customer, truth, traps), at))
    if not found:  # so many records: the balanced threshold stands for the best
        found = [(figures(result.matched.customer, truth, traps), 0.0)]
    best, at = max(found, key=lambda item: item[0][2])
    return Line(folder.name, tool, f"best, {at:+.0f} bits", *best, None, cost)


def anchored(name, folder, data, truth, traps):
    """An anchor's pairs, joined transitively as its own documentation does."""
    cost = apart(lambda: ANCHORS[name](data))
    left, right, score, usual = cost.result
    lines, found = [], []
    steps = [
        ("fixed, its own", usual),
        *((f"best, {at:.2f}", at) for at in np.quantile(score, np.linspace(0.02, 0.98, 40))),
    ]
    for label, at in steps:
        keep = score >= at
        customer = transitive(len(truth), left[keep], right[keep])
        own = figures(customer, truth, traps)
        found.append(Line(folder.name, name, label, *own, None, cost))
    lines.append(found[0])
    lines.append(max(found[1:], key=lambda line: line.f1))
    return lines


def transitive(size, left, right):
    label = np.arange(size)
    while True:
        low = np.minimum(label[left], label[right])
        before = label.copy()
        np.minimum.at(label, label[left], low)
        np.minimum.at(label, label[right], low)
        label = label[label]
        if np.array_equal(label, before):
            return label


def measure(folder, anchors, processes):
    cleaning = apart(lambda: load(folder / "records.csv", processes) and None)
    lines, loaded, truth, traps = ours(folder, processes)
    own = lines[0].cost.cpu
    data = frame(loaded) if anchors else None
    for name in anchors:
        for line in anchored(name, folder, data, truth, traps):
            line.ratio = own / line.cost.cpu
            line.with_cleaning = own / (line.cost.cpu + cleaning.cpu)
            lines.append(line)
    for line in lines:
        print(as_row(line), flush=True)
    return lines


def as_row(line):
    shares = [line.precision, line.recall, line.f1, line.clusters_f1, line.traps, line.review]
    cost = line.cost
    amounts = [cost.seconds, cost.cpu, line.ratio, line.with_cleaning, cost.mb]
    cells = [line.set, line.tool, line.threshold]
    cells += ["" if share is None else f"{share:.4f}" for share in shares]
    cells += ["" if amount is None else f"{amount:.3g}" for amount in amounts[:4]]
    return "| " + " | ".join([*cells, f"{amounts[4]:.0f}"]) + " |"


def generated(generator, size, seed, into):
    folder = into / f"customers_{size}"
    command = [
        sys.executable,
        generator,
        "--records",
        str(size),
        "--seed",
        str(seed),
        "--out",
        str(folder),
        "--no-pairs",
    ]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return folder


def repeatable(folder, processes):
    """The same file twice, and with another number of processes, gives the same customers."""
    results = []
    for count in (1, processes):
        result = match_loaded(load(folder / "records.csv", count), load_matcher())
        results.append(result.matched.customer)
    return bool(np.array_equal(*results))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=os.environ.get("KEHUB_BENCH_DATA"))
    parser.add_argument("--sets", help="names of folders in DIR, with commas; all without it")
    parser.add_argument("--anchors", default="splink,recordlinkage")
    parser.add_argument("--generator", default=os.environ.get("KEHUB_BENCH_GENERATOR"))
    parser.add_argument("--sizes", default="10000")
    parser.add_argument("--seed", type=int, default=4001)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if not arguments.data and not arguments.generator:
        parser.error("name labelled sets with --data, or a script that makes them with --generator")
    for given in filter(None, (arguments.data, arguments.generator)):
        if not Path(given).exists():
            parser.error(f"{given} does not exist")
    anchors = [n for n in arguments.anchors.split(",") if n and importlib.util.find_spec(n)]
    missing = [n for n in arguments.anchors.split(",") if n and n not in anchors]
    if missing:
        print(f"not installed, left out: {', '.join(missing)}", file=sys.stderr)
    header = "| " + " | ".join(COLUMNS) + " |\n|" + " --- |" * len(COLUMNS)
    print(header)
    lines = []
    with tempfile.TemporaryDirectory() as scratch:
        folders = []
        if arguments.data:
            wanted = arguments.sets.split(",") if arguments.sets else None
            folders += [
                f
                for f in sorted(arguments.data.iterdir())
                if (f / "records.csv").exists() and (wanted is None or f.name in wanted)
            ]
        if arguments.generator:
            folders += [
                generated(arguments.generator, int(s), arguments.seed, Path(scratch))
                for s in arguments.sizes.split(",")
            ]
        for folder in folders:
            lines += measure(folder, anchors, arguments.processes)
        if folders:
            same = repeatable(folders[0], arguments.processes)
            print(f"\nthe same clusters in a second run: {same}")
    if arguments.out:
        arguments.out.write_text(
            header + "\n" + "\n".join(map(as_row, lines)) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
