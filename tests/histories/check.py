"""What must be true once a company is left alone, whatever happened before."""

from collections import Counter
from typing import Any

from sync.store.tables import Candidate, Change, Conflict, DeadLetter, Golden, Link, Merge
from tests.histories import fields
from tests.histories.company import NAMES, Company, tax_id
from tests.histories.fields import OBJECTS, UNITS, Unit
from tests.histories.ledger import Typed
from tests.histories.people import mail_of


def problems(company: Company) -> list[str]:
    """Everything that is wrong, in plain words; settles the company first."""
    company.settle()
    found = [f"left over: {row}" for row in company.waiting()]
    found += _doubled_or_missing(company)
    found += _made_twice(company)
    found += _mixed(company)
    found += _asked_again(company)
    found += _links(company)
    found += _disagreements(company)
    found += _unaccounted(company)
    found += _false_conflicts(company)
    found += _parents(company)
    orphans = _orphans(company)
    found += [
        f"dead letter: {d.message}" for d in company.rows(DeadLetter)
        if d.state == "open" and d.remote_id not in orphans
    ]  # fmt: skip
    found += [
        f"conflict left open under {c.rule}" for c in company.rows(Conflict)
        if c.state == "open" and c.rule != "manual"
    ]  # fmt: skip
    return found or _noise(company)


def _people(company: Company) -> list[tuple[str, str]]:
    people = [("customers", each) for each in company.people.first_of_each(company.customers)]
    return people + [("contacts", identity) for identity, _ in company.contacts]


def _doubled_or_missing(company: Company) -> list[str]:
    found = []
    living = [g for g in company.rows(Golden) if g.state == "live"]
    records = Counter((g.entity, company.identity(g.id)) for g in living)
    owners = dict(company.contacts)
    for object_name, identity in _people(company):
        entity = "customer" if object_name == "customers" else "contact"
        group = company.people.group(identity)
        count = sum(records.pop((entity, each), 0) for each in group)
        loose = not company.touched.isdisjoint({*group, owners.get(identity, "")})
        if count > 1 or (count == 0 and not loose):
            found.append(f"{count} golden records of {identity}")
        for name in NAMES:
            seen = len(company.records(name, object_name, identity))
            if seen > 1 or (seen == 0 and not loose):
                found.append(f"{seen} records of {identity} in {name}")
    return found + [f"golden record of nobody: {key}" for key in records]


def _mixed(company: Company) -> list[str]:
    """Nobody holds what another is recognised by: also not after being taken for one."""
    found = []
    shown = [
        (company.owner(name, r["id"], r), r["email"], r["tax_id"], name)
        for name in NAMES for r in company.worlds[name].all("customers")
    ]  # fmt: skip
    shown += [
        (company.identity(g.id), g.values.get("emails[work]"),
         g.values.get("identifiers[cn:uscc]"), "the hub")
        for g in company.rows(Golden) if (g.entity, g.state) == ("customer", "live")
    ]  # fmt: skip
    for identity, mail, tax, place in shown:
        group = company.people.group(identity)
        if mail not in {mail_of(each) for each in group}:
            found.append(f"{identity} has the address {mail} in {place}")
        if tax not in {tax_id(company.number_of(each)) for each in group}:
            found.append(f"{identity} has the tax number {tax} in {place}")
    return found


def _asked_again(company: Company) -> list[str]:
    """Who was taken apart stays apart."""
    found = []
    decided = {
        frozenset((row.first_id, row.second_id)): row.state for row in company.rows(Candidate)
    }
    merges = {row.id: row for row in company.rows(Merge)}
    now = {golden.id: golden.merged_into or golden.id for golden in company.rows(Golden)}
    for union in company.people.taken_apart():
        row = merges[union.merge_id or 0]
        state = decided.get(frozenset((now[row.winner_id], now[row.loser_id])))
        if state != "different":
            found.append(f"{union.kept} and {union.other} were taken apart, and are {state}")
    return found


def _made_twice(company: Company) -> list[str]:
    """No record was made where there was one: also not one that was merged away later."""
    found = []
    for object_name, identity in _people(company):
        if identity in company.touched | company.merged:
            continue
        for name in NAMES:
            rows = company.worlds[name].every(object_name)
            count = sum(row.body.get("email") == identity for row in rows)
            if count > 1:
                found.append(f"{count} records of {identity} were made in {name}")
    return found


def _false_conflicts(company: Company) -> list[str]:
    """A conflict says that both sides moved. What a system shows of our value did not move."""
    found = []
    names = {number: name for name, number in company.ids.items()}
    for conflict in company.rows(Conflict):
        golden = company.golden_by_id(conflict.golden_id)
        object_name = "customers" if golden.entity == "customer" else "contacts"
        unit = fields.unit_with(object_name, conflict.theirs)
        if unit is None or set(fields.paths(object_name, unit)) != set(conflict.base):
            continue
        oddities = company.worlds[names[conflict.system_id]].oddities
        looks = [
            entry.value for entry in company.ledger.of(company.identity(golden.id), unit.name)
            if fields.as_shown(object_name, unit, oddities, entry.value) == conflict.base
        ]  # fmt: skip
        # Another value that looks the same there may have been golden before.
        if looks and all(value == conflict.ours for value in looks):
            found.append(
                f"conflict about {unit.name} in {names[conflict.system_id]}: nobody but a user "
                f"there moved it, from {conflict.base} to {conflict.theirs}"
            )
    return found


def _orphans(company: Company) -> set[str]:
    """Contacts of a customer, or of a record, that went before the hub saw it: they wait."""
    known = {company.identity(golden.id) for golden in company.rows(Golden)}
    lone = {
        mail for mail, owner in company.contacts
        if known.isdisjoint(company.people.group(owner) | company.either.get(mail, frozenset()))
    }  # fmt: skip
    seen = {(x.system_id, x.remote_id) for x in company.rows(Link) if x.object == "customers"}

    def was_never_seen(name: str, customer: str) -> bool:
        row = company.worlds[name].get("customers", customer)
        return bool(row and row.deleted and (company.ids[name], customer) not in seen)

    return {
        record["id"]
        for name in NAMES
        for record in company.worlds[name].all("contacts")
        if record["email"] in lone or was_never_seen(name, record["customer_id"])
    }


def _links(company: Company) -> list[str]:
    """Each living record belongs to one living link; nothing is in doubt or on its way."""
    found = []
    orphans = _orphans(company)
    links: dict[tuple[int, str, str], Link] = {}
    for link in company.rows(Link):
        if link.state == "in_doubt":
            found.append(f"link {link.id} is in doubt")
        if link.pushing and link.state == "live":
            found.append(f"link {link.id} has a write on its way: {link.pushing}")
        links[link.system_id, link.object, str(link.remote_id)] = link
    for name in NAMES:
        for object_name in OBJECTS:
            for record in company.worlds[name].all(object_name):
                link = links.get((company.ids[name], object_name, record["id"]))
                state = link.state if link else "missing"
                if state != "live" and record["id"] not in orphans:
                    found.append(f"{record['id']} of {record['email']} in {name}: link {state}")
    return found


def _disagreements(company: Company) -> list[str]:
    found = []
    held = _held(company)
    links = {
        (link.golden_id, link.system_id): link for link in company.rows(Link)
        if link.state == "live"
    }  # fmt: skip
    for object_name, identity in _people(company):
        golden = company.golden(object_name, identity)
        if golden is None:
            continue
        for name in NAMES:
            link = links.get((golden.id, company.ids[name]))
            for record in company.records(name, object_name, identity):
                if link is None or link.remote_id != record["id"]:
                    continue
                for unit in UNITS[object_name]:
                    if not held.get(link.id, set()).isdisjoint(fields.paths(object_name, unit)):
                        continue
                    found += _compare(company, name, object_name, unit, golden, record)
    return found


def _compare(
    company: Company, name: str, object_name: str, unit: Unit, golden: Golden, record: Any
) -> list[str]:
    value = fields.of_golden(object_name, unit, golden.values)
    wanted = fields.as_shown(object_name, unit, company.worlds[name].oddities, value)
    shown = fields.read(object_name, unit, record)
    if shown in (wanted, value):
        return []
    return [f"{unit.name} of {record['email']}: golden {value}, in {name} {shown}"]


def _held(company: Company) -> dict[int, set[str]]:
    """Paths of links that wait for a person."""
    held: dict[int, set[str]] = {}
    for conflict in company.rows(Conflict):
        if conflict.state == "open":
            held.setdefault(conflict.link_id, set()).update(conflict.theirs)
    return held


def _unaccounted(company: Company) -> list[str]:
    found = []
    log = company.rows(Change)
    disputes = company.rows(Conflict)
    deleted = {company.identity(g.id) for g in company.rows(Golden) if g.state == "deleted"}
    for object_name, identity in _people(company):
        golden = company.golden(object_name, identity)
        if golden is None:
            continue
        for name in company.ledger.units(identity):
            unit = fields.unit_of(object_name, name)
            value = fields.of_golden(object_name, unit, golden.values)
            gone = not deleted.isdisjoint(company.people.group(identity))
            if not gone:  # else what was typed went with the record; the log has it
                found += _wrong_winner(company, identity, unit, value)
            for entry in company.ledger.heads(identity, name):
                if entry.optional or entry.value in (None, value):
                    continue
                if _is_form(company, object_name, unit, entry, value):
                    continue
                lost = [
                    path for path, typed in entry.value.items()
                    if typed is not None and not mentioned(log, disputes, path, typed)
                ]  # fmt: skip
                if lost:
                    found.append(f"lost: {entry.value} typed in {entry.place} for {identity}")
    return found


def _is_form(company: Company, object_name: str, unit: Unit, entry: Typed, value: Any) -> bool:
    """What was typed is what that system shows of the value that everybody has."""
    if entry.place not in NAMES:
        return False
    oddities = company.worlds[entry.place].oddities
    return bool(entry.value == fields.as_shown(object_name, unit, oddities, value))


def _wrong_winner(company: Company, identity: str, unit: Unit, value: Any) -> list[str]:
    entries = company.ledger.of(identity, unit.name)
    allowed = [entry.value for entry in company.ledger.allowed(identity, unit.name)]
    owners = [e for e in entries if e.place == unit.owner]
    if owners:
        allowed = _owned(company, identity, unit)
        if any(entry.optional for entry in owners):
            return []
    allowed += _restored(company, identity, unit)
    if value in allowed or not entries:
        return []
    if value is None and any(entry.optional for entry in entries):
        return []
    if any(entry.value is None for entry in entries) and value in [e.value for e in entries]:
        return []  # an emptied field may have been filled again by a rule
    if any(_has_wrong_clock(company, entry.place) for entry in entries):
        return []
    said = ", ".join(str(v) for v in allowed)
    return [f"{unit.name} of {identity} is {value}, but should be one of: {said}"]


def _owned(company: Company, identity: str, unit: Unit) -> list[Any]:
    """The last word of a field's owner, or of the hub; of each record that is one now."""
    found = []
    for each in company.people.group(identity):
        entries = company.ledger.entries.get((each, unit.name), [])
        owners = [e for e in entries if e.place == unit.owner]
        mine = [e for e in entries if e.place in {unit.owner, "hub"}]
        found += [some[-1].value for some in (mine, owners) if some]
    return found


def _restored(company: Company, identity: str, unit: Unit) -> list[Any]:
    """What the hub held before a merge that was taken back: each side gets its own back.

    What was typed since into its records and replaced as the other's is in the change log.
    """
    unions = [u for u in company.people.taken_apart() if u.names(identity)]
    return [
        fields.of_golden("customers", unit, union.before[identity != union.kept])
        for union in unions
    ]  # fmt: skip


def _has_wrong_clock(company: Company, place: str) -> bool:
    """Until a write there was answered nobody knows; “latest” goes by a wrong time till then."""
    return place in NAMES and company.worlds[place].oddities.clock_offset != 0


def mentioned(log: list[Change], disputes: list[Conflict], path: str, value: Any) -> bool:
    for row in log:
        if row.path == path and value in (row.old, row.new):
            return True
        if row.op == "created" and isinstance(row.new, dict) and row.new.get(path) == value:
            return True
    return any(
        side.get(path) == value for row in disputes for side in (row.base, row.ours, row.theirs)
    )


def _parents(company: Company) -> list[str]:
    found = []
    for identity, owner in company.contacts:
        owners = {owner, *company.either.get(identity, ())}
        wrong = [_parents_but(company, identity, each) for each in sorted(owners)]
        found += min(wrong, key=len)
    return found


def _parents_but(company: Company, identity: str, owner: str) -> list[str]:
    """Where a contact belongs to somebody else than this customer."""
    found = []
    for name in NAMES:
        parents = [r["id"] for r in company.records(name, "customers", owner)]
        found += [
            f"{identity} in {name} belongs to {record['customer_id']}, not to {parents}"
            for record in company.records(name, "contacts", identity)
            if parents and record["customer_id"] not in parents
            and not _went_with_it(company, name, record)
        ]  # fmt: skip
    return found


def _went_with_it(company: Company, name: str, contact: Any) -> bool:
    """Whether one of a customer's two records was deleted, and the contact was that one's."""
    row = company.worlds[name].get("customers", contact["customer_id"])
    return bool(contact["email"] in company.touched and row and row.deleted)


def _noise(company: Company) -> list[str]:
    """Silence: nothing more is written, and a whole comparison finds nothing."""
    before = company.writes()
    company.clock.pass_(3600)
    company._rest()
    report = company.reconcile()
    company.work()
    found = []
    changed = sum(report["changed"].values()) - len(_orphans(company))
    if changed > 0 or any(report["differing"].values()):
        found.append(f"a comparison finds differences: {report['changed']} {report['differing']}")
    if company.writes() != before:
        found.append(f"{company.writes() - before} writes although nobody edited anything")
    return found
