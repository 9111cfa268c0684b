"""Steps on choices, sets and references to other records."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator

from mapping.transforms.registry import (
    Fn,
    Options,
    Refusal,
    Step,
    build,
    options_of,
    transform,
    two_way,
)
from mapping.transforms.text import as_list, as_text, clean

Unknown = Literal["error", "keep", "blank"]


class LookupOptions(Options):
    table: dict[Any, Any] = Field(description="native value: canonical value")
    unknown: Unknown = Field("error", description="what to do with a native value not listed")
    unknown_out: Unknown = Field("error", description="the same for a canonical value")


@transform(
    "lookup", LookupOptions, shorthand="table", chinese="选项对照表（原生值: 标准值），双向使用"
)
def lookup(options: LookupOptions) -> Step:
    """Translates choices by a table native: canonical, used both ways.

    Where several native values mean the same, the first of them is written.
    """
    inward = {_choice(native): value for native, value in options.table.items()}
    outward: dict[Any, Any] = {}
    for native, value in options.table.items():
        if value is not None:  # what reads as empty is cleared with an empty value
            outward.setdefault(_choice(value), native)
    read = _finder(inward, options.unknown, "not_choice")
    write = _finder(outward, options.unknown_out, "no_choice")
    return two_way(read, write, reads_none=None in inward)


def lookup_table(options: Any) -> Mapping[Any, Any]:
    """The table native: canonical of a lookup's options, whichever form they have."""
    table: Mapping[Any, Any] = options_of("lookup", options).table
    return table


def _choice(value: Any) -> Any:
    return value if value is None else as_text(value)


def _finder(table: Mapping[Any, Any], unknown: Unknown, reason: str) -> Fn:
    known = ", ".join(str(key) for key in table)

    def find(value: Any) -> Any:
        key = value if value.__class__ is str else _choice(value)
        if key in table:
            return table[key]
        if key is not None and key.strip() in table:
            return table[key.strip()]
        if unknown == "error" and value is not None:
            raise Refusal(reason, known=known)
        return value if unknown == "keep" else None

    return find


class ListOptions(Options):
    each: list[Any] = Field(default=[], description="steps for each item")


@transform("list_of", ListOptions, shorthand="each", chinese="集合与列表互换，可对每一项再做转换")
def list_of(options: ListOptions) -> Step:
    """A set here, a list there, with steps for each item."""
    steps = [build(*name_and_options(step)) for step in options.each]
    reads = [step.read for step in steps]
    writes = [step.undo_read for step in reversed(steps) if step.undo_read is not None]

    def read(value: Any) -> list[Any]:
        return [item for item in (_through(reads, item) for item in as_list(value)) if item]

    def write(value: Any) -> list[Any]:
        return [] if value is None else [_through(writes, item) for item in as_list(value)]

    undoable = len(writes) == len(steps)
    return Step(read, write, write if undoable else None, read, writes_none=True)


def _through(functions: list[Fn], value: Any) -> Any:
    for function in functions:
        if value is None:
            return None
        value = function(value)
    return value


def name_and_options(step: Any) -> tuple[str, Any]:
    """`trim` or `{cut: {length: 9}}` as name and options; ValueError for anything else."""
    if isinstance(step, str):
        return step, None
    if isinstance(step, Mapping) and len(step) == 1:
        name, options = next(iter(step.items()))
        return str(name), options
    raise ValueError("a step is a name, or one name with its options: {cut: {length: 40}}")


class TagsOptions(Options):
    key: str | None = Field(None, description="member that holds the text, where tags are objects")


@transform("tags", TagsOptions, shorthand="key", chinese="标签：文本列表或对象列表与集合互换")
def tags(options: TagsOptions) -> Step:
    """Tags as a list of texts or of objects; here a set."""
    key = options.key

    def read(value: Any) -> list[str]:
        found = (item.get(key) if isinstance(item, Mapping) else item for item in as_list(value))
        return [text for text in (clean(item) for item in found if item is not None) if text]

    def write(value: Any) -> list[Any]:
        found = [] if value is None else as_list(value)
        return [{key: item} for item in found] if key else list(found)

    return two_way(read, write, writes_none=True)


class ReferenceOptions(Options):
    key: str | None = Field(None, description="member that holds the id, where it is an object")
    list: bool = Field(default=False, description="written as a list of one")
    type: Literal["text", "integer"] = Field("text", description="what an id is there")

    @field_validator("key")
    @classmethod
    def _named(cls, key: str | None) -> str | None:
        if key == "":
            raise ValueError("name the member that holds the id, or leave `key` out")
        return key


@transform("reference", ReferenceOptions, shorthand="key", chinese="对另一条记录的引用（对方编号）")
def reference(options: ReferenceOptions) -> Step:
    """The remote id of another record: plain, in an object, or in a list of one."""
    key = options.key or "id"

    def read(value: Any) -> str | None:
        if isinstance(value, (list, tuple)):
            value = value[0] if value else None
        if isinstance(value, Mapping):
            value = value.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, (bool, Mapping, list)):
            raise Refusal("not_reference")
        return as_text(value)

    def write(value: Any) -> Any:
        if value is None:
            return [] if options.list else None
        found: Any = _integer_id(value) if options.type == "integer" else as_text(value)
        held = {options.key: found} if options.key else found
        return [held] if options.list else held

    return two_way(read, write, writes_none=options.list)


def _integer_id(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise Refusal("not_reference") from None
