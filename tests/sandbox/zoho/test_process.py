import json
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import requests

from tests.sandbox.zoho.conftest import Client

ROOT = Path(__file__).resolve().parents[3]


def test_a_restart_keeps_credentials_records_tokens_and_settings(start, receiver):
    first = start()
    client = Client(first.hello)
    record_id = client.create("Accounts", Account_Name="Kept", Hub_Key="k")
    channel = {"channel_id": "9", "events": ["Accounts.edit"], "notify_url": receiver.url}
    client.crm("POST", "/actions/watch", {"watch": [channel]})
    client.switch(mixed_batch="always200")
    client.admin("PATCH", "/fields/Accounts/Fax", {"length": 2})
    assert first.stop() == 0
    second = start(port=int(first.url.rsplit(":", 1)[1]))
    assert second.hello == first.hello
    assert client.get("Accounts", record_id)["Account_Name"] == "Kept"
    assert client.admin("GET", "/switches")["mixed_batch"]["value"] == "always200"
    new_id = client.create("Accounts", Account_Name="Later")
    assert int(new_id) > int(record_id)
    client.crm("PUT", f"/Accounts/{record_id}", {"data": [{"Phone": "1"}]})
    assert receiver.wait(1)[0]["ids"] == [record_id]
    long = client.crm("PUT", f"/Accounts/{record_id}", {"data": [{"Fax": "123"}]})
    assert long.json()["data"][0]["details"]["maximum_length"] == 2
    client.session.close()
    assert second.stop() == 0


def test_two_folders_have_two_organisations(start):
    first, second = start(folder="a"), start(folder="b")
    assert first.hello["client_id"] != second.hello["client_id"]
    assert set(first.hello) == {
        "base_url",
        "client_id",
        "client_secret",
        "refresh_token",
        "accounts_url",
    }


def test_a_killed_process_keeps_what_it_answered(start):
    process = start()
    client = Client(process.hello)
    answered = []

    def write():
        try:
            while True:
                answered.append(client.create("Accounts", Account_Name="A"))
        except requests.RequestException:
            return

    writer = threading.Thread(target=write)
    writer.start()
    while len(answered) < 40:
        writer.join(0.01)
    process.kill()
    writer.join(5)
    client.session.close()
    again = start(port=int(process.url.rsplit(":", 1)[1]))
    reader = Client(again.hello)
    kept = {record["id"] for record in reader.admin("GET", "/records/Accounts")["data"]}
    assert set(answered) <= kept
    assert len(kept) <= len(answered) + 1
    with sqlite3.connect(process.folder / "zoho_crm.sqlite3") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    reader.session.close()


def test_a_seed_file_is_taken_once(start, tmp_path):
    seed = {
        "Accounts": [{"Account_Name": "Seeded", "Modified_Time": "2020-01-01T00:00:00Z"}],
        "Contacts": [{"Last_Name": "C", "Account_Name": "Seeded"}],
    }
    path = tmp_path / "seed.json"
    path.write_text(json.dumps(seed), "utf-8")
    for _ in range(2):
        process = start("--seed", str(path), "--utc-offset", "-03:30")
        client = Client(process.hello)
        accounts = client.admin("GET", "/records/Accounts")["data"]
        assert [account["Modified_Time"] for account in accounts] == ["2019-12-31T20:30:00-03:30"]
        contact = client.admin("GET", "/records/Contacts")["data"][0]
        assert str(contact["Account_Name"]) == accounts[0]["id"]
        client.session.close()
        process.stop()


def test_the_stand_in_imports_nothing_of_the_hub():
    code = (
        "import sys, sandbox.zoho_crm.__main__; "
        "print([n for n in sys.modules if n.split('.')[0] in "
        "('mapping', 'connectors', 'sync', 'webui', 'celery', 'sqlalchemy')])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
