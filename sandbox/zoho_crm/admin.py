"""`/__admin/`: trouble and inspection for tests. No login; the server listens on loopback only."""

import inspect

from flask import Blueprint, current_app, request

from sandbox.zoho_crm import switches as switch_texts
from sandbox.zoho_crm import user_actions
from sandbox.zoho_crm.box import the_box
from sandbox.zoho_crm.errors import ItemError
from sandbox.zoho_crm.gate import answer

api = Blueprint("admin", __name__, url_prefix="/__admin")


@api.errorhandler(ValueError)
@api.errorhandler(TypeError)
@api.errorhandler(KeyError)
@api.errorhandler(user_actions.UnknownRecordError)
@api.errorhandler(user_actions.SeedRefusedError)
def bad_request(error):
    return answer({"error": f"{type(error).__name__}: {error}"}, 400)


@api.errorhandler(ItemError)
def refused(error):
    return answer(error.item(), 400)


def wanted():
    """The call's JSON object; an empty body is an empty object."""
    value = request.get_json(force=True, silent=True)
    if value is None and request.get_data():
        raise ValueError("the body is not JSON")
    return value or {}


@api.get("/")
def overview():
    """This list."""
    found = []
    for rule in current_app.url_map.iter_rules():
        if not rule.endpoint.startswith("admin."):
            continue
        view = current_app.view_functions[rule.endpoint]
        methods = sorted(rule.methods - {"HEAD", "OPTIONS"})
        text = " ".join((inspect.getdoc(view) or "").split())
        found.extend({"method": name, "path": rule.rule, "does": text} for name in methods)
    return answer({"calls": sorted(found, key=lambda item: (item["path"], item["method"]))})


@api.get("/health")
def health():
    """Says that the server answers, with its clock."""
    box = the_box()
    return answer({"ok": True, "time": box.clock.text(box.clock.now())})


# Tokens.


@api.post("/tokens/expire")
def expire_tokens():
    """Every access token dies now; refresh tokens stay."""
    the_box().oauth.expire_all()
    return answer({"ok": True})


@api.post("/tokens/revoke-refresh")
def revoke_refresh():
    """The refresh token is withdrawn, as when a user removes the consent."""
    box = the_box()
    return answer({"ok": box.oauth.revoke(wanted().get("token", box.oauth.refresh_token))})


@api.post("/tokens/restore-refresh")
def restore_refresh():
    """Undo revoke-refresh for the token printed at start."""
    box = the_box()
    box.oauth.restore(wanted().get("token", box.oauth.refresh_token))
    return answer({"ok": True})


@api.post("/tokens/forget-throttle")
def forget_throttle():
    """The count of token calls in the last ten minutes starts again at 0."""
    the_box().oauth.forget_throttle()
    return answer({"ok": True})


@api.post("/tokens/scope")
def set_scope():
    """{scope}: what the tokens may do from now on; an empty scope means all."""
    the_box().oauth.set_scope(wanted().get("scope", ""))
    return answer({"ok": True})


@api.post("/tokens/grant")
def grant():
    """{scope?, redirect_uri?}: a grant code, as the API console makes for a self client."""
    body = wanted()
    code = the_box().oauth.grant(body.get("scope", ""), body.get("redirect_uri"))
    return answer({"code": code})


# Faults.


@api.get("/faults")
def list_faults():
    """The planned faults and how many have happened."""
    faults = the_box().faults
    return answer({"faults": faults.listed(), "fired": faults.fired})


@api.delete("/faults")
def clear_faults():
    """Forget all planned faults, also those of notifications."""
    box = the_box()
    box.faults.clear()
    for name in box.notifier.faults:
        box.notifier.faults[name] = 0
    return answer({"ok": True})


@api.delete("/faults/<int:fault_id>")
def clear_fault(fault_id):
    """Forget one planned fault."""
    the_box().faults.clear(fault_id)
    return answer({"ok": True})


@api.post("/faults/latency")
def slow_down():
    """{latency_ms, times? (null: for ever), path?, method?, writes_only?, rate?, skip?}: slow."""
    return answer(the_box().faults.plan("latency", **{"times": None, **wanted()}))


@api.post("/faults/fail")
def fail():
    """{status, code?, message?, times, path?, method?, writes_only?, rate?, skip?, html?}: refuse
    the next calls without doing the work."""
    return answer(the_box().faults.plan("fail", **wanted()))


@api.post("/faults/drop-answer")
def drop_answer():
    """{times, path?, method?, writes_only? (true), rate?, skip?}: do the work, then close the
    connection without an answer."""
    return answer(the_box().faults.plan("drop_answer", **{"writes_only": True, **wanted()}))


@api.post("/faults/drop-before")
def drop_before():
    """{times, path?, method?, writes_only?, rate?, skip?}: close the connection, do nothing."""
    return answer(the_box().faults.plan("drop_before", **wanted()))


@api.get("/notifications")
def notification_state():
    """Channels, counts, what waits, the planned faults and the last sent messages."""
    box = the_box()
    return answer(
        {
            "channels": list(box.notifier.channels.values()),
            "counts": box.notifier.counts,
            "pending": box.notifier.pending(),
            "faults": box.notifier.faults,
            "recent": box.notifier.recent[-50:],
        }
    )


@api.post("/notifications/faults")
def notification_faults():
    """{drop, duplicate, reorder: rates 0 to 1; drop_next: a number; delay: seconds; hold: 0 or 1}.

    While they are held, messages pile up; `reorder` changes places among those sent together.
    """
    notifier, body = the_box().notifier, wanted()
    unknown = set(body) - set(notifier.faults)
    if unknown:
        raise ValueError(f"there is no {', '.join(sorted(unknown))}")
    notifier.faults.update(body)
    notifier.wake()
    return answer(notifier.faults)


@api.post("/notifications/expire")
def expire_channels():
    """All channels expire now, as in a night without renewal."""
    notifier = the_box().notifier
    for channel_id in list(notifier.channels):
        notifier.remove(channel_id)
    return answer({"ok": True})


# Clock, limits, switches.


@api.get("/clock")
def show_clock():
    """The time, the shift in seconds, the zone."""
    clock = the_box().clock
    shown = {"time": clock.text(clock.now()), "shift": clock.shift, "zone": clock.zone_name}
    return answer(shown)


@api.post("/clock")
def set_clock():
    """{shift?: seconds from the real time, zone?: "+08:00" or an IANA name, in_dates?: whether
    HTTP dates are shifted, too}."""
    body = wanted()
    names = ("shift", "zone", "in_dates")
    the_box().clock.set(**{name: body.get(name) for name in names})
    return show_clock()


@api.get("/limits")
def show_limits():
    """Credits used and allowed, the most calls at the same time."""
    box = the_box()
    names = ("daily_credits", "max_concurrency", "max_sub_concurrency", "token_throttle")
    shown = {name: box.switches[name] for name in names}
    return answer({**shown, "credits_used": box.limits.used(), "peak": box.limits.peak})


@api.post("/limits")
def set_limits():
    """{daily_credits?, max_concurrency?, max_sub_concurrency?, token_throttle?, reset?: true to
    give all credits back}."""
    body = wanted()
    if body.pop("reset", False):
        the_box().limits.reset()
    the_box().switches.change(body)
    return show_limits()


@api.get("/switches")
def show_switches():
    """Points that the vendor leaves open: value now, default, choices."""
    values = the_box().switches.all()
    described = switch_texts.describe()
    return answer({name: {"value": values[name], **described[name]} for name in described})


@api.post("/switches")
def set_switches():
    """{name: value, …}; {"reset": true} goes back to the defaults."""
    body, switches = wanted(), the_box().switches
    if body.pop("reset", False):
        switches.reset()
    switches.change(body)
    return answer(switches.all())
