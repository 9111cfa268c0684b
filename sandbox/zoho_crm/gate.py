"""What every API call passes: token, scope, concurrency, credits, planned trouble, counting."""

import json
from dataclasses import dataclass
from typing import Any

from flask import Response, current_app, g, request

from sandbox.zoho_crm.box import the_box
from sandbox.zoho_crm.calls import OTHER, READ, WRITE
from sandbox.zoho_crm.errors import ApiError, unknown_module
from sandbox.zoho_crm.faults import Call
from sandbox.zoho_crm.oauth import refuse_missing_scope
from sandbox.zoho_crm.store import dump

JSON_TYPE = "application/json;charset=UTF-8"
DROP_KEY = "sandbox.drop"


@dataclass(frozen=True)
class Profile:
    """How a view is counted and guarded; `credits` and `heavy` may be functions of nothing."""

    kind: str = READ
    scope: str = "modules"
    part: Any = None
    credits: Any = 1
    heavy: Any = False


def profile(**values):
    def mark(view):
        view.profile = Profile(**values)
        return view

    return mark


AUTOMATION = ("workflow", "approval", "blueprint", "pathfinder", "orchestration")


def answer(value, status=200, headers=None):
    return Response(dump(value), status, headers, content_type=JSON_TYPE)


def nothing(status=204):
    response = Response(status=status)
    del response.headers["Content-Type"]
    return response


def body():
    """The call's JSON, whatever its Content-Type says."""
    if "body" not in g:
        raw = request.get_data()
        try:
            g.body = json.loads(raw) if raw else {}
        except ValueError:
            raise ApiError(400, "INVALID_DATA", "body", {"expected_data_type": "json"}) from None
    return g.body


def record_count():
    data = body().get("data") if isinstance(body(), dict) else None
    return len(data) if isinstance(data, list) else 1


def the_module(name, index=0):
    module = the_box().metadata.callable_module(name)
    if module is None:
        raise unknown_module(index)
    return module


def number(name, default, low, high):
    """A whole number from the query, or the vendor's refusal."""
    raw = request.args.get(name)
    if raw is None or raw == "":
        return default
    if not raw.isdigit() or not low <= int(raw) <= high:
        details = {"param_name": name, "expected_data_type": "integer"}
        raise ApiError(400, "INVALID_DATA", "invalid data", {**details, "limit": high})
    return int(raw)


def flag(name, default=False):
    """A boolean of the query; the vendor's SDK writes `False` with a capital."""
    raw = request.args.get(name)
    return default if raw is None else raw.lower() == "true"


def enter():
    """Before a view: may refuse, wait or order the connection to be dropped."""
    box = the_box()
    view = current_app.view_functions.get(request.endpoint)
    known = getattr(view, "profile", None)
    if known is None:
        return
    g.profile = known
    access = box.oauth.check(request.headers.get("Authorization"))
    g.user_id = access.user_id
    g.token_end = access.expires
    part = known.part or (request.view_args or {}).get("module", "").replace("_", "").lower()
    refuse_missing_scope(access, known.scope, part, _scope_method(known))
    heavy = bool(known.heavy() if callable(known.heavy) else known.heavy)
    box.limits.enter(heavy)
    g.heavy = heavy
    box.limits.spend(known.credits() if callable(known.credits) else known.credits)
    g.call = Call(request.method, request.path, known.kind == WRITE)
    box.faults.before(g.call)


def _scope_method(known):
    return "GET" if known.kind == READ else request.method


def leave(response):
    """After a view: count, add headers, and lose the answer when that was planned."""
    box = the_box()
    known = g.get("profile")
    kind = known.kind if known else OTHER
    rule = request.url_rule.rule if request.url_rule else request.path
    endpoint = f"{request.method} {rule.replace('/<version>', '/v8')}"
    if known:
        endpoint = endpoint.replace("<module>", str((request.view_args or {}).get("module")))
        response.headers.extend(box.limits.headers())
    if "token_end" in g:
        response.headers["X-ACCESSTOKEN-RESET"] = box.clock.text(g.token_end)
    box.calls.note(endpoint=endpoint, kind=kind, status=response.status_code)
    if g.get("call") and response.status_code < 500 and box.faults.after(g.call):
        request.environ[DROP_KEY] = True
    if "written" in g:
        module, records = g.written
        box.calls.note_write(
            endpoint=endpoint,
            module=module,
            status=response.status_code,
            records=records,
            user_agent=request.user_agent.string,
            answered=DROP_KEY not in request.environ,
        )
    return response


def release(_error=None):
    heavy = g.pop("heavy", None)
    if heavy is not None:
        the_box().limits.leave(heavy)


def note_written(module, items, answers):
    """Remember what a write call did, for the counters."""
    records = []
    for item, verdict in zip(items, answers, strict=True):
        record_id = verdict["details"].get("id")
        names = sorted(item) if isinstance(item, dict) else []
        records.append((record_id, verdict["status"], [name for name in names if name != "id"]))
    g.written = (module, records)
    done = sum(verdict == "success" for _, verdict, _ in records)
    the_box().calls.note_automation(_automation(), done)


def _automation():
    """What a write starts: everything, unless the call names what it wants."""
    if request.method == "DELETE":
        return ["workflow"] if request.args.get("wf_trigger", "true") == "true" else []
    given = body() if request.get_data() else {}
    named = given.get("trigger") if isinstance(given, dict) else None
    return list(AUTOMATION) if named is None else named


def on_refusal(error):
    if error.html:
        return Response("<html><body><h1>Error</h1></body></html>", error.status, error.headers)
    return answer(error.body(), error.status, error.headers)


def on_drop(_error):
    request.environ[DROP_KEY] = True
    return nothing(500)


def guard(blueprint):
    """Put the gate in front of a blueprint."""
    blueprint.before_request(enter)
    blueprint.after_request(leave)
    blueprint.teardown_request(release)
    return blueprint
