"""The tenant's object descriptions, and the shape of our native view of them."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from connectors.fxiaoke.areas import LEVELS
from connectors.fxiaoke.client import Client
from connectors.fxiaoke.errors import Kind
from connectors.sdk.errors import SetupError
from mapping.schema import FieldSchema, FieldType, ObjectSchema, Option

PATH = "/cgi/crm/v2/object/describe"
FRESH_FOR = 3600.0  # seconds; `schema` always reads anew
LINES = "lines"  # the details of an order in our native view, see facts.py
ORDER = "SalesOrderObj"
Fields = Mapping[str, Mapping[str, Any]]

_TYPES: Mapping[str, FieldType] = {
    "number": "decimal",
    "currency": "decimal",
    "percentile": "decimal",
    "true_or_false": "boolean",
    "date": "date",
    "date_time": "datetime",
    "time": "other",
    "select_one": "choice",
    "record_type": "choice",
    "select_many": "choices",
    "object_reference": "reference",
    "master_detail": "reference",
    "object_reference_many": "list",
    "employee": "list",
    "employee_many": "list",
    "department": "list",
    "department_many": "list",
    "file_attachment": "list",
    "image": "list",
    "signature": "list",
    "embedded_object_list": "list",
    "location": "other",
    "group": "other",
}
_NEVER_WRITTEN_TYPES = frozenset({"auto_number", "formula", "count", "quote", "group"})
_FILLED_IN = frozenset({"owner", "record_type"})  # by the connector, where a create lacks them
_SYSTEM_FIELDS = frozenset(
    {
        "_id", "owner_department", "owner_department_id", "created_by", "last_modified_by",
        "create_time", "last_modified_time", "life_status", "life_status_before_invalid",
        "lock_status", "lock_rule", "lock_user", "is_deleted", "version", "relevant_team",
        "tenant_id", "package", "object_describe_api_name", "object_describe_id",
        "extend_obj_data_id", "order_by", "out_owner", "out_tenant_id", "origin_source",
    }
)  # fmt: skip


class Describer:
    """Reads object descriptions and remembers them for an hour."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._clock = client, clock
        self._known: dict[str, tuple[float, Mapping[str, Any]]] = {}
        self._made: dict[str, tuple[Mapping[str, Any], Fields, Mapping[str, str]]] = {}

    def fields(self, object_name: str) -> Fields:
        """The active fields of an object by API name."""
        return self._of(object_name)[1]

    def levels(self, object_name: str) -> Mapping[str, str]:
        """The object's own area fields; areas in custom fields stay codes."""
        return self._of(object_name)[2]

    def _of(self, object_name: str) -> tuple[Mapping[str, Any], Fields, Mapping[str, str]]:
        """A description with its fields and areas: made once for each description."""
        described = self.describe(object_name)
        made = self._made.get(object_name)
        if made is None or made[0] is not described:
            every = described.get("fields") or {}
            fields = {name: field for name, field in every.items() if field.get("is_active", True)}
            levels = {name: name for name in LEVELS if fields.get(name, {}).get("type") == name}
            made = self._made[object_name] = (described, fields, levels)
        return made

    def describe(self, object_name: str) -> Mapping[str, Any]:
        """The description, at most an hour old."""
        at, known = self._known.get(object_name, (-FRESH_FOR, {}))
        if known and self._clock() - at < FRESH_FOR:
            return known
        return self.describe_now(object_name)

    def describe_now(self, object_name: str) -> Mapping[str, Any]:
        """The description as it is."""
        request = {"data": {"apiName": object_name, "includeDetail": False}, "includeDetail": False}
        answer = self._client.call(PATH, request, Kind.READ)
        described = (answer.get("data") or {}).get("describe")
        if not isinstance(described, dict):
            raise SetupError(
                f"纷享销客 describes no object {object_name}.",
                hint="Switch the object on, and let the acting employee see it.",
            )
        self._known[object_name] = (self._clock(), described)
        return described


def object_schema(described: Mapping[str, Any]) -> ObjectSchema:
    """Our native view: area fields are names, an order carries its lines."""
    every = described.get("fields") or {}
    fields = {
        name: _field_schema(name, field)
        for name, field in every.items()
        if field.get("is_active", True)
    }
    object_name = str(described["api_name"])
    if object_name == ORDER:
        fields[LINES] = FieldSchema(LINES, "订单产品", type="list")
    return ObjectSchema(object_name, str(described.get("display_name") or object_name), fields)


def _field_schema(name: str, field: Mapping[str, Any]) -> FieldSchema:
    kind = str(field.get("type"))
    options = tuple(_options(field)) if kind in {"select_one", "select_many", "record_type"} else ()
    return FieldSchema(
        name=name,
        label=str(field.get("label") or name),
        type=_TYPES.get(kind, "text"),
        required=bool(field.get("is_required")) and name not in _FILLED_IN,
        writable=kind not in _NEVER_WRITTEN_TYPES and name not in _SYSTEM_FIELDS,
        unique=bool(field.get("is_unique")),
        max_length=_whole(field.get("max_length")),
        options=options,
        strict_options=bool(options),
        target=field.get("target_api_name"),
    )


def _options(field: Mapping[str, Any]) -> list[Option]:
    found = []
    for option in field.get("options") or ():
        value = option.get("value", option.get("api_name"))  # record types have an api_name
        if value is not None and not option.get("not_usable"):
            found.append(Option(str(value), str(option.get("label") or value)))
    return found


def _whole(value: Any) -> int | None:
    return int(value) if str(value or "").isdigit() else None
