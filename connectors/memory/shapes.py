"""What the little CRM can store: its objects and their fields."""

from collections.abc import Mapping

from mapping.schema import FieldSchema, FieldType, ObjectSchema

SYSTEM_FIELDS = ("id", "version", "created_at", "modified_at")
HUB_KEY = "hub_key"
PHONES = frozenset({"phone", "mobile", "fax"})
_ADDRESS = ("street", "district", "city", "region", "postcode", "country")


def _field(name: str, kind: FieldType = "text", *, required: bool = False) -> FieldSchema:
    return FieldSchema(
        name=name,
        label=name.replace("_", " ").capitalize(),
        type=kind,
        required=required,
        max_length={"text": 255, "choice": 60}.get(kind),
    )


def _reference(name: str, target: str, *, required: bool = False) -> FieldSchema:
    label = name.removesuffix("_id").capitalize()
    return FieldSchema(name=name, label=label, type="reference", target=target, required=required)


def _texts(*names: str) -> tuple[FieldSchema, ...]:
    return tuple(_field(name) for name in names)


def _object(name: str, *fields: FieldSchema) -> ObjectSchema:
    own = [FieldSchema("id", "Id", writable=False, unique=True)]
    own += [FieldSchema("version", "Version", writable=False)]
    own += [FieldSchema(n, n, "datetime", writable=False) for n in ("created_at", "modified_at")]
    own += [FieldSchema(HUB_KEY, "Hub key", max_length=80)]
    notes = FieldSchema("notes", "Notes", max_length=32_000)
    everything = {f.name: f for f in (*own, *fields, notes)}
    return ObjectSchema(name=name, label=name.capitalize(), fields=everything)


_BILLING = _texts(*(f"billing_{part}" for part in _ADDRESS))
_SHIPPING = _texts(*(f"shipping_{part}" for part in _ADDRESS))
_AMOUNTS = tuple(_field(name, "decimal") for name in ("net", "tax", "total"))

SHAPES: Mapping[str, ObjectSchema] = {
    shape.name: shape
    for shape in (
        _object(
            "customers",
            _field("name", required=True),
            *_texts("code", "legal_name", "tax_id", "website", "owner", "payment_term"),
            *(_field(name, "choice") for name in ("kind", "stage", "industry", "source")),
            *_texts("phone", "mobile", "fax", "email", "currency", "language"),
            _field("employees", "decimal"),
            _field("credit_limit", "decimal"),
            _field("blocked", "boolean"),
            _field("tags", "list"),
            *_BILLING,
            *_SHIPPING,
            _reference("parent_id", "customers"),
        ),
        _object(
            "contacts",
            _field("name", required=True),
            _reference("customer_id", "customers"),
            *_texts("salutation", "job_title", "department", "role", "owner", "language"),
            *_texts("phone", "mobile", "email"),
            _field("birth_date", "date"),
            _field("mail_opt_out", "boolean"),
            _field("tags", "list"),
            *_BILLING,
        ),
        _object(
            "leads",
            _field("company", required=True),
            *_texts("person", "job_title", "phone", "mobile", "email", "website", "owner"),
            *(_field(name, "choice") for name in ("status", "industry", "source")),
            *_BILLING,
        ),
        _object(
            "orders",
            _reference("customer_id", "customers", required=True),
            *_texts("number", "reference", "currency", "payment_term"),
            _field("state", "choice"),
            _field("ordered_on", "date"),
            *_AMOUNTS,
            _field("lines", "list"),
        ),
        _object(
            "invoices",
            _reference("customer_id", "customers", required=True),
            _reference("order_id", "orders"),
            *_texts("number", "currency"),
            _field("state", "choice"),
            _field("invoiced_on", "date"),
            _field("due_on", "date"),
            *_AMOUNTS,
            _field("open", "decimal"),
            _field("lines", "list"),
        ),
        _object(
            "payments",
            _reference("customer_id", "customers", required=True),
            _reference("order_id", "orders"),
            _reference("invoice_id", "invoices"),
            *_texts("number", "currency", "method"),
            _field("paid_on", "date"),
            _field("amount", "decimal"),
        ),
    )
}
