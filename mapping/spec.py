"""The mapping file as a frozen model; a spec that validates can run."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from mapping import canonical as model
from mapping import program, words
from mapping.paths import ABSENT, CANONICAL, shape, steps
from mapping.program import Stage
from mapping.transforms import build, names
from mapping.transforms.choice import lookup_table, name_and_options
from mapping.transforms.registry import Refusal, Step

Direction = Literal["both", "in", "out"]
_EXAMPLE_KEYS = {"phones": "work", "emails": "work", "addresses": "billing"}


class Strict(BaseModel):
    """Frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def refusal(message: str, *, hint: str = "", at: tuple[str | int, ...] = ()) -> PydanticCustomError:
    """A validation error with a hint how to mend it, and where below the model it stands."""
    texts: dict[str, Any] = {"message": message, "hint": hint, "at": at}
    return PydanticCustomError("mapping", "{message}", texts)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like this one."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    found = nearest(word, known)
    return f"did you mean {found!r}?" if found else ""


class StepSpec(Strict):
    """A transform by name with its options: `trim` or `{cut: {length: 40}}` in the file."""

    name: str
    options: Any = None

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and "name" in given and set(given) <= {"name", "options"}:
            return given
        try:
            name, options = name_and_options(given)
        except ValueError as error:
            raise refusal(str(error)) from None
        return {"name": name, "options": options}

    @model_validator(mode="after")
    def _buildable(self) -> Self:
        if self.name not in names():
            hint = _did_you_mean(self.name, names()) or f"known are {', '.join(names())}"
            raise refusal(f"there is no transform {self.name!r}", hint=hint)
        try:
            build(self.name, self.options)
        except ValidationError as error:
            raise refusal(_options_text(self.name, error)) from None
        except (KeyError, ValueError) as error:
            raise refusal(f"{self.name}: {error}") from None
        return self

    @model_serializer
    def _plain(self) -> Any:
        return self.name if self.options is None else {self.name: self.options}

    def built(self, *, width: int | None = None) -> Step:
        """The step itself; `width` is the number of native fields that the rule names."""
        if self.name == "join" and width:
            given = self.options if isinstance(self.options, Mapping) else {"by": self.options}
            known = {key: value for key, value in given.items() if value is not None}
            return build("join", {"parts": width} | known)
        return build(self.name, self.options)


def _options_text(name: str, error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    option = ".".join(str(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    return f"{name}: option {option!r}: {said}" if option else f"{name}: {said}"


class ValueTest(Strict):
    """A test on a value; exactly one of the three."""

    one_of: tuple[Any, ...] | None = None
    none_of: tuple[Any, ...] | None = None
    empty: bool | None = None

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        tests = (self.one_of, self.none_of, self.empty)
        if sum(test is not None for test in tests) != 1:
            raise refusal(
                "a condition needs exactly one of one_of, none_of and empty",
                hint="such as {native: Layout, one_of: [Standard]}",
            )
        return self

    def holds(self, value: Any) -> bool:
        """Whether a value passes; None and ABSENT are empty, of a list one item is enough."""
        if self.empty is not None:
            return (value is ABSENT or program.is_empty(value)) is self.empty
        held = value if isinstance(value, (list, tuple)) else (value,)
        listed = {_word(item) for item in (self.one_of or self.none_of or ())}
        found = any(_word(item) in listed for item in held)
        return found if self.one_of is not None else not found


class Condition(ValueTest):
    """A condition on a native value."""

    native: str


class CanonicalCondition(ValueTest):
    """A condition on a canonical value."""

    canonical: str


def _word(value: Any) -> str | None:
    if value is ABSENT or value is None or value == "":
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


class Route(Strict):
    """Which golden records should exist in this object, and what becomes of one that leaves."""

    when: tuple[CanonicalCondition, ...] = ()
    leaving: Literal["keep", "unlink", "archive"] = "keep"


class Moved(Strict):
    """When the native path holds an id, the record has become another one."""

    object: str
    native: str


class ItemRule(Strict):
    """How one member of an order or invoice line is held in a native row."""

    item: str | None = None
    native: str | None = None
    const: Any = None
    inbound: tuple[StepSpec, ...] | None = Field(None, alias="in")
    outbound: tuple[StepSpec, ...] | None = Field(None, alias="out")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.native is None:
            raise refusal("an item rule needs `native`")
        if self.item is None and "const" not in self.model_fields_set:
            raise refusal("an item rule needs `item`, or `const` to be written")
        if self.item is not None and self.item not in program.MEMBERS:
            hint = _did_you_mean(self.item, program.MEMBERS) or ", ".join(program.MEMBERS)
            raise refusal(f"a line has no member {self.item!r}", hint=hint)
        return self

    @cached_property
    def read_stages(self) -> tuple[Stage, ...] | None:
        """What reads the native value; None where nothing can."""
        return _read_stages(self.inbound, self.outbound, None)

    @cached_property
    def write_stages(self) -> tuple[Stage, ...] | None:
        """What makes the native value; None where nothing can."""
        return _write_stages(self.inbound, self.outbound, None)


class FieldRule(Strict):
    """One canonical path and where the system holds it."""

    canonical: str | None = None
    native: str | tuple[str, ...] | None = None
    const: Any = None
    direction: Direction = "both"
    inbound: tuple[StepSpec, ...] | None = Field(None, alias="in")
    outbound: tuple[StepSpec, ...] | None = Field(None, alias="out")
    blank: Literal["absent", "clear"] = "clear"
    fallback: tuple[str, ...] = ()
    default: Any = None
    on_create_only: bool = False
    target: str | None = None  # the object that a reference points at
    each: tuple[ItemRule, ...] = ()

    @field_validator("native", mode="before")
    @classmethod
    def _native(cls, given: Any) -> Any:
        listed = isinstance(given, (list, tuple)) and given
        if given is None or isinstance(given, str):
            return given
        if listed and all(isinstance(path, str) for path in given):
            return tuple(given)
        raise refusal("`native` is the name of a field, or a list of names")

    @model_validator(mode="before")
    @classmethod
    def _shorthands(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        rule = dict(given)
        if isinstance(rule.get("fallback"), str):
            rule["fallback"] = (rule["fallback"],)
        if "const" in rule and "direction" not in rule:
            rule["direction"] = "in" if "canonical" in rule else "out"
        return rule

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _check_rule(self)
        return self

    @property
    def label(self) -> str:
        """How messages call the rule."""
        return self.canonical or ", ".join(self.natives)

    @property
    def is_const(self) -> bool:
        """Whether the rule holds a constant instead of a pair of paths."""
        return "const" in self.model_fields_set

    @property
    def natives(self) -> tuple[str, ...]:
        """The native paths, however many."""
        if self.native is None:
            return ()
        return (self.native,) if isinstance(self.native, str) else self.native

    @property
    def listed(self) -> bool:
        """Whether the steps see a list, one item for each native path."""
        return isinstance(self.native, tuple)

    @property
    def sources(self) -> tuple[str, ...]:
        """The canonical paths that decide what is written."""
        return (*((self.canonical,) if self.canonical else ()), *self.fallback)

    @cached_property
    def read_stages(self) -> tuple[Stage, ...] | None:
        """What reads the native value; None where nothing can."""
        return _read_stages(self.inbound, self.outbound, self._width)

    @property
    def readable(self) -> bool:
        """Whether its steps, and those of its items, can read."""
        items = (item for item in self.each if item.item)
        return self.read_stages is not None and all(i.read_stages is not None for i in items)

    @property
    def writable(self) -> bool:
        """Whether its steps, and those of its items, can write."""
        items = (item for item in self.each if item.item)
        return self.write_stages is not None and all(i.write_stages is not None for i in items)

    @cached_property
    def write_stages(self) -> tuple[Stage, ...] | None:
        """What makes the native value; None where nothing can."""
        return _write_stages(self.inbound, self.outbound, self._width)

    @property
    def _width(self) -> int | None:
        return len(self.natives) if self.listed else None


Steps = tuple[StepSpec, ...] | None


def _read_stages(inbound: Steps, outbound: Steps, width: int | None) -> tuple[Stage, ...] | None:
    if inbound is not None:
        built = [(step.name, step.built(width=width)) for step in inbound]
        return tuple(Stage(name, step.read, step.reads_none) for name, step in built)
    built = [(step.name, step.built(width=width)) for step in reversed(outbound or ())]
    undone = [(name, step.undo_write, step.reads_none) for name, step in built]
    return _all_or_none(undone)


def _write_stages(inbound: Steps, outbound: Steps, width: int | None) -> tuple[Stage, ...] | None:
    if outbound is not None:
        built = [(step.name, step.built(width=width)) for step in outbound]
        return tuple(Stage(name, step.write, step.writes_none) for name, step in built)
    built = [(step.name, step.built(width=width)) for step in reversed(inbound or ())]
    undone = [(name, step.undo_read, step.writes_none) for name, step in built]
    return _all_or_none(undone)


def _all_or_none(undone: Iterable[tuple[str, Any, bool]]) -> tuple[Stage, ...] | None:
    stages = [Stage(name, run, takes_none) for name, run, takes_none in undone]
    return None if any(stage.run is None for stage in stages) else tuple(stages)


def _check_rule(rule: FieldRule) -> None:
    if rule.is_const:
        _check_const(rule)
        return
    if rule.canonical is None:
        raise refusal("the rule names no canonical path", hint="add `canonical: ...`")
    if not rule.natives:
        raise refusal(
            f"rule {rule.label!r} has neither `native` nor `const`",
            hint="add `native: <field of the system>`",
        )
    if rule.direction == "in" and (rule.outbound is not None or rule.fallback):
        raise refusal(
            f"rule {rule.label!r} only reads, but says how to write",
            hint="drop `out` and `fallback`, or drop `direction: in`",
        )
    if rule.direction != "in" and not rule.writable:
        raise refusal(
            f"rule {rule.label!r} goes both ways, but its `in` steps cannot be undone",
            hint="say how to write it in `out: [...]`, or add `direction: in`",
        )
    if rule.direction != "out" and not rule.readable:
        raise refusal(
            f"rule {rule.label!r} goes both ways, but its `out` steps cannot be undone",
            hint="say how to read it in `in: [...]`, or add `direction: out`",
        )


def _check_const(rule: FieldRule) -> None:
    if rule.direction == "in" and rule.canonical and not rule.natives:
        return
    if rule.direction == "out" and rule.natives and not rule.listed and not rule.canonical:
        return
    raise refusal(
        f"a constant has one end: rule {rule.label!r} names "
        + ("both" if rule.canonical and rule.natives else "the wrong one for its direction"),
        hint="{canonical: kind, const: person} is read, {native: Layout, const: A} is written",
    )


class MappingSpec(Strict):
    """One object of a system and how its records and golden records translate."""

    version: Literal[1]
    entity: model.Entity
    object: str
    id: str
    modified_at: str | None = None
    revision: str | None = None  # native path of the record's version
    hub_key: str | None = None
    only_when: tuple[Condition, ...] = ()
    route: Route | None = Route()  # None, `none` in the file: the hub never creates one
    moved_to: tuple[Moved, ...] = ()
    fields: tuple[FieldRule, ...]
    extends: str | None = None
    _compiled: Any = PrivateAttr(default=None)

    @field_validator("route", mode="before")
    @classmethod
    def _route(cls, given: Any) -> Any:
        if given is None:
            raise refusal("`route` is empty", hint="write `route: none` or leave it out")
        return None if given == "none" else given

    @field_serializer("route")
    def _plain_route(self, route: Route | None) -> Any:
        return "none" if route is None else route.model_dump(exclude_unset=True)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _check_paths(self)
        _check_repeats(self)
        _check_values(self)
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy without what this spec had compiled."""
        copied = super().model_copy(update=update, deep=deep)
        for name in set(copied.__dict__) - set(type(self).model_fields):
            del copied.__dict__[name]
        copied._compiled = None  # noqa: SLF001  it is the same class
        return copied

    @cached_property
    def in_paths(self) -> frozenset[str]:
        """Canonical paths that the system may bring in."""
        return frozenset(r.canonical for r in self.fields if r.canonical and r.direction != "out")

    @cached_property
    def out_paths(self) -> frozenset[str]:
        """Canonical paths that are written to the system."""
        return frozenset(r.canonical for r in self.fields if r.canonical and r.direction != "in")

    @cached_property
    def update_paths(self) -> frozenset[str]:
        """Canonical paths that are written to records which exist already."""
        create_only = {rule.canonical for rule in self.fields if rule.on_create_only}
        return self.out_paths - create_only

    @cached_property
    def observed_paths(self) -> frozenset[str]:
        """Paths that are only written, but read back so that drift is seen."""
        return frozenset(rule.canonical for rule in self._observed if rule.canonical)

    @cached_property
    def read_paths(self) -> frozenset[str]:
        """All canonical paths that `canonicalise` may return."""
        return self.in_paths | self.observed_paths

    @cached_property
    def native_paths(self) -> tuple[str, ...]:
        """Native paths to be read, whole, in the order of the file."""
        own = (self.id, self.modified_at, self.revision, self.hub_key)
        tests = (test.native for test in self.only_when)
        moves = (moved.native for moved in self.moved_to)
        read = (native for rule in self.read_rules for native in rule.natives)
        return tuple(dict.fromkeys(path for path in (*own, *tests, *moves, *read) if path))

    @cached_property
    def native_names(self) -> tuple[str, ...]:
        """The native fields to be read: where each native path starts."""
        heads = (str(steps(path)[0][0]) for path in self.native_paths)
        return tuple(dict.fromkeys(heads))

    @cached_property
    def watched_paths(self) -> frozenset[str]:
        """Canonical paths whose change may concern this object: written, or asked by the route."""
        route = () if self.route is None else self.route.when
        fallbacks = (path for rule in self.fields for path in rule.fallback)
        return self.out_paths | {item.canonical for item in route} | set(fallbacks)

    def target_of(self, path: str) -> str | None:
        """The object that a reference points at, None where the mapping does not say."""
        return next((rule.target for rule in self.fields if rule.canonical == path), None)

    @property
    def leaving(self) -> str:
        """What becomes of a record whose golden record leaves the route."""
        return "keep" if self.route is None else self.route.leaving

    def rules_for(self, paths: Iterable[str]) -> tuple[FieldRule, ...]:
        """The rules that read or write these canonical paths, or fall back on them."""
        wanted = frozenset(paths)
        return tuple(rule for rule in self.fields if not wanted.isdisjoint(rule.sources))

    @cached_property
    def read_rules(self) -> tuple[FieldRule, ...]:
        """The rules that read native values, those that observe last."""
        incoming = (rule for rule in self.fields if rule.direction != "out" and rule.natives)
        return (*incoming, *self._observed)

    @cached_property
    def _observed(self) -> tuple[FieldRule, ...]:
        found: dict[str, FieldRule] = {}
        for rule in self.fields:
            if self._is_observed(rule):
                found.setdefault(str(rule.canonical), rule)
        return tuple(found.values())

    def _is_observed(self, rule: FieldRule) -> bool:
        if rule.direction != "out" or rule.canonical is None or rule.canonical in self.in_paths:
            return False
        if rule.inbound is not None:
            return True
        if not rule.readable:
            return False
        # A native field that two rules write does not tell whose value it holds.
        others = {path for other in self.fields if other is not rule for path in other.natives}
        return others.isdisjoint(rule.natives)

    def compiled(self, make: Callable[[Self], Any]) -> Any:
        """What `make` builds from this spec; built once."""
        if self._compiled is None:
            self._compiled = make(self)
        return self._compiled


def _check_paths(spec: MappingSpec) -> None:
    for index, rule in enumerate(spec.fields):
        for path in rule.sources:
            _check_path(spec.entity, path, ("fields", index))
        if rule.canonical:
            _check_lines(spec.entity, rule, ("fields", index))
    for index, test in enumerate(spec.route.when if spec.route else ()):
        _check_path(spec.entity, test.canonical, ("route", "when", index))


def _check_path(entity: str, path: str, at: tuple[str | int, ...]) -> None:
    if model.field_of(entity, path) is not None:
        return
    found = nearest(shape(path), model.FIELDS[entity])
    hint = f"did you mean {_with_key(found, path)!r}?" if found else ""
    raise refusal(f"a {entity} has no canonical path {path!r}", hint=hint, at=at)


def _with_key(found: str, path: str) -> str:
    match = CANONICAL.match(path)
    key = (match and match.group(2)) or _EXAMPLE_KEYS.get(found.partition("[")[0], "name")
    return found.replace("[]", f"[{key}]")


def _check_lines(entity: str, rule: FieldRule, at: tuple[str | int, ...]) -> None:
    is_lines = program.kind_of(entity, str(rule.canonical)) == "lines"
    if is_lines and not rule.each:
        raise refusal(
            f"rule {rule.label!r} maps lines and needs `each`",
            hint="each: [{item: quantity, native: Quantity}, ...]",
            at=at,
        )
    if rule.each and not is_lines:
        raise refusal(f"rule {rule.label!r} has `each`, but holds no lines", at=at)


def _check_repeats(spec: MappingSpec) -> None:
    """One rule reads a path; further ones may write it, but each to its own native field."""
    read: set[str] = set()
    written: set[tuple[str, str]] = set()
    for index, rule in enumerate(spec.fields):
        path = rule.canonical
        if path is None:
            continue
        pairs = {(path, native) for native in rule.natives} if rule.direction != "in" else set()
        if (rule.direction != "out" and path in read) or pairs & written:
            verb = "written" if pairs & written else "read"
            raise refusal(
                f"canonical path {path!r} is {verb} by two rules",
                hint="one rule may name a list of native paths; a second field that only "
                "receives the value needs `direction: out`",
                at=("fields", index),
            )
        written |= pairs
        read |= {path} if rule.direction != "out" else set()


def _check_values(spec: MappingSpec) -> None:
    """Constants and lookups must give values that their canonical path can have."""
    for index, rule in enumerate(spec.fields):
        if rule.canonical is None:
            continue
        normal = program.normal_of(spec.entity, rule.canonical)
        for value in _given_values(rule):
            try:
                normal(value)
            except Refusal as refused:
                why = words.pick(words.REASONS[refused.reason], "en", refused.data)
                raise refusal(
                    f"{rule.canonical!r} cannot be {value!r}", hint=why, at=("fields", index)
                ) from None


def _given_values(rule: FieldRule) -> list[Any]:
    if rule.is_const:
        return [] if rule.const is None else [rule.const]
    last = (rule.inbound or (None,))[-1]
    if last is None or last.name != "lookup" or rule.each:
        return []
    return [value for value in lookup_table(last.options).values() if value is not None]
