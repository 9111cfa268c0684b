"""Generated records that arrive one by one at a store in which every customer is known."""

import csv
from collections import defaultdict
from dataclasses import dataclass

from sync.core import match
from sync.core.match import Matcher
from sync.core.normal.record import normalise
from sync.core.party import Party, party_from_row

REPEATED = ("names", "emails", "phones", "mobiles", "addresses", "tax_ids")
SINGLE = ("organisation", "birth_date", "website")
ANY_BITS = -99.0


@dataclass
class Arrival:
    """What the store holds near a record: names of customers and scores, and whose it is."""

    near: list
    scores: list
    records: int
    real: str


def rows_of(path):
    with path.open(encoding="utf-8-sig") as handle:
        return list(csv.DictReader(handle))


def golden(parties):
    """One party with all that its records say, as the hub keeps a customer."""
    first = parties[0]
    many = {
        name: tuple(dict.fromkeys(value for p in parties for value in getattr(p, name)))
        for name in REPEATED
    }
    one = {name: next(filter(None, (getattr(p, name) for p in parties)), "") for name in SINGLE}
    return Party(kind=first.kind, **many, **one)


def arriving(folder, matcher):
    rows = {row["id"]: party_from_row(row) for row in rows_of(folder / "records.csv")}
    members = defaultdict(list)
    for row in rows_of(folder / "clusters.csv"):
        members[row["cluster"]].append(rows[row["id"]])
    names = list(members)
    normals = [normalise(golden(members[name])) for name in names]
    index = defaultdict(list)
    for place, keys in enumerate(match.keys_of_many(normals)):
        for key in {key for _, key in keys}:
            index[key].append(place)
    held = {key: len(places) for key, places in index.items()}
    truth = {row["id"]: row["cluster"] for row in rows_of(folder / "incoming_truth.csv")}
    for row in rows_of(folder / "incoming.csv"):
        incoming = normalise(party_from_row(row))
        keys = match.rare_keys(match.keys(incoming), held)
        near = sorted({place for key in keys for place in index.get(key, ())})
        scores = matcher.compare_many(incoming, [normals[i] for i in near], held, len(names))
        yield Arrival([names[i] for i in near], scores, len(names), truth[row["id"]])


def arrivals_of(folder, model):
    """(bits of the best customer, whether it is the right one), of all that would be linked."""
    matcher = Matcher(model, match.Thresholds(link=ANY_BITS))
    for arrival in arriving(folder, matcher):
        decision = matcher.decide(arrival.scores, arrival.records)
        if decision.outcome == "link":
            best = arrival.scores[decision.best]
            yield match.effective(best), arrival.near[decision.best] == arrival.real
