"""One company arrives in three systems within a moment, on three workers."""

import threading

from sync.flow import take_in
from tests.scenarios.story import ACME, everywhere, only


def test_one_customer_with_three_sources(fixture):
    fixture.sync()  # every system was heard before
    extra = {"erp": {"code": "E1"}, "crm": {"notes": "by mail"}, "sales": {"website": "a.example"}}
    for name in fixture.names:
        fixture.world(name).create("customers", **ACME, **extra[name])
    fixture.poll()
    start = threading.Barrier(3)
    failures: list[BaseException] = []

    def worker(system_id):
        start.wait()
        try:
            take_in.drain(fixture.hub, system_id)
        except BaseException as error:  # noqa: BLE001  whatever a thread meets is told
            failures.append(error)

    threads = [threading.Thread(target=worker, args=(fixture.id_of(n),)) for n in fixture.names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    fixture.sync()
    assert len(fixture.goldens()) == 1
    assert len(fixture.links()) == 3
    for field, value in (("code", "E1"), ("notes", "by mail"), ("website", "a.example")):
        assert everywhere(fixture, field) == [value] * 3
    assert only(fixture, "erp")["name"] == ACME["name"]
