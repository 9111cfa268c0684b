"""A second hub writes to the same systems: on one database by design, on two by mistake."""

import threading
import time
from dataclasses import replace

import pytest

from connectors.memory.world import forget
from connectors.sdk.errors import SetupError
from sync.flow import dispatch, recover
from sync.gateway.quota import LocalBuckets
from sync.gateway.systems import Systems
from sync.gateway.vault import Vault
from sync.service import systems
from sync.store.systems import StoredSystems
from sync.store.tables import Link
from tests.scenarios.outside import make_outside
from tests.scenarios.story import ACME

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


class StoppedMeanwhile(Systems):
    """Another worker finds out, just after this one has opened the system, that it must stop."""

    hub = None

    def open(self, system_id):
        opened = super().open(system_id)
        recover.pause(self.hub, system_id, SetupError("Another hub is at work."))
        return opened


def test_what_one_worker_has_stopped_is_not_written_to_by_another(fixture):
    own = fixture.hub.systems
    fixture.sync()
    fixture.world("erp").create("customers", **ACME)
    fixture.poll("erp")
    fixture.work_in()
    late = StoppedMeanwhile(own.store, own.vault, own.buckets)
    late.hub = fixture.hub
    assert dispatch.drain(replace(fixture.hub, systems=late), fixture.id_of("crm")) == 0
    assert fixture.world("crm").all("customers") == []
    systems.resume_system(fixture.hub, "crm", actor="li")
    fixture.sync()
    assert [r["name"] for r in fixture.world("crm").all("customers")] == [ACME["name"]]


def versions(one):
    """How often each record of Zoho and of the ERP was written, by whomever."""
    changes = [(row.id, row.version) for row in one.erp.every("customers")]
    return one.zoho.calls()["records_written"], changes


@pytest.mark.pg
@pytest.mark.redis
@pytest.mark.slow
def test_two_deployments_at_work_double_nobody_and_the_second_is_told(
    workforce, pg_fresh_url, tmp_path
):
    """Two databases, two brokers, worker processes of each: the second hub is set up by mistake.

    It looks only when it is asked to: a customer whom both hear of within the same second can be
    created by both, which no hub can see beforehand.
    """
    own = workforce(pg_fresh_url, workers=2, names=NAMES)
    one = own.outside
    for number, company in enumerate(COMPANIES):
        one.erp.create("customers", name=company, email=f"office@firm{number}.example")
    own.rest()
    other = workforce(
        f"sqlite:///{tmp_path / 'other.db'}", name="other", workers=2, names=NAMES,
        erp=own.home / "erp.world", poll_seconds=3600.0,
    )  # fmt: skip
    two = other.outside
    for number, customer in enumerate(one.erp.all("customers")):
        one.erp.edit("customers", customer["id"], notes=f"note {number}")
    for number, account in enumerate(one.accounts()):
        one.zoho.edit("Accounts", account["id"], Phone=f"+86215555010{number}")
    other.rest()
    own.rest()
    other.rest()
    assert len(one.goldens()) == len(two.goldens()) == len(one.accounts()) == len(COMPANIES)
    assert {a["Description"] for a in one.accounts()} == {f"note {n}" for n in range(6)}
    assert {c["phone"][-1] for c in one.erp.all("customers")} == set("012345")
    before = versions(one)
    own.rest()
    other.rest()
    own.rest()
    assert versions(one) == before  # nobody puts back what the other has written
    one.erp.create("customers", name="Newcomer", email="office@newcomer.example")
    own.rest()
    other.rest()
    told = two.system("zoho")
    assert told.state == "broken"
    assert told.state_reason.startswith("Another hub is at work in zoho: its Accounts ")
    one.erp.create("customers", name="Next one", email="office@next.example")
    other.rest()
    own.rest()
    names = [account["Account_Name"] for account in one.accounts()]
    assert len(names) == len(set(names)) == len(COMPANIES) + 2, names
    assert one.system("zoho").state == "live", one.system("zoho").state_reason
    assert own.worked("dispatch")
    assert other.worked("take_in")
