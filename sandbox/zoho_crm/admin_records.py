"""`/__admin/` continued: fields, counters, and records as a CRM user would change them."""

from flask import request

from sandbox.zoho_crm import user_actions
from sandbox.zoho_crm.admin import api, wanted
from sandbox.zoho_crm.box import the_box
from sandbox.zoho_crm.gate import answer
from sandbox.zoho_crm.store import to_record

# Fields.


@api.post("/fields/<module>")
def add_field(module):
    """{api_name, data_type?, length?, unique?, external?, picklist?, …}: a new custom field."""
    the_box().metadata.add_field(module, wanted())
    return answer({"ok": True})


@api.patch("/fields/<module>/<name>")
def change_field(module, name):
    """{mandatory?, length?, picklist?: [values], read_only?, unique?, label?}."""
    the_box().metadata.change_field(module, name, wanted())
    return answer({"ok": True})


@api.post("/fields/<module>/<name>/rename")
def rename_field(module, name):
    """{to}: a new API name; stored values move along."""
    the_box().metadata.rename_field(module, name, wanted()["to"])
    return answer({"ok": True})


@api.delete("/fields/<module>/<name>")
def delete_field(module, name):
    """The field and all its values go."""
    the_box().metadata.delete_field(module, name)
    return answer({"ok": True})


# Counters.


@api.get("/calls")
def show_calls():
    """What was called since the last reset; ?log=N limits the log of write calls (200)."""
    return answer(the_box().calls.report(request.args.get("log", 200, int)))


@api.post("/calls/reset")
def reset_calls():
    """All counters go to 0."""
    the_box().calls.reset()
    return answer({"ok": True})


# Records, as a CRM user would change them.


def acting():
    """The user of ?user=, or None for the usual one."""
    user = request.args.get("user", None, int)
    if user is not None and user not in the_box().people.users:
        raise ValueError(f"there is no user {user}")
    return user


@api.get("/records/<module>")
def dump_records(module):
    """All records of a module as stored; ?page=&per_page= when they are many."""
    box = the_box()
    found = box.metadata.callable_module(module)
    if found is None:
        raise ValueError(f"there is no module {module}")
    page = request.args.get("page", 1, int)
    per_page = request.args.get("per_page", 1_000_000, int)
    sql = f"SELECT id, created, modified, doc FROM rec_{module} ORDER BY id LIMIT ? OFFSET ?"
    with box.store.read() as conn:
        rows = conn.execute(sql, (per_page, (page - 1) * per_page)).fetchall()
        total = conn.execute(f"SELECT count(*) FROM rec_{module}").fetchone()[0]
    return answer({"data": [raw_record(box, to_record(row)) for row in rows], "total": total})


def raw_record(box, record):
    return {
        **record.doc,
        "id": str(record.id),
        "Created_Time": box.clock.text(record.created),
        "Modified_Time": box.clock.text(record.modified),
    }


@api.post("/records/<module>")
def seed_records(module):
    """A list of records, or {data, silent? (true), user?}: create up to 10,000 as a user.
    Created_Time and Modified_Time of an item count when given; a lookup may be a name."""
    body = wanted()
    options = body if isinstance(body, dict) else {"data": body}
    items = options.get("data") or []
    if len(items) > 10_000:
        raise ValueError("at most 10,000 records in one call")
    return answer({"ids": _seed(module, items, options)}, 201)


def _seed(module, items, options):
    silent, user = options.get("silent", True), options.get("user")
    ids = user_actions.seed(the_box(), module, items, silent=silent, user=user)
    return [str(record_id) for record_id in ids]


@api.put("/records/<module>/<record_id>")
def edit_record(module, record_id):
    """{field: value, …}: edit as a user (with notifications); ?user=ID names another user."""
    box = the_box()
    record = user_actions.edit(box, module, record_id, wanted(), user=acting())
    return answer(raw_record(box, record))


@api.delete("/records/<module>/<record_id>")
def delete_record(module, record_id):
    """Delete as a user; several ids comma separated; ?user=ID names another user."""
    user_actions.delete(the_box(), module, record_id.split(","), user=acting())
    return answer({"ok": True})


@api.post("/records/<module>/<record_id>/restore")
def restore_record(module, record_id):
    """Back from the recycle bin."""
    box = the_box()
    return answer(raw_record(box, user_actions.restore(box, module, record_id)))


@api.post("/records/<module>/merge")
def merge_records(module):
    """{winner, losers: [ids], values?: {…}}: merge as a user; the losers' ids are deleted.
    ?user=ID names another user."""
    box, body = the_box(), wanted()
    values = body.get("values") or {}
    record = user_actions.merge(box, module, body["winner"], body["losers"], values, user=acting())
    return answer(raw_record(box, record))


@api.delete("/records/<module>")
def clear_records(module):
    """Forget all records of a module and its recycle bin, without a trace: for a fresh test."""
    box = the_box()
    if box.metadata.callable_module(module) is None:
        raise ValueError(f"there is no module {module}")
    with box.store.write() as conn:
        count = conn.execute(f"DELETE FROM rec_{module}").rowcount
        conn.execute("DELETE FROM uniq WHERE module = ?", (module,))
        conn.execute("DELETE FROM trash WHERE module = ?", (module,))
    return answer({"cleared": count})


@api.post("/records/<module>/purge")
def purge(module):
    """Empty the recycle bin of a module: its deleted records become permanent."""
    box = the_box()
    sql = (
        "UPDATE trash SET kind = 'permanent', name = NULL, doc = NULL, deleted = ? "
        "WHERE module = ? AND kind = 'recycle'"
    )
    with box.store.write() as conn:
        count = conn.execute(sql, (box.clock.second(), module)).rowcount
    return answer({"purged": count})


@api.post("/users/status")
def change_user():
    """{email, status: active or inactive}: somebody leaves or comes back."""
    body = wanted()
    the_box().people.change_user(body["email"], body["status"])
    return users()


@api.post("/org")
def change_org():
    """{org?, name?, type?: production or sandbox}: whose organisation this is."""
    known, body = {"org", "name", "type"}, wanted()
    the_box().people.change_org({name: body[name] for name in known & body.keys()})
    return answer(the_box().people.org())


@api.get("/users")
def users():
    """The users that an edit can be made as."""
    box = the_box()
    return answer({"users": [box.people.full(user_id) for user_id in box.people.users]})
