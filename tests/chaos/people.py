"""Customers that are made up, and what users type into their fields."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stdnum.cn import uscc

TRADES = ("机械", "电子", "包装", "纺织", "食品", "物流", "软件", "建材", "仪器", "家具")
CITIES = ("上海市", "北京市", "深圳市", "杭州市", "苏州市", "成都市", "青岛市", "武汉市")
LANGUAGES = ("zh-CN", "en-US", "de-DE", "fr-FR", "pt-PT", "it-IT")
SYLLABLES = (
    "安邦博昌诚达德鼎东方丰福富高冠光广国海瀚航浩和恒弘宏华汇嘉建江金锦晶景凯康科蓝朗力利联隆"
)


@dataclass(frozen=True)
class Field:
    """A field that users edit; `path` is where the golden record keeps it."""

    path: str
    make: Callable[[int], str]


FIELDS: Mapping[str, Field] = {
    "name": Field("name", lambda n: f"改名{n}贸易有限公司"),
    "street": Field("addresses[billing].street", lambda n: f"测试路{n}号"),
    "postcode": Field("addresses[billing].postcode", lambda n: f"{100_000 + n % 800_000}"),
    "website": Field("website", lambda n: f"https://w{n}.example.com"),
    "notes": Field("notes", lambda n: f"第{n}次回访"),
    "legal_name": Field("legal_name", lambda n: f"法定名称{n}有限公司"),
    # A picklist in Zoho, of which administrators take options away.
    "language": Field("language", lambda n: LANGUAGES[n % len(LANGUAGES)]),
}

# What is decided as one: whoever changes a part of an address is taken to mean all of it.
UNITS: Mapping[str, tuple[str, ...]] = {
    "billing": ("street", "postcode"),
    **{name: (name,) for name in FIELDS if name not in {"street", "postcode"}},
}


def unit_of(field: str) -> str:
    return next(unit for unit, fields in UNITS.items() if field in fields)


def unit_value(unit: str, values: Mapping[str, str | None]) -> dict[str, str | None]:
    """The canonical value of a unit; `values` are by field."""
    return {FIELDS[field].path: values.get(field) for field in UNITS[unit]}


@dataclass(frozen=True)
class Customer:
    """A real customer. The mail address says who it is: nobody ever edits it."""

    mail: str
    tax_id: str
    phone: str
    city: str
    values: Mapping[str, str]


def customer(number: int) -> Customer:
    """The same customer for the same number; its tax id makes it one customer in all systems."""
    chance = random.Random(f"customer {number}")
    brand = "".join(chance.sample(SYLLABLES, 4))
    body = f"91310000MA{number:07d}"
    return Customer(
        mail=f"office@c{number:05d}.example.com",
        tax_id=body + uscc.calc_check_digit(body),
        phone=f"+8621{60_000_000 + number * 7919 % 20_000_000}",
        city=chance.choice(CITIES),
        values={
            "name": f"{brand}{chance.choice(TRADES)}有限公司",
            "street": f"{chance.choice(SYLLABLES)}山路{chance.randrange(1, 2000)}号",
            "postcode": f"{chance.randrange(900_001, 999_999)}",
            "website": f"https://www.c{number:05d}.example.com",
        },
    )
