"""A worker dies between the create in the CRM and its own commit, at every line there is."""

from dataclasses import replace

import pytest

from connectors.memory import Trouble
from sync.flow import dispatch
from sync.gateway.quota import LocalBuckets
from sync.gateway.vault import Vault
from sync.store.systems import StoredSystems
from tests.histories.faults import Crash, Faults, FaultyDatabase, FaultySystems
from tests.scenarios.story import ACME, only, records


def faulty(fixture, faults):
    """The fixture's hub as a process that dies where `faults` says."""
    database = FaultyDatabase(fixture.hub.database.url.render_as_string(hide_password=False))
    database.faults = faults
    systems = FaultySystems(StoredSystems(database), Vault(b"test"), LocalBuckets(), faults=faults)
    return replace(fixture.hub, database=database, systems=systems)


@pytest.mark.parametrize("lag", [0.0, 4.0])
def test_a_create_happens_once_wherever_the_worker_dies(fixture, lag):
    fixture.world("crm").switch(search_lag=lag)
    fixture.sync()
    place, finished = 0, False
    while not finished:
        place += 1
        number = f"Customer {place}"
        fixture.world("erp").create("customers", name=number, email=f"c@c{place}.example")
        fixture.poll("erp")
        fixture.work_in()
        faults = Faults()
        hub = faulty(fixture, faults)
        faults.plan(place)
        try:
            dispatch.drain(hub, fixture.id_of("crm"))
            finished = faults.at > 0  # the step has fewer places than that
        except Crash:
            finished = False
        hub.database.engine.dispose()
        fixture.clock.pass_(200)
        fixture.sync()
        assert [r["name"] for r in records(fixture, "crm")].count(number) == 1
    assert place > 8
    assert len(fixture.goldens()) == place == len(records(fixture, "crm"))
    assert {link.state for link in fixture.links()} == {"live"}


@pytest.mark.parametrize("times", [1, 3])
def test_a_create_whose_answers_are_lost_happens_once(fixture, times):
    fixture.world("crm").trouble(*[Trouble(kind="lost", only="write")] * times)
    fixture.world("erp").create("customers", **ACME)
    fixture.sync()
    assert only(fixture, "crm")["name"] == ACME["name"]
