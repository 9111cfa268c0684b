"""Calls that a user's script makes beside the records: team, files, messages."""

import pytest


def team_of(fx, record_id):
    reply = fx.good("/cgi/crm/team/get", {"dataID": record_id}, apiName="AccountObj")
    members = reply["data"]["teamMembers"]
    return {one["teamMemberEmployee"][0]: one["teamMemberRole"] for one in members}


def test_the_team_of_a_row_opens_it_to_others(fx):
    made = fx.create(owner=["1003"])
    data = {"dataObjectApiName": "AccountObj", "objectDataId": made}
    denied = fx.call("/cgi/crm/v2/data/get", {"data": data}, user="1002")
    assert denied["errorCode"] != 0
    member = {"dataIDs": [made], "teamMemberEmployee": ["1002"], "teamMemberRole": "2",
              "teamMemberPermissionType": "1"}  # fmt: skip
    fx.good("/cgi/crm/team/add", member, apiName="AccountObj")
    assert team_of(fx, made) == {"1003": "1", "1002": "2"}
    assert fx.good("/cgi/crm/v2/data/get", data, user="1002")["data"]["_id"] == made
    assert fx.ids(("_id", "EQ", [made]), user="1002") == [made]
    fx.good("/cgi/crm/team/edit", {**member, "teamMemberRole": "4"}, apiName="AccountObj")
    assert team_of(fx, made)["1002"] == "4"
    fx.good("/cgi/crm/team/delete", member, apiName="AccountObj")
    assert team_of(fx, made) == {"1003": "1"}
    reply = fx.call("/cgi/crm/team/add", {"apiName": "LeadsObj", "data": member})
    assert reply["errorCode"] == 32000


def test_a_file_is_uploaded_in_two_steps_and_attached(fx, account):
    path = "/cgi/crm/v2/generatorFileUploadCredential"
    wanted = {"expireTime": 600, "resourceType": "TN", "filename": "a.txt", "extension": "txt",
              "fileSize": 5}  # fmt: skip
    step = fx.call(path, wanted)["data"]
    assert step["url"].startswith(fx.url)
    sent = fx.http.post(
        step["url"], headers=step["headers"], files={"facishareFile": b"hello"}, timeout=60
    ).json()
    assert sent["success"]
    assert sent["data"].startswith("TN_")
    again = fx.http.post(step["url"], data=b"hello", timeout=60).json()
    assert not again["success"]
    record = {"dataObjectApiName": "PaymentObj", "account_id": account, "owner": ["1001"],
              "payment_amount": "1", "payment_time": 1_760_000_000_000,
              "attachment": [{"filename": "a.txt", "path": sent["data"], "size": 5,
                              "ext": "txt"}]}  # fmt: skip
    made = fx.good("/cgi/crm/v2/data/create", {"object_data": record})["dataId"]
    assert fx.get(made, "PaymentObj")["attachment"][0]["path"] == sent["data"]


@pytest.mark.parametrize(
    "wrong", [{"fileSize": 104_857_601}, {"expireTime": 59}, {"resourceType": "X"}]
)
def test_a_wrong_upload_request_is_refused(fx, wrong):
    wanted = {"expireTime": 600, "filename": "a", "extension": "b", "fileSize": 1, **wrong}
    reply = fx.call("/cgi/crm/v2/generatorFileUploadCredential", wanted)
    assert reply["errorCode"] == 32000


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, 0),
        ({"toUser": []}, 10015),
        ({"toUser": ["1001"] * 501}, 11016),
        ({"toUser": ["9"]}, 20012),
        ({"msgType": "song"}, 11017),
        ({"text": {"content": ""}}, 12005),
    ],
)
def test_messages_are_checked(fx, changes, code):
    message = {"toUser": ["1001"], "msgType": "text", "text": {"content": "hi"}, **changes}
    assert fx.call("/cgi/message/send", message)["errorCode"] == code


def test_a_new_employee_gets_an_id_and_can_own_rows(alone):
    fx = alone()
    values = {"name": "新同事", "phone": "13800001099", "main_department": ["1002"]}
    made = fx.create("PersonnelObj", **values)
    user_id = fx.get(made, "PersonnelObj")["user_id"]
    assert user_id == "1004"
    assert fx.get(fx.create(owner=[user_id]))["owner_department"] == "销售二部"
    assert fx.create("PersonnelObj", **values) != made
    assert len(fx.call("/cgi/user/list", {"departmentId": 1002})["userList"]) == 2


def test_half_a_surrogate_pair_is_refused(fx):
    body = b'{"data": {"object_data": {"dataObjectApiName": "AccountObj", "name": "\\ud83d"}}}'
    reply = fx.raw("/cgi/crm/v2/data/create", headers=fx.headers(), data=body).json()
    assert reply["errorCode"] == 32000


def test_a_moment_beyond_all_calendars_is_refused_or_harmless(fx, account):
    assert fx.update(account, expire_time=10**30)["errorCode"] == 201110001
    found = fx.ids(("create_time", "LT", [10**30]), ("_id", "EQ", [account]))
    assert found == [account]
