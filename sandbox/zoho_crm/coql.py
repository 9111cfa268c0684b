"""`POST /coql`: run a parsed query and shape its rows."""

from flask import Blueprint

from sandbox.zoho_crm import coql_parser
from sandbox.zoho_crm.box import the_box
from sandbox.zoho_crm.coql_sql import Compiler, invalid_query, modified_floor
from sandbox.zoho_crm.errors import ApiError
from sandbox.zoho_crm.gate import answer, body, guard, nothing, profile, the_module
from sandbox.zoho_crm.limits import coql_credits
from sandbox.zoho_crm.metadata import LOOKUP_TYPES, NUMBER_TYPES
from sandbox.zoho_crm.metadata_api import render_field

MAX_ROWS = 2000
MAX_REACH = 100_000

api = guard(Blueprint("coql", __name__, url_prefix="/crm/<version>"))


def _text():
    query = body().get("select_query") if isinstance(body(), dict) else None
    if not isinstance(query, str) or not query.strip():
        details = {"api_name": "select_query", "json_path": "$.select_query"}
        raise ApiError(400, "MANDATORY_NOT_FOUND", "required field not found", details)
    return query


def _credits():
    """By the LIMIT that is asked for; a query that cannot be read costs one."""
    try:
        return coql_credits(coql_parser.parse(_text()).limit)
    except ApiError:
        return 1


@api.post("/coql")
@profile(scope="coql", heavy=True, credits=_credits)
def run(version):
    del version
    query = coql_parser.parse(_text())
    if query.limit > MAX_ROWS:
        raise coql_parser.too_many("limit", MAX_ROWS)
    if query.offset + query.limit > MAX_REACH:
        raise coql_parser.too_many("offset", MAX_REACH)
    box, module = the_box(), the_module(query.module)
    compiler = Compiler(box, module)
    columns = [_Shown(compiler, column) for column in query.columns]
    aggregated = bool(query.group) or any(column.function for column in query.columns)
    sql = _sql(compiler, query, columns, aggregated)
    with box.store.read() as conn:
        rows = conn.execute(sql, (*compiler.params, query.limit + 1, query.offset)).fetchall()
    if not rows:
        return nothing(204)
    data = [_row(box, columns, row, aggregated) for row in rows[: query.limit]]
    info = {"count": len(data), "more_records": len(rows) > query.limit}
    shown = {"data": data, "info": info}
    if "fields" in (body().get("include_meta") or []):
        named = {column.place.field.api_name: column.place.field for column in columns}
        shown["fields"] = {name: render_field(box, field) for name, field in named.items()}
    return answer(shown)


class _Shown:
    """One column of the answer."""

    def __init__(self, compiler, column):
        self.column = column
        self.place = compiler.place(column.path)
        self.kind = self.place.field.data_type
        numeric = self.kind in NUMBER_TYPES
        if column.function in {"sum", "avg"} and not numeric:
            raise invalid_query(column.path, "the function needs a number")
        self.sql = self.place.sql
        if column.function:
            self.sql = f"{column.function}({self.place.sql})"

    def value(self, box, raw):
        if self.column.function in {"count", "sum", "avg"}:
            return raw or 0
        if raw is None:
            return False if self.kind == "boolean" else None
        if self.kind == "boolean":
            return bool(raw)
        if self.kind == "datetime":
            return box.clock.text(raw)
        if self.kind in LOOKUP_TYPES:
            return {"id": str(raw)}
        if self.place.field.api_name == "id":
            return str(raw)
        return raw


def _sql(compiler, query, columns, aggregated):
    where = compiler.where(query.where)
    floor = modified_floor(query.where)
    if floor is not None:
        where = f"t.modified >= {int(floor)} AND {where}"
    group = [compiler.place(path).sql for path in query.group]
    order = _order(compiler, query, columns, aggregated)
    chosen = ", ".join(column.sql for column in columns)
    head = chosen if aggregated else f"t.id, {chosen}"
    return (
        f"SELECT {head} FROM {compiler.from_sql()} WHERE {where}"
        + (f" GROUP BY {', '.join(group)}" if group else "")
        + (f" ORDER BY {order}" if order else "")
        + " LIMIT ? OFFSET ?"
    )


def _order(compiler, query, columns, aggregated):
    named = {column.column.key: column.sql for column in columns}
    parts = []
    for path, direction in query.order:
        sql = named.get(path) or compiler.place(path).sql
        parts.append(f"{sql} {direction}")
    if aggregated:
        return ", ".join(parts)
    return ", ".join([*parts, "t.id ASC"])


def _row(box, columns, row, aggregated):
    values = row if aggregated else row[1:]
    shown = {
        column.column.key: column.value(box, raw)
        for column, raw in zip(columns, values, strict=True)
    }
    return shown if aggregated else {**shown, "id": str(row[0])}
