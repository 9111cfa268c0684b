"""Proof of deliveries: what is not proven is refused."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.sdk.contract import Delivery
from connectors.sdk.errors import DeliveryRejected
from connectors.sdk.webhooks import (
    check_age,
    check_hmac,
    check_same,
    content_id,
    header,
    json_body,
    moment,
    sign,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BODY = '{"名": 1}'.encode()


def delivery(body=BODY, **headers):
    return Delivery(headers, {}, body, NOW)


@pytest.mark.parametrize(("to", "algorithm"), [("hex", "sha256"), ("base64", "sha1")])
def test_a_signature_proves_its_content(to, algorithm):
    signature = sign("secret", BODY, algorithm=algorithm, to=to)
    check_hmac(signature, "secret", BODY, algorithm=algorithm, encoded=to)
    for given, secret, body in (
        (signature, "other", BODY),
        (signature, "secret", BODY + b" "),
        (signature[:-4] + "0000", "secret", BODY),
        ("", "secret", BODY),
        ("not a signature ✗", "secret", BODY),
    ):
        with pytest.raises(DeliveryRejected):
            check_hmac(given, secret, body, algorithm=algorithm, encoded=to)


def test_an_empty_secret_proves_nothing():
    with pytest.raises(DeliveryRejected, match="No webhook secret"):
        check_hmac(sign("", BODY), "", BODY)
    with pytest.raises(DeliveryRejected):
        check_same("", "")


def test_shared_words_must_be_the_same():
    check_same("令牌", "令牌")
    with pytest.raises(DeliveryRejected, match="channel token"):
        check_same("令", "令牌", "channel token")


@pytest.mark.parametrize(
    ("age", "good"), [(0, True), (299, True), (301, False), (-30, True), (-61, False)]
)
def test_old_and_future_deliveries_are_refused(age, good):
    sent = NOW - timedelta(seconds=age)
    if good:
        check_age(sent, NOW, timedelta(minutes=5))
    else:
        with pytest.raises(DeliveryRejected):
            check_age(sent, NOW, timedelta(minutes=5))


def test_headers_and_bodies_must_be_readable():
    assert header(delivery(**{"x-sign": "1"}), "X-Sign") == "1"
    assert json_body(delivery()) == {"名": 1}
    for broken in (b"", b"[1]", b"{", '{"客": 1}'.encode("gb18030")):
        with pytest.raises(DeliveryRejected):
            json_body(delivery(broken))
    with pytest.raises(DeliveryRejected, match="X-Sign"):
        header(delivery(), "X-Sign")


def test_moments_come_in_seconds_or_milliseconds():
    assert moment("1772366400") == moment("1772366400000") == NOW
    for nonsense in ("", "soon", "nan", "1e400"):
        with pytest.raises(DeliveryRejected):
            moment(nonsense)


def test_the_same_content_has_the_same_id():
    assert content_id(delivery()) == content_id(delivery()) != content_id(delivery(b"{}"))
