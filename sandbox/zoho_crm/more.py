"""Calls next to the record calls: clone, mass update and delete, notes of a record."""

from flask import Blueprint, g

from sandbox.zoho_crm.box import the_box
from sandbox.zoho_crm.changes import changing
from sandbox.zoho_crm.errors import TEXT_BAD_ID, ApiError, success
from sandbox.zoho_crm.external import External
from sandbox.zoho_crm.gate import (
    WRITE,
    answer,
    body,
    guard,
    note_written,
    nothing,
    profile,
    the_module,
)
from sandbox.zoho_crm.limits import write_credits
from sandbox.zoho_crm.paging import field_names
from sandbox.zoho_crm.render import Renderer, written
from sandbox.zoho_crm.store import fetch
from sandbox.zoho_crm.values import parse_id
from sandbox.zoho_crm.writer import Writer, batch_status, records_of, run_batch

api = guard(Blueprint("more", __name__, url_prefix="/crm/<version>"))
MAX_MASS = 500


@api.url_value_preprocessor
def drop_version(_endpoint, values):
    if values:
        values.pop("version", None)


def _mass_ids():
    ids = body().get("ids") if isinstance(body(), dict) else None
    if not isinstance(ids, list) or not ids:
        details = {"api_name": "ids", "json_path": "$.ids"}
        raise ApiError(400, "MANDATORY_NOT_FOUND", "required field not found", details)
    if len(ids) > MAX_MASS:
        details = {"api_name": "ids", "limit": MAX_MASS}
        raise ApiError(400, "LIMIT_EXCEEDED", "more than the allowed ids", details)
    return ids


def _mass_credits():
    ids = body().get("ids") if isinstance(body(), dict) else None
    return write_credits(len(ids) if isinstance(ids, list) else 1)


def _mass(module_name, ids, sent, work):
    """Run `work` for each id and answer as a batch."""
    box, module = the_box(), the_module(module_name)
    silent = not box.switches["notify_own_writes"]
    with changing(box, g.user_id, silent=silent) as unit:
        writer = Writer(box, unit, module, External.none())
        answers, failed = run_batch(len(ids), lambda index: work(writer, ids[index], index))
    note_written(module.name, [sent for _ in ids], answers)
    return answer({"data": answers}, batch_status(box.switches, len(ids), failed, 200))


@api.post("/<module>/actions/mass_update")
@profile(kind=WRITE, heavy=True, credits=_mass_credits)
def mass_update(module):
    ids, values = _mass_ids(), records_of(body())[0]
    allowed = 3 if module == "Deals" else 1
    if not isinstance(values, dict) or len(values) > allowed:
        details = {"api_name": "data", "json_path": "$.data[0]", "limit": allowed}
        raise ApiError(400, "LIMIT_EXCEEDED", "more than the allowed fields", details)

    def work(writer, record_id, index):
        return writer.update(values, index, record_id=record_id)

    return _mass(module, ids, values, work)


@api.post("/<module>/actions/mass_delete")
@profile(kind=WRITE, heavy=True, credits=_mass_credits)
def mass_delete(module):
    def work(writer, record_id, index):
        gone = writer.delete(record_id, index)
        return {**gone, "message": "record is deleted"}

    return _mass(module, _mass_ids(), {}, work)


@api.post("/<module>/<record_id>/actions/clone")
@profile(kind=WRITE)
def clone(module, record_id):
    """A copy without the values that must be unique."""
    box, module = the_box(), the_module(module)
    with changing(box, g.user_id, silent=not box.switches["notify_own_writes"]) as unit:
        record = unit.fetch(module, parse_id(record_id) or 0)
        if record is None:
            raise ApiError(400, "INVALID_DATA", TEXT_BAD_ID, {"id": record_id})
        values = {
            name: value
            for name, value in record.doc.items()
            if not module.fields[name].read_only and not module.fields[name].unique
        }
        copy = unit.insert(module, values)
    verdict = success("record added", written(box, copy, approval=True))
    note_written(module.name, [values], [verdict])
    return answer({"data": [verdict]}, 201)


@api.get("/<module>/<record_id>/actions/fetch_full_data")
@profile()
def full_data(module, record_id):
    box, module, names = the_box(), the_module(module), field_names()
    with box.store.read() as conn:
        record = fetch(conn, module.name, parse_id(record_id) or 0)
        if record is None:
            return nothing(204)
        return answer({"data": [Renderer(box, conn, module).single(record, names)]})


@api.post("/<module>/<record_id>/Notes")
@profile(kind=WRITE, part="notes")
def add_notes(module, record_id):
    """Notes of one record: the parent comes from the address."""
    box, parent, items = the_box(), the_module(module), records_of(body())
    notes = the_module("Notes")
    link = {"id": record_id, "module": {"api_name": parent.name}}
    linked = [{**item, "Parent_Id": link} if isinstance(item, dict) else item for item in items]
    with changing(box, g.user_id, silent=not box.switches["notify_own_writes"]) as unit:
        writer = Writer(box, unit, notes, External.none())
        answers, failed = run_batch(len(linked), lambda index: writer.insert(linked[index], index))
    note_written(notes.name, linked, answers)
    return answer({"data": answers}, batch_status(box.switches, len(linked), failed, 201))
