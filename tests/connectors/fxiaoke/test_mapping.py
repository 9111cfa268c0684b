"""The default mappings: they load, fit the described objects, and values survive the round trip."""

import uuid

import pytest

from connectors.fxiaoke import CONNECTOR
from connectors.sdk.contract import Write
from connectors.sdk.registry import mapping_files
from mapping import engine, loader

SPECS = {
    spec.object: spec
    for spec in (
        loader.load(file.read_text("utf-8"), name=file.name) for file in mapping_files(CONNECTOR)
    )
}

CUSTOMER = {
    "stage": "customer",
    "name": "杭州西湖龙井茶业有限公司",
    "legal_name": "杭州西湖龙井茶业有限公司",
    "number": "K-00017",
    "identifiers[cn:uscc]": "91330100799655058B",
    "website": "https://example.cn/茶",
    "phones[work]": "+8657187654321;ext=12",
    "phones[mobile]": "+8613812345678",
    "phones[fax]": "+4930123456",
    "emails[work]": "info@example.cn",
    "addresses[billing].country": "CN",
    "addresses[billing].region": "浙江省",
    "addresses[billing].city": "杭州市",
    "addresses[billing].district": "西湖区",
    "addresses[billing].street": "龙井路 1 号\n2 楼",
    "addresses[billing].postcode": "310013",
    "credit_limit": "120000.5",
    "payment_term": "月结 30 天",
    "currency": "CNY",
    "blocked": False,
    "language": "zh-CN",
    "notes": "老客户 🍵\n第二行",
}
LEAD = {
    "stage": "lead",
    "name": "Grüne Teehaus GmbH",
    "contact_name": "欧阳娜娜",
    "job_title": "Einkäuferin",
    "website": "https://example.de",
    "phones[work]": "+4930123456",
    "phones[mobile]": "+8613912345678",
    "emails[work]": "na@example.de",
    "addresses[billing].street": "Hauptstraße 1",
    "notes": "展会",
}
ORDER = {
    "number": "SO-17",
    "ordered_on": "2026-03-31",
    "total": "123.45",
    "reference": "PO 4711",
    "lines": [
        {
            "product_code": "TEA-1",
            "description": "龙井\n一级",
            "quantity": "2.5",
            "unit": "件",
            "unit_price": "40",
            "amount": "100",
        },
        {"description": "运费", "quantity": "1", "unit_price": "23.45", "amount": "23.45"},
    ],
}
PAYMENT = {"number": "R-9", "paid_on": "2026-01-01", "amount": "23.45", "method": "银行转账"}


def test_each_object_has_a_mapping():
    assert SPECS.keys() == set(CONNECTOR.objects(None))


def test_every_native_field_is_described_and_may_be_written(standin):
    connector = standin.connect()
    for name, spec in SPECS.items():
        schema = connector.schema(name)
        for rule in spec.fields:
            for native in rule.natives:
                field = schema.find(native)
                assert field is not None, (name, native)
                assert rule.direction == "in" or field.writable, (name, native)
        assert schema.find(spec.hub_key).writable


def stored(connector, spec, values):
    native = engine.project(spec, values, creating=True)
    write = Write(uuid.uuid4().hex, "create", data=native)
    outcome = next(iter(connector.write(spec.object, [write])))
    assert outcome.error is None
    assert engine.hub_key(spec, outcome.after.data) == write.key
    assert engine.remote_id(spec, outcome.after.data) == outcome.remote_id
    return outcome.after


def read_back(spec, after, values):
    """What is read of the paths that were written."""
    back = engine.canonicalise(spec, after.data)
    return {path: back.get(path) for path in values if path in spec.read_paths}


@pytest.mark.parametrize("convention", ["header", "body"])
@pytest.mark.parametrize(("name", "values"), [("AccountObj", CUSTOMER), ("LeadsObj", LEAD)])
def test_a_customer_survives_the_round_trip(standin, convention, name, values):
    spec, connector = SPECS[name], standin.connect(convention)
    after = stored(connector, spec, values)
    assert read_back(spec, after, values) == {
        p: v for p, v in values.items() if p in spec.read_paths
    }
    assert engine.canonicalise(spec, after.data)["stage"] == values["stage"]


def test_nearly_empty_customers_survive_it_too(standin):
    connector = standin.connect()
    spec = SPECS["AccountObj"]
    after = stored(connector, spec, {"name": "只有名字", "stage": "customer"})
    values = engine.canonicalise(spec, after.data)
    assert {path for path, value in values.items() if value is not None} == {"name", "stage"}
    lead = SPECS["LeadsObj"]
    after = stored(connector, lead, {"name": "只有公司"})
    assert engine.canonicalise(lead, after.data)["contact_name"] == "只有公司"


def test_a_contact_belongs_to_its_customer(standin):
    connector = standin.connect()
    customer = stored(connector, SPECS["AccountObj"], CUSTOMER).remote_id
    values = {
        "name": "李雷",
        "customer": customer,
        "job_title": "采购经理",
        "department": "采购部",
        "phones[work]": "+862112345678",
        "phones[mobile]": "+8613700001111",
        "emails[work]": "li.lei@example.cn",
        "language": "zh",
        "notes": "喜欢茶",
    }
    spec = SPECS["ContactObj"]
    assert read_back(spec, stored(connector, spec, values), values) == values


def test_facts_arrive_with_lines_days_and_their_order(standin):
    connector = standin.connect()
    customer = stored(connector, SPECS["AccountObj"], CUSTOMER).remote_id
    spec, values = SPECS["SalesOrderObj"], {**ORDER, "customer": customer}
    after = stored(connector, spec, values)
    back = read_back(spec, after, values)
    lines = [{k: v for k, v in line.items() if v is not None} for line in back.pop("lines")]
    expected = {path: value for path, value in values.items() if path != "lines"}
    assert back == expected
    assert lines == ORDER["lines"]
    assert after.data["order_time"] == 1_774_886_400_000  # midnight in Beijing, the day before UTC
    spec = SPECS["PaymentObj"]
    values = {**PAYMENT, "customer": customer, "order": after.remote_id}
    assert read_back(spec, stored(connector, spec, values), values) == values


def test_leads_and_customers_go_their_own_ways():
    for stage, where in (
        ("lead", "LeadsObj"),
        ("prospect", "AccountObj"),
        ("former", "AccountObj"),
    ):
        found = [n for n in ("LeadsObj", "AccountObj") if engine.wanted(SPECS[n], {"stage": stage})]
        assert found == [where]


def test_a_transformed_lead_names_its_account():
    spec = SPECS["LeadsObj"]
    assert engine.moved_to(spec, {"account_id": "a1"}) == ("AccountObj", "a1")
    assert engine.moved_to(spec, {"account_id": None}) is None


def test_facts_are_never_taken_in():
    for name in ("SalesOrderObj", "PaymentObj"):
        assert SPECS[name].in_paths == frozenset()
