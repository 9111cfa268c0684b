"""The page on which a person works as a CRM user: list, edit, create, delete, merge, convert."""

from datetime import timedelta

from flask import Blueprint, g, redirect, render_template, request, url_for

from sandbox.zoho_crm import user_actions
from sandbox.zoho_crm.box import the_box
from sandbox.zoho_crm.changes import changing
from sandbox.zoho_crm.convert import Conversion
from sandbox.zoho_crm.errors import ItemError
from sandbox.zoho_crm.page_forms import (
    BLANK_ROWS,
    ITEM_PARTS,
    as_text,
    choices,
    editable,
    read_item,
    refusal_text,
)
from sandbox.zoho_crm.render import Renderer
from sandbox.zoho_crm.store import fetch, field_sql, select_records
from sandbox.zoho_crm.texts import Texts
from sandbox.zoho_crm.user_actions import UnknownRecordError

api = Blueprint("page", __name__)
PER_PAGE = 50
COLUMNS = {
    "Leads": ("Full_Name", "Company", "Email", "Phone", "Lead_Status", "Hub_Key"),
    "Accounts": ("Account_Name", "Customer_No", "Tax_Id", "Phone", "Billing_City", "Hub_Key"),
    "Contacts": ("Full_Name", "Account_Name", "Email", "Phone", "Mobile", "Hub_Key"),
    "Deals": ("Deal_Name", "Account_Name", "Stage", "Amount", "Closing_Date"),
    "Products": ("Product_Name", "Product_Code", "Unit_Price", "Hub_Key"),
    "Quotes": ("Subject", "Account_Name", "Quote_Stage", "Grand_Total"),
    "Sales_Orders": ("Subject", "SO_Number", "Account_Name", "Status", "Grand_Total"),
    "Invoices": ("Subject", "Invoice_Number", "Account_Name", "Status", "Grand_Total"),
    "Tasks": ("Subject", "Status", "Priority", "Due_Date"),
    "Notes": ("Note_Title", "Note_Content"),
    "Vendors": ("Vendor_Name", "Email", "Phone"),
    "Campaigns": ("Campaign_Name", "Type", "Status"),
}
SEARCHED = ("Email", "Phone", "Mobile", "Hub_Key", "Customer_No", "Company", "Tax_Id")


def language():
    wanted = request.args.get("lang") or request.cookies.get("lang")
    if wanted in {"zh", "en"}:
        return wanted
    return request.accept_languages.best_match(["zh", "en"], "en")


@api.before_request
def choose_language_and_user():
    box = the_box()
    g.texts = Texts(language())
    user = request.cookies.get("user", "")
    known = user.isdigit() and int(user) in box.people.users
    g.acting = int(user) if known else box.people.person


@api.after_request
def remember_language(response):
    if request.args.get("lang") in {"zh", "en"}:
        response.set_cookie("lang", request.args["lang"], max_age=31_536_000, samesite="Lax")
    return response


@api.app_context_processor
def shared():
    """What the frame of every screen needs."""
    texts = g.get("texts") or Texts(language())
    modules = [item for item in the_box().metadata.modules.values() if not item.spec.parent]
    return {
        "t": texts,
        "modules": modules,
        "people": the_box().people,
        "acting": g.get("acting"),
        "said": request.args.get("said"),
    }


@api.errorhandler(UnknownRecordError)
def unknown(_error):
    return render_template("message.html", text=g.texts("unknown_record")), 404


def the_module(name):
    module = the_box().metadata.callable_module(name)
    if module is None:
        raise UnknownRecordError(name)
    return module


def shown_record(module, record_id):
    """A record as the API shows it; raises when there is none."""
    box = the_box()
    with box.store.read() as conn:
        record = fetch(conn, module.name, record_id)
        if record is None:
            raise UnknownRecordError(record_id)
        return Renderer(box, conn, module).single(record)


@api.get("/")
def home():
    return redirect(url_for("page.listing", name="Accounts", **request.args))


@api.post("/ui/user")
def act_as():
    response = redirect(request.form.get("back") or "/")
    age = timedelta(days=30)
    response.set_cookie("user", request.form.get("user", ""), max_age=age, samesite="Lax")
    return response


@api.get("/ui/<name>")
def listing(name):
    box, module = the_box(), the_module(name)
    text = request.args.get("q", "").strip()
    page = max(1, request.args.get("page", 1, int))
    where, params = _search(module, text)
    with box.store.read() as conn:
        sql = f"SELECT count(*) FROM rec_{module.name} t WHERE {where}"
        total = conn.execute(sql, params).fetchone()[0]
        found = select_records(
            conn, name, where, params, "t.modified DESC, t.id DESC", PER_PAGE, (page - 1) * PER_PAGE
        )
        names = [*COLUMNS[name], "Modified_Time", "Modified_By"]
        rows = Renderer(box, conn, module).listed(found, names)
    columns = [module.fields[column] for column in COLUMNS[name] if column in module.fields]
    return render_template(
        "list.html",
        module=module,
        rows=rows,
        columns=columns,
        total=total,
        page=page,
        pages=max(1, -(-total // PER_PAGE)),
        q=text,
    )


def _search(module, text):
    names = [name for name in (module.name_field, *SEARCHED) if name in module.fields]
    parts = [f"{field_sql(name, 't.')} LIKE ? ESCAPE '\\'" for name in names]
    if not text:
        return "1", ()
    safe = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"({' OR '.join(parts)} OR t.id = ?)", (*[f"%{safe}%"] * len(parts), text)


def _form(module, record, values, error=None):
    fields = editable(module)
    inputs = [(field, values.get(field.api_name, "")) for field in fields]
    rows = (record or {}).get(module.spec.line_items) or [] if module.spec.line_items else None
    status = 400 if error else 200
    page = render_template(
        "form.html",
        module=module,
        record=record,
        inputs=inputs,
        rows=rows,
        parts=ITEM_PARTS,
        blank=BLANK_ROWS,
        choices=choices(the_box(), module),
        users=the_box().people,
        error=error,
    )
    return page, status


@api.route("/ui/<name>/new", methods=["GET", "POST"])
def create(name):
    box, module = the_box(), the_module(name)
    if request.method == "GET":
        return _form(module, None, {})
    try:
        item = read_item(box, module, request.form, None)
        record = user_actions.create(box, name, item, user=g.acting)
    except ItemError as error:
        return _form(module, None, request.form, refusal_text(g.texts, error))
    return redirect(url_for("page.edit", name=name, record_id=record.id, said="saved"))


@api.route("/ui/<name>/<int:record_id>", methods=["GET", "POST"])
def edit(name, record_id):
    box, module = the_box(), the_module(name)
    before = shown_record(module, record_id)
    if request.method == "GET":
        values = {
            field.api_name: as_text(field, before.get(field.api_name)) for field in editable(module)
        }
        return _form(module, before, values)
    try:
        item = read_item(box, module, request.form, before)
        if item:
            user_actions.edit(box, name, record_id, item, user=g.acting)
    except ItemError as error:
        return _form(module, before, request.form, refusal_text(g.texts, error))
    return redirect(url_for("page.edit", name=name, record_id=record_id, said="saved"))


@api.post("/ui/<name>/<int:record_id>/delete")
def delete(name, record_id):
    user_actions.delete(the_box(), name, [record_id], user=g.acting)
    return redirect(url_for("page.listing", name=name, said="removed"))


@api.get("/ui/<name>/merge")
def choose_merge(name):
    module = the_module(name)
    ids = [int(item) for item in request.args.getlist("id") if item.isdigit()]
    if len(ids) != 2:
        return redirect(url_for("page.listing", name=name, said="merge_pick_two"))
    records = [shown_record(module, record_id) for record_id in ids]
    fields = [
        (field, [as_text(field, record.get(field.api_name)) for record in records])
        for field in editable(module)
    ]
    differing = [(field, texts) for field, texts in fields if texts[0] != texts[1]]
    return render_template("merge.html", module=module, records=records, fields=differing)


@api.post("/ui/<name>/merge")
def merge(name):
    box, module, form = the_box(), the_module(name), request.form
    ids = [int(item) for item in form.getlist("id") if item.isdigit()]
    winner = int(form["winner"])
    records = {record_id: shown_record(module, record_id) for record_id in ids}
    chosen = {}
    for field in editable(module):
        source = form.get(field.api_name, "")
        if source.isdigit() and int(source) in records and int(source) != winner:
            chosen[field.api_name] = _plain(records[int(source)].get(field.api_name))
    losers = [record_id for record_id in ids if record_id != winner]
    try:
        user_actions.merge(box, name, winner, losers, chosen, user=g.acting)
    except ItemError as error:
        return render_template("message.html", text=refusal_text(g.texts, error)), 400
    return redirect(url_for("page.edit", name=name, record_id=winner, said="merged"))


def _plain(value):
    """A rendered value as the API takes it."""
    return {"id": value["id"]} if isinstance(value, dict) else value


@api.post("/ui/Leads/<int:record_id>/convert")
def convert(record_id):
    box, deal = the_box(), request.form.get("deal", "").strip()
    wanted = {}
    if deal:
        month = box.clock.text(box.clock.second() + 30 * 86_400)[:10]
        named = {"Deal_Name": deal, "Closing_Date": month}
        wanted["Deals"] = {**named, "Stage": "Qualification", "Pipeline": "Standard"}
    try:
        with changing(box, g.acting) as unit:
            answer = Conversion(box, unit).run(record_id, wanted)
    except ItemError as error:
        return render_template("message.html", text=refusal_text(g.texts, error)), 400
    made = answer["details"]["Contacts"]["id"]
    return redirect(url_for("page.edit", name="Contacts", record_id=made, said="converted"))


@api.get("/ui/<name>/bin")
def recycle_bin(name):
    box, module = the_box(), the_module(name)
    sql = (
        "SELECT id, name, deleted, deleted_by FROM trash "
        "WHERE module = ? AND kind = 'recycle' ORDER BY deleted DESC, id DESC LIMIT 200"
    )
    with box.store.read() as conn:
        found = conn.execute(sql, (name,)).fetchall()
    rows = [(row[0], row[1], box.clock.text(row[2]), box.people.name(row[3])) for row in found]
    return render_template("bin.html", module=module, rows=rows)


@api.post("/ui/<name>/<int:record_id>/restore")
def restore(name, record_id):
    try:
        user_actions.restore(the_box(), name, record_id, user=g.acting)
    except ItemError as error:
        return render_template("message.html", text=refusal_text(g.texts, error)), 400
    return redirect(url_for("page.edit", name=name, record_id=record_id, said="restored"))
