"""What each matching threshold would do to the hub's own customers."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from webui import auth
from webui.auth import hub, needs

screens = Blueprint("thresholds", __name__, url_prefix="/thresholds")


@screens.get("")
@needs("viewer")
def thresholds() -> ResponseReturnValue:
    """The table, with samples at each edge."""
    from sync.service import matching  # noqa: PLC0415  loads numpy

    return render_template("candidates/thresholds.html", found=matching.thresholds(hub()))


@screens.post("")
@needs("steward")
def work_out() -> ResponseReturnValue:
    """Has a worker score the customers among themselves."""
    from sync.service import matching  # noqa: PLC0415  loads numpy

    matching.ask_for_thresholds(hub(), actor=auth.actor())
    return redirect(url_for("thresholds.thresholds"), 303)
