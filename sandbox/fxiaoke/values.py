"""Turns a value that came in into the form it is kept in, or refuses it; by type of field."""

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sandbox.fxiaoke.areas import areas
from sandbox.fxiaoke.clock import midnight
from sandbox.fxiaoke.errors import Refused

Field = dict[str, Any]
TEXTS = ("text", "long_text", "html_rich_text", "email", "url", "phone_number", "location")
NUMBERS = ("number", "currency", "percentile")
TIMES = ("date", "time", "date_time")
AREAS = ("country", "province", "city", "district")
EMPLOYEES = ("employee", "employee_many")
DEPARTMENTS = ("department", "department_many")
FILES = ("file_attachment", "image", "signature")
LISTS = (
    *EMPLOYEES, *DEPARTMENTS, *FILES, "select_many", "object_reference_many",
    "embedded_object_list",
)  # fmt: skip
READ_ONLY = ("auto_number", "formula", "count", "quote", "group")

_LAST_MOMENT = 253_402_300_799_999  # the end of the year 9999
_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]+")
_URL = re.compile(r"(https?://)?[^\s/]+\.[^\s]+", re.IGNORECASE)
_PHONE = re.compile(r"[0-9+\-;,.:/() #*extEXT转]{1,100}")
_PATTERNS = {"email": _EMAIL, "url": _URL, "phone_number": _PHONE}


def wrong_type(field: Field) -> Refused:
    # The vendor answers a wrong JSON type with nothing more telling than this.
    return Refused(f"系统错误，请检查参数（{field['api_name']}）", field=field["api_name"])


def refused(field: Field, why: str) -> Refused:
    return Refused(f"[{field['label']}]({field['api_name']}){why}", field=field["api_name"])


def keep_text(field: Field, value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise wrong_type(field)
    limit = field.get("max_length")
    if limit and len(value) > limit:
        raise refused(field, f"长度超过限制，最多{limit}个字符")
    pattern = _PATTERNS.get(field["type"])
    if pattern and not pattern.fullmatch(value):
        raise refused(field, "格式不正确")
    return value


def keep_number(field: Field, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise wrong_type(field)
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        raise refused(field, "不是有效的数字") from None
    if not amount.is_finite():
        raise refused(field, "不是有效的数字")
    if abs(amount) >= Decimal(10) ** field.get("length", 14):
        raise refused(field, f"整数位超过{field.get('length', 14)}位")
    step = Decimal(1).scaleb(-field.get("decimal_places", 0))
    return format(amount.quantize(step, ROUND_HALF_UP), "f")


def keep_time(field: Field, value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,15}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(field)
    if abs(value) > _LAST_MOMENT:
        raise refused(field, "时间超出范围")
    return midnight(value) if field["type"] == "date" else value


def keep_flag(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise wrong_type(field)


def keep_option(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise wrong_type(field)
    for option in field["options"]:
        if option["value"] == value and not option.get("not_usable"):
            return value
    raise refused(field, f"选项值 {value} 不存在")


def keep_record_type(field: Field, value: Any) -> str:
    if any(o["api_name"] == value and o["is_active"] for o in field["options"]):
        return value
    raise refused(field, f"业务类型 {value} 不存在")


def keep_options(field: Field, value: Any) -> list[str]:
    return [keep_option(field, one) for one in _list(field, value)]


def keep_area(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise wrong_type(field)
    if value not in areas().labels[field["type"]]:
        raise refused(field, f"地区编码 {value} 不存在")
    return value


def keep_reference(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise wrong_type(field)
    return value


def keep_references(field: Field, value: Any) -> list[str]:
    return [keep_reference(field, one) for one in _list(field, value)]


def keep_files(field: Field, value: Any) -> list[dict[str, Any]]:
    files = _list(field, value)
    for one in files:
        if not isinstance(one, dict) or not isinstance(one.get("path"), str):
            raise wrong_type(field)
    limit = field.get("file_amount_limit")
    if limit and len(files) > limit:
        raise refused(field, f"附件最多{limit}个")
    return [
        {**one, "filename": one.get("filename") or one.get("name") or one["path"]} for one in files
    ]


def keep_objects(field: Field, value: Any) -> list[dict[str, Any]]:
    rows = _list(field, value)
    if not all(isinstance(one, dict) for one in rows):
        raise wrong_type(field)
    return rows


def _list(field: Field, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise wrong_type(field)
    return value


KEEPERS: dict[str, Callable[[Field, Any], Any]] = {
    **dict.fromkeys(TEXTS, keep_text),
    **dict.fromkeys(NUMBERS, keep_number),
    **dict.fromkeys(TIMES, keep_time),
    **dict.fromkeys(AREAS, keep_area),
    **dict.fromkeys(FILES, keep_files),
    "true_or_false": keep_flag,
    "select_one": keep_option,
    "select_many": keep_options,
    "record_type": keep_record_type,
    "object_reference": keep_reference,
    "master_detail": keep_reference,
    "object_reference_many": keep_references,
    "embedded_object_list": keep_objects,
}


def check_cascade(fields: dict[str, Field], row: dict[str, Any], field: Field) -> None:
    """A dependent choice must be one of those that its parent's value allows."""
    name = field["api_name"]
    parent = fields.get(field.get("cascade_parent_api_name", ""))
    if parent is None or name not in row or parent["api_name"] not in row:
        return
    parent_value = row[parent["api_name"]]
    if field["type"] in AREAS:
        if areas().parents.get(row[name]) != parent_value:
            raise refused(field, f"{row[name]} 不属于 {parent_value}")
        return
    for option in parent.get("options", ()):
        if option["value"] != parent_value:
            continue
        for children in option.get("child_options", ()):
            if name in children and row[name] not in children[name]:
                raise refused(field, f"{row[name]} 不属于 {parent_value}")
