"""Golden records: customers, contacts, and the commercial facts of customers."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from sync.service import privacy, quality, review, systems
from sync.service import records as service
from sync.service.errors import ServiceError, explain
from sync.service.records import FieldRow, RecordView
from webui import auth
from webui.auth import hub, needs
from webui.sentences import sentence

screens = Blueprint("records", __name__)
LISTS = {
    "customers": "customer",
    "contacts": "contact",
    "orders": "order",
    "invoices": "invoice",
    "payments": "payment",
}
PER_PAGE = 50
_NEAR = 8  # so many children are shown on their customer's page


@screens.get("/<any(customers,contacts,orders,invoices,payments):plural>")
@needs("viewer")
def list_records(plural: str) -> ResponseReturnValue:
    """A list with search, filters, sorting, pages."""
    asked = request.args
    entity = LISTS[plural]
    page = service.search(
        hub(),
        entity,
        text=asked.get("q", ""),
        stage=asked.get("stage") or None,
        system=asked.get("system") or None,
        parent=asked.get("of") or None,
        sort=asked.get("sort", "name" if entity in {"customer", "contact"} else "-updated"),
        page=asked.get("page", 1, type=int),
        limit=PER_PAGE,
    )
    shown = "records/rows.html" if request.headers.get("HX-Target") == "rows" else None
    return render_template(
        shown or "records/list.html",
        page=page,
        entity=entity,
        plural=plural,
        systems=systems.list_names(hub()),
        filtered=any(asked.get(name) for name in ("q", "stage", "system", "of")),
        parent=service.get_record(hub(), asked["of"]) if asked.get("of") else None,
    )


@screens.get("/records/<golden_id>")
@needs("viewer")
def record(golden_id: str) -> ResponseReturnValue:
    """One record with all that is known of it."""
    found = service.get_record(hub(), golden_id)
    if found.id != golden_id:
        flash(gettext("That record was merged into this one."), "info")
        return redirect(url_for("records.record", golden_id=found.id))
    changes, more = service.history(hub(), found.id, limit=20)
    return render_template(
        "records/record.html",
        record=found,
        children={kind: _children(found, kind) for kind in LISTS.values() if kind != "customer"},
        changes=changes,
        more=more,
        erasure=privacy.of_record(hub(), found.id) if found.state == "erased" else None,
        quality=quality.of_record(hub(), found.id),
        conflicts=review.list_conflicts(hub(), golden_id=found.id, limit=5).rows,
    )


@screens.get("/records/<golden_id>/history")
@needs("viewer")
def history(golden_id: str) -> ResponseReturnValue:
    """More of the change log."""
    before = request.args.get("before", type=int)
    changes, more = service.history(hub(), golden_id, before=before, limit=50)
    return render_template("records/history.html", golden_id=golden_id, changes=changes, more=more)


@screens.get("/records/<golden_id>/fields/<path:name>")
@needs("viewer")
def field(golden_id: str, name: str) -> ResponseReturnValue:
    """One field, as it is shown."""
    found = service.get_record(hub(), golden_id)
    return render_template("records/field.html", record=found, row=_field(found, name))


@screens.get("/records/<golden_id>/fields/<path:name>/edit")
@needs("steward")
def edit_field(golden_id: str, name: str) -> ResponseReturnValue:
    """One field, as it is edited."""
    found = service.get_record(hub(), golden_id)
    return _edit_form(found, _field(found, name))


@screens.post("/records/<golden_id>/fields/<path:name>")
@needs("steward")
def set_field(golden_id: str, name: str) -> ResponseReturnValue:
    """Sets one field."""
    typed = request.form.get("value", "")
    try:
        found = service.edit(hub(), golden_id, {name: typed}, actor=auth.actor())
    except ServiceError as error:
        if not request.headers.get("HX-Request"):
            raise
        before = service.get_record(hub(), golden_id)
        return _edit_form(before, _field(before, name), typed, " ".join(sentence(explain(error))))
    if request.headers.get("HX-Request"):
        saved = _field(found, name)
        return render_template("records/field.html", record=found, row=saved, saved=True)
    return redirect(url_for("records.record", golden_id=found.id), 303)


@screens.post("/records/<golden_id>/fields")
@needs("steward")
def add_field(golden_id: str) -> ResponseReturnValue:
    """Fills a field that was empty."""
    name, typed = request.form.get("name", ""), request.form.get("value", "")
    found = service.edit(hub(), golden_id, {name: typed}, actor=auth.actor())
    flash(gettext("Saved. It is on its way to every linked system."), "success")
    return redirect(url_for("records.record", golden_id=found.id), 303)


def _edit_form(
    found: RecordView, row: FieldRow, typed: str | None = None, problem: str = ""
) -> ResponseReturnValue:
    page = render_template(
        "records/edit_field.html", record=found, row=row, typed=typed, problem=problem
    )
    return page, 422 if problem else 200


def _field(found: RecordView, name: str) -> FieldRow:
    for row in found.fields:
        if row.path == name:
            return row
    empty = service.empty_field(found, name)
    if empty is None:
        abort(404)
    return empty


def _children(found: RecordView, kind: str) -> object:
    if not found.children.get(kind):
        return None
    sort = "name" if kind == "contact" else "-updated"
    return service.search(hub(), kind, parent=found.id, sort=sort, limit=_NEAR)
