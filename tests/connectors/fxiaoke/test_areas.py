import pytest

from connectors.fxiaoke.areas import AreaBook, Areas
from connectors.fxiaoke.errors import Kind
from connectors.sdk.errors import RecordError

LEVELS = {name: name for name in ("country", "province", "city", "district")}


@pytest.fixture
def areas(connector, tenant):
    return Areas(connector.client)


def coded(areas, data, stored=None):
    return areas.coded(data, LEVELS, lambda: stored or {})


def test_names_become_codes_along_the_tree(areas):
    names = {"district": "西湖区", "city": "杭州市", "province": "浙江", "country": "中国"}
    assert coded(areas, names) == {
        "country": "248",
        "province": "251",
        "city": "300",
        "district": "400",
    }


@pytest.mark.parametrize("name", ["浙江", "浙江省", " 浙江 "])
def test_the_ending_of_a_name_does_not_matter(areas, name):
    assert coded(areas, {"province": name}) == {"province": "251"}


def test_one_name_in_two_cities_is_told_apart_by_the_city(areas):
    assert coded(areas, {"district": "新城区", "city": "北京市"})["district"] == "410"
    assert coded(areas, {"district": "新城区", "city": "杭州"})["district"] == "401"
    assert coded(areas, {"district": "新城区", "province": "浙江"})["district"] == "401"


def test_what_the_row_holds_decides_where_the_write_does_not(areas):
    assert coded(areas, {"district": "新城区"}, {"city": "310"}) == {"district": "410"}
    assert coded(areas, {"district": "新城区"}, {"province": "251"}) == {"district": "401"}


def test_the_row_is_read_only_for_that(areas):
    def stored():
        raise AssertionError

    assert areas.coded({"district": "西湖区"}, LEVELS, stored) == {"district": "400"}


def test_a_name_without_any_context_is_ambiguous(areas):
    with pytest.raises(RecordError, match="ambiguous") as caught:
        coded(areas, {"district": "新城区"})
    assert caught.value.field == "district"


@pytest.mark.parametrize(
    "data",
    [
        {"country": "Atlantis"},
        {"province": "巴伐利亚"},
        {"city": "上海市", "province": "浙江"},
        {"district": "西湖区", "city": "北京市"},
    ],
)
def test_an_unknown_name_is_refused_with_its_field(areas, data):
    with pytest.raises(RecordError) as caught:
        coded(areas, data)
    assert caught.value.field == next(iter(data))


def test_a_country_that_is_not_divided_holds_no_smaller_areas(areas):
    names = {"country": "德国", "province": "Bayern", "city": "München", "district": "Au"}
    assert coded(areas, names) == {
        "country": "2",
        "province": None,
        "city": None,
        "district": None,
    }


ABROAD = {"country": "法国", "province": "Île-de-France", "city": "巴黎", "district": "XI"}


@pytest.mark.parametrize("rule", ["leave_out_abroad", "leave_out"])
def test_abroad_a_name_that_is_not_listed_is_left_out(make, tenant, rule):
    areas = Areas(make(unknown_area=rule).client)
    assert coded(areas, ABROAD) == {
        "country": "3",
        "province": None,
        "city": "320",
        "district": None,
    }
    assert coded(areas, {"city": "Lyon"}, {"country": "3"}) == {"city": None}


def test_a_foreign_name_without_a_country_is_abroad_too(areas):
    assert coded(areas, {"city": "Chicago"}) == {"city": None}
    with pytest.raises(RecordError, match="is not in its list"):
        coded(areas, {"city": "无此市"})


def test_it_may_be_refused_abroad_too(make, tenant):
    areas = Areas(make(unknown_area="refuse").client)
    with pytest.raises(RecordError) as caught:
        coded(areas, ABROAD)
    assert caught.value.field == "province"


def test_at_home_a_name_that_is_not_listed_is_refused_unless_told_otherwise(make, tenant):
    wrong = {"country": "中国", "city": "杭洲市"}
    with pytest.raises(RecordError):
        coded(Areas(make().client), wrong)
    with pytest.raises(RecordError):
        coded(Areas(make().client), {"city": "杭洲市"}, {"country": "248"})
    lenient = Areas(make(unknown_area="leave_out").client)
    assert coded(lenient, wrong) == {"country": "248", "city": None}
    assert coded(lenient, {"country": "Atlantis"}) == {"country": None}


def test_an_emptied_area_is_emptied(areas):
    assert coded(areas, {"city": None, "district": ""}) == {"city": None, "district": None}


def test_codes_become_names_and_unknown_ones_stay(areas):
    row = {"country": 248, "province": "251", "city": "", "district": "77"}
    named = areas.named(row, LEVELS)
    assert named == {"country": "中国", "province": "浙江", "district": "77"}


def test_names_of_two_characters_keep_their_ending():
    book = AreaBook({"district": {"options": [{"label": "沙县", "value": "1"}]}})
    assert book.codes("district", "沙县", None) == ["1"]
    assert book.codes("district", "沙", None) == []


def test_the_list_is_read_once(areas, tenant):
    coded(areas, {"city": "杭州市"})
    coded(areas, {"city": "北京市"})
    assert len(tenant.asked("countryAreaOptions/get")) == 1


def test_an_answer_wrapped_in_data_is_read_as_well(connector, tenant):
    tree = {"country": {"options": [{"label": "中国", "value": "248"}]}}
    tenant.answer("countryAreaOptions/get", {"data": {"countryAreaOptions": tree}})
    assert coded(Areas(connector.client), {"country": "中国"}) == {"country": "248"}
    assert connector.client.call("/cgi/crm/countryAreaOptions/get", {}, Kind.READ)
