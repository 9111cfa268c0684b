import json
from datetime import UTC, datetime, timedelta

import pytest

from connectors.fxiaoke import callback
from connectors.sdk.contract import Delivery, Hint
from connectors.sdk.errors import DeliveryRejected
from connectors.sdk.http import Token

SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
CONTENT = (
    "R1xkBZvukEkJBVAvuJyLBrBEL07oWVCkYSzbrGHOHZSBRusHl5C7DVDmiAFvDPYhLNbTWQy+YEKqcEFodXh99j425dSN"
    "x1sbe69en3m80Kc63Dhrbmmp58jJjkgJYZu7ub943VIuPWt/6YrNcNOOdTTIL/j3uhCQC2jHe5cVo7tGRkBhfEXHxrqS"
    "qiCGLimfkx8o+ZJXGJe8qXFDTfmJcQ=="
)
SENT = datetime.fromtimestamp(1_760_000_000, UTC)


def envelope(**changes):
    return {
        "signature": "e0b00f74d14d3af1f94d61053d2adec7e59a3ed5",
        "timestamp": 1_760_000_000_123,
        "nonce": "n0nce",
        "messageId": "m-0001",
        "enterpriseAccount": "acme90001",
        "encryptedContent": CONTENT,
        **changes,
    }


def delivery(body=None, received_at=SENT, **changes):
    content = json.dumps(envelope(**changes)).encode() if body is None else body
    return Delivery({}, {}, content, received_at)


def signed(plain, **changes):
    content = callback.encrypt(plain, SECRET)
    whole = envelope(encryptedContent=content, **changes)
    return delivery(json.dumps({**whole, "signature": callback.signature(whole, SECRET)}).encode())


def test_the_published_vector_is_proven_and_read(connector):
    connector.verify(delivery())
    assert connector.hints(delivery()) == [Hint("AccountObj", "66f000000000000000000001", "m-0001")]


def test_a_repeat_is_signed_with_its_count_and_keeps_its_id(connector):
    again = delivery(signature="c62d99681e452293ee8959b3d1774438fcce2142", retryTimes=1)
    connector.verify(again)
    assert connector.hints(again)[0].delivery_id == "m-0001"


def test_the_answer_is_the_word_success_encrypted_and_signed(connector):
    answer = callback.answer(SECRET, 1_760_000_000_123, "n0nce")
    assert answer["encryptedResult"] == "ArsKAyhvk7QKghXe0zdCeQ=="
    assert answer["signature"] == "f9198dca3ddb8a480ef84ccea562554373ab0fcf"
    told = json.loads(connector.reply(delivery()).body)
    assert callback.decrypt(told["encryptedResult"], SECRET) == "success"
    assert told["nonce"] == "n0nce"
    assert told["timestamp"] == 1_760_000_000_000


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": "0" * 40},
        {"signature": None},
        {"nonce": "other"},
        {"messageId": "m-0002"},
        {"enterpriseAccount": "other"},
        {"retryTimes": 2},
        {"encryptedContent": CONTENT[:-8] + "AAAAAA=="},
        {"timestamp": {"a": 1}},
    ],
)
def test_any_changed_part_is_refused(connector, changes):
    with pytest.raises(DeliveryRejected):
        connector.verify(delivery(**changes))


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b'{"signature": "x"}', b'{"a":'])
def test_what_is_no_callback_is_refused(connector, body):
    with pytest.raises(DeliveryRejected):
        connector.verify(delivery(body))


@pytest.mark.parametrize("late", [timedelta(seconds=601), timedelta(seconds=-120)])
def test_an_old_or_future_callback_is_refused(connector, late):
    with pytest.raises(DeliveryRejected):
        connector.verify(delivery(received_at=SENT + late))


def test_another_company_is_refused_once_ours_is_known(make, tokens):
    with pytest.raises(DeliveryRejected, match="enterprise account"):
        make(ea="other90001").verify(delivery())
    tokens.renew(None, lambda: Token("T", 9e12, {"ea": "third90001"}))
    with pytest.raises(DeliveryRejected, match="enterprise account"):
        make().verify(delivery())


def test_without_a_secret_nothing_is_proven(make):
    with pytest.raises(DeliveryRejected, match="No callback secret"):
        make(callback_secret=None).verify(delivery())


def test_signed_but_unreadable_content_is_refused(connector):
    for plain in (b"[1]", b"\xff\xff", b"{"):
        with pytest.raises(DeliveryRejected):
            connector.verify(signed(plain))


def test_any_event_of_a_known_object_says_look_again(connector):
    gone = signed(b'{"eventType": "delete", "apiName": "LeadsObj", "dataId": "9", "new": 1}')
    assert connector.hints(gone) == [Hint("LeadsObj", "9", "m-0001")]
    poll = signed(b'{"apiName": "ContactObj"}')
    assert connector.hints(poll) == [Hint("ContactObj", None, "m-0001")]


def test_other_objects_and_a_check_of_the_address_hint_at_nothing(connector):
    for plain in (b'{"apiName": "CasesObj", "dataId": "9"}', b'{"hello": 1}'):
        told = signed(plain)
        connector.verify(told)
        assert connector.hints(told) == []
