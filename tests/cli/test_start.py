"""Setting up, and being told what is wrong before anything starts."""

import socket
import subprocess
import sys
import time

import pytest

from webui.cli import words
from webui.cli.main import COMMANDS


def test_init_shows_the_password_once_and_may_be_repeated(bare, home):
    first = bare("init").stdout
    assert "admin" in first
    assert "password" in first
    assert "First user" in first
    assert "First user" not in bare("init").stdout
    assert (home / "kehub.db").exists()
    assert home.stat().st_mode & 0o077 == 0


def test_a_command_before_init_says_what_to_do(bare):
    said = bare("plan", expect=1).stderr
    assert "kehub init" in said


def test_status_before_init_is_an_object_that_is_not_ready(bare):
    found = bare.json("status")
    assert found["ready"] is False
    assert found["systems"] == []
    assert set(found["open"]) == {
        "conflicts", "candidates", "dead_letters", "guards", "inbox", "dirty"
    }  # fmt: skip


def test_a_wrong_setting_is_named_as_the_environment_spells_it(bare, monkeypatch):
    monkeypatch.setenv("KEHUB_PORT", "eighty")
    said = bare("status", expect=2).stderr
    assert "KEHUB_PORT" in said


def test_the_dotenv_file_is_obeyed(bare, tmp_path, monkeypatch):
    monkeypatch.delenv("KEHUB_PORT")
    (tmp_path / ".env").write_text("KEHUB_PORT=4321\n")
    assert bare.json("status")["url"] == "http://127.0.0.1:4321"


def test_a_taken_port_is_refused_with_a_sentence(kehub, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("KEHUB_PORT", str(taken.getsockname()[1]))
        said = kehub("run", expect=1).stderr
    assert "KEHUB_PORT" in said


def test_status_is_quick():
    """Start-up in processor time, which other work on the machine does not change much."""
    command = [sys.executable, "-m", "webui.cli.main", "status", "--json"]
    before = time.process_time()
    code = f"import resource, subprocess; subprocess.run({command!r}, check=True); "
    code += "u = resource.getrusage(resource.RUSAGE_CHILDREN); print(u.ru_utime + u.ru_stime)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout.splitlines()[-1]) < 1.0
    assert time.process_time() - before < 1.0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_in_both_languages(kehub, name):
    shown = kehub(name, "--help").stdout
    assert "/" in shown
    assert any("\u4e00" <= sign <= "\u9fff" for sign in shown)


def test_every_text_has_both_languages():
    for key, (english, chinese) in words.TEXTS.items():
        assert chinese, key
        assert english or key.startswith("refusal_"), key
