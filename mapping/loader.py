"""YAML to `MappingSpec`; every error names the file, the line, the rule and how to mend it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mapping.errors import MappingError
from mapping.rules import Condition, FieldRule, ItemRule, Moved, Route, nearest
from mapping.spec import MappingSpec

Location = tuple[str | int, ...]
_MODELS: Mapping[str, type[BaseModel]] = {
    "fields": FieldRule,
    "each": ItemRule,
    "only_when": Condition,
    "route": Route,
    "moved_to": Moved,
}


class _Yaml(yaml.SafeLoader):
    """YAML 1.2 scalars: `Yes`, `off`, `12:30` and `2024-01-31` are text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  the base class declares it so

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuses aliases: a small file could stand for an endless one."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not read", mark)
        return super().compose_node(parent, index)


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?", list("-+0123456789.")),
):
    _Yaml.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first
    )


@dataclass(frozen=True)
class _Rule:
    """One rule as written, with the lines of its parts."""

    given: Any
    file: str
    lines: Mapping[Location, int]

    @property
    def key(self) -> tuple[str, str]:
        given = self.given if isinstance(self.given, Mapping) else {}
        part = "canonical" if given.get("canonical") else "native"
        return part, str(given.get(part))

    @property
    def drops(self) -> bool:
        return isinstance(self.given, Mapping) and self.given.get("drop") is True


@dataclass
class _Draft:
    """A mapping before validation: each top-level key and rule knows where it comes from."""

    file: str
    keys: dict[str, Any] = field(default_factory=dict)
    lines: dict[Location, tuple[str, int]] = field(default_factory=dict)
    rules: list[_Rule] = field(default_factory=list)


def load(source: str | Path, *, folders: Sequence[Path] = (), name: str = "mapping") -> MappingSpec:
    """A spec from a file, or from text; raises MappingError.

    `extends` is looked for beside the file, then in `folders`. `name` stands for the file in
    errors about text.
    """
    if isinstance(source, str) and _is_text(source) and "extends" not in source:
        with suppress(MappingError):  # which is to name the file, so it is found once more
            return _standing_alone(source)
    return _load(source, tuple(folders), name)


@lru_cache(maxsize=256)
def _standing_alone(text: str) -> MappingSpec:
    """Each text is read once per process: a system's mappings are opened again and again."""
    return _load(text, (), "mapping")


def _is_text(source: str) -> bool:
    return "\n" in source or ":" in source


def _load(source: str | Path, folders: tuple[Path, ...], name: str) -> MappingSpec:
    draft = _read(source, folders, name, ())
    given = draft.keys | {"fields": [rule.given for rule in draft.rules]}
    try:
        return MappingSpec.model_validate(given)
    except ValidationError as error:
        raise _explained(draft, error) from error


def load_dir(folder: Path, *, folders: Sequence[Path] = ()) -> dict[str, MappingSpec]:
    """All mappings of a folder by file name without its ending, sorted."""
    files = sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"})
    return {path.stem: load(path, folders=folders) for path in files}


def dump(spec: MappingSpec) -> str:
    """The YAML of a spec, with nothing that it did not say; `load` gives the same spec."""
    given = spec.model_dump(by_alias=True, exclude_unset=True, exclude={"extends"})
    return yaml.safe_dump(given, allow_unicode=True, sort_keys=False, width=100)


def _read(
    source: str | Path, folders: tuple[Path, ...], name: str, seen: tuple[str, ...]
) -> _Draft:
    is_text = isinstance(source, str) and _is_text(source)
    file = name if is_text else str(source)
    text = str(source) if is_text else _text(Path(source))
    draft = _draft(file, text)
    base = draft.keys.get("extends")
    if base is None:
        return draft
    line = draft.lines.get(("extends",), (file, 1))[1]
    near = folders if is_text else (Path(source).parent, *folders)
    found = _find(str(base), near, f"{file}:{line}")
    if str(found) in (*seen, file):
        raise _wrong(f"{file}:{line}", f"{base!r} extends this file in turn", "break the circle")
    return _merge(_read(found, folders, name, (*seen, file)), draft)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise _wrong(str(path), "there is no such file", "") from None
    except UnicodeDecodeError:
        raise _wrong(str(path), "the file is not UTF-8", "save it as UTF-8") from None


def _find(base: str, folders: Sequence[Path], where: str) -> Path:
    for folder in folders:
        if (folder / base).is_file():
            return folder / base
    looked = ", ".join(str(folder) for folder in folders) or "no folder"
    raise _wrong(where, f"the base mapping {base!r} is not there", f"looked in {looked}")


def _wrong(where: str, message: str, hint: str) -> MappingError:
    said = f"{where}: {message}" + (f" ({hint})" if hint else "")
    return MappingError(said, where=where, hint=hint)


def _draft(file: str, text: str) -> _Draft:
    try:
        loader = _Yaml(text)
        node = loader.get_single_node()
        given = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        where, hint = f"{file}:{line}", "look at indents, brackets and quotes just before"
        raise _wrong(where, f"this is not YAML: {error.problem}", hint) from error
    except yaml.YAMLError as error:
        raise _wrong(file, f"this is not YAML: {error}", "") from error
    except RecursionError as error:
        raise _wrong(file, "the file is nested too deeply", "") from error
    if not isinstance(given, dict) or not isinstance(node, yaml.MappingNode):
        raise _wrong(
            f"{file}:1", "a mapping file holds keys with values", "start with `version: 1`"
        )
    lines = dict(_lines(file, node, ()))
    return _split(file, given, lines)


def _split(file: str, given: dict[Any, Any], lines: dict[Location, int]) -> _Draft:
    fields = given.pop("fields", [])
    if not isinstance(fields, list):
        raise _wrong(f"{file}:{lines['fields',]}", "`fields` is a list of rules", "")
    rules = []
    for index in range(len(fields)):
        own = {loc[2:]: line for loc, line in lines.items() if loc[:2] == ("fields", index)}
        rules.append(_Rule(fields[index], file, own))
    top = {loc: (file, line) for loc, line in lines.items() if loc[:1] != ("fields",)}
    return _Draft(file, given, top, rules)


def _lines(file: str, node: yaml.Node, at: Location) -> Iterator[tuple[Location, int]]:
    """The line of every value below a node; a key that stands twice is refused."""
    yield at, node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            yield from _lines(file, child, (*at, index))
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, child in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                raise _wrong(f"{file}:{line}", f"the key {key.value!r} stands twice", "drop one")
            seen.add(str(key.value))
            yield from _lines(file, child, (*at, str(key.value)))
            yield (*at, str(key.value)), line


def _merge(base: _Draft, site: _Draft) -> _Draft:
    """The site's keys over the base's; its rules replace, add or drop by canonical path."""
    merged = _Draft(site.file, base.keys | site.keys, base.lines | site.lines, list(base.rules))
    for rule in site.rules:
        _merge_rule(merged.rules, rule)
    return merged


def _merge_rule(rules: list[_Rule], rule: _Rule) -> None:
    matches = [index for index, other in enumerate(rules) if other.key == rule.key]
    if rule.drops:
        _drop(rules, rule, matches)
        return
    if not matches:
        rules.append(rule)
        return
    native = _native(rule)
    same = [index for index in matches if _native(rules[index]) == native]
    rules[(same or matches)[0]] = rule


def _drop(rules: list[_Rule], rule: _Rule, matches: list[int]) -> None:
    line = rule.lines.get((), 1)
    where = f"{rule.file}:{line}"
    if set(rule.given) - {"canonical", "native", "drop"}:
        raise _wrong(where, "a dropped rule says nothing more", "drop: true beside `canonical`")
    both = {"canonical", "native"} <= set(rule.given)
    chosen = [i for i in matches if not both or _native(rules[i]) == _native(rule)]
    if not chosen:
        found = nearest(rule.key[1], [other.key[1] for other in rules])
        hint = f"did you mean {found!r}?" if found else ""
        raise _wrong(where, f"the base has no rule {rule.key[1]!r} to drop", hint)
    for index in reversed(chosen):
        del rules[index]


def _native(rule: _Rule) -> Any:
    return rule.given.get("native") if isinstance(rule.given, Mapping) else None


def _explained(draft: _Draft, error: ValidationError) -> MappingError:
    # A misspelt key is missing under its right name, too: the misspelling is told first.
    details = sorted(error.errors(include_url=False), key=lambda one: one["type"] == "missing")
    problems = [_problem(draft, one) for one in details]
    unique = list(dict.fromkeys(problems))
    where, _, hint = unique[0]
    text = "\n".join(str(_wrong(*problem)) for problem in unique)
    return MappingError(text, where=where, hint=hint)


def _problem(draft: _Draft, details: ErrorDetails) -> tuple[str, str, str]:
    context = details.get("ctx", {})
    at: Location = (*details["loc"], *context.get("at", ()))
    message, hint = _sentence(details, at, context)
    if at[:1] == ("fields",) and len(at) > 1 and isinstance(at[1], int):
        rule = draft.rules[at[1]]
        line = rule.lines[_deepest(rule.lines, at[2:])]
        label = rule.key[1]
        said = message if repr(label) in message else f"rule {label!r}: {message}"
        return f"{rule.file}:{line}", said, hint
    file, line = draft.lines.get(_deepest(draft.lines, at), (draft.file, 1))
    return f"{file}:{line}", message, hint


def _deepest(lines: Mapping[Location, Any], at: Location) -> Location:
    """The longest known place on the way; parts that only the validator knows are skipped."""
    found: Location = ()
    for part in at:
        if (*found, part) in lines:
            found = (*found, part)
    return found


def _sentence(details: ErrorDetails, at: Location, context: Mapping[str, Any]) -> tuple[str, str]:
    key, given = str(at[-1]) if at else "", details["input"]
    if at == ("version",) and details["type"] != "missing":
        return f"this hub reads mapping version 1, not {given!r}", "write `version: 1`"
    match details["type"]:
        case "mapping":
            said = str(context["message"]), str(context["hint"])
        case "extra_forbidden":
            found = nearest(key, _known_keys(at))
            known = f"known are {', '.join(_known_keys(at))}"
            said = f"there is no key {key!r}", f"did you mean {found!r}?" if found else known
        case "missing":
            said = f"the key {key!r} is missing", f"add `{key}: ...`"
        case "tuple_type" | "list_type":
            said = f"{key!r} is a list", f"write `{key}: [...]`"
        case "literal_error":
            said = f"{key!r} cannot be {given!r}", f"allowed are {context['expected']}"
        case _:
            said = f"{key!r}: {details['msg']}", ""
    return said


def _known_keys(at: Location) -> list[str]:
    levels = [_MODELS[part] for part in at[:-1] if isinstance(part, str) and part in _MODELS]
    model = levels[-1] if levels else MappingSpec
    return [info.alias or name for name, info in model.model_fields.items()]
