"""The list of deleted records, with the vendor's times: 60 days in the bin, 120 days known."""

from flask import request

from sandbox.zoho_crm.errors import ApiError
from sandbox.zoho_crm.gate import answer, nothing, number
from sandbox.zoho_crm.paging import read_since

DAY = 24 * 3600
IN_BIN = 60 * DAY
KNOWN = 120 * DAY


def age(box):
    """Empty the bin of what is older than 60 days; forget what is gone for 120."""
    now = box.clock.second()
    with box.store.write() as conn:
        conn.execute(
            "UPDATE trash SET kind = 'permanent', name = NULL, doc = NULL, deleted = deleted + ? "
            "WHERE kind = 'recycle' AND deleted <= ?",
            (IN_BIN, now - IN_BIN),
        )
        sql = "DELETE FROM trash WHERE kind = 'permanent' AND deleted <= ?"
        conn.execute(sql, (now - KNOWN,))


def _needs_ageing(conn, now):
    sql = (
        "SELECT 1 FROM trash WHERE (kind = 'recycle' AND deleted <= ?) "
        "OR (kind = 'permanent' AND deleted <= ?) LIMIT 1"
    )
    return conn.execute(sql, (now - IN_BIN, now - KNOWN)).fetchone() is not None


def listing(box, module):
    kind = request.args.get("type", "all")
    if kind not in {"all", "recycle", "permanent"}:
        details = {"param_name": "type"}
        raise ApiError(400, "PATTERN_NOT_MATCHED", "the value does not match", details)
    since = read_since()
    page, per_page = number("page", 1, 1, 10**9), number("per_page", 200, 1, 200)
    with box.store.read() as conn:
        old = _needs_ageing(conn, box.clock.second())
    if old:
        age(box)
    sql = (
        "SELECT id, kind, name, deleted, deleted_by, created_by FROM trash "
        "WHERE module = ? AND (? = 'all' OR kind = ?) AND deleted > ? "
        "ORDER BY deleted DESC, id DESC LIMIT ? OFFSET ?"
    )
    edge = -1 if since is None else since
    edge -= since is not None and box.switches["if_modified_since_edge"] == "gte"
    params = (module.name, kind, kind, edge, per_page + 1, (page - 1) * per_page)
    with box.store.read() as conn:
        rows = conn.execute(sql, params).fetchall()
    if not rows:
        return nothing(304 if since is not None and box.switches["deleted_empty"] == "304" else 204)
    data = [_entry(box, row) for row in rows[:per_page]]
    info = {"per_page": per_page, "count": len(data), "page": page}
    return answer({"data": data, "info": {**info, "more_records": len(rows) > per_page}})


def _entry(box, row):
    record_id, kind, name, moment, deleted_by, created_by = row
    in_bin = kind == "recycle"
    return {
        "deleted_by": box.people.short(deleted_by) if in_bin else None,
        "id": str(record_id),
        "display_name": name,
        "type": kind,
        "created_by": box.people.short(created_by) if in_bin and created_by else None,
        "deleted_time": box.clock.text(moment),
    }
