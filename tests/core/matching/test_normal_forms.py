"""Two spellings of one fact have one normal form; two facts keep two."""

import pytest

from sync.core.normal.address import parse_address
from sync.core.normal.company import parse_company
from sync.core.normal.identifier import credit_code_valid, parse_identifier
from sync.core.normal.mail import parse_domain, parse_mail
from sync.core.normal.person import parse_person
from sync.core.normal.phone import parse_phone, parse_phones
from sync.core.normal.record import parse_birth
from sync.core.normal.regions import place_key
from sync.core.normal.text import fold, latin_key

SPELLINGS = [
    "深圳市华中天科技有限公司",
    "華中天科技（深圳）有限公司",
    "深圳華中天科技 有限公司",
    "【VIP】华中天科技(深圳市)有限责任公司",
    "华中天科技（深圳）有限公司（停用）",
    "深圳华中天科技Ｃｏ．，Ｌｔｄ",
    "华中天科技深圳有限公司",
    "SHENZHEN HUAZHONGTIAN TECHNOLOGY CO., LTD.",
    "Huazhongtian Tech (Shenzhen) Co.,Ltd",
    "Hua Zhong Tian Technology (Shenzhen) Limited",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_company_is_the_same_in_every_spelling(spelling):
    name = parse_company(spelling)
    usual = parse_company(SPELLINGS[0])
    assert (name.latin, name.region, name.industry) == (usual.latin, usual.region, usual.industry)
    assert name.branch == ""


@pytest.mark.parametrize(
    ("text", "part", "value"),
    [
        ("旺涛晶公司上海分公司", "branch", "shanghai"),
        ("兴腾人力资源济南分公司", "branch", "jinan"),
        ("Summit Systems London Branch", "branch", "london"),
        ("中阳科技集团有限公司", "form", "l"),
        ("中阳科技集团有限公司", "group", True),
        ("中阳科技有限公司", "group", False),
        ("Vertex Redwood Group L.L.C.", "form", "L"),
        ("Vertex Redwood Group L.L.C.", "group", True),
        ("Taendy Energy GmbH & Co. KG", "form", "K"),
        ("Huyuan Chemical LLC", "form", "l"),
        ("Customer 11", "numbers", "11"),
        ("Summit II Inc.", "numbers", "2"),
        ("上海华天贸易有限公司", "seat", 1),
        ("华天贸易（上海）有限公司", "seat", 2),
        ("启福家具股份有限公司", "form", "s"),
        ("王府井第三百货商店有限公司", "numbers", "3"),
        ("玉力国际贸易有限公司-旧", "brand", "玉力"),
        ("动大食品有限公司 采购部", "brand", "动大"),
        ("S.A.R.L. Müller & Fils", "latin", "mullerfils"),
        ("中山科技有限公司", "brand", "中山"),
    ],
)
def test_a_company_name_is_taken_apart(text, part, value):
    assert getattr(parse_company(text), part) == value


def test_sister_companies_differ_in_what_they_do_and_where():
    one, two = parse_company("上海华天贸易有限公司"), parse_company("上海华天物流有限公司")
    assert one.brand == two.brand
    assert one.industry & two.industry == 0
    assert parse_company("北京华天贸易有限公司").region != one.region


@pytest.mark.parametrize(
    ("whole", "given", "family"),
    [
        ("欧阳娜娜", "nana", "ouyang"),
        ("唐  涛", "tao", "tang"),
        ("TANG Tao", "tao", "tang"),
        ("Tao TANG", "tao", "tang"),
        ("Lee, Hua-min", "huamin", "lee"),
        ("Lars van der Berg", "lars", "vanderberg"),
        ("Dr. Jürgen Müller", "jurgen", "muller"),
        ("王总", "", "wang"),
        ("李先生", "", "li"),
        ("單小明", "xiaoming", "shan"),
    ],
)
def test_a_person_name_is_taken_apart(whole, given, family):
    name = parse_person(whole)
    assert (name.given, name.family) == (given, family)


def test_order_and_script_do_not_change_a_person():
    forms = {
        parse_person(text).full
        for text in ("张晓明", "ZHANG Xiaoming", "Xiaoming Zhang", "Zhang, Xiao-Ming")
    }
    assert forms == {parse_person("x", "晓明", "张").full}


def test_nicknames_have_one_root():
    assert parse_person("Bob Smith").root == parse_person("Robert Smith").root


@pytest.mark.parametrize(
    "text",
    [
        "021-3798 9783",
        "(021)37989783",
        "+86 21 37989783",
        "0086-21-3798-9783",
        "（０２１）３７９８９７８３",
        "021-37989783转8012",
    ],
)
def test_a_line_is_one_number_however_it_is_written(text):
    phone = parse_phone(text, "CN")
    assert phone is not None
    assert phone.e164("CN") == "+862137989783"


def test_an_extension_is_kept_apart():
    assert parse_phone("021-37989783转8012").extension == "8012"
    assert parse_phone("020-37989783-12").extension == "12"
    assert parse_phone("(312) 418-3734 x233").extension == "233"


def test_a_mobile_is_known_and_two_in_one_field_are_two():
    assert [p.national for p in parse_phones("138 0013 8000/010-12345678")] == [
        13800138000,
        1012345678,
    ]
    assert parse_phone("+86 138-0013-8000").mobile
    assert parse_phone("call me") is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Anna.Li+crm@GMail.com", "annali@gmail.com"),
        ("anna.li@gmial.com", "annali@gmail.com"),
        ("Anna <A.Li@Example.CN>", "a.li@example.cn"),
        ("no address", None),
    ],
)
def test_mail_addresses(text, key):
    mail = parse_mail(text)
    assert (mail.key if mail else None) == key


def test_role_mailboxes_and_free_providers_are_known():
    assert parse_mail("sales01@example.cn").role
    assert parse_mail("someone@163.com").free
    assert not parse_mail("wei.zhang@example.cn").role


def test_a_web_address_gives_its_domain_but_a_market_place_does_not():
    assert parse_domain("https://www.example.com.cn/about") == "example.com.cn"
    assert parse_domain("shop123.1688.com") == ""


VALID = "91350100M000100Y43"


def test_a_credit_code_is_proven_by_its_check_digit():
    assert credit_code_valid(VALID)
    assert not credit_code_valid(VALID[:-1] + "4")
    assert parse_identifier(VALID[:4].lower() + " " + VALID[4:]).hard


@pytest.mark.parametrize(("wrong", "right"), [("O", "0"), ("I", "1")])
def test_a_letter_that_cannot_be_there_is_repaired(wrong, right):
    place = VALID.index(right, 4)
    broken = VALID[:place] + wrong + VALID[place + 1 :]
    assert parse_identifier(broken).value == VALID


def test_numbers_without_a_proof_are_not_hard():
    assert not parse_identifier("3190527").hard
    assert not parse_identifier(VALID[:-1] + "4").hard
    assert parse_identifier("27-9277811").hard
    assert not parse_identifier("DE123456789").hard
    assert parse_identifier("无") is None


@pytest.mark.parametrize(
    "street",
    [
        "金水区解放路870号16幢2801室",
        "郑州市金水区解放路870号16号楼2801",
        "河南省郑州市金水区解放路８７０号16栋2801房",
        "Rm 2801, Building 16, No.870 Jiefang Road, Jinshui District",
        "Room 2801, Building 16, No. 870 Jiefang Rd",
    ],
)
def test_an_address_is_one_in_both_scripts(street):
    found = parse_address(street, "郑州")
    assert (found.road, found.number, found.building, found.room) == ("jiefang", 870, "16", "2801")
    assert found.city == "zhengzhou"


def test_western_lines():
    assert parse_address("4247 Railroad Court, Suite 12").room == "12"
    assert parse_address("4247 RAILROAD CT").road == parse_address("4247 Railroad Court").road
    assert parse_address("山东省济南市市中区正信街470号").city == "jinan"


def test_places_are_one_in_every_spelling():
    assert place_key("西安市") == place_key("Xi'an") == place_key("西安")
    assert place_key("陕西") != place_key("山西")
    assert place_key("München") == place_key("Munich")


def test_dates_in_the_usual_forms():
    assert (
        parse_birth("1999-03-02") == parse_birth("1999/3/2") == parse_birth("19990302") == 19990302
    )
    assert parse_birth("02.03.1999") == 19990302
    assert parse_birth("1999") == 19990000


def test_folding_is_idempotent_and_spoken_keys_join_scripts():
    for text in ("【ＡＢＣ】華為 Müller", "  Ａ  b "):
        assert fold(fold(text)) == fold(text)
    assert latin_key(fold("吕")) == latin_key("lv") == latin_key("lu")


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Ｈｕａ［１］", "hua(1)"),
        ("Møller & Søn  ApS", "moller & son aps"),
        ("æ\u0301", "æ"),  # a letter and its accent are one character before anything else
        ("ΟΔΟΣ", "οδος"),
        ("華天【深圳】", "华天(深圳)"),
        ("a\uffffb", "a\uffffb"),
    ],
)
def test_text_is_folded_as_a_whole(text, folded):
    assert fold(text) == folded
