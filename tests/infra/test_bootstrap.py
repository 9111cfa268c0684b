"""Bootstrap's ways out of trouble, and that it costs nothing when nothing changed."""

import ast
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import bootstrap

ROOT = Path(__file__).parents[2]


def call(*arguments, **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    return subprocess.run(
        [sys.executable, str(ROOT / "bootstrap.py"), *arguments],
        env={**clean, "KEHUB_LANG": "en", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """An environment that counts as installed, whose `kehub` tells how it was called."""
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    kehub = venv / "bin" / "kehub"
    kehub.write_text('#!/bin/sh\necho "$@" "$UV_DEFAULT_INDEX" "$PWD"\n')
    kehub.chmod(0o755)
    monkeypatch.setattr(bootstrap, "VENV", venv)
    stamp = {
        "levels": [bootstrap._fingerprint(0)],
        "environment": {"UV_DEFAULT_INDEX": "https://mirror.example/simple"},
    }
    (venv / "kehub-installed.json").write_text(json.dumps(stamp))
    return venv


def test_a_second_start_goes_straight_to_the_command(installed):
    started = time.monotonic()
    done = call("run", "--port", "1", KEHUB_VENV=str(installed))
    assert done.stdout == f"run --port 1 https://mirror.example/simple {ROOT}\n"
    assert done.stderr == ""
    assert time.monotonic() - started < 2


def test_a_bigger_need_is_seen(installed, monkeypatch):
    assert bootstrap._is_enough(bootstrap._stamp_of(installed), bootstrap._fingerprint(0), 0)
    assert not bootstrap._is_enough(bootstrap._stamp_of(installed), bootstrap._fingerprint(1), 1)


def test_a_changed_lock_is_seen(installed, tmp_path, monkeypatch):
    found = bootstrap._stamp_of(installed)
    clone = tmp_path / "clone"
    clone.mkdir()
    for name in (*bootstrap.LOCKS, bootstrap.TOOLS_LOCK, "pyproject.toml"):
        (clone / name).write_bytes((ROOT / name).read_bytes())
    (clone / "requirements.lock").write_text("changed")
    monkeypatch.setattr(bootstrap, "ROOT", clone)
    assert not bootstrap._is_enough(found, bootstrap._fingerprint(0), 0)


def test_an_environment_whose_python_is_gone_is_made_again(installed):
    (installed / "bin" / "python").unlink()
    (installed / "bin" / "python").symlink_to(installed / "gone")
    found = bootstrap._stamp_of(installed)
    assert not bootstrap._is_enough(found, bootstrap._fingerprint(0), 0)


def test_an_unknown_command_shows_the_known_ones_in_both_languages():
    done = call("dance")
    assert done.returncode == 1
    assert "run|demo|test" in done.stderr.replace("setup|", "")
    assert "Usage:" in done.stderr
    assert "用法" in done.stderr


def test_without_network_it_says_so_in_both_languages(tmp_path):
    done = call(
        "setup",
        KEHUB_VENV=str(tmp_path / "venv"),
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_EXTRA_INDEX_URL="",
        PIP_FIND_LINKS="",
        PIP_CONFIG_FILE=os.devnull,
        PIP_RETRIES="0",
    )
    assert done.returncode == 1
    assert "Check the network" in done.stderr
    assert "请检查网络" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "venv" / "kehub-installed.json").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    done = call("setup", KEHUB_VENV=str(tmp_path / "file" / "venv"))
    assert done.returncode == 1
    assert "KEHUB_VENV" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_python_that_is_too_old_is_told_what_to_do(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda _name: None)
    with pytest.raises(bootstrap.BootstrapError) as refusal:
        bootstrap._want_python("demo")
    assert "3.9.2" in str(refusal.value)
    assert "bootstrap.py demo" in str(refusal.value)


def test_a_better_python_on_the_machine_is_used(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    newer = "/usr/bin/python3.13"
    monkeypatch.setattr(bootstrap.shutil, "which", {"python3.13": newer}.get)
    became = []
    monkeypatch.setattr(bootstrap.os, "execv", lambda path, _arguments: became.append(path))
    with pytest.raises(bootstrap.BootstrapError):
        bootstrap._want_python("run")
    assert became[0] == newer


def test_the_file_can_be_read_by_an_old_python():
    """Else the sentence about an old Python could not be said."""
    ast.parse((ROOT / "bootstrap.py").read_text(encoding="utf-8"), feature_version=(3, 7))


def test_a_mirror_of_pip_is_used_by_uv(tmp_path, monkeypatch):
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    pip = tmp_path / "pip"
    pip.write_text("#!/bin/sh\necho \"global.index-url='https://mirror.example/simple'\"\n")
    pip.chmod(0o755)
    settings = bootstrap._pip_settings_for_uv([str(pip)])
    assert settings == {"UV_DEFAULT_INDEX": "https://mirror.example/simple"}


def test_every_sentence_is_in_both_languages():
    for key, versions in bootstrap.TEXTS.items():
        assert set(versions) == {"en", "zh"}, key
        slots = [set(re.findall(r"\{(\w+)\}", words)) for words in versions.values()]
        assert slots[0] == slots[1], key
