"""Record calls: list, one, insert, update, upsert, delete, deleted ones, count, related ones."""

from flask import Blueprint, g, request

from sandbox.zoho_crm import coql_sql, criteria, deleted
from sandbox.zoho_crm.box import the_box
from sandbox.zoho_crm.changes import changing
from sandbox.zoho_crm.clock import parse_time
from sandbox.zoho_crm.errors import TEXT_BAD_ID, ApiError, missing_param
from sandbox.zoho_crm.external import External
from sandbox.zoho_crm.gate import (
    WRITE,
    answer,
    body,
    flag,
    guard,
    note_written,
    nothing,
    number,
    profile,
    record_count,
    the_module,
)
from sandbox.zoho_crm.limits import write_credits
from sandbox.zoho_crm.paging import field_names, info, read_page, read_since
from sandbox.zoho_crm.related import related_field
from sandbox.zoho_crm.render import Renderer
from sandbox.zoho_crm.store import select_records
from sandbox.zoho_crm.values import ID
from sandbox.zoho_crm.writer import (
    MAX_BATCH,
    Writer,
    batch_status,
    records_of,
    run_batch,
    upsert_checks,
)

api = guard(Blueprint("records", __name__, url_prefix="/crm/<version>"))


@api.url_value_preprocessor
def drop_version(_endpoint, values):
    if values:
        values.pop("version", None)


def external_of(module):
    return External.from_header(request.headers.get("X-EXTERNAL"), module, the_box().metadata)


def big_batch():
    return record_count() > 10


def batch_credits():
    return write_credits(record_count())


def sorted_list():
    return bool(request.args.get("sort_by") or request.args.get("cvid"))


def list_credits():
    return 3 if request.args.get("cvid") else 1


@api.get("/<module>")
@profile(heavy=sorted_list, credits=list_credits)
def listing(module):
    module = the_module(module)
    if module.name == "Notes":
        pass_for_administrator()
    box, names = the_box(), field_names()
    page = read_page(box, g.user_id)
    parts, params = page.where(box.switches["if_modified_since_edge"])
    parts.extend(_converted(module))
    if page.since is not None:  # a list of changes comes from a copy that is a little behind
        parts.append(criteria.lagging_sql(box, "list_lag"))
    with box.store.read() as conn:
        _by_ids(module, conn, parts, params)
        return _page_answer(conn, module, page, parts, params, names)


def pass_for_administrator():
    """Notes are listed for administrators only."""
    user = the_box().people.users[g.user_id]
    if user["profile"]["name"] != "Administrator":
        raise ApiError(403, "NOT_SUPPORTED", "Only admin users can list notes")


def _page_answer(conn, module, page, parts, params, names):
    box = the_box()
    records = select_records(
        conn,
        module.name,
        " AND ".join(parts) or "1",
        params,
        page.order_sql(),
        page.per_page + 1,
        page.offset,
    )
    if not records:
        return nothing(304 if page.since is not None else 204)
    more = len(records) > page.per_page
    records = records[: page.per_page]
    data = Renderer(box, conn, module).listed(records, names)
    return answer({"data": data, "info": info(box, page, records, more)})


def _converted(module):
    wanted = request.args.get("converted", "false").lower()
    if "Converted__s" not in module.fields or wanted == "both":
        return []
    is_true = "json_extract(t.doc, '$.Converted__s') IS 1"
    return [is_true if wanted == "true" else f"NOT ({is_true})"]


def _by_ids(module, conn, parts, params):
    raw = request.args.get("ids")
    if not raw:
        return
    external = external_of(module)
    found = [external.find(conn, module, item.strip()) for item in raw.split(",")[:200]]
    ids = [record.id for record in found if record]
    parts.append(f"t.id IN ({','.join('?' * len(ids))})")
    params.extend(ids)


@api.get("/<module>/<record_id>")
@profile()
def one(module, record_id):
    box, module = the_box(), the_module(module)
    external, since = external_of(module), read_since()
    if external.field is None and not ID.fullmatch(record_id):
        raise ApiError(400, "INVALID_DATA", TEXT_BAD_ID, {"id": record_id})
    with box.store.read() as conn:
        record = external.find(conn, module, record_id)
        if record is None:
            if box.switches["unknown_id_get"] == "400":
                raise ApiError(400, "INVALID_DATA", TEXT_BAD_ID, {"id": record_id})
            return nothing(204)
        if since is not None and record.modified <= since:
            return nothing(304)
        names = field_names() if request.args.get("fields") else None
        return answer({"data": [Renderer(box, conn, module).single(record, names)]})


@api.post("/<module>")
@profile(kind=WRITE, heavy=big_batch, credits=batch_credits)
def insert(module):
    return _write(module, 201, lambda writer, item, index: writer.insert(item, index))


@api.put("/<module>")
@profile(kind=WRITE, heavy=big_batch, credits=batch_credits)
def update(module):
    since = _unmodified_since()
    return _write(
        module,
        200,
        lambda writer, item, index: writer.update(item, index, unmodified_since=since),
    )


@api.put("/<module>/<record_id>")
@profile(kind=WRITE)
def update_one(module, record_id):
    since = _unmodified_since()
    return _write(
        module,
        200,
        lambda writer, item, index: writer.update(
            item, index, record_id=record_id, unmodified_since=since
        ),
    )


@api.post("/<module>/upsert")
@profile(kind=WRITE, heavy=big_batch, credits=batch_credits)
def upsert(module):
    spec = the_module(module).spec
    if not spec.upsert:
        raise ApiError(400, "NOT_SUPPORTED", "upsert is not supported for this module")
    since = _unmodified_since()
    wanted = body().get("duplicate_check_fields") if isinstance(body(), dict) else None
    checks = upsert_checks(the_module(module), wanted)
    return _write(
        module,
        200,
        lambda writer, item, index: writer.upsert(
            item, index, checks=checks, unmodified_since=since
        ),
    )


def _unmodified_since():
    raw = request.headers.get("If-Unmodified-Since")
    try:
        return parse_time(raw) if raw else None
    except ValueError:
        details = {"header_name": "If-Unmodified-Since", "expected_data_type": "datetime"}
        raise ApiError(400, "INVALID_DATA", "invalid data", details) from None


def _write(module_name, all_good, work):
    box, module = the_box(), the_module(module_name)
    items = records_of(body())
    external = external_of(module)
    silent = not box.switches["notify_own_writes"]
    with changing(box, g.user_id, silent=silent) as unit:
        writer = Writer(box, unit, module, external)
        answers, failed = run_batch(len(items), lambda index: work(writer, items[index], index))
    note_written(module.name, items, answers)
    status = batch_status(box.switches, len(items), failed, all_good)
    return answer({"data": answers}, status)


@api.delete("/<module>")
@profile(kind=WRITE)
def delete_many(module):
    raw = request.args.get("ids")
    if not raw:
        raise missing_param("ids")
    ids = [item.strip() for item in raw.split(",") if item.strip()]
    if len(ids) > MAX_BATCH:
        details = {"param_name": "ids", "limit": MAX_BATCH}
        raise ApiError(400, "LIMIT_EXCEEDED", "more than the allowed ids", details)
    return _delete(module, ids)


@api.delete("/<module>/<record_id>")
@profile(kind=WRITE)
def delete_one(module, record_id):
    return _delete(module, [record_id])


def _delete(module_name, ids):
    box, module = the_box(), the_module(module_name)
    external = external_of(module)
    if external.field is None and not all(ID.fullmatch(item) for item in ids):
        details = {"param_name": "ids", "expected_data_type": "bigint"}
        raise ApiError(400, "UNABLE_TO_PARSE_DATA_TYPE", "unable to parse the data type", details)
    flag("wf_trigger", default=True)
    silent = not box.switches["notify_own_writes"]
    with changing(box, g.user_id, silent=silent) as unit:
        writer = Writer(box, unit, module, external)
        answers, failed = run_batch(len(ids), lambda index: writer.delete(ids[index], index))
    note_written(module.name, [{} for _ in ids], answers)
    return answer({"data": answers}, batch_status(box.switches, len(ids), failed, 200))


@api.get("/<module>/deleted")
@profile(credits=lambda: the_box().switches["deleted_credits"])
def deleted_records(module):
    return deleted.listing(the_box(), the_module(module))


@api.get("/<module>/search")
@profile(scope="search", heavy=True, credits=lambda: the_box().switches["search_credits"])
def search(module):
    box, module = the_box(), the_module(module)
    where, params = criteria.from_request(box, module)
    if where is None:
        details = {"param_names": ["criteria", "email", "phone", "word"]}
        raise ApiError(400, "EXPECTED_PARAM_MISSING", "one of the parameters is expected", details)
    page, per_page = number("page", 1, 1, 10**9), number("per_page", 200, 1, 200)
    if page * per_page > 2000:
        raise ApiError(400, "LIMIT_REACHED", "the search limit is reached", {"limit": 2000})
    parts = [where, *_converted(module), criteria.visible_sql(box)]
    with box.store.read() as conn:
        records = select_records(
            conn,
            module.name,
            " AND ".join(parts),
            params,
            "t.id DESC",
            per_page + 1,
            (page - 1) * per_page,
        )
        if not records:
            return nothing(204)
        names = field_names() if request.args.get("fields") else list(module.fields)
        data = Renderer(box, conn, module).listed(records[:per_page], names)
    shown = {"per_page": per_page, "count": len(data), "page": page, "sort_by": "id"}
    shown.update(sort_order="desc", more_records=len(records) > per_page)
    return answer({"data": data, "info": shown})


@api.get("/<module>/actions/count")
@profile()
def count(module):
    box, module = the_box(), the_module(module)
    where, params = criteria.from_request(box, module)
    if where is not None and request.args.get("cvid"):
        details = {"ambiguity_due_to": ["cvid", "criteria"]}
        raise ApiError(400, "AMBIGUITY_DURING_PROCESSING", "ambiguous parameters", details)
    youngest = box.clock.second() - 60 * box.switches["count_lag_minutes"]
    parts = [*([where] if where else []), *_converted(module), "t.created <= ?"]
    sql = f"SELECT count(*) FROM rec_{module.name} t WHERE {' AND '.join(parts)}"
    with box.store.read() as conn:
        found = conn.execute(sql, (*(params or ()), youngest)).fetchone()[0]
    return answer({"count": found})


@api.get("/<module>/<record_id>/<relation>")
@profile()
def related(module, record_id, relation):
    box, module = the_box(), the_module(module)
    target, field = related_field(box.metadata, module, relation)
    names, page = field_names(), read_page(box, g.user_id)
    with box.store.read() as conn:
        record = external_of(module).find(conn, module, record_id)
        if record is None:
            raise ApiError(400, "INVALID_DATA", TEXT_BAD_RELATION, {"id": record_id})
        parts, params = page.where(box.switches["if_modified_since_edge"])
        parts.append(coql_sql.points_at(field))
        params.append(record.id)
        return _page_answer(conn, target, page, parts, params, names)


TEXT_BAD_RELATION = "the related id given seems to be invalid"
