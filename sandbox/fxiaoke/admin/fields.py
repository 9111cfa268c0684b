"""Changes of the data model, as a tenant's admin makes them without telling anybody."""

from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke import records
from sandbox.fxiaoke.admin.table import Table, body, take
from sandbox.fxiaoke.catalog.fields import field as make_field
from sandbox.fxiaoke.catalog.fields import options as make_options
from sandbox.fxiaoke.errors import AdminError
from sandbox.fxiaoke.values import KEEPERS, LISTS

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

_SETTABLE = ("is_required", "is_active", "is_unique", "max_length", "label", "help_text")


def register(table: Table, world: "World") -> None:
    describes = world.describes

    @table.call("GET", "/fields/<api>", "the fields of an object as they are kept")
    def fields(api: str) -> Any:
        return describes.for_admin(api)

    @table.call(
        "POST",
        "/fields/<api>/<name>",
        "change a field: {is_required, is_active, is_unique, max_length, label, help_text}",
    )
    def change(api: str, name: str) -> Any:
        given = body()
        wrong = [key for key in given if key not in _SETTABLE]
        if wrong or not given:
            raise AdminError(f"settable: {', '.join(_SETTABLE)}")
        return describes.change_field(api, name, given)["fields"][name]

    @table.call(
        "POST",
        "/fields/<api>/<name>/options",
        "set the options of a select field: {options: [{value, label}]} or {remove: [values]}, "
        "{add: [{value, label}]}, {relabel: {value: label}}",
    )
    def options(api: str, name: str) -> Any:
        return _options(world, api, name, body())

    @table.call("POST", "/fields/<api>", "add a field: {api_name, label, type, options?, ...}")
    def add(api: str) -> Any:
        given = body()
        api_name, kind = take(given, "api_name", str), take(given, "type", str)
        if kind not in KEEPERS and kind not in LISTS:
            raise AdminError(f"no field type {kind}")
        more = {key: given[key] for key in given if key not in {"api_name", "label", "type"}}
        if "options" in more:
            more["options"] = _made(more["options"])
        made = make_field(api_name, take(given, "label", str, api_name), kind, **more)
        return describes.add_field(api, made)["fields"][api_name]

    @table.call("DELETE", "/fields/<api>/<name>", "delete a field with all its values")
    def drop(api: str, name: str) -> Any:
        describes.drop_field(api, name)
        return {"deleted": name, "rows": _rewrite(world, api, name, None)}

    @table.call("POST", "/fields/<api>/<name>/rename", "give a field another api name: {to}")
    def rename(api: str, name: str) -> Any:
        new = take(body(), "to", str)
        if new in describes.for_admin(api)["fields"]:
            raise AdminError(f"{api} already has {new}")
        field = describes.drop_field(api, name)
        describes.add_field(api, {**field, "api_name": new})
        return {"renamed": {name: new}, "rows": _rewrite(world, api, name, new)}


def _made(given: Any) -> list[dict[str, Any]]:
    try:
        return make_options(*[f"{one['value']}={one['label']}" for one in given])
    except (KeyError, TypeError):
        raise AdminError("options are a list of {value, label}") from None


def _options(world: "World", api: str, name: str, given: dict[str, Any]) -> Any:
    field = world.describes.for_admin(api)["fields"].get(name, {})
    if field.get("type") not in {"select_one", "select_many"}:
        raise AdminError(f"{name} is not a select field")
    options = _made(given["options"]) if "options" in given else field["options"]
    removed = take(given, "remove", list, [])
    relabelled = take(given, "relabel", dict, {})
    options = [
        {**one, "label": relabelled.get(one["value"], one["label"])}
        for one in options
        if one["value"] not in removed
    ]
    options += _made(take(given, "add", list, []))
    return world.describes.change_field(api, name, {"options": options})["fields"][name]


def _rewrite(world: "World", api: str, name: str, new: str | None) -> int:
    """Takes a field's values out of all rows, or puts them under the new name."""
    changed = 0
    with world.database.writing() as connection:
        for row in list(records.each(connection, api)):
            if name not in row:
                continue
            value = row.pop(name)
            if new is not None:
                row[new] = value
            records.store(connection, api, row)
            changed += 1
    return changed
