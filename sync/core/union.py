"""Customers of a table as records of their own: what all their records say, together."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sync.core.blocking import mix
from sync.core.columns import (
    ADDRESS_PARTS,
    EXTRA,
    MOST_VALUES,
    NAME_ARRAYS,
    Columns,
    Ints,
    Table,
    Texts,
)

# Repeated facts: the first column tells values apart, the others go with it.
REPEATED = (
    ("tax", "tax_scheme", "tax_hard"),
    ("phone", "mobile"),
    ("mail", "mail_user", "mail_role", "mail_free", "mail_numbered", "mail_home"),
    ("domain",),
)
EMPLOYER = ("employer", "employer_region", "employer_low", "employer_high")
Flags = npt.NDArray[np.bool_]


def united(table: Table, customer: Ints, rank: Ints) -> tuple[Table, Ints]:
    """(one row for each customer, the row of each record's customer).

    Repeated facts keep all their values, those of the records that rank first in front; of a single
    fact the first record that has it decides.
    """
    leaders, row = np.unique(customer, return_inverse=True)
    size = len(leaders)
    order = np.lexsort((rank, row))
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    texts: dict[str, Texts] = {}
    for names in REPEATED:
        blocks = _united_blocks([table.records[name] for name in names], row, rank, size)
        arrays.update(zip(names, blocks, strict=True))
    for name in ("kind", "birth", "source"):
        arrays[name] = table.records[name][_first(table.records[name] != 0, row, order, leaders)]
    employed = _first(table.records["employer"] != 0, row, order, leaders)
    arrays.update({name: table.records[name][employed] for name in EMPLOYER})
    texts["employer"] = _taken(table.records.texts["employer"], employed)
    for name in ("tax", "mail", "mail_user"):
        column = table.records.texts[name]
        told = column.lengths(np.arange(len(table))) > 0
        texts[name] = _taken(column, _first(told, row, order, leaders))
    for name in (n for n in table.records.texts if n.startswith(EXTRA)):
        chosen = _first(table.records[name] != 0, row, order, leaders)
        arrays[name] = table.records[name][chosen]
        texts[name] = _taken(table.records.texts[name], chosen)
    name_rows, name_start = _distinct_rows(
        table.names, NAME_ARRAYS, table.name_start, row, rank, size
    )
    place_rows, place_start = _distinct_rows(
        table.addresses, tuple(ADDRESS_PARTS), table.address_start, row, rank, size
    )
    return (
        Table(
            Columns(arrays, texts),
            _columns_of(table.names, name_rows),
            name_start,
            _columns_of(table.addresses, place_rows),
            place_start,
        ),
        row.astype(np.int64),
    )


def _first(told: Flags, row: Ints, order: Ints, leaders: Ints) -> Ints:
    """For each customer the first record that tells a fact, or its leading record."""
    found = leaders.astype(np.int64).copy()
    some = order[told[order]]
    if len(some):
        edge = np.ones(len(some), bool)
        edge[1:] = row[some][1:] != row[some][:-1]
        found[row[some[edge]]] = some[edge]
    return found


def _united_blocks(blocks: Sequence[Ints], row: Ints, rank: Ints, size: int) -> list[Ints]:
    width = blocks[0].shape[1]
    columns = [block.ravel() for block in blocks]
    there = np.flatnonzero(columns[0] != 0)
    turn = rank[there // width] * width + there % width
    owner, columns = row[there // width], [column[there] for column in columns]
    order = np.lexsort((turn, columns[0], owner))  # equal values side by side
    fresh = _edges(owner[order], columns[0][order])
    group = np.cumsum(fresh) - 1
    marks = [np.zeros(int(fresh.sum()), column.dtype) for column in columns]
    for mark, column in zip(marks, columns, strict=True):
        mark[:] = column[order][fresh]
    if len(columns) == 2:  # a number that anybody calls a mobile is one
        np.maximum.at(marks[1], group, columns[1][order])
    first = order[fresh]
    arranged = np.lexsort((turn[first], owner[first]))
    owners = owner[first][arranged]
    position = _positions(owners)
    kept = position < MOST_VALUES
    wide = int(position[kept].max(initial=0)) + 1
    out = []
    for mark in marks:
        block = np.zeros((size, wide), mark.dtype)
        block[owners[kept], position[kept]] = mark[arranged][kept]
        out.append(block)
    return out


def _edges(*columns: Ints) -> Flags:
    fresh = np.zeros(len(columns[0]), bool)
    fresh[:1] = True
    for column in columns:
        fresh[1:] |= column[1:] != column[:-1]
    return fresh


def _positions(owners: Ints) -> Ints:
    """The place of each entry among those of its owner; the owners are in order."""
    starts = np.flatnonzero(_edges(owners))
    sizes = np.diff(np.concatenate([starts, [len(owners)]]))
    return np.arange(len(owners)) - np.repeat(starts, sizes)


def _distinct_rows(
    columns: Columns, names: Sequence[str], start: Ints, row: Ints, rank: Ints, size: int
) -> tuple[Ints, Ints]:
    """The rows of names or addresses that each customer keeps, without repeats and empty ones."""
    counts = np.diff(start)
    owner, turn = np.repeat(row, counts), np.repeat(rank, counts)
    key = mix("words", 0, *(columns[name].astype(np.int64) for name in names))
    empty = np.ones(len(owner), bool)
    for name in names:
        empty &= columns[name] == 0
    order = np.lexsort((np.arange(len(owner)), turn, key, owner))
    first = order[_edges(owner[order], key[order])]
    first = first[np.lexsort((first, turn[first], empty[first], owner[first]))]
    position = _positions(owner[first])
    kept = (position < MOST_VALUES) & (~empty[first] | (position == 0))
    first = first[kept]
    kept_of_each = np.bincount(owner[first], minlength=size)
    return first, np.concatenate([[0], np.cumsum(kept_of_each)]).astype(np.int64)


def _columns_of(columns: Columns, rows: Ints) -> Columns:
    return Columns(
        {name: column[rows] for name, column in columns.arrays.items()},
        {name: _taken(texts, rows) for name, texts in columns.texts.items()},
    )


def _taken(texts: Texts, rows: Ints) -> Texts:
    """The texts of these rows, laid end to end anew."""
    lengths = texts.lengths(rows)
    ends = np.cumsum(lengths)
    starts = texts.ends[rows] - lengths
    source = np.frombuffer(texts.blob, np.uint8)
    where = np.repeat(starts - (ends - lengths), lengths) + np.arange(int(lengths.sum()))
    return Texts(source[where].tobytes(), ends)
