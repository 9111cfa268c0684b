"""The connector against a real Tryton server, with users and clerks who work in it meanwhile."""

import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from connectors.sdk import registry
from connectors.sdk.contract import Write
from connectors.sdk.errors import (
    AnswerLostError,
    ChangedError,
    GoneError,
    RecordError,
    SetupError,
    TransientError,
)
from connectors.sdk.http import Http
from connectors.testing.plain import PlainLimiter, PlainTokens, plain_http
from connectors.tryton import Tryton
from mapping.engine import canonicalise, project
from mapping.loader import load
from sandbox.tryton.desk import as_admin, make_sale
from sandbox.tryton.settings import wizard

pytestmark = [pytest.mark.tryton, pytest.mark.timeout(900)]
PARTY, CONTACT = "party.party", "party.contact"
USCC = "91440300000004MA10"
ADDRESS = {
    "street": "科技园路1号\n2栋",
    "city": "深圳市",
    "postal_code": "518000",
    "country": "CN",
    "subdivision": "广东省",
}


def tryton(server, http: Http | None = None, **changes) -> Tryton:
    config = {
        "url": server["base_url"],
        "database": server["database"],
        "login": server["login"],
        "password": server["password"],
        "overlap_seconds": 5,
        **changes,
    }
    return Tryton(Tryton.config_model.model_validate(config), http or plain_http())


@pytest.fixture
def connector(tryton_server):
    return tryton(tryton_server)


@pytest.fixture(scope="session")
def clerk(tryton_server):
    return as_admin(Path(tryton_server["folder"]))


def create(connector, data, name=PARTY, key=None):
    (outcome,) = connector.write(name, [Write(key or uuid4().hex, "create", data=data)])
    assert outcome.error is None, outcome.error
    return outcome.after


def update(connector, change, data, **more):
    write = Write("u", "update", change.remote_id, data, **more)
    (outcome,) = connector.write(change.object_name, [write])
    return outcome


def changed(connector, change, data):
    outcome = update(connector, change, data)
    assert outcome.error is None, outcome.error
    return outcome.after


def changes_since(connector, name, cursor):
    pages = list(connector.changes(name, cursor))
    return {c.remote_id: c for page in pages for c in page.changes}, pages[-1].cursor


def drained(connector, name):
    return changes_since(connector, name, None)[1]


def lines_of(clerk, party, kind):
    domain = [["party", "=", int(party.remote_id)], ["type", "=", kind]]
    return clerk.rows("party.contact_mechanism", domain, ["value"])


def test_a_customer_arrives_whole(connector):
    data = {
        "name": "深圳华信精密机械有限公司",
        "lang": "zh_CN",
        "identifiers": {"cn_vat": USCC},
        "phone": "+8675520000099",
        "mobile": "+8613800000099",
        "email": "Info@Example.com",
        "website": "https://example.com",
        "address": ADDRESS,
        "delivery_address": {"city": "上海市", "country": "CN", "subdivision": "上海"},
        "payment_term": "Net 30",
        "credit_limit": "50000.5",
    }
    native = create(connector, data).data
    assert native["code"]
    assert native["identifiers"]["cn_vat"] == USCC
    assert native["phone"] == "+86 755 2000 0099"  # as Tryton writes numbers
    assert native["address"] == ADDRESS
    assert native["delivery_address"]["subdivision"] == "上海市"
    kept = ("name", "lang", "email", "website", "payment_term", "credit_limit")
    assert {n: native[n] for n in kept} == {n: data[n] for n in kept}


def test_parts_are_changed_in_place(connector):
    party = create(connector, {"name": "In place", "phone": "+8675520000001", "address": ADDRESS})
    moved = changed(connector, party, {"phone": "+8675520000002", "address": {"city": "广州市"}})
    assert moved.data["child_ids"] == party.data["child_ids"]
    assert moved.data["phone"] == "+86 755 2000 0002"
    assert moved.data["address"] == {**ADDRESS, "city": "广州市"}
    assert moved.modified_at > party.modified_at
    assert moved.version != party.version


def test_what_is_emptied_is_archived_and_comes_back_as_new(connector, clerk):
    party = create(connector, {"name": "Emptied", "email": "a@example.com", "address": ADDRESS})
    bare = changed(connector, party, {"email": None, "address": None})
    assert (bare.data["email"], bare.data["address"]) == (None, None)
    hidden = [["party", "=", int(party.remote_id)], ["active", "=", False]]
    assert len(clerk.rows("party.contact_mechanism", hidden, ["value"])) == 1
    again = changed(connector, bare, {"email": "b@example.com", "address": {"city": "北京市"}})
    assert again.data["email"] == "b@example.com"
    assert again.data["address"]["city"] == "北京市"


def test_a_delivery_address_of_its_own_takes_over_the_deliveries(connector, clerk):
    party = create(connector, {"name": "Two places", "address": ADDRESS})
    assert party.data["delivery_address"] is None
    two = changed(connector, party, {"delivery_address": {"city": "苏州市", "country": "CN"}})
    assert two.data["address"] == ADDRESS
    assert two.data["delivery_address"]["city"] == "苏州市"
    domain = [["party", "=", int(party.remote_id)]]
    rows = clerk.rows("party.address", domain, ["city", "invoice", "delivery"])
    flags = {row["city"]: (bool(row["invoice"]), bool(row["delivery"])) for row in rows}
    assert flags == {"深圳市": (True, False), "苏州市": (False, True)}
    one = changed(connector, two, {"delivery_address": None})
    assert (one.data["address"], one.data["delivery_address"]) == (ADDRESS, None)


def test_another_country_drops_the_province_of_the_first(connector):
    party = create(connector, {"name": "Moved abroad", "address": ADDRESS})
    moved = changed(connector, party, {"address": {"country": "US"}})
    assert moved.data["address"] == {**ADDRESS, "country": "US", "subdivision": None}


def test_a_street_in_parts_is_replaced_by_the_new_one(connector, clerk):
    party = create(connector, {"name": "Street parts", "address": ADDRESS})
    address = party.data["child_ids"]["address"]
    parts = {"street_unstructured": None, "street_name": "Main Street", "building_number": "12"}
    clerk.model("party.address", "write", [address], parts)
    (seen,) = connector.fetch(PARTY, [party.remote_id])
    assert "Main Street" in seen.data["address"]["street"]
    new = changed(connector, seen, {"address": {"street": "Side Street 1"}})
    assert new.data["address"]["street"] == "Side Street 1"


@pytest.mark.parametrize(
    ("data", "field", "word"),
    [
        ({"address": {"country": "ZZ"}}, "address.country", "ZZ"),
        ({"address": {"country": "CN", "subdivision": "Atlantis"}}, "address.subdivision", "Atl"),
        ({"address": {"subdivision": "California"}}, "address.country", "country"),
        ({"address": {"subdivision": "没有这个省"}}, "address.country", "country"),
        ({"payment_term": "When pigs fly"}, "payment_term", "pigs"),
        ({"lang": "tlh"}, "lang", "tlh"),
        ({"phone": "12"}, "phone", "12"),
        ({"identifiers": {"cn_vat": "123"}}, "identifiers.cn_vat", "123"),
        ({"name": ""}, "name", "name"),
        ({"nonsense": 1}, "nonsense", "nonsense"),
    ],
)
def test_a_refused_value_names_its_field(connector, data, field, word):
    write = Write(uuid4().hex, "create", data={"name": "Refused", **data})
    (outcome,) = connector.write(PARTY, [write])
    assert isinstance(outcome.error, RecordError)
    assert outcome.error.field == field
    assert word in str(outcome.error)


def test_a_chinese_region_without_its_country_brings_the_country_along(connector):
    party = create(connector, {"name": "No country", "address": {"subdivision": "广东"}})
    assert party.data["address"]["subdivision"] == "广东省"
    assert party.data["address"]["country"] == "CN"
    emptied = changed(connector, party, {"address": {"country": None, "subdivision": "江苏省"}})
    assert emptied.data["address"]["country"] == "CN"
    assert emptied.data["address"]["subdivision"] == "江苏省"


def test_an_unknown_region_may_be_left_out(tryton_server):
    connector = tryton(tryton_server, unknown_region="leave_out")
    address = {"city": "Nowhere", "country": "CN", "subdivision": "Atlantis"}
    party = create(connector, {"name": "Left out", "address": address})
    assert party.data["address"]["city"] == "Nowhere"
    assert party.data["address"]["subdivision"] is None


def test_one_bad_record_among_many_costs_few_calls(tryton_server):
    http = plain_http(PlainLimiter())
    connector = tryton(tryton_server, http)
    run = uuid4().hex
    data = [{"name": f"Bulk {n}", "phone": f"+86755200{n:05d}"} for n in range(40)]
    data[17] = {"name": "Bad", "phone": "12"}
    batch = [Write(f"{run}-{n}", "create", data=each) for n, each in enumerate(data)]
    found = {o.key: o for o in connector.write(PARTY, batch)}
    assert len(found) == 40
    assert [key for key, outcome in found.items() if outcome.error] == [f"{run}-17"]
    assert http.limiter.writes <= 13  # 1 + 2 for each halving of 40, against 40 one by one
    again = connector.find(PARTY, [write.key for write in batch])
    assert len(again) == 39


def test_many_changes_are_one_write_call(tryton_server):
    http = plain_http(PlainLimiter())
    connector = tryton(tryton_server, http)
    run = uuid4().hex
    made = list(
        connector.write(
            PARTY, [Write(f"{run}-{n}", "create", data={"name": f"M {n}"}) for n in range(20)]
        )
    )
    before = http.limiter.writes
    batch = [
        Write(
            f"u{o.key}",
            "update",
            o.after.remote_id,
            {"email": f"m{n}@example.com"},
            o.after.version,
        )
        for n, o in enumerate(made)
    ]
    outcomes = list(connector.write(PARTY, batch))
    assert all(o.error is None and o.after.data["email"] for o in outcomes)
    assert http.limiter.writes == before + 1


def test_a_write_that_changes_nothing_is_not_sent(tryton_server):
    http = plain_http(PlainLimiter())
    connector = tryton(tryton_server, http)
    party = create(connector, {"name": "Same", "phone": "+86 755 2000 0003", "address": ADDRESS})
    before = http.limiter.writes
    outcome = update(connector, party, {"phone": "+86 755 2000 0003"})
    assert outcome.error is None
    assert outcome.after.version == party.version
    assert http.limiter.writes == before


def test_a_child_that_a_user_changes_alone_is_seen(connector, clerk):
    party = create(connector, {"name": "Child", "phone": "+8675520000004"})
    cursor = drained(connector, PARTY)
    line = party.data["child_ids"]["phone"]
    clerk.model("party.contact_mechanism", "write", [line], {"value": "+86 755 2000 0005"})
    seen, _ = changes_since(connector, PARTY, cursor)
    assert seen[party.remote_id].data["phone"] == "+86 755 2000 0005"
    assert seen[party.remote_id].version != party.version
    assert [party.edited, seen[party.remote_id].edited] == [False, True]


def test_a_users_change_of_a_part_is_not_overwritten(connector, clerk):
    party = create(connector, {"name": "Race", "phone": "+8675520000006"})
    line = party.data["child_ids"]["phone"]
    clerk.model("party.contact_mechanism", "write", [line], {"value": "+86 755 2000 0007"})
    write = {"phone": "+8675520000008"}
    outcome = update(connector, party, write, if_version=party.version)
    assert isinstance(outcome.error, ChangedError)
    assert lines_of(clerk, party, "phone")[0]["value"] == "+86 755 2000 0007"


def test_a_change_between_our_read_and_our_write_is_not_overwritten(connector, clerk):
    party = create(connector, {"name": "Narrow race", "phone": "+8675520000006"})
    line = party.data["child_ids"]["phone"]
    real = connector.rpc.write

    def meanwhile(method, *params, **more):
        clerk.model("party.contact_mechanism", "write", [line], {"value": "+86 755 2000 0007"})
        return real(method, *params, **more)

    connector.rpc.write = meanwhile
    outcome = update(connector, party, {"phone": "+8675520000008"})
    assert isinstance(outcome.error, ChangedError)
    assert lines_of(clerk, party, "phone")[0]["value"] == "+86 755 2000 0007"


def test_one_stale_record_does_not_hold_back_its_neighbours(connector, clerk):
    parties = [create(connector, {"name": f"Stale {n}"}) for n in range(3)]
    real = connector.rpc.write

    def meanwhile(method, *params, **more):
        connector.rpc.write = real
        clerk.model(PARTY, "write", [int(parties[1].remote_id)], {"name": "By a user"})
        return real(method, *params, **more)

    connector.rpc.write = meanwhile
    batch = [Write(f"s{n}", "update", p.remote_id, {"name": "Ours"}) for n, p in enumerate(parties)]
    errors = {o.key: type(o.error) for o in connector.write(PARTY, batch)}
    assert errors == {"s0": type(None), "s1": ChangedError, "s2": type(None)}


def test_a_create_whose_answer_is_lost_is_found_by_its_key(connector):
    real = connector.http.session.request

    def lose(*args, **kwargs):
        real(*args, **kwargs)
        raise requests.ReadTimeout("too late")

    connector.check()
    connector.lookups.own_parties  # noqa: B018  so that the next call is the create
    connector.http.session.request = lose
    key = uuid4().hex
    with pytest.raises(AnswerLostError):
        list(connector.write(PARTY, [Write(key, "create", data={"name": "In doubt"})]))
    connector.http.session.request = real
    found = connector.find(PARTY, [key])
    assert found[key].data["name"] == "In doubt"
    assert found[key].data["hub_key"] == key


def test_the_key_may_be_given_to_a_party_that_was_there(connector, clerk):
    made = clerk.create(PARTY, [{"name": "Was there"}])[0]
    (party,) = connector.fetch(PARTY, [str(made)])
    key = uuid4().hex
    keyed = changed(connector, party, {"hub_key": key})
    assert keyed.data["hub_key"] == key
    assert keyed.data["identifiers"]["cn_vat"] is None
    assert connector.find(PARTY, [key])[key].remote_id == str(made)


def test_archived_parties_are_tombstones_and_come_back(connector, clerk):
    party = create(connector, {"name": "To the archive"})
    cursor = drained(connector, PARTY)
    clerk.model(PARTY, "write", [int(party.remote_id)], {"active": False})
    seen, cursor = changes_since(connector, PARTY, cursor)
    assert seen[party.remote_id].data is None
    assert isinstance(update(connector, party, {"name": "Ghost"}).error, GoneError)
    clerk.model(PARTY, "write", [int(party.remote_id)], {"active": True})
    seen, _ = changes_since(connector, PARTY, cursor)
    assert seen[party.remote_id].data["name"] == "To the archive"


def test_deleting_for_good_needs_the_setting_and_a_party_without_business(tryton_server, clerk):
    connector = tryton(tryton_server, on_delete="delete")
    party = create(connector, {"name": "For good"})
    (outcome,) = connector.write(PARTY, [Write("d", "delete", party.remote_id)])
    assert outcome.error is None
    assert not clerk.rows(PARTY, [["id", "=", int(party.remote_id)]], ["name"])


def test_a_merged_party_names_its_winner(connector, clerk):
    key = uuid4().hex
    winner = create(connector, {"name": "Twins Ltd"})
    loser = create(connector, {"name": "Twins Ltd"}, key=key)
    record = {"active_model": PARTY, "active_id": int(loser.remote_id)}
    record["active_ids"] = [int(loser.remote_id)]
    ask = {"source": int(loser.remote_id), "destination": int(winner.remote_id)}
    with wizard(clerk, "party.replace") as (execute, session):
        clerk.call(execute, session, {}, "ask", **record)
        clerk.call(execute, session, {"ask": ask}, "replace", **record)
    found = {c.remote_id: c for c in connector.fetch(PARTY, [winner.remote_id, loser.remote_id])}
    assert found[loser.remote_id].data is None
    assert found[loser.remote_id].merged_into == winner.remote_id
    assert found[winner.remote_id].data is not None
    assert connector.find(PARTY, [key])[key].remote_id == winner.remote_id


def test_a_contact_is_a_person_who_works_for_a_customer(connector):
    first, second = (create(connector, {"name": f"Employer {n}"}) for n in range(2))
    key = uuid4().hex
    data = {
        "name": "王采购",
        "customer": first.remote_id,
        "job_title": "采购经理",
        "mobile": "+8613800000001",
        "email": "wang@example.com",
    }
    person = create(connector, data, CONTACT, key)
    assert person.data["customer"] == first.remote_id
    assert person.data["job_title"] == "采购经理"
    assert connector.find(CONTACT, [key])[key].remote_id == person.remote_id
    assert not connector.find(PARTY, [key])
    assert [c.data for c in connector.fetch(PARTY, [person.remote_id])] == [None]
    moved = changed(connector, person, {"customer": second.remote_id, "job_title": "总监"})
    assert (moved.data["customer"], moved.data["job_title"]) == (second.remote_id, "总监")
    refused = update(connector, person, {"customer": None})
    assert isinstance(refused.error, RecordError)
    assert refused.error.field == "customer"


def test_a_part_that_a_user_archives_alone_is_seen(connector, clerk):
    party = create(connector, {"name": "Archived part", "phone": "+8675520000004"})
    cursor = drained(connector, PARTY)
    line = party.data["child_ids"]["phone"]
    clerk.model("party.contact_mechanism", "write", [line], {"active": False})
    seen, _ = changes_since(connector, PARTY, cursor)
    assert seen[party.remote_id].data["phone"] is None


def test_a_person_whom_a_user_adds_to_a_company_becomes_a_contact(connector, clerk):
    company = create(connector, {"name": "Hires"})
    person = clerk.create(PARTY, [{"name": "新同事"}])[0]
    cursor = drained(connector, CONTACT)
    employs = clerk.only("party.relation.type", [["name", "=", "employs"]])
    relations = [["create", [{"type": employs, "to": person}]]]
    clerk.model(PARTY, "write", [int(company.remote_id)], {"relations": relations})
    seen, _ = changes_since(connector, CONTACT, cursor)
    assert seen[str(person)].data["customer"] == company.remote_id


def test_quiet_contacts_stay_quiet(connector):
    company = create(connector, {"name": "Quiet"})
    person = create(connector, {"name": "静", "customer": company.remote_id}, CONTACT)
    (first,) = connector.fetch(CONTACT, [person.remote_id])
    (second,) = connector.fetch(CONTACT, [person.remote_id])
    assert first == second == person


def test_our_own_company_is_nobodys_customer(connector, tryton_server):
    own = str(tryton_server["company_party"])
    seen, _ = changes_since(connector, PARTY, None)
    assert own not in seen
    assert [c.data for c in connector.fetch(PARTY, [own])] == [None]


def test_contacts_that_are_not_synced_are_no_customers(connector, tryton_server):
    company = create(connector, {"name": "Without contacts"})
    person = create(connector, {"name": "赵", "customer": company.remote_id}, CONTACT)
    narrow = tryton(tryton_server, contacts=False, facts=False)
    assert narrow.objects() == [PARTY]
    assert [c.data for c in narrow.fetch(PARTY, [person.remote_id])] == [None]


def test_a_category_narrows_who_is_a_customer(connector, clerk, tryton_server):
    clerk.ensure("party.category", [["name", "=", "Customer"]], {"name": "Customer"})
    narrow = tryton(tryton_server, category="Customer")
    other = create(connector, {"name": "A supplier"})
    made = create(narrow, {"name": "A customer"})
    found = {c.remote_id: c for c in narrow.fetch(PARTY, [other.remote_id, made.remote_id])}
    assert found[other.remote_id].data is None
    assert found[made.remote_id].data["name"] == "A customer"
    seen, _ = changes_since(narrow, PARTY, None)
    assert made.remote_id in seen
    assert other.remote_id not in seen


def test_persons_are_told_apart_by_their_category(connector):
    person = create(connector, {"name": "李先生", "kind": "person"})
    assert person.data["kind"] == "person"
    assert changed(connector, person, {"kind": "organisation"}).data["kind"] == "organisation"


def test_sale_invoice_and_payment_are_read(connector, tryton_server):
    party = create(connector, {"name": "Buys", "payment_term": "Net 30", "address": ADDRESS})
    cursors = {name: drained(connector, name) for name in connector.objects()[2:]}
    sold = make_sale(
        Path(tryton_server["folder"]),
        party=int(party.remote_id),
        amount=Decimal(300),
        quantity=Decimal(3),
        reference="PO-1",
        paid=True,
    )
    found = {
        name: next(
            c
            for c in changes_since(connector, name, cursor)[0].values()
            if c.data["party"] == party.remote_id
        )
        for name, cursor in cursors.items()
    }
    sale, invoice, payment = (found[n].data for n in ("sale.sale", "account.invoice", "payment"))
    assert (sale["number"], sale["reference"]) == (sold.number, "PO-1")
    assert Decimal(sale["total_amount"]) == 300
    assert [Decimal(line["quantity"]) for line in sale["lines"]] == [3]
    assert sale["payment_term"] == "Net 30"
    assert (invoice["state"], invoice["sale"]) == ("paid", sale["id"])
    assert Decimal(invoice["amount_to_pay"]) == 0
    assert (payment["invoice"], payment["sale"]) == (invoice["id"], sale["id"])
    assert Decimal(payment["amount"]) == 300
    assert payment["currency"] == "CNY"


def test_facts_are_refused_as_writes(connector):
    (outcome,) = connector.write("sale.sale", [Write("x", "update", "1", {"number": "9"})])
    assert isinstance(outcome.error, RecordError)


def test_paging_skips_nothing_while_users_work(connector, clerk):
    made = [create(connector, {"name": f"Page {n}"}) for n in range(9)]
    connector.page_size = 4
    pages = connector.changes(PARTY, None)
    seen = {c.remote_id for c in next(pages).changes}
    clerk.model(PARTY, "write", [int(made[0].remote_id)], {"name": "moved to the end"})
    clerk.model(PARTY, "delete", [int(made[5].remote_id)])
    rest = [c for page in pages for c in page.changes]
    seen |= {c.remote_id for c in rest}
    assert {p.remote_id for p in made} - seen <= {made[5].remote_id}
    assert any(c.data and c.data["name"] == "moved to the end" for c in rest)


def test_a_dead_session_is_renewed_once_by_many_threads(tryton_server):
    tokens = PlainTokens()
    connector = tryton(tryton_server, plain_http(tokens=tokens))
    connector.check()
    dead = tokens.current()
    tokens._token = replace(dead, value="0" * 64)
    http = [plain_http(tokens=tokens) for _ in range(4)]
    others = [tryton(tryton_server, each) for each in http]
    found = []
    threads = [
        threading.Thread(target=lambda c=c: found.append(list(c.fetch(PARTY, ["1"]))))
        for c in others
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert tokens.grants == 2


def test_wrong_set_ups_say_what_to_mend(tryton_server):
    cases = {
        "database": ({"database": "nowhere"}, SetupError, "nowhere"),
        "password": ({"password": "wrong"}, SetupError, "password"),
        "relation": ({"contact_relation": "knows"}, SetupError, "knows"),
        "host": ({"url": "http://127.0.0.1:9"}, TransientError, "address"),
    }
    for changes, kind, word in cases.values():
        with pytest.raises(kind, match=word):
            tryton(tryton_server, **changes).check()


def test_a_user_without_rights_is_told_so(tryton_server, clerk):
    login, password = f"weak-{uuid4().hex[:8]}", uuid4().hex
    company = clerk.context["company"]
    user = {"name": "Weak", "login": login, "password": password, "company": company}
    clerk.create("res.user", [{**user, "companies": [["add", [company]]]}])
    connector = tryton(tryton_server, login=login, password=password)
    with pytest.raises(SetupError, match=r"may not read sale\.sale"):
        connector.check()
    with pytest.raises(SetupError, match="refuses to tell"):
        list(connector.changes("sale.sale", None))


def mapped(name):
    files = {file.name: file for file in registry.mapping_files(Tryton)}
    return load(files[name].read_text(encoding="utf-8"), name=name)


CUSTOMER = {
    "kind": "organisation",
    "name": "苏州恒达电子科技有限公司",
    "language": "zh-CN",
    "identifiers[cn:uscc]": USCC,
    "phones[work]": "+8651220000001",
    "phones[mobile]": "+8613800000001",
    "phones[fax]": "+8651220000002",
    "emails[work]": "info@example.com",
    "website": "https://example.com",
    "addresses[billing].street": "工业园路1号\n3栋",
    "addresses[billing].city": "苏州市",
    "addresses[billing].region": "江苏省",
    "addresses[billing].postcode": "215000",
    "addresses[billing].country": "CN",
    "addresses[shipping].street": "Hafenstraße 5",
    "addresses[shipping].city": "Hamburg",
    "addresses[shipping].region": None,
    "addresses[shipping].postcode": "20095",
    "addresses[shipping].country": "DE",
    "payment_term": "Net 60",
    "credit_limit": "120000.5",
}
PERSON = {
    "name": "陈采购",
    "job_title": "采购总监",
    "language": "en",
    "phones[work]": "+8651220000003",
    "phones[mobile]": "+8613800000002",
    "emails[work]": "chen@example.com",
}


def test_a_golden_record_comes_back_the_same(connector):
    spec = mapped("party.yaml")
    made = create(connector, project(spec, CUSTOMER, creating=True))
    back = canonicalise(spec, made.data)
    assert {path: back[path] for path in CUSTOMER} == CUSTOMER
    cleared = dict.fromkeys(CUSTOMER) | {"name": CUSTOMER["name"], "kind": "organisation"}
    bare = changed(connector, made, project(spec, cleared))
    back = canonicalise(spec, bare.data)
    assert {path: back[path] for path in CUSTOMER} == cleared
    again = changed(connector, bare, project(spec, CUSTOMER))
    back = canonicalise(spec, again.data)
    assert {path: back[path] for path in CUSTOMER} == CUSTOMER


def test_a_golden_contact_comes_back_the_same(connector):
    spec = mapped("contact.yaml")
    company = create(connector, {"name": "Employer"})
    person = {**PERSON, "customer": company.remote_id}
    made = create(connector, project(spec, person, creating=True), CONTACT)
    back = canonicalise(spec, made.data)
    assert {path: back[path] for path in person} == person
