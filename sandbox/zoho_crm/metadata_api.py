"""`/settings/…`, users and the organisation."""

from flask import Blueprint, request

from sandbox.zoho_crm.box import the_box
from sandbox.zoho_crm.errors import ApiError, missing_param, unknown_module
from sandbox.zoho_crm.gate import answer, guard, nothing, number, profile
from sandbox.zoho_crm.paging import read_since
from sandbox.zoho_crm.related import related_lists

api = guard(Blueprint("metadata", __name__, url_prefix="/crm/<version>"))


@api.url_value_preprocessor
def drop_version(_endpoint, values):
    if values:
        values.pop("version", None)


def render_field(box, field):
    """A field as the fields call gives it."""
    module = box.metadata.modules[field.module] if field.module != "users" else None
    writable = not field.read_only
    operations = {"web_create": writable, "web_update": writable}
    target = box.metadata.get(field.lookup) if field.lookup else None
    return {
        "id": str(field.id),
        "api_name": field.api_name,
        "field_label": field.label,
        "display_label": field.label,
        "data_type": "lookup" if field.data_type == "multi_module_lookup" else field.data_type,
        "json_type": field.json_type,
        "ui_type": 1,
        "length": field.length or 255,
        "decimal_place": 2 if field.data_type in {"currency", "double"} else None,
        "system_mandatory": field.mandatory,
        "custom_field": field.custom,
        "read_only": field.read_only,
        "field_read_only": field.read_only,
        "visible": True,
        "type": "used",
        "created_source": "default",
        "operation_type": {**operations, "api_create": writable, "api_update": writable},
        "unique": {"case_sensitive": field.case_sensitive} if field.unique else {},
        "external": {"type": "org", "show": False} if field.external else None,
        "lookup": _lookup(field, target),
        "pick_list_values": [_choice(field, *pair) for pair in enumerate(field.picklist)],
        "view_type": {"view": True, "edit": writable, "create": writable, "quick_create": False},
        "default_value": None,
        "searchable": True,
        "filterable": field.data_type != "subform",
        "sortable": field.data_type not in {"subform", "textarea"},
        "mass_update": writable,
        "webhook": True,
        "virtual_field": False,
        "formula": {},
        "currency": {"rounding_option": "normal", "precision": 2}
        if field.data_type == "currency"
        else {},
        "auto_number": {},
        "rollup_summary": {},
        "multiselectlookup": {},
        "subform": None,
        "associated_module": _rows(box, field),
        "convert_mapping": None,
        "profiles": [
            {"name": item["name"], "id": str(item["id"]), "permission_type": "read_write"}
            for item in box.people.profiles()
        ],
        "layout_associations": [_layout_name(module)] if module else [],
        "tooltip": None,
        "crypt": None,
        "private": None,
        "hipaa_compliance_enabled": False,
        "history_tracking": None,
        "created_time": None,
        "modified_time": box.clock.text(module.modified) if module else None,
    }


def _lookup(field, target):
    if target is None:
        return {}
    return {
        "id": str(field.id),
        "display_label": target.spec.plural,
        "api_name": f"{field.module}_{field.api_name}",
        "module": {"api_name": target.name, "id": str(target.id)},
        "query_details": {},
    }


def _rows(box, field):
    if not field.subform:
        return None
    rows = box.metadata.modules[field.subform]
    return {"module": rows.name, "id": str(rows.id)}


def _choice(field, position, value):
    return {
        "id": str(field.id * 10 % 10**18 + position),
        "display_value": value,
        "actual_value": value,
        "reference_value": value,
        "sequence_number": position + 1,
        "colour_code": None,
        "type": "used",
    }


def _layout_name(module):
    return {"id": str(module.layout_id), "name": "Standard", "api_name": "Standard"}


def render_module(box, module, position):
    rows = module.spec.parent is not None
    everybody = [{"name": item["name"], "id": str(item["id"])} for item in box.people.profiles()]
    return {
        "id": str(module.id),
        "api_name": module.name,
        "module_name": module.spec.module_name,
        "singular_label": module.spec.singular,
        "plural_label": module.spec.plural,
        "generated_type": "subform" if rows else "default",
        "api_supported": not rows,
        "creatable": not rows,
        "editable": not rows,
        "deletable": not rows,
        "viewable": True,
        "convertable": module.name in {"Leads", "Quotes", "Sales_Orders"},
        "quick_create": not rows,
        "visible": not rows,
        "visibility": 1,
        "status": "visible",
        "sequence_number": position,
        "show_as_tab": not rows,
        "global_search_supported": True,
        "isBlueprintSupported": False,
        "profiles": everybody,
        "modified_time": box.clock.text(module.modified),
        "modified_by": box.people.short(box.people.integration),
        "parent_module": _parent(box, module),
        "arguments": [],
        "recycle_bin_on_delete": True,
    }


def _parent(box, module):
    if not module.spec.parent:
        return {}
    parent = box.metadata.modules[module.spec.parent]
    return {"api_name": parent.name, "id": str(parent.id)}


def any_module(name, index=0):
    found = the_box().metadata.get(name)
    if found is None:
        raise unknown_module(index)
    return found


@api.get("/settings/modules")
@profile(scope="settings", part="modules")
def modules():
    box, since = the_box(), read_since()
    found = list(box.metadata.modules.values())
    if since is not None and all(module.modified <= since for module in found):
        return nothing(304)
    pairs = enumerate(found, 1)
    return answer({"modules": [render_module(box, module, place) for place, module in pairs]})


@api.get("/settings/modules/<name>")
@profile(scope="settings", part="modules")
def one_module(name):
    box, module = the_box(), any_module(name, 2)
    return answer({"modules": [render_module(box, module, 1)]})


def _module_param():
    name = request.args.get("module")
    if not name:
        raise missing_param("module")
    return any_module(name)


@api.get("/settings/fields")
@profile(scope="settings", part="fields")
def fields():
    box, module = the_box(), _module_param()
    if request.args.get("type") == "unused":
        return nothing(204)
    return answer({"fields": [render_field(box, item) for item in module.fields.values()]})


@api.get("/settings/fields/<field_id>")
@profile(scope="settings", part="fields")
def one_field(field_id):
    box, module = the_box(), _module_param()
    for item in module.fields.values():
        if str(item.id) == field_id:
            return answer({"fields": [render_field(box, item)]})
    return nothing(204)


@api.get("/settings/layouts")
@profile(scope="settings", part="layouts")
def layouts():
    box, module = the_box(), _module_param()
    return answer({"layouts": [_layout(box, module)]})


@api.get("/settings/layouts/<layout_id>")
@profile(scope="settings", part="layouts")
def one_layout(layout_id):
    box, module = the_box(), _module_param()
    if str(module.layout_id) != layout_id:
        return nothing(204)
    return answer({"layouts": [_layout(box, module)]})


def _layout(box, module):
    shown = [render_field(box, item) for item in module.fields.values() if item.api_name != "id"]
    places = [
        {**item, "required": item["system_mandatory"], "sequence_number": place}
        for place, item in enumerate(shown, 1)
    ]
    section = {
        "api_name": f"{module.name}_Information",
        "name": f"{module.spec.singular} Information",
        "display_label": f"{module.spec.singular} Information",
        "sequence_number": 1,
        "column_count": 2,
        "tab_traversal": 2,
        "isSubformSection": False,
        "type": "used",
        "fields": places,
    }
    names = {"display_label": "Standard", "status": "active", "visible": True}
    return {**_layout_name(module), **names, "sections": [section]}


@api.get("/settings/related_lists")
@profile(scope="settings", part="related_lists")
def related():
    box, module = the_box(), _module_param()
    found = [
        {
            "id": str(field.id),
            "api_name": name,
            "name": name,
            "display_label": target.spec.plural,
            "module": {"api_name": target.name, "id": str(target.id)},
            "href": f"{module.name}/{{ENTITYID}}/{name}",
            "type": "default",
            "sequence_number": str(place),
            "action": None,
        }
        for place, (name, target, field) in enumerate(related_lists(box.metadata, module), 1)
    ]
    return answer({"related_lists": found}) if found else nothing(204)


ADMINISTRATORS = {"AdminUsers", "ActiveConfirmedAdmins"}
STATUS = {"ActiveUsers": "active", "DeactiveUsers": "inactive"}
NOBODY = {"NotConfirmedUsers", "DeletedUsers"}


@api.get("/users")
@profile(scope="users")
def users():
    box, kind = the_box(), request.args.get("type", "AllUsers")
    found = list(box.people.users.values())
    if kind == "CurrentUser":
        found = [box.people.users[box.people.integration]]
    elif kind in ADMINISTRATORS:
        found = [user for user in found if user["profile"]["name"] == "Administrator"]
    elif kind in STATUS:
        found = [user for user in found if user["status"] == STATUS[kind]]
    elif kind in NOBODY:
        found = []
    wanted = request.args.get("ids")
    if wanted:
        found = [user for user in found if str(user["id"]) in wanted.split(",")]
    since = read_since()
    if since is not None:
        found = [user for user in found if user["created"] > since]
    page, per_page = number("page", 1, 1, 10**6), number("per_page", 200, 1, 200)
    part = found[(page - 1) * per_page : page * per_page]
    if not part:
        return nothing(304 if since is not None else 204)
    info = {"per_page": per_page, "count": len(part), "page": page}
    info["more_records"] = len(found) > page * per_page
    return answer({"users": [box.people.render(user) for user in part], "info": info})


@api.get("/users/<user_id>")
@profile(scope="users")
def one_user(user_id):
    box = the_box()
    user = box.people.users.get(int(user_id)) if user_id.isdigit() else None
    if user is None:
        raise ApiError(400, "INVALID_DATA", "the id given seems to be invalid", {"id": user_id})
    return answer({"users": [box.people.render(user)]})


@api.get("/org")
@profile(scope="org")
def org():
    return answer({"org": [the_box().people.org()]})
