"""What the mapping says to people, in English and Chinese; keys are stable, texts are not."""

from collections.abc import Iterator, Mapping
from typing import Any

REASONS: Mapping[str, tuple[str, str]] = {
    "not_text": (
        "a single text is wanted; use `first`, `join` or `reference` for lists and objects",
        "需要单个文本；列表或对象请使用 first、join 或 reference",
    ),
    "not_a_sign": (
        "a sign in it is none (NUL, or half of a pair), and no database keeps it",
        "其中有不是字符的符号（NUL 或半个代理对），数据库无法保存",
    ),
    "not_number": ("it is not a number", "不是数字"),
    "too_exact": ("it has more digits than a JSON number carries", "位数超出 JSON 数值的精度"),
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
    "not_allowed": ("only these are allowed: {allowed}", "只允许：{allowed}"),
    "missing_id": ("the record has no id", "记录没有编号"),
}
FINDINGS: Mapping[str, tuple[str, str]] = {
    "other_object": (
        "the mapping is for {object}, the schema describes {found}",
        "映射针对 {object}，而结构描述的是 {found}",
    ),
    "missing_field": (
        "{object} has no field {native}{suggestion}",
        "{object} 没有字段 {native}{suggestion}",
    ),
    "read_only": (
        "{native} ({label}) is read-only there; use `direction: in` or another field",
        "{native}（{label}）在对方系统中为只读；请用 direction: in 或换一个字段",
    ),
    "too_long": (
        (
            "{native} holds {limit} {unit}, {canonical} may be longer; add "
            "`out: [..., {{cut: {{length: {limit}}}}}]`"
        ),
        (
            "{native} 最多 {limit} {unit_zh}，{canonical} 可能更长；请加 "
            "out: [..., {{cut: {{length: {limit}}}}}]"
        ),
    ),
    "cut_too_long": (
        "{native} holds {limit} {unit}, but the rule cuts at {cut} {cut_unit}",
        "{native} 最多 {limit} {unit_zh}，规则却在 {cut} {cut_unit_zh}处截断",
    ),
    "required_uncovered": (
        "{native} ({label}) is required there, and no rule writes it; records cannot be created",
        "{native}（{label}）为必填，但没有规则写入；无法新建记录",
    ),
    "required_blank": (
        (
            "{native} ({label}) is required there; a record without {canonical} cannot be created "
            "(add `fallback` or `default`)"
        ),
        "{native}（{label}）为必填；缺少 {canonical} 的记录无法新建（可加 fallback 或 default）",
    ),
    "choice_without_lookup": (
        "{native} is a choice; without a lookup its values go through as they are",
        "{native} 是选项字段；没有 lookup 时值将原样传递",
    ),
    "lookup_outside": (
        "{native} has no option {values}{suggestion}",
        "{native} 没有选项 {values}{suggestion}",
    ),
    "option_unlisted": (
        (
            "{native} has options that the lookup does not list: {values}; records with them "
            "cannot be read (list them, or say `unknown: keep` or `blank`)"
        ),
        (
            "{native} 的选项 {values} 不在对照表中；含这些值的记录无法读取"
            "（请补全，或写 unknown: keep / blank）"
        ),
    ),
    "type_clash": (
        "{native} is of type {type}, {canonical} is {kind}; a step is missing or the wrong one",
        "{native} 的类型是 {type}，{canonical} 是 {kind}；缺少转换步骤或步骤不对",
    ),
    "no_hub_key": (
        "no `hub_key`: a create whose answer is lost cannot be found again",
        "没有 hub_key：新建请求的应答丢失后将无法找回记录",
    ),
    "hub_key_not_unique": (
        "{native} does not have to be unique there; make it unique if the system can",
        "{native} 在对方系统中不要求唯一；如系统支持请设为唯一",
    ),
    "condition_outside": (
        "`only_when` names a value that {native} cannot have: {values}{suggestion}",
        "only_when 中的值不是 {native} 的选项：{values}{suggestion}",
    ),
    "moved_elsewhere": (
        "{native} points to {target}, `moved_to` says {moved}",
        "{native} 指向 {target}，而 moved_to 写的是 {moved}",
    ),
    "target_elsewhere": (
        "{native} points to {target}, the rule says {moved}",
        "{native} 指向 {target}，而规则写的是 {moved}",
    ),
    "missing_object": (
        "the system has no object {moved}{suggestion}",
        "系统没有对象 {moved}{suggestion}",
    ),
}
_SUGGESTION = ("; did you mean {nearest}?", "；是否指 {nearest}？")
UNITS: Mapping[str, str] = {"characters": "个字符", "bytes": "个字节"}
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


def sentences() -> Iterator[tuple[str, str]]:
    """The English and Chinese templates of `unmappable`, for texts that are stored in English."""
    yield from (_READ, _WRITE, *REASONS.values())


def unmappable(language: str, data: Mapping[str, Any]) -> str:
    """The sentence about a value that a rule cannot read or write."""
    reason = pick(REASONS[data["reason"]], language, data)
    shown = dict(data, value=shorten(data["value"]), reason=reason, rule=repr(data["rule"]))
    return pick(_WRITE if data["writing"] else _READ, language, shown)


def finding(language: str, key: str, data: Mapping[str, Any]) -> str:
    """The sentence about something that a mapping and a remote schema disagree on."""
    known = dict(data)
    known["suggestion"] = pick(_SUGGESTION, language, data) if data.get("nearest") else ""
    for name in ("unit", "cut_unit"):
        known[f"{name}_zh"] = UNITS.get(str(data.get(name)), "")
    return pick(FINDINGS[key], language, known)


def shorten(value: object) -> str:
    """A value as a sentence shows it: quoted, and cut where it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
