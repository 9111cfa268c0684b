"""A token dies in the middle of a batch; sixteen workers want a new one; consent is taken back."""

import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.sdk.http import Token
from sync.gateway.systems import Systems
from sync.gateway.tokens import StoredTokens
from sync.service import systems
from sync.store.tables import DeadLetter, Dirty
from tests.infra.processes import eventually

MANY = 40


def seed(outside, count=MANY):
    for number in range(count):
        outside.erp.create(
            "customers", name=f"{chr(0x4E00 + 53 * number)}{chr(0x6000 + 31 * number)}科技",
            website=f"firm{number}.example",
        )  # fmt: skip


def workers(outside, count):
    """As many processes would be: each opens its connectors anew, over one database."""
    own = outside.hub.systems
    return [
        replace(outside.hub, systems=Systems(own.store, own.vault, own.buckets))
        for _ in range(count)
    ]


def all_at_once(calls):
    start, failures = threading.Barrier(len(calls)), []

    def run(call):
        start.wait()
        try:
            call()
        except BaseException as error:  # noqa: BLE001  whatever a thread meets is told
            failures.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def fx_totals(outside):
    return outside.fx.calls()["totals"]


def kill_token_at(outside, calls):
    """A thread that lets all tokens of 纷享 die once so many writes have come in."""
    seen = {}

    def watch():
        deadline = time.monotonic() + 100
        while time.monotonic() < deadline:
            written = fx_totals(outside)["write_ok"]
            if written >= calls:
                outside.fx.post("/tokens/revoke")
                outside.fx.admin("DELETE", "/faults")
                seen["at"] = written
                return
            time.sleep(0.005)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread, seen


def test_a_token_that_dies_in_the_middle_of_a_batch_loses_and_doubles_nothing(outside):
    seed(outside)
    outside.poll("erp")
    outside.take_in("erp")
    outside.fx.post("/calls/reset")
    outside.fx.post("/faults", kind="slow", path="create", delay_ms=400, times=None)
    thread, seen = kill_token_at(outside, 20)
    outside.sync(seconds=120)
    thread.join()
    assert 20 <= seen["at"] < MANY  # it did die in between
    names = [row["name"] for row in outside.living()]
    assert len(names) == len(set(names)) == MANY
    assert fx_totals(outside)["token"] == 1
    assert outside.rows(DeadLetter) == []
    assert outside.system("fx").state == "live"


@pytest.mark.parametrize("name", ["fx", "zoho"])
def test_sixteen_workers_make_one_grant(outside, name):
    """纷享 refuses two grants at once, and more than ten in a minute; Zoho ten in ten minutes."""
    seed(outside, 3)
    outside.sync()
    before = fx_totals(outside)["token"]
    if name == "fx":
        outside.fx.post("/tokens/revoke")
        object_name, ids = "AccountObj", [row["_id"] for row in outside.living()]
    else:
        outside.zoho.admin("POST", "/tokens/forget-throttle")
        outside.zoho.switch(token_throttle=1)  # a second grant would be refused
        outside.zoho.admin("POST", "/tokens/expire")
        object_name, ids = "Accounts", [row["id"] for row in outside.accounts()]
    system_id = outside.id_of(name)
    opened = [hub.systems.open(system_id) for hub in workers(outside, 16)]
    found = []
    failures = all_at_once(
        [lambda o=one: found.append(list(o.connector.fetch(object_name, ids))) for one in opened]
    )
    assert failures == []
    assert [len(changes) for changes in found] == [3] * 16
    assert all(change.data is not None for changes in found for change in changes)
    assert fx_totals(outside)["token"] - before == (1 if name == "fx" else 0)


@pytest.mark.pg
@pytest.mark.redis
@pytest.mark.slow
def test_worker_processes_make_one_grant_each_time_a_token_dies_under_load(workforce, pg_fresh_url):
    deaths = (5, 15, 25)  # after so many writes
    team = workforce(pg_fresh_url, batch=5)
    outside = team.outside
    outside.fx.post("/calls/reset")
    outside.zoho.admin("POST", "/tokens/forget-throttle")
    outside.zoho.switch(token_throttle=len(deaths))  # one grant more would be refused
    outside.fx.post("/faults", kind="slow", path="create", delay_ms=150, times=None)
    seed(outside)
    for number in deaths:
        eventually(lambda n=number: fx_totals(outside)["write_ok"] >= n, what=f"{number} writes")
        outside.fx.post("/tokens/revoke")
        outside.zoho.admin("POST", "/tokens/expire")
    written = fx_totals(outside)["write_ok"]
    outside.fx.admin("DELETE", "/faults")
    team.rest()
    assert written < MANY  # each of them died while work was being done
    assert fx_totals(outside)["token"] == len(deaths)
    for names in (
        [row["name"] for row in outside.living()],
        [account["Account_Name"] for account in outside.accounts()],
    ):
        assert len(names) == len(set(names)) == MANY
    assert outside.rows(DeadLetter) == []
    assert {outside.system(name).state for name in outside.names} == {"live"}
    assert len(team.worked("dispatch")) > 1


class Overtaken:
    """A store in which another worker fetches the token just before the lease is taken."""

    def __init__(self, store, other):
        self.store, self.other = store, other

    def __getattr__(self, name):
        return getattr(self.store, name)

    def lease_token(self, system_id, **lease):
        other, self.other = self.other, None
        if other is not None:
            other()
        return self.store.lease_token(system_id, **lease)


def test_what_was_granted_between_look_and_lease_is_not_granted_again(outside):
    store, vault = outside.hub.systems.store, outside.hub.systems.vault
    system_id, granted = outside.id_of("fx"), []

    def grant():
        granted.append(f"T{len(granted)}")
        return Token(granted[-1], time.time() + 100, {})

    quick = StoredTokens(store, vault, system_id)
    old = quick.renew(quick.current(), grant)
    late = StoredTokens(Overtaken(store, lambda: quick.renew(old, grant)), vault, system_id)
    assert late.renew(old, grant).value == quick.current().value
    assert len(granted) == 2
    assert quick.renew(late.current(), grant).value == granted[-1]  # the lease was given back


def test_a_worker_that_was_too_slow_does_not_overwrite_the_newer_token(outside):
    """Its lease ran out in the middle of the grant; the number of the lease fences it off."""
    store, system_id = outside.hub.systems.store, outside.id_of("fx")
    now = outside.hub.now()
    slow = store.lease_token(system_id, now=now, until=now + timedelta(seconds=1))
    assert store.lease_token(system_id, now=now, until=now + timedelta(seconds=9)) is None
    later = now + timedelta(seconds=2)
    quick = store.lease_token(system_id, now=later, until=later + timedelta(seconds=9))
    store.release_token(system_id, quick, b"newer")
    store.release_token(system_id, slow, b"older")
    assert store.token(system_id) == b"newer"


def test_consent_taken_back_pauses_one_system_with_a_sentence(outside):
    seed(outside, 5)
    outside.sync()
    outside.zoho.admin("POST", "/tokens/revoke-refresh")
    outside.zoho.admin("POST", "/tokens/expire")
    try:
        for customer in outside.erp.all("customers"):
            outside.erp.edit("customers", customer["id"], notes="typed while consent was gone")
        outside.poll("erp")
        outside.take_in("erp")
        outside.dispatch()
        row = outside.system("zoho")
        assert row.state == "broken"
        assert "refresh token" in row.state_reason
        assert row.state_hint
        assert outside.system("fx").state == "live"
        assert {r["remark"] for r in outside.living()} == {"typed while consent was gone"}
        waiting = outside.rows(Dirty, Dirty.system_id == row.id)
        assert len(waiting) == 5  # nothing is lost, nothing counts as the records' fault
        assert outside.rows(DeadLetter) == []
    finally:
        outside.zoho.admin("POST", "/tokens/restore-refresh")
    systems.resume_system(outside.hub, "zoho")
    outside.sync()
    assert {a["Description"] for a in outside.accounts()} == {"typed while consent was gone"}
    assert len(outside.accounts()) == 5
