"""Runs a search: filters, order, page, count, and what the acting employee may see."""

import dataclasses
import json
import sqlite3
from typing import Any

from sandbox.fxiaoke.describes import Describe
from sandbox.fxiaoke.errors import OFFSET_TOO_LARGE, PARAMETER_WRONG, ApiError
from sandbox.fxiaoke.filters import Filters, wrong
from sandbox.fxiaoke.people import Employee, People
from sandbox.fxiaoke.switches import Switches

MAX_LIMIT = 100
MAX_OFFSET = 10_000
# Rows that everybody in the company may see.
OPEN_OBJECTS = ("PersonnelObj", "DepartmentObj", "ProductObj", "HighSeasObj", "LeadsPoolObj")
_FEW = 2000


@dataclasses.dataclass
class Search:
    object_name: str
    where: list[str]
    values: list[Any]
    order: str
    limit: int
    offset: int
    by_id: bool = False
    pinned: bool = False
    window: tuple[list[str], list[Any]] | None = None

    def add(self, condition: str, *values: Any) -> None:
        self.where.append(condition)
        self.values.extend(values)


def parse(
    describe: Describe,
    info: Any,
    *,
    people: People,
    switches: Switches,
    converted: bool | None,
) -> Search:
    if not isinstance(info, dict):
        raise wrong("search_query_info 必须是对象")
    filters = Filters(
        describe, people, converted=converted, inclusive=switches["between_inclusive"]
    )
    given = info.get("filters") or []
    if not isinstance(given, list):
        raise wrong("filters 必须是列表")
    limit, offset = _page(info, switches["limit_over_100"])
    search = Search(describe["api_name"], ["object=?"], [describe["api_name"]], "", limit, offset)
    times: tuple[list[str], list[Any]] = ([], [])
    for one in given:
        condition, values = filters.compile(one)
        search.add(condition, *values)
        if one["field_name"] == "last_modified_time" and condition.startswith(("modified", "(m")):
            times[0].append(condition)
            times[1].extend(values)
    if times[0]:
        search.window = times
    search.pinned = filters.pinned
    search.order, search.by_id = _order(info.get("orders") or [], filters)
    if not switches["query_returns_invalid"]:
        search.add("+status <> 'invalid'")
    return search


def _page(info: dict[str, Any], over: str) -> tuple[int, int]:
    limit, offset = info.get("limit", 20), info.get("offset", 0)
    for name, value in (("limit", limit), ("offset", offset)):
        if type(value) is not int:
            raise wrong(f"{name} 必须是整数")
    if limit > MAX_LIMIT and over == "cap":
        limit = MAX_LIMIT
    if not 1 <= limit <= MAX_LIMIT:
        raise ApiError(PARAMETER_WRONG, f"limit must be between 1 and {MAX_LIMIT}")
    if offset < 0:
        raise wrong("offset 不能小于 0")
    if offset > MAX_OFFSET:
        raise ApiError(
            OFFSET_TOO_LARGE,
            f"offset out of range {MAX_OFFSET}",
            f"offset cannot exceed {MAX_OFFSET}",
        )
    return limit, offset


def _order(orders: Any, filters: Filters) -> tuple[str, bool]:
    if not isinstance(orders, list) or not all(isinstance(one, dict) for one in orders):
        raise wrong("orders 必须是列表")
    if not orders:
        return "modified DESC, id", False
    terms = []
    for one in orders:
        direction = "ASC" if one.get("isAsc", True) else "DESC"
        terms.append(f"{filters.expression(filters.field(one.get('fieldName')))} {direction}")
    by_id = orders[0].get("fieldName") == "_id"
    return ", ".join(terms if by_id else [*terms, "id"]), by_id


def restrict(search: Search, actor: Employee, people: People) -> None:
    """Leaves what the actor may see: own rows, those of subordinates, of a team, and pools."""
    if actor.is_admin or search.object_name in OPEN_OBJECTS:
        return
    seen = people.below(actor.user_id)
    marks = ",".join("?" * len(seen))
    search.add(
        f"(owner IS NULL OR +owner IN ({marks}) OR EXISTS (SELECT 1 FROM "
        "json_each(data, '$.relevant_team') AS team, "
        "json_each(team.value, '$.teamMemberEmployee') AS member WHERE member.value=?))",
        *seen,
        actor.user_id,
    )


def may_see(row: dict[str, Any], object_name: str, actor: Employee, people: People) -> bool:
    if actor.is_admin or object_name in OPEN_OBJECTS or not row.get("owner"):
        return True
    if row["owner"][0] in people.below(actor.user_id):
        return True
    team = row.get("relevant_team") or []
    return any(actor.user_id in (one.get("teamMemberEmployee") or []) for one in team)


def run(connection: sqlite3.Connection, search: Search) -> list[dict[str, Any]]:
    rows = connection.execute(
        f"SELECT data FROM record {_advice(connection, search)} "
        f"WHERE {' AND '.join(search.where)} ORDER BY {search.order} LIMIT ? OFFSET ?",
        (*search.values, search.limit, search.offset),
    )
    return [json.loads(data) for (data,) in rows]


def count(connection: sqlite3.Connection, search: Search) -> int:
    return connection.execute(
        f"SELECT count(*) FROM record WHERE {' AND '.join(search.where)}",
        search.values,
    ).fetchone()[0]


def _advice(connection: sqlite3.Connection, search: Search) -> str:
    """Which index to walk: by time when the window holds few rows, else in the wanted order.

    Without statistics SQLite cannot know whether a time window holds ten rows or all of them.
    """
    if search.pinned:
        return ""
    if search.window is None:
        return "INDEXED BY record_by_id" if search.by_id else ""
    conditions, values = search.window
    few = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM record INDEXED BY record_by_time "
        f"WHERE object=? AND {' AND '.join(conditions)} LIMIT {_FEW})",
        (search.object_name, *values),
    ).fetchone()[0]
    if few < _FEW or not search.by_id:
        return "INDEXED BY record_by_time"
    return "INDEXED BY record_by_id"
