"""Notifications, really sent by the stand-in to a receiver of ours."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import responses

from connectors.sdk.contract import Delivery
from connectors.sdk.errors import AnswerLostError, DeliveryRejected, SetupError

BASE = "https://www.zohoapis.eu/crm/v8/actions/watch"


@pytest.fixture
def receiver():
    """An address of ours with what arrived there."""
    arrived = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            arrived.append(Delivery({}, {}, body, datetime.now(UTC)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Tests are silent."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    server.arrived = arrived
    server.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/zoho?system=1"
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def wait_for(arrived, number):
    end = time.monotonic() + 60
    while len(arrived) < number and time.monotonic() < end:
        time.sleep(0.05)
    return list(arrived)


@pytest.fixture
def subscribed(stand_in, receiver):
    connector = stand_in.connect()
    state = connector.subscribe(receiver.url, {})
    yield connector, state
    connector.unsubscribe(state)


def test_what_users_do_arrives_as_hints(stand_in, receiver, subscribed):
    connector, _ = subscribed
    (record,) = stand_in.seed("Accounts", [{"Account_Name": "A"}], silent=False)
    stand_in.edit("Accounts", record, Phone="1")
    stand_in.delete("Accounts", record)
    deliveries = wait_for(receiver.arrived, 3)
    hints = []
    for delivery in deliveries:
        connector.verify(delivery)
        hints += connector.hints(delivery)
    assert {(hint.object_name, hint.remote_id) for hint in hints} == {("Accounts", record)}
    assert len({hint.delivery_id for hint in hints}) == 3
    assert all(hint.data is None for hint in hints)


def test_a_delivery_sent_twice_has_one_id(stand_in, receiver, subscribed):
    connector, _ = subscribed
    stand_in.admin("POST", "/notifications/faults", {"duplicate": 1.0})
    (record,) = stand_in.seed("Leads", [{"Last_Name": "Daly"}], silent=False)
    first, second = wait_for(receiver.arrived, 2)
    assert connector.hints(first) == connector.hints(second)
    assert [hint.remote_id for hint in connector.hints(first)] == [record]


def test_a_renewal_keeps_the_channel(stand_in, receiver, subscribed):
    connector, state = subscribed
    renewed = connector.subscribe(receiver.url, json.loads(json.dumps(state)))
    channels = stand_in.admin("GET", "/notifications")["channels"]
    assert [str(channel["channel_id"]) for channel in channels] == [state["channel_id"]]
    assert renewed["channel_id"] == state["channel_id"]
    end = datetime.fromisoformat(renewed["expires_at"])
    assert timedelta(days=5, hours=23) < end - datetime.now(UTC) <= timedelta(days=6)


def test_an_answer_that_was_lost_leaves_no_second_channel(stand_in, receiver):
    connector = stand_in.connect()
    connector.check()
    stand_in.fault("drop-answer", times=1, path="/actions/watch", writes_only=False)
    with pytest.raises(AnswerLostError):
        connector.subscribe(receiver.url, {})
    state = connector.subscribe(receiver.url, {})
    assert len(stand_in.admin("GET", "/notifications")["channels"]) == 1
    connector.unsubscribe(state)


def test_a_channel_that_expired_is_opened_again(stand_in, receiver, subscribed):
    connector, state = subscribed
    stand_in.admin("POST", "/notifications/expire")
    connector.subscribe(receiver.url, state)
    stand_in.seed("Accounts", [{"Account_Name": "A"}], silent=False)
    (delivery,) = wait_for(receiver.arrived, 1)
    connector.verify(delivery)


def test_a_closed_channel_is_silent_and_closes_again(stand_in, receiver, subscribed):
    connector, state = subscribed
    connector.unsubscribe(state)
    connector.unsubscribe(state)
    connector.unsubscribe({})
    stand_in.seed("Accounts", [{"Account_Name": "A"}], silent=False)
    time.sleep(0.3)
    assert receiver.arrived == []


def test_notifications_may_be_switched_off(stand_in, receiver, subscribed):
    _, state = subscribed
    quiet = stand_in.connect(notifications=False)
    assert set(quiet.subscribe(receiver.url, state)) == {"expires_at"}
    assert stand_in.admin("GET", "/notifications")["channels"] == []
    stand_in.connect().subscribe(receiver.url, state)
    stand_in.seed("Accounts", [{"Account_Name": "A"}], silent=False)
    (delivery,) = wait_for(receiver.arrived, 1)
    with pytest.raises(DeliveryRejected):
        quiet.verify(delivery)


def test_a_delivery_of_another_organisation_is_refused(stand_in, receiver, subscribed):
    stand_in.seed("Accounts", [{"Account_Name": "A"}], silent=False)
    (delivery,) = wait_for(receiver.arrived, 1)
    with pytest.raises(DeliveryRejected):
        stand_in.connect(client_secret="another").verify(delivery)


def test_many_records_of_one_delivery_are_one_hint_each(described):
    body = {"module": "Accounts", "ids": ["1", "2", "1"], "server_time": 1, "operation": "insert"}
    hints = described.hints(Delivery({}, {}, json.dumps(body).encode(), datetime.now(UTC)))
    assert [hint.remote_id for hint in hints] == ["1", "2"]
    assert len({hint.delivery_id for hint in hints}) == 2


def test_the_same_field_edited_again_is_news(described):
    bodies = [
        {"module": "Accounts", "ids": ["1"], "server_time": moment, "operation": "update"}
        for moment in (1_000, 2_000)
    ]
    hints = [
        described.hints(Delivery({}, {}, json.dumps(body).encode(), datetime.now(UTC)))[0]
        for body in bodies
    ]
    assert hints[0].delivery_id != hints[1].delivery_id


@responses.activate
def test_an_end_earlier_than_asked_for_is_kept(described):
    end = "2026-03-01T10:00:00+01:00"
    details = {"events": [{"channel_expiry": end, "channel_id": "1"}]}
    item = {"code": "SUCCESS", "details": details, "status": "success"}
    responses.post(BASE, json={"watch": [item]}, status=201)
    state = described.subscribe("https://hub.example/hooks/1", {})
    assert state["expires_at"] == "2026-03-01T09:00:00+00:00"


@responses.activate
def test_a_refused_channel_is_a_matter_of_set_up(described):
    item = {"code": "INVALID_DATA", "details": {}, "message": "invalid url", "status": "error"}
    responses.post(BASE, json={"watch": [item]}, status=400)
    with pytest.raises(SetupError, match="notification channel"):
        described.subscribe("https://hub.example/hooks/1", {})
