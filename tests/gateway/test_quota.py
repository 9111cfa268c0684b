"""Call quotas over all workers, with and without their broker."""

import time

import pytest
import redis

from connectors.sdk.contract import Rate
from connectors.sdk.errors import TransientError
from sync.gateway.quota import MOST_AHEAD, LocalBuckets, Quota, RedisBuckets
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


class Counted(LocalBuckets):
    """Buckets that remember how many tokens were asked for at once."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def take(self, name, rate, cost):
        self.asked.append(cost)
        return super().take(name, rate, cost)


def test_tokens_of_a_fast_interface_are_taken_several_at_once():
    buckets = Counted()
    quota = Quota("crm", buckets, {"*": Rate(20_000, 20.0, 1000)})
    assert [quota.acquire("api") for _ in range(MOST_AHEAD)] == [0.0] * MOST_AHEAD
    assert buckets.asked == [MOST_AHEAD]
    quota.close("api", 5.0)
    assert quota.acquire("api") > 0  # what was in hand is given up


def test_scarce_calls_are_counted_one_by_one():
    buckets = Counted()
    quota = Quota("crm", buckets, {"*": Rate(100, 20.0, 10)})
    assert [quota.acquire("api") for _ in range(10)] == [0.0] * 10
    assert quota.acquire("api") > 0
    assert set(buckets.asked) == {1}
