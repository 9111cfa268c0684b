"""The vendor's own SDK against the stand-in, in a process of its own: it keeps global state."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.sandbox.zoho.conftest import StandIn

WALK = Path(__file__).with_name("vendor_sdk_walk.py")


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """What the SDK saw on its way through the calls of a fresh organisation."""
    folder = tmp_path_factory.mktemp("sdk")
    stand_in = StandIn(tmp_path_factory.mktemp("zoho") / "data")
    try:
        requests.post(f"{stand_in.url}/__admin/switches", json={"search_lag": 0}, timeout=60)
        return _walk(stand_in.hello, folder)
    finally:
        stand_in.stop()


def _walk(hello, folder):
    command = [sys.executable, str(WALK), json.dumps(hello), str(folder)]
    done = subprocess.run(
        [*command, "http://127.0.0.1:9/nobody"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "NO_PROXY": "*"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_writes_are_understood_one_by_one(walked):
    assert walked["create"] == [
        207,
        [
            ["SuccessResponse", "SUCCESS", "record added"],
            ["APIException", "MANDATORY_NOT_FOUND", "required field not found"],
        ],
    ]
    assert walked["update"] == [200, [["SuccessResponse", "SUCCESS", "record updated"]]]
    assert walked["upsert"] == ["update", "Hub_Key"]


def test_reads_have_typed_values(walked):
    assert walked["list"] == ["SDK two", "+49 2", True]
    assert walked["list_owner"] == "Hub Integration"
    assert "T" in walked["list_time"]
    assert walked["one"][1] == "SDK two"
    assert walked["pages"] == [6, 6]
    assert walked["related"] == "SDK contact"


def test_search_and_queries(walked):
    assert walked["search"] is True
    assert walked["search_nothing"] == 204
    assert walked["coql"] == ["SDK two", 1]
    assert walked["coql_error"] == ["APIException", "INVALID_QUERY"]


def test_deletion_and_the_list_of_the_deleted(walked):
    assert walked["delete"] == [["SuccessResponse", "SUCCESS", "record deleted"]]
    assert walked["deleted"] is True
    assert walked["deleted_later"] == 304


def test_notifications_bulk_read_and_conversion(walked):
    assert walked["watch"] == [201, "SuccessResponse"]
    assert walked["watching"] == ["Accounts.create", "Accounts.edit", "Accounts.delete"]
    assert walked["unwatch"] == 200
    assert walked["bulk"] == [True, True]
    assert walked["convert"] == [200, "SuccessResponse", "SUCCESS"]
    assert walked["convert_again"] == "ID_ALREADY_CONVERTED"


def test_metadata_users_and_orders(walked):
    assert walked["fields"] == [64, True, "Accounts"]
    assert walked["modules"] is True
    assert walked["user"] == "integration@crm-stand-in.example"
    assert walked["order"] == [["SuccessResponse", "SUCCESS", "record added"]]
    assert walked["order_sum"] == [9.0, 9.0]
