#!/usr/bin/env python3
"""From a fresh clone to a running hub: `python3 bootstrap.py run|demo|test|check|fmt|bench|setup`.

`chaos` and `histories` try for longer than the tests do to make the hub lose something.

Makes a virtual environment, installs exactly what the lock files name, and becomes the command.
Needs nothing but Python; when nothing changed since the last time it starts at once.
Arguments after the command are passed on, as in `bootstrap.py test tests/infra -k broker`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = Path(os.environ.get("KEHUB_VENV") or ROOT / ".venv")
STAMP = "kehub-installed.json"
OLDEST, TOO_NEW = (3, 11), (3, 15)
# Each lock holds all of the one before, so a bigger installation serves a smaller need.
WORKERS = "2"  # test processes at once: what the smallest machine has cores for
LOCKS = (
    "requirements.lock",
    "requirements-test.lock",
    "requirements-quality.lock",
    "requirements-anchors.lock",
)
ANCHORED = "matching"  # the benchmark that other tools take part in
TOOLS_LOCK = "requirements-install.lock"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_PACKAGES = ("chromium", "fonts-wqy-microhei")
NEED = {"setup": 0, "run": 0, "demo": 0, "bench": 1, "test": 1, "check": 2, "fmt": 2, "lock": 2}
NEED |= {"chaos": 1, "kills": 1, "histories": 1}

TEXTS = {
    "usage": {
        "en": "Usage: python3 bootstrap.py {commands} [arguments]",
        "zh": "用法：python3 bootstrap.py {commands} [参数]",
    },
    "old_python": {
        "en": "Python 3.11 to 3.14 is needed; this is {version}. Install one (Debian 12, "
        "Ubuntu 24.04: `apt-get install python3`) and call it: python3.12 bootstrap.py {command}",
        "zh": "需要 Python 3.11 至 3.14，当前为 {version}。请安装后再运行"
        "（Debian 12、Ubuntu 24.04：`apt-get install python3`）：python3.12 bootstrap.py {command}",
    },
    "no_venv": {
        "en": "Python cannot make a virtual environment here. On Debian and Ubuntu, "
        "`apt-get install python3-venv` adds what is missing.",
        "zh": "此处的 Python 无法创建虚拟环境。Debian/Ubuntu 请执行 "
        "`apt-get install python3-venv` 安装缺少的部分。",
    },
    "no_network": {
        "en": "The packages could not be downloaded. Check the network, or name a mirror: "
        "pip config set global.index-url URL. pip said: {reason}",
        "zh": "无法下载依赖包。请检查网络，或设置镜像：pip config set global.index-url 地址。"
        "pip 的提示：{reason}",
    },
    "install_failed": {
        "en": "The packages could not be installed: {reason}",
        "zh": "依赖包安装失败：{reason}",
    },
    "cannot_write": {
        "en": "{path} cannot be written ({reason}). Set KEHUB_VENV to a folder of your own.",
        "zh": "无法写入 {path}（{reason}）。请把 KEHUB_VENV 设为您有写权限的文件夹。",
    },
    "venv": {"en": "Making the environment {path}", "zh": "创建虚拟环境 {path}"},
    "tools": {"en": "Fetching the installer", "zh": "获取安装工具"},
    "packages": {"en": "Installing {count} packages", "zh": "安装 {count} 个依赖包"},
    "packages_pip": {
        "en": "Installing {count} packages with pip (half a minute or more)",
        "zh": "用 pip 安装 {count} 个依赖包（约半分钟以上）",
    },
    "project": {"en": "Installing kehub itself", "zh": "安装 kehub"},
    "installed": {"en": "Installed in {seconds} s", "zh": "安装完成，用时 {seconds} 秒"},
    "waiting": {
        "en": "Another start is installing; waiting for it",
        "zh": "另一个进程正在安装，等待其完成",
    },
    "browser": {
        "en": "Installing Chromium for the screen tests (KEHUB_TEST_BROWSER=0 leaves it out)",
        "zh": "为界面测试安装 Chromium（设 KEHUB_TEST_BROWSER=0 可跳过）",
    },
    "no_browser": {
        "en": "The screen tests are skipped: {reason}",
        "zh": "跳过界面测试：{reason}",
    },
    "browser_not_root": {
        "en": "no Chromium here, and only root may install it (apt-get install chromium)",
        "zh": "未找到 Chromium，且只有 root 可以安装（apt-get install chromium）",
    },
    "browser_failed": {
        "en": "apt-get could not install Chromium",
        "zh": "apt-get 无法安装 Chromium",
    },
    "browser_refused": {"en": "KEHUB_TEST_BROWSER is 0", "zh": "KEHUB_TEST_BROWSER 为 0"},
    "checking": {"en": "── {step}", "zh": "── {step}"},
}


class BootstrapError(Exception):
    """It cannot go on; the text says why, in both languages."""


def main() -> int:
    command, arguments = _command_line()
    _want_python(command)
    try:
        settings = install(_need(command, arguments))
    except OSError as error:
        facts = {"path": error.filename or VENV, "reason": error.strerror}
        raise BootstrapError(both("cannot_write", **facts)) from error
    os.environ.update(settings)
    os.environ["VIRTUAL_ENV"] = str(VENV)
    return COMMANDS[command](arguments)


def _command_line() -> tuple[str, list[str]]:
    given = sys.argv[1:]
    if given and given[0] in COMMANDS:
        return given[0], given[1:]
    raise BootstrapError(both("usage", commands="|".join(COMMANDS)))


def _need(command: str, arguments: list[str]) -> int:
    """Which lock the command needs; other matching tools are installed to be measured only."""
    is_anchored = command == "bench" and arguments[:1] == [ANCHORED]
    return len(LOCKS) - 1 if is_anchored else NEED[command]


def _want_python(command: str) -> None:
    """Go on with a suitable Python: this one, else a better one that is installed."""
    if OLDEST <= sys.version_info[:2] < TOO_NEW:
        return
    for minor in range(TOO_NEW[1] - 1, OLDEST[1] - 1, -1):
        other = shutil.which("python3." + str(minor))
        if other:
            os.execv(other, [other, *sys.argv])
    version = ".".join(str(part) for part in sys.version_info[:3])
    raise BootstrapError(both("old_python", version=version, command=command))


# --- Saying things ---


def language() -> str:
    names = ("KEHUB_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    chosen = next((os.environ[name] for name in names if os.environ.get(name)), "")
    return "zh" if chosen.lower().startswith("zh") else "en"


def text(key: str, **facts: object) -> str:
    return TEXTS[key][language()].format(**facts)


def both(key: str, **facts: object) -> str:
    """An error stops a person; it is said in both languages."""
    first = language()
    order = (first, "en" if first == "zh" else "zh")
    return "\n".join(TEXTS[key][name].format(**facts) for name in order)


def say(key: str, **facts: object) -> None:
    print("kehub: " + text(key, **facts), file=sys.stderr, flush=True)


# --- Installing ---


def install(level: int) -> dict[str, str]:
    """Have at least the packages of `LOCKS[level]`; answers the environment for children."""
    wanted = _fingerprint(level)
    found = _stamp_of(VENV)
    if _is_enough(found, wanted, level):
        return found["environment"]
    VENV.parent.mkdir(parents=True, exist_ok=True)
    with _alone():
        found = _stamp_of(VENV)  # somebody else may have installed meanwhile
        if _is_enough(found, wanted, level):
            return found["environment"]
        (VENV / STAMP).unlink(missing_ok=True)
        started = time.monotonic()
        environment = _install(level)
        prints = [_fingerprint(each) for each in range(level + 1)]
        (VENV / STAMP).write_text(json.dumps({"levels": prints, "environment": environment}))
        say("installed", seconds=round(time.monotonic() - started, 1))
        return environment


def _fingerprint(level: int) -> str:
    digest = hashlib.sha256(repr((str(ROOT), str(VENV), sys.version_info[:2])).encode())
    for name in (TOOLS_LOCK, LOCKS[level], "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def _stamp_of(venv: Path) -> dict:
    try:
        return json.loads((venv / STAMP).read_text())
    except (OSError, ValueError):
        return {}


def _is_enough(found: dict, wanted: str, level: int) -> bool:
    has_level = found.get("levels", [])[level : level + 1] == [wanted]
    return has_level and _python().exists()  # the link of a removed Python does not exist


@contextlib.contextmanager
def _alone():  # noqa: ANN202 - a generator that only contextlib sees
    """Two starts at once from one clone install one after the other."""
    import fcntl  # noqa: PLC0415 - not on Windows, where the sentence about Python must still work

    # Beside the environment: it may be cleared, and uv has a lock of its own inside.
    with VENV.with_name(VENV.name + ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _python() -> Path:
    return VENV / "bin" / "python"


def _install(level: int) -> dict[str, str]:
    pip = _make_environment()
    environment = _pip_settings_for_uv(pip)
    say("tools")
    tools = _run([*pip, "install", "--require-hashes", "-r", str(ROOT / TOOLS_LOCK)])
    lock = ROOT / LOCKS[level]
    count = sum("==" in line for line in lock.read_text().splitlines())
    if tools.returncode == 0:
        say("packages", count=count)
        uv = [str(VENV / "bin" / "uv"), "pip", "install", "--python", str(_python())]
        done = _run([*uv, "--require-hashes", "-r", str(lock)], environment)
        if done.returncode == 0:
            say("project")
            own = ["-e", str(ROOT), "--no-deps", "--no-build-isolation"]
            _must(_run([*uv, *own], environment))
            return environment
    elif _is_network_trouble(tools):
        _must(tools)  # pip alone would fail the same way, after another wait
    # uv has no wheel for every machine and does not know all of pip's settings.
    say("packages_pip", count=count)
    _must(_run([*pip, "install", "--require-hashes", "-r", str(lock)]))
    say("project")
    _must(_run([*pip, "install", "-e", str(ROOT), "--no-deps"]))
    return environment


def _make_environment() -> list[str]:
    """Make the virtual environment; answers the command of a pip that installs into it."""
    if not _works(_python()):
        say("venv", path=VENV)
        with_pip = _has("ensurepip")
        options = ["--clear"] if with_pip else ["--clear", "--without-pip"]
        if _run([sys.executable, "-m", "venv", *options, str(VENV)]).returncode != 0:
            raise BootstrapError(both("no_venv"))
    if _run([str(_python()), "-m", "pip", "--version"]).returncode == 0:
        return [str(_python()), "-m", "pip"]
    if _has("pip"):  # Debian without python3-venv: the system's pip can install into it
        return [sys.executable, "-m", "pip", "--python", str(_python())]
    raise BootstrapError(both("no_venv"))


def _works(python: Path) -> bool:
    """Whether the environment has the Python that runs now, and it starts."""
    if not python.exists():
        return False
    question = f"import sys; print(sys.version_info[:2] == {tuple(sys.version_info[:2])})"
    return _run([str(python), "-c", question]).stdout.strip() == "True"


def _has(module: str) -> bool:
    return _run([sys.executable, "-c", "import " + module]).returncode == 0


def _pip_settings_for_uv(pip: list[str]) -> dict[str, str]:
    """A mirror or certificate that is set for pip holds for uv as well."""
    listed = _run([*pip, "config", "list"]).stdout
    known = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}
    settings = {}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        variable = known.get(name.rpartition(".")[2])
        if variable and variable not in os.environ:
            settings[variable] = value.strip().strip("'\"")
    return settings


def _run(command: list[str], extra: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    quiet = {"PIP_ROOT_USER_ACTION": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return subprocess.run(
        command,
        env={**os.environ, **quiet, **(extra or {}), "PIP_NO_INPUT": "1", "UV_NO_CONFIG": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _must(done: subprocess.CompletedProcess) -> None:
    if done.returncode == 0:
        return
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    reason = "\n".join(lines[-3:])
    is_network = _is_network_trouble(done)
    raise BootstrapError(both("no_network" if is_network else "install_failed", reason=reason))


def _is_network_trouble(done: subprocess.CompletedProcess) -> bool:
    # "from versions: none" is all that pip says when it gave up on the index.
    signs = ("Connection", "resolution", "timed out", "Max retries", "from versions: none")
    return any(sign in done.stderr for sign in signs)


# --- Commands ---


def _become(program: str, *arguments: str) -> int:
    path = str(VENV / "bin" / program)
    os.chdir(ROOT)
    os.execv(path, [path, *arguments])
    return 0  # not reached; execv does not return


def setup(_arguments: list[str]) -> int:
    return 0


def run(arguments: list[str]) -> int:
    return _become("kehub", "run", *arguments)


def demo(arguments: list[str]) -> int:
    return _become("kehub", "demo", *arguments)


def bench(arguments: list[str]) -> int:
    return _become("python", "-m", "bench", *arguments)


def chaos(arguments: list[str]) -> int:
    return _become("python", "-m", "tests.chaos.soak", *arguments)


def kills(arguments: list[str]) -> int:
    return _become("python", "-m", "tests.chaos.kills", *arguments)


def histories(arguments: list[str]) -> int:
    return _become("python", "-m", "tests.histories.search", *arguments)


def test(arguments: list[str]) -> int:
    _offer_browser()
    workers = () if any(word.startswith("-n") for word in arguments) else ("-n", WORKERS)
    return _become("python", "-m", "pytest", *workers, *arguments)


def check(arguments: list[str]) -> int:
    """All that must be green, the quick ones first; the first that fails ends it."""
    steps = (
        ["ruff", "format", "--check", "."],
        ["ruff", "check", "."],
        ["mypy"],
        ["lint-imports"],
    )
    for program, *options in steps:
        status = _step(program, *options)
        if status != 0:
            return status
    print(text("checking", step="pytest"), flush=True)
    return test(arguments)


def fmt(_arguments: list[str]) -> int:
    fixed = _step("ruff", "check", "--fix", ".")
    return _step("ruff", "format", ".") or fixed


def _step(program: str, *options: str) -> int:
    print(text("checking", step=" ".join((program, *options))), flush=True)
    return subprocess.run([str(VENV / "bin" / program), *options], cwd=ROOT, check=False).returncode


def lock(_arguments: list[str]) -> int:
    """Write the lock files anew; the biggest first, so that all name the same versions."""
    project = "pyproject.toml"
    same = ("--constraint", LOCKS[3])
    groups = ("--group", "test", "--group", "quality")
    _compile(LOCKS[3], project, *groups, "--group", "bench-anchors")
    _compile(LOCKS[2], project, *groups, *same)
    _compile(LOCKS[1], project, "--group", "test", *same)
    _compile(LOCKS[0], project, *same)
    _compile(TOOLS_LOCK, "--group", "install", *same)
    erp = "sandbox/tryton/requirements"
    _compile(erp + ".lock", erp + ".txt")
    return 0


def _compile(target: str, *sources: str) -> None:
    # fmt: off
    command = [
        str(VENV / "bin" / "uv"), "pip", "compile", "--quiet", "--universal", "--upgrade",
        "--python-version", ".".join(str(part) for part in OLDEST),
        "--generate-hashes", "--no-header", "--no-annotate", "--output-file", target, *sources,
    ]
    # fmt: on
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise BootstrapError(both("install_failed", reason=target))


def _offer_browser() -> None:
    """Have Chromium for the screen tests where that is easy; they skip themselves without it."""
    if not _has_screen_tests() or any(shutil.which(name) for name in BROWSERS):
        return
    if os.environ.get("KEHUB_TEST_BROWSER") == "0":
        say("no_browser", reason=text("browser_refused"))
    elif os.geteuid() != 0 or not shutil.which("apt-get"):
        say("no_browser", reason=text("browser_not_root"))
    elif not _install_browser():
        say("no_browser", reason=text("browser_failed"))


def _has_screen_tests() -> bool:
    tests = (ROOT / "tests").rglob("*.py")
    return any("playwright" in test.read_text(encoding="utf-8") for test in tests)


def _install_browser() -> bool:
    say("browser")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    if not any(Path("/var/lib/apt/lists").glob("*_Packages*")):
        _run(["apt-get", "-qq", "update"], quiet)
    command = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *BROWSER_PACKAGES]
    return _run(command, quiet).returncode == 0


COMMANDS = {
    "setup": setup,
    "run": run,
    "demo": demo,
    "test": test,
    "check": check,
    "fmt": fmt,
    "bench": bench,
    "chaos": chaos,
    "kills": kills,
    "histories": histories,
    "lock": lock,
}


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BootstrapError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
