"""Each transform by a table, and its inverse by random values."""

from datetime import UTC, date, datetime
from decimal import Decimal
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping import words
from mapping.transforms import Refusal, build, contact, describe, names
from mapping.transforms.contact import COMPOUND_SURNAMES, join_name, phone_text, split_name
from mapping.transforms.place import BY_CODE, REGIONS
from mapping.transforms.text import clean

READ = [
    ("trim", None, "  a b \r\n", "a b"),
    ("trim", None, "　 ", None),
    ("trim", None, "e\u0301", "é"),
    ("trim", None, 12, "12"),
    ("lower", None, "AbÇ", "abç"),
    ("upper", None, "ab1", "AB1"),
    ("digits", None, "Tel. ０12-3", "0123"),
    ("digits", None, "none", None),
    ("default", "CN", None, "CN"),
    ("default", "CN", "DE", "DE"),
    ("empty", "-None-", "-None-", None),
    ("empty", "-None-", "A", "A"),
    ("split", ";", "b; a;;c ", ["b", "a", "c"]),
    ("split", {"by": ["；", ";"]}, "甲；乙;丙", ["甲", "乙", "丙"]),
    ("split", ";", ";;", None),
    ("join", "\n", [" a", None, "b "], "a\nb"),
    ("first", None, ["1000", "1001"], "1000"),
    ("first", None, "1000", "1000"),
    ("const", "x", "anything", "x"),
    ("identifier", None, " 91440300 ma5e ", "91440300MA5E"),
    ("identifier", "de:vat", "de 123.456-789", "DE123456789"),
    ("identifier", None, "12-34", "12-34"),
    ("email", None, " Li.Lei@EXAMPLE.Com ", "Li.Lei@example.com"),
    ("email", None, "Li Lei <li@Example.com>", "li@example.com"),
    ("email", None, "mailto:a@B.cn", "a@b.cn"),
    ("email", None, "a＠b.cn", "a@b.cn"),
    ("email", None, "ask reception", "ask reception"),
    ("email", "blank", "ask reception", None),
    ("phone", "CN", "138 1234 5678", "+8613812345678"),
    ("phone", "CN", "0086-138-1234-5678", "+8613812345678"),
    ("phone", "CN", "８６ 13812345678", "+8613812345678"),
    ("phone", "CN", "0755-2345 6789 转 801", "+8675523456789;ext=801"),
    ("phone", "CN", "021-58886666分机12", "+862158886666;ext=12"),
    ("phone", "CN", "+49 (0)30 123456", "+4930123456"),
    ("phone", "cn", "400-820-8820", "+864008208820"),
    ("phone", "CN", "ask reception", "ask reception"),
    ("phone", None, "12345", "12345"),
    ("phone", "CN", "13812345678/13912345678", "13812345678/13912345678"),
    ("country", None, "中国", "CN"),
    ("country", None, "People's Republic of China", "CN"),
    ("country", None, "chn", "CN"),
    ("country", None, "uk", "GB"),
    ("country", None, "Turkey", "TR"),
    ("country", None, "Côte d'Ivoire", "CI"),
    ("country", None, "Trinidad and Tobago", "TT"),
    ("country", None, "美國", "US"),
    ("country", None, "Narnia", "Narnia"),
    ("country", {"unknown": "blank"}, "Narnia", None),
    ("region", None, "广东", "广东省"),
    ("region", None, "Guangdong Province", "广东省"),
    ("region", None, "CN-GD", "广东省"),
    ("region", None, "SHANGHAI", "上海市"),
    ("region", None, "上海", "上海市"),
    ("region", None, "新疆", "新疆维吾尔自治区"),
    ("region", None, "Guangxi Zhuang Autonomous Region", "广西壮族自治区"),
    ("region", None, "Shaanxi", "陕西省"),
    ("region", None, "Shanxi", "山西省"),
    ("region", None, "Bavaria", "Bavaria"),
    ("language", None, "zh_CN", "zh-CN"),
    ("language", None, "EN_us.UTF-8", "en-US"),
    ("language", None, "zh-hant-tw", "zh-Hant-TW"),
    ("language", None, "简体中文", "zh-CN"),
    ("language", None, "English", "en"),
    ("language", None, "方言 (粤)", "方言 (粤)"),
    ("date", None, "2024-02-29", "2024-02-29"),
    ("date", None, "20240229", "2024-02-29"),
    ("date", {"zone": "Asia/Shanghai"}, 1709136000000, "2024-02-29"),
    ("date", {"zone": "Asia/Shanghai"}, "1709136000000", "2024-02-29"),
    ("date", {"zone": "Asia/Shanghai"}, "2024-02-28T20:00:00Z", "2024-02-29"),
    ("date", {"zone": "Asia/Shanghai"}, "2024-02-28T20:00:00", "2024-02-28"),
    ("date", None, {"__class__": "date", "year": 2024, "month": 2, "day": 29}, "2024-02-29"),
    ("date", None, date(2024, 2, 29), "2024-02-29"),
    ("date", None, "/Date(1709164800000)/", "2024-02-29"),
    ("datetime", None, "2024-02-29T08:00:00+08:00", "2024-02-29T00:00:00+00:00"),
    ("datetime", None, "2024-02-29T00:00:00Z", "2024-02-29T00:00:00+00:00"),
    ("datetime", {"zone": "Asia/Shanghai"}, "2024-02-29 08:00:00", "2024-02-29T00:00:00+00:00"),
    ("datetime", None, 1709164800500, "2024-02-29T00:00:00.500000+00:00"),
    ("datetime", None, datetime(2024, 2, 29, tzinfo=UTC), "2024-02-29T00:00:00+00:00"),
    ("decimal", None, "1,234.50", "1234.5"),
    ("decimal", None, 12.10, "12.1"),
    ("decimal", None, 100, "100"),
    ("decimal", None, "１２", "12"),
    ("decimal", None, {"__class__": "Decimal", "decimal": "12.30"}, "12.3"),
    ("decimal", None, "1E+3", "1000"),
    ("integer", None, 50.0, "50"),
    ("boolean", None, "是", True),
    ("boolean", None, 0, False),
    ("boolean", None, "1", True),
    ("boolean", {"inverted": True}, True, False),
    ("lookup", {"Customer": "customer"}, " Customer ", "customer"),
    ("lookup", {1: "lead"}, "1", "lead"),
    ("lookup", {"1": "lead"}, 1, "lead"),
    ("lookup", {True: "yes"}, True, "yes"),
    ("lookup", {"table": {"A": "a"}, "unknown": "keep"}, "B", "B"),
    ("lookup", {"table": {"A": "a"}, "unknown": "blank"}, "B", None),
    ("lookup", {None: "lead"}, None, "lead"),
    ("list_of", [{"lookup": {"A": "a", "B": "b"}}], ["B", "A"], ["b", "a"]),
    ("tags", "name", [{"name": "甲", "id": "1"}, {"name": ""}], ["甲"]),
    ("tags", None, ["a", "b"], ["a", "b"]),
    ("reference", None, 12, "12"),
    ("reference", "id", {"id": "77", "name": "x"}, "77"),
    ("reference", {"list": True}, ["9"], "9"),
    ("reference", None, [], None),
    ("person_name", None, ["修", "欧阳"], "欧阳修"),
    ("person_name", None, ["Ada", "Lovelace"], "Ada Lovelace"),
    ("person_name", None, [None, "Cher"], "Cher"),
]


@pytest.mark.parametrize(("name", "options", "native", "canonical"), READ)
def test_reading(name, options, native, canonical):
    assert build(name, options).read(native) == canonical


WRITE = [
    ("cut", {"length": 4}, "abc def", "abc"),
    ("cut", {"length": 4, "unit": "bytes"}, "中文字", "中"),
    ("cut", {"length": [2, 3]}, ["abc", "abcd"], ["ab", "abc"]),
    ("empty", "", None, ""),
    ("split", ";", ["a", "b"], "a;b"),
    ("join", {"by": "\n", "parts": 2}, "a\nb\nc", ["a", "b\nc"]),
    ("join", {"by": "\n", "parts": 2, "overflow": ", "}, "a\nb\nc", ["a", "b, c"]),
    ("first", None, "1000", ["1000"]),
    ("phone", {"region": "CN", "style": "national"}, "+8613812345678", "138 1234 5678"),
    ("phone", {"region": "CN", "style": "national"}, "+4930123456", "+49 30 123456"),
    ("phone", {"style": "international"}, "+8613812345678", "+86 138 1234 5678"),
    ("phone", {"style": "international"}, "ask reception", "ask reception"),
    ("country", "name_zh", "DE", "德国"),
    ("country", "alpha3", "DE", "DEU"),
    ("country", "name_en", "Narnia", "Narnia"),
    ("region", "iso", "广东省", "CN-GD"),
    ("region", "short", "内蒙古自治区", "内蒙古"),
    ("region", "iso", "Bavaria", "Bavaria"),
    ("language", "posix", "zh-CN", "zh_CN"),
    ("date", {"zone": "Asia/Shanghai", "style": "epoch_ms"}, "2024-02-29", 1709136000000),
    ("date", "class", "2024-02-29", {"__class__": "date", "year": 2024, "month": 2, "day": 29}),
    (
        "datetime",
        {"zone": "Asia/Shanghai", "style": "iso_seconds"},
        "2024-02-29T00:00:00.500000+00:00",
        "2024-02-29T08:00:00+08:00",
    ),
    ("datetime", "epoch_ms", "2024-02-29T00:00:00+00:00", 1709164800000),
    ("decimal", {"style": "number"}, "12.5", 12.5),
    ("decimal", {"style": "number"}, "12", 12),
    ("decimal", {"style": "string", "scale": 2}, "12.345", "12.35"),
    ("decimal", {"style": "class"}, "12.5", {"__class__": "Decimal", "decimal": "12.5"}),
    ("integer", None, "12.5", 13),
    ("integer", "string", "12", "12"),
    ("boolean", "string", True, "true"),
    ("boolean", "digit", False, "0"),
    ("boolean", {"inverted": True}, True, False),
    ("lookup", {"A": "x", "B": "x"}, "x", "A"),
    ("lookup", {True: "x"}, "x", True),
    ("lookup", {"table": {"A": "x"}, "unknown_out": "blank"}, "y", None),
    ("tags", "name", ["甲"], [{"name": "甲"}]),
    ("tags", "name", None, []),
    ("list_of", None, None, []),
    ("reference", {"key": "id"}, "77", {"id": "77"}),
    ("reference", {"list": True}, "77", ["77"]),
    ("reference", {"list": True}, None, []),
    ("reference", {"type": "integer"}, "77", 77),
    ("person_name", None, "诸葛亮", ["亮", "诸葛"]),
    ("person_name", None, "王小明", ["小明", "王"]),
    ("person_name", None, "Anna Maria Rossi", ["Anna Maria", "Rossi"]),
    ("person_name", None, "Cher", [None, "Cher"]),
    ("person_name", None, "深圳华强电子有限公司", [None, "深圳华强电子有限公司"]),
]


@pytest.mark.parametrize(("name", "options", "canonical", "native"), WRITE)
def test_writing(name, options, canonical, native):
    assert build(name, options).write(canonical) == native


REFUSED = [
    ("trim", None, {"id": 1}, "not_text"),
    ("split", None, ["a"], "not_text"),
    ("join", None, "a", "not_list"),
    ("email", "error", "nobody", "not_email"),
    ("country", {"unknown": "error"}, "Narnia", "not_country"),
    ("date", None, "yesterday", "not_date"),
    ("date", None, "2024-02-30", "not_date"),
    ("date", None, True, "not_date"),
    ("datetime", None, "soon", "not_moment"),
    ("datetime", None, 10**20, "not_moment"),
    ("decimal", None, "12,5", "not_number"),
    ("decimal", None, "nan", "not_number"),
    ("decimal", None, True, "not_number"),
    ("decimal", None, "1_000", "not_number"),
    ("decimal", None, [1], "not_number"),
    ("integer", None, "2.5", "not_whole"),
    ("boolean", None, "perhaps", "not_boolean"),
    ("boolean", None, 2, "not_boolean"),
    ("lookup", {"A": "a"}, "B", "not_choice"),
    ("reference", "id", {"id": {"x": 1}}, "not_reference"),
    ("tags", None, "a;b", "not_list"),
]


@pytest.mark.parametrize(("name", "options", "native", "reason"), REFUSED)
def test_a_value_that_cannot_be_read_is_refused_with_a_reason(name, options, native, reason):
    with pytest.raises(Refusal) as caught:
        build(name, options).read(native)
    assert caught.value.reason == reason


def test_an_amount_that_a_json_number_would_change_is_refused():
    with pytest.raises(Refusal) as caught:
        build("decimal", "number").write("561453691596.4887")
    assert caught.value.reason == "too_exact"
    assert build("decimal", "string").write("561453691596.4887") == "561453691596.4887"


signs = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
texts = st.text(signs, max_size=40).map(clean).filter(bool)
decimals = st.decimals(  # 15 digits: as many as a JSON number carries whatever they are
    allow_nan=False, allow_infinity=False, min_value=-(10**11) + 1, max_value=10**11 - 1, places=4
)
days = st.dates(min_value=date(1900, 1, 1), max_value=date(2200, 1, 1)).map(date.isoformat)
zones = st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York", "Pacific/Apia"])
moments = st.datetimes(
    min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)
)


@given(texts)
def test_a_name_split_and_joined_is_the_same_name(name):
    assert join_name(*split_name(name)) == name


@given(
    st.sampled_from(sorted(COMPOUND_SURNAMES)),
    st.text(alphabet="明伟芳娜丽강수민", min_size=1, max_size=2),
)
def test_compound_surnames_are_kept_together(surname, given_name):
    whole = surname + given_name
    mixed = any("가" <= char <= "힣" for char in whole) and any(
        "一" <= char <= "鿿" for char in whole
    )
    given_part, family = split_name(whole)
    assert join_name(given_part, family) == whole
    if not mixed:
        assert (given_part, family) == (given_name, surname)


@given(st.one_of(texts, st.from_regex(r"\+?[0-9 ()\-]{5,20}(ext\.? ?[0-9]{1,4})?", fullmatch=True)))
def test_a_phone_in_normal_form_stays_as_it_is(text):
    once = phone_text(clean(text) or "x", "CN")
    assert phone_text(once, "CN") == once


STYLES = ("international", "national")
chinese = st.tuples(
    st.sampled_from(["+86", "+86 ", "+86-", "0", ""]),
    st.from_regex(r"(1[3-9][0-9]|10|2[0-9])[ -]?[0-9]{4}[ -]?[0-9]{4}", fullmatch=True),
).map("".join)


@settings(max_examples=500)
@given(chinese, st.sampled_from(["CN", "DE", None]))
def test_what_is_told_without_the_library_is_what_the_library_tells(text, region):
    with mock.patch.object(contact, "_plain_chinese", return_value=None):
        canonical = contact.phone_text.__wrapped__(text, region)
        styles = {s: contact._formatted.__wrapped__(canonical, region, s) for s in STYLES}
    assert contact.phone_text.__wrapped__(text, region) == canonical
    told = {s: contact._formatted.__wrapped__(canonical, region, s) for s in STYLES}
    assert told == styles


@given(
    st.sampled_from(["CN", "DE", "US", "IT", "JP", None]),
    st.sampled_from(["e164", "international", "national"]),
    st.from_regex(r"\+(86|49|1|39|81|7)[0-9]{7,12}", fullmatch=True),
)
def test_a_phone_written_in_any_style_reads_back(region, style, text):
    step = build("phone", {"region": region, "style": style})
    number = step.read(text)
    assert step.read(step.write(number)) == number


@pytest.mark.parametrize("style", ["alpha2", "alpha3", "name_zh", "name_en"])
def test_each_country_reads_back_from_each_form(style):
    step = build("country", style)
    assert {code: step.read(step.write(code)) for code in BY_CODE} == {
        code: code for code in BY_CODE
    }
    assert len(BY_CODE) == 250


@pytest.mark.parametrize("style", ["name", "iso", "short", "name_en"])
def test_each_region_reads_back_from_each_form(style):
    step = build("region", style)
    assert {name: step.read(step.write(name)) for name in REGIONS} == {
        name: name for name in REGIONS
    }
    assert len(REGIONS) == 34


@given(days, zones, st.sampled_from(["iso", "epoch_ms", "class"]))
def test_dates_read_back_from_each_style(day, zone, style):
    step = build("date", {"zone": zone, "style": style})
    assert step.read(step.write(day)) == day


@given(moments, zones, st.sampled_from(["iso", "class"]))
def test_moments_read_back_from_exact_styles(moment, zone, style):
    step = build("datetime", {"zone": zone, "style": style})
    assert step.read(step.write(moment.isoformat())) == moment.isoformat()


@given(decimals, st.sampled_from(["number", "string", "class"]))
def test_decimals_read_back_from_each_style(number, style):
    step = build("decimal", style)
    text = step.read(number)
    assert step.read(step.write(text)) == text
    assert Decimal(text) == number


@given(st.booleans(), st.booleans(), st.sampled_from(["bool", "string", "number", "digit"]))
def test_booleans_read_back_from_each_style(value, inverted, style):
    step = build("boolean", {"style": style, "inverted": inverted})
    assert step.read(step.write(value)) is value


@given(texts, st.integers(min_value=1, max_value=20))
def test_a_cut_text_fits_and_is_cut_once(text, length):
    for unit, size in (("characters", len), ("bytes", lambda t: len(t.encode()))):
        step = build("cut", {"length": length, "unit": unit})
        short = step.write(text)
        assert size(short) <= length
        assert step.write(short) == short


@given(texts)
def test_normalising_twice_changes_nothing(text):
    for name in ("trim", "digits", "identifier", "email", "country", "region", "language"):
        read = build(name, None).read
        once = read(text)
        assert once is None or read(once) == once, name


@given(st.lists(texts.filter(lambda t: "\n" not in t), min_size=1, max_size=4), st.integers(1, 3))
def test_joined_fields_read_back(lines, parts):
    step = build("join", {"by": "\n", "parts": parts})
    text = "\n".join(lines)
    assert step.read(step.write(text)) == text


def test_every_transform_is_described_in_both_languages():
    for found in describe():
        assert found.english, found.name
        assert any("一" <= char <= "鿿" for char in found.chinese), found.name
        assert found.name in names()


OPTIONS = {
    "cut": {"length": 3},
    "default": "x",
    "empty": "",
    "const": "x",
    "lookup": {"A": "a"},
    "phone": "CN",
    "list_of": [{"lookup": {"A": "a"}}],
    "tags": "name",
    "reference": "id",
}
json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(["NaN", "1e999999999", "2024-01-01T00:00", "0001-01-01", "99999999999999"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["id", "name", "__class__", "year", "month", "day", "decimal"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("name", names())
@given(value=json_values)
def test_no_native_value_breaks_a_transform(name, value):
    step = build(name, OPTIONS.get(name))
    if value is None and not step.reads_none:
        return
    try:
        read = step.read(value)
    except Refusal as refusal:
        assert refusal.reason in words.REASONS  # noqa: PT017  the other way out is a value
        return
    if read is not None and step.undo_read is not None:
        step.undo_read(read)
