"""A second hub writes to the same systems: on one database by design, on two by mistake."""

import threading
import time
from dataclasses import replace

import pytest

from connectors.memory.world import forget
from sync.gateway.quota import LocalBuckets
from sync.gateway.systems import Systems
from sync.gateway.vault import Vault
from sync.service import systems
from sync.store.systems import StoredSystems
from sync.store.tables import Link
from tests.scenarios.outside import make_outside

NAMES = ("erp", "zoho")
COMPANIES = [f"{chr(0x4E00 + 91 * number)}科技{number}" for number in range(6)]


@pytest.fixture
def hub(zoho_process, running_standin, tmp_path):
    zoho_process.reset()
    made = make_outside(zoho_process, running_standin, tmp_path / "one", names=NAMES)
    yield made
    made.hub.database.engine.dispose()
    forget(f"erp-{tmp_path / 'one'}")


@pytest.fixture
def second(hub, tmp_path):
    """Another deployment with a database of its own, in front of the same ERP and the same Zoho."""
    made = make_outside(
        hub.zoho, hub.fx, tmp_path / "two", names=NAMES, erp=f"erp-{tmp_path / 'one'}"
    )
    yield made
    made.hub.database.engine.dispose()


def test_two_databases_before_the_same_systems_are_noticed_and_said(hub, second):
    for company in COMPANIES:
        hub.erp.create("customers", name=company)
    hub.sync()
    assert len(hub.accounts()) == len(COMPANIES)
    for _ in range(2):
        second.poll()
        second.work()
    stopped = second.system("zoho")
    assert stopped.state == "broken"
    assert stopped.state_reason.startswith("Another hub is at work in zoho: its Accounts ")
    assert "Stop one of the two hubs" in stopped.state_hint
    assert len(hub.accounts()) == len(COMPANIES)  # nothing was made twice
    assert second.rows(Link, Link.system_id == stopped.id) == []


def test_when_the_other_one_is_gone_a_person_lets_it_go_on(hub, second):
    hub.erp.create("customers", name=COMPANIES[0], tax_id="91310000MA0000000Y")
    hub.sync()
    second.poll()
    second.work()
    assert second.system("zoho").state == "broken"
    time.sleep(0.01)
    systems.resume_system(second.hub, "zoho", actor="li")
    second.sync()
    assert second.system("zoho").state == "live"
    assert len(hub.accounts()) == 1
    assert len(second.goldens()) == 1  # known again by its tax id


def test_the_work_of_a_forerunner_is_taken_as_it_is(hub, tmp_path):
    """A hub that is set up anew on systems that another one has written to before."""
    hub.erp.create("customers", name=COMPANIES[0], tax_id="91310000MA0000000Y")
    hub.sync()
    time.sleep(0.01)
    heir = make_outside(
        hub.zoho, hub.fx, tmp_path / "heir", names=NAMES, erp=f"erp-{tmp_path / 'one'}"
    )
    heir.sync()
    assert {heir.system(name).state for name in NAMES} == {"live"}
    assert len(heir.goldens()) == len(hub.accounts()) == 1
    heir.hub.database.engine.dispose()


def test_two_processes_on_one_database_share_the_work(hub):
    other = Systems(StoredSystems(hub.hub.database), Vault(b"test"), LocalBuckets())
    both = (hub, replace(hub, hub=replace(hub.hub, systems=other)))
    for company in COMPANIES:
        hub.erp.create("customers", name=company)
    hub.poll()
    start, failures = threading.Barrier(2), []

    def work(one):
        start.wait()
        try:
            one.work()
        except BaseException as error:  # noqa: BLE001  whatever a thread meets is told
            failures.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    hub.sync()
    assert sorted(account["Account_Name"] for account in hub.accounts()) == sorted(COMPANIES)
    assert hub.system("zoho").state == "live"
