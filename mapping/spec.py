"""The mapping file as a frozen model; a spec that validates can run."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import PrivateAttr, field_serializer, field_validator, model_validator

from mapping import canonical as model
from mapping import program, words
from mapping.paths import CANONICAL, shape, steps
from mapping.rules import Condition, FieldRule, Moved, Route, Strict, nearest, refusal
from mapping.transforms.choice import lookup_table
from mapping.transforms.registry import Refusal

_EXAMPLE_KEYS = {"phones": "work", "emails": "work", "addresses": "billing"}


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
    def compared_paths(self) -> tuple[tuple[str, bool], ...]:
        """The native paths that say whether a record has moved; and whether each is one name.

        The record's own id, times and our key are no part of what it says.
        """
        own = {self.id, self.modified_at, self.revision, self.hub_key}
        return tuple((path, path.isidentifier()) for path in self.native_paths if path not in own)

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
