"""What a system's schema lost of what a mapping needs, and which values that concerns."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from mapping.schema import FieldSchema, ObjectSchema
from mapping.spec import MappingSpec

Problem = Mapping[str, Any]  # kind, field, label, paths; allowed, removed, limit, unit
Refused = Mapping[str, Sequence[str]]  # by choice field the values that the system refused
Baseline = Mapping[str, Mapping[str, Any]]  # what was described when all was well, by field


def baseline_of(spec: MappingSpec, schema: ObjectSchema) -> dict[str, dict[str, Any]]:
    """What is kept of a schema, to notice what it loses later."""
    names = {_head(native) for native in _written(spec)}
    names |= {name for name, found in schema.fields.items() if found.required}
    return {name: _facts(schema.fields[name]) for name in sorted(names) if name in schema.fields}


def problems(
    spec: MappingSpec,
    schema: ObjectSchema,
    before: Baseline | None,
    refused: Refused = MappingProxyType({}),
) -> list[Problem]:
    """All that keeps the mapping from writing; `before` None: nothing to compare with yet.

    `refused` tells of choice fields whose list is binding although the system does not say so.
    """
    found: list[Problem] = []
    written = _written(spec)
    for native, paths in written.items():
        here = schema.find(native)
        if here is None:
            label = str((before or {}).get(_head(native), {}).get("label", native))
            found.append(_problem("missing", native, label, paths))
        elif not here.writable:
            found.append(_problem("read_only", native, here.label, paths))
        elif off := _off_list(here, refused.get(native, ())):
            found.append(_option(here, paths, off))
        elif before and native in before:
            found.extend(_narrowed(here, before[native], paths))
    if spec.route is not None and written:
        found.extend(_mandatory(spec, schema, written, before))
    return found


def off_list(schema: ObjectSchema, field: str, native: Mapping[str, Any]) -> list[str]:
    """The values of a write that a choice field does not list; none where it lists nothing."""
    here = schema.find(field)
    value = native.get(field)
    given = value if isinstance(value, list) else [value]
    wanted = [str(item) for item in given if item not in (None, "")]
    return _off_list(here, wanted) if here is not None else []


def explains(found: Iterable[Problem], field: str, native: Mapping[str, Any], *, new: bool) -> bool:
    """Whether what a schema lost is why a write was refused that names this field."""
    about = [problem for problem in found if _head(str(problem["field"])) == _head(field)]
    return bool(held_natives(about, native)) or (new and bool(lacks(about, native)))


def held_natives(found: Iterable[Problem], native: Mapping[str, Any]) -> set[str]:
    """The native fields of one write that would be refused."""
    return {
        str(problem["field"])
        for problem in found
        if _head(str(problem["field"])) in native and _is_hit(problem, native)
    }


def lacks(found: Iterable[Problem], native: Mapping[str, Any]) -> list[str]:
    """The mandatory fields that a new record would leave empty."""
    return [
        str(problem["field"])
        for problem in found
        if problem["kind"] in {"required", "hub_key"}
        and native.get(str(problem["field"])) in (None, "", [])
    ]


def key_of(problem: Problem) -> str:
    """What makes two problems the same one."""
    return f"{problem['kind']}:{problem['field']}"


def _is_hit(problem: Problem, native: Mapping[str, Any]) -> bool:
    if problem["kind"] in {"missing", "read_only"}:
        return True
    value = native.get(str(problem["field"]))
    if problem["kind"] == "option":
        given = value if isinstance(value, list) else [value]
        return any(str(item) not in problem["allowed"] for item in given if item not in (None, ""))
    if problem["kind"] == "length" and isinstance(value, str):
        size = len(value.encode()) if problem["unit"] == "bytes" else len(value)
        return bool(size > problem["limit"])
    return False


def _written(spec: MappingSpec) -> dict[str, list[str]]:
    """The native fields that the mapping writes, each with the canonical paths behind it."""
    found: dict[str, list[str]] = {}
    for rule in spec.fields:
        if rule.direction == "in":
            continue
        for native in rule.natives:
            found.setdefault(native, []).extend([rule.canonical] if rule.canonical else [])
    return found


def _narrowed(
    here: FieldSchema, before: Mapping[str, Any], paths: Sequence[str]
) -> Iterable[Problem]:
    options = sorted(option.value for option in here.options)
    known = before.get("options")
    if here.strict_options and options and (known is None or set(known) - set(options)):
        yield _option(here, paths, sorted(set(known or ()) - set(options)))
    limit, was = here.max_length, before.get("max_length")
    if limit is not None and (was is None or limit < was or here.length_in != before["length_in"]):
        yield {
            **_problem("length", here.name, here.label, paths),
            "limit": limit,
            "unit": here.length_in,
        }


def _off_list(here: FieldSchema, values: Iterable[str]) -> list[str]:
    listed = {option.value for option in here.options}
    return sorted(set(values) - listed) if listed else []


def _option(here: FieldSchema, paths: Sequence[str], removed: Sequence[str]) -> dict[str, Any]:
    return {
        **_problem("option", here.name, here.label, paths),
        "allowed": sorted(option.value for option in here.options),
        "removed": list(removed),
    }


def _mandatory(
    spec: MappingSpec,
    schema: ObjectSchema,
    written: Mapping[str, list[str]],
    before: Baseline | None,
) -> Iterable[Problem]:
    if spec.hub_key is not None:
        key = schema.find(spec.hub_key)
        if key is None or not key.writable:
            yield _problem("hub_key", spec.hub_key, spec.hub_key, ())
    heads = {_head(native): paths for native, paths in written.items()}
    for name, found in schema.fields.items():
        if not (found.required and found.writable) or name == spec.hub_key:
            continue
        is_new = before is not None and not before.get(name, {}).get("required", False)
        if name not in heads or is_new:
            yield _problem("required", name, found.label, heads.get(name, ()))


def _problem(kind: str, native: str, label: str, paths: Sequence[str]) -> dict[str, Any]:
    return {"kind": kind, "field": native, "label": label, "paths": list(paths)}


def _facts(found: FieldSchema) -> dict[str, Any]:
    strict = found.strict_options and found.options
    return {
        "label": found.label,
        "required": found.required,
        "max_length": found.max_length,
        "length_in": found.length_in,
        "options": sorted(option.value for option in found.options) if strict else None,
    }


def _head(native: str) -> str:
    return native.split(".", 1)[0].split("[", 1)[0]
