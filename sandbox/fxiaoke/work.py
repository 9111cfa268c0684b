"""One transaction of changes, the same for the API, the admin calls and the page."""

import dataclasses
import json
import sqlite3
from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke import records
from sandbox.fxiaoke.derive import derive, fill_defaults, number_row
from sandbox.fxiaoke.errors import Refused

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

Row = dict[str, Any]
OPEN_STATUS = ("ineffective", "normal")


@dataclasses.dataclass(frozen=True)
class Event:
    kind: str  # create, update, invalid, recover, delete
    object_name: str
    record_id: str
    at: int


class Work:
    """Changes rows as one actor at one moment; events go out after the commit."""

    def __init__(
        self, world: "World", connection: sqlite3.Connection, actor: str, origin: str
    ) -> None:
        self.world = world
        self.connection = connection
        self.actor = actor
        self.origin = origin
        self.now = world.clock.now_ms()
        self.events: list[Event] = []

    def get(self, object_name: str, record_id: Any) -> Row | None:
        return records.get(self.connection, object_name, record_id)

    def pending(self, object_name: str, record_id: str) -> Row | None:
        found = self.connection.execute(
            "SELECT data FROM pending WHERE object=? AND id=?", (object_name, record_id)
        ).fetchone()
        return None if found is None else json.loads(found[0])

    def put_pending(self, object_name: str, record_id: str, waiting: Row) -> None:
        self.connection.execute(
            "INSERT OR REPLACE INTO pending VALUES (?, ?, ?)",
            (object_name, record_id, json.dumps(waiting, ensure_ascii=False)),
        )

    def drop_pending(self, object_name: str, record_id: str) -> None:
        self.connection.execute(
            "DELETE FROM pending WHERE object=? AND id=?", (object_name, record_id)
        )

    def note(self, kind: str, object_name: str, record_id: str) -> None:
        self.events.append(Event(kind, object_name, record_id, self.now))

    # -- new rows ---------------------------------------------------------------------------

    def build(self, object_name: str, values: Row, **given: Any) -> Row:
        """A complete new row with all system fields; not stored yet."""
        describe = self.world.describes.known(object_name)
        row: Row = {
            "_id": given.get("record_id") or self.world.ids.take(self.now),
            **{name: value for name, value in values.items() if not records.is_empty(value)},
        }
        fill_defaults(object_name, row)
        owner = row.get("owner")
        row.setdefault("record_type", "default__c")
        row.update(
            life_status=given.get("life_status") or "normal",
            lock_status=given.get("lock_status") or "0",
            lock_rule="default_lock_rule",
            is_deleted=False,
            version=1,
            created_by=given.get("created_by") or [self.actor],
            last_modified_by=[self.actor],
            create_time=given.get("create_time") or self.now,
            last_modified_time=given.get("modified") or self.now,
            object_describe_api_name=object_name,
            tenant_id=str(self.world.tenant_id),
            package="CRM",
        )
        if owner and "relevant_team" not in row:
            row["relevant_team"] = [_owner_in_team(owner[0])]
        self._place(row)
        number_row(self.connection, describe, row, self.now)
        derive(object_name, row)
        return row

    def _place(self, row: Row) -> None:
        owner = self.world.people.find((row.get("owner") or [None])[0])
        row.pop("owner_department", None)
        if owner is None:
            return
        row.setdefault("data_own_department", [owner.department])
        department = self.world.people.departments().get(owner.department)
        if department:
            row["owner_department"] = department["name"]

    def insert(self, object_name: str, row: Row) -> str:
        records.insert(self.connection, object_name, row)
        self.note("create", object_name, row["_id"])
        return row["_id"]

    # -- changes of a row -------------------------------------------------------------------

    def check_open(self, row: Row) -> None:
        """Rows under approval, invalid or locked rows refuse edits."""
        if row["life_status"] not in OPEN_STATUS:
            raise Refused(f"数据状态为{row['life_status']}，不允许编辑")
        if row["lock_status"] == "1":
            raise Refused("数据已锁定，不允许编辑")

    def touch(self, object_name: str, row: Row, kind: str = "update") -> None:
        """Stores a row that was changed in place."""
        row["version"] = int(row["version"]) + 1
        row["last_modified_by"] = [self.actor]
        row["last_modified_time"] = self.now
        derive(object_name, row)
        records.store(self.connection, object_name, row)
        self.note(kind, object_name, row["_id"])

    def apply(self, object_name: str, row: Row, values: Row) -> None:
        """Sets the given fields and leaves the others as they are."""
        merge(row, values)
        self.touch(object_name, row)

    def set_owner(self, object_name: str, row: Row, owner: str | None) -> None:
        team = [one for one in row.get("relevant_team") or [] if one.get("teamMemberRole") != "1"]
        row.pop("owner", None)
        row.pop("data_own_department", None)
        if owner:
            row["owner"] = [owner]
            team.insert(0, _owner_in_team(owner))
        merge(row, {"relevant_team": team})
        if object_name == "AccountObj":
            row["owner_modified_time"] = self.now
        self._place(row)
        self.touch(object_name, row)

    # -- life of a row ----------------------------------------------------------------------

    def details_of(self, object_name: str, master_id: str) -> list[tuple[str, Row]]:
        return [
            (detail, row)
            for detail, field in self.world.describes.details_of(object_name).items()
            for row in records.where_field(self.connection, detail, field, master_id)
        ]

    def invalidate(self, object_name: str, row: Row) -> None:
        row["life_status_before_invalid"] = row["life_status"]
        row["life_status"] = "invalid"
        self.touch(object_name, row, "invalid")
        for detail, one in self.details_of(object_name, row["_id"]):
            if one["life_status"] != "invalid":
                self.invalidate(detail, one)

    def recover(self, object_name: str, row: Row) -> None:
        if row["life_status"] != "invalid":
            raise Refused("只有已作废的数据才能恢复")
        row["life_status"] = row.pop("life_status_before_invalid", "normal")
        self.touch(object_name, row, "recover")
        for detail, one in self.details_of(object_name, row["_id"]):
            if one["life_status"] == "invalid":
                self.recover(detail, one)

    def delete(self, object_name: str, row: Row) -> None:
        if row["life_status"] != "invalid":
            raise Refused("只有已作废的数据才能删除")
        self.erase(object_name, row)

    def erase(self, object_name: str, row: Row) -> None:
        for detail, one in self.details_of(object_name, row["_id"]):
            self.erase(detail, one)
        records.remove(self.connection, object_name, row["_id"])
        self.drop_pending(object_name, row["_id"])
        self.note("delete", object_name, row["_id"])

    def lock(self, object_name: str, row: Row, *, locked: bool) -> None:
        merge(
            row,
            {
                "lock_status": "1" if locked else "0",
                "lock_user": [self.actor] if locked else None,
            },
        )
        self.touch(object_name, row)

    def merge_into(self, object_name: str, winner: Row, loser: Row) -> list[tuple[str, str]]:
        """What a user's merge does: children move, gaps are filled, the loser becomes invalid."""
        moved = []
        for child_object, field in self.world.describes.pointing_to(object_name):
            children = records.where_field(self.connection, child_object, field, loser["_id"])
            for child in children:
                if child["_id"] == winner["_id"] and child_object == object_name:
                    continue
                child[field] = winner["_id"]
                self.touch(child_object, child)
                moved.append((child_object, child["_id"]))
        loser = self.get(object_name, loser["_id"]) or loser
        self.invalidate(object_name, loser)
        gaps = {
            name: value
            for name, value in loser.items()
            if name in self.world.describes.known(object_name)["fields"]
            and name not in _NEVER_MERGED
            and records.is_empty(winner.get(name))
            and value != winner["_id"]
        }
        self.apply(object_name, winner, gaps)
        return moved


_NEVER_MERGED = frozenset(
    {"_id", "kehub_key__c", "life_status", "life_status_before_invalid", "lock_user",
     "relevant_team", "version", "high_seas_id"}
)  # fmt: skip


def merge(row: Row, values: Row) -> None:
    """Sets values in place; an empty one takes the field out."""
    for name, value in values.items():
        if records.is_empty(value):
            row.pop(name, None)
        else:
            row[name] = value


def _owner_in_team(owner: str) -> Row:
    return {
        "teamMemberEmployee": [owner],
        "teamMemberRole": "1",
        "teamMemberRoleList": ["1"],
        "teamMemberPermissionType": "2",
        "teamMemberType": "0",
        "teamMemberDeptCascade": "0",
    }
