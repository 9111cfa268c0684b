"""Dead letters: grouped by reason; retried or discarded one by one or as a group."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from sync.service import letters as service
from sync.service.letters import Reason
from webui import auth
from webui.auth import hub, needs

screens = Blueprint("letters", __name__, url_prefix="/dead-letters")


@screens.get("")
@needs("viewer")
def groups() -> ResponseReturnValue:
    """Open dead letters by reason."""
    page = service.list_groups(hub(), page=request.args.get("page", 1, type=int))
    return render_template("letters/groups.html", page=page)


@screens.get("/list")
@needs("viewer")
def list_letters() -> ResponseReturnValue:
    """The dead letters of a reason, or closed ones."""
    state = request.args.get("state", "open")
    page = service.list_letters(
        hub(),
        state=state if state in service.STATES else "open",
        reason=_reason(),
        page=request.args.get("page", 1, type=int),
        limit=25,
    )
    return render_template("letters/list.html", page=page, reason=_reason(), state=state)


@screens.get("/<int:letter_id>")
@needs("viewer")
def letter(letter_id: int) -> ResponseReturnValue:
    """One dead letter with its payload, secrets masked."""
    return render_template("letters/letter.html", letter=service.get_letter(hub(), letter_id))


@screens.post("/<any(retry,discard):what>")
@needs("steward")
def close(what: str) -> ResponseReturnValue:
    """Tries again, or gives up: one, or all of a reason."""
    one = request.form.get("id", type=int)
    ids = [one] if one else service.ids_of(hub(), _reason_of_form())
    work = service.retry if what == "retry" else service.discard
    count = work(hub(), ids, actor=auth.actor())
    if what == "retry":
        text = ngettext("%(num)s is tried again.", "%(num)s are tried again.", count)
    else:
        text = ngettext("%(num)s is discarded.", "%(num)s are discarded.", count)
    flash(text, "success")
    return redirect(url_for("letters.groups"), 303)


def _reason() -> Reason | None:
    asked = request.args
    if not asked.get("system"):
        return None
    return Reason(
        asked["system"],
        asked.get("direction", ""),
        asked.get("object", ""),
        asked.get("kind", ""),
        asked.get("field") or None,
        asked.get("code", ""),
    )


def _reason_of_form() -> Reason:
    given = request.form
    return Reason(
        given.get("system", ""),
        given.get("direction", ""),
        given.get("object", ""),
        given.get("kind", ""),
        given.get("field") or None,
        given.get("code", ""),
    )
