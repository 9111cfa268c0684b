"""Translates: native record to canonical values, canonical values to native fields."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from mapping import program, words
from mapping.errors import UnmappableValue
from mapping.paths import ABSENT, Values, read
from mapping.program import ItemReader, ItemWriter, Native, Plan, Stage
from mapping.rules import FieldRule, ItemRule
from mapping.spec import MappingSpec
from mapping.transforms.registry import Refusal
from mapping.transforms.time import parse_moment


def canonicalise(spec: MappingSpec, native: Native) -> dict[str, Any]:
    """The canonical values of a native record, observed ones included.

    A path is missing where the record says nothing, None where it is empty there.
    """
    compiled = _program(spec)
    values = dict(compiled.constants)
    for path, reader in compiled.readers:
        value = reader(native)
        if value is not ABSENT:
            values[path] = value
    return values


def project(
    spec: MappingSpec,
    values: Values,
    paths: Iterable[str] | None = None,
    *,
    creating: bool = False,
) -> dict[str, Any]:
    """The native fields to write for these canonical paths (None: for all there are).

    `values` is the whole golden record: a rule may fall back on a path that did not change, and
    of rules that share a native field the first with a value wins. None clears the field.
    """
    compiled = _program(spec)
    native: dict[str, Any] = {}
    writers = compiled.writers if paths is None else compiled.writers_for(frozenset(paths))
    filled: set[str] = set()
    for writer in writers:
        if creating or not writer.on_create_only:
            writer.write(native, values, filled)
    if creating:
        for writer in compiled.writers:
            writer.complete(native, filled)
    return native


def expected(
    spec: MappingSpec,
    values: Values,
    paths: Iterable[str] | None = None,
    *,
    creating: bool = False,
) -> dict[str, Any]:
    """What reading the record back should give for these paths, once they are written."""
    return rehearsed(spec, values, paths, creating=creating)[1]


def rehearsed(
    spec: MappingSpec,
    values: Values,
    paths: Iterable[str] | None = None,
    *,
    creating: bool = False,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `project` gives for these paths, and what is `expected` of it."""
    asked = spec.out_paths if paths is None else frozenset(paths)
    native = project(spec, values, paths, creating=creating)
    back = canonicalise(spec, native)
    return native, {path: value for path, value in back.items() if path in asked}


def reads(spec: MappingSpec, native: Native) -> bool:
    """Whether the mapping is for this record at all (`only_when`)."""
    return all(test.holds(read(native, test.native)) for test in spec.only_when)


def wanted(spec: MappingSpec, values: Values) -> bool:
    """Whether a golden record should exist in this object (`route`)."""
    if spec.route is None or not spec.out_paths:
        return False
    return all(test.holds(values.get(test.canonical)) for test in spec.route.when)


def moved_to(spec: MappingSpec, native: Native) -> tuple[str, str] | None:
    """Object and id of the record that this one has become, None where it stands for itself."""
    for moved in spec.moved_to:
        value = read(native, moved.native)
        if isinstance(value, Mapping):
            value = value.get("id")
        if value is not ABSENT and not program.is_empty(value):
            return moved.object, str(value)
    return None


def remote_id(spec: MappingSpec, native: Native) -> str:
    """The id of the record in its system."""
    value = read(native, spec.id)
    if value is ABSENT or program.is_empty(value):
        raise _unmappable(spec, spec.id, None, "id", "missing_id")
    return str(value)


def modified_at(spec: MappingSpec, native: Native) -> datetime | None:
    """When the record was last changed there, None where it does not say."""
    value = read(native, spec.modified_at) if spec.modified_at else None
    if value is ABSENT or program.is_empty(value):
        return None
    try:
        return parse_moment(value)
    except Refusal as refusal:
        name = str(spec.modified_at)
        raise _unmappable(spec, name, value, "modified_at", refusal.reason) from refusal


def revision(spec: MappingSpec, native: Native) -> str | None:
    """The record's version there, None where it does not say."""
    value = read(native, spec.revision) if spec.revision else None
    return None if value is ABSENT or program.is_empty(value) else str(value)


def hub_key(spec: MappingSpec, native: Native) -> str | None:
    """Our key in the record, None where it carries none."""
    value = read(native, spec.hub_key) if spec.hub_key else None
    return None if value is ABSENT or program.is_empty(value) else str(value)


def _unmappable(
    spec: MappingSpec, field: str, value: Any, rule: str, reason: str
) -> UnmappableValue:
    data = {"where": f"{spec.object}.{field}", "field": field, "value": value, "rule": rule}
    data |= {"reason": reason, "writing": False}
    said = words.unmappable("en", data)
    return UnmappableValue(said, field=field, value=value, rule=rule, data=data)


class _Writer:
    """Writes one rule."""

    def __init__(self, spec: MappingSpec, rule: FieldRule) -> None:
        self.sources = rule.sources
        self.natives = rule.natives
        self.on_create_only = rule.on_create_only
        self._make = None if rule.is_const else program.native_value(_write_plan(spec, rule))
        self._make_fallback = self._make
        if rule.fallback:
            self._make_fallback = program.native_value(_fallback_plan(spec, rule))
        self._spare = rule.const if rule.is_const else rule.default
        self._listed = rule.listed
        self.triggers: frozenset[str] = frozenset(rule.sources)  # widened by rules that share

    def write(self, native: dict[str, Any], values: Values, filled: set[str]) -> None:
        """Sets its native fields, unless an earlier rule has filled them."""
        source, value = self._value(values)
        make = self._make if source == 0 else self._make_fallback
        if value is ABSENT or make is None:
            return
        if filled and not filled.isdisjoint(self.natives):
            return
        made = make(value)
        for path, part in zip(self.natives, made, strict=True):
            program.put(native, path, part)
        if any(part is not None for part in made):
            filled.update(self.natives)

    def complete(self, native: dict[str, Any], filled: set[str]) -> None:
        """Sets the constant or the default of a new record where nothing else was written."""
        if self._spare is None or not filled.isdisjoint(self.natives):
            return
        parts = self._spare if self._listed else (self._spare,)
        for path, part in zip(self.natives, parts, strict=False):
            program.put(native, path, part)
        filled.update(self.natives)

    def _value(self, values: Values) -> tuple[int, Any]:
        """The first value of its paths, and which of them has it."""
        found: Any = ABSENT
        for index, path in enumerate(self.sources):
            value = values.get(path, ABSENT)
            if value is not None and value is not ABSENT:
                return index, value
            found = value if found is ABSENT else found
        return 0, found


class _Program:
    """A spec compiled."""

    def __init__(self, spec: MappingSpec) -> None:
        self.readers = tuple((str(r.canonical), _reader(spec, r)) for r in spec.read_rules)
        self.constants = {
            str(rule.canonical): _constant(spec, rule)
            for rule in spec.fields
            if rule.is_const and rule.direction == "in"
        }
        self.writers = tuple(_Writer(spec, r) for r in spec.fields if r.direction != "in")
        for writer in self.writers:
            sharing = (w for w in self.writers if not set(w.natives).isdisjoint(writer.natives))
            writer.triggers = frozenset(path for other in sharing for path in other.sources)

    def writers_for(self, paths: frozenset[str]) -> tuple[_Writer, ...]:
        return tuple(w for w in self.writers if not w.triggers.isdisjoint(paths))


def _program(spec: MappingSpec) -> _Program:
    found: _Program = spec.compiled(_Program)
    return found


def _plan(spec: MappingSpec, rule: FieldRule, stages: tuple[Stage, ...]) -> Plan:
    path = str(rule.canonical)
    normal = program.normal_of(spec.entity, path)
    return Plan(spec.object, path, rule.natives, rule.listed, normal, stages)


def _reader(spec: MappingSpec, rule: FieldRule) -> program.Getter:
    stages = rule.read_stages or ()
    if rule.each:
        stages = (*stages, program.lines_in(_item_readers(spec, rule)))
    return program.reader(_plan(spec, rule, stages), blank_is_absent=rule.blank == "absent")


def _write_plan(spec: MappingSpec, rule: FieldRule) -> Plan:
    stages = rule.write_stages or ()
    if rule.each:
        stages = (program.lines_out(_item_writers(spec, rule)), *stages)
    return _plan(spec, rule, stages)


def _fallback_plan(spec: MappingSpec, rule: FieldRule) -> Plan:
    """As usual, but what stands in for a person's name is not split as if it were one."""
    plan = _write_plan(spec, rule)
    if not plan.stages or plan.stages[0].name != "person_name":
        return plan
    whole = Stage("person_name", lambda name: [None, name], takes_none=False)
    return replace(plan, stages=(whole, *plan.stages[1:]))


def _item_readers(spec: MappingSpec, rule: FieldRule) -> list[ItemReader]:
    return [
        ItemReader(
            item.item,
            program.reader(
                _item_plan(spec, rule, item.item, str(item.native), item.read_stages or ()),
                blank_is_absent=False,
            ),
        )
        for item in rule.each
        if item.item
    ]


def _item_writers(spec: MappingSpec, rule: FieldRule) -> list[ItemWriter]:
    return [_item_writer(spec, rule, item) for item in rule.each]


def _item_writer(spec: MappingSpec, rule: FieldRule, item: ItemRule) -> ItemWriter:
    native = str(item.native)
    if item.item is None:
        return ItemWriter(None, native, lambda _: (item.const,))
    plan = _item_plan(spec, rule, item.item, native, item.write_stages or ())
    return ItemWriter(item.item, native, program.native_value(plan))


def _item_plan(
    spec: MappingSpec, rule: FieldRule, member: str, native: str, stages: tuple[Stage, ...]
) -> Plan:
    where = f"{spec.object}.{rule.natives[0]}"
    label = f"{rule.canonical}.{member}"
    normal = program.NORMAL[program.MEMBERS[member]]
    return Plan(where, label, (native,), False, normal, stages)


def _constant(spec: MappingSpec, rule: FieldRule) -> Any:
    if rule.const is None:
        return None
    return program.normal_of(spec.entity, str(rule.canonical))(rule.const)
