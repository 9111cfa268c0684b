import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest
import requests


def in_parallel(count, call):
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: call(), range(count)))


def plain(zoho, method, path, **options):
    """A call on its own connection: sessions are not for many threads."""
    header = {"Authorization": zoho.session.headers["Authorization"]}
    url = f"{zoho.url}/crm/v8{path}"
    return requests.request(method, url, headers=header, timeout=60, **options)


def test_credits_are_counted_by_the_price_list(zoho, name):
    def cost(call):
        before = zoho.admin("GET", "/limits")["credits_used"]
        call()
        return zoho.admin("GET", "/limits")["credits_used"] - before

    def insert(count):
        return lambda: zoho.crm("POST", "/Accounts", {"data": [{"Account_Name": name}] * count})

    def coql(limit):
        return lambda: zoho.coql(f"select id from Accounts where id is not null limit {limit}")

    assert [cost(insert(count)) for count in (1, 10, 11, 100)] == [1, 1, 2, 10]
    assert [cost(coql(limit)) for limit in (200, 201, 1001)] == [1, 2, 3]
    assert cost(lambda: zoho.crm("GET", "/Accounts?fields=Fax")) == 1
    assert cost(lambda: zoho.crm("GET", "/Accounts?fields=Fax&cvid=1")) == 3


def test_the_credit_header_comes_with_the_second_half(zoho):
    zoho.admin("POST", "/limits", {"daily_credits": 4})
    seen = [zoho.crm("GET", "/org").headers.get("X-API-CREDITS-REMAINING") for _ in range(4)]
    assert seen == [None, "2", "1", "0"]
    answer = zoho.crm("GET", "/org")
    assert (answer.status_code, answer.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    assert "Retry-After" not in answer.headers
    zoho.switch(retry_after=True)
    assert int(zoho.crm("GET", "/org").headers["Retry-After"]) > 0


def test_credits_come_back_after_a_day(zoho):
    zoho.switch(token_lifetime=10**6)
    zoho.log_in()
    zoho.admin("POST", "/limits", {"daily_credits": 1})
    assert [zoho.crm("GET", "/org").status_code for _ in range(2)] == [200, 429]
    zoho.admin("POST", "/clock", {"shift": 24 * 3600 + 61})
    assert zoho.crm("GET", "/org").status_code == 200


def test_twenty_calls_at_once_and_no_more(zoho):
    zoho.admin("POST", "/faults/latency", {"latency_ms": 400})
    answers = in_parallel(26, lambda: plain(zoho, "GET", "/org").status_code)
    assert sorted(answers) == [200] * 20 + [429] * 6
    zoho.admin("DELETE", "/faults")
    assert zoho.crm("GET", "/org").status_code == 200


def test_ten_heavy_calls_at_once_and_no_more(zoho):
    zoho.admin("POST", "/faults/latency", {"latency_ms": 400})
    query = {"select_query": "select id from Accounts where id is null"}
    answers = in_parallel(13, lambda: plain(zoho, "POST", "/coql", json=query).status_code)
    assert sorted(answers) == [204] * 10 + [429] * 3


def test_thirty_parallel_writers_lose_nothing(zoho, name):
    zoho.admin("POST", "/limits", {"max_concurrency": 100})
    body = {"data": [{"Account_Name": name}]}
    answers = in_parallel(30, lambda: plain(zoho, "POST", "/Accounts", json=body))
    ids = {answer.json()["data"][0]["details"]["id"] for answer in answers}
    assert len(ids) == 30
    assert (
        zoho.coql(f"select id from Accounts where Account_Name = '{name}'").json()["info"]["count"]
        == 30
    )


def test_planned_failures_hit_the_next_calls_only(zoho, name):
    zoho.admin("POST", "/faults/fail", {"status": 503, "times": 2, "path": "/Accounts"})
    assert zoho.crm("GET", "/org").status_code == 200
    body = {"data": [{"Account_Name": name}]}
    statuses = [zoho.crm("POST", "/Accounts", body).status_code for _ in range(3)]
    assert statuses == [503, 503, 201]
    assert len(zoho.rows(f"select id from Accounts where Account_Name = '{name}'")) == 1


def test_a_failure_may_have_a_code_and_an_html_body(zoho):
    zoho.admin("POST", "/faults/fail", {"status": 400, "code": "RECORD_LOCKED"})
    assert zoho.crm("GET", "/org").json()["code"] == "RECORD_LOCKED"
    zoho.admin("POST", "/faults/fail", {"status": 502, "html": True})
    answer = zoho.crm("GET", "/org")
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (502, "text/html")


def test_failures_by_rate(zoho):
    zoho.admin("POST", "/faults/fail", {"status": 500, "times": None, "rate": 0.5})
    statuses = {zoho.crm("GET", "/org").status_code for _ in range(20)}
    assert statuses == {200, 500}


def test_the_answer_is_lost_after_the_work(zoho, name):
    zoho.admin("POST", "/faults/drop-answer", {"times": 1})
    assert zoho.crm("GET", "/org").status_code == 200
    with pytest.raises(requests.ConnectionError):
        zoho.crm("POST", "/Accounts", {"data": [{"Account_Name": name}]})
    assert len(zoho.rows(f"select id from Accounts where Account_Name = '{name}'")) == 1
    entry = zoho.admin("GET", "/calls")["log"][-1]
    assert entry["answered"] is False


def test_the_connection_breaks_before_the_work(zoho, name):
    zoho.admin("POST", "/faults/drop-before", {"method": "POST", "path": "/Accounts"})
    with pytest.raises(requests.ConnectionError):
        zoho.crm("POST", "/Accounts", {"data": [{"Account_Name": name}]})
    assert zoho.rows(f"select id from Accounts where Account_Name = '{name}'") == []


def test_the_second_write_of_three_can_be_chosen(zoho, name):
    zoho.admin("POST", "/faults/fail", {"status": 500, "writes_only": True, "skip": 1})
    body = {"data": [{"Account_Name": name}]}
    assert [zoho.crm("POST", "/Accounts", body).status_code for _ in range(3)] == [201, 500, 201]


def test_the_token_call_fails_only_when_named(zoho):
    zoho.admin("POST", "/faults/fail", {"status": 500})
    assert zoho.token().status_code == 200
    zoho.admin("DELETE", "/faults")
    zoho.admin("POST", "/faults/fail", {"status": 500, "path": "/oauth"})
    assert zoho.token().status_code == 500


def test_slow_answers(zoho):
    zoho.admin("POST", "/faults/latency", {"latency_ms": 150, "times": 1})
    begun = time.monotonic()
    zoho.crm("GET", "/org")
    slow = time.monotonic() - begun
    zoho.crm("GET", "/org")
    assert slow >= 0.15
    assert zoho.admin("GET", "/faults")["faults"] == []


def test_calls_and_written_records_are_counted(zoho, name):
    record_id = zoho.create("Accounts", Account_Name=name)
    zoho.crm("PUT", f"/Accounts/{record_id}", {"data": [{"Phone": "1"}]})
    zoho.crm("PUT", "/Accounts", {"data": [{"id": record_id, "Phone": 5}]})
    zoho.crm("GET", f"/Accounts/{record_id}")
    zoho.rows("select id from Accounts where id is not null limit 1")
    report = zoho.admin("GET", "/calls")
    assert (report["writes"], report["reads"]) == (3, 2)
    assert report["per_record"] == {"Accounts": {record_id: 2}}
    assert report["by_endpoint"]["PUT /crm/v8/Accounts"] == 1
    assert [entry["records"][0]["verdict"] for entry in report["log"]] == [
        "success",
        "success",
        "error",
    ]
    assert report["log"][1]["records"][0] == {
        "id": record_id,
        "verdict": "success",
        "fields": ["Phone"],
    }
    zoho.admin("POST", "/calls/reset")
    assert zoho.admin("GET", "/calls")["writes"] == 0


def best_of(count, call):
    times = []
    for _ in range(count):
        begun = time.monotonic()
        assert call().status_code in {200, 201}
        times.append(time.monotonic() - begun)
    return min(times)


def test_a_batch_and_a_list_are_fast(zoho):
    data = [
        {"Account_Name": f"Fast {number}", "Hub_Key": f"fast-{number}", "Phone": "1", "Fax": "2"}
        for number in range(100)
    ]
    body = {"data": data, "duplicate_check_fields": ["Hub_Key"]}
    assert best_of(6, lambda: zoho.crm("POST", "/Accounts/upsert", body)) < 0.06
    path = "/Accounts?fields=Account_Name,Phone,Fax,Hub_Key,Owner,Modified_Time,Parent_Account"
    zoho.admin("POST", "/records/Accounts", [{"Account_Name": "Many"}] * 200)
    assert best_of(6, lambda: zoho.crm("GET", path)) < 0.04


def test_a_connection_is_kept_alive(zoho):
    connection = HTTPConnection(zoho.url.removeprefix("http://"), timeout=60)
    sockets = set()
    for path in ("/__admin/health", "/crm/v8/org", "/nothing", "/__admin/health"):
        connection.request("GET", path)
        connection.getresponse().read()
        sockets.add(connection.sock)
    connection.close()
    assert len(sockets) == 1
    assert None not in sockets


def test_a_slow_client_does_not_hold_others(zoho):
    zoho.admin("POST", "/faults/latency", {"latency_ms": 600, "times": 1, "path": "/users"})
    slow = threading.Thread(target=plain, args=(zoho, "GET", "/users"))
    slow.start()
    time.sleep(0.1)
    begun = time.monotonic()
    zoho.crm("GET", "/org")
    assert time.monotonic() - begun < 0.4
    slow.join()
