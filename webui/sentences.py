"""Refusals in English and Chinese; a refusal without a translation keeps its own sentence."""

from collections.abc import Mapping

from sync.service.errors import Explanation
from sync.service.sentences import in_language
from webui.language import language
from webui.refusals import REFUSALS
from webui.words import label

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
    "507": (
        "The disk is full, so this was not saved. Nothing that was saved before is lost.",
        "Free some space on the disk that holds {home}, then try again; what waits goes on then.",
        "磁盘已满，本次更改未能保存；此前保存的数据不会丢失。",
        "请在 {home} 所在磁盘上清理空间后重试，等待中的工作会自动继续。",
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
    texts = REFUSALS.get(why.code)
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
