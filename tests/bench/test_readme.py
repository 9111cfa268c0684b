"""What the READMEs promise is there: files, settings, commands; the same in both languages."""

import re
from pathlib import Path

import pytest

from sync.settings import Settings
from webui.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh.md"
FOLDERS = ("bench", "config", "connectors", "mapping", "sandbox", "sync", "tests", "webui")
LINK = re.compile(r"\]\(([^)#:]+)\)")


def links(page):
    return LINK.findall(page.read_text("utf-8"))


def headings(page):
    return [line.count("#") for line in page.read_text("utf-8").splitlines() if line[:1] == "#"]


@pytest.mark.parametrize("page", [ENGLISH, CHINESE, *(ROOT / f / "README.md" for f in FOLDERS)])
def test_every_linked_file_is_there(page):
    assert [link for link in links(page) if not (page.parent / link).exists()] == []


def test_both_languages_say_the_same_things_in_the_same_order():
    assert headings(ENGLISH) == headings(CHINESE)
    neutral = [link.replace("-zh.png", "-en.png") for link in links(CHINESE)]
    assert links(ENGLISH)[1:] == neutral[1:]  # the first leads to the other language


@pytest.mark.parametrize("page", [ENGLISH, CHINESE])
def test_every_setting_is_explained(page):
    text = page.read_text("utf-8")
    assert [n for n in Settings.model_fields if f"`KEHUB_{n.upper()}`" not in text] == []


@pytest.mark.parametrize("page", [ENGLISH, CHINESE])
def test_every_command_that_is_shown_exists(page):
    shown = set(re.findall(r"(?:`|bin/)kehub ([a-z]+)", page.read_text("utf-8")))
    assert {"system", "plan", "apply", "status", "reconcile"} <= shown
    assert shown - set(COMMANDS) == set()
