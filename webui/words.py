"""The engine's words in English and Chinese: fields, states, rules, counts."""

import re
from collections.abc import Mapping
from typing import Any

from sync.service.sentences import in_language
from webui import guard_words, issue_words, pair_words
from webui.language import language

Pair = tuple[str, str]  # English, Chinese

ENTITIES: Mapping[str, Pair] = {
    "customer": ("Customer", "客户"),
    "contact": ("Contact", "联系人"),
    "order": ("Order", "订单"),
    "invoice": ("Invoice", "发票"),
    "payment": ("Payment", "收款"),
}
PLURALS: Mapping[str, Pair] = {
    "customer": ("Customers", "客户"),
    "contact": ("Contacts", "联系人"),
    "order": ("Orders", "订单"),
    "invoice": ("Invoices", "发票"),
    "payment": ("Payments", "收款"),
}
FIELDS: Mapping[str, Pair] = {
    "kind": ("Kind", "客户性质"),
    "number": ("Number", "编号"),
    "name": ("Name", "名称"),
    "legal_name": ("Legal name", "注册名称"),
    "contact_name": ("Contact person", "联系人姓名"),
    "job_title": ("Job title", "职务"),
    "stage": ("Stage", "阶段"),
    "industry": ("Industry", "行业"),
    "employees": ("Employees", "员工人数"),
    "website": ("Website", "网站"),
    "phones": ("Phone", "电话"),
    "emails": ("Mail", "邮箱"),
    "addresses": ("Address", "地址"),
    "identifiers": ("Identifier", "证件号码"),
    "owner": ("Owner", "负责人"),
    "tags": ("Tags", "标签"),
    "payment_term": ("Payment term", "付款条件"),
    "credit_limit": ("Credit limit", "信用额度"),
    "currency": ("Currency", "币种"),
    "blocked": ("Blocked", "已冻结"),
    "language": ("Language", "语言"),
    "source": ("Source", "来源"),
    "parent": ("Parent customer", "上级客户"),
    "notes": ("Notes", "备注"),
    "custom": ("Custom field", "自定义字段"),
    "customer": ("Customer", "客户"),
    "salutation": ("Salutation", "称谓"),
    "department": ("Department", "部门"),
    "role": ("Role", "角色"),
    "birth_date": ("Date of birth", "出生日期"),
    "mail_opt_out": ("No mailings", "拒收邮件"),
    "reference": ("Customer's reference", "客户单号"),
    "state": ("State", "状态"),
    "ordered_on": ("Ordered on", "下单日期"),
    "net": ("Net", "不含税金额"),
    "tax": ("Tax", "税额"),
    "total": ("Total", "总额"),
    "lines": ("Lines", "明细"),
    "order": ("Order", "订单"),
    "invoiced_on": ("Invoiced on", "开票日期"),
    "due_on": ("Due on", "到期日"),
    "open": ("Open amount", "未付金额"),
    "invoice": ("Invoice", "发票"),
    "paid_on": ("Paid on", "收款日期"),
    "amount": ("Amount", "金额"),
    "method": ("Method", "方式"),
}
PARTS: Mapping[str, Pair] = {
    "street": ("street", "街道"),
    "district": ("district", "区县"),
    "city": ("city", "城市"),
    "region": ("region", "省份"),
    "postcode": ("postcode", "邮编"),
    "country": ("country", "国家"),
}
KEYS: Mapping[str, Pair] = {
    "work": ("work", "工作"),
    "mobile": ("mobile", "手机"),
    "home": ("home", "住宅"),
    "fax": ("fax", "传真"),
    "other": ("other", "其他"),
    "billing": ("billing", "开票"),
    "shipping": ("shipping", "收货"),
    "cn:uscc": ("unified social credit code", "统一社会信用代码"),
    "duns": ("D-U-N-S", "邓白氏编码"),
}
STAGES: Mapping[str, Pair] = {
    "lead": ("Lead", "线索"),
    "prospect": ("Prospect", "潜在客户"),
    "customer": ("Customer", "成交客户"),
    "former": ("Former customer", "流失客户"),
}
VALUES: Mapping[str, Mapping[str, Pair]] = {
    "stage": STAGES,
    "kind": {"organisation": ("Organisation", "企业"), "person": ("Person", "个人")},
    "state": {
        "draft": ("Draft", "草稿"),
        "confirmed": ("Confirmed", "已确认"),
        "processing": ("Processing", "执行中"),
        "done": ("Done", "已完成"),
        "cancelled": ("Cancelled", "已取消"),
        "posted": ("Posted", "已过账"),
        "paid": ("Paid", "已付清"),
    },
}
SYSTEM_STATES: Mapping[str, Pair] = {
    "draft": ("Draft", "草稿"),
    "testing": ("Tested", "已测试"),
    "live": ("Live", "运行中"),
    "paused": ("Paused", "已暂停"),
    "broken": ("Needs attention", "需要处理"),
}
LINK_STATES: Mapping[str, Pair] = {
    "live": ("Linked", "已关联"),
    "in_doubt": ("Being created", "创建确认中"),
    "gone": ("Deleted there", "对方已删除"),
    "unlinked": ("Unlinked", "已解除关联"),
    "archived": ("Archived there", "对方已归档"),
    "moved": ("Became another record", "已转为其他记录"),
    "replaced": ("Created anew", "已重新创建"),
    "merging": ("To be merged there", "等待对方合并"),
    "merged": ("Merged there", "对方已合并"),
    "erased": ("Erased", "已删除个人数据"),
}
WAITING: Mapping[str, Pair] = {
    "queue": ("on its way", "正在同步"),
    "parent": ("waits for the record it belongs to", "等待所属记录"),
    "refused": (
        "waits for the record it belongs to, which was refused",
        "所属记录被拒绝，等待处理",
    ),
    "review": ("waits for a decision about a possible duplicate", "等待重复判定"),
    "hold": ("waits for a decision about a possible duplicate", "等待重复判定"),
    "quota": ("waits for the call quota", "等待调用配额"),
    "conflict": ("waits for a decision about a conflict", "等待冲突裁决"),
    "doubt": ("waits for the answer of a create", "等待创建结果"),
}
RUN_KINDS: Mapping[str, Pair] = {
    "take_in": ("Take in", "读取入库"),
    "dispatch": ("Bring in line", "下发同步"),
    "reconcile": ("Reconcile", "全面核对"),
    "load": ("First load", "首次加载"),
    "plan": ("Plan", "计划"),
    "poll": ("Poll", "轮询"),
    "rollback": ("Roll back", "回滚"),
    "import": ("Import", "导入"),
}
RUN_STATES: Mapping[str, Pair] = {
    "running": ("Running", "进行中"),
    "done": ("Done", "完成"),
    "failed": ("Failed", "失败"),
    "stopped": ("Stopped", "已停止"),
}
PLAN_STATES: Mapping[str, Pair] = {
    "reading": ("Reading", "读取中"),
    "ready": ("Ready", "待确认"),
    "applying": ("Going live", "上线中"),
    "applied": ("Applied", "已执行"),
    "stale": ("Out of date", "已过期"),
    "failed": ("Failed", "失败"),
}
PLAN_KINDS: Mapping[str, Pair] = {
    "load": ("First load", "首次加载"),
    "reconcile": ("Reconcile", "全面核对"),
    "mapping": ("Mapping preview", "映射预览"),
    "restore": ("After a restore", "恢复后核对"),
}
JOB_KINDS: Mapping[str, Pair] = {
    "backup": ("Making a backup", "正在创建备份"),
    "prove": ("Proving the backup", "正在验证备份"),
    "thresholds": ("Comparing all customers", "正在比较全部客户"),
    "rollback_count": ("Counting the whole run", "正在统计整个运行"),
    "plan": ("Making the plan", "正在生成计划"),
    "apply": ("Going live", "正在上线"),
    "mapping": ("Carrying out what the new version changes", "正在执行新版本带来的变更"),
    "restore": ("Taking in what the systems hold", "正在读入各系统的数据"),
    "reconcile": ("Comparing all systems", "正在核对所有系统"),
    "replay": ("Looking for what was held back", "正在查找被暂缓写入的内容"),
}
JOB_STEPS: Mapping[str, Pair] = {
    "copying": ("The database is being copied and counted.", "正在复制并统计数据库。"),
    "sealing": ("The copy is being sealed.", "正在加密副本。"),
    "opening": ("The file is being opened.", "正在打开文件。"),
    "comparing": (
        "It was restored into a scratch database, whose tables are being compared.",
        "已恢复到临时数据库，正在逐表比对。",
    ),
}
MAPPING_STATES: Mapping[str, Pair] = {
    "draft": ("Draft", "草稿"),
    "live": ("Live", "使用中"),
    "retired": ("Retired", "已停用"),
}
LINT_LEVELS: Mapping[str, Pair] = {
    "error": ("Error", "错误"),
    "warning": ("Warning", "警告"),
    "info": ("Note", "提示"),
}
COUNTS: Mapping[str, Pair] = {
    "records": ("records", "条记录"),
    "created": ("new", "新建"),
    "linked": ("linked", "关联"),
    "changed": ("changed", "变更"),
    "overruled": ("overruled", "否决"),
    "conflicts": ("conflicts", "冲突"),
    "candidates": ("possible duplicates", "疑似重复"),
    "gone": ("gone", "删除"),
    "dead": ("dead letters", "死信"),
    "read": ("read", "读取"),
    "marked": ("out of line", "不一致"),
    "written": ("written", "写入"),
    "looked": ("looked at", "检查"),
    "updated": ("updated", "更新"),
    "update": ("updated", "更新"),
    "create": ("created", "新建"),
    "delete": ("deleted", "删除"),
    "archive": ("archived", "归档"),
    "unlink": ("unlinked", "解除关联"),
    "skipped": ("unchanged", "无变化"),
    "failed": ("failed", "失败"),
    "refused": ("refused", "被拒绝"),
    "waiting": ("waiting", "等待"),
    "new": ("new", "新建"),
    "fields": ("fields", "字段"),
    "left": ("left as they are", "保持不变"),
    "fields_changed": ("fields changed", "字段变更"),
    "fields_kept": ("fields kept", "字段保留"),
}
OPS: Mapping[str, Pair] = {
    "created": ("Created", "建立"),
    "set": ("Changed", "变更"),
    "overruled": ("Overruled", "否决"),
    "conflict": ("Conflict", "冲突"),
    "decided": ("Decided", "裁决"),
    "linked": ("Linked", "关联"),
    "unlinked": ("Unlinked", "解除关联"),
    "gone": ("Deleted there", "对方删除"),
    "moved": ("Became another", "转换"),
    "merged": ("Merged", "合并"),
    "unmerged": ("Taken apart", "拆分"),
    "written": ("Written", "写入"),
    "erased": ("Erased on request", "应要求删除"),
}
RULES: Mapping[str, Pair] = {
    "first seen": ("first seen there", "首次出现"),
    "edited in the hub": ("edited in the hub", "在平台中编辑"),
    "decided": ("decided by a person", "人工裁决"),
    "came back": ("came back", "重新出现"),
    "latest": ("the later change wins", "以较晚的修改为准"),
    "priority": ("the stronger system wins", "按系统优先级"),
    "source_of_record": ("owned by one system", "以主管系统为准"),
    "union": ("all values are kept", "合并所有取值"),
    "longest": ("the longer value wins", "取较长的值"),
    "furthest": ("the later stage wins", "取更靠后的阶段"),
    "manual": ("a person decides", "由人工裁决"),
    "only_mover": ("only this system changed it", "仅该系统有修改"),
    "only_value": ("only this system has a value", "仅该系统有值"),
    "blank": ("an empty value overwrites nothing", "空值不覆盖已有值"),
    "same": ("same on both sides", "两侧相同"),
    "seen before the answer": ("seen there before the answer came", "在答复到达之前已在对方看到"),
    "taken for our own write": ("taken for the hub's own write", "判定为平台自己的写入"),
    "new": ("a new record", "新记录"),
    "chosen": ("chosen by a person", "人工选择"),
    "merged in": ("another record was merged in", "并入了另一条记录"),
    "merged away": ("merged into another record", "并入另一条记录"),
    "merged there": ("merged there", "已在该系统中合并"),
    "merged there before it was undone": (
        "merged there before the merge was undone",
        "撤销合并之前，该系统中已完成合并",
    ),
    "remote merge asked for": ("the system is asked to merge", "已请求系统合并"),
    "duplicate kept": ("stays twice there", "在该系统中仍为两条"),
    "kept apart": ("told apart", "判定为不同记录"),
    "rolled back": ("a run was rolled back", "回滚了一次运行"),
    "members": ("members added or removed", "增减成员"),
    "create": ("created there", "在对方新建"),
    "update": ("updated there", "在对方更新"),
    "archive": ("archived there", "在对方归档"),
    "archived": ("archived there", "在对方归档"),
    "unlinked": ("left its route", "不再属于该系统的范围"),
    "identifier": ("same identifier", "证件号码相同"),
    "name": ("same name", "名称相同"),
    "mail": ("same mail", "邮箱相同"),
    "phone": ("same phone", "电话相同"),
    "same tax id": ("same tax id", "税号相同"),
    "evidence": ("the evidence as a whole", "综合各项依据"),
    "delete policy unlink": ("delete policy: unlink", "删除策略：解除关联"),
    "delete policy propagate": ("delete policy: delete everywhere", "删除策略：同步删除"),
    "delete policy recreate": ("delete policy: create again", "删除策略：重新创建"),
    "delete policy review": ("delete policy: ask", "删除策略：人工确认"),
}
LETTER_KINDS: Mapping[str, Pair] = {
    "refused": ("Refused by the system", "被对方系统拒绝"),
    "unmappable": ("The mapping cannot read it", "映射无法读取"),
    "bug": ("Unexpected error", "意外错误"),
}
LETTER_HINTS: Mapping[str, Pair] = {
    "refused": (
        (
            "Correct the value on the record's page or in the system it came from, "
            "or widen the field there. Then retry."
        ),
        "请在记录页面或来源系统中更正该值，或放宽对方系统的字段限制，然后重试。",
    ),
    "unmappable": (
        "Correct the value in the system it came from, or let the mapping accept it. Then retry.",
        "请在来源系统中更正该值，或调整映射以接受该值，然后重试。",
    ),
    "bug": (
        "Retry once. If it comes back, send the details below to support.",
        "请先重试一次；若再次出现，请将下方详情发送给技术支持。",
    ),
}
DIRECTIONS: Mapping[str, Pair] = {
    "in": ("Coming in from {system}", "来自 {system} 的数据"),
    "out": ("Going out to {system}", "写往 {system} 的数据"),
}
DELETE_POLICIES: Mapping[str, Pair] = {
    "unlink": ("Keep it elsewhere, end the link", "保留其他系统的记录，仅解除关联"),
    "propagate": ("Delete it in the other systems, too", "在其他系统中同步删除"),
    "recreate": ("Create it again there", "在该系统中重新创建"),
    "review": ("Ask a person each time", "每次由人工确认"),
}
DECISIONS: Mapping[str, Pair] = {
    "ours": ("the hub's value", "平台的值"),
    "theirs": ("the incoming value", "传入的值"),
    "other": ("another value", "其他值"),
}
CONFLICT_STATES: Mapping[str, Pair] = {
    "open": ("Open", "待处理"),
    "auto": ("Decided by policy", "策略自动裁决"),
    "decided": ("Decided by a person", "人工裁决"),
}
GUARD_STATES: Mapping[str, Pair] = {
    "open": ("Open", "待处理"),
    "allowed": ("Allowed", "已放行"),
    "refused": ("Refused", "已拒绝"),
    "mended": ("Mended", "已修复"),
    "outdated": ("Outdated", "已失效"),
}
LETTER_STATES: Mapping[str, Pair] = {
    "open": ("Open", "待处理"),
    "retried": ("Retried or resolved", "已重试或已解决"),
    "discarded": ("Discarded", "已忽略"),
}
GUARDS: Mapping[str, Pair] = {
    "deletes": (
        (
            "{deletes} of {linked} linked records were deleted in {system} at once. Nothing was "
            "applied. Allow it if this was meant; otherwise restore the records there, "
            "then refuse it."
        ),
        (
            "{system} 中有 {deletes} 条关联记录（共 {linked} 条）被同时删除，"
            "目前尚未执行任何操作。如属有意请放行；否则请先在对方系统恢复记录，再选择拒绝。"
        ),
    ),
    "changes": (
        (
            "“{path}” changed in about {records} of {linked} linked records of {system} at once. "
            "The rest was not applied. Allow it if this was meant; otherwise restore the records "
            "there, then refuse it."
        ),
        (
            "{system} 中约 {records} 条关联记录（共 {linked} 条）的“{path}”被同时修改，"
            "其余尚未执行。如属有意请放行；否则请先在对方系统恢复记录，再选择拒绝。"
        ),
    ),
    "flipflop": (
        (
            "“{path}” of “{name}” went back and forth {flips} times, last by {system}. It is not "
            "written to {system} any more. Mend what changes it there, then allow writing; "
            "refuse to leave each side with its own form."
        ),
        (
            "“{name}”的“{path}”反复变更了 {flips} 次，最近一次来自 {system}，"
            "已暂停写往 {system}。请先解决对方系统中的原因，再放行；拒绝则双方各自保留自己的值。"
        ),
    ),
    "drift": (
        (
            "{system} does not take all that is sent as {object}: {what}. What this concerns "
            "waits, everything else goes on. Mend the mapping or the field there; what waits is "
            "then written by itself."
        ),
        (
            "{system} 不能接收写入 {object} 的全部内容：{what}。受影响的内容会等待，其余照常进行。"
            "请调整映射或对方系统的字段，之后会自动写入。"
        ),
    ),
    "delete": (
        (
            "“{name}” was deleted in {system}. Allow: delete it in the other systems, too. "
            "Refuse: keep it there."
        ),
        ("“{name}” 已在 {system} 中删除。放行：在其他系统中同步删除；拒绝：保留其他系统中的记录。"),
    ),
}
GUARD_KINDS: Mapping[str, Pair] = {
    "deletes": ("Mass delete", "批量删除"),
    "delete": ("Delete", "删除"),
    "changes": ("Mass change", "批量变更"),
    "flipflop": ("Back and forth", "反复变更"),
    "drift": ("Changed fields", "字段结构变化"),
}
DRIFTS: Mapping[str, Pair] = {
    "missing": ("“{label}” ({field}) is gone", "字段“{label}”（{field}）已不存在"),
    "read_only": (
        "“{label}” ({field}) cannot be written any more",
        "字段“{label}”（{field}）不能再写入",
    ),
    "option": (
        "“{label}” ({field}) does not accept every value",
        "字段“{label}”（{field}）不接受某些取值",
    ),
    "length": (
        "“{label}” ({field}) holds only {limit} {unit}",
        "字段“{label}”（{field}）最多只能保存 {limit}",
    ),
    "required": ("“{label}” ({field}) has to be filled", "字段“{label}”（{field}）变为必填"),
    "hub_key": ("the field of the hub's key ({field}) is gone", "平台标识字段（{field}）已不存在"),
}
WEIGHTS: Mapping[str, Pair] = {
    "identifier": ("same identifier", "证件号码相同"),
    "identifier differs": ("identifier differs", "证件号码不同"),
    "name": ("same name", "名称相同"),
    "name differs": ("name differs", "名称不同"),
    "mail": ("same mail", "邮箱相同"),
    "phone": ("same phone", "电话相同"),
    "same tax id": ("same tax id", "税号相同"),
    "evidence": ("the evidence as a whole", "综合各项依据"),
}
ROLES: Mapping[str, Pair] = {
    "viewer": ("Viewer", "查看者"),
    "steward": ("Steward", "数据管理员"),
    "admin": ("Admin", "系统管理员"),
}
ROLE_HELP: Mapping[str, Pair] = {
    "viewer": ("reads everything", "可查看全部内容"),
    "steward": ("also edits records and decides", "还可编辑记录并作出裁决"),
    "admin": ("also sets up systems and users", "还可配置系统和用户"),
}
ACTIONS: Mapping[str, Pair] = {
    "system.add": ("added a system", "添加系统"),
    "system.change": ("changed a system's settings", "修改系统设置"),
    "system.pause": ("paused a system", "暂停系统"),
    "system.resume": ("resumed a system", "恢复系统"),
    "system.remove": ("removed a system", "移除系统"),
    "plan.apply": ("applied a plan", "执行计划"),
    "golden.edit": ("edited a record", "编辑记录"),
    "conflict.decide": ("decided a conflict", "裁决冲突"),
    "guard.decide": ("decided a guard", "处理防护"),
    "golden.merge": ("merged two records", "合并记录"),
    "golden.unmerge": ("took two records apart", "拆分记录"),
    "erase": ("erased a record on request", "应要求删除记录"),
    "erase.confirm": ("confirmed an erasure by hand", "确认人工删除"),
    "erase.lift": ("lifted an erasure", "解除删除限制"),
    "erase.return": ("decided about a record that was turned away", "处理被拦下的记录"),
    "golden.keep_apart": ("told two records apart", "判定为不同记录"),
    "dead.retry": ("retried dead letters", "重试死信"),
    "dead.discard": ("discarded dead letters", "忽略死信"),
    "mapping.add": ("added a mapping", "添加映射"),
    "mapping.activate": ("activated a mapping", "启用映射"),
    "mapping.discard": ("discarded a mapping draft", "放弃映射草稿"),
    "quota.budget": ("set a daily call budget", "设置每日调用额度"),
    "run.rollback": ("rolled a run back", "回滚运行"),
    "backup": ("made a backup", "创建备份"),
    "backup.download": ("downloaded a backup", "下载备份"),
    "restore": ("restored a backup", "恢复备份"),
    "restore.approve": ("approved a restore", "确认恢复"),
    "user.create": ("created a user", "创建用户"),
    "user.change": ("changed a user", "修改用户"),
    "user.password": ("set a password", "设置密码"),
    "token.create": ("made an API key", "创建 API 密钥"),
    "token.revoke": ("revoked an API key", "吊销 API 密钥"),
}
RECORD_STATES: Mapping[str, Pair] = {
    "live": ("Live", "有效"),
    "merged": ("Merged", "已合并"),
    "deleted": ("Deleted", "已删除"),
    "erased": ("Erased", "已清除"),
}
ERASURE_STATES: Mapping[str, Pair] = {
    "begun": ("Begun", "已开始"),
    "open": ("Open", "处理中"),
    "done": ("Done", "已完成"),
}
ERASE_ACTIONS: Mapping[str, Pair] = {
    "delete": ("is emptied, then deleted", "先清空，再删除"),
    "mask": ("is emptied and stays", "清空后保留"),
    "hand": ("has to be erased by hand", "需人工删除"),
    "later": ("follows when the system is live again", "系统恢复运行后处理"),
}
ERASE_OUTCOMES: Mapping[str, Pair] = {
    "waiting": ("Waits for the system", "等待系统响应"),
    "manual": ("Waits for a person", "等待人工处理"),
    "deleted": ("Deleted", "已删除"),
    "masked": ("Emptied", "已清空"),
    "gone": ("Was not there any more", "对方已无此记录"),
    "refused": ("Refused: by hand, please", "被拒绝，请人工处理"),
    "by hand": ("Erased by hand", "已人工删除"),
}
ERASED_PARTS: Mapping[str, Pair] = {
    "records": ("records", "条记录"),
    "links": ("links", "个关联"),
    "changes": ("lines of history", "条历史"),
    "deliveries": ("deliveries", "条投递"),
    "letters": ("dead letters", "条死信"),
    "reviews": ("things to decide", "项待办"),
    "plans": ("plans", "个计划"),
}
RETURN_STATES: Mapping[str, Pair] = {
    "open": ("To decide", "待处理"),
    "erased": ("Erased there", "已在对方删除"),
    "allowed": ("Let in", "已放行"),
}
TABLES: Mapping[str, Mapping[str, Pair]] = {
    "record_state": RECORD_STATES,
    "erasure_state": ERASURE_STATES,
    "erase_action": ERASE_ACTIONS,
    "erase_outcome": ERASE_OUTCOMES,
    "erased_part": ERASED_PARTS,
    "return_state": RETURN_STATES,
    "entity": ENTITIES,
    "entities": PLURALS,
    "stage": STAGES,
    "system_state": SYSTEM_STATES,
    "link_state": LINK_STATES,
    "waiting": WAITING,
    "run_kind": RUN_KINDS,
    "run_state": RUN_STATES,
    "plan_state": PLAN_STATES,
    "plan_kind": PLAN_KINDS,
    "job_kind": JOB_KINDS,
    "job_step": JOB_STEPS,
    "issue": issue_words.ISSUES,
    "mapping_state": MAPPING_STATES,
    "lint_level": LINT_LEVELS,
    "count": COUNTS,
    "op": OPS,
    "letter_kind": LETTER_KINDS,
    "letter_hint": LETTER_HINTS,
    "letter_state": LETTER_STATES,
    "direction": DIRECTIONS,
    "delete_policy": DELETE_POLICIES,
    "decision": DECISIONS,
    "conflict_state": CONFLICT_STATES,
    "guard_state": GUARD_STATES,
    "guard_kind": GUARD_KINDS,
    "guard_allow": guard_words.ALLOW,
    "guard_refuse": guard_words.REFUSE,
    "weight": WEIGHTS,
    "role": ROLES,
    "role_help": ROLE_HELP,
    "action": ACTIONS,
    "pair": pair_words.TEXTS,
}
_MATCHED = "matched: "
_AT_MERGE = "merged: "
_PATH = re.compile(r"^([a-z_]+)(?:\[([^\]]+)\])?(?:\.([a-z_]+))?$")


def word(table: str, key: object, **facts: object) -> str:
    """The word for a key; a key without one stands for itself."""
    found = TABLES[table].get(str(key))
    text = pick(found) if found else str(key).replace("_", " ")
    return text.format(**facts) if facts else text


def pick(pair: Pair) -> str:
    """The text in the language of this request."""
    return pair[1 if language() == "zh" else 0]


def label(path: str) -> str:
    """The name of a canonical field: `phones[work]` is “Phone (work)”."""
    match = _PATH.match(path)
    if match is None:
        return path
    head, key, part = match.groups()
    name = pick(FIELDS[head]) if head in FIELDS else head.replace("_", " ").capitalize()
    more = [pick(KEYS[key]) if key in KEYS else key] if key else []
    if part:
        more.append(pick(PARTS[part]) if part in PARTS else part)
    if not more:
        return name
    if language() == "zh":
        return f"{name}（{'，'.join(more)}）"
    return f"{name} ({', '.join(more)})"


def rule(name: str) -> str:
    """A rule, or what a match rests on, in words."""
    found = RULES.get(name)
    if found:
        return pick(found)
    if name.startswith(_MATCHED):
        parts = [rule(part) for part in name.removeprefix(_MATCHED).split(", ")]
        return pick(("matched: {}", "匹配依据：{}")).format(pick((", ", "、")).join(parts))
    if name.startswith(_AT_MERGE):
        return pick(("at a merge: {}", "合并时：{}")).format(rule(name.removeprefix(_AT_MERGE)))
    return name.replace("_", " ")


def guard_text(kind: str, reason: str, facts: Mapping[str, Any]) -> str:
    """Why a guard stopped something; the engine's own sentence where the kind is unknown."""
    found = GUARDS.get(kind)
    if found is None:
        return in_language(reason, language())
    shown = dict(facts)
    if isinstance(facts.get("path"), str):
        shown["path"] = label(str(facts["path"]))
    if isinstance(facts.get("problems"), list):
        shown["what"] = pick(("; ", "；")).join(_drift(each) for each in facts["problems"])
    try:
        return pick(found).format(**shown)
    except KeyError:
        return in_language(reason, language())


def _drift(problem: Mapping[str, object]) -> str:
    found = DRIFTS.get(str(problem.get("kind")))
    known = {"label": "", "field": "", "limit": "", "unit": "", **problem}
    return pick(found).format(**known) if found else str(problem.get("field", ""))
