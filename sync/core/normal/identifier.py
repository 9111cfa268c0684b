"""Tax and registration numbers: cleaned, repaired where a letter cannot be, and judged."""

import re
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from sync.core.normal.text import fold

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_VALUE = {character: value for value, character in enumerate(USCC_ALPHABET)}
USCC_WEIGHTS = tuple(pow(3, position, 31) for position in range(17))
USCC_FORM = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}")
MISREAD = str.maketrans("OIZSV", "0125U")  # letters that a credit code never holds
DIGITS_READ = str.maketrans("OIZSBQDL", "01258001")
EIN_FORM = re.compile(r"\d{2}-\d{7}")
VAT_FORM = re.compile(
    r"(?:AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK)[A-Z0-9]{8,12}"
)


@dataclass(frozen=True, slots=True)
class Identifier:
    """`hard` numbers are proven by their form or check digit; others are only evidence."""

    value: str
    scheme: str = ""
    hard: bool = False


def parse_identifier(  # noqa: PLR0911 - one return for each kind of number
    text: str, country: str = "", scheme: str = ""
) -> Identifier | None:
    """The number in its normal form; None where fewer than five letters or digits are left."""
    shown = fold(text).upper()
    value = "".join(c for c in shown if c.isascii() and c.isalnum())
    if len(value) < 5 or len(set(value)) < 3:
        return None
    if len(value) == 18:
        return _credit_code(value)
    if scheme in {"duns", "us:duns"} and len(value) == 9:
        return Identifier(value, "duns", hard=True)
    if EIN_FORM.fullmatch(shown.strip()) or (scheme == "us:ein" and len(value) == 9):
        return Identifier(value, "us:ein", hard=_valid("stdnum.us.ein", value))
    if VAT_FORM.fullmatch(value):
        return _vat(value)
    if country in NATIONAL:
        name, module = NATIONAL[country]
        return Identifier(value, name, hard=_valid(module, value))
    return Identifier(value)


NATIONAL = {
    "SG": ("sg:uen", "stdnum.sg.uen"),
    "AU": ("au:abn", "stdnum.au.abn"),
    "CA": ("ca:bn", "stdnum.ca.bn"),
    "JP": ("jp:cn", "stdnum.jp.cn"),
    "KR": ("kr:brn", "stdnum.kr.brn"),
}


def _credit_code(value: str) -> Identifier:
    repaired = value.translate(MISREAD)
    repaired = repaired[:2] + repaired[2:8].translate(DIGITS_READ) + repaired[8:]
    if credit_code_valid(repaired):
        return Identifier(repaired, "cn:uscc", hard=True)
    for candidate in _rereadings(repaired):
        if credit_code_valid(candidate):
            return Identifier(candidate, "cn:uscc", hard=False)
    return Identifier(repaired, "cn:uscc" if USCC_FORM.fullmatch(repaired) else "", hard=False)


def _rereadings(value: str) -> list[str]:
    """The code with one 8 read as B or the other way round: the pair that looks alike."""
    swap = {"B": "8", "8": "B"}
    return [
        value[:i] + swap[c] + value[i + 1 :] for i, c in enumerate(value) if c in swap and i > 7
    ]


def credit_code_valid(value: str) -> bool:
    """Whether the check digit of a Chinese unified social credit code (GB 32100) holds."""
    if len(value) != 18 or USCC_FORM.fullmatch(value) is None:
        return False
    total = sum(USCC_VALUE[c] * w for c, w in zip(value, USCC_WEIGHTS, strict=False))
    return USCC_ALPHABET[(31 - total % 31) % 31] == value[17]


def _vat(value: str) -> Identifier:
    country = "gr" if value[:2] == "EL" else value[:2].lower()
    return Identifier(value, f"{country}:vat", hard=_valid(f"stdnum.{country}.vat", value))


def _valid(module: str, value: str) -> bool:
    try:
        checker: Any = import_module(module)
    except ModuleNotFoundError:  # the library knows no rule for this country
        return False
    return bool(checker.is_valid(value))
