"""Made-up customers for `--parties N`: the same N gives the same customers on every machine."""

import random
from typing import Any

PLACES = (
    # region, city, postcode, area code
    ("CN-GD", "深圳市", "518000", "755"),
    ("CN-ZJ", "宁波市", "315000", "574"),
    ("CN-JS", "无锡市", "214000", "510"),
    ("CN-SD", "青岛市", "266000", "532"),
    ("CN-SH", "上海市", "200000", "21"),
    ("CN-BJ", "北京市", "100000", "10"),
    ("CN-SN", "西安市", "710000", "29"),
    ("CN-HL", "哈尔滨市", "150000", "451"),
)
ROADS = ("工业大道", "创新路", "滨河东路", "科苑路", "长虹街", "北园路")
WORDS = ("云岭", "明德", "汇川", "嘉禾", "启航", "东篱", "百川", "卓立", "晨曦", "万象")
TRADES = ("阀门", "仪器仪表", "食品", "物流", "模具", "新材料", "家居", "软件")
SURNAMES = "周吴徐孙马朱胡林郭何高罗"
GIVEN = ("文博", "晓岚", "立新", "思远", "雨桐", "国栋", "静怡", "海涛")
TITLES = ("采购经理", "财务主管", "总经理助理", "仓储主管")
TERMS = ("Immediate", "Net 30", "Net 60")

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def credit_code(number: int) -> str:
    """A unified social credit code (GB 32100) that no register issued, with its check character."""
    body = f"91{440300 + number % 7:06d}{number % 10**6:06d}MA9"
    total = sum(_ALPHABET.index(sign) * weight for sign, weight in zip(body, _WEIGHTS, strict=True))
    return body + _ALPHABET[-total % 31]


def customers(count: int) -> list[dict[str, Any]]:
    return [_customer(number) for number in range(1, count + 1)]


def _customer(number: int) -> dict[str, Any]:
    choose = random.Random(number)
    region, city, postcode, area = choose.choice(PLACES)
    host = f"sample{number}.example.com"
    customer: dict[str, Any] = {
        "code": f"SAMPLE-{number:05d}",
        "name": f"{city.removesuffix('市')}{choose.choice(WORDS)}{choose.choice(TRADES)}"
        f"有限公司{number:05d}",
        "kind": "organisation",
        "tax_id": credit_code(number),
        "phone": f"+86 {area} {30_000_000 + number}",
        "mobile": f"+86 137 {number // 10_000:04d} {number % 10_000:04d}",
        "email": f"office@{host}",
        "website": f"https://{host}",
        "street": f"{choose.choice(ROADS)}{choose.randint(1, 400)}号",
        "city": city,
        "postcode": postcode,
        "country": "CN",
        "region": region,
        "payment_term": choose.choice(TERMS),
        "credit_limit": choose.randrange(20, 200) * 1000,
    }
    if number % 4 == 0:
        customer["contacts"] = [_contact(number, choose, host)]
    return customer


def _contact(number: int, choose: random.Random, host: str) -> dict[str, str]:
    return {
        "name": choose.choice(SURNAMES) + choose.choice(GIVEN),
        "mobile": f"+86 136 {number // 10_000:04d} {number % 10_000:04d}",
        "email": f"contact@{host}",
        "title": choose.choice(TITLES),
    }
