"""create, with details, duplicate rules and approval."""

from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke import records
from sandbox.fxiaoke.actions.common import approval_wanted, find_object_in
from sandbox.fxiaoke.caller import Caller
from sandbox.fxiaoke.errors import PARAMETER_WRONG, ApiError, BadShape, Refused
from sandbox.fxiaoke.routes import both_families
from sandbox.fxiaoke.work import Work

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

Row = dict[str, Any]
# Fields by which the duplicate rule of an object compares; any equal one is a hit.
DUPLICATE_FIELDS = {
    "AccountObj": ("name",),
    "ContactObj": ("mobile1", "email"),
    "LeadsObj": ("mobile", "email"),
}


@both_families("create", kind="write")
def create(world: "World", caller: Caller) -> Row:
    given = caller.data.get("object_data")
    if not isinstance(given, dict):
        raise BadShape
    describe = find_object_in(world, caller, given)
    name = describe["api_name"]
    with world.change(caller.user_id, origin="api") as work:
        row = _new_row(work, caller, describe, given)
        warning = _check_duplicates(work, caller, describe, row)
        record_id = work.insert(name, row)
        detail_ids = create_details(
            work, name, row, caller.data.get("details"), converted=caller.convert_user_id
        )
        if approval_wanted(world, caller, name):
            work.put_pending(name, record_id, {"action": "create"})
    reply: Row = dict(warning)
    if not name.endswith("__c") or world.switches["custom_create_returns_dataId"]:
        reply["dataId"] = record_id
    if caller.flag("includeDetailIds", False):
        reply["detailIds"] = detail_ids
    return reply


def _new_row(work: Work, caller: Caller, describe: Row, given: Row) -> Row:
    world, name = work.world, describe["api_name"]
    given = dict(given)
    if name.endswith("__c"):
        _fill_custom(work, caller, describe, given)
    values = world.cleaner.clean(describe, given, converted=caller.convert_user_id, creating=True)
    _check_pool(work, values)
    world.cleaner.check_required(describe, values)
    approval = approval_wanted(world, caller, name)
    row = work.build(
        name,
        values,
        life_status="under_review" if approval else "normal",
        **_specified(work, caller, given),
    )
    world.cleaner.check_whole(work.connection, describe, row, values)
    return row


def _fill_custom(work: Work, caller: Caller, describe: Row, given: Row) -> None:
    """Two conveniences of the custom path: the owner by default, references by name."""
    if caller.data.get("fillOutOwner") is True and records.is_empty(given.get("owner")):
        given["owner"] = [work.world.people.outward(caller.user_id, caller.convert_user_id)]
    if caller.data.get("needConvertLookup") is not True:
        return
    for name, field in describe["fields"].items():
        label = given.get(f"{name}__r")
        if "target_api_name" not in field or not isinstance(label, str) or name in given:
            continue
        found = records.where_field(work.connection, field["target_api_name"], "name", label)
        if len(found) != 1:
            raise Refused(f"关联的数据 {label} 不存在(-201112011)", field=name)
        given[name] = found[0]["_id"]


def _check_pool(work: Work, values: Row) -> None:
    if values.get("high_seas_id") and values.get("owner") is None:
        values["returned_time"] = work.now


def _specified(work: Work, caller: Caller, given: Row) -> Row:
    """Creation time and creator, where the caller asked to set them."""
    chosen: Row = {}
    if caller.flag("hasSpecifyTime", False) and type(given.get("create_time")) is int:
        chosen["create_time"] = given["create_time"]
    if caller.flag("hasSpecifyCreatedBy", False) and given.get("created_by"):
        creator = given["created_by"]
        ids = creator if isinstance(creator, list) else []
        inward = [work.world.people.inward(one, caller.convert_user_id) for one in ids]
        if len(inward) != 1 or None in inward:
            raise Refused("创建人不存在", field="created_by")
        chosen["created_by"] = inward
    return chosen


def _check_duplicates(work: Work, caller: Caller, describe: Row, row: Row) -> Row:
    rule = work.world.switches["duplicate_rule_on_create"]
    name = describe["api_name"]
    if rule == "off" or not _duplicates_asked(caller, name):
        return {}
    for field in DUPLICATE_FIELDS.get(name, ("name",)):
        if not row.get(field):
            continue
        twins = records.where_field(work.connection, name, field, row[field])
        matches = [one["_id"] for one in twins if one["life_status"] != "invalid"]
        if matches and rule == "block":
            raise Refused(f"查重规则命中，存在重复数据：{matches[0]}", field=field)
        if matches:
            return {
                "isDuplicate": True,
                "duplicateData": [{"_id": one, "matchType": "PRECISE"} for one in matches],
            }
    return {}


def _duplicates_asked(caller: Caller, object_name: str) -> bool:
    if object_name.endswith("__c"):
        return caller.flag("checkDuplicateSearch", False)
    options = caller.data.get("optionInfo")
    return not (isinstance(options, dict) and options.get("isDuplicateSearch") is False)


def create_details(
    work: Work, master_object: str, master: Row, details: Any, *, converted: bool | None
) -> dict[str, list[str]]:
    """Creates the given detail rows of a master and returns their ids by object."""
    if details is None:
        return {}
    if not isinstance(details, dict):
        raise BadShape
    known = work.world.describes.details_of(master_object)
    made: dict[str, list[str]] = {}
    for detail, rows in details.items():
        if detail not in known or not isinstance(rows, list):
            raise ApiError(PARAMETER_WRONG, f"details.{detail} 不正确")
        made[detail] = [
            _create_detail(work, detail, known[detail], master, one, converted=converted)
            for one in rows
        ]
    return made


def _create_detail(
    work: Work, detail: str, master_field: str, master: Row, given: Any, *, converted: bool | None
) -> str:
    if not isinstance(given, dict):
        raise BadShape
    describe = work.world.describes.known(detail)
    values = work.world.cleaner.clean(describe, given, converted=converted, creating=True)
    values[master_field] = master["_id"]
    if master.get("owner"):
        values.setdefault("owner", master["owner"])
    work.world.cleaner.check_required(describe, values)
    row = work.build(detail, values, life_status=master["life_status"])
    work.world.cleaner.check_whole(work.connection, describe, row, values)
    return work.insert(detail, row)
