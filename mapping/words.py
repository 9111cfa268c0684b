"""What the mapping says to people, in English and Chinese; keys are stable, texts are not."""

from collections.abc import Mapping
from typing import Any

REASONS: Mapping[str, tuple[str, str]] = {
    "not_text": (
        "a single text is wanted; use `first`, `join` or `reference` for lists and objects",
        "需要单个文本；列表或对象请使用 first、join 或 reference",
    ),
    "not_number": ("it is not a number", "不是数字"),
    "not_whole": ("it is not a whole number", "不是整数"),
    "not_boolean": ("it is neither yes nor no", "不是“是”或“否”"),
    "not_date": ("it is not a date", "不是日期"),
    "not_moment": ("it is not a date with time", "不是日期时间"),
    "not_list": ("a list is wanted; use `split` for text", "需要列表；文本请使用 split"),
    "not_lines": ("a list of objects is wanted", "需要由对象组成的列表"),
    "not_reference": ("no id of another record is in it", "其中没有另一条记录的编号"),
    "not_email": ("it is not a mail address", "不是电子邮件地址"),
    "not_country": ("no country has this name or code", "没有这个名称或代码的国家"),
    "not_choice": (
        "the lookup does not list it (it lists {known})",
        "对照表中没有这个值（已有：{known}）",
    ),
    "no_choice": (
        "no native value stands for it in the lookup (it lists {known})",
        "对照表中没有对应的原生值（已有：{known}）",
    ),
    "too_many_parts": (
        "it has more parts than the {count} native fields can hold",
        "它的部分多于 {count} 个原生字段",
    ),
    "missing_id": ("the record has no id", "记录没有编号"),
}
_READ = (
    "{where} holds {value}, which rule {rule} cannot read: {reason}.",
    "{where} 的值 {value} 无法按规则 {rule} 读取：{reason}。",
)
_WRITE = (
    "{rule} is {value}, which cannot be written to {where}: {reason}.",
    "规则 {rule} 的值 {value} 无法写入 {where}：{reason}。",
)
_SHOWN = 80


def is_chinese(language: str) -> bool:
    """Whether a BCP 47 or POSIX language tag asks for Chinese."""
    return language.lower().startswith("zh")


def pick(texts: tuple[str, str], language: str, data: Mapping[str, Any]) -> str:
    """One of an English and a Chinese text, filled."""
    return texts[1 if is_chinese(language) else 0].format_map(dict(data))


def unmappable(language: str, data: Mapping[str, Any]) -> str:
    """The sentence about a value that a rule cannot read or write."""
    reason = pick(REASONS[data["reason"]], language, data)
    shown = dict(data, value=shorten(data["value"]), reason=reason, rule=repr(data["rule"]))
    return pick(_WRITE if data["writing"] else _READ, language, shown)


def shorten(value: object) -> str:
    """A value as a sentence shows it: quoted, and cut where it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
