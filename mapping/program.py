"""Rules as closures: made once for a spec, run for every record."""

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args, get_origin

from mapping import paths, words
from mapping.canonical import FIELDS, MODELS, Kind, Line
from mapping.errors import UnmappableValue
from mapping.paths import ABSENT
from mapping.transforms.number import decimal_text, parse_boolean
from mapping.transforms.registry import Fn, Refusal
from mapping.transforms.text import as_list, clean
from mapping.transforms.time import day_text, moment_text

Native = Mapping[str, Any]
Getter = Callable[[Any], Any]
_MAY_BE_EMPTY = frozenset((str, list, dict, tuple))


class Stage(NamedTuple):
    """One function of a rule, with the step that it came from."""

    name: str
    run: Fn
    takes_none: bool


def getter(path: str) -> Getter:
    """`paths.read` for one path, without taking the path apart each time."""
    steps = paths.steps(path)
    if len(steps) > 1 or steps[0][1] is not None:
        return lambda native: paths.read(native, path)
    name = steps[0][0]

    def get(native: Any) -> Any:
        return native.get(name, ABSENT) if isinstance(native, Mapping) else paths.read(native, path)

    return get


def is_empty(value: Any) -> bool:
    """Whether a native value is none at all; False and 0 are values."""
    if value is None:
        return True
    return value.__class__ in _MAY_BE_EMPTY and not value


def distinct(value: Any) -> list[str] | None:
    """The normal form of a set: sorted texts without repeats, None when empty."""
    texts = {text for text in (clean(item) for item in as_list(value) if item is not None) if text}
    return sorted(texts) or None


NORMAL: Mapping[Kind, Fn] = {
    "text": clean,
    "decimal": decimal_text,
    "boolean": parse_boolean,
    "date": day_text,
    "datetime": moment_text,
    "set": distinct,
    "lines": as_list,
    "reference": clean,
}
MEMBERS: Mapping[str, Kind] = {
    name: "decimal" if "Decimal" in str(info.annotation) else "text"
    for name, info in Line.model_fields.items()
}


def chain(stages: Sequence[Stage]) -> Fn:
    """The stages as one function; a stage sees None only where it takes it."""
    if len(stages) == 1 and not stages[0].takes_none:
        only = stages[0].run
        return lambda value: None if value is None else only(value)
    pairs = [(stage.run, stage.takes_none) for stage in stages]

    def run(value: Any) -> Any:
        for function, takes_none in pairs:
            if value is not None or takes_none:
                value = function(value)
        return value

    return run


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rule needs at run time: names for errors, paths, stages."""

    object: str
    canonical: str
    natives: tuple[str, ...]
    listed: bool  # the rule names a list of native paths, its steps see a list
    normal: Fn
    stages: tuple[Stage, ...]

    @property
    def where(self) -> str:
        return f"{self.object}.{', '.join(self.natives)}"


def refused(plan: Plan, value: Any, *, writing: bool) -> UnmappableValue:
    """Runs the stages one by one to name the one that refuses the value."""
    stages = plan.stages if writing else (*plan.stages, Stage("", plan.normal, takes_none=False))
    field, at = ", ".join(plan.natives), value
    for name, function, takes_none in stages:
        if at is None and not takes_none:
            continue
        try:
            at = function(at)
        except Refusal as refusal:
            step = f"{plan.canonical}: {name}" if name else plan.canonical
            facts = {"where": plan.where, "field": field, "value": at, "rule": step}
            data = facts | {"reason": refusal.reason, "writing": writing} | refusal.data
            said = words.unmappable("en", data)
            return UnmappableValue(said, field=field, value=at, rule=step, data=data)
    raise AssertionError(plan.where)  # the stages are pure: what refused once refuses again


def reader(plan: Plan, *, blank_is_absent: bool) -> Getter:
    """Reads one canonical value from a native record: ABSENT, None or its normal form."""
    get = _get_listed(plan.natives) if plan.listed else _get_one(plan.natives[0])
    run = chain((*plan.stages, Stage("", plan.normal, takes_none=False)))
    of_none = ABSENT if blank_is_absent else None
    none_stays = not any(stage.takes_none for stage in plan.stages)

    def read(native: Native) -> Any:
        raw = get(native)
        if raw is ABSENT:
            return ABSENT
        if raw is None and none_stays:  # most fields of most records
            return of_none
        try:
            value = run(raw)
        except Refusal as refusal:
            raise refused(plan, raw, writing=False) from refusal
        return of_none if value is None else value

    return read


def _get_one(path: str) -> Getter:
    get, steps = getter(path), paths.steps(path)
    name = str(steps[0][0]) if len(steps) == 1 and steps[0][1] is None else ""

    def one(native: Native) -> Any:
        # Asked of every field of every record.
        value = native.get(name, ABSENT) if name and native.__class__ is dict else get(native)
        if value is None or value is ABSENT:
            return value
        return None if value.__class__ in _MAY_BE_EMPTY and not value else value

    return one


def _get_listed(natives: Iterable[str]) -> Getter:
    getters = [_get_one(path) for path in natives]

    def several(native: Native) -> Any:
        values = [get(native) for get in getters]
        if any(value is ABSENT for value in values):
            return ABSENT  # a part of the value is not the value
        return values if any(value is not None for value in values) else None

    return several


def native_value(plan: Plan) -> Callable[[Any], tuple[Any, ...]]:
    """Turns a canonical value into one native value for each native path."""
    run, count = chain(plan.stages), len(plan.natives)

    def write(value: Any) -> tuple[Any, ...]:
        try:
            made = run(value)
        except Refusal as refusal:
            raise refused(plan, value, writing=True) from refusal
        return _spread(plan, value, made, count) if plan.listed else (made,)

    return write


def _spread(plan: Plan, value: Any, made: Any, count: int) -> tuple[Any, ...]:
    parts = [None if part == "" else part for part in made] if isinstance(made, list) else [made]
    if len(parts) > count:
        data = {"where": plan.where, "value": value, "rule": plan.canonical, "count": count}
        data |= {"reason": "too_many_parts", "writing": True, "field": ", ".join(plan.natives)}
        said = words.unmappable("en", data)
        raise UnmappableValue(
            said, field=data["field"], value=value, rule=plan.canonical, data=data
        )
    return (*parts, *[None] * (count - len(parts)))


@dataclass(frozen=True, slots=True)
class ItemReader:
    """Reads one member of a line."""

    member: str
    read: Getter


@dataclass(frozen=True, slots=True)
class ItemWriter:
    """Writes one member of a line; `member` None writes a constant."""

    member: str | None
    native: str
    write: Callable[[Any], tuple[Any, ...]]


def lines_in(readers: Sequence[ItemReader]) -> Stage:
    """Native rows to canonical lines; members without a value are left out."""

    def run(rows: Any) -> list[dict[str, Any]] | None:
        if not isinstance(rows, (list, tuple)) or not all(isinstance(r, Mapping) for r in rows):
            raise Refusal("not_lines")
        return [_line(readers, row) for row in rows] or None

    return Stage("each", run, takes_none=False)


def _line(readers: Sequence[ItemReader], row: Native) -> dict[str, Any]:
    found = ((item.member, item.read(row)) for item in readers)
    return {member: value for member, value in found if value is not ABSENT and value is not None}


def lines_out(writers: Sequence[ItemWriter]) -> Stage:
    """Canonical lines to native rows; an empty value is an empty list."""

    def run(lines: Any) -> list[dict[str, Any]]:
        return [_row(writers, line) for line in (lines or ())]

    return Stage("each", run, takes_none=True)


def _row(writers: Sequence[ItemWriter], line: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for item in writers:
        value = None if item.member is None else line.get(item.member)
        if item.member is None or item.member in line:
            put(row, item.native, item.write(value)[0])
    return row


def put(native: MutableMapping[str, Any], path: str, value: Any) -> None:
    """`paths.put`, quick for a plain name."""
    if path.isidentifier():
        native[path] = value
    else:
        paths.put(native, path, value)


def kind_of(entity: str, canonical: str) -> Kind:
    """The kind of a canonical path that is known to exist."""
    return FIELDS[entity][paths.shape(canonical)].kind


def allowed(entity: str, canonical: str) -> tuple[str, ...] | None:
    """The only values that a canonical path may have, None where any will do."""
    field = MODELS[entity].model_fields.get(canonical)
    for choice in get_args(field.annotation) if field else ():
        if get_origin(choice) is Literal:
            return get_args(choice)
    return None


def normal_of(entity: str, canonical: str) -> Fn:
    """What puts a value of a canonical path in normal form; raises Refusal."""
    values = allowed(entity, canonical)
    if values is None:
        return NORMAL[kind_of(entity, canonical)]
    known, listed = frozenset(values), ", ".join(values)

    def check(value: Any) -> Any:
        if value in known:
            return value
        raise Refusal("not_allowed", allowed=listed)

    return check
