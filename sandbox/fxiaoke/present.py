"""Rows as replies show them: ids in the caller's form, labels and names added, empties left out."""

import json
import sqlite3
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke import records
from sandbox.fxiaoke.areas import areas
from sandbox.fxiaoke.derive import formula
from sandbox.fxiaoke.describes import REFERENCES, Describe
from sandbox.fxiaoke.people import SYSTEM_USER
from sandbox.fxiaoke.values import AREAS, EMPLOYEES, NUMBERS

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

Row = dict[str, Any]


class Presenter:
    def __init__(self, world: "World", connection: sqlite3.Connection, *, converted: bool) -> None:
        self._world = world
        self._connection = connection
        self._converted = converted
        self._numbers = world.switches["numbers_as"] == "number"
        self._version_text = world.switches["version_type"] == "string"

    def rows(
        self,
        describe: Describe,
        rows: list[Row],
        *,
        include_null: bool = False,
        projection: Iterable[str] | None = None,
        computed: bool = True,
    ) -> list[Row]:
        wanted = None if projection is None else {"_id", *projection}
        names = self._names(describe, rows, wanted)
        return [
            self._row(describe, row, names, wanted, include_null=include_null, computed=computed)
            for row in rows
        ]

    def _names(
        self, describe: Describe, rows: list[Row], wanted: set[str] | None
    ) -> dict[str, dict[str, str]]:
        """Names of all referenced rows of this page, one look-up per target object."""
        ids: dict[str, set[str]] = {}
        for name, field in describe["fields"].items():
            if field["type"] not in REFERENCES or (wanted and f"{name}__r" not in wanted):
                continue
            found = {row[name] for row in rows if row.get(name)}
            if found:
                ids.setdefault(field["target_api_name"], set()).update(found)
        return {
            target: records.names_of(self._connection, target, found)
            for target, found in ids.items()
        }

    def _row(
        self,
        describe: Describe,
        row: Row,
        names: dict[str, dict[str, str]],
        wanted: set[str] | None,
        *,
        include_null: bool,
        computed: bool,
    ) -> Row:
        fields = describe["fields"]
        shown: Row = {}
        for name, value in row.items():
            field = fields.get(name)
            if field is None:
                shown[name] = value
                continue
            shown[name] = self._value(field, value)
            self._expand(shown, field, value, names)
        if computed:
            self._compute(shown, fields, row)
        if include_null:
            for name in fields:
                shown.setdefault(name, None)
        if wanted is None:
            return shown
        return {name: value for name, value in shown.items() if name in wanted}

    def _value(self, field: dict[str, Any], value: Any) -> Any:
        kind = field["type"]
        if kind in EMPLOYEES:
            return [self._world.people.outward(one, self._converted) for one in value]
        if field["api_name"] == "version":
            return str(value) if self._version_text else int(value)
        if kind in NUMBERS and self._numbers:
            number = Decimal(value)
            return int(number) if number == number.to_integral() else float(number)
        if field["api_name"] == "relevant_team":
            return [self._member(one) for one in value]
        return value

    def _member(self, member: Row) -> Row:
        ids = member.get("teamMemberEmployee") or []
        return {
            **member,
            "teamMemberEmployee": [self._world.people.outward(one, self._converted) for one in ids],
        }

    def _expand(
        self, shown: Row, field: dict[str, Any], value: Any, names: dict[str, dict[str, str]]
    ) -> None:
        name, kind = field["api_name"], field["type"]
        if kind == "select_one":
            label = next((o["label"] for o in field["options"] if o["value"] == value), None)
            if label is not None:
                shown[f"{name}__r"] = label
        elif kind == "employee":
            people = [self._employee(one) for one in value]
            shown[f"{name}__r"] = people[0] if people else None
            shown[f"{name}__l"] = people
        elif kind == "department":
            shown[f"{name}__r"] = self._department(value[0]) if value else None
        elif kind in AREAS:
            shown[f"{name}__r"] = areas().labels[kind].get(value, "")
        elif kind in REFERENCES:
            label = names.get(field["target_api_name"], {}).get(value)
            if label is not None:
                shown[f"{name}__r"] = label

    def _employee(self, user_id: str) -> Row:
        shown = {
            "id": self._world.people.outward(user_id, self._converted),
            "tenantId": str(self._world.tenant_id),
        }
        if user_id == SYSTEM_USER:
            return {**shown, "name": "系统", "nickname": "系统"}
        employee = self._world.people.find(user_id)
        if employee is None:
            return {**shown, "name": user_id, "nickname": user_id}
        row = employee.row
        return {
            **shown,
            "name": employee.name,
            "nickname": row.get("name", ""),
            "dept": employee.department,
            "post": row.get("position", ""),
            "phone": row.get("phone", ""),
            "email": row.get("email", ""),
            "status": row.get("status", "0"),
            "createTime": row["create_time"],
            "modifyTime": row["last_modified_time"],
            "supervisorId": (row.get("leader") or [""])[0],
            "empNum": row.get("employee_number", ""),
            "picAddr": "",
        }

    def _department(self, dept_id: str) -> Row:
        row = self._world.people.departments().get(dept_id, {})
        return {
            "deptId": dept_id,
            "deptName": row.get("name", "全公司"),
            "parentId": (row.get("parent_id") or [""])[0],
            "status": row.get("status", "0"),
            "leaderUserId": (row.get("manager_id") or [""])[0],
            "deptType": "dept",
        }

    def _compute(self, shown: Row, fields: dict[str, Any], row: Row) -> None:
        for name, field in fields.items():
            if field["type"] == "formula":
                value = formula(field.get("expression", ""), row)
            elif field["type"] == "quote":
                value = self._quoted(field, fields, row)
            else:
                continue
            if value is not None:
                shown[name] = value

    def _quoted(self, field: dict[str, Any], fields: dict[str, Any], row: Row) -> Any:
        through, _, wanted = field["quote_field"].partition("__r.")
        target = fields.get(through, {}).get("target_api_name")
        if not target or not row.get(through):
            return None
        return (records.get(self._connection, target, row[through]) or {}).get(wanted)


def encode(reply: Row) -> bytes:
    return json.dumps(reply, ensure_ascii=False, separators=(",", ":")).encode()
