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

    phone, domain, tax = (table.records[c] for c in ("phone", "domain", "tax"))
    columns = {
        "unique_id": list(range(size)),
        "name": [t or None for t in latin],
        "other_name": [t or None for t in other],
        "industry": code(table.names["low"][first_name] ^ table.names["high"][first_name]),
        "region": code(table.names["region"][first_name]),
        "phone": code(phone[:, 0]),
        "mobile": code(phone[:, 1]) if phone.shape[1] > 1 else [None] * size,
        "mail": [t or None for t in table.records.texts["mail"].take(np.arange(size))],
        "domain": code(domain[:, 0]),
        "road": [t or None for t in table.addresses.texts["road"].take(first_place)],
        "number": code(table.addresses["number"][first_place]),
        "room": code(table.addresses["room"][first_place]),
        "city": code(table.addresses["city"][first_place]),
        "postcode": code(table.addresses["postcode"][first_place]),
        "tax": code(tax[:, 0]),
        "birth": [_date(day) for day in table.records["birth"].tolist()],
        "employer": [t or None for t in table.records.texts["employer"].take(np.arange(size))],
        "kind": ["person" if p else "company" for p in person.tolist()],
    }
    for name, texts in table.records.texts.items():
        if name.startswith(EXTRA):
            label = "x_" + "".join(c for c in name.removeprefix(EXTRA) if c.isalnum())
            columns[label] = [t or None for t in texts.take(np.arange(size))]
    found = pd.DataFrame(columns).astype(object).where(lambda f: f.notna(), None)
    return found[[c for c in found.columns if c in {"unique_id", "kind"} or len(set(found[c])) > 1]]


def _date(day):
    """As ISO; of a year alone the first day."""
    if not day:
        return None
    return f"{day // 10000:04d}-{max(1, day // 100 % 100):02d}-{max(1, day % 100):02d}"


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
SURE = (("tax",), ("mail", "name"), ("mobile", "name"), ("phone", "name"), ("birth", "name"))
TRAINED_ON = (("mail",), ("phone",), ("mobile",), ("name", "city"), ("name", "other_name"))
STRANGERS = 5e6  # pairs that the shares of agreeing strangers are taken from
KEPT = 0.01  # chance below which a pair is not handed back


def splink(data):
    """A model for each kind of party, as its documentation asks for different entities."""
    found = [_splink_of(part) for _, part in data.groupby("kind")]
    left, right, score = (np.concatenate(column) for column in zip(*found, strict=True))
    return left, right, score, 0.0


def _splink_of(data):
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on  # noqa: PLC0415 - an extra

    filled = [c for c in data.columns if c not in {"unique_id", "kind"} and len(set(data[c])) > 1]

    def known(blocks):
        return [block_on(*block) for block in blocks if all(c in filled for c in block)]

    blocks = known(BLOCKS) or [block_on(c) for c in filled]
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[_compared(column) for column in filled],
        blocking_rules_to_generate_predictions=blocks,
    )
    linker = Linker(DuckDBAPI().register(data), settings, log_level=logging.ERROR)
    linker.training.estimate_probability_two_random_records_match(
        known(SURE) or blocks[:4], recall=0.7
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=STRANGERS, seed=1)
    for rule in known(TRAINED_ON) or blocks[:6]:
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(rule)
        except Exception as problem:  # noqa: BLE001 - an anchor that cannot train on a key goes on with the next
            print(f"splink: {type(problem).__name__} on {rule}")
    pairs = linker.inference.predict(threshold_match_probability=KEPT).as_pandas_dataframe()
    return (
        pairs["unique_id_l"].to_numpy(np.int64),
        pairs["unique_id_r"].to_numpy(np.int64),
        pairs["match_weight"].to_numpy(float),
    )


def _compared(column):
    """Names and roads by their likeness, dates and mails by their own rules, the rest whole."""
    import splink.comparison_library as cl  # noqa: PLC0415 - an extra

    if column == "birth":
        return cl.DateOfBirthComparison(column, input_is_string=True)
    if column == "mail":
        return cl.EmailComparison(column)
    if column in FUZZY or column.startswith("x_"):
        likeness = cl.JaroWinklerAtThresholds(column, [0.92, 0.8])
        return likeness.configure(term_frequency_adjustments=column != "road")
    return cl.ExactMatch(column).configure(term_frequency_adjustments=True)


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
