"""What the commands say, in English and Chinese; keys are stable, texts are not."""

from collections.abc import Mapping
from typing import Literal

Language = Literal["zh", "en"]

TEXTS: Mapping[str, tuple[str, str]] = {
    "matched": (
        "{records} records, {customers} customers: {links} pairs linked, {candidates} to look at.",
        "{records} 条记录，{customers} 个客户：自动关联 {links} 对，待确认 {candidates} 对。",
    ),
    # The weights of matching.
    "weights_next": (
        "To learn from decisions now: kehub weights refit. To go back: kehub weights use NUMBER",
        "立即按裁决学习：kehub weights refit；恢复某一版本：kehub weights use 编号",
    ),
    "weights_taken": (
        "Learnt from {count} decisions: {version} is in use.",
        "已按 {count} 条裁决学习，现使用 {version}。",
    ),
    "weights_left": (
        "Looked at {count} decisions; {version} is not replaced.",
        "已检查 {count} 条裁决，未替换 {version}。",
    ),
    "weights_used": ("Weights number {number} are in use.", "现使用编号 {number} 的权重。"),
    "weights_company": ("organisations", "企业"),
    "weights_person": ("persons", "个人"),
    "weights_few": (
        "  {kind}: {count} decisions are too few to learn from.",
        "  {kind}：裁决仅 {count} 条，不足以学习。",
    ),
    "weights_one_sided": (
        "  {kind}: {count} decisions, nearly all alike; they say nothing about the border.",
        "  {kind}：{count} 条裁决几乎都相同，无法判断界线。",
    ),
    "weights_worse": (
        "  {kind}: not taken. A decision surprises new weights by {after} bits, old by {before}.",
        "  {kind}：未采用。新权重的平均意外度为 {after} 比特，原权重为 {before}。",
    ),
    "weights_more_wrong_links": (
        "  {kind}: not taken. More pairs would be linked that a person called different.",
        "  {kind}：未采用。会自动关联更多被裁决为不同的记录。",
    ),
    "weights_better": (
        "  {kind}: taken. A decision surprises new weights by {after} bits, old by {before}.",
        "  {kind}：已采用。新权重的平均意外度为 {after} 比特，原权重为 {before}。",
    ),
    # Erasing.
    "erase_of": (
        "“{name}”, with {contacts} contacts, would be erased in the hub and here:",
        "“{name}”及其 {contacts} 个联系人将在本平台及以下系统中删除：",
    ),
    "erase_delete": ("emptied, then deleted", "先清空，再删除"),
    "erase_mask": (
        "emptied; it stays for its {documents} documents",
        "清空后保留（{documents} 份单据须保留）",
    ),
    "erase_hand": ("to be erased by hand", "需人工删除"),
    "erase_later": ("follows when the system is live again", "系统恢复运行后处理"),
    "erase_shared": (
        "{value} belongs to {count} others, too: it counts together with the name only.",
        "{value} 也属于其他 {count} 条记录：仅与姓名一起用于识别。",
    ),
    "erase_next": (
        "Nothing was done. To erase for good: kehub erase person {record}",
        "尚未执行任何操作。永久删除请运行：kehub erase person {record}",
    ),
    "erase_sure": ("Type “{name}” to erase it for good", "输入“{name}”以永久删除"),
    "erase_not": ("Nothing was erased.", "未执行任何删除。"),
    "erase_waiting": ("waits for the system.", "等待系统响应。"),
    "erase_manual": ("waits for a person.", "等待人工处理。"),
    "erase_deleted": ("deleted.", "已删除。"),
    "erase_masked": ("emptied.", "已清空。"),
    "erase_gone": ("was not there any more.", "对方已无此记录。"),
    "erase_refused": ("refused.", "被拒绝。"),
    "erase_by_hand": ("erased by hand.", "已人工删除。"),
    "no_erasures": ("Nobody has asked to be forgotten.", "没有删除请求。"),
    "erasure_begun": ("Begun.", "已开始。"),
    "erasure_open": (
        "Open: {waiting} records wait for their system or a person.",
        "处理中：{waiting} 条记录等待系统或人工处理。",
    ),
    "erasure_done": ("Done everywhere.", "已全部完成。"),
    "erasure_lifted": ("Lifted: the person may come back.", "已解除：此人可再次录入。"),
    "rematch_read": ("{done} of {of} customers read.", "已读取 {done} / {of} 个客户。"),
    "rematch_compare": ("Comparing {of} customers.", "正在比对 {of} 个客户。"),
    "rematch_ask": ("{done} of {of} pairs noted.", "已记录 {done} / {of} 对。"),
    "rematched": (
        (
            "{customers} customers matched anew: {rekeyed} with other match keys, {pairs} pairs "
            "compared, {asked} new questions, {changed} with another score."
        ),
        (
            "已重新匹配 {customers} 个客户：{rekeyed} 个更新了匹配键，比对 {pairs} 对，"
            "新增 {asked} 对待确认，{changed} 对得分有变。"
        ),
    ),
    "plain": ("{words}", "{words}"),
    "interrupted": ("Interrupted.", "已中断。"),
    # Failures.
    "disk_full": (
        "The disk is full{where}. Free some space and try again; nothing that was stored is lost.",
        "磁盘已满{where}。请清理空间后重试；已保存的数据不会丢失。",
    ),
    "disk_low": (
        (
            "The disk that holds {home} is full, or nearly ({free} MB left): changes may not be "
            "saved. Free some space; nothing that was saved is lost, and what waits goes on."
        ),
        (
            "{home} 所在磁盘已满或即将用完（剩余 {free} MB），更改可能无法保存。"
            "请清理空间；已保存的数据不会丢失，等待中的工作会自动继续。"
        ),
    ),
    "no_access": (
        "{where} may not be read or written by this user. Change its owner or its rights.",
        "当前用户无权读写 {where}。请修改其所有者或权限。",
    ),
    "no_file": ("There is no file {where}.", "找不到文件 {where}。"),
    "system_error": ("{where}: {reason}.", "{where}：{reason}。"),
    "not_set_up": (
        "This hub was not set up yet. Run `kehub init`, or set KEHUB_HOME to its data folder.",
        "此 hub 尚未初始化。请运行 kehub init，或把 KEHUB_HOME 设为它的数据文件夹。",
    ),
    "database_busy": (
        "The database is busy with another command. Try again in a moment.",
        "数据库正被其他命令占用，请稍后重试。",
    ),
    "database_away": (
        (
            "The database or the broker cannot be reached: {reason}. Check KEHUB_DATABASE_URL and "
            "KEHUB_REDIS_URL, and that both servers run."
        ),
        (
            "无法连接数据库或消息服务：{reason}。请检查 KEHUB_DATABASE_URL、KEHUB_REDIS_URL "
            "以及两个服务是否已启动。"
        ),
    ),
    "bad_yaml": ("The YAML file cannot be read: {reason}", "YAML 文件无法读取：{reason}"),
    "bad_setting": (
        "The setting {name} is not usable: {reason}. Correct it in the environment or in `.env`.",
        "设置 {name} 无效：{reason}。请在环境变量或 .env 中修正。",
    ),
    "old_sqlite": (
        (
            "SQLite 3.35 or newer is needed; this Python has {version}. Use a newer Python, or "
            "PostgreSQL with KEHUB_DATABASE_URL."
        ),
        (
            "需要 SQLite 3.35 或更新版本，当前 Python 自带 {version}。请换用更新的 Python，"
            "或用 KEHUB_DATABASE_URL 指定 PostgreSQL。"
        ),
    ),
    "gives_up": (
        "Nothing has moved for a while; this still waits: {what}. {why}",
        "长时间没有进展，仍在等待：{what}。{why}",
    ),
    # Starting.
    "initialised": (
        "{home} is ready. Start with `kehub run`.",
        "{home} 已就绪。运行 kehub run 启动。",
    ),
    "first_user": (
        "First user: {login}   password: {password}   (shown only now)",
        "首个用户：{login}   密码：{password}   （仅显示这一次）",
    ),
    "running": ("The hub runs at {url} (Ctrl-C stops it).", "hub 已启动：{url}（Ctrl-C 停止）。"),
    # Following long work.
    "planning": ("Plan {id}: reading {parts}", "预演 {id}：正在读取 {parts}"),
    "plan_made": (
        "Plan {id}: {count} records read and compared",
        "预演 {id}：已读取并比对 {count} 条记录",
    ),
    "plan_failed": (
        "Plan {id} failed: {reason} Nothing was changed; mend this and plan again.",
        "预演 {id} 失败：{reason} 没有做任何更改；请修正后重新预演。",
    ),
    "job_apply": ("going live", "正在上线"),
    "job_mapping": ("a new mapping", "新映射"),
    "job_restore": ("the restore", "恢复"),
    "job_replay": ("what was held back", "被暂缓的写入"),
    "job_reconcile": ("the comparison", "全量核对"),
    "applying": ("Applying plan {id}", "正在执行预演 {id}"),
    "handed_over": ("Plan {id} is applied; its systems are live", "预演 {id} 已执行，系统已上线"),
    "working": ("In work: {what}", "处理中：{what}"),
    "done_what_can": (
        "Nothing is left that the hub could do by itself; see below",
        "能自动完成的已全部完成，其余见下",
    ),
    "agreed": ("Nothing waits any more: all systems agree", "全部处理完毕：各系统数据一致"),
    # Status.
    "status_head": ("kehub is ready at {url}", "kehub 已就绪：{url}"),
    "status_not_ready": ("kehub is starting at {url}", "kehub 正在启动：{url}"),
    "status_stopped": (
        "kehub does not run (it would answer at {url}); `kehub run` starts it",
        "kehub 未在运行（地址为 {url}）；用 kehub run 启动",
    ),
    "status_counts": (
        "{customers} customers, {contacts} contacts; {writes} records written so far",
        "{customers} 个客户，{contacts} 个联系人；累计写入 {writes} 条记录",
    ),
    "status_open": (
        (
            "For a person: {conflicts} conflicts, {candidates} candidates, {dead_letters} dead "
            "letters, {guards} guards. In work: {inbox} to take in, {dirty} to send."
        ),
        (
            "待人工处理：{conflicts} 个冲突、{candidates} 个疑似重复、{dead_letters} 条失败记录、"
            "{guards} 个保护。处理中：{inbox} 条待读入、{dirty} 条待写出。"
        ),
    ),
    "state_draft": ("draft", "草稿"),
    "state_testing": ("tested", "已测试"),
    "state_live": ("live", "运行"),
    "state_paused": ("paused", "暂停"),
    "state_broken": ("broken", "故障"),
    "col_name": ("SYSTEM", "系统"),
    "col_kind": ("KIND", "类型"),
    "col_state": ("STATE", "状态"),
    "col_waiting": ("WAITING", "等待"),
    "col_lag": ("LAG s", "延迟（秒）"),
    "col_reads": ("READS", "读调用"),
    "col_writes": ("WRITES", "写调用"),
    "col_file": ("FILE", "文件"),
    "col_made": ("MADE (UTC)", "创建时间（UTC）"),
    "col_megabytes": ("MB", "MB"),
    "col_differs": ("CHANGED", "有变更"),
    "col_gone": ("GONE", "已删除"),
    "col_id": ("ID", "编号"),
    "col_version": ("VERSION", "版本"),
    "col_author": ("BY", "作者"),
    "col_complete": ("COMPLETE", "完整度"),
    "col_record": ("RECORD", "记录"),
    "col_issues": ("ISSUES", "问题"),
    "col_from_bits": ("FROM BITS", "起始位"),
    "col_customers": ("CUSTOMERS", "客户"),
    "col_precision": ("RIGHT, ABOUT", "预计正确率"),
    "col_missed": ("MISSED, ABOUT", "预计漏配"),
    "col_edge": ("PAIRS AT THE EDGE", "临界记录对"),
    "col_run": ("RUN", "运行"),
    "col_started": ("STARTED (UTC)", "开始时间（UTC）"),
    "col_result": ("RESULT", "结果"),
    "col_url": ("ADDRESS", "地址"),
    "col_links": ("LINKS", "关联"),
    "col_dead": ("DEAD", "失败"),
    "col_reason": ("REASON", "原因"),
    "col_object": ("OBJECT", "对象"),
    "col_read": ("READ", "读取"),
    "col_new": ("NEW", "新增"),
    "col_linked": ("LINKED", "关联"),
    "col_changed": ("FIELDS", "字段变更"),
    "col_creates": ("CREATES", "新建"),
    "col_updates": ("UPDATES", "更新"),
    "col_calls": ("CALLS", "调用"),
    "col_login": ("LOGIN", "用户"),
    "col_role": ("ROLE", "角色"),
    "col_active": ("ACTIVE", "启用"),
    # Systems.
    "no_systems": (
        "No system is connected yet. See `kehub system kinds`, then `kehub system add`.",
        "尚未连接任何系统。请先看 kehub system kinds，再用 kehub system add 添加。",
    ),
    "system_added": (
        "{name} ({kind}) is connected and answers.",
        "{name}（{kind}）已连接，应答正常。",
    ),
    "system_hook": ("It may send its webhooks to {url}", "可将其 Webhook 指向 {url}"),
    "system_next": (
        "Next: `kehub plan {name}` shows what going live would do.",
        "下一步：kehub plan {name} 查看上线会做什么。",
    ),
    "system_answers": ("{name} answers; it is {state}.", "{name} 应答正常，状态：{state}。"),
    "system_paused": (
        "{name} is paused; what waits stays until `kehub system resume {name}`.",
        "{name} 已暂停；等待中的数据保留，直到 kehub system resume {name}。",
    ),
    "system_resumed": ("{name} is {state}.", "{name} 状态：{state}。"),
    "system_removed": ("{name} is removed.", "{name} 已移除。"),
    "system_changed": ("{name} is changed.", "{name} 已修改。"),
    "system_broken": (
        "{name} stands still: {reason} {hint} Then: `kehub system test {name}`.",
        "{name} 已停止：{reason} {hint} 修正后运行 kehub system test {name}。",
    ),
    "system_blocked": (
        "{name} waits for a person: {reason}.",
        "{name} 等待人工处理：{reason}。",
    ),
    "system_orphans": (
        (
            "{name}: {count} records wait for others that were refused. Retry or drop these: "
            "`kehub dead list`."
        ),
        "{name}：{count} 条记录等待被拒绝的上级记录。请重试或放弃后者：kehub dead list。",
    ),
    "bad_json": ("The settings are not a JSON object: {reason}", "设置不是 JSON 对象：{reason}"),
    "no_setting": (
        "{kind} has no setting {name}. It has: {names}.",
        "{kind} 没有设置 {name}。可用的有：{names}。",
    ),
    "no_secret": ("{name} is wanted and was not given.", "需要 {name}，但没有给出。"),
    "settings_wanted": (
        (
            "{kind} needs settings: {names}. Give them with --set NAME=VALUE and "
            "--secret NAME=VALUE, "
            "or as JSON with --stdin."
        ),
        "{kind} 需要设置：{names}。请用 --set 名称=值、--secret 名称=值，或用 --stdin 传入 JSON。",
    ),
    # Plans, sync, reconcile.
    "no_ready_plan": (
        "No plan is ready. Make one with `kehub plan`.",
        "没有可执行的预演，请先运行 kehub plan。",
    ),
    "plan_counts": (
        (
            "The hub would hold: {goldens}. {conflicts} conflicts, {candidates} candidates, "
            "{problems} "
            "problems."
        ),
        "执行后将持有：{goldens}。{conflicts} 个冲突、{candidates} 个疑似重复、{problems} 个问题。",
    ),
    "plan_next": (
        "Nothing was written. `kehub apply {id}` does it.",
        "尚未写入任何数据。kehub apply {id} 执行。",
    ),
    "sync_asked": (
        "Every live system is polled now. `kehub sync --wait` waits until all agree.",
        "已要求立即轮询。kehub sync --wait 会等到全部一致。",
    ),
    "nothing_live": (
        "No system is live. Go live first: `kehub plan`, then `kehub apply`.",
        "没有已上线的系统。请先 kehub plan，再 kehub apply。",
    ),
    "reconciling": ("Reading and comparing all live systems", "正在读取并核对所有系统"),
    "compared": ("{count} records read and compared", "已读取并核对 {count} 条记录"),
    "reconciled": (
        "{read} records compared, {changed} had changed, {writes} remote writes.",
        "核对 {read} 条，其中 {changed} 条有变化，写入 {writes} 次。",
    ),
    # Runs and rollbacks.
    "no_runs": ("Nothing ran yet.", "还没有运行记录。"),
    "and_more": ("  … and {count} more", "  ……另有 {count} 条"),
    "rollback_would": (
        (
            "Run {run}: {fields} fields of {records} records would be set back, {left} stay. "
            "Nothing was changed; `kehub rollback {run}` does it."
        ),
        (
            "运行 {run}：将恢复 {records} 条记录的 {fields} 个字段，{left} 个保持不变。尚未更改；"
            "kehub rollback {run} 执行回滚。"
        ),
    ),
    "rollback_done": (
        "Run {own} rolled {run} back: {fields} fields of {records} records; {left} stay.",
        (
            "已通过运行 {own} 回滚运行 {run}：恢复 {records} 条记录的 {fields} 个字段，"
            "{left} 个保持不变。"
        ),
    ),
    "rollback_left": ("These stay as they are ({count}):", "以下保持不变（{count} 个）："),
    "rollback_created": (
        "{count} new records of the run stay: a rollback deletes nothing.",
        "该运行新建的 {count} 条记录保留：回滚不会删除任何记录。",
    ),
    # Thresholds.
    "thresholds_now": (
        (
            "{records} customers compared. Now: linked from {link} bits, asked about from "
            "{candidate} bits (config/matching.yaml)."
        ),
        (
            "已比较 {records} 个客户。目前 {link} 位起自动关联，{candidate} 位起请人确认"
            "（config/matching.yaml）。"
        ),
    ),
    "thresholds_empty": ("There are no customers to compare.", "没有可比较的客户。"),
    # Quality.
    "quality_figures": (
        (
            "{records} records: {completeness} % complete, {valid} % valid, {fresh} % confirmed "
            "within a year, {duplicates} suspected twice."
        ),
        (
            "{records} 条记录：完整度 {completeness}%，有效 {valid}%，一年内确认 {fresh}%，"
            "疑似重复 {duplicates} 条。"
        ),
    ),
    "quality_nothing": ("Nothing to mend here.", "没有需要处理的记录。"),
    # Quotas.
    "budget_gone": (
        "{name}: the day's {calls} calls are used up ({used}); it goes on tomorrow.",
        "{name}：今日 {calls} 次调用额度已用完（{used} 次），明天继续。",
    ),
    "budget_ends": (
        "{name}: {used} of {calls} calls today; at this pace they are used up at {moment}.",
        "{name}：今日已用 {used}/{calls} 次调用；按目前速度将在 {moment} 用完。",
    ),
    "budget_lasts": (
        "{name}: {used} of {calls} calls today; at this pace they last the day.",
        "{name}：今日已用 {used}/{calls} 次调用；按目前速度可用到当天结束。",
    ),
    "budget_none": (
        "{name}: {used} calls today; no daily budget (`kehub quota {name} --set N`).",
        "{name}：今日已调用 {used} 次；未设每日额度（kehub quota {name} --set 次数）。",
    ),
    "budget_limit": (
        "    {interface}: {calls} calls in {seconds} s, {left} at once now",
        "    {interface}：每 {seconds} 秒 {calls} 次，目前可立即调用 {left} 次",
    ),
    "budget_shut": (
        "    The system asked to wait {seconds} s more.",
        "    对方系统要求再等待 {seconds} 秒。",
    ),
    # Backups.
    "backup_made": ("{path}: {rows} rows, {mb} MB.", "{path}：{rows} 行，{mb} MB。"),
    "backup_key": (
        "It is sealed with the hub's master key. Keep that key somewhere else, too.",
        "已用主密钥加密。请把主密钥另存一份到别处。",
    ),
    "backup_passphrase": (
        "It is sealed with your passphrase; nobody can open it without.",
        "已用您的口令加密；没有口令无法打开。",
    ),
    "no_backups": ("There is no backup in the data folder yet.", "数据文件夹中还没有备份。"),
    "backup_proven": (
        "{path} is whole: {rows} rows in {tables} tables were restored and compared.",
        "{path} 完好：已还原并核对 {tables} 张表的 {rows} 行。",
    ),
    "backup_differs": (
        "{path} is damaged: {tables} do not hold what was saved. Use another backup.",
        "{path} 已损坏：{tables} 与保存时不符。请使用其他备份。",
    ),
    "restore_saved": ("What was there before is saved as {path}.", "原有数据已保存为 {path}。"),
    "restored": (
        (
            "{path} is put back, as of {moment} UTC. The hub only compares now: nothing is read or "
            "written on its own. Next: `kehub restore --compare`, then `kehub restore --approve`."
        ),
        (
            "已恢复 {path}（{moment} UTC 的状态）。现在只做核对，不会自动读取或写入。"
            "下一步：kehub restore --compare，然后 kehub restore --approve。"
        ),
    ),
    "relearned": ("Since the backup, the systems have:", "备份之后，各系统有以下变化："),
    "nothing_relearned": (
        "The systems are as the backup knows them.",
        "各系统与备份时一致。",
    ),
    "compare_next": (
        "Nothing was written. `kehub restore --approve` lets the hub go on (comparison {id}).",
        "尚未写入任何数据。运行 kehub restore --approve 后继续（核对 {id}）。",
    ),
    "compare_failed": (
        "The comparison failed: {reason} Mend this and compare again.",
        "核对失败：{reason} 请修正后重新核对。",
    ),
    "compare_first": (
        "Nothing was compared yet. First: `kehub restore --compare`.",
        "尚未核对。请先运行 kehub restore --compare。",
    ),
    "restore_approved": (
        "Approved: everything was taken in, and the hub writes again.",
        "已确认：所有变化已读入，恢复写入。",
    ),
    "nothing_restored": (
        "No restore waits for approval.",
        "没有等待确认的恢复。",
    ),
    "restore_waits": (
        (
            "Restored from a backup of {moment} UTC: the hub only compares, nothing is read or "
            "written on its own. `kehub restore --compare` shows what has changed, `kehub restore "
            "--approve` lets it go on."
        ),
        (
            "已从 {moment} UTC 的备份恢复：目前只做核对，不会自动读取或写入。"
            "kehub restore --compare 查看变化，kehub restore --approve 确认并继续。"
        ),
    ),
    # Dead letters and guards.
    "no_dead": ("There are no dead letters.", "没有失败记录。"),
    "way_in": ("from", "来自"),
    "way_out": ("to", "写入"),
    "dead_next": (
        "{count} in all. Mend the cause, then `kehub dead retry ID...`.",
        "共 {count} 条。修正原因后运行 kehub dead retry 编号。",
    ),
    "dead_retried": ("{count} are tried again.", "正在重试 {count} 条。"),
    "dead_discarded": ("{count} are closed.", "已放弃 {count} 条。"),
    "no_such_dead": (
        "There is no open dead letter {id}. See `kehub dead list`.",
        "没有编号为 {id} 的未处理失败记录。请看 kehub dead list。",
    ),
    "no_guards": ("Nothing waits for a decision.", "没有待确认的变更。"),
    "guard_allowed": ("{id} is allowed; {system} goes on.", "{id} 已允许，{system} 继续。"),
    "guard_refused": (
        "{id} is refused; {system} goes on without it.",
        "{id} 已拒绝，{system} 继续。",
    ),
    "guard_mended": ("{id} was closed before: it is mended.", "{id} 此前已关闭：已修复。"),
    "guard_outdated": (
        "{id} is outdated: the customer is back in {system}, or deleted by now. Nothing changed.",
        "{id} 已失效：该客户已重新出现在 {system} 中，或已被删除。没有任何变更。",
    ),
    # Users and tokens.
    "user_password": (
        "{login}   password: {password}   (shown only now)",
        "{login}   密码：{password}   （仅显示这一次）",
    ),
    "no_user": (
        "There is no user {login}. See `kehub user list`.",
        "没有用户 {login}。请看 kehub user list。",
    ),
    "token_made": (
        "{token}\nIt has the rights of {login} and is shown only now.",
        "{token}\n拥有 {login} 的权限，仅显示这一次。",
    ),
    # Mappings.
    "level_error": ("error  ", "错误"),
    "level_warning": ("warning", "警告"),
    "level_info": ("info   ", "提示"),
    "mapping_loads": (
        "{file} can be read. With --system it is held against the remote fields, too.",
        "{file} 可以读取。加上 --system 还会与对方系统的字段核对。",
    ),
    "mapping_fits": ("{what}: the mappings fit.", "{what}：映射与字段一致。"),
    "mapping_same": ("The texts are the same.", "内容相同。"),
    "mapping_draft": (
        "Kept as a draft: {object} version {version}. Next: `kehub mapping plan {id}`.",
        "已存为草稿：{object} 版本 {version}。下一步：kehub mapping plan {id}。",
    ),
    "mapping_plan_next": ("Nothing was written.", "尚未写入任何数据。"),
    "mapping_touches": (
        (
            "It would touch {touched} of {linked} linked records. `kehub mapping activate {id}` "
            "makes it the live version."
        ),
        ("将影响 {linked} 条关联记录中的 {touched} 条。kehub mapping activate {id} 启用该版本。"),
    ),
    "mapping_live": (
        "{name}: version {version} of {object} is live.",
        "{name}：{object} 的版本 {version} 已启用。",
    ),
    "mapping_dropped": ("Draft {id} is dropped.", "草稿 {id} 已放弃。"),
    "left_out": ("(left out by `only_when`)", "（被 only_when 排除）"),
    # Files.
    "import_reading": ("Reading {file}", "正在读取 {file}"),
    "import_ignored": (
        "The column “{header}” is not read{meant}.",
        "未读取列“{header}”{meant}。",
    ),
    "import_meant": (
        "; if it is the {name}, say --map 'HEADER={name}'",
        "；如果它是 {name}，请用 --map '列名={name}'",
    ),
    "import_more": ("… and {count} more rows that were left out.", "……另有 {count} 行被跳过。"),
    "import_would": (
        (
            "{file}: {rows} rows. It would add {new} customers, link {linked}, change {changed}; "
            "{unchanged} rows are as before, {candidates} would wait for a decision, {refused} "
            "rows "
            "are left out. Nothing was changed."
        ),
        (
            "{file}：共 {rows} 行。将新增 {new} 个客户，关联 {linked} 个，修改 {changed} 个；"
            "{unchanged} 行与上次相同，{candidates} 个待人工确认，{refused} 行被跳过。"
            "尚未做任何更改。"
        ),
    ),
    "import_done": (
        (
            "{file}: {rows} rows. {new} customers added, {linked} linked, {changed} changed; "
            "{unchanged} rows are as before, {candidates} wait for a decision, {refused} rows were "
            "left out."
        ),
        (
            "{file}：共 {rows} 行。新增 {new} 个客户，关联 {linked} 个，修改 {changed} 个；"
            "{unchanged} 行与上次相同，{candidates} 个待人工确认，{refused} 行被跳过。"
        ),
    ),
    "exported": ("{count} written to {file}", "已导出 {count} 条到 {file}"),
    "problem_at": ("Row {row}: {what}", "第 {row} 行：{what}"),
    "problem_no_name": (
        "the customer has no name. Fill in “{column}”.",
        "客户没有名称。请填写“{column}”。",
    ),
    "problem_bad_phone": (
        (
            "“{value}” in “{column}” is no phone number. Write it with its area code, or with + "
            "and "
            "the country code."
        ),
        "“{column}”中的“{value}”不是电话号码。请写上区号，或用 + 加国家代码。",
    ),
    "problem_bad_mail": (
        "“{value}” in “{column}” is no mail address. Write one, such as name@example.com.",
        "“{column}”中的“{value}”不是邮箱地址。请填写一个，例如 name@example.com。",
    ),
    "problem_bad_number": (
        "“{value}” in “{column}” is no number. Write digits, such as 12000.50.",
        "“{column}”中的“{value}”不是数字。请写成 12000.50 这样的形式。",
    ),
    "problem_bad_country": (
        "no country is called “{value}” (“{column}”). Write its name or its code, such as CN.",
        "“{column}”中的“{value}”不是国家名称。请写国家名称或代码，例如 CN。",
    ),
    "problem_bad_choice": (
        "“{value}” in “{column}” is not known. Write one of: {choices}.",
        "“{column}”中的“{value}”无法识别。请写：{choices}。",
    ),
    "problem_too_long": (
        "“{value}…” in “{column}” is longer than {limit} characters. Shorten it.",
        "“{column}”中的“{value}…”超过 {limit} 个字符。请缩短。",
    ),
    "problem_bad_credit_code": (
        (
            "{value} in “{column}” is no valid unified social credit code (18 characters with a "
            "check "
            "character). Correct it, or name the country in the row."
        ),
        (
            "“{column}”中的 {value} 不是有效的统一社会信用代码（18 位，含校验码）。请更正，"
            "或在该行注明国家。"
        ),
    ),
    "problem_unknown_tax_id": (
        "tax numbers of {country} are not known here (“{column}”: {value}). Empty the cell.",
        "暂不支持 {country} 的税号（“{column}”：{value}）。请清空该单元格。",
    ),
    "problem_contact_without_name": (
        "“{value}” in “{column}” belongs to a contact without a name. Fill in the contact's name.",
        "“{column}”中的“{value}”属于没有姓名的联系人。请填写联系人姓名。",
    ),
    "problem_same_row": (
        "it is the same customer as row {first} (“{column}”). Keep one of the two.",
        "与第 {first} 行是同一客户（“{column}”）。请只保留一行。",
    ),
    "problem_dead_letter": ("{message}", "{message}"),
    "foreign": (
        "{words}",
        "对方系统或其设置有问题：{words}",
    ),
    # Refusals of the service, in Chinese; their English is in the service itself.
    "refusal_no_system": ("", "没有名为“{name}”的系统。请看 kehub system list。"),
    "refusal_unreachable": ("", "暂时无法访问对方系统：{reason} 请检查地址、网络和对方服务。"),
    "refusal_bad_name": (
        "",
        "“{name}”不能作为系统名称。请以小写字母开头，只用字母、数字、-、_，最多 40 个字符。",
    ),
    "refusal_name_taken": ("", "已有名为“{name}”的系统。"),
    "refusal_not_live": ("", "{name} 当前状态为 {state}，只有运行中的系统才能暂停。"),
    "refusal_has_links": ("", "{name} 已有关联的记录，不能移除。"),
    "refusal_nothing_to_plan": ("", "没有需要预演的系统：全部已上线。"),
    "refusal_no_plan": ("", "没有编号为 {id} 的预演。"),
    "refusal_plan_not_ready": ("", "预演 {id} 的状态是 {state}，不能执行。"),
    "refusal_plan_stale": ("", "预演 {id} 已过期：映射或规则在此之后有改动。"),
    "refusal_bad_role": ("", "没有这个角色。可用的有 viewer、steward、admin。"),
    "refusal_login_taken": ("", "已有用户“{name}”。"),
    "refusal_no_user": ("", "没有用户“{name}”。"),
    "refusal_short_password": ("", "密码至少 {count} 个字符。"),
    "refusal_no_guard": ("", "没有编号为 {id} 的待确认变更。"),
    "refusal_no_name_column": ("", "{file} 中没有客户名称列（列：{headers}）。"),
    "refusal_no_import_field": ("", "没有字段 {name}。"),
    "refusal_bad_csv": ("", "{file} 第 {line} 行不是 CSV：{reason}。"),
    "refusal_bad_encoding": ("", "{file} 既不是 UTF-8 也不是 GB18030 编码。"),
    "refusal_bad_excel": ("", "{file} 不是 Excel 工作簿。"),
    "refusal_no_sheet": ("", "{file} 没有工作表 {name}（有：{names}）。"),
    "refusal_not_a_file_system": ("", "{name} 是 {kind} 系统，不能用作文件导入的名称。"),
    "refusal_import_paused": ("", "{name} 当前状态为 {state}。"),
    "refusal_no_mapping": ("", "{name} 没有 {object} 的映射（有：{names}）。"),
    "refusal_mapping_needs_approval": (
        "",
        "该映射将影响 {touched} 条关联记录（共 {linked} 条）。请查看预演，再用 --approve 启用。",
    ),
    "refusal_mapping_needs_plan": (
        "",
        "已有关联记录：请先运行 kehub mapping plan，查看后再启用。",
    ),
    "refusal_no_schema": ("", "{name} 无法描述其字段，只能试读。"),
    # The demo.
    "demo_needs_checkout": (
        "The demo needs the project's checkout: the stand-ins are not part of the package.",
        "演示需要完整的项目源码：仿真系统不包含在安装包中。",
    ),
    "demo_seed_failed": (
        "The demo's customers could not be made: {reason}",
        "无法生成演示客户数据：{reason}",
    ),
    "demo_callback_failed": (
        "The 纷享销客 stand-in did not take the callback address: {reason}",
        "纷享销客仿真未接受回调地址：{reason}",
    ),
    "demo_erp_failed": (
        "The ERP could not be started: {reason}",
        "ERP 无法启动：{reason}",
    ),
    "demo_starting": (
        "Starting the demo in {home}. The first start installs the ERP and takes some minutes.",
        "正在 {home} 启动演示。首次启动需安装 ERP，约需几分钟。",
    ),
    "demo_crms": ("The stand-ins of Zoho CRM and 纷享销客 answer", "Zoho CRM 与纷享销客仿真已启动"),
    "demo_hub": ("The hub answers", "hub 已启动"),
    "demo_erp": ("The ERP (Tryton) answers", "ERP（Tryton）已启动"),
    "demo_connecting": ("Connecting {name}", "正在连接 {name}"),
    "demo_connected": ("Three systems are connected", "三个系统已连接"),
    "demo_open": (
        (
            "Waits for a person: {conflicts} conflicts, {candidates} candidates, {dead_letters} "
            "dead "
            "letters, {guards} guards."
        ),
        (
            "待人工处理：{conflicts} 个冲突、{candidates} 个疑似重复、{dead_letters} 条失败记录、"
            "{guards} 个保护。"
        ),
    ),
    "demo_ready": (
        """
Ready after {seconds} s: {customers} customers and {contacts} contacts agree in three systems.
{status}

  kehub            {url}
                   login {login}   password {password}
  Tryton (ERP)     {erp}   the real one; no screen of its own here
  Zoho CRM         {zoho}   stand-in
  纷享销客          {fxiaoke}   stand-in

Try:
  1. Change a phone in Zoho at {zoho}/ui/Accounts and watch it arrive in the ERP and in 纷享销客:
     {url}/customers
  2. Sell something in the ERP and see the order in both CRMs:
     {python} -m sandbox.tryton sale --data {data} --party C00001 --amount 300 --paid
  3. Pull the plug: kill -9 any process named in {home}/run.json while you edit, start again with
     the same command, and look: nobody twice, nobody missing.

Ctrl-C stops all of it; the same command goes on where it was.""",
        """
已就绪，用时 {seconds} 秒：{customers} 个客户、{contacts} 个联系人在三个系统中一致。{status}

  kehub            {url}
                   用户 {login}   密码 {password}
  Tryton（ERP）     {erp}   真实系统，此处没有独立界面
  Zoho CRM         {zoho}   仿真
  纷享销客          {fxiaoke}   仿真

试一试：
  1. 在 Zoho 修改一个电话 {zoho}/ui/Accounts，看它同步到 ERP 和纷享销客：
     {url}/customers
  2. 在 ERP 中成交一单，订单会出现在两个 CRM：
     {python} -m sandbox.tryton sale --data {data} --party C00001 --amount 300 --paid
  3. 断电试验：编辑时用 kill -9 结束 {home}/run.json 中的任一进程，再用同样的命令启动，
     客户不会重复，也不会丢失。

Ctrl-C 停止全部进程；再次运行同样的命令即可继续。""",
    ),
}


def text(key: str, language: Language, **facts: object) -> str:
    """The words of a key, filled."""
    english, chinese = TEXTS[key]
    shown = dict(facts)
    if "where" in shown and key == "disk_full":
        shown["where"] = f" ({shown['where']})" if shown["where"] else ""
    return (chinese if language == "zh" else english).format(**shown)


def has(key: str) -> bool:
    """Whether there are words for a key."""
    return key in TEXTS
