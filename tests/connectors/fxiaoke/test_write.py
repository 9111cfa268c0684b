import threading
import time

import pytest
import requests

from connectors.fxiaoke.write import QUICK, SLOW_CALLS
from connectors.sdk.contract import Write
from connectors.sdk.errors import (
    AnswerLostError,
    ConnectorError,
    GoneError,
    RecordError,
    SetupError,
    ThrottledError,
    TransientError,
)


def create(key="k1", **data):
    return Write(key, "create", data={"name": "客户", **data})


def update(remote_id="a", **data):
    return Write(f"u-{remote_id}", "update", remote_id, data)


def delete(remote_id="a"):
    return Write(f"d-{remote_id}", "delete", remote_id)


def stored(remote_id="a", **more):
    return {"_id": remote_id, "life_status": "normal", "lock_status": "0", **more}


def write(connector, *batch, object_name="AccountObj"):
    outcomes, error = {}, None
    try:
        for outcome in connector.write(object_name, batch):
            outcomes[outcome.key] = outcome
    except ConnectorError as exc:  # what is raised belongs to the result
        error = exc
    return outcomes, error


def test_a_create_carries_our_key_an_owner_and_codes(connector, tenant):
    tenant.answer("create", {"dataId": "n1"})
    tenant.rows([stored("n1", name="客户", kehub_key__c="k1")])
    outcomes, error = write(connector, create(country="中国", city="杭州", tel=None))
    sent = tenant.asked("create")[0]
    assert error is None
    assert sent["data"]["object_data"] == {
        "dataObjectApiName": "AccountObj",
        "name": "客户",
        "country": "248",
        "city": "300",
        "kehub_key__c": "k1",
        "record_type": "default__c",
        "owner": ["1000"],
    }
    assert sent["data"]["optionInfo"] == {"isDuplicateSearch": False}
    assert (sent["triggerApprovalFlow"], sent["triggerWorkFlow"]) == (False, False)
    assert outcomes["k1"].after.data["kehub_key__c"] == "k1"
    assert outcomes["k1"].remote_id == "n1"


def test_settings_decide_owner_and_what_a_write_starts(make, tenant):
    tenant.answer("create", {"dataId": "n1"})
    tenant.rows([])
    connector = make(owner_id="1002", trigger_workflow=True, trigger_approval=True)
    write(connector, create())
    sent = tenant.asked("create")[0]
    assert sent["data"]["object_data"]["owner"] == ["1002"]
    assert (sent["triggerApprovalFlow"], sent["triggerWorkFlow"]) == (True, True)


def test_a_row_for_a_pool_gets_no_owner(connector, tenant):
    tenant.answer("create", {"dataId": "n1"})
    tenant.rows([])
    write(connector, create(high_seas_id="p1"))
    assert "owner" not in tenant.asked("create")[0]["data"]["object_data"]


def test_an_update_sends_the_given_fields_only(connector, tenant):
    tenant.answer("update", {})
    tenant.rows([stored("a", tel="2")])
    outcomes, _ = write(connector, update(tel="2", fax=None))
    sent = tenant.asked("update")[0]["data"]
    assert sent == {
        "object_data": {"_id": "a", "dataObjectApiName": "AccountObj", "tel": "2", "fax": None}
    }
    assert outcomes["u-a"].after.data["tel"] == "2"


def test_a_new_owner_takes_the_call_for_owners(connector, tenant):
    tenant.answer("update", {})
    tenant.answer("changeOwner", {})
    tenant.rows([stored("a")])
    write(connector, update(owner=["1001"], tel="2"))
    assert "owner" not in tenant.asked("update")[0]["data"]["object_data"]
    assert tenant.asked("changeOwner")[0]["data"]["Data"] == [
        {"objectDataId": "a", "ownerId": ["1001"]}
    ]
    write(connector, update(owner="1002"))
    assert len(tenant.asked("update")) == 1


def test_a_delete_makes_the_row_invalid(connector, tenant):
    tenant.answer("invalid", {})
    outcomes, _ = write(connector, delete("a"))
    assert tenant.asked("invalid")[0]["data"] == {
        "dataObjectApiName": "AccountObj",
        "object_data_id": "a",
    }
    assert outcomes["d-a"].after.data is None
    assert tenant.asked("query") == []


def test_a_batch_is_read_back_by_one_query(connector, tenant):
    tenant.answer("update", {})
    tenant.rows([stored(f"{n}") for n in range(30)])
    outcomes, _ = write(connector, *(update(f"{n}", tel="1") for n in range(30)))
    assert all(outcome.after for outcome in outcomes.values())
    assert len(outcomes) == 30
    assert len(tenant.asked("query")) == 1


def test_a_read_back_that_fails_takes_nothing_away(connector, tenant, refused):
    tenant.answer("create", {"dataId": "n1"})
    tenant.answer("query", refused(30004))
    outcomes, error = write(connector, create())
    assert error is None
    assert outcomes["k1"].error is None
    assert outcomes["k1"].after is None
    assert outcomes["k1"].remote_id == "n1"


def test_one_bad_record_does_not_hurt_its_neighbours(connector, tenant, refused):
    def answer(body):
        bad = body["data"]["object_data"]["_id"] == "b"
        return refused(201110001, "字段【电话】过长") if bad else {}

    tenant.answer("update", answer)
    tenant.rows([stored("a"), stored("b"), stored("c")])
    outcomes, error = write(connector, *(update(one, tel="1") for one in "abc"))
    assert error is None
    assert outcomes["u-a"].error is None
    assert outcomes["u-c"].error is None
    refusal = outcomes["u-b"].error
    assert isinstance(refusal, RecordError)
    assert refusal.field == "tel"  # found by its label
    assert refusal.remote_code == "201110001"


@pytest.mark.parametrize("trouble", [requests.ConnectionError("cut"), (502, "bad"), (200, "<p>")])
def test_a_create_without_an_answer_is_left_in_doubt(make, tenant, trouble):
    connector = make(parallel=1)
    tenant.answer("create", {"dataId": "n1"}, trouble, {"dataId": "n3"})
    tenant.rows([stored("n1")])
    outcomes, error = write(connector, create("k1"), create("k2"), create("k3"))
    assert isinstance(error, AnswerLostError)
    assert outcomes["k1"].remote_id == "n1"
    assert "k2" not in outcomes
    assert isinstance(outcomes["k3"].error, TransientError)  # surely not sent
    assert len(tenant.asked("create")) == 2


def test_an_update_is_repeated_at_once_as_it_does_no_harm(connector, tenant):
    tenant.answer("update", requests.ConnectionError("cut"), {})
    tenant.rows([stored("a")])
    outcomes, error = write(connector, update(tel="1"))
    assert error is None
    assert outcomes["u-a"].error is None


def test_when_throttled_the_rest_is_surely_not_sent(make, tenant, refused):
    connector = make(parallel=1)
    tenant.answer("update", {}, refused(30004))
    tenant.rows([stored("0")])
    outcomes, error = write(connector, *(update(f"{n}", tel="1") for n in range(4)))
    assert error is None
    assert outcomes["u-0"].error is None
    assert isinstance(outcomes["u-1"].error, ThrottledError)
    for key in ("u-2", "u-3"):
        assert isinstance(outcomes[key].error, TransientError)
        assert outcomes[key].error.retry_after == 10
    assert len(tenant.asked("update")) == 2


def test_trouble_of_the_set_up_ends_the_batch_and_says_so(make, tenant, refused):
    connector = make(parallel=1)
    tenant.answer("update", {}, refused(30003))
    tenant.rows([stored("0")])
    outcomes, error = write(connector, *(update(f"{n}", tel="1") for n in range(3)))
    assert isinstance(error, SetupError)
    assert outcomes["u-0"].error is None
    assert isinstance(outcomes["u-2"].error, TransientError)


def test_a_few_calls_run_at_the_same_time_where_answers_take_long(make, tenant):
    together = threading.Barrier(3, timeout=60)
    alone = iter(range(SLOW_CALLS))

    def answer(_body):
        if next(alone, None) is None:
            together.wait()
        else:
            time.sleep(QUICK * 2)
        return {}

    tenant.answer("update", answer)
    tenant.rows([stored("0")])
    count = SLOW_CALLS + 6
    _, error = write(make(parallel=3), *(update(f"{n}", tel="1") for n in range(count)))
    assert error is None
    assert len(tenant.asked("update")) == count


def test_a_refused_create_that_was_done_before_is_done(connector, tenant, refused):
    tenant.answer("create", refused(201110001, "外部主键重复"))
    tenant.rows([stored("n1", kehub_key__c="k1")])
    outcomes, error = write(connector, create("k1"))
    assert error is None
    assert outcomes["k1"].remote_id == "n1"
    tenant.rows([])
    outcomes, _ = write(connector, create("k1"))
    assert outcomes["k1"].error.field == "kehub_key__c"


def test_a_system_error_on_a_create_looks_before_the_second_try(connector, tenant, refused):
    tenant.answer("create", refused(-2), {"dataId": "n2"})
    tenant.rows([], [stored("n2")])
    outcomes, _ = write(connector, create("k1"))
    assert outcomes["k1"].remote_id == "n2"
    assert tenant.order[-4:] == ["create", "query", "create", "query"]
    tenant.answer("create", refused(-2))
    tenant.rows([stored("n1", kehub_key__c="k1")])
    outcomes, _ = write(connector, create("k1"))
    assert outcomes["k1"].remote_id == "n1"
    assert len(tenant.asked("create")) == 3


def test_a_create_that_stays_a_system_error_is_refused(connector, tenant, refused):
    tenant.answer("create", refused(-2))
    tenant.rows([])
    outcomes, _ = write(connector, create("k1"))
    assert isinstance(outcomes["k1"].error, RecordError)
    assert len(tenant.asked("create")) == 2


def test_a_create_that_tells_no_id_is_looked_up(connector, tenant):
    tenant.answer("create", {})
    tenant.rows([stored("n1", kehub_key__c="k1")])
    outcomes, _ = write(connector, create("k1"))
    assert outcomes["k1"].remote_id == "n1"
    tenant.rows([])
    outcomes, error = write(connector, create("k1"))
    assert outcomes == {}
    assert isinstance(error, AnswerLostError)


@pytest.mark.parametrize(
    "row",
    [
        {"life_status": "under_review"},
        {"life_status": "in_change"},
        {"life_status": "ineffective"},
        {"lock_status": "1"},
    ],
)
@pytest.mark.parametrize("one", [update(tel="1"), delete()])
def test_a_row_that_waits_for_somebody_is_written_later(connector, tenant, refused, row, one):
    tenant.answer("update", refused(201110001))
    tenant.answer("invalid", refused(201110001))
    tenant.rows([stored("a", **row)])
    outcomes, _ = write(connector, one)
    error = outcomes[one.key].error
    assert isinstance(error, TransientError)
    assert error.retry_after == 3600


@pytest.mark.parametrize(("rows", "words"), [([], "no longer exists"), (["invalid"], "作废")])
def test_a_row_that_is_gone_is_not_brought_back(connector, tenant, refused, rows, words):
    tenant.answer("update", refused(201110001))
    tenant.answer("invalid", refused(201110001))
    tenant.rows([stored("a", life_status=status) for status in rows])
    outcomes, _ = write(connector, update(tel="1"))
    assert isinstance(outcomes["u-a"].error, GoneError)
    assert words in str(outcomes["u-a"].error)
    outcomes, _ = write(connector, delete())
    assert outcomes["d-a"].error is None  # what was asked for is the case


def test_a_refusal_that_cannot_be_explained_now_is_not_final(connector, tenant, refused):
    tenant.answer("create", refused(201110001))
    tenant.answer("query", refused(30004))
    outcomes, _ = write(connector, create("k1"))
    assert type(outcomes["k1"].error) is TransientError


def test_our_own_refusal_asks_nobody(connector, tenant):
    outcomes, _ = write(connector, create(country="Atlantis"))
    assert outcomes["k1"].error.field == "country"
    assert tenant.asked("create") == []
    assert tenant.asked("query") == []


def test_a_write_without_an_id_is_refused(connector, tenant):
    outcomes, _ = write(connector, Write("k1", "update", data={"tel": "1"}))
    assert isinstance(outcomes["k1"].error, RecordError)


def test_the_form_that_clears_a_field_is_found_out_once(connector, tenant):
    row = stored("a", tel="1")

    def answer(body):
        if body["data"]["object_data"].get("tel") == "":
            row["tel"] = None
        return {}

    tenant.answer("update", answer)
    tenant.answer("query", lambda _body: {"data": {"dataList": [dict(row)]}})
    outcomes, _ = write(connector, update(tel=None))
    assert outcomes["u-a"].after.data["tel"] is None
    row["tel"] = "2"
    write(connector, update(tel=None))
    assert [call["data"]["object_data"]["tel"] for call in tenant.asked("update")] == [None, "", ""]


def test_a_field_that_no_form_clears_is_told_as_it_is(connector, tenant):
    tenant.answer("update", {})
    tenant.rows([stored("a", tel="1")])
    for _ in range(2):
        outcomes, error = write(connector, update(tel=None))
        assert error is None
        assert outcomes["u-a"].after.data["tel"] == "1"
    forms = [call["data"]["object_data"]["tel"] for call in tenant.asked("update")]
    assert forms == [None, "", None, ""]


def test_an_empty_text_clears_like_nothing(connector, tenant):
    tenant.answer("update", {})
    tenant.rows([stored("a")])
    write(connector, update(tel="", owner=[]))
    assert tenant.asked("update")[0]["data"]["object_data"]["tel"] is None


def test_a_create_whose_traces_cannot_be_seen_is_in_doubt(connector, tenant, refused):
    tenant.answer("create", {})
    tenant.answer("query", refused(30004))
    outcomes, error = write(connector, create("k1"))
    assert outcomes == {}
    assert isinstance(error, AnswerLostError)


def test_a_look_up_that_fails_says_that_nothing_was_sent(connector, tenant):
    tenant.answer("countryAreaOptions/get", requests.Timeout("read"))
    outcomes, error = write(connector, create(country="中国"))
    assert error is None
    assert type(outcomes["k1"].error) is TransientError
    assert tenant.asked("create") == []


def test_custom_objects_are_written_by_their_own_paths(connector, tenant):
    tenant.answer("custom/v2/data/update", {})
    tenant.rows([stored("a")])
    write(connector, update(name="x"), object_name="object_1__c")
    assert len(tenant.asked("custom/v2/data/update")) == 1
