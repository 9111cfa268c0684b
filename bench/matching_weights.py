"""How the shipped weights are made: fitted on generated customers of several kinds and seeds.

    python bench/matching_weights.py --generator FILE --out config/matching/customer-evidence.json

The generator makes labelled customers (`--records N --seed S --out DIR --profile FILE.json`). Seeds
and profiles here are not those of any judged set. The fit is deterministic.
"""

import argparse
import csv
import json
import multiprocessing
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.matching_arrivals import arrivals_of
from sync.core.batch import compare_all, match_in_rounds, score_all
from sync.core.match import Errors, Matcher, Thresholds
from sync.core.score import FIELDS, KIND_NAMES, Model
from sync.core.train import Sample, fit, shares_of
from sync.flow.match_file import load

SOURCES = {"erp": 0.5, "zoho": 0.95, "fxiaoke": 0.9, "web": 0.98}
PROFILES = {
    "base": {},
    "dirty": {
        "typo": {"erp": 0.05, "zoho": 0.1, "fxiaoke": 0.1, "web": 0.18},
        "short_name": {"erp": 0.05, "zoho": 0.15, "fxiaoke": 0.25, "web": 0.35},
        "junk_name": 0.06,
        "traditional": 0.06,
        "phone_typo": 0.03,
        "tax_typo": 0.03,
        "moved": 0.15,
        "new_phone": 0.12,
        "suffix_change": 0.35,
    },
    "sparse": {
        "missing": {
            source: {
                "tax_id": share,
                "phone": 0.6,
                "mobile": 0.55,
                "email": 0.6,
                "street": 0.6,
                "website": 0.85,
                "birth_date": 0.95,
                "org_name": 0.3,
            }
            for source, share in SOURCES.items()
        }
    },
    "groups": {
        "group_share": 0.3,
        "branch_share": 0.1,
        "shared_phone_agency": 0.08,
        "shared_address": 0.2,
        "namesake_same_company": 0.02,
        "family_shared_phone": 0.05,
        "recycled_mobile": 0.01,
        "tax_of_parent": 0.006,
    },
    "west": {
        "western_share": 0.7,
        "person_share": 0.55,
        "nickname": 0.3,
        "english_name": {"erp": 0.1, "zoho": 0.5, "fxiaoke": 0.05, "web": 0.3},
    },
    "words": {
        "extra_cn_suffix": [
            ["合伙企业（有限合伙）", 8, ["LP", "Partnership"]],
            ["研究院", 4, ["Institute"]],
            ["厂", 6, ["Factory"]],
        ],
        "extra_industry": [
            ["半导体", "Semiconductor", 4],
            ["珠宝", "Jewelry", 4],
            ["跨境电商", "Cross-border E-Commerce", 3],
            ["宠物用品", "Pet Products", 3],
            ["石材", "Stone", 3],
            ["殡葬服务", "Funeral Services", 2],
        ],
        "extra_brand_chars": "璟鼎浦珈翰麒麟",
        "extra_short_forms": ["{brand}{industry}({region})", "{region}{brand}集团", "{brand}"],
        "extra_chartab": "璟jing 鼎ding 珈jia 翰han 麒qi 麟lin 半ban 导dao導 珠zhu 跨kua 境jing "
        "宠chong寵 石shi 殡bin殯 葬zang 究jiu 研yan 厂chang廠 伙huo夥",
    },
}
PLAN = [(p, 20_000, seed) for p in PROFILES for seed in (301, 302)]
MEASURED = [(p, 10_000, seed) for p in PROFILES for seed in (311, 312)]
LEARNT_AT = (6.0, 6.0)  # bits of the rounds while the weights of customers are learnt
STEPS = np.arange(3.0, 10.5, 0.5)
DECISIONS = ("file", "single")
FEWEST = 3  # wrong links from which a share is taken for measured
RIDGE = 2.0
RAREST = 1e-4  # share of a level that was never seen
CHANCE = 0.01  # of the wrong links in 10,000 records, those that are no look-alikes made on purpose
# What the generator exaggerates: real companies do have two domains and several mailboxes, and
# people do write a region elsewhere in the name. No single one of these may tell two apart. And it
# makes another firm's domain by adding letters to a name; elsewhere that is a slip of the keys.
LIMITS = {
    "company": {
        ("domain", "different"): (-5.0, 0.0),
        ("domain", "misspelt"): (0.5, 5.0),
        ("mail", "same user, domain misspelt"): (1.5, 6.0),
        ("mail", "different"): (-2.5, 0.0),
        ("mail", "different at one domain"): (-3.0, 0.0),
        ("mail", "another role mailbox of one domain"): (-3.0, 0.0),
        ("region in the name", "same, at another place of the name"): (-1.5, 0.0),
        ("brand", "different"): (-8.0, 0.0),
        ("branch", "same"): (0.0, 4.0),
        ("branch", "different"): (-8.0, 0.0),
        ("numbers in the name", "different"): (-12.0, -7.0),
        ("brand", "told apart by a number"): (-8.0, -3.0),
    },
    "person": {
        ("domain", "different"): (-2.0, 0.0),
        ("domain", "misspelt"): (0.5, 5.0),
        ("mail", "same user, domain misspelt"): (1.5, 6.0),
        ("mail", "numbered at work on one side"): (-4.0, 0.0),
        ("middle name", "different"): (-6.0, 0.0),
    },
    "other": {},
}


def generate(generator, profile, size, seed, scratch):
    folder, settings = scratch / f"{profile}_{seed}", scratch / f"{profile}.json"
    settings.write_text(json.dumps(PROFILES[profile], ensure_ascii=False), encoding="utf-8")
    command = [
        sys.executable,
        generator,
        "--records",
        str(size),
        "--seed",
        str(seed),
        "--incoming",
        str(min(1000, size // 10)),
        "--out",
        str(folder),
    ]
    subprocess.run(
        [*command, "--profile", str(settings), "--no-pairs"], check=True, stderr=subprocess.DEVNULL
    )
    return folder


@dataclass
class Known:
    """A generated set with its truth."""

    table: object
    rank: object
    truth: object
    compared: object
    folder: Path

    @classmethod
    def of(cls, folder, model):
        loaded = load(folder / "records.csv", 1)
        with (folder / "clusters.csv").open(encoding="utf-8") as handle:
            truth = {row["id"]: row["cluster"] for row in csv.DictReader(handle)}
        labels = np.unique([truth[i] for i in loaded.id_list()], return_inverse=True)[1]
        compared = compare_all(loaded.table, loaded.pairs(), model)
        return cls(loaded.table, loaded.rank(), labels, compared, folder)

    def first(self):
        """Labelled levels of all candidate pairs, by kind."""
        pairs = self.compared.pairs
        return self._samples(self.compared, self.truth[pairs.left] == self.truth[pairs.right])

    def second(self, model, at):
        """The same of the customers that a first round makes; most of one's records say whose."""
        rounds = self.rounds(model, replace(Thresholds(), link_in_file=at))
        second = rounds.second
        mine = np.lexsort((self.truth, second.row))
        owner, real = second.row[mine], self.truth[mine]
        edge = np.flatnonzero(np.diff(np.concatenate([[-1], owner * len(owner) + real])) != 0)
        size = np.diff(np.concatenate([edge, [len(owner)]]))
        best = np.lexsort((size, owner[edge]))
        customer = np.zeros(len(second.leader), np.int64)
        customer[owner[edge][best]] = real[edge][best]
        pairs = second.compared.pairs
        return self._samples(second.compared, customer[pairs.left] == customer[pairs.right])

    def rounds(self, model, thresholds):
        matcher = Matcher(model, thresholds)
        scored = score_all(self.compared, model)
        return match_in_rounds(self.compared, scored, matcher, rank=self.rank)

    def _samples(self, compared, same):
        for code, matrix in compared.matrix.items():
            real = same[compared.kind == code].astype(float)
            yield KIND_NAMES[code], Sample(matrix, real, np.ones(len(real)), len(self.table))


def started(model, limits):
    """The blank model with what the limits ask of levels that the generator never makes."""
    weights = [w.copy() for w in model.weights]
    for (name, level), (low, high) in limits.items():
        position = model.position(name)
        weights[position][model.fields[position].levels.index(level)] = min(max(0.0, low), high)
    return replace(model, weights=tuple(weights))


def fitted(samples, blank):
    """The weights that fit all samples, by kind."""
    found = {}
    for kind, sample in samples:
        found.setdefault(kind, []).append(sample)
    kinds = dict(blank.kinds)
    for kind, some in found.items():
        limits = LIMITS[kind]
        start = started(blank.kinds[kind], limits)
        best = fit(start, some, strength=RIDGE, free_size=False, limits=limits)
        kinds[kind] = replace(best, seen=within(shares_of(FIELDS[kind], some), kind))
    kinds["other"] = replace(kinds["company"], kind="other")
    return replace(blank, kinds=kinds)


def within(shares, kind):
    """The shares of levels, raised in matches where evidence would fall below its limit."""
    for (name, level), (low, _) in LIMITS[kind].items():
        column = next(i for i, known in enumerate(FIELDS[kind]) if known.name == name)
        place = FIELDS[kind][column].levels.index(level)
        if low > 0:
            matches, others = shares[column]
            others[place] = max(others[place], RAREST)
            matches[place] = max(matches[place], others[place] * 2**low)
    return shares


def learnt(known, blank):
    """Weights for records and for customers alike: each lot is joined by the weights before it."""
    first = [sample for one in known for sample in one.first()]
    model = fitted(first, blank)
    for at in LEARNT_AT:
        model = fitted([*first, *(s for one in known for s in one.second(model, at))], blank)
    return model


# ---- how many links are wrong at which bits ------------------------------------------------


def pairs_in(customer):
    sizes = np.bincount(np.unique(customer, return_inverse=True)[1])
    return int((sizes * (sizes - 1) // 2).sum())


def wrong_links(customer, truth):
    """(wrong pairs, all pairs) of a grouping."""
    found = pairs_in(customer)
    return found - pairs_in(customer * np.int64(len(truth)) + truth), found


def wrong_in_file(known, model):
    """By the bits of the last round."""
    for at in STEPS:
        matched = known.rounds(model, replace(Thresholds(), link_in_file=at)).matched
        yield wrong_links(matched.customer, known.truth)


def wrong_single(folder, model):
    arrivals = list(arrivals_of(folder, model))
    for at in STEPS:
        some = [right for bits, right in arrivals if bits >= at]
        yield some.count(False), len(some)


def falling(counts):
    """The straight line through the logarithms of the shares, the surest ones weighing most."""
    wrong, links = np.array(counts, float).T
    some = wrong >= FEWEST
    share, weight = np.log2(wrong[some] / links[some]), np.sqrt(wrong[some])
    slope, level = np.polyfit(STEPS[some], share, 1, w=weight)
    return Errors(round(float(level), 3), round(float(-slope), 3), CHANCE)


def wrong_links_of(work):
    """[file, arrivals][bits] = (wrong links, links) of one generated set."""
    generator, model, (profile, size, seed) = work
    with tempfile.TemporaryDirectory() as scratch:
        folder = generate(generator, profile, size, seed, Path(scratch))
        known = Known.of(folder, model)
        found = [list(wrong_in_file(known, model)), list(wrong_single(folder, model))]
    print(f"{profile} {seed}: measured", flush=True)
    return found


def measured(generator, model, processes):
    """Errors in files and of single arrivals, over sets that the weights have not seen."""
    work = [(generator, model, each) for each in MEASURED]
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        counts = np.sum(pool.map(wrong_links_of, work, chunksize=1), axis=0)
    for name, row in zip(DECISIONS, counts.tolist(), strict=True):
        print(name, list(zip(STEPS.tolist(), row, strict=True)))
    return {name: falling(row) for name, row in zip(DECISIONS, counts, strict=True)}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--generator", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", default="3")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--model", type=Path, help="only measure the errors of these weights")
    arguments = parser.parse_args()
    blank = Model.from_dict({"version": arguments.version, "kinds": {}})
    if arguments.model:
        model = Model.from_dict(json.loads(arguments.model.read_text(encoding="utf-8")))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            sets = []
            for profile, size, seed in PLAN:
                folder = generate(arguments.generator, profile, size, seed, Path(scratch))
                sets.append(Known.of(folder, blank))
                print(f"{profile} {seed}: {size} records", flush=True)
            model = learnt(sets, blank)
    stored = model.to_dict()
    arguments.out.write_text(text_of(stored), encoding="utf-8")
    errors = measured(arguments.generator, model, arguments.processes)
    stored["errors"] = {name: asdict(each) for name, each in errors.items()}
    arguments.out.write_text(text_of(stored), encoding="utf-8")


def text_of(stored):
    return json.dumps(stored, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    main()
