"""Steps that several actions share: which object, which row, may the caller touch it."""

from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke.caller import Caller
from sandbox.fxiaoke.describes import Describe
from sandbox.fxiaoke.errors import PARAMETER_WRONG, ApiError, BadShape, Refused
from sandbox.fxiaoke.query import may_see
from sandbox.fxiaoke.work import Work

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World


def find_object(world: "World", api_name: Any) -> Describe:
    describe = world.describes.find(api_name)
    if describe is None or not describe["is_active"]:
        raise ApiError(PARAMETER_WRONG, f"对象 {api_name} 不存在")
    return describe


def find_object_in(world: "World", caller: Caller, holder: dict[str, Any]) -> Describe:
    """The object that `dataObjectApiName` names; preset and custom paths serve their own kind."""
    api_name = holder.get("dataObjectApiName")
    if api_name is None:
        raise ApiError(PARAMETER_WRONG, "参数 dataObjectApiName 缺失")
    describe = find_object(world, api_name)
    custom = api_name.endswith("__c")
    if caller.family != "any" and custom != (caller.family == "custom"):
        raise ApiError(PARAMETER_WRONG, f"对象 {api_name} 不能使用该接口路径")
    return describe


def row_for(work: Work, caller: Caller, object_name: str, record_id: Any) -> dict[str, Any]:
    """The row to act on, if it is there and the caller may see it."""
    row = work.get(object_name, record_id)
    if row is None:
        raise Refused("数据不存在或已删除")
    check_right(work.world, caller, object_name, row)
    return row


def check_right(world: "World", caller: Caller, object_name: str, row: dict[str, Any]) -> None:
    if not may_see(row, object_name, caller.employee, world.people):
        raise Refused("无数据权限")


def id_list(data: dict[str, Any], *names: str) -> list[str]:
    """The list of row ids under the first of the names that is there."""
    for name in names:
        ids = data.get(name)
        if isinstance(ids, list) and ids and all(isinstance(one, str) for one in ids):
            return ids
        if ids is not None:
            raise ApiError(PARAMETER_WRONG, f"参数 {name} 不正确")
    raise BadShape


def approval_wanted(world: "World", caller: Caller, object_name: str) -> bool:
    return world.approvals.get(object_name, False) and caller.flag("triggerApprovalFlow", True)
