"""Callbacks: the crypto against the contract's vector, deliveries, retries and faults."""

import time

from sandbox.fxiaoke import callback_crypto

SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
PLAIN = (
    '{"tenantId":90001,"eventType":"update","apiName":"AccountObj",'
    '"dataId":"66f000000000000000000001","timestamp":1760000000000,"messageId":"m-0001"}'
)
ENCRYPTED = (
    "R1xkBZvukEkJBVAvuJyLBrBEL07oWVCkYSzbrGHOHZSBRusHl5C7DVDmiAFvDPYhLNbTWQy+YEKqcEFodXh99j425dSN"
    "x1sbe69en3m80Kc63Dhrbmmp58jJjkgJYZu7ub943VIuPWt/6YrNcNOOdTTIL/j3uhCQC2jHe5cVo7tGRkBhfEXHxrqS"
    "qiCGLimfkx8o+ZJXGJe8qXFDTfmJcQ=="
)
GIVEN = {
    "timestamp": 1760000000123,
    "nonce": "n0nce",
    "message_id": "m-0001",
    "ea": "acme90001",
    "encrypted": ENCRYPTED,
}


def test_the_encryption_matches_the_vector():
    assert callback_crypto.encrypt(SECRET, PLAIN) == ENCRYPTED
    assert callback_crypto.decrypt(SECRET, ENCRYPTED) == PLAIN
    assert callback_crypto.encrypt(SECRET, "success") == "ArsKAyhvk7QKghXe0zdCeQ=="


def test_the_signatures_match_the_vector():
    first = callback_crypto.sign_delivery(SECRET, **GIVEN)
    assert first == "e0b00f74d14d3af1f94d61053d2adec7e59a3ed5"
    retried = callback_crypto.sign_delivery(SECRET, **GIVEN, retry_times=1)
    assert retried == "c62d99681e452293ee8959b3d1774438fcce2142"
    answer = callback_crypto.sign_answer(
        SECRET, timestamp=1760000000123, nonce="n0nce", encrypted="ArsKAyhvk7QKghXe0zdCeQ=="
    )
    assert answer == "f9198dca3ddb8a480ef84ccea562554373ab0fcf"


def test_every_kind_of_change_is_told(fx, hook):
    made = fx.create()
    fx.update(made, tel="1")
    fx.invalid(made)
    ids = {"dataObjectApiName": "AccountObj", "idList": [made]}
    fx.good("/cgi/crm/v2/data/recover", ids)
    fx.invalid(made)
    fx.good("/cgi/crm/v2/data/delete", ids)
    told = hook.messages(6)
    assert sorted(one["eventType"] for one in told) == [
        "create", "delete", "invalid", "invalid", "recover", "update",
    ]  # fmt: skip
    assert {one["dataId"] for one in told} == {made}
    assert {one["apiName"] for one in told} == {"AccountObj"}
    assert len({one["messageId"] for one in told}) == 6
    assert hook.got[0][0]["enterpriseAccount"] == fx.info["ea"]


def test_other_objects_are_not_told(fx, hook):
    fx.create("LeadsObj", name="no callback")
    made = fx.create()
    assert [one["dataId"] for one in hook.messages(1)] == [made]


def test_api_writes_can_be_silent_while_a_users_edit_is_told(fx, hook):
    fx.admin("/switches", {"event_on_api_write": False})
    made = fx.create()
    fx.admin(f"/records/AccountObj/{made}", {"fields": {"tel": "9"}})
    told = hook.messages(1)
    assert [(one["eventType"], one["dataId"]) for one in told] == [("update", made)]


def test_a_bad_answer_is_tried_once_more(fx, hook):
    hook.mood = "bad"
    fx.create()
    hook.messages(2)
    time.sleep(0.15)
    deliveries = [one for one, _ in hook.got]
    assert len(deliveries) == 2
    assert "retryTimes" not in deliveries[0]
    assert deliveries[1]["retryTimes"] == 1
    assert deliveries[0]["messageId"] == deliveries[1]["messageId"]
    outcomes = {one["outcome"] for one in fx.look("/callback/log")["deliveries"][-2:]}
    assert outcomes == {"answer is not success"}


def test_an_answer_after_three_seconds_is_too_late(fx, hook):
    hook.mood = "slow"
    fx.create()
    assert len(hook.messages(2)) == 2
    assert hook.got[1][0]["retryTimes"] == 1


def test_deliveries_are_dropped_doubled_and_turned_around_on_demand(fx, hook):
    fx.admin("/callback/faults", {"drop": 1})
    fx.create()
    fx.admin("/callback/faults", {"duplicate": 1})
    twice = fx.create()
    assert [one["dataId"] for one in hook.messages(2)] == [twice, twice]
    hook.got.clear()
    fx.admin("/callback/faults", {"reorder": 2})
    first, second = fx.create(), fx.create()
    assert {one["dataId"] for one in hook.messages(2)} == {first, second}
    assert fx.look("/callback")["held"] == 0


def test_a_seed_can_be_silent_or_told(fx, hook):
    fx.admin("/records/AccountObj", {"rows": [{"name": "silent"}], "silent": True})
    told = fx.admin("/records/AccountObj", {"rows": [{"name": "told"}, {"name": "too"}]})["ids"]
    assert {one["dataId"] for one in hook.messages(2)} == set(told)
