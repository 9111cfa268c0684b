"""The team of a record: who may read or edit it besides its owner."""

from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke import records
from sandbox.fxiaoke.actions.common import check_right, id_list, row_for
from sandbox.fxiaoke.caller import Caller
from sandbox.fxiaoke.errors import PARAMETER_WRONG, ApiError, Refused
from sandbox.fxiaoke.present import Presenter
from sandbox.fxiaoke.routes import route
from sandbox.fxiaoke.work import Work, merge

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

Row = dict[str, Any]
WITH_TEAM = ("AccountObj", "OpportunityObj")
ROLES = ("2", "3", "4")  # "1" is the owner, who is changed by changeOwner
PERMISSIONS = ("1", "2")


def _object(world: "World", caller: Caller) -> str:
    name = caller.body.get("apiName")
    if name not in WITH_TEAM or world.describes.find(name) is None:
        raise ApiError(PARAMETER_WRONG, f"对象 {name} 不支持相关团队接口")
    return name


def _ids(caller: Caller) -> list[str]:
    if isinstance(caller.data.get("dataID"), str):
        return [caller.data["dataID"]]
    return id_list(caller.data, "dataIDs")


def _employees(world: "World", caller: Caller) -> list[str]:
    given = caller.data.get("teamMemberEmployee")
    if not isinstance(given, list) or not given:
        raise ApiError(PARAMETER_WRONG, "参数 teamMemberEmployee 必须是非空列表")
    found = [world.people.inward(one, caller.convert_user_id) for one in given]
    if None in found:
        raise Refused(f"人员 {given[found.index(None)]} 不存在")
    return found


def _member(caller: Caller, user_id: str) -> Row:
    role = str(caller.data.get("teamMemberRole", "4"))
    permission = str(caller.data.get("teamMemberPermissionType", "1"))
    if role not in ROLES or permission not in PERMISSIONS:
        raise ApiError(PARAMETER_WRONG, "teamMemberRole 或 teamMemberPermissionType 不正确")
    return {
        "teamMemberEmployee": [user_id],
        "teamMemberRole": role,
        "teamMemberRoleList": [role],
        "teamMemberPermissionType": permission,
        "teamMemberType": "0",
        "teamMemberDeptCascade": "0",
    }


def _without(row: Row, people: list[str]) -> list[Row]:
    """The team without these people; the owner's entry stays."""
    return [
        one
        for one in row.get("relevant_team") or []
        if one["teamMemberRole"] == "1" or one["teamMemberEmployee"][0] not in people
    ]


def _change(world: "World", caller: Caller, *, keep_new: bool) -> Row:
    name, people = _object(world, caller), _employees(world, caller)
    with world.change(caller.user_id, origin="api") as work:
        for record_id in _ids(caller):
            row = row_for(work, caller, name, record_id)
            team = _without(row, people)
            if keep_new:
                team += [_member(caller, one) for one in people]
            _store(work, name, row, team)
    return {}


def _store(work: Work, name: str, row: Row, team: list[Row]) -> None:
    merge(row, {"relevant_team": team})
    work.touch(name, row)


@route("/cgi/crm/team/add", "/cgi/crm/team/edit", kind="write")
def add(world: "World", caller: Caller) -> Row:
    return _change(world, caller, keep_new=True)


@route("/cgi/crm/team/delete", kind="write")
def delete(world: "World", caller: Caller) -> Row:
    return _change(world, caller, keep_new=False)


@route("/cgi/crm/team/get")
def get(world: "World", caller: Caller) -> Row:
    name = _object(world, caller)
    describe = world.describes.known(name)
    with world.database.reading() as connection:
        row = records.get(connection, name, _ids(caller)[0])
        if row is None:
            raise Refused("数据不存在或已删除")
        check_right(world, caller, name, row)
        shown = Presenter(world, connection, converted=caller.convert_user_id).rows(
            describe, [row], projection=["relevant_team"]
        )
    return {"data": {"teamMembers": shown[0].get("relevant_team", [])}}
