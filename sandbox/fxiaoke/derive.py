"""Fields that follow from others: assignment state, aggregated phones, serial numbers, formulas."""

import re
import sqlite3
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.fxiaoke.clock import day_name
from sandbox.fxiaoke.describes import Describe

Row = dict[str, Any]
_DEFAULTS = {
    "AccountObj": {"deal_status": "1", "transfer_count": "0"},
    "LeadsObj": {"leads_stage": "Lead", "is_duplicated": False, "resale_count": "0"},
    "NewOpportunityObj": {"sales_status": "1"},
    "ProductObj": {"product_status": "1"},
    "PersonnelObj": {"status": "0"},
    "DepartmentObj": {"status": "0"},
}
_DIVISION = re.compile(r"\$(\w+)\$ / \$(\w+)\$")


def fill_defaults(object_name: str, row: Row) -> None:
    for name, value in _DEFAULTS.get(object_name, {}).items():
        row.setdefault(name, value)


def derive(object_name: str, row: Row) -> None:
    """Brings the dependent fields of a row in line with the others; cheap and repeatable."""
    rule = _RULES.get(object_name)
    if rule:
        rule(row)


def _account(row: Row) -> None:
    row["biz_status"] = "allocated" if row.get("owner") else "unallocated"


def _lead(row: Row) -> None:
    if not row.get("owner"):
        row["biz_status"] = "un_assigned"
    elif row.get("biz_status", "un_assigned") == "un_assigned":
        row["biz_status"] = "un_processed"


def _contact(row: Row) -> None:
    for whole in ("tel", "mobile"):
        parts = [row[f"{whole}{n}"] for n in range(1, 6) if row.get(f"{whole}{n}")]
        row.pop(whole, None)
        if parts:
            row[whole] = ";".join(parts)


def _opportunity(row: Row) -> None:
    row.pop("probability_amount", None)
    if row.get("amount") and row.get("probability"):
        weighted = Decimal(row["amount"]) * Decimal(row["probability"]) / 100
        row["probability_amount"] = str(weighted.quantize(Decimal("0.01"), ROUND_HALF_UP))


_RULES = {
    "AccountObj": _account,
    "LeadsObj": _lead,
    "ContactObj": _contact,
    "NewOpportunityObj": _opportunity,
}


def number_row(connection: sqlite3.Connection, describe: Describe, row: Row, now: int) -> None:
    """Draws the serial numbers that a new row needs."""
    for name, field in describe["fields"].items():
        if field["type"] == "auto_number":
            digits = str(_next(connection, describe["api_name"], name)).zfill(
                field["serial_number"]
            )
            row[name] = f"{field['prefix']}{digits}{field['postfix']}"
        elif "_serial" in field and not row.get(name):
            number = _next(connection, describe["api_name"], name)
            row[name] = f"{field['_serial']}{day_name(now)}-{number:06d}"
        elif "_running" in field and not row.get(name):
            row[name] = str(field["_running"] + _next(connection, describe["api_name"], name))


def _next(connection: sqlite3.Connection, object_name: str, field: str) -> int:
    key = f"serial/{object_name}/{field}"
    return connection.execute(
        "INSERT INTO meta VALUES (?, '1') "
        "ON CONFLICT (key) DO UPDATE SET value=CAST(value AS INTEGER)+1 "
        "RETURNING CAST(value AS INTEGER)",
        (key,),
    ).fetchone()[0]


def formula(expression: str, row: Row) -> str | None:
    """The value of a formula field, as far as this stand-in knows formulas: a division."""
    found = _DIVISION.fullmatch(expression)
    if not found or not row.get(found[1]) or not row.get(found[2]):
        return None
    divisor = Decimal(row[found[2]])
    if not divisor:
        return None
    return str((Decimal(row[found[1]]) / divisor).quantize(Decimal("0.01"), ROUND_HALF_UP))
