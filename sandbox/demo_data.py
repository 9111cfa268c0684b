"""Customers for the demo, and what is true about them: `python -m sandbox.demo_data --out DIR`.

Writes `zoho.json`, `fxiaoke.json` and `tryton.json`, which the stand-ins and the ERP take with
`--seed`, and `truth.json`: who is who, who holds whom, and what everybody should hold in the end.
The same numbers give the same people on every machine; nobody in it exists.

A customer's facts are the same everywhere but written as each system's users write them (phones,
countries, provinces, mail domains). Some differ for real; `truth.json` names them, and the value
that was changed last.
"""

import argparse
import datetime as dt
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.fxiaoke.areas import areas
from sandbox.tryton.samples import GIVEN, ROADS, SURNAMES, TITLES, credit_code

SEED = 20260301
CUSTOMERS = 500
LEADS = 30
WESTERN = 40
CONTACTS = 150
DISPUTED = 36
EPOCH = dt.datetime(2025, 11, 3, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))

PLACES = (
    # province in letters, short and whole, city, postcode, area code
    ("Guangdong", "广东", "CN-GD", "深圳市", "518000", "755"),
    ("Guangdong", "广东", "CN-GD", "广州市", "510000", "20"),
    ("Zhejiang", "浙江", "CN-ZJ", "宁波市", "315000", "574"),
    ("Zhejiang", "浙江", "CN-ZJ", "杭州市", "310000", "571"),
    ("Jiangsu", "江苏", "CN-JS", "无锡市", "214000", "510"),
    ("Shandong", "山东", "CN-SD", "青岛市", "266000", "532"),
    ("Shanghai", "上海", "CN-SH", "上海市", "200000", "21"),
    ("Beijing", "北京", "CN-BJ", "北京市", "100000", "10"),
    ("Heilongjiang", "黑龙江", "CN-HL", "哈尔滨市", "150000", "451"),
    ("Liaoning", "辽宁", "CN-LN", "大连市", "116000", "411"),
)
WORDS = (
    "澄远", "禾川", "瀚谷", "乔木", "铭湾", "青垣", "拓岭", "润泽", "星桥", "曜石",
    "白榆", "长亭", "晴川", "望江", "松屿", "沐风", "知秋", "砺石", "观澜", "云杉",
)  # fmt: skip
TRADES = (
    "精密机械", "电子科技", "食品", "物流", "纺织", "新能源", "医疗器械", "包装",
    "建材", "化工", "软件", "照明",
)  # fmt: skip
ABROAD = (
    # country: name in English and Chinese, code, city, dialling, digits after it
    ("Netherlands", "荷兰", "NL", "Utrecht", "+31 30 2", 6),
    ("Sweden", "瑞典", "SE", "Uppsala", "+46 18 4", 5),
    ("Italy", "意大利", "IT", "Parma", "+39 0521 2", 5),
    ("Spain", "西班牙", "ES", "Zaragoza", "+34 976 2", 5),
    ("Austria", "奥地利", "AT", "Graz", "+43 316 8", 5),
)
FIRMS = ("Marlund", "Tessario", "Vandelaar", "Okermann", "Brisola", "Halvik", "Corvena", "Dunmere")
KINDS = ("Instruments", "Foods", "Textiles", "Lighting", "Packaging")
LEGAL = {"NL": "B.V.", "SE": "AB", "IT": "S.r.l.", "ES": "S.L.", "AT": "GmbH"}
ABROAD_NAMES = ("Mara Lindqvist", "Jonas Reuter", "Elena Bertoli", "Pieter Vos", "Ana Cabrera")
TERMS = ("Immediate", "Net 30", "Net 60")
CHINA_IN_ZOHO = ("China", "中国", "CN", "P.R. China", "china")


@dataclass
class Person:
    """A contact at a customer."""

    name: str
    family: str
    given: str
    title: str
    mobile: str
    email: str
    holders: tuple[str, ...]


@dataclass
class Customer:
    """One real customer; `holders` are the systems that know it at first."""

    number: int
    code: str
    name: str
    stage: str
    holders: tuple[str, ...]
    country: tuple[str, str, str]
    province: tuple[str, str, str] | None
    city: str
    postcode: str
    street: str
    phone: str
    mobile: str
    email: str
    website: str
    tax_id: str
    term: str
    limit: int
    contact: tuple[str, str] | None = None
    people: list[Person] = field(default_factory=list)
    disputed: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def is_chinese(self) -> bool:
        return self.country[2] == "CN"

    def held(self, system: str, path: str, value: str) -> str:
        """The value that this system holds: the common one, unless it is disputed."""
        return self.disputed.get(path, {}).get(system, value)


def customers(seed: int = SEED) -> list[Customer]:
    """All customers, in the order of their numbers."""
    choose = random.Random(seed)
    found = [_customer(number, choose) for number in range(1, CUSTOMERS + 1)]
    _people([one for one in found if one.stage == "customer"], choose)
    _dispute([one for one in found if one.stage == "customer"], choose)
    return found


def _holders(number: int) -> tuple[str, ...]:
    """Accounts: 300 of 470 are everywhere. Leads are only in the CRMs; few are missing in 纷享."""
    if number > CUSTOMERS - LEADS:
        return (("zoho",), ("fxiaoke",), ("zoho", "fxiaoke"))[number % 3]
    if number <= 300:
        return ("tryton", "zoho", "fxiaoke")
    if number <= 385:
        return ("tryton", "fxiaoke")
    if number <= 395:
        return ("tryton", "zoho")
    if number <= 455:
        return ("zoho", "fxiaoke")
    return (("tryton",), ("zoho",), ("fxiaoke",))[number % 3]


def _customer(number: int, choose: random.Random) -> Customer:
    is_lead = number > CUSTOMERS - LEADS
    western = not is_lead and number % 12 == 0 and number // 12 <= WESTERN
    make = _western if western else _chinese
    customer = make(number, choose)
    if is_lead:
        customer.stage, customer.code = "lead", ""
        family, given = choose.choice(SURNAMES), choose.choice(GIVEN)
        customer.contact = (family, given)
    return customer


def _chinese(number: int, choose: random.Random) -> Customer:
    latin, short, iso, city, postcode, area = choose.choice(PLACES)
    first, second = WORDS[number % len(WORDS)], WORDS[number // len(WORDS) % len(WORDS)]
    trade = TRADES[number % len(TRADES)]
    # The first character of a second word keeps all names apart.
    name = f"{city.removesuffix('市')}{first}{second[0]}{trade}有限公司"
    host = f"c{number:04d}.example.cn"
    return Customer(
        number=number,
        code=f"C{number:05d}",
        name=name if number <= 240 else f"{name.removesuffix('有限公司')}({short})有限公司",
        stage="customer",
        holders=_holders(number),
        country=("China", "中国", "CN"),
        province=(latin, short, iso),
        city=city,
        postcode=postcode,
        street=f"{choose.choice(ROADS)}{choose.randint(1, 988)}号",
        phone=f"+86 {area} {8_800_0000 + number}",
        mobile=f"+86 139 {1000 + number // 100} {7000 + number % 1000}",
        email=f"office{number}@{host}",
        website=f"https://www.{host}",
        tax_id=credit_code(700_000 + number),
        term=choose.choice(TERMS),
        limit=choose.randrange(2, 60) * 5000,
    )


def _western(number: int, choose: random.Random) -> Customer:
    english, chinese, code, city, prefix, digits = ABROAD[number // 12 % len(ABROAD)]
    firm = FIRMS[number // 12 % len(FIRMS)]
    kind = KINDS[number // 12 // len(FIRMS) % len(KINDS)]
    host = f"w{number:04d}.example.com"
    return Customer(
        number=number,
        code=f"C{number:05d}",
        name=f"{firm} {kind} {LEGAL[code]}",
        stage="customer",
        holders=_holders(number),
        country=(english, chinese, code),
        province=None,
        city="" if "fxiaoke" in _holders(number) else city,
        postcode=f"{1000 + number * 7}",
        street=f"Havenstraat {number % 90 + 1}",
        phone=f"{prefix}{number + 10 ** (digits - 1):0{digits}d}",
        mobile="",
        email=f"office{number}@{host}",
        website=f"https://{host}",
        tax_id="",
        term=choose.choice(TERMS),
        limit=choose.randrange(2, 60) * 5000,
    )


def _people(accounts: list[Customer], choose: random.Random) -> None:
    step = len(accounts) / CONTACTS
    for index in range(CONTACTS):
        customer = accounts[int(index * step)]
        if customer.is_chinese:
            family, given = choose.choice(SURNAMES), choose.choice(GIVEN)
            name = family + given
        else:
            name = choose.choice(ABROAD_NAMES)
            given, _, family = name.partition(" ")
        # One in eight is not known in 纷享销客 yet; the others everywhere that the customer is.
        left_out = {"fxiaoke"} if index % 8 == 0 and len(customer.holders) > 1 else set()
        customer.people.append(
            Person(
                name=name,
                family=family,
                given=given,
                title=choose.choice(TITLES),
                mobile=f"+86 136 {2000 + index // 100} {3000 + index % 1000}",
                email=f"{'p' if customer.is_chinese else 'buyer'}{index}"
                f"@{customer.email.partition('@')[2]}",
                holders=tuple(h for h in customer.holders if h not in left_out),
            )
        )


def _dispute(accounts: list[Customer], choose: random.Random) -> None:
    """Real differences. In the ERP the value is as new as the ERP; else 纷享's is the newer one."""
    shared = [one for one in accounts if "zoho" in one.holders and len(one.holders) > 1]
    for index, customer in enumerate(choose.sample(shared, DISPUTED)):
        if index % 3 == 0:
            other = f"{choose.choice(ROADS)}{choose.randint(1, 988)}号"
            customer.disputed["addresses[billing].street"] = {"zoho": other}
        elif index % 3 == 1 and customer.is_chinese:
            area = customer.phone.split()[1]
            number = f"+86 {area} {8_900_0000 + customer.number}"
            customer.disputed["phones[work]"] = {"zoho": number}
        else:
            wide = _full_width(customer.name)
            if wide == customer.name or not customer.tax_id:
                wide = f"{customer.name} "
                customer.disputed["website"] = {"zoho": customer.website.replace("https", "http")}
                continue
            customer.disputed["name"] = {"zoho": wide}


def _full_width(name: str) -> str:
    return name.replace("(", "（").replace(")", "）")


# How each system's users write it.


def zoho_seed(found: list[Customer]) -> dict[str, list[dict[str, Any]]]:
    here = [one for one in found if "zoho" in one.holders]
    return {
        "Accounts": [_zoho_account(one) for one in here if one.stage == "customer"],
        "Leads": [_zoho_lead(one) for one in here if one.stage == "lead"],
        "Contacts": [
            _zoho_contact(one, person)
            for one in here
            for person in one.people
            if "zoho" in person.holders
        ],
    }


def _zoho_account(one: Customer) -> dict[str, Any]:
    choose = random.Random(one.number)
    country = choose.choice(CHINA_IN_ZOHO) if one.is_chinese else one.country[0]
    record = {
        "Account_Name": one.held("zoho", "name", one.name),
        "Tax_Id": one.tax_id,
        "Phone": _national(one.held("zoho", "phones[work]", one.phone), choose),
        "Email": _capital_domain(one.email) if one.number % 5 == 0 else one.email,
        "Website": one.held("zoho", "website", one.website),
        "Billing_Street": one.held("zoho", "addresses[billing].street", one.street),
        "Billing_City": one.city,
        "Billing_State": choose.choice(one.province[:2]) if one.province else "",
        "Billing_Code": one.postcode,
        "Billing_Country": country,
        "Language": "zh_CN" if one.is_chinese else "en",
        "Industry": choose.choice(("Manufacturing", "Consulting", "Other")),
        **_times(one.number),
    }
    if "tryton" in one.holders:
        record |= {
            "Customer_No": one.code,
            "Payment_Term": one.term,
            "Credit_Limit": one.limit,
        }
    return _filled(record)


def _zoho_lead(one: Customer) -> dict[str, Any]:
    family, given = one.contact or ("", "")
    choose = random.Random(one.number)
    record = {
        "Company": one.name,
        "Last_Name": family,
        "First_Name": given,
        "Phone": _national(one.phone, choose),
        "Mobile": one.mobile,
        "Email": one.email,
        "Website": one.website,
        "Street": one.street,
        **_times(one.number),
    }
    return _filled(record)


def _zoho_contact(one: Customer, person: Person) -> dict[str, Any]:
    record = {
        "Last_Name": person.family,
        "First_Name": person.given,
        "Account_Name": one.held("zoho", "name", one.name),
        "Title": person.title,
        "Mobile": person.mobile.replace(" ", "-"),
        "Email": person.email,
        "Language": "zh_CN" if one.is_chinese else "en",
        **_times(one.number),
    }
    return _filled(record)


def _times(number: int, hours: int = 0) -> dict[str, str]:
    at = EPOCH + dt.timedelta(hours=7 * number % 1900 + hours)
    return {"Created_Time": at.isoformat(), "Modified_Time": at.isoformat()}


def fxiaoke_seed(found: list[Customer]) -> dict[str, Any]:
    here = [one for one in found if "fxiaoke" in one.holders]
    return {
        "records": {
            "AccountObj": [_fx_account(one) for one in here if one.stage == "customer"],
            "LeadsObj": [_fx_lead(one) for one in here if one.stage == "lead"],
            "ContactObj": [
                _fx_contact(one, person)
                for one in here
                for person in one.people
                if "fxiaoke" in person.holders
            ],
        }
    }


def _fx_account(one: Customer) -> dict[str, Any]:
    choose = random.Random(one.number + 1)
    record = {
        "_id": _fx_id("a", one.number),
        "name": one.name,
        "uniform_social_credit_code": one.tax_id,
        "tel": _national(one.phone, choose),
        "mobile__c": one.mobile.removeprefix("+86 ").replace(" ", ""),
        "email": one.email,
        "url": one.website,
        "country": _code("country", one.country[1]),
        "province": _code("province", one.province[1]) if one.province else "",
        "city": _code("city", one.city) if one.province else "",
        "address": one.street,
        "postcode__c": one.postcode,
        "language__c": "zh-CN" if one.is_chinese else "en",
        **_fx_times(one.number),
    }
    if "tryton" in one.holders:
        record |= {
            "customer_no__c": one.code,
            "payment_term__c": one.term,
            "credit_limit__c": str(one.limit),
        }
    return _filled(record)


def _fx_lead(one: Customer) -> dict[str, Any]:
    choose = random.Random(one.number + 1)
    record = {
        "_id": _fx_id("b", one.number),
        "company": one.name,
        "name": "".join(one.contact or ()),
        "tel": _national(one.phone, choose),
        "mobile": one.mobile.removeprefix("+86 ").replace(" ", ""),
        "email": one.email,
        "url": one.website,
        "address": one.street,
        **_fx_times(one.number),
    }
    return _filled(record)


def _fx_contact(one: Customer, person: Person) -> dict[str, Any]:
    record = {
        "name": person.name,
        "account_id": _fx_id("a", one.number),
        "job_title": person.title,
        "mobile1": person.mobile.removeprefix("+86 ").replace(" ", ""),
        "email": person.email,
        "language__c": "zh-CN" if one.is_chinese else "en",
        **_fx_times(one.number),
    }
    return _filled(record)


def _fx_times(number: int) -> dict[str, int]:
    at = EPOCH + dt.timedelta(hours=7 * number % 1900 + 5)
    stamp = int(at.timestamp() * 1000)
    return {"create_time": stamp, "last_modified_time": stamp}


def _fx_id(kind: str, number: int) -> str:
    return f"64de{kind}0000000{number:012d}"


def _code(level: str, label: str) -> str:
    return next((code for code, name in areas().labels[level].items() if name == label), "")


def tryton_seed(found: list[Customer]) -> list[dict[str, Any]]:
    return [_party(one) for one in found if "tryton" in one.holders]


def _party(one: Customer) -> dict[str, Any]:
    record = {
        "code": one.code,
        "name": one.name,
        "kind": "organisation",
        "tax_id": one.tax_id,
        "phone": one.phone,
        "mobile": one.mobile,
        "email": one.email,
        "website": one.website,
        "street": one.street,
        "city": one.city,
        "postcode": one.postcode,
        "country": one.country[2],
        "region": one.province[2] if one.province else "",
        "payment_term": one.term,
        "credit_limit": one.limit,
        "contacts": [
            {"name": p.name, "mobile": p.mobile, "email": p.email, "title": p.title}
            for p in one.people
            if "tryton" in p.holders
        ],
    }
    return _filled(record)


def _national(phone: str, choose: random.Random) -> str:
    """As people type it: with or without the country code, with blanks or dashes or neither."""
    if not phone.startswith("+86"):
        return choose.choice((phone, phone.replace(" ", "-"), phone.replace("+", "00", 1)))
    _, area, number = phone.split(" ", 2)
    forms = (
        f"0{area}-{number}",
        f"0{area} {number[:4]} {number[4:]}",
        f"(0{area}) {number}",
        f"+86-{area}-{number}",
        f"0{area}{number}",
    )
    return choose.choice(forms)


def _capital_domain(email: str) -> str:
    name, _, domain = email.partition("@")
    return f"{name}@{domain.upper()}"


def _filled(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value not in ("", None, [])}


def truth(found: list[Customer]) -> dict[str, Any]:
    """Counts, and of every customer: who holds it, what tells it apart, what should be agreed."""
    accounts = [one for one in found if one.stage == "customer"]
    return {
        "seed": SEED,
        "customers": len(found),
        "accounts": len(accounts),
        "leads": len(found) - len(accounts),
        "contacts": sum(len(one.people) for one in found),
        "per_system": {
            system: sum(system in one.holders for one in found)
            for system in ("tryton", "zoho", "fxiaoke")
        },
        "list": [_true(one) for one in found],
    }


def _true(one: Customer) -> dict[str, Any]:
    values = {
        "name": one.name,
        "identifiers[cn:uscc]": one.tax_id,
        "phones[work]": one.phone.replace(" ", ""),
        "emails[work]": one.email,
        "website": one.website,
        "addresses[billing].street": one.street,
    }
    if one.stage == "lead":
        del values["identifiers[cn:uscc]"]
    return {
        "number": one.number,
        "code": one.code if "tryton" in one.holders else "",
        "stage": one.stage,
        "holders": list(one.holders),
        "values": {path: value for path, value in values.items() if value},
        "disputed": {
            path: {"losing": held, "winning": values[path]} for path, held in one.disputed.items()
        },
        "contacts": [
            {"name": person.name, "email": person.email, "holders": list(person.holders)}
            for person in one.people
        ],
    }


def write(folder: Path) -> None:
    """All four files, each whole."""
    folder.mkdir(parents=True, exist_ok=True)
    found = customers()
    content = {
        "zoho": zoho_seed(found),
        "fxiaoke": fxiaoke_seed(found),
        "tryton": tryton_seed(found),
        "truth": truth(found),
    }
    for name, part in content.items():
        partial = folder / f"{name}.json.new"
        partial.write_text(json.dumps(part, ensure_ascii=False, indent=1), encoding="utf-8")
        partial.replace(folder / f"{name}.json")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.demo_data")
    parser.add_argument("--out", type=Path, required=True, help="folder for the four files")
    write(parser.parse_args().out)


if __name__ == "__main__":
    main()
