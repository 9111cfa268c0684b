"""Start, restart, seed file, sudden death, many clients at once."""

import concurrent.futures
import json
import signal
import subprocess
import sys
import time

import pytest
import requests


def test_a_restart_keeps_credentials_rows_switches_and_tokens(alone):
    first = alone()
    made = first.create(name="stays")
    token = first.token()
    first.admin("/switches", {"get_missing": "null"})
    first.admin("/callback", {"url": "http://127.0.0.1:9/x", "objects": ["LeadsObj"]})
    first.admin("/clock", {"shift_ms": 5000})
    assert first.stop() == 0
    second = alone()
    assert {**second.info, "base_url": ""} == {**first.info, "base_url": ""}
    assert second.token() == token
    assert second.get(made)["name"] == "stays"
    assert second.create() > made
    assert second.look("/switches")["switches"]["get_missing"] == "null"
    assert second.look("/callback")["url"] == "http://127.0.0.1:9/x"
    assert second.look("/clock")["shift_ms"] == 5000
    assert second.look("/records/PersonnelObj?count=1")["count"] == 4


def test_a_killed_process_loses_nothing_that_it_acknowledged(alone):
    first = alone()
    first.admin("/limits", {"calls": 100_000})
    made = []

    def create_until_it_dies():
        session = requests.Session()
        session.trust_env = False
        record = {"dataObjectApiName": "AccountObj", "name": "k", "owner": ["1001"]}
        headers = first.headers()
        while True:
            try:
                reply = session.post(
                    f"{first.url}/cgi/crm/v2/data/create",
                    json={"data": {"object_data": record}}, headers=headers, timeout=60,
                ).json()  # fmt: skip
            except requests.RequestException:
                session.close()
                return
            made.append(reply["dataId"])

    first.token()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(create_until_it_dies)
        while len(made) < 100:
            time.sleep(0.01)
        first.stop(signal.SIGKILL)
    second = alone()
    kept = {row["_id"] for row in second.look("/records/AccountObj")["rows"]}
    assert set(made) <= kept
    assert len(kept) <= len(made) + 4


def test_a_seed_file_is_loaded_once(alone, tmp_path):
    seed = tmp_path / "seed.json"
    account = "1" * 24
    seed.write_text(
        json.dumps(
            {
                "records": {
                    "AccountObj": [{"_id": account, "name": "种子客户"}],
                    "ContactObj": [{"name": "联系人", "account_id": account}],
                },
                "switches": {"get_missing": "null"},
                "limits": {"calls": 500},
            }
        ),
        "utf-8",
    )
    first = alone("--seed", str(seed))
    assert first.get(account)["name"] == "种子客户"
    assert first.look("/limits")["calls"] == 500
    first.stop()
    second = alone("--seed", str(seed))
    assert second.look("/records/AccountObj?count=1")["count"] == 1
    assert second.look("/records/ContactObj")["rows"][0]["account_id"] == account


def test_thirty_clients_keep_their_connections(fx, account):
    data = {"data": {"dataObjectApiName": "AccountObj", "objectDataId": account}}
    headers = fx.headers()

    def work(_):
        with requests.Session() as session:
            session.trust_env = False
            codes = []
            for _ in range(10):
                reply = session.post(
                    f"{fx.url}/cgi/crm/v2/data/get", json=data, headers=headers, timeout=60
                )
                assert reply.headers.get("Connection") != "close"
                codes.append(reply.json()["errorCode"])
            return codes

    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        assert all(codes == [0] * 10 for codes in pool.map(work, range(30)))


def test_parallel_updates_each_count(fx, account):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        headers = fx.headers()
        record = {"dataObjectApiName": "AccountObj", "_id": account, "remark": "x"}

        def update(_):
            reply = requests.post(
                f"{fx.url}/cgi/crm/v2/data/update",
                json={"data": {"object_data": record}}, headers=headers, timeout=60,
            )  # fmt: skip
            return reply.json()["errorCode"]

        assert set(pool.map(update, range(40))) == {0}
    assert fx.get(account)["version"] == "41"


def test_a_taken_port_is_said_in_a_sentence(fx, tmp_path):
    port = fx.url.rsplit(":", 1)[1]
    ended = subprocess.run(
        [sys.executable, "-m", "sandbox.fxiaoke", "--port", port, "--data", str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=60, cwd=fx.root,
    )  # fmt: skip
    assert ended.returncode == 1
    assert f"cannot listen on port {port}" in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize("size", ["abc", "-1", str(1 << 40)])
def test_a_nonsense_length_is_refused(fx, size):
    reply = requests.post(
        f"{fx.url}/cgi/crm/v2/data/get", data=b"", headers={"Content-Length": size}, timeout=60
    )
    assert reply.status_code in {400, 413}
