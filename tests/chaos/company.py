"""A hub, its systems, the people who work in them, and what must be true when all is quiet."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from mapping import engine
from sync.flow import hear
from sync.service import plans
from sync.store.tables import Candidate, Change, Conflict, DeadLetter, Golden, Guard, Link, Run
from sync.store.tables import System as SystemRow
from tests.chaos.journal import Journal
from tests.chaos.machines import Machine
from tests.chaos.people import FIELDS, UNITS, Customer, customer, unit_of, unit_value
from tests.chaos.places import Erp, Fxiaoke, Held, Place, Zoho
from tests.histories.check import mentioned
from tests.histories.ledger import Ledger, Typed

# A dispatch lists what was entered, notes that it creates a record (the link's first moment), and
# sends it. What is saved between the listing and the arrival cannot be known to the hub.
WRITTEN = timedelta(seconds=10)
LONGEST = timedelta(seconds=60)  # that a dispatch takes from its start to the note, under load
KINDS = ("duplicates", "missing", "lost", "differences", "noise", "unexplained", "leftovers")


@dataclass
class Findings:
    """What is wrong, by kind; nothing for a good hub."""

    texts: list[tuple[str, str]] = field(default_factory=list)
    # What no hub can prevent, told apart by its moment: a value typed between reading a record
    # back and writing it, in a system without conditional writes; and a customer entered there
    # while the hub was creating the same one, which comes up for a decision.
    excused: list[str] = field(default_factory=list)

    def note(self, kind: str, text: str) -> None:
        assert kind in KINDS
        self.texts.append((kind, text))

    def count(self, kind: str) -> int:
        return sum(own == kind for own, _ in self.texts)

    def shown(self, most: int = 8) -> list[str]:
        """Some texts of each kind, for a report."""
        found: list[str] = []
        for kind in KINDS:
            texts = [text for own, text in self.texts if own == kind]
            found += [f"  {kind}: {text}" for text in texts[:most]]
            found += [f"  {kind}: {len(texts) - most} more"] if len(texts) > most else []
        return found + [f"  excused: {text}" for text in self.excused[:most]]

    def __bool__(self) -> bool:
        return bool(self.texts)


class Company:
    """Everything that users typed is in the ledger; `customers` is who there is."""

    def __init__(self, machine: Machine, places: list[Place], seed: int) -> None:
        self.machine, self.places = machine, places
        self.chance = random.Random(f"company {seed}")
        self.ledger = Ledger()
        self.journal = Journal()
        self.customers: dict[str, Customer] = {}
        self.edits: Counter[str] = Counter()
        self.typed_at: dict[tuple[str, str], datetime] = {}  # (path, value)
        self.moments: dict[int, datetime] = {}  # when each entry of the ledger was typed
        # (mail, place): when somebody began to save the customer there, and when it was saved
        self.entered: dict[tuple[str, str], list[tuple[datetime, datetime]]] = {}
        self.merged: dict[str, str] = {}  # mail of a customer: where its record was merged away
        self._winners: list[str] = []
        self._undecided: set[str] = set()  # entered twice, and a person has to say so
        self.newcomers = 0.2  # share of days' work that is entering customers
        self._number = 0

    # -- setting up -------------------------------------------------------------------------
    def fill(self, count: int) -> None:
        """Customers that are there before the hub: each in one, two or all of the systems."""
        for _ in range(count):
            self.new_customer(self.chance.sample(self.places, self.chance.randrange(1, 4)))

    def connect(self) -> None:
        """Adds the systems, loads them, and waits until all agree."""
        for place in self.places:
            place.connected(self.machine.add(place.name, place.kind, place.settings()))
        self.machine.load()
        self.machine.rest(seconds=300)
        self.edits.clear()
        self.typed_at.clear()

    # -- what users do ----------------------------------------------------------------------
    def new_customer(self, places: list[Place]) -> None:
        """The same new customer, entered by somebody in each of these systems.

        The slowest first. Whoever is still saving while the hub, told by another system, creates
        the customer itself is not seen by any listing before; these two come up for a decision.
        """
        made = customer(len(self.customers))
        self.customers[made.mail] = made
        for place in sorted(places, key=lambda place: place.kind != "tryton"):
            began = datetime.now(UTC)
            remote_id = place.create(made)
            self.entered.setdefault((made.mail, place.name), []).append((began, datetime.now(UTC)))
            self.journal.note(
                "create", place=place.name, mail=made.mail, record=remote_id, began=began
            )
            for unit in sorted({unit_of(name) for name in made.values if name in place.natives}):
                self._note(made.mail, unit, made.values, place, set())
        self.edits["create" if len(places) == 1 else "create twice"] += 1

    def edit(self, place: Place | None = None) -> None:
        """Somebody types a new value into one field of one record."""
        place = place or self.chance.choice(self.places)
        name = self.chance.choice(sorted(place.natives))
        known = sorted(self.customers)
        mail = self.chance.choice(known[-10:] if self.chance.random() < 0.3 else known)
        records = [held for held in place.customers() if held.mail == mail]
        if records:
            self._type(place, self.chance.choice(records), name)

    def edit_twice(self) -> None:
        """Two people type different values into the same field of the same customer."""
        first, second = self.chance.sample(self.places, 2)
        common = sorted(set(first.natives) & set(second.natives))
        name = self.chance.choice(common)
        theirs = {held.mail: held for held in second.customers()}
        both = [(held, theirs[held.mail]) for held in first.customers() if held.mail in theirs]
        if both:
            here, there = self.chance.choice(both)
            self._type(first, here, name)
            self._type(second, there, name)

    def _type(self, place: Place, held: Held, name: str) -> None:
        self._number += 1
        value = place.possible(name, FIELDS[name].make(self._number))
        unit = unit_of(name)
        shown = unit_value(unit, held.values)
        seen = self.ledger.shown(held.mail, unit, place.name, shown, lambda _: False)
        began = datetime.now(UTC)
        place.edit(held.remote_id, name, value)
        self.journal.note(
            "edit", place=place.name, mail=held.mail, record=held.remote_id, field=name,
            value=value, before=held.values.get(name), seen=sorted(seen), began=began,
        )  # fmt: skip
        self._note(held.mail, unit, {**held.values, name: value}, place, seen)
        if name != "language":  # its values come again
            self.typed_at[FIELDS[name].path, value] = datetime.now(UTC)
        self.edits["edit"] += 1

    def _note(
        self, mail: str, unit: str, values: Mapping[str, str | None], place: Place, seen: set[int]
    ) -> None:
        entry = self.ledger.typed(mail, unit, unit_value(unit, values), place.name, seen)
        self.moments[entry.number] = datetime.now(UTC)

    def merge(self, place: Place) -> None:
        """Somebody takes two customers of a system for one, and merges them there.

        Both are known everywhere; one that was merged away unheard is gone as if deleted.
        """
        known = {held.mail: held for held in place.customers() if held.mail in self.customers}
        everywhere = [{held.mail for held in each.customers()} for each in self.places]
        known = {mail: held for mail, held in known.items() if all(mail in e for e in everywhere)}
        free = sorted(known.keys() - self.merged.keys() - set(self._winners))
        if len(free) < 2:
            return
        winner, loser = (known[mail] for mail in self.chance.sample(free, 2))
        place.merge(winner.remote_id, loser.remote_id)
        self.journal.note(
            "merge", place=place.name, winner=winner.mail, into=winner.remote_id,
            loser=loser.mail, record=loser.remote_id,
        )  # fmt: skip
        self.merged[loser.mail] = place.name
        self._winners.append(winner.mail)
        after = place.get(winner.remote_id)
        for unit in UNITS:
            before, now = (unit_value(unit, each.values) for each in (winner, after))
            if now != before:  # the vendor filled it from the loser
                self._note(winner.mail, unit, after.values, place, set())
        self.ledger.doubt(loser.mail, place.name)  # what was typed there may never have been seen

    def act(self) -> None:
        """Something that happens on an ordinary day."""
        dice = self.chance.random()
        if dice < self.newcomers * 0.7:
            self.new_customer([self.chance.choice(self.places)])
        elif dice < self.newcomers:
            self.new_customer(self.chance.sample(self.places, 2))
        elif dice < self.newcomers + 0.1:
            self.edit_twice()
        else:
            self.edit()

    # -- what must be true ------------------------------------------------------------------
    def check(self) -> Findings:
        """Call it when the hub is at rest."""
        findings = Findings()
        golden = self._goldens(findings)
        self._everywhere_once(golden, findings)
        self._agree_on_every_mapped_field(findings)
        self._typed_values(golden, findings)
        self._explained(findings)
        self._leftovers(findings)
        return findings

    def check_silence(self, findings: Findings) -> None:
        """A whole comparison finds nothing, and nothing is written any more."""
        before = {place.name: place.written() for place in self.places}
        report = plans.reconcile_all(self.machine.hub)
        self.machine.rest()
        for what in ("changed", "differing"):
            found = {name: count for name, count in report[what].items() if _total(count)}
            if found:
                findings.note("noise", f"a comparison finds {what}: {found}")
        for place in self.places:
            if place.written() != before[place.name]:
                findings.note("noise", f"{place.name} was written to although nobody edits")

    def _goldens(self, findings: Findings) -> dict[str, Golden]:
        found: dict[str, Golden] = {}
        for golden in self.rows(Golden, Golden.entity == "customer", Golden.state == "live"):
            mail = str(golden.values.get("emails[work]"))
            if mail not in self.customers:
                findings.note("duplicates", f"golden record of nobody: {mail}")
            elif mail in found and self._met(mail, {golden.id, found[mail].id}):
                findings.excused.append(f"{mail} was entered while the hub created it")
                self._undecided.add(mail)
            elif mail in found:
                findings.note("duplicates", f"two golden records of {mail}")
            found[mail] = golden
        for mail in self.customers.keys() - found.keys():
            findings.note("missing", f"no golden record of {mail}")
        return {mail: golden for mail, golden in found.items() if mail not in self._undecided}

    def _met(self, mail: str, pair: set[str]) -> bool:
        """Somebody was entering the customer while the hub was creating it, and is asked now."""
        asked = self.rows(Candidate, Candidate.state == "open")
        if pair not in [{c.first_id, c.second_id} for c in asked]:
            return False
        names = {row.id: row.name for row in self.rows(SystemRow)}
        for link in self.rows(Link, Link.golden_id.in_(pair)):
            moments = self._creating(link)
            entered = self.entered.get((mail, names[link.system_id]), ())
            if moments and any(
                moments[0] < saved and began < moments[1] for began, saved in entered
            ):
                return True
        return False

    def _creating(self, link: Link) -> tuple[datetime, datetime] | None:
        """From when to when the hub was creating the record; None where it did not."""
        created = (Change.op == "written", Change.rule.in_(("create", "answer lost")))
        where = (Change.golden_id == link.golden_id, Change.remote_id == link.remote_id)
        rows = self.rows(Change, *created, *where, Change.system_id == link.system_id)
        if not rows:
            return None
        at_work = self.rows(
            Run, Run.kind == "dispatch", Run.system_id == link.system_id,
            Run.started_at.between(link.created_at - LONGEST, link.created_at),
        )  # fmt: skip
        begun = [
            run.started_at
            for run in at_work
            if (run.ended_at or link.created_at) >= link.created_at
        ]
        answered = [row.at for row in rows if row.rule == "create"]
        return (
            min([link.created_at, *begun]) - hear.STILL_FRESH,
            max([link.created_at + WRITTEN, *answered]),
        )

    def _everywhere_once(self, golden: dict[str, Golden], findings: Findings) -> None:
        for place in self.places:
            held: dict[str, list[Held]] = {}
            for each in place.customers():
                held.setdefault(each.mail, []).append(each)
            for mail in self.customers.keys() - self._undecided:
                count = len(held.get(mail, ()))
                if count > 1:
                    findings.note("duplicates", f"{count} records of {mail} in {place.name}")
                if count == 0 and self.merged.get(mail) != place.name:
                    findings.note("missing", f"no record of {mail} in {place.name}")
            for mail in held.keys() - self.customers.keys():
                findings.note("duplicates", f"record of nobody in {place.name}: {mail}")
            for mail, records in held.items():
                if mail in golden:
                    _compare_typed(place, records[0], golden[mail], findings)

    def _agree_on_every_mapped_field(self, findings: Findings) -> None:
        """What each system answers, read as the hub reads it, is what the golden record gives."""
        hub = self.machine.hub
        golden = {row.id: row for row in self.rows(Golden, Golden.entity == "customer")}
        for system_id in self._ids():
            system = hub.systems.open(system_id)
            for spec in system.specs.values():
                links = self.rows(
                    Link, Link.system_id == system_id, Link.object == spec.object,
                    Link.state == "live",
                )  # fmt: skip
                owners = {str(link.remote_id): golden.get(link.golden_id) for link in links}
                wanted = [remote_id for remote_id, owner in owners.items() if owner]
                for change in system.connector.fetch(spec.object, wanted) if wanted else ():
                    owner = owners[change.remote_id]
                    if change.data is None or owner is None:
                        findings.note("missing", f"{change.remote_id} is gone in {system.name}")
                        continue
                    for text in _differences(spec, change.data, owner.values):
                        where = f"{system.name} {change.remote_id}"
                        findings.note("differences", f"{where}: {text}")

    def _typed_values(self, golden: dict[str, Golden], findings: Findings) -> None:
        """Each typed value is golden, or in the history; none that was replaced comes back."""
        log: dict[str, list[Change]] = {}
        for change in self.rows(Change, Change.entity == "customer"):
            log.setdefault(change.golden_id, []).append(change)
        disputes: dict[str, list[Conflict]] = {}
        for conflict in self.rows(Conflict):
            disputes.setdefault(conflict.golden_id, []).append(conflict)
        for (mail, unit), entries in self.ledger.entries.items():
            owner = golden.get(mail)
            if owner is None or not entries:
                continue
            value = {path: owner.values.get(path) for path in unit_value(unit, {})}
            standing = self.ledger.allowed(mail, unit)
            allowed = [entry.value for entry in standing]
            if any(entry.optional and not entry.replaces for entry in standing):
                allowed.append(dict.fromkeys(value))  # nobody had typed anything before it
            history, open_ones = log.get(owner.id, []), disputes.get(owner.id, [])
            if value not in allowed:
                text = f"{unit} of {mail} is {value}, but typed was: {allowed}"
                mixed = all(
                    any(v == each.get(path) for each in allowed) for path, v in value.items()
                )
                if mixed and any(self._was_covered(entry, value, history) for entry in standing):
                    findings.excused.append(f"covered in part: {text}")
                else:
                    findings.note("lost", text)
            for entry in self.ledger.heads(mail, unit):
                if entry.optional or entry.value == value:
                    continue
                for path, typed in entry.value.items():
                    if typed is None or mentioned(history, open_ones, path, typed):
                        continue
                    text = f"{typed}, typed in {entry.place} for {mail}"
                    if self._was_covered(entry, [path], history):
                        findings.excused.append(f"covered: {text}")
                    else:
                        findings.note("lost", text)

    def _was_covered(self, entry: Typed, paths: Iterable[str], history: list[Change]) -> bool:
        """Whether it was typed while a dispatch was writing one of these fields of the record."""
        moment = self.moments[entry.number]
        system = next(row for row in self.rows(SystemRow) if row.name == entry.place)
        connector = self.machine.hub.systems.open(system.id).connector
        if connector.conditional:
            return False
        writes = {
            row.run_id: row.at for row in history
            if row.op == "written" and row.system_id == system.id
            and not set(row.new or {}).isdisjoint(paths)
        }  # fmt: skip
        return any(
            run.started_at <= moment <= writes[run.id] for run in self.rows(Run) if run.id in writes
        )

    def _explained(self, findings: Findings) -> None:
        """Whatever was written somewhere is a value that somebody brought in before."""
        brought: dict[tuple[str, str], list[Any]] = {}
        history = self.rows(Change, Change.entity == "customer")
        for row in history:
            for path, value in _brought(row):
                brought.setdefault((row.golden_id, path), []).append(value)
        for row in history:
            if row.op != "written" or row.rule == "answer lost":
                continue
            for path, value in row.new.items():
                if value is not None and value not in brought.get((row.golden_id, path), ()):
                    text = f"{path} = {value}, written as {row.remote_id}"
                    findings.note("unexplained", text)

    def _leftovers(self, findings: Findings) -> None:
        for link in self.rows(Link):
            if link.state == "in_doubt" or (link.state == "live" and link.pushing):
                findings.note("leftovers", f"link {link.id} is {link.state}, sends {link.pushing}")
        for letter in self.rows(DeadLetter, DeadLetter.state == "open"):
            findings.note("leftovers", f"dead letter: {letter.message}")
        for row in self.rows(Guard, Guard.state == "open"):
            findings.note("leftovers", f"guard of {row.kind}: {row.reason}")
        pairs = self.rows(Candidate, Candidate.state == "open")
        if len(pairs) > len(self.merged) + len(
            self._undecided
        ):  # who was merged there is proposed as one here
            findings.note("leftovers", f"{len(pairs)} open candidates")
        for conflict in self.rows(Conflict, Conflict.state == "open"):
            findings.note("leftovers", f"conflict about {conflict.unit} under {conflict.rule}")
        for row in self.rows(SystemRow, SystemRow.state != "live"):
            findings.note("leftovers", f"{row.name} is {row.state}: {row.state_reason}")

    def rows(self, table: Any, *where: Any) -> list[Any]:
        with self.machine.hub.database.read() as session:
            return list(session.scalars(select(table).where(*where).order_by(table.id)))

    def _ids(self) -> list[int]:
        return [row.id for row in self.rows(SystemRow)]


def _compare_typed(place: Place, held: Held, golden: Golden, findings: Findings) -> None:
    for name, value in held.values.items():
        wanted = golden.values.get(FIELDS[name].path)
        if value != wanted:
            text = f"{name} of {held.mail}: {value} in {place.name}, golden {wanted}"
            findings.note("differences", text)


def _differences(spec: Any, native: Any, values: Any) -> list[str]:
    incoming = engine.canonicalise(spec, native)
    wanted = engine.expected(spec, values)
    return [
        f"{path} is {incoming[path]}, should be {value}"
        for path, value in wanted.items()
        if path in incoming and incoming[path] not in _acceptable(path, value, values)
    ]


def _acceptable(path: str, wanted: Any, values: Any) -> list[Any]:
    """What a system may hold; an ERP without the German of Germany holds German."""
    found = [wanted, values.get(path)]
    if path == "language" and wanted:
        found.append(wanted.partition("-")[0])
    return found


def _brought(row: Change) -> list[tuple[str, Any]]:
    if row.op == "created":
        return list(row.new.items())
    return [(row.path, row.new)] if row.path else []


def _total(count: Any) -> int:
    return sum(map(_total, count.values())) if isinstance(count, dict) else int(count)


def open_places(folder: Path, third: Path | None) -> list[Place]:
    """Zoho, 纷享销客, and Tryton where it is installed, else a second Zoho organisation."""
    last = Erp("erp", folder / "erp", third) if third else Zoho("zoho2", folder / "zoho2")
    return [Zoho("zoho", folder / "zoho"), Fxiaoke("fxiaoke", folder / "fxiaoke"), last]
