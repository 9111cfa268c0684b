"""Form fields of the page, and the way back from a posted form to a record item."""

import json
import re

from sandbox.zoho_crm.errors import ItemError
from sandbox.zoho_crm.metadata import LOOKUP_TYPES, NUMBER_TYPES
from sandbox.zoho_crm.store import field_sql

TRAILING_ID = re.compile(r"(\d{15,19})\s*$")
ITEM_PARTS = ("Quantity", "List_Price", "Discount")
BLANK_ROWS = 2
HIDDEN = {"Tag", "Record_Status__s", "Locked__s", "id"}


def editable(module):
    """Fields that a person may change, subforms apart."""
    return [
        field
        for field in module.fields.values()
        if not field.read_only
        and field.api_name not in HIDDEN
        and field.data_type not in {"subform", "jsonarray"}
    ]


def as_text(field, value):
    """A rendered API value as the text of its input."""
    if value is None:
        return ""
    if field.data_type in LOOKUP_TYPES or field.data_type == "multi_module_lookup":
        return f"{value.get('name') or ''} · {value['id']}"
    if field.data_type == "boolean":
        return "true" if value else ""
    if field.data_type == "multiselectpicklist":
        return ", ".join(value)
    return str(value)


def read_item(box, module, form, before):
    """The fields that the person changed, as the API would send them."""
    item = {}
    for field in editable(module):
        if field.api_name not in form:
            continue
        old = as_text(field, before.get(field.api_name)) if before else ""
        new = form.get(field.api_name, "").strip().replace("\r\n", "\n")
        if new != old.strip():
            item[field.api_name] = _value(box, field, new)
    if module.spec.line_items and form.get("items_shown"):
        item[module.spec.line_items] = _rows(box, form)
    return item


def _value(box, field, text):
    kind = field.data_type
    if kind == "boolean":
        return text == "true"
    if text == "":
        return None
    if kind in NUMBER_TYPES:
        return _number(text)
    if kind == "multiselectpicklist":
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind == "ownerlookup":
        return {"id": TRAILING_ID.search(text).group(1) if TRAILING_ID.search(text) else "0"}
    if kind == "lookup":
        return {"id": find_by_name(box, field.lookup, text)}
    if kind == "multi_module_lookup":
        match = TRAILING_ID.search(text)
        return {"id": match.group(1) if match else "0"}
    return text


def _number(text):
    """A number, or the text itself so that the CRM refuses it with its own words."""
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return text
    return int(value) if value.is_integer() and "." not in text else value


def find_by_name(box, module_name, text):
    """The id that a person means by `Name · id`, an id, or an exact name."""
    match = TRAILING_ID.search(text)
    if match:
        return match.group(1)
    name = field_sql(box.metadata.modules[module_name].name_field)
    sql = f"SELECT id FROM rec_{module_name} WHERE {name} = ? COLLATE NOCASE LIMIT 1"
    with box.store.read() as conn:
        row = conn.execute(sql, (text,)).fetchone()
    return str(row[0]) if row else "0"


def _rows(box, form):
    """Lines of an order: changed ones, new ones, and those whose product was emptied."""
    rows = []
    for number in range(int(form.get("items_shown", 0))):
        product = form.get(f"item_{number}_product", "").strip()
        row_id = form.get(f"item_{number}_id")
        if not product:
            if row_id:
                rows.append({"id": row_id, "_delete": None})
            continue
        row = {"Product_Name": {"id": find_by_name(box, "Products", product)}}
        for part in ITEM_PARTS:
            text = form.get(f"item_{number}_{part}", "").strip()
            row[part] = _number(text) if text else None
        rows.append({"id": row_id, **row} if row_id else row)
    return rows


def choices(box, module):
    """Names that the lookups of a form offer: the newest hundred of each target."""
    found = {}
    with box.store.read() as conn:
        for field in module.fields.values():
            if field.lookup and field.lookup not in found:
                found[field.lookup] = _newest(box, conn, field.lookup)
        if module.spec.line_items:
            found["Products"] = _newest(box, conn, "Products")
    return found


def _newest(box, conn, module_name):
    name = field_sql(box.metadata.modules[module_name].name_field)
    sql = f"SELECT id, {name} FROM rec_{module_name} ORDER BY id DESC LIMIT 100"
    return [f"{row[1]} · {row[0]}" for row in conn.execute(sql)]


def refusal_text(texts, error):
    """One sentence for a person: which field, and what is wrong."""
    if not isinstance(error, ItemError):
        return texts("unknown_record")
    details = error.details
    field = details.get("api_name", "")
    extra = {key: details[key] for key in ("maximum_length", "id") if key in details}
    tail = f" ({json.dumps(extra)})" if extra else ""
    return f"{texts('refused')} {field}: {texts.refusal(error.code)}{tail}"
