"""Modules and fields as they are now: stored, cached, and changeable as an administrator would."""

import json
from dataclasses import asdict, dataclass, field

from sandbox.zoho_crm import catalog
from sandbox.zoho_crm.store import dump

JSON_TYPES = {
    "integer": "integer",
    "double": "double",
    "currency": "double",
    "percent": "double",
    "boolean": "boolean",
    "lookup": "jsonobject",
    "ownerlookup": "jsonobject",
    "multi_module_lookup": "jsonobject",
    "subform": "jsonarray",
    "multiselectpicklist": "jsonarray",
    "jsonarray": "jsonarray",
}
TEXT_TYPES = frozenset({"text", "email", "phone", "website", "textarea", "picklist", "bigint"})
NUMBER_TYPES = frozenset({"integer", "double", "currency", "percent"})
LOOKUP_TYPES = frozenset({"lookup", "ownerlookup"})


@dataclass
class Field:
    id: int
    module: str
    api_name: str
    label: str
    data_type: str
    length: int = 0
    mandatory: bool = False
    read_only: bool = False
    custom: bool = False
    unique: bool = False
    case_sensitive: bool = False
    external: bool = False
    system: bool = False
    lookup: str | None = None
    subform: str | None = None
    picklist: list = field(default_factory=list)

    @property
    def json_type(self):
        return JSON_TYPES.get(self.data_type, "string")


@dataclass
class Module:
    id: int
    layout_id: int
    spec: catalog.ModuleSpec
    fields: dict
    modified: int

    @property
    def name(self):
        return self.spec.api_name

    @property
    def unique_fields(self):
        return [item for item in self.fields.values() if item.unique]

    @property
    def name_field(self):
        return self.spec.name_field


class Metadata:
    def __init__(self, store, clock):
        self._store = store
        self._clock = clock
        self.modules = {}
        with store.write() as conn:
            for spec in catalog.MODULES:
                store.ensure_module(conn, spec.api_name)
                if not self._stored(conn, spec.api_name):
                    self._create(conn, spec)
            for spec in catalog.MODULES:
                self._load(conn, spec)
                self._index_all(conn, self.modules[spec.api_name])

    @staticmethod
    def _stored(conn, module):
        sql = "SELECT 1 FROM fields WHERE module = ? LIMIT 1"
        return conn.execute(sql, (module,)).fetchone()

    def _create(self, conn, spec):
        header = {"id": self._store.next_id(), "layout_id": self._store.next_id()}
        header["modified"] = self._clock.second()
        key = f"module_{spec.api_name}"
        conn.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, dump(header)))
        described = catalog.parse_fields(spec.fields)
        system = [] if spec.parent else catalog.parse_fields(catalog.SYSTEM)
        for item in system:
            item["system"] = True
        identity = {"api_name": "id", "label": "Record Id", "data_type": "bigint", "length": 20}
        identity.update(read_only=True, system=True)
        for position, item in enumerate([identity, *described, *system]):
            field_id = self._store.next_id()
            self._save(conn, Field(id=field_id, module=spec.api_name, **item), position)

    @staticmethod
    def _save(conn, item, position):
        row = (item.module, item.api_name, position, dump(asdict(item)))
        conn.execute("INSERT OR REPLACE INTO fields VALUES (?, ?, ?, ?)", row)

    def _load(self, conn, spec):
        sql = "SELECT value FROM meta WHERE key = ?"
        header = json.loads(conn.execute(sql, (f"module_{spec.api_name}",)).fetchone()[0])
        sql = "SELECT doc FROM fields WHERE module = ? ORDER BY position"
        fields = [Field(**json.loads(row[0])) for row in conn.execute(sql, (spec.api_name,))]
        self.modules[spec.api_name] = Module(
            header["id"],
            header["layout_id"],
            spec,
            {item.api_name: item for item in fields},
            header["modified"],
        )

    def _index_all(self, conn, module):
        for item in module.fields.values():
            named = item.api_name in {module.spec.duplicate_field, module.name_field}
            if item.data_type == "lookup" or (
                not item.system and (named or item.unique or item.data_type in {"email", "phone"})
            ):
                self._index(conn, item)

    def _index(self, conn, item):
        text = item.data_type in TEXT_TYPES
        self._store.ensure_index(conn, item.module, item.api_name, text=text)

    def get(self, name):
        """The module, or None. Line item modules are metadata only."""
        return self.modules.get(name)

    def callable_module(self, name):
        module = self.modules.get(name)
        return None if module is None or module.spec.parent else module

    def lookups_to(self, target):
        """Fields of other records that may point at records of `target`."""
        return [
            item
            for module in self.modules.values()
            if not module.spec.parent
            for item in module.fields.values()
            if item.lookup == target or item.data_type == "multi_module_lookup"
        ]

    # What an administrator does to a field.

    def change_field(self, module_name, api_name, changes):
        """Set attributes of a field: mandatory, length, picklist, unique, read_only, label."""
        allowed = {"mandatory", "length", "picklist", "read_only", "label", "case_sensitive"}
        unknown = set(changes) - allowed - {"unique"}
        if unknown:
            raise ValueError(f"a field has no {', '.join(sorted(unknown))} that can be changed")
        item = self._field(module_name, api_name)
        with self._store.write() as conn:
            for name, value in changes.items():
                setattr(item, name, value)
            if "unique" in changes:
                self._rebuild_unique(conn, item)
            self._keep(conn, item)

    def rename_field(self, module_name, api_name, new_name):
        item = self._field(module_name, api_name)
        if new_name in self.modules[module_name].fields:
            raise ValueError(f"{module_name} already has {new_name}")
        if not new_name.replace("_", "").isalnum():
            raise ValueError("an API name has letters, digits and underscores")
        table = f"rec_{module_name}"
        with self._store.write() as conn:
            self._store.drop_index(conn, module_name, api_name)
            conn.execute(
                f"UPDATE {table} SET doc = json_remove(json_set(doc, '$.{new_name}', "
                f"json(doc -> '$.{api_name}')), '$.{api_name}') "
                f"WHERE json_type(doc, '$.{api_name}') IS NOT NULL"
            )
            sql = "UPDATE uniq SET field = ? WHERE module = ? AND field = ?"
            conn.execute(sql, (new_name, module_name, api_name))
            sql = "DELETE FROM fields WHERE module = ? AND api_name = ?"
            conn.execute(sql, (module_name, api_name))
            item.api_name = new_name
            if item.unique or item.data_type == "lookup":
                self._index(conn, item)
            self._keep(conn, item)

    def delete_field(self, module_name, api_name):
        self._field(module_name, api_name)
        table = f"rec_{module_name}"
        with self._store.write() as conn:
            self._store.drop_index(conn, module_name, api_name)
            conn.execute(f"UPDATE {table} SET doc = json_remove(doc, '$.{api_name}')")
            for name, column in (("uniq", "field"), ("fields", "api_name")):
                sql = f"DELETE FROM {name} WHERE module = ? AND {column} = ?"
                conn.execute(sql, (module_name, api_name))
            self._touch(conn, module_name)

    def add_field(self, module_name, described):
        if module_name not in self.modules:
            raise ValueError(f"there is no module {module_name}")
        if described.get("api_name") in self.modules[module_name].fields:
            raise ValueError(f"{module_name} already has {described['api_name']}")
        described = {"label": described["api_name"], "data_type": "text", **described}
        with self._store.write() as conn:
            item = Field(
                id=self._store.next_id(), module=module_name, **{**described, "custom": True}
            )
            self._keep(conn, item)
            if item.unique or item.data_type == "lookup":
                self._index(conn, item)

    def _field(self, module_name, api_name):
        module = self.modules.get(module_name)
        if module is None or api_name not in module.fields:
            raise ValueError(f"there is no field {module_name}.{api_name}")
        if module.fields[api_name].system:
            raise ValueError(f"{api_name} is a system field")
        return module.fields[api_name]

    def _keep(self, conn, item):
        sql = "SELECT position FROM fields WHERE module = ? AND api_name = ?"
        row = conn.execute(sql, (item.module, item.api_name)).fetchone()
        self._save(conn, item, row[0] if row else 10_000 + item.id % 10_000)
        self._touch(conn, item.module)

    def _touch(self, conn, module_name):
        module = self.modules[module_name]
        header = {"id": module.id, "layout_id": module.layout_id}
        header["modified"] = self._clock.second()
        key = f"module_{module_name}"
        conn.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, dump(header)))
        self._load(conn, module.spec)

    def _rebuild_unique(self, conn, item):
        sql = "DELETE FROM uniq WHERE module = ? AND field = ?"
        conn.execute(sql, (item.module, item.api_name))
        if not item.unique:
            return
        conn.execute(
            "INSERT OR IGNORE INTO uniq SELECT ?, ?, lower(json_extract(doc, ?)), id "
            f"FROM rec_{item.module} WHERE json_extract(doc, ?) IS NOT NULL ORDER BY id",
            (item.module, item.api_name, f"$.{item.api_name}", f"$.{item.api_name}"),
        )
        self._index(conn, item)
