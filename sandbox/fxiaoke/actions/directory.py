"""Employees and departments by the flat directory calls."""

from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke.caller import Caller
from sandbox.fxiaoke.errors import (
    DEPARTMENT_UNKNOWN,
    EMPLOYEE_UNKNOWN,
    PARAMETER_WRONG,
    ApiError,
)
from sandbox.fxiaoke.people import WHOLE_COMPANY, Employee
from sandbox.fxiaoke.routes import route

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

Row = dict[str, Any]


def _directory(*paths: str) -> Any:
    return route(*paths, data=False, message="success")


def _full(employee: Employee) -> Row:
    row = employee.row
    department = int(employee.department)
    return {
        "openUserId": employee.open_id,
        "account": row.get("email", ""),
        "name": row.get("name", ""),
        "nickName": row.get("name", ""),
        "fullName": row.get("full_name", ""),
        "isStop": not employee.is_active,
        "email": row.get("email", ""),
        "mobile": row.get("phone", ""),
        "gender": row.get("sex", "M"),
        "position": row.get("position", ""),
        "departmentIds": [department],
        "mainDepartmentId": department,
        "attachingDepartmentIds": [],
        "employeeNumber": row.get("employee_number", ""),
        "hireDate": "",
        "createTime": row["create_time"],
        "leaderId": (row.get("leader") or [""])[0],
        "profileImageUrl": "",
        "qq": "",
        "weixin": "",
    }


@_directory("/cgi/user/getByMobile")
def by_mobile(world: "World", caller: Caller) -> Row:
    mobile = caller.body.get("mobile")
    if not isinstance(mobile, str) or not mobile:
        raise ApiError(PARAMETER_WRONG, "参数 mobile 缺失")
    found = world.people.by_mobile(mobile)
    if not found and world.switches["mobile_unknown"] == "error":
        raise ApiError(EMPLOYEE_UNKNOWN, "员工不存在")
    return {
        "empList": [
            {
                "openUserId": one.open_id,
                "name": one.row.get("name", ""),
                "fullName": one.row.get("full_name", ""),
                "mainDepartmentIds": [int(one.department)],
                "departmentIds": [int(one.department)],
                "status": 1 if one.is_active else 2,
            }
            for one in found
        ]
    }


def _members(world: "World", caller: Caller) -> list[Employee]:
    wanted = caller.body.get("departmentId", int(WHOLE_COMPANY))
    if type(wanted) is not int:
        raise ApiError(PARAMETER_WRONG, "参数 departmentId 不正确")
    departments = world.people.departments()
    if str(wanted) != WHOLE_COMPANY and str(wanted) not in departments:
        raise ApiError(DEPARTMENT_UNKNOWN, "部门不存在")
    inside = [str(wanted)]
    if caller.body.get("fetchChild") is True or str(wanted) == WHOLE_COMPANY:
        for parent in inside:
            inside += [
                key
                for key, row in departments.items()
                if (row.get("parent_id") or [None])[0] == parent and key not in inside
            ]
    return [one for one in world.people.all() if one.department in inside]


@_directory("/cgi/user/list")
def user_list(world: "World", caller: Caller) -> Row:
    return {"userList": [_full(one) for one in _members(world, caller)]}


@_directory("/cgi/user/simpleList")
def simple_list(world: "World", caller: Caller) -> Row:
    shown = ("openUserId", "name", "nickName", "isStop", "mainDepartmentId")
    full = [_full(one) for one in _members(world, caller)]
    return {"userList": [{name: one[name] for name in shown} for one in full]}


@_directory("/cgi/user/get")
def user_get(world: "World", caller: Caller) -> Row:
    given = caller.body.get("openUserId")
    employee = world.people.find_open(given) or world.people.find(given)
    if employee is None:
        raise ApiError(EMPLOYEE_UNKNOWN, "员工不存在")
    return _full(employee)


@_directory("/cgi/user/get/batchByUpdTime")
def by_update_time(world: "World", caller: Caller) -> Row:
    start, end = caller.body.get("startTime", 0), caller.body.get("endTime", 1 << 62)
    size, number = caller.body.get("pageSize", 20), caller.body.get("pageNumber", 1)
    if any(type(one) is not int for one in (start, end, size, number)):
        raise ApiError(PARAMETER_WRONG, "参数类型不正确")
    if not 1 <= size <= 1000 or number < 1:
        raise ApiError(PARAMETER_WRONG, "pageSize 须在 1 到 1000 之间，pageNumber 从 1 开始")
    found = [
        _full(one) for one in world.people.all() if start <= one.row["last_modified_time"] <= end
    ]
    first = (number - 1) * size
    return {
        "employees": found[first : first + size],
        "pageCount": -(-len(found) // size),
        "totalCount": len(found),
    }


@_directory("/cgi/department/list")
def department_list(world: "World", caller: Caller) -> Row:
    return {
        "departments": [
            {
                "id": int(key),
                "name": row["name"],
                "parentId": int((row.get("parent_id") or ["0"])[0]),
                "order": position,
            }
            for position, (key, row) in enumerate(world.people.departments().items())
        ]
    }
