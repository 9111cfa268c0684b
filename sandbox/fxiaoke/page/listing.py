"""Pages of rows for the screen: search over the usual fields, newest change first."""

import datetime as dt
import json
import sqlite3
from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke import records
from sandbox.fxiaoke.clock import BEIJING

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

PAGE = 50
SEARCHED = ("name", "tel", "mobile", "mobile1", "email", "company", "customer_no__c",
            "kehub_key__c", "code__c", "product_code")  # fmt: skip
COLUMNS = {
    "AccountObj": ("name", "tel", "email", "customer_no__c"),
    "ContactObj": ("name", "account_id", "mobile1", "email"),
    "LeadsObj": ("name", "company", "mobile", "email"),
    "NewOpportunityObj": ("name", "account_id", "amount"),
    "SalesOrderObj": ("name", "account_id", "order_amount"),
    "SalesOrderProductObj": ("name", "order_id", "product_id", "quantity"),
    "PaymentObj": ("name", "account_id", "payment_amount"),
    "OrderPaymentObj": ("name", "payment_id", "payment_amount"),
    "ProductObj": ("name", "product_code", "price"),
    "AccountAddrObj": ("name", "account_id", "address"),
    "PersonnelObj": ("name", "user_id", "phone", "position"),
    "DepartmentObj": ("name", "dept_id"),
}


def columns(describe: dict[str, Any]) -> list[str]:
    wanted = COLUMNS.get(describe["api_name"], ("name",))
    return [name for name in wanted if name in describe["fields"]]


def page_of(
    connection: sqlite3.Connection, describe: dict[str, Any], words: str, number: int
) -> tuple[list[dict[str, Any]], int]:
    """One page of rows and how many there are in all."""
    where, values = ["object=?"], [describe["api_name"]]
    for word in words.split():
        searched = [name for name in SEARCHED if name in describe["fields"]]
        tests = [f"{records.field_expression(name)} LIKE ? ESCAPE '\\'" for name in searched]
        where.append(f"({' OR '.join([*tests, 'id=?'])})")
        escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        values += [f"%{escaped}%"] * len(tests) + [word]
    condition = " AND ".join(where)
    total = connection.execute(
        f"SELECT count(*) FROM record WHERE {condition}",
        values,
    ).fetchone()[0]
    rows = connection.execute(
        f"SELECT data FROM record WHERE {condition} "
        "ORDER BY modified DESC, id DESC LIMIT ? OFFSET ?",
        (*values, PAGE, PAGE * number),
    )
    return [json.loads(data) for (data,) in rows], total


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(
        connection.execute("SELECT object, count(*) FROM record GROUP BY object").fetchall()
    )


def children(
    world: "World", connection: sqlite3.Connection, object_name: str, record_id: str
) -> list[tuple[str, dict[str, Any]]]:
    """Rows of other objects that refer to this one, a few of each."""
    found = []
    for child, field in world.describes.pointing_to(object_name):
        rows = records.where_field(connection, child, field, record_id)
        found += [(child, row) for row in rows[:20]]
    return found


def moment(ms: Any) -> str:
    if not isinstance(ms, int):
        return ""
    return dt.datetime.fromtimestamp(ms / 1000, BEIJING).strftime("%Y-%m-%d %H:%M:%S")
