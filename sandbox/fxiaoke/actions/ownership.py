"""changeOwner and the pools: choose, allocate, return, remove."""

from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke.actions.common import find_object, find_object_in, id_list, row_for
from sandbox.fxiaoke.caller import Caller
from sandbox.fxiaoke.errors import PARAMETER_WRONG, ApiError, BadShape, Refused
from sandbox.fxiaoke.routes import both_families, route
from sandbox.fxiaoke.work import Work

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

Row = dict[str, Any]
# Which field names the pool of a row, and which object the pools are.
POOLS = {
    "AccountObj": ("high_seas_id", "HighSeasObj"),
    "LeadsObj": ("leads_pool_id", "LeadsPoolObj"),
}
BACK_REASONS = ("0", "1", "2", "other")


@both_families("changeOwner", kind="write")
def change_owner(world: "World", caller: Caller) -> Row:
    describe = find_object_in(world, caller, caller.data)
    name = describe["api_name"]
    changes = caller.data.get("Data")
    if not isinstance(changes, list) or not all(isinstance(one, dict) for one in changes):
        raise BadShape
    with world.change(caller.user_id, origin="api") as work:
        for change in changes:
            owner = _employee(world, caller, change.get("ownerId"), "ownerId")
            row = row_for(work, caller, name, change.get("objectDataId"))
            if not row.get("owner") and name in POOLS:
                raise Refused("公海或线索池中的数据须先领取或分配")
            work.check_open(row)
            work.set_owner(name, row, owner)
    return {}


def _employee(world: "World", caller: Caller, given: Any, name: str) -> str:
    """The one employee of a list such as ["1001"]."""
    if not isinstance(given, list) or len(given) != 1:
        raise ApiError(PARAMETER_WRONG, f"参数 {name} 必须是只有一个人员的列表")
    user_id = world.people.inward(given[0], caller.convert_user_id)
    if user_id is None:
        raise Refused(f"人员 {given[0]} 不存在")
    return user_id


def _pool_rows(work: Work, caller: Caller, ids: list[str]) -> tuple[str, list[Row]]:
    name = find_object(work.world, caller.data.get("apiName"))["api_name"]
    if name not in POOLS:
        raise ApiError(PARAMETER_WRONG, f"对象 {name} 没有公海或线索池")
    return name, [row_for(work, caller, name, one) for one in ids]


def _check_pool(work: Work, caller: Caller, name: str, *, required: bool) -> str | None:
    pool_id = caller.data.get("objectPoolId")
    if pool_id is None and not required:
        return None
    if work.get(POOLS[name][1], pool_id) is None:
        raise Refused(f"公海或线索池 {pool_id} 不存在")
    return pool_id


def _claim(work: Work, name: str, row: Row, owner: str, pool_id: str | None) -> None:
    if row.get("owner"):
        raise Refused("数据已有负责人，不能领取或分配")
    if row["life_status"] == "invalid":
        raise Refused("数据已作废")
    if pool_id:
        row[POOLS[name][0]] = pool_id
    row["claimed_time" if name == "AccountObj" else "assigned_time"] = work.now
    work.set_owner(name, row, owner)


@route("/cgi/crm/v2/data/choose", kind="write")
def choose(world: "World", caller: Caller) -> Row:
    with world.change(caller.user_id, origin="api") as work:
        name, rows = _pool_rows(work, caller, id_list(caller.data, "objectIds"))
        pool_id = _check_pool(work, caller, name, required=False)
        for row in rows:
            _claim(work, name, row, caller.user_id, pool_id)
    return {}


@route("/cgi/crm/v2/data/allocate", kind="write")
def allocate(world: "World", caller: Caller) -> Row:
    with world.change(caller.user_id, origin="api") as work:
        name, rows = _pool_rows(work, caller, id_list(caller.data, "objectIds"))
        pool_id = _check_pool(work, caller, name, required=True)
        owner = caller.data.get("ownerOpenUserId")
        user_id = _employee(world, caller, [owner], "ownerOpenUserId")
        for row in rows:
            _claim(work, name, row, user_id, pool_id)
    return {}


@route("/cgi/crm/v2/data/return", kind="write")
def give_back(world: "World", caller: Caller) -> Row:
    reason = caller.data.get("backReason")
    if reason is not None and reason not in BACK_REASONS:
        raise Refused(f"选项值 {reason} 不存在", field="backReason")
    with world.change(caller.user_id, origin="api") as work:
        name, rows = _pool_rows(work, caller, id_list(caller.data, "objectIds"))
        pool_id = _check_pool(work, caller, name, required=True)
        for row in rows:
            _put_back(work, name, row, pool_id)
            if reason is not None:
                row["back_reason"] = caller.data.get("backReason__o") or reason
            work.set_owner(name, row, None)
    return {}


def _put_back(work: Work, name: str, row: Row, pool_id: str | None) -> None:
    work.check_open(row)
    row[POOLS[name][0]] = pool_id
    row["returned_time"] = work.now


@route("/cgi/crm/v2/data/remove", kind="write")
def take_back(world: "World", caller: Caller) -> Row:
    """Takes rows out of a pool; this call spells its ids with capitals."""
    with world.change(caller.user_id, origin="api") as work:
        name, rows = _pool_rows(work, caller, id_list(caller.data, "objectIDs"))
        pool_id = _check_pool(work, caller, name, required=True)
        given = caller.data.get("owner")
        owner = None if given is None else _employee(world, caller, given, "owner")
        for row in rows:
            if row.get(POOLS[name][0]) != pool_id:
                raise Refused("数据不在该公海或线索池中")
            row.pop(POOLS[name][0])
            keep = caller.data.get("isKeepOwner") is True
            kept = (row.get("owner") or [None])[0] if keep else None
            work.set_owner(name, row, owner or kept or caller.user_id)
    return {}
