"""update: only the given fields move; locked rows and rows under approval refuse."""

from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke.actions.common import approval_wanted, find_object_in, row_for
from sandbox.fxiaoke.actions.create import create_details
from sandbox.fxiaoke.caller import Caller
from sandbox.fxiaoke.errors import BadShape, Refused
from sandbox.fxiaoke.routes import both_families
from sandbox.fxiaoke.work import Work, merge

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

Row = dict[str, Any]


@both_families("update", kind="write")
def update(world: "World", caller: Caller) -> Row:
    given = caller.data.get("object_data")
    if not isinstance(given, dict):
        raise BadShape
    describe = find_object_in(world, caller, given)
    name = describe["api_name"]
    with world.change(caller.user_id, origin="api") as work:
        row = row_for(work, caller, name, given.get("_id"))
        if not (name.endswith("__c") and caller.data.get("skipDataStatusValidate") is True):
            work.check_open(row)
        values = checked_values(work, describe, row, given, converted=caller.convert_user_id)
        details = _given_details(world, caller)
        if approval_wanted(world, caller, name):
            waiting = {"action": "update", "values": values, "details": details,
                       "converted": caller.convert_user_id}  # fmt: skip
            work.put_pending(name, row["_id"], waiting)
            row["life_status"] = "in_change"
            work.touch(name, row)
        else:
            work.apply(name, row, values)
            replace_details(work, name, row, details, converted=caller.convert_user_id)
    return {}


def checked_values(
    work: Work, describe: Row, row: Row, given: Row, *, converted: bool | None
) -> Row:
    """The changed fields of an update, checked in the light of the whole row."""
    values = work.world.cleaner.clean(describe, given, converted=converted, creating=False)
    if "owner" in values and values.pop("owner") != row.get("owner"):
        _refuse_owner(work)
    after = dict(row)
    merge(after, values)
    work.world.cleaner.check_whole(work.connection, describe, after, values)
    return values


def _refuse_owner(work: Work) -> None:
    if work.world.switches["owner_on_update"] == "error":
        raise Refused("负责人不能通过编辑修改，请使用更换负责人接口", field="owner")


def _given_details(world: "World", caller: Caller) -> Row:
    """The detail lists to put in place: null keeps what is there, a list replaces it."""
    details = caller.data.get("details")
    if not details or world.switches["details_update"] == "ignore":
        return {}
    if not isinstance(details, dict):
        raise BadShape
    return {detail: rows for detail, rows in details.items() if rows is not None}


def replace_details(
    work: Work, name: str, master: Row, details: Row, *, converted: bool | None
) -> None:
    for known, old in work.details_of(name, master["_id"]):
        if known in details:
            work.erase(known, old)
    create_details(work, name, master, details, converted=converted)
