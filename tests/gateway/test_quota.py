"""Call quotas over all workers, with and without their broker."""

import time

import pytest
import redis

from connectors.sdk.contract import Rate
from connectors.sdk.errors import TransientError
from sync.gateway.quota import RedisBuckets
from tests.conftest import redis_py_url

TWO_A_MINUTE = Rate(2, 60.0, 2)


@pytest.fixture
def buckets(clean_valkey):
    with redis.Redis.from_url(redis_py_url(clean_valkey)) as client:
        yield RedisBuckets(client)


@pytest.fixture
def lonely(tmp_path):
    """Buckets whose broker is away."""
    with redis.Redis(unix_socket_path=str(tmp_path / "nobody.sock")) as client:
        yield RedisBuckets(client)


@pytest.mark.redis
def test_a_used_up_bucket_tells_how_long_to_wait(buckets):
    assert [buckets.take("crm:*", TWO_A_MINUTE, 1) for _ in range(2)] == [0.0, 0.0]
    assert 25 < buckets.take("crm:*", TWO_A_MINUTE, 1) <= 30


@pytest.mark.redis
def test_a_shut_bucket_stays_shut_for_as_long_as_the_system_said(buckets):
    buckets.shut("crm:*", 0.2)
    assert 0 < buckets.take("crm:*", None, 1) <= 0.2
    time.sleep(0.25)
    assert buckets.take("crm:*", None, 1) == 0.0


def test_without_its_broker_a_call_is_put_off_and_no_record_is_blamed(lonely):
    with pytest.raises(TransientError) as refusal:
        lonely.take("crm:*", TWO_A_MINUTE, 1)
    assert refusal.value.retry_after


def test_a_refusal_of_the_system_survives_the_loss_of_the_broker(lonely):
    lonely.shut("crm:*", 10.0)
