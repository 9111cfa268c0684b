"""Steps on numbers and booleans."""

import re
import unicodedata
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Literal

from pydantic import Field, NonNegativeInt

from mapping.canonical import plain
from mapping.transforms.registry import Fn, Options, Refusal, Step, transform, two_way

_GROUPED = re.compile(r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")
_DIGITS = 28  # the precision of Python's default decimal context
_TRUE = frozenset({"true", "1", "yes", "y", "t", "on", "是", "真", "有"})
_FALSE = frozenset({"false", "0", "no", "n", "f", "off", "否", "假", "无"})


def parse_decimal(value: Any) -> Decimal:
    """Reads numbers, numeric text (also `1,234.50` and full-width) and tagged Decimals."""
    if isinstance(value, Mapping):
        value = value.get("decimal")
    if isinstance(value, float):
        value = repr(value)
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise Refusal("not_number")
    try:
        number = Decimal(_number_text(value) if isinstance(value, str) else value)
    except (InvalidOperation, ValueError):
        raise Refusal("not_number") from None
    if not number.is_finite() or not _is_exact(number):
        raise Refusal("not_number")
    return number


def _is_exact(number: Decimal) -> bool:
    """Whether arithmetic keeps every digit; `1e999999999` must not become a gigabyte of text."""
    return abs(number.adjusted()) < _DIGITS and len(number.as_tuple().digits) <= _DIGITS


def _number_text(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.strip()
    if "_" in text:  # Python's own digit grouping is nobody's data
        raise Refusal("not_number")
    return text.replace(",", "") if "," in text and _GROUPED.match(text) else text


def decimal_text(value: Any) -> str:
    """The normal form of a number: a plain decimal string."""
    return plain(parse_decimal(value))


def integer_text(value: Any) -> str:
    """The normal form of a whole number; anything with a fraction is refused."""
    number = parse_decimal(value)
    if number != number.to_integral_value():
        raise Refusal("not_whole")
    return plain(number)


def _as_number(number: Decimal) -> int | float:
    if number == number.to_integral_value():
        return int(number)
    written = float(number)
    if Decimal(repr(written)) != number:  # beyond some 15 digits, JSON would carry another amount
        raise Refusal("too_exact")
    return written


def _as_class(number: Decimal) -> dict[str, str]:
    return {"__class__": "Decimal", "decimal": format(number, "f")}


class DecimalOptions(Options):
    style: Literal["number", "string", "class"] = Field(
        "string", description="how it is written; `class` is Tryton's tagged object"
    )
    scale: NonNegativeInt | None = Field(None, description="digits after the point when written")


@transform(
    "decimal", DecimalOptions, shorthand="style", chinese="数字和金额；写出为数字、文本或对象"
)
def decimal(options: DecimalOptions) -> Step:
    """Numbers and amounts, from any form; written as number, text or tagged object."""
    styles: dict[str, Fn] = {
        "number": _as_number,
        "string": lambda number: plain(number) if options.scale is None else format(number, "f"),
        "class": _as_class,
    }
    style = styles[options.style]
    step = None if options.scale is None else Decimal(1).scaleb(-options.scale)

    def write(value: Any) -> Any:
        number = parse_decimal(value)
        return style(number if step is None else number.quantize(step, ROUND_HALF_UP))

    return two_way(decimal_text, write)


class IntegerOptions(Options):
    style: Literal["number", "string"] = Field("number", description="how it is written")


@transform("integer", IntegerOptions, shorthand="style", chinese="整数；写出时四舍五入")
def integer(options: IntegerOptions) -> Step:
    """Whole numbers; a fraction is refused on reading and rounded on writing."""

    def write(value: Any) -> int | str:
        whole = int(parse_decimal(value).to_integral_value(ROUND_HALF_UP))
        return whole if options.style == "number" else str(whole)

    return two_way(integer_text, write)


def parse_boolean(value: Any) -> bool:
    """Reads true and false, 1 and 0, and the usual words in English and Chinese."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, (str, int)) else ""
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise Refusal("not_boolean")


class BooleanOptions(Options):
    style: Literal["bool", "string", "number", "digit"] = Field(
        "bool", description='written as true, "true", 1 or "1"'
    )
    inverted: bool = Field(default=False, description="true there is false here (active, blocked)")


_STYLES: Mapping[str, Fn] = {
    "bool": bool,
    "string": lambda value: "true" if value else "false",
    "number": int,
    "digit": lambda value: "1" if value else "0",
}


@transform("boolean", BooleanOptions, shorthand="style", chinese="是否值；可取反")
def boolean(options: BooleanOptions) -> Step:
    """Yes or no, from any usual form; may be inverted."""
    style = _STYLES[options.style]
    turned = options.inverted

    def read(value: Any) -> bool:
        return parse_boolean(value) is not turned

    def write(value: Any) -> Any:
        return style(parse_boolean(value) is not turned)

    return two_way(read, write)
