"""How many customers hold each value: counted over a table, or given by the store's index."""

from collections.abc import Mapping

import numpy as np

from sync.core.blocking import mix, value_key
from sync.core.columns import EXTRA, Ints, Table
from sync.core.levels import Holders
from sync.core.normal.record import Normal

Frequencies = Mapping[int, int]  # key -> how many records of the store hold it
NONE_HELD = np.zeros(0, np.int64)


def counted(table: Table, customer: Ints | None = None) -> Holders:
    """Holders inside the table; records of one customer count once."""
    people = np.arange(len(table)) if customer is None else customer
    name_owner = np.repeat(people, np.diff(table.name_start))
    place_owner = np.repeat(people, np.diff(table.address_start))
    counts = {c: _block_counts(table.records[c], people) for c in ("phone", "mail", "domain")}
    counts["latin"] = _counts(table.names["latin"], name_owner)
    counts["house"] = _counts(_house(table), place_owner)
    for column in table.records.texts:
        if column.startswith(EXTRA):
            counts[column] = _counts(table.records[column], people)
    return Holders(counts, people)


def _house(table: Table) -> Ints:
    road, number = table.addresses["road"], table.addresses["number"]
    return np.where((road != 0) & (number != 0), mix("road_number", 0, road, number), 0)


def _block_counts(block: Ints, people: Ints) -> Ints:
    width = block.shape[1]
    return _counts(block.ravel(), np.repeat(people, width)).reshape(block.shape)


def _counts(values: Ints, people: Ints) -> Ints:
    """For each value the number of distinct people beside it; 0 for missing values."""
    order = np.lexsort((people, values))
    value, person = values[order], people[order]
    fresh = np.ones(len(value), np.int64)
    if len(value) > 1:
        fresh[1:] = (value[1:] != value[:-1]) | (person[1:] != person[:-1])
        edge = np.concatenate([[True], value[1:] != value[:-1]])
    else:
        edge = np.ones(len(value), bool)
    group = np.cumsum(edge) - 1
    totals = np.bincount(group, weights=fresh).astype(np.int64) if len(value) else NONE_HELD
    out = np.empty(len(values), np.int32)  # as long as the table is, and kept through the rounds
    out[order] = totals[group]
    out[values == 0] = 0
    return out  # type: ignore[return-value]


def looked_up(table: Table, frequencies: Frequencies) -> Holders:
    """Holders by the store's counts; each row of the table is a customer of its own.

    The counts are of the store, which does not hold the first row yet.
    """
    kinds = table.records["kind"]
    kind = int(kinds[0]) if len(kinds) else 0
    name_family = "name" if kind == 1 else "brand"

    def held(family: str, values: Ints) -> Ints:
        flat = mix(family, kind, values.ravel())
        counts = [frequencies.get(key, 0) + 1 for key in flat.tolist()]
        return np.array(counts, np.int64).reshape(values.shape)

    counts = {column: held(column, table.records[column]) for column in ("phone", "mail", "domain")}
    counts["latin"] = held(name_family, table.names["latin"])
    house = mix("road_number", kind, table.addresses["road"], table.addresses["number"])
    counts["house"] = np.array([frequencies.get(k, 0) + 1 for k in house.tolist()], np.int64)
    return Holders(counts, np.arange(len(table)))


def counted_families(normal: Normal) -> tuple[str, ...]:
    """Families whose counts the score of such a record reads."""
    name_family = "name" if normal.kind == "person" else "brand"
    return ("phone", "mail", "domain", name_family, "road_number")


__all__ = ["Frequencies", "counted", "counted_families", "looked_up", "value_key"]
