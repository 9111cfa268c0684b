"""Blocking keys: indexed values that put possible duplicates side by side, online as in batch."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sync.core.columns import EXTRA, KIND_CODES, Ints, Table, hashed
from sync.core.normal.record import Normal, normalise
from sync.core.normal.text import words
from sync.core.party import Party

Bits = npt.NDArray[np.uint64]
# A key that more records share than this is too common to be followed; it still counts.
CAPS: Mapping[str, int] = {
    "tax": 300,
    "phone": 120,
    "mail": 120,
    "domain": 100,
    "brand": 12,
    "place_industry_head": 15,
    "place_industry_tail": 15,
    "user_family": 20,
    "root_family": 30,
    "city_typo": 20,
    "words": 60,
    "name": 60,
    "road_number": 40,
    "word": 25,
    "birth": 30,
    "user": 30,
    "given_city": 12,
    "family_city": 20,
    "birth_year_given": 40,
    "birth_year_family": 40,
    "postcode": 25,
    "given_month": 25,
    "family_month": 25,
}
DEFAULT_CAP = 80
FAMILIES = (
    "tax",
    "phone",
    "mail",
    "domain",
    "brand",
    "words",
    "brand_place",
    "brand_industry",
    "room",
    "road_brand",
    "place_industry_head",
    "place_industry_tail",
    "name",
    "name_employer",
    "name_city",
    "name_birth",
    "name_road",
    "family_phone",
    "user_family",
    "family_employer",
    "given_employer",
    "name_domain",
    "birth_given",
    "birth_family",
    "road_family",
    "road_given",
    "postcode_family",
    "postcode_given",
    "root_family",
    "city_typo",
    "birth_city",
    "word",
    "road_number",
    "postcode_brand",
    "birth",
    "user",
    "given_city",
    "family_city",
    "birth_year_given",
    "birth_year_family",
    "postcode",
    "initials_day",
    "given_month",
    "family_month",
)
FAMILY_CODES = {name: code for code, name in enumerate(FAMILIES)}
CAP_OF_CODE = np.array([CAPS.get(name, DEFAULT_CAP) for name in FAMILIES], np.int64)


@dataclass(frozen=True, slots=True)
class KeyArrays:
    """Parallel arrays: the key, the record it belongs to, the family's code."""

    key: Ints
    row: npt.NDArray[np.int32]
    family: npt.NDArray[np.uint8]


def mix(family: str, kind: int, *parts: Ints) -> Ints:
    """One 64-bit key of several hashes, the same on every machine."""
    return _mixed(np.full(parts[0].shape, _seed(family, kind), np.uint64), parts)


def _seed(family: str, kind: int) -> int:
    return (FAMILY_CODES[family] * 4 + kind + 1) * 0x9E3779B97F4A7C15 % 2**64


def _mixed(state: Bits, parts: Sequence[Ints]) -> Ints:
    for part in parts:
        state = (state ^ part.view(np.uint64)) * np.uint64(0xBF58476D1CE4E5B9)
        state ^= state >> np.uint64(29)
    state *= np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(32)
    return state.view(np.int64)


def value_key(family: str, kind: int, value: int) -> int:
    """The key of one single value, as rows of the key table hold it."""
    return int(mix(family, kind, np.array([value], np.int64))[0])


Emit = tuple[str, Ints, tuple[Ints, ...]]


def key_arrays(table: Table) -> KeyArrays:
    """All keys of all records, without repeats inside a record."""
    kinds = table.records["kind"]
    found: list[KeyArrays] = []
    for kind, emitters in EMITTERS.items():
        rows = np.flatnonzero(kinds == kind)
        if not len(rows):
            continue
        alike: dict[int, list[Emit]] = {}  # by the number of parts: so many are mixed in one go
        for emit in (e for emitter in emitters for e in emitter(table, rows)):
            alike.setdefault(len(emit[2]), []).append(emit)
        found += [_keys_of_emits(kind, emits) for emits in alike.values()]
    return joined(found)


def _keys_of_emits(kind: int, emits: Sequence["Emit"]) -> KeyArrays:
    """The keys of values and of combinations; one with a part missing is none."""
    sizes = [len(owner) for _, owner, _ in emits]
    owner = np.concatenate([owner for _, owner, _ in emits])
    columns = zip(*(p for *_, p in emits), strict=True)
    parts = [np.concatenate(column).astype(np.int64, copy=False) for column in columns]
    seed = np.repeat(np.array([_seed(family, kind) for family, *_ in emits], np.uint64), sizes)
    code = np.repeat(np.array([FAMILY_CODES[family] for family, *_ in emits], np.uint8), sizes)
    there = parts[0] != 0
    for part in parts[1:]:
        there &= part != 0
    key = _mixed(seed[there], [part[there] for part in parts])
    return KeyArrays(key, owner[there].astype(np.int32), code[there])


def shared_keys(parts: Sequence[KeyArrays]) -> KeyArrays:
    """In order the keys that several records have; each part holds records of its own."""
    key = np.concatenate([part.key for part in parts])
    order = np.argsort(key, kind="stable")
    key = key[order]
    starts = _group_starts(key)
    sizes = np.diff(np.concatenate([starts, [len(key)]]))
    kept = np.repeat(sizes > 1, sizes)
    key, order = key[kept], order[kept]
    row = np.concatenate([part.row for part in parts])[order]
    return KeyArrays(key, row, np.concatenate([part.family for part in parts])[order])


def joined(parts: Sequence[KeyArrays]) -> KeyArrays:
    """All keys in order, each record once under each key."""
    if not parts:
        return KeyArrays(np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.uint8))
    key = np.concatenate([part.key for part in parts])
    row = np.concatenate([part.row for part in parts])
    family = np.concatenate([part.family for part in parts])
    order = np.lexsort((row, key))
    key, row, family = key[order], row[order], family[order]
    fresh = np.ones(len(key), bool)
    fresh[1:] = (key[1:] != key[:-1]) | (row[1:] != row[:-1])
    return KeyArrays(key[fresh], row[fresh], family[fresh])


def keys(record: Party | Normal) -> list[tuple[str, int]]:
    """(family, key) of one record, as rows of the key table; the order is stable."""
    normal = normalise(record) if isinstance(record, Party) else record
    arrays = key_arrays(Table.of([normal]))
    pairs = zip(arrays.family.tolist(), arrays.key.tolist(), strict=True)
    return sorted((FAMILIES[family], key) for family, key in pairs)


def cap_of(family: str) -> int:
    """How many records may share a key of this family before it is not followed."""
    return CAPS.get(family, DEFAULT_CAP)


# ---- what is emitted --------------------------------------------------------


def _each(table: Table, rows: Ints, column: str) -> Iterator[tuple[Ints, Ints]]:
    block = table.records[column]
    for position in range(block.shape[1]):
        yield rows, block[rows, position]


def _spans(start: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """(owner, detail row) for each name or address of the records."""
    counts = start[rows + 1] - start[rows]
    owner = np.repeat(rows, counts)
    first = np.repeat(start[rows] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    return owner, first + np.arange(len(owner))


def _named_places(table: Table, rows: Ints) -> tuple[Ints, Ints, Ints]:
    """(owner, name row, address row) for every combination inside a record."""
    owner, name = _spans(table.name_start, rows)
    counts = (table.address_start[1:] - table.address_start[:-1])[owner]
    name, repeated = np.repeat(name, counts), np.repeat(owner, counts)
    offset = np.arange(len(repeated)) - np.repeat(np.cumsum(counts) - counts, counts)
    return repeated, name, table.address_start[repeated] + offset


def _values(table: Table, rows: Ints) -> Iterator[Emit]:
    for family in ("tax", "phone", "mail", "domain"):
        for owner, value in _each(table, rows, family):
            yield family, owner, (value,)


def _company_names(table: Table, rows: Ints) -> Iterator[Emit]:
    owner, name = _spans(table.name_start, rows)
    names = table.names
    brand, industry = names["latin"][name], names["low"][name] ^ names["high"][name]
    yield "brand", owner, (brand,)
    yield "words", owner, (names["words"][name],)
    yield "brand_industry", owner, (brand, industry)


def _company_places(table: Table, rows: Ints) -> Iterator[Emit]:
    owner, name, address = _named_places(table, rows)
    names, addresses = table.names, table.addresses
    brand, industry = names["latin"][name], names["low"][name] ^ names["high"][name]
    named, city = names["region"][name], addresses["city"][address]
    place = np.where(named != 0, named, city)
    road, number = addresses["road"][address], addresses["number"][address]
    head, tail = names["head"][name], names["tail"][name]
    yield "brand_place", owner, (brand, place)
    yield "brand_place", owner, (brand, np.where(city != place, city, 0))
    yield "place_industry_head", owner, (place, industry, head)
    yield "place_industry_tail", owner, (place, industry, tail)
    yield "road_brand", owner, (road, number, head)
    yield "room", owner, (road, number, addresses["room"][address])
    yield "road_number", owner, (road, number)
    yield "postcode_brand", owner, (addresses["postcode"][address], head)


def _person_names(table: Table, rows: Ints) -> Iterator[Emit]:
    owner, name = _spans(table.name_start, rows)
    names, records = table.names, table.records
    full, family = names["latin"][name], names["family"][name]
    given, initial, birth = names["given"][name], names["initial"][name], records["birth"][owner]
    employer = records["employer"][owner]
    yield "name", owner, (full,)
    yield (
        "root_family",
        owner,
        (np.where(names["root"][name] != given, names["root"][name], given), family),
    )
    yield "name_employer", owner, (full, employer)
    yield "family_employer", owner, (family, employer, initial)
    yield "given_employer", owner, (given, employer)
    yield "name_birth", owner, (full, birth)
    yield "birth_given", owner, (birth, given)
    yield "birth", owner, (np.where(birth % 10000 > 101, birth, 0),)
    yield "birth_year_given", owner, (birth // 10000, names["tail"][name])
    yield "birth_year_family", owner, (birth // 10000, names["head"][name])
    yield "initials_day", owner, (birth % 10000, initial, names["first"][name])
    yield "given_month", owner, (birth % 10000, given)
    yield "family_month", owner, (birth % 10000, family)
    for position in range(records["mail_user"].shape[1]):
        yield "user", owner, (records["mail_user"][owner, position],)
    yield "birth_family", owner, (birth, family)
    for column, label, part in (
        ("phone", "family_phone", family),
        ("mail_user", "user_family", family),
        ("domain", "name_domain", full),
    ):
        for position in range(records[column].shape[1]):
            yield label, owner, (records[column][owner, position], part)


def _person_places(table: Table, rows: Ints) -> Iterator[Emit]:
    owner, name, address = _named_places(table, rows)
    names, addresses = table.names, table.addresses
    full, family, given = (names[column][name] for column in ("latin", "family", "given"))
    city, postcode = addresses["city"][address], addresses["postcode"][address]
    road, number = addresses["road"][address], addresses["number"][address]
    yield "name_city", owner, (full, city)
    yield "name_road", owner, (full, road)
    yield "given_city", owner, (given, city)
    yield "family_city", owner, (family, city)
    yield "postcode", owner, (postcode,)
    yield "road_family", owner, (road, number, family)
    yield "road_given", owner, (road, number, given)
    yield "postcode_family", owner, (postcode, family)
    yield "postcode_given", owner, (postcode, given)
    yield "city_typo", owner, (city, names["head"][name], names["tail"][name])
    yield (
        "birth_city",
        owner,
        (table.records["birth"][owner], np.where(postcode != 0, postcode, city)),
    )


def _text_words(table: Table, rows: Ints) -> Iterator[Emit]:
    """Each word, and each two neighbours, of names and texts that no rule is made for."""
    texts = [table.names.texts["other_text"].take(table.name_start[rows])]
    texts += [
        column.take(rows) for name, column in table.records.texts.items() if name.startswith(EXTRA)
    ]
    owners: list[int] = []
    values: list[int] = []
    for row, parts in zip(rows.tolist(), zip(*texts, strict=True), strict=True):
        found = {token for part in parts for token in _tokens(part)}
        owners += [row] * len(found)
        values += [hashed(token) for token in sorted(found)]
    yield "word", np.array(owners, np.int64), (np.array(values, np.int64),)


def _tokens(text: str) -> list[str]:
    single = [token for token in words(text)[:40] if len(token) > 2]
    return single + [f"{a} {b}" for a, b in itertools.pairwise(single)]


Emitter = Callable[[Table, Ints], Iterator[Emit]]
COMPANY: Sequence[Emitter] = (_values, _company_names, _company_places)
EMITTERS: Mapping[int, Sequence[Emitter]] = {
    KIND_CODES["company"]: COMPANY,
    KIND_CODES["person"]: (_values, _person_names, _person_places),
    KIND_CODES["other"]: (*COMPANY, _text_words),
}


# ---- pairs of a whole table --------------------------------------------------


NARROW: Any = np.int32  # rows of pairs: half the memory; whoever computes with them widens them
MOST_CODES = 8_000_000  # pairs found before repeats among them are dropped


def candidate_pairs(found: KeyArrays, records: int) -> tuple[Ints, Ints]:
    """Every pair that shares a key which is not too common, once, the lower row first."""
    starts = _group_starts(found.key)
    sizes = np.diff(np.concatenate([starts, [len(found.key)]]))
    followed = (sizes > 1) & (sizes <= CAP_OF_CODE[found.family[starts]])
    starts, sizes = starts[followed], sizes[followed]
    codes: list[Ints] = [np.zeros(0, np.int64)]
    for distance in range(1, int(sizes.max(initial=1))):
        # the members at this distance inside their group: one vector step for all groups
        groups = sizes > distance
        starts, sizes = starts[groups], sizes[groups]
        spans = sizes - distance
        first = np.repeat(starts - (np.cumsum(spans) - spans), spans) + np.arange(spans.sum())
        low, high = (found.row[at].astype(np.int64) for at in (first, first + distance))
        codes.append(np.minimum(low, high) * records + np.maximum(low, high))
        if sum(len(c) for c in codes[1:]) > MOST_CODES:
            codes = [_distinct(codes)]
    unique = _distinct(codes)
    return (unique // records).astype(NARROW), (unique % records).astype(NARROW)


def _group_starts(ordered: Ints) -> Ints:
    """Where a run of equal values begins."""
    fresh = np.ones(len(ordered), bool)
    fresh[1:] = ordered[1:] != ordered[:-1]
    return np.flatnonzero(fresh)


def _distinct(parts: Sequence[Ints]) -> Ints:
    """Sorted, each once; sorting in place takes a tenth of the time that hashing takes."""
    values = np.concatenate(parts)
    values.sort()
    return values[_group_starts(values)]
