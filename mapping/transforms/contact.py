"""Steps on names of persons, mail addresses and phone numbers."""

import re
import unicodedata
from functools import lru_cache
from typing import Annotated, Any, Literal

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat
from pydantic import AfterValidator, Field

from mapping.transforms.registry import NoOptions, Options, Refusal, Step, transform, two_way
from mapping.transforms.text import as_list, as_text, clean

# Surnames of two characters; a given name follows, so a name of two characters has none of them.
_COMPOUND = """
欧阳 歐陽 太史 端木 上官 司马 司馬 东方 東方 独孤 獨孤 南宫 南宮 万俟 闻人 聞人 夏侯 诸葛 諸葛
尉迟 尉遲 公羊 赫连 赫連 澹台 皇甫 宗政 濮阳 濮陽 公冶 太叔 申屠 公孙 公孫 慕容 仲孙 仲孫 钟离 鍾離
长孙 長孫 宇文 司徒 鲜于 鮮于 司空 闾丘 閭丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正
宰父 谷梁 穀梁 拓跋 夹谷 轩辕 軒轅 令狐 段干 百里 呼延 东郭 東郭 南门 羊舌 微生 梁丘 左丘 西门 西門
南荣 第五 完颜 耶律 남궁 황보 제갈 선우 독고 사공 서문
"""
COMPOUND_SURNAMES = frozenset(_COMPOUND.split())
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_HANGUL = "\uac00-\ud7a3"
_KANA = "\u3040-\u30ff\u3005"
_CJK = re.compile(f"^[{_HAN}{_HANGUL}{_KANA}]+$")
_SPLITTABLE = re.compile(f"^(?:[{_HAN}]+|[{_HANGUL}]+)$")
_GIVEN_LONGEST = 3  # longer ones are transcribed foreign names or not names of persons


def join_name(given: str | None, family: str | None) -> str | None:
    """The whole name: `Given Family`, or family before given without a blank in CJK scripts."""
    given, family = clean(given or ""), clean(family or "")
    if not given or not family:
        return given or family
    if _CJK.match(given) and _CJK.match(family):
        return family + given
    return f"{given} {family}"


def split_name(name: str) -> tuple[str | None, str]:
    """Given and family name; joined again they are exactly the name.

    Where no split does that, the whole name stands as the family name.
    """
    whole = clean(name) or ""
    given, family = _split_cjk(whole) if _SPLITTABLE.match(whole) else _split_western(whole)
    return (given or None, family) if join_name(given, family) == whole else (None, whole)


def _split_cjk(name: str) -> tuple[str, str]:
    length = 2 if len(name) > 2 and name[:2] in COMPOUND_SURNAMES else 1
    family, given = name[:length], name[length:]
    return (given, family) if len(given) <= _GIVEN_LONGEST else ("", name)


def _split_western(name: str) -> tuple[str, str]:
    given, _, family = name.rpartition(" ")
    return given, family


@transform("person_name", NoOptions, chinese="[名, 姓] 与完整姓名互换；中文姓名不加空格，识别复姓")
def person_name(_: NoOptions) -> Step:
    """Native fields [given, family] and the whole name; knows Chinese order and surnames."""

    def read(value: Any) -> str | None:
        given, family = (*as_list(value), None, None)[:2]
        return join_name(_part(given), _part(family))

    def write(value: Any) -> list[str | None]:
        return list(split_name(as_text(value)))

    return two_way(read, write)


def _part(value: Any) -> str | None:
    return None if value is None else as_text(value)


_ADDRESS = re.compile(r"^[^\s@<>()\"]+@[^\s@<>()\"]+$")
_BRACKETED = re.compile(r"^.*<([^\s<>]+@[^\s<>]+)>$")


def email_text(value: Any) -> str | None:
    """The normal form of a mail address, other text as it is."""
    text = clean(value)
    if text is None:
        return None
    address = unicodedata.normalize("NFKC", text) if not text.isascii() else text
    bracketed = _BRACKETED.match(address)
    address = bracketed.group(1) if bracketed else address
    if address[:7].lower() == "mailto:":
        address = address[7:]
    if not _ADDRESS.match(address):
        return text
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower().rstrip('.')}"


class EmailOptions(Options):
    invalid: Literal["keep", "blank", "error"] = Field(
        "keep", description="what to do with text that is not a mail address"
    )


@transform("email", EmailOptions, shorthand="invalid", chinese="电子邮件：域名小写，去掉显示名")
def email(options: EmailOptions) -> Step:
    """Mail address: domain in lower case, without a display name or `mailto:`."""

    def run(value: Any) -> str | None:
        text = email_text(value)
        if text is None or options.invalid == "keep" or _ADDRESS.match(text):
            return text
        if options.invalid == "error":
            raise Refusal("not_email")
        return None

    return two_way(run, run)


REMEMBERED = 1024  # numbers: a record's are written soon after they were read; more is memory only
# How extensions are written in Chinese; the library knows the European forms.
_EXTENSION = re.compile(r"\s*(?:转接?|轉接?|分机号?|分機號?)\s*[:：]?\s*(?=\d)")


# The most frequent forms of the most frequent numbers here, mobiles and the landlines of the
# largest cities, are told without the library, which takes 40 us each time. Not those that begin
# with a carrier (179xx), nor 800 in a city, which is no landline.
_PLAIN_CHINESE = re.compile(
    r"(?:\+86[ -]?|(?P<home>0?))"
    r"(?P<area>1(?:[3-689]\d|7[0-8])|(?:10|2[0-57-9])(?=[ -]?(?!800)[2-9]))"
    r"[ -]?(?P<middle>\d{4})[ -]?(?P<end>\d{4})",
    re.ASCII,
)
_MOBILE_AREA = 3  # digits; the area code of a landline there has two


def _plain_chinese(text: str, region: str | None) -> re.Match[str] | None:
    """A number written without anything that would need the library; None: ask it."""
    found = _PLAIN_CHINESE.fullmatch(text)
    if found is None:
        return None
    home = found["home"]
    if home is not None and (
        region != "CN" or (home == "0") == (len(found["area"]) == _MOBILE_AREA)
    ):
        return None
    return found


@lru_cache(maxsize=REMEMBERED)
def phone_text(text: str, region: str | None) -> str:
    """E.164 with `;ext=`; what cannot be read as one number stays as it is."""
    if plain := _plain_chinese(text, region):
        return f"+86{plain['area']}{plain['middle']}{plain['end']}"
    number = _parse(text, region)
    if number is None:
        return text
    canonical = _canonical(number)
    return canonical if canonical == text or _read_again(canonical) is not None else text


@lru_cache(maxsize=REMEMBERED)
def _read_again(canonical: str) -> phonenumbers.PhoneNumber | None:
    """The number that a text stands for; None where it is not canonical.

    Such as +49 0000000, where the library drops zeros each time.
    """
    number = _parse(canonical, None)
    return number if number is not None and _canonical(number) == canonical else None


def _parse(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    plain = _EXTENSION.sub(" ext. ", unicodedata.normalize("NFKC", text))
    try:
        number = phonenumbers.parse(plain, region)
    except NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


def _canonical(number: phonenumbers.PhoneNumber) -> str:
    bare = f"+{number.country_code}{phonenumbers.national_significant_number(number)}"
    return f"{bare};ext={number.extension}" if number.extension else bare


@lru_cache(maxsize=REMEMBERED)
def _formatted(text: str, region: str | None, style: str) -> str:
    """A canonical number in a style, where that reads back as the same number."""
    if plain := _plain_chinese(text, None):
        area, rest = plain["area"], f"{plain['middle']} {plain['end']}"
        if style == "international" or region != "CN":
            return f"+86 {area} {rest}"
        return f"{area} {rest}" if len(area) == _MOBILE_AREA else f"0{area} {rest}"
    number = _read_again(text)
    if number is None:
        return text
    home = (
        region is not None and phonenumbers.country_code_for_region(region) == number.country_code
    )
    national = style == "national" and home
    form = PhoneNumberFormat.NATIONAL if national else PhoneNumberFormat.INTERNATIONAL
    written = str(phonenumbers.format_number(number, form))
    return written if phone_text(written, region) == text else text


def _known_region(given: str) -> str:
    region = given.upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"{given!r} is no region; write an ISO code of two letters such as CN")
    return region


class PhoneOptions(Options):
    region: Annotated[str, AfterValidator(_known_region)] | None = Field(
        None, description="where a number without +country belongs"
    )
    style: Literal["e164", "international", "national"] = Field(
        "e164", description="how it is written"
    )


@transform(
    "phone", PhoneOptions, shorthand="region", chinese="电话：标准形式 E.164，无法识别的原样保留"
)
def phone(options: PhoneOptions) -> Step:
    """Phone number as E.164 with `;ext=`; what is no number is kept as text."""
    region, style = options.region, options.style

    def read(value: Any) -> str | None:
        text = clean(value)
        return text if text is None else phone_text(text, region)

    def write(value: Any) -> str:
        text = as_text(value)
        return text if style == "e164" else _formatted(text, region, style)

    return two_way(read, write)
