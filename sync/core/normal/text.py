"""Folding of Chinese and Western text, pinyin by character, and a stable 64-bit hash."""

import os
import re
import unicodedata
from functools import cache
from hashlib import blake2b

import opencc

FIRST_HAN, LAST_HAN = 0x4E00, 0x9FFF
# The dictionary's first reading is the commonest in running text; in names another one is.
NAME_READINGS = {
    "长": "chang", "重": "chong", "行": "hang", "都": "du", "朝": "chao", "乐": "le", "会": "hui",
    "盛": "sheng", "石": "shi", "厦": "xia", "沈": "shen", "中": "zhong", "和": "he", "大": "da",
    "朴": "pu", "曾": "zeng", "番": "fan", "西": "xi", "车": "che", "种": "zhong", "调": "diao",
    "传": "chuan", "弄": "nong", "地": "di", "得": "de", "度": "du", "率": "lv", "区": "qu",
    "尺": "chi", "参": "shen", "藏": "zang", "强": "qiang", "降": "jiang", "卜": "bu", "艾": "ai",
    "佛": "fo", "六": "liu", "莞": "guan", "蚌": "beng", "亳": "bo", "浔": "xun", "台": "tai",
    "陂": "bei", "圳": "zhen", "埔": "pu", "广": "guang", "术": "shu", "合": "he", "信": "xin",
}  # fmt: skip
BRACKETS = str.maketrans("【】〔〕[]{}〈〉《》「」", "()" * 7)
HAN = re.compile(r"[㐀-鿿]")
WORD = re.compile(r"[a-z0-9]+|[㐀-鿿]+")
OTHER = re.compile(r"[\W_]+")
DOTTED = re.compile(r"\b(?:[a-z]\.){2,}(?:[a-z]\b)?")
LIGATURES = str.maketrans(
    {"ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "ł": "l", "đ": "d", "’": "'", "`": "'", "ı": "i"}
)


@cache
def simplified() -> dict[int, str]:
    """Traditional to simplified, character by character."""
    source = [chr(code) for code in range(FIRST_HAN, LAST_HAN + 1)]
    target = opencc.OpenCC("t2s").convert("\n".join(source)).split("\n")
    pairs = zip(source, target, strict=True)
    return {ord(old): new for old, new in pairs if old != new and len(new) == 1}


@cache
def readings() -> dict[int, str]:
    """One toneless pinyin syllable for each character; ü is written u after l and n."""
    # Before its import: without this, it keeps tens of megabytes of phrases that nobody asks for.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")
    from pypinyin.constants import PINYIN_DICT  # noqa: PLC0415

    table = {}
    for code in range(FIRST_HAN, LAST_HAN + 1):
        spoken = PINYIN_DICT.get(code)
        if spoken:
            table[code] = _toneless(spoken.split(",")[0])
    for character, spoken in NAME_READINGS.items():
        table[ord(character)] = _toneless(spoken)
    return table


def _toneless(syllable: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFD", syllable) if c.isascii())
    return bare.replace("v", "u")


def has_han(text: str) -> bool:
    return not text.isascii() and HAN.search(text) is not None


def fold(text: str) -> str:
    """Half width, simplified, lower case, no accents, round brackets, single spaces."""
    if text.isascii():
        plain = text.lower()
        if "[" in plain or "]" in plain or "{" in plain or "}" in plain:
            plain = plain.translate(BRACKETS)
        return " ".join(plain.split())
    plain = text.translate(_FOLDED)
    if IN_CONTEXT in plain:
        plain = _folded(text)
    return " ".join(plain.split())


def _folded(text: str) -> str:
    wide = unicodedata.normalize("NFKC", text).lower()
    plain = wide.translate(simplified()).translate(BRACKETS).translate(LIGATURES)
    return "".join(c for c in unicodedata.normalize("NFD", plain) if not unicodedata.combining(c))


class _Folding(dict[int, str]):
    """What each character folds to, found out once; `IN_CONTEXT` where its neighbours matter."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        wide = unicodedata.normalize("NFKC", character)
        alone = "Σ" not in wide and wide != IN_CONTEXT and not unicodedata.combining(character)
        self[code] = found = _folded(character) if alone else IN_CONTEXT
        return found


IN_CONTEXT = "\uffff"  # a noncharacter: it stands for no text
_FOLDED = _Folding()


def pinyin(text: str) -> str:
    """The pinyin of folded text, without spaces; other characters stay."""
    return text if text.isascii() else text.translate(readings())


def syllable(character: str) -> str:
    return readings().get(ord(character), character)


def latin_key(text: str) -> str:
    """Letters and digits only, Chinese read as pinyin; ü and v are one sound after l and n."""
    if not text.isascii():
        spoken = text.translate(_SPOKEN)
    else:
        spoken = text if text.isalnum() else OTHER.sub("", text)
    return spoken.replace("lv", "lu").replace("nv", "nu") if "v" in spoken else spoken


class _Speaking(dict[int, str]):
    """The letters and digits that each character is read as, found out once."""

    def __missing__(self, code: int) -> str:
        spoken = readings().get(code, chr(code))
        self[code] = found = "".join(c for c in spoken if c.isalnum())
        return found


_SPOKEN = _Speaking()


def words(text: str) -> list[str]:
    """Word tokens of folded text; `s.a.r.l.` is one word."""
    if "." in text:
        text = DOTTED.sub(lambda match: match[0].replace(".", ""), text)
    return WORD.findall(text.replace("'", ""))


def stable_hash(text: str) -> int:
    """Signed 64-bit hash, the same in every process and release; never 0."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True) or 1
