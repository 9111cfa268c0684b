"""`/actions/watch`: subscribe, change, list and drop notification channels."""

from flask import Blueprint, request

from sandbox.zoho_crm.box import the_box
from sandbox.zoho_crm.clock import parse_time
from sandbox.zoho_crm.errors import ApiError, ItemError, missing_param, success
from sandbox.zoho_crm.gate import OTHER, answer, body, guard, nothing, number, profile
from sandbox.zoho_crm.values import parse_id
from sandbox.zoho_crm.writer import run_batch

api = guard(Blueprint("watch", __name__, url_prefix="/crm/<version>"))
HOUR = 3600
WEEK = 7 * 24 * HOUR
OPERATIONS = ("create", "edit", "delete")
SUBSCRIBED = "Successfully subscribed for actions-watch of the given module"


@api.url_value_preprocessor
def drop_version(_endpoint, values):
    if values:
        values.pop("version", None)


def _missing(name, index):
    details = {"api_name": name, "json_path": f"$.watch[{index}].{name}"}
    return ItemError("MANDATORY_NOT_FOUND", "required field not found", details)


def _invalid(name, index, **more):
    details = {"api_name": name, "json_path": f"$.watch[{index}].{name}", **more}
    return ItemError("INVALID_DATA", "invalid data", details)


def _not_subscribed():
    message = "Not subscribed for actions-watch of the given channel"
    return ItemError("NOT_SUBSCRIBED", message, {})


def _items():
    items = body().get("watch") if isinstance(body(), dict) else None
    if not isinstance(items, list) or not items:
        details = {"api_name": "watch", "json_path": "$.watch"}
        raise ApiError(400, "MANDATORY_NOT_FOUND", "required field not found", details)
    if len(items) > 50:
        details = {"api_name": "watch", "limit": 50}
        raise ApiError(400, "LIMIT_EXCEEDED", "more than the allowed channels", details)
    return items


def _run(count, work, good):
    answers, failed = run_batch(count, work)
    status = good if not failed else 400 if len(failed) == count else 207
    return answer({"watch": answers}, status)


@api.post("/actions/watch")
@profile(kind=OTHER, scope="notifications")
def subscribe():
    items = _items()
    return _run(len(items), lambda index: _create(items[index], index, None), 201)


@api.put("/actions/watch")
@profile(kind=OTHER, scope="notifications")
def replace():
    items = _items()

    def work(index):
        return _create(items[index], index, _known(items[index], index))

    return _run(len(items), work, 200)


def _known(item, index):
    channel_id = _channel_id(item, index)
    channel = the_box().notifier.channel(channel_id)
    if channel is None:
        raise _not_subscribed()
    return channel


def _channel_id(item, index):
    raw = item.get("channel_id") if isinstance(item, dict) else None
    if raw is None:
        raise _missing("channel_id", index)
    if parse_id(raw) is None:
        raise _invalid("channel_id", index, expected_data_type="bigint")
    return str(parse_id(raw))


def _create(item, index, _previous):
    box = the_box()
    channel_id = _channel_id(item, index)
    for name in ("events", "notify_url"):
        if not item.get(name):
            raise _missing(name, index)
    channel = {
        "channel_id": channel_id,
        "events": _events(item["events"], index),
        "url": _url(item["notify_url"], index),
        "token": _token(item.get("token"), index),
        "expiry": _expiry(item.get("channel_expiry"), index),
        "related": item.get("notify_on_related_action") is not False,
        "values": item.get("return_affected_field_values") is True,
        "conditions": item.get("notification_condition") or [],
    }
    box.notifier.keep(channel)
    return success(SUBSCRIBED, {"events": _event_entries(box, channel)})


def _events(raw, index):
    """Single events; `.all` stands for the three."""
    if not isinstance(raw, list) or len(raw) > 50:
        raise _invalid("events", index, expected_data_type="jsonarray")
    events = []
    for place, text in enumerate(raw):
        module, _, operation = str(text).partition(".")
        known = module == "users" or the_box().metadata.callable_module(module)
        if not known or operation not in {*OPERATIONS, "all"}:
            raise _invalid(f"events[{place}]", index)
        operations = OPERATIONS if operation == "all" else (operation,)
        events.extend(f"{module}.{each}" for each in operations)
    return list(dict.fromkeys(events))


def _url(raw, index):
    if not isinstance(raw, str) or not raw.startswith(("http://", "https://")):
        raise _invalid("notify_url", index)
    return raw


def _token(raw, index):
    if raw is not None and len(str(raw)) > 50:
        raise _invalid("token", index, maximum_length=50)
    return None if raw is None else str(raw)


def _expiry(raw, index):
    """At most a week ahead; absent or beyond that means one hour."""
    now = the_box().clock.second()
    if raw is None:
        return now + HOUR
    try:
        wanted = parse_time(raw)
    except ValueError:
        raise _invalid("channel_expiry", index, expected_data_type="datetime") from None
    return wanted if now < wanted <= now + WEEK else now + HOUR


def _resource(box, name):
    module = box.metadata.get(name)
    return {
        "resource_uri": f"{box.base_url}/crm/v2/{name}",
        "resource_id": str(module.id) if module else None,
        "resource_name": name,
    }


def _modules_of(channel):
    return list(dict.fromkeys(event.partition(".")[0] for event in channel["events"]))


def _event_entries(box, channel):
    common = {
        "channel_expiry": box.clock.text(channel["expiry"]),
        "channel_id": channel["channel_id"],
    }
    return [{**common, **_resource(box, name)} for name in _modules_of(channel)]


@api.patch("/actions/watch")
@profile(kind=OTHER, scope="notifications")
def change():
    items = _items()
    return _run(len(items), lambda index: _change(items[index], index), 200)


def _change(item, index):
    box = the_box()
    channel = dict(_known(item, index))
    if item.get("_delete_events"):
        dropped = set(_events(item.get("events") or [], index))
        channel["events"] = [event for event in channel["events"] if event not in dropped]
        _keep_or_remove(box, channel)
        message = "Successfully removed the subscribe details"
        return success(message, {"events": _event_entries(box, channel)})
    if "events" in item:
        channel["events"] = _events(item["events"], index)
    if "notify_url" in item:
        channel["url"] = _url(item["notify_url"], index)
    if "token" in item:
        channel["token"] = _token(item["token"], index)
    if "channel_expiry" in item:
        channel["expiry"] = _expiry(item["channel_expiry"], index)
    if "notify_on_related_action" in item:
        channel["related"] = bool(item["notify_on_related_action"])
    if "return_affected_field_values" in item:
        channel["values"] = bool(item["return_affected_field_values"])
    if "notification_condition" in item:
        channel["conditions"] = item["notification_condition"] or []
    box.notifier.keep(channel)
    message = "Successfully updated the subscribe details"
    return success(message, {"events": _event_entries(box, channel)})


def _keep_or_remove(box, channel):
    if channel["events"]:
        box.notifier.keep(channel)
    else:
        box.notifier.remove(channel["channel_id"])


@api.get("/actions/watch")
@profile(scope="notifications")
def details():
    box, args = the_box(), request.args
    entries = []
    for channel in box.notifier.live():
        if args.get("channel_id") not in {None, "", channel["channel_id"]}:
            continue
        for name in _modules_of(channel):
            if args.get("module") in {None, "", name}:
                entries.append(_entry(box, channel, name))
    page, per_page = number("page", 1, 1, 10**6), number("per_page", 200, 1, 200)
    part = entries[(page - 1) * per_page : page * per_page]
    if not part:
        return nothing(204)
    info = {"per_page": per_page, "count": len(part), "page": page}
    info["more_records"] = len(entries) > page * per_page
    return answer({"watch": part, "info": info})


def _entry(box, channel, name):
    own = [event for event in channel["events"] if event.startswith(f"{name}.")]
    return {
        "notify_on_related_action": channel["related"],
        "channel_expiry": box.clock.text(channel["expiry"]),
        "return_affected_field_values": channel["values"],
        **_resource(box, name),
        "notify_url": channel["url"],
        "fields": None,
        "notification_condition": channel["conditions"] or None,
        "channel_id": channel["channel_id"],
        "events": own,
        "token": channel["token"],
    }


@api.delete("/actions/watch")
@profile(kind=OTHER, scope="notifications")
def unsubscribe():
    raw = request.args.get("channel_ids")
    if not raw:
        raise missing_param("channel_ids")
    box, answers, failed = the_box(), [], 0
    for channel_id in (item.strip() for item in raw.split(",")):
        channel = box.notifier.channel(channel_id)
        if channel is None:
            answers.append(_not_subscribed().item())
            failed += 1
            continue
        box.notifier.remove(channel_id)
        for name in _modules_of(channel):
            resource = _resource(box, name)
            resource.pop("resource_name")
            shown = {**resource, "channel_id": channel_id}
            answers.append(success("Successfully un-subscribed from actions-watch", shown))
    status = 200 if not failed else 400 if failed == len(answers) else 207
    return answer({"watch": answers}, status)
