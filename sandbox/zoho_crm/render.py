"""Stored records as the API shows them."""

from sandbox.zoho_crm.store import field_sql

STANDARD_KEYS = {
    "$approval": {"delegate": False, "approve": False, "reject": False, "resubmit": False},
    "$approval_state": "approved",
    "$currency_symbol": "¥",
    "$editable": True,
    "$field_states": None,
    "$has_more": None,
    "$in_merge": False,
    "$locked_for_me": False,
    "$review_process": {"approve": False, "reject": False, "resubmit": False},
    "$sharing_permission": "full_access",
    "$zia_visions": None,
}


def names_of(box, conn, module_name, ids):
    """id -> display name, for those that exist."""
    module = box.metadata.modules[module_name]
    wanted = list(ids)
    names = {}
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        marks = ",".join("?" * len(part))
        expression = field_sql(module.name_field)
        sql = f"SELECT id, {expression} FROM rec_{module_name} WHERE id IN ({marks})"
        names.update(conn.execute(sql, part))
    return names


class Renderer:
    """Renders records of one module; names of lookups are read once per batch."""

    def __init__(self, box, conn, module):
        self.box = box
        self.conn = conn
        self.module = module

    def listed(self, records, api_names):
        """The asked fields and `id`; unknown names and subforms are left out."""
        fields = [self.module.fields[name] for name in api_names if name in self.module.fields]
        fields = [item for item in fields if item.data_type != "subform" and item.api_name != "id"]
        names = self._names(records, fields)
        return [
            {
                **{item.api_name: self.value(item, record, names) for item in fields},
                "id": str(record.id),
            }
            for record in records
        ]

    def single(self, record, api_names=None):
        """All fields (or the asked ones) with rows, and the `$` keys."""
        fields = [
            item
            for name, item in self.module.fields.items()
            if name != "id" and (api_names is None or name in api_names)
        ]
        names = self._names([record], fields)
        shown = {item.api_name: self.value(item, record, names) for item in fields}
        extra = {**STANDARD_KEYS, "Layout": self._layout()} if api_names is None else {}
        return {**shown, "id": str(record.id), **extra}

    def _layout(self):
        return {"name": "Standard", "id": str(self.module.layout_id)}

    def value(self, item, record, names):
        kind = item.data_type
        if item.api_name == "Created_Time":
            return self.box.clock.text(record.created)
        if item.api_name in {"Modified_Time", "Last_Activity_Time"}:
            return self.box.clock.text(record.modified)
        raw = record.doc.get(item.api_name)
        if raw is None:
            return False if kind == "boolean" else _EMPTY.get(item.api_name)
        if kind == "datetime":
            return self.box.clock.text(raw)
        if kind == "ownerlookup":
            return self.box.people.full(raw)
        if kind == "lookup":
            return {"name": names.get((item.lookup, raw)), "id": str(raw)}
        if kind == "multi_module_lookup":
            return self._anything(raw, names)
        if kind == "subform":
            return self._rows(item, raw)
        return raw

    def _anything(self, raw, names):
        module, record_id = raw
        shown = {"name": names.get((module, record_id)), "id": str(record_id)}
        return {**shown, "module": {"api_name": module, "id": self._module_id(module)}}

    def _module_id(self, name):
        return str(self.box.metadata.modules[name].id)

    def _rows(self, item, rows):
        module = self.box.metadata.modules[item.subform]
        products = {row["Product_Name"] for row in rows if "Product_Name" in row}
        names = names_of(self.box, self.conn, "Products", products)
        return [self._row(module, row, names) for row in rows]

    @staticmethod
    def _row(module, row, names):
        shown = {name: row.get(name) for name in module.fields if name != "Parent_Id"}
        product = row.get("Product_Name")
        shown["Product_Name"] = {"name": names.get(product), "id": str(product)}
        shown["Line_Tax"] = row.get("Line_Tax") or []
        shown["id"] = str(row["id"])
        return shown

    def _names(self, records, fields):
        wanted = {}
        for item in fields:
            if item.data_type == "lookup":
                ids = {record.doc.get(item.api_name) for record in records} - {None}
                wanted.setdefault(item.lookup, set()).update(ids)
            if item.data_type == "multi_module_lookup":
                pairs = [record.doc.get(item.api_name) for record in records]
                for module, record_id in filter(None, pairs):
                    wanted.setdefault(module, set()).add(record_id)
        return {
            (module, record_id): name
            for module, ids in wanted.items()
            if ids
            for record_id, name in names_of(self.box, self.conn, module, ids).items()
        }


_EMPTY = {
    "Record_Status__s": "Available",
    "Tag": [],
}


def written(box, record, *, approval=False):
    """The `details` of a write answer."""
    people, clock = box.people, box.clock
    details = {
        "Modified_Time": clock.text(record.modified),
        "Modified_By": people.short(record.doc.get("Modified_By")),
        "Created_Time": clock.text(record.created),
        "id": str(record.id),
        "Created_By": people.short(record.doc.get("Created_By")),
    }
    return {**details, "$approval_state": "approved"} if approval else details
