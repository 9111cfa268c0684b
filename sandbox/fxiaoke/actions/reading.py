"""get, query and the quick searches."""

from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke import query, records
from sandbox.fxiaoke.actions.common import check_right, find_object_in
from sandbox.fxiaoke.caller import Caller
from sandbox.fxiaoke.describes import Describe
from sandbox.fxiaoke.errors import BadShape, Refused
from sandbox.fxiaoke.filters import wrong
from sandbox.fxiaoke.present import Presenter
from sandbox.fxiaoke.routes import CUSTOM, both_families, route

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

Row = dict[str, Any]


@both_families("get", kind="read")
def get(world: "World", caller: Caller) -> Row:
    describe = find_object_in(world, caller, caller.data)
    record_id = caller.data.get("objectDataId")
    if not isinstance(record_id, str):
        raise BadShape
    include_null = caller.flag("includeNull", False)
    with world.database.reading() as connection:
        row = records.get(connection, describe["api_name"], record_id)
        if row is None:
            if world.switches["get_missing"] == "null":
                return {"data": None}
            raise Refused("数据不存在或已删除")
        check_right(world, caller, describe["api_name"], row)
        presenter = Presenter(world, connection, converted=caller.convert_user_id)
        shown = presenter.rows(describe, [row], include_null=include_null)[0]
        details = {
            detail: presenter.rows(
                world.describes.known(detail),
                records.where_field(connection, detail, field, record_id),
            )
            for detail, field in world.describes.details_of(describe["api_name"]).items()
        }
    if details:
        shown["details"] = {
            detail: [_detail(world, detail, one) for one in rows]
            for detail, rows in details.items()
        }
    return {"data": shown}


def _detail(world: "World", detail: str, row: Row) -> Row:
    if world.switches["details_form"] == "plain":
        return row
    return {
        "tenantId": str(world.tenant_id),
        "describeApiName": detail,
        "recordType": row.get("record_type"),
        "containerDocument": row,
    }


@both_families("query", kind="read")
def run_query(world: "World", caller: Caller) -> Row:
    describe = find_object_in(world, caller, caller.data)
    info = caller.data.get("search_query_info")
    if info is None:
        raise BadShape
    search, rows, total = _search(world, caller, describe, info, counting=_counts(caller))
    reply = {"dataList": rows, "offset": search.offset, "limit": search.limit, "total": total}
    if total is None:
        if world.switches["total_when_off"] == "zero":
            reply["total"] = 0
        else:
            reply.pop("total")
    return {"data": reply}


def _counts(caller: Caller) -> bool:
    mode = caller.body.get("returnTotalNum", caller.data.get("returnTotalNum"))
    if mode is not None:
        return mode in {1, 2, "1", "2"}
    for name in ("find_explicit_total_num", "need_return_count_num"):
        if name in caller.data:
            return caller.data[name] is not False
    return True


def _search(
    world: "World",
    caller: Caller,
    describe: Describe,
    info: Any,
    *,
    counting: bool,
    projection: Any = None,
    computed: bool = True,
) -> tuple[query.Search, list[Row], int | None]:
    search = query.parse(
        describe,
        info,
        people=world.people,
        switches=world.switches,
        converted=caller.convert_user_id,
    )
    wanted = _projection(projection if projection is not None else info.get("fieldProjection"))
    query.restrict(search, caller.employee, world.people)
    if search.window and (lag := world.switches["list_lag_ms"]):
        search.add("modified <= ?", world.clock.now_ms() - lag)
    with world.database.reading() as connection:
        rows = query.run(connection, search)
        total = query.count(connection, search) if counting else None
        shown = Presenter(world, connection, converted=caller.convert_user_id).rows(
            describe,
            rows,
            include_null=caller.flag("includeNull", False),
            projection=wanted,
            computed=computed,
        )
    return search, shown, total


def _projection(given: Any) -> list[str] | None:
    if not given:
        return None
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise wrong("fieldProjection 必须是字段名列表")
    return given


@route(f"{CUSTOM}/findSimple")
def find_simple(world: "World", caller: Caller) -> Row:
    describe = find_object_in(world, caller, caller.data)
    search, rows, _ = _quick(world, caller, describe)
    return {"data": {"dataList": rows, "offset": search.offset, "limit": search.limit}}


@route(f"{CUSTOM}/findOne")
def find_one(world: "World", caller: Caller) -> Row:
    describe = find_object_in(world, caller, caller.data)
    _, rows, _ = _quick(world, caller, describe)
    return {"data": rows[0] if rows else None}


def _quick(
    world: "World", caller: Caller, describe: Describe
) -> tuple[query.Search, list[Row], int | None]:
    """A search without formula and quote fields; its projection stands directly under data."""
    info = caller.data.get("search_query_info")
    if info is None:
        raise BadShape
    return _search(
        world,
        caller,
        describe,
        info,
        counting=False,
        projection=caller.data.get("field_projection"),
        computed=False,
    )
