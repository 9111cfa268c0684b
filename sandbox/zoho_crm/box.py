"""The parts of one stand-in, put together."""

from dataclasses import dataclass
from pathlib import Path

from flask import current_app

from sandbox.zoho_crm.bulk import BulkJobs
from sandbox.zoho_crm.calls import Calls
from sandbox.zoho_crm.clock import Clock
from sandbox.zoho_crm.faults import Faults
from sandbox.zoho_crm.limits import Limits
from sandbox.zoho_crm.metadata import Metadata
from sandbox.zoho_crm.notify import Notifier
from sandbox.zoho_crm.oauth import OAuth
from sandbox.zoho_crm.people import People
from sandbox.zoho_crm.store import Store
from sandbox.zoho_crm.switches import Switches
from sandbox.zoho_crm.values import Values


@dataclass
class Box:
    folder: Path
    store: Store
    clock: Clock
    switches: Switches
    people: People
    metadata: Metadata
    values: Values
    oauth: OAuth
    limits: Limits
    calls: Calls
    faults: Faults
    notifier: Notifier = None
    bulk: BulkJobs = None
    base_url: str = ""

    def start(self):
        self.notifier.start()
        self.bulk.start()

    def stop(self):
        self.notifier.stop()
        self.bulk.stop()
        self.limits.save()
        self.store.close()


def open_box(folder, zone=None):
    folder = Path(folder)
    store = Store(folder)
    clock = Clock(store, zone)
    switches = Switches(store)
    people = People(store, clock)
    metadata = Metadata(store, clock)
    box = Box(
        folder=folder,
        store=store,
        clock=clock,
        switches=switches,
        people=people,
        metadata=metadata,
        values=Values(metadata, people, switches),
        oauth=OAuth(store, clock, switches, people),
        limits=Limits(store, clock, switches),
        calls=Calls(clock),
        faults=Faults(),
    )
    box.notifier = Notifier(box)
    box.bulk = BulkJobs(box)
    return box


def the_box():
    """The stand-in that serves the current request."""
    return current_app.config["BOX"]
