"""JSON, fast and exact: orjson, and the standard library for what orjson would change or refuse.

That is whole numbers beyond 64 bits, halves of surrogate pairs and keys that are no text. NaN and
its like are no JSON: read they are refused, and written they become null.
"""

import json
import re
from typing import Any, NoReturn

import orjson

_BEYOND_64_BITS = r"[0-9]{20}|-[0-9]{19}"  # perhaps: orjson would make a float of it
_LONG_TEXT = re.compile(_BEYOND_64_BITS)
_LONG_BYTES = re.compile(_BEYOND_64_BITS.encode())
_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def loads(text: str | bytes) -> Any:
    """What a JSON text says; ValueError where it is none."""
    found = _LONG_TEXT.search(text) if isinstance(text, str) else _LONG_BYTES.search(text)
    if found is None:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass  # the standard library knows half pairs, and says what is wrong with the rest
    return json.loads(text, parse_constant=_refuse)


def dumps(value: Any, *, sort_keys: bool = False) -> str:
    """JSON text, readable, without blanks; what JSON has no form for is written as its `str`."""
    try:
        option = _SORTED if sort_keys else orjson.OPT_PASSTHROUGH_DATETIME
        return orjson.dumps(value, default=str, option=option).decode()
    except orjson.JSONEncodeError:
        return json.dumps(value, separators=(",", ":"), default=str, sort_keys=sort_keys)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON value.")
