"""JSON, fast and exact: orjson, and the standard library for what orjson would change or refuse.

That is whole numbers beyond 64 bits, halves of surrogate pairs and keys that are no text. NaN and
its like are no JSON: read they are refused, and written they become null.
"""

import json
from typing import Any, NoReturn

import orjson

# orjson makes a float of a whole number beyond 64 bits: all digits as 0, so that a long run shows.
_AS_RUNS = bytes(ord("0") if n in b"0123456789" else n for n in range(256))
_LONG, _LONG_NEGATIVE = b"0" * 20, b"-" + b"0" * 19
_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def loads(text: str | bytes) -> Any:
    """What a JSON text says; ValueError where it is none."""
    try:
        raw = text.encode() if isinstance(text, str) else text
        runs = raw.translate(_AS_RUNS)
        if _LONG not in runs and _LONG_NEGATIVE not in runs:
            return orjson.loads(raw)
    except (UnicodeEncodeError, orjson.JSONDecodeError):
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
