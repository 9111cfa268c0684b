"""Lead conversion: a lead becomes a contact, an account and, if asked for, a deal."""

from flask import Blueprint, g

from sandbox.zoho_crm.box import the_box
from sandbox.zoho_crm.changes import changing
from sandbox.zoho_crm.errors import TEXT_BAD_ID, ItemError, success
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
from sandbox.zoho_crm.store import field_sql
from sandbox.zoho_crm.values import parse_id
from sandbox.zoho_crm.writer import records_of, run_batch

api = guard(Blueprint("convert", __name__, url_prefix="/crm/<version>"))

ADDRESS = ("Street", "City", "State", "Country")
TO_ACCOUNT = {
    "Company": "Account_Name",
    "Phone": "Phone",
    "Fax": "Fax",
    "Website": "Website",
    "Industry": "Industry",
    "Rating": "Rating",
    "Annual_Revenue": "Annual_Revenue",
    "No_of_Employees": "Employees",
    "Description": "Description",
    "Zip_Code": "Billing_Code",
    "Owner": "Owner",
    **{part: f"Billing_{part}" for part in ADDRESS},
}
SAME = ("First_Name", "Last_Name", "Salutation", "Email", "Secondary_Email", "Phone", "Mobile")
TO_CONTACT = {
    **{name: name for name in (*SAME, "Fax", "Skype_ID", "Twitter", "Lead_Source", "Description")},
    "Email_Opt_Out": "Email_Opt_Out",
    "Designation": "Title",
    "Zip_Code": "Mailing_Zip",
    "Owner": "Owner",
    **{part: f"Mailing_{part}" for part in ADDRESS},
}
TO_DEAL = {"Lead_Source": "Lead_Source", "Description": "Description", "Owner": "Owner"}
DEAL_MANDATORY = ("Deal_Name", "Closing_Date", "Stage", "Pipeline")


@api.url_value_preprocessor
def drop_version(_endpoint, values):
    if values:
        values.pop("version", None)


@api.post("/Leads/<lead_id>/actions/convert")
@profile(kind=WRITE, part="leads", heavy=True, credits=5)
def convert(lead_id):
    box, items = the_box(), records_of(body())
    silent = not box.switches["notify_own_writes"]
    with changing(box, g.user_id, silent=silent) as unit:
        conversion = Conversion(box, unit)
        answers, failed = run_batch(1, lambda _: conversion.run(lead_id, items[0]))
    noted = [{"details": {"id": lead_id}, "status": answers[0]["status"]}]
    note_written("Leads", items[:1], noted)
    return answer({"data": answers}, 400 if failed else 200)


@api.get("/Leads/<lead_id>/__conversion_options")
@profile(part="leads")
def options(lead_id):
    box, module = the_box(), the_module("Leads")
    with box.store.read() as conn:
        row = conn.execute(
            f"SELECT {field_sql('Company')}, {field_sql('Email')} FROM rec_Leads WHERE id = ?",
            (parse_id(lead_id),),
        ).fetchone()
        if row is None:
            return nothing(204)
        accounts = _same(conn, "Accounts", "Account_Name", row[0])
        contacts = _same(conn, "Contacts", "Email", row[1])
    shown = {
        "module_preference": {"api_name": "Contacts", "id": str(module.id)},
        "Contacts": contacts,
        "Accounts": accounts,
        "Deals": None,
        "preference_field_matched_value": {
            "Contacts": {"field": {"api_name": "Email"}, "matched_value": row[1]}
            if contacts
            else None,
            "Accounts": {"field": {"api_name": "Account_Name"}, "matched_value": row[0]}
            if accounts
            else None,
        },
        "modules_with_multiple_layouts": [],
    }
    return answer({"__conversion_options": shown})


def _same(conn, module, api_name, value):
    if not value:
        return None
    name = "Full_Name" if module == "Contacts" else "Account_Name"
    sql = (
        f"SELECT id, {field_sql(name)} FROM rec_{module} "
        f"WHERE {field_sql(api_name)} = ? COLLATE NOCASE ORDER BY id LIMIT 20"
    )
    rows = conn.execute(sql, (value,)).fetchall()
    return [{"id": str(row[0]), "name": row[1]} for row in rows] or None


class Conversion:
    """One conversion inside a unit of work; used by the API and by the page."""

    def __init__(self, box, unit):
        self.box = box
        self.unit = unit

    def run(self, raw_id, wanted):
        with self.unit.all_or_nothing():
            return self._run(raw_id, wanted)

    def _run(self, raw_id, wanted):
        leads = self.box.metadata.modules["Leads"]
        lead_id = parse_id(raw_id)
        lead = self.unit.fetch(leads, lead_id) if lead_id else None
        if lead is None:
            raise ItemError("INVALID_DATA", TEXT_BAD_ID, {"id": str(raw_id)})
        if lead.doc.get("Converted__s"):
            raise ItemError("ID_ALREADY_CONVERTED", "id already converted", {"id": str(raw_id)})
        self._check_deal(wanted)
        overwrite = bool(wanted.get("overwrite"))
        account = self._account(lead, wanted.get("Accounts"), overwrite)
        contact = self._contact(lead, wanted.get("Contacts"), account, overwrite)
        deal = self._deal(lead, wanted.get("Deals"), account, contact)
        self._close(leads, lead, account, contact, deal)
        details = {
            "Contacts": self._named("Contacts", contact),
            "Deals": self._named("Deals", deal),
            "Accounts": self._named("Accounts", account),
        }
        return success("The record has been converted successfully", details)

    def _named(self, module, record):
        if record is None:
            return None
        name = record.doc.get(self.box.metadata.modules[module].name_field)
        return {"name": name, "id": str(record.id)}

    @staticmethod
    def _check_deal(wanted):
        deal = wanted.get("Deals")
        if deal is None:
            return
        for name in DEAL_MANDATORY:
            if not deal.get(name):
                details = {"api_name": name, "json_path": f"$.data[0].Deals.{name}"}
                raise ItemError("MANDATORY_NOT_FOUND", "required field not found", details)

    def _existing(self, module, reference):
        found = parse_id((reference or {}).get("id"))
        if found is None:
            return None
        record = self.unit.fetch(self.box.metadata.modules[module], found)
        if record is None:
            details = {"api_name": "id", "json_path": f"$.data[0].{module}.id"}
            raise ItemError("INVALID_DATA", TEXT_BAD_ID, details)
        return record

    def _mapped(self, module, mapping, lead):
        fields = self.box.metadata.modules[module].fields
        return {
            target: lead.doc[source]
            for source, target in mapping.items()
            if lead.doc.get(source) is not None and target in fields
        }

    def _account(self, lead, reference, overwrite):
        module = self.box.metadata.modules["Accounts"]
        existing = self._existing("Accounts", reference)
        values = self._mapped("Accounts", TO_ACCOUNT, lead)
        if existing is None:
            return self.unit.insert(module, values) if values.get("Account_Name") else None
        return self._enrich(module, existing, values, overwrite)

    def _enrich(self, module, record, values, overwrite):
        """Fill what is empty; with `overwrite` take everything."""
        values.pop("Owner", None)
        if not overwrite:
            values = {name: value for name, value in values.items() if name not in record.doc}
        return self.unit.update(module, record, values) if values else record

    def _contact(self, lead, reference, account, overwrite):
        module = self.box.metadata.modules["Contacts"]
        existing = self._existing("Contacts", reference)
        values = self._mapped("Contacts", TO_CONTACT, lead)
        if account is not None:
            values["Account_Name"] = account.id
        if existing is None:
            return self.unit.insert(module, values)
        return self._enrich(module, existing, values, overwrite)

    def _deal(self, lead, wanted, account, contact):
        if wanted is None:
            return None
        module = self.box.metadata.modules["Deals"]
        values = self._mapped("Deals", TO_DEAL, lead)
        for name in (*DEAL_MANDATORY, "Amount"):
            if wanted.get(name) is not None:
                path = f"$.data[0].Deals.{name}"
                field = module.fields[name]
                values[name] = self.box.values.parse(self.unit.conn, field, wanted[name], path)
        values["Contact_Name"] = contact.id
        if account is not None:
            values["Account_Name"] = account.id
        return self.unit.insert(module, values)

    def _close(self, leads, lead, account, contact, deal):
        values = {
            "Converted__s": True,
            "Converted_Date_Time": self.unit.now,
            "Converted_Contact": contact.id,
            "Converted_Account": account.id if account else None,
            "Converted_Deal": deal.id if deal else None,
            "Lead_Conversion_Time": (self.unit.now - lead.created) // 86400,
        }
        self.unit.update(leads, lead, values)
