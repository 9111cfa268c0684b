"""Refusals in English and Chinese; a refusal without a translation keeps its own sentence."""

from collections.abc import Mapping
from dataclasses import dataclass

from sync.service.errors import Explanation
from sync.service.sentences import in_language
from webui.language import language
from webui.words import label


@dataclass(frozen=True, slots=True)
class _Texts:
    """What is wrong, and how to mend it. An empty English text keeps the service's own."""

    zh: str
    zh_hint: str = ""
    en: str = ""
    en_hint: str | None = None


_REFUSALS: Mapping[str, _Texts] = {
    "no_system": _Texts("没有名为“{name}”的系统。", "请查看系统列表。", en_hint="See the list."),
    "bad_name": _Texts(
        "“{name}”不能用作系统名称。",
        "请以小写字母开头，其后可用字母、数字、- 或 _，最多 40 个字符。",
    ),
    "name_taken": _Texts("已有名为“{name}”的系统。", "请换一个名称。", en_hint="Choose another."),
    "not_live": _Texts("系统 {name} 未在运行，无法暂停。"),
    "not_polled": _Texts("系统 {name} 未在运行，无法读取。"),
    "has_links": _Texts("系统 {name} 已有关联记录，不能移除。", "可以改为暂停。"),
    "nothing_to_plan": _Texts(
        "没有可计划的内容：所有系统都已上线。",
        "请选择要核对的系统。",
        en_hint="Choose the systems to compare.",
    ),
    "no_plan": _Texts("计划 {id} 不存在。"),
    "plan_not_ready": _Texts("计划 {id} 当前不能执行。", "请重新生成计划。"),
    "plan_stale": _Texts("计划 {id} 已过期：映射或策略在此之后有变更。", "请重新生成计划。"),
    "restore_plan": _Texts("计划 {id} 是恢复后的核对结果，不能直接执行。", "请在确认恢复时使用。"),
    "mapping_plan": _Texts(
        "计划 {id} 展示的是映射变更的影响，不能直接执行。", "请在启用映射时使用。"
    ),
    "restore_pending": _Texts(
        "系统 {name} 刚从备份恢复：请先核对并确认。", "请运行 kehub restore --approve。"
    ),
    "no_restore": _Texts("没有等待确认的恢复。"),
    "no_backup": _Texts("备份未能完成：{reason}"),
    "bad_backup": _Texts("备份文件不可用：{reason}"),
    "no_mapping": _Texts("没有这个映射。"),
    "no_object": _Texts("对方系统没有该对象：{reason}"),
    "no_schema": _Texts("系统 {name} 不能描述其字段，只能试读。"),
    "mapping_misfit": _Texts(
        "映射与系统不匹配：{reason}", "请修改规则或对方系统的字段，然后重新添加映射。"
    ),
    "mapping_unreadable": _Texts("映射无法读取：{reason}"),
    "mapping_needs_plan": _Texts(
        "已有关联记录，启用该映射需要先看计划。", "请先预览映射并查看计划，再凭计划启用。"
    ),
    "mapping_needs_approval": _Texts(
        "该映射将影响 {touched} 条关联记录（共 {linked} 条）。", "请查看计划，确认后再启用。"
    ),
    "not_a_draft": _Texts("该映射版本不是草稿。", "请将其文本添加为新版本。"),
    "bad_budget": _Texts("每日调用额度至少为 1 次。"),
    "no_run": _Texts("运行记录 {id} 不存在；运行记录保留 30 天。"),
    "no_record": _Texts("该记录不存在。"),
    "no_conflict": _Texts("冲突 {id} 不存在。"),
    "no_guard": _Texts("防护 {id} 不存在。"),
    "no_pair": _Texts("记录对 {id} 不存在。"),
    "no_merge": _Texts("合并记录 {id} 不存在。"),
    "undone": _Texts("该合并已撤销。"),
    "later_merge": _Texts("其中一条记录后来又被合并：请先撤销合并 {id}。"),
    "same_record": _Texts("不能将记录与其自身比较。"),
    "not_mergeable": _Texts("只能合并两个客户或两个联系人。"),
    "not_standing": _Texts("“{name}”已不是有效记录，无法处理。"),
    "no_letter": _Texts("死信 {id} 不存在。"),
    "no_user": _Texts("用户“{name}”不存在。"),
    "no_token": _Texts("该 API 密钥不存在。"),
    "bad_login": _Texts("登录名须为 1 到 120 个字符。"),
    "login_taken": _Texts("用户“{name}”已存在。"),
    "bad_role": _Texts("没有这个角色。"),
    "bad_language": _Texts("没有这种语言。"),
    "short_password": _Texts("密码至少需要 {count} 个字符。"),
    "wrong_password": _Texts("当前密码不正确。"),
    "passwords_differ": _Texts("两次输入的新密码不一致。"),
    "last_admin": _Texts("至少需要一位启用的系统管理员。", "请先将另一位用户设为系统管理员。"),
    "token_name": _Texts("请为密钥起一个说明用途的名称。"),
    "facts_read_only": _Texts("订单、发票和收款请在其所属系统中修改。"),
    "name_needed": _Texts("记录必须有名称。"),
    "value_needed": _Texts("请填写要采用的值。"),
    "bad_choice": _Texts("没有这种裁决。"),
    "not_editable": _Texts("“{field}”不能在这里修改。", en="“{field}” cannot be changed here."),
    "bad_value": _Texts(
        "“{value}”不能用作“{field}”的值。",
        en="“{value}” is not a usable value for “{field}”.",
    ),
    "unreachable": _Texts(
        "暂时无法连接：{reason}",
        "请检查网址和网络，稍后重试；数据没有丢失。",
        en_hint="Check the address and the network, then try again. Nothing is lost.",
    ),
}
_KIND_HINTS: Mapping[str, tuple[str, str]] = {
    "decimal": ("Write a number such as 1250.50.", "请填写数字，例如 1250.50。"),
    "boolean": ("Write yes or no.", "请填写“是”或“否”。"),
    "date": ("Write a date such as 2026-03-31.", "请填写日期，例如 2026-03-31。"),
    "datetime": ("Write a date and time.", "请填写日期和时间。"),
    "choice": ("Choose one of the list.", "请从列表中选择。"),
}
_PAGES: Mapping[str, tuple[str, str, str, str]] = {
    "csrf": (
        "This form is too old, or it did not come from this site.",
        "Load the page again and repeat what you did.",
        "表单已过期，或不是从本站提交的。",
        "请刷新页面后重试。",
    ),
    "400": ("The request cannot be understood.", "", "无法理解该请求。", ""),
    "401": ("Please sign in first.", "", "请先登录。", ""),
    "403": (
        "Your role does not allow this.",
        "Ask an admin of this hub.",
        "您的角色没有此权限。",
        "请联系系统管理员。",
    ),
    "404": (
        "This page does not exist.",
        "It may have been moved, or the address has a typing error.",
        "页面不存在。",
        "页面可能已移动，或地址有误。",
    ),
    "405": ("This address does not take such a request.", "", "该地址不支持此类请求。", ""),
    "413": ("The request is too large.", "", "请求内容过大。", ""),
    "429": (
        "Too many tries.",
        "Wait a minute, then try again.",
        "尝试次数过多。",
        "请等待一分钟后重试。",
    ),
    "500": (
        "Something went wrong on our side. It has been logged, and no data is lost.",
        "Try again; if it happens again, look into web.log in the data folder.",
        "平台内部出错，已记录日志，数据没有丢失。",
        "请重试；若再次出现，请查看数据文件夹中的 web.log。",
    ),
}


def said(text: str | None) -> str:
    """What connectors, engine or mapping say, in the language of this request."""
    return in_language(text or "", language())


def sentence(why: Explanation) -> tuple[str, str]:
    """What is wrong, and how to mend it, in the language of this request."""
    texts = _REFUSALS.get(why.code)
    if texts is None:
        return said(why.message), said(why.hint)
    facts = {"name": "", "id": "", "reason": why.message, **why.facts}
    facts["reason"] = said(str(facts["reason"]))
    facts["field"] = label(str(facts.get("path", "")))
    kind_hint = _KIND_HINTS.get(str(facts.get("kind", "")), ("", ""))
    if language() == "zh":
        return texts.zh.format(**facts), texts.zh_hint.format(**facts) or kind_hint[1]
    text = texts.en.format(**facts) if texts.en else why.message
    hint = why.hint if texts.en_hint is None else texts.en_hint
    return text, hint or kind_hint[0]


def page_words(code: str, fallback: str) -> tuple[str, str]:
    """The sentence and the hint of an error page."""
    found = _PAGES.get(code)
    if found is None:
        return fallback or code, ""
    return (found[2], found[3]) if language() == "zh" else (found[0], found[1])
