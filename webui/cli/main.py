"""The `kehub` command. Commands are loaded when they are called: `kehub status` must be quick."""

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from webui.cli.console import Console

# Name -> module, attribute, and the line that `kehub --help` shows.
COMMANDS: Mapping[str, tuple[str, str, str]] = {
    "init": ("start", "init", "set up the data folder / 初始化数据文件夹"),
    "run": ("start", "run", "start the hub / 启动"),
    "demo": ("demo.command", "demo", "start it with an ERP and two CRM stand-ins / 启动完整演示"),
    "status": ("status", "status", "how the hub is / 当前状态"),
    "system": ("system", "system", "connect, test, pause systems / 管理已连接的系统"),
    "plan": ("plan", "plan", "show what going live would do / 预演上线"),
    "apply": ("plan", "apply", "carry a plan out / 执行预演"),
    "sync": ("syncing", "sync", "poll now / 立即同步"),
    "reconcile": ("syncing", "reconcile", "compare everything and repair / 全量核对并修复"),
    "runs": ("runs", "runs", "what ran, and what it did / 运行记录"),
    "rollback": ("rollback", "rollback", "set back what a run changed / 回滚一次运行"),
    "dead": ("dead", "dead", "records that could not be processed / 处理失败的记录"),
    "guard": ("guard", "guard", "mass changes that wait for a decision / 待确认的批量变更"),
    "erase": ("erase", "erase", "forget a person everywhere / 应要求删除个人数据"),
    "mapping": ("mapping", "mapping", "check and try mappings / 检查与试用字段映射"),
    "import": ("exchange", "import_", "take customers in from a file / 从文件导入客户"),
    "export": ("exchange", "export", "write customers to a file / 导出客户到文件"),
    "match": ("match", "match", "find equal customers in a file / 在文件中查找相同客户"),
    "quality": ("quality", "quality", "how good the data is, what to mend / 数据质量"),
    "quota": ("quota", "quota", "API calls: used, budget, forecast / 调用额度"),
    "rematch": ("match", "rematch", "match all customers anew / 重新匹配全部客户"),
    "weights": ("weights", "weights", "what matching weighs, and learning it / 匹配权重与学习"),
    "backup": ("backup", "backup", "a sealed copy of the whole hub, or proving one / 备份与验证"),
    "restore": ("backup", "restore", "put a backup back, compare, approve / 恢复备份"),
    "thresholds": ("thresholds", "thresholds", "what each threshold would do / 各阈值的效果"),
    "user": ("access", "user", "people who sign in / 用户"),
    "token": ("access", "token", "keys for scripts / API 密钥"),
}


class Lazy(click.Group):
    """A group that imports a command's module when the command is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _help = COMMANDS[cmd_name]
        found = getattr(importlib.import_module(f"webui.cli.{module}"), attribute)
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Without importing any."""
        with formatter.section("Commands / 命令"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Every command of every group: expected failures become sentences."""
        from webui.cli.failing import told  # noqa: PLC0415  keeps --help quick

        with told(ctx.obj.console):
            return super().invoke(ctx)


def _settled(ctx: click.Context, lang: str | None) -> None:
    from webui.cli.opening import Here, language  # noqa: PLC0415  loads the settings

    if lang:
        os.environ["KEHUB_LANG"] = lang  # for the processes that we start, too
    ctx.obj = Here(Console(language=language()))


class Root(Lazy):
    """Sets the language before anything can fail."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        context = super().make_context(info_name, args, parent, **extra)
        if context.obj is None:
            _settled(context, context.params.get("lang"))
        return context


@click.group(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--lang", type=click.Choice(["zh", "en"]), help="language of what is said / 输出语言")
@click.version_option(package_name="kehub", prog_name="kehub")
def kehub(lang: str | None) -> None:
    """One truth about each customer across ERP, CRMs and channels. / 让各系统的客户数据保持一致。

    KEHUB_HOME is the data folder (./var), KEHUB_PORT the port (8000), KEHUB_LANG the language.

    Status / 退出码: 0 ok, 1 failed / 失败, 2 usage / 用法, 3 a person has to decide / 需人工处理
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point."""
    if not (3, 11) <= sys.version_info[:2] < (3, 15):
        version = ".".join(map(str, sys.version_info[:3]))
        sys.exit(f"Python 3.11 to 3.14 is needed; this is {version}. 需要 Python 3.11 至 3.14。")
    kehub(args=list(arguments) if arguments is not None else None, prog_name="kehub")


if __name__ == "__main__":
    main()
