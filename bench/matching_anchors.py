"""Other tools on the same normal forms: each gives (left rows, right rows, score, usual threshold).

What they are given is `frame(loaded)`; making it counts as nobody's time.

Each is used as its documentation recommends for a set without labels. They are imported only when
they are asked for.
"""

import logging

import numpy as np

from sync.core.columns import EXTRA


def frame(loaded):
    """One row per record with the same normal forms that our own scores read."""
    import pandas as pd  # noqa: PLC0415 - an extra

    table = loaded.table
    size = len(table)
    first_name, first_place = table.name_start[:-1], table.address_start[:-1]
    person = table.records["kind"] == 1
    latin = table.names.texts["latin_text"].take(first_name)
    other = table.names.texts["other_text"].take(first_name)

    def code(values):
        return [str(v) if v else None for v in values.tolist()]

    phone, mail, domain, tax = (table.records[c] for c in ("phone", "mail", "domain", "tax"))
    columns = {
        "unique_id": list(range(size)),
        "name": [t or None for t in latin],
        "other_name": [t or None for t in other],
        "industry": code(table.names["low"][first_name] ^ table.names["high"][first_name]),
        "region": code(table.names["region"][first_name]),
        "phone": code(phone[:, 0]),
        "mobile": code(phone[:, 1]) if phone.shape[1] > 1 else [None] * size,
        "mail": code(mail[:, 0]),
        "domain": code(domain[:, 0]),
        "road": [t or None for t in table.addresses.texts["road"].take(first_place)],
        "number": code(table.addresses["number"][first_place]),
        "room": code(table.addresses["room"][first_place]),
        "city": code(table.addresses["city"][first_place]),
        "postcode": code(table.addresses["postcode"][first_place]),
        "tax": code(tax[:, 0]),
        "birth": code(table.records["birth"]),
        "employer": [t or None for t in table.records.texts["employer"].take(np.arange(size))],
        "kind": ["person" if p else "company" for p in person.tolist()],
    }
    for name, texts in table.records.texts.items():
        if name.startswith(EXTRA):
            label = "x_" + "".join(c for c in name.removeprefix(EXTRA) if c.isalnum())
            columns[label] = [t or None for t in texts.take(np.arange(size))]
    found = pd.DataFrame(columns).astype(object).where(lambda f: f.notna(), None)
    return found[[c for c in found.columns if c in {"unique_id", "kind"} or len(set(found[c])) > 1]]


FUZZY = ("name", "other_name", "road", "employer")
BLOCKS = (
    ("phone",),
    ("mobile",),
    ("mail",),
    ("domain",),
    ("tax",),
    ("name", "city"),
    ("name", "region"),
    ("name", "other_name"),
    ("name", "employer"),
    ("birth",),
    ("road", "number"),
    ("postcode", "name"),
    ("other_name", "city"),
    ("name", "industry"),
)


def splink(data):
    import splink.comparison_library as cl  # noqa: PLC0415 - an extra
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on  # noqa: PLC0415 - an extra

    fields = [c for c in data.columns if c not in {"unique_id", "kind"}]
    comparisons = [
        cl.JaroWinklerAtThresholds(c, [0.92, 0.8])
        if c in FUZZY or c.startswith("x_")
        else cl.ExactMatch(c).configure(term_frequency_adjustments=True)
        for c in fields
    ]
    blocks = [b for b in BLOCKS if all(c in fields for c in b)] or [(c,) for c in fields]
    rules = [block_on(*b, "kind") for b in blocks]
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=rules,
    )
    source = DuckDBAPI().register(data) if hasattr(DuckDBAPI(), "register") else data
    linker = Linker(source, settings, log_level=logging.ERROR)
    linker.training.estimate_probability_two_random_records_match(rules[:4], recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in rules[:6]:
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(rule)
        except Exception as problem:  # noqa: BLE001 - an anchor that cannot train on a key goes on with the next
            print(f"splink: {type(problem).__name__} on {rule}")
    found = linker.inference.predict(threshold_match_probability=0.01).as_pandas_dataframe()
    return (
        found["unique_id_l"].to_numpy(np.int64),
        found["unique_id_r"].to_numpy(np.int64),
        found["match_weight"].to_numpy(float),
        0.0,
    )


def recordlinkage(data):
    import recordlinkage as rl  # noqa: PLC0415 - an extra

    data = data.set_index("unique_id")
    fields = [c for c in data.columns if c != "kind"]
    indexer = rl.Index()
    for block in BLOCKS:
        if all(c in fields for c in block):
            indexer.block([*block, "kind"])
    pairs = indexer.index(data)
    compare = rl.Compare()
    for column in fields:
        if column in FUZZY or column.startswith("x_"):
            compare.string(column, column, method="jarowinkler", threshold=0.88, label=column)
        else:
            compare.exact(column, column, label=column)
    features = compare.compute(pairs, data)
    classifier = rl.ECMClassifier(binarize=0.5)
    classifier.fit(features)
    chance = classifier.prob(features).to_numpy()
    left = features.index.get_level_values(0).to_numpy(np.int64)
    right = features.index.get_level_values(1).to_numpy(np.int64)
    return left, right, chance, 0.5


ANCHORS = {"splink": splink, "recordlinkage": recordlinkage}
