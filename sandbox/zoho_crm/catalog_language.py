"""Reads the field tables of the catalogue."""

import re

_PICKLIST = re.compile(r"\[(.*)\]")


def parse_fields(text):
    """Field descriptions (plain dicts, the form in which they are stored) of one table."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return [field for line in lines for field in _expand(line)]


def _expand(line):
    if not line.startswith("@address"):
        return [_field(line)]
    _, prefix, code = line.split()
    parts = (("Street", 250), ("City", 100), ("State", 100), (code, 30), ("Country", 100))
    return [_field(f"{prefix}_{part} text {length}") for part, length in parts]


def _field(line):
    picklist = _PICKLIST.search(line)
    marks = _PICKLIST.sub("", line).split()
    external = "x" in marks[2:]
    return {
        "api_name": marks[0],
        "label": marks[0].removesuffix("__s").replace("_", " "),
        "data_type": marks[1],
        "length": next((int(mark) for mark in marks[2:] if mark.isdigit()), 0),
        "mandatory": "!" in marks,
        "read_only": "r" in marks[2:],
        "custom": "c" in marks[2:],
        "unique": external or "u" in marks[2:],
        "external": external,
        "lookup": next((mark[1:] for mark in marks if mark.startswith(">")), None),
        "subform": next((mark[1:] for mark in marks if mark.startswith("+")), None),
        "picklist": picklist.group(1).split("|") if picklist else [],
    }
