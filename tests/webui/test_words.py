"""Chinese and English: everything that is said is said in both."""

import ast
import re
from pathlib import Path
from typing import get_args

from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask import Flask, g

import webui
from connectors.sdk import registry
from connectors.sdk.config import form_fields
from mapping.canonical import FIELDS, STAGES
from sync.core import exact
from sync.core.policy import RuleName
from sync.core.score import ALONE
from sync.service import letters, review, runs, systems
from webui import refusals, words

FOLDER = Path(webui.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
COMMAND_ONLY = {"sheets", "exchange"}  # reached by `kehub import` and `export` alone
_SAME = {"D-U-N-S"}


def _catalogue(locale: str):
    with (FOLDER / "translations" / locale / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file)


def _said():
    methods = [("templates/**.html", "jinja2"), ("**.py", "python")]
    options = {"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}
    found = extract_from_dir(FOLDER, methods, options)
    return {message[0] if isinstance(message, tuple) else message for *_, message, _, _ in found}


def test_every_sentence_of_the_screens_has_its_chinese():
    chinese = {
        (m.id[0] if isinstance(m.id, tuple) else m.id): m for m in _catalogue("zh_Hans_CN") if m.id
    }
    missing = _said() - set(chinese)
    assert not missing
    for key, message in chinese.items():
        text = message.string[0] if isinstance(message.string, tuple) else message.string
        assert text, key
        assert not message.fuzzy, key
        assert set(re.findall(r"%\(\w+\)s", text)) == set(re.findall(r"%\(\w+\)s", key)), key


def test_nothing_is_translated_that_is_not_said():
    known = {m.id[0] if isinstance(m.id, tuple) else m.id for m in _catalogue("zh_Hans_CN") if m.id}
    assert known <= _said()


def test_the_compiled_catalogues_are_those_that_can_be_read():
    for locale in ("zh_Hans_CN", "en"):
        file = FOLDER / "translations" / locale / "LC_MESSAGES" / "messages.mo"
        with file.open("rb") as compiled:
            assert _texts(read_mo(compiled)) == _texts(_catalogue(locale))


def _texts(catalogue):
    return {_flat(message.id): _flat(message.string) for message in catalogue if message.id}


def _flat(text):
    return (text,) if isinstance(text, str) else tuple(text)


def test_every_word_has_both_languages():
    tables = [*words.TABLES.values(), words.FIELDS, words.PARTS, words.KEYS, words.RULES]
    tables += [words.GUARDS, words.DRIFTS, *words.VALUES.values()]
    for table in tables:
        for key, (english, chinese) in table.items():
            assert english, key
            assert CHINESE.search(chinese) or english in _SAME, key
            said = set(re.findall(r"{\w+}", chinese))
            assert said <= set(re.findall(r"{\w+}", english)), key


def test_every_field_and_state_of_the_engine_has_a_word():
    heads = {path.split("[")[0].split(".")[0] for paths in FIELDS.values() for path in paths}
    assert heads <= set(words.FIELDS)
    parts = {path.split(".")[1] for paths in FIELDS.values() for path in paths if "." in path}
    assert parts <= set(words.PARTS)
    assert set(STAGES) <= set(words.STAGES)
    assert set(systems.STATES) <= set(words.SYSTEM_STATES)
    assert set(runs.KINDS) <= set(words.RUN_KINDS)
    assert set(runs.STATES) <= set(words.RUN_STATES)
    assert set(letters.STATES) <= set(words.LETTER_STATES)
    assert set(review.CONFLICT_STATES) <= set(words.CONFLICT_STATES)
    assert set(review.GUARD_STATES) <= set(words.GUARD_STATES)


def test_every_refusal_of_the_service_has_its_chinese():
    folder = FOLDER.parent / "sync" / "service"
    files = [file for file in folder.glob("*.py") if file.stem not in COMMAND_ONLY]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    codes = set(re.findall(r'code="(\w+)"', text)) - {"delivery_refused"}
    assert codes
    assert codes <= set(refusals.REFUSALS)
    assert all(CHINESE.search(each.zh) for each in refusals.REFUSALS.values())


def test_every_setting_of_every_connector_has_a_chinese_name():
    for name, connector in registry.all().items():
        for field in form_fields(connector.config_model, "zh"):
            assert CHINESE.search(field.title + field.description), f"{name}.{field.name}"


RULED = {"FieldChange": 3, "Overruled": 3, "_take": 2, "_keep": 2}  # which argument it is
ON_A_PERSON = {"name", "mail", "phone"}


def _rules_of_the_engine():
    """Every literal that the engine writes into the rule of a change."""
    for file in (FOLDER.parent / "sync").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "rule":
                yield from _literals(node.value)
            place = RULED.get(getattr(getattr(node, "func", None), "id", ""), 99)
            if isinstance(node, ast.Call) and place < len(node.args):
                yield from _literals(node.args[place])


def _literals(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def test_every_rule_of_the_history_has_its_words():
    found = {*_rules_of_the_engine(), *get_args(RuleName)}
    assert {"kept apart", "only_value", "latest"} <= found
    matched = {f"same {ALONE[0]}", "evidence", *ON_A_PERSON}
    missing = sorted((found | matched) - set(words.RULES) - {""})
    assert not missing


def test_a_match_is_explained_word_by_word():
    found = exact.compare(
        *[{"name": "李雷", "emails[work]": "li@a.example", "phones[work]": "+8613800000000"}] * 2
    )
    assert set(found.reason.split(", ")) == ON_A_PERSON
    with Flask(__name__).test_request_context():
        g.language = "zh"
        assert words.rule(f"matched: {found.reason}") == "匹配依据：名称相同、邮箱相同、电话相同"
