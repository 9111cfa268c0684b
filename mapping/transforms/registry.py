"""The transforms by name: how a step of a mapping file becomes two functions.

A transform reads (native -> canonical) in an `in` list and writes (canonical -> native) in an
`out` list; its options mean the same in both. A step that stands only in one of the lists is
undone by its counterpart in the other, where it has one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_origin

from pydantic import BaseModel, ConfigDict

Fn = Callable[[Any], Any]


class Refusal(ValueError):  # noqa: N818  the name says what happened
    """A transform cannot read or write a value; `reason` is a key of `mapping.words`."""

    def __init__(self, reason: str, **data: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.data = data


class Options(BaseModel):
    """The options of a transform; unknown ones are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NoOptions(Options):
    """For transforms that need none."""


O = TypeVar("O", bound=Options)  # noqa: E741  the customary letter for options


@dataclass(frozen=True, slots=True)
class Step:
    """A transform with its options bound.

    `undo_read` is what writes when only `in` names the step, `undo_write` what reads when only
    `out` does; None where that cannot be undone. The functions see None (an empty value) only
    where `reads_none` or `writes_none` says so.
    """

    read: Fn
    write: Fn
    undo_read: Fn | None
    undo_write: Fn | None
    reads_none: bool = False
    writes_none: bool = False
    text_limit: int | None = None  # the longest text that it lets through when writing


def two_way(read: Fn, write: Fn, *, reads_none: bool = False, writes_none: bool = False) -> Step:
    """A step whose two functions undo each other."""
    return Step(read, write, write, read, reads_none, writes_none)


def same(value: Any) -> Any:
    """The value as it is."""
    return value


@dataclass(frozen=True, slots=True)
class Transform(Generic[O]):
    """A registered transform: its name, options and documentation in two languages."""

    name: str
    options: type[O]
    build: Callable[[O], Step]
    shorthand: str | None  # the option meant by a bare value: `split: ";"`
    english: str
    chinese: str


_TRANSFORMS: dict[str, Transform[Any]] = {}


def transform(
    name: str, options: type[O], *, chinese: str, shorthand: str | None = None
) -> Callable[[Callable[[O], Step]], Callable[[O], Step]]:
    """Registers a builder under a name; its docstring is the English documentation."""

    def register(build: Callable[[O], Step]) -> Callable[[O], Step]:
        english = " ".join((build.__doc__ or "").split())
        _TRANSFORMS[name] = Transform(name, options, build, shorthand, english, chinese)
        return build

    return register


def names() -> tuple[str, ...]:
    """The registered names, sorted."""
    return tuple(sorted(_TRANSFORMS))


def describe() -> tuple[Transform[Any], ...]:
    """All transforms, for documentation and screens."""
    return tuple(_TRANSFORMS[name] for name in names())


def build(name: str, options: Any) -> Step:
    """A step from its YAML form; KeyError for an unknown name, ValidationError for options."""
    return _TRANSFORMS[name].build(options_of(name, options))


def options_of(name: str, options: Any) -> Any:
    """The options of a step, validated, from their YAML form."""
    found = _TRANSFORMS[name]
    return found.options.model_validate(_mapping_of(found, options))


def _mapping_of(found: Transform[Any], options: Any) -> Any:
    if options is None:
        return {}
    if found.shorthand is None or not _is_bare(found, options):
        return options
    return {found.shorthand: options}


def _is_bare(found: Transform[Any], options: Any) -> bool:
    """`{lookup: {A: b}}` is a bare table, `{cut: {lenght: 9}}` an option misspelt."""
    if not isinstance(options, Mapping):
        return True
    fields = found.options.model_fields
    field = fields.get(found.shorthand or "")
    return (
        field is not None
        and get_origin(field.annotation) is dict
        and not set(options) & set(fields)
    )
