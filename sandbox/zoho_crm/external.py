"""`X-EXTERNAL`: ids in URLs, `ids` and lookups stand for the value of an external field."""

from sandbox.zoho_crm.errors import ApiError, ItemError
from sandbox.zoho_crm.store import by_unique, fetch
from sandbox.zoho_crm.values import parse_id


class External:
    def __init__(self, field, lookups):
        self.field = field
        self._lookups = lookups

    @classmethod
    def none(cls):
        return cls(None, {})

    @classmethod
    def from_header(cls, header, module, metadata):
        """`Contacts.Ext, Contacts.Account_Name.Ext_Account` for calls on Contacts."""
        if not header:
            return cls.none()
        own, lookups = None, {}
        for path in (part.strip() for part in header.split(",")):
            names = path.replace("->", ".").split(".")
            target = _target(names, module, metadata)
            field = metadata.modules[target].fields.get(names[-1]) if target else None
            if field is None or not field.external:
                details = {"param_name": "X-EXTERNAL"}
                raise ApiError(400, "INVALID_DATA", "the external field is invalid", details)
            if len(names) == 2:
                own = names[1]
            else:
                lookups[names[1]] = names[-1]
        return cls(own, lookups)

    def lookup_field(self, api_name):
        return self._lookups.get(api_name)

    def find(self, conn, module, raw):
        """The record that an id in the call means, or None."""
        by_value = self.field is not None
        record_id = by_unique(conn, module.name, self.field, raw) if by_value else parse_id(raw)
        return fetch(conn, module.name, record_id) if record_id is not None else None

    def refuse_own_change(self, values, existing, path):
        name = self.field
        if existing is None or name not in values:
            return
        if values[name] != existing.doc.get(name):
            details = {"api_name": name, "json_path": f"{path}.{name}"}
            raise ItemError("NOT_ALLOWED", "the external field cannot be updated", details)
        del values[name]

    def echo(self, details, record):
        if not self.field:
            return details
        return {**details, self.field: record.doc.get(self.field)}


def _target(names, module, metadata):
    """The module whose external field a path names."""
    if len(names) < 2 or names[0] != module.name:
        return None
    if len(names) == 2:
        return module.name
    lookup = module.fields.get(names[1])
    if lookup is None:
        return None
    target = names[2] if len(names) == 4 else lookup.lookup
    return target if target in metadata.modules else None
