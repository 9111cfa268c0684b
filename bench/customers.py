"""Customers that look like customers: names, numbers and addresses that differ as real ones do."""

import random

from stdnum.cn import uscc

CITIES = (
    ("上海市", "上海市"), ("北京市", "北京市"), ("广东省", "深圳市"), ("广东省", "广州市"),
    ("浙江省", "杭州市"), ("江苏省", "苏州市"), ("江苏省", "南京市"), ("四川省", "成都市"),
    ("湖北省", "武汉市"), ("山东省", "青岛市"),
)  # fmt: skip
SYLLABLES = (
    "安邦博昌诚达德鼎东方丰福富高冠光广国海瀚航浩和恒弘宏华汇嘉建江金锦晶景凯康科蓝朗"
    "力利联隆迈明鹏启千庆荣瑞润森山盛世泰天通万威维伟翔新鑫信兴旭亚阳益永优宇远云泽正志中众卓"
)
TRADES = (
    "机械", "电子", "化工", "医疗器械", "包装", "纺织", "食品", "物流", "软件", "建材", "仪器",
    "汽车配件", "环保设备", "新能源", "家具",
)  # fmt: skip
ROADS = ("人民", "中山", "解放", "建设", "长江", "黄河", "和平", "新华", "文化", "科技", "创新")
USCC_DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
SEED = 20261123


def zoho_accounts(count, seed=SEED):
    """The same accounts for the same count and seed; four in five have a tax id."""
    chance = random.Random(seed)
    return [_account(chance, number) for number in range(count)]


def _account(chance, number):
    region, city = chance.choice(CITIES)
    brand = "".join(chance.sample(SYLLABLES, 3 + (number % 5 == 0)))
    place = city.removesuffix("市")
    account = {
        "Account_Name": f"{place}{brand}{chance.choice(TRADES)}有限公司",
        "Phone": f"+8621{chance.randrange(20_000_000, 89_999_999)}",
        "Email": f"info@c{number:06d}-{chance.randrange(1000)}.example.com",
        "Website": f"https://www.c{number:06d}.example.com",
        "Billing_Street": f"{chance.choice(ROADS)}路{chance.randrange(1, 2000)}号",
        "Billing_City": city,
        "Billing_State": region,
        "Billing_Code": f"{chance.randrange(100_000, 860_000):06d}",
        "Billing_Country": "China",
    }
    if number % 5:
        account["Tax_Id"] = _tax_id(chance)
    return account


def _tax_id(chance):
    body = "9131" + f"{chance.randrange(10_000):04d}"
    body += "".join(chance.choice(USCC_DIGITS) for _ in range(9))
    return body + uscc.calc_check_digit(body)
