"""Data quality: the figures, their trend, and a list to work through."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from sync.service import quality as service
from sync.service import systems
from webui import charts
from webui.auth import hub, needs

screens = Blueprint("quality", __name__, url_prefix="/quality")
_LINES = ("completeness", "valid", "fresh")


@screens.get("")
@needs("viewer")
def quality() -> ResponseReturnValue:
    """The figures of customers or contacts, and the records that have something to mend."""
    asked = request.args
    entity = asked.get("entity", "customer")
    entity = entity if entity in service.ENTITIES else "customer"
    issue = asked.get("issue") if asked.get("issue") in service.FILTERS else None
    page = service.worklist(
        hub(),
        entity=entity,
        issue=issue,
        system=asked.get("system") or None,
        page=asked.get("page", 1, type=int),
        limit=25,
    )
    days = service.trend(hub()) if entity == "customer" else []
    return render_template(
        "quality/quality.html",
        entity=entity,
        entities=service.ENTITIES,
        issue=issue,
        overall=service.overall(hub(), entity),
        days=days,
        lines={name: charts.line([getattr(day.overall, name) for day in days]) for name in _LINES},
        page=page,
        systems=systems.list_names(hub()),
    )
