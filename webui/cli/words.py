"""What the commands say, in English and Chinese; keys are stable, texts are not."""

from collections.abc import Mapping
from typing import Literal

Language = Literal["zh", "en"]

TEXTS: Mapping[str, tuple[str, str]] = {
    "plain": ("{words}", "{words}"),
    "interrupted": ("Interrupted.", "已中断。"),
    # Failures.
    "disk_full": (
        "The disk is full{where}. Free some space and try again; nothing that was stored is lost.",
        "磁盘已满{where}。请清理空间后重试；已保存的数据不会丢失。",
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
        "The database or the broker cannot be reached: {reason}. Check KEHUB_DATABASE_URL and "
        "KEHUB_REDIS_URL, and that both servers run.",
        "无法连接数据库或消息服务：{reason}。请检查 KEHUB_DATABASE_URL、KEHUB_REDIS_URL "
        "以及两个服务是否已启动。",
    ),
    "bad_yaml": ("The YAML file cannot be read: {reason}", "YAML 文件无法读取：{reason}"),
    "bad_setting": (
        "The setting {name} is not usable: {reason}. Correct it in the environment or in `.env`.",
        "设置 {name} 无效：{reason}。请在环境变量或 .env 中修正。",
    ),
    "old_sqlite": (
        "SQLite 3.35 or newer is needed; this Python has {version}. Use a newer Python, or "
        "PostgreSQL with KEHUB_DATABASE_URL.",
        "需要 SQLite 3.35 或更新版本，当前 Python 自带 {version}。请换用更新的 Python，"
        "或用 KEHUB_DATABASE_URL 指定 PostgreSQL。",
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
    "applying": ("Applying plan {id}", "正在执行预演 {id}"),
    "handed_over": ("Plan {id} is applied; its systems are live", "预演 {id} 已执行，系统已上线"),
    "working": ("In work: {what}", "处理中：{what}"),
    "agreed": ("Nothing waits any more: all systems agree", "全部处理完毕：各系统数据一致"),
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
        "Waits for a person: {conflicts} conflicts, {candidates} candidates, {dead_letters} dead "
        "letters, {guards} guards.",
        "待人工处理：{conflicts} 个冲突、{candidates} 个疑似重复、{dead_letters} 条失败记录、"
        "{guards} 个保护。",
    ),
    "demo_ready": (
        """
Ready after {seconds} s: {customers} customers and {contacts} contacts agree in three systems. {status}

  kehub            {url}
                   login {login}   password {password}
  Tryton (ERP)     {erp}   the real one; no screen of its own here
  Zoho CRM         {zoho}   stand-in
  纷享销客          {fxiaoke}   stand-in

Try:
  1. Change a phone in Zoho at {zoho}/ui/Accounts and watch it arrive in the ERP and in 纷享销客:
     {url}/customers
  2. Sell something in the ERP and see the order in both CRMs:
     python -m sandbox.tryton sale --data {data} --party C00001 --amount 300 --paid
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
     python -m sandbox.tryton sale --data {data} --party C00001 --amount 300 --paid
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
