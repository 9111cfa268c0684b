"""What is measured: first load, bursts, webhooks, and the engine without any HTTP."""

import math
import os
import statistics
import time
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import update

from bench import floors
from bench.customers import zoho_accounts
from bench.processes import BenchError, cpu_seconds, forget_peak, peak_megabytes, wait_for
from bench.running import running_hub
from bench.stand_ins import (
    FXIAOKE_PAGE,
    ZOHO_BATCH,
    ZOHO_PAGE,
    stand_in,
    timed,
)
from connectors.memory.world import forget, world
from sync.core.policy import PolicySet
from sync.flow import dispatch, poll, take_in
from sync.flow.hub import Hub
from sync.gateway.quota import LocalBuckets
from sync.gateway.systems import Systems
from sync.gateway.vault import Vault
from sync.service import systems
from sync.settings import Settings
from sync.store import cursors, schema
from sync.store.session import Database
from sync.store.systems import StoredSystems
from sync.store.tables import System
from sync.wake import Waker

FLOOR_SAMPLE = 1000  # records that a floor of single calls is measured with
WARM_UP = 3  # customers taken in before the engine is timed
SLOWEST = 20.0  # records per second below which a run is given up
SETTLE = 3.0  # seconds after which a poll of 纷享 does not read again what was there before
ALIKE = 6  # polls in a row of equal cost, after which no process has anything left to look up
PEAK = "workers' peak memory"
RECONCILE, RECONCILE_PEAK = "reconcile", "peak memory of a reconcile"


@dataclass
class Measured:
    """One figure beside its floor. `ratio` is the result; the others depend on the machine."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    aim: str = ""
    holds: bool | None = None
    note: str = ""

    def as_dict(self):
        return asdict(self)


def against(name, value, unit, floor, *, aim=None, note=""):
    """A rate beside its floor; `aim` is the least share of the floor that is wanted."""
    ratio = value / floor
    holds = None if aim is None else ratio >= aim
    wanted = "" if aim is None else f"≥ {aim:.0%}"
    return Measured(name, value, unit, floor, ratio, wanted, holds, note)


def whole_path(folder, customers, *, burst, edits, settle=SETTLE, tell):
    """Zoho -> hub -> 纷享销客 with `customers` accounts: the load, then bursts and webhooks."""
    accounts = zoho_accounts(customers)
    with (
        stand_in("zoho_crm", folder / "zoho") as zoho,
        stand_in("fxiaoke", folder / "fxiaoke") as fxiaoke,
        running_hub(folder / "hub") as running,
    ):
        tell(f"{customers:,} customers: filling the Zoho stand-in")
        zoho.fill(accounts)
        zoho.log_in()
        fxiaoke.log_in()
        results = _first_load(folder, running, zoho, fxiaoke, accounts, tell)
        results += _reconcile(running, zoho, fxiaoke, customers, tell)
        if burst:
            results += _bursts(running, zoho, fxiaoke, min(burst, customers), settle, tell)
        if edits:
            results += _webhooks(running, zoho, fxiaoke, min(edits, customers), tell)
        return results


# --- First load ---


def _first_load(folder, running, zoho, fxiaoke, accounts, tell):
    count = len(accounts)
    label = f"{count:,} customers"
    tell(f"{label}: floors")
    reading = floors.reading(zoho)
    running.add("zoho", "zoho_crm", zoho.settings())
    running.add("fxiaoke", "fxiaoke", fxiaoke.settings())
    patience = 60 + count / SLOWEST
    tell(f"{label}: plan")
    idle = _memory(running)
    plan_seconds, plan = timed(running.plan, patience)
    plan_peak = _memory(running)
    for pid in running.worker_pids:
        forget_peak(pid)
    tell(f"{label}: load")
    cpu = _Cpu(running.worker_pids, fxiaoke.pid)
    seconds, _ = timed(running.apply, plan.id, patience)
    cpu.stop(count)
    peak = _memory(running)
    _must_hold_all(running, fxiaoke, count)
    tell(f"{label}: floors")
    creating, singly, plain_cpu = _creating(folder, running, fxiaoke)
    storing = floors.storing(running.hub.database, folder)
    slowest = min(reading, creating, storing)
    sides = (
        f"floors per second: Zoho read {reading:.0f}, 纷享 create {creating:.0f} in parallel and "
        f"{singly:.0f} one by one, database {storing:.0f}; CPU ms a record: hub's workers "
        f"{cpu.own:.1f} and 纷享 {cpu.other:.1f}, a plain program {plain_cpu.own:.1f} and "
        f"纷享 {plain_cpu.other:.1f}"
    )
    rate = count / seconds
    return [
        against(f"first load, {label}", rate, "records/s", slowest, aim=0.6, note=sides),
        against(
            f"first load, {label}, beside the plainest program",
            rate,
            "records/s",
            min(reading, singly, storing),
            aim=0.6,
            note="one connection, one call after the other",
        ),
        against(
            f"plan, {label}",
            count / plan_seconds,
            "records/s",
            min(reading, storing),
            note="reads all, runs every step on a scratch copy, writes nothing",
        ),
        against(
            f"plan and load together, {label}",
            count / (plan_seconds + seconds),
            "records/s",
            min(reading, singly, storing),
            note="the load stores what the plan has worked out; floor: the plainest program",
        ),
        Measured(
            f"{PEAK}, load of {label}",
            peak,
            "MB",
            note=f"{len(running.worker_pids)} processes together; plan {plan_peak} MB, "
            f"idle {idle} MB",
        ),
    ]


def _creating(folder, running, fxiaoke):
    """The floors of creating, with the very rows that the load made; and their CPU time."""
    system = running.hub.systems.open(running.id_of("fxiaoke"))
    rules = system.specs["AccountObj"].fields
    names = {name for rule in rules if rule.direction != "in" for name in rule.natives}
    names |= {"kehub_key__c", "record_type", "owner"}
    rows = floors.rows_to_create(fxiaoke, names, FLOOR_SAMPLE)
    with stand_in("fxiaoke", folder / "floor-fxiaoke") as spare:
        spare.log_in()
        cpu = _Cpu([os.getpid()], spare.pid)
        parallel, singly = floors.creating(spare, rows)
        cpu.stop(len(rows))
    return parallel, singly, cpu


def _memory(running):
    """The peaks of all worker processes, in MB; they need not have been at the same time."""
    return round(sum(peak_megabytes(pid) for pid in running.worker_pids), 1)


class _Cpu:
    """CPU ms per record of processes; neighbours on the machine hardly change them."""

    def __init__(self, own, other):
        self._own, self._other = list(own), other
        self._before = self._spent()
        self.own = self.other = 0.0

    def stop(self, records):
        pairs = zip(self._spent(), self._before, strict=True)
        self.own, self.other = (1000 * (after - before) / records for after, before in pairs)

    def _spent(self):
        return sum(cpu_seconds(pid) for pid in self._own), cpu_seconds(self._other)


def _must_hold_all(running, fxiaoke, count):
    held, trouble = fxiaoke.count(), running.trouble()
    if held != count or any(trouble.values()):
        raise BenchError(f"After the load 纷享 holds {held} of {count} customers; {trouble}.")


# --- Reconcile ---


def _reconcile(running, zoho, fxiaoke, count, tell):
    """Everything is compared, nothing differs: what it costs to be sure."""
    label = f"{count:,} linked customers"
    running.poll("zoho", "fxiaoke")  # what the load's own writes look like is read before
    tell(f"reconcile of {label}")
    zoho.forget_calls()
    fxiaoke.forget_calls()
    seconds, (answer, peak) = timed(running.reconcile)
    (zoho_reads, zoho_writes), (fxiaoke_reads, fxiaoke_writes) = zoho.calls(), fxiaoke.calls()
    if answer["differing"] or zoho_writes or fxiaoke_writes:
        raise BenchError(f"A reconcile after the load found {answer['differing']} differences.")
    made, fewest = (
        zoho_reads + fxiaoke_reads,
        _pages(count, ZOHO_PAGE) + _pages(count, FXIAOKE_PAGE),
    )
    ratio = made / fewest
    return [
        against(
            f"{RECONCILE}, {label}",
            count / seconds,
            "records/s",
            count / floors.listing(zoho, fxiaoke),
            note=f"{seconds / count * 10_000:.1f} s per 10,000, with the start of the command; "
            "floor: listing both systems, one after the other",
        ),
        Measured(
            f"calls of a reconcile, {label}",
            made,
            "calls",
            fewest,
            ratio,
            note=f"Zoho {zoho_reads}, 纷享 {fxiaoke_reads}, other objects and descriptions among "
            f"them; {made / count * 10_000:.0f} per 10,000",
        ),
        Measured(f"{RECONCILE_PEAK}, {label}", peak, "MB"),
    ]


def _pages(count, size):
    return math.ceil(count / size)


# --- Steady state: bursts of edits, found by a poll ---


def _bursts(running, zoho, fxiaoke, burst, settle, tell):
    running.poll("zoho", "fxiaoke")  # what the load's own writes look like is read once
    time.sleep(settle)
    nothing = _calls_of(lambda: running.poll("zoho", "fxiaoke"), zoho, fxiaoke)
    links = _links(zoho, fxiaoke)
    _warm_up(running, zoho, fxiaoke, links[-1])
    _ask_whose_data(running, zoho, fxiaoke)
    time.sleep(settle)
    tell(f"burst of {burst} edits in Zoho")
    there = _burst(running, "zoho", zoho, fxiaoke, links[:burst], number=1)
    time.sleep(settle)
    running.poll("zoho", "fxiaoke")
    time.sleep(settle)
    tell(f"burst of {burst} edits in 纷享")
    back = _burst(running, "fxiaoke", fxiaoke, zoho, [(f, z) for z, f in links[:burst]], number=2)
    tell("floors of the bursts")
    to_fxiaoke = floors.updating_fxiaoke(fxiaoke, [f for _, f in links[:burst]])
    to_zoho = floors.updating_zoho(zoho, [z for z, _ in links[:burst]])
    results = [
        against(f"burst of {burst}, Zoho to 纷享", there.rate, "changes/s", to_fxiaoke),
        _per_record(
            f"calls per changed record, Zoho to 纷享 ({burst})",
            there,
            burst,
            pages=_pages(burst + 1, ZOHO_PAGE),
            read_before=_pages(burst, FXIAOKE_PAGE),
            writes=burst,
        ),
        against(f"burst of {burst}, 纷享 to Zoho", back.rate, "changes/s", to_zoho),
        _per_record(
            f"calls per changed record, 纷享 to Zoho ({burst})",
            back,
            burst,
            pages=_pages(burst + 1, FXIAOKE_PAGE),
            read_before=_pages(burst, ZOHO_BATCH),
            writes=_pages(burst, ZOHO_BATCH),
        ),
    ]
    (zoho_reads, zoho_writes), (fxiaoke_reads, fxiaoke_writes) = nothing
    if zoho_writes or fxiaoke_writes:
        raise BenchError("A poll after everything agreed wrote something.")
    note = f"Zoho {zoho_reads}, 纷享 {fxiaoke_reads}; no write"
    total = float(zoho_reads + fxiaoke_reads)
    return [*results, Measured("calls of a poll that finds nothing", total, "calls", note=note)]


def _warm_up(running, zoho, fxiaoke, link):
    """One edit each way: what is described once in a quarter of an hour has been described."""
    here, there = link
    for name, source, target, pair in (
        ("zoho", zoho, fxiaoke, (here, there)),
        ("fxiaoke", fxiaoke, zoho, (there, here)),
    ):
        _burst(running, name, source, target, [pair], number=8 * 10**7 + len(name))
    running.poll("zoho", "fxiaoke")


@dataclass
class _Burst:
    rate: float
    source_calls: tuple[int, int]
    target_calls: tuple[int, int]


def _ask_whose_data(running, zoho, fxiaoke):
    """Each worker process asks a system once whose data it holds: polls until both have."""
    cheapest = quiet = 0
    while quiet < ALIKE:
        spent = sum(map(sum, _calls_of(lambda: running.poll("zoho", "fxiaoke"), zoho, fxiaoke)))
        cheapest = min(cheapest or spent, spent)
        quiet = quiet + 1 if spent == cheapest else 0


def _burst(running, name, source, target, links, *, number):
    for source_id, _ in links:
        source.edit(source_id, number)
    seconds, calls = timed(_calls_of, lambda: running.poll(name), source, target)
    missing = [pair for pair in links if not target.shows(pair[1], number)]
    if missing:
        raise BenchError(f"{len(missing)} of {len(links)} edits have not arrived.")
    return _Burst(len(links) / seconds, *calls)


def _per_record(name, burst, count, *, pages, read_before, writes):
    """Calls beside the fewest that keep the promise that no edit is overwritten unseen.

    These are the pages up to the one that tells the end, one look at the records of each batch
    before it is written (neither system can refuse a stale write record by record), the writes.
    """
    made = sum(burst.source_calls) + sum(burst.target_calls)
    fewest = (pages + read_before + writes) / count
    value = made / count
    ratio = value / fewest
    (source_reads, source_writes), (target_reads, target_writes) = (
        burst.source_calls,
        burst.target_calls,
    )
    note = (
        f"source {source_reads} reads {source_writes} writes, target {target_reads} reads "
        f"{target_writes} writes; fewest: {pages} pages, {read_before} reads before writing, "
        f"{writes} writes; {made / (pages + writes):.2f} of pages and writes alone"
    )
    return Measured(name, value, "calls", fewest, ratio, "≤ 1.2", ratio <= 1.2, note)


def _calls_of(work, *clients):
    for client in clients:
        client.forget_calls()
    work()
    return [client.calls() for client in clients]


def _links(zoho, fxiaoke):
    """(Zoho id, 纷享 id) of what the hub has linked: both sides by name and mail address."""
    there = {(row["name"], row["email"]): row["_id"] for row in fxiaoke.list_all()}
    rows = zoho.list_all()
    return [(row["id"], there[row["Account_Name"], row["Email"]]) for row in rows]


# --- Webhook to the other side ---


def _webhooks(running, zoho, fxiaoke, edits, tell):
    running.subscribe("zoho")
    fxiaoke.call_back(running.hook_url("fxiaoke"))
    links = _links(zoho, fxiaoke)[-edits:]
    back = [(f, z) for z, f in links]
    tell(f"webhooks: {edits} single edits each way")
    there = [_latency(zoho, fxiaoke, pair, 3 * 10**7 + n) for n, pair in enumerate(links)]
    wait_for(running.is_quiet, seconds=30, what="rest")
    here = [_latency(fxiaoke, zoho, pair, 4 * 10**7 + n) for n, pair in enumerate(back)]
    wait_for(running.is_quiet, seconds=30, what="rest")
    tell("webhooks: floors")
    with floors.plain_webhooks(zoho, fxiaoke) as plain:
        plain_there = _plain_latencies(plain, zoho, fxiaoke, links, 5 * 10**7)
        plain_here = _plain_latencies(plain, fxiaoke, zoho, back, 6 * 10**7)
    return [
        *_latencies("webhook, Zoho to 纷享", there, plain_there),
        *_latencies("webhook, 纷享 to Zoho", here, plain_here),
    ]


def _latency(source, target, pair, number):
    """Milliseconds from a user's edit to the moment the other side shows it."""
    source.edit(pair[0], number)
    started = time.perf_counter()
    wait_for(lambda: target.shows(pair[1], number), seconds=30, what="the edit", every=0.01)
    return (time.perf_counter() - started) * 1000


def _plain_latencies(plain, source, target, links, first):
    times = []
    for number, pair in enumerate(links, first):
        plain.expect(source, target, pair, number)
        times.append(_latency(source, target, pair, number))
    return times


def _latencies(name, times, plain):
    found = []
    for share in (50, 95):
        value, floor = _percentile(times, share), _percentile(plain, share)
        found.append(
            Measured(
                f"{name}, p{share}",
                value,
                "ms",
                floor,
                value / floor,
                "< 3000 ms",
                value < 3000,
                f"{len(times)} edits, floor: webhook, one read, one write without a hub",
            )
        )
    return found


def _percentile(times, share):
    if len(times) == 1:
        return times[0]
    return statistics.quantiles(times, n=100, method="inclusive")[share - 1]


# --- The engine alone ---


def engine_alone(folder, customers, tell):
    """Two memory systems in one process: no HTTP, no broker, no other process."""
    tell(f"engine alone: {customers:,} customers")
    hub, worlds = _memory_hub(folder)
    try:
        ids = {view.name: view.id for view in systems.list_systems(hub)}
        accounts = zoho_accounts(customers + WARM_UP)
        _fill_memory(worlds["crm"], accounts[customers:])
        _rounds(hub, ids)  # dictionaries are read once per process, not once per load
        _fill_memory(worlds["crm"], accounts[:customers])
        polling, _ = timed(lambda: poll.poll(hub, ids["crm"], force=True))
        taking, taken = timed(lambda: take_in.drain(hub, ids["crm"], rounds=10**6))
        sending, sent = timed(lambda: dispatch.drain(hub, ids["erp"], rounds=10**6))
        if not taken == sent == customers:
            raise BenchError(f"Of {customers} customers {taken} came in and {sent} went out.")
        storing = floors.storing(hub.database, folder)
        rate = customers / (polling + taking + sending)
        note = (
            f"per second: poll {customers / polling:.0f}, take in {customers / taking:.0f}, "
            f"dispatch {customers / sending:.0f}; the memory systems' own work is in it"
        )
        load = against(
            f"engine alone, load of {customers:,}", rate, "records/s", storing, note=note
        )
        return [load, _engine_burst(hub, worlds, ids, min(customers, 500))]
    finally:
        hub.database.engine.dispose()
        for name in worlds:
            forget(f"{folder}-{name}")


def _engine_burst(hub, worlds, ids, count):
    rows = worlds["crm"].all("customers")[:count]
    for row in rows:
        worlds["crm"].edit("customers", row["id"], notes="edited once")
    with hub.database.write() as tx:
        cursors.hurry(tx, None, hub.now() - timedelta(seconds=1))
    seconds, _ = timed(lambda: _rounds(hub, ids))
    return Measured(f"engine alone, burst of {count}", count / seconds, "changes/s")


def _rounds(hub, ids):
    for system_id in ids.values():  # nothing is created in a system that was never listed
        poll.poll(hub, system_id, force=True)
    take_in.drain(hub, ids["crm"])
    dispatch.drain(hub, ids["erp"])


def _memory_hub(folder):
    home = folder / "engine"
    home.mkdir()
    database = Database(f"sqlite:///{home / 'kehub.db'}")
    schema.upgrade(database)
    hub = Hub(
        settings=Settings(home=home, _env_file=None),
        database=database,
        systems=Systems(StoredSystems(database), Vault(b"bench"), LocalBuckets()),
        waker=Waker(None),
        policies=PolicySet(),
    )
    worlds = {name: world(f"{folder}-{name}") for name in ("crm", "erp")}
    for name in worlds:
        values = {"world": f"{folder}-{name}", "password": "memory"}
        systems.add_system(hub, name=name, kind="memory", values=values)
    with database.write() as tx:
        tx.execute(update(System).values(state="live"))  # nothing to plan: both are empty
    return hub, worlds


def _fill_memory(crm, accounts):
    for account in accounts:
        crm.create(
            "customers",
            name=account["Account_Name"],
            phone=account["Phone"],
            email=account["Email"],
            tax_id=account.get("Tax_Id"),
            website=account["Website"],
            billing_street=account["Billing_Street"],
            billing_city=account["Billing_City"],
            billing_region=account["Billing_State"],
            billing_postcode=account["Billing_Code"],
        )


# --- Memory ---


def flatness(results):
    """How the peaks of a load's worker and of a reconcile grow with the number of customers."""
    return [
        *_growth(results, PEAK, "growth of peak memory, load"),
        *_growth(results, RECONCILE_PEAK, "growth of peak memory, reconcile"),
    ]


def _growth(results, kind, name):
    peaks = [each for each in results if each.name.startswith(kind)]
    if len(peaks) < 2:
        return []
    smallest, largest = peaks[0], peaks[-1]
    ratio = largest.value / smallest.value
    note = f"{largest.name} against {smallest.name}"
    return [
        Measured(
            name,
            largest.value,
            "MB",
            smallest.value,
            ratio,
            "≤ 1.2",
            ratio <= 1.2,
            note,
        )
    ]
