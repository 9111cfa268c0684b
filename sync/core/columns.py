"""Normal forms as columns: the one shape that scoring reads, for two records or a million."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from sync.core.normal.address import Address
from sync.core.normal.company import CompanyName
from sync.core.normal.identifier import Identifier
from sync.core.normal.mail import Mail
from sync.core.normal.person import PersonName, is_spoken_given
from sync.core.normal.phone import Phone
from sync.core.normal.record import Normal
from sync.core.normal.regions import province_of
from sync.core.normal.text import stable_hash

Ints = npt.NDArray[np.int64]
KIND_CODES = {"company": 0, "person": 1, "other": 2}
MOST_VALUES = 8  # of one repeated fact; a record with more keeps the first
LOW_BITS = (1 << 62) - 1
FEW = 200  # rows for which a vector takes longer than one after the other
NO_NAME, NO_COMPANY, NO_ADDRESS = PersonName(), CompanyName(), Address()


@dataclass(slots=True)
class Texts:
    """Strings laid end to end: compact, and shared between processes without copies."""

    blob: bytes
    ends: Ints

    @classmethod
    def of(cls, values: Sequence[str]) -> "Texts":
        encoded = [value.encode() for value in values]
        ends = np.cumsum([len(e) for e in encoded], dtype=np.int64)
        return cls(b"".join(encoded), ends)

    @classmethod
    def joined(cls, parts: Sequence["Texts"]) -> "Texts":
        shifts = np.cumsum([0] + [len(part.blob) for part in parts])
        ends = [part.ends + shift for part, shift in zip(parts, shifts[:-1], strict=True)]
        return cls(b"".join(part.blob for part in parts), np.concatenate(ends))

    def lengths(self, rows: Ints) -> Ints:
        """Bytes of each text: 0 tells the empty ones."""
        return self.ends[rows] - np.where(rows > 0, self.ends[rows - 1], 0)

    def alike_from(self, left: Ints, right: Ints, least: int) -> npt.NDArray[np.bool_]:
        """Which texts begin with one byte and have so many bytes: those that may begin alike."""
        first = np.frombuffer(self.blob, np.uint8)
        lengths = self.lengths(left), self.lengths(right)
        out: npt.NDArray[np.bool_] = np.minimum(*lengths) >= least
        rows = np.flatnonzero(out)
        starts = (
            self.ends[side[rows]] - size[rows]
            for side, size in zip((left, right), lengths, strict=True)
        )
        a, b = (first[start] for start in starts)
        out[rows] = a == b
        return out

    def take(self, rows: Ints) -> list[str]:
        if len(rows) < FEW:
            return self._decoded(rows)
        distinct, place = np.unique(rows, return_inverse=True)
        if 2 * len(distinct) > len(rows):
            return self._decoded(rows)
        return list(map(self._decoded(distinct).__getitem__, place.tolist()))

    def _decoded(self, rows: Ints) -> list[str]:
        stops = self.ends[rows]
        starts = np.where(rows > 0, self.ends[rows - 1], 0)
        blob = self.blob
        spans = zip(starts.tolist(), stops.tolist(), strict=True)
        return [blob[start:stop].decode() for start, stop in spans]


@dataclass(slots=True)
class Columns:
    """Equally long arrays and texts under their names."""

    arrays: dict[str, npt.NDArray[np.generic]]
    texts: dict[str, Texts]

    def __getitem__(self, name: str) -> Ints:
        return self.arrays[name]  # type: ignore[return-value]

    @classmethod
    def joined(cls, parts: Sequence["Columns"]) -> "Columns":
        """One below the other; the parts are used up, so that nothing is held twice."""
        names, words = list(parts[0].arrays), list(parts[0].texts)
        arrays = {name: _stack([part.arrays.pop(name) for part in parts]) for name in names}
        texts = {name: Texts.joined([part.texts.pop(name) for part in parts]) for name in words}
        return cls(arrays, texts)


def _stack(parts: Sequence[npt.NDArray[np.generic]]) -> npt.NDArray[np.generic]:
    """One below the other; narrow blocks of repeated values are widened with zeros."""
    if parts[0].ndim == 1:
        return np.concatenate(parts)
    width = max(part.shape[1] for part in parts)
    padded = [np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in parts]
    return np.concatenate(padded)


@dataclass(slots=True)
class Table:
    """Records as columns; names and addresses, of which a record may have several, apart.

    Row i of the records owns the rows `name_start[i]` up to `name_start[i + 1]` of `names`, and so
    for addresses; every record owns at least one of each, an empty one if need be.
    """

    records: Columns
    names: Columns
    name_start: Ints
    addresses: Columns
    address_start: Ints

    def __len__(self) -> int:
        return len(self.name_start) - 1

    @classmethod
    def of(cls, normals: Sequence[Normal], extras: Sequence[str] = ()) -> "Table":
        """`extras` names columns without a rule of their own, compared as plain text."""
        names = [_names(normal) for normal in normals]
        addresses = [normal.addresses[:MOST_VALUES] or (NO_ADDRESS,) for normal in normals]
        return cls(
            records=_with_extras(_record_columns(normals), normals, extras),
            names=_name_columns(list(chain.from_iterable(names))),
            name_start=_starts([len(n) for n in names]),
            addresses=_address_columns(list(chain.from_iterable(addresses))),
            address_start=_starts([len(a) for a in addresses]),
        )

    @classmethod
    def joined(cls, parts: Sequence["Table"]) -> "Table":
        """The records of all parts, which are used up."""
        return cls(
            records=Columns.joined([p.records for p in parts]),
            names=Columns.joined([p.names for p in parts]),
            name_start=_joined_starts([p.name_start for p in parts]),
            addresses=Columns.joined([p.addresses for p in parts]),
            address_start=_joined_starts([p.address_start for p in parts]),
        )


def _starts(sizes: Sequence[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _joined_starts(parts: Sequence[Ints]) -> Ints:
    shift, pieces = 0, [np.zeros(1, np.int64)]
    for part in parts:
        pieces.append(part[1:] + shift)
        shift += int(part[-1])
    return np.concatenate(pieces)


# Kept at a time, since values that come again come soon: in a process that stays, with one file.
FEW_HASHES, HASHES_IN_A_FILE = 8_000, 200_000


class _Hashes(dict[str, int]):
    """Hashes of the texts met so far; 0 for nothing, so that missing is one value everywhere."""

    most = FEW_HASHES

    def __missing__(self, text: str) -> int:
        if len(self) >= self.most:
            self.clear()
        self[text] = found = stable_hash(text) if text else 0
        return found


_hashes = _Hashes()
hashed = _hashes.__getitem__


def expect_many_values() -> None:
    """A whole file comes, in which values come again far apart."""
    _hashes.most = HASHES_IN_A_FILE


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)


Part = TypeVar("Part")
Reads = Mapping[str, tuple[Callable[[Part], int], type[np.generic]]]


def _blocks(
    groups: Sequence[Sequence[Part]], reads: Reads[Part]
) -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
    """For each reading of a repeated fact a block: a row for each record, filled up with zeros."""
    width = min(MOST_VALUES, max(map(len, groups), default=0)) or 1
    parts = [part for group in groups for part in group[:width]]
    place = [
        row * width + position
        for row, group in enumerate(groups)
        for position in range(min(width, len(group)))
    ]
    for name, (read, kind) in reads.items():
        block = np.zeros(len(groups) * width, kind)
        block[place] = [read(part) for part in parts]
        yield name, block.reshape(-1, width)


IDENTIFIERS: Reads[Identifier] = {
    "tax": (lambda i: hashed(i.value), np.int64),
    "tax_scheme": (lambda i: hashed(i.scheme), np.int64),
    "tax_hard": (lambda i: i.hard, np.int8),
}
PHONES: Reads[Phone] = {
    "phone": (attrgetter("national"), np.int64),
    "mobile": (attrgetter("mobile"), np.int8),
}
MAILS: Reads[Mail] = {
    "mail": (lambda m: hashed(m.key), np.int64),
    "mail_user": (lambda m: hashed(m.user), np.int64),
    "mail_role": (attrgetter("role"), np.int8),
    "mail_free": (attrgetter("free"), np.int8),
    "mail_numbered": (attrgetter("numbered"), np.int8),
    "mail_home": (lambda m: hashed(m.domain), np.int64),
}
DOMAINS: Reads[str] = {"domain": (hashed, np.int64)}


def _record_columns(normals: Sequence[Normal]) -> Columns:
    employers = [normal.employer or NO_COMPANY for normal in normals]
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "kind": np.array([KIND_CODES[n.kind] for n in normals], np.int8),
        **dict(_blocks([n.identifiers for n in normals], IDENTIFIERS)),
        **dict(_blocks([n.phones for n in normals], PHONES)),
        **dict(_blocks([n.mails for n in normals], MAILS)),
        **dict(_blocks([n.domains for n in normals], DOMAINS)),
        "birth": _ints([n.birth for n in normals]),
        "source": _ints([hashed(n.source) for n in normals]),
        "employer": _ints([hashed(e.latin) for e in employers]),
        "employer_region": _ints([hashed(e.region or e.branch) for e in employers]),
        "employer_low": _ints([e.industry & LOW_BITS for e in employers]),
        "employer_high": _ints([e.industry >> 62 for e in employers]),
    }
    texts = {
        "tax": Texts.of([n.identifiers[0].value if n.identifiers else "" for n in normals]),
        "mail": Texts.of([n.mail_text for n in normals]),
        "mail_user": Texts.of([n.mails[0].user if n.mails else "" for n in normals]),
        "employer": Texts.of([e.latin for e in employers]),
    }
    return Columns(arrays, texts)


EXTRA = "extra:"


def _with_extras(columns: Columns, normals: Sequence[Normal], extras: Sequence[str]) -> Columns:
    found = [dict(normal.extra) for normal in normals]
    for name in extras:
        texts = [values.get(name, "") for values in found]
        columns.arrays[EXTRA + name] = _ints([hashed(text) for text in texts])
        columns.texts[EXTRA + name] = Texts.of(texts)
    return columns


@dataclass(slots=True)
class NameRow:
    """One name of a company or a person, as the columns hold it."""

    key: int = 0  # brand as written; Chinese characters of a person
    latin: int = 0  # brand in Latin script; all parts of a person's name, in alphabetical order
    family: int = 0
    given: int = 0
    root: int = 0
    initial: int = 0
    middle: int = 0
    region: int = 0
    province: int = 0
    low: int = 0
    high: int = 0
    form: int = 0
    group: int = 0
    placeholder: int = 0
    seat: int = 0
    branch: int = 0
    numbers: int = 0
    words: int = 0
    han: int = 0
    first: int = 0  # initial of the family name
    head: int = 0
    tail: int = 0
    text: str = ""
    latin_text: str = ""
    other_text: str = ""


def _names(normal: Normal) -> list[NameRow]:
    if normal.kind == "person":
        rows = [_person_row(name) for name in normal.persons[:MOST_VALUES]]
    else:
        rows = [_company_row(name) for name in normal.companies[:MOST_VALUES]]
    return rows or [NameRow(placeholder=int(normal.placeholder))]


def _company_row(name: CompanyName) -> NameRow:
    han = not name.brand.isascii()
    head, tail = (name.brand[:1], name.brand[-1:]) if han else (name.latin[:4], name.latin[-4:])
    return NameRow(
        key=hashed(name.brand),
        latin=hashed(name.latin),
        region=hashed(name.region),
        province=hashed(province_of(name.region)) if name.region else 0,
        low=name.industry & LOW_BITS,
        high=name.industry >> 62,
        form=ord(name.form) if name.form else 0,
        group=int(name.group),
        seat=name.seat,
        branch=hashed(name.branch),
        numbers=hashed(name.numbers),
        words=hashed(name.words),
        han=int(han),
        head=hashed(head),
        tail=hashed(tail),
        text=name.brand,
        latin_text=name.latin,
        other_text=name.words,
    )


def _person_row(name: PersonName) -> NameRow:
    return NameRow(
        key=hashed(name.native if len(name.native) > 1 else ""),
        latin=hashed(name.full),
        family=hashed(name.family),
        given=hashed(name.given),
        root=hashed(name.root),
        initial=ord(name.given[0]) if name.given else 0,
        middle=ord(name.middle[0]) if name.middle else 0,
        words=len(name.given),
        form=int(bool(name.native) or is_spoken_given(name.given)),
        han=int(bool(name.native)),
        first=ord(name.family[0]) if name.family else 0,
        head=hashed(name.family[:3]),
        tail=hashed(name.given[:3]),
        text=name.native,
        latin_text=name.family,
        other_text=name.given,
    )


NAME_ARRAYS = (
    "key",
    "latin",
    "family",
    "given",
    "root",
    "initial",
    "middle",
    "region",
    "province",
    "low",
    "high",
    "form",
    "group",
    "placeholder",
    "seat",
    "branch",
    "numbers",
    "words",
    "han",
    "first",
    "head",
    "tail",
)


# Flags and single characters: a million names in less memory.
NARROW: dict[str, type[np.generic]] = {
    **dict.fromkeys(("group", "placeholder", "seat", "han"), np.int8),
    **dict.fromkeys(("initial", "middle", "first", "form"), np.int32),
}


def _name_columns(rows: Sequence[NameRow]) -> Columns:
    arrays = _arrays(rows, NAME_ARRAYS)
    texts = ("text", "latin_text", "other_text")
    return Columns(arrays, {name: Texts.of([getattr(r, name) for r in rows]) for name in texts})


def _arrays(rows: Sequence[object], names: Sequence[str]) -> dict[str, npt.NDArray[np.generic]]:
    together = np.array(list(map(attrgetter(*names), rows)), np.int64)
    return {name: together[:, i].astype(NARROW.get(name, np.int64)) for i, name in enumerate(names)}


ADDRESS_PARTS: dict[str, Callable[[Address], int]] = {
    "road": lambda a: hashed(a.road),
    "number": lambda a: a.number,
    "building": lambda a: hashed(a.building),
    "room": lambda a: hashed(a.room),
    "city": lambda a: hashed(a.city),
    "province": lambda a: hashed(province_of(a.city) if a.city else a.region),
    "region": lambda a: hashed(a.region),
    "postcode": lambda a: hashed(a.postcode),
}


def _address_columns(rows: Sequence[Address]) -> Columns:
    arrays: dict[str, npt.NDArray[np.generic]] = {
        name: _ints([read(row) for row in rows]) for name, read in ADDRESS_PARTS.items()
    }
    texts = {
        "road": Texts.of([row.road for row in rows]),
        "city": Texts.of([row.city for row in rows]),
        "postcode": Texts.of([row.postcode for row in rows]),
    }
    return Columns(arrays, texts)
