"""What Zoho says about the fields of its modules, remembered for some minutes per process."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.sdk.errors import SetupError
from connectors.zoho_crm.client import Client
from mapping.schema import FieldSchema, FieldType, ObjectSchema, Option

LIFE = timedelta(minutes=10)
FIELDS_PER_CALL = 50
# Lists answer none of these (contract: subforms and linking rows only in a single read), or they
# are pictures and files.
_NOT_LISTED = frozenset(
    {
        "subform",
        "multiselectlookup",
        "multiuserlookup",
        "profileimage",
        "imageupload",
        "fileupload",
        "consent_lookup",
    }
)
# Move without anybody touching the record, or say nothing about the customer; leaving them out
# keeps the standard modules within the 50 fields of one call.
_NOISE = frozenset(
    {
        "Last_Activity_Time",
        "Change_Log_Time__s",
        "Locked__s",
        "Record_Status__s",
        "Record_Image",
        "Enrich_Status__s",
        "Last_Enriched_Time__s",
    }
)
_TYPES: Mapping[str, FieldType] = {
    "integer": "number",
    "bigint": "text",
    "double": "decimal",
    "currency": "decimal",
    "percent": "decimal",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "picklist": "choice",
    "multiselectpicklist": "choices",
    "lookup": "reference",
    "userlookup": "reference",
    "ownerlookup": "reference",
    "multi_module_lookup": "reference",
    "subform": "list",
    "jsonarray": "list",
    "multiselectlookup": "list",
    "layout": "object",
    "profileimage": "other",
    "imageupload": "other",
    "fileupload": "other",
}
_TEXTS = frozenset({"text", "textarea", "email", "phone", "website", "autonumber", "formula"})


@dataclass(frozen=True, slots=True)
class Module:
    """The fields of a module as Zoho describes them, by API name."""

    name: str
    fields: Mapping[str, Mapping[str, Any]]

    @property
    def listed(self) -> tuple[str, ...]:
        """Fields that a list answers, in a fixed order, without `id`, which always comes."""
        return tuple(name for name, raw in self.fields.items() if _is_listed(name, raw))

    @property
    def passes(self) -> Sequence[tuple[str, ...]]:
        """The listed fields in runs that fit one call; each run can tell when it was read."""
        names = [name for name in self.listed if name != "Modified_Time"]
        size = FIELDS_PER_CALL - 1
        runs = [tuple(names[start : start + size]) for start in range(0, len(names), size)]
        return [("Modified_Time", *run) for run in runs or [()]]

    def type_of(self, name: str) -> str:
        return str(self.fields.get(name, {}).get("data_type") or "")

    def is_unique(self, name: str) -> bool:
        """Whether Zoho itself refuses a second record with the same value."""
        raw = self.fields.get(name, {})
        return bool(raw.get("unique")) or bool(raw.get("external"))


class Metadata:
    """Descriptions of modules, shared by all connectors of one organisation in this process."""

    _known: dict[tuple[object, ...], tuple[datetime, Module]] = {}  # noqa: RUF012  shared on purpose
    _lock = threading.Lock()

    def __init__(self, client: Client) -> None:
        self._client = client

    def module(self, name: str) -> Module:
        """The module as described within the last minutes."""
        now = self._client.http.now()
        known = self._known.get((*self._client.identity, name))
        if known and timedelta() <= now - known[0] < LIFE:
            return known[1]
        return self.read(name)

    def read(self, name: str) -> Module:
        """The module as it is described now."""
        answer = self._client.get("/settings/fields", {"module": name})
        rows = answer.body.get("fields")
        fields = {str(raw["api_name"]): raw for raw in rows or () if raw.get("api_name")}
        if not fields:
            raise SetupError(
                f"Zoho shows no field of the module {name}.",
                hint="Give the user's profile in Zoho the right to see the module's fields.",
            )
        module = Module(name, fields)
        with self._lock:
            self._known[(*self._client.identity, name)] = (self._client.http.now(), module)
        return module


def describe(module: Module) -> ObjectSchema:
    """The module in the hub's words."""
    fields = {name: _field(name, raw) for name, raw in module.fields.items()}
    fields["id"] = FieldSchema("id", "Record id", writable=False, unique=True)
    return ObjectSchema(module.name, module.name.replace("_", " "), fields)


def check_hub_key(module: Module, name: str) -> None:
    """Refuses a module in which the hub's key could stand twice, or not at all."""
    hint = (
        f"Add a single-line field with the API name {name} to {module.name} in Zoho's set-up and "
        "mark it 'Do not allow duplicate values', or make it an organisation-wide external field."
    )
    if name not in module.fields:
        raise SetupError(f"The Zoho module {module.name} has no field {name}.", hint=hint)
    if not module.is_unique(name):
        raise SetupError(f"The field {name} of {module.name} is not unique in Zoho.", hint=hint)


def _is_listed(name: str, raw: Mapping[str, Any]) -> bool:
    if name == "id" or name in _NOISE or raw.get("visible") is False:
        return False
    return str(raw.get("data_type")) not in _NOT_LISTED


def _field(name: str, raw: Mapping[str, Any]) -> FieldSchema:
    kind = str(raw.get("data_type") or "text")
    lookup = raw.get("lookup")
    module = lookup.get("module") if isinstance(lookup, Mapping) else None
    target = module.get("api_name") if isinstance(module, Mapping) else None
    length = raw.get("length")
    return FieldSchema(
        name=name,
        label=str(raw.get("display_label") or raw.get("field_label") or name),
        type=_TYPES.get(kind, "text" if kind in _TEXTS else "other"),
        required=bool(raw.get("system_mandatory")),
        writable=_is_writable(raw),
        unique=bool(raw.get("unique")) or bool(raw.get("external")),
        max_length=int(length) if length and (kind in _TEXTS or kind == "picklist") else None,
        options=_options(raw) if kind in {"picklist", "multiselectpicklist"} else (),
        target="users" if kind in {"ownerlookup", "userlookup"} else target,
    )


def _is_writable(raw: Mapping[str, Any]) -> bool:
    if raw.get("read_only") or raw.get("field_read_only"):
        return False
    operations = raw.get("operation_type")
    if not isinstance(operations, Mapping):
        return True
    return bool(operations.get("api_create", True)) and bool(operations.get("api_update", True))


def _options(raw: Mapping[str, Any]) -> tuple[Option, ...]:
    """`actual_value` travels; the label may be translated. Other values are stored as well."""
    values = raw.get("pick_list_values")
    if not isinstance(values, list):
        return ()
    return tuple(
        Option(str(v["actual_value"]), str(v.get("display_value") or v["actual_value"]))
        for v in values
        if v.get("actual_value") is not None
    )
