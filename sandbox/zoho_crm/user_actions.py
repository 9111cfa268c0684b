"""What a CRM user does by hand: create, edit, delete, restore, merge. Used by page and admin."""

import json

from sandbox.zoho_crm.changes import changing
from sandbox.zoho_crm.errors import ItemError
from sandbox.zoho_crm.external import External
from sandbox.zoho_crm.store import Record, fetch_many
from sandbox.zoho_crm.writer import Writer


class UnknownRecordError(Exception):
    """The record that a user wants to work on does not exist."""


def _module(box, name):
    module = box.metadata.callable_module(name)
    if module is None:
        raise UnknownRecordError(f"there is no module {name}")
    return module


def _must(unit, module, record_id):
    record = unit.fetch(module, int(record_id))
    if record is None:
        raise UnknownRecordError(f"{module.name} has no record {record_id}")
    return record


def create(box, module_name, item, *, user=None, silent=False):
    module = _module(box, module_name)
    with changing(box, user or box.people.person, silent=silent) as unit:
        values = Writer(box, unit, module, External.none()).clean(item, 0, None)
        return unit.insert(module, values)


def edit(box, module_name, record_id, item, *, user=None, silent=False):
    module = _module(box, module_name)
    with changing(box, user or box.people.person, silent=silent) as unit:
        record = _must(unit, module, record_id)
        values = Writer(box, unit, module, External.none()).clean(item, 0, record)
        return unit.update(module, record, values)


def delete(box, module_name, record_ids, *, user=None, silent=False):
    module = _module(box, module_name)
    with changing(box, user or box.people.person, silent=silent) as unit:
        for record_id in record_ids:
            unit.delete(module, _must(unit, module, record_id))


def restore(box, module_name, record_id, *, user=None, silent=False):
    module = _module(box, module_name)
    sql = (
        "SELECT id, created, modified, doc FROM trash "
        "WHERE id = ? AND module = ? AND kind = 'recycle'"
    )
    with changing(box, user or box.people.person, silent=silent) as unit:
        row = unit.conn.execute(sql, (int(record_id), module.name)).fetchone()
        if row is None:
            raise UnknownRecordError(f"{module.name} {record_id} is not in the recycle bin")
        record = Record(row[0], row[1], row[2], json.loads(row[3]))
        unit.restore(module, record)
        return record


def merge(box, module_name, winner_id, loser_ids, chosen, *, user=None, silent=False):
    """The winner keeps its id and gets the chosen values; losers are deleted; children move."""
    module = _module(box, module_name)
    with changing(box, user or box.people.person, silent=silent) as unit:
        winner = _must(unit, module, winner_id)
        losers = [_must(unit, module, record_id) for record_id in loser_ids]
        if winner.id in {loser.id for loser in losers}:
            raise UnknownRecordError("a record cannot be merged into itself")
        values = Writer(box, unit, module, External.none()).clean(chosen, 0, winner)
        for loser in losers:
            for name, value in loser.doc.items():  # what the winner lacks comes from the losers
                known = module.fields.get(name)
                fits = known is not None and not known.read_only and not known.unique
                if fits and name not in winner.doc and name not in values:
                    values[name] = value
            unit.delete(module, loser)
            _move_children(box, unit, module, loser.id, winner.id)
        return unit.update(module, _must(unit, module, winner.id), values)


def _move_children(box, unit, module, loser_id, winner_id):
    for field in box.metadata.lookups_to(module.name):
        anything = field.data_type == "multi_module_lookup"
        path = f"$.{field.api_name}" + ("[1]" if anything else "")
        sql = f"SELECT id FROM rec_{field.module} WHERE json_extract(doc, '{path}') = ?"
        ids = [row[0] for row in unit.conn.execute(sql, (loser_id,))]
        target = [module.name, winner_id] if anything else winner_id
        for record in fetch_many(unit.conn, field.module, ids):
            owner = box.metadata.modules[field.module]
            if record.id != winner_id:
                unit.repoint(owner, record, field.api_name, target)


def seed(box, module_name, items, *, user=None, silent=True, times=None):
    """Many records at once; an item's Created_Time and Modified_Time count when given."""
    module = _module(box, module_name)
    ids = []
    with changing(box, user or box.people.person, silent=silent) as unit:
        writer = Writer(box, unit, module, External.none())
        for index, item in enumerate(items):
            created, modified = (times or {}).get(index, (None, None))
            try:
                values = writer.clean(item, index, None)
                record = unit.insert(module, values, created=created, modified=modified)
            except ItemError as refusal:
                raise SeedRefusedError(index, refusal) from refusal
            ids.append(record.id)
    return ids


class SeedRefusedError(Exception):
    """One record of a seed is refused; nothing of the seed is kept."""

    def __init__(self, index, refusal):
        super().__init__(f"record {index}: {refusal.code} {refusal.details}")
        self.index = index
        self.refusal = refusal
