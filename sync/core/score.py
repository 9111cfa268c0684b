"""Evidence weights: every pair's score is a bias plus named weights, in bits, that add up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from sync.core import levels as lv
from sync.core.columns import KIND_CODES, Ints, Table
from sync.core.levels import Field, Holders, Levels, Pairs

Floats = npt.NDArray[np.float64]
KIND_NAMES = {code: name for name, code in KIND_CODES.items()}
NAME_FIELDS = {"company": lv.COMPANY_NAME, "person": lv.PERSON_NAME, "other": lv.COMPANY_NAME}
FIELDS: Mapping[str, tuple[Field, ...]] = {
    kind: (
        *NAME_FIELDS[kind],
        *lv.PLACE,
        *lv.SHARED,
        *(lv.PERSON_ONLY if kind == "person" else ()),
        lv.OTHER_NAMES,
    )
    for kind in KIND_CODES
}
VETOES = (
    ("tax id", "different, proven"),
    ("branch", "different"),
    ("branch", "one side only"),
    ("numbers in the name", "different"),
    ("whole name", "a placeholder"),
    ("name", "a placeholder"),
)
ALONE = ("tax id", "same")
RENAMED = ("brand", ("missing", "different"))
# A subsidiary is often booked under its parent's number: then the rest tells the two apart.
NOT_ALONE = (
    ("industry", ("different",)),
    ("region in the name", ("different",)),
    ("legal form", ("group on one side only", "different Western forms")),
    ("brand", ("one character replaced", "told apart by a number")),
    ("branch", ("different", "one side")),
    ("city", ("different",)),
)
REFERENCE_SIZE = 10_000


@dataclass(frozen=True, slots=True)
class Weight:
    """One row of the waterfall."""

    field: str
    level: str
    bits: float


@dataclass(frozen=True, slots=True)
class Score:
    """Log-odds in bits that two records are one customer, and what they are made of."""

    bits: float
    weights: tuple[Weight, ...]
    veto: str = ""  # why this pair is never linked by itself
    decisive: str = ""  # the hard identifier that decides alone


@dataclass(frozen=True)
class KindModel:
    """The weights for one kind of party."""

    kind: str
    fields: tuple[Field, ...]
    weights: tuple[Floats, ...]  # one array per field, one weight per level
    bias: float
    size_slope: float  # bits per tenfold number of records
    extras: tuple[str, ...] = ()  # columns without a rule of their own; their fields stand last
    seen: tuple[tuple[Floats, Floats], ...] = ()  # per field: share of levels in matches, in others

    @cached_property
    def offsets(self) -> Ints:
        return np.concatenate([[0], np.cumsum([len(f.levels) for f in self.fields])[:-1]])

    @cached_property
    def flat(self) -> Floats:
        return np.concatenate(self.weights)

    @cached_property
    def named(self) -> list[list[Weight]]:
        """Every level's row of a waterfall."""
        return [
            [
                Weight(f.name, level, round(float(w), 2))
                for level, w in zip(f.levels, ws, strict=True)
            ]
            for f, ws in zip(self.fields, self.weights, strict=True)
        ]

    def bits(self, matrix: Levels, records: int) -> Floats:
        """The score of each row of levels, in a store of so many records."""
        total: Floats = np.full(len(matrix), self.base(records))
        for column, weights in enumerate(self.weights):
            total += weights[matrix[:, column]]
        return total

    def base(self, records: int) -> float:
        return self.bias + self.size_slope * float(np.log10(max(records, 10) / REFERENCE_SIZE))

    def part(self, fields: Sequence[Field], matrix: Levels) -> Floats:
        """The bits of some fields only, to choose the best of several names or addresses."""
        total: Floats = np.zeros(len(matrix))
        for column, wanted in enumerate(fields):
            total += self.weights[self.position(wanted.name)][matrix[:, column]]
        return total

    def position(self, name: str) -> int:
        return next(i for i, known in enumerate(self.fields) if known.name == name)


@dataclass(frozen=True)
class Model:
    """All weights, with the version that candidates and links remember."""

    version: str
    kinds: Mapping[str, KindModel] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Model":
        """A model from its JSON; levels that it does not name weigh nothing."""
        kinds = {kind: _kind_model(kind, stored["kinds"].get(kind, {})) for kind in KIND_CODES}
        return cls(str(stored["version"]), kinds)

    def to_dict(self) -> dict[str, Any]:
        return {"version": self.version, "kinds": {k: _kind_dict(m) for k, m in self.kinds.items()}}


def all_fields(kind: str) -> tuple[Field, ...]:
    return FIELDS[kind] + tuple(joint.field for joint in JOINTS[kind])


def _kind_model(kind: str, stored: Mapping[str, Any]) -> KindModel:
    fields, given = all_fields(kind), stored.get("fields", {})
    weights = tuple(
        np.array([float(given.get(f.name, {}).get(name, 0.0)) for name in f.levels]) for f in fields
    )
    return KindModel(
        kind=kind,
        fields=fields,
        weights=weights,
        bias=float(stored.get("bias", 0.0)),
        size_slope=float(stored.get("size_slope", 0.0)),
        seen=_seen(FIELDS[kind], stored.get("seen", {})),
    )


def _seen(fields: Sequence[Field], stored: Mapping[str, Any]) -> tuple[tuple[Floats, Floats], ...]:
    """The shares of levels that the shipped weights were learnt from; even ones where unknown."""
    found = []
    for known in fields:
        levels = stored.get(known.name, {})
        rows = np.array([levels.get(name, (0.0, 0.0)) for name in known.levels], np.float64) + 1e-4
        rows[0] = 0.0
        shares = rows / rows.sum(axis=0)
        found.append((shares[:, 0], shares[:, 1]))
    return tuple(found)


def _kind_dict(model: KindModel) -> dict[str, Any]:
    fields = {
        f.name: {name: round(float(w), 3) for name, w in zip(f.levels, weights, strict=True) if w}
        for f, weights in zip(model.fields, model.weights, strict=True)
    }
    stored: dict[str, Any] = {
        "bias": round(model.bias, 3),
        "size_slope": round(model.size_slope, 3),
        "fields": {name: weights for name, weights in fields.items() if weights},
    }
    if model.seen:
        stored["seen"] = {
            f.name: {
                n: [round(float(m), 5), round(float(u), 5)]
                for n, m, u in zip(f.levels, *both, strict=True)
                if m or u
            }
            for f, both in zip(model.fields, model.seen, strict=False)
        }
    return stored


# ---- fields read together ----------------------------------------------------------


@dataclass(frozen=True)
class Joint:
    """A level of its own for two groups of agreements that mean more, or less, together."""

    field: Field
    left: "Grouping"
    right: "Grouping"

    def levels(self, columns: Mapping[str, Levels]) -> npt.NDArray[np.int16]:
        right_size = len(self.right.names)
        code = self.left.of(columns).astype(np.int64) * right_size + self.right.of(columns)
        return code.astype(np.int16)


@dataclass(frozen=True)
class Grouping:
    """Levels of several fields folded into few classes; the first rule that fits wins."""

    names: tuple[str, ...]
    rules: tuple[tuple[int, tuple[tuple[str, tuple[str, ...]], ...]], ...]

    def of(self, columns: Mapping[str, Levels]) -> Levels:
        size = len(next(iter(columns.values())))
        out = np.zeros(size, np.int16)
        open_rows = np.ones(size, bool)
        for number, conditions in self.rules:
            fits = open_rows.copy()
            for name, starts in conditions:
                fits &= _class_table(name, starts)[columns[name]]
            out[fits] = number
            open_rows &= ~fits
        return out


BY_NAME = {f.name: f for kind in FIELDS.values() for f in kind}


@cache
def _class_table(name: str, starts: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    return _starting(BY_NAME[name], starts)


@cache
def _starting(known: Field, starts: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    return np.array([text.startswith(starts) for text in known.levels], bool)


def joint(name: str, left: Grouping, right: Grouping) -> Joint:
    levels = tuple(f"{a}; {b}" for a in left.names for b in right.names)
    return Joint(Field(name, ("missing", *levels[1:])), left, right)


Rule = tuple[tuple[str, tuple[str, ...]], ...]
SAME_BRAND = ("brand", ("same,", "same across"))
FULL_REGION = ("region in the name", ("same", "city and", "one side, the other's city agrees"))
NEAR_BRAND = ("brand", ("same sound", "typing error", "one contains", "similar"))
COMPANY_CALLED = Grouping(
    (
        "other",
        "branch on one side",
        "same brand, other form",
        "same brand, other trade",
        "same brand, other region",
        "same full name",
        "same brand, trade on one side",
        "same brand, region open",
        "same brand only",
        "brand alike, the rest the same",
        "one character replaced",
        "brand different",
        "same legal name",
        "same full name, form on one side",
        "same brand, region and form open",
        "brand misspelt",
        "brand contained",
        "brand similar",
    ),
    (
        (1, (("branch", ("one side", "different")),)),
        (2, (SAME_BRAND, ("legal form", ("group on one", "different")))),
        (3, (SAME_BRAND, ("industry", ("different", "overlapping", "part, though")))),
        (
            4,
            (
                SAME_BRAND,
                ("region in the name", ("different", "one side, the other's city differs")),
            ),
        ),
        (
            12,
            (
                SAME_BRAND,
                ("industry", ("same",)),
                ("legal form", ("same",)),
                ("whole name", ("same",)),
            ),
        ),
        (
            13,
            (
                SAME_BRAND,
                ("industry", ("same",)),
                FULL_REGION,
                ("legal form", ("missing", "one side")),
            ),
        ),
        (
            5,
            (
                SAME_BRAND,
                ("industry", ("same",)),
                FULL_REGION,
            ),
        ),
        (6, (SAME_BRAND, ("industry", ("one side",)))),
        (
            14,
            (
                SAME_BRAND,
                ("industry", ("same", "part")),
                ("legal form", ("missing", "one side")),
            ),
        ),
        (7, (SAME_BRAND, ("industry", ("same", "part")))),
        (8, (SAME_BRAND,)),
        (9, (NEAR_BRAND, ("whole name", ("one edit", "very similar")))),
        (15, (("brand", ("same sound", "typing error")),)),
        (16, (("brand", ("one contains",)),)),
        (17, (NEAR_BRAND,)),
        (10, (("brand", ("one character",)),)),
        (11, (("brand", ("different",)),)),
    ),
)
COMPANY_REACHED = Grouping(
    (
        "nothing",
        "private mail or mobile",
        "room and line",
        "room",
        "line and domain",
        "line",
        "role mailbox",
        "domain",
        "contradictions only",
    ),
    (
        (1, (("mail", ("same,", "typing")),)),
        (1, (("mobile", ("same",)),)),
        (2, (("address", ("same room", "same house,")), ("phone", ("same",)))),
        (3, (("address", ("same room", "same house,")),)),
        (4, (("phone", ("same",)), ("domain", ("same",)))),
        (5, (("phone", ("same",)),)),
        (6, (("mail", ("same role",)),)),
        (7, (("domain", ("same",)),)),
        (8, (("phone", ("different",)),)),
        (8, (("domain", ("different",)),)),
        (8, (("address", ("different",)),)),
    ),
)
PERSON_CALLED = Grouping(
    (
        "other",
        "same name",
        "variant of the name",
        "no given name",
        "given name different",
        "given names in two scripts",
        "family name misspelt",
        "different",
    ),
    (
        (1, (("name", ("same characters", "same in Latin")),)),
        (2, (("name", ("same but", "given name misspelt", "similar", "same sound")),)),
        (3, (("name", ("same family name, no given",)),)),
        (4, (("name", ("same family name only",)),)),
        (5, (("name", ("same family name, given names in two",)),)),
        (6, (("name", ("family name misspelt", "same given name only")),)),
        (7, (("name", ("different",)),)),
    ),
)
PERSON_REACHED = Grouping(
    (
        "nothing",
        "mail",
        "mobile",
        "told apart by a number",
        "mobiles differ, employer same",
        "mobiles differ",
        "line and employer",
        "line",
        "room and employer",
        "room",
        "employer",
        "domain",
        "mails differ only",
        "mails differ, city same",
        "city",
    ),
    (
        (1, (("mail", ("same,",)),)),
        (2, (("mobile", ("same",)),)),
        (3, (("mail", ("told apart", "numbered at work")),)),
        (4, (("mobile", ("different",)), ("employer", ("same", "similar")))),
        (5, (("mobile", ("different",)),)),
        (6, (("phone", ("same",)), ("employer", ("same", "similar")))),
        (7, (("phone", ("same",)),)),
        (8, (("address", ("same room", "same house,")), ("employer", ("same", "similar")))),
        (9, (("address", ("same room", "same house,")),)),
        (10, (("employer", ("same", "similar")),)),
        (11, (("domain", ("same",)),)),
        (13, (("mail", ("different",)), ("city", ("same",)))),
        (12, (("mail", ("different",)),)),
        (14, (("city", ("same",)),)),
    ),
)
COMPANY_JOINTS = (joint("name and contact together", COMPANY_CALLED, COMPANY_REACHED),)
PERSON_JOINTS = (joint("name and contact together", PERSON_CALLED, PERSON_REACHED),)
JOINTS: Mapping[str, tuple[Joint, ...]] = {
    "company": COMPANY_JOINTS,
    "person": PERSON_JOINTS,
    "other": COMPANY_JOINTS,
}


# ---- what is left to a person ---------------------------------------------------------

CAUTIOUS = 2.0  # bits that such a pair has at most: too few to link by itself, worth a look
PROVEN: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "person": (("mail", ("same,",)), ("birth date", ("same",)), ("tax id", ("same",))),
    "company": (("tax id", ("same",)),),
}
NAMESAKES = ("same name; employer", "variant of the name; employer")
# A name in Latin script, two spellings of it, or an address that comes near: rarely two people.
HARDLY_TWO = (
    ("name", ("same in Latin script", "same but")),
    ("address", ("same number", "same road")),
)


@dataclass(frozen=True, slots=True)
class Caution:
    """Mostly right, but what is wrong among such pairs looks just the same."""

    why: str
    condition: tuple[str, tuple[str, ...]]
    unless: Rule = ()


CAUTIONS: Mapping[str, tuple[Caution, ...]] = {  # for persons: family and colleagues
    "person": (
        Caution("given name on one side only", ("name", ("same family name, no given",))),
        Caution("two of one name in a firm", ("name and contact together", NAMESAKES), HARDLY_TWO),
        Caution("another given name", ("name", ("same family name only", "different"))),
    ),
    "company": (Caution("a group on one side", ("legal form", ("group on one side only",))),),
}


def cautions(matrix: Levels, model: KindModel) -> npt.NDArray[np.int16]:
    """Which caution holds each pair back, counted from 1; 0 for none."""
    out = np.zeros(len(matrix), np.int16)
    known = CAUTIONS.get(model.kind, ())
    if not known:
        return out

    open_rows = ~_any_of(PROVEN[model.kind], matrix, model)
    for number, caution in enumerate(known, start=1):
        held = open_rows & (out == 0) & _any_of((caution.condition,), matrix, model)
        out[held & ~_any_of(caution.unless, matrix, model)] = number
    return out


def restrained(bits: Floats, matrix: Levels, model: KindModel) -> Floats:
    """The score, or `CAUTIOUS` where a person should see the pair first."""
    return np.where(cautions(matrix, model) > 0, np.minimum(bits, CAUTIOUS), bits)


# ---- levels of many pairs ----------------------------------------------------------


def level_matrix(table: Table, pairs: Pairs, holders: Holders, model: KindModel) -> Levels:
    """One row of levels for each pair; all pairs are of the model's kind."""
    person = model.kind == "person"
    name_fields = NAME_FIELDS[model.kind]
    details = lv.person_name_levels if person else lv.company_name_levels
    names, other_names = _best(table, pairs, holders, model, name_fields, details, "names")
    parts = [
        names,
        _best(table, pairs, holders, model, lv.PLACE, lv.place_levels, "addresses")[0],
        lv.tax_levels(table, pairs)[:, None],
        lv.phone_levels(table, pairs, holders),
        lv.mail_levels(table, pairs, holders)[:, None],
        lv.domain_levels(table, pairs, holders)[:, None],
        lv.source_levels(table, pairs)[:, None],
    ]
    if person:
        parts.append(lv.birth_levels(table, pairs)[:, None])
        parts.append(lv.employer_levels(table, pairs)[:, None])
    parts.append(other_names[:, None])
    plain = np.concatenate(parts, axis=1)
    columns = {f.name: plain[:, i] for i, f in enumerate(FIELDS[model.kind])}
    joined = [joint.levels(columns)[:, None] for joint in JOINTS[model.kind]]
    extra = [lv.extra_levels(table, pairs, holders, name)[:, None] for name in model.extras]
    return np.concatenate([plain, *joined, *extra], axis=1)


def _best(
    table: Table,
    pairs: Pairs,
    holders: Holders,
    model: KindModel,
    fields: Sequence[Field],
    details: lv.Details,
    which: str,
) -> tuple[Levels, Levels]:
    """The levels of the two names (or addresses) that speak most for the pair.

    Beside them what the other names say against it: a short name fits many companies, and whose it
    is stands in the full one.
    """
    start = table.name_start if which == "names" else table.address_start
    owner, rows = _combinations(start, pairs)
    owners = pairs.only(owner)
    counted = "latin" if which == "names" else "house"
    others = holders.others(counted, rows.left, None, owners)
    found = details(table, owners, rows, others)
    against = np.zeros(len(pairs), np.int16)
    if len(owner) == len(pairs):
        return found, against
    order = np.lexsort((-model.part(fields, found), owner))
    first = np.concatenate([[True], owner[order][1:] != owner[order][:-1]])
    best: Levels = found[order[first]]
    if which == "names":
        conflicts = lv.person_conflicts if model.kind == "person" else lv.company_conflicts
        np.maximum.at(against, owner, conflicts(found))
        against[conflicts(best) > 0] = 0  # their own levels say so
    return best, against


def _combinations(start: Ints, pairs: Pairs) -> tuple[Ints, Pairs]:
    """(pair number, detail rows) for every name of the left with every name of the right."""
    many_left = start[pairs.left + 1] - start[pairs.left]
    many_right = start[pairs.right + 1] - start[pairs.right]
    sizes = many_left * many_right
    owner = np.repeat(np.arange(len(pairs)), sizes)
    inside = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    width = many_right[owner]
    left = start[pairs.left][owner] + inside // width
    right = start[pairs.right][owner] + inside % width
    return owner, Pairs(left, right)


def vetoed(matrix: Levels, model: KindModel) -> npt.NDArray[np.bool_]:
    """Pairs that are never linked by themselves."""
    out = np.zeros(len(matrix), bool)
    for name, text in VETOES:
        out |= _at(matrix, model, name, text)
    return out


def decided_alone(matrix: Levels, model: KindModel) -> npt.NDArray[np.bool_]:
    """Pairs with one and the same proven identifier that nothing else tells apart."""
    same = _at(matrix, model, *ALONE)
    if model.kind == "person" or not same.any():
        return same
    renamed = _any_of((RENAMED,), matrix, model)
    return same & (renamed | ~_any_of(NOT_ALONE, matrix, model))


def _any_of(
    conditions: Sequence[tuple[str, tuple[str, ...]]], matrix: Levels, model: KindModel
) -> npt.NDArray[np.bool_]:
    """Whether a level of a pair starts with one of the words."""
    out = np.zeros(len(matrix), bool)
    for name, starts in conditions:
        place = model.position(name)
        out |= _starting(model.fields[place], starts)[matrix[:, place]]
    return out


def _at(matrix: Levels, model: KindModel, name: str, text: str) -> npt.NDArray[np.bool_]:
    names = [f.name for f in model.fields]
    if name not in names:
        return np.zeros(len(matrix), bool)
    column = names.index(name)
    out: npt.NDArray[np.bool_] = matrix[:, column] == model.fields[column].levels.index(text)
    return out


def waterfall(row: Levels, model: KindModel, records: int) -> Score:
    """The score of one row of levels with all its named weights, the heaviest first."""
    return waterfalls(row[None, :], model, records)[0]


def waterfalls(matrix: Levels, model: KindModel, records: int) -> list[Score]:
    """The score of each row of levels."""
    base = Weight("starting point", f"{records} records", round(model.base(records), 2))
    held_back = cautions(matrix, model).tolist()
    alone = decided_alone(matrix, model).tolist()
    veto = [""] * len(matrix)
    for name, text in reversed(VETOES):
        for number in np.flatnonzero(_at(matrix, model, name, text)).tolist():
            veto[number] = f"{name}: {text}"
    found = []
    for number, (row, bits) in enumerate(
        zip(matrix.tolist(), model.bits(matrix, records).tolist(), strict=True)
    ):
        parts, total = _named_weights(row, model), bits
        if held_back[number] and bits > CAUTIOUS:
            why = CAUTIONS[model.kind][held_back[number] - 1].why
            parts.append(Weight("caution", why, round(CAUTIOUS - bits, 2)))
            total = CAUTIOUS
        decisive = "tax id" if alone[number] else ""
        found.append(Score(round(total, 2), (base, *parts), veto[number], decisive))
    return found


def _named_weights(row: Sequence[int], model: KindModel) -> list[Weight]:
    parts = [model.named[column][code] for column, code in enumerate(row) if code]
    parts.sort(key=lambda weight: -abs(weight.bits))
    return parts
