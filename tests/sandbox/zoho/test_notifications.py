import time
from datetime import datetime, timedelta

import pytest


def subscribe(zoho, receiver, **changes):
    channel = {
        "channel_id": str(time.monotonic_ns()),
        "events": ["Accounts.all", "Contacts.create"],
        "notify_url": receiver.url,
        "token": "secret",
        "notify_on_related_action": False,
        **changes,
    }
    return channel["channel_id"], zoho.crm("POST", "/actions/watch", {"watch": [channel]})


def settled(zoho):
    """Wait until nothing is left to send."""
    end = time.monotonic() + 6
    while zoho.admin("GET", "/notifications")["pending"] and time.monotonic() < end:
        time.sleep(0.02)


def test_a_subscription_answers_per_module(zoho, receiver):
    channel_id, answer = subscribe(zoho, receiver)
    assert answer.status_code == 201
    verdict = answer.json()["watch"][0]
    message = "Successfully subscribed for actions-watch of the given module"
    assert (verdict["code"], verdict["message"]) == ("SUCCESS", message)
    events = verdict["details"]["events"]
    assert [event["resource_name"] for event in events] == ["Accounts", "Contacts"]
    assert events[0]["resource_uri"].endswith("/crm/v2/Accounts")
    assert events[0]["channel_id"] == channel_id
    entries = zoho.crm("GET", f"/actions/watch?channel_id={channel_id}").json()["watch"]
    assert entries[0]["events"] == ["Accounts.create", "Accounts.edit", "Accounts.delete"]
    assert entries[0]["token"] == "secret"


def test_create_edit_and_delete_are_told_in_order(zoho, receiver, name):
    channel_id, _ = subscribe(zoho, receiver, return_affected_field_values=True)
    record_id = zoho.create("Accounts", Account_Name=name)
    zoho.crm("PUT", f"/Accounts/{record_id}", {"data": [{"Phone": "1", "Account_Name": name}]})
    zoho.crm("DELETE", f"/Accounts/{record_id}")
    created, edited, deleted = receiver.wait(3)
    assert [body["operation"] for body in receiver.bodies] == ["insert", "update", "delete"]
    assert created["ids"] == edited["ids"] == deleted["ids"] == [record_id]
    assert created["affected_fields"] == []
    assert edited["affected_fields"] == [{record_id: ["Phone"]}]
    assert edited["affected_values"] == [{"record_id": record_id, "values": {"Phone": "1"}}]
    assert created["query_params"] == {"src": "crm"}
    assert (created["token"], created["channel_id"]) == ("secret", channel_id)
    assert created["module"] == "Accounts"
    assert abs(created["server_time"] / 1000 - time.time()) < 30


def test_a_batch_is_one_message(zoho, receiver, name):
    subscribe(zoho, receiver)
    zoho.crm("POST", "/Accounts", {"data": [{"Account_Name": name}] * 30})
    receiver.wait(1)
    settled(zoho)
    assert [len(body["ids"]) for body in receiver.bodies] == [30]


def test_only_the_named_events_and_fields_are_told(zoho, receiver, name):
    condition = {
        "type": "field_selection",
        "module": {"api_name": "Accounts"},
        "field_selection": {
            "group_operator": "or",
            "group": [
                {"field": {"api_name": "Phone"}},
                {
                    "group_operator": "and",
                    "group": [{"field": {"api_name": "Fax"}}, {"field": {"api_name": "Website"}}],
                },
            ],
        },
    }
    subscribe(zoho, receiver, events=["Accounts.edit"], notification_condition=[condition])
    record_id = zoho.create("Accounts", Account_Name=name)
    for change in ({"Fax": "1"}, {"Phone": "1"}, {"Fax": "2", "Website": "a.example"}):
        zoho.crm("PUT", f"/Accounts/{record_id}", {"data": [change]})
    zoho.create("Contacts", Last_Name=name)
    receiver.wait(2)
    settled(zoho)
    assert [body["affected_fields"][0][record_id] for body in receiver.bodies] == [
        ["Phone"],
        ["Fax", "Website"],
    ]


def test_a_contact_touches_its_account_by_default(zoho, receiver, name):
    subscribe(zoho, receiver, events=["Accounts.edit"], notify_on_related_action=True)
    account = zoho.create("Accounts", Account_Name=name)
    zoho.create("Contacts", Last_Name=name, Account_Name={"id": account})
    assert receiver.wait(1)[0]["ids"] == [account]


def test_own_writes_can_be_silent_and_users_never_are(zoho, receiver, name):
    zoho.switch(notify_own_writes=False)
    subscribe(zoho, receiver)
    record_id = zoho.create("Accounts", Account_Name=name)
    zoho.admin("PUT", f"/records/Accounts/{record_id}", {"Phone": "9"})
    receiver.wait(1)
    settled(zoho)
    assert [body["operation"] for body in receiver.bodies] == ["update"]


def test_a_refused_delivery_is_tried_again(zoho, receiver, name):
    zoho.switch(callback_pause=0.01)
    receiver.statuses = [500, 503]
    subscribe(zoho, receiver)
    zoho.create("Accounts", Account_Name=name)
    bodies = receiver.wait(3)
    assert len(bodies) == 3
    assert bodies[0] == bodies[1] == bodies[2]


def test_a_delivery_is_given_up_after_three_tries(zoho, receiver, name):
    zoho.switch(callback_pause=0.01)
    receiver.statuses = [500] * 3
    subscribe(zoho, receiver)
    zoho.create("Accounts", Account_Name=name)
    receiver.wait(3)
    settled(zoho)
    zoho.create("Accounts", Account_Name="next")
    assert len(receiver.wait(4)) == 4


@pytest.mark.parametrize(("fault", "count"), [({"drop_next": 1}, 1), ({"duplicate": 1}, 4)])
def test_lost_and_doubled_messages(zoho, receiver, name, fault, count):
    subscribe(zoho, receiver)
    zoho.admin("POST", "/notifications/faults", fault)
    for number in range(2):
        zoho.create("Accounts", Account_Name=f"{name}{number}")
    receiver.wait(count)
    settled(zoho)
    assert len(receiver.bodies) == count


def test_messages_change_places(zoho, receiver, name):
    subscribe(zoho, receiver)
    zoho.admin("POST", "/notifications/faults", {"reorder": 1, "hold": 1})
    ids = [zoho.create("Accounts", Account_Name=f"{name}{number}") for number in range(4)]
    assert receiver.bodies == []
    zoho.admin("POST", "/notifications/faults", {"hold": 0})
    arrived = [body["ids"][0] for body in receiver.wait(4)]
    assert sorted(arrived) == ids
    assert arrived != ids


def test_late_messages(zoho, receiver, name):
    subscribe(zoho, receiver)
    zoho.admin("POST", "/notifications/faults", {"delay": 0.5})
    begun = time.monotonic()
    record_id = zoho.create("Accounts", Account_Name=name)
    assert receiver.wait(1)[0]["ids"] == [record_id]
    assert time.monotonic() - begun >= 0.5


def test_the_expiry_is_a_week_at_most_and_an_hour_by_default(zoho, receiver):
    now = datetime.fromisoformat(zoho.admin("GET", "/clock")["time"])

    def hours(**changes):
        _, answer = subscribe(zoho, receiver, **changes)
        event = answer.json()["watch"][0]["details"]["events"][0]
        expiry = datetime.fromisoformat(event["channel_expiry"])
        return round((expiry - now) / timedelta(hours=1))

    assert hours() == 1
    assert hours(channel_expiry=(now + timedelta(days=6)).isoformat()) == 144
    assert hours(channel_expiry=(now + timedelta(days=8)).isoformat()) == 1


def test_an_expired_channel_is_silent_and_cannot_be_renewed(zoho, receiver, name):
    zoho.switch(token_lifetime=10**6)
    zoho.log_in()
    channel_id, _ = subscribe(zoho, receiver)
    zoho.admin("POST", "/clock", {"shift": 3700})
    zoho.create("Accounts", Account_Name=name)
    settled(zoho)
    assert receiver.bodies == []
    renewal = {"watch": [{"channel_id": channel_id, "token": "t"}]}
    answer = zoho.crm("PATCH", "/actions/watch", renewal)
    assert answer.status_code == 400
    assert answer.json()["watch"][0]["code"] == "NOT_SUBSCRIBED"
    _, again = subscribe(zoho, receiver, channel_id=channel_id)
    assert again.status_code == 201


def test_change_and_drop_a_channel(zoho, receiver, name):
    channel_id, _ = subscribe(zoho, receiver)
    partial = {"channel_id": channel_id, "events": ["Accounts.create"], "_delete_events": True}
    answer = zoho.crm("PATCH", "/actions/watch", {"watch": [partial]}).json()["watch"][0]
    assert answer["message"] == "Successfully removed the subscribe details"
    renamed = {"channel_id": channel_id, "token": "other"}
    answer = zoho.crm("PATCH", "/actions/watch", {"watch": [renamed]}).json()["watch"][0]
    assert answer["message"] == "Successfully updated the subscribe details"
    zoho.admin(
        "PUT", f"/records/Accounts/{zoho.create('Accounts', Account_Name=name)}", {"Fax": "1"}
    )
    assert [(body["operation"], body["token"]) for body in receiver.wait(1)] == [
        ("update", "other")
    ]
    gone = zoho.crm("DELETE", f"/actions/watch?channel_ids={channel_id}")
    assert gone.status_code == 200
    assert {item["message"] for item in gone.json()["watch"]} == {
        "Successfully un-subscribed from actions-watch"
    }
    again = zoho.crm("DELETE", f"/actions/watch?channel_ids={channel_id}")
    assert (again.status_code, again.json()["watch"][0]["code"]) == (400, "NOT_SUBSCRIBED")


def test_refusals_of_a_subscription(zoho, receiver):
    cases = [
        ({"channel_id": None}, "MANDATORY_NOT_FOUND"),
        ({"events": []}, "MANDATORY_NOT_FOUND"),
        ({"notify_url": None}, "MANDATORY_NOT_FOUND"),
        ({"events": ["Nothing.create"]}, "INVALID_DATA"),
        ({"events": ["Accounts.touch"]}, "INVALID_DATA"),
        ({"token": "x" * 51}, "INVALID_DATA"),
        ({"channel_id": "abc"}, "INVALID_DATA"),
        ({"channel_expiry": "soon"}, "INVALID_DATA"),
    ]
    for changes, code in cases:
        _, answer = subscribe(zoho, receiver, **changes)
        assert (answer.status_code, answer.json()["watch"][0]["code"]) == (400, code)
