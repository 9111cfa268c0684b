"""Company names taken apart: brand, industry, region, branch and legal form, in both scripts."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from sync.core.normal import regions, tables
from sync.core.normal.person import is_spoken
from sync.core.normal.text import fold, has_han, latin_key, words

PARENS = re.compile(r"\(([^()]*)\)")
TAIL_MARK = re.compile(r"(?:[-_ ](?:旧|old|新|停用|作废|重复|copy)|_\d{1,2})+$")
DEPARTMENT = re.compile(
    r"(?<=[司厂店院所团\s])(?:[一-鿿]{0,4}(?:采购|财务|销售|市场|人事|行政|技术|客服|工程|业务|运营|研发|物流)[一-鿿]{0,2}部"
    r"|(?:purchasing|finance|sales|accounting|hr) (?:dept|department))$"
)
CONTACT_TAIL = re.compile(r"[-(]?(?:联系人|attn|c/o)[:\s].*$")
NUMBER = re.compile(r"\d+")
HAN_NUMBER = re.compile(
    r"(?<=第)[一二三四五六七八九十]+|[一二三四五六七八九十]+(?=[分厂店院校中小部号])"
)
HAN_DIGITS = {c: n for n, c in enumerate("一二三四五六七八九", start=1)}
ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
GENERIC = frozenset(["中国", "中华", "全国", "国家"])  # no brand by themselves
LONG_FORMS = (
    "incorporated",
    "corporation",
    "company",
    "limited",
    "aktiengesellschaft",
    "gesellschaft",
    "private",
)
NARROW = 30  # names at least this long may have been cut by the column they came from
LIMITED = "有限公司"
SHORT_FORMS = ("公司", "有限")  # what is left of it may be damaged
LATIN_BRANCH = frozenset(["branch", "subsidiary", "division", "office"])


@dataclass(frozen=True, slots=True)
class CompanyName:
    """The parts that tell companies apart; empty where the name does not say."""

    brand: str = ""  # as written: Chinese characters, or Latin letters without spaces
    latin: str = ""  # the brand in Latin letters: comparable across the scripts
    words: str = ""  # every word that is not a legal form, in order, Latin script
    region: str = ""  # place key from inside the name
    seat: int = 0  # where a whole Chinese name has it: 1 in front, 2 after the brand
    industry: int = 0  # bits of concepts
    form: str = ""  # s joint stock, l limited, p partnership, C corporation, ...
    group: bool = False  # 集团, Group
    branch: str = ""  # what marks a branch: its place or number
    numbers: str = ""


def parse_company(text: str, *, abroad: bool = False) -> CompanyName:
    """The parts of a company name as anybody may have typed it; `abroad`: not in China."""
    name = clean(text)
    if not name:
        return CompanyName()
    return _chinese(name) if has_han(name) else _western(name, abroad=abroad)


def clean(text: str) -> str:
    """Folded, without the marks that people put on names: 【VIP】, (停用), -旧, a department."""
    name = fold(text).strip("*#!?.,;:~·- ")
    name = CONTACT_TAIL.sub("", name)
    if "(" in name:
        name = PARENS.sub(_without_junk, name).strip()
    name = TAIL_MARK.sub("", name)
    return DEPARTMENT.sub("", name).strip(" *-_,.")


def _without_junk(match: re.Match[str]) -> str:
    inner = match[1].strip()
    if not inner or any(word in inner for word in tables.JUNK_WORDS):
        return ""
    return f"({inner})"


def _chinese(name: str) -> CompanyName:
    compact = name.replace(" ", "")
    head, branch = _split_branch(compact)
    head, form = _strip_form(head)
    head, place, remark, group = _take_brackets(head)
    if not form:
        head, form = _strip_form(head)
    head, ends_so = _strip_group(head)
    lead, core = regions.leading_place(head)
    fronted = bool(lead) or compact.startswith("(")
    trail = ""
    if not lead and not place:
        trail, core = regions.trailing_place(core)
    core, mask = _strip_industry(core)
    if remark:
        core += remark
    spoken = latin_key(core)
    return CompanyName(
        brand=core,
        latin=spoken,
        words=latin_key(compact),
        region=_finer(lead, place or trail),
        seat=(1 if fronted else 2) if form and (lead or place or trail) else 0,
        industry=mask,
        form=form,
        group=group or ends_so,
        branch=branch,
        numbers=_numbers(compact),
    )


def _finer(first: str, second: str) -> str:
    """Of province and city the city."""
    if first and second and regions.is_province(first):
        return second
    return first or second


def _split_branch(name: str) -> tuple[str, str]:
    if not name.endswith(tables.BRANCH_MARKS):
        return name, ""
    for mark in tables.BRANCH_MARKS:
        if not name.endswith(mark):
            continue
        rest = name[: -len(mark)]
        cut = max(rest.rfind(word) + len(word) for word in ("公司", "厂", "院", "集团", ")"))
        if cut < 3:  # no legal form before the branch: a place may stand there
            place, head = regions.trailing_place(rest)
            return (head, place) if place else (rest, mark)
        return rest[:cut], regions.place_key(rest[cut:].strip("()")) or mark
    return name, ""


def _strip_form(name: str) -> tuple[str, str]:
    for ending, code in tables.HAN_FORMS:
        if name.endswith(ending) and len(name) > len(ending) + 1:
            slip = _misspelt_form(name) if ending in SHORT_FORMS else 0
            if slip > len(ending):
                return name[:-slip], "l"
            return name[: -len(ending)].rstrip("-,"), code
    slip = _misspelt_form(name)
    if slip:
        return name[:-slip], "l"
    latin = re.search(r"[\s,.]*(?:co|company|inc|corp|ltd|limited|llc)[\s,.a-z]*$", name)
    if latin and latin.start() >= 2:
        return name[: latin.start()], "l"
    return name, ""


def _misspelt_form(name: str) -> int:
    """How many characters at the end are 有限公司 with one slip, 0 for none.

    Enough must stand before it: 上海极限公司 is called 极限.
    """
    for size in (4, 3, 5):
        if len(name) >= size + 4 and OSA.distance(name[-size:], LIMITED, score_cutoff=1) <= 1:
            return size
    return 0


def _strip_group(name: str) -> tuple[str, bool]:
    """Group companies: `华天集团有限公司` beside `华天有限公司`."""
    if name.endswith("集团") and len(name) > 3:
        return name[:-2], True
    return name, False


def _take_brackets(name: str) -> tuple[str, str, str, bool]:
    """(name without brackets, place found in one, other words found in one, a group)."""
    place, remark, group = "", "", False
    for match in PARENS.finditer(name):
        inner = regions.strip_ending(match[1])
        key = regions.han_places().get(inner)
        if key:
            place = _finer(place, key)
        elif inner == "集团":
            group = True
        elif inner not in {"中国", "有限合伙"}:
            remark += inner
    return PARENS.sub("", name).strip("()"), place, remark, group


def _strip_industry(core: str) -> tuple[str, int]:
    """Words of trade off the end, leaving a brand of two characters at least."""
    mask, endings = 0, tables.han_endings()
    searching = True
    while searching and len(core) > 3:
        searching = False
        for size in (6, 5, 4, 3, 2):
            word = core[-size:]
            if len(core) - size >= 2 and word in endings and core[:-size] not in GENERIC:
                mask |= endings[word]
                core = core[:-size]
                searching = True
                break
    if not mask and len(core) >= 5:
        return _strip_misspelt_industry(core)
    return core, mask


def _strip_misspelt_industry(core: str) -> tuple[str, int]:
    """A long word of trade with one slip in it off the end."""
    for size in (4, 3, 5):
        if len(core) - size < 2:
            continue
        found = process.extractOne(
            core[-size:], _long_han_words(), scorer=OSA.distance, score_cutoff=1
        )
        if found:
            return core[:-size], tables.concept_masks()[found[0]]
    return core, 0


@cache
def _long_han_words() -> list[str]:
    return sorted(w for w in tables.concept_masks() if len(w) == 4 and not w.isascii())


def _western(name: str, *, abroad: bool) -> CompanyName:
    tokens = words(name.replace("'l ", "l "))
    branch_named = any(token in LATIN_BRANCH for token in tokens)
    legal = {token for token in tokens if token in tables.LEGAL_WORDS}
    group = any(token in tables.GROUP_WORDS for token in tokens)
    kept = [
        token
        for token in tokens
        if token not in legal
        and token not in tables.GROUP_WORDS
        and token not in tables.SMALL_WORDS
        and token not in LATIN_BRANCH
    ]
    if len(name) >= NARROW and len(kept) > 2 and _is_cut_form(kept[-1]):
        kept.pop()
    if group and not kept:
        kept, group = ["group"], False
    places, rest = _take_places(kept)
    brand, mask = _take_industry(rest)
    if not brand:
        brand = rest or kept or tokens
    region, branch = _region_or_branch(places, named=branch_named)
    joined = "".join(brand)
    return CompanyName(
        brand=joined,
        latin=latin_key(joined),
        words=" ".join(kept),
        region=region,
        industry=mask,
        form=_latin_form(legal, spoken=is_spoken(joined) and not abroad),
        group=group,
        branch=branch,
        numbers=" ".join(
            sorted({*NUMBER.findall(name), *(ROMAN[t] for t in tokens if t in ROMAN)})
        ),
    )


def _latin_form(legal: set[str], *, spoken: bool) -> str:
    """Inc, LLC and GmbH name different companies; the English name of a Chinese one says any."""
    if not legal:
        return ""
    if spoken and legal <= tables.FORMS_ABROAD:
        return "l"
    return next((code for words, code in tables.LATIN_FORMS if legal & words), "l")


def _is_cut_form(token: str) -> bool:
    return any(word.startswith(token) and word != token for word in LONG_FORMS)


def _take_places(tokens: list[str]) -> tuple[list[tuple[bool, str]], list[str]]:
    """Place names of one to three words: (stands first, key); and the other words."""
    places: list[tuple[bool, str]] = []
    rest: list[str] = []
    known, index = regions.latin_places(), 0
    while index < len(tokens):
        for size in (3, 2, 1):
            key = known.get("".join(tokens[index : index + size]))
            if key and len(tokens) > size and index + size <= len(tokens):
                places.append((index == 0, key))
                index += size
                break
        else:
            rest.append(tokens[index])
            index += 1
    return places, rest


def _take_industry(tokens: list[str]) -> tuple[list[str], int]:
    """Words of trade off the tail; the last one may be cut short or misspelt."""
    masks, mask, end = tables.concept_masks(), 0, len(tokens)
    while end > 1:
        token = tokens[end - 1]
        found = masks.get(token) or (_cut_word(token) if end == len(tokens) else 0)
        if not found:
            break
        mask |= found
        end -= 1
    return tokens[:end], mask


@lru_cache(maxsize=4096)
def _cut_word(token: str) -> int:
    if len(token) < 4:
        return 0
    matches = {m for word, m in tables.concept_masks().items() if word.startswith(token)}
    if len(matches) == 1:
        return matches.pop()
    if matches or len(token) < 6:
        return 0
    found = process.extractOne(token, _long_latin_words(), scorer=OSA.distance, score_cutoff=1)
    return tables.concept_masks()[found[0]] if found else 0


@cache
def _long_latin_words() -> list[str]:
    return sorted(w for w in tables.concept_masks() if len(w) >= 6 and w.isascii())


def _region_or_branch(places: list[tuple[bool, str]], *, named: bool) -> tuple[str, str]:
    """A place in front is the seat; a second place, or one called a branch, is a branch."""
    if not places:
        return "", "branch" if named else ""
    if named:
        keys = [key for _, key in places]
        return (keys[0] if len(keys) > 1 else ""), keys[-1]
    return places[0][1], places[1][1] if len(places) > 1 else ""


def _numbers(name: str) -> str:
    written = (_han_number(text) for text in HAN_NUMBER.findall(name))
    return " ".join(sorted({*NUMBER.findall(name), *written}))


def _han_number(text: str) -> str:
    """三 is 3, 十二 is 12, 二十 is 20."""
    tens, ten, ones = text.rpartition("十")
    high = (HAN_DIGITS.get(tens, 0) if tens else 1) if ten else 0
    return str(high * 10 + HAN_DIGITS.get(ones, 0))
