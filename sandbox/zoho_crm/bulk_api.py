"""`/crm/bulk/v8/read`: create a job, ask for it, fetch its file."""

from flask import Blueprint, Response, g, request

from sandbox.zoho_crm.box import the_box
from sandbox.zoho_crm.bulk import condition_tree
from sandbox.zoho_crm.errors import ApiError, success
from sandbox.zoho_crm.gate import OTHER, answer, body, guard, profile
from sandbox.zoho_crm.paging import TOKEN_SECONDS, make_token, open_token

api = guard(Blueprint("bulk", __name__, url_prefix="/crm/bulk/<version>"))
MAX_PAGE = 50


@api.url_value_preprocessor
def drop_version(_endpoint, values):
    if values:
        values.pop("version", None)


def _refuse(code, message, details=None, status=400):
    return ApiError(status, code, message, details, root="data")


@api.post("/read")
@profile(kind=OTHER, scope="bulk", credits=50)
def create():
    box = the_box()
    if "application/json" not in request.headers.get("Content-Type", ""):
        message = "the media type of the body is not supported"
        raise ApiError(415, "MEDIA_TYPE_NOT_SUPPORTED", message)
    if not request.get_data():
        raise _refuse("REQUEST_BODY_IS_EMPTY", "the body is empty")
    wanted = body()
    query = wanted.get("query") if isinstance(wanted, dict) else None
    if not isinstance(query, dict):
        raise _refuse("REQUEST_BODY_NOT_READABLE", "the body has no query")
    after, page = None, query.get("page", 1)
    if query.get("page_token"):
        query, after, page = _next_block(box, query["page_token"])
    _check(box, query, page)
    callback = _callback(wanted.get("callback"))
    job = box.bulk.add(query, after, page, callback, g.user_id)
    details = {
        "id": str(job["id"]),
        "operation": "read",
        "state": "ADDED",
        "created_by": box.people.short(g.user_id),
        "created_time": box.clock.text(job["created"]),
    }
    shown = {**success("Added successfully.", details), "code": "ADDED_SUCCESSFULLY"}
    return answer({"data": [shown], "info": {}}, 201)


def _next_block(box, token):
    values = open_token(box, token)
    if values.get("user") != g.user_id:
        raise _refuse("INVALID_DATA", "the page token belongs to another user")
    return values["query"], values["after"], values["page"]


def _check(box, query, page):
    name = (query.get("module") or {}).get("api_name")
    module = box.metadata.callable_module(name)
    if module is None:
        raise _refuse("MODULE_NOT_AVAILABLE", "the module is not available", {"module": name})
    if module.name == "Notes":
        raise _refuse("MODULE_NOT_SUPPORTED", "the module is not supported")
    if not isinstance(page, int) or not 1 <= page <= MAX_PAGE:
        details = {"max_limit": MAX_PAGE}
        raise _refuse("PAGE_RANGE_EXCEEDED", "the page is out of range", details)
    for path in query.get("fields") or []:
        field = module.fields.get(path.split(".")[0])
        if field is None or field.data_type in {"subform", "jsonarray"}:
            raise _refuse("FIELD_NOT_SUPPORTED", "the field is not supported", {"field": path})
    if query.get("criteria"):
        condition_tree(query["criteria"])


def _callback(callback):
    if callback is None:
        return None
    url = callback.get("url") if isinstance(callback, dict) else None
    if not str(url).startswith(("http://", "https://")):
        raise _refuse("INVALID_CALLBACK_URL", "the callback URL is invalid")
    if str(callback.get("method", "")).lower() != "post":
        raise _refuse("INVALID_CALLBACK_METHOD", "the callback method must be post")
    return {"url": url, "method": "post"}


def _job(job_id):
    job = the_box().bulk.get(int(job_id)) if job_id.isdigit() else None
    if job is None:
        raise ApiError(404, "RESOURCE_NOT_FOUND", "The requested resource doesn't exist.")
    return job


def render_job(box, job):
    shown = {
        "id": str(job["id"]),
        "operation": "read",
        "state": job["state"],
        "query": {**job["query"], "page": job["page"]},
        "created_by": box.people.short(job["user"]),
        "created_time": box.clock.text(job["created"]),
        "file_type": "csv",
    }
    if job["state"] == "FAILURE":
        error = job["error"]
        shown["result"] = {"error_message": error["data"][0] if "data" in error else error}
    if job["state"] == "COMPLETED":
        shown["result"] = {
            "page": job["page"],
            "per_page": box.switches["bulk_page_size"],
            "count": job["count"],
            "download_url": f"/crm/bulk/v8/read/{job['id']}/result",
            "more_records": job["more"],
        }
        if job["more"]:
            shown["result"]["next_page_token"] = _token(box, job)
            expiry = box.clock.text(box.clock.second() + TOKEN_SECONDS)
            shown["result"]["page_token_expiry"] = expiry
    return shown


def _token(box, job):
    values = {"query": job["query"], "after": job["last"], "page": job["page"] + 1}
    expires = box.clock.second() + TOKEN_SECONDS
    return make_token(box, {**values, "user": job["user"], "expires": expires})


@api.get("/read/<job_id>")
@profile(scope="bulk")
def state(job_id):
    return answer({"data": [render_job(the_box(), _job(job_id))]})


@api.get("/read/<job_id>/result")
@profile(scope="bulk")
def result(job_id):
    box, job = the_box(), _job(job_id)
    path = box.bulk.path(job["id"])
    if job["state"] != "COMPLETED" or not path.exists():
        raise ApiError(404, "RESOURCE_NOT_FOUND", "The requested resource doesn't exist.")
    headers = {"Content-Disposition": f"attachment; filename={job['id']}.zip"}
    return Response(path.read_bytes(), 200, headers, content_type="application/x-download")
