"""Phone numbers: the national significant number as an integer, with country and extension."""

import re
from dataclasses import dataclass
from functools import cache

import phonenumbers

from sync.core.normal.text import fold

EXTENSION = re.compile(r"(?:;ext=|\bext(?:ension)?\.?|转|分机|(?<=\d)\s*x|\*|#)\s*(\d{1,6})\s*$")
DASH_EXTENSION = re.compile(
    r"^((?:\(?0\d{2,3}\)?[- ]?)\d{7,8}|400[- ]?\d{3,4}[- ]?\d{3,4})-(\d{1,5})$"
)
SEPARATED = re.compile(r"[/;,、|]|\s{2,}|\bor\b|或")
DIGITS = re.compile(r"\d+")
MOBILE_CN = re.compile(r"1[3-9]\d{9}")
SHORTEST, LONGEST = 6, 15
# Countries that give mobiles numbers of their own; in North America nothing tells them apart.
MOBILE_FORMS = {
    7: re.compile(r"9\d{9}"),
    31: re.compile(r"6\d{8}"),
    32: re.compile(r"4[6-9]\d{7}"),
    33: re.compile(r"[67]\d{8}"),
    34: re.compile(r"[67]\d{8}"),
    39: re.compile(r"3\d{8,9}"),
    41: re.compile(r"7[5-9]\d{7}"),
    43: re.compile(r"6\d{8,10}"),
    44: re.compile(r"7[1-57-9]\d{8}"),
    46: re.compile(r"7\d{8}"),
    47: re.compile(r"[49]\d{7}"),
    49: re.compile(r"1[567]\d{7,9}"),
    61: re.compile(r"4\d{8}"),
    64: re.compile(r"2\d{7,9}"),
    65: re.compile(r"[89]\d{7}"),
    81: re.compile(r"[789]0\d{8}"),
    82: re.compile(r"10\d{7,8}"),
    86: MOBILE_CN,
    91: re.compile(r"[6-9]\d{9}"),
    351: re.compile(r"9\d{8}"),
    353: re.compile(r"8\d{8}"),
    852: re.compile(r"[569]\d{7}"),
    853: re.compile(r"6\d{7}"),
    886: re.compile(r"9\d{8}"),
}


@dataclass(frozen=True, slots=True)
class Phone:
    """A number; `national` is comparable whether or not the country was written."""

    national: int
    country: int = 0  # calling code, 0 where it was not written and cannot be known
    extension: str = ""
    mobile: bool = False

    def e164(self, region: str = "") -> str:
        """`+8613812345678`; empty when neither the number nor `region` names the country."""
        code = self.country or phonenumbers.country_code_for_region(region.upper())
        return f"+{code}{self.national}" if code else ""


@cache
def calling_codes() -> frozenset[str]:
    return frozenset(str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


def parse_phones(text: str, region: str = "") -> list[Phone]:
    """Every number in a phone field; fields hold two as often as not."""
    whole = parse_phone(text, region)
    if whole is not None:
        return [whole]
    parts = (parse_phone(part, region) for part in SEPARATED.split(text))
    return [phone for phone in parts if phone is not None]


def parse_phone(text: str, region: str = "") -> Phone | None:
    """One number, None where the text cannot be one."""
    folded = fold(text)
    if not folded:
        return None
    folded, extension = _split_extension(folded)
    digits = "".join(DIGITS.findall(folded))
    if folded.lstrip("( ").startswith("+"):
        return _international(digits, extension)
    if digits.startswith("00") and len(digits) > 10:
        return _international(digits[2:], extension)
    if digits.startswith("86") and len(digits) == 13 and MOBILE_CN.fullmatch(digits, 2):
        return Phone(int(digits[2:]), 86, extension, mobile=True)
    if not SHORTEST <= len(digits) <= LONGEST - 2:
        return None
    return _national(digits, extension, region)


def _split_extension(folded: str) -> tuple[str, str]:
    match = EXTENSION.search(folded)
    if match:
        return folded[: match.start()].rstrip(" -,;"), match[1]
    match = DASH_EXTENSION.match(folded)
    return (match[1], match[2]) if match else (folded, "")


def _international(digits: str, extension: str) -> Phone | None:
    for size in (1, 2, 3):
        if digits[:size] in calling_codes():
            rest = digits[size:].lstrip("0")
            if not SHORTEST - 1 <= len(rest) <= LONGEST - size:
                return None
            code = int(digits[:size])
            return Phone(int(rest), code, extension, _is_mobile(code, rest))
    return None


def _national(digits: str, extension: str, region: str) -> Phone | None:
    if MOBILE_CN.fullmatch(digits) and region in {"", "CN"}:
        return Phone(int(digits), 86, extension, mobile=True)
    trunk = digits.startswith("0")
    rest = digits.lstrip("0")
    if len(rest) == 11 and rest[0] == "1" and not trunk and region in {"", "US", "CA"}:
        return Phone(int(rest[1:]), 1, extension)
    if len(rest) < SHORTEST - 1:
        return None
    code = phonenumbers.country_code_for_region(region) if region else 0
    return Phone(int(rest), code, extension, _is_mobile(code, rest))


def _is_mobile(code: int, national: str) -> bool:
    form = MOBILE_FORMS.get(code)
    return form is not None and form.fullmatch(national) is not None
