"""What an imported row may hold; names are those of the mapping's native side."""

from mapping.schema import FieldSchema, ObjectSchema

CUSTOMERS, CONTACTS = "customers", "contacts"

_CUSTOMER = (
    ("id", "Row"),
    ("name", "Name"),
    ("legal_name", "Legal name"),
    ("kind", "Kind"),
    ("stage", "Stage"),
    ("number", "Customer number"),
    ("uscc", "Unified social credit code"),
    ("eu_vat", "EU VAT number"),
    ("us_ein", "US EIN"),
    ("gb_vat", "UK VAT number"),
    ("jp_cn", "Japanese corporate number"),
    ("sg_uen", "Singapore UEN"),
    ("phone", "Phone"),
    ("mobile", "Mobile"),
    ("fax", "Fax"),
    ("email", "E-mail"),
    ("website", "Website"),
    ("street", "Street"),
    ("district", "District"),
    ("city", "City"),
    ("region", "Region"),
    ("postcode", "Postcode"),
    ("country", "Country"),
    ("industry", "Industry"),
    ("employees", "Employees"),
    ("payment_term", "Payment term"),
    ("credit_limit", "Credit limit"),
    ("currency", "Currency"),
    ("language", "Language"),
    ("owner", "Owner's mail"),
    ("source", "Source"),
    ("tags", "Tags"),
    ("notes", "Notes"),
)
_CONTACT = (
    ("id", "Row"),
    ("customer", "Row of the customer"),
    ("name", "Name"),
    ("job_title", "Job title"),
    ("department", "Department"),
    ("phone", "Phone"),
    ("mobile", "Mobile"),
    ("email", "E-mail"),
)


def _shape(name: str, label: str, fields: tuple[tuple[str, str], ...]) -> ObjectSchema:
    made = {
        key: FieldSchema(key, title, "list" if key == "tags" else "text", writable=False)
        for key, title in fields
    }
    if name == CONTACTS:
        made["customer"] = FieldSchema(
            "customer", "Row of the customer", "reference", writable=False, target=CUSTOMERS
        )
    return ObjectSchema(name, label, made)


SHAPES = {
    CUSTOMERS: _shape(CUSTOMERS, "Customers", _CUSTOMER),
    CONTACTS: _shape(CONTACTS, "Contacts", _CONTACT),
}
