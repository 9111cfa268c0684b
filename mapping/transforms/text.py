"""Steps on text: trimming, case, cutting, taking apart and putting together."""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt

from mapping.transforms.registry import NoOptions, Options, Refusal, Step, same, transform, two_way

_HALF_PAIR = re.compile("[\ud800-\udfff]")
Mark = Annotated[str, Field(min_length=1)]


def as_text(value: Any) -> str:
    """The text of a scalar; numbers without exponent, booleans as `true` and `false`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    raise Refusal("not_text")


def clean(value: Any) -> str | None:
    """The normal form of text: NFC, trimmed, lines ended by a newline, None when empty.

    Refuses NUL and half of a surrogate pair: no database and no XML holds them, and to drop them
    would change what somebody typed.
    """
    text = value if value.__class__ is str else as_text(value)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise Refusal("not_a_sign")
    if not text.isascii():
        if _HALF_PAIR.search(text):
            raise Refusal("not_a_sign")
        text = unicodedata.normalize("NFC", text)
    return text.strip() or None


@transform("trim", NoOptions, chinese="去掉首尾空白；空文本视为空值")
def trim(_: NoOptions) -> Step:
    """Drops blanks at both ends; empty text counts as no value."""
    return two_way(clean, same)


@transform("lower", NoOptions, chinese="转为小写")
def lower(_: NoOptions) -> Step:
    """Lower case."""
    return two_way(_lower, _lower)


def _lower(value: Any) -> str:
    return as_text(value).lower()


@transform("upper", NoOptions, chinese="转为大写")
def upper(_: NoOptions) -> Step:
    """Upper case."""
    return two_way(_upper, _upper)


def _upper(value: Any) -> str:
    return as_text(value).upper()


@transform("digits", NoOptions, chinese="只保留数字")
def digits(_: NoOptions) -> Step:
    """Keeps the digits, full-width ones as plain ones."""
    return two_way(_digits, _digits)


def _digits(value: Any) -> str | None:
    plain = unicodedata.normalize("NFKC", as_text(value))
    return "".join(char for char in plain if char.isdecimal()) or None


class CutOptions(Options):
    length: PositiveInt | list[PositiveInt] = Field(description="longest text; a list for parts")
    unit: Literal["characters", "bytes"] = "characters"


@transform("cut", CutOptions, shorthand="length", chinese="截断过长的文本（按字符或 UTF-8 字节）")
def cut(options: CutOptions) -> Step:
    """Shortens text to a number of characters or UTF-8 bytes; applied to each part of a list."""
    shorten = _shorten_bytes if options.unit == "bytes" else _shorten
    limits = options.length

    def run(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            lengths = limits if isinstance(limits, list) else [limits] * len(value)
            return [
                part if part is None else shorten(as_text(part), length)
                for part, length in zip(value, lengths, strict=False)
            ]
        return shorten(as_text(value), limits if isinstance(limits, int) else limits[0])

    # What was cut on reading is gone; what was cut on writing is read as it stands there.
    limit = limits if isinstance(limits, int) else max(limits)
    return Step(run, run, undo_read=None, undo_write=same, text_limit=limit)


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length].rstrip()


def _shorten_bytes(text: str, length: int) -> str:
    raw = text.encode()
    return text if len(raw) <= length else raw[:length].decode(errors="ignore").rstrip()


class DefaultOptions(Options):
    value: Any = Field(description="what stands in for an empty value")


@transform("default", DefaultOptions, shorthand="value", chinese="空值时使用的默认值")
def default(options: DefaultOptions) -> Step:
    """Stands in for an empty value."""

    def run(value: Any) -> Any:
        return options.value if value is None else value

    return Step(run, run, same, same, reads_none=True, writes_none=True)


class EmptyOptions(Options):
    value: Any = Field(description="what the system holds in an empty field")


@transform(
    "empty", EmptyOptions, shorthand="value", chinese="系统用来表示空值的内容，如 “” 或 -None-"
)
def empty(options: EmptyOptions) -> Step:
    """Names what the system writes for an empty field, such as `""` or `-None-`."""

    def read(value: Any) -> Any:
        return None if value == options.value else value

    def write(value: Any) -> Any:
        return options.value if value is None else value

    return two_way(read, write, writes_none=True)


class SplitOptions(Options):
    by: Mark | list[Mark] = Field(";", description="separator; of several, the first is written")


@transform("split", SplitOptions, shorthand="by", chinese="按分隔符把文本拆成列表")
def split(options: SplitOptions) -> Step:
    """Takes text apart at separators; written, the list is joined with the first of them."""
    marks = [options.by] if isinstance(options.by, str) else options.by
    pattern = re.compile("|".join(re.escape(mark) for mark in marks))

    def read(value: Any) -> list[str] | None:
        parts = (part.strip() for part in pattern.split(as_text(value)))
        return [part for part in parts if part] or None

    def write(value: Any) -> str | None:
        return marks[0].join(as_text(part) for part in as_list(value)) or None

    return two_way(read, write)


class JoinOptions(Options):
    by: Mark = Field("\n", description="what stands between the parts")
    parts: PositiveInt | None = Field(None, description="how many native fields there are")
    overflow: str | None = Field(None, description="separator in the last part, where it is full")


@transform("join", JoinOptions, shorthand="by", chinese="把多个字段合成一个文本，写出时再拆开")
def join(options: JoinOptions) -> Step:
    """Puts several native fields together to one text; written, it is taken apart again."""

    def read(value: Any) -> str | None:
        parts = (clean(part) for part in as_list(value) if part is not None)
        return options.by.join(part for part in parts if part) or None

    def write(value: Any) -> list[str]:
        limit = (options.parts or 0) - 1
        parts = [part for part in as_text(value).split(options.by) if part.strip()]
        if limit < 0 or len(parts) <= limit + 1:
            return parts
        rest = (options.overflow if options.overflow is not None else options.by).join(
            parts[limit:]
        )
        return [*parts[:limit], rest]

    return two_way(read, write)


@transform("first", NoOptions, chinese="取列表的第一项，写出时为单项列表")
def first(_: NoOptions) -> Step:
    """Takes the first item of a list; written, the value is a list of one."""

    def read(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return value[0] if value else None
        return value

    return two_way(read, lambda value: [value])


class ConstOptions(Options):
    value: Any = Field(description="the value, whatever comes in")


@transform("const", ConstOptions, shorthand="value", chinese="固定值")
def const(options: ConstOptions) -> Step:
    """Always this value where there is any."""

    def run(_: Any) -> Any:
        return options.value

    return Step(run, run, None, None)


class IdentifierOptions(Options):
    kind: str | None = Field(None, description="such as `cn:uscc`: drops dots, dashes, slashes too")


@transform("identifier", IdentifierOptions, shorthand="kind", chinese="证件号码：去空格并大写")
def identifier(options: IdentifierOptions) -> Step:
    """Number of a register: no blanks, upper case; with a kind, no punctuation either."""
    dropped = re.compile(r"[\s.\-/]+" if options.kind else r"\s+")

    def run(value: Any) -> str | None:
        text = as_text(value)
        if not text.isascii():  # accents that lose their blank join the letter before it
            text = dropped.sub("", unicodedata.normalize("NFKC", text)).upper()
            text = unicodedata.normalize("NFKC", text)
        return dropped.sub("", text).upper() or None

    return two_way(run, run)


def as_list(value: Any) -> Sequence[Any]:
    """A list as it is; anything else is refused."""
    if isinstance(value, (list, tuple)):
        return value
    raise Refusal("not_list")
