"""Holds a mapping against the remote object's schema: what would go wrong, before it does."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mapping import program, words
from mapping.canonical import Kind
from mapping.paths import shape
from mapping.schema import FieldSchema, FieldType, ObjectSchema
from mapping.spec import FieldRule, MappingSpec, StepSpec, nearest
from mapping.transforms.choice import LookupOptions, name_and_options
from mapping.transforms.registry import options_of
from mapping.transforms.text import as_text

Level = Literal["error", "warning", "info"]
LEVELS: tuple[Level, ...] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement; `rule` names the rule or the head key, `data` fills the sentence."""

    level: Level
    rule: str
    message_key: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def text(self, language: str = "en") -> str:
        """The sentence in English or Chinese."""
        return words.finding(language, self.message_key, self.data)


def lint(spec: MappingSpec, schema: ObjectSchema, objects: Collection[str] = ()) -> list[Finding]:
    """All findings, errors first; `objects` are the names of the system's objects, if known."""
    if schema.name != spec.object:
        return [Finding("error", "object", "other_object", _other(spec, schema))]
    checks: Iterable[Iterator[Finding]] = (
        _head(spec, schema),
        _conditions(spec, schema),
        _moves(spec, schema, objects),
        *(_rule(spec, rule, schema) for rule in spec.fields),
        _required(spec, schema),
    )
    found = [finding for check in checks for finding in check]
    return sorted(found, key=lambda finding: LEVELS.index(finding.level))


def _other(spec: MappingSpec, schema: ObjectSchema) -> dict[str, Any]:
    return {"object": spec.object, "found": schema.name}


def _missing(schema: ObjectSchema, rule: str, native: str, level: Level = "error") -> Finding:
    head = native.split(".", 1)[0].split("[", 1)[0]
    labels = {item.label: name for name, item in schema.fields.items()}
    like = nearest(head, schema.fields) or labels.get(nearest(head, labels) or "")
    data = {"object": schema.name, "native": native, "nearest": like}
    return Finding(level, rule, "missing_field", data)


def _head(spec: MappingSpec, schema: ObjectSchema) -> Iterator[Finding]:
    for key, path in (("modified_at", spec.modified_at), ("revision", spec.revision)):
        if path and schema.find(path) is None:
            yield _missing(schema, key, path, "warning")
    creates = spec.route is not None and bool(spec.out_paths)
    if spec.hub_key is None:
        if creates:
            yield Finding("warning", "hub_key", "no_hub_key")
        return
    found = schema.find(spec.hub_key)
    if found is None:
        yield _missing(schema, "hub_key", spec.hub_key)
        return
    if not found.writable:
        yield Finding("error", "hub_key", "read_only", _named(spec.hub_key, found))
    if not found.unique:
        yield Finding("warning", "hub_key", "hub_key_not_unique", _named(spec.hub_key, found))


def _named(native: str, found: FieldSchema) -> dict[str, Any]:
    return {"native": native, "label": found.label}


def _conditions(spec: MappingSpec, schema: ObjectSchema) -> Iterator[Finding]:
    for test in spec.only_when:
        found = schema.find(test.native)
        if found is None:
            yield _missing(schema, "only_when", test.native)
        elif test.native == found.name:
            given = [item for item in (test.one_of or test.none_of or ()) if item is not None]
            yield from _outside("only_when", "condition_outside", found, given)


def _moves(spec: MappingSpec, schema: ObjectSchema, objects: Collection[str]) -> Iterator[Finding]:
    for moved in spec.moved_to:
        found = schema.find(moved.native)
        if found is None:
            yield _missing(schema, "moved_to", moved.native)
        elif found.target and found.target != moved.object:
            data = _named(moved.native, found) | {"target": found.target, "moved": moved.object}
            yield Finding("warning", "moved_to", "moved_elsewhere", data)
        if objects and moved.object not in objects:
            data = {"moved": moved.object, "nearest": nearest(moved.object, objects)}
            yield Finding("error", "moved_to", "missing_object", data)


def _rule(spec: MappingSpec, rule: FieldRule, schema: ObjectSchema) -> Iterator[Finding]:
    for position, native in enumerate(rule.natives):
        found = schema.find(native)
        if found is None:
            yield _missing(schema, rule.label, native)
            continue
        if rule.direction != "in" and not found.writable:
            yield Finding("error", rule.label, "read_only", _named(native, found))
        whole = native == found.name  # a path into an object says nothing of the member's type
        if rule.is_const:
            yield from _outside(rule.label, "lookup_outside", found, [rule.const]) if whole else ()
        elif whole:
            yield from _value(spec, rule, found, position)


def _value(
    spec: MappingSpec, rule: FieldRule, found: FieldSchema, position: int
) -> Iterator[Finding]:
    kind = program.kind_of(spec.entity, str(rule.canonical))
    yield from _choices(rule, found)
    if rule.direction != "in":
        yield from _length(rule, found, kind, position)
    if not _fits(rule, found, kind):
        data = _named(found.name, found) | {"type": found.type, "kind": kind}
        yield Finding("warning", rule.label, "type_clash", data | {"canonical": rule.canonical})


# Lengths that values of a path commonly reach; a field that holds less needs a `cut`.
_COMMON_LENGTH: Mapping[str, int] = {
    "name": 200,
    "legal_name": 200,
    "notes": 4000,
    "website": 200,
    "addresses[].street": 200,
    "emails[]": 100,
    "phones[]": 25,
    "addresses[].postcode": 12,
    "currency": 3,
    "language": 5,
    "number": 20,
}
_OTHER_LENGTH = 60
_SHORT = frozenset({"lookup", "date", "datetime", "decimal", "integer", "boolean", "reference"})


def _length(rule: FieldRule, found: FieldSchema, kind: Kind, position: int) -> Iterator[Finding]:
    limit = found.max_length
    if limit is None or kind not in {"text", "set"}:
        return
    written = rule.outbound if rule.outbound is not None else (rule.inbound or ())
    data = {"native": found.name, "limit": limit, "unit": found.length_in}
    data |= {"canonical": rule.canonical}
    cuts = [step for step in (rule.outbound or ()) if step.name == "cut"]
    if cuts:
        yield from _cut_length(rule, cuts[-1], data, position)
    elif not any(step.name in _SHORT for step in written):
        common = _COMMON_LENGTH.get(shape(str(rule.canonical)), _OTHER_LENGTH)
        if limit < common * (3 if found.length_in == "bytes" else 1):
            yield Finding("warning", rule.label, "too_long", data)


def _cut_length(
    rule: FieldRule, step: StepSpec, data: Mapping[str, Any], position: int
) -> Iterator[Finding]:
    options = options_of("cut", step.options)
    lengths = options.length if isinstance(options.length, list) else [options.length]
    cut = lengths[min(position, len(lengths) - 1)]
    widest = cut * 4 if (data["unit"], options.unit) == ("bytes", "characters") else cut
    if widest > data["limit"]:
        more = {"cut": cut, "cut_unit": options.unit}
        yield Finding("error", rule.label, "cut_too_long", {**data, **more})


def _choices(rule: FieldRule, found: FieldSchema) -> Iterator[Finding]:
    if found.type not in {"choice", "choices"} or not found.options:
        return
    lookup = _lookup(rule)
    if lookup is None:
        if not any(step.name in {"boolean", "const"} for step in rule.inbound or ()):
            yield Finding("warning", rule.label, "choice_without_lookup", _named(found.name, found))
        return
    yield from _outside(rule.label, "lookup_outside", found, list(lookup.table))
    listed = {as_text(native) for native in lookup.table if native is not None}
    empties = {str(_empty_of(step)) for step in rule.inbound or () if step.name == "empty"}
    unlisted = [item.value for item in found.options if item.value not in listed | empties]
    if unlisted and lookup.unknown == "error" and rule.direction != "out":
        data = {"native": found.name, "values": _quoted(unlisted)}
        yield Finding("warning", rule.label, "option_unlisted", data)


def _lookup(rule: FieldRule) -> LookupOptions | None:
    for step in (*(rule.inbound or ()), *(rule.outbound or ())):
        if step.name == "lookup":
            return _lookup_options(step.options)
        if step.name == "list_of":
            inner = (name_and_options(part) for part in options_of("list_of", step.options).each)
            for name, options in inner:
                if name == "lookup":
                    return _lookup_options(options)
    return None


def _lookup_options(options: Any) -> LookupOptions:
    found: LookupOptions = options_of("lookup", options)
    return found


def _empty_of(step: StepSpec) -> Any:
    return options_of("empty", step.options).value


def _outside(rule: str, key: str, found: FieldSchema, given: Sequence[Any]) -> Iterator[Finding]:
    """Values that are no options of a choice field; often it is the label that was taken."""
    if not found.options:
        return
    values = [option.value for option in found.options]
    wrong = [as_text(item) for item in given if item is not None and as_text(item) not in values]
    if not wrong:
        return
    by_label = {option.label: option.value for option in found.options}
    like = by_label.get(wrong[0]) or nearest(wrong[0], values)
    data = {"native": found.name, "values": _quoted(wrong), "nearest": like}
    yield Finding("error" if found.strict_options else "warning", rule, key, data)


def _quoted(values: Sequence[str]) -> str:
    shown = ", ".join(repr(value) for value in values[:8])
    return f"{shown}, …" if len(values) > 8 else shown


# The native types that a kind fits without any step, and that a step can read and write.
_KIND_FITS: Mapping[Kind, frozenset[FieldType]] = {
    "text": frozenset({"text", "choice"}),
    "decimal": frozenset({"text"}),
    "boolean": frozenset({"boolean"}),
    "date": frozenset({"date", "text"}),
    "datetime": frozenset({"datetime", "text"}),
    "set": frozenset({"choices", "list"}),
    "lines": frozenset({"list"}),
    "reference": frozenset({"reference", "text"}),
}
_NUMERIC: frozenset[FieldType] = frozenset({"number", "decimal", "text"})
_LISTS: frozenset[FieldType] = frozenset({"list", "choices"})
_STEP_FITS: Mapping[str, frozenset[FieldType]] = {
    "decimal": _NUMERIC,
    "integer": _NUMERIC,
    "digits": _NUMERIC,
    "boolean": frozenset({"boolean", "number", "text", "choice"}),
    "date": frozenset({"date", "datetime", "number", "text"}),
    "datetime": frozenset({"datetime", "number", "text"}),
    "lookup": frozenset({"choice", "text", "boolean", "number", "reference"}),
    "country": frozenset({"text", "choice"}),
    "region": frozenset({"text", "choice"}),
    "language": frozenset({"text", "choice"}),
    "split": frozenset({"text"}),
    "join": frozenset({"text", "list"}),
    "first": frozenset({"list", "choices", "reference"}),
    "list_of": _LISTS,
    "tags": _LISTS,
    "reference": frozenset({"reference", "list", "text", "number", "object"}),
    "const": frozenset({"text", "choice", "number", "decimal", "boolean"}),
}


def _fits(rule: FieldRule, found: FieldSchema, kind: Kind) -> bool:
    if found.type == "other":
        return True
    steps = rule.inbound if rule.inbound is not None else tuple(reversed(rule.outbound or ()))
    for step in steps:  # the step next to the system decides; texts like `trim` say nothing
        if step.name in _STEP_FITS:
            return found.type in _STEP_FITS[step.name]
    return found.type in _KIND_FITS[kind]


def _required(spec: MappingSpec, schema: ObjectSchema) -> Iterator[Finding]:
    if spec.route is None or not spec.out_paths:
        return
    written = {native: rule for rule in reversed(spec.fields) if rule.direction != "in"
               for native in rule.natives}  # fmt: skip
    heads = {_head_of(native): rule for native, rule in written.items()}
    for name, found in schema.fields.items():
        if not found.required or not found.writable or name == spec.hub_key:
            continue
        rule = written.get(name) or heads.get(name)
        if rule is None:
            yield Finding("error", name, "required_uncovered", _named(name, found))
        elif not (rule.is_const or rule.fallback or rule.default is not None):
            data = _named(name, found) | {"canonical": rule.canonical}
            yield Finding("info", rule.label, "required_blank", data)


def _head_of(native: str) -> str:
    return native.split(".", 1)[0].split("[", 1)[0]
