"""How right matching is at thresholds fixed beforehand; small and quick, without other tools.

    python -m bench matching_quality --generator FILE [--sizes 10000] [--seeds 901,902]
    python -m bench matching_quality --data DIR [--sets a,b] [--share 0.1]

With `--generator`: precision, recall, look-alikes merged by their kind, review, and what becomes of
records that arrive one by one. With `--data`: labelled sets, trained on a share of their candidate
pairs as decisions (`kehub match --train --labels FILE --aim balance`); `--share 0` gives no labels.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.matching import figures, read_truth, review_share, with_review
from bench.matching_arrivals import arriving, rows_of
from bench.matching_weights import PROFILES
from sync.core.batch import Labels
from sync.flow.match_file import load, load_matcher, match_loaded

PROPOSED = 5  # candidates that a steward is shown


def generate(generator, profile, size, seed, scratch):
    folder, settings = scratch / f"{profile}_{size}_{seed}", scratch / f"{profile}.json"
    settings.write_text(json.dumps(PROFILES[profile], ensure_ascii=False), encoding="utf-8")
    sizes = ["--records", str(size), "--incoming", str(min(1000, size // 10)), "--seed", str(seed)]
    command = [sys.executable, generator, *sizes, "--out", str(folder), "--no-pairs"]
    subprocess.run([*command, "--profile", str(settings)], check=True, stderr=subprocess.DEVNULL)
    return folder


def fixed(folder, processes):
    """The untrained hub on a file: figures, the steward's part, look-alikes by kind."""
    loaded = load(folder / "records.csv", processes)
    result = match_loaded(loaded, load_matcher(), processes=processes)
    truth, traps = read_truth(folder, loaded.id_list())
    precision, recall, _, _, merged = figures(result.matched.customer, truth, traps)
    reviewed = figures(with_review(result, truth), truth, traps)[1]
    balanced = match_loaded(loaded, load_matcher(), aim="balance", processes=processes)
    f1 = figures(balanced.matched.customer, truth, traps)[2]
    print(
        f"| {folder.name} | {precision:.4f} | {recall:.4f} | {merged:.4f} | {reviewed:.4f} "
        f"| {review_share(result):.4f} | F1 at balance {f1:.4f} |",
        flush=True,
    )
    return by_kind(folder, loaded, result)


def by_kind(folder, loaded, result):
    place = {identifier: row for row, identifier in enumerate(loaded.id_list())}
    seen, merged, customer = Counter(), Counter(), result.matched.customer
    for row in rows_of(folder / "traps.csv"):
        if row["id_a"] in place and row["id_b"] in place:
            seen[row["trap"]] += 1
            merged[row["trap"]] += customer[place[row["id_a"]]] == customer[place[row["id_b"]]]
    return seen, merged


def online(folder):
    """Records that arrive one by one at a store in which every customer is known."""
    matcher, count = load_matcher(), Counter()
    for arrival in arriving(folder, matcher):
        decision = matcher.decide(arrival.scores, arrival.records)
        count.update(fate(decision, arrival.near, arrival.real))
    links = count["right"] + count["wrong"]
    print(
        f"| {folder.name}, one by one | {count['right'] / max(1, links):.4f} "
        f"| {count['right'] / count['known']:.4f} | silent misses "
        f"{count['silent'] / count['known']:.4f} | review {count['asked'] / count['all']:.4f} |",
        flush=True,
    )


def fate(decision, near, real):
    """What is counted of one record that arrived."""
    yield "all"
    if real:
        yield "known"
    if decision.outcome == "link":
        yield "right" if near[decision.best] == real else "wrong"
        return
    if decision.outcome == "candidate":
        yield "asked"
    shown = {near[i] for i in decision.review[:PROPOSED]}
    if real and (decision.outcome == "new" or real not in shown):
        yield "silent"


def labelled(folder, share, seed, processes):
    """Trained on the file and on decisions about a random share of its candidate pairs, if any."""
    loaded = load(folder / "records.csv", processes)
    truth, _ = read_truth(folder, loaded.id_list())
    labels = drawn(loaded, truth, share, seed) if share else None
    for aim in ("balance", "precision"):
        result = match_loaded(
            loaded, load_matcher(), train=True, labels=labels, aim=aim, processes=processes
        )
        precision, recall, f1, _, _ = figures(result.matched.customer, truth, [])
        print(
            f"| {folder.name} | {aim} | {len(labels.same) if labels else 0} | {precision:.4f} "
            f"| {recall:.4f} | {f1:.4f} |",
            flush=True,
        )


def drawn(loaded, truth, share, seed):
    """Right decisions about a random share of the candidate pairs."""
    numbers = np.unique(truth, return_inverse=True)[1]
    pairs = loaded.pairs()
    pairs = pairs.only(np.random.RandomState(seed).rand(len(pairs)) < share)
    return Labels(pairs, numbers[pairs.left] == numbers[pairs.right])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--generator")
    parser.add_argument("--profiles", default="base")
    parser.add_argument("--sizes", default="10000")
    parser.add_argument("--seeds", default="901,902")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sets")
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    seen, merged = Counter(), Counter()
    with tempfile.TemporaryDirectory() as scratch:
        wanted = [
            (profile, int(size), int(seed))
            for profile in arguments.profiles.split(",")
            for size in arguments.sizes.split(",")
            for seed in arguments.seeds.split(",")
        ]
        for profile, size, seed in wanted if arguments.generator else ():
            folder = generate(arguments.generator, profile, size, seed, Path(scratch))
            found = fixed(folder, arguments.processes)
            seen.update(found[0])
            merged.update(found[1])
            if size <= 10_000:
                online(folder)
    for kind in sorted(seen):
        print(f"| {kind} | {merged[kind]} of {seen[kind]} |")
    for folder in sorted(arguments.data.iterdir()) if arguments.data else ():
        chosen = not arguments.sets or folder.name in arguments.sets.split(",")
        if chosen and (folder / "records.csv").exists():
            labelled(folder, arguments.share, 1, arguments.processes)


if __name__ == "__main__":
    main()
