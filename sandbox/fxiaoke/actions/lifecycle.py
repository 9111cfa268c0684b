"""invalid, delete, recover, lock and unlock."""

from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke.actions.common import (
    approval_wanted,
    find_object_in,
    id_list,
    row_for,
)
from sandbox.fxiaoke.caller import Caller
from sandbox.fxiaoke.errors import BadShape, Refused
from sandbox.fxiaoke.routes import both_families, route
from sandbox.fxiaoke.work import Work

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

Row = dict[str, Any]


@both_families("invalid", kind="write")
def invalid(world: "World", caller: Caller) -> Row:
    describe = find_object_in(world, caller, caller.data)
    record_id = caller.data.get("object_data_id")
    if not isinstance(record_id, str):
        raise BadShape
    with world.change(caller.user_id, origin="api") as work:
        _invalidate(work, caller, describe["api_name"], record_id)
    return {}


@route("/cgi/crm/custom/data/invalid", kind="write", family="custom")
def invalid_many(world: "World", caller: Caller) -> Row:
    describe = find_object_in(world, caller, caller.data)
    with world.change(caller.user_id, origin="api") as work:
        for record_id in id_list(caller.data, "idList"):
            _invalidate(work, caller, describe["api_name"], record_id)
    return {}


def _invalidate(work: Work, caller: Caller, name: str, record_id: str) -> None:
    row = row_for(work, caller, name, record_id)
    if row["life_status"] != "normal":
        raise Refused(f"数据状态为{row['life_status']}，不允许作废")
    if row["lock_status"] == "1":
        raise Refused("数据已锁定，不允许作废")
    if approval_wanted(work.world, caller, name):
        work.put_pending(name, record_id, {"action": "invalid"})
        row["life_status"] = "in_change"
        work.touch(name, row)
        return
    work.invalidate(name, row)


@both_families("delete", kind="write")
def delete(world: "World", caller: Caller) -> Row:
    describe = find_object_in(world, caller, caller.data)
    name = describe["api_name"]
    with world.change(caller.user_id, origin="api") as work:
        for record_id in id_list(caller.data, "idList"):
            work.delete(name, row_for(work, caller, name, record_id))
    return {}


@both_families("recover", kind="write")
def recover(world: "World", caller: Caller) -> Row:
    describe = find_object_in(world, caller, caller.data)
    name = describe["api_name"]
    with world.change(caller.user_id, origin="api") as work:
        for record_id in id_list(caller.data, "idList"):
            work.recover(name, row_for(work, caller, name, record_id))
    return {}


@route("/cgi/crm/v2/object/lock", kind="write")
def lock(world: "World", caller: Caller) -> Row:
    return _lock(world, caller, locked=True)


@route("/cgi/crm/v2/object/unlock", kind="write")
def unlock(world: "World", caller: Caller) -> Row:
    return _lock(world, caller, locked=False)


def _lock(world: "World", caller: Caller, *, locked: bool) -> Row:
    describe = find_object_in(world, caller, caller.data)
    name = describe["api_name"]
    with world.change(caller.user_id, origin="api") as work:
        for record_id in id_list(caller.data, "dataIds"):
            work.lock(name, row_for(work, caller, name, record_id), locked=locked)
            if caller.data.get("detailObjStrategy") != 1:
                continue
            for detail, one in work.details_of(name, record_id):
                work.lock(detail, one, locked=locked)
    return {}
