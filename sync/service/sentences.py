"""Sentences of connectors, engine and mapping in the language of who reads them.

They are stored and logged in English. Each part brings a `zh.yaml` of English and Chinese
templates; what is shown is recognised by these, so that a connector from elsewhere needs no code.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Formatter

import structlog
import yaml

from connectors.sdk import registry
from mapping import words

FILE = "zh.yaml"
LONGEST = 2000  # a longer text is no sentence; trying every template on it would take too long
MOST_PARTS = 12
DEEPEST = 4  # sentences within sentences
_PACKAGES = ("sync.service", "mapping", "connectors.sdk")
_BREAK = re.compile(r"(?<=[.!?。？！])\s+|(?<=\))\s+(?=[A-Z(])|\n")
_CLAUSE = re.compile(r"[;；]\s")
_DOUBLED = re.compile(r"[.。]+。")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Template:
    """An English sentence with gaps and the Chinese one that stands for it."""

    pattern: re.Pattern[str]
    chinese: str
    literals: tuple[str, ...]  # what stands between the gaps, in lower case
    weight: int  # the letters of the English sentence itself; 0 is punctuation around its gaps

    @property
    def is_frame(self) -> bool:
        """Nothing but punctuation around its gaps: it says nothing by itself."""
        return not self.weight

    @classmethod
    def of(cls, english: str, chinese: str) -> "Template":
        """Raises ValueError where the Chinese sentence has a gap that the English one lacks."""
        parts = list(Formatter().parse(english))
        seen: set[str] = set()
        pattern = ""
        for literal, name, _, _ in parts:
            pattern += re.escape(literal)
            if name is not None:
                pattern += f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"
                seen.add(name)
        wanted = {name for _, name, _, _ in Formatter().parse(chinese) if name is not None}
        if not wanted <= seen:
            raise ValueError(f"{sorted(wanted - seen)} is not in {english!r}")
        weight = sum(character.isalpha() for literal, *_ in parts for character in literal)
        # Settings are told in lower case; the words are the same.
        compiled = re.compile(pattern, re.IGNORECASE | re.DOTALL)
        literals = tuple(literal.lower() for literal, *_ in parts if literal)
        return cls(compiled, chinese, literals, weight)

    def gaps(self, text: str, lowered: str, *, strict: bool) -> Mapping[str, str] | None:
        """What stands in its gaps; None where the text is another sentence.

        Where strict, no gap reaches over the end of a sentence; a frame is always strict.
        """
        if not all(literal in lowered for literal in self.literals):
            return None
        match = self.pattern.fullmatch(text)
        if match is None:
            return None
        found = match.groupdict()
        if (strict or self.is_frame) and any(map(_BREAK.search, found.values())):
            return None
        if strict and not self.is_frame and any(map(_CLAUSE.search, found.values())):
            return None
        return found


def in_language(text: str, language: str) -> str:
    """The text in this language. What is not known, comes back unchanged."""
    if not text or len(text) > LONGEST or not words.is_chinese(language):
        return text
    return _chinese(text) or text


@lru_cache(maxsize=4096)
def _chinese(text: str, depth: int = 0) -> str | None:
    """The Chinese text, None where no part of it is known."""
    if depth > DEEPEST:
        return None
    strict = _whole(text, depth, strict=True)
    if strict is not None:
        return strict
    loose = _whole(text, depth, strict=False)
    if "\n" in text and loose is None:
        return _lines(text, depth)
    parts = list(_parts(text, depth))
    if loose is not None and not all(chinese for _, chinese in parts):
        return loose
    return _joined(parts) if any(chinese for _, chinese in parts) else None


def _whole(text: str, depth: int, *, strict: bool) -> str | None:
    """The text as one sentence."""
    lowered = text.lower()
    for template in templates():
        gaps = template.gaps(text, lowered, strict=strict)
        if gaps is None:
            continue
        told = {name: _chinese(value, depth + 1) for name, value in gaps.items()}
        if template.is_frame and not any(told.values()):
            continue
        filled = {name: told[name] or value for name, value in gaps.items()}
        return _DOUBLED.sub("。", template.chinese.format_map(filled))
    return None


def _lines(text: str, depth: int) -> str | None:
    lines = [(line, _chinese(line, depth)) for line in text.split("\n")[:MOST_PARTS]]
    if not any(chinese for _, chinese in lines):
        return None
    rest = text.split("\n")[MOST_PARTS:]
    return "\n".join([*(chinese or line for line, chinese in lines), *rest])


def _parts(text: str, depth: int) -> Iterator[tuple[str, str | None]]:
    """The sentences of a text, each the longest that is known, with their Chinese."""
    pieces = _BREAK.split(text, maxsplit=MOST_PARTS)
    start = 0
    while start < len(pieces):
        end, chinese = _longest(pieces, start, depth) if len(pieces) > 1 else (start + 1, None)
        yield " ".join(pieces[start:end]), chinese
        start = end


def _longest(pieces: Sequence[str], start: int, depth: int) -> tuple[int, str | None]:
    for end in range(len(pieces), start, -1):
        if end - start == len(pieces):
            continue  # the whole text was tried before
        chinese = _whole(" ".join(pieces[start:end]), depth, strict=True)
        if chinese is not None:
            return end, chinese
    return start + 1, None


def _joined(parts: Sequence[tuple[str, str | None]]) -> str:
    """Chinese sentences follow each other without a blank."""
    text = ""
    before_is_chinese = True
    for english, chinese in parts:
        gap = "" if chinese and before_is_chinese else " "
        text += (gap if text else "") + (chinese or english)
        before_is_chinese = chinese is not None
    return text


@cache
def templates() -> tuple[Template, ...]:
    """All templates, the most specific first."""
    found = [Template.of(*pair) for pair in words.sentences()]
    for folder in _folders():
        found += _read(folder / FILE)
    return tuple(sorted(found, key=lambda template: -template.weight))


def _folders() -> Iterator[Traversable]:
    yield from (files(name) for name in _PACKAGES)
    yield from (registry.folder(connector) for connector in registry.all().values())


def _read(file: Traversable) -> list[Template]:
    """The templates of a file. One that cannot be read costs its translations and nothing else."""
    if not file.is_file():
        return []
    try:
        pairs = yaml.safe_load(file.read_text(encoding="utf-8"))
        return [_template(pair) for pair in pairs]
    except (yaml.YAMLError, UnicodeDecodeError, LookupError, TypeError, ValueError) as error:
        log.warning("sentences_unreadable", file=str(file), reason=str(error))
        return []


def _template(pair: Mapping[str, str]) -> Template:
    return Template.of(pair["en"], pair["zh"])
