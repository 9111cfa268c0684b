"""Drives the vendor's SDK through a stand-in; run as a script, prints one JSON object.

Usage: vendor_sdk_walk.py HELLO-JSON FOLDER NOTIFY-URL
"""

import csv
import io
import json
import sys
import time
import zipfile
from datetime import UTC, datetime

from zohocrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.api.logger import Logger
from zohocrmsdk.src.com.zoho.crm.api import (
    HeaderMap,
    Initializer,
    ParameterMap,
    bulk_read,
    coql,
    notifications,
)
from zohocrmsdk.src.com.zoho.crm.api import convert_lead as conversion
from zohocrmsdk.src.com.zoho.crm.api import record as records
from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.fields import FieldsOperations, GetFieldsParam
from zohocrmsdk.src.com.zoho.crm.api.modules import MinifiedModule, ModulesOperations
from zohocrmsdk.src.com.zoho.crm.api.related_records import (
    GetRelatedRecordsParam,
    RelatedRecordsOperations,
)
from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig
from zohocrmsdk.src.com.zoho.crm.api.users import GetUsersParam, UsersOperations


def begin(hello, folder):
    url = hello["base_url"]
    token = OAuthToken(
        hello["client_id"], hello["client_secret"], refresh_token=hello["refresh_token"]
    )
    Initializer.initialize(
        DataCenter.Environment(url, f"{url}/oauth/v2/token", url),
        token,
        FileStore(f"{folder}/tokens.csv"),
        SDKConfig(update_api_domain=False, pick_list_validation=False, auto_refresh_fields=False),
        folder,
        Logger.get_instance(Logger.Levels.ERROR, f"{folder}/sdk.log"),
    )


def params(**values):
    """Parameters by the SDK's own constants."""
    found = ParameterMap()
    for param, value in values.values():
        found.add(param, value)
    return found


def record_of(values, record_id=None):
    found = records.Record()
    if record_id:
        found.set_id(int(record_id))
    for name, value in values.items():
        found.add_key_value(name, value)
    return found


def body_of(*items, checks=None):
    body = records.BodyWrapper()
    body.set_data(list(items))
    if checks:
        body.set_duplicate_check_fields(checks)
    return body


def verdicts(response):
    """Class, code and message of each record of a write answer."""
    return [
        [
            type(item).__name__,
            item.get_code().get_value(),
            item.get_message().get_value()
            if hasattr(item.get_message(), "get_value")
            else item.get_message(),
        ]
        for item in response.get_object().get_data()
    ]


def write_and_read(module, found):
    ops = records.RecordOperations(module)
    good = record_of({"Account_Name": "SDK one", "Hub_Key": "sdk-1", "Blocked": True})
    bad = record_of({"Phone": "1"})
    made = ops.create_records(body_of(good, bad), HeaderMap())
    found["create"] = [made.get_status_code(), verdicts(made)]
    record_id = made.get_object().get_data()[0].get_details()["id"]
    changed = ops.update_records(body_of(record_of({"Phone": "+49 2"}, record_id)), HeaderMap())
    found["update"] = [changed.get_status_code(), verdicts(changed)]
    item = record_of({"Account_Name": "SDK two", "Hub_Key": "sdk-1"})
    upserted = ops.upsert_records(body_of(item, checks=["Hub_Key"]), HeaderMap())
    first = upserted.get_object().get_data()[0]
    found["upsert"] = [first.get_action().get_value(), first.get_duplicate_field()]
    names = "Account_Name,Phone,Modified_Time,Owner,Blocked,Parent_Account"
    param = records.GetRecordsParam
    listed = ops.get_records(params(f=(param.fields, names)), HeaderMap()).get_object()
    values = listed.get_data()[0].get_key_values()
    found["list"] = [values["Account_Name"], values["Phone"], values["Blocked"]]
    found["list_time"] = values["Modified_Time"].isoformat()
    found["list_owner"] = values["Owner"].get_name()
    found["more"] = listed.get_info().get_more_records()
    one = ops.get_record(int(record_id), ParameterMap(), HeaderMap()).get_object().get_data()[0]
    found["one"] = [str(one.get_id()), one.get_key_value("Account_Name")]
    return ops, record_id


def pages(ops, found):
    ops.create_records(
        body_of(*(record_of({"Account_Name": f"Page {n}"}) for n in range(5))), HeaderMap()
    )
    param, seen, token = records.GetRecordsParam, [], None
    while True:
        chosen = {"f": (param.fields, "Account_Name"), "p": (param.per_page, 2)}
        if token:
            chosen["t"] = (param.page_token, token)
        listed = ops.get_records(params(**chosen), HeaderMap()).get_object()
        seen.extend(item.get_id() for item in listed.get_data())
        token = listed.get_info().get_next_page_token()
        if not listed.get_info().get_more_records():
            break
    found["pages"] = [len(seen), len(set(seen))]


def look_up(ops, record_id, found):
    param = records.SearchRecordsParam
    criteria = "(Account_Name:equals:SDK two)"
    hits = ops.search_records(params(c=(param.criteria, criteria)), HeaderMap())
    found["search"] = [str(item.get_id()) for item in hits.get_object().get_data()] == [record_id]
    nothing = ops.search_records(params(c=(param.criteria, "(Phone:equals:77777)")), HeaderMap())
    found["search_nothing"] = nothing.get_status_code()
    query = coql.BodyWrapper()
    query.set_select_query(
        "select Account_Name, Owner from Accounts where Hub_Key = 'sdk-1' limit 5"
    )
    rows = coql.CoqlOperations().get_records(query).get_object()
    found["coql"] = [rows.get_data()[0].get_key_value("Account_Name"), rows.get_info().get_count()]
    query.set_select_query("select Nothing from Accounts where id is not null")
    error = coql.CoqlOperations().get_records(query).get_object()
    found["coql_error"] = [type(error).__name__, error.get_code().get_value()]


def relate(record_id, found):
    contact = record_of({"Last_Name": "SDK contact"})
    parent = records.Record()
    parent.set_id(int(record_id))
    contact.add_key_value("Account_Name", parent)
    ops = records.RecordOperations("Contacts")
    found["contact"] = verdicts(ops.create_records(body_of(contact), HeaderMap()))
    related = RelatedRecordsOperations("Contacts", "Accounts").get_related_records(
        int(record_id), params(f=(GetRelatedRecordsParam.fields, "Last_Name")), HeaderMap()
    )
    first = related.get_object().get_data()[0]
    found["related"] = first.get_key_value("Last_Name")


def subscribe(url, found):
    channel = notifications.Notification()
    channel.set_channel_id("4711")
    channel.set_events(["Accounts.all"])
    channel.set_notify_url(url)
    channel.set_token("sdk")
    body = notifications.BodyWrapper()
    body.set_watch([channel])
    ops = notifications.NotificationsOperations()
    made = ops.enable_notifications(body)
    found["watch"] = [made.get_status_code(), type(made.get_object().get_watch()[0]).__name__]
    param = notifications.GetNotificationsParam
    shown = ops.get_notifications(params(c=(param.channel_id, 4711)))
    found["watching"] = shown.get_object().get_watch()[0].get_events()
    records.RecordOperations("Accounts").create_records(
        body_of(record_of({"Account_Name": "Noticed"})), HeaderMap()
    )
    param = notifications.DeleteNotificationParam
    gone = ops.delete_notification(params(c=(param.channel_ids, "4711")))
    found["unwatch"] = gone.get_status_code()


def remove(ops, record_id, found):
    param = records.DeleteRecordsParam
    chosen = params(i=(param.ids, record_id), w=(param.wf_trigger, False))
    found["delete"] = verdicts(ops.delete_records(chosen, HeaderMap()))
    param = records.GetDeletedRecordsParam
    listed = ops.get_deleted_records(params(t=(param.type, "all")), HeaderMap()).get_object()
    found["deleted"] = [str(item.get_id()) for item in listed.get_data()] == [record_id]
    header = HeaderMap()
    header.add(records.GetDeletedRecordsHeader.if_modified_since, datetime(2040, 1, 1, tzinfo=UTC))
    later = ops.get_deleted_records(ParameterMap(), header)
    found["deleted_later"] = later.get_status_code()


def export(found):
    query = bulk_read.Query()
    module = MinifiedModule()
    module.set_api_name("Accounts")
    query.set_module(module)
    query.set_fields(["id", "Account_Name"])
    body = bulk_read.BodyWrapper()
    body.set_query(query)
    body.set_file_type("csv")
    ops = bulk_read.BulkReadOperations()
    made = ops.create_bulk_read_job(body).get_object().get_data()[0]
    job_id = int(made.get_details()["id"])
    for _ in range(200):
        job = ops.get_bulk_read_job_details(job_id).get_object().get_data()[0]
        if job.get_state().get_value() == "COMPLETED":
            break
        time.sleep(0.02)
    stream = ops.download_result(job_id).get_object().get_file().get_stream()
    content = stream.content if hasattr(stream, "content") else stream.read()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read(archive.namelist()[0]).decode())))
    found["bulk"] = [job.get_result().get_count() == len(rows), rows[0].keys() >= {"Account_Name"}]


def convert(found):
    ops = records.RecordOperations("Leads")
    lead = record_of({"Last_Name": "SDK lead", "Company": "SDK company"})
    made = ops.create_records(body_of(lead), HeaderMap())
    lead_id = int(made.get_object().get_data()[0].get_details()["id"])
    body = conversion.BodyWrapper()
    body.set_data([conversion.LeadConverter()])
    done = conversion.ConvertLeadOperations(lead_id).convert_lead(body)
    found["convert"] = [
        done.get_status_code(),
        type(done.get_object().get_data()[0]).__name__,
        done.get_object().get_data()[0].get_code().get_value(),
    ]
    again = conversion.ConvertLeadOperations(lead_id).convert_lead(body)
    item = again.get_object()
    item = item.get_data()[0] if hasattr(item, "get_data") else item
    found["convert_again"] = item.get_code().get_value()


def describe(found):
    shown = FieldsOperations().get_fields(params(m=(GetFieldsParam.module, "Accounts")))
    named = {item.get_api_name(): item for item in shown.get_object().get_fields()}
    found["fields"] = [
        named["Hub_Key"].get_length(),
        named["Account_Name"].get_system_mandatory(),
        named["Parent_Account"].get_lookup().get_module().get_api_name(),
    ]
    modules = ModulesOperations().get_modules(ParameterMap(), HeaderMap()).get_object()
    found["modules"] = "Sales_Orders" in [item.get_api_name() for item in modules.get_modules()]
    users = UsersOperations().get_users(params(t=(GetUsersParam.type, "CurrentUser")), HeaderMap())
    found["user"] = users.get_object().get_users()[0].get_email()


def order(found):
    products = records.RecordOperations("Products")
    made = products.create_records(body_of(record_of({"Product_Name": "SDK pump"})), HeaderMap())
    product = records.LineItemProduct()
    product.set_id(int(made.get_object().get_data()[0].get_details()["id"]))
    row = records.Record()
    row.add_key_value("Product_Name", product)
    row.add_key_value("Quantity", 2.0)
    row.add_key_value("List_Price", 4.5)
    wanted = record_of({"Subject": "SDK order", "Ordered_Items": [row]})
    ops = records.RecordOperations("Sales_Orders")
    made = ops.create_records(body_of(wanted), HeaderMap())
    found["order"] = verdicts(made)
    order_id = int(made.get_object().get_data()[0].get_details()["id"])
    one = ops.get_record(order_id, ParameterMap(), HeaderMap()).get_object().get_data()[0]
    rows = one.get_key_value("Ordered_Items")
    found["order_sum"] = [one.get_key_value("Grand_Total"), rows[0].get_key_value("Net_Total")]


def main():
    hello, folder, url = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
    begin(hello, folder)
    found = {}
    ops, record_id = write_and_read("Accounts", found)
    look_up(ops, record_id, found)
    relate(record_id, found)
    pages(ops, found)
    subscribe(url, found)
    remove(ops, record_id, found)
    export(found)
    convert(found)
    describe(found)
    order(found)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
