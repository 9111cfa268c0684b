"""The refusals of the service by their code, in Chinese, and shorter in English for a screen."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Texts:
    """What is wrong, and how to mend it. An empty English text keeps the service's own."""

    zh: str
    zh_hint: str = ""
    en: str = ""
    en_hint: str | None = None


REFUSALS: Mapping[str, Texts] = {
    "no_system": Texts("没有名为“{name}”的系统。", "请查看系统列表。", en_hint="See the list."),
    "bad_name": Texts(
        "“{name}”不能用作系统名称。",
        "请以小写字母开头，其后可用字母、数字、- 或 _，最多 40 个字符。",
    ),
    "name_taken": Texts("已有名为“{name}”的系统。", "请换一个名称。", en_hint="Choose another."),
    "not_live": Texts("系统 {name} 未在运行，无法暂停。"),
    "not_polled": Texts("系统 {name} 未在运行，无法读取。"),
    "has_links": Texts("系统 {name} 已有关联记录，不能移除。", "可以改为暂停。"),
    "nothing_to_plan": Texts(
        "没有可计划的内容：所有系统都已上线。",
        "请选择要核对的系统。",
        en_hint="Choose the systems to compare.",
    ),
    "job_failed": Texts("任务未能完成：{reason}"),
    "no_job": Texts("任务 {id} 不存在。"),
    "no_plan": Texts("计划 {id} 不存在。"),
    "plan_not_ready": Texts("计划 {id} 当前不能执行。", "请重新生成计划。"),
    "plan_stale": Texts("计划 {id} 已过期：映射或策略在此之后有变更。", "请重新生成计划。"),
    "restore_plan": Texts("计划 {id} 是恢复后的核对结果，不能直接执行。", "请在确认恢复时使用。"),
    "mapping_plan": Texts(
        "计划 {id} 展示的是映射变更的影响，不能直接执行。", "请在启用映射时使用。"
    ),
    "restore_pending": Texts(
        "系统 {name} 刚从备份恢复：请先核对并确认。", "请运行 kehub restore --approve。"
    ),
    "no_restore": Texts("没有等待确认的恢复。"),
    "not_compared": Texts("计划 {id} 不是已完成的恢复后核对。", "请重新核对，然后确认。"),
    "no_such_backup": Texts("没有名为 {name} 的备份。"),
    "no_erasure": Texts("没有删除请求 {id}。"),
    "no_certificate": Texts("仍有系统未响应，证明尚未生成。"),
    "documents_stay": Texts("订单、发票和收款须依法保留；请删除其客户。"),
    "erased_already": Texts("该记录已按要求删除。"),
    "suppression_list": Texts("禁止名单不可用：{reason}"),
    "no_backup": Texts("备份未能完成：{reason}"),
    "bad_backup": Texts("备份文件不可用：{reason}"),
    "no_mapping": Texts("没有这个映射。"),
    "no_object": Texts("对方系统没有该对象：{reason}"),
    "no_schema": Texts("系统 {name} 不能描述其字段，只能试读。"),
    "mapping_misfit": Texts(
        "映射与系统不匹配：{reason}", "请修改规则或对方系统的字段，然后重新添加映射。"
    ),
    "mapping_unreadable": Texts("映射无法读取：{reason}"),
    "mapping_needs_plan": Texts(
        "已有关联记录，启用该映射需要先看计划。", "请先预览映射并查看计划，再凭计划启用。"
    ),
    "mapping_needs_approval": Texts(
        "该映射将影响 {touched} 条关联记录（共 {linked} 条）。", "请查看计划，确认后再启用。"
    ),
    "not_a_draft": Texts("该映射版本不是草稿。", "请将其文本添加为新版本。"),
    "bad_budget": Texts("每日调用额度至少为 1 次。"),
    "no_issue": Texts("没有名为“{name}”的问题类别。"),
    "no_weights": Texts("没有编号为 {number} 的权重。"),
    "no_run": Texts("运行记录 {id} 不存在；运行记录保留 30 天。"),
    "run_not_ended": Texts("运行 {id} 尚未结束。", "请等它结束后再回滚。"),
    "no_record": Texts("该记录不存在。"),
    "no_conflict": Texts("冲突 {id} 不存在。"),
    "no_guard": Texts("防护 {id} 不存在。"),
    "no_pair": Texts("记录对 {id} 不存在。"),
    "no_merge": Texts("合并记录 {id} 不存在。"),
    "undone": Texts("该合并已撤销。"),
    "later_merge": Texts("其中一条记录后来又被合并：请先撤销合并 {id}。"),
    "same_record": Texts("不能将记录与其自身比较。"),
    "not_mergeable": Texts("只能合并两个客户或两个联系人。"),
    "not_standing": Texts("“{name}”已不是有效记录，无法处理。"),
    "no_letter": Texts("死信 {id} 不存在。"),
    "no_user": Texts("用户“{name}”不存在。"),
    "no_token": Texts("该 API 密钥不存在。"),
    "bad_login": Texts("登录名须为 1 到 120 个字符。"),
    "login_taken": Texts("用户“{name}”已存在。"),
    "bad_role": Texts("没有这个角色。"),
    "bad_language": Texts("没有这种语言。"),
    "short_password": Texts("密码至少需要 {count} 个字符。"),
    "wrong_password": Texts("当前密码不正确。"),
    "passwords_differ": Texts("两次输入的新密码不一致。"),
    "last_admin": Texts("至少需要一位启用的系统管理员。", "请先将另一位用户设为系统管理员。"),
    "token_name": Texts("请为密钥起一个说明用途的名称。"),
    "facts_read_only": Texts("订单、发票和收款请在其所属系统中修改。"),
    "name_needed": Texts("记录必须有名称。"),
    "value_needed": Texts("请填写要采用的值。"),
    "bad_choice": Texts("没有这种裁决。"),
    "not_editable": Texts("“{field}”不能在这里修改。", en="“{field}” cannot be changed here."),
    "bad_value": Texts(
        "“{value}”不能用作“{field}”的值。",
        en="“{value}” is not a usable value for “{field}”.",
    ),
    "unreachable": Texts(
        "暂时无法连接：{reason}", "请检查地址、网络和对方服务，稍后重试；数据没有丢失。"
    ),
    "throttled": Texts("暂时不能再调用：{reason}", "请稍等片刻再试；数据没有丢失。"),
}
