"""One transaction of record changes by one user, and the notifications that it causes."""

from contextlib import contextmanager
from dataclasses import dataclass, field

from sandbox.zoho_crm import line_items
from sandbox.zoho_crm.errors import ItemError
from sandbox.zoho_crm.store import Record, by_unique, dump, fetch


@dataclass
class Event:
    module: str
    operation: str
    record_id: int
    fields: list = field(default_factory=list)
    doc: dict = field(default_factory=dict)


@contextmanager
def changing(box, user_id, *, silent=False):
    """A unit of work; notifications leave with the commit, or not at all."""
    with box.store.write() as conn:
        unit = Unit(box, conn, user_id)
        yield unit
        queued = 0 if silent else box.notifier.enqueue(conn, unit.events)
    if queued:
        box.notifier.wake()


class Unit:
    def __init__(self, box, conn, user_id):
        self.box = box
        self.conn = conn
        self.user_id = user_id
        self.now = box.clock.second()
        self.events = []

    @contextmanager
    def all_or_nothing(self):
        """A part of the work that leaves no trace when it is refused."""
        self.conn.execute("SAVEPOINT part")
        count = len(self.events)
        try:
            yield
        except BaseException:
            self.conn.execute("ROLLBACK TO part")
            del self.events[count:]
            raise
        finally:
            self.conn.execute("RELEASE part")

    def insert(self, module, values, *, created=None, modified=None, record_id=None):
        """Store a new record of checked values; refuses a taken unique value."""
        self.refuse_duplicates(module, values, None)
        doc = {name: value for name, value in values.items() if value is not None}
        doc.setdefault("Owner", self.user_id)
        doc["Created_By"] = doc["Modified_By"] = self.user_id
        record = Record(
            record_id or self.box.store.next_id(),
            created or self.now,
            modified or created or self.now,
            doc,
        )
        self._complete(module, record)
        sql = f"INSERT INTO rec_{module.name} VALUES (?, ?, ?, ?)"
        self.conn.execute(sql, (record.id, record.created, record.modified, dump(doc)))
        self._claim_unique(module, record, {})
        self.events.append(Event(module.name, "insert", record.id, [], doc))
        return record

    def update(self, module, record, values):
        """Change the named fields; None clears. Returns the record as it is now."""
        self.refuse_duplicates(module, values, record.id)
        doc = {**record.doc, **values}
        doc = {name: value for name, value in doc.items() if value is not None}
        moved = [name for name, value in values.items() if record.doc.get(name) != value]
        if not moved and not self.box.switches["noop_update_moves_modified"]:
            return record
        doc["Modified_By"] = self.user_id
        after = Record(record.id, record.created, self.now, doc)
        self._complete(module, after)
        self._store(module, after, record.doc)
        self.events.append(Event(module.name, "update", record.id, moved or list(values), doc))
        return after

    def repoint(self, module, record, api_name, value):
        """Move a lookup because its target was merged away; not an edit by a person."""
        after = Record(record.id, record.created, record.modified, {**record.doc, api_name: value})
        if self.box.switches["merge_touches_related"]:
            after.modified = self.now
            after.doc["Modified_By"] = self.user_id
            self.events.append(Event(module.name, "update", record.id, [api_name], after.doc))
        self._store(module, after, record.doc)

    def delete(self, module, record):
        """Into the recycle bin."""
        doc = record.doc
        self.conn.execute(
            "INSERT OR REPLACE INTO trash VALUES (?, ?, 'recycle', ?, ?, ?, ?, ?, ?, ?)",
            (
                record.id,
                module.name,
                doc.get(module.name_field),
                self.now,
                self.user_id,
                doc.get("Created_By"),
                record.created,
                record.modified,
                dump(doc),
            ),
        )
        self.conn.execute(f"DELETE FROM rec_{module.name} WHERE id = ?", (record.id,))
        sql = "DELETE FROM uniq WHERE module = ? AND id = ?"
        self.conn.execute(sql, (module.name, record.id))
        self.events.append(Event(module.name, "delete", record.id, [], doc))

    def restore(self, module, record):
        """Back from the recycle bin; refuses when a unique value has a new owner."""
        self.refuse_duplicates(module, record.doc, record.id)
        if self.box.switches["restore_moves_modified"]:
            record.modified = self.now
        self.conn.execute("DELETE FROM trash WHERE id = ?", (record.id,))
        sql = f"INSERT INTO rec_{module.name} VALUES (?, ?, ?, ?)"
        row = (record.id, record.created, record.modified, dump(record.doc))
        self.conn.execute(sql, row)
        self._claim_unique(module, record, {})
        self.events.append(Event(module.name, "insert", record.id, [], record.doc))

    def fetch(self, module, record_id):
        return fetch(self.conn, module.name, record_id)

    def owner_of(self, module, item, value):
        """Who holds this value of a unique field."""
        sensitive = item.case_sensitive
        return by_unique(self.conn, module.name, item.api_name, value, case_sensitive=sensitive)

    def refuse_duplicates(self, module, values, own_id):
        taken = []
        for item in module.unique_fields:
            value = values.get(item.api_name)
            holder = None if value is None else self.owner_of(module, item, value)
            if holder is not None and holder != own_id:
                taken.append((item.api_name, holder))
        if taken:
            raise self._duplicate(module, taken)

    def _duplicate(self, module, taken):
        errors = [self._duplicate_details(module, *pair) for pair in taken]
        if len({holder for _, holder in taken}) == 1:
            return ItemError("DUPLICATE_DATA", "duplicate data", errors[0])
        items = [
            {"code": "DUPLICATE_DATA", "message": "duplicate data", "details": details}
            for details in errors
        ]
        return ItemError("MULTIPLE_OR_MULTI_ERRORS", "multiple errors", {"errors": items})

    def _duplicate_details(self, module, api_name, holder):
        owner = fetch(self.conn, module.name, holder).doc.get("Owner")
        return {
            "api_name": api_name,
            "id": str(holder),
            "json_path": f"$.data[0].{api_name}",
            "duplicate_record": {
                "id": str(holder),
                "Owner": self.box.people.full(owner),
                "module": {"api_name": module.name, "id": str(module.id)},
            },
        }

    def _store(self, module, record, old_doc):
        sql = f"UPDATE rec_{module.name} SET modified = ?, doc = ? WHERE id = ?"
        self.conn.execute(sql, (record.modified, dump(record.doc), record.id))
        self._claim_unique(module, record, old_doc)

    def _claim_unique(self, module, record, old_doc):
        for item in module.unique_fields:
            value = record.doc.get(item.api_name)
            if value == old_doc.get(item.api_name):
                continue
            sql = "DELETE FROM uniq WHERE module = ? AND field = ? AND id = ?"
            self.conn.execute(sql, (module.name, item.api_name, record.id))
            if value is not None:
                key = str(value) if item.case_sensitive else str(value).casefold()
                row = (module.name, item.api_name, key, record.id)
                self.conn.execute("INSERT INTO uniq VALUES (?, ?, ?, ?)", row)

    def _complete(self, module, record):
        """Fields that the vendor computes."""
        doc = record.doc
        if "Full_Name" in module.fields:
            parts = (doc.get("First_Name"), doc.get("Last_Name"))
            doc["Full_Name"] = " ".join(part for part in parts if part)
        if module.spec.line_items:
            line_items.add_up(doc, module.spec.line_items)
        if module.name == "Deals" and doc.get("Amount") is not None:
            share = doc.get("Probability", 100) / 100
            doc["Expected_Revenue"] = round(doc["Amount"] * share, 2)
