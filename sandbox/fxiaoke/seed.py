"""What a fresh tenant holds: employees, departments, pools, and one object with hard rows."""

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke import records
from sandbox.fxiaoke.catalog.people import CUSTOM_OBJECT
from sandbox.fxiaoke.errors import AdminError, ApiError
from sandbox.fxiaoke.people import SYSTEM_USER, WHOLE_COMPANY
from sandbox.fxiaoke.work import Work

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

Row = dict[str, Any]
HARD_ROWS = 10_250
_SAME_MOMENT = 250
DEPARTMENTS = (
    ("1000", "总部", WHOLE_COMPANY),
    ("1001", "销售一部", "1000"),
    ("1002", "销售二部", "1000"),
)
EMPLOYEES = (
    ("1000", "系统管理员", "13800001000", "1000", None, True, "管理员"),
    ("1001", "销售一号", "13800001001", "1001", "1000", False, "销售经理"),
    ("1002", "销售二号", "13800001002", "1001", "1001", False, "销售"),
    ("1003", "集成账号", "13800001003", "1000", None, True, "系统集成"),
)
_TITLES = ("上门检修", "Installation", "年度保养", "Schulung für Käufer", "紧急维修 🔧", "验收 ✅")


def seed_fresh(world: "World") -> None:
    """Fills a new data folder; one that already has employees is left alone."""
    with world.database.reading() as connection:
        if records.count(connection, "PersonnelObj"):
            return
    with world.change(SYSTEM_USER, origin="user", silent=True) as work:
        _directory(work)
        for pool, name in (("HighSeasObj", "公共客户池"), ("LeadsPoolObj", "公共线索池")):
            work.insert(pool, work.build(pool, {"name": name}))
    with world.change(SYSTEM_USER, origin="user", silent=True) as work:
        records.insert_many(
            work.connection, CUSTOM_OBJECT, (_hard_row(work, n) for n in range(HARD_ROWS))
        )


def _directory(work: Work) -> None:
    for dept_id, name, parent in DEPARTMENTS:
        values = {"name": name, "dept_id": dept_id, "dept_code": f"D{dept_id}",
                  "parent_id": [parent]}  # fmt: skip
        work.insert("DepartmentObj", work.build("DepartmentObj", values))
    for user_id, name, mobile, department, leader, admin, position in EMPLOYEES:
        values = {
            "user_id": user_id,
            "name": name,
            "full_name": name,
            "phone": mobile,
            "email": f"user{user_id}@example.com",
            "sex": "F" if int(user_id) % 2 else "M",
            "position": position,
            "employee_number": f"E{user_id}",
            "main_department": [department],
            "leader": [leader] if leader else None,
            "crm_admin": admin,
        }
        work.insert("PersonnelObj", work.build("PersonnelObj", values))


def _hard_row(work: Work, number: int) -> Row:
    """Many rows share one moment; some are invalid, locked or nearly empty."""
    values: Row = {"name": f"{_TITLES[number % len(_TITLES)]} {number:05d}"}
    if number % 7:
        values.update(
            code__c=f"SV-{number:06d}",
            notes__c=f"第 {number} 次服务，客户满意。" * (1 + number % 3),
            kind__c=("install", "repair", "other")[number % 3],
            topics__c=["a", "b"] if number % 2 else ["c"],
            hours__c=f"{1 + number % 9}.50",
            cost__c=f"{number % 900}.{number % 100:02d}",
            done__c=number % 4 == 0,
            phone__c=f"021-{60_000_000 + number}",
            country="248",
            province="257",
            owner=["1001" if number % 2 else "1002"],
        )
    invalid = number % 97 == 5
    row = work.build(
        CUSTOM_OBJECT,
        values,
        life_status="invalid" if invalid else "normal",
        lock_status="1" if number % 101 == 7 else "0",
        created_by=["1000"],
        # 250 rows at a time have the same moment, which no page of 100 can hold.
        modified=work.now - 3_600_000 + number // _SAME_MOMENT * 1000,
        create_time=work.now - 7_200_000,
    )
    if invalid:
        row["life_status_before_invalid"] = "normal"
    return row


def seed_rows(
    world: "World",
    object_name: str,
    rows: list[Row],
    *,
    user: str,
    silent: bool,
    validate: bool = True,
) -> list[str]:
    """Many rows as a user brings them in: types are checked, references are not looked up."""
    describe = world.describes.for_admin(object_name)
    with world.change(user, origin="user", silent=silent) as work:
        built = []
        for number, given in enumerate(rows):
            try:
                built.append(_seeded(work, describe, given, user, validate=validate))
            except ApiError as error:
                raise AdminError(f"row {number}: {error.message}") from None
        try:
            records.insert_many(work.connection, object_name, built)
        except sqlite3.IntegrityError:
            raise AdminError("an _id is there already, or twice in this call") from None
        for row in built:
            work.note("create", object_name, row["_id"])
    return [row["_id"] for row in built]


def _seeded(work: Work, describe: Row, given: Row, user: str, *, validate: bool) -> Row:
    world = work.world
    if not isinstance(given, dict):
        raise AdminError("each row must be an object")
    values = given
    if validate:
        values = world.cleaner.clean(describe, given, converted=None, creating=True)
    else:
        values = {name: value for name, value in given.items() if name in describe["fields"]}
    if describe["fields"]["owner"]["is_required"] and not (
        values.get("owner") or values.get("high_seas_id") or values.get("leads_pool_id")
    ):
        values = {**values, "owner": [user]}
    extra = {
        "record_id": given.get("_id"),
        "life_status": given.get("life_status"),
        "lock_status": given.get("lock_status"),
        "create_time": given.get("create_time"),
        "modified": given.get("last_modified_time"),
        "created_by": given.get("created_by"),
    }
    for name in _GIVEN_BY_SEED:
        if name in given:
            values = {**values, name: given[name]}
    row = work.build(describe["api_name"], values, **extra)
    if row["life_status"] == "invalid":
        row["life_status_before_invalid"] = "normal"
    return row


# Keys that no writer of the API may set, but a seed has to.
_GIVEN_BY_SEED = ("user_id", "dept_id")


def seed_file(world: "World", path: Path) -> dict[str, int]:
    """Loads `{"records": {object: [rows]}, "switches": {}, "limits": {}, "callback": {}}` once.

    The file's hash is remembered: a restart with the same file does not load it again.
    """
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if world.database.meta("seeded") == digest:
        return {}
    given = json.loads(content)
    world.switches.set(given.get("switches", {}))
    world.limits.set(given.get("limits", {}))
    world.events.configure(given.get("callback", {}))
    user = given.get("user", "1000")
    counts = {}
    for object_name, rows in given.get("records", {}).items():
        seed_rows(world, object_name, rows, user=user, silent=True)
        counts[object_name] = len(rows)
    world.database.set_meta("seeded", digest)
    return counts
