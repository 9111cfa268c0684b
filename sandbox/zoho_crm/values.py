"""One value of one field: from the wire to the stored form, or the vendor's refusal."""

import math
import re
from datetime import date

from sandbox.zoho_crm.clock import parse_time
from sandbox.zoho_crm.errors import TEXT_BAD_RELATED_ID, ItemError, invalid_data
from sandbox.zoho_crm.store import by_unique

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
PHONE = re.compile(r"[\w\s+\-.()/;,#]+")
WEBSITE = re.compile(r"(https?://)?[^\s/]+\.[^\s/]+(/\S*)?", re.IGNORECASE)
ID = re.compile(r"\d{1,19}")


def parse_id(value):
    """An id as a number, or None when it cannot be one."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value).strip()
    return int(text) if ID.fullmatch(text) and int(text) < 2**63 else None


class Values:
    """Checks values against the metadata; lookups against what is stored."""

    def __init__(self, metadata, people, switches):
        self._metadata = metadata
        self._people = people
        self._switches = switches

    def parse(self, conn, field, value, path, external=None):
        """The stored form of `value`; None clears the field."""
        if value is None:
            return None
        kind = field.data_type
        if kind in _SIMPLE:
            return _SIMPLE[kind](field, value, path)
        if kind == "lookup":
            return self._lookup(conn, field, value, path, external)
        if kind == "ownerlookup":
            return self._owner(field, value, path)
        if kind == "multi_module_lookup":
            return self._anything(conn, field, value, path)
        if kind == "jsonarray":
            return _array(field, value, path)
        return self._text(field, value, path)

    def _text(self, field, value, path):
        if not isinstance(value, str):
            raise invalid_data(field.api_name, path, expected_data_type=_wire_type(field))
        text = value.strip() if self._switches["trim_text"] else value
        if text == "" and self._switches["empty_string_is_null"]:
            return None
        if field.length and len(text) > field.length:
            raise invalid_data(field.api_name, path, maximum_length=field.length)
        pattern = {"email": EMAIL, "phone": PHONE, "website": WEBSITE}.get(field.data_type)
        if pattern and text and not pattern.fullmatch(text):
            raise invalid_data(field.api_name, path, expected_data_type=field.data_type)
        if field.data_type == "picklist":
            return self._pick(field, text, path)
        return text

    def _pick(self, field, text, path):
        if text == "-None-":
            return None
        strict = self._switches["unknown_picklist"] == "refuse"
        if strict and field.picklist and text not in field.picklist:
            raise invalid_data(field.api_name, path, expected_data_type="picklist")
        return text

    def _lookup(self, conn, field, value, path, external):
        if not isinstance(value, dict):
            raise invalid_data(field.api_name, path, expected_data_type="jsonobject")
        if external and external in value:
            return self._by_external(conn, field, value[external], path, external)
        found = parse_id(value.get("id"))
        sql = f"SELECT 1 FROM rec_{field.lookup} WHERE id = ?"
        if found is None or not conn.execute(sql, (found,)).fetchone():
            raise bad_related(field.api_name, f"{path}.id")
        return found

    def _by_external(self, conn, field, value, path, external):
        found = by_unique(conn, field.lookup, external, value)
        if found is None:
            message = "The value of the external field is invalid."
            details = {"api_name": external, "json_path": f"{path}.{external}"}
            raise ItemError("INVALID_DATA", message, details)
        return found

    def _owner(self, field, value, path):
        if not isinstance(value, dict):
            raise invalid_data(field.api_name, path, expected_data_type="jsonobject")
        found = parse_id(value.get("id"))
        user = self._people.users.get(found)
        if user is None or user["status"] != "active":
            raise bad_related(field.api_name, f"{path}.id")
        return found

    def _anything(self, conn, field, value, path):
        """A lookup into any module; stored as [module, id]."""
        if not isinstance(value, dict):
            raise invalid_data(field.api_name, path, expected_data_type="jsonobject")
        found = parse_id(value.get("id"))
        named = (value.get("module") or {}).get("api_name") or value.get("$se_module")
        for module in [named] if named else list(self._metadata.modules):
            if found is None or self._metadata.callable_module(module) is None:
                continue
            if conn.execute(f"SELECT 1 FROM rec_{module} WHERE id = ?", (found,)).fetchone():
                return [module, found]
        raise bad_related(field.api_name, f"{path}.id")


def bad_related(api_name, path):
    details = {"api_name": api_name, "json_path": path}
    return ItemError("INVALID_DATA", TEXT_BAD_RELATED_ID, details)


def _wire_type(field):
    return "text" if field.data_type in {"text", "textarea", "picklist"} else field.data_type


def _integer(field, value, path):
    whole = isinstance(value, float) and value.is_integer()
    if isinstance(value, bool) or not (isinstance(value, int) or whole):
        raise invalid_data(field.api_name, path, expected_data_type="integer")
    if abs(value) >= 10 ** (field.length or 9):
        raise invalid_data(field.api_name, path, maximum_length=field.length or 9)
    return int(value)


def _bigint(field, value, path):
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+", text):
        raise invalid_data(field.api_name, path, expected_data_type="bigint")
    if len(text.lstrip("-")) > (field.length or 18):
        raise invalid_data(field.api_name, path, maximum_length=field.length or 18)
    return text


def _double(field, value, path):
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value):
        raise invalid_data(field.api_name, path, expected_data_type="double")
    limit = 5 if field.data_type == "percent" else field.length or 16
    if abs(value) >= 10**limit:
        raise invalid_data(field.api_name, path, maximum_length=limit)
    return round(value, 9)


def _boolean(field, value, path):
    if not isinstance(value, bool):
        raise invalid_data(field.api_name, path, expected_data_type="boolean")
    return value


def _date(field, value, path):
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise invalid_data(field.api_name, path, expected_data_type="date") from None


def _datetime(field, value, path):
    try:
        return parse_time(value)
    except (TypeError, ValueError):
        raise invalid_data(field.api_name, path, expected_data_type="datetime") from None


def _multiple(field, value, path):
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid_data(field.api_name, path, expected_data_type="jsonarray")
    return list(dict.fromkeys(value)) or None


def _array(field, value, path):
    if not isinstance(value, list):
        raise invalid_data(field.api_name, path, expected_data_type="jsonarray")
    return value or None


_SIMPLE = {
    "integer": _integer,
    "bigint": _bigint,
    "double": _double,
    "currency": _double,
    "percent": _double,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "multiselectpicklist": _multiple,
}
