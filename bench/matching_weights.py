"""How the shipped weights are made: fitted on generated customers of several kinds and seeds.

    python bench/matching_weights.py --generator FILE --out config/matching/weights-1.json

The generator makes labelled customers (`--records N --seed S --out DIR --profile FILE.json`). Seeds
and profiles here are not those of any judged set. The fit is deterministic.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sync.core.batch import candidates, compare_all
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
PLAN = [(p, 20_000, 301) for p in PROFILES] + [("base", 50_000, 302)]
RIDGE = 2.0
# What the generator exaggerates: real companies do have two domains and several mailboxes, and
# people do write a region elsewhere in the name. No single one of these may tell two apart.
LIMITS = {
    "company": {
        ("domain", "different"): (-5.0, 0.0),
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
    "person": {("domain", "different"): (-2.0, 0.0), ("middle name", "different"): (-6.0, 0.0)},
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
        "--out",
        str(folder),
    ]
    subprocess.run(
        [*command, "--profile", str(settings), "--no-pairs"], check=True, stderr=subprocess.DEVNULL
    )
    return folder


def samples_of(folder, model):
    """Labelled levels of all candidate pairs of one set, by kind."""
    loaded = load(folder / "records.csv", 1)
    with (folder / "clusters.csv").open(encoding="utf-8") as handle:
        truth = {row["id"]: row["cluster"] for row in csv.DictReader(handle)}
    labels = np.unique([truth[i] for i in loaded.id_list()], return_inverse=True)[1]
    compared = compare_all(loaded.table, candidates(loaded.table, loaded.keys), model)
    same = labels[compared.pairs.left] == labels[compared.pairs.right]
    for code, matrix in compared.matrix.items():
        real = same[compared.kind == code].astype(float)
        yield code, Sample(matrix, real, np.ones(len(real)), len(loaded.table))


def started(model, limits):
    """The blank model with what the limits ask of levels that the generator never makes."""
    weights = [w.copy() for w in model.weights]
    for (name, level), (low, high) in limits.items():
        position = model.position(name)
        weights[position][model.fields[position].levels.index(level)] = min(max(0.0, low), high)
    return replace(model, weights=tuple(weights))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--generator", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", default="1")
    arguments = parser.parse_args()
    blank = Model.from_dict({"version": "0", "kinds": {}})
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        for profile, size, seed in PLAN:
            folder = generate(arguments.generator, profile, size, seed, Path(scratch))
            for code, sample in samples_of(folder, blank):
                found.setdefault(KIND_NAMES[code], []).append(sample)
            print(f"{profile} {seed}: {size} records", flush=True)
    kinds = dict(blank.kinds)
    for kind, samples in found.items():
        limits = LIMITS[kind]
        start = started(blank.kinds[kind], limits)
        fitted = fit(start, samples, strength=RIDGE, free_size=False, limits=limits)
        kinds[kind] = replace(fitted, seen=shares_of(FIELDS[kind], samples))
    kinds["other"] = replace(kinds["company"], kind="other")
    stored = Model(arguments.version, kinds).to_dict()
    arguments.out.write_text(
        json.dumps(stored, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
