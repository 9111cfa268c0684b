"""Person names: family and given part in any order and script, comparable as pinyin."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from sync.core.normal.tables import (
    COMPOUND_SURNAMES,
    PARTICLES,
    SURNAME_READINGS,
    SURNAMES,
    TITLES_HAN,
    TITLES_LATIN,
    nicknames,
)
from sync.core.normal.text import HAN, fold, has_han, latin_key, readings, syllable

BRACKETED = re.compile(r"\([^()]*\)")
TOKEN = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class PersonName:
    """Latin keys of the parts; `native` holds the Chinese characters, where it is written so."""

    native: str = ""
    family: str = ""
    given: str = ""
    full: str = ""  # all parts in alphabetical order: equal whatever the order was
    root: str = ""  # the given name that nicknames stand for
    middle: str = ""


def parse_person(name: str, given: str = "", family: str = "") -> PersonName:
    """The parts of a name; a split name given beside the whole one settles the order."""
    whole, first, last = (_clean(part) for part in (_capitals_first(name), given, family))
    if has_han(whole):
        return _chinese(whole)
    if has_han(first + last):
        return _chinese(last + first)
    if first or last:
        return _western_split(first, last)
    return _western(whole)


def _capitals_first(text: str) -> str:
    """`Tao TANG` and `TANG Tao` are `TANG, Tao`: capitals mark the family name."""
    tokens = text.split()
    loud = [token for token in tokens if len(token) > 1 and token.isupper()]
    if len(loud) != 1 or len(tokens) < 2 or "," in text or not text.isascii():
        return text
    rest = [token for token in tokens if token is not loud[0]]
    return f"{loud[0]}, {' '.join(rest)}" if any(len(token) > 2 for token in rest) else text


def _clean(text: str) -> str:
    return BRACKETED.sub(" ", fold(text)).strip(" .,;*-") if text else ""


def _chinese(text: str) -> PersonName:
    han = "".join(HAN.findall(text))
    for title in TITLES_HAN:
        if han.endswith(title) and 1 <= len(han) - len(title) <= 4 and _leaves_name(han, title):
            han = han[: -len(title)]
            break
    size = 2 if han[:2] in COMPOUND_SURNAMES and len(han) > 2 else 1
    if (
        len(han) > 1
        and han[0] not in SURNAMES
        and han[-1] in SURNAMES
        and han[:2] not in COMPOUND_SURNAMES
    ):
        han = han[-1] + han[:-1]  # a system that puts the given name first
    family, given = han[:size], han[size:]
    spoken_family = "".join(SURNAME_READINGS.get(c, syllable(c)) for c in family)
    spoken_family, spoken_given = latin_key(spoken_family), latin_key(given)
    return PersonName(
        native=han,
        family=spoken_family,
        given=spoken_given,
        full=_sorted_key(spoken_family, spoken_given),
        root=spoken_given,
    )


def _leaves_name(han: str, title: str) -> bool:
    """`王工` is Engineer Wang; `李先生` is Mr Li; `张建工` may well be a name."""
    return len(title) > 1 or len(han) == 2


def _western_split(first: str, last: str) -> PersonName:
    given_parts, family_parts = _parts(first), _parts(last)
    if not family_parts and len(given_parts) > 1:
        return _western(first)
    if not given_parts and len(family_parts) > 1:
        return _western(last)
    given = "".join(given_parts) if _is_pinyin_pair(first) else "".join(given_parts[:1])
    middle = "" if _is_pinyin_pair(first) else "".join(given_parts[1:])
    return _western_name(given, "".join(family_parts), middle)


def _parts(text: str) -> list[str]:
    tokens = TOKEN.findall(text.replace("'", ""))
    kept = [token for token in tokens if token not in TITLES_LATIN]
    return kept or tokens


def _is_pinyin_pair(text: str) -> bool:
    """`Hua-min`, `Hua Min`: a Chinese given name of two syllables, not two given names."""
    tokens = TOKEN.findall(text)
    return len(tokens) == 2 and ("-" in text or all(t in _syllables() for t in tokens))


@cache
def _syllables() -> frozenset[str]:
    return frozenset(spoken for spoken in readings().values() if len(spoken) > 1)


@cache
def _spoken_surnames() -> frozenset[str]:
    single = (SURNAME_READINGS.get(c, syllable(c)) for c in SURNAMES)
    return frozenset(single) | frozenset(latin_key(name) for name in COMPOUND_SURNAMES)


def _western(whole: str) -> PersonName:
    comma = whole.split(",", 1)
    if len(comma) == 2 and _parts(comma[1]):
        return _western_split(comma[1], comma[0])
    joined = whole.replace("-", "") if whole.count("-") == 1 else whole
    tokens = _parts(joined)
    if not tokens:
        return PersonName()
    if len(tokens) == 1:
        return _western_name("", tokens[0], "")
    chinese = _pinyin_name(tokens)
    if chinese is not None:
        return chinese
    cut = len(tokens) - 1
    while cut > 1 and tokens[cut - 1] in PARTICLES:
        cut -= 1
    return _western_name(tokens[0], "".join(tokens[cut:]), "".join(tokens[1:cut]))


def _pinyin_name(tokens: list[str]) -> PersonName | None:
    """A Chinese name in pinyin; the surname stands first, or last as abroad."""
    if len(tokens) > 3 or not all(is_spoken(token) for token in tokens):
        return None
    first, last = tokens[0] in _spoken_surnames(), tokens[-1] in _spoken_surnames()
    if not first and not last:
        return None
    if last and (not first or len(tokens[0]) > len(tokens[-1])):
        return _western_name("".join(tokens[:-1]), tokens[-1], "")
    return _western_name("".join(tokens[1:]), tokens[0], "")


@lru_cache(maxsize=4096)
def is_spoken_given(given: str) -> bool:
    """Whether a given name is pinyin and no Western name: then it says what the characters say."""
    return bool(given) and given not in nicknames() and is_spoken(given)


@lru_cache(maxsize=4096)
def is_spoken(token: str) -> bool:
    """Whether the word is made of pinyin syllables."""
    if token in _syllables():
        return True
    return len(token) > 3 and any(
        token[:cut] in _syllables() and is_spoken(token[cut:]) for cut in range(2, len(token) - 1)
    )


def _western_name(given: str, family: str, middle: str) -> PersonName:
    given, family = latin_key(given), latin_key(family)
    return PersonName(
        family=family,
        given=given,
        full=_sorted_key(family, given),
        root=nicknames().get(given, given),
        middle=middle,
    )


def _sorted_key(family: str, given: str) -> str:
    return " ".join(sorted(part for part in (family, given) if part))
