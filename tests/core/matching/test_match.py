"""Scores are sums of named weights; hard identifiers decide; doubt goes to a steward."""

from dataclasses import replace

import pytest

from sync.core.match import Decision, Errors, decide, keys, keys_to_follow
from sync.core.party import party_from_canonical, party_from_row
from sync.core.score import Score

ONE = "91350100M000100Y43"
STORE = 50_000
MAIL_KEY = 4345792272094659093  # stored in key tables: a change of it is a migration


def seen(*parties):
    return {key: 1 for party in parties for _, key in keys(party)}


def test_a_score_is_the_sum_of_its_weights(matcher, company):
    a = company("上海华天贸易有限公司", mail=["info@huatian.cn"], phone=["021-37989783"])
    b = company("华天贸易（上海）有限公司", mail=["info@huatian.cn"])
    score = matcher.compare(a, b, seen(b), STORE)
    assert score.bits == pytest.approx(sum(w.bits for w in score.weights), abs=0.05)
    assert {"brand", "industry", "domain"} <= {w.field for w in score.weights}


def test_the_order_of_the_two_does_not_change_the_score(matcher, company):
    a = company("上海华天贸易有限公司", mail=["info@huatian.cn"], city="上海")
    b = company(
        "Huatian Trading (Shanghai) Co., Ltd.", phone=["021-37989783"], street="淮海路668号2304室"
    )
    held = seen(a) | seen(b)
    assert matcher.compare(a, b, held, STORE).bits == pytest.approx(
        matcher.compare(b, a, held, STORE).bits
    )


def test_the_same_credit_code_decides_alone(matcher, company):
    a, b = (
        company("上海华天贸易有限公司", tax=[ONE]),
        company("全新名字科技有限公司", tax=[ONE.lower()]),
    )
    score = matcher.compare(a, b, seen(b), STORE)
    assert score.decisive == "tax id"
    assert matcher.decide([score], STORE).outcome == "link"


def test_two_credit_codes_are_two_customers_whatever_else_agrees(matcher, company):
    facts = {
        "mail": ["info@huatian.cn"],
        "phone": ["021-37989783"],
        "city": "上海",
        "street": "淮海路668号2304室",
    }
    a = company("上海华天贸易有限公司", tax=[ONE], **facts)
    b = company("上海华天贸易有限公司", tax=["27-9277811"], **facts)
    c = company("上海华天贸易有限公司", tax=["27-9277812"], **facts)
    score = matcher.compare(b, c, seen(c), STORE)
    assert score.veto.startswith("tax id")
    assert matcher.decide([score], STORE).outcome == "new"
    assert not matcher.compare(
        a, b, seen(b), STORE
    ).veto  # two schemes do not contradict each other


def test_a_branch_is_never_linked_to_its_head_office_without_a_person(matcher, company):
    facts = {"mail": ["info@huatian.cn"], "phone": ["021-37989783"]}
    head, branch = (
        company("上海华天贸易有限公司", **facts),
        company("上海华天贸易有限公司苏州分公司", **facts),
    )
    score = matcher.compare(head, branch, seen(branch), STORE)
    assert matcher.decide([score], STORE).outcome != "link"


def test_a_private_mobile_and_the_name_link_a_person(matcher, person):
    a = person("张晓明", phone=["13800138000"], employer="上海华天贸易有限公司")
    b = person("Zhang Xiaoming", phone=["+86 138 0013 8000"], employer="华天贸易")
    assert matcher.decide([matcher.compare(a, b, seen(b), STORE)], STORE).outcome == "link"


def test_namesakes_with_nothing_else_in_common_are_not_linked(matcher, person):
    a = person(
        "王伟", phone=["13800138000"], mail=["wang.wei@a.cn"], employer="上海华天贸易有限公司"
    )
    b = person("王伟", phone=["13911112222"], mail=["w.wei@b.cn"], employer="北京新光电子有限公司")
    assert matcher.decide([matcher.compare(a, b, seen(b), STORE)], STORE).outcome != "link"


def test_a_value_that_many_hold_proves_little(matcher, company):
    a = company("上海华天贸易有限公司", phone=["021-37989783"])
    b = company("上海华天商贸", phone=["021-37989783"])
    rare = matcher.compare(a, b, seen(a, b), STORE)
    common = matcher.compare(a, b, dict.fromkeys(seen(a, b), 60), STORE)
    assert common.bits < rare.bits - 3


def test_an_organisation_is_never_a_person(matcher, company, person):
    a, b = company("王伟", mail=["ww@qq.com"]), person("王伟", mail=["ww@qq.com"])
    assert matcher.decide([matcher.compare(a, b, seen(b), STORE)], STORE).outcome != "link"


def test_every_name_of_a_golden_record_is_compared(matcher, company):
    golden = party_from_canonical(
        {
            "kind": "organisation",
            "name": "新光电子",
            "legal_name": "上海华天贸易有限公司",
            "phones[work]": "+862137989783",
        }
    )
    incoming = company("华天贸易（上海）有限公司", phone=["021 37989783"])
    score = matcher.compare(incoming, golden, seen(golden), STORE)
    assert any(w.field == "brand" and w.level.startswith("same") for w in score.weights)


def test_rows_and_canonical_values_give_the_same_keys():
    row = {
        "kind": "company",
        "name": "上海华天贸易有限公司",
        "email": "a@huatian.cn",
        "phone": "021-37989783",
        "tax_id": ONE,
        "street": "淮海路668号2304室",
        "city": "上海",
        "website": "huatian.cn",
    }
    values = {
        "kind": "organisation",
        "name": row["name"],
        "emails[work]": row["email"],
        "phones[work]": "+862137989783",
        "identifiers[cn:uscc]": ONE,
        "addresses[billing].street": row["street"],
        "addresses[billing].city": "上海市",
        "website": "https://www.huatian.cn/",
    }
    assert keys(party_from_row(row)) == keys(party_from_canonical(values))


def test_keys_are_stable_numbers():
    party = party_from_row({"kind": "person", "name": "Ann Lee", "email": "ann.lee@example.org"})
    assert dict(keys(party))["mail"] == MAIL_KEY
    assert keys(party) == keys(party)


def test_a_key_that_too_many_share_is_not_followed(company):
    party = company("上海华天贸易有限公司", phone=["021-37989783"])
    assert keys_to_follow(party, {}) == [key for _, key in keys(party)]
    assert keys_to_follow(party, dict.fromkeys([k for _, k in keys(party)], 5000)) == []


def sure(bits, **more):
    return Score(bits, (), **more)


def test_decisions(matcher):
    link, ask = matcher.thresholds.link_at(STORE), matcher.thresholds.candidate_at(STORE)
    assert matcher.decide([], STORE) == Decision("new", reason="nothing comes near")
    assert matcher.decide([sure(ask - 0.1)], STORE).outcome == "new"
    assert matcher.decide([sure(ask + 0.1)], STORE).outcome == "candidate"
    assert matcher.decide([sure(link + 0.1)], STORE).outcome == "link"


def test_two_customers_that_fit_equally_well_are_for_a_steward(matcher):
    link = matcher.thresholds.link_at(STORE)
    assert matcher.decide([sure(link + 2.0), sure(link + 1.5)], STORE).outcome == "candidate"
    assert matcher.decide([sure(link + 2.0), sure(link + 0.5)], STORE).best == 0


def test_two_holders_of_one_identifier_are_for_a_steward(matcher):
    scores = [sure(9, decisive="tax id"), sure(12, decisive="tax id")]
    assert matcher.decide(scores, STORE).outcome == "candidate"


def test_a_bigger_store_asks_for_more(matcher):
    assert matcher.thresholds.link_at(1_000_000) > matcher.thresholds.link_at(10_000)
    scores = [sure(matcher.thresholds.link_at(10_000) + 0.1)]
    assert decide(scores, 10_000, matcher.thresholds).outcome == "link"
    assert decide(scores, 1_000_000, matcher.thresholds).outcome == "candidate"


def test_more_precision_asks_for_more_bits_and_fixed_bits_stay(matcher):
    strict = replace(matcher.thresholds, precision=0.9999, arrivals=0.999)
    for at in ("link_at", "link_in_file_at", "sure_in_file_at"):
        assert getattr(strict, at)(STORE) > getattr(matcher.thresholds, at)(STORE)
    fixed = replace(matcher.thresholds, link=4.0)
    assert fixed.link_at(10_000) == fixed.link_at(1_000_000) == 4.0


def test_a_threshold_is_where_the_expected_precision_is_the_wanted_one():
    errors = Errors(level=-4.0, fall=0.8, chance=0.1)
    for size in (1_000, 10_000, 1_000_000):
        assert errors.precision(size, errors.at(size, 0.999)) == pytest.approx(0.999)
    assert errors.precision(10_000, 5.0) == pytest.approx(1 - 2.0**-8)


def test_a_parents_number_does_not_link_its_subsidiary(matcher, company):
    parent = company("上海华天贸易有限公司", tax=[ONE], city="上海")
    same = matcher.compare(parent, company("上海华天贸易", tax=[ONE], city="上海"), {}, STORE)
    assert same.decisive
    for other in ("上海华天装饰工程有限公司", "上海华天贸易集团有限公司"):
        score = matcher.compare(parent, company(other, tax=[ONE], city="上海"), {}, STORE)
        assert not score.decisive
    moved = company("北京华天贸易有限公司", tax=[ONE], city="北京")
    assert not matcher.compare(parent, moved, {}, STORE).decisive


def test_a_group_is_not_its_company(matcher, company):
    facts = {"mail": ["info@huatian.cn"], "phone": ["021-37989783"], "city": "上海"}
    score = matcher.compare(
        company("上海华天贸易有限公司", **facts),
        company("上海华天贸易集团有限公司", **facts),
        {},
        STORE,
    )
    assert matcher.decide([score], STORE).outcome == "candidate"


def test_colleagues_of_one_name_need_a_person_to_look(matcher, person):
    one = person("张伟", employer="上海华天贸易有限公司", phone=["13800001111"])
    other = person("张伟", employer="上海华天贸易有限公司", mail=["zw@huatian.cn"])
    assert matcher.decide([matcher.compare(one, other, {}, STORE)], STORE).outcome == "candidate"


def test_two_spellings_of_a_name_in_one_firm_are_hardly_two_people(matcher, person):
    firm = {"employer": "Nordwind Logistik GmbH", "city": "Hamburg"}
    one = person("Robert Kowalski", phone=["+49 170 1234567"], **firm)
    for name, cautious in (("Bob Kowalski", False), ("张伟", True)):
        first = one if not cautious else person("张伟", phone=["+49 170 1234567"], **firm)
        score = matcher.compare(first, person(name, **firm), {}, STORE)
        assert any(w.field == "caution" for w in score.weights) is cautious


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("张明", "张敏", False),
        ("苏刚", "苏洋", False),
        ("张建国", "张建", True),
        ("Carla Miller", "Carlla Miller", True),
    ],
)
def test_in_chinese_another_given_name_is_another_name(matcher, person, one, other, same):
    score = matcher.compare(person(one), person(other), {}, STORE)
    (found,) = [w.level for w in score.weights if w.field == "name"]
    assert (found == "given name misspelt") is same


def test_names_of_test_rows_say_nothing(matcher, company):
    a, b = company("测试"), company("test")
    assert not keys(a)
    assert matcher.decide([matcher.compare(a, b, {}, STORE)], STORE).outcome == "new"


def test_a_record_without_a_name_is_never_linked_by_itself(matcher, company):
    facts = {"mail": ["info@huatian.cn"], "phone": ["021-37989783"], "street": "淮海路668号2304室"}
    score = matcher.compare(
        company("测试", **facts), company("上海华天贸易有限公司", **facts), {}, STORE
    )
    assert "placeholder" in score.veto
    assert matcher.decide([score], STORE).outcome == "candidate"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Customer 1", "Customer 11"),
        ("Summit II Inc.", "Summit III Inc."),
        ("第一机械厂", "第二机械厂"),
    ],
)
def test_numbers_tell_companies_apart(matcher, company, one, other):
    facts = {"mail": ["info@huatian.cn"], "city": "上海"}
    a, b = company(one, **facts), company(other, **facts)
    assert matcher.decide([matcher.compare(a, b, {}, STORE)], STORE).outcome != "link"
    bare = matcher.compare(company(one), company(other), {}, STORE)
    assert matcher.decide([bare], STORE).outcome == "new"


def test_two_mobiles_are_two_people_until_somebody_looks(matcher, person):
    facts = {"employer": "上海华天贸易有限公司"}
    a = person("王伟", phone=["13800138000", "021-37989783"], **facts)
    b = person("王伟", phone=["13911112222", "021-37989783"], **facts)
    score = matcher.compare(a, b, {}, STORE)
    assert matcher.decide([score], STORE).outcome == "candidate"
    assert score.bits == pytest.approx(sum(w.bits for w in score.weights), abs=0.05)


def test_many_records_are_scored_as_one_after_the_other(matcher, company, person):
    a = company("上海华天贸易有限公司", mail=["info@huatian.cn"], phone=["021-37989783"])
    b = company("华天贸易（上海）有限公司", mail=["info@huatian.cn"])
    c = company("全新名字科技有限公司", phone=["021-37989783"], tax=[ONE])
    d = person("王伟", phone=["13800138000"])
    groups = [(a, [b, c, d]), (d, [a]), (b, []), (c, [a, b])]
    held = seen(a, b, c, d)
    assert matcher.compare_groups(groups, held, STORE) == [
        matcher.compare_many(first, others, held, STORE) for first, others in groups
    ]
