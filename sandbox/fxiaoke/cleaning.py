"""Checks a record that is about to be written against its describe."""

import sqlite3
from typing import Any

from sandbox.fxiaoke import records
from sandbox.fxiaoke.catalog.fields import SYSTEM_WRITTEN
from sandbox.fxiaoke.describes import Describe, Describes
from sandbox.fxiaoke.errors import Refused
from sandbox.fxiaoke.people import WHOLE_COMPANY, People
from sandbox.fxiaoke.switches import Switches
from sandbox.fxiaoke.values import (
    DEPARTMENTS,
    EMPLOYEES,
    KEEPERS,
    READ_ONLY,
    check_cascade,
    refused,
    wrong_type,
)

Values = dict[str, Any]
_ADDRESSING = frozenset({"dataObjectApiName", "object_describe_api_name"})
_EXPANSIONS = ("__r", "__l", "__v", "__p", "__e", "__relation_ids")


class Cleaner:
    def __init__(self, describes: Describes, people: People, switches: Switches) -> None:
        self._describes = describes
        self._people = people
        self._switches = switches

    def clean(
        self, describe: Describe, given: Values, *, converted: bool | None, creating: bool
    ) -> Values:
        """The values to keep; None stands for a field to be cleared."""
        kept: Values = {}
        for name, value in given.items():
            if name in _ADDRESSING or name in SYSTEM_WRITTEN or name.endswith(_EXPANSIONS):
                continue
            field = describe["fields"].get(name)
            if field is None or not field["is_active"]:
                self._unknown(describe, name, value, kept)
                continue
            if field["type"] in READ_ONLY or field.get("_read_only"):
                continue
            if records.is_empty(value):
                if not creating and self._clears(value):
                    self._check_clearing(field)
                    kept[name] = None
                continue
            kept[name] = self._keep(field, value, converted)
        return kept

    def _unknown(self, describe: Describe, name: str, value: Any, kept: Values) -> None:
        # "<field>__o" carries the free text that goes with the option "other".
        if name.endswith("__o") and name[:-3] in describe["fields"] and isinstance(value, str):
            kept[name] = value or None
            return
        if self._switches["unknown_field_on_write"] == "error":
            raise Refused(f"字段 {name} 不存在", field=name)

    def _clears(self, value: Any) -> bool:
        rule = self._switches["clear_with"]
        if value is None:
            return rule in {"null", "both"}
        return value != "" or rule in {"empty", "both"}

    @staticmethod
    def _check_clearing(field: dict[str, Any]) -> None:
        if field["is_required"]:
            raise refused(field, "为必填字段，不能为空")

    def _keep(self, field: dict[str, Any], value: Any, converted: bool | None) -> Any:
        if field["type"] in EMPLOYEES:
            return self._employees(field, value, converted)
        if field["type"] in DEPARTMENTS:
            return self._departments(field, value)
        if field["api_name"] == "relevant_team":
            return self._team(field, value, converted)
        return KEEPERS[field["type"]](field, value)

    def _employees(self, field: dict[str, Any], value: Any, converted: bool | None) -> list[str]:
        if not isinstance(value, list):
            raise wrong_type(field)
        if field["type"] == "employee" and len(value) != 1:
            raise refused(field, "只能有一个人员")
        ids = [self._people.inward(one, converted) for one in value]
        if None in ids:
            raise refused(field, f"人员 {value[ids.index(None)]} 不存在")
        return ids

    def _departments(self, field: dict[str, Any], value: Any) -> list[str]:
        if not isinstance(value, list):
            raise wrong_type(field)
        known = self._people.departments()
        for one in value:
            if one != WHOLE_COMPANY and one not in known:
                raise refused(field, f"部门 {one} 不存在")
        return value

    def _team(self, field: dict[str, Any], value: Any, converted: bool | None) -> Any:
        team = KEEPERS["embedded_object_list"](field, value)
        members = {**field, "type": "employee_many"}
        return [
            {
                **one,
                "teamMemberEmployee": self._employees(
                    members, one.get("teamMemberEmployee"), converted
                ),
            }
            for one in team
        ]

    def check_required(self, describe: Describe, row: Values) -> None:
        pooled = row.get("high_seas_id") or row.get("leads_pool_id")
        for name, field in describe["fields"].items():
            if not field["is_required"] or not field["is_active"] or field["type"] in READ_ONLY:
                continue
            if records.is_empty(row.get(name)) and not (name == "owner" and pooled):
                raise refused(field, "为必填字段，请填写")

    def check_whole(
        self, connection: sqlite3.Connection, describe: Describe, row: Values, changed: Values
    ) -> None:
        """What can only be seen with the rest of the row and of the data in view."""
        fields = describe["fields"]
        for name, value in changed.items():
            field = fields.get(name)
            if field is None or value is None:
                continue
            if "target_api_name" in field:
                self._check_targets(connection, field, value)
            if field["is_unique"]:
                self._check_unique(connection, describe["api_name"], field, row)
        for field in fields.values():
            if "cascade_parent_api_name" in field and (
                field["api_name"] in changed or field["cascade_parent_api_name"] in changed
            ):
                check_cascade(fields, row, field)

    def _check_targets(
        self, connection: sqlite3.Connection, field: dict[str, Any], value: Any
    ) -> None:
        target = field["target_api_name"]
        for one in value if isinstance(value, list) else [value]:
            if self._describes.find(target) and not records.exists(connection, target, one):
                raise refused(field, "关联的数据不存在(-201112011)")

    @staticmethod
    def _check_unique(
        connection: sqlite3.Connection, object_name: str, field: dict[str, Any], row: Values
    ) -> None:
        name = field["api_name"]
        twin = connection.execute(
            "SELECT 1 FROM record WHERE object=? AND id<>? AND "
            f"{records.field_expression(name)}=? LIMIT 1",
            (object_name, row["_id"], row[name]),
        ).fetchone()
        if twin:
            raise refused(field, "的值已存在，不允许重复")
