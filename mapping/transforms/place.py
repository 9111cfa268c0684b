"""Steps on countries, regions and languages."""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from pydantic import Field

from mapping.transforms.countries import ALIASES, COUNTRIES
from mapping.transforms.registry import Options, Refusal, Step, transform, two_way
from mapping.transforms.text import as_text, clean


class Country(NamedTuple):
    """One country: ISO codes and names."""

    alpha2: str
    alpha3: str
    name_zh: str
    name_en: str


def _fold(text: str) -> str:
    """A name without case, accents, blanks and punctuation."""
    plain = unicodedata.normalize("NFKD", text).casefold().replace("&", "and")
    return "".join(char for char in plain if char.isalnum())


def _countries() -> Mapping[str, Country]:
    rows = (line.split(" ", 3) for line in COUNTRIES.strip().splitlines())
    return MappingProxyType({row[0]: Country(*row) for row in rows})


def _country_names() -> Mapping[str, Country]:
    names: dict[str, Country] = {}
    for country in BY_CODE.values():
        for name in country:
            names.setdefault(_fold(name), country)
    for line in ALIASES.strip().splitlines():
        code, _, others = line.partition(" ")
        for name in others.split("|"):
            names.setdefault(_fold(name), BY_CODE[code])
    return MappingProxyType(names)


BY_CODE = _countries()
_BY_NAME = _country_names()


def country_of(text: str) -> Country | None:
    """The country of a code or name in Chinese or English."""
    return BY_CODE.get(text) or _BY_NAME.get(_fold(text))


class CountryOptions(Options):
    written_as: Literal["alpha2", "alpha3", "name_zh", "name_en"] = Field(
        "alpha2", alias="as", description="how it is written"
    )
    unknown: Literal["keep", "blank", "error"] = Field(
        "keep", description="what to do with text that is no country"
    )


@transform(
    "country",
    CountryOptions,
    shorthand="as",
    chinese="国家：识别代码及中英文名称，可按代码或名称写出",
)
def country(options: CountryOptions) -> Step:
    """Country from any code or name in Chinese or English; written as code or name."""

    def read(value: Any) -> str | None:
        text = clean(value)
        found = country_of(text) if text else None
        if found or text is None:
            return found and found.alpha2
        if options.unknown == "error":
            raise Refusal("not_country")
        return text if options.unknown == "keep" else None

    def write(value: Any) -> str:
        found = BY_CODE.get(as_text(value))
        return str(getattr(found, options.written_as)) if found else as_text(value)

    return two_way(read, write)


class Region(NamedTuple):
    """One Chinese province: ISO 3166-2 code, full and short name, name in pinyin."""

    iso: str
    name: str
    short: str
    name_en: str


# Code, full name, length of the short name, and name in letters.
_PROVINCES = """
AH 安徽省 2 Anhui
BJ 北京市 2 Beijing
CQ 重庆市 2 Chongqing
FJ 福建省 2 Fujian
GD 广东省 2 Guangdong
GS 甘肃省 2 Gansu
GX 广西壮族自治区 2 Guangxi
GZ 贵州省 2 Guizhou
HA 河南省 2 Henan
HB 湖北省 2 Hubei
HE 河北省 2 Hebei
HI 海南省 2 Hainan
HK 香港特别行政区 2 Hong Kong
HL 黑龙江省 3 Heilongjiang
HN 湖南省 2 Hunan
JL 吉林省 2 Jilin
JS 江苏省 2 Jiangsu
JX 江西省 2 Jiangxi
LN 辽宁省 2 Liaoning
MO 澳门特别行政区 2 Macao
NM 内蒙古自治区 3 Inner Mongolia
NX 宁夏回族自治区 2 Ningxia
QH 青海省 2 Qinghai
SC 四川省 2 Sichuan
SD 山东省 2 Shandong
SH 上海市 2 Shanghai
SN 陕西省 2 Shaanxi
SX 山西省 2 Shanxi
TJ 天津市 2 Tianjin
TW 台湾省 2 Taiwan
XJ 新疆维吾尔自治区 2 Xinjiang
XZ 西藏自治区 2 Tibet
YN 云南省 2 Yunnan
ZJ 浙江省 2 Zhejiang
"""
_OTHER_NAMES = {"xizang": "XZ", "neimenggu": "NM", "neimongol": "NM", "macau": "MO", "臺灣": "TW"}
_SUFFIX = re.compile(
    r"(?:\s+(?:province|municipality|city|shi|sheng|sar|"
    r"(?:(?:zhuang|hui|uygur|uyghur)\s+)?autonomous region|special administrative region))+$",
    re.IGNORECASE,
)


def _regions() -> Mapping[str, Region]:
    rows = (line.split(" ", 3) for line in _PROVINCES.strip().splitlines())
    return MappingProxyType(
        {name: Region(f"CN-{code}", name, name[: int(size)], en) for code, name, size, en in rows}
    )


REGIONS = _regions()


def _region_names() -> Mapping[str, Region]:
    by_code = {region.iso[3:]: region for region in REGIONS.values()}
    names = {_fold(name): region for region in REGIONS.values() for name in region}
    for region in REGIONS.values():
        for suffix in ("省", "市", "自治区"):
            names.setdefault(region.short + suffix, region)
    names.update({name: by_code[code] for name, code in _OTHER_NAMES.items()})
    return MappingProxyType(names)


_REGION_BY_NAME = _region_names()


def region_text(value: Any) -> str | None:
    """The full Chinese name of a province of China, other regions as they are."""
    text = clean(value)
    if text is None:
        return None
    found = _REGION_BY_NAME.get(_fold(_SUFFIX.sub("", text)))
    return found.name if found else text


class RegionOptions(Options):
    written_as: Literal["name", "iso", "short", "name_en"] = Field(
        "name", alias="as", description="how a Chinese province is written"
    )


@transform(
    "region",
    RegionOptions,
    shorthand="as",
    chinese="省级地区：广东、广东省、Guangdong、CN-GD 视为同一地区",
)
def region(options: RegionOptions) -> Step:
    """Provinces of China from any usual name or code; other regions are kept."""

    def write(value: Any) -> str:
        found = REGIONS.get(as_text(value))
        return str(getattr(found, options.written_as)) if found else as_text(value)

    return two_way(region_text, write)


_LANGUAGES: Mapping[str, str] = {
    "简体中文": "zh-CN",
    "中文简体": "zh-CN",
    "chinesesimplified": "zh-CN",
    "simplifiedchinese": "zh-CN",
    "繁体中文": "zh-TW",
    "繁體中文": "zh-TW",
    "chinesetraditional": "zh-TW",
    "traditionalchinese": "zh-TW",
    "中文": "zh",
    "汉语": "zh",
    "chinese": "zh",
    "英文": "en",
    "英语": "en",
    "english": "en",
    "日语": "ja",
    "日文": "ja",
    "japanese": "ja",
    "韩语": "ko",
    "korean": "ko",
    "德语": "de",
    "german": "de",
    "deutsch": "de",
    "法语": "fr",
    "french": "fr",
    "西班牙语": "es",
    "spanish": "es",
    "俄语": "ru",
    "russian": "ru",
    "葡萄牙语": "pt",
    "portuguese": "pt",
    "意大利语": "it",
    "italian": "it",
}
_TAG = re.compile(r"^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*(?:\.[\w-]+)?(?:@\w+)?$")


def language_text(value: Any) -> str | None:
    """The BCP 47 tag of a tag, POSIX locale or language name; other text as it is."""
    text = clean(value)
    if text is None:
        return None
    named = _LANGUAGES.get(_fold(text))
    if named or not _TAG.match(text):
        return named or text
    first, *rest = re.split(r"[-_]", re.split(r"[.@]", text)[0])
    return "-".join([first.lower(), *map(_subtag, rest)])


def _subtag(part: str) -> str:
    if len(part) == 4 and part.isalpha():
        return part.title()
    return part.upper() if len(part) == 2 else part.lower()


class LanguageOptions(Options):
    style: Literal["bcp47", "posix"] = Field("bcp47", description="zh-CN or zh_CN when written")


@transform(
    "language", LanguageOptions, shorthand="style", chinese="语言：标准形式 zh-CN，可写出为 zh_CN"
)
def language(options: LanguageOptions) -> Step:
    """Language tag; reads POSIX locales and names, writes `zh-CN` or `zh_CN`."""

    def write(value: Any) -> str:
        text = as_text(value)
        return text.replace("-", "_") if options.style == "posix" else text

    return two_way(language_text, write)
