"""The connector against a running stand-in, over real HTTP, in both conventions."""

import itertools
import json
import threading
import time
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from connectors.sdk.contract import Delivery, Write
from connectors.sdk.errors import (
    AnswerLostError,
    ConnectorError,
    GoneError,
    RecordError,
    SetupError,
    ThrottledError,
    TransientError,
)
from connectors.testing.plain import PlainTokens

_numbers = itertools.count(1)


@pytest.fixture(params=["header", "body"])
def convention(request):
    return request.param


@pytest.fixture
def live(standin, convention):
    return standin.connect(convention)


def create(name="杭州华为 🚀 Straße", **data):
    return Write(uuid.uuid4().hex, "create", data={"name": f"{name} {next(_numbers)}", **data})


def send(connector, *batch, object_name="AccountObj"):
    outcomes, error = {}, None
    try:
        for outcome in connector.write(object_name, batch):
            outcomes[outcome.key] = outcome
    except ConnectorError as exc:
        error = exc
    return outcomes, error


def only(connector, write, object_name="AccountObj"):
    outcomes, error = send(connector, write, object_name=object_name)
    assert error is None
    return outcomes[write.key]


def made(connector, object_name="AccountObj", **data):
    outcome = only(connector, create(**data), object_name)
    assert outcome.error is None
    return outcome.after


def listed(connector, object_name, cursor=None):
    found = {}
    for page in connector.changes(object_name, cursor):
        found |= {change.remote_id: change for change in page.changes}
        cursor = json.loads(json.dumps(page.cursor))
    return found, cursor


def test_check_passes_and_names_what_is_wrong(standin, convention):
    standin.connect(convention).check()
    for wrong in ({"app_secret": "x"}, {"app_id": "x"}, {"permanent_code": "x"}):
        with pytest.raises(SetupError) as caught:
            standin.connect(convention, **wrong).check()
        assert caught.value.hint
    with pytest.raises(SetupError):
        standin.connect(convention, user_id="FSUID_nobody" if convention == "body" else "9").check()
    with pytest.raises(SetupError, match="missing__c"):
        standin.connect(convention, hub_key_field="missing__c").check()


def test_an_unknown_mobile_is_named(standin):
    for answer in ("empty", "error"):
        standin.switch(mobile_unknown=answer)
        with pytest.raises(SetupError, match="mobile"):
            standin.connect("body", mobile="13911112222").check()


def test_a_record_comes_back_as_it_was_written(live):
    data = {
        "tel": "+8657112345678",
        "fax": "+8657112345679",
        "email": "käufer@例子.cn",
        "url": "https://例子.cn",
        "country": "中国",
        "province": "浙江",
        "city": "杭州市",
        "district": "西湖区",
        "address": "文三路 90 号\n3 楼",
        "uniform_social_credit_code": "91330100799655058B",
        "legal_name__c": "杭州某某有限公司",
        "credit_limit__c": "120000.50",
        "blocked__c": True,
        "remark": "多行\n备注 😀",
    }
    change = made(live, **data)
    assert {name: change.data[name] for name in data} == data
    assert change.data["mobile__c"] is None
    assert change.version
    again = next(live.fetch("AccountObj", [change.remote_id]))
    assert again == change


def test_an_update_moves_only_what_it_names(live):
    change = made(live, tel="1", fax="2")
    update = Write("u", "update", change.remote_id, {"tel": "3", "email": "a@b.cn"})
    after = only(live, update).after
    assert (after.data["tel"], after.data["fax"], after.data["email"]) == ("3", "2", "a@b.cn")
    assert after.version != change.version


def test_find_settles_a_create_whose_answer_was_lost(live, standin):
    write = create()
    standin.post("/faults", kind="drop_answer", path="/data/create")
    outcomes, error = send(live, write)
    assert outcomes == {}
    assert isinstance(error, AnswerLostError)
    found = live.find("AccountObj", [write.key, "unknown"])
    assert list(found) == [write.key]
    assert found[write.key].data["name"] == write.data["name"]


def test_the_same_create_twice_makes_one_record(live):
    write = create()
    first = only(live, write)
    second = only(live, write)
    assert first.error is None
    assert second.remote_id == first.remote_id


def test_a_mixed_batch_has_an_outcome_for_each(live):
    kept, gone = made(live), made(live)
    batch = [
        create(),
        create(email="not a mail"),
        Write("update", "update", kept.remote_id, {"tel": "5"}),
        Write("delete", "delete", gone.remote_id),
        Write("nobody", "update", "f" * 24, {"tel": "5"}),
        create("x" * 300),
        create(country="Atlantis"),
        create("谢谢"),
    ]
    outcomes, error = send(live, *batch)
    assert error is None
    errors = [outcomes[write.key].error for write in batch]
    assert [type(one) for one in errors] == [
        type(None), RecordError, type(None), type(None), GoneError, RecordError, RecordError,
        type(None),
    ]  # fmt: skip
    assert [errors[n].field for n in (1, 5, 6)] == ["email", "name", "country"]
    assert outcomes["delete"].after.data is None
    assert "no longer exists" in str(errors[4])


def test_polls_see_edits_deletes_and_nothing_twice_without_end(live, standin):
    one, two, three = (made(live).remote_id for _ in range(3))
    everything, cursor = listed(live, "AccountObj")
    assert {one, two, three} <= everything.keys()
    standin.post(f"/records/AccountObj/{two}", fields={"tel": "777"})
    standin.post(f"/records/AccountObj/{three}/invalid")
    found, cursor = listed(live, "AccountObj", cursor)
    assert found[two].data["tel"] == "777"
    assert found[three].data is None


@pytest.mark.parametrize("invalid_rows", [True, False])
def test_fetch_tells_what_is_gone(live, standin, invalid_rows):
    standin.switch(query_returns_invalid=invalid_rows)
    here, archived, deleted = (made(live).remote_id for _ in range(3))
    standin.post(f"/records/AccountObj/{archived}/invalid")
    standin.post(f"/records/AccountObj/{deleted}/delete")
    ids = [deleted, here, "0" * 24, archived, here]
    found = {change.remote_id: change.data for change in live.fetch("AccountObj", ids)}
    assert found.keys() == set(ids)
    assert [name for name, data in found.items() if data] == [here]


def test_a_listing_passes_the_wall_of_ten_thousand(standin):
    connector = standin.connect()
    pages = list(connector.changes("object_8w9cb__c", None))
    ids = [change.remote_id for page in pages for change in page.changes]
    assert len(ids) == len(set(ids)) >= 10_250
    assert standin.calls()["paths"]["/cgi/crm/custom/v2/data/query"]["calls"] == len(pages)


@pytest.mark.parametrize("value", ["number", "string"])
def test_numbers_and_versions_may_have_either_form(standin, value):
    standin.switch(numbers_as=value, version_type=value)
    connector = standin.connect()
    change = made(connector, credit_limit__c="12.50")
    assert float(change.data["credit_limit__c"]) == 12.5
    assert change.version == "1"


@pytest.mark.parametrize("form", ["null", "empty", "both"])
def test_a_cleared_field_is_empty_in_every_tenant(live, standin, form):
    standin.switch(clear_with=form)
    change = made(live, tel="1", city="杭州市", credit_limit__c="5", blocked__c=True)
    names = ("tel", "city", "credit_limit__c", "blocked__c")
    write = Write("c", "update", change.remote_id, dict.fromkeys(names))
    after = only(live, write).after
    assert [after.data[name] for name in names] == [None] * 4
    again = made(live, tel="1")
    standin.post("/calls/reset")
    only(live, Write("c", "update", again.remote_id, {"tel": None}))
    assert standin.calls()["totals"]["write"] == 1  # the form is known by now


@pytest.mark.parametrize("rule", ["off", "warn", "block"])
def test_the_tenants_duplicate_rule_does_not_answer_for_the_hub(live, standin, rule):
    standin.switch(duplicate_rule_on_create=rule)
    first, second = (Write(uuid.uuid4().hex, "create", data={"name": "同名"}) for _ in range(2))
    assert only(live, first).error is None
    assert only(live, second).error is None


@pytest.mark.parametrize("tells", [True, False])
def test_custom_objects_may_tell_no_id(live, standin, tells):
    standin.switch(custom_create_returns_dataId=tells)
    if "kehub_key__c" not in live.schema("object_8w9cb__c").fields:
        standin.post("/fields/object_8w9cb__c", api_name="kehub_key__c", type="text")
        live = standin.connect(live.config.convention)
    assert made(live, "object_8w9cb__c").remote_id


@pytest.mark.parametrize("code", [30004, 14001])
def test_a_throttled_batch_leaves_nothing_in_doubt(standin, code):
    standin.switch(throttle_code=code)
    connector = standin.connect(parallel=2)
    standin.post("/limits", calls=8)
    batch = [create() for _ in range(12)]
    outcomes, error = send(connector, *batch)
    assert error is None
    done = [key for key, outcome in outcomes.items() if outcome.error is None]
    late = [outcome.error for outcome in outcomes.values() if outcome.error]
    assert len(done) == 8
    assert len(outcomes) == 12
    assert all(isinstance(one, TransientError) and one.retry_after for one in late)


def test_at_our_own_pace_the_system_never_says_no(standin):
    """Two seconds stand for twenty: the vendor's window, our bucket, a burst of writers."""
    standin.post("/limits", calls=20, window_ms=2000)
    connector = standin.connect(parallel=8)
    rate = type(connector).rates(standin.connect(calls_per_20_seconds=18).config)["*"]
    bucket = Bucket(rate.calls / 2, rate.burst)
    connector.http.limiter.acquire = bucket.acquire
    connector.client.sleep = time.sleep
    batch = [create() for _ in range(30)]
    started = time.monotonic()
    while batch:
        outcomes, error = send(connector, *batch)
        assert error is None
        batch = [write for write in batch if outcomes[write.key].error]
    assert time.monotonic() - started < 10
    assert standin.calls()["paths"]["/cgi/crm/v2/data/create"]["failed"] == 0


class Bucket:
    """A token bucket for each interface, as the hub has one."""

    def __init__(self, speed, burst):
        self._speed, self._burst = speed, burst
        self._levels = {}
        self._lock = threading.Lock()

    def acquire(self, interface, cost=1):
        with self._lock:
            now = time.monotonic()
            level, since = self._levels.get(interface, (self._burst, now))
            level = min(self._burst, level + (now - since) * self._speed)
            if level < cost:
                return (cost - level) / self._speed
            self._levels[interface] = (level - cost, now)
            return 0.0


def test_a_used_up_day_says_when_to_go_on(live, standin):
    live.check()
    standin.post("/limits", used_today=100_000)
    try:
        with pytest.raises(ThrottledError) as caught:
            live.check()
        assert 0 < caught.value.retry_after <= 86_401
    finally:
        standin.post("/limits", used_today=0)


@pytest.mark.parametrize("what", ["pack_bought", "app_enabled", "app_authorised"])
def test_what_the_admin_switched_off_is_named(live, standin, what):
    live.check()
    standin.post("/limits", **{what: False})
    with pytest.raises(SetupError) as caught:
        live.check()
    assert caught.value.hint


@pytest.mark.parametrize("how", ["expire", "revoke"])
def test_a_token_that_dies_in_a_batch_is_renewed_once(live, standin, how):
    tokens = live.http.tokens
    live.check()
    standin.post(f"/tokens/{how}")
    outcomes, error = send(live, *(create() for _ in range(8)))
    assert error is None
    assert [o.error for o in outcomes.values()] == [None] * 8
    assert tokens.grants == 2


def test_many_workers_never_ask_for_a_token_at_once(standin, convention):
    tokens = PlainTokens()
    workers = [standin.connect(convention, tokens=tokens) for _ in range(6)]
    errors = []

    def work(connector):
        try:
            for _ in range(3):
                connector.check()
        except ConnectorError as exc:
            errors.append(exc)

    for _ in range(2):
        standin.post("/tokens/revoke")
        threads = [threading.Thread(target=work, args=(one,)) for one in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert errors == []
    assert tokens.grants == 2


def test_required_trace_ids_are_sent(standin):
    standin.switch(require_thirdTraceId=True)
    standin.connect("header").check()


@pytest.mark.parametrize("code", [999, 32000, 201110001])
def test_locked_rows_are_known_whatever_code_refuses_them(live, standin, code):
    standin.switch(business_error_code=code)
    row = made(live).remote_id
    standin.post(f"/records/AccountObj/{row}/lock")
    for write in (Write("u", "update", row, {"tel": "1"}), Write("d", "delete", row)):
        error = only(live, write).error
        assert isinstance(error, TransientError)
        assert error.retry_after == 3600
    standin.post(f"/records/AccountObj/{row}/unlock")
    assert only(live, Write("u", "update", row, {"tel": "1"})).error is None


def test_a_row_under_approval_waits(standin, convention):
    standin.post("/approvals", AccountObj=True)
    connector = standin.connect(convention, trigger_approval=True)
    change = made(connector)
    assert change.data["life_status"] == "under_review"
    update = Write("u", "update", change.remote_id, {"tel": "1"})
    assert only(connector, update).error.retry_after == 3600
    standin.post(f"/records/AccountObj/{change.remote_id}/approve")
    waiting = only(connector, update)
    assert waiting.error is None
    assert waiting.after.data["tel"] is None  # until somebody agrees
    quiet = standin.connect(convention)
    assert made(quiet).data["life_status"] == "normal"


def test_an_archived_row_is_not_brought_back_silently(live, standin):
    row = made(live).remote_id
    only(live, Write("d", "delete", row))
    error = only(live, Write("u", "update", row, {"tel": "1"})).error
    assert isinstance(error, RecordError)
    assert "作废" in str(error)
    assert only(live, Write("d", "delete", row)).error is None
    assert standin.rows("AccountObj", f"?id={row}")[0]["life_status"] == "invalid"


@pytest.mark.parametrize("answer", ["ignore", "error"])
def test_an_owner_is_changed_by_its_own_call(standin, answer):
    standin.switch(owner_on_update=answer)
    connector = standin.connect()
    row = made(connector)
    assert row.data["owner"] == [standin.told["user_id"]]
    after = only(connector, Write("u", "update", row.remote_id, {"owner": ["1001"], "tel": "1"}))
    assert after.after.data["owner"] == ["1001"]
    assert after.after.data["tel"] == "1"
    bad = only(connector, Write("u", "update", row.remote_id, {"owner": ["nobody"]}))
    assert isinstance(bad.error, RecordError)


def test_in_the_body_convention_owners_have_open_ids(standin):
    connector = standin.connect("body")
    owner = made(connector).data["owner"]
    assert owner == [connector.client.actor()]
    assert owner[0].startswith("FSUID_")


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error", "code": -1},
        {"kind": "error", "code": 50009},
        {"kind": "error", "code": -2},
        {"kind": "http", "status": 502},
        {"kind": "http", "status": 200},
        {"kind": "drop_connection"},
        {"kind": "drop_answer"},
    ],
)
def test_one_trouble_hurts_neither_reads_nor_updates(live, standin, fault):
    row = made(live).remote_id
    standin.post("/faults", path="/data/query", **fault)
    assert next(live.fetch("AccountObj", [row])).data
    standin.post("/faults", path="/data/update", **fault)
    assert only(live, Write("u", "update", row, {"tel": "9"})).after.data["tel"] == "9"
    standin.post("/faults", path="/data/create", **fault)
    write = create()
    outcomes, error = send(live, write)
    if error is None:
        assert outcomes[write.key].error is None
        return
    assert isinstance(error, AnswerLostError)
    assert only(live, write).error is None  # after `find` found nothing, or the row
    assert len(standin.rows("AccountObj", f"?field=kehub_key__c&value={write.key}")) == 1


def test_the_system_may_be_hours_ahead_of_its_dates(live, standin):
    _, cursor = listed(live, "AccountObj")
    standin.post("/clock", shift_ms=3 * 3_600_000)
    row = made(live).remote_id
    found, cursor = listed(live, "AccountObj", cursor)
    assert row in found
    standin.post("/clock", set_shift_ms=0)
    later = made(live).remote_id
    assert later in listed(live, "AccountObj", cursor)[0]


def test_an_option_or_a_field_that_the_admin_changed_shows_in_the_schema(live, standin):
    standin.post("/fields/AccountObj/account_level/options", add=[{"value": "9", "label": "九"}])
    standin.post("/fields/AccountObj", api_name="fresh__c", type="text", label="新")
    try:
        fields = live.schema("AccountObj").fields
        assert "9" in [option.value for option in fields["account_level"].options]
        assert fields["fresh__c"].label == "新"
    finally:
        standin.post("/fields/AccountObj/account_level/options", remove=["9"])
        standin.admin("DELETE", "/fields/AccountObj/fresh__c")


# -- callbacks ----------------------------------------------------------------------------------
class Inbox:
    """Takes the stand-in's callbacks as the hub's web process would."""

    def __init__(self, connector):
        self.hints, self.slow, self.errors = [], 0, []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                delivery = Delivery({}, {}, body, datetime.now(UTC))
                answer = inbox.take(connector, delivery)
                self.send_response(200 if answer else 400)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def take(self, connector, delivery):
        try:
            connector.verify(delivery)
        except ConnectorError as exc:
            self.errors.append(exc)
            return b""
        self.hints += connector.hints(delivery)
        if self.slow:
            self.slow -= 1
            return b"{}"  # not the word that the vendor waits for
        return connector.reply(delivery).body

    def wait(self, number):
        for _ in range(3000):
            if len(self.hints) >= number:
                return self.hints
            time.sleep(0.02)
        raise AssertionError(f"{len(self.hints)} of {number} hints came")

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def inbox(live, standin):
    live.check()  # a token tells the enterprise account, against which callbacks are checked
    inbox = Inbox(live)
    standin.post("/callback", url=inbox.url, retry_delay_ms=50)
    yield inbox
    standin.post("/callback", url="")
    inbox.close()


def test_an_edit_is_told_and_the_answer_is_understood(standin, inbox):
    before = settled(standin)["totals"]["failed"]
    row = standin.make("AccountObj", {"name": "回调", "owner": ["1000"]})[0]
    standin.post(f"/records/AccountObj/{row}", fields={"tel": "1"})
    hints = inbox.wait(2)
    assert {(h.object_name, h.remote_id) for h in hints} == {("AccountObj", row)}
    assert len({h.delivery_id for h in hints}) == 2
    assert settled(standin)["totals"]["failed"] == before


def settled(standin):
    for _ in range(3000):
        report = standin.admin("GET", "/callback")
        if not report["waiting"]:
            return {**report, "totals": {"failed": 0, **report["totals"]}}
        time.sleep(0.02)
    raise AssertionError("the stand-in still delivers")


def test_a_repeat_keeps_its_delivery_id(standin, inbox):
    inbox.slow = 1
    standin.make("AccountObj", {"name": "重发", "owner": ["1000"]})
    hints = inbox.wait(2)
    assert len({h.delivery_id for h in hints}) == 1
    assert inbox.errors == []


def test_our_own_writes_may_or_may_not_be_told(live, standin, inbox):
    standin.switch(event_on_api_write=False)
    made(live)
    standin.switch(event_on_api_write=True)
    row = made(live).remote_id
    assert [hint.remote_id for hint in inbox.wait(1)] == [row]


# -- orders and payments ------------------------------------------------------------------------
def lines(*quantities):
    return [
        {
            "product_code": f"P-{number}",
            "description": f"产品 {number}",
            "quantity": quantity,
            "unit": "台",
            "unit_price": "10",
            "amount": str(10 * int(quantity)),
        }
        for number, quantity in enumerate(quantities)
    ]


def order_for(connector, *quantities):
    customer = made(connector).remote_id
    write = Write(
        uuid.uuid4().hex,
        "create",
        data={
            "name": f"SO-{uuid.uuid4().hex[:8]}",
            "account_id": customer,
            "order_time": 1_760_000_000_000,
            "order_amount": "50",
            "lines": lines(*quantities),
        },
    )
    outcome = only(connector, write, "SalesOrderObj")
    assert outcome.error is None
    return customer, outcome.remote_id


def living(standin, object_name, field, value):
    rows = standin.rows(object_name, f"?field={field}&value={value}")
    return [row for row in rows if row["life_status"] != "invalid"]


def test_an_order_brings_its_lines_and_missing_products(live, standin):
    _, order_id = order_for(live, "2", "3")
    rows = living(standin, "SalesOrderProductObj", "order_id", order_id)
    assert sorted(float(row["quantity"]) for row in rows) == [2.0, 3.0]
    order_for(live, "1")
    products = living(standin, "ProductObj", "product_code", "P-0")
    assert len(products) == 1
    assert rows[0]["product_id"] in {row["_id"] for row in standin.rows("ProductObj")}


def test_two_orders_at_once_make_one_product(standin):
    connector = standin.connect(parallel=4)
    customer = made(connector).remote_id
    code = f"NEW-{uuid.uuid4().hex[:6]}"
    line = {"product_code": code, "quantity": "1", "unit_price": "2", "amount": "2"}
    batch = [
        create(account_id=customer, order_time=1, order_amount="2", lines=[line]) for _ in range(4)
    ]
    outcomes, error = send(connector, *batch, object_name="SalesOrderObj")
    assert error is None
    assert [o.error for o in outcomes.values()] == [None] * 4
    assert len(living(standin, "ProductObj", "product_code", code)) == 1


def test_a_line_without_a_product_gets_the_general_one(live, standin):
    customer = made(live).remote_id
    line = {"description": "运费", "quantity": "1", "unit_price": "8", "amount": "8"}
    write = create(account_id=customer, order_time=1, order_amount="8", lines=[line])
    order_id = only(live, write, "SalesOrderObj").remote_id
    row = living(standin, "SalesOrderProductObj", "order_id", order_id)[0]
    product = standin.rows("ProductObj", f"?id={row['product_id']}")[0]
    assert product["product_code"] == "KEHUB-OTHER"
    assert row["remark"] == "运费"


def test_an_order_whose_product_is_refused_names_the_lines(live):
    customer = made(live).remote_id
    line = {"product_code": "X" * 65, "quantity": "1", "unit_price": "8", "amount": "8"}
    write = create(account_id=customer, order_time=1, order_amount="8", lines=[line])
    error = only(live, write, "SalesOrderObj").error
    assert isinstance(error, RecordError)
    assert error.field == "lines"


def test_a_product_whose_answer_is_lost_is_not_made_twice(live, standin):
    customer = made(live).remote_id
    line = {"product_code": uuid.uuid4().hex, "quantity": "1", "unit_price": "8", "amount": "8"}
    write = create(account_id=customer, order_time=1, order_amount="8", lines=[line])
    standin.post("/faults", kind="drop_answer", path="/data/create")
    assert type(only(live, write, "SalesOrderObj").error) is TransientError
    assert only(live, write, "SalesOrderObj").error is None
    assert len(living(standin, "ProductObj", "product_code", line["product_code"])) == 1


def test_a_product_that_is_gone_is_made_again(live, standin):
    customer = made(live).remote_id
    line = {"product_code": uuid.uuid4().hex, "quantity": "1", "unit_price": "8", "amount": "8"}
    order = {"account_id": customer, "order_time": 1, "order_amount": "8", "lines": [line]}
    first = only(live, create(**order), "SalesOrderObj").remote_id
    row = living(standin, "SalesOrderProductObj", "order_id", first)[0]
    standin.post(f"/records/ProductObj/{row['product_id']}/delete")
    assert isinstance(only(live, create(**order), "SalesOrderObj").error, RecordError)
    assert only(live, create(**order), "SalesOrderObj").error is None


@pytest.mark.parametrize("tenant_does", ["replace", "ignore"])
def test_changed_lines_arrive_whatever_the_tenant_does_with_details(live, standin, tenant_does):
    standin.switch(details_update=tenant_does)
    _, order_id = order_for(live, "2", "3")
    for quantities in (["2", "4", "5"], ["2"], []):
        data = {"lines": lines(*quantities), "order_amount": "70"}
        outcome = only(live, Write("u", "update", order_id, data), "SalesOrderObj")
        assert outcome.error is None
        rows = living(standin, "SalesOrderProductObj", "order_id", order_id)
        assert sorted(float(r["quantity"]) for r in rows) == [float(q) for q in quantities]


@pytest.mark.parametrize("tenant_does", ["replace", "ignore"])
def test_a_payment_names_its_order_in_a_detail_row(live, standin, tenant_does):
    standin.switch(details_update=tenant_does)
    customer, order_id = order_for(live, "1")
    data = {
        "name": f"PM-{uuid.uuid4().hex[:8]}",
        "account_id": customer,
        "order_id": order_id,
        "payment_amount": "5",
        "payment_time": 1_760_000_000_000,
    }
    payment = only(live, Write(uuid.uuid4().hex, "create", data=data), "PaymentObj")
    assert payment.error is None
    write = Write("u", "update", payment.remote_id, {"payment_amount": "7"})
    assert only(live, write, "PaymentObj").after.data["payment_amount"] in {"7.00", 7}
    rows = living(standin, "OrderPaymentObj", "payment_id", payment.remote_id)
    assert [(r["order_id"], float(r["payment_amount"])) for r in rows] == [(order_id, 7.0)]
