"""Every sentence that connectors, engine and mapping files make has a Chinese one."""

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from connectors.sdk import registry
from connectors.sdk.errors import SetupError
from sync.service import sentences
from sync.service.sentences import Template, in_language

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for pattern in ("connectors/*/*.py", "sync/flow/*.py", "sync/gateway/*.py", "mapping/*.py")
    for path in ROOT.glob(pattern)
    if path.parent.name != "testing"
)
ERRORS = {
    "AnswerLostError",
    "CallRefusedError",
    "ChangedError",
    "DayUsedUpError",
    "DeliveryRejected",
    "GoneError",
    "Guard",
    "MappingError",
    "RecordError",
    "SetupError",
    "SystemFaultError",
    "ThrottledError",
    "TokenDeadError",
    "TooFastError",
    "TransientError",
    "ValueError",
    "VaultError",
    "_gone",
    "_wrong",
    "kind",  # Zoho's `kind = AnswerLostError if write else TransientError`
    "refusal",
}
SAYING = {"error", "hint", "message", "reason"}
# Where sentences are kept in tables, or made by a function of their own.
TABLES = {"_CALL", "_SETUP", "_TOKEN", "_APP", "_CONSOLE", "_EMPLOYEE", "_PACK", "known"}
MAKERS = {
    "_sentence",
    "_subject",
    "_wrong_value",
    "_options_text",
    "sentence",
    "did_you_mean",
    "_unusable",
}
# The words of another error, vendor or file, passed on; each is found where it is made.
PASSED_ON = {
    "answer.sentence",
    "exc",
    "first['msg'].removeprefix('Value error, ')",
    "hint",
    "message",
    "str(context['hint'])",
    "str(context['message'])",
    "str(error)",
    "str(exc)",
    "text",
    "words.pick(words.REASONS[refused.reason], 'en', refused.data)",
}
# What comes from the tables and makers above.
FOUND_THERE = {
    "_CONSOLE",
    "_SETUP.get(answer.code, _CONSOLE)",
    "_SETUP[answer.code]",
    "_options_text(self.name, error)",
    "_sentence(code, words, field, details)",
    "_unusable(title, first['msg'])",
    "_wrong_value(name, words, details)",
    "said",
    "sentence.format(centre=centre, code=code or 'no reason given')",
}
# Faults of a programmer, which no user sees.
OF_CODE = {"A moment without a zone cannot be stored.", ""}
CJK = re.compile(r"[\u4e00-\u9fff]")
SAMPLE = "X7"


def test_every_sentence_has_a_chinese_one():
    found = sorted({said for path in FILES for said in _of_file(path)})

    assert len(found) > 200  # the walk still finds them
    assert [said for said in found if not _is_told(said)] == []


def test_templates_are_filled_completely_and_say_something_in_chinese():
    for template in sentences.templates():
        names = re.findall(r"\?P<(\w+)>", template.pattern.pattern)
        filled = template.chinese.format_map(dict.fromkeys(names, SAMPLE))
        assert "{" not in filled.replace("{{", "") or CJK.search(filled)
        assert template.is_frame or CJK.search(filled) or filled == SAMPLE


def test_no_two_templates_claim_the_same_sentence():
    patterns = [template.pattern.pattern for template in sentences.templates()]

    said = {p for p in patterns if patterns.count(p) > 1}

    assert said == set()


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("erp.example.com does not answer.", "erp.example.com 没有应答。"),
        (  # a sentence in a sentence, and its hint behind it
            (
                "erp.example.com cannot be reached. Check the address in the settings and that the "
                "Tryton server runs."
            ),
            "无法连接 erp.example.com。请核对设置中的地址，并确认 Tryton 服务器正在运行。",
        ),
        (
            (
                "Tryton does not know the user 'bob'. Check login and password in the settings "
                "of this system."
            ),
            "Tryton 中没有用户 'bob'。请在该系统的设置中核对登录名和密码。",
        ),
        (  # what pydantic makes of a validator's sentence
            "The setting “Callback secret” is not usable. The callback secret is not base64.",
            "设置“Callback secret”不可用。回调密钥不是 Base64 编码。",
        ),
        (
            (
                "a.yaml:3: rule 'name': there is no key 'natve' (did you mean 'native'?)\n"
                "a.yaml:9: this is not YAML: aliases (*name) are not read"
            ),
            (
                "a.yaml:3：规则 'name'：没有键 'natve'（是否指 'native'？）\n"
                "a.yaml:9：不是有效的 YAML：不支持别名（*name）"
            ),
        ),
        (  # a value that a mapping cannot read, as it is stored
            "Phone holds 'abc', which rule 'phones[work]' cannot read: it is not a number.",
            "Phone 的值 'abc' 无法按规则 'phones[work]' 读取：不是数字。",
        ),
        (  # the vendor's own words stay
            "Strange words of a vendor. Check the API URL in the settings.",
            "Strange words of a vendor. 请在设置中核对 API URL。",
        ),
    ],
)
def test_known_sentences_are_told_in_chinese(english, chinese):
    assert in_language(english, "zh") == chinese
    assert in_language(english, "zh-CN") == chinese
    assert in_language(english, "en") == english


@pytest.mark.parametrize("text", ["", "Nobody knows this.", "Odd: thing (maybe)", "1; 2", "客户"])
def test_unknown_text_comes_back_unchanged(text):
    assert in_language(text, "zh") == text


@pytest.mark.timeout(120)
@pytest.mark.parametrize("part", ["a b: c (d) ", "x. ", "a; b: c. d; ", "no field (x) has no "])
def test_no_text_takes_long(part):
    assert isinstance(in_language(part * 150, "zh"), str)
    assert in_language(part * 2000, "zh") == part * 2000


def test_a_template_with_a_gap_that_english_lacks_is_refused():
    with pytest.raises(ValueError, match="name"):
        Template.of("There is no file.", "找不到文件 {name}。")


def test_a_connector_from_elsewhere_brings_its_own_sentences(tmp_path, monkeypatch):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "zh.yaml").write_text(
        '- {en: "The frobnicator of {name} is stuck.", zh: "{name} 的部件卡住了。"}\n', "utf-8"
    )
    _with_folders(monkeypatch, mine)

    assert in_language("The frobnicator of A1 is stuck.", "zh") == "A1 的部件卡住了。"


@pytest.mark.parametrize("content", ["- {en: [", "- just text", "12", "- {en: a, zh: '{b}'}"])
def test_unreadable_sentences_of_a_connector_cost_nothing_else(tmp_path, monkeypatch, content):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "zh.yaml").write_text(content, "utf-8")
    _with_folders(monkeypatch, mine)

    assert CJK.search(in_language("erp.example.com does not answer.", "zh"))


def test_the_registry_names_what_it_has_in_chinese():
    with pytest.raises(SetupError) as caught:
        registry.get("nothing")

    assert in_language(str(caught.value), "zh") == "没有名为 'nothing' 的连接器。"
    assert in_language(caught.value.hint, "zh").startswith("可用的有：")


@pytest.fixture(autouse=True)
def _fresh():
    _forget()
    yield
    _forget()


def _forget() -> None:
    sentences.templates.cache_clear()
    sentences._chinese.cache_clear()


def _with_folders(monkeypatch, more: Path) -> None:
    known = list(sentences._folders())
    monkeypatch.setattr(sentences, "_folders", lambda: iter([*known, more]))
    _forget()


def _is_told(said: str) -> bool:
    chinese = in_language(said, "zh")
    return bool(CJK.search(chinese)) and chinese != said and not re.search(r"\{\w+\}", chinese)


def _of_file(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        named = _assigned(function)
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and _name(node.func) in ERRORS:
                for given in _said(node):
                    yield from _texts(given, named)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name in MAKERS:
            yield from (text for one in _returned(node) for text in _texts(one, {}))
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and _is_table(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(one, ast.Name) and one.id in TABLES for one in targets):
                yield from _literals(node.value)


def _said(call: ast.Call) -> Iterator[ast.expr]:
    """The arguments that are read by people."""
    name = _name(call.func)
    position = {"_gone": 1, "_wrong": 1}.get(name, 0)
    if name != "Guard":
        yield from call.args[position : 3 if name == "_wrong" else position + 1]
    for keyword in call.keywords:
        if keyword.arg in SAYING and not _is_state(keyword.value):
            yield keyword.value


def _texts(node: ast.expr, named: dict[str, list[ast.expr]]) -> Iterator[str]:
    """What an expression can say, with sample values; other people's words are left out."""
    if ast.unparse(node) in PASSED_ON | FOUND_THERE:
        return
    if isinstance(node, ast.Name) and node.id in named:
        for value in named[node.id]:
            yield from _texts(value, {})
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _texts(value, named)
    elif (told := _renderings(node, named)) is not None:
        says = (text.strip() for text in told if text not in OF_CODE)
        yield from (text for text in says if re.search(r"[^\W\d_]", text.replace(SAMPLE, "")))
    else:
        yield f"unknown to this test: {ast.unparse(node)}"


def _renderings(node: ast.AST, named: dict[str, list[ast.expr]]) -> list[str] | None:
    """All forms of a literal or f-string, also where it is put together or stripped."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return [*(_renderings(node.body, named) or ()), *(_renderings(node.orelse, named) or ())]
    if isinstance(node, ast.FormattedValue):
        given = named.get(node.value.id, []) if isinstance(node.value, ast.Name) else [node.value]
        told = [_renderings(one, {}) for one in given if isinstance(one, (ast.IfExp, ast.Constant))]
        return [text for texts in told for text in texts or ()] or [SAMPLE]
    if isinstance(node, ast.JoinedStr):
        parts = [_renderings(part, named) or [SAMPLE] for part in node.values]
        return ["".join(chosen) for chosen in product(*parts)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = (_renderings(side, named) for side in (node.left, node.right))
        return left and [a + b for a in left for b in right or [SAMPLE]]
    if isinstance(node, ast.Call) and _name(node.func) in {"strip", "rstrip"}:
        return _renderings(node.func.value, named)
    return None


def _assigned(function: ast.AST) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
    return found


def _returned(function: ast.FunctionDef) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is not None:
            yield from node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        if isinstance(node, ast.Assign) and _names_of(node) & {"said"}:
            yield from node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]


def _names_of(node: ast.Assign) -> set[str]:
    return {one.id for one in node.targets if isinstance(one, ast.Name)}


def _literals(node: ast.expr) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and " " in each.value:
            yield re.sub(r"\{\w+\}", SAMPLE, each.value)


def _is_table(node: ast.expr | None) -> bool:
    return isinstance(node, (ast.Constant, ast.Dict, ast.Tuple))


def _is_state(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
