"""Addresses, lightly: road, number, building and room; Chinese and Western lines alike."""

import re
from dataclasses import dataclass
from functools import lru_cache

from sync.core.normal import regions
from sync.core.normal.tables import DIRECTIONS, STREET_TYPES
from sync.core.normal.text import fold, has_han, latin_key

HAN_AREA = re.compile(
    r"^(?:[一-鿿]{2,7}?(?:省|自治区))?(?:[一-鿿]{2,5}?市)?(?:[一-鿿]{1,6}?(?:新区|高新区|园区|区|县|旗))?(?:[一-鿿]{1,5}?(?:街道|镇|乡)(?!路|街))?(?:[一-鿿]{2,3}市)?"
)
HAN_ROAD = re.compile(
    r"([一-鿿a-z]{1,8}?(?:大道|大街|路|街|巷|胡同|弄|里|道|线))(?:([东南西北中]段)?)(?=\d|第|[一二三四五六七八九十]|$|[一-鿿])"
)
HAN_NUMBER = re.compile(r"(\d+)(?:号|弄|#|-|$|(?=[一-鿿]))")
HAN_BUILDING = re.compile(r"(\d+|[a-z])(?:号楼|幢|栋|座|楼(?!层))")
HAN_ROOM = re.compile(r"(\d{2,5}[a-z]?)(?:室|房|单元|号房)?$")
LATIN_ROOM = re.compile(
    r"(?:\b(?:room|rm|suite|ste|unit|apt|apartment|flat|fl)\.? ?|#)([a-z]?\d+[a-z]?)"
)
LATIN_BUILDING = re.compile(r"\b(?:building|bldg|block|blk|tower)\.? ?(\d+|[a-z])\b")
LATIN_NUMBERED = re.compile(r"\bno\.? ?(\d+)[,]? +([a-z' -]+)")
LATIN_LINE = re.compile(r"\b(\d+)[a-z]?(?:[-/]\d+)?[ ,]+([a-z0-9'. -]*?[a-z][a-z0-9'. -]*)")
TOKEN = re.compile(r"[a-z0-9]+")
AT = re.compile(r"\b(?:at|near|between|bet|off|corner|btw)\b.*$")


@dataclass(frozen=True, slots=True)
class Address:
    """The parts that are compared; empty or 0 where unknown."""

    road: str = ""  # Latin key without the type of street
    number: int = 0
    building: str = ""
    room: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""


@lru_cache(maxsize=4096)
def city_key(text: str) -> str:
    return regions.place_key(text)


def parse_address(street: str, city: str = "", region: str = "", postcode: str = "") -> Address:
    """The parts of one address; the city is looked for in the street where it has no column."""
    line = fold(street)
    town = city_key(city)
    area = city_key(region)
    code = latin_key(fold(postcode))
    if not line:
        return Address(city=town, region=area, postcode=code)
    if has_han(line):
        found, road, number, building, room = _chinese(line)
        if not town or regions.is_province(town):
            town = found or town
    else:
        road, number, building, room = _western(line)
    return Address(road, number, building, room, town, area, code)


def _chinese(line: str) -> tuple[str, str, int, str, str]:
    line = line.replace(" ", "").replace(",", "")
    place, _ = regions.leading_place(line)
    area = HAN_AREA.match(line)
    rest = line[area.end() :] if area else line
    road_match = HAN_ROAD.search(rest) or HAN_ROAD.search(line)
    road, after = "", rest
    if road_match:
        road = road_match[1]
        after = road_match.string[road_match.end() :]
        road = re.sub(r"(?:大道|大街|路|街|道|巷|弄)$", "", road) or road
    number_match = HAN_NUMBER.search(after)
    number, tail = 0, after
    if number_match:
        number, tail = int(number_match[1][:9]), after[number_match.end() :]
    building = HAN_BUILDING.search(tail)
    room = HAN_ROOM.search(tail[building.end() :] if building else tail)
    spoken = latin_key(road) if road else ("" if number_match else latin_key(rest))
    return place, spoken, number, building[1] if building else "", room[1] if room else ""


def _western(line: str) -> tuple[str, int, str, str]:
    room_match = LATIN_ROOM.search(line)
    building_match = LATIN_BUILDING.search(line)
    bare = LATIN_BUILDING.sub(" ", LATIN_ROOM.sub(" ", line))
    room = room_match[1] if room_match else ""
    building = building_match[1] if building_match else ""
    match = LATIN_NUMBERED.search(bare) or LATIN_LINE.search(bare)
    if match is None:
        return _road_words(bare), 0, building, room
    return _road_words(match[2]), int(match[1][:9]), building, room


def _road_words(text: str) -> str:
    """The road's own words: its type, and directions beside a name, left out."""
    tokens = TOKEN.findall(AT.sub("", text).replace("'", ""))
    kept: list[str] = []
    for token in tokens:
        if token in STREET_TYPES and kept:
            break
        kept.append(token)
    named = [token for token in kept if token not in DIRECTIONS]
    return latin_key("".join(named or kept))
