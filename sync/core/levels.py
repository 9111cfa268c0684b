"""How well two records agree, field by field: a small level for each, over columns of pairs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA, Hamming, JaroWinkler

from sync.core.columns import EXTRA, Columns, Ints, Table
from sync.core.normal.person import is_spoken

Levels = npt.NDArray[np.int16]
Flags = npt.NDArray[np.bool_]
HELD = ("by them alone", "by few others", "by some", "by many", "by very many")
HELD_3 = ("by them alone", "by few others", "by many")
HELD_EDGES = np.array([1, 3, 10, 50])
HELD_EDGES_3 = np.array([1, 10])
MISSING = 0
ENDINGS = frozenset(
    ["com", "cn", "com.cn", "net", "org", "co", "io", "biz", "info", "de", "fr", "co.uk", "hk"]
)


@dataclass(frozen=True, slots=True)
class Field:
    """A compared field: its name and what its levels mean; level 0 is always "missing"."""

    name: str
    levels: tuple[str, ...]


def _held(text: str, held: Sequence[str] = HELD) -> tuple[str, ...]:
    return tuple(f"{text}, held {who}" for who in held)


TAX = Field(
    "tax id",
    (
        "missing",
        "same",
        "same, unproven",
        "one character differs",
        "different",
        "different, proven",
    ),
)
BRAND = Field(
    "brand",
    (
        "missing",
        *_held("same"),
        *_held("same across scripts", HELD_3),
        "same sound",
        "typing error",
        "one contains the other",
        "one character replaced",
        "similar",
        "different",
        "told apart by a number",
        "similar across scripts",
    ),
)
INDUSTRY = Field(
    "industry",
    (
        "missing",
        "same",
        "part of the other",
        "overlapping",
        "different",
        "one side only",
        "part, though both names are whole",
    ),
)
REGION = Field(
    "region in the name",
    (
        "missing",
        "same",
        "city and its province",
        "different",
        "one side, the other's city agrees",
        "one side, the other's city differs",
        "one side only",
        "same, at another place of the name",
    ),
)
FORM = Field(
    "legal form",
    (
        "missing",
        "same",
        "group on one side only",
        "different",
        "one side only",
        "different Western forms",
        "group on one side, the other's form open",
    ),
)
BRANCH = Field("branch", ("missing", "same", "different", "one side only"))
NUMBERS = Field("numbers in the name", ("missing", "same", "different", "one side only"))
WORDS = Field(
    "whole name",
    (
        "missing",
        "same",
        "one edit",
        "very similar",
        "similar",
        "somewhat similar",
        "different",
        "all words of one in the other",
        "a placeholder",
    ),
)
NAME = Field(
    "name",
    (
        "missing",
        *_held("same characters"),
        *_held("same in Latin script"),
        "same but a nickname",
        "same but an initial",
        "same family name, no given name",
        "given name misspelt",
        "family name misspelt",
        "same family name, given names in two scripts",
        "same family name only",
        "same given name only",
        "similar",
        "different",
        "same sound, other characters",
        "a placeholder",
    ),
)
MIDDLE = Field("middle name", ("missing", "same initial", "different"))
BIRTH = Field(
    "birth date",
    (
        "missing",
        "same",
        "same year, day unknown",
        "one slip",
        "same year",
        "same day and month",
        "different",
        "two digits differ",
        "within two months",
    ),
)
MOBILE = Field("mobile", ("missing", *_held("same"), "one digit differs", "different"))
PHONE = Field("phone", ("missing", *_held("same"), "one digit differs", "different"))
MAIL = Field(
    "mail",
    (
        "missing",
        *_held("same", HELD_3),
        *_held("same role mailbox", HELD_3),
        "same user elsewhere",
        "typing error",
        "different at one domain",
        "different",
        "told apart by a number",
        "similar",
        "another role mailbox of one domain",
        "told apart by a number, one domain",
        "different, both private",
        "nearly the same elsewhere",
        "same user, domain misspelt",
        "numbered at work on one side",
    ),
)
DOMAIN = Field("domain", ("missing", *_held("same"), "different", "misspelt"))
EMPLOYER = Field(
    "employer", ("missing", "same", "same brand, other company", "similar", "different")
)
ADDRESS = Field(
    "address",
    (
        "missing",
        *_held("same room", HELD_3),
        *_held("same house", HELD_3),
        "same house, other room",
        "same number, road alike",
        "same road, other number",
        "different",
    ),
)
CITY = Field("city", ("missing", "same", "same province", "similar", "different"))
POSTCODE = Field("postcode", ("missing", "same", "same area", "different"))
SOURCE = Field("source", ("missing", "same", "different"))

OTHER_NAMES = Field(  # what names say that are not the two that agree best
    "other names",
    (
        "missing",
        "another trade",
        "another place",
        "another form",
        "another number",
        "another given name",
        "another name",
    ),
)

COMPANY_NAME = (BRAND, INDUSTRY, REGION, FORM, BRANCH, NUMBERS, WORDS)
PERSON_NAME = (NAME, MIDDLE)
PLACE = (ADDRESS, CITY, POSTCODE)
SHARED = (TAX, MOBILE, PHONE, MAIL, DOMAIN, SOURCE)
PERSON_ONLY = (BIRTH, EMPLOYER)


def level(field: Field, name: str) -> int:
    return field.levels.index(name)


# ---- how many hold a value -----------------------------------------------------

COUNTED = (
    ("records", "phone"),
    ("records", "mail"),
    ("records", "domain"),
    ("names", "latin"),
    ("addresses", "house"),
)


@dataclass(slots=True)
class Holders:
    """For each value of a counted column, how many customers hold it; and who is who.

    `customer` gives each record its customer, so far as known: the record itself at first.
    """

    counts: dict[str, Ints]
    customer: Ints

    def others(self, name: str, rows: Ints, position: int | None, pairs: "Pairs") -> Ints:
        """Holders besides the two records' own customers."""
        counts = self.counts[name]
        held = counts[rows] if position is None else counts[rows, position]
        same = self.customer[pairs.left] == self.customer[pairs.right]
        return np.maximum(0, held - np.where(same, 1, 2))


@dataclass(slots=True)
class Pairs:
    """Rows of the table to compare: `left[i]` with `right[i]`."""

    left: Ints
    right: Ints

    def __len__(self) -> int:
        return len(self.left)

    def only(self, which: Flags | Ints) -> "Pairs":
        return Pairs(self.left[which], self.right[which])


# ---- small vector tools ---------------------------------------------------------


def similarity(texts_left: Sequence[str], texts_right: Sequence[str]) -> npt.NDArray[np.float32]:
    return process.cpdist(
        texts_left, texts_right, scorer=JaroWinkler.normalized_similarity, dtype=np.float32
    )


def edits(
    texts_left: Sequence[str], texts_right: Sequence[str], most: int = 3
) -> npt.NDArray[np.int32]:
    """Insertions, deletions, replacements and swaps of neighbours; `most + 1` stands for more."""
    return process.cpdist(
        texts_left, texts_right, scorer=OSA.distance, score_cutoff=most, dtype=np.int32
    )


def _lengths(texts: Sequence[str]) -> Ints:
    return np.fromiter(map(len, texts), np.int64, len(texts))


def _both(a: Ints, b: Ints) -> Flags:
    out: Flags = (a != 0) & (b != 0)
    return out


def _one(a: Ints, b: Ints) -> Flags:
    out: Flags = (a != 0) ^ (b != 0)
    return out


def _set(out: Levels, where: Flags, value: int) -> None:
    out[where] = value


def _held_level(first: int, others: Ints, edges: Ints) -> Levels:
    return (first + np.searchsorted(edges, others, side="right")).astype(np.int16)


# ---- facts of the whole record ---------------------------------------------------


def tax_levels(table: Table, pairs: Pairs) -> Levels:
    out = np.zeros(len(pairs), np.int16)
    tax, hard, scheme = (table.records[c] for c in ("tax", "tax_hard", "tax_scheme"))
    same = np.zeros(len(pairs), bool)
    proven_same, clash, compared = same.copy(), same.copy(), same.copy()
    for i in range(tax.shape[1]):
        for j in range(tax.shape[1]):
            a, b = tax[pairs.left, i], tax[pairs.right, j]
            there = _both(a, b)
            equal = there & (a == b)
            proven = there & (hard[pairs.left, i] == 1) & (hard[pairs.right, j] == 1)
            compared |= there
            same |= equal
            proven_same |= equal & proven
            clash |= proven & ~equal & (scheme[pairs.left, i] == scheme[pairs.right, j])
    _set(out, compared, level(TAX, "different"))
    _near_tax(table, pairs, out)
    _set(out, same, level(TAX, "same, unproven"))
    _set(out, clash, level(TAX, "different, proven"))
    _set(out, proven_same & ~clash, level(TAX, "same"))
    return out


def _near_tax(table: Table, pairs: Pairs, out: Levels) -> None:
    open_rows = np.flatnonzero(out != MISSING)
    some = pairs.only(open_rows)
    texts = table.records.texts["tax"]
    near = edits(texts.take(some.left), texts.take(some.right), 1) == 1
    out[open_rows[near]] = level(TAX, "one character differs")


def phone_levels(table: Table, pairs: Pairs, holders: Holders) -> Levels:
    """Two columns: mobiles beside mobiles, and lines beside lines.

    A number that only one of the two sources calls a mobile is still the same number.
    """
    phone, mobile = table.records["phone"], table.records["mobile"]
    seen = {name: _Numbers(len(pairs)) for name in ("mobile", "line")}
    for i in range(phone.shape[1]):
        for j in range(phone.shape[1]):
            a, b = phone[pairs.left, i], phone[pairs.right, j]
            there = _both(a, b)
            if not there.any():
                continue
            equal = there & (a == b)
            others = holders.others("phone", pairs.left, i, pairs)
            left, right = mobile[pairs.left, i] == 1, mobile[pairs.right, j] == 1
            near = there & ~equal & _one_digit(a, b)
            seen["mobile"].add(equal & (left | right), there & left & right, near, others)
            seen["line"].add(equal & ~left & ~right, there & ~left & ~right, near, others)
    return np.stack([seen["mobile"].levels(MOBILE), seen["line"].levels(PHONE)], axis=1)


class _Numbers:
    """What the numbers of one sort say: the rarest that agrees, else how the others differ."""

    def __init__(self, size: int) -> None:
        self.few = np.full(size, np.iinfo(np.int64).max)
        self.compared = np.zeros(size, bool)
        self.near = np.zeros(size, bool)

    def add(self, equal: Flags, compared: Flags, near: Flags, others: Ints) -> None:
        self.few = np.where(equal, np.minimum(self.few, others), self.few)
        self.compared |= compared
        self.near |= compared & near

    def levels(self, known: Field) -> Levels:
        out = np.where(self.compared, level(known, "different"), MISSING).astype(np.int16)
        _set(out, self.near, level(known, "one digit differs"))
        agreed = self.few < np.iinfo(np.int64).max
        out[agreed] = _held_level(1, self.few[agreed], HELD_EDGES)
        return out


def _one_digit(a: Ints, b: Ints) -> Flags:
    """Whether two numbers of more than seven digits differ in one digit's value."""
    gap = np.abs(a - b)
    stripped = gap.copy()
    for _ in range(12):
        more = (stripped != 0) & (stripped % 10 == 0)
        if not more.any():
            break
        stripped[more] //= 10
    out: Flags = (stripped > 0) & (stripped < 10) & (np.minimum(a, b) > 10_000_000)
    return out


def mail_levels(table: Table, pairs: Pairs, holders: Holders) -> Levels:
    out = np.zeros(len(pairs), np.int16)
    mail, user, role, free = (
        table.records[c] for c in ("mail", "mail_user", "mail_role", "mail_free")
    )
    few = np.full(len(pairs), np.iinfo(np.int64).max)
    best_role, elsewhere = np.zeros(len(pairs), bool), np.zeros(len(pairs), bool)
    compared, private, one_domain = (elsewhere.copy() for _ in range(3))
    home = table.records["mail_home"]
    for i in range(mail.shape[1]):
        for j in range(mail.shape[1]):
            a, b = mail[pairs.left, i], mail[pairs.right, j]
            there = _both(a, b)
            equal = there & (a == b)
            others = holders.others("mail", pairs.left, i, pairs)
            is_role = role[pairs.left, i] == 1
            better = equal & (others < few)
            few[better] = others[better]
            best_role = np.where(better, is_role, best_role)
            compared |= there
            both_free = (free[pairs.left, i] == 1) & (free[pairs.right, j] == 1)
            private |= there & both_free
            one_domain |= there & ~both_free & (home[pairs.left, i] == home[pairs.right, j])
            elsewhere |= there & (user[pairs.left, i] == user[pairs.right, j]) & ~is_role
    _set(out, compared, level(MAIL, "different"))
    _set(out, private, level(MAIL, "different, both private"))
    roles = (role[pairs.left, 0] == 1) | (role[pairs.right, 0] == 1)
    _set(out, one_domain & ~roles, level(MAIL, "different at one domain"))
    _set(out, one_domain & roles, level(MAIL, "another role mailbox of one domain"))
    _near_mail(table, pairs, out)
    numbered = (table.records["mail_numbered"] == 1).any(axis=1)
    plain = (out == MISSING) | (out == level(MAIL, "different"))
    second_of_a_name = plain & (numbered[pairs.left] | numbered[pairs.right])
    _set(out, second_of_a_name, level(MAIL, "numbered at work on one side"))
    _set(out, elsewhere, level(MAIL, "same user elsewhere"))
    misspelt = _misspelt_domains(table, pairs, np.flatnonzero(elsewhere))
    out[misspelt] = level(MAIL, "same user, domain misspelt")
    agreed = few < np.iinfo(np.int64).max
    first = np.where(best_role[agreed], 1 + len(HELD_3), 1)
    out[agreed] = first + _held_level(0, few[agreed], HELD_EDGES_3)
    return out


def _near_mail(table: Table, pairs: Pairs, out: Levels) -> None:
    _similar_mail(table, pairs, out)
    open_rows = np.flatnonzero(out != MISSING)
    some = pairs.only(open_rows)
    left = table.records.texts["mail_user"].take(some.left)
    right = table.records.texts["mail_user"].take(some.right)
    longest = np.maximum(_lengths(left), _lengths(right))
    personal = table.records["mail_role"][some.left, 0] == 0
    near = (edits(left, right, 1) == 1) & (longest >= 5) & personal
    home = table.records["mail_home"]
    one_home = home[some.left, 0] == home[some.right, 0]
    out[open_rows[near & one_home]] = level(MAIL, "typing error")
    out[open_rows[near & ~one_home]] = level(MAIL, "nearly the same elsewhere")
    stems = zip(left, right, strict=True)
    numbered = np.array(
        [a != b and a[:1] == b[:1] and _stem(a) == _stem(b) != "" for a, b in stems], bool
    )
    domain = table.records["domain"]
    a, b = domain[some.left, 0], domain[some.right, 0]
    out[open_rows[numbered]] = level(MAIL, "told apart by a number")
    colleagues = numbered & _both(a, b) & (a == b) & personal
    out[open_rows[colleagues]] = level(MAIL, "told apart by a number, one domain")


def _similar_mail(table: Table, pairs: Pairs, out: Levels) -> None:
    """Whole addresses, even such as no mail server would take."""
    texts = table.records.texts["mail"]
    told_apart = np.isin(
        out,
        [level(MAIL, "different at one domain"), level(MAIL, "another role mailbox of one domain")],
    )
    likely = texts.alike_from(pairs.left, pairs.right, 8)
    rows = np.flatnonzero(likely & ~told_apart)
    left, right = texts.take(pairs.left[rows]), texts.take(pairs.right[rows])
    near = process.cpdist(
        left,
        right,
        scorer=OSA.normalized_similarity,
        score_cutoff=0.75,
        dtype=np.float32,
    )
    found = np.flatnonzero(near > 0).tolist()
    sure = [
        i for i in found if left[i][:1] == right[i][:1] and min(len(left[i]), len(right[i])) >= 8
    ]
    out[rows[sure]] = level(MAIL, "similar")


def _misspelt_domains(table: Table, pairs: Pairs, rows: Ints) -> Ints:
    """Those of the rows where one slip or two lie between the domains, none a free provider's.

    The same name under another ending, or with letters added to it, is another firm's domain,
    and of two names in pinyin each is a name by itself.
    """
    free = table.records["mail_free"]
    own = (free[pairs.left[rows], 0] == 0) & (free[pairs.right[rows], 0] == 0)
    rows = rows[own]
    texts = table.records.texts["mail"]
    left, right = (
        [text.rpartition("@")[2] for text in texts.take(side[rows])]
        for side in (pairs.left, pairs.right)
    )
    longest = np.maximum(_lengths(left), _lengths(right))
    stems = [[text.partition(".")[0] for text in side] for side in (left, right)]
    room = np.maximum(*(_lengths(stem) for stem in stems))
    near = (edits(left, right, 3) * 4 <= room) & (longest >= 4)
    near &= np.minimum(_lengths(left), _lengths(right)) > 0
    found = np.flatnonzero(near).tolist()
    return rows[[i for i in found if not _chosen_apart(left[i], right[i])]]


def _chosen_apart(left: str, right: str) -> bool:
    (a, _, ending_a), (b, _, ending_b) = left.partition("."), right.partition(".")
    if a == b:
        return ending_a in ENDINGS and ending_b in ENDINGS
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    added = len(longer) - len(shorter) >= 2 and longer.startswith(shorter)
    return added or (is_spoken(a) and is_spoken(b))


def _stem(user: str) -> str:
    return user.rstrip("0123456789._-")


def domain_levels(table: Table, pairs: Pairs, holders: Holders) -> Levels:
    out = np.zeros(len(pairs), np.int16)
    domain = table.records["domain"]
    few = np.full(len(pairs), np.iinfo(np.int64).max)
    compared = np.zeros(len(pairs), bool)
    for i in range(domain.shape[1]):
        for j in range(domain.shape[1]):
            a, b = domain[pairs.left, i], domain[pairs.right, j]
            there = _both(a, b)
            others = holders.others("domain", pairs.left, i, pairs)
            equal = there & (a == b)
            few = np.where(equal, np.minimum(few, others), few)
            compared |= there
    agreed = few < np.iinfo(np.int64).max
    _set(out, compared, level(DOMAIN, "different"))
    apart = np.flatnonzero(compared & ~agreed)
    out[_misspelt_domains(table, pairs, apart)] = level(DOMAIN, "misspelt")
    out[agreed] = _held_level(1, few[agreed], HELD_EDGES)
    return out


def birth_levels(table: Table, pairs: Pairs) -> Levels:
    a, b = table.records["birth"][pairs.left], table.records["birth"][pairs.right]
    out = np.zeros(len(pairs), np.int16)
    there = _both(a, b)
    year_a, year_b, day_a, day_b = a // 10000, b // 10000, a % 10000, b % 10000
    _set(out, there, level(BIRTH, "different"))
    _set(out, there & (day_a == day_b) & (day_a > 101), level(BIRTH, "same day and month"))
    _set(out, there & (year_a == year_b), level(BIRTH, "same year"))
    whole = there & (day_a > 101) & (day_b > 101)
    digits = _digits_apart(a, b)
    _set(out, whole & (digits == 2), level(BIRTH, "two digits differ"))
    _set(out, whole & (np.abs(_days(a) - _days(b)) <= 62), level(BIRTH, "within two months"))
    swapped = (year_a == year_b) & (day_a // 100 == day_b % 100) & (day_a % 100 == day_b // 100)
    _set(out, there & (swapped | (digits == 1)), level(BIRTH, "one slip"))
    vague = (year_a == year_b) & ((day_a <= 101) | (day_b <= 101))
    _set(out, there & vague, level(BIRTH, "same year, day unknown"))
    _set(out, there & (a == b) & (day_a > 101), level(BIRTH, "same"))
    return out


def _digits_apart(a: Ints, b: Ints) -> Ints:
    different = np.zeros(len(a), np.int64)
    for power in range(8):
        different += (a // 10**power % 10) != (b // 10**power % 10)
    return different


def _days(date: Ints) -> Ints:
    """Days on a calendar of equal months: near enough to tell what is close."""
    return date // 10000 * 372 + date % 10000 // 100 * 31 + date % 100


def source_levels(table: Table, pairs: Pairs) -> Levels:
    a, b = table.records["source"][pairs.left], table.records["source"][pairs.right]
    return np.where(_both(a, b), np.where(a == b, 1, 2), 0).astype(np.int16)


def employer_levels(table: Table, pairs: Pairs) -> Levels:
    records = table.records
    a, b = records["employer"][pairs.left], records["employer"][pairs.right]
    out = np.zeros(len(pairs), np.int16)
    there = _both(a, b)
    _set(out, there, level(EMPLOYER, "different"))
    apart = np.flatnonzero(there & (a != b))
    texts = records.texts["employer"]
    left, right = texts.take(pairs.left[apart]), texts.take(pairs.right[apart])
    near = (
        (edits(left, right, 1) <= 1) | (similarity(left, right) >= 0.9) | _prefixed(left, right, 4)
    )
    out[apart[near]] = level(EMPLOYER, "similar")
    same = there & (a == b)
    _set(out, same, level(EMPLOYER, "same"))
    region_a, region_b = (records["employer_region"][rows] for rows in (pairs.left, pairs.right))
    other_place = _both(region_a, region_b) & (region_a != region_b)
    trade = _industry(
        *(
            records[c][rows]
            for rows in (pairs.left, pairs.right)
            for c in ("employer_low", "employer_high")
        )
    )
    _set(
        out,
        same & (other_place | (trade == level(INDUSTRY, "different"))),
        level(EMPLOYER, "same brand, other company"),
    )
    return out


def _prefixed(left: Sequence[str], right: Sequence[str], least: int) -> Flags:
    pairs = zip(left, right, strict=True)
    return np.array(
        [min(len(a), len(b)) >= least and (a.startswith(b) or b.startswith(a)) for a, b in pairs],
        bool,
    )


# ---- names of companies -----------------------------------------------------------


def brand_levels(names: Columns, rows: Pairs, others: Ints) -> Levels:
    key_a, key_b = names["key"][rows.left], names["key"][rows.right]
    latin_a, latin_b = names["latin"][rows.left], names["latin"][rows.right]
    han = (names["han"][rows.left] == 1) & (names["han"][rows.right] == 1)
    out = np.zeros(len(rows), np.int16)
    there = _both(latin_a, latin_b)
    apart = np.flatnonzero(there & (latin_a != latin_b))
    out[apart] = _unequal_brands(names, rows.only(apart), han[apart])
    spoken = there & (latin_a == latin_b)
    out[spoken] = _held_level(
        level(BRAND, "same across scripts, held by them alone"), others[spoken], HELD_EDGES_3
    )
    _set(out, spoken & han, level(BRAND, "same sound"))
    written = there & (key_a == key_b)
    out[written] = _held_level(1, others[written], HELD_EDGES)
    return out


def _unequal_brands(names: Columns, rows: Pairs, han: Flags) -> Levels:
    left, right = (
        names.texts["latin_text"].take(rows.left),
        names.texts["latin_text"].take(rows.right),
    )
    out = np.full(len(rows), level(BRAND, "different"), np.int16)
    alike = similarity(left, right) >= 0.88
    _set(out, alike, level(BRAND, "similar"))
    scripts = names["han"][rows.left] != names["han"][rows.right]
    _set(out, alike & scripts, level(BRAND, "similar across scripts"))
    shortest = np.minimum(_lengths(left), _lengths(right))
    _set(out, (edits(left, right, 1) <= 1) & (shortest >= 4), level(BRAND, "typing error"))
    contained = np.array(
        [min(len(a), len(b)) >= 4 and (a in b or b in a) for a, b in zip(left, right, strict=True)],
        bool,
    )
    _set(out, contained, level(BRAND, "one contains the other"))
    _chinese_brands(names, rows, han, out)
    numbers = [names["numbers"][side] for side in (rows.left, rows.right)]
    counted_up = _both(*numbers) & (numbers[0] != numbers[1])
    _set(
        out, counted_up & (out != level(BRAND, "different")), level(BRAND, "told apart by a number")
    )
    return out


def _chinese_brands(names: Columns, rows: Pairs, han: Flags, out: Levels) -> None:
    """Among characters a swap or a lost one is a slip, but a replaced one is another brand."""
    both = np.flatnonzero(han)
    left = names.texts["text"].take(rows.left[both])
    right = names.texts["text"].take(rows.right[both])
    distance, same_length = edits(left, right, 1), _lengths(left) == _lengths(right)
    longest = np.maximum(_lengths(left), _lengths(right))
    unlike = process.cpdist(left, right, scorer=Hamming.distance, score_cutoff=1, dtype=np.int32)
    replaced = same_length & (unlike == 1)
    slip = (distance <= 1) & ~replaced & (longest >= 2)
    grown = _prefixed(left, right, 2)
    out[both[slip & (same_length | ~grown)]] = level(BRAND, "typing error")
    out[both[grown]] = level(BRAND, "one contains the other")
    out[both[replaced]] = level(BRAND, "one character replaced")


def _industry(low_a: Ints, high_a: Ints, low_b: Ints, high_b: Ints) -> Levels:
    out = np.zeros(len(low_a), np.int16)
    some_a, some_b = (low_a | high_a) != 0, (low_b | high_b) != 0
    both = some_a & some_b
    low, high = low_a & low_b, high_a & high_b
    _set(out, both, level(INDUSTRY, "different"))
    _set(out, both & ((low | high) != 0), level(INDUSTRY, "overlapping"))
    inside = ((low == low_a) & (high == high_a)) | ((low == low_b) & (high == high_b))
    _set(out, both & inside, level(INDUSTRY, "part of the other"))
    _set(out, both & (low_a == low_b) & (high_a == high_b), level(INDUSTRY, "same"))
    _set(out, some_a ^ some_b, level(INDUSTRY, "one side only"))
    return out


def _region(names: Columns, rows: Pairs, city_left: Ints, city_right: Ints) -> Levels:
    a, b = names["region"][rows.left], names["region"][rows.right]
    province_a, province_b = names["province"][rows.left], names["province"][rows.right]
    out = np.zeros(len(rows), np.int16)
    one, both = _one(a, b), _both(a, b)
    named, city = np.where(a != 0, a, b), np.where(a != 0, city_right, city_left)
    _set(out, one, level(REGION, "one side only"))
    _set(out, one & (city != 0), level(REGION, "one side, the other's city differs"))
    _set(out, one & (city == named), level(REGION, "one side, the other's city agrees"))
    _set(out, both, level(REGION, "different"))
    wide = (province_a == province_b) & ((a == province_a) | (b == province_b))
    _set(out, both & wide, level(REGION, "city and its province"))
    _set(out, both & (a == b), level(REGION, "same"))
    seat_a, seat_b = names["seat"][rows.left], names["seat"][rows.right]
    moved = both & (a == b) & _both(seat_a, seat_b) & (seat_a != seat_b)
    _set(out, moved, level(REGION, "same, at another place of the name"))
    return out


def _same_or_not(a: Ints, b: Ints) -> Levels:
    """1 same, 2 different, 3 one side only: branches and numbers."""
    out = np.where(_both(a, b), np.where(a == b, 1, 2), 0)
    return np.where(_one(a, b), 3, out).astype(np.int16)


def _form(names: Columns, rows: Pairs) -> Levels:
    a, b = names["form"][rows.left], names["form"][rows.right]
    out = np.where(_both(a, b), np.where(a == b, 1, level(FORM, "different")), 0)
    out = np.where(_one(a, b), level(FORM, "one side only"), out)
    western = (a != b) & (a >= ord("A")) & (a <= ord("Z")) & (b >= ord("A")) & (b <= ord("Z"))
    out = np.where(western, level(FORM, "different Western forms"), out)
    named = _both(names["latin"][rows.left], names["latin"][rows.right])
    lone = (names["group"][rows.left] != names["group"][rows.right]) & named & ~western
    out = np.where(lone, level(FORM, "group on one side only"), out)
    open_form = np.where(names["group"][rows.left] != 0, b, a) == 0
    unsaid = level(FORM, "group on one side, the other's form open")
    return np.where(lone & open_form, unsaid, out).astype(np.int16)


def _words(names: Columns, rows: Pairs) -> Levels:
    """Whole names, where both are written in one script."""
    a, b = names["words"][rows.left], names["words"][rows.right]
    out = np.zeros(len(rows), np.int16)
    comparable = _both(a, b) & (names["han"][rows.left] == names["han"][rows.right])
    apart = np.flatnonzero(comparable & (a != b))
    texts = names.texts["other_text"]
    left, right = texts.take(rows.left[apart]), texts.take(rows.right[apart])
    alike = token_similarity(left, right)
    grade = np.digitize(-alike, [-0.92, -0.8, -0.6]).astype(np.int16)
    out[apart] = level(WORDS, "very similar") + grade
    inside = zip(left, right, strict=True)
    held = np.array([(" " in a or " " in b) and _words_inside(a, b) for a, b in inside], bool)
    out[apart[held]] = level(WORDS, "all words of one in the other")
    out[apart[edits(left, right, 1) <= 1]] = level(WORDS, "one edit")
    out[comparable & (a == b)] = level(WORDS, "same")
    _set(out, _placeholder(names, rows), level(WORDS, "a placeholder"))
    return out


def _placeholder(names: Columns, rows: Pairs) -> Flags:
    out: Flags = (names["placeholder"][rows.left] | names["placeholder"][rows.right]) != 0
    return out


def _words_inside(left: str, right: str) -> bool:
    a, b = set(left.split()), set(right.split())
    fewer = a if len(a) <= len(b) else b
    return (a <= b or b <= a) and sum(map(len, fewer)) >= 4


def token_similarity(left: Sequence[str], right: Sequence[str]) -> npt.NDArray[np.float32]:
    """The better of the names as they stand and with their words in alphabetical order."""
    alike = similarity(left, right)
    several = [i for i, (a, b) in enumerate(zip(left, right, strict=True)) if " " in a or " " in b]
    ordered = similarity([_sorted(left[i]) for i in several], [_sorted(right[i]) for i in several])
    alike[several] = np.maximum(alike[several], ordered)
    return alike


def _sorted(text: str) -> str:
    return " ".join(sorted(text.split()))


def company_name_levels(table: Table, owners: Pairs, rows: Pairs, others: Ints) -> Levels:
    names = table.names
    first = table.addresses["city"][table.address_start[:-1]]
    trade = _industry(
        *(names[c][side] for side in (rows.left, rows.right) for c in ("low", "high"))
    )
    whole = np.logical_and.reduce(
        [(names["han"][side] == 1) & (names["form"][side] != 0) for side in (rows.left, rows.right)]
    )
    _set(
        trade,
        whole & (trade == level(INDUSTRY, "part of the other")),
        level(INDUSTRY, "part, though both names are whole"),
    )
    return np.stack(
        [
            brand_levels(names, rows, others),
            trade,
            _region(names, rows, first[owners.left], first[owners.right]),
            _form(names, rows),
            _same_or_not(names["branch"][rows.left], names["branch"][rows.right]),
            _same_or_not(names["numbers"][rows.left], names["numbers"][rows.right]),
            _words(names, rows),
        ],
        axis=1,
    )


def company_conflicts(found: Levels) -> Levels:
    """Where two names of one brand name two companies nevertheless, as a level of OTHER_NAMES."""
    columns = dict(zip((f.name for f in COMPANY_NAME), found.T, strict=True))
    out = np.zeros(len(found), np.int16)
    same = _starts(BRAND, "same, ", "same across")[columns["brand"]]
    for text, known, starts in (
        ("another form", FORM, ("group on one side only", "different Western")),
        ("another place", REGION, ("different",)),
        ("another trade", INDUSTRY, ("different", "part, though")),
        ("another number", NUMBERS, ("different",)),
    ):
        apart = same & _starts(known, *starts)[columns[known.name]]
        _set(out, apart, level(OTHER_NAMES, text))
    return out


def person_conflicts(found: Levels) -> Levels:
    """The same of two names of persons."""
    out = np.zeros(len(found), np.int16)
    named = found[:, 0]
    other = _starts(NAME, "different", "same given name only")[named]
    _set(out, other, level(OTHER_NAMES, "another name"))
    given = _starts(NAME, "same family name only")[named]
    _set(out, given, level(OTHER_NAMES, "another given name"))
    return out


def _starts(known: Field, *starts: str) -> Flags:
    return np.array([text.startswith(starts) for text in known.levels], bool)


# ---- names of persons ---------------------------------------------------------------


def person_name_levels(table: Table, _owners: Pairs, rows: Pairs, others: Ints) -> Levels:
    names = table.names
    middle_a, middle_b = names["middle"][rows.left], names["middle"][rows.right]
    middle = np.where(_both(middle_a, middle_b), np.where(middle_a == middle_b, 1, 2), 0)
    return np.stack([_person_levels(names, rows, others), middle.astype(np.int16)], axis=1)


def _person_levels(names: Columns, rows: Pairs, others: Ints) -> Levels:
    left = {
        c: names[c][rows.left]
        for c in ("key", "latin", "family", "given", "root", "initial", "words", "han", "form")
    }
    right = {c: names[c][rows.right] for c in left}
    out = np.zeros(len(rows), np.int16)
    there = _both(left["latin"], right["latin"])
    apart = np.flatnonzero(there & (left["latin"] != right["latin"]))
    some_left = {c: v[apart] for c, v in left.items()}
    some_right = {c: v[apart] for c, v in right.items()}
    out[apart] = _unequal_persons(names, rows.only(apart), some_left, some_right)
    spoken = there & (left["latin"] == right["latin"])
    out[spoken] = _held_level(
        level(NAME, "same in Latin script, held by them alone"), others[spoken], HELD_EDGES
    )
    written = _both(left["key"], right["key"])
    _set(
        out,
        spoken & written & (left["key"] != right["key"]),
        level(NAME, "same sound, other characters"),
    )
    same = written & (left["key"] == right["key"])
    out[same] = _held_level(1, others[same], HELD_EDGES)
    _set(out, _placeholder(names, rows), level(NAME, "a placeholder"))
    return out


def _unequal_persons(
    names: Columns, rows: Pairs, left: Mapping[str, Ints], right: Mapping[str, Ints]
) -> Levels:
    out = np.full(len(rows), level(NAME, "different"), np.int16)
    families = _take_two(names, "latin_text", rows)
    givens = _take_two(names, "other_text", rows)
    family_alike, given_alike = _alike(*families), _alike(*givens)
    spoken = _both(left["form"], right["form"])
    doubted = np.flatnonzero(given_alike & spoken)
    given_alike[doubted] = _syllable_lost(*([side[i] for i in doubted] for side in givens))
    family_same = _both(left["family"], right["family"]) & (left["family"] == right["family"])
    given_both = _both(left["given"], right["given"])
    given_same = given_both & (left["given"] == right["given"])
    crossed = _alike(families[0], givens[1]) & _alike(givens[0], families[1])
    _set(out, (family_alike & given_alike) | (crossed & given_both), level(NAME, "similar"))
    _set(out, given_same, level(NAME, "same given name only"))
    _set(out, given_same & family_alike, level(NAME, "family name misspelt"))
    _set(out, family_same & given_both, level(NAME, "same family name only"))
    two_scripts = (left["han"] != right["han"]) & ~_both(left["form"], right["form"])
    _set(
        out,
        family_same & given_both & two_scripts,
        level(NAME, "same family name, given names in two scripts"),
    )
    _set(out, family_same & given_alike, level(NAME, "given name misspelt"))
    _set(out, family_same & ~given_both, level(NAME, "same family name, no given name"))
    short = (left["words"] == 1) | (right["words"] == 1)
    _set(
        out,
        family_same & short & (left["initial"] == right["initial"]) & given_both,
        level(NAME, "same but an initial"),
    )
    nick = _both(left["root"], right["root"]) & (left["root"] == right["root"])
    _set(out, family_same & nick, level(NAME, "same but a nickname"))
    return out


def _syllable_lost(left: Sequence[str], right: Sequence[str]) -> Flags:
    """Of two names in pinyin each is a name by itself: they are one only if it is cut or turned."""
    return np.array([_cut_or_turned(a, b) for a, b in zip(left, right, strict=True)], bool)


def _cut_or_turned(a: str, b: str) -> bool:
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    if longer.startswith(shorter) and is_spoken(longer[len(shorter) :]):
        return True
    if longer.endswith(shorter) and is_spoken(longer[: -len(shorter)]):
        return True
    return sorted(a) == sorted(b)


def _take_two(names: Columns, text: str, rows: Pairs) -> tuple[list[str], list[str]]:
    return names.texts[text].take(rows.left), names.texts[text].take(rows.right)


def _alike(left: Sequence[str], right: Sequence[str]) -> Flags:
    """One slip, or close enough by Jaro-Winkler; words under three letters are never alike."""
    shortest = np.minimum(_lengths(left), _lengths(right))
    return (shortest >= 3) & ((edits(left, right, 1) <= 1) | (similarity(left, right) >= 0.88))


# ---- places ------------------------------------------------------------------------


def place_levels(table: Table, _owners: Pairs, rows: Pairs, others: Ints) -> Levels:
    addresses = table.addresses
    return np.stack(
        [_address(addresses, rows, others), _city(addresses, rows), _postcode(addresses, rows)],
        axis=1,
    )


def _address(addresses: Columns, rows: Pairs, others: Ints) -> Levels:
    left, right = (
        {c: addresses[c][side] for c in ("road", "number", "room", "building")}
        for side in (rows.left, rows.right)
    )
    out = np.zeros(len(rows), np.int16)
    there = _both(left["road"], right["road"])
    number_same = _both(left["number"], right["number"]) & (left["number"] == right["number"])
    road_same = there & (left["road"] == right["road"])
    _set(out, there, level(ADDRESS, "different"))
    _set(out, road_same, level(ADDRESS, "same road, other number"))
    numberless = road_same & (left["number"] == 0) & (right["number"] == 0)
    apart = np.flatnonzero(
        there & ~road_same & (number_same | ((left["number"] == 0) & (right["number"] == 0)))
    )
    roads = addresses.texts["road"]
    alike = similarity(roads.take(rows.left[apart]), roads.take(rows.right[apart])) >= 0.8
    out[apart[alike]] = level(ADDRESS, "same number, road alike")
    house = (road_same & number_same) | numberless
    out[house] = _held_level(
        level(ADDRESS, "same house, held by them alone"), others[house], HELD_EDGES_3
    )
    rooms = _both(left["room"], right["room"])
    same_room = house & rooms & (left["room"] == right["room"])
    out[same_room] = _held_level(1, others[same_room], HELD_EDGES_3)
    buildings = _both(left["building"], right["building"]) & (left["building"] != right["building"])
    _set(
        out,
        house & ((rooms & (left["room"] != right["room"])) | buildings),
        level(ADDRESS, "same house, other room"),
    )
    return out


def _city(addresses: Columns, rows: Pairs) -> Levels:
    a, b = addresses["city"][rows.left], addresses["city"][rows.right]
    province_a, province_b = addresses["province"][rows.left], addresses["province"][rows.right]
    out = np.zeros(len(rows), np.int16)
    there = _both(a, b)
    provinces = _both(province_a, province_b)
    _set(out, there, level(CITY, "different"))
    apart = np.flatnonzero(there & (a != b))
    texts = addresses.texts["city"]
    alike = _alike(texts.take(rows.left[apart]), texts.take(rows.right[apart]))
    _set(out, provinces & (province_a == province_b), level(CITY, "same province"))
    out[apart[alike]] = level(CITY, "similar")
    _set(out, there & (a == b), level(CITY, "same"))
    return out


def _postcode(addresses: Columns, rows: Pairs) -> Levels:
    a, b = addresses["postcode"][rows.left], addresses["postcode"][rows.right]
    out = np.zeros(len(rows), np.int16)
    there = _both(a, b)
    _set(out, there, level(POSTCODE, "different"))
    apart = np.flatnonzero(there & (a != b))
    texts = addresses.texts["postcode"]
    left, right = texts.take(rows.left[apart]), texts.take(rows.right[apart])
    near = (edits(left, right, 1) <= 1) | np.array(
        [x[:3] == y[:3] for x, y in zip(left, right, strict=True)], bool
    )
    out[apart[near]] = level(POSTCODE, "same area")
    _set(out, there & (a == b), level(POSTCODE, "same"))
    return out


# ---- columns without a rule of their own ------------------------------------------------

EXTRA_LEVELS = (
    "missing",
    *_held("same"),
    "very similar",
    "similar",
    "somewhat similar",
    "different",
)


def extra_field(name: str) -> Field:
    return Field(name, EXTRA_LEVELS)


def extra_levels(table: Table, pairs: Pairs, holders: Holders, name: str) -> Levels:
    """Plain text, or a number, compared by likeness and by how many hold the value."""
    column = EXTRA + name
    a, b = table.records[column][pairs.left], table.records[column][pairs.right]
    out = np.zeros(len(pairs), np.int16)
    there = _both(a, b)
    apart = np.flatnonzero(there & (a != b))
    texts = table.records.texts[column]
    alike = text_likeness(texts.take(pairs.left[apart]), texts.take(pairs.right[apart]))
    grade = np.digitize(-alike, [-0.9, -0.75, -0.5]).astype(np.int16)
    out[apart] = EXTRA_LEVELS.index("very similar") + grade
    same = there & (a == b)
    out[same] = _held_level(1, holders.others(column, pairs.left, None, pairs)[same], HELD_EDGES)
    return out


def text_likeness(left: Sequence[str], right: Sequence[str]) -> npt.NDArray[np.float32]:
    """Between 0 and 1: shared words whatever their order; numbers by their ratio."""
    score = process.cpdist(left, right, scorer=fuzz.token_sort_ratio, dtype=np.float32) / 100
    values = [(_number(a), _number(b)) for a, b in zip(left, right, strict=True)]
    ratio = [min(a, b) / max(a, b) if a and b else -1.0 for a, b in values]
    numbers = np.array(ratio, np.float32)
    return np.where(numbers >= 0, numbers, score)


def _number(text: str) -> float:
    bare = text.lstrip("$€£¥ ").replace(",", "")
    return float(bare) if bare.replace(".", "", 1).isdigit() else 0.0


Details = Callable[[Table, Pairs, Pairs, Ints], Levels]
